//! The content of elements: tags, text, references, CDATA sections, comments and processing instructions.
use super::engine::{Engine, Progress, State, Tag, Work};
use super::scan::{Scan, Scanned, Stop, is_char, is_space, normalized, predefined};
use super::{Code, Event, Kind, code};

/// A start tag as written.
struct StartTag<'a> {
    name: &'a str,
    /// Name, value and offset.
    attributes: Vec<(&'a str, &'a str, usize)>,
    empty: bool,
}

impl Engine {
    pub fn content(&mut self) -> Work {
        let text = self.piece();
        let Some(first) = text.as_str().bytes().next() else { return Ok(Progress::Empty) };
        match first {
            b'<' => self.markup(text.as_str()),
            b'&' => self.reference(text.as_str()),
            _ => self.characters(text.as_str()),
        }
    }
    fn markup(&mut self, text: &str) -> Work {
        let mut scan = self.scan(text);
        if scan.eat("</")? {
            return self.end_tag(scan);
        }
        if scan.eat("<?")? {
            return self.instruction(scan, true);
        }
        if scan.eat("<!")? {
            if scan.eat("--")? {
                return self.comment(scan);
            }
            if scan.eat("[CDATA[")? {
                let n = scan.at;
                self.emit_with_raw(Event::StartCdata, n);
                self.consume(n);
                self.state = State::Cdata;
                return Ok(Progress::Went);
            }
            return scan.bad(code::INVALID_TOKEN);
        }
        let tag = start_tag(&mut scan)?;
        let n = scan.at;
        self.begin_element(tag, n)?;
        Ok(Progress::Went)
    }
    fn begin_element(&mut self, tag: StartTag<'_>, n: usize) -> Scanned<()> {
        let StartTag { name: raw, attributes, empty } = tag;
        let raw_piece = self.want_raw.then(|| self.rest()[..n].to_owned());
        let (mut attributes, mut specified) = self.finish_attributes(raw, attributes)?;
        let here = |code: Code| Stop::Bad(code, 0);
        let bindings = self.declare_namespaces(&mut attributes, &mut specified).map_err(here)?;
        let mut name = raw.to_owned();
        if let Some(ns) = &self.namespaces {
            name = ns.expand(raw, false).ok_or(Stop::Bad(code::UNBOUND_PREFIX, 0))?;
            for i in 0..attributes.len() {
                if attributes[i].0.contains(':') {
                    let full = ns.expand(&attributes[i].0, true).ok_or(Stop::Bad(code::UNBOUND_PREFIX, 0))?;
                    if attributes.iter().any(|(n, _)| *n == full) {
                        return Err(Stop::Bad(code::DUPLICATE_ATTRIBUTE, 0));
                    }
                    attributes[i].0 = full;
                }
            }
        }
        let start = Event::StartElement { name: name.clone(), attributes, specified };
        if let Some(text) = raw_piece {
            let unless = if empty && !self.handles(Kind::StartElement) { Kind::EndElement } else { Kind::StartElement };
            self.emit(Event::Raw { text, unless: Some(unless) });
        }
        self.emit(start);
        let tag = Tag { raw: raw.to_owned(), name, bindings };
        self.consume(n);
        if empty {
            self.finish_element(tag);
        } else {
            self.tags.push(tag);
            self.state = State::Content;
        }
        Ok(())
    }
    fn finish_element(&mut self, tag: Tag) {
        self.emit(Event::EndElement(tag.name.clone()));
        self.end_namespaces(&tag);
        let document = self.tags.is_empty() && !self.external;
        self.state = if document { State::Epilog } else { State::Content };
    }
    fn end_tag(&mut self, mut scan: Scan<'_>) -> Work {
        let at = scan.at;
        let name = scan.name()?;
        scan.spaces();
        match scan.peek()? {
            '>' => scan.at += 1,
            _ => return scan.bad(code::INVALID_TOKEN),
        }
        let floor = self.inner.last().map_or(0, |i| i.level);
        if self.tags.len() <= floor {
            return Err(Stop::Bad(code::ASYNC_ENTITY, 0));
        }
        if self.tags.last().is_none_or(|t| t.raw != name) {
            return Err(Stop::Bad(code::TAG_MISMATCH, at));
        }
        let n = scan.at;
        self.raw_piece(n, Some(Kind::EndElement));
        if let Some(tag) = self.tags.pop() {
            self.finish_element(tag);
            // The event begins where the tag does.
            let at = self.place();
            self.queue.iter_mut().for_each(|(_, place)| *place = at.min(*place));
        }
        self.consume(n);
        Ok(Progress::Went)
    }
    pub fn comment(&mut self, mut scan: Scan<'_>) -> Work {
        let text = scan.until("--")?;
        match scan.peek()? {
            '>' => scan.at += 1,
            _ => return scan.bad(code::INVALID_TOKEN),
        }
        let n = scan.at;
        self.emit_with_raw(Event::Comment(normalized(text)), n);
        self.consume(n);
        Ok(Progress::Went)
    }
    pub fn instruction(&mut self, mut scan: Scan<'_>, misplaced: bool) -> Work {
        let namespaces = std::mem::replace(&mut scan.namespaces, false);
        let target = scan.name()?;
        scan.namespaces = namespaces;
        if target.eq_ignore_ascii_case("xml") {
            if target != "xml" {
                return scan.bad(code::INVALID_TOKEN);
            }
            if misplaced {
                return Err(Stop::Bad(code::MISPLACED_XML_PI, 0));
            }
        }
        let data = if scan.eat("?>")? {
            ""
        } else {
            if !scan.spaces() {
                scan.peek()?;
                return scan.bad(code::INVALID_TOKEN);
            }
            scan.until("?>")?
        };
        let n = scan.at;
        self.emit_with_raw(Event::Pi { target: target.to_owned(), data: normalized(data) }, n);
        self.consume(n);
        Ok(Progress::Went)
    }

    /// Text up to the next markup, one line end at a time.
    fn characters(&mut self, text: &str) -> Work {
        let bytes = text.as_bytes();
        if bytes[0] == b'\n' || bytes[0] == b'\r' {
            let n = match bytes {
                [b'\r', b'\n', ..] => 2,
                [b'\r'] if !self.ends() => return Err(Stop::Incomplete),
                _ => 1,
            };
            return self.characters_event("\n", n);
        }
        let mut end = text.len();
        for (i, c) in text.char_indices() {
            let stop = match c {
                '<' | '&' | '\n' | '\r' => true,
                ']' => match &text.as_bytes()[i..] {
                    [b']', b']', b'>', ..] if i == 0 => return Err(Stop::Bad(code::INVALID_TOKEN, 2)),
                    [b']', b']', b'>', ..] => true,
                    [b']'] | [b']', b']'] if !self.ends() => {
                        if i == 0 {
                            return Err(Stop::Incomplete);
                        }
                        true
                    }
                    _ => false,
                },
                c if !is_char(c) => {
                    if i == 0 {
                        return Err(Stop::Bad(code::INVALID_TOKEN, 0));
                    }
                    true
                }
                _ => false,
            };
            if stop {
                end = i;
                break;
            }
        }
        self.characters_event(&text[..end], end)
    }
    fn characters_event(&mut self, text: &str, n: usize) -> Work {
        let chunk = self.chunk();
        if text.len() <= chunk {
            self.emit_with_raw(Event::Text(text.to_owned()), n);
        } else {
            self.raw_piece(n, Some(Kind::Text));
            let mut rest = text;
            while !rest.is_empty() {
                let mut end = rest.len().min(chunk);
                while !rest.is_char_boundary(end) {
                    end -= 1;
                }
                self.emit(Event::Text(rest[..end].to_owned()));
                rest = &rest[end..];
            }
        }
        self.consume(n);
        Ok(Progress::Went)
    }
    pub fn cdata(&mut self) -> Work {
        let text = self.piece();
        let text = text.as_str();
        if text.is_empty() {
            return Ok(Progress::Empty);
        }
        if text.starts_with("]]>") {
            self.emit_with_raw(Event::EndCdata, 3);
            self.consume(3);
            self.state = State::Content;
            return Ok(Progress::Went);
        }
        if "]]>".starts_with(text) {
            return Err(Stop::Incomplete);
        }
        if text.starts_with(['\n', '\r']) {
            if text == "\r" && !self.ends() {
                return Err(Stop::Incomplete);
            }
            return self.characters_event("\n", if text.starts_with("\r\n") { 2 } else { 1 });
        }
        let mut end = text.len();
        for (i, c) in text.char_indices() {
            let bad = !is_char(c);
            if bad && i == 0 {
                return Err(Stop::Bad(code::INVALID_TOKEN, 0));
            }
            let closing = c == ']' && i > 0 && (text[i..].starts_with("]]>") || "]]>".starts_with(&text[i..]));
            if bad || closing || c == '\n' || c == '\r' {
                end = i;
                break;
            }
        }
        self.characters_event(&text[..end], end)
    }

    fn reference(&mut self, text: &str) -> Work {
        let mut scan = self.scan(text);
        scan.at = 1;
        if scan.peek()? == '#' {
            scan.at += 1;
            let c = scan.character()?;
            let Some(c) = c else { return Err(Stop::Bad(code::BAD_CHAR_REF, 0)) };
            return self.characters_event(c.encode_utf8(&mut [0; 4]), scan.at);
        }
        let name = scan.reference()?;
        let n = scan.at;
        if let Some(c) = predefined(name) {
            return self.characters_event(c.encode_utf8(&mut [0; 4]), n);
        }
        let (entity, lax) = {
            let dtd = self.dtd();
            (dtd.general.get(name).cloned(), dtd.has_parameter_refs && !dtd.standalone)
        };
        let here = |code: Code| Err(Stop::Bad(code, 0));
        let skipped = Event::SkippedEntity { name: name.to_owned(), parameter: false };
        let Some(entity) = entity else {
            if !lax {
                return here(code::UNDEFINED_ENTITY);
            }
            self.emit_with_raw(skipped, n);
            self.consume(n);
            return Ok(Progress::Went);
        };
        if !lax && !entity.internal {
            return here(code::ENTITY_DECLARED_IN_PE);
        }
        if entity.open {
            return here(code::RECURSIVE_ENTITY_REF);
        }
        if entity.notation.is_some() {
            return here(code::BINARY_ENTITY_REF);
        }
        match entity.text {
            Some(_) if !self.expand_entities => {
                self.emit_with_raw(skipped, n);
                self.consume(n);
            }
            Some(body) => {
                let name = name.to_owned();
                if let Some(e) = self.dtd().general.get_mut(&name) {
                    e.open = true;
                }
                self.enter_entity(name, body, false, n)?;
            }
            None => {
                let context = Some(self.entity_context(name));
                let (base, system, public) = (entity.base, entity.system, entity.public);
                self.emit_with_raw(Event::ExternalEntityRef { context, base, system, public }, n);
                self.consume(n);
            }
        }
        Ok(Progress::Went)
    }
    /// Behind the document element: comments, instructions and spaces.
    pub fn epilog(&mut self) -> Work {
        self.misc(code::JUNK_AFTER_DOC_ELEMENT)
    }
    /// What may stand outside the document element; anything else that is a token is the error given.
    pub fn misc(&mut self, otherwise: Code) -> Work {
        let text = self.piece();
        let text = text.as_str();
        let mut scan = self.scan(text);
        let Some(first) = text.chars().next() else { return Ok(Progress::Empty) };
        if first.is_ascii() && is_space(first as u8) {
            if text == "\r" && !self.ends() {
                return Err(Stop::Incomplete);
            }
            scan.spaces();
            let n = scan.at;
            self.raw_piece(n, None);
            self.consume(n);
            return Ok(Progress::Went);
        }
        if scan.eat("<?")? {
            return self.instruction(scan, true);
        }
        if scan.eat("<!--")? {
            return self.comment(scan);
        }
        let token = super::scan::is_name_char(first) || matches!(first, '<' | '[' | ']' | '>' | '"' | '\'' | '%' | '#');
        if first == '<' {
            // A tag must at least begin like one.
            scan.at = 1;
            let c = scan.peek()?;
            if !super::scan::is_name_start(c) && c != '!' {
                return scan.bad(code::INVALID_TOKEN);
            }
        }
        if super::scan::is_name_char(first) {
            // A word is a token only if what follows may follow one.
            let end = text.find(|c| !super::scan::is_name_char(c)).unwrap_or(text.len());
            let next = text[end..].chars().next();
            if next.is_some_and(|c| !">),|[%?*+ \t\n\r".contains(c)) {
                return Err(Stop::Bad(code::INVALID_TOKEN, end));
            }
        }
        Err(Stop::Bad(if token { otherwise } else { code::INVALID_TOKEN }, 0))
    }
}

fn start_tag<'a>(scan: &mut Scan<'a>) -> Scanned<StartTag<'a>> {
    scan.at = 1;
    let name = scan.name()?;
    let mut attributes = Vec::new();
    loop {
        let spaced = scan.spaces();
        match scan.peek()? {
            '>' => {
                scan.at += 1;
                return Ok(StartTag { name, attributes, empty: false });
            }
            '/' => {
                scan.at += 1;
                return match scan.peek()? {
                    '>' => {
                        scan.at += 1;
                        Ok(StartTag { name, attributes, empty: true })
                    }
                    _ => scan.bad(code::INVALID_TOKEN),
                };
            }
            _ if !spaced => return scan.bad(code::INVALID_TOKEN),
            _ => {}
        }
        let at = scan.at;
        let attribute = scan.name()?;
        scan.spaces();
        if scan.peek()? != '=' {
            return scan.bad(code::INVALID_TOKEN);
        }
        scan.at += 1;
        scan.spaces();
        let value = attribute_literal(scan)?;
        attributes.push((attribute, value, at));
    }
}
/// A quoted attribute value; references in it must be well-formed.
fn attribute_literal<'a>(scan: &mut Scan<'a>) -> Scanned<&'a str> {
    let quote = scan.peek()?;
    if quote != '"' && quote != '\'' {
        return scan.bad(code::INVALID_TOKEN);
    }
    scan.at += 1;
    let start = scan.at;
    loop {
        let c = scan.peek()?;
        match c {
            _ if c == quote => {
                scan.at += 1;
                return Ok(&scan.text[start..scan.at - 1]);
            }
            '<' => return scan.bad(code::INVALID_TOKEN),
            '&' => {
                scan.at += 1;
                if scan.peek()? == '#' {
                    scan.at += 1;
                    scan.character()?;
                } else {
                    scan.reference()?;
                }
            }
            _ if !is_char(c) => return scan.bad(code::INVALID_TOKEN),
            _ => scan.bump(c),
        }
    }
}
