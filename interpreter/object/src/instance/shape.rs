//! Shapes: which attribute sits in which slot, shared by the instances of a class. They are append-only and live as long as
//! the class. A shape is named by a 32-bit id, which shapes of later classes may have again: whoever compares ids knows that the
//! class is the same, by its version as a rule.
use std::sync::atomic::{AtomicPtr, AtomicU16, AtomicU32, Ordering::*};
use std::sync::{Mutex, OnceLock};

use crate::locked::Locked;
use crate::refs::Ref;
use crate::retired::retire;
use crate::str::Str;

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
    /// The interned names' addresses in slot order, this shape's and its parents': few enough to be searched in order.
    index: Box<[usize]>,
    next: Locked<Vec<(usize, &'static Shape)>>,
}

/// Every shape by its id, in blocks that double in size, so that reading takes no lock: block `k` begins at id `2^k`.
static SHAPES: [AtomicPtr<AtomicPtr<Shape>>; 32] = [const { AtomicPtr::new(std::ptr::null_mut()) }; 32];
struct Ids {
    next: u32,
    given_back: Vec<u32>,
}
static IDS: Mutex<Ids> = Mutex::new(Ids { next: 1, given_back: Vec::new() });

fn register(make: impl FnOnce(u32) -> Shape) -> Option<&'static Shape> {
    let mut ids = IDS.lock().unwrap_or_else(|e| e.into_inner());
    let id = match ids.given_back.pop() {
        Some(id) => id,
        None => {
            let id = ids.next;
            ids.next = id.checked_add(1)?;
            id
        }
    };
    let (block, place) = position(id);
    if SHAPES[block].load(Relaxed).is_null() {
        let entries: Vec<AtomicPtr<Shape>> = (0..1usize << block).map(|_| AtomicPtr::default()).collect();
        SHAPES[block].store(Box::leak(entries.into_boxed_slice()).as_mut_ptr(), Release);
    }
    let shape: &'static Shape = Box::leak(Box::new(make(id)));
    // SAFETY: the block was made above or for an earlier id, with room for each of its ids; it lives for ever.
    unsafe { &*SHAPES[block].load(Relaxed).add(place) }.store(std::ptr::from_ref(shape).cast_mut(), Release);
    Some(shape)
}
/// A shape and all that come after it, which no object has any more.
struct Tree(u32);
impl Drop for Tree {
    fn drop(&mut self) {
        let mut work = vec![self.0];
        while let Some(id) = work.pop() {
            let (block, place) = position(id);
            // SAFETY: as in `Shape::get`; nobody asks for a shape of a class that is gone.
            let shape = unsafe { (*SHAPES[block].load(Acquire).add(place)).swap(std::ptr::null_mut(), AcqRel) };
            // SAFETY: the shape came from a leaked box, and nobody else refers to it.
            let mut shape = unsafe { Box::from_raw(shape) };
            work.extend(shape.next.get_mut().iter().map(|(_, next)| next.id));
            IDS.lock().unwrap_or_else(|e| e.into_inner()).given_back.push(id);
        }
    }
}
/// The block of an id that is not 0, and its place there.
#[inline(always)]
fn position(id: u32) -> (usize, usize) {
    let block = id.ilog2();
    (block as usize, (id - (1 << block)) as usize)
}

static EMPTY: OnceLock<&'static Shape> = OnceLock::new();

impl Shape {
    /// The shape with this id, of a class that lives as long as the caller uses it; the empty shape for `DICT`.
    pub fn get(id: u32) -> &'static Shape {
        if id == DICT {
            return EMPTY.get_or_init(|| {
                Box::leak(Box::new(Shape {
                    id: DICT,
                    parent: None,
                    len: MAX_SLOTS,
                    key: None,
                    index: Box::new([]),
                    next: Locked::new(Vec::new()),
                }))
            });
        }
        let (block, place) = position(id);
        // SAFETY: ids other than `DICT` come from `register`, which stored the block and the shape before it gave them out.
        unsafe { &*(*SHAPES[block].load(Acquire).add(place)).load(Acquire) }
    }
    pub fn index_of(&self, name: &Ref<Str>) -> Option<u16> {
        let key = if name.is_interned() { name.address() } else { crate::intern::find(name)?.address() };
        self.index.iter().position(|&k| k == key).map(|i| i as u16)
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
        let index = self.index.iter().copied().chain([key]).collect();
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
    #[inline]
    pub(crate) fn root_id(&self) -> u32 {
        match self.id.load(Acquire) {
            DICT => self.make_root(),
            id => id,
        }
    }
    #[cold]
    #[inline(never)]
    fn make_root(&self) -> u32 {
        let made = register(|id| Shape {
            id,
            parent: None,
            len: 0,
            key: None,
            index: Box::new([]),
            next: Locked::new(Vec::new()),
        })
        .map_or(DICT, |s| s.id);
        match self.id.compare_exchange(DICT, made, AcqRel, Acquire) {
            Ok(_) => made,
            Err(first) => {
                if made != DICT {
                    drop(Tree(made));
                }
                first
            }
        }
    }
}
impl Drop for ShapeRoot {
    fn drop(&mut self) {
        let id = *self.id.get_mut();
        if id != DICT {
            retire(Tree(id), size_of::<Shape>());
        }
    }
}
