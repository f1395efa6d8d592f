//! Sockets. Addresses are the bytes of C's structures, family first; what is in them is the caller's business.
use std::ffi::{CStr, c_char};

use crate::call::{Sys, calls, check};

calls! {
    fn socket(family: i32, kind: i32, protocol: i32) -> i32 = libc::socket;
    fn listen(fd: i32, backlog: i32) -> i32 = libc::listen;
    fn shutdown(fd: i32, how: i32) -> i32 = libc::shutdown;
}

/// Room for any address, suitably aligned.
fn storage() -> libc::sockaddr_storage {
    // SAFETY: a structure of integers.
    unsafe { std::mem::zeroed() }
}
fn fill(address: &[u8]) -> (libc::sockaddr_storage, libc::socklen_t) {
    let mut s = storage();
    let n = address.len().min(size_of_val(&s));
    // SAFETY: both ranges are at least `n` bytes long and do not overlap.
    unsafe { std::ptr::copy_nonoverlapping(address.as_ptr(), (&raw mut s).cast::<u8>(), n) };
    (s, n as libc::socklen_t)
}
fn bytes_of(s: &libc::sockaddr_storage, n: libc::socklen_t) -> Vec<u8> {
    let n = (n as usize).min(size_of_val(s));
    // SAFETY: the structure is initialised and at least `n` bytes long.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(s).cast::<u8>(), n) }.to_vec()
}
pub fn socketpair(family: i32, kind: i32, protocol: i32) -> Sys<(i32, i32)> {
    let mut fds = [0i32; 2];
    // SAFETY: room for two descriptors.
    check(unsafe { libc::socketpair(family, kind, protocol, fds.as_mut_ptr()) })?;
    Ok((fds[0], fds[1]))
}
pub fn bind(fd: i32, address: &[u8]) -> Sys<i32> {
    let (s, n) = fill(address);
    // SAFETY: the address lives during the call.
    check(unsafe { libc::bind(fd, (&raw const s).cast(), n) })
}
pub fn connect(fd: i32, address: &[u8]) -> Sys<i32> {
    let (s, n) = fill(address);
    // SAFETY: the address lives during the call.
    check(unsafe { libc::connect(fd, (&raw const s).cast(), n) })
}
/// The new descriptor, which is not inherited, and the peer.
pub fn accept(fd: i32) -> Sys<(i32, Vec<u8>)> {
    let (mut s, mut n) = (storage(), size_of::<libc::sockaddr_storage>() as libc::socklen_t);
    // SAFETY: room for the address.
    let new = check(unsafe { libc::accept4(fd, (&raw mut s).cast(), &mut n, libc::SOCK_CLOEXEC) })?;
    Ok((new, bytes_of(&s, n)))
}
pub fn own_address(fd: i32) -> Sys<Vec<u8>> {
    let (mut s, mut n) = (storage(), size_of::<libc::sockaddr_storage>() as libc::socklen_t);
    // SAFETY: room for the address.
    check(unsafe { libc::getsockname(fd, (&raw mut s).cast(), &mut n) })?;
    Ok(bytes_of(&s, n))
}
pub fn peer_address(fd: i32) -> Sys<Vec<u8>> {
    let (mut s, mut n) = (storage(), size_of::<libc::sockaddr_storage>() as libc::socklen_t);
    // SAFETY: room for the address.
    check(unsafe { libc::getpeername(fd, (&raw mut s).cast(), &mut n) })?;
    Ok(bytes_of(&s, n))
}
pub fn get_option(fd: i32, level: i32, option: i32, value: &mut [u8]) -> Sys<usize> {
    let mut n = value.len() as libc::socklen_t;
    // SAFETY: the value is writable for its length.
    check(unsafe { libc::getsockopt(fd, level, option, value.as_mut_ptr().cast(), &mut n) })?;
    Ok(n as usize)
}
pub fn get_option_int(fd: i32, level: i32, option: i32) -> Sys<i32> {
    let mut value = [0u8; 4];
    get_option(fd, level, option, &mut value)?;
    Ok(i32::from_ne_bytes(value))
}
pub fn set_option(fd: i32, level: i32, option: i32, value: &[u8]) -> Sys<i32> {
    // SAFETY: the value is readable for its length.
    check(unsafe { libc::setsockopt(fd, level, option, value.as_ptr().cast(), value.len() as libc::socklen_t) })
}
/// Without a value, of a length.
pub fn set_option_null(fd: i32, level: i32, option: i32, length: u32) -> Sys<i32> {
    // SAFETY: the kernel checks the null pointer.
    check(unsafe { libc::setsockopt(fd, level, option, std::ptr::null(), length) })
}
pub fn recv(fd: i32, buffer: &mut [u8], flags: i32) -> Sys<usize> {
    // SAFETY: the buffer is writable for its length.
    check(unsafe { libc::recv(fd, buffer.as_mut_ptr().cast(), buffer.len(), flags) }).map(|n| n as usize)
}
pub fn recv_from(fd: i32, buffer: &mut [u8], flags: i32) -> Sys<(usize, Vec<u8>)> {
    let (mut s, mut n) = (storage(), size_of::<libc::sockaddr_storage>() as libc::socklen_t);
    // SAFETY: the buffer is writable for its length; room for the address.
    let got = check(unsafe {
        libc::recvfrom(fd, buffer.as_mut_ptr().cast(), buffer.len(), flags, (&raw mut s).cast(), &mut n)
    })?;
    Ok((got as usize, bytes_of(&s, n)))
}
pub fn send(fd: i32, data: &[u8], flags: i32) -> Sys<usize> {
    // SAFETY: the data is readable for its length.
    check(unsafe { libc::send(fd, data.as_ptr().cast(), data.len(), flags) }).map(|n| n as usize)
}
pub fn send_to(fd: i32, data: &[u8], flags: i32, address: &[u8]) -> Sys<usize> {
    let (s, n) = fill(address);
    // SAFETY: the data is readable for its length; the address lives during the call.
    check(unsafe { libc::sendto(fd, data.as_ptr().cast(), data.len(), flags, (&raw const s).cast(), n) })
        .map(|n| n as usize)
}
/// What `recvmsg` got: bytes in the buffers, control data, flags, sender.
pub struct Message {
    pub received: usize,
    pub control: Vec<u8>,
    pub flags: i32,
    pub address: Vec<u8>,
}
pub fn recv_message(fd: i32, buffers: &mut [Vec<u8>], control_size: usize, flags: i32) -> Sys<Message> {
    let mut s = storage();
    let mut vectors: Vec<libc::iovec> =
        buffers.iter_mut().map(|b| libc::iovec { iov_base: b.as_mut_ptr().cast(), iov_len: b.len() }).collect();
    // Words, so that the control data is aligned as its headers need.
    let mut control = vec![0u64; control_size.div_ceil(8)];
    // SAFETY: integers and null pointers; every pointer set below is good for the length beside it.
    unsafe {
        let mut m: libc::msghdr = std::mem::zeroed();
        m.msg_name = (&raw mut s).cast();
        m.msg_namelen = size_of_val(&s) as libc::socklen_t;
        m.msg_iov = vectors.as_mut_ptr();
        m.msg_iovlen = vectors.len();
        m.msg_control = if control_size == 0 { std::ptr::null_mut() } else { control.as_mut_ptr().cast() };
        m.msg_controllen = control_size;
        let received = check(libc::recvmsg(fd, &mut m, flags))? as usize;
        let bytes = control.iter().flat_map(|w| w.to_ne_bytes()).take(m.msg_controllen).collect();
        Ok(Message { received, control: bytes, flags: m.msg_flags, address: bytes_of(&s, m.msg_namelen) })
    }
}
pub fn send_message(fd: i32, buffers: &[Vec<u8>], control: &[u8], flags: i32, address: Option<&[u8]>) -> Sys<usize> {
    let address = address.map(fill);
    let mut vectors: Vec<libc::iovec> =
        buffers.iter().map(|b| libc::iovec { iov_base: b.as_ptr().cast_mut().cast(), iov_len: b.len() }).collect();
    let mut aligned = vec![0u64; control.len().div_ceil(8)];
    // SAFETY: as in `recv_message`; the kernel only reads.
    unsafe {
        std::ptr::copy_nonoverlapping(control.as_ptr(), aligned.as_mut_ptr().cast::<u8>(), control.len());
        let mut m: libc::msghdr = std::mem::zeroed();
        if let Some((s, n)) = &address {
            m.msg_name = std::ptr::from_ref(s).cast_mut().cast();
            m.msg_namelen = *n;
        }
        m.msg_iov = vectors.as_mut_ptr();
        m.msg_iovlen = vectors.len();
        if !control.is_empty() {
            m.msg_control = aligned.as_mut_ptr().cast();
            m.msg_controllen = control.len();
        }
        check(libc::sendmsg(fd, &m, flags)).map(|n| n as usize)
    }
}

/// An entry of `getaddrinfo`.
pub struct Found {
    pub family: i32,
    pub kind: i32,
    pub protocol: i32,
    pub canonical: Vec<u8>,
    pub address: Vec<u8>,
}
/// # Safety
/// Null or NUL-terminated.
unsafe fn text(p: *const c_char) -> Vec<u8> {
    // SAFETY: the caller's promise.
    if p.is_null() { Vec::new() } else { unsafe { CStr::from_ptr(p) }.to_bytes().to_vec() }
}
/// `Err`: an `EAI_` code, and errno where that is EAI_SYSTEM. `hints`: family, kind, protocol, flags.
pub fn getaddrinfo(host: Option<&CStr>, service: Option<&CStr>, hints: [i32; 4]) -> Result<Vec<Found>, (i32, i32)> {
    let pointer = |s: Option<&CStr>| s.map_or(std::ptr::null(), CStr::as_ptr);
    // SAFETY: integers and null pointers; the list is walked before it is freed, once.
    unsafe {
        let mut wanted: libc::addrinfo = std::mem::zeroed();
        [wanted.ai_family, wanted.ai_socktype, wanted.ai_protocol, wanted.ai_flags] = hints;
        let mut list = std::ptr::null_mut();
        let code = libc::getaddrinfo(pointer(host), pointer(service), &wanted, &mut list);
        if code != 0 {
            return Err((code, crate::errno::last()));
        }
        let mut out = Vec::new();
        let mut at = list;
        while let Some(a) = at.as_ref() {
            let address = std::slice::from_raw_parts(a.ai_addr.cast::<u8>(), a.ai_addrlen as usize).to_vec();
            let (family, kind, protocol) = (a.ai_family, a.ai_socktype, a.ai_protocol);
            out.push(Found { family, kind, protocol, canonical: text(a.ai_canonname), address });
            at = a.ai_next;
        }
        libc::freeaddrinfo(list);
        Ok(out)
    }
}
/// Host and service; `Err` as in `getaddrinfo`.
pub fn getnameinfo(address: &[u8], flags: i32) -> Result<(Vec<u8>, Vec<u8>), (i32, i32)> {
    let (s, n) = fill(address);
    let (mut host, mut service) = ([0 as c_char; 1025], [0 as c_char; 32]);
    // SAFETY: both buffers are writable for their lengths; the results are NUL-terminated.
    unsafe {
        let code = libc::getnameinfo(
            (&raw const s).cast(),
            n,
            host.as_mut_ptr(),
            host.len() as libc::socklen_t,
            service.as_mut_ptr(),
            service.len() as libc::socklen_t,
            flags,
        );
        if code != 0 { Err((code, crate::errno::last())) } else { Ok((text(host.as_ptr()), text(service.as_ptr()))) }
    }
}
/// The text of an `EAI_` code.
pub fn gai_error(code: i32) -> String {
    // SAFETY: the C library's constant texts.
    String::from_utf8_lossy(&unsafe { text(libc::gai_strerror(code)) }).into_owned()
}
/// The text of an `h_errno` code.
pub fn host_error(code: i32) -> String {
    unsafe extern "C" {
        fn hstrerror(code: i32) -> *const c_char;
    }
    // SAFETY: the C library's constant texts.
    String::from_utf8_lossy(&unsafe { text(hstrerror(code)) }).into_owned()
}
/// Name, aliases, addresses of a host.
pub struct Host {
    pub name: Vec<u8>,
    pub aliases: Vec<Vec<u8>>,
    pub family: i32,
    pub addresses: Vec<Vec<u8>>,
}
unsafe extern "C" {
    fn gethostbyname_r(
        name: *const c_char,
        entry: *mut libc::hostent,
        buffer: *mut c_char,
        size: usize,
        result: *mut *mut libc::hostent,
        error: *mut i32,
    ) -> i32;
    fn gethostbyaddr_r(
        address: *const u8,
        length: libc::socklen_t,
        family: i32,
        entry: *mut libc::hostent,
        buffer: *mut c_char,
        size: usize,
        result: *mut *mut libc::hostent,
        error: *mut i32,
    ) -> i32;
}
/// Which host is wanted.
pub enum HostKey<'a> {
    Name(&'a CStr),
    /// Family and the address alone.
    Address(i32, &'a [u8]),
}
/// `Err`: an `h_errno` code.
pub fn find_host(key: &HostKey<'_>) -> Result<Host, i32> {
    let mut buffer = vec![0u64; 2048];
    let mut error = 0;
    // SAFETY: zero bytes are valid; the buffer is writable for its length; the entry is copied while it lives; its lists
    // end with null pointers.
    unsafe {
        let mut entry: libc::hostent = std::mem::zeroed();
        let mut result = std::ptr::null_mut();
        let (room, size) = (buffer.as_mut_ptr().cast(), buffer.len() * 8);
        match key {
            HostKey::Name(n) => gethostbyname_r(n.as_ptr(), &mut entry, room, size, &mut result, &mut error),
            HostKey::Address(family, a) => {
                let n = a.len() as libc::socklen_t;
                gethostbyaddr_r(a.as_ptr(), n, *family, &mut entry, room, size, &mut result, &mut error)
            }
        };
        let Some(h) = result.as_ref() else { return Err(error) };
        let list = |mut at: *mut *mut c_char| {
            let mut out = Vec::new();
            while !at.is_null() && !(*at).is_null() {
                out.push(*at);
                at = at.add(1);
            }
            out
        };
        let aliases = list(h.h_aliases).into_iter().map(|p| text(p)).collect();
        let n = h.h_length as usize;
        let addresses =
            list(h.h_addr_list).into_iter().map(|p| std::slice::from_raw_parts(p.cast::<u8>(), n).to_vec()).collect();
        Ok(Host { name: text(h.h_name), aliases, family: h.h_addrtype, addresses })
    }
}
/// Port of a service.
pub fn service_port(name: &CStr, protocol: Option<&CStr>) -> Option<u16> {
    let protocol = protocol.map_or(std::ptr::null(), CStr::as_ptr);
    // SAFETY: NUL-terminated or null; only one thread runs Python code, and the entry is read at once.
    unsafe { libc::getservbyname(name.as_ptr(), protocol).as_ref() }.map(|s| u16::from_be(s.s_port as u16))
}
pub fn service_name(port: u16, protocol: Option<&CStr>) -> Option<Vec<u8>> {
    let protocol = protocol.map_or(std::ptr::null(), CStr::as_ptr);
    // SAFETY: as above.
    unsafe { libc::getservbyport(i32::from(port.to_be()), protocol).as_ref().map(|s| text(s.s_name)) }
}
pub fn protocol_number(name: &CStr) -> Option<i32> {
    // SAFETY: as above.
    unsafe { libc::getprotobyname(name.as_ptr()).as_ref() }.map(|p| p.p_proto)
}
/// Number and name of each network interface.
pub fn interfaces() -> Sys<Vec<(u32, Vec<u8>)>> {
    // SAFETY: the list ends with an entry of number 0; it is copied before it is freed, once.
    unsafe {
        let list = libc::if_nameindex();
        if list.is_null() {
            return Err(crate::errno::last());
        }
        let (mut out, mut at) = (Vec::new(), list);
        while (*at).if_index != 0 {
            out.push(((*at).if_index, text((*at).if_name)));
            at = at.add(1);
        }
        libc::if_freenameindex(list);
        Ok(out)
    }
}
pub fn interface_number(name: &CStr) -> Option<u32> {
    // SAFETY: NUL-terminated.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => None,
        n => Some(n),
    }
}
pub fn interface_name(number: u32) -> Sys<Vec<u8>> {
    let mut name = [0 as c_char; 64];
    // SAFETY: longer than any interface's name.
    unsafe {
        if libc::if_indextoname(number, name.as_mut_ptr()).is_null() {
            Err(crate::errno::last())
        } else {
            Ok(text(name.as_ptr()))
        }
    }
}
