//! Memory buffers that a connection reads from and writes to.
use std::ffi::c_int;

use super::Error;
use super::api::{P, lib};

const SET_EOF_RETURN: c_int = 130;
const FLAGS_READ_RETRY: c_int = 0x1 | 0x8;

pub struct MemoryBio(P);
// SAFETY: the owner moves it between threads, and a lock keeps two of them from using it at a time.
unsafe impl Send for MemoryBio {}

impl MemoryBio {
    pub fn new() -> Option<MemoryBio> {
        let a = lib();
        // SAFETY: the method is static. Reading an empty buffer says "later", not "end".
        unsafe {
            let bio = (a.BIO_new)((a.BIO_s_mem)());
            if bio.is_null() {
                return None;
            }
            (a.BIO_ctrl)(bio, SET_EOF_RETURN, -1, std::ptr::null_mut());
            (a.BIO_set_flags)(bio, FLAGS_READ_RETRY);
            Some(MemoryBio(bio))
        }
    }
    /// A buffer that holds these bytes.
    pub(super) fn with(data: &[u8]) -> Option<MemoryBio> {
        let bio = MemoryBio::new()?;
        data.chunks(c_int::MAX as usize).all(|c| bio.write(c).is_ok()).then_some(bio)
    }
    /// The pointer, with a reference of its own that the taker gives up.
    pub(super) fn shared(&self) -> P {
        // SAFETY: a live object.
        unsafe { (lib().BIO_up_ref)(self.0) };
        self.0
    }
    pub(super) fn raw(&self) -> P {
        self.0
    }
    pub fn pending(&self) -> usize {
        // SAFETY: a live object.
        unsafe { (lib().BIO_ctrl_pending)(self.0) }
    }
    /// After this, reading an empty buffer says "end".
    pub fn end(&self) {
        // SAFETY: a live object.
        unsafe {
            (lib().BIO_clear_flags)(self.0, FLAGS_READ_RETRY);
            (lib().BIO_ctrl)(self.0, SET_EOF_RETURN, 0, std::ptr::null_mut());
        }
    }
    pub fn read(&self, most: usize) -> Vec<u8> {
        let mut out = vec![0; most.min(self.pending()).min(c_int::MAX as usize)];
        if !out.is_empty() {
            // SAFETY: a live object, pointer and length of a slice.
            let n = unsafe { (lib().BIO_read)(self.0, out.as_mut_ptr().cast(), out.len() as c_int) };
            out.truncate(usize::try_from(n).unwrap_or(0));
        }
        out
    }
    pub fn read_all(&self) -> Vec<u8> {
        self.read(usize::MAX)
    }
    /// Takes at most `i32::MAX` bytes.
    pub fn write(&self, data: &[u8]) -> Result<usize, Option<Error>> {
        if data.is_empty() {
            return Ok(0);
        }
        let len = c_int::try_from(data.len()).unwrap_or(c_int::MAX);
        // SAFETY: a live object, pointer and length of a slice.
        let n = unsafe { (lib().BIO_write)(self.0, data.as_ptr().cast(), len) };
        usize::try_from(n).map_err(|_| Error::last())
    }
}
impl Drop for MemoryBio {
    fn drop(&mut self) {
        // SAFETY: gives up the object's own reference.
        unsafe { (lib().BIO_free)(self.0) };
    }
}
