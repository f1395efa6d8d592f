//! OpenSSL behind safe functions: the error queue, randomness and object identifiers here; contexts, connections,
//! memory buffers and certificates in the submodules.
mod api;
mod bio;
mod certificate;
mod connection;
mod context;

use std::ffi::{CStr, CString, c_int};

pub use bio::MemoryBio;
pub use certificate::{AltName, Certificate, Info, Name};
pub use connection::{CipherInfo, Connection, Outcome, Session, Stream};
pub use context::{Context, Loaded, Message, Protocol};

use api::{Api, lib, text};

/// Whether the system has the library.
pub fn available() -> bool {
    api::api().is_some()
}
pub fn version() -> String {
    // SAFETY: OPENSSL_VERSION is 0; a static string.
    unsafe { text((lib().OpenSSL_version)(0)) }
}
pub fn version_number() -> u64 {
    // SAFETY: no arguments.
    unsafe { (lib().OpenSSL_version_num)() }
}

/// An entry of the error queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error(u64);
/// Numbers of the parts of the library in error codes.
pub const LIB_SYS: i32 = 2;
pub const LIB_PEM: i32 = 9;
pub const LIB_X509: i32 = 11;
pub const LIB_SSL: i32 = 20;
const LIBRARIES: &[(i32, &str)] = &[
    (2, "SYS"),
    (3, "BN"),
    (4, "RSA"),
    (5, "DH"),
    (6, "EVP"),
    (8, "OBJ"),
    (9, "PEM"),
    (10, "DSA"),
    (11, "X509"),
    (13, "ASN1"),
    (14, "CONF"),
    (15, "CRYPTO"),
    (16, "EC"),
    (20, "SSL"),
    (32, "BIO"),
    (33, "PKCS7"),
    (34, "X509V3"),
    (35, "PKCS12"),
    (36, "RAND"),
    (38, "ENGINE"),
    (39, "OCSP"),
    (40, "UI"),
    (44, "OSSL_STORE"),
    (46, "CMS"),
    (57, "PROV"),
];
impl Error {
    /// The newest entry of this thread's queue.
    pub fn last() -> Option<Error> {
        // SAFETY: no arguments.
        let code = unsafe { (lib().ERR_peek_last_error)() };
        (code != 0).then_some(Error(code))
    }
    pub fn clear() {
        // SAFETY: no arguments.
        unsafe { (lib().ERR_clear_error)() };
    }
    /// System errors have a bit of their own.
    fn is_system(self) -> bool {
        self.0 & 0x8000_0000 != 0
    }
    pub fn library(self) -> i32 {
        if self.is_system() { LIB_SYS } else { (self.0 >> 23 & 0xFF) as i32 }
    }
    pub fn reason(self) -> i32 {
        if self.is_system() { (self.0 & 0x7FFF_FFFF) as i32 } else { (self.0 & 0x7F_FFFF) as i32 }
    }
    pub fn library_name(self) -> Option<&'static str> {
        LIBRARIES.iter().find(|(n, _)| *n == self.library()).map(|(_, name)| *name)
    }
    pub fn reason_text(self) -> Option<String> {
        // SAFETY: a plain number; null or a static string.
        let s = unsafe { text((lib().ERR_reason_error_string)(self.0)) };
        (!s.is_empty()).then_some(s)
    }
    /// The reason as a macro's name: its text in capitals, which is how OpenSSL names almost all of them.
    pub fn reason_name(self) -> Option<String> {
        // Reasons that are common to all parts of the library have no name of their own.
        const COMMON: i32 = 0x8_0000;
        if self.is_system() || self.reason() & COMMON != 0 {
            return None;
        }
        let text = self.reason_text()?;
        let name: String =
            text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
        Some(name)
    }
}

/// Fills the slice with random bytes.
pub fn random(out: &mut [u8]) -> Result<(), Error> {
    for chunk in out.chunks_mut(c_int::MAX as usize) {
        // SAFETY: pointer and length of a slice.
        if unsafe { (lib().RAND_bytes)(chunk.as_mut_ptr(), chunk.len() as c_int) } != 1 {
            return Err(Error::last().unwrap_or(Error(0)));
        }
    }
    Ok(())
}
pub fn random_status() -> bool {
    // SAFETY: no arguments.
    unsafe { (lib().RAND_status)() == 1 }
}
pub fn random_add(data: &[u8], entropy: f64) {
    for chunk in data.chunks(c_int::MAX as usize) {
        // SAFETY: pointer and length of a slice.
        unsafe { (lib().RAND_add)(chunk.as_ptr().cast(), chunk.len() as c_int, entropy) };
    }
}

/// An object identifier: number, short and long name, dotted form.
#[derive(Debug)]
pub struct Object {
    pub nid: i32,
    pub names: Option<(String, String)>,
    pub oid: Option<String>,
}
/// # Safety
/// An `ASN1_OBJECT`.
unsafe fn object(a: &Api, o: api::P) -> Object {
    // SAFETY: the caller's promise.
    unsafe {
        let nid = (a.OBJ_obj2nid)(o);
        let names = (nid != 0).then(|| (text((a.OBJ_nid2sn)(nid)), text((a.OBJ_nid2ln)(nid))));
        let oid = certificate::object_text(a, o, true);
        Object { nid, names, oid: (!oid.is_empty()).then_some(oid) }
    }
}
pub fn object_by_nid(nid: i32) -> Option<Object> {
    let a = lib();
    // SAFETY: a plain number; the object is static.
    unsafe {
        let o = (a.OBJ_nid2obj)(nid);
        if o.is_null() { None } else { Some(object(a, o)) }
    }
}
pub fn object_by_text(s: &CStr, by_name: bool) -> Option<Object> {
    let a = lib();
    // SAFETY: a NUL-terminated string; the object is freed after its last use.
    unsafe {
        let o = (a.OBJ_txt2obj)(s.as_ptr(), c_int::from(!by_name));
        if o.is_null() {
            return None;
        }
        let found = object(a, o);
        (a.ASN1_OBJECT_free)(o);
        Some(found)
    }
}
/// Where certificates are looked for: variable and file, variable and folder.
pub fn default_paths() -> [CString; 4] {
    let a = lib();
    // SAFETY: static strings.
    unsafe {
        [
            (a.X509_get_default_cert_file_env)(),
            (a.X509_get_default_cert_file)(),
            (a.X509_get_default_cert_dir_env)(),
            (a.X509_get_default_cert_dir)(),
        ]
        .map(|s| if s.is_null() { CString::default() } else { CStr::from_ptr(s).to_owned() })
    }
}

/// Why the verification of a certificate failed.
pub fn verify_text(code: i64) -> String {
    certificate::verify_text(code)
}
