//! `termios`: terminal settings.
use krait_object::native::function;
use krait_object::{Args, Bytes, List, Locked, Method, ModuleDef, PyResult, Raised, Ref, Thread, Tuple, Type, Value};
use krait_platform::{errno, fd, terminal};
use krait_runtime::errors::{os_error, raise_value, type_error};
use krait_runtime::exceptions::EXCEPTION;
use krait_runtime::protocol::{call, number, sequence};
use krait_runtime::types::module;
use krait_runtime::world::retry;

use crate::arguments::fildes;
use crate::constants;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Settings of terminals. A descriptor may be given as an object with fileno().",
    functions: FUNCTIONS,
    init: Some(|th, m| {
        constants::add(m, constants::termios::TABLE);
        let error = crate::_signal::new_exception(th, "error", "termios", EXCEPTION.to_value())?;
        th.interp.extension::<ErrorClass>().0.set(error.to_ref());
        module::dict(m).set_text("error", error);
        Ok(())
    }),
    ..ModuleDef::new("termios")
};
#[derive(Default)]
struct ErrorClass(Locked<Option<Ref<Type>>>);

fn failed(th: &mut Thread, e: i32) -> Raised {
    let Some(class) = th.interp.extension::<ErrorClass>().0.get() else { return os_error(th, e, None) };
    match call::call(th, class.as_value(), &[e.into(), errno::message(e).into()]) {
        Ok(error) => raise_value(th, error),
        Err(raised) => raised,
    }
}
fn done(th: &mut Thread, call: impl Fn() -> Result<i32, i32>) -> PyResult<Value> {
    match retry(th, call)? {
        Ok(_) => Ok(Value::NONE),
        Err(e) => Err(failed(th, e)),
    }
}
static FUNCTIONS: &[Method] = &[
    function("tcgetattr", "(fd, /)", "The settings: [iflag, oflag, cflag, lflag, ispeed, ospeed, cc].", tcgetattr),
    function("tcsetattr", "(fd, when, attributes, /)", "Set the settings, as tcgetattr gives them.", tcsetattr),
    function("tcsendbreak", "(fd, duration, /)", "Send a break.", |th, a| {
        let (f, n) = (fildes(th, &a[0])?, number::to_i32(th, &a[1])?);
        done(th, || terminal::send_break(f, n))
    }),
    function("tcdrain", "(fd, /)", "Wait until all output is written.", |th, a| {
        let f = fildes(th, &a[0])?;
        done(th, || terminal::drain(f))
    }),
    function("tcflush", "(fd, queue, /)", "Discard queued data.", |th, a| {
        let (f, n) = (fildes(th, &a[0])?, number::to_i32(th, &a[1])?);
        done(th, || terminal::flush(f, n))
    }),
    function("tcflow", "(fd, action, /)", "Suspend or resume input or output.", |th, a| {
        let (f, n) = (fildes(th, &a[0])?, number::to_i32(th, &a[1])?);
        done(th, || terminal::flow(f, n))
    }),
    function("tcgetwinsize", "(fd, /)", "Lines and columns of the terminal.", |th, a| {
        let f = fildes(th, &a[0])?;
        match fd::terminal_size(f) {
            Ok((columns, lines)) => Ok(Tuple::from_vec(vec![lines.into(), columns.into()]).into()),
            Err(e) => Err(failed(th, e)),
        }
    }),
    function("tcsetwinsize", "(fd, winsize, /)", "Set lines and columns of the terminal.", |th, a| {
        let f = fildes(th, &a[0])?;
        let wrong = "tcsetwinsize, arg 2: must be a two-item sequence";
        if !sequence::is_sequence(&a[1]) {
            return Err(type_error(th, wrong));
        }
        let items = sequence::to_items(th, &a[1], wrong)?;
        let [lines, columns] = &items[..] else { return Err(type_error(th, wrong)) };
        let mut sizes = [0u16; 2];
        for (size, v) in sizes.iter_mut().zip([lines, columns]) {
            let n = number::to_i64(th, v)?;
            *size = u16::try_from(n)
                .map_err(|_| krait_runtime::errors::overflow_error(th, "winsize value(s) out of range."))?;
        }
        done(th, || terminal::set_window(f, sizes[0], sizes[1]))
    }),
];
const VTIME: usize = 5;
const VMIN: usize = 6;
const ICANON: u32 = 2;
/// Control characters that `termios` of C has, and those that Python shows.
const NCCS: usize = 32;

fn tcgetattr(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let f = fildes(th, &a[0])?;
    let s = match terminal::get(f) {
        Ok(s) => s,
        Err(e) => return Err(failed(th, e)),
    };
    let mut cc: Vec<Value> = s.characters.iter().map(|&c| Bytes::new(&[c]).into()).collect();
    cc.resize(NCCS, Bytes::new(&[0]).into());
    if s.flags[3] & ICANON == 0 {
        cc[VMIN] = s.characters[VMIN].into();
        cc[VTIME] = s.characters[VTIME].into();
    }
    let mut out: Vec<Value> = s.flags.iter().map(|&n| n.into()).collect();
    out.extend([s.input_speed.into(), s.output_speed.into(), List::new(cc).into()]);
    Ok(List::new(out).into())
}
/// The low bits of a C `long`.
fn flags_argument(th: &mut Thread, v: &Value) -> PyResult<i64> {
    if !number::has_index(v) {
        let class = v.class().name();
        return Err(type_error(th, format!("'{class}' object cannot be interpreted as an integer")));
    }
    number::to_i64(th, v)
}
fn tcsetattr(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let f = fildes(th, &a[0])?;
    let when = number::to_i32(th, &a[1])?;
    let items = a[2].downcast_ref::<List>().map(|l| l.to_vec());
    let Some(items) = items.filter(|i| i.len() == 7) else {
        return Err(type_error(th, "tcsetattr, arg 3: must be 7 element list"));
    };
    let mut numbers = [0u32; 6];
    for (n, v) in numbers.iter_mut().zip(&items) {
        *n = flags_argument(th, v)? as u32;
    }
    let cc = items[6].downcast_ref::<List>().map(|l| l.to_vec()).filter(|l| l.len() == NCCS);
    let Some(cc) = cc else {
        return Err(type_error(th, format!("tcsetattr: attributes[6] must be {NCCS} element list")));
    };
    let mut characters = Vec::with_capacity(NCCS);
    for c in &cc {
        let byte = c.downcast_ref::<Bytes>().filter(|b| b.len() == 1).map(|b| b[0]);
        characters.push(match byte {
            Some(b) => b,
            None if c.as_int_ref().is_some() => flags_argument(th, c)? as u8,
            None => {
                let message = "tcsetattr: elements of attributes must be characters or integers";
                return Err(type_error(th, message));
            }
        });
    }
    let [i, o, c, l, input_speed, output_speed] = numbers;
    let settings = terminal::Settings { flags: [i, o, c, l], input_speed, output_speed, characters };
    done(th, || terminal::set(f, when, &settings))
}
