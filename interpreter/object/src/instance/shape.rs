//! Shapes: which attribute sits in which slot, shared by the instances of a class. A shape is named by a 32-bit id that
//! is never reused; shapes are append-only and live as long as the process.
use std::collections::HashMap;
use std::sync::RwLock;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering::*};

use crate::locked::Locked;
use crate::refs::Ref;
use crate::str::Str;
use crate::type_object::TypeObject;

/// The shape id of instances whose attributes are in a dict (or that have none).
pub const DICT: u32 = 0;
/// Attributes beyond this many live in a dict.
const MAX_SLOTS: u16 = 62;
const FIRST_CAPACITY: u16 = 4;

pub struct Shape {
    pub id: u32,
    pub parent: Option<u32>,
    /// Attributes in slots.
    pub len: u16,
    key: Option<Ref<Str>>,
    /// Interned name's address to slot, for this shape and all its parents.
    index: HashMap<usize, u16>,
    next: Locked<Vec<(usize, &'static Shape)>>,
}

static SHAPES: RwLock<Vec<&'static Shape>> = RwLock::new(Vec::new());

fn register(make: impl FnOnce(u32) -> Shape) -> Option<&'static Shape> {
    let mut all = SHAPES.write().unwrap_or_else(|e| e.into_inner());
    let id = u32::try_from(all.len() + 1).ok()?;
    let shape: &'static Shape = Box::leak(Box::new(make(id)));
    all.push(shape);
    Some(shape)
}

static EMPTY: std::sync::OnceLock<&'static Shape> = std::sync::OnceLock::new();

impl Shape {
    /// The shape with this id; the empty shape for `DICT`.
    pub fn get(id: u32) -> &'static Shape {
        if id == DICT {
            return EMPTY.get_or_init(|| {
                Box::leak(Box::new(Shape {
                    id: DICT,
                    parent: None,
                    len: MAX_SLOTS,
                    key: None,
                    index: HashMap::new(),
                    next: Locked::new(Vec::new()),
                }))
            });
        }
        SHAPES.read().unwrap_or_else(|e| e.into_inner())[id as usize - 1]
    }
    pub fn index_of(&self, name: &Ref<Str>) -> Option<u16> {
        if name.is_interned() {
            return self.index.get(&name.address()).copied();
        }
        self.index.get(&crate::intern::find(name)?.address()).copied()
    }
    /// The shape after appending `name` (interned), or `None` when there are slots enough.
    pub fn with(&'static self, name: &Ref<Str>) -> Option<&'static Shape> {
        if self.len >= MAX_SLOTS {
            return None;
        }
        let key = name.address();
        let mut next = self.next.lock();
        if let Some((_, shape)) = next.iter().find(|(k, _)| *k == key) {
            return Some(shape);
        }
        let mut index = self.index.clone();
        index.insert(key, self.len);
        let shape = register(|id| Shape {
            id,
            parent: Some(self.id),
            len: self.len + 1,
            key: Some(name.clone()),
            index,
            next: Locked::new(Vec::new()),
        })?;
        next.push((key, shape));
        Some(shape)
    }
    /// The attribute names in slot order.
    pub fn keys(&'static self) -> Vec<Ref<Str>> {
        let mut keys = Vec::with_capacity(self.len as usize);
        let mut at = self;
        while let (Some(key), Some(parent)) = (&at.key, at.parent) {
            keys.push(key.clone());
            at = Shape::get(parent);
        }
        keys.reverse();
        keys
    }
}

/// A class's first shape and the number of slots that its new instances get.
pub(crate) struct ShapeRoot {
    id: AtomicU32,
    capacity: AtomicU16,
}
impl ShapeRoot {
    pub(crate) const fn new() -> ShapeRoot {
        ShapeRoot { id: AtomicU32::new(DICT), capacity: AtomicU16::new(FIRST_CAPACITY) }
    }
    pub(crate) fn capacity(&self) -> u16 {
        self.capacity.load(Relaxed)
    }
    /// Later instances get room for as many attributes as an earlier one had.
    pub(crate) fn note_size(&self, len: u16) {
        if len > self.capacity.load(Relaxed) && len <= MAX_SLOTS {
            self.capacity.fetch_max(len.next_multiple_of(2), Relaxed);
        }
    }
    pub(crate) fn root_id(&self, _class: &TypeObject) -> u32 {
        let id = self.id.load(Acquire);
        if id != DICT {
            return id;
        }
        let made = register(|id| Shape {
            id,
            parent: None,
            len: 0,
            key: None,
            index: HashMap::new(),
            next: Locked::new(Vec::new()),
        })
        .map_or(DICT, |s| s.id);
        match self.id.compare_exchange(DICT, made, AcqRel, Acquire) {
            Ok(_) => made,
            Err(first) => first,
        }
    }
}
