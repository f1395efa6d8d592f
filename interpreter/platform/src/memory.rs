//! Reserved address space: memory that is committed page by page as it is first touched. Home of unsafe code because it
//! calls `mmap` and `munmap`.
use std::ptr::NonNull;

/// A private, zero-filled range of address space, given back when dropped.
pub struct Reservation {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the reservation is plain memory; whoever uses it answers for the accesses.
unsafe impl Send for Reservation {}
// SAFETY: as above.
unsafe impl Sync for Reservation {}

impl Reservation {
    /// Reserves at least `len` bytes without committing memory; `None` where the address space cannot be had.
    pub fn new(len: usize) -> Option<Reservation> {
        let len = len.checked_next_multiple_of(1 << 16)?;
        // SAFETY: an anonymous mapping at an address of the kernel's choice touches no existing memory.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                len,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return None;
        }
        NonNull::new(start.cast()).map(|start| Reservation { start, len })
    }
    pub fn start(&self) -> NonNull<u8> {
        self.start
    }
    /// Bytes.
    pub fn len(&self) -> usize {
        self.len
    }
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // SAFETY: the range was mapped by `new` and is unmapped once.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

/// Has the system provide the whole pages in `len` bytes of reserved memory at `start`, at once and not one by one as they
/// are touched. Where it cannot, they come when they are touched.
pub fn prepare(start: usize, len: usize) {
    let page = page_size();
    let (first, end) = (start.next_multiple_of(page), (start + len) / page * page);
    if first < end {
        // SAFETY: the memory is not changed, only provided; an error leaves it as it is.
        unsafe { libc::madvise(first as *mut libc::c_void, end - first, libc::MADV_POPULATE_WRITE) };
    }
}
/// Bytes of a page of memory.
pub fn page_size() -> usize {
    // SAFETY: a question about the system, without arguments that could be wrong.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}
