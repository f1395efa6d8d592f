//! Writing text.
use krait_object::{Args, Bytes, PyResult, Str, StrBuilder, StrData, Thread, Value};
use krait_runtime::errors::memory_error;
use krait_runtime::protocol::attr;

use super::super::arguments::{retry_interrupted, unsupported};
use super::TextIo;

/// Hands pending bytes to the buffer, without flushing it.
pub fn flush_pending(th: &mut Thread, t: &TextIo) -> PyResult<()> {
    let pending = std::mem::take(&mut t.state.lock().pending);
    if pending.is_empty() {
        return Ok(());
    }
    let data: Value = Bytes::new(&pending).into();
    hand_over(th, t, &data)
}
fn hand_over(th: &mut Thread, t: &TextIo, data: &Value) -> PyResult<()> {
    let buffer = t.attached(th)?;
    while let Err(raised) = attr::call_method(th, &buffer, "write", std::slice::from_ref(data)) {
        retry_interrupted(th, raised)?;
    }
    Ok(())
}
fn has(text: &Str, c: u8) -> bool {
    match text.data() {
        StrData::Ascii(u) | StrData::Latin1(u) => memchr::memchr(c, u).is_some(),
        _ => text.iter().any(|p| p == u32::from(c)),
    }
}

pub fn write(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let t = a.this_ref::<TextIo>();
    let text = krait_runtime::convert::expect_str(th, &a[1], "write", "argument")?;
    t.check_attached(th)?;
    t.check_closed(th, &a[0])?;
    let (writable, newline, line_buffering, write_through, chunk_size) = {
        let s = t.state.lock();
        (s.has_encoder, s.write_newline(), s.line_buffering, s.write_through, s.chunk_size)
    };
    if !writable {
        return Err(unsupported(th, "not writable"));
    }
    let has_newline = (newline.is_some() || line_buffering) && has(&text, b'\n');
    let mut out = a[1].clone();
    if let Some(newline) = newline.filter(|_| has_newline) {
        let mut translated = StrBuilder::with_capacity(text.len() + 8);
        for c in text.iter() {
            if c == 10 { translated.push_text(newline) } else { translated.push(c) }
        }
        out = translated.finish().into();
    }
    let flush = line_buffering && (has_newline || has(&text, b'\r'));
    let encoded = t.encode(th, &out)?;
    let bytes = encoded.bytes();
    if bytes.len() >= chunk_size {
        // Large data is not copied together with what waits.
        while !t.state.lock().pending.is_empty() {
            flush_pending(th, &t)?;
        }
    }
    let full = {
        let mut s = t.state.lock();
        if s.pending.try_reserve(bytes.len()).is_err() {
            drop(s);
            return Err(memory_error(th));
        }
        s.pending.extend_from_slice(bytes);
        s.pending.len() >= s.chunk_size
    };
    if full || flush || write_through {
        flush_pending(th, &t)?;
    }
    if flush {
        let buffer = t.attached(th)?;
        attr::call_method(th, &buffer, "flush", &[])?;
    }
    let has_decoder = {
        let mut s = t.state.lock();
        if s.snapshot.is_some() {
            s.set_decoded(None);
            s.snapshot = None;
        }
        s.has_decoder
    };
    if has_decoder {
        t.reset_decoder(th)?;
    }
    Ok(Value::from(text.len()))
}
