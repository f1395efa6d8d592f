//! What the formats share: output that grows, decompression with a limit and with input kept back.
use krait_object::{PyResult, Thread};
use krait_runtime::errors::memory_error;

const FIRST_BLOCK: usize = 16 * 1024;

/// There was no memory for the output.
#[derive(Debug)]
pub struct NoMemory;

/// Output of unknown size, up to a limit.
pub struct Output {
    data: Vec<u8>,
    len: usize,
    limit: usize,
}
impl Output {
    /// A negative limit is none.
    pub fn new(limit: isize) -> Output {
        Output { data: Vec::new(), len: 0, limit: usize::try_from(limit).unwrap_or(isize::MAX as usize) }
    }
    pub fn is_full(&self) -> bool {
        self.len >= self.limit
    }
    /// Whether the last block has room left: the library had nothing more to write.
    pub fn has_room(&self) -> bool {
        self.len < self.data.len()
    }
    /// Room to write to; grows when there is none. Empty at the limit.
    pub fn room(&mut self) -> Result<&mut [u8], NoMemory> {
        if !self.has_room() && !self.is_full() {
            let size = self.data.len().saturating_mul(2).max(FIRST_BLOCK).min(self.limit);
            self.data.try_reserve_exact(size - self.data.len()).map_err(|_| NoMemory)?;
            self.data.resize(size, 0);
        }
        Ok(&mut self.data[self.len..])
    }
    pub fn wrote(&mut self, n: usize) {
        self.len += n;
    }
    pub fn finish(mut self) -> Vec<u8> {
        self.data.truncate(self.len);
        self.data
    }
}

/// What a decompressing library did in one call.
pub struct Progress {
    pub read: usize,
    pub written: usize,
    /// The end of the stream was reached.
    pub end: bool,
}

/// The state of a decompressor that keeps input which did not fit into the output.
pub struct Feed {
    kept: Vec<u8>,
    /// How much of `kept` is used up.
    at: usize,
    pub eof: bool,
    pub needs_input: bool,
    pub unused: Vec<u8>,
}
/// Why a decompression stopped.
pub enum Stop<E> {
    NoMemory,
    Library(E),
}
impl<E> From<NoMemory> for Stop<E> {
    fn from(_: NoMemory) -> Self {
        Stop::NoMemory
    }
}
impl<E> Stop<E> {
    /// The MemoryError, or the library's error.
    pub fn library(self, th: &mut Thread) -> PyResult<E> {
        match self {
            Stop::NoMemory => Err(memory_error(th)),
            Stop::Library(e) => Ok(e),
        }
    }
}

impl Feed {
    pub fn new() -> Feed {
        Feed { kept: Vec::new(), at: 0, eof: false, needs_input: true, unused: Vec::new() }
    }
    /// Decompresses `data` behind what is kept, up to `limit` bytes of output. With `cautious` a full output means that
    /// the library may hold more although all input is used.
    pub fn decompress<E>(
        &mut self,
        data: &[u8],
        limit: isize,
        cautious: bool,
        mut step: impl FnMut(&[u8], &mut [u8]) -> Result<Progress, E>,
    ) -> Result<Vec<u8>, Stop<E>> {
        let mut kept = std::mem::take(&mut self.kept);
        let from = std::mem::take(&mut self.at);
        let in_use = from < kept.len();
        if in_use {
            kept.try_reserve(data.len()).map_err(|_| Stop::NoMemory)?;
            kept.extend_from_slice(data);
        }
        let input = if in_use { &kept[from..] } else { data };
        let mut output = Output::new(limit);
        let mut read = 0;
        loop {
            let p = step(&input[read..], output.room()?).map_err(Stop::Library)?;
            read += p.read;
            output.wrote(p.written);
            if p.end {
                self.eof = true;
                break;
            }
            let stuck = p.read == 0 && p.written == 0;
            if output.is_full() || (output.has_room() && (read == input.len() || stuck)) {
                break;
            }
        }
        let rest = &input[read..];
        self.needs_input = !self.eof && rest.is_empty() && !(cautious && output.is_full());
        if self.eof {
            self.unused = rest.to_vec();
        } else if in_use && !rest.is_empty() {
            self.at = from + read;
            self.kept = kept;
        } else {
            self.kept = rest.to_vec();
        }
        Ok(output.finish())
    }
}
