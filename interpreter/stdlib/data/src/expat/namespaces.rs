//! Namespaces: prefixes bound to URIs, names expanded by them.
use super::engine::{Engine, Tag};
use super::{Code, Event, code};

const XML_URI: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS_URI: &str = "http://www.w3.org/2000/xmlns/";

pub struct Namespaces {
    separator: Option<char>,
    /// Expanded names carry their prefix as a third part.
    pub triplets: bool,
    /// Prefix ("" = default) and URI, innermost last.
    bindings: Vec<(String, String)>,
}
impl Namespaces {
    pub fn new(separator: Option<char>) -> Namespaces {
        Namespaces { separator, triplets: false, bindings: vec![("xml".into(), XML_URI.into())] }
    }
    pub fn fresh(&self) -> Namespaces {
        Namespaces { triplets: self.triplets, ..Namespaces::new(self.separator) }
    }
    fn lookup(&self, prefix: &str) -> Option<&str> {
        let found = self.bindings.iter().rev().find(|(p, _)| p == prefix);
        found.map(|(_, uri)| uri.as_str()).filter(|uri| !uri.is_empty())
    }
    /// The name with its namespace in front; `None` for an unbound prefix.
    pub fn expand(&self, raw: &str, attribute: bool) -> Option<String> {
        let (prefix, local) = raw.split_once(':').unwrap_or(("", raw));
        if prefix.is_empty() && attribute {
            return Some(raw.to_owned());
        }
        let uri = match self.lookup(prefix) {
            Some(uri) => uri,
            None if prefix.is_empty() => return Some(raw.to_owned()),
            None => return None,
        };
        let mut out = uri.to_owned();
        out.extend(self.separator);
        out.push_str(local);
        if self.triplets && !prefix.is_empty() && self.separator.is_some() {
            out.extend(self.separator);
            out.push_str(prefix);
        }
        Some(out)
    }
    fn check(prefix: Option<&str>, uri: &str) -> Result<(), Code> {
        match prefix {
            Some("xmlns") => Err(code::RESERVED_PREFIX_XMLNS),
            Some("xml") if uri != XML_URI => Err(code::RESERVED_PREFIX_XML),
            Some("xml") => Ok(()),
            Some(_) if uri.is_empty() => Err(code::UNDECLARING_PREFIX),
            _ if uri == XML_URI || uri == XMLNS_URI => Err(code::RESERVED_NAMESPACE_URI),
            _ => Ok(()),
        }
    }
    /// The bindings in force, as the context of an external entity lists them.
    pub fn context(&self) -> Vec<String> {
        let mut seen: Vec<&str> = Vec::new();
        let mut out = Vec::new();
        for (prefix, uri) in self.bindings.iter().rev() {
            if !seen.contains(&prefix.as_str()) && !uri.is_empty() {
                seen.push(prefix);
                out.push(format!("{prefix}={uri}"));
            }
        }
        out
    }
    pub fn bind(&mut self, prefix: &str, uri: &str) {
        self.bindings.push((prefix.to_owned(), uri.to_owned()));
    }
}

impl Engine {
    /// Takes the namespace declarations out of a tag's attributes. Returns how many there were.
    pub fn declare_namespaces(
        &mut self,
        attributes: &mut Vec<(String, String)>,
        specified: &mut usize,
    ) -> Result<usize, Code> {
        if self.namespaces.is_none() {
            return Ok(0);
        }
        let all = std::mem::take(attributes);
        let given = *specified;
        let mut n = 0;
        for (i, (name, value)) in all.into_iter().enumerate() {
            let prefix = match name.strip_prefix("xmlns") {
                Some("") => None,
                Some(rest) if rest.starts_with(':') => Some(rest[1..].to_owned()),
                _ => {
                    attributes.push((name, value));
                    continue;
                }
            };
            Namespaces::check(prefix.as_deref(), &value)?;
            if let Some(ns) = &mut self.namespaces {
                ns.bind(prefix.as_deref().unwrap_or_default(), &value);
            }
            n += 1;
            if i < given {
                *specified -= 1;
            }
            let uri = Some(value).filter(|v| !v.is_empty());
            self.emit(Event::StartNamespace { prefix, uri });
        }
        Ok(n)
    }
    /// Ends the bindings of a tag.
    pub fn end_namespaces(&mut self, tag: &Tag) {
        for _ in 0..tag.bindings {
            let Some(ns) = &mut self.namespaces else { return };
            if let Some((prefix, _)) = ns.bindings.pop() {
                self.emit(Event::EndNamespace(Some(prefix).filter(|p| !p.is_empty())));
            }
        }
    }
    /// Bindings and open entities for the parser of an external entity.
    pub fn entity_context(&self, entity: &str) -> String {
        let mut parts = self.namespaces.as_ref().map(Namespaces::context).unwrap_or_default();
        parts.extend(self.inner.iter().filter(|i| !i.parameter).map(|i| i.entity.clone()));
        parts.push(entity.to_owned());
        parts.join("\u{c}")
    }
    pub fn enter_context(&mut self, context: &str) {
        for part in context.split('\u{c}').filter(|p| !p.is_empty()) {
            match (part.split_once('='), &mut self.namespaces) {
                (Some((prefix, uri)), Some(ns)) => ns.bind(prefix, uri),
                (Some(_), None) => {}
                (None, _) => {
                    if let Some(entity) = self.dtd().general.get_mut(part) {
                        entity.open = true;
                    }
                }
            }
        }
    }
}
