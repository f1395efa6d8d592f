//! The socket object: its state, timeouts, connection.
use std::sync::atomic::{AtomicI32, AtomicI64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, getter, member, method};
use krait_object::{
    Args, ClassDef, GetSet, Method, PyResult, Raised, Ref, SlotDefs, Thread, Tuple, TypeObject, VTable, Value,
    type_flag,
};
use krait_platform::{errno, fd, socket as platform, wait};
use krait_runtime::audit::audit;
use krait_runtime::errors::{os_error, raise, type_error, value_error, write_unraisable};
use krait_runtime::exceptions::{RESOURCE_WARNING, TIMEOUT_ERROR};
use krait_runtime::protocol::{compare, number, repr};
use krait_runtime::seconds::{Rounding, nanoseconds};
use krait_runtime::signals;
use krait_runtime::warnings::warn;
use krait_runtime::world::{blocking, retry};

use super::address::{from_python, to_python};

pub(super) const SOCK_CLOEXEC: i32 = 0o2000000;
const SOCK_NONBLOCK: i32 = 0o4000;
const SOL_SOCKET: i32 = 1;
const SO_TYPE: i32 = 3;
const SO_ERROR: i32 = 4;
const SO_PROTOCOL: i32 = 38;

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = SOCKET)]
pub(super) struct Socket {
    /// -1 = closed.
    pub fd: AtomicI32,
    pub family: AtomicI32,
    pub kind: AtomicI32,
    pub protocol: AtomicI32,
    /// Nanoseconds; negative = wait for ever, 0 = do not wait.
    pub timeout: AtomicI64,
}
static LAYOUT: VTable = VTable::of::<Socket>();
pub(super) static SOCKET: TypeObject = TypeObject::builtin("socket", Some(&OBJECT), &LAYOUT);

pub(super) static DEF: ClassDef = ClassDef {
    module: "_socket",
    doc: "A network connection's end.\n\nMade from family, type and protocol, or from a descriptor, which then tells them.",
    sig: "(family=-1, type=-1, proto=-1, fileno=None)",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(|_, class, _| Ok(Ref::with_class(Socket::closed(), class.object()).into())),
        init: Some(init),
        repr: Some(|_, v| {
            let s = socket(v);
            let [fd, family, kind, proto] = [&s.fd, &s.family, &s.kind, &s.protocol].map(|n| n.load(SeqCst));
            Ok(Value::from(format!("<socket object, fd={fd}, family={family}, type={kind}, proto={proto}>")))
        }),
        finalize: Some(finalize),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&SOCKET)
};
pub(super) fn socket(v: &Value) -> &Socket {
    v.downcast_ref().expect("the descriptor checked the class")
}
static DEFAULT_TIMEOUT: AtomicI64 = AtomicI64::new(-1);

pub(super) fn default_timeout() -> i64 {
    DEFAULT_TIMEOUT.load(SeqCst)
}
pub(super) fn set_default_timeout(t: i64) {
    DEFAULT_TIMEOUT.store(t, SeqCst);
}
pub(super) fn timeout_value(t: i64) -> Value {
    if t < 0 { Value::NONE } else { Value::float(t as f64 / 1e9) }
}
/// None or seconds.
pub(super) fn timeout_argument(th: &mut Thread, v: &Value) -> PyResult<i64> {
    if v.is_none() {
        return Ok(-1);
    }
    match nanoseconds(th, v, Rounding::Up)? {
        t if t < 0 => Err(value_error(th, "Timeout value out of range")),
        t => Ok(t),
    }
}
impl Socket {
    fn closed() -> Socket {
        let zero = || AtomicI32::new(0);
        Socket { fd: AtomicI32::new(-1), family: zero(), kind: zero(), protocol: zero(), timeout: AtomicI64::new(-1) }
    }
    pub fn descriptor(&self) -> i32 {
        self.fd.load(SeqCst)
    }
    fn set(&self, th: &mut Thread, fd: i32, family: i32, kind: i32, protocol: i32) -> PyResult<()> {
        self.fd.store(fd, SeqCst);
        self.family.store(family, SeqCst);
        self.kind.store(kind & !(SOCK_NONBLOCK | SOCK_CLOEXEC), SeqCst);
        self.protocol.store(protocol, SeqCst);
        if kind & SOCK_NONBLOCK != 0 {
            self.timeout.store(0, SeqCst);
            return Ok(());
        }
        self.timeout.store(default_timeout(), SeqCst);
        if default_timeout() >= 0
            && let Err(e) = krait_platform::fd::set_blocking(fd, false)
        {
            return Err(os_error(th, e, None));
        }
        Ok(())
    }
}
pub(super) fn new_socket(th: &mut Thread, fd: i32, family: i32, kind: i32, protocol: i32) -> PyResult<Value> {
    let made = Ref::new(Socket::closed());
    made.set(th, fd, family, kind, protocol)?;
    Ok(made.into())
}
fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    static SIG: Sig = Sig::new("(family=-1, type=-1, proto=-1, fileno=None)");
    let bound = SIG.bind(th, "socket", "socket", args, 0)?;
    let a = bound.args();
    let mut given = [-1i32; 3];
    for (i, n) in given.iter_mut().enumerate() {
        if let Some(x) = a.opt(i) {
            *n = number::to_i32(th, x)?;
        }
    }
    let [mut family, mut kind, mut protocol] = given;
    audit(th, "socket.__new__", &[v.clone(), family.into(), kind.into(), protocol.into()])?;
    let f = match a.opt_not_none(3) {
        Some(fileno) => {
            if fileno.to_f64().is_some() {
                return Err(type_error(th, "integer argument expected, got float"));
            }
            let f = number::to_i32(th, fileno)?;
            if f < 0 {
                return Err(value_error(th, "negative file descriptor"));
            }
            let ask = |option| platform::get_option_int(f, SOL_SOCKET, option);
            let address = match platform::own_address(f) {
                Ok(a) => a,
                Err(e) if family == -1 || matches!(e, errno::EBADF | 88) => return Err(os_error(th, e, None)),
                Err(_) => Vec::new(),
            };
            if family == -1 {
                family = address.first_chunk().map_or(0, |b| i32::from(u16::from_ne_bytes(*b)));
            }
            if kind == -1 {
                kind = ask(SO_TYPE).map_err(|e| os_error(th, e, None))?;
            }
            if protocol == -1 {
                protocol = ask(SO_PROTOCOL).map_err(|e| os_error(th, e, None))?;
            }
            f
        }
        None => {
            family = if family == -1 { 2 } else { family };
            kind = if kind == -1 { 1 } else { kind };
            protocol = if protocol == -1 { 0 } else { protocol };
            match blocking(th, || platform::socket(family, kind | SOCK_CLOEXEC, protocol)) {
                Ok(f) => f,
                Err(e) => return Err(os_error(th, e, None)),
            }
        }
    };
    socket(v).set(th, f, family, kind, protocol)
}
fn finalize(th: &mut Thread, v: &Value) {
    if socket(v).descriptor() < 0 {
        return;
    }
    if let Ok(shown) = repr::repr(th, v)
        && warn(th, &RESOURCE_WARNING, &format!("unclosed {shown}"), 1).is_err()
    {
        write_unraisable(th, Some(v));
    }
    if th.exc.is_some() {
        write_unraisable(th, Some(v));
    }
    let f = socket(v).fd.swap(-1, SeqCst);
    if f >= 0 {
        let _ = fd::close(f);
    }
}
pub(super) fn timed_out(th: &mut Thread) -> Raised {
    raise(th, &TIMEOUT_ERROR, "timed out")
}
/// Waits until the descriptor is ready; false = not in time. `deadline` `None` = for ever.
fn wait_ready(th: &mut Thread, f: i32, events: i16, deadline: Option<Instant>) -> PyResult<bool> {
    loop {
        let left = deadline.map(|d| d.saturating_duration_since(Instant::now()));
        let ms = left.map_or(-1, |l| i32::try_from(l.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX));
        let mut fds = [wait::Poll { fd: f, events, happened: 0 }];
        match blocking(th, || wait::poll(&mut fds, ms)) {
            Ok(n) => return Ok(n > 0),
            Err(errno::EINTR) => signals::run_pending(th)?,
            Err(e) => return Err(os_error(th, e, None)),
        }
    }
}
pub(super) fn deadline_of(timeout: i64) -> Option<Instant> {
    if timeout < 0 { None } else { Instant::now().checked_add(Duration::from_nanos(timeout as u64)) }
}
/// A call that may block, under the socket's timeout; `deadline` is that of the whole operation.
pub(super) fn operate_until<R>(
    th: &mut Thread,
    s: &Socket,
    writing: bool,
    deadline: Option<Instant>,
    mut f: impl FnMut(i32) -> Result<R, i32>,
) -> PyResult<R> {
    let (fd, timeout) = (s.descriptor(), s.timeout.load(SeqCst));
    let events = if writing { wait::POLLOUT } else { wait::POLLIN };
    loop {
        if timeout > 0 && !wait_ready(th, fd, events, deadline)? {
            return Err(timed_out(th));
        }
        match retry(th, || f(fd))? {
            Ok(r) => return Ok(r),
            Err(errno::EAGAIN) if timeout > 0 => {}
            Err(e) => return Err(os_error(th, e, None)),
        }
    }
}
pub(super) fn operate<R>(
    th: &mut Thread,
    s: &Socket,
    writing: bool,
    f: impl FnMut(i32) -> Result<R, i32>,
) -> PyResult<R> {
    let deadline = deadline_of(s.timeout.load(SeqCst));
    operate_until(th, s, writing, deadline, f)
}
/// 0 or an error number.
fn connect(th: &mut Thread, s: &Socket, address: &[u8]) -> PyResult<i32> {
    let (fd, timeout) = (s.descriptor(), s.timeout.load(SeqCst));
    let waits = match blocking(th, || platform::connect(fd, address)) {
        Ok(_) => return Ok(0),
        Err(errno::EINTR) => {
            signals::run_pending(th)?;
            if timeout == 0 {
                return Ok(errno::EINTR);
            }
            true
        }
        Err(e @ errno::EINPROGRESS) if timeout <= 0 => return Ok(e),
        Err(errno::EINPROGRESS) => true,
        Err(e) => return Ok(e),
    };
    if waits && !wait_ready(th, fd, wait::POLLOUT, deadline_of(timeout))? {
        return Err(timed_out(th));
    }
    match platform::get_option_int(fd, SOL_SOCKET, SO_ERROR) {
        Ok(106) => Ok(0),
        Ok(e) => Ok(e),
        Err(e) => Ok(e),
    }
}
static GETSET: &[GetSet] = &[
    member("family", "the socket family", |_, v| Ok(socket(v).family.load(SeqCst).into())),
    member("type", "the socket type", |_, v| Ok(socket(v).kind.load(SeqCst).into())),
    member("proto", "the socket protocol", |_, v| Ok(socket(v).protocol.load(SeqCst).into())),
    getter("timeout", "the socket timeout", |_, v| Ok(timeout_value(socket(v).timeout.load(SeqCst)))),
];
fn none_or(th: &mut Thread, done: Result<i32, i32>) -> PyResult<Value> {
    match done {
        Ok(_) => Ok(Value::NONE),
        Err(e) => Err(os_error(th, e, None)),
    }
}
fn set_timeout(th: &mut Thread, v: &Value, t: i64) -> PyResult<Value> {
    let s = socket(v);
    s.timeout.store(t, SeqCst);
    match fd::set_blocking(s.descriptor(), t < 0) {
        Ok(()) => Ok(Value::NONE),
        Err(e) => Err(os_error(th, e, None)),
    }
}
static METHODS: &[Method] = &[
    method("_accept", "()", "Wait for a connection: (descriptor, address).", |th, a| {
        let s = socket(&a[0]);
        let (f, address) = operate(th, s, false, platform::accept)?;
        let address = to_python(&address, s.family.load(SeqCst), Some(f));
        Ok(Tuple::from_vec(vec![f.into(), address]).into())
    }),
    method("bind", "(object, /)", "Bind the socket to an address of this machine.", |th, a| {
        let s = socket(&a[0]);
        let address = from_python(th, s, &a[1], "bind")?;
        audit(th, "socket.bind", &[a[0].clone(), a[1].clone()])?;
        let f = s.descriptor();
        let done = blocking(th, || platform::bind(f, &address));
        none_or(th, done)
    }),
    method("close", "()", "Close the socket.", |th, a| {
        let f = socket(&a[0]).fd.swap(-1, SeqCst);
        if f >= 0
            && let Err(e) = blocking(th, || fd::close(f))
            && e != errno::ECONNRESET
        {
            return Err(os_error(th, e, None));
        }
        Ok(Value::NONE)
    }),
    method("connect", "(object, /)", "Connect the socket to an address.", |th, a| {
        let s = socket(&a[0]);
        let address = from_python(th, s, &a[1], "connect")?;
        audit(th, "socket.connect", &[a[0].clone(), a[1].clone()])?;
        match connect(th, s, &address)? {
            0 => Ok(Value::NONE),
            e => Err(os_error(th, e, None)),
        }
    }),
    method("connect_ex", "(object, /)", "Connect the socket to an address; 0 or an error number.", |th, a| {
        let s = socket(&a[0]);
        let address = from_python(th, s, &a[1], "connect_ex")?;
        audit(th, "socket.connect", &[a[0].clone(), a[1].clone()])?;
        match connect(th, s, &address) {
            Ok(e) => Ok(e.into()),
            Err(raised) => {
                krait_runtime::errors::catch(th, raised, &TIMEOUT_ERROR)?;
                Ok(errno::EWOULDBLOCK.into())
            }
        }
    }),
    method("detach", "()", "Close the object but not the descriptor, which is returned.", |_, a| {
        Ok(socket(&a[0]).fd.swap(-1, SeqCst).into())
    }),
    method("fileno", "()", "The descriptor; -1 for a closed socket.", |_, a| Ok(socket(&a[0]).descriptor().into())),
    method("getpeername", "()", "The address of the other end.", |th, a| {
        let s = socket(&a[0]);
        match platform::peer_address(s.descriptor()) {
            Ok(address) => Ok(to_python(&address, s.family.load(SeqCst), Some(s.descriptor()))),
            Err(e) => Err(os_error(th, e, None)),
        }
    }),
    method("getsockname", "()", "The address of this end.", |th, a| {
        let s = socket(&a[0]);
        match platform::own_address(s.descriptor()) {
            Ok(address) => Ok(to_python(&address, s.family.load(SeqCst), Some(s.descriptor()))),
            Err(e) => Err(os_error(th, e, None)),
        }
    }),
    super::options::GETSOCKOPT,
    super::options::SETSOCKOPT,
    method("listen", "([, backlog], /)", "Let the socket accept connections.", |th, a| {
        let backlog = a.opt(1).map_or(Ok(128), |v| number::to_i32(th, v))?;
        let f = socket(&a[0]).descriptor();
        let done = blocking(th, || platform::listen(f, backlog.max(0)));
        none_or(th, done)
    }),
    method("setblocking", "(object, /)", "Set whether operations wait.", |th, a| {
        let wait = compare::truth(th, &a[1])?;
        set_timeout(th, &a[0], if wait { -1 } else { 0 })
    }),
    method("getblocking", "()", "Whether operations wait.", |_, a| {
        Ok(Value::bool(socket(&a[0]).timeout.load(SeqCst) != 0))
    }),
    method("settimeout", "(object, /)", "Set the timeout of operations, in seconds; None = wait for ever.", |th, a| {
        let t = timeout_argument(th, &a[1])?;
        set_timeout(th, &a[0], t)
    }),
    method("gettimeout", "()", "The timeout of operations, in seconds; None = none.", |_, a| {
        Ok(timeout_value(socket(&a[0]).timeout.load(SeqCst)))
    }),
    method(
        "shutdown",
        "(object, /)",
        "Shut down reading (SHUT_RD), writing (SHUT_WR) or both (SHUT_RDWR).",
        |th, a| {
            let how = number::to_i32(th, &a[1])?;
            let f = socket(&a[0]).descriptor();
            let done = blocking(th, || platform::shutdown(f, how));
            none_or(th, done)
        },
    ),
    super::transfer::RECV,
    super::transfer::RECV_INTO,
    super::transfer::RECVFROM,
    super::transfer::RECVFROM_INTO,
    super::transfer::SEND,
    super::transfer::SENDALL,
    super::transfer::SENDTO,
    super::message::RECVMSG,
    super::message::RECVMSG_INTO,
    super::message::SENDMSG,
];
