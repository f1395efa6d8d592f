//! `SSL`: one connection over a socket or a pair of memory buffers; sessions and ciphers.
use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_int, c_long, c_uchar, c_uint, c_void};
use std::mem::ManuallyDrop;

use super::api::{P, lib, text};
use super::{Certificate, Context, Error, MemoryBio};

const CTRL_MODE: c_int = 33;
const CTRL_SET_TLSEXT_HOSTNAME: c_int = 55;
const MODE_AUTO_RETRY: c_long = 4;
const MODE_ACCEPT_MOVING_WRITE_BUFFER: c_long = 2;
const BIO_C_SET_NBIO: c_int = 102;

/// What a connection runs over.
pub enum Stream<'a> {
    Socket(i32),
    Memory(&'a MemoryBio, &'a MemoryBio),
}
/// What a call did.
#[derive(Clone, Copy, Debug)]
pub struct Outcome<T> {
    pub value: T,
    /// `SSL_get_error`'s number; 0 is success.
    pub code: i32,
    /// The newest error of the queue.
    pub error: Option<Error>,
    pub errno: i32,
}

/// A connection whose call this thread is inside: its number, and the contexts that a callback gave it.
struct Running {
    token: usize,
    ssl: P,
    given: Vec<Context>,
}
thread_local! {
    static RUNNING: RefCell<Vec<Running>> = const { RefCell::new(Vec::new()) };
}

pub struct Connection {
    ssl: P,
    token: usize,
    /// The contexts that callbacks may come from, the present one last.
    contexts: Vec<Context>,
    server: bool,
}
// SAFETY: the owner moves it between threads, and a lock keeps two of them from using it at a time.
unsafe impl Send for Connection {}
impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: gives up the object's own reference.
        unsafe { (lib().SSL_free)(self.ssl) };
    }
}

/// A cipher's properties.
#[derive(Debug)]
pub struct CipherInfo {
    pub id: u32,
    pub name: String,
    pub protocol: String,
    pub description: String,
    pub strength_bits: i32,
    pub alg_bits: i32,
    pub aead: bool,
    pub symmetric: Option<String>,
    pub digest: Option<String>,
    pub kea: Option<String>,
    pub auth: Option<String>,
}
/// # Safety
/// An `SSL_CIPHER`.
unsafe fn cipher(c: P) -> CipherInfo {
    let a = lib();
    // SAFETY: the caller's promise; strings are static but the description, which is copied from the buffer.
    unsafe {
        let mut alg_bits = 0;
        let strength_bits = (a.SSL_CIPHER_get_bits)(c, &mut alg_bits);
        let mut buffer = [0 as c_char; 512];
        let description = text((a.SSL_CIPHER_description)(c, buffer.as_mut_ptr(), buffer.len() as c_int - 1));
        let name = |nid: c_int| (nid != 0).then(|| text((a.OBJ_nid2ln)(nid)));
        CipherInfo {
            id: (a.SSL_CIPHER_get_id)(c),
            name: text((a.SSL_CIPHER_get_name)(c)),
            protocol: text((a.SSL_CIPHER_get_version)(c)),
            description: description.trim_end_matches('\n').to_owned(),
            strength_bits,
            alg_bits,
            aead: (a.SSL_CIPHER_is_aead)(c) != 0,
            symmetric: name((a.SSL_CIPHER_get_cipher_nid)(c)),
            digest: name((a.SSL_CIPHER_get_digest_nid)(c)),
            kea: name((a.SSL_CIPHER_get_kx_nid)(c)),
            auth: name((a.SSL_CIPHER_get_auth_nid)(c)),
        }
    }
}

/// A session that another connection may go on with.
pub struct Session(P);
// SAFETY: sessions are counted atomically and read only here.
unsafe impl Send for Session {}
// SAFETY: as above.
unsafe impl Sync for Session {}
impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: gives up the object's own reference.
        unsafe { (lib().SSL_SESSION_free)(self.0) };
    }
}
impl Session {
    pub fn id(&self) -> Vec<u8> {
        let mut len: c_uint = 0;
        // SAFETY: a live session, whose id has that length.
        unsafe {
            let id = (lib().SSL_SESSION_get_id)(self.0, &mut len);
            if id.is_null() { Vec::new() } else { std::slice::from_raw_parts(id, len as usize).to_vec() }
        }
    }
    pub fn time(&self) -> i64 {
        // SAFETY: a live session.
        unsafe { (lib().SSL_SESSION_get_time)(self.0) }
    }
    pub fn timeout(&self) -> i64 {
        // SAFETY: a live session.
        unsafe { (lib().SSL_SESSION_get_timeout)(self.0) }
    }
    pub fn has_ticket(&self) -> bool {
        // SAFETY: a live session.
        unsafe { (lib().SSL_SESSION_has_ticket)(self.0) != 0 }
    }
    pub fn ticket_lifetime_hint(&self) -> u64 {
        // SAFETY: a live session.
        unsafe { (lib().SSL_SESSION_get_ticket_lifetime_hint)(self.0) }
    }
}

impl Connection {
    /// `token` is what callbacks of the context get to know the connection by.
    pub fn new(context: &Context, stream: Stream<'_>, server: bool, token: usize) -> Result<Connection, Option<Error>> {
        let a = lib();
        Error::clear();
        // SAFETY: a live context; buffers are given away with references of their own.
        unsafe {
            let ssl = (a.SSL_new)(context.raw());
            if ssl.is_null() {
                return Err(Error::last());
            }
            let c = Connection { ssl, token, contexts: vec![context.clone()], server };
            (a.SSL_set_ex_data)(ssl, 0, token as P);
            match stream {
                Stream::Socket(fd) => {
                    (a.SSL_set_fd)(ssl, fd);
                }
                Stream::Memory(incoming, outgoing) => (a.SSL_set_bio)(ssl, incoming.shared(), outgoing.shared()),
            }
            let mode = MODE_ACCEPT_MOVING_WRITE_BUFFER | MODE_AUTO_RETRY;
            (a.SSL_ctrl)(ssl, CTRL_MODE, mode, std::ptr::null_mut());
            if server {
                // Sessions are for connections with this id only.
                let id = b"Python\0";
                (a.SSL_set_session_id_context)(ssl, id.as_ptr(), id.len() as c_uint);
                (a.SSL_set_accept_state)(ssl);
            } else {
                (a.SSL_set_connect_state)(ssl);
            }
            Ok(c)
        }
    }
    pub fn is_server(&self) -> bool {
        self.server
    }
    /// A server may ask for the client's certificate later.
    pub fn enable_post_handshake_auth(&self) {
        let a = lib();
        // SAFETY: a live connection.
        unsafe {
            if self.server {
                // A server that verifies does not do so within the handshake if clients may authenticate later.
                let mode = (a.SSL_get_verify_mode)(self.ssl);
                if mode & 1 != 0 {
                    (a.SSL_set_verify)(self.ssl, mode | 8, None);
                }
            } else {
                (a.SSL_set_post_handshake_auth)(self.ssl, 1);
            }
        }
    }
    /// The name that is asked for (SNI).
    pub fn set_server_name(&self, name: &CStr) -> Result<(), Option<Error>> {
        Error::clear();
        // SAFETY: a live connection and string, which is copied.
        let set = unsafe { (lib().SSL_ctrl)(self.ssl, CTRL_SET_TLSEXT_HOSTNAME, 0, name.as_ptr().cast_mut().cast()) };
        if set == 1 { Ok(()) } else { Err(Error::last()) }
    }
    /// The host that the certificate must be for.
    pub fn set_host(&self, name: &CStr, address: Option<&[u8]>) -> Result<(), Option<Error>> {
        let a = lib();
        Error::clear();
        // SAFETY: a live connection's parameters, strings and slices of the stated lengths.
        let set = unsafe {
            let param = (a.SSL_get0_param)(self.ssl);
            match address {
                Some(ip) => (a.X509_VERIFY_PARAM_set1_ip)(param, ip.as_ptr(), ip.len()),
                None => (a.X509_VERIFY_PARAM_set1_host)(param, name.as_ptr(), name.to_bytes().len()),
            }
        };
        if set == 1 { Ok(()) } else { Err(Error::last()) }
    }
    pub fn set_host_flags(&self, flags: u32) {
        // SAFETY: a live connection's parameters.
        unsafe { (lib().X509_VERIFY_PARAM_set_hostflags)((lib().SSL_get0_param)(self.ssl), flags) };
    }
    /// The connection of this number, for a callback within a call of it on this thread.
    pub fn running(token: usize) -> Option<ManuallyDrop<Connection>> {
        RUNNING.with_borrow(|all| {
            let r = all.iter().rev().find(|r| r.token == token)?;
            // SAFETY: the call keeps the connection alive.
            let server = unsafe { (lib().SSL_is_server)(r.ssl) != 0 };
            Some(ManuallyDrop::new(Connection { ssl: r.ssl, token, contexts: Vec::new(), server }))
        })
    }
    /// As [`Connection::set_context`], for a callback within a call of the connection on this thread.
    pub fn set_context_within(context: &Context, token: usize) {
        RUNNING.with_borrow_mut(|all| {
            if let Some(r) = all.iter_mut().rev().find(|r| r.token == token) {
                r.given.push(context.clone());
                // SAFETY: a live connection and context, which the connection keeps after the call.
                unsafe { (lib().SSL_set_SSL_CTX)(r.ssl, context.raw()) };
            }
        });
    }
    pub fn set_context(&mut self, context: &Context) {
        // SAFETY: a live connection and context; the former one may still be called back for the session.
        unsafe { (lib().SSL_set_SSL_CTX)(self.ssl, context.raw()) };
        self.contexts.push(context.clone());
    }
    /// Whether calls on the socket return at once.
    pub fn set_nonblocking(&self, on: bool) {
        let a = lib();
        // SAFETY: the connection's own streams.
        unsafe {
            for bio in [(a.SSL_get_rbio)(self.ssl), (a.SSL_get_wbio)(self.ssl)] {
                if !bio.is_null() {
                    (a.BIO_ctrl)(bio, BIO_C_SET_NBIO, on.into(), std::ptr::null_mut());
                }
            }
        }
    }
    fn run<T>(&mut self, call: impl FnOnce(P) -> (c_int, T)) -> Outcome<T> {
        Error::clear();
        // SAFETY: errno is this thread's own.
        unsafe { *libc::__errno_location() = 0 };
        RUNNING.with_borrow_mut(|all| all.push(Running { token: self.token, ssl: self.ssl, given: Vec::new() }));
        let (result, value) = call(self.ssl);
        let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
        // SAFETY: a live connection; asked at once after the call, on the same thread.
        let code = unsafe { (lib().SSL_get_error)(self.ssl, result) };
        if let Some(r) = RUNNING.with_borrow_mut(Vec::pop) {
            self.contexts.extend(r.given);
        }
        Outcome { value, code, error: Error::last(), errno }
    }
    pub fn handshake(&mut self) -> Outcome<i32> {
        // SAFETY: a live connection.
        self.run(|ssl| unsafe {
            let n = (lib().SSL_do_handshake)(ssl);
            (n, n)
        })
    }
    pub fn read(&mut self, out: &mut [u8]) -> Outcome<usize> {
        // SAFETY: a live connection, pointer and length of a slice.
        self.run(|ssl| unsafe {
            let mut n = 0;
            let result = (lib().SSL_read_ex)(ssl, out.as_mut_ptr().cast(), out.len(), &mut n);
            (result, n)
        })
    }
    pub fn write(&mut self, data: &[u8]) -> Outcome<usize> {
        // SAFETY: as in `read`.
        self.run(|ssl| unsafe {
            let mut n = 0;
            let result = (lib().SSL_write_ex)(ssl, data.as_ptr().cast::<c_void>(), data.len(), &mut n);
            (result, n)
        })
    }
    pub fn shutdown(&mut self, stop_reading_ahead: bool) -> Outcome<i32> {
        // SAFETY: a live connection.
        self.run(|ssl| unsafe {
            if stop_reading_ahead {
                (lib().SSL_set_read_ahead)(ssl, 0);
            }
            let n = (lib().SSL_shutdown)(ssl);
            (n, n)
        })
    }
    /// The peer has ended its side.
    pub fn received_shutdown(&self) -> bool {
        // SAFETY: a live connection.
        unsafe { (lib().SSL_get_shutdown)(self.ssl) & 2 != 0 }
    }
    pub fn pending(&self) -> i32 {
        // SAFETY: a live connection.
        unsafe { (lib().SSL_pending)(self.ssl) }
    }
    pub fn handshake_done(&self) -> bool {
        // SAFETY: a live connection.
        unsafe { (lib().SSL_is_init_finished)(self.ssl) != 0 }
    }
    pub fn verify_post_handshake(&mut self) -> Result<(), Option<Error>> {
        Error::clear();
        // SAFETY: a live connection.
        if unsafe { (lib().SSL_verify_client_post_handshake)(self.ssl) } == 1 { Ok(()) } else { Err(Error::last()) }
    }
    /// The number of the verification's failure.
    pub fn verify_result(&self) -> i64 {
        // SAFETY: a live connection.
        unsafe { (lib().SSL_get_verify_result)(self.ssl) }
    }
    pub fn verifies(&self) -> bool {
        // SAFETY: a live connection.
        unsafe { (lib().SSL_get_verify_mode)(self.ssl) & 1 != 0 }
    }
    pub fn peer_certificate(&self) -> Option<Certificate> {
        // SAFETY: a live connection; the result is the caller's.
        unsafe { Certificate::owned((lib().SSL_get1_peer_certificate)(self.ssl)) }
    }
    pub fn peer_chain(&self) -> Option<Vec<Certificate>> {
        // SAFETY: a live connection's own stack.
        unsafe { Certificate::all((lib().SSL_get_peer_cert_chain)(self.ssl)) }
    }
    pub fn verified_chain(&self) -> Option<Vec<Certificate>> {
        // SAFETY: a live connection's own stack.
        unsafe { Certificate::all((lib().SSL_get0_verified_chain)(self.ssl)) }
    }
    pub fn current_cipher(&self) -> Option<CipherInfo> {
        // SAFETY: a live connection; ciphers are static.
        unsafe {
            let c = (lib().SSL_get_current_cipher)(self.ssl);
            (!c.is_null()).then(|| cipher(c))
        }
    }
    /// The ciphers of the context's settings.
    pub fn ciphers(&self) -> Vec<CipherInfo> {
        let a = lib();
        // SAFETY: a live connection's own stack.
        unsafe {
            let stack = (a.SSL_get_ciphers)(self.ssl);
            if stack.is_null() {
                return Vec::new();
            }
            (0..(a.OPENSSL_sk_num)(stack)).map(|i| cipher((a.OPENSSL_sk_value)(stack, i))).collect()
        }
    }
    /// The ciphers that both sides have; `None` on clients.
    pub fn shared_ciphers(&self) -> Option<Vec<CipherInfo>> {
        let a = lib();
        // SAFETY: a live connection's own stacks.
        unsafe {
            let (server, client) = ((a.SSL_get_ciphers)(self.ssl), (a.SSL_get_client_ciphers)(self.ssl));
            if server.is_null() || client.is_null() {
                return None;
            }
            let all = (0..(a.OPENSSL_sk_num)(server)).map(|i| (a.OPENSSL_sk_value)(server, i));
            Some(all.filter(|&c| (a.OPENSSL_sk_find)(client, c) >= 0).map(|c| cipher(c)).collect())
        }
    }
    pub fn version(&self) -> String {
        // SAFETY: a live connection; a static string.
        unsafe { text((lib().SSL_get_version)(self.ssl)) }
    }
    pub fn alpn_selected(&self) -> Option<Vec<u8>> {
        let (mut start, mut len): (*const c_uchar, c_uint) = (std::ptr::null(), 0);
        // SAFETY: a live connection, whose bytes these are.
        unsafe {
            (lib().SSL_get0_alpn_selected)(self.ssl, &mut start, &mut len);
            (!start.is_null()).then(|| std::slice::from_raw_parts(start, len as usize).to_vec())
        }
    }
    /// The finished message of this side or the peer's ("tls-unique").
    pub fn finished(&self, own: bool) -> Vec<u8> {
        let mut out = vec![0u8; 128];
        // SAFETY: a live connection, pointer and length of a slice.
        let n = unsafe {
            let f = if own { lib().SSL_get_finished } else { lib().SSL_get_peer_finished };
            f(self.ssl, out.as_mut_ptr().cast(), out.len())
        };
        out.truncate(n);
        out
    }
    pub fn session_reused(&self) -> bool {
        // SAFETY: a live connection.
        unsafe { (lib().SSL_session_reused)(self.ssl) != 0 }
    }
    /// A copy of the session: one that the connection owns becomes useless where the connection is not ended in order.
    pub fn session(&self) -> Option<Session> {
        let a = lib();
        // SAFETY: a live connection, whose session is copied.
        let copy = unsafe {
            let s = (a.SSL_get_session)(self.ssl);
            if s.is_null() { s } else { (a.SSL_SESSION_dup)(s) }
        };
        (!copy.is_null()).then_some(Session(copy))
    }
    /// Goes on with a copy of a session.
    pub fn set_session(&mut self, session: &Session) -> Result<(), Option<Error>> {
        let a = lib();
        Error::clear();
        // SAFETY: live objects; the connection takes a reference of its own to the copy.
        unsafe {
            let copy = (a.SSL_SESSION_dup)(session.0);
            if copy.is_null() {
                return Err(Error::last());
            }
            let copy = Session(copy);
            if (a.SSL_set_session)(self.ssl, copy.0) == 1 { Ok(()) } else { Err(Error::last()) }
        }
    }
}
