//! The order of an OrderedDict: a list of its keys beside the dict, as CPython keeps it. What goes past the class
//! (`dict.__delitem__(od, key)`) does not change it: such a key is met in the list and missed in the dict.
use std::collections::HashMap;

use krait_object::hash::ByWord;

use krait_macros::Trace;
use krait_object::Value;

const END: u32 = u32::MAX;

#[derive(Trace)]
struct Node {
    /// Empty while the node is unused.
    key: Option<Value>,
    #[trace(skip)]
    hash: i64,
    #[trace(skip)]
    prev: u32,
    /// Of an unused node: the next unused one.
    #[trace(skip)]
    next: u32,
}

#[derive(Trace)]
pub struct Order {
    nodes: Vec<Node>,
    /// Nodes by the identity of the key that the dict holds.
    #[trace(skip)]
    index: HashMap<u64, u32, ByWord>,
    #[trace(skip)]
    first: u32,
    #[trace(skip)]
    last: u32,
    #[trace(skip)]
    unused: u32,
    #[trace(skip)]
    mutations: u64,
}

impl Default for Order {
    fn default() -> Order {
        Order { nodes: Vec::new(), index: HashMap::default(), first: END, last: END, unused: END, mutations: 0 }
    }
}

impl Order {
    pub fn len(&self) -> usize {
        self.index.len()
    }
    pub fn mutations(&self) -> u64 {
        self.mutations
    }
    /// Empties the order; hands back what was in it to be dropped.
    pub fn clear(&mut self) -> Order {
        let mutations = self.mutations + 1;
        std::mem::replace(self, Order { mutations, ..Order::default() })
    }
    pub fn heap_size(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>() + self.index.capacity() * size_of::<(u64, u32)>()
    }
    /// Adds a key at the end, unless it is there already.
    pub fn push(&mut self, key: Value, hash: i64) {
        if self.index.contains_key(&key.bits()) {
            return;
        }
        self.mutations += 1;
        let bits = key.bits();
        let node = Node { key: Some(key), hash, prev: END, next: END };
        let at = match self.nodes.get(self.unused as usize) {
            Some(free) => {
                let at = std::mem::replace(&mut self.unused, free.next);
                self.nodes[at as usize] = node;
                at
            }
            None => {
                self.nodes.push(node);
                (self.nodes.len() - 1) as u32
            }
        };
        self.index.insert(bits, at);
        self.link(at, true);
    }
    fn link(&mut self, at: u32, last: bool) {
        let (prev, next) = if last { (self.last, END) } else { (END, self.first) };
        (self.nodes[at as usize].prev, self.nodes[at as usize].next) = (prev, next);
        match self.nodes.get_mut(prev as usize) {
            Some(node) => node.next = at,
            None => self.first = at,
        }
        match self.nodes.get_mut(next as usize) {
            Some(node) => node.prev = at,
            None => self.last = at,
        }
    }
    fn unlink(&mut self, at: u32) {
        let (prev, next) = (self.nodes[at as usize].prev, self.nodes[at as usize].next);
        match self.nodes.get_mut(prev as usize) {
            Some(node) => node.next = next,
            None => self.first = next,
        }
        match self.nodes.get_mut(next as usize) {
            Some(node) => node.prev = prev,
            None => self.last = prev,
        }
    }
    /// Removes the dict's key `key`; hands it back to be dropped.
    pub fn remove(&mut self, key: &Value) -> Option<Value> {
        let at = self.index.remove(&key.bits())?;
        self.mutations += 1;
        self.unlink(at);
        let unused = std::mem::replace(&mut self.unused, at);
        let node = &mut self.nodes[at as usize];
        node.next = unused;
        node.key.take()
    }
    /// Moves the dict's key `key` to an end.
    pub fn move_to(&mut self, key: &Value, last: bool) {
        if let Some(&at) = self.index.get(&key.bits()) {
            self.mutations += 1;
            self.unlink(at);
            self.link(at, last);
        }
    }
    /// The node at an end.
    pub fn end(&self, last: bool) -> u32 {
        if last { self.last } else { self.first }
    }
    /// Key and hash of a node, and the node after it, or before it; `None` behind the end.
    pub fn step(&self, at: u32, reverse: bool) -> Option<(Value, i64, u32)> {
        let node = self.nodes.get(at as usize)?;
        Some((node.key.clone()?, node.hash, if reverse { node.prev } else { node.next }))
    }
    /// Keys with their hashes, in order.
    pub fn keys(&self) -> Vec<(Value, i64)> {
        let mut keys = Vec::with_capacity(self.len());
        let mut at = self.first;
        while let Some((key, hash, next)) = self.step(at, false) {
            keys.push((key, hash));
            at = next;
        }
        keys
    }
}
