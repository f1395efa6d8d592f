//! Reading text.
use krait_object::{Args, PyResult, Ref, Str, StrBuilder, StrData, Thread, Value};
use krait_runtime::errors::raise;
use krait_runtime::exceptions::OS_ERROR;
use krait_runtime::protocol::attr;

use super::super::arguments::{self, retry_interrupted, unsupported};
use super::newlines::{LineEnds, end_of_line, settled};
use super::{TEXT_IO_WRAPPER, TextIo, chunk_bytes, this, write};

/// Reads and decodes the next chunk; false at the end of the stream.
fn read_chunk(th: &mut Thread, t: &TextIo, hint: usize) -> PyResult<bool> {
    let (readable, telling, size, function) = {
        let s = t.state.lock();
        let hint = (s.ratio.max(1.0) * hint as f64) as usize;
        (s.has_decoder, s.telling, s.chunk_size.max(hint), if s.has_read1 { "read1" } else { "read" })
    };
    if !readable {
        return Err(unsupported(th, "not readable"));
    }
    // The point to which `tell` can return: where the decoder held nothing back.
    let before = if telling { Some(t.decoder_state(th)?) } else { None };
    let buffer = t.attached(th)?;
    let chunk = attr::call_method(th, &buffer, function, &[Value::from(size)])?;
    let data = chunk_bytes(th, &chunk, function)?;
    let eof = data.is_empty();
    let text = t.decode(th, &chunk, eof)?;
    let chars = text.len();
    let mut s = t.state.lock();
    s.ratio = if chars > 0 { data.len() as f64 / chars as f64 } else { 0.0 };
    s.set_decoded(Some(text));
    if let Some((mut held, flags)) = before {
        held.extend_from_slice(&data);
        s.snapshot = Some((flags, held));
    }
    Ok(!eof || chars > 0)
}
pub fn read(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let n = arguments::size_or(th, a.opt(1), -1)?;
    let t = a.this_ref::<TextIo>();
    t.check_attached(th)?;
    t.check_closed(th, &a[0])?;
    if !t.state.lock().has_decoder {
        return Err(unsupported(th, "not readable"));
    }
    write::flush_pending(th, &t)?;
    let Ok(n) = usize::try_from(n) else { return read_all(th, &t) };
    let mut out = t.state.lock().take(n);
    if out.len() == n {
        return Ok(out.into());
    }
    let mut joined = StrBuilder::new();
    let mut count = out.len();
    let mut parts = 0;
    while count < n {
        match read_chunk(th, &t, n - count) {
            Ok(true) => {}
            Ok(false) => break,
            Err(raised) => {
                retry_interrupted(th, raised)?;
                continue;
            }
        }
        joined.push_str(&out);
        parts += 1;
        out = t.state.lock().take(n - count);
        count += out.len();
    }
    if parts == 0 {
        return Ok(out.into());
    }
    joined.push_str(&out);
    Ok(joined.finish().into())
}
fn read_all(th: &mut Thread, t: &TextIo) -> PyResult<Value> {
    let buffer = t.attached(th)?;
    let data = attr::call_method(th, &buffer, "read", &[])?;
    let rest = t.decode(th, &data, true)?;
    let mut s = t.state.lock();
    let first = s.take(usize::MAX);
    if s.snapshot.is_some() {
        s.set_decoded(None);
        s.snapshot = None;
    }
    drop(s);
    if first.is_empty() {
        return Ok(rest.into());
    }
    match first.concat(&rest) {
        Some(all) => Ok(all.into()),
        None => Err(krait_runtime::errors::memory_error(th)),
    }
}

/// What a search for the line's end in `text[start..]` found: the end, or how much of the text can be put aside.
fn search(text: &Str, start: usize, ends: LineEnds) -> (Option<usize>, usize) {
    match text.data() {
        StrData::Ascii(u) | StrData::Latin1(u) => (end_of_line(&u[start..], ends), settled(&u[start..], ends)),
        StrData::Ucs2(u) => (end_of_line(&u[start..], ends), settled(&u[start..], ends)),
        StrData::Ucs4(u) => (end_of_line(&u[start..], ends), settled(&u[start..], ends)),
    }
}
/// A line; `limit` characters at most.
fn line(th: &mut Thread, me: &Value, t: &TextIo, limit: Option<usize>) -> PyResult<Ref<Str>> {
    t.check_closed(th, me)?;
    write::flush_pending(th, t)?;
    let ends = LineEnds::of(t.state.lock().newline);
    let mut parts: Option<StrBuilder> = None;
    let mut count = 0;
    let mut remaining: Option<Ref<Str>> = None;
    loop {
        while t.state.lock().decoded.as_ref().is_none_or(|d| d.is_empty()) {
            match read_chunk(th, t, 0) {
                Ok(true) => {}
                Ok(false) => {
                    let mut s = t.state.lock();
                    s.set_decoded(None);
                    s.snapshot = None;
                    drop(s);
                    return Ok(finish(parts, remaining));
                }
                Err(raised) => retry_interrupted(th, raised)?,
            }
        }
        let (decoded, used) = {
            let s = t.state.lock();
            (s.decoded.clone().unwrap_or_else(Str::empty), s.used)
        };
        let (text, start, offset) = match remaining.take() {
            None => (decoded, used, 0),
            Some(before) => {
                let offset = before.len();
                let joined = before.concat(&decoded);
                (joined.ok_or_else(|| krait_runtime::errors::memory_error(th))?, 0, offset)
            }
        };
        let (found, aside) = search(&text, start, ends);
        let mut end = start + found.unwrap_or(aside);
        let limited = limit.is_some_and(|l| end - start + count >= l);
        if let Some(l) = limit.filter(|_| limited) {
            end = start + l - count;
        }
        if found.is_some() || limited {
            t.state.lock().used = end.saturating_sub(offset);
            let last = if start == 0 && end == text.len() { text } else { text.slice(start, end) };
            return Ok(match parts {
                None => last,
                some => finish(some, Some(last)),
            });
        }
        if end > start {
            let out = parts.get_or_insert_default();
            out.push_str(&text.slice(start, end));
            count += end - start;
        }
        if end < text.len() {
            remaining = Some(text.slice(end, text.len()));
        }
        t.state.lock().set_decoded(None);
    }
}
fn finish(parts: Option<StrBuilder>, last: Option<Ref<Str>>) -> Ref<Str> {
    let mut out = parts.unwrap_or_default();
    if let Some(last) = last {
        out.push_str(&last);
    }
    out.finish()
}
pub fn readline(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let limit = arguments::size(th, a.opt(1), -1)?;
    let t = a.this_ref::<TextIo>();
    t.check_attached(th)?;
    line(th, &a[0], &t, usize::try_from(limit).ok()).map(Value::from)
}
pub fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let t = this(v);
    t.check_attached(th)?;
    t.state.lock().telling = false;
    let found = if v.is_exact(&TEXT_IO_WRAPPER) {
        line(th, v, t, None)?
    } else {
        let answer = attr::call_method(th, v, "readline", &[])?;
        match answer.downcast::<Str>() {
            Ok(text) => text,
            Err(answer) => {
                let class = answer.class().name();
                let message = format!("readline() should have returned an str object, not '{class}'");
                return Err(raise(th, &OS_ERROR, message));
            }
        }
    };
    if found.is_empty() {
        let mut s = t.state.lock();
        s.snapshot = None;
        s.telling = s.seekable;
        return Ok(None);
    }
    Ok(Some(found.into()))
}
