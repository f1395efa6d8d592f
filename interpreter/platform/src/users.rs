//! The databases of users and groups.
use std::ffi::{CStr, c_char};

/// name, password, uid, gid, gecos, home, shell.
pub struct User {
    pub name: Vec<u8>,
    pub password: Vec<u8>,
    pub uid: u32,
    pub gid: u32,
    pub gecos: Vec<u8>,
    pub home: Vec<u8>,
    pub shell: Vec<u8>,
}
pub struct Group {
    pub name: Vec<u8>,
    pub password: Vec<u8>,
    pub gid: u32,
    pub members: Vec<Vec<u8>>,
}
/// # Safety
/// Null or NUL-terminated.
unsafe fn text(p: *const c_char) -> Vec<u8> {
    // SAFETY: the caller's promise.
    if p.is_null() { Vec::new() } else { unsafe { CStr::from_ptr(p) }.to_bytes().to_vec() }
}
/// # Safety
/// An entry that the C library filled.
unsafe fn user(p: &libc::passwd) -> User {
    // SAFETY: the entry's strings are NUL-terminated.
    unsafe {
        User {
            name: text(p.pw_name),
            password: text(p.pw_passwd),
            uid: p.pw_uid,
            gid: p.pw_gid,
            gecos: text(p.pw_gecos),
            home: text(p.pw_dir),
            shell: text(p.pw_shell),
        }
    }
}
/// # Safety
/// An entry that the C library filled.
unsafe fn group(g: &libc::group) -> Group {
    // SAFETY: the entry's strings are NUL-terminated, the list of members ends with a null pointer.
    unsafe {
        let mut members = Vec::new();
        let mut at = g.gr_mem;
        while !at.is_null() && !(*at).is_null() {
            members.push(text(*at));
            at = at.add(1);
        }
        Group { name: text(g.gr_name), password: text(g.gr_passwd), gid: g.gr_gid, members }
    }
}
/// Which entry is wanted.
pub enum Key<'a> {
    Name(&'a CStr),
    Id(u32),
}
const LARGEST: usize = 1 << 20;

pub fn find_user(key: &Key<'_>) -> Option<User> {
    let mut size = 1024;
    loop {
        let mut buffer = vec![0 as c_char; size];
        // SAFETY: zero bytes are valid; the buffer is writable for its length; the entry is read while the buffer lives.
        unsafe {
            let mut entry: libc::passwd = std::mem::zeroed();
            let mut found = std::ptr::null_mut();
            let status = match key {
                Key::Name(n) => libc::getpwnam_r(n.as_ptr(), &mut entry, buffer.as_mut_ptr(), size, &mut found),
                Key::Id(id) => libc::getpwuid_r(*id, &mut entry, buffer.as_mut_ptr(), size, &mut found),
            };
            if status == libc::ERANGE && size < LARGEST {
                size *= 2;
                continue;
            }
            return found.as_ref().map(|p| user(p));
        }
    }
}
pub fn find_group(key: &Key<'_>) -> Option<Group> {
    let mut size = 1024;
    loop {
        let mut buffer = vec![0 as c_char; size];
        // SAFETY: as in `find_user`.
        unsafe {
            let mut entry: libc::group = std::mem::zeroed();
            let mut found = std::ptr::null_mut();
            let status = match key {
                Key::Name(n) => libc::getgrnam_r(n.as_ptr(), &mut entry, buffer.as_mut_ptr(), size, &mut found),
                Key::Id(id) => libc::getgrgid_r(*id, &mut entry, buffer.as_mut_ptr(), size, &mut found),
            };
            if status == libc::ERANGE && size < LARGEST {
                size *= 2;
                continue;
            }
            return found.as_ref().map(|g| group(g));
        }
    }
}
pub fn all_users() -> Vec<User> {
    let mut out = Vec::new();
    // SAFETY: only one thread runs Python code, so the database's cursor is ours; entries are copied at once.
    unsafe {
        libc::setpwent();
        while let Some(p) = libc::getpwent().as_ref() {
            out.push(user(p));
        }
        libc::endpwent();
    }
    out
}
pub fn all_groups() -> Vec<Group> {
    let mut out = Vec::new();
    // SAFETY: as in `all_users`.
    unsafe {
        libc::setgrent();
        while let Some(g) = libc::getgrent().as_ref() {
            out.push(group(g));
        }
        libc::endgrent();
    }
    out
}
