//! Random programs: short, terminating, deterministic, printing what they compute. Each statement is guarded, so that one
//! that raises still lets the others speak.

/// A small generator of the SplitMix family: seeds must mean the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % sides.max(1) as u64) as usize
    }

    fn pick<'t>(&mut self, words: &[&'t str]) -> &'t str {
        words[self.roll(words.len())]
    }
}

const ATOMS: &[&str] = &[
    "0",
    "1",
    "-1",
    "7",
    "2**64",
    "-(2**63)",
    "10**20",
    "True",
    "None",
    "0.0",
    "-0.0",
    "1.5",
    "1e308",
    "float('nan')",
    "3j",
    "''",
    "'a'",
    "'straße'",
    "'\\ud800'",
    "'A b\\tc'",
    "b''",
    "b'xyz'",
    "bytearray(b'ab')",
    "()",
    "(1, 2)",
    "[]",
    "[3, 1, 2]",
    "{}",
    "{'a': 1, 'b': 2}",
    "{1, 2}",
    "frozenset({3})",
    "range(5)",
    "range(9, 0, -2)",
    "slice(1, None, 2)",
    "int",
    "str",
    "Ellipsis",
    "NotImplemented",
    "memoryview(b'abc')",
    "x",
    "y",
    "z",
    "C()",
    "C(2)",
    "f",
    "gen()",
    "E('e')",
];
const BINARY: &[&str] =
    &["+", "-", "*", "/", "//", "%", "@", "|", "&", "^", "==", "!=", "<", "<=", ">", "in", "not in", "is", "and", "or"];
const UNARY: &[&str] = &["-", "+", "~", "not "];
const CALLS: &[&str] = &[
    "len",
    "repr",
    "str",
    "int",
    "float",
    "list",
    "tuple",
    "set",
    "dict",
    "sorted",
    "sum",
    "min",
    "max",
    "abs",
    "bool",
    "hash",
    "iter",
    "reversed",
    "enumerate",
    "bytes",
    "ascii",
    "bin",
    "hex",
    "oct",
    "ord",
    "chr",
    "round",
    "any",
    "all",
    "type",
    "callable",
    "complex",
    "divmod",
    "zip",
    "map",
    "isinstance",
    "getattr",
    "format",
    "slice",
    "range",
    "next",
];
const METHODS: &[&str] = &[
    "upper",
    "split",
    "join",
    "replace",
    "find",
    "index",
    "count",
    "strip",
    "encode",
    "decode",
    "format",
    "startswith",
    "zfill",
    "center",
    "partition",
    "append",
    "extend",
    "insert",
    "pop",
    "remove",
    "reverse",
    "sort",
    "copy",
    "clear",
    "get",
    "keys",
    "items",
    "update",
    "setdefault",
    "popitem",
    "add",
    "discard",
    "union",
    "difference",
    "issubset",
    "bit_length",
    "conjugate",
    "as_integer_ratio",
    "is_integer",
    "hex",
    "to_bytes",
    "splitlines",
    "title",
    "casefold",
    "expandtabs",
    "translate",
    "send",
    "throw",
    "close",
    "tobytes",
    "tolist",
    "__add__",
    "__eq__",
    "__getitem__",
    "__len__",
    "__contains__",
    "__format__",
    "__iter__",
    "__reduce__",
    "indices",
    "rsplit",
    "removeprefix",
    "isidentifier",
];
const SPECS: &[&str] = &["", ">8", "08.3f", "x", "+d", "^10s", ",", "e", "%", "_b", "c", "!r", "10.2", "#o", "=+9"];

struct Writer {
    dice: Dice,
    out: String,
    depth: usize,
}

impl Writer {
    fn line(&mut self, text: &str) {
        self.out += &"    ".repeat(self.depth);
        self.out += text;
        self.out.push('\n');
    }

    fn expr(&mut self, fuel: usize) -> String {
        if fuel == 0 {
            return self.dice.pick(ATOMS).to_owned();
        }
        match self.dice.roll(15) {
            0..=2 => self.dice.pick(ATOMS).to_owned(),
            3..=4 => {
                let (left, operator, right) = (self.expr(fuel - 1), self.dice.pick(BINARY), self.expr(fuel - 1));
                // Repetition without bound is no finding.
                let right =
                    if operator == "*" { format!("({right} if isinstance({right}, float) else 3)") } else { right };
                format!("({left} {operator} {right})")
            }
            5 => format!("({}{})", self.dice.pick(UNARY), self.expr(fuel - 1)),
            6..=7 => format!("{}({})", self.dice.pick(CALLS), self.arguments(fuel - 1)),
            8..=9 => format!("({}).{}({})", self.expr(fuel - 1), self.dice.pick(METHODS), self.arguments(fuel - 1)),
            10 => format!("({})[{}]", self.expr(fuel - 1), self.index(fuel - 1)),
            11 => {
                format!("[{} for x in {}]", self.expr(fuel - 1), self.dice.pick(&["range(3)", "'ab'", "[1, 2]", "y"]))
            }
            12 => format!("format({}, {:?})", self.expr(fuel - 1), self.dice.pick(SPECS)),
            13 => format!("({} if {} else {})", self.expr(fuel - 1), self.expr(fuel - 1), self.expr(fuel - 1)),
            _ => format!("(lambda x=1, *y, z=2: {})({})", self.expr(fuel - 1), self.arguments(fuel - 1)),
        }
    }

    fn index(&mut self, fuel: usize) -> String {
        match self.dice.roll(3) {
            0 => format!("{}:{}", self.expr(0), self.expr(0)),
            1 => format!("::{}", self.dice.pick(&["1", "-1", "2", "0", "None"])),
            _ => self.expr(fuel),
        }
    }

    fn arguments(&mut self, fuel: usize) -> String {
        let mut parts: Vec<String> = (0..self.dice.roll(3)).map(|_| self.expr(fuel)).collect();
        match self.dice.roll(12) {
            0 => parts.push(format!("*{}", self.expr(0))),
            1 => parts.push(format!("key={}", self.expr(0))),
            2 => parts.push("**{'z': 3}".to_owned()),
            _ => {}
        }
        parts.join(", ")
    }

    fn statement(&mut self) {
        match self.dice.roll(12) {
            0..=5 => {
                let expr = self.expr(3);
                self.guarded(&format!("show({expr})"));
            }
            6 => {
                let (target, expr) = (self.dice.pick(&["x", "y", "z", "x, y", "x, *y", "[x, z]"]), self.expr(2));
                self.guarded(&format!("{target} = {expr}"));
            }
            7 => {
                let (operator, expr) = (self.dice.pick(&["+", "-", "*", "|", "&", "//", "%", ">>"]), self.expr(1));
                self.guarded(&format!("x {operator}= {expr}; show(x)"));
            }
            8 => {
                let (over, expr) = (self.expr(1), self.expr(2));
                self.line("try:");
                self.line(&format!("    for z, i in zip({over}, range(3)): show({expr})"));
                self.line("except Exception as exc: tell(exc)");
            }
            9 => {
                let subject = self.expr(1);
                let value = self.dice.pick(&["[x, *_]", "{'a': z}", "C()", "int(x)", "'a' | 1", "(1, x)"]);
                self.line("try:");
                self.line(&format!("    match {subject}:"));
                self.line(&format!("        case {value}: show('matched', x)"));
                self.line("        case _: show('no match')");
                self.line("except Exception as exc: tell(exc)");
            }
            10 => {
                let (place, expr) = (self.expr(1), self.expr(1));
                let index = self.index(1);
                self.guarded(&format!("y = {place}; y[{index}] = {expr}; show(y)"));
            }
            _ => {
                let (what, expr) = (self.dice.pick(&["E(x)", "ValueError(y)", "KeyError(z)", "x"]), self.expr(2));
                self.guarded(&format!("raise {what} from {expr}"));
            }
        }
    }

    fn guarded(&mut self, text: &str) {
        self.line(&format!("try: {text}"));
        self.line("except Exception as exc: tell(exc)");
    }
}

/// What every program begins with. Reprs with addresses are cut, sets are shown sorted.
const HEAD: &str = r#"import re, warnings
warnings.simplefilter("ignore")
def show(*values):
    for value in values:
        if isinstance(value, (set, frozenset)):
            value = (type(value).__name__, sorted(map(repr, value)))
        print(type(value).__name__, re.sub(r" at 0x[0-9a-f]+", "", ascii(value))[:300])
def tell(exc):
    print(type(exc).__name__, re.sub(r" at 0x[0-9a-f]+", "", ascii(str(exc)))[:300], type(exc.__cause__).__name__)
class E(Exception): pass
class C:
    def __init__(self, n=1): self.n = n
    def __eq__(self, other): return isinstance(other, C) and self.n == other.n
    def __hash__(self): return self.n
    def __index__(self): return self.n
    def __getitem__(self, key): return (key, self.n)
    def __len__(self): return self.n
    def __repr__(self): return f"C({self.n})"
    def __radd__(self, other): return ("radd", other)
def f(*args, **kwargs): return (args, kwargs)
def gen():
    got = yield 1
    yield got
x, y, z = 5, [1, 2, 3], "abc"
"#;

/// The program of a seed.
pub fn program(seed: u64) -> String {
    let mut writer = Writer { dice: Dice(seed.wrapping_mul(0x2545_f491_4f6c_dd1d)), out: HEAD.to_owned(), depth: 0 };
    for _ in 0..12 {
        writer.statement();
    }
    writer.out
}
