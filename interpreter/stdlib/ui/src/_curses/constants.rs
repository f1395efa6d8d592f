//! Names of attributes, colors, mouse buttons and keys.
use krait_libraries::curses;
use krait_object::{Dict, Ref, Thread, Type, Value, ValueCell};
use krait_runtime::types::structseq::{self, StructSeqDef};

static NUMBERS: &[(&str, i64)] = &[
    ("ERR", -1),
    ("OK", 0),
    ("A_ATTRIBUTES", 0xFFFF_FF00),
    ("A_NORMAL", 0),
    ("A_STANDOUT", 1 << 16),
    ("A_UNDERLINE", 1 << 17),
    ("A_REVERSE", 1 << 18),
    ("A_BLINK", 1 << 19),
    ("A_DIM", 1 << 20),
    ("A_BOLD", 1 << 21),
    ("A_ALTCHARSET", 1 << 22),
    ("A_INVIS", 1 << 23),
    ("A_PROTECT", 1 << 24),
    ("A_HORIZONTAL", 1 << 25),
    ("A_LEFT", 1 << 26),
    ("A_LOW", 1 << 27),
    ("A_RIGHT", 1 << 28),
    ("A_TOP", 1 << 29),
    ("A_VERTICAL", 1 << 30),
    ("A_ITALIC", 1 << 31),
    ("A_CHARTEXT", 0xFF),
    ("A_COLOR", 0xFF00),
    ("COLOR_BLACK", 0),
    ("COLOR_RED", 1),
    ("COLOR_GREEN", 2),
    ("COLOR_YELLOW", 3),
    ("COLOR_BLUE", 4),
    ("COLOR_MAGENTA", 5),
    ("COLOR_CYAN", 6),
    ("COLOR_WHITE", 7),
    ("BUTTON_CTRL", 1 << 25),
    ("BUTTON_SHIFT", 1 << 26),
    ("BUTTON_ALT", 1 << 27),
    ("ALL_MOUSE_EVENTS", (1 << 28) - 1),
    ("REPORT_MOUSE_POSITION", 1 << 28),
    ("KEY_MIN", 0o401),
    ("KEY_MAX", 0o777),
];
/// What happens to a button, five bits for each of five.
static BUTTON: [&str; 5] = ["RELEASED", "PRESSED", "CLICKED", "DOUBLE_CLICKED", "TRIPLE_CLICKED"];
/// The keys in the order of their numbers, from `KEY_BREAK` (257) to `KEY_HOME` and from `KEY_DL` (328) on.
static KEYS: [&str; 7] = ["BREAK", "DOWN", "UP", "LEFT", "RIGHT", "HOME", "BACKSPACE"];
static MORE_KEYS: [&str; 83] = [
    "DL",
    "IL",
    "DC",
    "IC",
    "EIC",
    "CLEAR",
    "EOS",
    "EOL",
    "SF",
    "SR",
    "NPAGE",
    "PPAGE",
    "STAB",
    "CTAB",
    "CATAB",
    "ENTER",
    "SRESET",
    "RESET",
    "PRINT",
    "LL",
    "A1",
    "A3",
    "B2",
    "C1",
    "C3",
    "BTAB",
    "BEG",
    "CANCEL",
    "CLOSE",
    "COMMAND",
    "COPY",
    "CREATE",
    "END",
    "EXIT",
    "FIND",
    "HELP",
    "MARK",
    "MESSAGE",
    "MOVE",
    "NEXT",
    "OPEN",
    "OPTIONS",
    "PREVIOUS",
    "REDO",
    "REFERENCE",
    "REFRESH",
    "REPLACE",
    "RESTART",
    "RESUME",
    "SAVE",
    "SBEG",
    "SCANCEL",
    "SCOMMAND",
    "SCOPY",
    "SCREATE",
    "SDC",
    "SDL",
    "SELECT",
    "SEND",
    "SEOL",
    "SEXIT",
    "SFIND",
    "SHELP",
    "SHOME",
    "SIC",
    "SLEFT",
    "SMESSAGE",
    "SMOVE",
    "SNEXT",
    "SOPTIONS",
    "SPREVIOUS",
    "SPRINT",
    "SREDO",
    "SREPLACE",
    "SRIGHT",
    "SRSUME",
    "SSAVE",
    "SSUSPEND",
    "SUNDO",
    "SUSPEND",
    "UNDO",
    "MOUSE",
    "RESIZE",
];

pub fn add(d: &Ref<Dict>) {
    for &(name, value) in NUMBERS {
        d.set_text(name, value);
    }
    for (button, shift) in (1..=5).zip((0..).step_by(5)) {
        for (i, what) in BUTTON.iter().enumerate() {
            d.set_text(&format!("BUTTON{button}_{what}"), 1i64 << (shift + i));
        }
    }
    for (number, name) in (257i64..).zip(KEYS).chain((328i64..).zip(MORE_KEYS)) {
        d.set_text(&format!("KEY_{name}"), number);
    }
    for i in 0..64i64 {
        d.set_text(&format!("KEY_F{i}"), 264 + i);
    }
}

/// The characters that draw lines, with VT100's letters, for the names that are known once there is a screen.
static LINES: &[(&str, u8)] = &[
    ("ULCORNER", b'l'),
    ("LLCORNER", b'm'),
    ("URCORNER", b'k'),
    ("LRCORNER", b'j'),
    ("LTEE", b't'),
    ("RTEE", b'u'),
    ("BTEE", b'v'),
    ("TTEE", b'w'),
    ("HLINE", b'q'),
    ("VLINE", b'x'),
    ("PLUS", b'n'),
    ("S1", b'o'),
    ("S3", b'p'),
    ("S7", b'r'),
    ("S9", b's'),
    ("DIAMOND", b'`'),
    ("CKBOARD", b'a'),
    ("DEGREE", b'f'),
    ("PLMINUS", b'g'),
    ("BULLET", b'~'),
    ("LARROW", b','),
    ("RARROW", b'+'),
    ("DARROW", b'.'),
    ("UARROW", b'-'),
    ("BOARD", b'h'),
    ("LANTERN", b'i'),
    ("BLOCK", b'0'),
    ("LEQUAL", b'y'),
    ("GEQUAL", b'z'),
    ("PI", b'{'),
    ("NEQUAL", b'|'),
    ("STERLING", b'}'),
    // By where the lines are: up, right, down, left; blank or single.
    ("BSSB", b'l'),
    ("SSBB", b'm'),
    ("BBSS", b'k'),
    ("SBBS", b'j'),
    ("SBSS", b'u'),
    ("SSSB", b't'),
    ("SSBS", b'v'),
    ("BSSS", b'w'),
    ("BSBS", b'q'),
    ("SBSB", b'x'),
    ("SSSS", b'n'),
];
pub fn add_lines(d: &Ref<Dict>) {
    for &(name, letter) in LINES {
        d.set_text(&format!("ACS_{name}"), i64::from(curses::acs(letter)));
    }
}

static VERSION: StructSeqDef = StructSeqDef {
    module: "curses",
    name: "ncurses_version",
    doc: "Ncurses version information as a named tuple.",
    fields: &[("major", "Major version number"), ("minor", "Minor version number"), ("patch", "Patch version number")],
    visible: 3,
    instantiable: false,
};
#[derive(Default)]
struct Made {
    class: ValueCell,
}
pub fn version(th: &mut Thread) -> Value {
    let cell = th.interp.extension::<Made>();
    let class = cell.class.get_or_set(structseq::new_type(&VERSION).to_value());
    let mut numbers: Vec<Value> = super::version_numbers().into_iter().map(Value::from).collect();
    numbers.resize(VERSION.fields.len(), Value::int(0));
    match class.downcast::<Type>() {
        Ok(class) => structseq::build(&class, numbers, VERSION.visible),
        Err(other) => other,
    }
}
