//! zlib's streams (library `zlib-rs` through its C interface, which alone has copies, strategies and window sizes). Result
//! codes and flush modes are zlib's numbers.
use std::ffi::CStr;
use std::mem::size_of;

use libz_rs_sys::{self as z, z_stream};

pub use libz_rs_sys::{
    Z_BEST_COMPRESSION, Z_BEST_SPEED, Z_BLOCK, Z_BUF_ERROR, Z_DATA_ERROR, Z_DEFAULT_COMPRESSION, Z_DEFAULT_STRATEGY,
    Z_DEFLATED, Z_FILTERED, Z_FINISH, Z_FIXED, Z_FULL_FLUSH, Z_HUFFMAN_ONLY, Z_MEM_ERROR, Z_NEED_DICT,
    Z_NO_COMPRESSION, Z_NO_FLUSH, Z_OK, Z_PARTIAL_FLUSH, Z_RLE, Z_STREAM_END, Z_STREAM_ERROR, Z_SYNC_FLUSH, Z_TREES,
    Z_VERSION_ERROR,
};

/// What one step did.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub code: i32,
    /// Bytes taken from the input.
    pub read: usize,
    /// Bytes put into the output.
    pub written: usize,
}
impl Step {
    fn failed(code: i32) -> Step {
        Step { code, read: 0, written: 0 }
    }
}

/// The library's version.
pub fn version() -> &'static str {
    // SAFETY: the library returns a static NUL-terminated string.
    unsafe { CStr::from_ptr(z::zlibVersion()) }.to_str().unwrap_or_default()
}
/// The CRC-32 of more data.
pub fn crc32(value: u32, data: &[u8]) -> u32 {
    // SAFETY: pointer and length of a slice.
    unsafe { z::crc32_z(value.into(), data.as_ptr(), data.len()) as u32 }
}
/// The Adler-32 of more data.
pub fn adler32(value: u32, data: &[u8]) -> u32 {
    // SAFETY: pointer and length of a slice.
    unsafe { z::adler32_z(value.into(), data.as_ptr(), data.len()) as u32 }
}

/// `msg` of a stream: why the last call failed, where the library says so.
fn message(stream: &z_stream) -> Option<&'static str> {
    if stream.msg.is_null() {
        return None;
    }
    // SAFETY: the library's messages are static NUL-terminated strings.
    unsafe { CStr::from_ptr(stream.msg) }.to_str().ok()
}
/// Points the stream to input and output for one call, of which the library takes at most 4 GiB each.
fn run(stream: &mut z_stream, input: &[u8], output: &mut [u8], call: impl FnOnce(&mut z_stream) -> i32) -> Step {
    let (given, room) = (input.len().min(u32::MAX as usize), output.len().min(u32::MAX as usize));
    (stream.next_in, stream.avail_in) = (input.as_ptr().cast_mut(), given as u32);
    (stream.next_out, stream.avail_out) = (output.as_mut_ptr(), room as u32);
    let code = call(stream);
    let step = Step { code, read: given - stream.avail_in as usize, written: room - stream.avail_out as usize };
    let_go(stream);
    step
}
/// No input and no output. The pointers are not null, as some calls refuse that even where nothing is read or written.
fn let_go(stream: &mut z_stream) {
    (stream.next_in, stream.avail_in) = (std::ptr::dangling_mut::<u8>(), 0);
    (stream.next_out, stream.avail_out) = (std::ptr::dangling_mut::<u8>(), 0);
}

macro_rules! streams {
    ($($(#[$doc:meta])* $name:ident $step:ident $end:ident $copy:ident $dictionary:ident;)*) => { $(
        $(#[$doc])*
        pub struct $name(Box<z_stream>);
        // SAFETY: the stream owns what it points to; between calls it holds no pointer to foreign memory.
        unsafe impl Send for $name {}
        impl $name {
            /// Takes input and gives output, as much as fits.
            pub fn step(&mut self, input: &[u8], output: &mut [u8], flush: i32) -> Step {
                // SAFETY: an initialised stream; `run` points it to live slices for the time of the call.
                run(&mut self.0, input, output, |s| unsafe { z::$step(s, flush) })
            }
            /// Sets the dictionary; the code says whether it fits.
            pub fn set_dictionary(&mut self, dictionary: &[u8]) -> i32 {
                let Ok(len) = u32::try_from(dictionary.len()) else { return Z_STREAM_ERROR };
                // SAFETY: an initialised stream, pointer and length of a slice.
                unsafe { z::$dictionary(&mut *self.0, dictionary.as_ptr(), len) }
            }
            /// A copy in the same state.
            pub fn try_copy(&mut self) -> Result<$name, i32> {
                let mut copy = Box::<z_stream>::default();
                let_go(&mut self.0);
                // SAFETY: an initialised source and a target without state.
                match unsafe { z::$copy(&mut *copy, &mut *self.0) } {
                    Z_OK => Ok($name(copy)),
                    code => Err(code),
                }
            }
            /// Why the last step failed.
            pub fn message(&self) -> Option<&'static str> {
                message(&self.0)
            }
        }
        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: an initialised stream, ended once.
                unsafe { z::$end(&mut *self.0) };
            }
        }
    )* };
}
streams! {
    /// A compressing stream.
    Deflate deflate deflateEnd deflateCopy deflateSetDictionary;
    /// A decompressing stream.
    Inflate inflate inflateEnd inflateCopy inflateSetDictionary;
}

/// Raised codes of an initialisation, with the library's message.
pub type Refused = (i32, Option<&'static str>);

impl Deflate {
    pub fn new(level: i32, method: i32, wbits: i32, mem_level: i32, strategy: i32) -> Result<Deflate, Refused> {
        let mut s = Box::<z_stream>::default();
        let size = size_of::<z_stream>() as i32;
        // SAFETY: a stream without state and with the library's allocator; version and size are its own.
        let code =
            unsafe { z::deflateInit2_(&mut *s, level, method, wbits, mem_level, strategy, z::zlibVersion(), size) };
        if code == Z_OK { Ok(Deflate(s)) } else { Err((code, message(&s))) }
    }
}
impl Inflate {
    pub fn new(wbits: i32) -> Result<Inflate, Refused> {
        let mut s = Box::<z_stream>::default();
        // SAFETY: as in `Deflate::new`.
        let code = unsafe { z::inflateInit2_(&mut *s, wbits, z::zlibVersion(), size_of::<z_stream>() as i32) };
        if code == Z_OK { Ok(Inflate(s)) } else { Err((code, message(&s))) }
    }
}

/// A step of a stream that has ended.
pub fn ended() -> Step {
    Step::failed(Z_STREAM_ERROR)
}
