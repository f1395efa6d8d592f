//! Start-up modules of the found Lib, compiled once and kept in Krait's cache folder, so that start-up does not parse:
//! the counterpart of CPython's frozen modules.
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use krait_bytecode::marshal::{self, Origin};
use krait_bytecode::stored::Store;
use krait_object::{PyResult, Ref, Thread, Value};

use crate::config;
use crate::errors::{import_error_for, system_error};
use crate::exceptions::IMPORT_ERROR;
use crate::hooks::{self, CompileRequest};
use crate::types::code::Code;

/// A module that is loaded from the cache: import name, source below Lib, package or not, the name it is an alias of.
pub struct Frozen {
    pub name: &'static str,
    source: &'static str,
    pub is_package: bool,
    pub original: Option<&'static str>,
    /// The machinery itself: there whatever the override says.
    essential: bool,
    /// A module of Krait's own in place of Lib's, with its source.
    text: Option<&'static str>,
}

const fn plain(name: &'static str, source: &'static str) -> Frozen {
    Frozen { name, source, is_package: false, original: Some(name), essential: false, text: None }
}
const fn essential(name: &'static str, source: &'static str, original: &'static str) -> Frozen {
    Frozen { name, source, is_package: false, original: Some(original), essential: true, text: None }
}
const fn package(name: &'static str, source: &'static str) -> Frozen {
    Frozen { name, source, is_package: true, original: Some(name), essential: false, text: None }
}

/// A second name for a frozen module's source; the sources of packages are known as `<name`.
const fn alias(name: &'static str, source: &'static str, original: &'static str, is_package: bool) -> Frozen {
    Frozen { name, source, is_package, original: Some(original), essential: false, text: None }
}

/// What Krait needs other than CPython: `interpreter/lib`.
const fn own(name: &'static str, text: &'static str) -> Frozen {
    Frozen { name, source: "", is_package: false, original: Some(name), essential: true, text: Some(text) }
}

static FROZEN: &[Frozen] = &[
    own("_opcode_metadata", include_str!("../../lib/_opcode_metadata.py")),
    own("_sysconfigdata__linux_x86_64-linux-gnu", include_str!("../../lib/_sysconfigdata.py")),
    own("dis", include_str!("../../lib/dis.py")),
    own("opcode", include_str!("../../lib/opcode.py")),
    essential("_frozen_importlib", "importlib/_bootstrap.py", "importlib._bootstrap"),
    essential("_frozen_importlib_external", "importlib/_bootstrap_external.py", "importlib._bootstrap_external"),
    essential("zipimport", "zipimport.py", "zipimport"),
    plain("abc", "abc.py"),
    plain("codecs", "codecs.py"),
    plain("io", "io.py"),
    plain("_collections_abc", "_collections_abc.py"),
    plain("_sitebuiltins", "_sitebuiltins.py"),
    plain("genericpath", "genericpath.py"),
    plain("ntpath", "ntpath.py"),
    plain("posixpath", "posixpath.py"),
    plain("os", "os.py"),
    alias("os.path", "posixpath.py", "posixpath", false),
    plain("site", "site.py"),
    plain("stat", "stat.py"),
    plain("importlib.util", "importlib/util.py"),
    plain("importlib.machinery", "importlib/machinery.py"),
    plain("runpy", "runpy.py"),
    plain("__hello__", "__hello__.py"),
    alias("__hello_alias__", "__hello__.py", "__hello__", false),
    alias("__phello_alias__", "__hello__.py", "__hello__", true),
    alias("__phello_alias__.spam", "__hello__.py", "__hello__", false),
    package("__phello__", "__phello__/__init__.py"),
    alias("__phello__.__init__", "__phello__/__init__.py", "<__phello__", false),
    plain("__phello__.spam", "__phello__/spam.py"),
    package("__phello__.ham", "__phello__/ham/__init__.py"),
    alias("__phello__.ham.__init__", "__phello__/ham/__init__.py", "<__phello__.ham", false),
    plain("__phello__.ham.eggs", "__phello__/ham/eggs.py"),
    Frozen { original: None, essential: false, ..own("__hello_only__", "initialized = True\n") },
];

/// -1: all frozen modules off but the essential ones; 0: as configured; 1: on.
static OVERRIDE: AtomicI32 = AtomicI32::new(0);

pub fn set_override(_: &mut Thread, n: i32) {
    OVERRIDE.store(n, Relaxed);
}
fn enabled(th: &Thread) -> bool {
    match OVERRIDE.load(Relaxed) {
        0 => !config::get(th).no_frozen_modules,
        n => n > 0,
    }
}
pub fn find(th: &Thread, name: &str) -> Option<&'static Frozen> {
    let found = FROZEN.iter().find(|f| f.name == name)?;
    if !found.essential && !enabled(th) {
        return None;
    }
    Some(found)
}
pub fn names(_: &Thread) -> Vec<&'static str> {
    FROZEN.iter().map(|f| f.name).collect()
}
/// Names what made this process' code objects.
pub fn version_token() -> u32 {
    u32::from_le_bytes(marshal::magic())
}

/// Where compiled start-up modules are kept: `$XDG_CACHE_HOME` or `~/.cache`, a folder for each format.
fn cache_dir() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .filter(|v| !v.is_empty())
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    Some(base.join("krait").join(format!("{:08x}", version_token())))
}
/// Size and time of a source, which a cache entry must match.
fn stamp(source: &Path) -> Option<[u8; 16]> {
    let meta = source.metadata().ok()?;
    let time = meta.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    let mut out = [0; 16];
    out[..8].copy_from_slice(&meta.len().to_le_bytes());
    out[8..].copy_from_slice(&(time.as_nanos() as u64).to_le_bytes());
    Some(out)
}
fn cache_file(source: &Path) -> Option<PathBuf> {
    let name = source.to_str()?.replace('/', "%");
    Some(cache_dir()?.join(name + "c"))
}
/// The cached form of a source file's code, if it is still that of the file.
pub fn read_cache(source: &Path) -> Option<Stored> {
    read_stamped(source, stamp(source)?)
}
/// The bytes are kept as long as code in them is not read. They are no map of the file: a program may truncate that.
fn read_stamped(source: &Path, stamp: [u8; 16]) -> Option<Stored> {
    let bytes = std::fs::read(cache_file(source)?).ok()?;
    bytes.starts_with(&stamp).then(|| Stored { store: Arc::new(bytes), at: stamp.len() })
}
/// Length and hash of an embedded source.
fn text_stamp(text: &str) -> [u8; 16] {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    let mut out = [0; 16];
    out[..8].copy_from_slice(&(text.len() as u64).to_le_bytes());
    out[8..].copy_from_slice(&hash.to_le_bytes());
    out
}
/// Keeps the stored form of a source file's code. A cache that cannot be written is no error.
pub fn write_cache(source: &Path, body: &[u8]) {
    if let Some(stamp) = stamp(source) {
        write_stamped(source, stamp, body);
    }
}
fn write_stamped(source: &Path, stamp: [u8; 16], body: &[u8]) {
    let Some(file) = cache_file(source) else { return };
    let Some(dir) = file.parent() else { return };
    if std::fs::create_dir_all(dir).is_err() {
        return;
    }
    let temporary = file.with_extension(format!("{}", std::process::id()));
    let written = std::fs::write(&temporary, [stamp.as_slice(), body].concat());
    if written.is_err() || std::fs::rename(&temporary, &file).is_err() {
        drop(std::fs::remove_file(&temporary));
    }
}

/// A module's code in its stored form.
#[derive(Clone)]
pub struct Stored {
    store: Store,
    /// Where it begins.
    at: usize,
}
impl Stored {
    fn of_bytes(bytes: Vec<u8>) -> Stored {
        Stored { store: Arc::new(bytes), at: 0 }
    }
    pub fn bytes(&self) -> &[u8] {
        (*self.store).as_ref().get(self.at..).unwrap_or_default()
    }
}

/// The stored code of this process, by module name.
static LOADED: Mutex<Option<HashMap<&'static str, Stored>>> = Mutex::new(None);

/// The stored form of a frozen module's code.
pub fn data(th: &mut Thread, name: &str) -> PyResult<Stored> {
    let Some(frozen) = FROZEN.iter().find(|f| f.name == name) else {
        let message = format!("No such frozen object named {name}");
        return Err(import_error_for(th, &IMPORT_ERROR, message, Some(Value::str(name)), None, None));
    };
    let held = LOADED.lock().unwrap_or_else(|e| e.into_inner()).as_ref().and_then(|l| l.get(frozen.name).cloned());
    if let Some(data) = held {
        return Ok(data);
    }
    let data = match frozen.text {
        Some(text) => own_data(th, frozen, text)?,
        None => lib_data(th, frozen)?,
    };
    LOADED.lock().unwrap_or_else(|e| e.into_inner()).get_or_insert_default().insert(frozen.name, data.clone());
    Ok(data)
}
/// The stored form of a module of Lib.
fn lib_data(th: &mut Thread, frozen: &Frozen) -> PyResult<Stored> {
    let Some(lib) = config::get(th).stdlib_dir.clone() else {
        return Err(system_error(th, "the standard library was not found"));
    };
    let source = lib.join(frozen.source);
    if let Some(data) = read_cache(&source) {
        return Ok(data);
    }
    let text = match std::fs::read(&source) {
        Ok(text) => text,
        Err(e) => return Err(crate::errors::io_error(th, &e, source.to_str().map(Value::str).as_ref())),
    };
    let data = compile(th, frozen, &text)?;
    write_cache(&source, &data);
    Ok(Stored::of_bytes(data))
}
/// The stored form of a module of Krait's own.
fn own_data(th: &mut Thread, frozen: &Frozen, text: &str) -> PyResult<Stored> {
    let source = PathBuf::from("krait").join(frozen.name);
    let stamp = text_stamp(text);
    if let Some(data) = read_stamped(&source, stamp) {
        return Ok(data);
    }
    let data = compile(th, frozen, text.as_bytes())?;
    write_stamped(&source, stamp, &data);
    Ok(Stored::of_bytes(data))
}
fn compile(th: &mut Thread, frozen: &Frozen, text: &[u8]) -> PyResult<Vec<u8>> {
    let filename = format!("<frozen {}>", frozen.original.unwrap_or(frozen.name));
    let bytes = Value::from(krait_object::Bytes::new(text));
    let request = CompileRequest {
        source: &bytes,
        filename: &filename,
        mode: "exec",
        flags: 0,
        optimize: 0,
        feature_version: -1,
    };
    let code = hooks::compile(th, &request)?;
    let Some(code) = code.downcast_ref::<Code>() else { return Err(system_error(th, "expected code")) };
    Ok(marshal::dump(code.bytecode()))
}
/// A frozen module's code object.
pub fn code(th: &mut Thread, name: &str) -> PyResult<Ref<Code>> {
    let data = data(th, name)?;
    match code_of(th, &data, Origin::Own) {
        Some(code) => code,
        None => {
            let message = format!("Frozen object named '{name}' is invalid");
            Err(import_error_for(th, &IMPORT_ERROR, message, Some(Value::str(name)), None, None))
        }
    }
}
fn code_of(th: &mut Thread, data: &Stored, origin: Origin) -> Option<PyResult<Ref<Code>>> {
    let code = marshal::load_outer(&data.store, data.at, origin).ok()?;
    Some(Code::new(th, &Arc::new(code)))
}
/// A code object from its stored form, wherever that comes from.
pub fn code_from(th: &mut Thread, data: Vec<u8>) -> Option<PyResult<Ref<Code>>> {
    code_of(th, &Stored::of_bytes(data), Origin::Foreign)
}
