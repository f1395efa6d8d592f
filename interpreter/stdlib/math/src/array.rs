//! `array`: compact arrays of one machine type. The memory is bytes; `array/items` reads and stores items, methods are in
//! `array/methods`, slots of sequences in `array/sequence`, pickling in `array/pickle`. CPython: `Modules/arraymodule.c`.
mod items;
mod iterator;
mod methods;
mod pickle;
mod sequence;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::AcqRel, Ordering::Acquire};

use krait_macros::{Payload, Trace};
use krait_object::buffer::{Buffer, Export};
use krait_object::native::function;
use krait_object::{
    Args, Bytes, ClassDef, CmpOp, Locked, ModuleDef, PyResult, Ref, SlotDefs, Str, StrBuilder, Thread, Type,
    TypeObject, VTable, Value, builtin_types::OBJECT, type_flag,
};
use krait_runtime::errors::{buffer_error, memory_error, type_error, value_error};
use krait_runtime::exceptions::DEPRECATION_WARNING;
use krait_runtime::protocol::{attr, compare, iter, repr};
use krait_runtime::types::{bytearray::BYTEARRAY, module};
use krait_runtime::warnings::warn;

use items::Code;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Arrays of numbers or characters of one machine type, which is chosen by a type code.",
    functions: &[function(
        "_array_reconstructor",
        "(arraytype, typecode, mformat_code, items, /)",
        "Make an array of its pickled form.",
        pickle::reconstruct,
    )],
    classes: &[&DEF, &iterator::DEF],
    init: Some(init),
    ..ModuleDef::new("array")
};
fn init(th: &mut Thread, m: &Value) -> PyResult<()> {
    let d = module::dict(m);
    drop(d.remove_text("arrayiterator"));
    d.set_text("ArrayType", ARRAY.to_value());
    d.set_text("typecodes", items::TYPECODES);
    let abc = krait_runtime::import::import_module(th, "collections.abc")?;
    let sequences = attr::get_text(th, &abc, "MutableSequence")?;
    attr::call_method(th, &sequences, "register", &[ARRAY.to_value()]).map(drop)
}

/// The size is fixed while the memory is exported.
#[derive(Trace, Payload)]
#[payload(class = ARRAY)]
pub struct Array {
    #[trace(skip)]
    code: Code,
    #[trace(skip)]
    data: Locked<Vec<u8>>,
    #[trace(skip)]
    exports: AtomicUsize,
}
static LAYOUT: VTable = VTable::of::<Array>();
pub static ARRAY: TypeObject = TypeObject::builtin("array", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    module: "array",
    doc: "array(typecode [, initializer]) -> array\n\n\
          A sequence of items of one machine type. The initializer is a bytes-like object, a str (for type\n\
          codes 'u' and 'w') or an iterable of items.\n\n\
          Type codes: 'b', 'B' signed and unsigned integers of 1 byte; 'h', 'H' of 2; 'i', 'I' of 4; 'l', 'L' as\n\
          C's long; 'q', 'Q' of 8; 'f', 'd' floats of 4 and 8 bytes; 'u', 'w' characters.",
    methods: methods::METHODS,
    getset: methods::GETSET,
    slots: SlotDefs {
        new: Some(new),
        repr: Some(repr_slot),
        compare: Some(compare_slot),
        iter: Some(iterator::iter),
        buffer: Some(buffer),
        sq_len: Some(sequence::len),
        sq_concat: Some(sequence::concat),
        sq_repeat: Some(sequence::repeat),
        sq_item: Some(sequence::item),
        sq_set_item: Some(sequence::set_item),
        contains: Some(sequence::contains),
        sq_inplace_concat: Some(sequence::inplace_concat),
        sq_inplace_repeat: Some(sequence::inplace_repeat),
        mp_len: Some(sequence::len),
        subscript: Some(sequence::subscript),
        set_subscript: Some(sequence::set_subscript),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::SEQUENCE | type_flag::WEAKREF,
    ..ClassDef::new(&ARRAY)
};

impl Array {
    fn payload(code: Code, data: Vec<u8>) -> Array {
        Array { code, data: Locked::new(data), exports: AtomicUsize::new(0) }
    }
    /// A new exact array.
    fn create(code: Code, data: Vec<u8>) -> Value {
        Ref::new(Array::payload(code, data)).into()
    }
    fn of(v: &Value) -> &Array {
        v.downcast_ref().expect("the slot belongs to array")
    }
    fn size(&self) -> usize {
        self.code.size()
    }
    fn len(&self) -> usize {
        self.data.lock().len() / self.size()
    }
    /// The item at a place.
    fn get(&self, i: usize) -> Option<items::Item> {
        let data = self.data.lock();
        let size = self.size();
        data.get(i * size..(i + 1) * size).map(|bytes| self.code.load(bytes))
    }
    fn get_value(&self, th: &mut Thread, i: usize) -> PyResult<Option<Value>> {
        self.get(i).map(|item| item.into_value(th)).transpose()
    }
    /// Runs `f`, which may change the length; BufferError while the memory is exported.
    fn resize<R>(&self, th: &mut Thread, f: impl FnOnce(&mut Vec<u8>) -> R) -> PyResult<R> {
        if self.exports.load(Acquire) > 0 {
            return Err(buffer_error(th, "cannot resize an array that is exporting buffers"));
        }
        Ok(f(&mut self.data.lock()))
    }
    /// Appends raw bytes.
    fn push_bytes(&self, th: &mut Thread, bytes: &[u8]) -> PyResult<()> {
        let done = self.resize(th, |data| {
            let room = data.try_reserve(bytes.len()).is_ok();
            if room {
                data.extend_from_slice(bytes);
            }
            room
        })?;
        if done { Ok(()) } else { Err(memory_error(th)) }
    }
    fn push(&self, th: &mut Thread, v: &Value) -> PyResult<()> {
        let item = self.code.store(th, v)?;
        self.push_bytes(th, &item[..self.size()])
    }
}

/// An export of the memory.
struct ArrayExport(Ref<Array>);
impl Drop for ArrayExport {
    fn drop(&mut self) {
        self.0.exports.fetch_sub(1, AcqRel);
    }
}
impl Export for ArrayExport {
    fn read(&self, f: &mut dyn FnMut(&[u8])) {
        f(&self.0.data.lock());
    }
    fn write(&self, f: &mut dyn FnMut(&mut [u8])) {
        f(&mut self.0.data.lock());
    }
}
fn buffer(_: &mut Thread, v: &Value, _: u32) -> PyResult<Buffer> {
    let array = v.to_ref::<Array>().expect("the slot belongs to array");
    array.exports.fetch_add(1, AcqRel);
    let (len, size, code) = (array.data.lock().len(), array.size(), array.code);
    let mut made = Buffer::bytes(v.clone(), Arc::new(ArrayExport(array)), len, false);
    made.format = code.buffer_format().into();
    made.itemsize = size;
    made.shape = vec![len / size];
    made.strides = vec![size as isize];
    Ok(made)
}

/// The type code of an argument.
fn code_argument(th: &mut Thread, v: &Value) -> PyResult<Code> {
    let Some(c) = v.downcast_ref::<Str>().filter(|s| s.len() == 1).and_then(|s| s.get(0)) else {
        let class = if v.is_none() { "None".into() } else { v.class().name().to_string() };
        return Err(type_error(th, format!("array() argument 1 must be a unicode character, not {class}")));
    };
    match Code::of(c) {
        Some(Code::U) => {
            let message = "The 'u' type code is deprecated and will be removed in Python 3.16";
            warn(th, &DEPRECATION_WARNING, message, 1)?;
            Ok(Code::U)
        }
        Some(code) => Ok(code),
        None => Err(value_error(th, "bad typecode (must be b, B, u, h, H, i, I, l, L, q, Q, f or d)")),
    }
}
fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    if args.has_kw() && class.is(&ARRAY) {
        return Err(type_error(th, "array.array() takes no keyword arguments"));
    }
    let (code, initial) = match args.pos() {
        [code] => (code, None),
        [code, initial] => (code, Some(initial)),
        [] => return Err(type_error(th, "array() takes at least 1 argument (0 given)")),
        more => return Err(type_error(th, format!("array() takes at most 2 arguments ({} given)", more.len()))),
    };
    let code = code_argument(th, code)?;
    let letter = Value::str(code.letter());
    krait_runtime::audit::audit(th, "array.__new__", &[letter, initial.cloned().unwrap_or(Value::NONE)])?;
    let made = Ref::with_class(Array::payload(code, Vec::new()), class.object());
    if let Some(initial) = initial {
        fill(th, &made, initial)?;
    }
    Ok(made.into())
}
fn fill(th: &mut Thread, array: &Array, initial: &Value) -> PyResult<()> {
    let character = matches!(array.code, Code::U | Code::W);
    if let Some(s) = initial.downcast_ref::<Str>() {
        if !character {
            let code = array.code.letter();
            return Err(type_error(th, format!("cannot use a str to initialize an array with typecode '{code}'")));
        }
        return methods::push_text(th, array, s);
    }
    if let Some(other) = initial.downcast_ref::<Array>() {
        if !character && matches!(other.code, Code::U | Code::W) {
            let code = array.code.letter();
            let message = format!("cannot use a unicode array to initialize an array with typecode '{code}'");
            return Err(type_error(th, message));
        }
        if other.code == array.code {
            let bytes = other.data.lock().clone();
            return array.push_bytes(th, &bytes);
        }
    } else if initial.downcast_ref::<Bytes>().is_some() || initial.is_instance(&BYTEARRAY) {
        return methods::push_buffer(th, array, initial);
    }
    iter::for_each(th, initial, |th, v| array.push(th, &v))
}

fn repr_slot(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let array = Array::of(v);
    let name = v.class().name();
    let mut out = StrBuilder::new();
    out.push_text(&format!("{}('{}'", name.rsplit('.').next().unwrap_or_default(), array.code.letter()));
    if array.len() > 0 {
        out.push_text(", ");
        let content: Value = match array.code {
            Code::U | Code::W => methods::text_of(th, array)?,
            _ => methods::list_of(th, array)?,
        };
        out.push_str(&*repr::repr(th, &content)?);
    }
    out.push(u32::from(')'));
    Ok(out.finish().into())
}
fn compare_slot(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    let (Some(x), Some(y)) = (a.downcast_ref::<Array>(), b.downcast_ref::<Array>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if x.len() != y.len() && matches!(op, CmpOp::Eq | CmpOp::Ne) {
        return Ok(Value::bool(op == CmpOp::Ne));
    }
    let mut i = 0;
    while let (Some(p), Some(q)) = (x.get_value(th, i)?, y.get_value(th, i)?) {
        // As floats that are compared by value, a NaN differs from itself here.
        let equal = compare::compare(th, &p, &q, CmpOp::Eq)?;
        if !compare::truth(th, &equal)? {
            return match op {
                CmpOp::Eq => Ok(Value::FALSE),
                CmpOp::Ne => Ok(Value::TRUE),
                _ => compare::compare(th, &p, &q, op),
            };
        }
        i += 1;
    }
    Ok(Value::bool(op.of(x.len().cmp(&y.len()))))
}
