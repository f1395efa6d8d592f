//! Constants of `sys`: version, limits, number formats.
use krait_object::{Dict, FrozenSet, Ref, Set, Thread, Tuple, Value};
use krait_runtime::config::Flags;
use krait_runtime::types::structseq::{self, StructSeqDef};

pub const VERSION: &str = "3.13.0 (Krait 0.1.0) [Rust]";

const fn plain(name: &'static str, doc: &'static str, fields: &'static [(&'static str, &'static str)]) -> StructSeqDef {
    StructSeqDef { module: "sys", name, doc, fields, visible: fields.len(), instantiable: false }
}

pub static FLAGS: StructSeqDef = StructSeqDef {
    visible: 18,
    ..plain(
        "flags",
        "sys.flags\n\nFlags provided through command line arguments or environment vars.",
        &[
            ("debug", "-d"),
            ("inspect", "-i"),
            ("interactive", "-i"),
            ("optimize", "-O or -OO"),
            ("dont_write_bytecode", "-B"),
            ("no_user_site", "-s"),
            ("no_site", "-S"),
            ("ignore_environment", "-E"),
            ("verbose", "-v"),
            ("bytes_warning", "-b"),
            ("quiet", "-q"),
            ("hash_randomization", "-R"),
            ("isolated", "-I"),
            ("dev_mode", "-X dev"),
            ("utf8_mode", "-X utf8"),
            ("warn_default_encoding", "-X warn_default_encoding"),
            ("safe_path", "-P"),
            ("int_max_str_digits", "-X int_max_str_digits"),
            ("gil", "-X gil"),
        ],
    )
};
pub fn flag_values(f: &Flags) -> Vec<Value> {
    let number = |i: i32| Value::from(i);
    vec![
        number(f.debug),
        number(f.inspect),
        number(f.interactive),
        number(f.optimize),
        number(f.dont_write_bytecode),
        number(f.no_user_site),
        number(f.no_site),
        number(f.ignore_environment),
        number(f.verbose),
        number(f.bytes_warning),
        number(f.quiet),
        number(f.hash_randomization),
        number(f.isolated),
        Value::bool(f.dev_mode),
        number(f.utf8_mode),
        number(f.warn_default_encoding),
        Value::bool(f.safe_path),
        number(f.int_max_str_digits),
        // Threads take turns (`runtime/src/world.rs`).
        number(1),
    ]
}
static VERSION_INFO: StructSeqDef = plain(
    "version_info",
    "sys.version_info\n\nVersion information as a named tuple.",
    &[
        ("major", "Major release number"),
        ("minor", "Minor release number"),
        ("micro", "Patch release number"),
        ("releaselevel", "'alpha', 'beta', 'candidate', or 'final'"),
        ("serial", "Serial release number"),
    ],
);
static FLOAT_INFO: StructSeqDef = plain(
    "float_info",
    "sys.float_info\n\nA named tuple holding information about the float type.",
    &[
        ("max", "maximum representable finite float"),
        ("max_exp", "maximum int e such that radix**(e-1) is representable"),
        ("max_10_exp", "maximum int e such that 10**e is representable"),
        ("min", "minimum positive normalized float"),
        ("min_exp", "minimum int e such that radix**(e-1) is a normalized float"),
        ("min_10_exp", "minimum int e such that 10**e is a normalized float"),
        ("dig", "maximum number of decimal digits that can be faithfully represented"),
        ("mant_dig", "mantissa digits"),
        ("epsilon", "difference between 1 and the next representable float"),
        ("radix", "radix of exponent"),
        ("rounds", "rounding mode used for arithmetic operations"),
    ],
);
static INT_INFO: StructSeqDef = plain(
    "int_info",
    "sys.int_info\n\nA named tuple that holds information about the internal representation of integers.",
    &[
        ("bits_per_digit", "size of a digit in bits"),
        ("sizeof_digit", "size in bytes of the type used to represent a digit"),
        ("default_max_str_digits", "maximum string conversion digits limitation"),
        ("str_digits_check_threshold", "minimum positive value for int_max_str_digits"),
    ],
);
static HASH_INFO: StructSeqDef = plain(
    "hash_info",
    "hash_info\n\nA named tuple providing parameters used for computing hashes.",
    &[
        ("width", "width of the type used for hashing, in bits"),
        ("modulus", "prime number giving the modulus on which the hash function is based"),
        ("inf", "value to be used for hash of a positive infinity"),
        ("nan", "value to be used for hash of a nan"),
        ("imag", "multiplier used for the imaginary part of a complex number"),
        ("algorithm", "name of the algorithm for hashing of str, bytes and memoryviews"),
        ("hash_bits", "internal output size of hash algorithm"),
        ("seed_bits", "seed size of hash algorithm"),
        ("cutoff", "small string optimization cutoff"),
    ],
);
static THREAD_INFO: StructSeqDef = plain(
    "thread_info",
    "sys.thread_info\n\nA named tuple holding information about the thread implementation.",
    &[
        ("name", "name of the thread implementation"),
        ("lock", "name of the lock implementation"),
        ("version", "name and version of the thread library"),
    ],
);

/// Name and version of the C library's threads.
fn thread_library() -> Option<String> {
    /// `_CS_GNU_LIBPTHREAD_VERSION`.
    const VERSION: i32 = 3;
    if !cfg!(all(target_os = "linux", target_env = "gnu")) {
        return None;
    }
    let name = krait_platform::process::confstr(VERSION).ok().flatten()?;
    String::from_utf8(name).ok()
}

fn put(d: &Ref<Dict>, def: &'static StructSeqDef, values: Vec<Value>) {
    let class = structseq::new_type(def);
    let v = structseq::build(&class, values, def.visible);
    d.set_text(def.name, v);
}

pub fn add(th: &mut Thread, d: &Ref<Dict>) {
    put(d, &VERSION_INFO, vec![3.into(), 13.into(), 0.into(), "final".into(), 0.into()]);
    put(
        d,
        &FLOAT_INFO,
        vec![
            f64::MAX.into(),
            f64::MAX_EXP.into(),
            f64::MAX_10_EXP.into(),
            f64::MIN_POSITIVE.into(),
            f64::MIN_EXP.into(),
            f64::MIN_10_EXP.into(),
            f64::DIGITS.into(),
            f64::MANTISSA_DIGITS.into(),
            f64::EPSILON.into(),
            2.into(),
            1.into(),
        ],
    );
    put(d, &INT_INFO, vec![30.into(), 4.into(), 4300.into(), 640.into()]);
    put(
        d,
        &HASH_INFO,
        vec![
            64.into(),
            (krait_object::hash::MODULUS as i64).into(),
            krait_object::hash::INF.into(),
            0.into(),
            1_000_003.into(),
            "siphash13".into(),
            64.into(),
            128.into(),
            0.into(),
        ],
    );
    let library = thread_library().map(|name| Value::str(&name));
    put(d, &THREAD_INFO, vec!["pthread".into(), "semaphore".into(), library.into()]);
    d.set_text("version", VERSION);
    d.set_text("hexversion", 0x030D_00F0i64);
    d.set_text("api_version", 1013i64);
    d.set_text("copyright", "Copyright (c) 2026 The Krait authors.");
    d.set_text("platform", if cfg!(target_os = "linux") { "linux" } else { std::env::consts::OS });
    d.set_text("byteorder", if cfg!(target_endian = "little") { "little" } else { "big" });
    d.set_text("maxsize", i64::MAX);
    d.set_text("maxunicode", 0x10FFFFi64);
    d.set_text("abiflags", "");
    d.set_text("float_repr_style", "short");
    d.set_text("_git", Tuple::from_vec(vec!["Krait".into(), "".into(), "".into()]));
    let names = Set::new();
    for name in STDLIB_NAMES.split_whitespace() {
        // Adding strings to a fresh set cannot fail.
        let _ = names.add(th, Value::str(name)).is_ok();
    }
    d.set_text("stdlib_module_names", Ref::new(FrozenSet(Set::from_table(names.copy_table()))));
}

/// The top-level names of the standard library of 3.13.
static STDLIB_NAMES: &str = include_str!("stdlib_names.txt");
