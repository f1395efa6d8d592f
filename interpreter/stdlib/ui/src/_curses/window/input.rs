//! What is read: keys, lines, the screen's content, windows in files.
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use krait_libraries::curses::{ERR, Key, Window, keyname};
use krait_object::{Args, Bytes, PyResult, Str, Thread, Value};
use krait_platform::{errno, wait};
use krait_runtime::errors::{io_error, os_error, type_error};
use krait_runtime::protocol::buffer::bytes_like;
use krait_runtime::protocol::{attr, number};
use krait_runtime::signals;
use krait_runtime::world::blocking;

use super::super::{HALF_DELAY, error, need_screen};
use super::{at_place, window, wrap};

/// Reads until there is a key or the window's time is up. Other threads run, and use the library, meanwhile.
fn key<T>(th: &mut Thread, w: &Arc<Window>, read: impl Fn(&Window) -> Option<T>) -> PyResult<Option<T>> {
    let delay = match (w.delay(), HALF_DELAY.load(Relaxed)) {
        (delay, half) if delay < 0 && half > 0 => half,
        (delay, _) => delay,
    };
    let end = u64::try_from(delay).ok().map(|ms| Instant::now() + Duration::from_millis(ms));
    loop {
        if let Some(key) = read(w) {
            return Ok(Some(key));
        }
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(None);
        }
        let ms = left.map_or(-1, |left| i32::try_from(left.as_millis() + 1).unwrap_or(i32::MAX));
        let mut stdin = [wait::Poll { fd: 0, events: wait::POLLIN, happened: 0 }];
        match blocking(th, || wait::poll(&mut stdin, ms)) {
            // The end of input is no key, however often it is read.
            Ok(_) if stdin[0].happened & wait::POLLIN == 0 && stdin[0].happened != 0 => return Ok(None),
            Ok(_) => {
                if let Some(key) = read(w) {
                    return Ok(Some(key));
                }
                if end.is_none() && stdin[0].happened != 0 {
                    return Ok(None);
                }
            }
            Err(errno::EINTR) => signals::run_pending(th)?,
            Err(e) => return Err(os_error(th, e, None)),
        }
    }
}
fn narrow_key(w: &Window) -> Option<i32> {
    Some(w.key()).filter(|&k| k != ERR)
}
pub fn getch(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    at_place(th, a, "getch", 0, 0)?;
    let key = key(th, window(a), narrow_key)?;
    Ok(key.unwrap_or(ERR).into())
}
pub fn getkey(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    at_place(th, a, "getkey", 0, 0)?;
    match key(th, window(a), narrow_key)? {
        None => Err(error(th, "no input")),
        Some(key @ 0..=255) => Ok(Str::from_point(key as u32).into()),
        Some(key) => Ok(Value::str(&keyname(key).unwrap_or_default().to_string_lossy())),
    }
}
pub fn get_wch(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    at_place(th, a, "get_wch", 0, 0)?;
    let read = |w: &Window| match w.wide_key() {
        Key::None => None,
        key => Some(key),
    };
    match key(th, window(a), read)? {
        Some(Key::Function(key)) => Ok(key.into()),
        Some(Key::Character(c)) => Ok(Str::from_point(c).into()),
        Some(Key::None) | None => Err(error(th, "no input")),
    }
}
/// The longest line that is read or shown.
const LONGEST: usize = 2047;
fn count(th: &mut Thread, v: Option<&Value>) -> PyResult<usize> {
    let Some(v) = v else { return Ok(LONGEST) };
    match usize::try_from(number::to_i32(th, v)?) {
        Ok(n) => Ok(n.min(LONGEST)),
        Err(_) => Err(krait_runtime::errors::value_error(th, "'n' must be nonnegative")),
    }
}
pub fn getstr(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let rest = at_place(th, a, "getstr", 0, 1)?;
    let n = count(th, rest.first())?;
    let w = window(a);
    let line = blocking(th, || w.read_line(n));
    Ok(Bytes::new(&line).into())
}
pub fn instr(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let rest = at_place(th, a, "instr", 0, 1)?;
    let n = count(th, rest.first())?;
    Ok(Bytes::new(&window(a).line(n)).into())
}

/// A file without a name.
fn temporary(th: &mut Thread) -> PyResult<File> {
    let name = format!("krait-window-{}-{:?}", std::process::id(), std::thread::current().id());
    let path = std::env::temp_dir().join(name);
    let made = File::options().read(true).write(true).create_new(true).open(&path);
    match made.and_then(|file| std::fs::remove_file(&path).map(|()| file)) {
        Ok(file) => Ok(file),
        Err(e) => Err(io_error(th, &e, None)),
    }
}
pub fn write(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let mut file = temporary(th)?;
    if window(a).save(&file).is_err() {
        return Err(error(th, "putwin() returned ERR"));
    }
    let mut bytes = Vec::new();
    if let Err(e) = file.rewind().and_then(|()| file.read_to_end(&mut bytes)) {
        return Err(io_error(th, &e, None));
    }
    attr::call_method(th, &a[1], "write", &[Bytes::new(&bytes).into()])
}
pub fn read(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    need_screen(th)?;
    let data = attr::call_method(th, &a[0], "read", &[])?;
    if data.downcast_ref::<Bytes>().is_none() {
        let given = data.class().name();
        return Err(type_error(th, format!("f.read() returned {given} instead of bytes")));
    }
    let bytes = bytes_like(th, &data)?;
    let mut file = temporary(th)?;
    if let Err(e) = file.write_all(&bytes).and_then(|()| file.rewind()) {
        return Err(io_error(th, &e, None));
    }
    wrap(th, Window::read(&file))
}
