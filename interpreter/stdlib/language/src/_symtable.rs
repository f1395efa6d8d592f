//! `_symtable`: the compiler's symbol tables as objects, for `symtable`.
use krait_compiler::symtable::{BlockId, BlockKind, SymbolTable};
use krait_object::builtin_types::OBJECT;
use krait_object::intern::intern;
use krait_object::native::{function, member};
use krait_object::{
    Args, Bytes, ClassDef, Dict, GetSet, List, Method, ModuleDef, PyResult, Ref, SlotDefs, Str, Thread, TypeObject,
    VTable, Value, type_flag,
};
use krait_runtime::convert::{expect_text, fs_text};
use krait_runtime::errors::{surrogates_not_allowed, type_error, value_error};
use krait_runtime::protocol::buffer;
use krait_runtime::types::{module, type_};
use krait_syntax::{Mode, ParseOptions};

use crate::codecs::Codecs;
use crate::refusal;

/// Scopes stand above the flags of a symbol.
const SCOPE_OFF: u32 = 12;

pub static MODULE: ModuleDef = ModuleDef {
    functions: FUNCTIONS,
    init: Some(|th, m| {
        type_::ready::ready_class(th, &DEF);
        let d = module::dict(m);
        for (name, number) in [
            ("USE", 16),
            ("DEF_GLOBAL", 1),
            ("DEF_NONLOCAL", 8),
            ("DEF_LOCAL", 2),
            ("DEF_PARAM", 4),
            ("DEF_FREE", 32),
            ("DEF_FREE_CLASS", 64),
            ("DEF_IMPORT", 128),
            ("DEF_BOUND", 134),
            ("DEF_ANNOT", 256),
            ("TYPE_FUNCTION", 0),
            ("TYPE_CLASS", 1),
            ("TYPE_MODULE", 2),
            ("TYPE_ANNOTATION", 3),
            ("TYPE_TYPE_ALIAS", 4),
            ("TYPE_TYPE_PARAMETERS", 5),
            ("TYPE_TYPE_VARIABLE", 6),
            ("LOCAL", 1),
            ("GLOBAL_EXPLICIT", 2),
            ("GLOBAL_IMPLICIT", 3),
            ("FREE", 4),
            ("CELL", 5),
            ("SCOPE_OFF", SCOPE_OFF as i64),
            ("SCOPE_MASK", 15),
        ] {
            d.set_text(name, Value::int(number));
        }
        Ok(())
    }),
    ..ModuleDef::new("_symtable")
};
static FUNCTIONS: &[Method] = &[function(
    "symtable",
    "(source, filename, startstr, /)",
    "Return symbol and scope dictionaries used internally by compiler.",
    symtable,
)];

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = ENTRY)]
struct Entry {
    name: Value,
    symbols: Ref<Dict>,
    varnames: Ref<List>,
    children: Ref<List>,
    #[trace(skip)]
    nested: bool,
    #[trace(skip)]
    kind: u8,
    #[trace(skip)]
    lineno: u32,
}
static LAYOUT: VTable = VTable::of::<Entry>();
static ENTRY: TypeObject = TypeObject::builtin("symtable entry", Some(&OBJECT), &LAYOUT);
static DEF: ClassDef = ClassDef {
    getset: GETSET,
    slots: SlotDefs {
        repr: Some(|_, v| {
            let e = this(v);
            let name = e.name.downcast_ref::<Str>().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
            Ok(Value::from(format!("<symtable entry {name}({}), line {}>", v.id(), e.lineno)))
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC,
    ..ClassDef::new(&ENTRY)
};
static GETSET: &[GetSet] = &[
    member("id", "", |_, v| Ok(Value::from(v.bits()))),
    member("name", "", |_, v| Ok(this(v).name.clone())),
    member("symbols", "", |_, v| Ok(this(v).symbols.to_value())),
    member("varnames", "", |_, v| Ok(this(v).varnames.to_value())),
    member("children", "", |_, v| Ok(this(v).children.to_value())),
    member("nested", "", |_, v| Ok(Value::int(this(v).nested.into()))),
    member("type", "", |_, v| Ok(Value::from(this(v).kind))),
    member("lineno", "", |_, v| Ok(Value::from(this(v).lineno))),
];

fn this(v: &Value) -> &Entry {
    v.downcast_ref().expect("the descriptor checked the class of self")
}

fn symtable(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let start = expect_text(th, &a[2], "symtable", "argument 3")?;
    if a[1].downcast_ref::<Str>().is_none() && a[1].downcast_ref::<Bytes>().is_none() && buffer::has_buffer(&a[1]) {
        let class = a[1].class().name();
        return Err(type_error(th, format!("expected str, bytes or os.PathLike object, not {class}")));
    }
    let filename = fs_text(th, &a[1])?;
    let mode = match start.as_str() {
        "exec" => Mode::Exec,
        "eval" => Mode::Eval,
        "single" => Mode::Single,
        _ => return Err(value_error(th, "symtable() arg 3 must be 'exec' or 'eval' or 'single'")),
    };
    let mut options = ParseOptions::new(mode);
    let parsed = if let Some(s) = a[0].to_ref::<Str>() {
        match s.to_utf8() {
            Some(text) => krait_syntax::parse_text(&text, &options),
            None => return Err(surrogates_not_allowed(th, &s)),
        }
    } else if a[0].downcast_ref::<Bytes>().is_some() || buffer::has_buffer(&a[0]) {
        let bytes = buffer::bytes_like(th, &a[0])?;
        let codecs = Codecs::new(th);
        options.codecs = Some(&codecs);
        krait_syntax::parse(&bytes, &options)
    } else {
        return Err(type_error(th, "symtable() arg 1 must be a string or bytes"));
    };
    let budget = th.native_left() / 2;
    let table = parsed.and_then(|p| krait_compiler::symbol_table(&p.module, 0, budget));
    match table {
        Ok(table) => entry(th, &table, table.top()),
        Err(e) => Err(refusal::raise(th, &e, &Value::str(&filename))),
    }
}

fn entry(th: &mut Thread, table: &SymbolTable, id: BlockId) -> PyResult<Value> {
    th.check_native(" while building a symbol table")?;
    let block = table.block(id);
    let symbols = Dict::new();
    for (name, symbol) in block.symbols.iter() {
        symbols.set_str(&intern(name), Value::from(symbol.flags | (symbol.scope as u32) << SCOPE_OFF));
    }
    let children = block.children.iter().map(|&c| entry(th, table, c)).collect::<PyResult<Vec<_>>>()?;
    let made = Entry {
        name: intern(&block.name).into(),
        symbols,
        varnames: List::new(block.varnames.iter().map(|n| intern(n).into()).collect()),
        children: List::new(children),
        nested: block.nested,
        kind: match block.kind {
            BlockKind::Function => 0,
            BlockKind::Class => 1,
            BlockKind::Module => 2,
            BlockKind::Annotation => 3,
            BlockKind::TypeAlias => 4,
            BlockKind::TypeParameters => 5,
            BlockKind::TypeVariable => 6,
        },
        lineno: if id == table.top() { 0 } else { block.range.lineno },
    };
    Ok(Ref::new(made).into())
}
