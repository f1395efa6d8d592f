//! Where a pickle is written: a buffer with frames (protocol 4), which goes to the file in pieces.
use krait_object::{Bytes, PyResult, Thread, Value};
use krait_runtime::protocol::call;

use super::opcode;

const FRAME_SIZE_MIN: usize = 4;
pub const FRAME_SIZE_TARGET: usize = 64 * 1024;
const FRAME_HEADER: usize = 9;

pub struct Output {
    bytes: Vec<u8>,
    /// Where the open frame's header is.
    frame: Option<usize>,
    framing: bool,
    /// The file's `write`.
    write: Option<Value>,
}
impl Output {
    pub fn new(write: Option<Value>) -> Output {
        Output { bytes: Vec::new(), frame: None, framing: false, write }
    }
    pub fn set_framing(&mut self, on: bool) {
        self.framing = on;
    }
    #[inline]
    fn open_frame(&mut self) {
        if self.framing && self.frame.is_none() {
            self.frame = Some(self.bytes.len());
            self.bytes.extend_from_slice(&[0xFE; FRAME_HEADER]);
        }
    }
    #[inline]
    pub fn push(&mut self, byte: u8) {
        self.open_frame();
        self.bytes.push(byte);
    }
    #[inline]
    pub fn extend(&mut self, bytes: &[u8]) {
        self.open_frame();
        self.bytes.extend_from_slice(bytes);
    }
    pub fn text(&mut self, text: &str) {
        self.extend(text.as_bytes());
    }
    pub fn commit_frame(&mut self) {
        let Some(start) = self.frame.take() else { return };
        let len = self.bytes.len() - start - FRAME_HEADER;
        if len >= FRAME_SIZE_MIN {
            self.bytes[start] = opcode::FRAME;
            self.bytes[start + 1..start + FRAME_HEADER].copy_from_slice(&(len as u64).to_le_bytes());
        } else {
            // A frame this small costs more than it saves.
            self.bytes.drain(start..start + FRAME_HEADER);
        }
    }
    fn flush(&mut self, th: &mut Thread) -> PyResult<()> {
        let Some(write) = self.write.clone() else { return Ok(()) };
        let piece = std::mem::take(&mut self.bytes);
        call::call(th, &write, &[Bytes::new(&piece).into()])?;
        Ok(())
    }
    /// Between two objects: ends a frame that is long enough.
    #[inline]
    pub fn boundary(&mut self, th: &mut Thread) -> PyResult<()> {
        let Some(start) = self.frame.filter(|_| self.framing) else { return Ok(()) };
        if self.bytes.len() - start - FRAME_HEADER < FRAME_SIZE_TARGET {
            return Ok(());
        }
        self.commit_frame();
        self.flush(th)
    }
    /// A header and its payload; a large payload stays out of frames and goes to the file as it is.
    pub fn large(&mut self, th: &mut Thread, header: &[u8], data: &[u8], object: Option<&Value>) -> PyResult<()> {
        if data.len() < FRAME_SIZE_TARGET {
            self.extend(header);
            self.extend(data);
            return Ok(());
        }
        self.commit_frame();
        let framing = std::mem::replace(&mut self.framing, false);
        self.extend(header);
        let done = match self.write.clone() {
            Some(write) => self.flush(th).and_then(|()| {
                let payload = object.cloned().unwrap_or_else(|| Bytes::new(data).into());
                call::call(th, &write, &[payload]).map(drop)
            }),
            None => {
                self.extend(data);
                Ok(())
            }
        };
        self.framing = framing;
        done
    }
    /// Ends the pickle: to the file, or returned.
    pub fn finish(mut self, th: &mut Thread) -> PyResult<Vec<u8>> {
        self.commit_frame();
        if self.write.is_some() {
            self.flush(th)?;
        }
        Ok(self.bytes)
    }
}
