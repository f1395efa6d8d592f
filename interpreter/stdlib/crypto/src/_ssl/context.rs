//! `_SSLContext`: settings. Certificates and keys are loaded in `load`, callbacks are in `callbacks`.
mod callbacks;
mod load;

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering::Relaxed};

use krait_libraries::openssl::{self, CipherInfo, Connection, Context, Protocol, Stream};
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{GetFn, GetSet, SetFn, Sig, getset, method};
use krait_object::{
    Args, ClassDef, Dict, List, Method, PyResult, Ref, SlotDefs, Thread, Type, TypeObject, VTable, Value, ValueCell,
    type_flag,
};
use krait_runtime::errors::{attribute_error, overflow_error, type_error, value_error};
use krait_runtime::protocol::buffer::hold;
use krait_runtime::protocol::{compare, number};
use krait_runtime::warnings;

use super::constants::{self as k};
use super::{c_string, errors, socket};

#[derive(Trace, Payload)]
#[payload(class = CONTEXT)]
pub struct SslContext {
    #[trace(skip)]
    pub context: Context,
    #[trace(skip)]
    pub protocol: i32,
    #[trace(skip)]
    check_hostname: AtomicBool,
    #[trace(skip)]
    pub post_handshake_auth: AtomicBool,
    #[trace(skip)]
    pub host_flags: AtomicU32,
    #[trace(skip)]
    verify_mode: AtomicI32,
    sni_callback: ValueCell,
    msg_callback: ValueCell,
    keylog_filename: ValueCell,
}
static LAYOUT: VTable = VTable::of::<SslContext>();
pub static CONTEXT: TypeObject = TypeObject::builtin("_SSLContext", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_ssl",
    methods: METHODS,
    getset: ATTRIBUTES,
    slots: SlotDefs { new: Some(new), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::IMMUTABLE | type_flag::HAVE_GC,
    ..ClassDef::new(&CONTEXT)
};
static METHODS: &[Method] = &[
    method(
        "_wrap_socket",
        "(sock, server_side, server_hostname=None, *,\n             owner=None, session=None)",
        "",
        socket::wrap_socket,
    ),
    method(
        "_wrap_bio",
        "(incoming, outgoing, server_side, server_hostname=None, *,\n          owner=None, session=None)",
        "",
        socket::wrap_bio,
    ),
    method("set_ciphers", "(cipherlist, /)", "Set the ciphers by OpenSSL's list format.", |th, a| {
        let list = c_string(th, &a[1], "set_ciphers", "argument")?;
        match a.this::<SslContext>().context.set_cipher_list(&list) {
            Ok(()) => Ok(Value::NONE),
            Err(_) => {
                openssl::Error::clear();
                Err(errors::plain(th, "No cipher can be selected."))
            }
        }
    }),
    method("_set_alpn_protocols", "(protos, /)", "", |th, a| {
        let protocols = hold(th, &a[1])?;
        if u32::try_from(protocols.len()).is_err() {
            return Err(overflow_error(th, "protocols longer than 4294967295 bytes"));
        }
        match a.this::<SslContext>().context.set_alpn(&protocols) {
            true => Ok(Value::NONE),
            false => Err(krait_runtime::errors::memory_error(th)),
        }
    }),
    method("load_cert_chain", "(certfile, keyfile=None, password=None)", "", load::cert_chain),
    method("load_dh_params", "(path, /)", "", load::dh_params),
    method("load_verify_locations", "(cafile=None, capath=None, cadata=None)", "", load::verify_locations),
    method("session_stats", "()", "", |_, a| {
        let c = &a.this::<SslContext>().context;
        let d = Dict::new();
        for (i, name) in [
            (0, "number"),
            (1, "connect"),
            (2, "connect_good"),
            (3, "connect_renegotiate"),
            (4, "accept"),
            (5, "accept_good"),
            (6, "accept_renegotiate"),
            (7, "hits"),
            (9, "misses"),
            (10, "timeouts"),
            (11, "cache_full"),
        ] {
            d.set_text(name, c.session_counter(i));
        }
        Ok(d.into())
    }),
    method("set_default_verify_paths", "()", "", |th, a| {
        match a.this::<SslContext>().context.set_default_verify_paths() {
            Ok(()) => Ok(Value::NONE),
            Err(e) => Err(errors::from_queue(th, e, None)),
        }
    }),
    method("set_ecdh_curve", "(name, /)", "", load::ecdh_curve),
    method(
        "cert_store_stats",
        "()",
        "How many certificates were loaded: 'x509', among them 'x509_ca', and the revocation lists 'crl'.",
        |_, a| {
            let counts = a.this::<SslContext>().context.store_counts();
            let d = Dict::new();
            d.set_text("x509", counts.certificates);
            d.set_text("crl", counts.crls);
            d.set_text("x509_ca", counts.authorities);
            Ok(d.into())
        },
    ),
    method("get_ca_certs", "(binary_form=False)", "The loaded certificates of authorities.", |th, a| {
        let binary = a.opt(1).map_or(Ok(false), |v| compare::truth(th, v))?;
        let mut all = Vec::new();
        for c in a.this::<SslContext>().context.authorities() {
            all.push(if binary { super::certificate::der(th, &c)? } else { super::certificate::fields(&c) });
        }
        Ok(List::new(all).into())
    }),
    method("get_ciphers", "()", "", |th, a| {
        let me = a.this::<SslContext>();
        match Connection::new(&me.context, Stream::Socket(-1), false, 0) {
            Ok(c) => Ok(List::new(c.ciphers().into_iter().map(cipher_dict).collect()).into()),
            Err(e) => Err(errors::from_queue(th, e, None)),
        }
    }),
    method("set_psk_client_callback", "(callback)", "", callbacks::set_psk_client),
    method("set_psk_server_callback", "(callback, identity_hint=None)", "", callbacks::set_psk_server),
];
fn cipher_dict(c: CipherInfo) -> Value {
    let d = Dict::new();
    d.set_text("id", c.id);
    d.set_text("name", c.name);
    d.set_text("protocol", c.protocol);
    d.set_text("description", c.description);
    d.set_text("strength_bits", c.strength_bits);
    d.set_text("alg_bits", c.alg_bits);
    d.set_text("aead", Value::bool(c.aead));
    d.set_text("symmetric", c.symmetric);
    d.set_text("digest", c.digest);
    d.set_text("kea", c.kea);
    d.set_text("auth", c.auth);
    d.into()
}
const fn attribute(name: &'static str, get: GetFn, set: SetFn) -> GetSet {
    getset(name, "", get, set)
}
static ATTRIBUTES: &[GetSet] = &[
    attribute("check_hostname", |_, v| Ok(Value::bool(this(v).check_hostname.load(Relaxed))), set_check_hostname),
    attribute(
        "_host_flags",
        |_, v| Ok(this(v).host_flags.load(Relaxed).into()),
        |th, v, new| {
            let new = given(th, new)?;
            let flags = number::to_masked(th, new, 32)? as u32;
            this(v).host_flags.store(flags, Relaxed);
            this(v).context.set_host_flags(flags);
            Ok(())
        },
    ),
    attribute("minimum_version", |_, v| Ok(bound(v, false)), |th, v, new| set_bound(th, v, new, false)),
    attribute("maximum_version", |_, v| Ok(bound(v, true)), |th, v, new| set_bound(th, v, new, true)),
    attribute("keylog_filename", |_, v| Ok(this(v).keylog_filename.get().into()), callbacks::set_keylog_filename),
    attribute("_msg_callback", |_, v| Ok(this(v).msg_callback.get().into()), callbacks::set_msg_callback),
    attribute("sni_callback", |_, v| Ok(this(v).sni_callback.get().into()), callbacks::set_sni_callback),
    attribute(
        "num_tickets",
        |_, v| Ok(this(v).context.num_tickets().into()),
        |th, v, new| {
            let new = given(th, new)?;
            let n = number::to_i64(th, new)?;
            let Ok(n) = usize::try_from(n) else { return Err(value_error(th, "value must be non-negative")) };
            if this(v).protocol != k::PROTOCOL_TLS_SERVER {
                return Err(value_error(th, "SSLContext is not a server context."));
            }
            if !this(v).context.set_num_tickets(n) {
                return Err(value_error(th, "failed to set num tickets."));
            }
            Ok(())
        },
    ),
    attribute("options", |_, v| Ok(this(v).context.options().into()), set_options),
    attribute(
        "post_handshake_auth",
        |_, v| Ok(Value::bool(this(v).post_handshake_auth.load(Relaxed))),
        |th, v, new| {
            let Some(new) = new else { return Err(attribute_error(th, "cannot delete attribute")) };
            let on = compare::truth(th, new)?;
            this(v).post_handshake_auth.store(on, Relaxed);
            Ok(())
        },
    ),
    krait_object::native::getter("protocol", "", |_, v| Ok(this(v).protocol.into())),
    attribute(
        "verify_flags",
        |_, v| Ok(this(v).context.verify_flags().into()),
        |th, v, new| {
            let new = given(th, new)?;
            let new = number::to_u64(th, new)?;
            let old = this(v).context.verify_flags();
            match this(v).context.change_verify_flags(new & !old, old & !new) {
                Ok(()) => Ok(()),
                Err(e) => Err(errors::from_queue(th, e, None)),
            }
        },
    ),
    attribute(
        "verify_mode",
        |_, v| Ok(this(v).verify_mode.load(Relaxed).into()),
        |th, v, new| {
            let new = given(th, new)?;
            let mode = number::to_i32(th, new)?;
            if mode == k::CERT_NONE && this(v).check_hostname.load(Relaxed) {
                let message = "Cannot set verify_mode to CERT_NONE when check_hostname is enabled.";
                return Err(value_error(th, message));
            }
            set_verify_mode(th, this(v), mode)
        },
    ),
    krait_object::native::getter("security_level", "The current security level", |_, v| {
        Ok(this(v).context.security_level().into())
    }),
];
fn this(v: &Value) -> &SslContext {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
fn given<'a>(th: &mut Thread, new: Option<&'a Value>) -> PyResult<&'a Value> {
    new.ok_or_else(|| attribute_error(th, "cannot delete attribute"))
}

fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(protocol, /)");
    let bound = SIG.bind(th, "_SSLContext", "_SSLContext", args, 0)?;
    let number = number::to_i32(th, &bound.args()[0])?;
    let (protocol, deprecated) = match number {
        k::PROTOCOL_TLS => (Protocol::Tls, Some("ssl.PROTOCOL_TLS is deprecated")),
        k::PROTOCOL_TLS_CLIENT => (Protocol::Client, None),
        k::PROTOCOL_TLS_SERVER => (Protocol::Server, None),
        k::PROTOCOL_TLS_V1 => (Protocol::Tls1, Some("ssl.PROTOCOL_TLSv1 is deprecated")),
        k::PROTOCOL_TLS_V1_1 => (Protocol::Tls11, Some("ssl.PROTOCOL_TLSv1_1 is deprecated")),
        k::PROTOCOL_TLS_V1_2 => (Protocol::Tls12, Some("ssl.PROTOCOL_TLSv1_2 is deprecated")),
        _ => return Err(value_error(th, "invalid or unsupported protocol version")),
    };
    if let Some(message) = deprecated {
        warnings::warn(th, &krait_runtime::exceptions::DEPRECATION_WARNING, message, 2)?;
    }
    let context = match Context::new(protocol) {
        Ok(c) => c,
        Err(e) => return Err(errors::from_queue(th, e, None)),
    };
    let client = number == k::PROTOCOL_TLS_CLIENT;
    let options = k::OP_ALL | k::OP_NO_SSL_V3 | k::OP_NO_COMPRESSION | k::OP_CIPHER_SERVER_PREFERENCE;
    context.change_options(options, 0x800);
    if context.set_cipher_list(&std::ffi::CString::new(k::DEFAULT_CIPHERS).unwrap_or_default()).is_err() {
        openssl::Error::clear();
        return Err(errors::plain(th, "No cipher can be selected."));
    }
    if matches!(protocol, Protocol::Tls | Protocol::Client | Protocol::Server) && !context.set_version_bound(false, 771)
    {
        return Err(value_error(th, "Failed to set minimum protocol 0x303"));
    }
    if let Err(e) = context.change_verify_flags(k::VERIFY_X509_TRUSTED_FIRST, 0) {
        return Err(errors::from_queue(th, e, None));
    }
    context.set_host_flags(k::HOSTFLAG_NO_PARTIAL_WILDCARDS);
    context.set_post_handshake_auth(false);
    let payload = SslContext {
        context,
        protocol: number,
        check_hostname: AtomicBool::new(client),
        post_handshake_auth: AtomicBool::new(false),
        host_flags: AtomicU32::new(k::HOSTFLAG_NO_PARTIAL_WILDCARDS),
        verify_mode: AtomicI32::new(k::CERT_NONE),
        sni_callback: ValueCell::empty(),
        msg_callback: ValueCell::empty(),
        keylog_filename: ValueCell::empty(),
    };
    set_verify_mode(th, &payload, if client { k::CERT_REQUIRED } else { k::CERT_NONE })?;
    Ok(Ref::with_class(payload, class.object()).into())
}
fn set_verify_mode(th: &mut Thread, c: &SslContext, mode: i32) -> PyResult<()> {
    let ssl = match mode {
        k::CERT_NONE => 0,
        k::CERT_OPTIONAL => 1,
        k::CERT_REQUIRED => 3,
        _ => return Err(value_error(th, "invalid value for verify_mode")),
    };
    c.context.set_verify_mode(ssl);
    c.verify_mode.store(mode, Relaxed);
    Ok(())
}
fn set_check_hostname(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    let new = given(th, new)?;
    let on = compare::truth(th, new)?;
    let c = this(v);
    if on && c.verify_mode.load(Relaxed) == k::CERT_NONE {
        set_verify_mode(th, c, k::CERT_REQUIRED)?;
    }
    c.check_hostname.store(on, Relaxed);
    Ok(())
}
impl SslContext {
    pub fn checks_hostname(&self) -> bool {
        self.check_hostname.load(Relaxed)
    }
}
fn set_options(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    let new = given(th, new)?;
    if new.as_int_ref().is_none() {
        let class = new.class().name();
        return Err(type_error(th, format!("argument must be int, not {class}")));
    }
    let new = number::to_u64(th, new)?;
    let old = this(v).context.options();
    let (clear, set) = (old & !new, !old & new);
    if set & k::OP_NO_VERSIONS != 0 {
        let message = "ssl.OP_NO_SSL*/ssl.OP_NO_TLS* options are deprecated";
        warnings::warn(th, &krait_runtime::exceptions::DEPRECATION_WARNING, message, 2)?;
    }
    this(v).context.change_options(set, clear);
    Ok(())
}

const MINIMUM_SUPPORTED: i64 = -2;
const MAXIMUM_SUPPORTED: i64 = -1;
const SSL_V3: i64 = 768;
const TLS_V1: i64 = 769;
const TLS_V1_3: i64 = 772;

fn bound(v: &Value, highest: bool) -> Value {
    let (low, high) = this(v).context.version_bounds();
    match if highest { high } else { low } {
        0 if highest => MAXIMUM_SUPPORTED.into(),
        0 => MINIMUM_SUPPORTED.into(),
        n => n.into(),
    }
}
fn set_bound(th: &mut Thread, v: &Value, new: Option<&Value>, highest: bool) -> PyResult<()> {
    let c = this(v);
    let new = given(th, new)?;
    let version = i64::from(number::to_i32(th, new)?);
    if !matches!(c.protocol, k::PROTOCOL_TLS | k::PROTOCOL_TLS_CLIENT | k::PROTOCOL_TLS_SERVER) {
        let message = "The context's protocol doesn't support modification of highest and lowest version.";
        return Err(value_error(th, message));
    }
    let deprecated = match version {
        SSL_V3 => Some("ssl.TLSVersion.SSLv3 is deprecated"),
        TLS_V1 => Some("ssl.TLSVersion.TLSv1 is deprecated"),
        770 => Some("ssl.TLSVersion.TLSv1_1 is deprecated"),
        771 | TLS_V1_3 | MINIMUM_SUPPORTED | MAXIMUM_SUPPORTED => None,
        _ => {
            let shown = version as u32;
            return Err(value_error(th, format!("Unsupported TLS/SSL version 0x{shown:x}")));
        }
    };
    if let Some(message) = deprecated {
        warnings::warn(th, &krait_runtime::exceptions::DEPRECATION_WARNING, message, 2)?;
    }
    let number = match (version, highest) {
        (MINIMUM_SUPPORTED, false) | (MAXIMUM_SUPPORTED, true) => 0,
        (MINIMUM_SUPPORTED, true) => TLS_V1,
        (MAXIMUM_SUPPORTED, false) => TLS_V1_3,
        (n, _) => n,
    };
    if !c.context.set_version_bound(highest, number) {
        return Err(value_error(th, format!("Unsupported protocol version 0x{number:x}")));
    }
    Ok(())
}
