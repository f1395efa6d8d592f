//! Functions of the C mathematics library that Rust's standard library lacks or computes in another way: results must be
//! those of the platform, as CPython's are.
macro_rules! bind {
    ($($name:ident($($x:ident),*);)*) => {
        mod c {
            unsafe extern "C" { $(pub safe fn $name($($x: f64),*) -> f64;)* }
        }
        $(
            #[inline]
            pub fn $name($($x: f64),*) -> f64 {
                c::$name($($x),*)
            }
        )*
    };
}
bind! {
    acosh(x);
    asinh(x);
    atanh(x);
    erf(x);
    erfc(x);
    exp2(x);
    fma(x, y, z);
    log2(x);
    nextafter(x, y);
}
