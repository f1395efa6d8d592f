//! Clocks, sleeping, and the C library's calendar.
use std::ffi::{CStr, CString};
use std::time::Duration;

use crate::call::{Sys, check};

pub use libc::{
    CLOCK_BOOTTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_PROCESS_CPUTIME_ID, CLOCK_REALTIME, CLOCK_TAI,
    CLOCK_THREAD_CPUTIME_ID,
};

const NANOS: i64 = 1_000_000_000;

fn timespec(ns: i64) -> libc::timespec {
    libc::timespec { tv_sec: ns.div_euclid(NANOS), tv_nsec: ns.rem_euclid(NANOS) }
}
/// The realtime clock's value after a while, saturating.
pub(crate) fn realtime_after(wait: Duration) -> libc::timespec {
    let now = clock_gettime(CLOCK_REALTIME).unwrap_or(0);
    timespec(now.saturating_add(i64::try_from(wait.as_nanos()).unwrap_or(i64::MAX)))
}
/// Nanoseconds that a clock shows.
pub fn clock_gettime(clock: i32) -> Sys<i64> {
    let mut t = timespec(0);
    // SAFETY: room for the result.
    check(unsafe { libc::clock_gettime(clock, &mut t) })?;
    Ok(t.tv_sec.saturating_mul(NANOS).saturating_add(t.tv_nsec))
}
/// A clock's resolution in nanoseconds.
pub fn clock_getres(clock: i32) -> Sys<i64> {
    let mut t = timespec(0);
    // SAFETY: room for the result.
    check(unsafe { libc::clock_getres(clock, &mut t) })?;
    Ok(t.tv_sec.saturating_mul(NANOS).saturating_add(t.tv_nsec))
}
pub fn clock_settime(clock: i32, ns: i64) -> Sys<i32> {
    // SAFETY: the time lives during the call.
    check(unsafe { libc::clock_settime(clock, &timespec(ns)) })
}
/// The clock of a thread's processor time.
pub fn thread_clock(thread: u64) -> Sys<i32> {
    let mut clock = 0;
    // SAFETY: room for the result; the thread number is the caller's, as in CPython.
    match unsafe { libc::pthread_getcpuclockid(thread as libc::pthread_t, &mut clock) } {
        0 => Ok(clock),
        e => Err(e),
    }
}
/// Sleeps until the monotonic clock shows `deadline`; `Err(EINTR)` after a signal.
pub fn sleep_until(deadline: i64) -> Sys<()> {
    let t = timespec(deadline);
    // SAFETY: the deadline lives during the call.
    match unsafe { libc::clock_nanosleep(CLOCK_MONOTONIC, libc::TIMER_ABSTIME, &t, std::ptr::null_mut()) } {
        0 => Ok(()),
        e => Err(e),
    }
}

/// The C library's broken-down time. Fields as in C (`mon` 0-11, `year` since 1900).
#[derive(Clone, Debug, Default)]
pub struct Calendar {
    pub sec: i32,
    pub min: i32,
    pub hour: i32,
    pub mday: i32,
    pub mon: i32,
    pub year: i32,
    pub wday: i32,
    pub yday: i32,
    pub isdst: i32,
    pub gmtoff: i64,
    pub zone: Vec<u8>,
}
fn zeroed_tm() -> libc::tm {
    // SAFETY: integers and a pointer, for which zero bytes are valid.
    unsafe { std::mem::zeroed() }
}
impl Calendar {
    fn from_tm(t: &libc::tm) -> Calendar {
        let zone = if t.tm_zone.is_null() {
            Vec::new()
        } else {
            // SAFETY: the C library's zone names are NUL-terminated and live until the next `tzset` at least.
            unsafe { CStr::from_ptr(t.tm_zone) }.to_bytes().to_vec()
        };
        Calendar {
            sec: t.tm_sec,
            min: t.tm_min,
            hour: t.tm_hour,
            mday: t.tm_mday,
            mon: t.tm_mon,
            year: t.tm_year,
            wday: t.tm_wday,
            yday: t.tm_yday,
            isdst: t.tm_isdst,
            gmtoff: t.tm_gmtoff,
            zone,
        }
    }
    fn to_tm(&self, zone: Option<&CStr>) -> libc::tm {
        let mut t = zeroed_tm();
        t.tm_sec = self.sec;
        t.tm_min = self.min;
        t.tm_hour = self.hour;
        t.tm_mday = self.mday;
        t.tm_mon = self.mon;
        t.tm_year = self.year;
        t.tm_wday = self.wday;
        t.tm_yday = self.yday;
        t.tm_isdst = self.isdst;
        t.tm_gmtoff = self.gmtoff;
        t.tm_zone = zone.map_or(std::ptr::null(), CStr::as_ptr);
        t
    }
}
pub fn gmtime(seconds: i64) -> Sys<Calendar> {
    let mut t = zeroed_tm();
    // SAFETY: both structures live during the call.
    if unsafe { libc::gmtime_r(&seconds, &mut t) }.is_null() {
        return Err(crate::errno::last());
    }
    Ok(Calendar::from_tm(&t))
}
pub fn localtime(seconds: i64) -> Sys<Calendar> {
    let mut t = zeroed_tm();
    // SAFETY: both structures live during the call.
    if unsafe { libc::localtime_r(&seconds, &mut t) }.is_null() {
        return Err(crate::errno::last());
    }
    Ok(Calendar::from_tm(&t))
}
/// Seconds of a local time; `None` where it has none.
pub fn mktime(c: &Calendar) -> Option<i64> {
    let mut t = c.to_tm(None);
    // The call sets the weekday where it succeeds: that tells the result -1 from an error.
    t.tm_wday = -1;
    // SAFETY: the structure lives during the call.
    let seconds = unsafe { libc::mktime(&mut t) };
    if seconds == -1 && t.tm_wday == -1 { None } else { Some(seconds) }
}
pub fn tzset() {
    unsafe extern "C" {
        fn tzset();
    }
    // SAFETY: no arguments; only one thread runs Python code.
    unsafe { tzset() }
}
/// `strftime`; the result is in the locale's encoding.
pub fn strftime(format: &CStr, c: &Calendar) -> Vec<u8> {
    let zone = CString::new(c.zone.clone()).unwrap_or_default();
    let t = c.to_tm(if c.zone.is_empty() { None } else { Some(&zone) });
    let mut size = 1024;
    loop {
        let mut out = vec![0u8; size];
        // SAFETY: the buffer is writable for the length given, the format NUL-terminated, the zone alive.
        let n = unsafe { libc::strftime(out.as_mut_ptr().cast(), size, format.as_ptr(), &t) };
        // Zero is also the length of an empty result: a format gives at most a few hundred bytes per character.
        if n > 0 || size >= 256 * format.to_bytes().len().max(4) {
            out.truncate(n);
            return out;
        }
        size *= 2;
    }
}
