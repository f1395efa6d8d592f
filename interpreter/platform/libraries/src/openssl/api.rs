//! The functions of OpenSSL 3 that are used, found in the system's library when it is first asked for: neither the build
//! nor the start depends on it.
use std::ffi::{CStr, c_char, c_double, c_int, c_long, c_uchar, c_uint, c_ulong, c_void};
use std::sync::OnceLock;

use crate::dynamic::{Seen, api, open};

pub use crate::dynamic::P;

pub type Verify = Option<unsafe extern "C" fn(c_int, P) -> c_int>;
pub type Password = Option<unsafe extern "C" fn(*mut c_char, c_int, c_int, P) -> c_int>;
pub type AlpnSelect =
    Option<unsafe extern "C" fn(P, *mut *const c_uchar, *mut c_uchar, *const c_uchar, c_uint, P) -> c_int>;
pub type Message = Option<unsafe extern "C" fn(c_int, c_int, c_int, *const c_void, usize, P, P)>;
pub type KeyLog = Option<unsafe extern "C" fn(P, *const c_char)>;
pub type PskClient =
    Option<unsafe extern "C" fn(P, *const c_char, *mut c_char, c_uint, *mut c_uchar, c_uint) -> c_uint>;
pub type PskServer = Option<unsafe extern "C" fn(P, *const c_char, *mut c_uchar, c_uint) -> c_uint>;
pub type ServerName = unsafe extern "C" fn(P, *mut c_int, P) -> c_int;

api! {
    struct Api {
        fn OpenSSL_version(c_int) -> *const c_char;
        fn OpenSSL_version_num() -> c_ulong;
        fn ERR_peek_last_error() -> c_ulong;
        fn ERR_clear_error();
        fn ERR_reason_error_string(c_ulong) -> *const c_char;
        fn RAND_bytes(*mut c_uchar, c_int) -> c_int;
        fn RAND_status() -> c_int;
        fn RAND_add(*const c_void, c_int, c_double);
        fn OBJ_txt2obj(*const c_char, c_int) -> P;
        fn OBJ_nid2obj(c_int) -> P;
        fn OBJ_obj2nid(P) -> c_int;
        fn OBJ_sn2nid(*const c_char) -> c_int;
        fn OBJ_nid2sn(c_int) -> *const c_char;
        fn OBJ_nid2ln(c_int) -> *const c_char;
        fn OBJ_obj2txt(*mut c_char, c_int, P, c_int) -> c_int;
        fn ASN1_OBJECT_free(P);
        fn OPENSSL_sk_num(P) -> c_int;
        fn OPENSSL_sk_value(P, c_int) -> P;
        fn OPENSSL_sk_find(P, P) -> c_int;

        fn TLS_method() -> P;
        fn TLS_client_method() -> P;
        fn TLS_server_method() -> P;
        fn TLSv1_method() -> P;
        fn TLSv1_1_method() -> P;
        fn TLSv1_2_method() -> P;
        fn SSL_CTX_new(P) -> P;
        fn SSL_CTX_free(P);
        fn SSL_CTX_ctrl(P, c_int, c_long, P) -> c_long;
        fn SSL_CTX_callback_ctrl(P, c_int, Option<ServerName>) -> c_long;
        fn SSL_CTX_set_options(P, u64) -> u64;
        fn SSL_CTX_get_options(P) -> u64;
        fn SSL_CTX_clear_options(P, u64) -> u64;
        fn SSL_CTX_set_cipher_list(P, *const c_char) -> c_int;
        fn SSL_CTX_get0_param(P) -> P;
        fn SSL_CTX_set_verify(P, c_int, Verify);
        fn SSL_CTX_get_verify_mode(P) -> c_int;
        fn SSL_CTX_set_post_handshake_auth(P, c_int);
        fn SSL_CTX_set_alpn_protos(P, *const c_uchar, c_uint) -> c_int;
        fn SSL_CTX_set_alpn_select_cb(P, AlpnSelect, P);
        fn SSL_CTX_use_certificate_chain_file(P, *const c_char) -> c_int;
        fn SSL_CTX_use_PrivateKey_file(P, *const c_char, c_int) -> c_int;
        fn SSL_CTX_check_private_key(P) -> c_int;
        fn SSL_CTX_set_default_passwd_cb(P, Password);
        fn SSL_CTX_set_default_passwd_cb_userdata(P, P);
        fn SSL_CTX_load_verify_locations(P, *const c_char, *const c_char) -> c_int;
        fn SSL_CTX_set_default_verify_paths(P) -> c_int;
        fn SSL_CTX_get_cert_store(P) -> P;
        fn SSL_CTX_set_keylog_callback(P, KeyLog);
        fn SSL_CTX_set_msg_callback(P, Message);
        fn SSL_CTX_set_num_tickets(P, usize) -> c_int;
        fn SSL_CTX_get_num_tickets(P) -> usize;
        fn SSL_CTX_get_security_level(P) -> c_int;
        fn SSL_CTX_set_psk_client_callback(P, PskClient);
        fn SSL_CTX_set_psk_server_callback(P, PskServer);
        fn SSL_CTX_use_psk_identity_hint(P, *const c_char) -> c_int;
        fn X509_VERIFY_PARAM_set_flags(P, c_ulong) -> c_int;
        fn X509_VERIFY_PARAM_clear_flags(P, c_ulong) -> c_int;
        fn X509_VERIFY_PARAM_get_flags(P) -> c_ulong;
        fn X509_VERIFY_PARAM_set_hostflags(P, c_uint);
        fn X509_VERIFY_PARAM_set1_host(P, *const c_char, usize) -> c_int;
        fn X509_VERIFY_PARAM_set1_ip(P, *const c_uchar, usize) -> c_int;
        fn X509_get_default_cert_file() -> *const c_char;
        fn X509_get_default_cert_dir() -> *const c_char;
        fn X509_get_default_cert_file_env() -> *const c_char;
        fn X509_get_default_cert_dir_env() -> *const c_char;

        fn SSL_new(P) -> P;
        fn SSL_free(P);
        fn SSL_ctrl(P, c_int, c_long, P) -> c_long;
        fn SSL_set_ex_data(P, c_int, P) -> c_int;
        fn SSL_get_ex_data(P, c_int) -> P;
        fn SSL_CTX_set_ex_data(P, c_int, P) -> c_int;
        fn SSL_CTX_get_ex_data(P, c_int) -> P;
        fn SSL_get_SSL_CTX(P) -> P;
        fn SSL_set_SSL_CTX(P, P) -> P;
        fn SSL_set_fd(P, c_int) -> c_int;
        fn SSL_set_bio(P, P, P);
        fn SSL_get_rbio(P) -> P;
        fn SSL_get_wbio(P) -> P;
        fn SSL_set_accept_state(P);
        fn SSL_set_connect_state(P);
        fn SSL_do_handshake(P) -> c_int;
        fn SSL_read_ex(P, P, usize, *mut usize) -> c_int;
        fn SSL_write_ex(P, *const c_void, usize, *mut usize) -> c_int;
        fn SSL_get_error(P, c_int) -> c_int;
        fn SSL_pending(P) -> c_int;
        fn SSL_shutdown(P) -> c_int;
        fn SSL_get_shutdown(P) -> c_int;
        fn SSL_set_read_ahead(P, c_int);
        fn SSL_get0_param(P) -> P;
        fn SSL_set_verify(P, c_int, Verify);
        fn SSL_get_verify_mode(P) -> c_int;
        fn SSL_set_post_handshake_auth(P, c_int);
        fn SSL_verify_client_post_handshake(P) -> c_int;
        fn SSL_get_verify_result(P) -> c_long;
        fn X509_verify_cert_error_string(c_long) -> *const c_char;
        fn SSL_get1_peer_certificate(P) -> P;
        fn SSL_get_peer_cert_chain(P) -> P;
        fn SSL_get0_verified_chain(P) -> P;
        fn SSL_get_ciphers(P) -> P;
        fn SSL_get_client_ciphers(P) -> P;
        fn SSL_get_current_cipher(P) -> P;
        fn SSL_CIPHER_get_name(P) -> *const c_char;
        fn SSL_CIPHER_get_version(P) -> *const c_char;
        fn SSL_CIPHER_get_bits(P, *mut c_int) -> c_int;
        fn SSL_CIPHER_get_id(P) -> u32;
        fn SSL_CIPHER_description(P, *mut c_char, c_int) -> *mut c_char;
        fn SSL_CIPHER_is_aead(P) -> c_int;
        fn SSL_CIPHER_get_cipher_nid(P) -> c_int;
        fn SSL_CIPHER_get_digest_nid(P) -> c_int;
        fn SSL_CIPHER_get_kx_nid(P) -> c_int;
        fn SSL_CIPHER_get_auth_nid(P) -> c_int;
        fn SSL_get_version(P) -> *const c_char;
        fn SSL_get0_alpn_selected(P, *mut *const c_uchar, *mut c_uint);
        fn SSL_get_finished(P, P, usize) -> usize;
        fn SSL_get_peer_finished(P, P, usize) -> usize;
        fn SSL_session_reused(P) -> c_int;
        fn SSL_get_session(P) -> P;
        fn SSL_set_session(P, P) -> c_int;
        fn SSL_is_init_finished(P) -> c_int;
        fn SSL_is_server(P) -> c_int;
        fn SSL_get_servername(P, c_int) -> *const c_char;
        fn SSL_set_session_id_context(P, *const c_uchar, c_uint) -> c_int;
        fn SSL_SESSION_dup(P) -> P;
        fn SSL_SESSION_free(P);
        fn SSL_SESSION_get_id(P, *mut c_uint) -> *const c_uchar;
        fn SSL_SESSION_get_time(P) -> c_long;
        fn SSL_SESSION_get_timeout(P) -> c_long;
        fn SSL_SESSION_has_ticket(P) -> c_int;
        fn SSL_SESSION_get_ticket_lifetime_hint(P) -> c_ulong;

        fn BIO_new(P) -> P;
        fn BIO_s_mem() -> P;
        fn BIO_new_file(*const c_char, *const c_char) -> P;
        fn BIO_free(P) -> c_int;
        fn BIO_up_ref(P) -> c_int;
        fn BIO_read(P, P, c_int) -> c_int;
        fn BIO_write(P, *const c_void, c_int) -> c_int;
        fn BIO_ctrl_pending(P) -> usize;
        fn BIO_ctrl(P, c_int, c_long, P) -> c_long;
        fn BIO_set_flags(P, c_int);
        fn BIO_clear_flags(P, c_int);

        fn PEM_read_bio_X509(P, *mut P, Password, P) -> P;
        fn PEM_write_bio_X509(P, P) -> c_int;
        fn PEM_read_bio_DHparams(P, *mut P, Password, P) -> P;
        fn DH_free(P);
        fn d2i_X509_bio(P, *mut P) -> P;
        fn i2d_X509(P, *mut *mut c_uchar) -> c_int;
        fn X509_free(P);
        fn X509_up_ref(P) -> c_int;
        fn X509_STORE_add_cert(P, P) -> c_int;
        fn X509_STORE_get0_objects(P) -> P;
        fn X509_OBJECT_get_type(P) -> c_int;
        fn X509_OBJECT_get0_X509(P) -> P;
        fn X509_check_ca(P) -> c_int;
        fn X509_get_subject_name(P) -> P;
        fn X509_get_issuer_name(P) -> P;
        fn X509_get_version(P) -> c_long;
        fn X509_get_serialNumber(P) -> P;
        fn X509_get0_notBefore(P) -> P;
        fn X509_get0_notAfter(P) -> P;
        fn X509_get_ext_d2i(P, c_int, *mut c_int, *mut c_int) -> P;
        fn X509_NAME_entry_count(P) -> c_int;
        fn X509_NAME_get_entry(P, c_int) -> P;
        fn X509_NAME_ENTRY_get_object(P) -> P;
        fn X509_NAME_ENTRY_get_data(P) -> P;
        fn X509_NAME_ENTRY_set(P) -> c_int;
        fn X509_NAME_print_ex(P, P, c_int, c_ulong) -> c_int;
        fn ASN1_STRING_get0_data(P) -> *const c_uchar;
        fn ASN1_STRING_length(P) -> c_int;
        fn ASN1_STRING_to_UTF8(*mut *mut c_uchar, P) -> c_int;
        fn ASN1_TIME_print(P, P) -> c_int;
        fn i2a_ASN1_INTEGER(P, P) -> c_int;
        fn GENERAL_NAME_print(P, P) -> c_int;
        fn GENERAL_NAMES_free(P);
        fn AUTHORITY_INFO_ACCESS_free(P);
        fn CRL_DIST_POINTS_free(P);
        fn CRYPTO_free(P, *const c_char, c_int);
    }
}

/// The library; `None` where the system has no OpenSSL 3.
pub fn api() -> Option<&'static Api> {
    static API: OnceLock<Option<Api>> = OnceLock::new();
    API.get_or_init(|| {
        // SAFETY: the soname of OpenSSL 3, whose interface is stable within the major version; libcrypto is found through
        // libssl's dependencies.
        unsafe { Api::load(open(&[c"libssl.so.3"], Seen::Alone)?) }
    })
    .as_ref()
}
/// The library, where a module that needs it was loaded.
pub fn lib() -> &'static Api {
    api().expect("nothing is made of a library that is not there")
}
/// A C string of the library, copied; empty for null.
///
/// # Safety
/// Null or NUL-terminated, alive during the call.
pub unsafe fn text(s: *const c_char) -> String {
    // SAFETY: the caller's promise.
    if s.is_null() { String::new() } else { unsafe { CStr::from_ptr(s) }.to_string_lossy().into_owned() }
}
