//! Before the document element: the XML declaration, and the document type declaration up to its bracket.
use super::engine::{Engine, Progress, State, Work};
use super::scan::{Scan, Scanned, Stop, is_name_start};
use super::{Event, Kind, code};

/// The head of a document type declaration.
#[derive(Clone)]
pub struct Doctype {
    pub system: Option<String>,
    pub public: Option<String>,
}

impl Engine {
    /// The very beginning: an XML declaration, or a text declaration of an external entity.
    pub fn start(&mut self) -> Work {
        let text = self.piece();
        let text = text.as_str();
        let next = match (self.external, self.parameter_entity) {
            (_, true) => State::Subset,
            (true, false) => State::Content,
            _ => State::Prolog,
        };
        if text.is_empty() {
            return Ok(Progress::Empty);
        }
        let mut scan = self.scan(text);
        let declared = scan.eat("<?xml")? && matches!(scan.peek()?, ' ' | '\t' | '\n' | '\r' | '?');
        if declared {
            self.xml_declaration(scan)?;
        }
        self.state = next;
        Ok(Progress::Went)
    }
    fn xml_declaration(&mut self, mut scan: Scan<'_>) -> Scanned<()> {
        let error = if self.external { code::TEXT_DECL } else { code::XML_DECL };
        let whole = scan.text;
        let Some(end) = whole.find("?>") else { return Err(Stop::Incomplete) };
        scan.text = &whole[..end];
        let (mut version, mut encoding, mut standalone) = (None, None, -1);
        let mut order = 0;
        let wrong = |at: usize| Stop::Bad(error, at);
        loop {
            let spaced = scan.spaces();
            if scan.eof() {
                break;
            }
            let at = scan.at;
            if !spaced {
                return Err(wrong(at));
            }
            let name = scan.name().map_err(|_| wrong(scan.at))?;
            scan.spaces();
            if !scan.rest().starts_with('=') {
                return Err(wrong(scan.at));
            }
            scan.at += 1;
            scan.spaces();
            let at_value = scan.at;
            let value = scan.literal().map_err(|_| wrong(at_value))?;
            let place = match name {
                "version" => 1,
                "encoding" => 2,
                "standalone" => 3,
                _ => return Err(wrong(at)),
            };
            if place <= order {
                return Err(wrong(at));
            }
            order = place;
            match place {
                1 => version = Some(value.to_owned()),
                2 if value.chars().next().is_some_and(|c| c.is_ascii_alphabetic()) => {
                    encoding = Some(value.to_owned());
                }
                3 if !self.external => match value {
                    "yes" => standalone = 1,
                    "no" => standalone = 0,
                    _ => return Err(wrong(at_value)),
                },
                _ => return Err(wrong(at_value)),
            }
        }
        let incomplete = if self.external { encoding.is_none() } else { version.is_none() };
        if incomplete {
            return Err(wrong(scan.at));
        }
        let n = end + 2;
        if standalone == 1 {
            self.dtd().standalone = true;
        }
        self.emit_with_raw(Event::XmlDecl { version, encoding: encoding.clone(), standalone }, n);
        if let Some(name) = encoding {
            self.named_encoding(&name)?;
        }
        self.consume(n);
        Ok(())
    }
    pub fn prolog(&mut self) -> Work {
        let text = self.piece();
        let text = text.as_str();
        let mut scan = self.scan(text);
        if self.state == State::Prolog && text.starts_with("<!D") | text.starts_with("<!d") && scan.eat("<!DOCTYPE")? {
            return self.doctype(scan);
        }
        if let Some(rest) = text.strip_prefix('<') {
            if text.len() == 1 || (text.starts_with("<!") && "<!DOCTYPE".starts_with(text)) {
                return Err(Stop::Incomplete);
            }
            if rest.starts_with(is_name_start) {
                if self.state == State::Prolog {
                    self.foreign_subset();
                }
                self.state = State::Content;
                return Ok(Progress::Went);
            }
        }
        self.misc(code::SYNTAX)
    }
    /// A document without a declaration may be given one from outside.
    fn foreign_subset(&mut self) {
        if !std::mem::take(&mut self.foreign_dtd) {
            return;
        }
        self.dtd().has_parameter_refs = true;
        self.external_subset(None, None);
    }
    fn external_subset(&mut self, system: Option<String>, public: Option<String>) {
        if self.parameter_parsing != 0 && self.handles(Kind::ExternalEntityRef) {
            self.dtd().parameter_read = false;
            let base = self.base.clone();
            self.emit(Event::ExternalEntityRef { context: None, base, system, public });
        }
    }
    fn doctype(&mut self, mut scan: Scan<'_>) -> Work {
        if !scan.spaces() {
            scan.peek()?;
            return scan.bad(code::SYNTAX);
        }
        let name = scan.name()?.to_owned();
        let spaced = scan.spaces();
        let (system, public) = external_id(&mut scan, spaced, false)?;
        scan.spaces();
        let internal = match scan.peek()? {
            '[' => true,
            '>' => false,
            _ => return scan.bad(code::SYNTAX),
        };
        scan.at += 1;
        let n = scan.at;
        self.raw_tokens(&scan.text[..n]);
        if system.is_some() {
            self.foreign_dtd = false;
            let standalone = {
                let mut dtd = self.dtd();
                dtd.has_parameter_refs = true;
                dtd.standalone
            };
            if !standalone && self.parameter_parsing == 0 {
                self.emit(Event::NotStandalone);
            }
        }
        let doctype = Doctype { system: system.clone(), public: public.clone() };
        self.emit(Event::StartDoctype { name, system, public, internal });
        self.doctype = Some(doctype);
        if internal {
            self.state = State::Subset;
        } else {
            self.close_doctype();
        }
        self.consume(n);
        Ok(Progress::Went)
    }
    /// The head of the declaration for the default handler, token by token.
    fn raw_tokens(&mut self, text: &str) {
        let mut rest = if self.want_raw { text } else { "" };
        while let Some(first) = rest.chars().next() {
            let n = match first {
                '"' | '\'' => rest[1..].find(first).map_or(rest.len(), |i| i + 2),
                '[' | '>' => 1,
                c if c.is_ascii_whitespace() => rest.find(|c: char| !c.is_ascii_whitespace()).unwrap_or(rest.len()),
                _ => rest.find(|c: char| c.is_ascii_whitespace() || "\"'[>".contains(c)).unwrap_or(rest.len()),
            };
            self.emit(Event::Raw { text: rest[..n].to_owned(), unless: Some(Kind::StartDoctype) });
            rest = &rest[n..];
        }
    }
    /// Behind the bracket: `>`.
    pub fn subset_end(&mut self) -> Work {
        let text = self.piece();
        let mut scan = self.scan(text.as_str());
        if scan.text.is_empty() {
            return Ok(Progress::Empty);
        }
        scan.spaces();
        if scan.peek()? != '>' {
            return scan.bad(code::SYNTAX);
        }
        scan.at += 1;
        let n = scan.at;
        self.raw_piece(n, Some(Kind::EndDoctype));
        self.close_doctype();
        self.consume(n);
        Ok(Progress::Went)
    }
    fn close_doctype(&mut self) {
        if let Some(d) = self.doctype.take()
            && (d.system.is_some() || std::mem::take(&mut self.foreign_dtd))
        {
            self.dtd().has_parameter_refs = true;
            self.external_subset(d.system, d.public);
        }
        self.emit(Event::EndDoctype);
        self.state = State::AfterDoctype;
    }
}
/// `SYSTEM "…"` or `PUBLIC "…" "…"`, if one is next. A notation needs no system identifier.
pub fn external_id(scan: &mut Scan<'_>, spaced: bool, notation: bool) -> Scanned<(Option<String>, Option<String>)> {
    if !spaced {
        return Ok((None, None));
    }
    let system_only = scan.eat("SYSTEM")?;
    if !system_only && !scan.eat("PUBLIC")? {
        return Ok((None, None));
    }
    if !scan.spaces() {
        scan.peek()?;
        return scan.bad(code::SYNTAX);
    }
    if system_only {
        return Ok((Some(scan.literal()?.to_owned()), None));
    }
    let at = scan.at;
    let public = scan.literal()?;
    let legal = |c: char| c.is_ascii_alphanumeric() || " \r\n-'()+,./:=?;!*#@$_%".contains(c);
    if !public.chars().all(legal) {
        return Err(Stop::Bad(code::PUBLICID, at));
    }
    let public = public.split([' ', '\r', '\n']).filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" ");
    let spaced = scan.spaces();
    if notation && !matches!(scan.peek()?, '"' | '\'') {
        return Ok((None, Some(public)));
    }
    if !spaced {
        return scan.bad(code::SYNTAX);
    }
    Ok((Some(scan.literal()?.to_owned()), Some(public)))
}
