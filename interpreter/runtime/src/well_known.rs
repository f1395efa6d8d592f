//! Names that the interpreter itself looks up, interned once.
use std::sync::OnceLock;

use krait_object::{Ref, Str, intern::intern};

macro_rules! names {
    ($($field:ident $text:literal;)*) => {
        /// One interned string per name.
        pub struct WellKnown { $(pub $field: Ref<Str>,)* }
        /// The names.
        #[inline]
        pub fn names() -> &'static WellKnown {
            static NAMES: OnceLock<WellKnown> = OnceLock::new();
            NAMES.get_or_init(|| WellKnown { $($field: intern($text),)* })
        }
    };
}
names! {
    name "__name__";
    init "__init__";
    new "__new__";
    builtins "__builtins__";
    build_class "__build_class__";
    import "__import__";
    enter "__enter__";
    exit "__exit__";
    aenter "__aenter__";
    aexit "__aexit__";
    class "__class__";
    qualname "__qualname__";
    module "__module__";
    doc "__doc__";
    annotations "__annotations__";
    dict "__dict__";
    all "__all__";
    close "close";
    throw "throw";
    send "send";
    keys "keys";
    match_args "__match_args__";
    displayhook "displayhook";
    path "__path__";
    spec "__spec__";
    initializing "_initializing";
    traceback "__traceback__";
    await_ "__await__";
    call "__call__";
    get "__get__";
    getitem "__getitem__";
    add "__add__";
    sub "__sub__";
    mul "__mul__";
    matmul "__matmul__";
    truediv "__truediv__";
    floordiv "__floordiv__";
    mod_ "__mod__";
    pow "__pow__";
    lshift "__lshift__";
    rshift "__rshift__";
    and "__and__";
    xor "__xor__";
    or "__or__";
    divmod "__divmod__";
    lt "__lt__";
    le "__le__";
    eq "__eq__";
    ne "__ne__";
    gt "__gt__";
    ge "__ge__";
}
