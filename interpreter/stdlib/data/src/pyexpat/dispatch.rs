//! The loop that hands events to handlers, and the buffer of text.
use krait_object::{Bytes, PyResult, Ref, Str, Thread, Value};
use krait_runtime::codecs;
use krait_runtime::errors::value_error;
use krait_runtime::protocol::call;

use super::arguments;
use super::parser::{HANDLERS, Parser};
use crate::expat::{Code, Event, Kind, Step, Table, code};

/// Works until the input is used up.
pub fn run(th: &mut Thread, p: &Ref<Parser>) -> PyResult<()> {
    let outcome = events(th, p);
    match outcome {
        Ok(Ok(())) => flush(th, p),
        Ok(Err(code)) => Err(p.error(th, code)),
        Err(raised) => {
            // A handler failed: nothing is called any more.
            let old = std::mem::replace(&mut *p.handlers.lock(), [const { None }; HANDLERS]);
            drop(old);
            p.engine.lock().fail(code::ABORTED);
            Err(raised)
        }
    }
}
fn events(th: &mut Thread, p: &Ref<Parser>) -> PyResult<Result<(), Code>> {
    loop {
        let step = p.engine.lock().next();
        match step {
            Err(code) => return Ok(Err(code)),
            Ok(Step::More | Step::Done) => return Ok(Ok(())),
            Ok(Step::Event(event)) => dispatch(th, p, event)?,
        }
    }
}
/// Calls a handler, which may refuse.
fn invoke(th: &mut Thread, p: &Ref<Parser>, handler: &Value, args: &[Value]) -> PyResult<Value> {
    p.options.lock().in_callback = true;
    let answer = call::call(th, handler, args);
    p.options.lock().in_callback = false;
    answer
}
/// Reports the text that was buffered.
pub fn flush(th: &mut Thread, p: &Ref<Parser>) -> PyResult<()> {
    let text = std::mem::take(&mut *p.buffer.lock());
    if text.is_empty() {
        return Ok(());
    }
    match p.handler(Kind::Text as usize) {
        Some(handler) => invoke(th, p, &handler, &[Value::str(&text)]).map(drop),
        None => Ok(()),
    }
}
fn text(th: &mut Thread, p: &Ref<Parser>, text: &str) -> PyResult<()> {
    let Some(handler) = p.handler(Kind::Text as usize) else { return Ok(()) };
    let options = p.options.get();
    if options.buffer_text {
        let used = p.buffer.lock().len();
        if used + text.len() > options.buffer_size {
            flush(th, p)?;
            // The handler may have gone meanwhile.
            if p.handler(Kind::Text as usize).is_none() {
                return Ok(());
            }
        }
        if text.len() <= options.buffer_size {
            p.buffer.lock().push_str(text);
            return Ok(());
        }
    }
    invoke(th, p, &handler, &[Value::str(text)]).map(drop)
}
fn dispatch(th: &mut Thread, p: &Ref<Parser>, event: Event) -> PyResult<()> {
    let kind = match &event {
        Event::Text(t) => return text(th, p, t),
        Event::UnknownEncoding(name) => {
            let table = table(th, name)?;
            // An encoding that nobody knows is an error of the document.
            let _ = p.engine.lock().set_table(table);
            return Ok(());
        }
        Event::Raw { unless, .. } => {
            if unless.is_some_and(|k| p.handler(k as usize).is_some()) {
                return Ok(());
            }
            p.options.lock().default
        }
        Event::Entity(e) if e.notation.is_some() => {
            if let Some(handler) = p.handler(Kind::UnparsedEntity as usize) {
                flush(th, p)?;
                let args = arguments::of_unparsed(th, p, e)?;
                return invoke(th, p, &handler, &args).map(drop);
            }
            Kind::Entity as usize
        }
        other => match other.kind() {
            Some(kind) => kind as usize,
            None => return Ok(()),
        },
    };
    let Some(handler) = p.handler(kind) else { return Ok(()) };
    flush(th, p)?;
    let args = arguments::of(th, p, &event)?;
    let answer = invoke(th, p, &handler, &args)?;
    let refusal = match event {
        Event::NotStandalone => code::NOT_STANDALONE,
        Event::ExternalEntityRef { .. } => code::EXTERNAL_ENTITY_HANDLING,
        _ => return Ok(()),
    };
    if !arguments::accepted(th, &answer)? {
        p.engine.lock().fail(refusal);
    }
    Ok(())
}
/// The characters of a single-byte encoding that Python knows.
pub fn table(th: &mut Thread, name: &str) -> PyResult<Option<Table>> {
    let all: Vec<u8> = (0..=255).collect();
    let bytes = Bytes::new(&all).to_value();
    let decoded = codecs::decode_bytes(th, &all, Some(&bytes), Some(name), Some("replace"))?;
    let Some(s) = decoded.downcast_ref::<Str>().filter(|s| s.len() == 256) else {
        return Err(value_error(th, "multi-byte encodings are not supported"));
    };
    let mut table: Table = Box::new([None; 256]);
    for (slot, c) in table.iter_mut().zip(s.iter()) {
        *slot = char::from_u32(c).filter(|&c| c != '\u{FFFD}');
    }
    // What markup is made of must be where ASCII has it.
    let markup =
        |i: usize| i == 9 || i == 10 || i == 13 || (32..127).contains(&i) && !b"$@^`{}~\\".contains(&(i as u8));
    let compatible = (0..128).filter(|&i| markup(i)).all(|i| table[i] == char::from_u32(i as u32));
    Ok(compatible.then_some(table))
}
