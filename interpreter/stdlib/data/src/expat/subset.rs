//! The document type definition: declarations, parameter entities, conditional sections.
use super::engine::{Engine, Progress, State, Work};
use super::scan::{Scan, Stop, is_space};
use super::{Event, Kind, code};

impl Engine {
    /// Whether what is read now is the document itself: parameter entities may only stand between declarations there.
    pub fn in_document(&self) -> bool {
        !self.parameter_entity && self.inner.is_empty()
    }
    pub fn subset(&mut self) -> Work {
        let text = self.piece();
        let text = text.as_str();
        let Some(first) = text.bytes().next() else { return Ok(Progress::Empty) };
        let mut scan = self.scan(text);
        if is_space(first) {
            if text == "\r" && !self.ends() {
                return Err(Stop::Incomplete);
            }
            scan.spaces();
            return self.plain(scan.at);
        }
        match first {
            b']' if self.includes > 0 => {
                if !scan.eat("]]>")? {
                    return scan.bad(code::SYNTAX);
                }
                self.includes -= 1;
                self.plain(scan.at)
            }
            b']' if self.in_document() => {
                self.raw_piece(1, Some(Kind::StartDoctype));
                self.consume(1);
                self.state = State::SubsetEnd;
                Ok(Progress::Went)
            }
            b'%' => self.parameter_reference(scan),
            b'<' => {
                if scan.eat("<?")? {
                    return self.instruction(scan, true);
                }
                if scan.eat("<!--")? {
                    return self.comment(scan);
                }
                if scan.eat("<![")? {
                    return self.conditional(scan);
                }
                if !scan.eat("<!")? {
                    return scan.bad(code::SYNTAX);
                }
                self.declaration(text)
            }
            _ if super::scan::is_name_char(text.chars().next().unwrap_or(' ')) => scan.bad(code::SYNTAX),
            _ => scan.bad(code::INVALID_TOKEN),
        }
    }
    fn plain(&mut self, n: usize) -> Work {
        self.raw_piece(n, None);
        self.consume(n);
        Ok(Progress::Went)
    }
    fn conditional(&mut self, mut scan: Scan<'_>) -> Work {
        if self.in_document() {
            return Err(Stop::Bad(code::SYNTAX, 0));
        }
        // The keyword may come out of a parameter entity.
        let Some(n) = scan.rest().find('[') else { return Err(Stop::Incomplete) };
        let keyword = self.expand_parameters(&scan.rest()[..n], 0)?;
        scan.at += n + 1;
        match keyword.trim() {
            "INCLUDE" => {
                self.includes += 1;
                self.plain(scan.at)
            }
            "IGNORE" => {
                let mut depth = 1;
                while depth > 0 {
                    if scan.eat("<![")? {
                        depth += 1;
                    } else if scan.eat("]]>")? {
                        depth -= 1;
                    } else {
                        let c = scan.peek()?;
                        scan.bump(c);
                    }
                }
                self.plain(scan.at)
            }
            _ => Err(Stop::Bad(code::SYNTAX, 3)),
        }
    }
    fn parameter_reference(&mut self, mut scan: Scan<'_>) -> Work {
        scan.at = 1;
        let name = scan.reference()?.to_owned();
        let n = scan.at;
        let parsing = self.parameter_parsing;
        let (entity, strict, standalone) = {
            let mut dtd = self.dtd();
            dtd.has_parameter_refs = true;
            let entity = dtd.parameter.get(&name).cloned();
            (entity, dtd.standalone, dtd.standalone)
        };
        if parsing == 0 {
            self.dtd().keep_processing = standalone;
            self.raw_piece(n, None);
        } else {
            let here = |code| Err(Stop::Bad(code, 0));
            let Some(entity) = entity else {
                if strict && self.in_document() {
                    return here(code::UNDEFINED_ENTITY);
                }
                self.dtd().keep_processing = standalone;
                self.emit_with_raw(Event::SkippedEntity { name, parameter: true }, n);
                self.consume(n);
                return Ok(Progress::Went);
            };
            if entity.open {
                return here(code::RECURSIVE_ENTITY_REF);
            }
            if let Some(text) = entity.text {
                self.raw_piece(n, None);
                if let Some(e) = self.dtd().parameter.get_mut(&name) {
                    e.open = true;
                }
                self.enter_entity(name, text, true, n)?;
                return Ok(Progress::Went);
            }
            if self.handles(Kind::ExternalEntityRef) {
                self.dtd().parameter_read = false;
                let (base, system, public) = (entity.base, entity.system, entity.public);
                self.emit(Event::ExternalEntityRef { context: None, base, system, public });
            } else {
                self.dtd().keep_processing = standalone;
                self.raw_piece(n, None);
            }
        }
        if !standalone {
            self.emit(Event::NotStandalone);
        }
        self.consume(n);
        Ok(Progress::Went)
    }
    /// One declaration, `<!` up to `>`.
    fn declaration(&mut self, text: &str) -> Work {
        let n = declaration_end(text)?;
        let body = &text[2..n - 1];
        let at = 2;
        let body = if self.in_document() { body.to_owned() } else { self.expand_parameters(body, at)? };
        let before = self.queue.len();
        let result = self.declare(&body);
        match result {
            Ok(kind) => {
                if self.want_raw {
                    let raw = Event::Raw { text: text[..n].to_owned(), unless: Some(kind) };
                    self.queue.insert(before, (raw, self.at));
                }
                self.consume(n);
                Ok(Progress::Went)
            }
            Err(Stop::Bad(code, offset)) => Err(Stop::Bad(code, at + offset)),
            // The body is complete: what is missing can only be a fault of its syntax.
            Err(Stop::Incomplete) => Err(Stop::Bad(code::SYNTAX, n - 1)),
        }
    }
    /// Parameter entities within a declaration of an external subset are replaced, with a space on either side.
    pub fn expand_parameters(&self, text: &str, depth: usize) -> Result<String, Stop> {
        let mut out = String::with_capacity(text.len());
        let mut scan = self.scan(text);
        let mut quote = None;
        while let Ok(c) = scan.peek() {
            match (quote, c) {
                (Some(q), c) if c == q => quote = None,
                (None, '"' | '\'') => quote = Some(c),
                (None, '%') if scan.rest()[1..].chars().next().is_some_and(super::scan::is_name_start) => {
                    scan.at += 1;
                    let name = scan.reference()?;
                    let found = self.dtd().parameter.get(name).and_then(|e| e.text.clone());
                    if depth > 40 {
                        return Err(Stop::Bad(code::RECURSIVE_ENTITY_REF, 0));
                    }
                    if let Some(body) = found {
                        out.push(' ');
                        out.push_str(&self.expand_parameters(&body, depth + 1)?);
                        out.push(' ');
                    }
                    continue;
                }
                _ => {}
            }
            out.push(c);
            scan.bump(c);
        }
        Ok(out)
    }
}
/// The length of a declaration: up to a `>` outside quotes.
fn declaration_end(text: &str) -> Result<usize, Stop> {
    let mut quote = None;
    for (i, b) in text.bytes().enumerate().skip(2) {
        match (quote, b) {
            (Some(q), b) if b == q => quote = None,
            (None, b'"' | b'\'') => quote = Some(b),
            (None, b'>') => return Ok(i + 1),
            (None, b'<') => return Err(Stop::Bad(code::SYNTAX, i)),
            _ => {}
        }
    }
    Err(Stop::Incomplete)
}
