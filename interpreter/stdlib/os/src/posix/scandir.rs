//! `scandir`: the iterator and its entries.
use krait_object::builtin_types::OBJECT;
use krait_object::native::{function, getter, method};
use krait_object::{
    Args, Bytes, ClassDef, GetSet, Locked, Method, PyResult, Ref, SlotDefs, Str, StrBuilder, Thread, TypeObject,
    VTable, Value, ValueCell, type_flag,
};
use krait_platform::path::{CWD, DT_DIR, DT_LNK, DT_REG, DT_UNKNOWN, Dir, Entry};
use krait_platform::{errno, fs};
use krait_runtime::audit::audit;
use krait_runtime::errors::write_unraisable;
use krait_runtime::exceptions::RESOURCE_WARNING;
use krait_runtime::protocol::repr;
use krait_runtime::types::generic_alias::class_getitem;
use krait_runtime::warnings::warn;

use super::paths::open_dir;
use super::stat::stat_value;
use crate::arguments::{Accept, PathArg, flag, path};

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = DIR_ENTRY)]
struct DirEntry {
    name: Value,
    path: Value,
    /// Bytes for the system calls: relative to `dir` if that is a descriptor.
    #[trace(skip)]
    file: Vec<u8>,
    #[trace(skip)]
    dir: i32,
    #[trace(skip)]
    inode: u64,
    #[trace(skip)]
    kind: u8,
    stat: ValueCell,
    lstat: ValueCell,
}
static ENTRY_LAYOUT: VTable = VTable::of::<DirEntry>();
pub static DIR_ENTRY: TypeObject = TypeObject::builtin("DirEntry", Some(&OBJECT), &ENTRY_LAYOUT);

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = ITERATOR)]
struct ScandirIterator {
    #[trace(skip)]
    dir: Locked<Option<Dir>>,
    /// The argument, as entries begin their paths with it.
    object: Value,
    #[trace(skip)]
    prefix: Vec<u8>,
    #[trace(skip)]
    fd: i32,
    #[trace(skip)]
    bytes: bool,
}
static ITERATOR_LAYOUT: VTable = VTable::of::<ScandirIterator>();
static ITERATOR: TypeObject = TypeObject::builtin("ScandirIterator", Some(&OBJECT), &ITERATOR_LAYOUT);

pub(super) static DEFS: &[&ClassDef] = &[
    &ClassDef {
        module: "posix",
        doc: "An entry of a folder, with what is known of it without asking the file system again.",
        methods: ENTRY_METHODS,
        getset: ENTRY_GETSET,
        slots: SlotDefs { repr: Some(show), ..SlotDefs::EMPTY },
        flags: type_flag::DISALLOW_INSTANTIATION,
        ..ClassDef::new(&DIR_ENTRY)
    },
    &ClassDef {
        module: "posix",
        methods: ITERATOR_METHODS,
        slots: SlotDefs {
            iter: Some(|_, v| Ok(v.clone())),
            next: Some(next),
            finalize: Some(finalize),
            ..SlotDefs::EMPTY
        },
        flags: type_flag::DISALLOW_INSTANTIATION,
        ..ClassDef::new(&ITERATOR)
    },
];
pub(super) static FUNCTIONS: &[Method] = &[function(
    "scandir",
    "(path=None)",
    "Iterate over the entries of a folder, without '.' and '..', in no order.",
    scandir,
)];

static ENTRY_GETSET: &[GetSet] = &[
    getter("name", "the entry's base filename, relative to scandir() \"path\" argument", |_, v| {
        Ok(entry(v).name.clone())
    }),
    getter("path", "the entry's full path name; equivalent to os.path.join(scandir_path, entry.name)", |_, v| {
        Ok(entry(v).path.clone())
    }),
];
static ENTRY_METHODS: &[Method] = &[
    method("is_dir", "(*, follow_symlinks=True)", "Whether the entry is a folder.", |th, a| {
        is_kind(th, a, 0o040000, DT_DIR)
    }),
    method("is_file", "(*, follow_symlinks=True)", "Whether the entry is a regular file.", |th, a| {
        is_kind(th, a, 0o100000, DT_REG)
    }),
    method("is_symlink", "()", "Whether the entry is a symbolic link.", |th, a| {
        let e = entry(&a[0]);
        if e.kind != DT_UNKNOWN {
            return Ok(Value::bool(e.kind == DT_LNK));
        }
        mode_is(th, e, false, 0o120000)
    }),
    method("is_junction", "()", "Whether the entry is a junction: never here.", |_, _| Ok(Value::FALSE)),
    method("stat", "(*, follow_symlinks=True)", "The entry's status, asked for once.", |th, a| {
        let follow = flag(th, a.opt(1), true)?;
        stat_of(th, entry(&a[0]), follow)
    }),
    method("inode", "()", "The entry's inode.", |_, a| Ok(entry(&a[0]).inode.into())),
    method("__fspath__", "()", "The entry's path.", |_, a| Ok(entry(&a[0]).path.clone())),
    krait_object::native::class_method("__class_getitem__", "(object, /)", "See PEP 585", class_getitem),
];
static ITERATOR_METHODS: &[Method] = &[
    method("__enter__", "()", "The iterator itself.", |_, a| Ok(a[0].clone())),
    method("__exit__", "(*args)", "Close the iterator.", |_, a| {
        close(&a[0]);
        Ok(Value::NONE)
    }),
    method("close", "()", "Close the iterator.", |_, a| {
        close(&a[0]);
        Ok(Value::NONE)
    }),
];

fn entry(v: &Value) -> &DirEntry {
    v.downcast_ref().expect("the descriptor checked the class")
}
fn iterator(v: &Value) -> &ScandirIterator {
    v.downcast_ref().expect("the descriptor checked the class")
}
fn close(v: &Value) {
    let dir = iterator(v).dir.lock().take();
    drop(dir);
}
fn finalize(th: &mut Thread, v: &Value) {
    if iterator(v).dir.lock().is_none() {
        return;
    }
    if let Ok(shown) = repr::repr(th, v)
        && warn(th, &RESOURCE_WARNING, &format!("unclosed scandir iterator {shown}"), 1).is_err()
    {
        write_unraisable(th, Some(v));
    }
    close(v);
}
fn scandir(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let p: PathArg = path(th, a.opt(0), Accept::path("scandir").or_fd().or_none())?;
    audit(th, "os.scandir", std::slice::from_ref(&p.object))?;
    let dir = match open_dir(&p) {
        Ok(d) => d,
        Err(e) => return Err(p.error(th, e)),
    };
    let fd = p.fd().unwrap_or(CWD);
    let prefix = if p.fd().is_some() { Vec::new() } else { p.path().to_bytes().to_vec() };
    let object = if p.object.is_none() { Value::str(".") } else { p.object.clone() };
    let it = ScandirIterator { dir: Locked::new(Some(dir)), object, prefix, fd, bytes: p.bytes };
    Ok(Ref::new(it).into())
}
fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let it = iterator(v);
    let got = match it.dir.lock().as_mut() {
        None => return Ok(None),
        Some(dir) => dir.next_entry(),
    };
    match got {
        Ok(Some(e)) => Ok(Some(make(it, e))),
        Ok(None) => {
            close(v);
            Ok(None)
        }
        Err(e) => {
            close(v);
            Err(krait_runtime::errors::os_error(th, e, Some(&it.object)))
        }
    }
}
fn make(it: &ScandirIterator, e: Entry) -> Value {
    let mut file = it.prefix.clone();
    if !file.is_empty() && !file.ends_with(b"/") {
        file.push(b'/');
    }
    let slash = file.len() > it.prefix.len();
    file.extend_from_slice(&e.name);
    let name = crate::arguments::text(&e.name, it.bytes);
    let path = match it.object.downcast_ref::<Str>() {
        // The path begins with the argument's own text.
        Some(s) if it.fd == CWD => {
            let mut out = StrBuilder::new();
            out.push_str(s);
            if slash {
                out.push_text("/");
            }
            if let Some(n) = name.downcast_ref::<Str>() {
                out.push_str(n);
            }
            out.finish().into()
        }
        None if it.object.downcast_ref::<Bytes>().is_some() => Bytes::new(&file).into(),
        _ => name.clone(),
    };
    let entry = DirEntry {
        name,
        path,
        file,
        dir: it.fd,
        inode: e.inode,
        kind: e.kind,
        stat: ValueCell::empty(),
        lstat: ValueCell::empty(),
    };
    Ref::new(entry).into()
}
fn show(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let name = repr::repr(th, &entry(v).name)?;
    Ok(Value::from(format!("<DirEntry {name}>")))
}
fn ask(e: &DirEntry, follow: bool) -> Result<fs::Stat, i32> {
    let file = krait_platform::path::c_string(&e.file).ok_or(errno::EINVAL)?;
    fs::stat_at(e.dir, &file, follow)
}
fn stat_of(th: &mut Thread, e: &DirEntry, follow: bool) -> PyResult<Value> {
    // A link's own status and that of what it points to are different things; for all others they are one.
    let link = e.kind == DT_LNK || e.kind == DT_UNKNOWN;
    let cell = if follow && link { &e.stat } else { &e.lstat };
    if let Some(known) = cell.get() {
        return Ok(known);
    }
    match ask(e, follow && link) {
        Ok(st) => Ok(cell.get_or_set(stat_value(th, &st))),
        Err(errno) => Err(krait_runtime::errors::os_error(th, errno, Some(&e.path))),
    }
}
fn mode_is(th: &mut Thread, e: &DirEntry, follow: bool, wanted: u32) -> PyResult<Value> {
    let st = match stat_of(th, e, follow) {
        Ok(st) => st,
        Err(raised) => {
            // A link that points nowhere is neither folder nor file.
            krait_runtime::errors::catch(th, raised, &krait_runtime::exceptions::FILE_NOT_FOUND_ERROR)?;
            return Ok(Value::FALSE);
        }
    };
    let mode = st.downcast_ref::<krait_object::Tuple>().and_then(|t| t.first().and_then(Value::as_int)).unwrap_or(0);
    Ok(Value::bool(mode as u32 & 0o170000 == wanted))
}
fn is_kind(th: &mut Thread, a: &Args<'_>, mode: u32, kind: u8) -> PyResult<Value> {
    let e = entry(&a[0]);
    let follow = flag(th, a.opt(1), true)?;
    if e.kind != DT_UNKNOWN && (e.kind != DT_LNK || !follow) {
        return Ok(Value::bool(e.kind == kind));
    }
    mode_is(th, e, follow, mode)
}
