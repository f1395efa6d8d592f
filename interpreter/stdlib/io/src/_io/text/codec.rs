//! The decoder and encoder of a `TextIOWrapper`: UTF-8, ASCII and Latin-1 natively, everything else through the
//! incremental codecs of the registry.
use krait_object::builtin_types::STR;
use krait_object::{Bytes, PyResult, Ref, Str, StrData, Thread, Tuple, Value};
use krait_runtime::codecs::{Builtin, decode_core, encode_core, registry};
use krait_runtime::errors::{lookup_error, type_error};
use krait_runtime::protocol::{attr, buffer, call, compare, number};
use krait_runtime::text::codec::utf16::ByteOrder;
use krait_runtime::text::codec::{utf8, utf16, utf32};

use super::super::arguments;
use super::super::newline::{Newlines, decoded_text};
use super::TextIo;

/// Encoders that need no object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encode {
    Ascii,
    Latin1,
    Utf8,
    Utf16(ByteOrder),
    Utf32(ByteOrder),
}
impl Encode {
    fn from_name(name: &str) -> Option<Encode> {
        Some(match name {
            "ascii" => Encode::Ascii,
            "iso8859-1" => Encode::Latin1,
            "utf-8" => Encode::Utf8,
            "utf-16" => Encode::Utf16(ByteOrder::Native),
            "utf-16-le" => Encode::Utf16(ByteOrder::Little),
            "utf-16-be" => Encode::Utf16(ByteOrder::Big),
            "utf-32" => Encode::Utf32(ByteOrder::Native),
            "utf-32-le" => Encode::Utf32(ByteOrder::Little),
            "utf-32-be" => Encode::Utf32(ByteOrder::Big),
            _ => return None,
        })
    }
    fn is_ascii_compatible(self) -> bool {
        matches!(self, Encode::Ascii | Encode::Latin1 | Encode::Utf8)
    }
}
/// Decoders that need no object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decode {
    Ascii,
    Latin1,
    Utf8,
}

/// The state of decoding, apart from the decoder object where there is one.
#[derive(Default)]
pub struct Decoder {
    pub native: Option<Decode>,
    /// The start of a character whose rest has not come yet (native decoders).
    pub pending: Vec<u8>,
    /// Universal newlines, where they are on.
    pub newlines: Option<Newlines>,
}

/// The codec of that name, which must be one for text.
pub fn lookup(th: &mut Thread, name: &str) -> PyResult<Value> {
    let codec = registry::lookup(th, name)?;
    if !codec.is_exact(&krait_object::builtin_types::TUPLE)
        && let Some(flag) = attr::get_text_opt(th, &codec, "_is_text_encoding")?
        && !compare::truth(th, &flag)?
    {
        let message = format!("'{name}' is not a text encoding; use codecs.open() to handle arbitrary codecs");
        return Err(lookup_error(th, message));
    }
    Ok(codec)
}
fn codec_name(th: &mut Thread, codec: &Value) -> PyResult<Option<String>> {
    let name = attr::get_text_opt(th, codec, "name")?;
    Ok(name.and_then(|n| n.downcast_ref::<Str>().map(|s| s.to_string_lossy().into_owned())))
}

impl TextIo {
    /// Chooses the decoder, if the buffer is readable.
    pub fn set_decoder(&self, th: &mut Thread, codec: &Value, errors: &str) -> PyResult<()> {
        let buffer = self.buffer.get().unwrap_or(Value::NONE);
        if !arguments::ask(th, &buffer, "readable")? {
            return Ok(());
        }
        let factory = attr::get_text(th, codec, "incrementaldecoder")?;
        let name = codec_name(th, codec)?;
        let native = match name.as_deref() {
            Some("utf-8") => Some((Decode::Utf8, "encodings.utf_8")),
            Some("ascii") => Some((Decode::Ascii, "encodings.ascii")),
            Some("iso8859-1") => Some((Decode::Latin1, "encodings.latin_1")),
            _ => None,
        };
        let mut chosen = None;
        if let Some((decode, module)) = native
            && let Some(held) = attr::get_text_opt(th, &factory, "__module__")?
            && held.downcast_ref::<Str>().is_some_and(|m| m.eq_str(module))
        {
            chosen = Some(decode);
        }
        let object = match chosen {
            Some(_) => None,
            None => Some(call::call(th, &factory, &[Value::str(errors)])?),
        };
        self.decoder.set(object);
        let mut s = self.state.lock();
        s.has_decoder = true;
        s.decoder = Decoder {
            native: chosen,
            pending: Vec::new(),
            newlines: s.read_universal.then(|| Newlines::new(s.read_translate)),
        };
        Ok(())
    }
    /// Chooses the encoder, if the buffer is writable.
    pub fn set_encoder(&self, th: &mut Thread, codec: &Value, errors: &str) -> PyResult<()> {
        let buffer = self.buffer.get().unwrap_or(Value::NONE);
        if !arguments::ask(th, &buffer, "writable")? {
            return Ok(());
        }
        let native = codec_name(th, codec)?.and_then(|n| Encode::from_name(&n));
        let object = match native {
            Some(_) => None,
            None => {
                let factory = attr::get_text(th, codec, "incrementalencoder")?;
                Some(call::call(th, &factory, &[Value::str(errors)])?)
            }
        };
        self.encoder.set(object);
        let mut s = self.state.lock();
        s.has_encoder = true;
        s.encode = native;
        Ok(())
    }

    fn native_decode(&self, th: &mut Thread, native: Decode, input: &[u8], last: bool) -> PyResult<Ref<Str>> {
        let pending = std::mem::take(&mut self.state.lock().decoder.pending);
        if native == Decode::Latin1 || (pending.is_empty() && input.is_ascii()) {
            return Ok(Str::from_latin1(input));
        }
        let errors = self.errors_text();
        let joined;
        let data = if pending.is_empty() {
            input
        } else {
            joined = [pending.as_slice(), input].concat();
            joined.as_slice()
        };
        if native == Decode::Ascii {
            let text = Builtin::Ascii.decode(th, data, None, Some(&errors))?;
            return decoded_text(th, text);
        }
        match std::str::from_utf8(data) {
            Ok(text) => return Ok(Str::new(text)),
            Err(e) if e.error_len().is_none() && !last => {
                let (good, rest) = data.split_at(e.valid_up_to());
                self.state.lock().decoder.pending = rest.to_vec();
                return Ok(Str::new(std::str::from_utf8(good).unwrap_or_default()));
            }
            Err(_) => {}
        }
        let mut consumed = data.len();
        let text = decode_core(th, None, Some(&errors), |handler| {
            utf8::decode(data, !last, handler).map(|(text, n)| {
                consumed = n;
                text
            })
        })?;
        self.state.lock().decoder.pending = data.get(consumed..).unwrap_or_default().to_vec();
        decoded_text(th, text)
    }
    /// Decodes a chunk, newlines included.
    pub fn decode(&self, th: &mut Thread, input: &Value, last: bool) -> PyResult<Ref<Str>> {
        let native = self.state.lock().decoder.native;
        let text = match native {
            Some(native) => match input.downcast_ref::<Bytes>() {
                Some(bytes) => self.native_decode(th, native, bytes, last)?,
                None => {
                    let bytes = buffer::bytes_like(th, input)?;
                    self.native_decode(th, native, &bytes, last)?
                }
            },
            None => {
                let decoder = self.decoder.get().unwrap_or(Value::NONE);
                let answer = attr::call_method(th, &decoder, "decode", &[input.clone(), Value::bool(last)])?;
                decoded_text(th, answer)?
            }
        };
        Ok(match &mut self.state.lock().decoder.newlines {
            Some(n) => n.apply(text, last),
            None => text,
        })
    }
    /// What the decoder holds back, and its flags.
    pub fn decoder_state(&self, th: &mut Thread) -> PyResult<(Vec<u8>, Value)> {
        let (native, pending, newlines) = {
            let s = self.state.lock();
            (s.decoder.native, s.decoder.pending.clone(), s.decoder.newlines)
        };
        let (held, flags) = match native {
            Some(_) => (pending, Value::int(0)),
            None => {
                let decoder = self.decoder.get().unwrap_or(Value::NONE);
                let state = attr::call_method(th, &decoder, "getstate", &[])?;
                let Some((held, flags)) = arguments::pair(&state) else {
                    return Err(type_error(th, "illegal decoder state"));
                };
                let Some(bytes) = held.downcast_ref::<Bytes>() else {
                    let class = held.class().name();
                    let message =
                        format!("illegal decoder state: the first item should be a bytes object, not '{class}'");
                    return Err(type_error(th, message));
                };
                (bytes.to_vec(), flags)
            }
        };
        match newlines {
            None => Ok((held, flags)),
            Some(n) => {
                let flags = number::to_masked(th, &flags, 64)?;
                Ok((held, Value::from(flags << 1 | u64::from(n.pending_cr))))
            }
        }
    }
    pub fn set_decoder_state(&self, th: &mut Thread, held: &[u8], flags: &Value) -> PyResult<()> {
        let mut flags = flags.clone();
        if self.state.lock().decoder.newlines.is_some() {
            let bits = number::to_masked(th, &flags, 64)?;
            if let Some(n) = &mut self.state.lock().decoder.newlines {
                n.pending_cr = bits & 1 != 0;
            }
            flags = Value::from(bits >> 1);
        }
        {
            let mut s = self.state.lock();
            if s.decoder.native.is_some() {
                s.decoder.pending = held.to_vec();
                return Ok(());
            }
        }
        let decoder = self.decoder.get().unwrap_or(Value::NONE);
        let state = Tuple::of([Bytes::new(held).into(), flags]);
        attr::call_method(th, &decoder, "setstate", &[state.into()]).map(|_| ())
    }
    pub fn reset_decoder(&self, th: &mut Thread) -> PyResult<()> {
        {
            let mut s = self.state.lock();
            if let Some(n) = &mut s.decoder.newlines {
                (n.seen, n.pending_cr) = (0, false);
            }
            if s.decoder.native.is_some() {
                s.decoder.pending = Vec::new();
                return Ok(());
            }
        }
        let decoder = self.decoder.get().unwrap_or(Value::NONE);
        attr::call_method(th, &decoder, "reset", &[]).map(|_| ())
    }
    /// At the start of the stream the encoder writes a byte order mark, elsewhere it must not.
    pub fn reset_encoder(&self, th: &mut Thread, at_start: bool) -> PyResult<()> {
        self.state.lock().start_of_stream = at_start;
        let Some(encoder) = self.encoder.get() else { return Ok(()) };
        if at_start {
            attr::call_method(th, &encoder, "reset", &[])?;
        } else {
            attr::call_method(th, &encoder, "setstate", &[Value::int(0)])?;
        }
        Ok(())
    }
    /// Encodes text as it is to be written.
    pub fn encode(&self, th: &mut Thread, text: &Value) -> PyResult<Encoded> {
        let (native, at_start) = {
            let mut s = self.state.lock();
            let at_start = s.start_of_stream;
            if s.encode.is_some() {
                s.start_of_stream = false;
            }
            (s.encode, at_start)
        };
        let Some(native) = native else {
            let encoder = self.encoder.get().unwrap_or(Value::NONE);
            let made = attr::call_method(th, &encoder, "encode", std::slice::from_ref(text))?;
            return made.downcast::<Bytes>().map(Encoded::Bytes).map_err(|made| {
                let class = made.class().name();
                type_error(th, format!("encoder should return a bytes object, not '{class}'"))
            });
        };
        let string = text.to_ref::<Str>().unwrap_or_else(Str::empty);
        if native.is_ascii_compatible() && matches!(string.data(), StrData::Ascii(_)) {
            return Ok(Encoded::Ascii(string));
        }
        let errors = self.errors_text();
        let exact = if text.is_exact(&STR) { text.clone() } else { string.slice(0, string.len()).into() };
        let order = |order| if order == ByteOrder::Native && !at_start { ByteOrder::Little } else { order };
        let made = match native {
            Encode::Ascii => Builtin::Ascii.encode(th, &exact, Some(&errors))?,
            Encode::Latin1 => Builtin::Latin1.encode(th, &exact, Some(&errors))?,
            Encode::Utf8 => Builtin::Utf8.encode(th, &exact, Some(&errors))?,
            Encode::Utf16(o) => encode_core(th, &exact, Some(&errors), |handler| match string.data() {
                StrData::Ascii(u) | StrData::Latin1(u) => utf16::encode(u, order(o), handler),
                StrData::Ucs2(u) => utf16::encode(u, order(o), handler),
                StrData::Ucs4(u) => utf16::encode(u, order(o), handler),
            })?,
            Encode::Utf32(o) => encode_core(th, &exact, Some(&errors), |handler| match string.data() {
                StrData::Ascii(u) | StrData::Latin1(u) => utf32::encode(u, order(o), handler),
                StrData::Ucs2(u) => utf32::encode(u, order(o), handler),
                StrData::Ucs4(u) => utf32::encode(u, order(o), handler),
            })?,
        };
        match made.downcast::<Bytes>() {
            Ok(bytes) => Ok(Encoded::Bytes(bytes)),
            Err(_) => Err(type_error(th, "encoder should return a bytes object")),
        }
    }
}
/// Bytes to be written.
pub enum Encoded {
    /// The text's own units.
    Ascii(Ref<Str>),
    Bytes(Ref<Bytes>),
}
impl Encoded {
    pub fn bytes(&self) -> &[u8] {
        match self {
            Encoded::Bytes(b) => b,
            Encoded::Ascii(s) => match s.data() {
                StrData::Ascii(u) => u,
                _ => &[],
            },
        }
    }
}
