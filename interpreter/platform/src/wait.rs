//! Waiting for descriptors: poll and epoll. `select` is made from poll, so that descriptors above 1023 only fail where
//! CPython refuses them.
use crate::call::{Sys, check};

pub use libc::{POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLPRI};

/// One descriptor: what is waited for, what happened.
#[derive(Clone, Copy, Debug)]
pub struct Poll {
    pub fd: i32,
    pub events: i16,
    pub happened: i16,
}
/// Waits for at most `timeout` milliseconds (for ever if negative); the number of descriptors with events.
pub fn poll(fds: &mut [Poll], timeout: i32) -> Sys<i32> {
    let mut raw: Vec<libc::pollfd> =
        fds.iter().map(|p| libc::pollfd { fd: p.fd, events: p.events, revents: 0 }).collect();
    // SAFETY: the array is writable for its length.
    let n = check(unsafe { libc::poll(raw.as_mut_ptr(), raw.len() as libc::nfds_t, timeout) })?;
    for (p, r) in fds.iter_mut().zip(&raw) {
        p.happened = r.revents;
    }
    Ok(n)
}
/// The three sets of `select`: which of them are ready. `timeout` in nanoseconds.
pub fn select(sets: &[Vec<i32>; 3], timeout: Option<i64>) -> Sys<[Vec<i32>; 3]> {
    let highest = sets.iter().flatten().copied().max().map_or(0, |m| m + 1);
    // SAFETY: zero bytes are empty sets; every descriptor was checked against FD_SETSIZE by the caller and here.
    unsafe {
        let mut raw: [libc::fd_set; 3] = std::mem::zeroed();
        for (set, fds) in raw.iter_mut().zip(sets) {
            for &fd in fds {
                if !(0..libc::FD_SETSIZE as i32).contains(&fd) {
                    return Err(libc::EINVAL);
                }
                libc::FD_SET(fd, set);
            }
        }
        let mut t =
            timeout.map(|ns| libc::timeval { tv_sec: ns / 1_000_000_000, tv_usec: (ns % 1_000_000_000 + 999) / 1000 });
        if let Some(t) = &mut t
            && t.tv_usec >= 1_000_000
        {
            t.tv_sec += 1;
            t.tv_usec -= 1_000_000;
        }
        let t = t.as_mut().map_or(std::ptr::null_mut(), |t| t as *mut libc::timeval);
        let [r, w, x] = &mut raw;
        check(libc::select(highest, r, w, x, t))?;
        let mut out: [Vec<i32>; 3] = Default::default();
        for ((out, set), fds) in out.iter_mut().zip(&raw).zip(sets) {
            out.extend(fds.iter().copied().filter(|&fd| libc::FD_ISSET(fd, set)));
        }
        Ok(out)
    }
}
pub fn epoll_create(flags: i32) -> Sys<i32> {
    // SAFETY: a number only.
    check(unsafe { libc::epoll_create1(flags) })
}
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Control {
    Add,
    Modify,
    Delete,
}
pub fn epoll_control(epoll: i32, what: Control, fd: i32, events: u32) -> Sys<i32> {
    let op = match what {
        Control::Add => libc::EPOLL_CTL_ADD,
        Control::Modify => libc::EPOLL_CTL_MOD,
        Control::Delete => libc::EPOLL_CTL_DEL,
    };
    let mut event = libc::epoll_event { events, u64: fd as u64 };
    // SAFETY: the event lives during the call.
    check(unsafe { libc::epoll_ctl(epoll, op, fd, &mut event) })
}
/// Descriptors and events; at most `most` of them; `timeout` in milliseconds.
pub fn epoll_wait(epoll: i32, most: usize, timeout: i32) -> Sys<Vec<(i32, u32)>> {
    let mut events = vec![libc::epoll_event { events: 0, u64: 0 }; most];
    // SAFETY: room for `most` events.
    let n = check(unsafe { libc::epoll_wait(epoll, events.as_mut_ptr(), most as i32, timeout) })?;
    Ok(events[..n as usize].iter().map(|e| (e.u64 as i32, e.events)).collect())
}
