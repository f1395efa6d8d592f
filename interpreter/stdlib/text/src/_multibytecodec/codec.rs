//! `MultibyteCodec`: an encoding as an object, without memory between calls.

use krait_macros::{Payload, Trace};
use krait_object::native::method;
use krait_object::{
    Args, Bytes, ClassDef, Method, PyResult, Ref, Str, Thread, Tuple, Type, TypeObject, VTable, Value, builtin_types,
    type_flag,
};
use krait_runtime::errors::{lookup_error, type_error};
use krait_runtime::protocol::attr;
use krait_runtime::protocol::buffer::bytes_like;

use super::coding::Encoding;
use super::convert::{Conversion, Errors, WHOLE, text_of};

#[derive(Trace, Payload)]
#[payload(class = CODEC)]
pub struct Codec {
    #[trace(skip)]
    encoding: &'static Encoding,
}
static LAYOUT: VTable = VTable::of::<Codec>();
static CODEC: TypeObject = TypeObject::builtin("MultibyteCodec", Some(&builtin_types::OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_multibytecodec",
    methods: METHODS,
    flags: type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&CODEC)
};
static METHODS: &[Method] = &[
    method("encode", "(input, errors=None)", "The text in this encoding, and its length.", encode),
    method("decode", "(input, errors=None)", "The text that bytes of this encoding hold, and their number.", decode),
];

/// The codec of that name among the encodings of a module.
pub fn get(th: &mut Thread, name: &Value, encodings: &'static [Encoding]) -> PyResult<Value> {
    let Some(text) = name.downcast_ref::<Str>() else {
        return Err(type_error(th, "encoding name must be a string."));
    };
    match encodings.iter().find(|encoding| text.eq_str(encoding.name)) {
        Some(encoding) => Ok(Ref::new(Codec { encoding }).into()),
        None => Err(lookup_error(th, "no such codec is supported.")),
    }
}

/// The encoding of a class's attribute `codec`.
pub fn of_class(th: &mut Thread, class: &Ref<Type>) -> PyResult<&'static Encoding> {
    let codec = attr::get_text(th, &class.to_value(), "codec")?;
    match codec.downcast_ref::<Codec>() {
        Some(codec) => Ok(codec.encoding),
        None => Err(type_error(th, "codec is unexpected type")),
    }
}

fn encode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let encoding = a.this::<Codec>().encoding;
    let errors = Errors::from_argument(th, a.opt(2), "encode")?;
    let text = text_of(th, &a[1])?;
    let conversion = Conversion { encoding, errors: &errors };
    let (bytes, _) = conversion.encode(th, &mut encoding.encode_start(), &text, WHOLE)?;
    let length = text.downcast_ref::<Str>().map_or(0, |text| text.len());
    Ok(Tuple::of([Bytes::new(&bytes).into(), length.into()]).into())
}

fn decode(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let encoding = a.this::<Codec>().encoding;
    let data = bytes_like(th, &a[1])?;
    let errors = Errors::from_argument(th, a.opt(2), "decode")?;
    let conversion = Conversion { encoding, errors: &errors };
    let mut text = Vec::with_capacity(data.len());
    conversion.decode(th, &mut encoding.decode_start(), &data, true, &mut text)?;
    Ok(Tuple::of([Str::from_points(&text).into(), data.len().into()]).into())
}
