//! The call itself: argument and result types in libffi's terms. CPython: `_call_function_pointer` of `callproc.c`.

use std::cell::Cell;
use std::ptr::{addr_of_mut, null_mut};

use krait_object::{PyResult, Ref, Thread, Type, Value};
use krait_runtime::errors::{runtime_error, type_error};
use krait_runtime::protocol::{attr, call as protocol};
use krait_runtime::world;
use libffi_sys as ffi;

use super::data::{CData, is_plain_simple, this};
use super::info::{self, Info, Kind};
use super::parameter::Argument;
use super::{memory, simple};

thread_local! {
    /// The thread state that a callback on this OS thread runs with; set while a foreign function runs.
    static CURRENT: Cell<*mut Thread> = const { Cell::new(null_mut()) };
    /// Whether that call lets other threads run meanwhile.
    static RELEASED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f` with the thread state of the call in progress on this OS thread.
pub fn with_current<R>(f: impl FnOnce(&mut Thread) -> R) -> Option<R> {
    let current = CURRENT.get();
    if current.is_null() {
        return None;
    }
    // SAFETY: set by `run` for the duration of a foreign call, during which nothing else uses the thread state; calls of
    // foreign functions by `f` set and restore it.
    let th = unsafe { &mut *current };
    let released = RELEASED.replace(false);
    if released {
        world::attach(th);
    }
    let answer = f(th);
    if released {
        world::detach(th);
    }
    RELEASED.set(released);
    Some(answer)
}

/// `FUNCFLAG_PYTHONAPI`: the function is part of the interpreter, other threads wait.
const PYTHON_API: u32 = 4;
/// `FUNCFLAG_USE_ERRNO`
const USE_ERRNO: u32 = 8;

/// The thread's private copy of errno.
#[derive(Default)]
pub struct Errno(pub i32);

/// A libffi type with what it points to.
pub struct ForeignType {
    pointer: *mut ffi::ffi_type,
    /// A structure's description, its list of elements, and their own types.
    #[expect(dead_code, reason = "kept alive for the pointers to them")]
    owned: Option<(Box<ffi::ffi_type>, Vec<*mut ffi::ffi_type>, Vec<ForeignType>)>,
}
// SAFETY: the descriptions are only read once they are built.
unsafe impl Send for ForeignType {}
// SAFETY: as above.
unsafe impl Sync for ForeignType {}

impl ForeignType {
    fn basic(pointer: *mut ffi::ffi_type) -> ForeignType {
        ForeignType { pointer, owned: None }
    }
    pub fn void() -> ForeignType {
        ForeignType::basic(addr_of_mut!(ffi::ffi_type_void))
    }
    pub fn of_code(code: char) -> ForeignType {
        ForeignType::basic(match code {
            'c' | 'b' => addr_of_mut!(ffi::ffi_type_sint8),
            'B' | '?' => addr_of_mut!(ffi::ffi_type_uint8),
            'h' => addr_of_mut!(ffi::ffi_type_sint16),
            'H' => addr_of_mut!(ffi::ffi_type_uint16),
            'i' => addr_of_mut!(ffi::ffi_type_sint32),
            'I' | 'u' => addr_of_mut!(ffi::ffi_type_uint32),
            'l' | 'q' => addr_of_mut!(ffi::ffi_type_sint64),
            'L' | 'Q' => addr_of_mut!(ffi::ffi_type_uint64),
            'f' => addr_of_mut!(ffi::ffi_type_float),
            'd' => addr_of_mut!(ffi::ffi_type_double),
            'g' => addr_of_mut!(ffi::ffi_type_longdouble),
            _ => addr_of_mut!(ffi::ffi_type_pointer),
        })
    }
    /// How values of a class are passed.
    pub fn of_class(th: &Thread, class: &Value) -> ForeignType {
        match info::of(th, class) {
            None => ForeignType::of_code('i'),
            Some(info) => match info.kind {
                Kind::Simple => ForeignType::of_code(info.code),
                Kind::Structure | Kind::Union => ForeignType::aggregate(th, &info),
                _ => ForeignType::of_code('P'),
            },
        }
    }
    fn aggregate(th: &Thread, info: &Info) -> ForeignType {
        let mut parts = Vec::new();
        if info.kind == Kind::Union || info.has_bitfield {
            let code = if info.align >= 8 { 'Q' } else { 'B' };
            let size = if code == 'Q' { 8 } else { 1 };
            parts.extend((0..info.size / size).map(|_| ForeignType::of_code(code)));
        } else {
            for member in &info.members {
                element(th, member, &mut parts);
            }
        }
        let mut elements: Vec<*mut ffi::ffi_type> = parts.iter().map(|part| part.pointer).chain([null_mut()]).collect();
        let mut description = Box::new(ffi::ffi_type {
            size: info.size,
            alignment: info.align as u16,
            type_: ffi::FFI_TYPE_STRUCT,
            elements: elements.as_mut_ptr(),
        });
        ForeignType { pointer: &raw mut *description, owned: Some((description, elements, parts)) }
    }
}

/// A member of a structure; an array counts as its items.
fn element(th: &Thread, class: &Value, parts: &mut Vec<ForeignType>) {
    match info::of(th, class) {
        Some(info) if info.kind == Kind::Array => {
            let Some(item) = &info.item else { return };
            for _ in 0..info.length {
                element(th, item, parts);
            }
        }
        _ => parts.push(ForeignType::of_class(th, class)),
    }
}

/// A prepared signature.
pub struct Signature {
    cif: Box<ffi::ffi_cif>,
    #[expect(dead_code, reason = "kept alive for the cif")]
    list: Vec<*mut ffi::ffi_type>,
    #[expect(dead_code, reason = "kept alive for the cif")]
    types: Vec<ForeignType>,
}
// SAFETY: as for `ForeignType`.
unsafe impl Send for Signature {}
// SAFETY: as for `ForeignType`.
unsafe impl Sync for Signature {}

impl Signature {
    /// `fixed` says how many arguments come before the variable ones.
    pub fn new(arguments: Vec<ForeignType>, result: ForeignType, fixed: Option<usize>) -> Option<Signature> {
        let mut list: Vec<*mut ffi::ffi_type> = arguments.iter().map(|argument| argument.pointer).collect();
        let mut cif = Box::<ffi::ffi_cif>::default();
        let (abi, count) = (ffi::ffi_abi_FFI_DEFAULT_ABI, list.len() as u32);
        // SAFETY: the list has `count` types, which live as long as the signature.
        let status = unsafe {
            match fixed {
                Some(fixed) if fixed < list.len() => {
                    ffi::ffi_prep_cif_var(&mut *cif, abi, fixed as u32, count, result.pointer, list.as_mut_ptr())
                }
                _ => ffi::ffi_prep_cif(&mut *cif, abi, count, result.pointer, list.as_mut_ptr()),
            }
        };
        let mut types = arguments;
        types.push(result);
        (status == ffi::ffi_status_FFI_OK).then_some(Signature { cif, list, types })
    }
    pub fn cif(&mut self) -> *mut ffi::ffi_cif {
        &raw mut *self.cif
    }
}

/// How a result is made of what a function returned.
#[derive(Clone)]
pub enum Returned {
    Nothing,
    /// A ctypes class.
    Class(Value),
    /// Anything that is called with an int.
    Callable(Value),
}

/// Calls the function at an address.
pub fn run(
    th: &mut Thread,
    address: usize,
    arguments: &[Argument],
    returned: &Returned,
    fixed: Option<usize>,
    flags: u32,
) -> PyResult<Value> {
    let types = arguments
        .iter()
        .map(|argument| match &argument.class {
            Some(class) => ForeignType::of_class(th, class),
            None => ForeignType::of_code(argument.code),
        })
        .collect();
    let (result_type, size) = match returned {
        Returned::Nothing => (ForeignType::void(), 0),
        Returned::Class(class) => (ForeignType::of_class(th, class), info::required(th, class)?.size),
        Returned::Callable(_) => (ForeignType::of_code('i'), 4),
    };
    let Some(mut signature) = Signature::new(types, result_type, fixed) else {
        return Err(runtime_error(th, "ffi_prep_cif failed"));
    };
    let mut values: Vec<Vec<u64>> = arguments.iter().map(|argument| words(&argument.bytes)).collect();
    let mut pointers: Vec<*mut libc::c_void> = values.iter_mut().map(|value| value.as_mut_ptr().cast()).collect();
    // Long doubles and structures may want 16 bytes and their alignment.
    let Some(room) = memory::Block::new(size.max(16)) else { return Err(krait_runtime::errors::memory_error(th)) };
    let private = if flags & USE_ERRNO != 0 { Some(th.extension::<Errno>().0) } else { None };
    let release = flags & PYTHON_API == 0;
    let before = (CURRENT.replace(th), RELEASED.replace(release));
    if release {
        world::detach(th);
    }
    // SAFETY: the signature describes the values, which live until after the call; for the function itself the script
    // vouches. The thread state is reached through CURRENT only while the call runs.
    let after = unsafe {
        let place = libc::__errno_location();
        let saved = *place;
        if let Some(private) = private {
            *place = private;
        }
        let code: unsafe extern "C" fn() = std::mem::transmute(address);
        ffi::ffi_call(signature.cif(), Some(code), room.address() as *mut libc::c_void, pointers.as_mut_ptr());
        let after = *place;
        if private.is_some() {
            *place = saved;
        }
        after
    };
    if release {
        world::attach(th);
    }
    CURRENT.set(before.0);
    RELEASED.set(before.1);
    if private.is_some() {
        th.extension::<Errno>().0 = after;
    }
    if th.exc.is_some() {
        return Err(krait_object::Raised::pending(th));
    }
    result(th, returned, room.address())
}

fn words(bytes: &[u8]) -> Vec<u64> {
    let mut words = vec![0u64; bytes.len().div_ceil(8).max(2)];
    for (word, chunk) in words.iter_mut().zip(bytes.chunks(8)) {
        let mut full = [0; 8];
        full[..chunk.len()].copy_from_slice(chunk);
        *word = u64::from_le_bytes(full);
    }
    words
}

fn result(th: &mut Thread, returned: &Returned, address: usize) -> PyResult<Value> {
    match returned {
        Returned::Nothing => Ok(Value::NONE),
        Returned::Callable(function) => {
            let small = memory::load_small(address, 4);
            let int = i32::from_le_bytes([small[0], small[1], small[2], small[3]]);
            protocol::call(th, function, &[Value::int(int.into())])
        }
        Returned::Class(class) => {
            let info = info::required(th, class)?;
            let value = class_result(th, class, &info, address)?;
            match attr::get_text_opt(th, class, "_check_retval_")? {
                Some(check) => protocol::call(th, &check, &[value]),
                None => Ok(value),
            }
        }
    }
}

/// A value of a class at an address, copied if it is an object.
pub fn class_result(th: &mut Thread, class: &Value, info: &Info, address: usize) -> PyResult<Value> {
    let Some(reference) = class.to_ref::<Type>() else { return Err(type_error(th, "abstract class")) };
    if is_plain_simple(&reference, info) {
        let value = simple::get(th, info, address)?;
        if info.code == 'O' {
            // The function gave its reference away.
            release(memory::load_word(address));
        }
        return Ok(value);
    }
    let made: Value = CData::owned(th, &Ref::from_object(reference.object()))?;
    memory::store(this(&made).address(), &memory::load(address, info.size));
    Ok(made)
}

/// Gives back the reference that a word owns.
pub fn release(word: usize) {
    if word != 0 {
        // SAFETY: the caller owns this reference.
        drop(unsafe { Value::from_bits(word as u64) });
    }
}
