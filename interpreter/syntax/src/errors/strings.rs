//! Strings and f-strings: what the actions of CPython's grammar refuse in their content, and the fields' syntax.

use super::node::{Id, NodeKind};
use super::parser::{Parser, R, Rule};
use super::token::{Kind, Span};
use crate::ast::Wtf8Buf;
use crate::convert::escape;

type Nothing = Option<()>;

impl Parser<'_> {
    pub(super) fn strings(&mut self) -> R {
        self.memo(Rule::Strings, |p| {
            let start = p.mark;
            let (mut bytes, mut text, mut fields) = (false, false, false);
            p.some(|p| {
                if p.peek()?.kind == Kind::FStart {
                    p.fstring()?;
                    (text, fields) = (true, true);
                    return Some(());
                }
                let token = p.eat_kind(Kind::Str)?;
                if p.string_content(token)? {
                    bytes = true;
                } else {
                    text = true;
                }
                Some(())
            })?;
            if bytes && text {
                p.raise("cannot mix bytes and nonbytes literals");
                return None;
            }
            let kind = if fields { NodeKind::FString } else { NodeKind::Literal };
            Some(p.node(kind, start, Vec::new()))
        })
    }

    /// Decodes a string; tells whether it is a bytes literal.
    fn string_content(&mut self, index: usize) -> Option<bool> {
        let token = self.tokens[index];
        let text = std::str::from_utf8(&self.tok.src[token.start..token.end]).ok()?;
        let quote = text.find(['\'', '"'])?;
        let prefix = text[..quote].to_ascii_lowercase();
        let body = &text[quote..];
        let size = if body.len() >= 6 && body.as_bytes()[1] == body.as_bytes()[0] { 3 } else { 1 };
        let content = &body[size..body.len() - size];
        let bytes = prefix.contains('b');
        if bytes && !content.is_ascii() {
            self.raise_at(token.span, "bytes can only contain ASCII literal characters");
            return None;
        }
        if prefix.contains('r') || !content.contains('\\') {
            return Some(bytes);
        }
        let result = if bytes {
            escape::decode_bytes(content, &mut Vec::new())
        } else {
            escape::decode_str(content, &mut Wtf8Buf::new())
        };
        match result {
            Ok(findings) => {
                self.warn_of(&findings, token.span);
                Some(bytes)
            }
            Err(msg) => {
                self.raise(msg);
                None
            }
        }
    }

    fn fstring(&mut self) -> Nothing {
        let start = self.eat_kind(Kind::FStart)?;
        let token = self.tokens[start];
        let raw = self.tok.src[token.start..token.end].iter().any(|b| matches!(b, b'r' | b'R'));
        let mut middles = Vec::new();
        self.many(|p| {
            if p.alt(Self::replacement_field).is_some() {
                return Some(());
            }
            middles.push(p.eat_kind(Kind::FMiddle)?);
            Some(())
        })?;
        self.eat_kind(Kind::FEnd)?;
        for middle in middles {
            self.middle_content(middle, raw)?;
        }
        Some(())
    }

    fn middle_content(&mut self, index: usize, raw: bool) -> Nothing {
        let token = self.tokens[index];
        let text = std::str::from_utf8(&self.tok.src[token.start..token.end]).ok()?;
        if raw || !text.contains('\\') {
            return Some(());
        }
        match escape::decode_str(text, &mut Wtf8Buf::new()) {
            Ok(findings) => {
                self.warn_of(&findings, token.span);
                Some(())
            }
            Err(msg) => self.raise(msg),
        }
    }

    fn warn_of(&mut self, findings: &escape::Findings, span: Span) {
        if let Some(msg) = findings.warning() {
            self.warn(span, msg);
        }
    }

    fn replacement_field(&mut self) -> Nothing {
        let field = self.alt(|p| {
            p.eat("{")?;
            p.yield_or_star_expressions()?;
            p.opt(|p| p.eat("="))?;
            let conversion = p.opt(Self::conversion)?;
            p.opt(Self::full_format_spec)?;
            p.eat("}")?;
            conversion.map_or(Some(()), |name| p.known_conversion(name))
        });
        if field.is_none() {
            self.wrong(Self::invalid_replacement_field);
        }
        field
    }

    fn full_format_spec(&mut self) -> Nothing {
        self.eat(":")?;
        self.format_spec_parts()
    }

    fn format_spec_parts(&mut self) -> Nothing {
        self.many(|p| {
            if let Some(middle) = p.eat_kind(Kind::FMiddle) {
                return p.middle_content(middle, false);
            }
            p.alt(Self::replacement_field)
        })?;
        Some(())
    }

    fn conversion(&mut self) -> R {
        let mark = self.eat("!")?;
        let name = self.name()?;
        let (mark, span) = (self.tspan(mark), self.span(name));
        if (mark.end_line, mark.end_col) != (span.line, span.col) {
            let msg = "f-string: conversion type must come right after the exclamanation mark";
            self.raise_range(mark, span, msg)?;
        }
        Some(name)
    }

    fn known_conversion(&mut self, name: Id) -> Nothing {
        let span = self.span(name);
        let text = String::from_utf8_lossy(self.text(name)).into_owned();
        if !matches!(text.as_str(), "s" | "r" | "a") {
            let msg = format!("f-string: invalid conversion character '{text}': expected 's', 'r', or 'a'");
            return self.raise_at(span, msg);
        }
        Some(())
    }

    fn invalid_replacement_field(&mut self) -> Nothing {
        self.alt(|p| {
            p.eat("{")?;
            let token = p.eat_any(&["=", "!", ":", "}"])?;
            let (span, text): (Span, _) = (p.tspan(token), p.tokens[token].text);
            p.raise_at(span, format!("f-string: valid expression required before '{text}'"))
        });
        self.alt(|p| {
            p.eat("{")?;
            p.not(Self::yield_or_star_expressions)?;
            p.raise_next("f-string: expecting a valid expression after '{'")
        });
        self.alt(|p| {
            p.eat("{")?;
            p.yield_or_star_expressions()?;
            p.not_text(&["=", "!", ":", "}"])?;
            p.raise_next("f-string: expecting '=', or '!', or ':', or '}'")
        });
        self.alt(|p| {
            p.eat("{")?;
            p.yield_or_star_expressions()?;
            p.eat("=")?;
            p.not_text(&["!", ":", "}"])?;
            p.raise_next("f-string: expecting '!', or ':', or '}'")
        });
        self.alt(|p| {
            p.field_head()?;
            p.eat("!")?;
            if p.at_text(&[":", "}"]).is_some() {
                return p.raise_next("f-string: missing conversion character");
            }
            p.not(Self::name)?;
            p.raise_next("f-string: invalid conversion character")
        });
        self.alt(|p| {
            p.field_head()?;
            p.opt(Self::any_conversion)?;
            p.not_text(&[":", "}"])?;
            p.raise_next("f-string: expecting ':' or '}'")
        });
        self.alt(|p| {
            p.field_head()?;
            p.opt(Self::any_conversion)?;
            p.eat(":")?;
            p.format_spec_parts()?;
            p.not_text(&["}"])?;
            p.raise_next("f-string: expecting '}', or format specs")
        });
        self.alt(|p| {
            p.field_head()?;
            p.opt(Self::any_conversion)?;
            p.not_text(&["}"])?;
            p.raise_next("f-string: expecting '}'")
        })
    }

    /// `'{' annotated_rhs '='?`
    fn field_head(&mut self) -> Nothing {
        self.eat("{")?;
        self.yield_or_star_expressions()?;
        self.opt(|p| p.eat("="))?;
        Some(())
    }

    fn any_conversion(&mut self) -> Nothing {
        self.eat("!")?;
        self.name()?;
        Some(())
    }
}
