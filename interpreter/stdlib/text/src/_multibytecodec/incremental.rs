//! `MultibyteIncrementalEncoder` and `MultibyteIncrementalDecoder`, and the contexts that the stream classes share.

use krait_macros::{Payload, Trace};
use krait_object::native::{Sig, getset, method};
use krait_object::{
    Args, Bytes, ClassDef, GetSet, Locked, Method, PyResult, Raised, Ref, SlotDefs, Str, Thread, Tuple, Type,
    TypeObject, VTable, Value, builtin_types, type_flag,
};
use krait_runtime::errors::{attribute_error, overflow_error, raise, type_error, unicode_decode_error};
use krait_runtime::exceptions::UNICODE_ERROR;
use krait_runtime::protocol::buffer::bytes_like;
use krait_runtime::protocol::compare::truth;
use num_bigint::{BigInt, Sign};

use super::codec::of_class;
use super::coding::{Encoding, State};
use super::convert::{Conversion, Ending, Errors, text_of};

/// Characters and bytes that may wait for what follows them.
const PENDING_CHARACTERS: usize = 2;
const PENDING_BYTES: usize = 8;

/// What an encoder or decoder remembers; `P` waits for what follows.
pub struct Context<P> {
    pub encoding: &'static Encoding,
    pub state: Locked<State>,
    pub pending: Locked<P>,
    pub errors: Locked<Errors>,
}
/// Characters are kept as `None` as long as none had to wait.
pub type Encoder = Context<Option<Vec<u32>>>;
pub type Decoder = Context<Vec<u8>>;

impl<P: Default> Context<P> {
    fn new(encoding: &'static Encoding, state: State, errors: Errors) -> Context<P> {
        let (state, pending) = (Locked::new(state), Locked::new(P::default()));
        Context { encoding, state, pending, errors: Locked::new(errors) }
    }

    pub fn errors_name(&self) -> Value {
        Value::str(self.errors.lock().name())
    }

    pub fn set_errors(&self, th: &mut Thread, value: Option<&Value>) -> PyResult<()> {
        let Some(value) = value else { return Err(attribute_error(th, "cannot delete attribute")) };
        let Some(name) = value.downcast_ref::<Str>() else { return Err(type_error(th, "errors must be a string")) };
        let errors = Errors::from_name(&name.to_string_lossy());
        drop(std::mem::replace(&mut *self.errors.lock(), errors));
        Ok(())
    }

    fn errors_now(&self) -> Errors {
        self.errors.lock().clone()
    }
}

impl Encoder {
    pub fn start(encoding: &'static Encoding, errors: Errors) -> Encoder {
        Context::new(encoding, encoding.encode_start(), errors)
    }

    /// Encodes what waited and the text after it.
    pub fn encode(&self, th: &mut Thread, input: &Value, last: bool) -> PyResult<Vec<u8>> {
        let text = text_of(th, input)?;
        let waiting = self.pending.lock().clone();
        let text: Value = match (&waiting, text.downcast_ref::<Str>()) {
            (Some(waiting), Some(more)) => {
                let points: Vec<u32> = waiting.iter().copied().chain(more.iter()).collect();
                Str::from_points(&points).into()
            }
            _ => text,
        };
        let (bytes, done) = self.convert(th, &text, Ending { flush: last, reset: last })?;
        let rest: Vec<u32> = text.downcast_ref::<Str>().map_or_else(Vec::new, |text| text.iter().skip(done).collect());
        if rest.len() > PENDING_CHARACTERS {
            return Err(raise(th, &UNICODE_ERROR, "pending buffer overflow"));
        }
        *self.pending.lock() = (!rest.is_empty()).then_some(rest);
        Ok(bytes)
    }

    fn convert(&self, th: &mut Thread, text: &Value, ending: Ending) -> PyResult<(Vec<u8>, usize)> {
        let errors = self.errors_now();
        let mut state = *self.state.lock();
        let result = Conversion { encoding: self.encoding, errors: &errors }.encode(th, &mut state, text, ending);
        *self.state.lock() = state;
        result
    }

    /// The bytes that end the text, if any character waited.
    pub fn finish(&self, th: &mut Thread) -> PyResult<Option<Vec<u8>>> {
        let Some(waiting) = self.pending.lock().take() else { return Ok(None) };
        let text = Str::from_points(&waiting).into();
        Ok(Some(self.convert(th, &text, super::convert::WHOLE)?.0))
    }

    fn reset(&self) {
        let mut state = *self.state.lock();
        self.encoding.encode_end(&mut state, &mut Vec::new());
        *self.state.lock() = state;
        *self.pending.lock() = None;
    }
}

impl Decoder {
    pub fn start(encoding: &'static Encoding, errors: Errors) -> Decoder {
        Context::new(encoding, encoding.decode_start(), errors)
    }

    /// Decodes what waited and the data after it.
    pub fn decode(&self, th: &mut Thread, data: &[u8], last: bool, out: &mut Vec<u32>) -> PyResult<()> {
        let waiting = std::mem::take(&mut *self.pending.lock());
        let input = [waiting.as_slice(), data].concat();
        let errors = self.errors_now();
        let conversion = Conversion { encoding: self.encoding, errors: &errors };
        let mut state = *self.state.lock();
        let result = conversion.decode(th, &mut state, &input, false, out);
        *self.state.lock() = state;
        let mut done = result?;
        if last && done < input.len() {
            match conversion.incomplete(th, &input, done, out) {
                Ok(place) => done = place,
                Err(raised) => {
                    *self.pending.lock() = waiting;
                    return Err(raised);
                }
            }
        }
        if input.len() - done > PENDING_BYTES {
            return Err(too_much(th, self.encoding, &input, done, "pending buffer overflow"));
        }
        *self.pending.lock() = input[done..].to_vec();
        Ok(())
    }

    pub fn reset(&self) {
        let mut state = *self.state.lock();
        self.encoding.decode_reset(&mut state);
        *self.state.lock() = state;
        self.pending.lock().clear();
    }
}

#[derive(Trace, Payload)]
#[payload(class = ENCODER)]
struct IncrementalEncoder {
    #[trace(skip)]
    context: Encoder,
}
static ENCODER_LAYOUT: VTable = VTable::of::<IncrementalEncoder>();
static ENCODER: TypeObject =
    TypeObject::builtin("MultibyteIncrementalEncoder", Some(&builtin_types::OBJECT), &ENCODER_LAYOUT);
pub static ENCODER_DEF: ClassDef = ClassDef {
    module: "_multibytecodec",
    methods: &[
        method("encode", "(input, final=False)", "The bytes of what waited and of this text.", |th, a| {
            let last = truth_of(th, a.opt(2))?;
            let bytes = a.this::<IncrementalEncoder>().context.encode(th, &a[1], last)?;
            Ok(Bytes::new(&bytes).into())
        }),
        method("getstate", "()", "The state as an int.", encoder_state),
        method("setstate", "(state, /)", "Go back to a state.", set_encoder_state),
        method("reset", "()", "Go back to the start.", |_, a| {
            a.this::<IncrementalEncoder>().context.reset();
            Ok(Value::NONE)
        }),
    ],
    getset: ENCODER_GETSET,
    slots: SlotDefs { new: Some(new_encoder), init: Some(|_, _, _| Ok(())), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::IMMUTABLE,
    ..ClassDef::new(&ENCODER)
};
static ENCODER_GETSET: &[GetSet] = &[getset(
    "errors",
    "how to treat errors",
    |_, v| Ok(encoder(v).errors_name()),
    |th, v, value| encoder(v).set_errors(th, value),
)];

fn encoder(v: &Value) -> &Encoder {
    &v.downcast_ref::<IncrementalEncoder>().expect("the descriptor checked the class of self").context
}

fn truth_of(th: &mut Thread, value: Option<&Value>) -> PyResult<bool> {
    value.map_or(Ok(false), |value| truth(th, value))
}

fn new_encoder(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(errors='strict')");
    let bound = SIG.bind(th, "IncrementalEncoder", "IncrementalEncoder", args, 0)?;
    let encoding = of_class(th, class)?;
    let errors = Errors::from_argument(th, bound.args().opt(0), "IncrementalEncoder")?;
    Ok(Ref::with_class(IncrementalEncoder { context: Encoder::start(encoding, errors) }, class.object()).into())
}

/// A length byte, that many bytes of UTF-8 that wait, and the state.
fn encoder_state(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let context = &a.this::<IncrementalEncoder>().context;
    let waiting = Str::from_points(context.pending.lock().as_deref().unwrap_or(&[]));
    let Some(waiting) = waiting.to_utf8() else {
        return Err(krait_runtime::errors::surrogates_not_allowed(th, &waiting));
    };
    let mut bytes = vec![waiting.len() as u8];
    bytes.extend(waiting.as_bytes());
    bytes.extend(context.state.lock().0);
    Ok(BigInt::from_bytes_le(Sign::Plus, &bytes).into())
}

/// The bytes of a state that is an int, filled up to a length.
fn state_bytes(th: &mut Thread, value: &Value, length: usize) -> PyResult<Vec<u8>> {
    let Some(int) = value.as_int_ref() else {
        let name = value.class().name();
        return Err(type_error(th, format!("setstate() argument must be int, not {name}")));
    };
    if int.is_negative() {
        return Err(overflow_error(th, "can't convert negative int to unsigned"));
    }
    let mut bytes = int.to_bigint().to_bytes_le().1;
    if bytes.len() > length {
        return Err(overflow_error(th, "int too big to convert"));
    }
    bytes.resize(length, 0);
    Ok(bytes)
}

fn set_encoder_state(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let bytes = state_bytes(th, &a[1], 1 + PENDING_CHARACTERS * 4 + 8)?;
    let length = usize::from(bytes[0]);
    if length > PENDING_CHARACTERS * 4 {
        return Err(raise(th, &UNICODE_ERROR, "pending buffer too large"));
    }
    let text = krait_runtime::codecs::Builtin::Utf8.decode(th, &bytes[1..=length], None, None)?;
    let points = text.downcast_ref::<Str>().map_or_else(Vec::new, |text| text.iter().collect());
    let context = &a.this::<IncrementalEncoder>().context;
    *context.pending.lock() = Some(points);
    context.state.lock().0.copy_from_slice(&bytes[1 + length..1 + length + 8]);
    Ok(Value::NONE)
}

/// More bytes wait than may.
fn too_much(th: &mut Thread, encoding: &Encoding, data: &[u8], start: usize, reason: &str) -> Raised {
    unicode_decode_error(th, encoding.name, Bytes::new(data).into(), start, data.len(), reason)
}

#[derive(Trace, Payload)]
#[payload(class = DECODER)]
struct IncrementalDecoder {
    #[trace(skip)]
    context: Decoder,
}
static DECODER_LAYOUT: VTable = VTable::of::<IncrementalDecoder>();
static DECODER: TypeObject =
    TypeObject::builtin("MultibyteIncrementalDecoder", Some(&builtin_types::OBJECT), &DECODER_LAYOUT);
pub static DECODER_DEF: ClassDef = ClassDef {
    module: "_multibytecodec",
    methods: DECODER_METHODS,
    getset: DECODER_GETSET,
    slots: SlotDefs { new: Some(new_decoder), init: Some(|_, _, _| Ok(())), ..SlotDefs::EMPTY },
    flags: type_flag::BASE | type_flag::IMMUTABLE,
    ..ClassDef::new(&DECODER)
};
static DECODER_METHODS: &[Method] = &[
    method("decode", "(input, final=False)", "The text of what waited and of these bytes.", |th, a| {
        let data = bytes_like(th, &a[1])?;
        let last = truth_of(th, a.opt(2))?;
        let mut text = Vec::with_capacity(data.len());
        a.this::<IncrementalDecoder>().context.decode(th, &data, last, &mut text)?;
        Ok(Str::from_points(&text).into())
    }),
    method("getstate", "()", "The bytes that wait, and the state as an int.", |_, a| {
        let context = &a.this::<IncrementalDecoder>().context;
        let waiting = Bytes::new(&context.pending.lock());
        let state = u64::from_le_bytes(context.state.lock().0);
        Ok(Tuple::of([waiting.into(), state.into()]).into())
    }),
    method("setstate", "(state, /)", "Go back to a state.", set_decoder_state),
    method("reset", "()", "Go back to the start.", |_, a| {
        a.this::<IncrementalDecoder>().context.reset();
        Ok(Value::NONE)
    }),
];
static DECODER_GETSET: &[GetSet] = &[getset(
    "errors",
    "how to treat errors",
    |_, v| Ok(decoder(v).errors_name()),
    |th, v, value| decoder(v).set_errors(th, value),
)];

fn decoder(v: &Value) -> &Decoder {
    &v.downcast_ref::<IncrementalDecoder>().expect("the descriptor checked the class of self").context
}

fn new_decoder(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(errors='strict')");
    let bound = SIG.bind(th, "IncrementalDecoder", "IncrementalDecoder", args, 0)?;
    let encoding = of_class(th, class)?;
    let errors = Errors::from_argument(th, bound.args().opt(0), "IncrementalDecoder")?;
    Ok(Ref::with_class(IncrementalDecoder { context: Decoder::start(encoding, errors) }, class.object()).into())
}

fn set_decoder_state(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let parts = a[1].downcast_ref::<Tuple>().filter(|parts| parts.len() == 2);
    let parts = parts.and_then(|parts| Some((parts[0].downcast_ref::<Bytes>()?, &parts[1])));
    let Some((waiting, state)) = parts.filter(|(_, state)| state.as_int_ref().is_some()) else {
        if a[1].downcast_ref::<Tuple>().is_some() {
            return Err(type_error(th, "setstate(): illegal state argument"));
        }
        let name = a[1].class().name();
        return Err(type_error(th, format!("setstate() argument must be tuple, not {name}")));
    };
    let bytes = state_bytes(th, state, 8)?;
    let context = &a.this::<IncrementalDecoder>().context;
    if waiting.len() > PENDING_BYTES {
        return Err(too_much(th, context.encoding, waiting, 0, "pending buffer too large"));
    }
    *context.pending.lock() = waiting.to_vec();
    context.state.lock().0.copy_from_slice(&bytes);
    Ok(Value::NONE)
}

/// An `errors` argument of the stream classes: it may not be None.
pub fn errors_or_strict(th: &mut Thread, value: Option<&Value>, function: &str) -> PyResult<Errors> {
    match value {
        Some(value) if value.is_none() => Err(type_error(th, format!("{function}() argument 2 must be str, not None"))),
        value => Errors::from_argument(th, value, function),
    }
}

/// Whether an argument is an int or None for "all".
pub fn size_argument(th: &mut Thread, value: Option<&Value>) -> PyResult<isize> {
    match value.filter(|value| !value.is_none()) {
        None => Ok(-1),
        Some(value) if value.as_int_ref().is_some() => krait_runtime::protocol::number::to_isize(th, value),
        Some(_) => Err(type_error(th, "arg 1 must be an integer")),
    }
}
