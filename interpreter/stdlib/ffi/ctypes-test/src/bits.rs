//! A structure with bit fields, laid out as C compilers do on this platform.

/// ```c
/// struct BITS {
///     int A: 1, B: 2, C: 3, D: 4, E: 5, F: 6, G: 7, H: 8, I: 9;
///     short M: 1, N: 2, O: 3, P: 4, Q: 5, R: 6, S: 7;
/// };
/// ```
#[repr(C, align(4))]
pub struct Bits([u8; 12]);

/// The field's first bit and width. A field does not cross the boundary of a unit of its type.
fn field(name: u8) -> Option<(usize, usize)> {
    let ints = (b'A'..=b'I').map(|name| (name, 32));
    let shorts = (b'M'..=b'S').map(|name| (name, 16));
    let (mut next, mut width) = (0usize, 0usize);
    for (this, unit) in ints.chain(shorts) {
        width = if this == b'M' { 1 } else { width + 1 };
        if next / unit != (next + width - 1) / unit {
            next = next.next_multiple_of(unit);
        }
        if this == name {
            return Some((next, width));
        }
        next += width;
    }
    None
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn unpack_bitfields(bits: *const Bits, name: u8) -> i32 {
    let Some((first, width)) = field(name) else { return 0 };
    // SAFETY: the caller gives such a structure.
    let bytes = unsafe { &(*bits).0 };
    let value = (0..width).fold(0i32, |value, i| {
        let at = first + i;
        value | i32::from(bytes[at / 8] >> (at % 8) & 1) << i
    });
    value << (32 - width) >> (32 - width)
}
