//! The cores of the codecs that CPython has in C, over bytes and code points, with the error handler behind a trait.
//! Looking codecs and handlers up, and the exception objects, are elsewhere (`runtime/src/codecs`).
//! CPython counterpart: the codec functions of `Objects/unicodeobject.c`.

use std::borrow::Cow;

use super::buffer::TextBuf;
use crate::numtext::OutOfMemory;

pub mod charmap;
pub mod escapes;
pub mod handlers;
pub mod single;
pub mod utf16;
pub mod utf32;
pub mod utf7;
pub mod utf8;

/// What a decoding error handler answers.
pub struct Replacement {
    pub text: TextBuf,
    /// Where decoding goes on; already checked to lie within the input.
    pub position: usize,
    /// The handler may have changed the exception's `object`: then decoding goes on in that.
    pub input: Option<Vec<u8>>,
}

/// The decoding error handler in use.
pub trait DecodeErrors {
    type Error: From<OutOfMemory>;
    /// `input[start..end]` cannot be decoded.
    fn handle(
        &mut self,
        encoding: &str,
        input: &[u8],
        start: usize,
        end: usize,
        reason: &str,
    ) -> Result<Replacement, Self::Error>;
}

/// What an encoding error handler answers: text to be encoded in place of the faulty part, or bytes.
pub enum Encoded {
    Text(Vec<u32>),
    Bytes(Vec<u8>),
}

/// The encoding error handler in use. Positions are code points.
pub trait EncodeErrors {
    type Error: From<OutOfMemory>;
    /// The replacement of the text's `start..end`, and where encoding goes on (checked to lie within the text).
    fn handle(
        &mut self,
        encoding: &str,
        start: usize,
        end: usize,
        reason: &str,
    ) -> Result<(Encoded, usize), Self::Error>;
    /// The error itself, for a replacement that cannot be encoded either.
    fn fail(&mut self, encoding: &str, start: usize, end: usize, reason: &str) -> Self::Error;
}

/// A decoder's state: the input (which the handler may replace) and the output so far.
struct Decoding<'a, H> {
    encoding: &'static str,
    input: Cow<'a, [u8]>,
    out: TextBuf,
    errors: &'a mut H,
}

impl<'a, H: DecodeErrors> Decoding<'a, H> {
    fn new(encoding: &'static str, input: &'a [u8], errors: &'a mut H) -> Result<Self, H::Error> {
        Ok(Decoding { encoding, input: Cow::Borrowed(input), out: TextBuf::with_capacity(input.len())?, errors })
    }

    fn push(&mut self, code: u32) -> Result<(), H::Error> {
        Ok(self.out.push(code)?)
    }

    /// Asks the handler about `start..end`; answers where to go on.
    fn error(&mut self, start: usize, end: usize, reason: &str) -> Result<usize, H::Error> {
        let answer = self.errors.handle(self.encoding, &self.input, start, end, reason)?;
        self.out.push_text(&answer.text)?;
        if let Some(input) = answer.input {
            self.input = Cow::Owned(input);
        }
        Ok(answer.position.min(self.input.len()))
    }
}

fn is_surrogate(code: u32) -> bool {
    (0xD800..0xE000).contains(&code)
}
