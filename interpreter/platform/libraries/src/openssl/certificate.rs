//! Certificates: encodings, and the fields that Python shows of them.
use std::ffi::{c_int, c_long, c_uchar};

use super::api::{Api, P, lib, text};
use super::{Error, MemoryBio};

const NID_SUBJECT_ALT_NAME: c_int = 85;
const NID_CRL_DISTRIBUTION_POINTS: c_int = 103;
const NID_INFO_ACCESS: c_int = 177;
const NID_AD_OCSP: c_int = 178;
const NID_AD_CA_ISSUERS: c_int = 179;

/// Relative distinguished names in order, each a list of type and value.
pub type Name = Vec<Vec<(String, String)>>;
/// An alternative name: its kind, and text or a name.
#[derive(Debug)]
pub enum AltName {
    Text(&'static str, String),
    Directory(Name),
}
#[derive(Debug)]
pub struct Info {
    pub subject: Name,
    pub issuer: Name,
    pub version: i64,
    pub serial: String,
    pub not_before: String,
    pub not_after: String,
    pub alt_names: Vec<AltName>,
    pub ocsp: Vec<String>,
    pub ca_issuers: Vec<String>,
    pub crl_points: Vec<String>,
}

pub struct Certificate(P);
// SAFETY: certificates are counted atomically and read only.
unsafe impl Send for Certificate {}
// SAFETY: as above.
unsafe impl Sync for Certificate {}
impl Clone for Certificate {
    fn clone(&self) -> Self {
        // SAFETY: a live certificate.
        unsafe { (lib().X509_up_ref)(self.0) };
        Certificate(self.0)
    }
}
impl Drop for Certificate {
    fn drop(&mut self) {
        // SAFETY: gives up the object's own reference.
        unsafe { (lib().X509_free)(self.0) };
    }
}

/// `GENERAL_NAME`, whose fields OpenSSL publishes.
#[repr(C)]
struct GeneralName {
    kind: c_int,
    value: P,
}
#[repr(C)]
struct AccessDescription {
    method: P,
    location: *const GeneralName,
}
#[repr(C)]
struct DistributionPoint {
    name: *const DistributionPointName,
}
#[repr(C)]
struct DistributionPointName {
    kind: c_int,
    full: P,
}
const GEN_EMAIL: c_int = 1;
const GEN_DNS: c_int = 2;
const GEN_DIRNAME: c_int = 4;
const GEN_URI: c_int = 6;
const GEN_IPADD: c_int = 7;
const GEN_RID: c_int = 8;

/// The name or the dotted form of an object.
///
/// # Safety
/// An `ASN1_OBJECT`.
pub(super) unsafe fn object_text(a: &Api, o: P, dotted: bool) -> String {
    // SAFETY: the caller's promise; the function writes at most the buffer's length and returns the whole length.
    unsafe {
        let mut buffer = vec![0u8; 128];
        let mut n = (a.OBJ_obj2txt)(buffer.as_mut_ptr().cast(), buffer.len() as c_int, o, dotted.into());
        if n >= buffer.len() as c_int {
            buffer = vec![0; n as usize + 1];
            n = (a.OBJ_obj2txt)(buffer.as_mut_ptr().cast(), buffer.len() as c_int, o, dotted.into());
        }
        buffer.truncate(usize::try_from(n).unwrap_or(0));
        String::from_utf8_lossy(&buffer).into_owned()
    }
}
/// # Safety
/// An `ASN1_STRING`.
unsafe fn string_bytes(a: &Api, s: P) -> Vec<u8> {
    // SAFETY: the caller's promise.
    unsafe {
        let (start, len) = ((a.ASN1_STRING_get0_data)(s), (a.ASN1_STRING_length)(s));
        if start.is_null() { Vec::new() } else { std::slice::from_raw_parts(start, len.max(0) as usize).to_vec() }
    }
}
/// # Safety
/// An `X509_NAME`.
unsafe fn name(a: &Api, n: P) -> Name {
    let mut out: Name = Vec::new();
    let mut set = -1;
    // SAFETY: the caller's promise; the UTF-8 text is the library's to free.
    unsafe {
        for i in 0..(a.X509_NAME_entry_count)(n) {
            let entry = (a.X509_NAME_get_entry)(n, i);
            let kind = object_text(a, (a.X509_NAME_ENTRY_get_object)(entry), false);
            let mut utf8: *mut c_uchar = std::ptr::null_mut();
            let len = (a.ASN1_STRING_to_UTF8)(&mut utf8, (a.X509_NAME_ENTRY_get_data)(entry));
            let value = match usize::try_from(len) {
                Ok(len) if !utf8.is_null() => {
                    let value = String::from_utf8_lossy(std::slice::from_raw_parts(utf8, len)).into_owned();
                    (a.CRYPTO_free)(utf8.cast(), c"".as_ptr(), 0);
                    value
                }
                _ => String::new(),
            };
            let this = (a.X509_NAME_ENTRY_set)(entry);
            match out.last_mut().filter(|_| this == set) {
                Some(last) => last.push((kind, value)),
                None => out.push(vec![(kind, value)]),
            }
            set = this;
        }
    }
    out
}
/// What a function writes to a buffer.
fn printed(f: impl FnOnce(P) -> c_int) -> String {
    let Some(bio) = MemoryBio::new() else { return String::new() };
    f(bio.raw());
    String::from_utf8_lossy(&bio.read_all()).into_owned()
}
fn address(bytes: &[u8]) -> String {
    match bytes.len() {
        4 => format!("{}.{}.{}.{}", bytes[0], bytes[1], bytes[2], bytes[3]),
        16 => {
            let groups: Vec<String> =
                bytes.chunks_exact(2).map(|p| format!("{:X}", u16::from_be_bytes([p[0], p[1]]))).collect();
            groups.join(":")
        }
        _ => "<invalid>".to_owned(),
    }
}
/// # Safety
/// A `GENERAL_NAME`.
unsafe fn alt_name(a: &Api, g: &GeneralName) -> AltName {
    // SAFETY: the caller's promise; the kind says what the value is.
    unsafe {
        let text = |kind| AltName::Text(kind, String::from_utf8_lossy(&string_bytes(a, g.value)).into_owned());
        match g.kind {
            GEN_DIRNAME => AltName::Directory(name(a, g.value)),
            GEN_EMAIL => text("email"),
            GEN_DNS => text("DNS"),
            GEN_URI => text("URI"),
            GEN_RID => AltName::Text("Registered ID", object_text(a, g.value, true)),
            GEN_IPADD => AltName::Text("IP Address", address(&string_bytes(a, g.value))),
            _ => {
                let whole = printed(|bio| (a.GENERAL_NAME_print)(bio, std::ptr::from_ref(g).cast_mut().cast()));
                let (kind, value) = whole.split_once(':').unwrap_or(("", &whole));
                let kind = match kind {
                    "othername" => "othername",
                    "X400Name" => "X400Name",
                    "EdiPartyName" => "EdiPartyName",
                    _ => "",
                };
                AltName::Text(kind, value.trim_start().to_owned())
            }
        }
    }
}
/// The items of a stack.
///
/// # Safety
/// A stack of `T`, or null.
unsafe fn items<'a, T>(a: &Api, stack: P) -> Vec<&'a T> {
    if stack.is_null() {
        return Vec::new();
    }
    // SAFETY: the caller's promise.
    unsafe {
        let n = (a.OPENSSL_sk_num)(stack);
        (0..n).filter_map(|i| (a.OPENSSL_sk_value)(stack, i).cast::<T>().as_ref()).collect()
    }
}

impl Certificate {
    /// # Safety
    /// An `X509` or null; one reference is taken over.
    pub(super) unsafe fn owned(x: P) -> Option<Certificate> {
        (!x.is_null()).then_some(Certificate(x))
    }
    /// # Safety
    /// An `X509` or null, which stays the caller's.
    pub(super) unsafe fn borrowed(x: P) -> Option<Certificate> {
        if x.is_null() {
            return None;
        }
        // SAFETY: the caller's promise.
        unsafe { (lib().X509_up_ref)(x) };
        Some(Certificate(x))
    }
    /// The certificates of a stack.
    ///
    /// # Safety
    /// A stack of `X509`, or null.
    pub(super) unsafe fn all(stack: P) -> Option<Vec<Certificate>> {
        if stack.is_null() {
            return None;
        }
        let a = lib();
        // SAFETY: the caller's promise.
        unsafe {
            let n = (a.OPENSSL_sk_num)(stack);
            Some((0..n).filter_map(|i| Certificate::borrowed((a.OPENSSL_sk_value)(stack, i))).collect())
        }
    }
    pub(super) fn raw(&self) -> P {
        self.0
    }
    /// The first certificate of a PEM file.
    pub fn from_pem(data: &[u8]) -> Result<Certificate, Option<Error>> {
        let a = lib();
        let bio = MemoryBio::with(data).ok_or(None)?;
        // SAFETY: a live buffer.
        unsafe {
            let x = (a.PEM_read_bio_X509)(bio.raw(), std::ptr::null_mut(), None, std::ptr::null_mut());
            Certificate::owned(x).ok_or_else(Error::last)
        }
    }
    pub fn to_der(&self) -> Result<Vec<u8>, Option<Error>> {
        let mut out: *mut c_uchar = std::ptr::null_mut();
        // SAFETY: the library allocates the result.
        unsafe {
            let len = (lib().i2d_X509)(self.0, &mut out);
            let Ok(len) = usize::try_from(len) else { return Err(Error::last()) };
            let der = std::slice::from_raw_parts(out, len).to_vec();
            (lib().CRYPTO_free)(out.cast(), c"".as_ptr(), 0);
            Ok(der)
        }
    }
    pub fn to_pem(&self) -> String {
        // SAFETY: a live certificate and buffer.
        printed(|bio| unsafe { (lib().PEM_write_bio_X509)(bio, self.0) })
    }
    pub fn is_ca(&self) -> bool {
        // SAFETY: a live certificate.
        unsafe { (lib().X509_check_ca)(self.0) != 0 }
    }
    /// The subject in one line, as `repr` shows it.
    pub fn subject_line(&self) -> String {
        const XN_FLAG_RFC2253: u64 = 0x0111_0317;
        // SAFETY: a live certificate.
        printed(|bio| unsafe {
            (lib().X509_NAME_print_ex)(bio, (lib().X509_get_subject_name)(self.0), 0, XN_FLAG_RFC2253)
        })
    }
    pub fn info(&self) -> Info {
        let a = lib();
        // SAFETY: a live certificate; extensions are freed with the function of their type after their last use.
        unsafe {
            let extension = |nid| (a.X509_get_ext_d2i)(self.0, nid, std::ptr::null_mut(), std::ptr::null_mut());
            let names = extension(NID_SUBJECT_ALT_NAME);
            let alt_names = items::<GeneralName>(a, names).into_iter().map(|g| alt_name(a, g)).collect();
            if !names.is_null() {
                (a.GENERAL_NAMES_free)(names);
            }
            let access = extension(NID_INFO_ACCESS);
            let (mut ocsp, mut ca_issuers) = (Vec::new(), Vec::new());
            for d in items::<AccessDescription>(a, access) {
                let Some(location) = d.location.as_ref().filter(|l| l.kind == GEN_URI) else { continue };
                let uri = String::from_utf8_lossy(&string_bytes(a, location.value)).into_owned();
                match (a.OBJ_obj2nid)(d.method) {
                    NID_AD_OCSP => ocsp.push(uri),
                    NID_AD_CA_ISSUERS => ca_issuers.push(uri),
                    _ => {}
                }
            }
            if !access.is_null() {
                (a.AUTHORITY_INFO_ACCESS_free)(access);
            }
            let points = extension(NID_CRL_DISTRIBUTION_POINTS);
            let mut crl_points = Vec::new();
            for p in items::<DistributionPoint>(a, points) {
                let Some(full) = p.name.as_ref().filter(|n| n.kind == 0) else { continue };
                for g in items::<GeneralName>(a, full.full).into_iter().filter(|g| g.kind == GEN_URI) {
                    crl_points.push(String::from_utf8_lossy(&string_bytes(a, g.value)).into_owned());
                }
            }
            if !points.is_null() {
                (a.CRL_DIST_POINTS_free)(points);
            }
            let version: c_long = (a.X509_get_version)(self.0);
            Info {
                subject: name(a, (a.X509_get_subject_name)(self.0)),
                issuer: name(a, (a.X509_get_issuer_name)(self.0)),
                version: version + 1,
                serial: printed(|bio| (a.i2a_ASN1_INTEGER)(bio, (a.X509_get_serialNumber)(self.0))),
                not_before: printed(|bio| (a.ASN1_TIME_print)(bio, (a.X509_get0_notBefore)(self.0))),
                not_after: printed(|bio| (a.ASN1_TIME_print)(bio, (a.X509_get0_notAfter)(self.0))),
                alt_names,
                ocsp,
                ca_issuers,
                crl_points,
            }
        }
    }
}
/// Why the verification of a certificate failed.
pub fn verify_text(code: i64) -> String {
    // SAFETY: a static string for every number.
    unsafe { text((lib().X509_verify_cert_error_string)(code as c_long)) }
}
