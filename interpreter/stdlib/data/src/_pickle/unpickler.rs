//! The class `Unpickler`: options, memo and hooks. What opcodes do is in `load` and `load_build`.
use std::collections::HashMap;

use krait_macros::{Payload, Trace};
use krait_object::native::{getset, method};
use krait_object::{
    Args, ClassDef, Dict, GetSet, Locked, Method, PyResult, Ref, SlotDefs, Str, Thread, TypeObject, VTable, Value,
    ValueCell, builtin_types::OBJECT, type_flag,
};
use krait_runtime::audit;
use krait_runtime::errors::{attribute_error, type_error, value_error};
use krait_runtime::import;
use krait_runtime::protocol::{attr, compare, iter, number};
use krait_runtime::types::object::{generic_getattr, generic_setattr};

use super::input::Input;
use super::{find, load, memo, unpickling_error};
use crate::arguments::{Parameters, class_name, text};

/// What an unpickler was told.
#[derive(Clone)]
pub struct Options {
    pub fix_imports: bool,
    /// Of the eight-bit strings of Python 2.
    pub encoding: String,
    pub errors: String,
    /// An iterator.
    pub buffers: Option<Value>,
}
impl Options {
    /// fix_imports, encoding, errors, buffers
    pub fn of(th: &mut Thread, args: [Option<&Value>; 4]) -> PyResult<Options> {
        let [fix_imports, encoding, errors, buffers] = args;
        let fix_imports = match fix_imports {
            Some(v) => compare::truth(th, v)?,
            None => true,
        };
        let string = |th: &mut Thread, v: Option<&Value>, default: &str, place: usize| match v {
            None => Ok(default.to_owned()),
            Some(v) => text(th, v, "Unpickler()", place).map(|s| s.to_string_lossy().into_owned()),
        };
        let encoding = string(th, encoding, "ASCII", 3)?;
        let errors = string(th, errors, "strict", 4)?;
        let buffers = match buffers.filter(|b| !b.is_none()) {
            Some(b) => Some(iter::iter(th, b)?),
            None => None,
        };
        Ok(Options { fix_imports, encoding, errors, buffers })
    }
}

/// Values by number: dense at the start, the rest in a map, since a pickle may name any number.
#[derive(Default, Trace)]
pub struct Memo {
    dense: Vec<Option<Value>>,
    #[trace(skip)]
    sparse: HashMap<u64, Value>,
    #[trace(skip)]
    len: usize,
}
impl Memo {
    #[inline]
    pub fn get(&self, n: u64) -> Option<Value> {
        match self.dense.get(n as usize) {
            Some(v) => v.clone(),
            None => self.sparse.get(&n).cloned(),
        }
    }
    pub fn put(&mut self, n: u64, v: Value) -> Option<Value> {
        let i = n as usize;
        let old = if i < self.dense.len() {
            self.dense[i].replace(v)
        } else if i < 2 * self.dense.len() + 1024 && self.sparse.is_empty() {
            self.dense.resize(i + 1, None);
            self.dense[i].replace(v)
        } else {
            self.sparse.insert(n, v)
        };
        self.len += usize::from(old.is_none());
        old
    }
    /// The number that MEMOIZE gives next.
    pub fn len(&self) -> usize {
        self.len
    }
    pub fn clear(&mut self) {
        *self = Memo::default();
    }
    pub fn entries(&self) -> Vec<(u64, Value)> {
        let dense = self.dense.iter().enumerate().filter_map(|(i, v)| v.clone().map(|v| (i as u64, v)));
        dense.chain(self.sparse.iter().map(|(&n, v)| (n, v.clone()))).collect()
    }
}

#[derive(Trace, Payload)]
#[payload(class = UNPICKLER)]
pub struct Unpickler {
    #[trace(skip)]
    pub options: Locked<Options>,
    pub input: Locked<Option<Input>>,
    pub memo: Locked<Memo>,
    #[trace(skip)]
    pub protocol: Locked<i32>,
    /// `persistent_load` set on the instance.
    persistent_load: ValueCell,
}
static LAYOUT: VTable = VTable::of::<Unpickler>();
pub static UNPICKLER: TypeObject = TypeObject::builtin("Unpickler", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_pickle",
    doc: "This takes a binary file for reading a pickle data stream.",
    sig: "(file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(|th, class, _| {
            let options = Options::of(th, [None; 4])?;
            Ok(Ref::with_class(Unpickler::new(options), class.object()).into())
        }),
        init: Some(init),
        getattr: Some(getattr),
        setattr: Some(setattr),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::HAVE_GC,
    ..ClassDef::new(&UNPICKLER)
};
static METHODS: &[Method] = &[
    method("load", "()", "Load a pickle.", |th, a| {
        let u = a.this_ref::<Unpickler>();
        let Some(input) = u.input.lock().take() else {
            let class = a[0].class().name();
            return Err(unpickling_error(th, format!("Unpickler.__init__() was not called by {class}.__init__()")));
        };
        let (result, input) = load::load(th, Some(&a[0]), &u, input);
        *u.input.lock() = Some(input);
        result
    }),
    method("persistent_load", "(pid, /)", "", |th, _| {
        let message =
            "A load persistent id instruction was encountered, but no persistent_load function was specified.";
        Err(unpickling_error(th, message))
    }),
    method("find_class", "(module_name, global_name, /)", "Return an object from a specified module.", |th, a| {
        find_class(th, a.this(), &a[1], &a[2])
    }),
    method("__sizeof__", "()", "Returns size in memory, in bytes.", |_, a| {
        let u = a.this::<Unpickler>();
        Ok((size_of::<Unpickler>() + 16 + u.memo.lock().len() * 8).into())
    }),
];
static GETSET: &[GetSet] = &[getset("memo", "", |_, v| Ok(memo::unpickler_proxy(v)), set_memo)];
fn this(v: &Value) -> &Unpickler {
    v.downcast_ref().expect("the slot belongs to Unpickler")
}

impl Unpickler {
    pub fn new(options: Options) -> Unpickler {
        Unpickler {
            options: Locked::new(options),
            input: Locked::new(None),
            memo: Locked::new(Memo::default()),
            protocol: Locked::new(0),
            persistent_load: ValueCell::empty(),
        }
    }
    pub fn own_persistent_load(&self) -> Option<Value> {
        self.persistent_load.get()
    }
    pub fn memo_dict(&self, th: &mut Thread) -> PyResult<Ref<Dict>> {
        let d = Dict::new();
        let entries = self.memo.lock().entries();
        for (n, v) in entries {
            d.set(th, n.into(), v)?;
        }
        Ok(d)
    }
}
fn init(th: &mut Thread, v: &Value, args: &Args<'_>) -> PyResult<()> {
    static PARAMETERS: Parameters<5> = Parameters {
        function: "Unpickler()",
        names: ["file", "fix_imports", "encoding", "errors", "buffers"],
        required: 1,
        positional: 1,
    };
    let [file, rest @ ..] = PARAMETERS.bind(th, args)?;
    let u = this(v);
    *u.input.lock() = None;
    let input = Input::of_file(th, file.expect("it is required"))?;
    let options = Options::of(th, rest)?;
    u.options.set(options);
    u.memo.lock().clear();
    u.protocol.set(0);
    *u.input.lock() = Some(input);
    Ok(())
}
fn getattr(th: &mut Thread, v: &Value, name: &Ref<Str>) -> PyResult<Option<Value>> {
    if name.eq_str("persistent_load")
        && let Some(own) = this(v).persistent_load.get()
    {
        return Ok(Some(own));
    }
    generic_getattr(th, v, name)
}
fn setattr(th: &mut Thread, v: &Value, name: &Ref<Str>, value: Option<&Value>) -> PyResult<()> {
    if name.eq_str("persistent_load") {
        if value.is_none() && !this(v).persistent_load.is_set() {
            return Err(attribute_error(th, "persistent_load"));
        }
        this(v).persistent_load.set(value.cloned());
        return Ok(());
    }
    generic_setattr(th, v, name, value)
}
fn set_memo(th: &mut Thread, v: &Value, new: Option<&Value>) -> PyResult<()> {
    let Some(new) = new else { return Err(type_error(th, "attribute deletion is not supported")) };
    let mut made = Memo::default();
    if let Some(other) = memo::proxied_unpickler(new) {
        let entries = other.memo.lock().entries();
        for (n, object) in entries {
            made.put(n, object);
        }
    } else if let Some(d) = new.downcast_ref::<Dict>() {
        for (key, object) in d.items() {
            if key.as_int_ref().is_none() {
                return Err(type_error(th, "memo key must be integers"));
            }
            let n = number::to_isize(th, &key)?;
            match u64::try_from(n) {
                Ok(n) => drop(made.put(n, object)),
                Err(_) => return Err(value_error(th, "memo key must be positive integers.")),
            }
        }
    } else {
        let class = class_name(new);
        let message = format!("'memo' attribute must be an UnpicklerMemoProxy object or dict, not {class}");
        return Err(type_error(th, message));
    }
    let old = std::mem::replace(&mut *this(v).memo.lock(), made);
    drop(old);
    Ok(())
}

/// The object that a pickle names.
pub fn find_class(th: &mut Thread, u: &Unpickler, module: &Value, name: &Value) -> PyResult<Value> {
    audit::audit(th, "pickle.find_class", &[module.clone(), name.clone()])?;
    let (mut module, mut name) = (module.clone(), name.clone());
    let protocol = u.protocol.get();
    if protocol < 3 && u.options.lock().fix_imports {
        (module, name) = find::mapped(th, (&module, &name), "NAME_MAPPING", "IMPORT_MAPPING")?;
    }
    let Some(module_name) = module.downcast_ref::<Str>() else {
        let class = class_name(&module);
        return Err(type_error(th, format!("module name must be str, not {class}")));
    };
    if module_name.is_empty() {
        return Err(value_error(th, "Empty module name"));
    }
    let module = import::import_module(th, &module_name.to_string_lossy())?;
    let Some(text) = name.to_ref::<Str>() else {
        let class = class_name(&name);
        return Err(type_error(th, format!("attribute name must be string, not '{class}'")));
    };
    if protocol >= 4 {
        return find::attribute(th, &module, &text).map(|(found, _)| found);
    }
    let text = attr::name_argument(th, text.as_value())?;
    attr::get_attr(th, &module, &text)
}
