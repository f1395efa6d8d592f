//! The rows that the method tables of `bytes` and `bytearray` have in common.

/// `byte_methods![row, …]`: the common rows, then those given.
macro_rules! byte_methods {
    ($($own:expr),* $(,)?) => {
        &[
            method("capitalize", "()", "First byte in upper case, the rest in lower case.", shape::capitalize),
            method("center", "(width, fillchar=b' ', /)", "Centred in a field of this width.", shape::center),
            method("count", "(sub[, start[, end]], /)", "How often sub occurs without overlap in [start:end].", search::count),
            method("decode", "(encoding='utf-8', errors='strict')", "The text that the bytes encode.", hex::decode),
            method("endswith", "(suffix[, start[, end]], /)", "Whether [start:end] ends with the suffix, or one of a tuple.", search::endswith),
            method("expandtabs", "(tabsize=8)", "Tabs replaced by spaces up to the next column.", shape::expandtabs),
            method("find", "(sub[, start[, end]], /)", "Lowest index of sub in [start:end], or -1.", search::find),
            method("hex", "(sep=<unrepresentable>, bytes_per_sep=1)", "Two hexadecimal digits a byte, with a separator every so many bytes.\n\n    >>> b'krait'.hex(':')\n    '6b:72:61:69:74'", hex::hex),
            method("index", "(sub[, start[, end]], /)", "Lowest index of sub in [start:end]; ValueError if there is none.", search::index),
            method("isalnum", "()", "Whether all bytes are ASCII letters or digits and there is one.", shape::isalnum),
            method("isalpha", "()", "Whether all bytes are ASCII letters and there is one.", shape::isalpha),
            method("isascii", "()", "Whether all bytes are below 128.", shape::isascii),
            method("isdigit", "()", "Whether all bytes are ASCII digits and there is one.", shape::isdigit),
            method("islower", "()", "Whether there is a lower-case ASCII letter and no upper-case one.", shape::islower),
            method("isspace", "()", "Whether all bytes are ASCII whitespace and there is one.", shape::isspace),
            method("istitle", "()", "Whether words begin in upper case and go on in lower case.", shape::istitle),
            method("isupper", "()", "Whether there is an upper-case ASCII letter and no lower-case one.", shape::isupper),
            method("join", "(iterable_of_bytes, /)", "The items of an iterable with these bytes between them.", shape::join),
            method("ljust", "(width, fillchar=b' ', /)", "Left-aligned in a field of this width.", shape::ljust),
            method("lower", "()", "ASCII letters in lower case.", shape::lower),
            method("lstrip", "(bytes=None, /)", "Without leading whitespace, or without leading bytes of those given.", search::lstrip),
            static_method("maketrans", "(frm, to, /)", "A table for translate.", shape::maketrans),
            method("partition", "(sep, /)", "What is before the first separator, the separator, and what follows.", search::partition),
            method("replace", "(old, new, count=-1, /)", "A copy with occurrences of old replaced, at most count.", search::replace),
            method("removeprefix", "(prefix, /)", "Without the prefix, if it is there.", search::removeprefix),
            method("removesuffix", "(suffix, /)", "Without the suffix, if it is there.", search::removesuffix),
            method("rfind", "(sub[, start[, end]], /)", "Highest index of sub in [start:end], or -1.", search::rfind),
            method("rindex", "(sub[, start[, end]], /)", "Highest index of sub in [start:end]; ValueError if there is none.", search::rindex),
            method("rjust", "(width, fillchar=b' ', /)", "Right-aligned in a field of this width.", shape::rjust),
            method("rpartition", "(sep, /)", "As partition, at the last separator.", search::rpartition),
            method("rsplit", "(sep=None, maxsplit=-1)", "As split, counting the splits from the right.", search::rsplit),
            method("rstrip", "(bytes=None, /)", "Without trailing whitespace, or without trailing bytes of those given.", search::rstrip),
            method("split", "(sep=None, maxsplit=-1)", "The parts between separators, or between runs of whitespace.", search::split),
            method("splitlines", "(keepends=False)", "The lines, without their ends unless keepends.", search::splitlines),
            method("startswith", "(prefix[, start[, end]], /)", "Whether [start:end] begins with the prefix, or one of a tuple.", search::startswith),
            method("strip", "(bytes=None, /)", "Without whitespace at both ends, or without bytes of those given.", search::strip),
            method("swapcase", "()", "Upper-case ASCII letters to lower and the reverse.", shape::swapcase),
            method("title", "()", "Each word with an upper-case first letter, the rest in lower case.", shape::title),
            method("translate", "(table, /, delete=b'')", "Each byte replaced by the table's, those of delete left out first.", shape::translate),
            method("upper", "()", "ASCII letters in upper case.", shape::upper),
            method("zfill", "(width, /)", "Zeros in front up to this width, behind a sign.", shape::zfill),
            $($own,)*
        ]
    };
}
pub(crate) use byte_methods;
