//! Where a pickle is read from: bytes, or a file through `read`, `readline` and, where it has them, `peek` and `readinto`.
use krait_macros::Trace;
use krait_object::{Bytes, PyResult, Thread, Value};
use krait_runtime::errors::{type_error, value_error};
use krait_runtime::protocol::{attr, call, repr};

use super::unpickling_error;

/// Bytes that are looked at ahead where the file can do that.
const PREFETCH: usize = 128 * 1024;

#[derive(Clone, Trace)]
struct File {
    read: Value,
    readline: Value,
    peek: Option<Value>,
}
#[derive(Default, Trace)]
pub struct Input {
    #[trace(skip)]
    data: Vec<u8>,
    #[trace(skip)]
    at: usize,
    /// From here on the file has not been moved past the data yet.
    #[trace(skip)]
    peeked: Option<usize>,
    file: Option<Box<File>>,
}
impl Input {
    pub fn of_bytes(data: Vec<u8>) -> Input {
        Input { data, ..Input::default() }
    }
    pub fn of_file(th: &mut Thread, file: &Value) -> PyResult<Input> {
        let peek = attr::get_text_opt(th, file, "peek")?;
        attr::get_text_opt(th, file, "readinto")?;
        let read = attr::get_text_opt(th, file, "read")?;
        let readline = attr::get_text_opt(th, file, "readline")?;
        let (Some(read), Some(readline)) = (read, readline) else {
            return Err(type_error(th, "file must have 'read' and 'readline' attributes"));
        };
        Ok(Input { file: Some(Box::new(File { read, readline, peek })), ..Input::default() })
    }
    /// Moves the file past what was used of the bytes looked at ahead, and forgets the rest.
    pub fn settle(&mut self, th: &mut Thread) -> PyResult<()> {
        let Some(start) = self.peeked.take() else { return Ok(()) };
        let used = self.at.saturating_sub(start);
        self.data.truncate(self.at.max(start));
        if used > 0
            && let Some(file) = self.file.clone()
        {
            let data = call::call(th, &file.read, &[used.into()])?;
            bytes_of(th, data)?;
        }
        Ok(())
    }
    #[inline]
    pub fn byte(&mut self, th: &mut Thread) -> PyResult<u8> {
        if let Some(&b) = self.data.get(self.at) {
            self.at += 1;
            return Ok(b);
        }
        Ok(self.take(th, 1)?[0])
    }
    /// The next `n` bytes; UnpicklingError where there are fewer.
    #[inline]
    pub fn take(&mut self, th: &mut Thread, n: usize) -> PyResult<&[u8]> {
        if self.data.len() - self.at < n {
            self.fetch(th, n)?;
        }
        let start = self.at;
        self.at += n;
        Ok(&self.data[start..self.at])
    }
    pub fn array<const N: usize>(&mut self, th: &mut Thread) -> PyResult<[u8; N]> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(th, N)?);
        Ok(out)
    }
    /// Makes `n` bytes available without using them: a frame.
    pub fn frame(&mut self, th: &mut Thread, n: usize) -> PyResult<()> {
        self.take(th, n)?;
        self.at -= n;
        Ok(())
    }
    fn fetch(&mut self, th: &mut Thread, n: usize) -> PyResult<()> {
        let Some(file) = self.file.clone() else { return Err(truncated(th)) };
        self.settle(th)?;
        let left = self.data.len() - self.at;
        self.data.drain(..self.at);
        self.at = 0;
        if n > isize::MAX as usize {
            return Err(value_error(th, "read would overflow (invalid bytecode)"));
        }
        let more = call::call(th, &file.read, &[(n - left).into()])?;
        let more = bytes_of(th, more)?;
        if more.len() < n - left {
            return Err(truncated(th));
        }
        self.data.extend_from_slice(&more);
        self.prefetch(th, &file)
    }
    fn prefetch(&mut self, th: &mut Thread, file: &File) -> PyResult<()> {
        let Some(peek) = &file.peek else { return Ok(()) };
        match call::call(th, peek, &[PREFETCH.into()]) {
            Ok(ahead) => {
                let ahead = bytes_of(th, ahead)?;
                self.peeked = Some(self.data.len());
                self.data.extend_from_slice(&ahead);
            }
            Err(raised) => {
                krait_runtime::errors::catch(th, raised, &krait_runtime::exceptions::NOT_IMPLEMENTED_ERROR)?;
                if let Some(file) = &mut self.file {
                    file.peek = None;
                }
            }
        }
        Ok(())
    }
    /// The next line, without its end.
    pub fn line(&mut self, th: &mut Thread) -> PyResult<Vec<u8>> {
        if let Some(i) = self.data[self.at..].iter().position(|&b| b == b'\n') {
            let line = self.data[self.at..self.at + i].to_vec();
            self.at += i + 1;
            return Ok(line);
        }
        let Some(file) = self.file.clone() else { return Err(truncated(th)) };
        self.settle(th)?;
        let mut line = self.data.split_off(self.at);
        let more = call::call(th, &file.readline, &[])?;
        line.extend_from_slice(&bytes_of(th, more)?);
        match line.pop() {
            Some(b'\n') => Ok(line),
            _ => Err(truncated(th)),
        }
    }
}
#[cold]
pub fn truncated(th: &mut Thread) -> krait_object::Raised {
    unpickling_error(th, "pickle data was truncated")
}
fn bytes_of(th: &mut Thread, v: Value) -> PyResult<Vec<u8>> {
    match v.downcast_ref::<Bytes>() {
        Some(b) => Ok(b.to_vec()),
        None => {
            let shown = repr::repr(th, &v)?;
            Err(value_error(th, format!("read() returned non-bytes object ({shown})")))
        }
    }
}
