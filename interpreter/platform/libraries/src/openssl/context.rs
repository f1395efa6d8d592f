//! `SSL_CTX`: settings of connections, and the callbacks, which are closures that its connections share.
use std::ffi::{CStr, c_char, c_int, c_long, c_uchar, c_uint, c_ulong, c_void};
use std::sync::{Arc, Mutex, MutexGuard};

use super::api::{P, lib};
use super::{Certificate, Error, LIB_PEM, LIB_X509, MemoryBio};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    Tls,
    Client,
    Server,
    Tls1,
    Tls11,
    Tls12,
}

/// A message that was read or written.
pub struct Message<'a> {
    /// The number that the connection was given.
    pub token: usize,
    pub written: bool,
    pub version: i32,
    pub content_type: i32,
    pub data: &'a [u8],
}
/// A client asked for this name; an error is the alert to send.
type ServerName = Arc<dyn Fn(usize, Option<&[u8]>) -> Result<(), i32>>;
type OnMessage = Arc<dyn Fn(Message<'_>)>;
type KeyLog = Arc<dyn Fn(usize, &[u8])>;
/// The server's hint to identity and key, each without zero bytes at the end.
type PskClient = Arc<dyn Fn(usize, Option<&[u8]>) -> Option<(Vec<u8>, Vec<u8>)>>;
type PskServer = Arc<dyn Fn(usize, Option<&[u8]>) -> Option<Vec<u8>>>;

#[derive(Default)]
struct Hooks {
    server_name: Option<ServerName>,
    message: Option<OnMessage>,
    key_log: Option<KeyLog>,
    psk_client: Option<PskClient>,
    psk_server: Option<PskServer>,
    /// The server's protocols, each behind its length.
    alpn: Vec<u8>,
}
struct Raw {
    ctx: P,
    /// Boxed: the context points here.
    hooks: Box<Mutex<Hooks>>,
}
// SAFETY: contexts may be used by several threads; the closures are run by the thread that is inside a call.
unsafe impl Send for Raw {}
// SAFETY: as above.
unsafe impl Sync for Raw {}
impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: gives up the object's reference; connections hold an `Arc` of this, so no callback comes any more.
        unsafe { (lib().SSL_CTX_free)(self.ctx) };
    }
}
#[derive(Clone)]
pub struct Context(Arc<Raw>);

/// What was found in a store of certificates.
#[derive(Debug, Default)]
pub struct Loaded {
    pub certificates: usize,
    pub crls: usize,
    pub authorities: usize,
}

const CTRL_SET_TMP_DH: c_int = 3;
const CTRL_MODE: c_int = 33;
const CTRL_SESS_NUMBER: c_int = 20;
const CTRL_SET_TLSEXT_SERVERNAME_CB: c_int = 53;
const CTRL_SET_GROUPS: c_int = 91;
const CTRL_SET_MIN_PROTO: c_int = 123;
const CTRL_SET_MAX_PROTO: c_int = 124;
const CTRL_GET_MIN_PROTO: c_int = 130;
const CTRL_GET_MAX_PROTO: c_int = 131;
const MODE_RELEASE_BUFFERS: c_long = 0x10;
const FILETYPE_PEM: c_int = 1;
const TLSEXT_OK: c_int = 0;
const TLSEXT_ALERT_FATAL: c_int = 2;
const TLSEXT_NOACK: c_int = 3;
const PEM_R_NO_START_LINE: i32 = 108;
const X509_R_CERT_ALREADY_IN_HASH_TABLE: i32 = 101;

/// The hooks of a connection's context, and the connection's number.
///
/// # Safety
/// A live `SSL` made by [`super::Connection`].
unsafe fn hooks<'a>(ssl: P) -> Option<(MutexGuard<'a, Hooks>, usize)> {
    let a = lib();
    // SAFETY: the caller's promise: the connection holds the `Raw` that owns the hooks.
    unsafe {
        let hooks = (a.SSL_CTX_get_ex_data)((a.SSL_get_SSL_CTX)(ssl), 0).cast::<Mutex<Hooks>>().as_ref()?;
        let token = (a.SSL_get_ex_data)(ssl, 0) as usize;
        Some((hooks.lock().unwrap_or_else(|e| e.into_inner()), token))
    }
}
/// # Safety
/// Null or NUL-terminated, alive as long as the result.
unsafe fn bytes<'a>(s: *const c_char) -> Option<&'a [u8]> {
    // SAFETY: the caller's promise.
    if s.is_null() { None } else { Some(unsafe { CStr::from_ptr(s) }.to_bytes()) }
}
unsafe extern "C" fn server_name(ssl: P, alert: *mut c_int, _: P) -> c_int {
    // SAFETY: called by the library for a connection of this crate.
    unsafe {
        let Some((guard, token)) = hooks(ssl) else { return TLSEXT_NOACK };
        let Some(f) = guard.server_name.clone() else { return TLSEXT_NOACK };
        drop(guard);
        match f(token, bytes((lib().SSL_get_servername)(ssl, 0))) {
            Ok(()) => TLSEXT_OK,
            Err(code) => {
                *alert = code;
                TLSEXT_ALERT_FATAL
            }
        }
    }
}
unsafe extern "C" fn message(write: c_int, version: c_int, kind: c_int, data: *const c_void, len: usize, ssl: P, _: P) {
    // SAFETY: as in `server_name`; the data live during the call.
    unsafe {
        let Some((guard, token)) = hooks(ssl) else { return };
        let Some(f) = guard.message.clone() else { return };
        drop(guard);
        let data = if data.is_null() { &[] } else { std::slice::from_raw_parts(data.cast::<u8>(), len) };
        f(Message { token, written: write != 0, version, content_type: kind, data });
    }
}
unsafe extern "C" fn key_log(ssl: P, line: *const c_char) {
    // SAFETY: as in `server_name`.
    unsafe {
        let Some((guard, token)) = hooks(ssl) else { return };
        let Some(f) = guard.key_log.clone() else { return };
        drop(guard);
        f(token, bytes(line).unwrap_or_default());
    }
}
unsafe extern "C" fn psk_client(
    ssl: P,
    hint: *const c_char,
    identity: *mut c_char,
    identity_room: c_uint,
    key: *mut c_uchar,
    key_room: c_uint,
) -> c_uint {
    // SAFETY: as in `server_name`; the rooms are what may be written.
    unsafe {
        let Some((guard, token)) = hooks(ssl) else { return 0 };
        let Some(f) = guard.psk_client.clone() else { return 0 };
        drop(guard);
        let Some((id, secret)) = f(token, bytes(hint)) else { return 0 };
        if id.len() + 1 > identity_room as usize || secret.len() > key_room as usize {
            return 0;
        }
        std::ptr::copy_nonoverlapping(id.as_ptr(), identity.cast(), id.len());
        *identity.add(id.len()) = 0;
        std::ptr::copy_nonoverlapping(secret.as_ptr(), key, secret.len());
        secret.len() as c_uint
    }
}
unsafe extern "C" fn psk_server(ssl: P, identity: *const c_char, key: *mut c_uchar, room: c_uint) -> c_uint {
    // SAFETY: as in `psk_client`.
    unsafe {
        let Some((guard, token)) = hooks(ssl) else { return 0 };
        let Some(f) = guard.psk_server.clone() else { return 0 };
        drop(guard);
        let Some(secret) = f(token, bytes(identity)) else { return 0 };
        if secret.len() > room as usize {
            return 0;
        }
        std::ptr::copy_nonoverlapping(secret.as_ptr(), key, secret.len());
        secret.len() as c_uint
    }
}
/// The first of the server's protocols that the client offers, or the client's first.
unsafe extern "C" fn select_alpn(
    ssl: P,
    out: *mut *const c_uchar,
    len: *mut c_uchar,
    offered: *const c_uchar,
    offered_len: c_uint,
    _: P,
) -> c_int {
    // SAFETY: as in `server_name`; the answer points into what the client offered, which outlives the call.
    unsafe {
        let Some((guard, _)) = hooks(ssl) else { return TLSEXT_NOACK };
        let offered = std::slice::from_raw_parts(offered, offered_len as usize);
        for wanted in protocols(&guard.alpn) {
            if let Some(found) = protocols(offered).find(|p| *p == wanted) {
                *out = found.as_ptr();
                *len = found.len() as c_uchar;
                return TLSEXT_OK;
            }
        }
        TLSEXT_NOACK
    }
}
/// Names that stand behind their lengths.
fn protocols(mut list: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (&n, rest) = list.split_first()?;
        let name = rest.get(..usize::from(n))?;
        list = &rest[usize::from(n)..];
        Some(name)
    })
}
/// Asks for a password: the most bytes that it may have to the password.
type AskPassword<'a> = &'a mut dyn FnMut(usize) -> Option<Vec<u8>>;
unsafe extern "C" fn password(buffer: *mut c_char, room: c_int, _: c_int, ask: P) -> c_int {
    // SAFETY: `ask` is the reference that `load_cert_chain` holds during the call.
    unsafe {
        let Some(ask) = ask.cast::<AskPassword<'_>>().as_mut() else { return -1 };
        let room = usize::try_from(room).unwrap_or(0);
        match ask(room) {
            Some(p) if p.len() <= room => {
                std::ptr::copy_nonoverlapping(p.as_ptr(), buffer.cast(), p.len());
                p.len() as c_int
            }
            _ => -1,
        }
    }
}

/// Runs a call that says 1 for success; the error of the queue otherwise.
fn checked(call: impl FnOnce() -> c_int) -> Result<(), Option<Error>> {
    Error::clear();
    if call() == 1 { Ok(()) } else { Err(Error::last()) }
}

impl Context {
    pub fn new(protocol: Protocol) -> Result<Context, Option<Error>> {
        let a = lib();
        Error::clear();
        // SAFETY: methods are static; the hooks live in a box that `Raw` owns.
        unsafe {
            let method = match protocol {
                Protocol::Tls => (a.TLS_method)(),
                Protocol::Client => (a.TLS_client_method)(),
                Protocol::Server => (a.TLS_server_method)(),
                Protocol::Tls1 => (a.TLSv1_method)(),
                Protocol::Tls11 => (a.TLSv1_1_method)(),
                Protocol::Tls12 => (a.TLSv1_2_method)(),
            };
            let ctx = (a.SSL_CTX_new)(method);
            if ctx.is_null() {
                return Err(Error::last());
            }
            let hooks: Box<Mutex<Hooks>> = Box::default();
            (a.SSL_CTX_set_ex_data)(ctx, 0, std::ptr::from_ref(&*hooks).cast_mut().cast());
            (a.SSL_CTX_ctrl)(ctx, CTRL_MODE, MODE_RELEASE_BUFFERS, std::ptr::null_mut());
            Ok(Context(Arc::new(Raw { ctx, hooks })))
        }
    }
    pub(super) fn raw(&self) -> P {
        self.0.ctx
    }
    pub fn is_same(&self, other: &Context) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
    fn ctrl(&self, command: c_int, n: i64, p: P) -> i64 {
        // SAFETY: a live context; callers pass what the command takes.
        unsafe { (lib().SSL_CTX_ctrl)(self.0.ctx, command, n as c_long, p) }
    }
    pub fn options(&self) -> u64 {
        // SAFETY: a live context.
        unsafe { (lib().SSL_CTX_get_options)(self.0.ctx) }
    }
    pub fn change_options(&self, set: u64, clear: u64) {
        // SAFETY: a live context.
        unsafe {
            (lib().SSL_CTX_clear_options)(self.0.ctx, clear);
            (lib().SSL_CTX_set_options)(self.0.ctx, set);
        }
    }
    pub fn set_cipher_list(&self, list: &CStr) -> Result<(), Option<Error>> {
        // SAFETY: a live context and string.
        checked(|| unsafe { (lib().SSL_CTX_set_cipher_list)(self.0.ctx, list.as_ptr()) })
    }
    pub fn verify_mode(&self) -> i32 {
        // SAFETY: a live context.
        unsafe { (lib().SSL_CTX_get_verify_mode)(self.0.ctx) }
    }
    pub fn set_verify_mode(&self, mode: i32) {
        // SAFETY: a live context.
        unsafe { (lib().SSL_CTX_set_verify)(self.0.ctx, mode, None) };
    }
    pub fn verify_flags(&self) -> u64 {
        // SAFETY: a live context and its parameters.
        unsafe { (lib().X509_VERIFY_PARAM_get_flags)((lib().SSL_CTX_get0_param)(self.0.ctx)) }
    }
    pub fn change_verify_flags(&self, set: u64, clear: u64) -> Result<(), Option<Error>> {
        // SAFETY: as above.
        let param = unsafe { (lib().SSL_CTX_get0_param)(self.0.ctx) };
        if clear != 0 {
            // SAFETY: as above.
            checked(|| unsafe { (lib().X509_VERIFY_PARAM_clear_flags)(param, clear as c_ulong) })?;
        }
        if set != 0 {
            // SAFETY: as above.
            checked(|| unsafe { (lib().X509_VERIFY_PARAM_set_flags)(param, set as c_ulong) })?;
        }
        Ok(())
    }
    pub fn set_host_flags(&self, flags: u32) {
        // SAFETY: as above.
        unsafe { (lib().X509_VERIFY_PARAM_set_hostflags)((lib().SSL_CTX_get0_param)(self.0.ctx), flags) };
    }
    pub fn set_post_handshake_auth(&self, on: bool) {
        // SAFETY: a live context.
        unsafe { (lib().SSL_CTX_set_post_handshake_auth)(self.0.ctx, on.into()) };
    }
    /// The lowest and highest protocol version; 0 = no bound.
    pub fn version_bounds(&self) -> (i64, i64) {
        let null = std::ptr::null_mut();
        (self.ctrl(CTRL_GET_MIN_PROTO, 0, null), self.ctrl(CTRL_GET_MAX_PROTO, 0, null))
    }
    pub fn set_version_bound(&self, highest: bool, version: i64) -> bool {
        self.ctrl(if highest { CTRL_SET_MAX_PROTO } else { CTRL_SET_MIN_PROTO }, version, std::ptr::null_mut()) != 0
    }
    /// The eleven counters of sessions, from `number` on.
    pub fn session_counter(&self, i: i32) -> i64 {
        self.ctrl(CTRL_SESS_NUMBER + i, 0, std::ptr::null_mut())
    }
    pub fn security_level(&self) -> i32 {
        // SAFETY: a live context.
        unsafe { (lib().SSL_CTX_get_security_level)(self.0.ctx) }
    }
    pub fn num_tickets(&self) -> usize {
        // SAFETY: a live context.
        unsafe { (lib().SSL_CTX_get_num_tickets)(self.0.ctx) }
    }
    pub fn set_num_tickets(&self, n: usize) -> bool {
        // SAFETY: a live context.
        unsafe { (lib().SSL_CTX_set_num_tickets)(self.0.ctx, n) == 1 }
    }
    /// The curve of this name for key exchange; false if there is none.
    pub fn set_curve(&self, name: &CStr) -> Result<bool, Option<Error>> {
        // SAFETY: a string; the number is read during the call.
        let mut nid = unsafe { (lib().OBJ_sn2nid)(name.as_ptr()) };
        if nid == 0 {
            return Ok(false);
        }
        Error::clear();
        match self.ctrl(CTRL_SET_GROUPS, 1, std::ptr::from_mut(&mut nid).cast()) {
            1 => Ok(true),
            _ => Err(Error::last()),
        }
    }
    /// Parameters of Diffie and Hellman from a file. The outer error is the system's.
    pub fn load_dh_params(&self, path: &CStr) -> Result<Result<(), Option<Error>>, i32> {
        let a = lib();
        Error::clear();
        // SAFETY: a string; the objects are freed after their last use.
        unsafe {
            let bio = (a.BIO_new_file)(path.as_ptr(), c"r".as_ptr());
            if bio.is_null() {
                let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
                Error::clear();
                return Err(errno);
            }
            let dh = (a.PEM_read_bio_DHparams)(bio, std::ptr::null_mut(), None, std::ptr::null_mut());
            (a.BIO_free)(bio);
            if dh.is_null() {
                return Ok(Err(Error::last()));
            }
            let set = self.ctrl(CTRL_SET_TMP_DH, 0, dh);
            (a.DH_free)(dh);
            Ok(if set == 1 { Ok(()) } else { Err(Error::last()) })
        }
    }
    /// Certificate chain and key. An error has the system's number where a file could not be read.
    pub fn load_cert_chain(
        &self,
        cert: &CStr,
        key: &CStr,
        mut ask: Option<&mut dyn FnMut(usize) -> Option<Vec<u8>>>,
    ) -> Result<(), (i32, Option<Error>)> {
        let a = lib();
        let ctx = self.0.ctx;
        let failed = || (std::io::Error::last_os_error().raw_os_error().unwrap_or(0), Error::last());
        // SAFETY: a live context and strings; the callback's data are taken back before they go.
        unsafe {
            if let Some(ask) = &mut ask {
                (a.SSL_CTX_set_default_passwd_cb)(ctx, Some(password));
                (a.SSL_CTX_set_default_passwd_cb_userdata)(ctx, std::ptr::from_mut(ask).cast());
            }
            Error::clear();
            *libc::__errno_location() = 0;
            let mut result =
                if (a.SSL_CTX_use_certificate_chain_file)(ctx, cert.as_ptr()) == 1 { Ok(()) } else { Err(failed()) };
            if result.is_ok() {
                Error::clear();
                *libc::__errno_location() = 0;
                if (a.SSL_CTX_use_PrivateKey_file)(ctx, key.as_ptr(), FILETYPE_PEM) != 1 {
                    result = Err(failed());
                }
            }
            if result.is_ok() {
                Error::clear();
                if (a.SSL_CTX_check_private_key)(ctx) != 1 {
                    result = Err((0, Error::last()));
                }
            }
            if ask.is_some() {
                (a.SSL_CTX_set_default_passwd_cb)(ctx, None);
                (a.SSL_CTX_set_default_passwd_cb_userdata)(ctx, std::ptr::null_mut());
            }
            result
        }
    }
    pub fn load_verify_files(&self, file: Option<&CStr>, folder: Option<&CStr>) -> Result<(), (i32, Option<Error>)> {
        Error::clear();
        let raw = |s: Option<&CStr>| s.map_or(std::ptr::null(), CStr::as_ptr);
        // SAFETY: a live context, strings or null.
        unsafe {
            *libc::__errno_location() = 0;
            if (lib().SSL_CTX_load_verify_locations)(self.0.ctx, raw(file), raw(folder)) == 1 {
                return Ok(());
            }
        }
        Err((std::io::Error::last_os_error().raw_os_error().unwrap_or(0), Error::last()))
    }
    /// Adds certificates in PEM or DER to the trusted ones; how many there were, and the error that ended it.
    pub fn load_verify_data(&self, data: &[u8], pem: bool) -> (usize, Option<Error>) {
        let a = lib();
        Error::clear();
        let Some(bio) = MemoryBio::with(data) else { return (0, Error::last()) };
        bio.end();
        let mut loaded = 0;
        let mut all_read;
        // SAFETY: a live store and buffer; each certificate is freed when it goes.
        unsafe {
            let store = (a.SSL_CTX_get_cert_store)(self.0.ctx);
            loop {
                all_read = bio.pending() == 0;
                let x = if pem {
                    (a.PEM_read_bio_X509)(bio.raw(), std::ptr::null_mut(), None, std::ptr::null_mut())
                } else {
                    (a.d2i_X509_bio)(bio.raw(), std::ptr::null_mut())
                };
                let Some(x) = Certificate::owned(x) else { break };
                if (a.X509_STORE_add_cert)(store, x.raw()) != 1 {
                    match Error::last() {
                        Some(e) if e.library() == LIB_X509 && e.reason() == X509_R_CERT_ALREADY_IN_HASH_TABLE => {
                            Error::clear();
                        }
                        error => return (loaded, error),
                    }
                }
                loaded += 1;
            }
        }
        let error = Error::last();
        let at_end = error
            .is_none_or(|e| if pem { e.library() == LIB_PEM && e.reason() == PEM_R_NO_START_LINE } else { all_read });
        if loaded > 0 && at_end {
            Error::clear();
            return (loaded, None);
        }
        (loaded, error)
    }
    pub fn set_default_verify_paths(&self) -> Result<(), Option<Error>> {
        // SAFETY: a live context.
        checked(|| unsafe { (lib().SSL_CTX_set_default_verify_paths)(self.0.ctx) })
    }
    fn store(&self, mut each: impl FnMut(c_int, Option<Certificate>)) {
        let a = lib();
        // SAFETY: the store's objects; certificates are counted.
        unsafe {
            let objects = (a.X509_STORE_get0_objects)((a.SSL_CTX_get_cert_store)(self.0.ctx));
            for i in 0..(a.OPENSSL_sk_num)(objects) {
                let o = (a.OPENSSL_sk_value)(objects, i);
                let kind = (a.X509_OBJECT_get_type)(o);
                let cert = if kind == 1 { Certificate::borrowed((a.X509_OBJECT_get0_X509)(o)) } else { None };
                each(kind, cert);
            }
        }
    }
    pub fn store_counts(&self) -> Loaded {
        let mut counts = Loaded::default();
        self.store(|kind, cert| match (kind, cert) {
            (_, Some(cert)) => {
                counts.certificates += 1;
                counts.authorities += usize::from(cert.is_ca());
            }
            (2, None) => counts.crls += 1,
            _ => {}
        });
        counts
    }
    pub fn authorities(&self) -> Vec<Certificate> {
        let mut found = Vec::new();
        self.store(|_, cert| found.extend(cert.filter(Certificate::is_ca)));
        found
    }

    fn hooks(&self) -> MutexGuard<'_, Hooks> {
        self.0.hooks.lock().unwrap_or_else(|e| e.into_inner())
    }
    /// Protocols to offer as a client and to choose from as a server.
    pub fn set_alpn(&self, protocols: &[u8]) -> bool {
        self.hooks().alpn = protocols.to_vec();
        // SAFETY: a live context, pointer and length of a slice.
        unsafe {
            if (lib().SSL_CTX_set_alpn_protos)(self.0.ctx, protocols.as_ptr(), protocols.len() as c_uint) != 0 {
                return false;
            }
            (lib().SSL_CTX_set_alpn_select_cb)(self.0.ctx, Some(select_alpn), std::ptr::null_mut());
        }
        true
    }
    pub fn set_server_name(&self, f: Option<ServerName>) {
        let callback = f.is_some().then_some(server_name as unsafe extern "C" fn(_, _, _) -> _);
        let old = std::mem::replace(&mut self.hooks().server_name, f);
        drop(old);
        // SAFETY: a live context and a function of the right type.
        unsafe { (lib().SSL_CTX_callback_ctrl)(self.0.ctx, CTRL_SET_TLSEXT_SERVERNAME_CB, callback) };
    }
    pub fn set_message(&self, f: Option<OnMessage>) {
        let callback = f.is_some().then_some(message as unsafe extern "C" fn(_, _, _, _, _, _, _));
        let old = std::mem::replace(&mut self.hooks().message, f);
        drop(old);
        // SAFETY: as above.
        unsafe { (lib().SSL_CTX_set_msg_callback)(self.0.ctx, callback) };
    }
    pub fn set_key_log(&self, f: Option<KeyLog>) {
        let callback = f.is_some().then_some(key_log as unsafe extern "C" fn(_, _));
        let old = std::mem::replace(&mut self.hooks().key_log, f);
        drop(old);
        // SAFETY: as above.
        unsafe { (lib().SSL_CTX_set_keylog_callback)(self.0.ctx, callback) };
    }
    pub fn set_psk_client(&self, f: Option<PskClient>) {
        let callback = f.is_some().then_some(psk_client as unsafe extern "C" fn(_, _, _, _, _, _) -> _);
        let old = std::mem::replace(&mut self.hooks().psk_client, f);
        drop(old);
        // SAFETY: as above.
        unsafe { (lib().SSL_CTX_set_psk_client_callback)(self.0.ctx, callback) };
    }
    pub fn set_psk_server(&self, f: Option<PskServer>, hint: Option<&CStr>) -> Result<(), Option<Error>> {
        // SAFETY: a live context and string or null.
        checked(|| unsafe {
            (lib().SSL_CTX_use_psk_identity_hint)(self.0.ctx, hint.map_or(std::ptr::null(), CStr::as_ptr))
        })?;
        let callback = f.is_some().then_some(psk_server as unsafe extern "C" fn(_, _, _, _) -> _);
        let old = std::mem::replace(&mut self.hooks().psk_server, f);
        drop(old);
        // SAFETY: as above.
        unsafe { (lib().SSL_CTX_set_psk_server_callback)(self.0.ctx, callback) };
        Ok(())
    }
}
