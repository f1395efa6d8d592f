//! `MemoryBIO`: a buffer between a connection and the network.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use krait_libraries::openssl::{self, Error};
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{GetSet, getter, method};
use krait_object::{Bytes, ClassDef, Method, Ref, SlotDefs, TypeObject, VTable, Value, type_flag};
use krait_runtime::errors::{memory_error, overflow_error, type_error};
use krait_runtime::protocol::buffer::hold;
use krait_runtime::protocol::number;
use krait_runtime::world::Exclusive;

use super::errors;

#[derive(Trace, Payload)]
#[payload(class = MEMORY_BIO)]
pub struct MemoryBio {
    /// Shared with the connections that use it.
    #[trace(skip)]
    pub bio: Arc<Exclusive<openssl::MemoryBio>>,
    #[trace(skip)]
    ended: AtomicBool,
}
static LAYOUT: VTable = VTable::of::<MemoryBio>();
static MEMORY_BIO: TypeObject = TypeObject::builtin("MemoryBIO", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_ssl",
    methods: METHODS,
    getset: ATTRIBUTES,
    slots: SlotDefs {
        new: Some(|th, class, args| {
            if !args.is_empty() {
                return Err(type_error(th, "MemoryBIO() takes no arguments"));
            }
            let Some(bio) = openssl::MemoryBio::new() else { return Err(memory_error(th)) };
            let payload = MemoryBio { bio: Arc::new(Exclusive::new(bio)), ended: AtomicBool::new(false) };
            Ok(Ref::with_class(payload, class.object()).into())
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::IMMUTABLE,
    ..ClassDef::new(&MEMORY_BIO)
};
static METHODS: &[Method] = &[
    method("read", "(size=-1, /)", "Read up to size bytes, all that there are if it is negative.", |th, a| {
        let size = a.opt(1).map_or(Ok(-1), |v| number::to_i32(th, v))?;
        let most = usize::try_from(size).unwrap_or(usize::MAX);
        let data = a.this::<MemoryBio>().bio.lock(th).read(most);
        Ok(Bytes::new(&data).into())
    }),
    method("write", "(b, /)", "Writes the bytes b; returns how many were written.", |th, a| {
        let data = hold(th, &a[1])?;
        if i32::try_from(data.len()).is_err() {
            return Err(overflow_error(th, "string longer than 2147483647 bytes"));
        }
        let me = a.this::<MemoryBio>();
        if me.ended.load(Relaxed) {
            return Err(errors::plain(th, "cannot write() after write_eof()"));
        }
        let written = me.bio.lock(th).write(&data);
        match written {
            Ok(n) => Ok(n.into()),
            Err(e) => Err(errors::from_queue(th, e, None)),
        }
    }),
    method("write_eof", "()", "Write an EOF marker; nothing can be written after it.", |th, a| {
        let me = a.this::<MemoryBio>();
        Error::clear();
        me.ended.store(true, Relaxed);
        me.bio.lock(th).end();
        Ok(Value::NONE)
    }),
];
static ATTRIBUTES: &[GetSet] = &[
    getter("pending", "The number of bytes pending in the memory BIO.", |th, v| {
        Ok(this(v).bio.lock(th).pending().into())
    }),
    getter("eof", "Whether the memory BIO is at EOF.", |th, v| {
        let pending = this(v).bio.lock(th).pending();
        Ok(Value::bool(pending == 0 && this(v).ended.load(Relaxed)))
    }),
];
fn this(v: &Value) -> &MemoryBio {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
