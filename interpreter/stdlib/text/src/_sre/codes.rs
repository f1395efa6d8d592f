//! Numbers of the code arrays that `Lib/re/_compiler.py` emits.
//!
//! They must agree with `Lib/re/_constants.py`; `MAGIC` is what that module compares.
//! CPython counterpart: `Modules/_sre/sre_constants.h`.

#![expect(dead_code, reason = "the tables are complete, the engine does not name every entry")]

pub const MAGIC: u32 = 20_230_612;
pub const MAXREPEAT: u32 = u32::MAX;
/// Half of the largest signed code word, as CPython has it where `Py_ssize_t` is wider than a code.
pub const MAXGROUPS: u32 = (i32::MAX as u32) / 2;

/// Declares `pub const NAME: u32` for each name, counting from zero.
macro_rules! numbered {
    ($($name:ident),* $(,)?) => { numbered!(@ 0u32; $($name,)*); };
    (@ $n:expr; $name:ident, $($rest:ident,)*) => {
        pub const $name: u32 = $n;
        numbered!(@ $n + 1; $($rest,)*);
    };
    (@ $n:expr;) => {};
}

/// Operators.
pub mod op {
    numbered! {
        FAILURE, SUCCESS, ANY, ANY_ALL, ASSERT, ASSERT_NOT, AT, BRANCH, CATEGORY, CHARSET, BIGCHARSET, GROUPREF,
        GROUPREF_EXISTS, IN, INFO, JUMP, LITERAL, MARK, MAX_UNTIL, MIN_UNTIL, NOT_LITERAL, NEGATE, RANGE, REPEAT,
        REPEAT_ONE, SUBPATTERN, MIN_REPEAT_ONE, ATOMIC_GROUP, POSSESSIVE_REPEAT, POSSESSIVE_REPEAT_ONE,
        GROUPREF_IGNORE, IN_IGNORE, LITERAL_IGNORE, NOT_LITERAL_IGNORE,
        GROUPREF_LOC_IGNORE, IN_LOC_IGNORE, LITERAL_LOC_IGNORE, NOT_LITERAL_LOC_IGNORE,
        GROUPREF_UNI_IGNORE, IN_UNI_IGNORE, LITERAL_UNI_IGNORE, NOT_LITERAL_UNI_IGNORE, RANGE_UNI_IGNORE,
    }
}

/// Operand of `AT`.
pub mod at {
    numbered! {
        BEGINNING, BEGINNING_LINE, BEGINNING_STRING, BOUNDARY, NON_BOUNDARY, END, END_LINE, END_STRING,
        LOC_BOUNDARY, LOC_NON_BOUNDARY, UNI_BOUNDARY, UNI_NON_BOUNDARY,
    }
}

/// Operand of `CATEGORY`; each even number is followed by its negation.
pub mod category {
    numbered! {
        DIGIT, NOT_DIGIT, SPACE, NOT_SPACE, WORD, NOT_WORD, LINEBREAK, NOT_LINEBREAK, LOC_WORD, LOC_NOT_WORD,
        UNI_DIGIT, UNI_NOT_DIGIT, UNI_SPACE, UNI_NOT_SPACE, UNI_WORD, UNI_NOT_WORD, UNI_LINEBREAK, UNI_NOT_LINEBREAK,
    }
}

/// Bits of the flags word of `INFO`.
pub mod info {
    pub const PREFIX: u32 = 1;
    pub const LITERAL: u32 = 2;
    pub const CHARSET: u32 = 4;
}

/// Bits of `Pattern.flags`.
pub mod flag {
    pub const IGNORECASE: u32 = 2;
    pub const LOCALE: u32 = 4;
    pub const MULTILINE: u32 = 8;
    pub const DOTALL: u32 = 16;
    pub const UNICODE: u32 = 32;
    pub const VERBOSE: u32 = 64;
    pub const DEBUG: u32 = 128;
    pub const ASCII: u32 = 256;
}
