//! The object between an exporter and the views of its memory: views that share one export each refer to it, so that the
//! collector sees who holds what. CPython: `_PyManagedBuffer_Type`.
use std::sync::Arc;

use krait_macros::{Payload, Trace};
use krait_object::buffer::{Buffer, Export};
use krait_object::builtin_types::OBJECT;
use krait_object::trace::{Trace as _, Tracer};
use krait_object::{ClassDef, Ref, TypeObject, VTable, type_flag};

#[derive(Trace, Payload)]
#[payload(class = MANAGED)]
struct Managed {
    export: Arc<dyn Export>,
}
static LAYOUT: VTable = VTable::of::<Managed>();
static MANAGED: TypeObject = TypeObject::builtin("managedbuffer", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef =
    ClassDef { flags: type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC, ..ClassDef::new(&MANAGED) };

struct ManagedExport(Ref<Managed>);
impl Export for ManagedExport {
    fn read(&self, f: &mut dyn FnMut(&[u8])) {
        self.0.export.read(f);
    }
    fn write(&self, f: &mut dyn FnMut(&mut [u8])) {
        self.0.export.write(f);
    }
    fn trace(&self, tracer: &mut Tracer<'_>) {
        self.0.trace(tracer);
    }
    fn share(&self) -> Option<Arc<dyn Export>> {
        Some(Arc::new(ManagedExport(self.0.clone())))
    }
}

/// The same buffer with a managed export.
pub fn manage(mut buffer: Buffer) -> Buffer {
    if buffer.export.share().is_none() {
        let managed = Ref::new(Managed { export: buffer.export });
        buffer.export = Arc::new(ManagedExport(managed));
    }
    buffer
}
