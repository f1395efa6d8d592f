//! `# type:` comments, which the tree carries only on request.
//!
//! A comment counts where CPython's grammar has a place for it; one that stands elsewhere is refused. CPython counterpart: `TYPE_COMMENT` and `TYPE_IGNORE` in `Parser/lexer/lexer.c`.

use std::cell::Cell;

use ruff_python_ast::token::{TokenKind, Tokens};
use ruff_text_size::Ranged;

use super::Converter;
use crate::ast::{TypeIgnore, Wtf8Box};
use crate::error::{SyntaxError, SyntaxErrorKind};

/// One comment: where its `#` stands and where its type begins and ends.
struct TypeComment {
    start: u32,
    from: u32,
    end: u32,
    used: Cell<bool>,
}

/// The type comments of a source in order.
#[derive(Default)]
pub(super) struct TypeComments {
    comments: Vec<TypeComment>,
    pub(super) ignores: Vec<TypeIgnore>,
}

impl TypeComments {
    pub(super) fn collect(cx: &Converter<'_>, tokens: &Tokens) -> TypeComments {
        let mut found = TypeComments::default();
        for token in tokens.iter().filter(|token| token.kind() == TokenKind::Comment) {
            let text = &cx.text()[token.range()];
            let blanks: &[char] = &[' ', '\t'];
            let Some(rest) = text[1..].trim_start_matches(blanks).strip_prefix("type:") else { continue };
            let rest = rest.trim_start_matches(blanks);
            let start = u32::from(token.start());
            match rest.strip_prefix("ignore") {
                Some(tag) if !tag.starts_with(|c: char| !c.is_ascii() || c.is_ascii_alphanumeric()) => {
                    let lineno = cx.lines.position(start).0;
                    found.ignores.push(TypeIgnore { lineno, tag: Wtf8Box::from(tag) });
                }
                _ => {
                    let end = u32::from(token.end());
                    found.comments.push(TypeComment {
                        start,
                        from: end - rest.len() as u32,
                        end,
                        used: Cell::new(false),
                    });
                }
            }
        }
        found
    }
}

impl Converter<'_> {
    /// The comment after `offset` if only the characters of `between` (and blanks) stand before it, on the same
    /// line or, with `next_line`, alone on the next one.
    pub(super) fn type_comment(&self, offset: u32, between: &[char], next_line: bool) -> Option<Wtf8Box> {
        let comments = &self.comments.comments;
        let comment = comments.get(comments.partition_point(|comment| comment.start < offset))?;
        let gap = &self.text()[offset as usize..comment.start as usize];
        let newlines = gap.matches('\n').count();
        let fits = gap.chars().all(|c| matches!(c, ' ' | '\t' | '\n') || between.contains(&c));
        if !fits || newlines > usize::from(next_line) {
            return None;
        }
        comment.used.set(true);
        Some(Wtf8Box::from(&self.text()[comment.from as usize..comment.end as usize]))
    }

    /// The comment of a function: behind its header or alone on the next line, but not both.
    pub(super) fn function_comment(&mut self, header: u32) -> Option<Wtf8Box> {
        let found = self.type_comment(header, &[':', ')'], true)?;
        let comments = &self.comments.comments;
        let at = comments.partition_point(|comment| comment.start < header);
        let first = &comments[at];
        if !self.text()[header as usize..first.start as usize].contains('\n')
            && let Some(second) = comments.get(at + 1)
        {
            let gap = &self.text()[first.end as usize..second.start as usize];
            if gap.trim().is_empty() && gap.matches('\n').count() == 1 {
                let end = second.end;
                self.refuse_second_comment(end);
            }
        }
        Some(found)
    }

    /// CPython has read the next line's indentation by then and reports its end.
    fn refuse_second_comment(&mut self, end: u32) {
        let after = &self.text()[end as usize..];
        let blanks = after.len() - after.trim_start_matches([' ', '\t', '\n', '\x0c']).len();
        let at = end + blanks as u32;
        let mut location = self.lines.location(self.lines.range(at, at));
        location.offset -= 1;
        location.end_offset = Some(-1);
        if self.refusal.is_none() {
            let msg = "Cannot have two type comments on def";
            self.refusal = Some(SyntaxError::at(SyntaxErrorKind::SyntaxError, msg, location));
        }
    }

    /// Refuses a type comment that stands where none may.
    pub(super) fn refuse_stray_comments(&mut self) {
        let Some(stray) = self.comments.comments.iter().find(|comment| !comment.used.get()) else { return };
        let range = self.lines.range(stray.from, stray.end);
        let before = self.text()[..stray.start as usize].trim_end_matches([' ', '\t']);
        let bare_star = before.strip_suffix(',').is_some_and(|before| {
            let before = before.trim_end();
            before.strip_suffix('*').is_some_and(|before| before.trim_end().ends_with(['(', ',']))
        });
        self.refuse(if bare_star { "bare * has associated type comment" } else { "invalid syntax" }, range);
    }
}
