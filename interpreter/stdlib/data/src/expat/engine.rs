//! The parser's state and its driver: input, sources of text, the queue of events.
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use super::decode::{Encoding, Table, detect};
use super::dtd::Dtd;
use super::namespaces::Namespaces;
use super::position::Position;
use super::scan::{Scan, Stop};
use super::{Code, Event, Kind, code};

pub enum Step {
    Event(Event),
    /// Everything so far is used up.
    More,
    /// The document is complete.
    Done,
}
/// What the parser is at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Before the XML declaration.
    Start,
    /// Before the document type declaration.
    Prolog,
    /// Between the brackets of the document type declaration, or in an external subset.
    Subset,
    /// Behind the closing bracket.
    SubsetEnd,
    /// Between the document type declaration and the first element.
    AfterDoctype,
    Content,
    Cdata,
    Epilog,
    Done,
}
/// A text that is read in place of a reference.
pub struct Inner {
    pub text: Arc<str>,
    pub at: usize,
    pub entity: String,
    pub parameter: bool,
    /// Open tags where it began.
    pub level: usize,
    /// Where the document refers to it.
    pub from: usize,
}
pub struct Tag {
    /// As written.
    pub raw: String,
    pub name: String,
    /// Namespace bindings of this tag.
    pub bindings: usize,
}
/// The result of one step of work.
pub type Work = Result<Progress, Stop>;
pub enum Progress {
    /// Something was consumed.
    Went,
    /// Nothing is left to be consumed.
    Empty,
}

/// A shared text, from a place on.
pub struct Piece {
    text: Arc<str>,
    at: usize,
}
impl Piece {
    pub fn as_str(&self) -> &str {
        &self.text[self.at..]
    }
}

pub struct Engine {
    pub namespaces: Option<Namespaces>,
    /// The document (or external entity) itself, decoded; `at` is where reading goes on.
    pub text: Arc<str>,
    pub at: usize,
    raw: Vec<u8>,
    encoding: Encoding,
    /// The encoding is settled, and text may be decoded.
    decided: bool,
    given: Option<String>,
    bad_byte: bool,
    pub complete: bool,
    pub position: Position,
    /// Where the event handed out last begins.
    event_at: usize,
    pub queue: VecDeque<(Event, usize)>,
    pub state: State,
    pub inner: Vec<Inner>,
    pub tags: Vec<Tag>,
    dtd: Arc<Mutex<Dtd>>,
    pub base: Option<String>,
    pub error: Option<Code>,
    pub parameter_parsing: i32,
    pub foreign_dtd: bool,
    pub expand_entities: bool,
    pub want_raw: bool,
    /// Handlers that are set: what is not handled may change what is reported.
    pub handled: u32,
    /// An external entity: general, or part of the document type definition.
    pub external: bool,
    pub parameter_entity: bool,
    pub doctype: Option<super::prolog::Doctype>,
    /// Open sections `<![INCLUDE[`.
    pub includes: usize,
    pub started: bool,
    pub deferral: bool,
    partial: usize,
    pending_encoding: Option<String>,
    pub expanded: u64,
    consumed: u64,
}

impl Engine {
    pub fn new(given: Option<String>, separator: Option<Option<char>>) -> Engine {
        Engine {
            namespaces: separator.map(Namespaces::new),
            text: "".into(),
            at: 0,
            raw: Vec::new(),
            encoding: Encoding::Utf8,
            decided: false,
            given,
            bad_byte: false,
            complete: false,
            position: Position::new(),
            event_at: 0,
            queue: VecDeque::new(),
            state: State::Start,
            inner: Vec::new(),
            tags: Vec::new(),
            dtd: Arc::new(Mutex::new(Dtd::new())),
            base: None,
            error: None,
            parameter_parsing: 0,
            foreign_dtd: false,
            expand_entities: true,
            want_raw: false,
            handled: 0,
            external: false,
            parameter_entity: false,
            doctype: None,
            includes: 0,
            started: false,
            deferral: true,
            partial: 0,
            pending_encoding: None,
            expanded: 0,
            consumed: 0,
        }
    }
    /// A parser for an external entity that this one refers to: a general entity in a context, or (without one) a part
    /// of the document type definition.
    pub fn external(&self, context: Option<&str>, encoding: Option<String>) -> Engine {
        let mut made = Engine::new(encoding, None);
        made.namespaces = self.namespaces.as_ref().map(Namespaces::fresh);
        made.base.clone_from(&self.base);
        made.parameter_parsing = self.parameter_parsing;
        made.expand_entities = self.expand_entities;
        made.handled = self.handled;
        made.deferral = self.deferral;
        made.external = true;
        match context {
            Some(context) => {
                made.dtd = Arc::new(Mutex::new(self.dtd().clone()));
                made.enter_context(context);
            }
            None => {
                made.dtd = self.dtd.clone();
                made.parameter_entity = true;
                made.dtd().parameter_read = true;
            }
        }
        made
    }
    pub fn dtd(&self) -> MutexGuard<'_, Dtd> {
        self.dtd.lock().unwrap_or_else(|e| e.into_inner())
    }
    pub fn handles(&self, kind: Kind) -> bool {
        self.handled & (1 << kind as u32) != 0
    }
    /// The encoding is UTF-8, whatever the document says.
    pub fn force_utf8(&mut self) {
        if !self.decided {
            self.given = Some("utf-8".into());
        }
    }

    /// Takes in a piece of the document.
    pub fn feed(&mut self, data: &[u8], last: bool) -> Result<(), Code> {
        if let Some(code) = self.error {
            return Err(code);
        }
        if self.complete {
            return Err(code::FINISHED);
        }
        self.started = true;
        // What was read and counted is forgotten.
        self.position.advance(&self.text, self.at, &self.encoding);
        if self.at > 0 {
            self.text = self.text[self.at..].into();
            self.event_at = self.event_at.saturating_sub(self.at);
            self.at = 0;
            self.position.upto = 0;
        }
        self.raw.extend_from_slice(data);
        self.consumed += data.len() as u64;
        self.complete = last;
        Ok(())
    }
    /// Whether a partial token is to wait for more input before it is tried again.
    fn deferred(&self) -> bool {
        self.deferral
            && !self.complete
            && self.partial > 0
            && self.text.len() - self.at + self.raw.len() < 2 * self.partial
    }
    /// Parsing cannot go on.
    pub fn fail(&mut self, code: Code) -> Code {
        self.queue.clear();
        self.error = Some(code);
        code
    }
    pub fn position(&mut self) -> &Position {
        let at = self.event_at.max(self.position.upto).min(self.text.len());
        self.position.advance(&self.text, at, &self.encoding);
        &self.position
    }
    /// The document from the current event on.
    pub fn context(&self) -> &str {
        &self.text[self.event_at.min(self.text.len())..]
    }

    pub fn next(&mut self) -> Result<Step, Code> {
        loop {
            if let Some((event, at)) = self.queue.pop_front() {
                self.event_at = at;
                return Ok(Step::Event(event));
            }
            if let Some(code) = self.error {
                return Err(code);
            }
            if self.state == State::Done {
                return Ok(Step::Done);
            }
            if !self.decided && !self.decide()? {
                if self.queue.is_empty() {
                    return Ok(Step::More);
                }
                continue;
            }
            if !self.bad_byte && !self.raw.is_empty() {
                let mut text = String::from(&*self.text);
                self.bad_byte = self.encoding.decode(&mut self.raw, &mut text);
                if text.len() > self.text.len() {
                    self.text = text.into();
                }
            }
            if self.deferred() {
                return Ok(Step::More);
            }
            match self.work() {
                Ok(Progress::Went) => self.partial = 0,
                Ok(Progress::Empty) => {
                    if !self.inner.is_empty() {
                        self.leave_entity()?;
                    } else if let Some(step) = self.exhausted()? {
                        return Ok(step);
                    }
                }
                Err(Stop::Incomplete) => {
                    if let Some(step) = self.incomplete()? {
                        return Ok(step);
                    }
                }
                Err(Stop::Bad(code, offset)) => {
                    let within = if self.inner.is_empty() { offset } else { 0 };
                    self.event_at = (self.place() + within).min(self.text.len());
                    if self.queue.is_empty() {
                        return Err(self.fail(code));
                    }
                    self.error = Some(code);
                }
            }
        }
    }
    fn work(&mut self) -> Work {
        match self.state {
            State::Start => self.start(),
            State::Prolog | State::AfterDoctype => self.prolog(),
            State::Subset => self.subset(),
            State::SubsetEnd => self.subset_end(),
            State::Content => self.content(),
            State::Cdata => self.cdata(),
            State::Epilog => self.epilog(),
            State::Done => Ok(Progress::Empty),
        }
    }
    /// The text that is read now, shared, so that it outlives changes of the parser.
    pub fn piece(&self) -> Piece {
        match self.inner.last() {
            Some(inner) => Piece { text: inner.text.clone(), at: inner.at },
            None => Piece { text: self.text.clone(), at: self.at },
        }
    }
    /// The text that is read now, from where reading goes on.
    pub fn rest(&self) -> &str {
        match self.inner.last() {
            Some(inner) => &inner.text[inner.at..],
            None => &self.text[self.at..],
        }
    }
    pub fn scan<'a>(&self, text: &'a str) -> Scan<'a> {
        Scan::new(text, self.namespaces.is_some())
    }
    /// Whether the text that is read now ends for good.
    pub fn ends(&self) -> bool {
        !self.inner.is_empty() || (self.complete && self.raw.is_empty())
    }
    /// The longest text that is reported at once: what is not UTF-8 is converted in a buffer of this size.
    pub fn chunk(&self) -> usize {
        if matches!(self.encoding, Encoding::Utf8) { usize::MAX } else { 1024 }
    }
    pub fn consume(&mut self, n: usize) {
        match self.inner.last_mut() {
            Some(inner) => inner.at += n,
            None => self.at += n,
        }
    }
    /// Queues an event that begins here.
    pub fn emit(&mut self, event: Event) {
        self.queue.push_back((event, self.place()));
    }
    /// Where the document is read: within an entity, where it was referred to.
    pub fn place(&self) -> usize {
        self.inner.first().map_or(self.at, |i| i.from)
    }
    /// The same, with the markup for the default handler where no handler of its own is set.
    pub fn emit_with_raw(&mut self, event: Event, n: usize) {
        self.raw_piece(n, event.kind());
        self.emit(event);
    }
    /// The next `n` bytes for the default handler.
    pub fn raw_piece(&mut self, n: usize, unless: Option<Kind>) {
        if self.want_raw {
            let text = self.rest()[..n].to_owned();
            self.emit(Event::Raw { text, unless });
        }
    }

    /// Finds the encoding out; false where more input is needed first.
    fn decide(&mut self) -> Result<bool, Code> {
        if let Some(name) = self.given.clone() {
            self.decided = true;
            if self.raw.starts_with(&[0xEF, 0xBB, 0xBF]) && name.eq_ignore_ascii_case("utf-8") {
                self.skip_mark(3);
            }
            return self.choose(&name).map(|()| self.decided);
        }
        let Some((encoding, mark)) = detect(&self.raw, self.complete) else { return Ok(false) };
        // A declaration in an encoding like ASCII is read first: it may name another one.
        if !encoding.wide() {
            let head = &self.raw[mark..];
            let declared = b"<?xml";
            let so_far = head.len().min(declared.len());
            if head[..so_far] == declared[..so_far] {
                let end = head.windows(2).position(|w| w == b"?>");
                match end {
                    None if !self.complete => return Ok(false),
                    Some(n) if head.len() > 5 => {
                        self.skip_mark(mark);
                        let decl: Vec<u8> = self.raw.drain(..n + 2).collect();
                        return self.declared(&decl);
                    }
                    _ => {}
                }
            }
        }
        self.skip_mark(mark);
        self.encoding = encoding;
        self.decided = true;
        Ok(true)
    }
    fn skip_mark(&mut self, n: usize) {
        self.raw.drain(..n);
        self.position.byte += n;
    }
    /// Decodes the declaration alone; what it names is chosen when it is parsed.
    fn declared(&mut self, decl: &[u8]) -> Result<bool, Code> {
        let valid = match std::str::from_utf8(decl) {
            Ok(text) => text,
            Err(e) => std::str::from_utf8(&decl[..e.valid_up_to()]).unwrap_or_default(),
        };
        self.text = valid.into();
        let held = std::mem::take(&mut self.raw);
        let work = self.start();
        self.raw = held;
        match work {
            Ok(_) => {
                if let Some(name) = self.pending_encoding.take() {
                    self.choose(&name)?;
                } else {
                    self.decided = true;
                }
                Ok(self.decided)
            }
            Err(Stop::Incomplete) => Err(self.fail(code::XML_DECL)),
            Err(Stop::Bad(code, offset)) => {
                self.event_at = offset;
                Err(self.fail(code))
            }
        }
    }
    fn choose(&mut self, name: &str) -> Result<(), Code> {
        match Encoding::by_name(name) {
            Some(Encoding::Utf16 { .. }) if self.given.is_none() => return Err(self.fail(code::INCORRECT_ENCODING)),
            Some(Encoding::Utf16 { big }) => {
                self.encoding = Encoding::Utf16 { big };
                if let Some((found @ Encoding::Utf16 { .. }, mark)) = detect(&self.raw, true) {
                    self.skip_mark(mark);
                    self.encoding = found;
                }
                self.decided = true;
            }
            Some(encoding) => {
                self.encoding = encoding;
                self.decided = true;
            }
            None => {
                self.decided = false;
                self.emit(Event::UnknownEncoding(name.to_owned()));
            }
        }
        Ok(())
    }
    /// The encoding that the document declares.
    pub fn named_encoding(&mut self, name: &str) -> Result<(), Stop> {
        if self.given.is_some() || self.decided {
            let incorrect =
                self.given.is_none() && Encoding::by_name(name).is_none_or(|e| e.wide() != self.encoding.wide());
            return if incorrect { Err(Stop::Bad(code::INCORRECT_ENCODING, 0)) } else { Ok(()) };
        }
        self.pending_encoding = Some(name.to_owned());
        Ok(())
    }
    /// The answer to `UnknownEncoding`.
    pub fn set_table(&mut self, table: Option<Table>) -> Result<(), Code> {
        match table {
            Some(table) => {
                self.encoding = Encoding::Table(table);
                self.decided = true;
                Ok(())
            }
            None => Err(self.fail(code::UNKNOWN_ENCODING)),
        }
    }

    /// All text is read.
    fn exhausted(&mut self) -> Result<Option<Step>, Code> {
        self.event_at = self.at;
        if self.bad_byte {
            return Err(self.fail(code::INVALID_TOKEN));
        }
        if !self.complete {
            self.partial = 0;
            return Ok(Some(Step::More));
        }
        if !self.raw.is_empty() {
            let wide = self.encoding.wide();
            return Err(self.fail(if wide { code::UNCLOSED_TOKEN } else { code::PARTIAL_CHAR }));
        }
        let code = match self.state {
            State::Start | State::Content if self.external && !self.parameter_entity => {
                if !self.tags.is_empty() {
                    return Err(self.fail(code::ASYNC_ENTITY));
                }
                0
            }
            State::Start | State::Subset if self.parameter_entity => {
                if self.includes > 0 {
                    code::SYNTAX
                } else {
                    0
                }
            }
            State::Epilog => 0,
            State::Cdata => code::UNCLOSED_CDATA_SECTION,
            _ => code::NO_ELEMENTS,
        };
        if code != 0 {
            return Err(self.fail(code));
        }
        self.state = State::Done;
        Ok(Some(Step::Done))
    }
    /// The text ends within a token.
    fn incomplete(&mut self) -> Result<Option<Step>, Code> {
        if let Some(inner) = self.inner.last() {
            let code = if inner.parameter { code::INCOMPLETE_PE } else { code::UNCLOSED_TOKEN };
            self.event_at = self.place();
            return Err(self.fail(code));
        }
        self.event_at = self.at;
        if self.bad_byte {
            self.event_at = self.text.len();
            return Err(self.fail(code::INVALID_TOKEN));
        }
        if self.complete {
            if !self.raw.is_empty() && !self.encoding.wide() {
                self.event_at = self.text.len();
                return Err(self.fail(code::PARTIAL_CHAR));
            }
            if !self.raw.is_empty() {
                self.event_at = self.text.len();
            }
            let code = if self.state == State::Cdata { code::UNCLOSED_CDATA_SECTION } else { code::UNCLOSED_TOKEN };
            return Err(self.fail(code));
        }
        // Only an attempt that got nowhere makes the next one wait.
        self.partial = if self.at == 0 { self.text.len() + self.raw.len() } else { 0 };
        Ok(Some(Step::More))
    }
    /// Reads an entity's text in place of its reference.
    pub fn enter_entity(&mut self, name: String, text: String, parameter: bool, n: usize) -> Result<(), Stop> {
        let from = self.place();
        self.consume(n);
        self.expanded += text.len() as u64;
        let total = self.consumed + self.expanded;
        if self.expanded > 8_388_608 && total > self.consumed.max(1) * 100 {
            return Err(Stop::Bad(code::AMPLIFICATION_LIMIT_BREACH, 0));
        }
        let level = self.tags.len();
        self.inner.push(Inner { text: text.into(), at: 0, entity: name, parameter, level, from });
        Ok(())
    }
    fn leave_entity(&mut self) -> Result<(), Code> {
        self.event_at = self.place();
        let Some(inner) = self.inner.pop() else { return Ok(()) };
        {
            let mut dtd = self.dtd();
            let table = if inner.parameter { &mut dtd.parameter } else { &mut dtd.general };
            if let Some(entity) = table.get_mut(&inner.entity) {
                entity.open = false;
            }
        }
        let balanced = inner.level == self.tags.len() && self.state != State::Cdata;
        if balanced { Ok(()) } else { Err(self.fail(code::ASYNC_ENTITY)) }
    }
}
