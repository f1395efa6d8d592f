//! `SSLSession`: what a later connection may go on with.
use krait_libraries::openssl::{Context, Session};
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{GetSet, getter};
use krait_object::{Bytes, ClassDef, CmpOp, SlotDefs, TypeObject, VTable, Value, type_flag};

#[derive(Trace, Payload)]
#[payload(class = SESSION)]
pub struct SslSession {
    #[trace(skip)]
    pub session: Session,
    #[trace(skip)]
    pub context: Context,
}
static LAYOUT: VTable = VTable::of::<SslSession>();
static SESSION: TypeObject = TypeObject::builtin("SSLSession", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_ssl",
    getset: ATTRIBUTES,
    slots: SlotDefs {
        hash: Some(|_, v| {
            let id = this(v).session.id();
            Ok(id.iter().fold(0i64, |h, &b| h.wrapping_mul(31).wrapping_add(i64::from(b))))
        }),
        compare: Some(|_, a, b, op| {
            let (Some(x), Some(y)) = (a.downcast_ref::<SslSession>(), b.downcast_ref::<SslSession>()) else {
                return Ok(Value::NOT_IMPLEMENTED);
            };
            let same = a.is(b) || x.session.id() == y.session.id();
            Ok(match op {
                CmpOp::Eq => Value::bool(same),
                CmpOp::Ne => Value::bool(!same),
                _ => Value::NOT_IMPLEMENTED,
            })
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&SESSION)
};
static ATTRIBUTES: &[GetSet] = &[
    getter("has_ticket", "Does the session contain a ticket?", |_, v| Ok(Value::bool(this(v).session.has_ticket()))),
    getter("id", "Session ID.", |_, v| Ok(Bytes::new(&this(v).session.id()).into())),
    getter("ticket_lifetime_hint", "Ticket life time hint.", |_, v| Ok(this(v).session.ticket_lifetime_hint().into())),
    getter("time", "Session creation time (seconds since epoch).", |_, v| Ok(this(v).session.time().into())),
    getter("timeout", "Session timeout (delta in seconds).", |_, v| Ok(this(v).session.timeout().into())),
];
fn this(v: &Value) -> &SslSession {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
