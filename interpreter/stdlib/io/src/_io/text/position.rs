//! `tell` and `seek`. A position is a number that packs the place of a safe starting point in the file, the decoder's
//! flags there, and how much to decode and skip from there.
use krait_object::{Args, Bytes, CmpOp, PyResult, Thread, Value};
use krait_runtime::errors::{self, overflow_error, raise, type_error, value_error};
use krait_runtime::exceptions::OS_ERROR;
use krait_runtime::protocol::{attr, compare, number, repr};
use num_bigint::BigInt;
use num_traits::ToPrimitive;

use super::super::arguments::{self, unsupported};
use super::{TextIo, write};

#[derive(Clone, Copy, Default)]
struct Cookie {
    start: i64,
    flags: i32,
    bytes_to_feed: i32,
    chars_to_skip: i32,
    need_eof: bool,
}
impl Cookie {
    fn pack(&self) -> Value {
        let part = |n: u64, shift: u32| BigInt::from(n) << shift;
        let packed = part(self.start as u64, 0)
            + part(self.flags as u32 as u64, 64)
            + part(self.bytes_to_feed as u32 as u64, 96)
            + part(self.chars_to_skip as u32 as u64, 128)
            + part(u64::from(self.need_eof), 160);
        Value::from(packed)
    }
    fn unpack(th: &mut Thread, v: &Value) -> PyResult<Cookie> {
        let v = number::int(th, v)?;
        let n = number::to_bigint(th, &v)?;
        if n.bits() > 168 {
            return Err(overflow_error(th, "int too big to convert"));
        }
        let part = |shift: u32| (&n >> shift & BigInt::from(u64::MAX)).to_u64().unwrap_or(0);
        Ok(Cookie {
            start: part(0) as i64,
            flags: part(64) as i32,
            bytes_to_feed: part(96) as i32,
            chars_to_skip: part(128) as i32,
            need_eof: part(160) & 0xFF != 0,
        })
    }
}

/// Sets the decoder to a starting point. The start of a stream is a reset: decoders that expect a byte order mark have
/// another state there than `(b"", 0)`.
fn start_decoder(th: &mut Thread, t: &TextIo, cookie: &Cookie) -> PyResult<()> {
    if cookie.start == 0 && cookie.flags == 0 {
        t.reset_decoder(th)
    } else {
        t.set_decoder_state(th, b"", &Value::from(cookie.flags))
    }
}
fn check_seekable(th: &mut Thread, a: &Args<'_>) -> PyResult<()> {
    let t = a.this::<TextIo>();
    t.check_attached(th)?;
    t.check_closed(th, &a[0])?;
    if t.state.lock().seekable { Ok(()) } else { Err(unsupported(th, "underlying stream is not seekable")) }
}

pub fn seek(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let whence = arguments::whence(th, a.opt(2))?;
    check_seekable(th, a)?;
    let t = a.this_ref::<TextIo>();
    let zero = Value::int(0);
    let mut target = a[1].clone();
    match whence {
        0 => {}
        1 => {
            if !compare::eq(th, &target, &zero)? {
                return Err(unsupported(th, "can't do nonzero cur-relative seeks"));
            }
            target = attr::call_method(th, &a[0], "tell", &[])?;
        }
        2 => {
            if !compare::eq(th, &target, &zero)? {
                return Err(unsupported(th, "can't do nonzero end-relative seeks"));
            }
            return seek_end(th, a, &t);
        }
        _ => return Err(value_error(th, format!("invalid whence ({whence}, should be 0, 1 or 2)"))),
    }
    if compare::compare_bool(th, &target, &zero, CmpOp::Lt)? {
        let shown = repr::repr(th, &target)?;
        return Err(value_error(th, format!("negative seek position {shown}")));
    }
    attr::call_method(th, &a[0], "flush", &[])?;
    let cookie = Cookie::unpack(th, &target)?;
    let buffer = t.attached(th)?;
    attr::call_method(th, &buffer, "seek", &[Value::from(cookie.start)])?;
    let (has_decoder, has_encoder) = {
        let mut s = t.state.lock();
        s.set_decoded(None);
        s.snapshot = None;
        (s.has_decoder, s.has_encoder)
    };
    if has_decoder {
        start_decoder(th, &t, &cookie)?;
    }
    if cookie.chars_to_skip != 0 {
        replay(th, &t, &buffer, &cookie)?;
    } else {
        t.state.lock().snapshot = Some((Value::from(cookie.flags), Vec::new()));
    }
    if has_encoder {
        t.reset_encoder(th, cookie.start == 0 && cookie.flags == 0)?;
    }
    Ok(target)
}
/// Decodes from the starting point and skips the characters before the position.
fn replay(th: &mut Thread, t: &TextIo, buffer: &Value, cookie: &Cookie) -> PyResult<()> {
    let chunk = attr::call_method(th, buffer, "read", &[Value::from(cookie.bytes_to_feed)])?;
    let Some(data) = chunk.downcast_ref::<Bytes>().map(|b| b.to_vec()) else {
        let class = chunk.class().name();
        return Err(type_error(th, format!("underlying read() should have returned a bytes object, not '{class}'")));
    };
    t.state.lock().snapshot = Some((Value::from(cookie.flags), data));
    let text = t.decode(th, &chunk, cookie.need_eof)?;
    let len = text.len();
    let mut s = t.state.lock();
    s.set_decoded(Some(text));
    if (len as i64) < i64::from(cookie.chars_to_skip) {
        drop(s);
        return Err(raise(th, &OS_ERROR, "can't restore logical file position"));
    }
    s.used = cookie.chars_to_skip.max(0) as usize;
    Ok(())
}
fn seek_end(th: &mut Thread, a: &Args<'_>, t: &TextIo) -> PyResult<Value> {
    attr::call_method(th, &a[0], "flush", &[])?;
    let (has_decoder, has_encoder) = {
        let mut s = t.state.lock();
        s.set_decoded(None);
        s.snapshot = None;
        (s.has_decoder, s.has_encoder)
    };
    if has_decoder {
        t.reset_decoder(th)?;
    }
    let buffer = t.attached(th)?;
    let at = attr::call_method(th, &buffer, "seek", &[Value::int(0), Value::int(2)])?;
    if has_encoder {
        let at_start = compare::eq(th, &at, &Value::int(0))?;
        t.reset_encoder(th, at_start)?;
    }
    Ok(at)
}

pub fn tell(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    check_seekable(th, a)?;
    let t = a.this_ref::<TextIo>();
    if !t.state.lock().telling {
        return Err(raise(th, &OS_ERROR, "telling position disabled by next() call"));
    }
    write::flush_pending(th, &t)?;
    attr::call_method(th, &a[0], "flush", &[])?;
    let buffer = t.attached(th)?;
    let at = attr::call_method(th, &buffer, "tell", &[])?;
    let (snapshot, used, ratio) = {
        let s = t.state.lock();
        if !s.has_decoder {
            return Ok(at);
        }
        (s.snapshot.clone(), s.used, s.ratio)
    };
    let Some((flags, input)) = snapshot else { return Ok(at) };
    let mut cookie = Cookie { start: number::to_i64(th, &at)?, ..Cookie::default() };
    cookie.flags = number::to_i32(th, &flags)?;
    cookie.start -= input.len() as i64;
    if used == 0 {
        return Ok(cookie.pack());
    }
    let (held, state_flags) = t.decoder_state(th)?;
    let found = locate(th, &t, &mut cookie, &input, used, ratio);
    // The decoder goes on where it was, whatever happened.
    match found {
        Ok(()) => {
            t.set_decoder_state(th, &held, &state_flags)?;
            Ok(cookie.pack())
        }
        Err(raised) => {
            let earlier = errors::take(th, raised);
            t.set_decoder_state(th, &held, &state_flags)?;
            Err(krait_object::Raised::set(th, earlier))
        }
    }
}
/// What the decoder holds back now, and its flags.
fn flags_now(th: &mut Thread, t: &TextIo) -> PyResult<(usize, i32)> {
    let (held, flags) = t.decoder_state(th)?;
    Ok((held.len(), number::to_i32(th, &flags)?))
}
fn feed(th: &mut Thread, t: &TextIo, data: &[u8], last: bool) -> PyResult<usize> {
    t.decode(th, &Bytes::new(data).into(), last).map(|text| text.len())
}
/// Finds a starting point before the position from which decoding is safe: one where the decoder holds nothing back.
fn locate(th: &mut Thread, t: &TextIo, cookie: &mut Cookie, input: &[u8], used: usize, ratio: f64) -> PyResult<()> {
    let mut chars_to_skip = used;
    // A guess from the ratio of bytes to characters, then back in growing steps.
    let mut skip_bytes = ((ratio * chars_to_skip as f64) as usize).min(input.len()) as i64;
    let mut skip_back = 1;
    while skip_bytes > 0 {
        start_decoder(th, t, cookie)?;
        let decoded = feed(th, t, &input[..skip_bytes as usize], false)?;
        if decoded <= chars_to_skip {
            let (held, flags) = flags_now(th, t)?;
            if held == 0 {
                cookie.flags = flags;
                chars_to_skip -= decoded;
                break;
            }
            skip_bytes -= held as i64;
            skip_back = 1;
        } else {
            skip_bytes -= skip_back;
            skip_back *= 2;
        }
    }
    if skip_bytes <= 0 {
        skip_bytes = 0;
        start_decoder(th, t, cookie)?;
    }
    cookie.start += skip_bytes;
    cookie.chars_to_skip = chars_to_skip as i32;
    if chars_to_skip == 0 {
        return Ok(());
    }
    // Byte by byte from there, noting each safe point on the way.
    let mut decoded = 0;
    let mut reached = false;
    for byte in &input[skip_bytes as usize..] {
        decoded += feed(th, t, std::slice::from_ref(byte), false)?;
        cookie.bytes_to_feed += 1;
        let (held, flags) = flags_now(th, t)?;
        if held == 0 && decoded <= chars_to_skip {
            cookie.start += i64::from(cookie.bytes_to_feed);
            chars_to_skip -= decoded;
            cookie.flags = flags;
            cookie.bytes_to_feed = 0;
            decoded = 0;
        }
        if decoded >= chars_to_skip {
            reached = true;
            break;
        }
    }
    if !reached {
        decoded += feed(th, t, b"", true)?;
        cookie.need_eof = true;
        if decoded < chars_to_skip {
            return Err(raise(th, &OS_ERROR, "can't reconstruct logical file position"));
        }
    }
    cookie.chars_to_skip = chars_to_skip as i32;
    Ok(())
}
