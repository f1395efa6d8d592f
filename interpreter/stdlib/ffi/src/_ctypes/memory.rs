//! Raw memory: loads and stores at the addresses that a script gives, and blocks that objects own.

use std::alloc::Layout;

/// The bytes at an address.
pub fn load(address: usize, length: usize) -> Vec<u8> {
    if length == 0 {
        return Vec::new();
    }
    // SAFETY: the script vouches for the address, as the contract of ctypes has it.
    unsafe { std::slice::from_raw_parts(address as *const u8, length) }.to_vec()
}

/// The bytes at an address as an array of at most 16.
pub fn load_small(address: usize, length: usize) -> [u8; 16] {
    let mut out = [0; 16];
    let length = length.min(16);
    // SAFETY: as in `load`; the array has room.
    unsafe { std::ptr::copy_nonoverlapping(address as *const u8, out.as_mut_ptr(), length) };
    out
}

pub fn store(address: usize, bytes: &[u8]) {
    // SAFETY: as in `load`; the regions may overlap.
    unsafe { std::ptr::copy(bytes.as_ptr(), address as *mut u8, bytes.len()) };
}

pub fn load_word(address: usize) -> usize {
    usize::from_ne_bytes(std::array::from_fn(|i| load_small(address, 8)[i]))
}

/// The bytes up to a NUL.
pub fn c_string(address: usize) -> Vec<u8> {
    // SAFETY: as in `load`: a C string is there.
    unsafe { std::ffi::CStr::from_ptr(address as *const libc::c_char) }.to_bytes().to_vec()
}

/// The wide characters up to a NUL, or so many.
pub fn wide_string(address: usize, length: Option<usize>) -> Vec<u32> {
    let mut out = Vec::new();
    while length.is_none_or(|length| out.len() < length) {
        let unit = load_small(address + 4 * out.len(), 4);
        let c = u32::from_ne_bytes([unit[0], unit[1], unit[2], unit[3]]);
        if c == 0 && length.is_none() {
            break;
        }
        out.push(c);
    }
    out
}

/// Memory that belongs to an object, zeroed.
pub struct Block {
    address: usize,
    layout: Layout,
}

impl Block {
    /// `None` without memory.
    pub fn new(size: usize) -> Option<Block> {
        let layout = Layout::from_size_align(size.max(1), 16).ok()?;
        // SAFETY: the layout is not empty.
        let address = unsafe { std::alloc::alloc_zeroed(layout) } as usize;
        (address != 0).then_some(Block { address, layout })
    }

    pub fn of(bytes: &[u8]) -> Option<Block> {
        let block = Block::new(bytes.len())?;
        store(block.address, bytes);
        Some(block)
    }

    pub fn address(&self) -> usize {
        self.address
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout in `new`.
        unsafe { std::alloc::dealloc(self.address as *mut u8, self.layout) };
    }
}
