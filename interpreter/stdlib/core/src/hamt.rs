//! A hash array mapped trie: an immutable map that shares all but a path of nodes with the map it was made from, so that
//! keeping an old version costs nothing. It knows hashes; what makes two keys the same the caller says, as `__eq__` runs
//! Python code. Nodes are objects of the collector's, since several maps hold them. CPython: `Python/hamt.c`, whose maps
//! never change; here who alone holds nodes may have values exchanged in them ([`Hamt::exchange`]).
use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::{ClassDef, PyResult, Ref, Thread, TypeObject, VTable, Value, ValueCell, type_flag};
use krait_runtime::types::type_;

/// Bits of the hash that a level looks at.
const BITS: u32 = 5;

#[derive(Clone, Default, Trace)]
pub struct Hamt {
    root: Option<Ref<Node>>,
    len: usize,
}

#[derive(Trace, Payload)]
#[payload(class = NODE)]
pub enum Node {
    /// Who made it, and the slots of those parts of the hash whose bit is set, in order.
    Branch { owner: u64, bitmap: u32, slots: Box<[Slot]> },
    /// Keys of one hash.
    Collision(u64, Box<[Pair]>),
}
static LAYOUT: VTable = VTable::of::<Node>();
pub static NODE: TypeObject = TypeObject::builtin("hamt_node", Some(&OBJECT), &LAYOUT);
static DEF: ClassDef =
    ClassDef { flags: type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC, ..ClassDef::new(&NODE) };

type Pair = (Value, Value);
#[derive(Trace)]
pub enum Slot {
    Pair(u64, Value, ValueCell),
    Node(Ref<Node>),
}
impl Slot {
    fn pair(hash: u64, (key, value): Pair) -> Slot {
        Slot::Pair(hash, key, value.into())
    }
}
impl Clone for Slot {
    fn clone(&self) -> Slot {
        match self {
            Slot::Pair(hash, key, value) => Slot::Pair(*hash, key.clone(), ValueCell::new(value.get())),
            Slot::Node(node) => Slot::Node(node.clone()),
        }
    }
}

/// A key as the trie asks for it.
pub struct Key<'a> {
    pub hash: u64,
    /// Names who holds the nodes that are made; 0 = anybody.
    pub owner: u64,
    pub same: &'a mut dyn FnMut(&mut Thread, &Value) -> PyResult<bool>,
}

/// Where a pair was found: in a node of that owner, or at a place of a collision.
enum Found<'a> {
    Cell(u64, &'a ValueCell),
    Place(usize),
}
enum Removed {
    Absent,
    Empty,
    /// What is left; a lone pair or collision moves up.
    Left(Slot),
}

pub fn ready(th: &mut Thread) {
    type_::ready::ready_class(th, &DEF);
}

fn bit_at(hash: u64, shift: u32) -> u32 {
    1 << ((hash >> shift) & 31)
}
fn place_of(bitmap: u32, bit: u32) -> usize {
    (bitmap & (bit - 1)).count_ones() as usize
}
fn branch(owner: u64, bitmap: u32, slots: Vec<Slot>) -> Ref<Node> {
    Ref::new(Node::Branch { owner, bitmap, slots: slots.into() })
}
/// The slots with one changed.
fn with_slot(slots: &[Slot], place: usize, slot: Slot) -> Vec<Slot> {
    let mut slots = slots.to_vec();
    slots[place] = slot;
    slots
}

impl Hamt {
    pub fn len(&self) -> usize {
        self.len
    }
    pub fn get(&self, th: &mut Thread, key: &mut Key<'_>) -> PyResult<Option<Value>> {
        let Some(mut node) = self.root.clone() else { return Ok(None) };
        let mut shift = 0;
        loop {
            let below = match &*node {
                Node::Branch { bitmap, slots, .. } => {
                    let bit = bit_at(key.hash, shift);
                    if bitmap & bit == 0 {
                        return Ok(None);
                    }
                    match &slots[place_of(*bitmap, bit)] {
                        Slot::Pair(hash, k, v) => {
                            return Ok(if *hash == key.hash && (key.same)(th, k)? { v.get() } else { None });
                        }
                        Slot::Node(below) => below.clone(),
                    }
                }
                Node::Collision(hash, pairs) => {
                    let found = if *hash == key.hash { position(th, pairs, key)? } else { None };
                    return Ok(found.map(|at| pairs[at].1.clone()));
                }
            };
            node = below;
            shift += BITS;
        }
    }
    /// The map with this value for the key; `None`: it has that very value.
    pub fn set(&self, th: &mut Thread, key: &mut Key<'_>, pair: Pair) -> PyResult<Option<Hamt>> {
        let Some(root) = &self.root else {
            let root = branch(key.owner, bit_at(key.hash, 0), vec![Slot::pair(key.hash, pair)]);
            return Ok(Some(Hamt { root: Some(root), len: 1 }));
        };
        let made = set_below(th, root, 0, key, pair)?;
        Ok(made.map(|(root, added)| Hamt { root: Some(root), len: self.len + usize::from(added) }))
    }
    /// The map without the key; `None`: it has none such.
    pub fn remove(&self, th: &mut Thread, key: &mut Key<'_>) -> PyResult<Option<Hamt>> {
        let Some(root) = &self.root else { return Ok(None) };
        let root = match remove_below(th, root, 0, key)? {
            Removed::Absent => return Ok(None),
            Removed::Empty => None,
            Removed::Left(Slot::Node(node)) => Some(node),
            Removed::Left(pair @ Slot::Pair(hash, ..)) => Some(branch(key.owner, bit_at(hash, 0), vec![pair])),
        };
        Ok(Some(Hamt { root, len: self.len - 1 }))
    }
    /// The value of a key that is the same object only.
    pub fn get_identical(&self, hash: u64, key: &Value) -> Option<Value> {
        let (pairs, found) = self.identical(hash, key)?;
        match found {
            Found::Cell(_, value) => value.get(),
            Found::Place(at) => Some(pairs[at].1.clone()),
        }
    }
    /// Exchanges the value of a key that is the same object, in a node that nobody but `owner` (not 0) holds; the value
    /// comes back where there is none such.
    pub fn exchange(&self, owner: u64, hash: u64, key: &Value, value: Value) -> Result<Option<Value>, Value> {
        match self.identical(hash, key) {
            Some((_, Found::Cell(made_by, cell))) if made_by == owner => Ok(cell.replace(Some(value))),
            _ => Err(value),
        }
    }
    fn identical(&self, hash: u64, key: &Value) -> Option<(&[Pair], Found<'_>)> {
        let mut node: &Node = self.root.as_ref()?;
        let mut shift = 0;
        loop {
            match node {
                Node::Branch { owner, bitmap, slots } => {
                    let bit = bit_at(hash, shift);
                    if bitmap & bit == 0 {
                        return None;
                    }
                    match &slots[place_of(*bitmap, bit)] {
                        Slot::Pair(_, k, v) => return k.is(key).then_some((&[], Found::Cell(*owner, v))),
                        Slot::Node(below) => node = below,
                    }
                }
                Node::Collision(_, pairs) => {
                    let at = pairs.iter().position(|(k, _)| k.is(key))?;
                    return Some((pairs, Found::Place(at)));
                }
            }
            shift += BITS;
        }
    }
    pub fn iter(&self) -> Walk {
        Walk(self.root.iter().map(|root| (root.clone(), 0)).collect())
    }
}

fn position(th: &mut Thread, pairs: &[Pair], key: &mut Key<'_>) -> PyResult<Option<usize>> {
    for (at, (k, _)) in pairs.iter().enumerate() {
        if (key.same)(th, k)? {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// Says whether the key is new; `None`: nothing changes.
fn set_below(
    th: &mut Thread,
    node: &Ref<Node>,
    shift: u32,
    key: &mut Key<'_>,
    pair: Pair,
) -> PyResult<Option<(Ref<Node>, bool)>> {
    match &**node {
        Node::Branch { bitmap, slots, .. } => {
            let bit = bit_at(key.hash, shift);
            let place = place_of(*bitmap, bit);
            if bitmap & bit == 0 {
                let mut slots = slots.to_vec();
                slots.insert(place, Slot::pair(key.hash, pair));
                return Ok(Some((branch(key.owner, bitmap | bit, slots), true)));
            }
            let (slot, added) = match &slots[place] {
                Slot::Pair(hash, k, v) if *hash == key.hash && (key.same)(th, k)? => {
                    if v.get().is_some_and(|v| v.is(&pair.1)) {
                        return Ok(None);
                    }
                    (Slot::pair(*hash, (k.clone(), pair.1)), false)
                }
                old @ Slot::Pair(hash, ..) => {
                    (Slot::Node(join(key.owner, shift + BITS, (*hash, old.clone()), key.hash, pair)), true)
                }
                Slot::Node(below) => match set_below(th, below, shift + BITS, key, pair)? {
                    None => return Ok(None),
                    Some((made, added)) => (Slot::Node(made), added),
                },
            };
            Ok(Some((branch(key.owner, *bitmap, with_slot(slots, place, slot)), added)))
        }
        Node::Collision(hash, _) if *hash != key.hash => {
            Ok(Some((join(key.owner, shift, (*hash, Slot::Node(node.clone())), key.hash, pair), true)))
        }
        Node::Collision(hash, pairs) => {
            let mut changed = pairs.to_vec();
            let found = position(th, pairs, key)?;
            match found {
                Some(at) if pairs[at].1.is(&pair.1) => return Ok(None),
                Some(at) => changed[at].1 = pair.1,
                None => changed.push(pair),
            }
            Ok(Some((Ref::new(Node::Collision(*hash, changed.into())), found.is_none())))
        }
    }
}

/// A node of a slot and a pair, whose hashes agree in all bits below `shift`.
fn join(owner: u64, shift: u32, (old_hash, old): (u64, Slot), hash: u64, pair: Pair) -> Ref<Node> {
    if old_hash == hash
        && let Slot::Pair(_, key, value) = &old
        && let Some(value) = value.get()
    {
        return Ref::new(Node::Collision(hash, Box::new([(key.clone(), value), pair])));
    }
    let (first, second) = (bit_at(old_hash, shift), bit_at(hash, shift));
    if first == second {
        let below = join(owner, shift + BITS, (old_hash, old), hash, pair);
        return branch(owner, first, vec![Slot::Node(below)]);
    }
    let mut slots = vec![old, Slot::pair(hash, pair)];
    if second < first {
        slots.swap(0, 1);
    }
    branch(owner, first | second, slots)
}

fn remove_below(th: &mut Thread, node: &Ref<Node>, shift: u32, key: &mut Key<'_>) -> PyResult<Removed> {
    match &**node {
        Node::Branch { bitmap, slots, .. } => {
            let bit = bit_at(key.hash, shift);
            if bitmap & bit == 0 {
                return Ok(Removed::Absent);
            }
            let place = place_of(*bitmap, bit);
            let left = match &slots[place] {
                Slot::Pair(hash, k, _) => {
                    if *hash != key.hash || !(key.same)(th, k)? {
                        return Ok(Removed::Absent);
                    }
                    Removed::Empty
                }
                Slot::Node(below) => remove_below(th, below, shift + BITS, key)?,
            };
            let (bitmap, mut slots) = match left {
                Removed::Absent => return Ok(Removed::Absent),
                Removed::Empty => {
                    let mut slots = slots.to_vec();
                    slots.remove(place);
                    (bitmap & !bit, slots)
                }
                Removed::Left(slot) => (*bitmap, with_slot(slots, place, slot)),
            };
            let moves_up = match slots.as_slice() {
                [] => return Ok(Removed::Empty),
                [Slot::Pair(..)] => true,
                [Slot::Node(below)] => matches!(**below, Node::Collision(..)),
                _ => false,
            };
            Ok(Removed::Left(match slots.pop() {
                Some(slot) if moves_up => slot,
                last => {
                    slots.extend(last);
                    Slot::Node(branch(key.owner, bitmap, slots))
                }
            }))
        }
        Node::Collision(hash, pairs) => {
            let found = if *hash == key.hash { position(th, pairs, key)? } else { None };
            let Some(at) = found else { return Ok(Removed::Absent) };
            let mut left = pairs.to_vec();
            left.remove(at);
            Ok(Removed::Left(match left.pop() {
                Some(last) if left.is_empty() => Slot::pair(*hash, last),
                last => {
                    left.extend(last);
                    Slot::Node(Ref::new(Node::Collision(*hash, left.into())))
                }
            }))
        }
    }
}

/// The pairs in the order of the trie: the nodes above the place, each with its next slot.
#[derive(Clone, Trace)]
pub struct Walk(Vec<(Ref<Node>, usize)>);
impl Iterator for Walk {
    type Item = Pair;
    fn next(&mut self) -> Option<Pair> {
        loop {
            let (node, at) = self.0.last_mut()?;
            let place = *at;
            *at += 1;
            let slot = match &**node {
                Node::Branch { slots, .. } => slots.get(place).cloned(),
                Node::Collision(hash, pairs) => pairs.get(place).map(|pair| Slot::pair(*hash, pair.clone())),
            };
            match slot {
                None => {
                    self.0.pop();
                }
                Some(Slot::Pair(_, key, value)) => return value.get().map(|value| (key, value)),
                Some(Slot::Node(below)) => self.0.push((below, 0)),
            }
        }
    }
}
