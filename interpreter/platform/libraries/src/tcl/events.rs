//! The event loop of a thread: timers, files, and work that other threads send.
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::ffi::c_int;
use std::mem::size_of;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use super::api::{Event, P, TCL_QUEUE_TAIL, both, lib};

pub const READABLE: c_int = 1 << 1;
pub const WRITABLE: c_int = 1 << 2;
pub const EXCEPTION: c_int = 1 << 3;
pub const DONT_WAIT: c_int = 1 << 1;
pub const WINDOW_EVENTS: c_int = 1 << 2;
pub const FILE_EVENTS: c_int = 1 << 3;
pub const TIMER_EVENTS: c_int = 1 << 4;
pub const IDLE_EVENTS: c_int = 1 << 5;
pub const ALL_EVENTS: c_int = !DONT_WAIT;

/// Handles one event, or waits for it unless the flags say otherwise.
pub fn do_one_event(flags: c_int) -> c_int {
    super::sweep();
    // SAFETY: the libraries are initialized.
    unsafe { (lib().Tcl_DoOneEvent)(flags) }
}
/// The main windows of this thread.
pub fn main_windows() -> c_int {
    // SAFETY: as above.
    unsafe { (both().tk.Tk_GetNumMainWindows)() }
}

type FileHandler = Rc<dyn Fn(c_int)>;
thread_local! {
    static FILES: RefCell<HashMap<c_int, FileHandler>> = RefCell::default();
    static TIMERS: RefCell<Timers> = RefCell::default();
}
#[derive(Default)]
struct Timers {
    last: usize,
    /// What to run, and the library's token of it.
    waiting: HashMap<usize, (Box<dyn FnOnce()>, usize)>,
}

unsafe extern "C" fn file_ready(data: P, mask: c_int) {
    let handler = FILES.with_borrow(|files| files.get(&(data as usize as c_int)).cloned());
    if let Some(handler) = handler {
        handler(mask);
    }
}
/// Watches a file on this thread, with one handler each.
pub fn create_file_handler(fd: c_int, mask: c_int, handler: FileHandler) {
    let old = FILES.with_borrow_mut(|files| files.insert(fd, handler));
    drop(old);
    // SAFETY: the data is the file's number.
    unsafe { (lib().Tcl_CreateFileHandler)(fd, mask, file_ready, fd as usize as P) }
}
pub fn delete_file_handler(fd: c_int) {
    // SAFETY: a number.
    unsafe { (lib().Tcl_DeleteFileHandler)(fd) };
    let old = FILES.with_borrow_mut(|files| files.remove(&fd));
    drop(old);
}

unsafe extern "C" fn time_is_up(data: P) {
    let waiting = TIMERS.with_borrow_mut(|timers| timers.waiting.remove(&(data as usize)));
    if let Some((handler, _)) = waiting {
        handler();
    }
}
/// Runs `handler` on this thread after so many milliseconds; the answer names it.
pub fn create_timer(milliseconds: c_int, handler: Box<dyn FnOnce()>) -> usize {
    TIMERS.with_borrow_mut(|timers| {
        timers.last += 1;
        let id = timers.last;
        // SAFETY: the data is the number by which the handler is found.
        let token = unsafe { (lib().Tcl_CreateTimerHandler)(milliseconds, time_is_up, id as P) };
        timers.waiting.insert(id, (handler, token as usize));
        id
    })
}
/// Forgets a timer of this thread, if it is still to come.
pub fn delete_timer(id: usize) {
    let waiting = TIMERS.with_borrow_mut(|timers| timers.waiting.remove(&id));
    if let Some((handler, token)) = waiting {
        // SAFETY: the token of a timer that has not run.
        unsafe { (lib().Tcl_DeleteTimerHandler)(token as P) };
        drop(handler);
    }
}

type Work = Box<dyn FnOnce() + Send>;
/// The way to a thread's event loop, from any thread.
#[derive(Clone)]
pub struct Loop {
    thread: usize,
    work: Arc<Mutex<VecDeque<Work>>>,
}
#[repr(C)]
struct WorkEvent {
    event: Event,
    work: *const Mutex<VecDeque<Work>>,
}
unsafe extern "C" fn work_arrived(event: *mut Event, _flags: c_int) -> c_int {
    // SAFETY: made by `send`, which gave a count of the queue away.
    let queue = unsafe { Arc::from_raw((*event.cast::<WorkEvent>()).work) };
    let work = queue.lock().unwrap_or_else(|e| e.into_inner()).pop_front();
    if let Some(work) = work {
        work();
    }
    1
}
impl Loop {
    /// The loop of the calling thread.
    pub fn here() -> Loop {
        // SAFETY: the libraries are initialized.
        Loop { thread: unsafe { (lib().Tcl_GetCurrentThread)() } as usize, work: Arc::default() }
    }
    /// Has the loop run `work` in its turn.
    pub fn send(&self, work: Work) {
        self.work.lock().unwrap_or_else(|e| e.into_inner()).push_back(work);
        // SAFETY: a block of the library's memory with the event's header first, which the library frees.
        unsafe {
            let event = (lib().Tcl_Alloc)(size_of::<WorkEvent>() as u32).cast::<WorkEvent>();
            event.write(WorkEvent {
                event: Event { proc: Some(work_arrived), next: std::ptr::null_mut() },
                work: Arc::into_raw(self.work.clone()),
            });
            (lib().Tcl_ThreadQueueEvent)(self.thread as P, event.cast(), TCL_QUEUE_TAIL);
            (lib().Tcl_ThreadAlert)(self.thread as P);
        }
    }
}
