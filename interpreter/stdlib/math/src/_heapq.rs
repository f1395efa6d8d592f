//! `_heapq`: heaps in lists, smallest item first (or largest, for the `_max` functions). The list may change while items
//! are compared; that is found out and refused. CPython: `Modules/_heapqmodule.c`.
use krait_object::native::function;
use krait_object::{Args, CmpOp, List, Method, ModuleDef, PyResult, Thread, Value};
use krait_runtime::errors::{index_error, runtime_error, type_error};
use krait_runtime::protocol::compare;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Heap queue algorithm (a.k.a. priority queue).\n\nHeaps are lists for which a[k] <= a[2*k+1] and a[k] <= a[2*k+2] for all k,\ncounting elements from 0. The smallest element is always a[0].\n\nheap = []            # creates an empty heap\nheappush(heap, item) # pushes a new item on the heap\nitem = heappop(heap) # pops the smallest item from the heap\nitem = heap[0]       # smallest item on the heap without popping it\nheapify(x)           # transforms list into a heap, in-place, in linear time\nitem = heapreplace(heap, item) # pops and returns smallest item, and adds\n                               # new item; the heap size is unchanged\n",
    functions: FUNCTIONS,
    init: Some(|th, module| {
        let about = Value::str(
            "Heap queues are binary trees for which every parent node has a value less than or equal to any of its children. They are kept in arrays: the children of node k are 2*k+1 and 2*k+2.",
        );
        krait_runtime::protocol::attr::set_text(th, module, "__about__", &about)
    }),
    ..ModuleDef::new("_heapq")
};

static FUNCTIONS: &[Method] = &[
    function("heappush", "(heap, item, /)", "Push item onto heap, maintaining the heap invariant.", heappush),
    function(
        "heappushpop",
        "(heap, item, /)",
        "Push item on the heap, then pop and return the smallest item from the heap.\n\nFaster than heappush() followed by heappop().",
        heappushpop,
    ),
    function("heappop", "(heap, /)", "Pop the smallest item off the heap, maintaining the heap invariant.", |th, a| {
        pop(th, a, Order::Min)
    }),
    function(
        "heapreplace",
        "(heap, item, /)",
        "Pop and return the current smallest value, and add the new item.\n\nThe value returned may be larger than item; the size of the heap does not change.",
        |th, a| replace(th, a, Order::Min),
    ),
    function("heapify", "(heap, /)", "Transform list into a heap, in-place, in O(len(heap)) time.", |th, a| {
        heapify(th, a, Order::Min)
    }),
    function("_heappop_max", "(heap, /)", "Maxheap variant of heappop.", |th, a| pop(th, a, Order::Max)),
    function("_heapify_max", "(heap, /)", "Maxheap variant of heapify.", |th, a| heapify(th, a, Order::Max)),
    function("_heapreplace_max", "(heap, item, /)", "Maxheap variant of heapreplace.", |th, a| {
        replace(th, a, Order::Max)
    }),
];

#[derive(Clone, Copy)]
enum Order {
    Min,
    Max,
}
impl Order {
    /// Whether `a` belongs nearer to the top than `b`.
    fn above(self, th: &mut Thread, a: &Value, b: &Value) -> PyResult<bool> {
        match self {
            Order::Min => compare::compare_bool(th, a, b, CmpOp::Lt),
            Order::Max => compare::compare_bool(th, b, a, CmpOp::Lt),
        }
    }
}

fn heap_argument<'a>(th: &mut Thread, v: &'a Value) -> PyResult<&'a List> {
    match v.downcast_ref::<List>() {
        Some(l) => Ok(l),
        None => Err(type_error(th, format!("heap argument must be a list, not {}", v.class().name()))),
    }
}

/// Two items to compare.
fn pair(th: &mut Thread, heap: &List, i: usize, j: usize) -> PyResult<(Value, Value)> {
    let items = heap.lock();
    match (items.get(i), items.get(j)) {
        (Some(a), Some(b)) => Ok((a.clone(), b.clone())),
        _ => {
            drop(items);
            Err(changed(th))
        }
    }
}
fn changed(th: &mut Thread) -> krait_object::Raised {
    runtime_error(th, "list changed size during iteration")
}
fn swap(th: &mut Thread, heap: &List, i: usize, j: usize, n: usize) -> PyResult<()> {
    let mut items = heap.lock();
    if items.len() != n {
        drop(items);
        return Err(changed(th));
    }
    items.swap(i, j);
    Ok(())
}

/// Moves the item at `at` towards `top` while it belongs above its parent.
fn sift_down(th: &mut Thread, heap: &List, top: usize, mut at: usize, order: Order) -> PyResult<()> {
    let n = heap.len();
    if at >= n {
        return Err(index_error(th, "index out of range"));
    }
    while at > top {
        let parent = (at - 1) / 2;
        let (item, above) = pair(th, heap, at, parent)?;
        let moves = order.above(th, &item, &above)?;
        if heap.len() != n {
            return Err(changed(th));
        }
        if !moves {
            break;
        }
        swap(th, heap, at, parent, n)?;
        at = parent;
    }
    Ok(())
}

/// Moves the item at `at` to a leaf, past the better child each time, then up to where it belongs: fewer comparisons than
/// asking at every step whether it stays.
fn sift_up(th: &mut Thread, heap: &List, start: usize, order: Order) -> PyResult<()> {
    let n = heap.len();
    let mut at = start;
    if at >= n {
        return Err(index_error(th, "index out of range"));
    }
    let limit = n / 2;
    while at < limit {
        let mut child = 2 * at + 1;
        if child + 1 < n {
            let (left, right) = pair(th, heap, child, child + 1)?;
            let left_above = order.above(th, &left, &right)?;
            if heap.len() != n {
                return Err(changed(th));
            }
            child += usize::from(!left_above);
        }
        swap(th, heap, at, child, n)?;
        at = child;
    }
    sift_down(th, heap, start, at, order)
}

fn heappush(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let heap = heap_argument(th, &a[0])?;
    heap.push(a[1].clone());
    sift_down(th, heap, 0, heap.len() - 1, Order::Min)?;
    Ok(Value::NONE)
}

fn pop(th: &mut Thread, a: &Args<'_>, order: Order) -> PyResult<Value> {
    let heap = heap_argument(th, &a[0])?;
    let (last, first) = {
        let mut items = heap.lock();
        let last = items.pop();
        let first = match (&last, items.first_mut()) {
            (Some(last), Some(first)) => Some(std::mem::replace(first, last.clone())),
            _ => None,
        };
        (last, first)
    };
    match (last, first) {
        (None, _) => Err(index_error(th, "index out of range")),
        (Some(only), None) => Ok(only),
        (Some(_), Some(first)) => {
            sift_up(th, heap, 0, order)?;
            Ok(first)
        }
    }
}

fn replace_first(th: &mut Thread, heap: &List, item: &Value, order: Order) -> PyResult<Value> {
    let old = heap.lock().first_mut().map(|first| std::mem::replace(first, item.clone()));
    match old {
        Some(old) => {
            sift_up(th, heap, 0, order)?;
            Ok(old)
        }
        None => Err(index_error(th, "index out of range")),
    }
}

fn replace(th: &mut Thread, a: &Args<'_>, order: Order) -> PyResult<Value> {
    let heap = heap_argument(th, &a[0])?;
    replace_first(th, heap, &a[1], order)
}

fn heappushpop(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let heap = heap_argument(th, &a[0])?;
    let Some(first) = heap.get(0) else { return Ok(a[1].clone()) };
    if !Order::Min.above(th, &first, &a[1])? {
        return Ok(a[1].clone());
    }
    replace_first(th, heap, &a[1], Order::Min)
}

fn heapify(th: &mut Thread, a: &Args<'_>, order: Order) -> PyResult<Value> {
    let heap = heap_argument(th, &a[0])?;
    for i in (0..heap.len() / 2).rev() {
        sift_up(th, heap, i, order)?;
    }
    Ok(Value::NONE)
}
