//! Lists, dicts, sets and tuples into a pickle, their items in batches.
use krait_object::builtin_types::{DICT, FROZENSET, SET};
use krait_object::{Dict, FrozenSet, List, PyResult, Set, Thread, Tuple, Value};
use krait_runtime::errors::{runtime_error, value_error};
use krait_runtime::protocol::{attr, iter};

use super::opcode as op;
use super::pickling_error;
use super::save::Saver;

const BATCH: usize = 1000;
/// From this depth on, fast mode looks out for cycles.
const FAST_NESTING_LIMIT: usize = 50;

impl Saver<'_> {
    /// Writes a container of one kind: in fast mode within the guard against cycles.
    fn guarded(
        &mut self,
        th: &mut Thread,
        v: &Value,
        f: impl FnOnce(&mut Self, &mut Thread) -> PyResult<()>,
    ) -> PyResult<()> {
        if !self.fast {
            return f(self, th);
        }
        self.nesting += 1;
        let watched = self.nesting >= FAST_NESTING_LIMIT;
        if watched {
            if self.nested.contains(&v.bits()) {
                let class = crate::arguments::class_name(v);
                let message =
                    format!("fast mode: can't pickle cyclic objects including object type {class} at {:#x}", v.id());
                return Err(value_error(th, message));
            }
            self.nested.push(v.bits());
        }
        f(self, th)?;
        self.nesting -= 1;
        if watched {
            self.nested.retain(|&bits| bits != v.bits());
        }
        Ok(())
    }
    fn open(&mut self, empty: u8, marked: u8) {
        if self.binary() {
            self.out.push(empty);
        } else {
            self.out.extend(&[op::MARK, marked]);
        }
    }

    pub fn save_list(&mut self, th: &mut Thread, v: &Value) -> PyResult<()> {
        self.guarded(th, v, |s, th| {
            s.open(op::EMPTY_LIST, op::LIST);
            s.memorise(v);
            let Some(list) = v.downcast_ref::<List>() else { return Ok(()) };
            if list.is_empty() {
                return Ok(());
            }
            if !s.binary() {
                let items = iter::iter(th, v)?;
                return s.batch_list(th, &items);
            }
            if list.len() == 1 {
                if let Some(item) = list.get(0) {
                    s.save(th, &item)?;
                }
                s.out.push(op::APPEND);
                return Ok(());
            }
            let mut i = 0;
            loop {
                s.out.push(op::MARK);
                let end = i + BATCH;
                while i < end
                    && let Some(item) = list.get(i)
                {
                    s.save(th, &item)?;
                    i += 1;
                }
                s.out.push(op::APPENDS);
                if i >= list.len() {
                    return Ok(());
                }
            }
        })
    }
    /// Appends what an iterator gives.
    pub fn batch_list(&mut self, th: &mut Thread, items: &Value) -> PyResult<()> {
        if !self.binary() {
            while let Some(item) = iter::next(th, items)? {
                self.save(th, &item)?;
                self.out.push(op::APPEND);
            }
            return Ok(());
        }
        while let Some(first) = iter::next(th, items)? {
            let Some(mut item) = iter::next(th, items)? else {
                self.save(th, &first)?;
                self.out.push(op::APPEND);
                return Ok(());
            };
            self.out.push(op::MARK);
            self.save(th, &first)?;
            let mut n = 1;
            loop {
                self.save(th, &item)?;
                n += 1;
                if n == BATCH {
                    break;
                }
                match iter::next(th, items)? {
                    Some(next) => item = next,
                    None => break,
                }
            }
            self.out.push(op::APPENDS);
            if n < BATCH {
                break;
            }
        }
        Ok(())
    }

    pub fn save_dict(&mut self, th: &mut Thread, v: &Value) -> PyResult<()> {
        self.guarded(th, v, |s, th| {
            s.open(op::EMPTY_DICT, op::DICT);
            s.memorise(v);
            let Some(d) = v.downcast_ref::<Dict>() else { return Ok(()) };
            if d.is_empty() {
                return Ok(());
            }
            if v.is_exact(&DICT) && s.binary() {
                return s.batch_exact_dict(th, d);
            }
            let items = attr::call_method(th, v, "items", &[])?;
            let items = iter::iter(th, &items)?;
            s.batch_dict(th, &items)
        })
    }
    fn batch_exact_dict(&mut self, th: &mut Thread, d: &Dict) -> PyResult<()> {
        let size = d.len();
        let mut at = 0;
        if size == 1 {
            if let Some((_, key, value)) = d.next_entry(0) {
                self.save(th, &key)?;
                self.save(th, &value)?;
                self.out.push(op::SETITEM);
            }
            return Ok(());
        }
        loop {
            let mut n = 0;
            self.out.push(op::MARK);
            while n < BATCH
                && let Some((next, key, value)) = d.next_entry(at)
            {
                at = next;
                self.save(th, &key)?;
                self.save(th, &value)?;
                n += 1;
            }
            self.out.push(op::SETITEMS);
            if d.len() != size {
                return Err(runtime_error(th, "dictionary changed size during iteration"));
            }
            if n < BATCH {
                return Ok(());
            }
        }
    }
    fn save_pair(&mut self, th: &mut Thread, pair: &Value) -> PyResult<()> {
        match pair.downcast_ref::<Tuple>().map(Tuple::as_slice) {
            Some([key, value]) => {
                self.save(th, key)?;
                self.save(th, value)
            }
            _ => Err(krait_runtime::errors::type_error(th, "dict items iterator must return 2-tuples")),
        }
    }
    /// Sets the pairs that an iterator gives.
    pub fn batch_dict(&mut self, th: &mut Thread, items: &Value) -> PyResult<()> {
        if !self.binary() {
            while let Some(pair) = iter::next(th, items)? {
                self.save_pair(th, &pair)?;
                self.out.push(op::SETITEM);
            }
            return Ok(());
        }
        while let Some(first) = iter::next(th, items)? {
            let Some(mut pair) = iter::next(th, items)? else {
                self.save_pair(th, &first)?;
                self.out.push(op::SETITEM);
                return Ok(());
            };
            self.out.push(op::MARK);
            self.save_pair(th, &first)?;
            let mut n = 1;
            loop {
                self.save_pair(th, &pair)?;
                n += 1;
                if n == BATCH {
                    break;
                }
                match iter::next(th, items)? {
                    Some(next) => pair = next,
                    None => break,
                }
            }
            self.out.push(op::SETITEMS);
            if n < BATCH {
                break;
            }
        }
        Ok(())
    }

    pub fn save_set(&mut self, th: &mut Thread, v: &Value) -> PyResult<()> {
        let Some(set) = v.downcast_ref::<Set>() else { return Ok(()) };
        if self.protocol() < 4 {
            let items = List::new(set.to_vec());
            let reduced = Tuple::of([SET.to_value(), Tuple::of([items.into()]).into()]);
            return self.save_reduce(th, &reduced, Some(v));
        }
        self.out.push(op::EMPTY_SET);
        self.memorise(v);
        let size = set.len();
        let mut at = 0;
        if size == 0 {
            return Ok(());
        }
        loop {
            let mut n = 0;
            self.out.push(op::MARK);
            while n < BATCH
                && let Some((next, item)) = set.next_entry(at)
            {
                at = next;
                self.save(th, &item)?;
                n += 1;
            }
            self.out.push(op::ADDITEMS);
            if set.len() != size {
                return Err(runtime_error(th, "set changed size during iteration"));
            }
            if n < BATCH {
                return Ok(());
            }
        }
    }
    pub fn save_frozenset(&mut self, th: &mut Thread, v: &Value) -> PyResult<()> {
        let items = v.downcast_ref::<FrozenSet>().map(|s| s.0.to_vec()).unwrap_or_default();
        if self.protocol() < 4 {
            let reduced = Tuple::of([FROZENSET.to_value(), Tuple::of([List::new(items).into()]).into()]);
            return self.save_reduce(th, &reduced, Some(v));
        }
        self.out.push(op::MARK);
        for item in items {
            self.save(th, &item)?;
        }
        // Its own items may have led back to it.
        if let Some(place) = self.pickler.memo_place(v) {
            self.out.push(op::POP_MARK);
            self.write_get(place);
            return Ok(());
        }
        self.out.push(op::FROZENSET);
        self.memorise(v);
        Ok(())
    }
    pub fn save_tuple(&mut self, th: &mut Thread, v: &Value) -> PyResult<()> {
        let Some(t) = v.downcast_ref::<Tuple>() else { return Ok(()) };
        if t.is_empty() {
            if self.binary() {
                self.out.push(op::EMPTY_TUPLE);
            } else {
                self.out.extend(&[op::MARK, op::TUPLE]);
            }
            return Ok(());
        }
        let short = t.len() <= 3 && self.protocol() >= 2;
        if !short {
            self.out.push(op::MARK);
        }
        for item in t.iter() {
            self.save(th, item)?;
        }
        if let Some(place) = self.pickler.memo_place(v) {
            // A recursive tuple: its items led back to it and wrote it already.
            if !short && self.binary() {
                self.out.push(op::POP_MARK);
            } else {
                for _ in 0..t.len() + usize::from(!short) {
                    self.out.push(op::POP);
                }
            }
            self.write_get(place);
            return Ok(());
        }
        let code = match t.len() {
            1 if short => op::TUPLE1,
            2 if short => op::TUPLE2,
            3 if short => op::TUPLE3,
            _ => op::TUPLE,
        };
        self.out.push(code);
        self.memorise(v);
        Ok(())
    }
    /// The items of a reduced object, if it has any: an iterator.
    pub fn check_iterator(&self, th: &mut Thread, v: &Value, which: &str) -> PyResult<()> {
        if v.class().slots.next.is_set() {
            return Ok(());
        }
        let class = crate::arguments::class_name(v);
        let message = format!("{which} element of the tuple returned by __reduce__ must be an iterator, not {class}");
        Err(pickling_error(th, message))
    }
}
