//! Declarations of elements, attributes, entities and notations.
use super::dtd::{Attribute, Entity};
use super::engine::Engine;
use super::prolog::external_id;
use super::scan::{Scan, Scanned, Stop, is_char, normalized};
use super::{EntityDecl, Event, Kind, Model, code};

fn space(scan: &mut Scan<'_>) -> Scanned<()> {
    if scan.spaces() { Ok(()) } else { scan.bad(code::SYNTAX) }
}
fn end(scan: &mut Scan<'_>) -> Scanned<()> {
    scan.spaces();
    if scan.eof() { Ok(()) } else { scan.bad(code::SYNTAX) }
}
/// The next character; a space where the declaration ends.
fn next(scan: &Scan<'_>) -> char {
    scan.peek().unwrap_or(' ')
}
/// A name, which may end with the declaration.
fn name<'a>(scan: &mut Scan<'a>) -> Scanned<&'a str> {
    let len = scan.rest().find(|c| !super::scan::is_name_char(c)).unwrap_or(scan.rest().len());
    if !super::scan::is_name_start(next(scan)) {
        return scan.bad(if super::scan::is_name_char(next(scan)) { code::SYNTAX } else { code::INVALID_TOKEN });
    }
    let found = &scan.rest()[..len];
    if scan.namespaces && (found.starts_with(':') || found.ends_with(':') || found.matches(':').count() > 1) {
        return scan.bad(code::INVALID_TOKEN);
    }
    scan.at += len;
    Ok(found)
}

impl Engine {
    /// One declaration without its brackets. Returns the kind of handler that takes it.
    pub fn declare(&mut self, body: &str) -> Scanned<Kind> {
        let mut scan = self.scan(body);
        let keyword = scan.rest().find(|c: char| !c.is_ascii_uppercase()).unwrap_or(body.len());
        scan.at = keyword;
        match &body[..keyword] {
            "ELEMENT" => self.element(scan),
            "ATTLIST" => self.attlist(scan),
            "ENTITY" => self.entity(scan),
            "NOTATION" => self.notation(scan),
            _ => Err(Stop::Bad(code::SYNTAX, 0)),
        }
    }
    fn element(&mut self, mut scan: Scan<'_>) -> Scanned<Kind> {
        space(&mut scan)?;
        let element = name(&mut scan)?.to_owned();
        space(&mut scan)?;
        let model = if scan.rest().starts_with("EMPTY") {
            scan.at += 5;
            Model { kind: 1, ..Model::default() }
        } else if scan.rest().starts_with("ANY") {
            scan.at += 3;
            Model { kind: 2, ..Model::default() }
        } else {
            content_model(&mut scan)?
        };
        end(&mut scan)?;
        self.emit(Event::ElementDecl { name: element, model });
        Ok(Kind::ElementDecl)
    }
    fn attlist(&mut self, mut scan: Scan<'_>) -> Scanned<Kind> {
        space(&mut scan)?;
        let element = name(&mut scan)?.to_owned();
        loop {
            let spaced = scan.spaces();
            if scan.eof() {
                return Ok(Kind::AttlistDecl);
            }
            if !spaced {
                return scan.bad(code::SYNTAX);
            }
            let attribute = name(&mut scan)?.to_owned();
            space(&mut scan)?;
            let kind = attribute_type(&mut scan)?;
            space(&mut scan)?;
            let (mut required, mut value) = (false, None);
            if scan.rest().starts_with('#') {
                let word = scan.rest().find(|c: char| c != '#' && !c.is_ascii_uppercase()).unwrap_or(scan.rest().len());
                let keyword = &scan.rest()[..word];
                required = keyword == "#REQUIRED" || keyword == "#FIXED";
                if !required && keyword != "#IMPLIED" {
                    return scan.bad(code::SYNTAX);
                }
                scan.at += word;
                if keyword == "#FIXED" {
                    space(&mut scan)?;
                    value = Some(scan.literal()?);
                }
            } else {
                value = Some(scan.literal()?);
            }
            let at = scan.at;
            let cdata = kind == "CDATA";
            let default = match value {
                Some(raw) => Some(self.attribute_value(raw, cdata).map_err(|code| Stop::Bad(code, at))?),
                None => None,
            };
            self.add_attribute(&element, &attribute, cdata, default.clone());
            self.emit(Event::AttlistDecl { element: element.clone(), name: attribute, kind, default, required });
        }
    }
    fn add_attribute(&mut self, element: &str, attribute: &str, cdata: bool, default: Option<String>) {
        let mut dtd = self.dtd();
        if !dtd.keep_processing {
            return;
        }
        let list = dtd.attributes.entry(element.to_owned()).or_default();
        if list.iter().all(|a| a.name != attribute) {
            list.push(Attribute { name: attribute.to_owned(), cdata, default });
        }
    }
    fn entity(&mut self, mut scan: Scan<'_>) -> Scanned<Kind> {
        space(&mut scan)?;
        let parameter = next(&scan) == '%';
        if parameter {
            scan.at += 1;
            space(&mut scan)?;
        }
        let at = scan.at;
        let entity_name = name(&mut scan)?.to_owned();
        if scan.namespaces && entity_name.contains(':') {
            return Err(Stop::Bad(code::SYNTAX, at));
        }
        let spaced = scan.spaces();
        let mut entity = Entity { internal: self.in_document(), ..Entity::default() };
        if matches!(next(&scan), '"' | '\'') {
            let at = scan.at;
            let raw = scan.literal()?;
            entity.text = Some(self.entity_value(raw, 0).map_err(|stop| match stop {
                Stop::Bad(code, offset) => Stop::Bad(code, at + 1 + offset),
                stop => stop,
            })?);
        } else {
            let (system, public) = external_id(&mut scan, spaced, false)?;
            if system.is_none() {
                return scan.bad(code::SYNTAX);
            }
            (entity.system, entity.public) = (system, public);
            entity.base.clone_from(&self.base);
            let spaced = scan.spaces();
            if scan.rest().starts_with("NDATA") && spaced && !parameter {
                scan.at += 5;
                space(&mut scan)?;
                entity.notation = Some(name(&mut scan)?.to_owned());
            }
        }
        end(&mut scan)?;
        let decl = EntityDecl {
            name: entity_name.clone(),
            parameter,
            value: entity.text.clone(),
            base: entity.base.clone(),
            system: entity.system.clone(),
            public: entity.public.clone(),
            notation: entity.notation.clone(),
        };
        let fresh = {
            let mut dtd = self.dtd();
            let keep = dtd.keep_processing;
            let table = if parameter { &mut dtd.parameter } else { &mut dtd.general };
            let fresh = keep && !table.contains_key(&entity_name);
            if fresh {
                table.insert(entity_name, entity);
            }
            fresh
        };
        if fresh && super::scan::predefined(&decl.name).is_none() {
            self.emit(Event::Entity(decl));
        }
        Ok(Kind::Entity)
    }
    /// The replacement text of a literal: references to characters and parameter entities are replaced.
    fn entity_value(&self, raw: &str, depth: usize) -> Scanned<String> {
        let mut out = String::with_capacity(raw.len());
        let text = normalized(raw);
        let mut scan = self.scan(&text);
        while let Ok(c) = scan.peek() {
            match c {
                '&' => {
                    let at = scan.at;
                    scan.at += 1;
                    if scan.rest().starts_with('#') {
                        scan.at += 1;
                        match scan.character()? {
                            Some(c) => out.push(c),
                            None => return Err(Stop::Bad(code::BAD_CHAR_REF, at)),
                        }
                    } else {
                        match scan.reference() {
                            Ok(_) => out.push_str(&text[at..scan.at]),
                            Err(_) => return Err(Stop::Bad(code::INVALID_TOKEN, at)),
                        }
                    }
                }
                '%' => {
                    let at = scan.at;
                    if self.in_document() {
                        return Err(Stop::Bad(code::PARAM_ENTITY_REF, at));
                    }
                    scan.at += 1;
                    let name = scan.reference()?;
                    if depth > 40 {
                        return Err(Stop::Bad(code::RECURSIVE_ENTITY_REF, at));
                    }
                    let found = self.dtd().parameter.get(name).and_then(|e| e.text.clone());
                    if let Some(body) = found {
                        out.push_str(&self.entity_value(&body, depth + 1)?);
                    }
                }
                c if !is_char(c) => return scan.bad(code::INVALID_TOKEN),
                c => {
                    out.push(c);
                    scan.bump(c);
                }
            }
        }
        Ok(out)
    }
    fn notation(&mut self, mut scan: Scan<'_>) -> Scanned<Kind> {
        space(&mut scan)?;
        let notation = name(&mut scan)?.to_owned();
        let spaced = scan.spaces();
        // The end of the declaration stands for a character that is no quote.
        let padded = format!("{}>", scan.rest());
        let mut rest = self.scan(&padded);
        let (system, public) = external_id(&mut rest, spaced, true)?;
        if system.is_none() && public.is_none() {
            return scan.bad(code::SYNTAX);
        }
        rest.spaces();
        if rest.rest() != ">" {
            return rest.bad(code::SYNTAX);
        }
        let base = self.base.clone();
        self.emit(Event::Notation { name: notation, base, system, public });
        Ok(Kind::Notation)
    }
}

fn attribute_type(scan: &mut Scan<'_>) -> Scanned<String> {
    const TYPES: [&str; 8] = ["CDATA", "IDREFS", "IDREF", "ID", "ENTITY", "ENTITIES", "NMTOKENS", "NMTOKEN"];
    if next(scan) == '(' {
        return enumeration(scan, "");
    }
    for word in TYPES {
        let rest = scan.rest();
        if rest.starts_with(word) && !rest[word.len()..].chars().next().is_some_and(super::scan::is_name_char) {
            scan.at += word.len();
            return Ok(word.to_owned());
        }
    }
    if scan.rest().starts_with("NOTATION") {
        scan.at += 8;
        space(scan)?;
        return enumeration(scan, "NOTATION");
    }
    scan.bad(code::SYNTAX)
}
fn enumeration(scan: &mut Scan<'_>, prefix: &str) -> Scanned<String> {
    if next(scan) != '(' {
        return scan.bad(code::SYNTAX);
    }
    let mut words = Vec::new();
    loop {
        scan.at += 1;
        scan.spaces();
        words.push(scan.nmtoken()?);
        scan.spaces();
        match next(scan) {
            '|' => {}
            ')' => {
                scan.at += 1;
                return Ok(format!("{prefix}({})", words.join("|")));
            }
            _ => return scan.bad(code::SYNTAX),
        }
    }
}
/// Models nest as deep as the native stack can drop them.
const MAX_MODEL_DEPTH: usize = 5000;

fn quantifier(scan: &mut Scan<'_>) -> i32 {
    let n = match next(scan) {
        '?' => 1,
        '*' => 2,
        '+' => 3,
        _ => return 0,
    };
    scan.at += 1;
    n
}
/// A group in parentheses. Groups within groups are kept on a stack, so that their depth is no matter of ours.
fn content_model(scan: &mut Scan<'_>) -> Scanned<Model> {
    if next(scan) != '(' {
        return scan.bad(code::SYNTAX);
    }
    let group = || Model { kind: 0, ..Model::default() };
    let mut open: Vec<Model> = vec![group()];
    scan.at += 1;
    loop {
        scan.spaces();
        let mut item = match next(scan) {
            '(' => {
                scan.at += 1;
                open.push(group());
                if open.len() > MAX_MODEL_DEPTH {
                    return scan.bad(code::NO_MEMORY);
                }
                continue;
            }
            '#' if open.len() == 1 && open[0].children.is_empty() && scan.rest().starts_with("#PCDATA") => {
                scan.at += 7;
                open[0].kind = 3;
                None
            }
            _ => {
                let child = name(scan)?.to_owned();
                let quantifier = quantifier(scan);
                Some(Model { kind: 4, quantifier, name: Some(child), ..Model::default() })
            }
        };
        loop {
            let Some(current) = open.last_mut() else { return scan.bad(code::SYNTAX) };
            current.children.extend(item.take());
            scan.spaces();
            let c = next(scan);
            let wanted = match (current.kind, c) {
                (3, '|') => 3,
                (0 | 5, '|') => 5,
                (0 | 6, ',') => 6,
                (_, ')') => {
                    scan.at += 1;
                    let Some(mut done) = open.pop() else { return scan.bad(code::SYNTAX) };
                    done.quantifier = quantifier(scan);
                    if done.kind == 0 {
                        done.kind = 6;
                    }
                    let mixed_ok = done.quantifier == 2 || (done.quantifier == 0 && done.children.is_empty());
                    if done.kind == 3 && !mixed_ok {
                        return scan.bad(code::SYNTAX);
                    }
                    if open.is_empty() {
                        return Ok(done);
                    }
                    item = Some(done);
                    continue;
                }
                _ => return scan.bad(code::SYNTAX),
            };
            current.kind = wanted;
            scan.at += 1;
            break;
        }
    }
}
