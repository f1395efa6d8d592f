//! String literals, bytes literals and f-strings: prefixes, implicit concatenation, merged constants.
//!
//! CPython counterpart: `_PyPegen_concatenate_strings`, `_PyPegen_joined_str`, `_PyPegen_formatted_value` in
//! `Parser/action_helpers.c`.

use ruff_python_ast as ruff;
use ruff_python_ast::StringFlags;
use ruff_text_size::{Ranged, TextRange};

use super::Converter;
use super::escape;
use crate::ast::{Constant, Expr, ExprKind, Range, Wtf8Box, Wtf8Buf};

/// Format specifications may hold fields down to this depth; the error pass words the refusal.
const MAX_SPEC_DEPTH: u32 = 2;

/// A run of neighbouring constants on its way to one node.
struct Run {
    value: Wtf8Buf,
    kind: Option<Wtf8Box>,
    start: u32,
    end: u32,
}

/// The flattened parts of an f-string, constants merged.
#[derive(Default)]
struct Parts {
    done: Vec<Expr>,
    run: Option<Run>,
}

impl Converter<'_> {
    pub(super) fn string_literal(&mut self, node: &ruff::ExprStringLiteral, range: Range) -> Expr {
        let mut value = Wtf8Buf::new();
        let mut kind = None;
        for (index, part) in node.value.iter().enumerate() {
            if index == 0 {
                kind = self.u_kind(part);
            }
            self.string_part(part, &mut value);
        }
        Expr::new(ExprKind::Constant { value: Constant::Str(value.finish()), kind }, range)
    }

    /// `"u"` for a literal written with exactly that prefix; `U` does not count.
    fn u_kind(&self, part: &ruff::StringLiteral) -> Option<Wtf8Box> {
        self.text()[part.range].starts_with('u').then(|| Wtf8Box::from("u"))
    }

    fn string_part(&mut self, part: &ruff::StringLiteral, out: &mut Wtf8Buf) {
        let raw = part.flags.prefix().is_raw();
        self.decode_piece(content_range(part.range, part.flags), part.range, raw, out);
    }

    /// Decodes a stretch of source; `token` is where CPython places warnings and faults.
    fn decode_piece(&mut self, content: TextRange, token: TextRange, raw: bool, out: &mut Wtf8Buf) {
        let lines = self.lines;
        let text = &lines.text[content];
        if raw || !text.contains('\\') {
            out.push_str(text);
            return;
        }
        match escape::decode_str(text, out) {
            Ok(findings) => self.report_invalid(findings, token),
            Err(msg) => {
                let range = self.text_range(token);
                self.refuse(msg, range);
            }
        }
    }

    fn report_invalid(&mut self, findings: escape::Findings, token: TextRange) {
        if let Some(msg) = findings.warning() {
            let range = self.text_range(token);
            self.warn(msg, range);
        }
    }

    pub(super) fn bytes_literal(&mut self, node: &ruff::ExprBytesLiteral, range: Range) -> Expr {
        let mut value = Vec::new();
        for part in &node.value {
            let content = content_range(part.range, part.flags);
            let lines = self.lines;
            let text = &lines.text[content];
            if part.flags.prefix().is_raw() || !text.contains('\\') {
                value.extend_from_slice(text.as_bytes());
                continue;
            }
            match escape::decode_bytes(text, &mut value) {
                Ok(findings) => self.report_invalid(findings, part.range),
                Err(msg) => {
                    let range = self.text_range(part.range);
                    self.refuse(msg, range);
                }
            }
        }
        Expr::new(ExprKind::Constant { value: Constant::Bytes(value.into_boxed_slice()), kind: None }, range)
    }

    pub(super) fn f_string(&mut self, node: &ruff::ExprFString, range: Range) -> Expr {
        let mut parts = Parts::default();
        for part in node.value.as_slice() {
            match part {
                ruff::FStringPart::Literal(literal) => {
                    let kind = self.u_kind(literal);
                    let (start, end) = (literal.start().into(), literal.end().into());
                    let mut value = Wtf8Buf::new();
                    self.string_part(literal, &mut value);
                    parts.push_constant(&value.finish(), kind, start, end);
                }
                ruff::FStringPart::FString(f_string) => {
                    let raw = f_string.flags.prefix().is_raw();
                    self.f_string_elements(&f_string.elements, raw, false, &mut parts);
                }
            }
        }
        let values = parts.finish(self);
        Expr::new(ExprKind::JoinedStr { values }, range)
    }

    fn f_string_elements(
        &mut self,
        elements: &ruff::InterpolatedStringElements,
        raw: bool,
        in_spec: bool,
        parts: &mut Parts,
    ) {
        for element in elements {
            match element {
                ruff::InterpolatedStringElement::Literal(literal) => self.f_literal(literal, raw, in_spec, parts),
                ruff::InterpolatedStringElement::Interpolation(field) => self.replacement_field(field, raw, parts),
            }
        }
    }

    /// Literal text between fields: `{{` and `}}` end one of CPython's tokens and are decoded piece by piece.
    fn f_literal(
        &mut self,
        literal: &ruff::InterpolatedStringLiteralElement,
        raw: bool,
        in_spec: bool,
        parts: &mut Parts,
    ) {
        let lines = self.lines;
        let bytes = lines.text.as_bytes();
        let (start, end) = (u32::from(literal.start()), u32::from(self.rewritten.end_of_spec(literal.range())));
        let (mut from, mut at) = (start, start);
        let mut piece = |cx: &mut Self, from: u32, to: u32, end: u32| {
            let range = TextRange::new(from.into(), to.into());
            let mut value = Wtf8Buf::new();
            cx.decode_piece(range, range, raw, &mut value);
            parts.push_constant(&value.finish(), None, from, end);
        };
        while at < end {
            let byte = bytes[at as usize];
            let doubled = matches!(byte, b'{' | b'}') && at + 1 < end && bytes[at as usize + 1] == byte;
            if doubled && (!in_spec || self.rewritten.is_brace(at)) {
                piece(self, from, at + 1, at + 2);
                at += 2;
                from = at;
            } else if byte == b'\\' && !raw && lines.text[at as usize..end as usize].starts_with("\\N{") {
                at += lines.text[at as usize..end as usize].find('}').map_or(3, |close| close as u32 + 1);
            } else if byte == b'\\' && !raw && at + 1 == end && matches!(bytes.get(at as usize + 1), Some(b'{' | b'}'))
            {
                let range = self.lines.range(at, at + 2);
                self.warn(format!("invalid escape sequence '\\{}'", char::from(bytes[at as usize + 1])), range);
                at += 1;
            } else if byte == b'\\' && at + 1 < end && !matches!(bytes[at as usize + 1], b'{' | b'}') {
                at += 2;
            } else {
                at += 1;
            }
        }
        if from < end {
            piece(self, from, end, end);
        }
    }

    fn replacement_field(&mut self, field: &ruff::InterpolatedElement, raw: bool, parts: &mut Parts) {
        let field_start = u32::from(field.start());
        let range = self.range(field);
        let value = self.boxed(&field.expression);
        let format_spec = field.format_spec.as_deref().map(|spec| Box::new(self.format_spec(spec, raw)));
        let mut conversion = i32::from(field.conversion as i8);
        if let Some(debug) = &field.debug_text {
            let text = strip_comments(debug.as_str());
            let length = debug.as_str().len() as u32;
            parts.push_constant(&Wtf8Box::from(text), None, field_start + 1, field_start + 1 + length);
            if conversion == -1 && format_spec.is_none() {
                conversion = i32::from(b'r');
            }
        }
        parts.push_field(Expr::new(ExprKind::FormattedValue { value, conversion, format_spec }, range), self);
    }

    /// A format specification as a `JoinedStr` that begins at the colon.
    fn format_spec(&mut self, spec: &ruff::InterpolatedStringFormatSpec, raw: bool) -> Expr {
        let whole = self.text_range(spec.range);
        self.spec_depth += 1;
        if self.spec_depth > MAX_SPEC_DEPTH && spec.elements.interpolations().next().is_some() {
            self.refuse("f-string: expressions nested too deeply", whole);
        }
        if self.has_doubled_brace(spec) {
            self.refuse("invalid syntax", whole);
        }
        let mut parts = Parts::default();
        self.f_string_elements(&spec.elements, raw, true, &mut parts);
        self.spec_depth -= 1;
        let values = parts.finish(self);
        let mut start = u32::from(spec.start());
        if self.text().as_bytes().get(start.wrapping_sub(1) as usize) == Some(&b':') {
            start -= 1;
        }
        let end = self.rewritten.end_of_spec(spec.range);
        Expr::new(ExprKind::JoinedStr { values }, self.lines.range(start, end.into()))
    }

    /// The parser took for a field what CPython's tokenizer, which a field's end takes out of the specification, reads
    /// as a brace; `rescue` parses it again.
    fn has_doubled_brace(&self, spec: &ruff::InterpolatedStringFormatSpec) -> bool {
        let doubled = |field: &ruff::InterpolatedElement| {
            self.text().as_bytes().get(usize::from(field.start()) + 1) == Some(&b'{')
        };
        spec.elements.interpolations().skip(1).any(doubled)
    }
}

impl Parts {
    fn push_constant(&mut self, value: &Wtf8Box, kind: Option<Wtf8Box>, start: u32, end: u32) {
        match &mut self.run {
            Some(run) => {
                run.value.push_wtf8(value);
                run.end = end;
            }
            None => {
                let mut text = Wtf8Buf::new();
                text.push_wtf8(value);
                self.run = Some(Run { value: text, kind, start, end });
            }
        }
    }

    fn push_field(&mut self, field: Expr, cx: &Converter<'_>) {
        self.flush(cx);
        self.done.push(field);
    }

    /// Empty runs leave no node.
    fn flush(&mut self, cx: &Converter<'_>) {
        let Some(run) = self.run.take() else { return };
        if run.value.is_empty() {
            return;
        }
        let kind = ExprKind::Constant { value: Constant::Str(run.value.finish()), kind: run.kind };
        self.done.push(Expr::new(kind, cx.lines.range(run.start, run.end)));
    }

    fn finish(mut self, cx: &Converter<'_>) -> Vec<Expr> {
        self.flush(cx);
        self.done
    }
}

fn content_range(range: TextRange, flags: impl StringFlags) -> TextRange {
    TextRange::new(range.start() + flags.opener_len(), range.end() - flags.closer_len())
}

/// The text of `{expr = }` without comments, which CPython drops up to their newline.
fn strip_comments(text: &str) -> String {
    if !text.contains('#') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, '#') => {
                for skipped in chars.by_ref() {
                    if skipped == '\n' {
                        out.push('\n');
                        break;
                    }
                }
                continue;
            }
            _ => {}
        }
        out.push(c);
    }
    out
}
