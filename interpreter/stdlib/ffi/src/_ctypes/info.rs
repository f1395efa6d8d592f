//! What is known of a ctypes class: its size, alignment, items, and how it is passed. CPython: `StgInfo`.

use std::collections::HashMap;
use std::sync::Arc;

use krait_object::{Locked, PyResult, Thread, Type, Value};
use krait_runtime::errors::type_error;
use krait_runtime::types::weakref::{self, Reference};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Simple,
    Structure,
    Union,
    Array,
    Pointer,
    Function,
}

#[derive(Clone)]
pub struct Info {
    pub kind: Kind,
    pub size: usize,
    pub align: usize,
    /// Items of an array, fields of a structure.
    pub length: usize,
    /// The type of items or of what is pointed to.
    pub item: Option<Value>,
    /// The code of a simple type, else NUL.
    pub code: char,
    pub swapped: bool,
    pub format: String,
    pub shape: Vec<usize>,
    /// The classes of a structure's members in order, its bases' first.
    pub members: Vec<Value>,
    /// No more fields may be set: there are instances or users.
    pub sealed: bool,
    pub has_bitfield: bool,
    /// Of function types.
    pub argtypes: Option<Value>,
    pub restype: Option<Value>,
    pub function_flags: u32,
}

impl Info {
    pub fn new(kind: Kind, size: usize, align: usize) -> Info {
        Info {
            kind,
            size,
            align,
            length: 0,
            item: None,
            code: '\0',
            swapped: false,
            format: "B".into(),
            shape: Vec::new(),
            members: Vec::new(),
            sealed: false,
            has_bitfield: false,
            argtypes: None,
            restype: None,
            function_flags: 0,
        }
    }
}

struct Entry {
    info: Arc<Info>,
    /// A weak reference to the class: another class may have its address once it is gone.
    class: Value,
}
impl Entry {
    fn is_alive(&self) -> bool {
        self.class.downcast_ref::<Reference>().is_some_and(|held| !held.0.is_dead())
    }
}
#[derive(Default)]
struct Entries {
    by_address: HashMap<usize, Entry>,
    /// The number of entries with which those of dead classes are dropped.
    sweep_at: usize,
}
#[derive(Default)]
struct Table {
    entries: Locked<Entries>,
}

fn address(class: &Value) -> usize {
    class.bits() as usize
}

pub fn of(th: &Thread, class: &Value) -> Option<Arc<Info>> {
    class.downcast_ref::<Type>()?;
    let table = th.interp.extension::<Table>();
    let entries = table.entries.lock();
    entries.by_address.get(&address(class)).filter(|entry| entry.is_alive()).map(|entry| entry.info.clone())
}

/// The info of an instance's class.
pub fn of_instance(th: &Thread, value: &Value) -> Option<Arc<Info>> {
    of(th, &value.class_ref().to_value())
}

/// The info of a class that must have one: "abstract class" otherwise.
pub fn required(th: &mut Thread, class: &Value) -> PyResult<Arc<Info>> {
    match of(th, class) {
        Some(info) => Ok(info),
        None => Err(type_error(th, "abstract class")),
    }
}

pub fn set(th: &Thread, class: &Value, info: Info) {
    let table = th.interp.extension::<Table>();
    let entry = Entry { info: Arc::new(info), class: weakref::new_plain(class) };
    let mut entries = table.entries.lock();
    let mut dead: Vec<Entry> = entries.by_address.insert(address(class), entry).into_iter().collect();
    if entries.by_address.len() > entries.sweep_at {
        dead.extend(entries.by_address.extract_if(|_, entry| !entry.is_alive()).map(|(_, entry)| entry));
        entries.sweep_at = (2 * entries.by_address.len()).max(512);
    }
    drop(entries);
    drop(dead);
}

pub fn update(th: &Thread, class: &Value, change: impl FnOnce(&mut Info)) {
    if let Some(info) = of(th, class) {
        let mut info = (*info).clone();
        change(&mut info);
        set(th, class, info);
    }
}

/// Marks a class as used: its fields stay as they are.
pub fn seal(th: &Thread, class: &Value) {
    if of(th, class).is_some_and(|info| !info.sealed) {
        update(th, class, |info| info.sealed = true);
    }
}
