//! Iteration over a tree in document order: elements, or their texts.
use krait_macros::{Payload, Trace};
use krait_object::{
    ClassDef, Locked, PyResult, Ref, SlotDefs, Thread, TypeObject, VTable, Value, builtin_types::OBJECT, type_flag,
};
use krait_runtime::protocol::compare;

use super::element::Element;

#[derive(Trace)]
struct Level {
    element: Value,
    #[trace(skip)]
    next: usize,
}
#[derive(Trace)]
struct Walk {
    root: Option<Value>,
    levels: Vec<Level>,
}
#[derive(Trace, Payload)]
#[payload(class = ITERATOR)]
struct ElementIterator {
    walk: Locked<Walk>,
    /// None = any.
    tag: Value,
    #[trace(skip)]
    text: bool,
}
static LAYOUT: VTable = VTable::of::<ElementIterator>();
static ITERATOR: TypeObject = TypeObject::builtin("_element_iterator", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_elementtree",
    slots: SlotDefs { iter: Some(|_, v| Ok(v.clone())), next: Some(next), ..SlotDefs::EMPTY },
    flags: type_flag::DISALLOW_INSTANTIATION | type_flag::HAVE_GC,
    ..ClassDef::new(&ITERATOR)
};
pub fn create(root: &Value, tag: Value, text: bool) -> Value {
    let walk = Walk { root: Some(root.clone()), levels: Vec::new() };
    Ref::new(ElementIterator { walk: Locked::new(walk), tag, text }).into()
}
/// What a step came to.
enum Visit {
    Enter(Value),
    Leave(Value),
    End,
}
impl Walk {
    fn step(&mut self) -> Visit {
        let entered = match self.levels.last_mut() {
            None => match self.root.take() {
                Some(root) => root,
                None => return Visit::End,
            },
            Some(level) => match Element::of(&level.element).child(level.next) {
                Some(child) => {
                    level.next += 1;
                    child
                }
                None => {
                    return match self.levels.pop() {
                        // What follows the first element does not belong to its text.
                        Some(left) if !self.levels.is_empty() => Visit::Leave(left.element),
                        _ => Visit::Leave(Value::NONE),
                    };
                }
            },
        };
        self.levels.push(Level { element: entered.clone(), next: 0 });
        Visit::Enter(entered)
    }
}
fn next(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    let it = v.downcast_ref::<ElementIterator>().expect("the slot belongs to the iterator");
    loop {
        let visit = it.walk.lock().step();
        let text = match &visit {
            Visit::End => return Ok(None),
            Visit::Enter(element) if !it.text => {
                if it.tag.is_none() {
                    return Ok(Some(element.clone()));
                }
                let tag = Element::of(element).tag.get().unwrap_or(Value::NONE);
                if compare::eq(th, &tag, &it.tag)? {
                    return Ok(Some(element.clone()));
                }
                continue;
            }
            Visit::Enter(element) => Element::of(element).text.get(),
            Visit::Leave(element) if it.text => element.downcast_ref::<Element>().and_then(|e| e.tail.get()),
            Visit::Leave(_) => continue,
        };
        if let Some(text) = text
            && !text.is_none()
            && compare::truth(th, &text)?
        {
            return Ok(Some(text));
        }
    }
}
