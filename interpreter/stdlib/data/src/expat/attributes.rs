//! Attribute values and entity values: references replaced, spaces normalised, defaults filled in.
use super::engine::Engine;
use super::scan::{Scan, Stop, predefined};
use super::{Code, code};

impl Engine {
    /// The value of an attribute, normalised as its type asks.
    pub fn attribute_value(&self, raw: &str, cdata: bool) -> Result<String, Code> {
        let mut out = String::with_capacity(raw.len());
        self.append_value(raw, &mut out, &mut Vec::new(), true)?;
        if cdata {
            return Ok(out);
        }
        // Spaces are trimmed and runs of them collapse, those of character references (not spaces) excepted.
        Ok(out.split(' ').filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" "))
    }
    fn append_value(&self, raw: &str, out: &mut String, open: &mut Vec<String>, top: bool) -> Result<(), Code> {
        let mut scan = Scan::new(raw, false);
        while let Ok(c) = scan.peek() {
            match c {
                '\r' => {
                    out.push(' ');
                    scan.at += if top && scan.rest().starts_with("\r\n") { 2 } else { 1 };
                }
                '\n' | '\t' => {
                    out.push(' ');
                    scan.at += 1;
                }
                '<' => return Err(code::INVALID_TOKEN),
                '&' => {
                    scan.at += 1;
                    self.append_reference(&mut scan, out, open)?;
                }
                _ => {
                    out.push(c);
                    scan.bump(c);
                }
            }
        }
        Ok(())
    }
    fn append_reference(&self, scan: &mut Scan<'_>, out: &mut String, open: &mut Vec<String>) -> Result<(), Code> {
        let stop = |stop: Stop| match stop {
            Stop::Incomplete => code::INVALID_TOKEN,
            Stop::Bad(code, _) => code,
        };
        if scan.rest().starts_with('#') {
            scan.at += 1;
            out.push(scan.character().map_err(stop)?.ok_or(code::BAD_CHAR_REF)?);
            return Ok(());
        }
        let name = scan.reference().map_err(stop)?;
        if let Some(c) = predefined(name) {
            out.push(c);
            return Ok(());
        }
        let (entity, lax) = {
            let dtd = self.dtd();
            (dtd.general.get(name).cloned(), dtd.has_parameter_refs && !dtd.standalone)
        };
        let Some(entity) = entity else {
            return if lax { Ok(()) } else { Err(code::UNDEFINED_ENTITY) };
        };
        if !entity.internal && !lax {
            return Err(code::ENTITY_DECLARED_IN_PE);
        }
        if entity.open || open.iter().any(|n| n == name) {
            return Err(code::RECURSIVE_ENTITY_REF);
        }
        if entity.notation.is_some() {
            return Err(code::BINARY_ENTITY_REF);
        }
        let Some(text) = entity.text else { return Err(code::ATTRIBUTE_EXTERNAL_ENTITY_REF) };
        if out.len() > 64 << 20 {
            return Err(code::AMPLIFICATION_LIMIT_BREACH);
        }
        open.push(name.to_owned());
        // The depth of entities is bounded by their number, which the document states in full.
        if open.len() > 500 {
            return Err(code::RECURSIVE_ENTITY_REF);
        }
        self.append_value(&text, out, open, false)?;
        open.pop();
        Ok(())
    }
    /// The attributes of a tag: values and defaults. An error comes with the attribute's offset.
    pub fn finish_attributes(
        &self,
        element: &str,
        given: Vec<(&str, &str, usize)>,
    ) -> Result<(Vec<(String, String)>, usize), Stop> {
        let declared = self.dtd().attributes.get(element).cloned().unwrap_or_default();
        let mut out: Vec<(String, String)> = Vec::with_capacity(given.len());
        for (name, raw, at) in given {
            if out.iter().any(|(n, _)| n == name) {
                return Err(Stop::Bad(code::DUPLICATE_ATTRIBUTE, at));
            }
            let cdata = declared.iter().find(|d| d.name == name).is_none_or(|d| d.cdata);
            let value = if cdata && !raw.contains(['&', '\r', '\n', '\t']) {
                raw.to_owned()
            } else {
                self.attribute_value(raw, cdata).map_err(|code| Stop::Bad(code, 0))?
            };
            out.push((name.to_owned(), value));
        }
        let specified = out.len();
        for d in declared {
            if let Some(value) = d.default
                && !out.iter().any(|(n, _)| *n == d.name)
            {
                out.push((d.name, value));
            }
        }
        Ok((out, specified))
    }
}
