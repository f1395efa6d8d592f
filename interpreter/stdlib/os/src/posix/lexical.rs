//! What `posixpath` takes from here: paths as text.
use krait_object::native::function;
use krait_object::{Bytes, Method, Str, Tuple, Value};
use krait_runtime::convert::fspath;

pub(super) static FUNCTIONS: &[Method] = &[
    function("_path_normpath", "(path)", "Normalise a path as text, without looking at the file system.", |th, a| {
        let p = fspath(th, &a[0])?;
        if let Some(s) = p.downcast_ref::<Str>() {
            let points: Vec<u32> = s.iter().collect();
            return Ok(Str::from_points(&normal(&points, 47, 46)).into());
        }
        let bytes = p.downcast_ref::<Bytes>().map(|b| b.to_vec()).unwrap_or_default();
        Ok(Bytes::new(&normal(&bytes, b'/', b'.')).into())
    }),
    function(
        "_path_splitroot_ex",
        "(path)",
        "Split a path into (drive, root, tail); the drive is always empty here.",
        |th, a| {
            let p = fspath(th, &a[0])?;
            let slashes = |n: usize, at: &dyn Fn(usize) -> bool| match (n > 0 && at(0), n > 1 && at(1), n > 2 && at(2))
            {
                (false, ..) => 0,
                (true, true, false) => 2,
                _ => 1,
            };
            let (empty, root, tail): (Value, Value, Value) = if let Some(s) = p.downcast_ref::<Str>() {
                let n = slashes(s.len(), &|i| s.get(i) == Some(47));
                (Str::empty().into(), s.slice(0, n).into(), s.slice(n, s.len()).into())
            } else {
                let b = p.downcast_ref::<Bytes>().map(|b| b.to_vec()).unwrap_or_default();
                let n = slashes(b.len(), &|i| b[i] == b'/');
                (Bytes::new(b"").into(), Bytes::new(&b[..n]).into(), Bytes::new(&b[n..]).into())
            };
            Ok(Tuple::from_vec(vec![empty, root, tail]).into())
        },
    ),
];

/// Without empty parts and ".", with ".." resolved; two leading slashes stay two, more become one.
fn normal<T: Copy + PartialEq>(path: &[T], slash: T, dot: T) -> Vec<T> {
    if path.is_empty() {
        return vec![dot];
    }
    let leading = path.iter().take_while(|&&c| c == slash).count();
    let rooted = match leading {
        0 => 0,
        2 => 2,
        _ => 1,
    };
    let mut parts: Vec<&[T]> = Vec::new();
    for part in path.split(|&c| c == slash) {
        if part.is_empty() || part == [dot] {
            continue;
        }
        let up = [dot, dot];
        if part != up || (rooted == 0 && parts.is_empty()) || parts.last().is_some_and(|p| **p == up) {
            parts.push(part);
        } else {
            parts.pop();
        }
    }
    let mut out = vec![slash; rooted];
    out.extend(parts.join(&slash));
    if out.is_empty() { vec![dot] } else { out }
}
