//! A prepass that bounds nesting before anything recursive sees the source: a million of any operator must neither
//! overflow the native stack nor take the process down. CPython counterpart: `MAXSTACK` of the parser, the
//! recursion counters of symbol table and compiler.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::Mode;
use ruff_python_parser::lexer;

use crate::error::{SyntaxError, SyntaxErrorKind};

/// Prefix operators (`-`, `not`, `lambda`, `**`, conditionals) nest in CPython's parser, which gives up here.
const MAX_PREFIX: u32 = if cfg!(target_family = "wasm") { 800 } else { 5960 };
const MAX_POWER: u32 = MAX_PREFIX / 2;
/// Left-recursive chains (`a+b+c`, `a.b.c`, `f()()`) nest in the tree only; CPython's compiler gives up here.
const MAX_CHAIN: u32 = if cfg!(target_family = "wasm") { 900 } else { 9990 };
/// Shorter sources cannot nest deep enough to matter.
const HARMLESS: usize = 400;

/// One bracket level's chains since the last separator.
#[derive(Clone, Copy, Default)]
struct Level {
    prefix: u32,
    power: u32,
    chain: u32,
}

/// The tokenizer refuses more open brackets and more indentation; both must be found before the parser recurses.
const MAX_BRACKETS: usize = 200;
const MAX_INDENTS: usize = 99;

/// An upper bound of the tree's depth, or the error of a source that nests too deeply. `suspect` is set if the tokenizer may
/// have something to say first.
pub(crate) fn bound(text: &str, mode: Mode, suspect: &mut bool) -> Result<u32, SyntaxError> {
    if text.len() < HARMLESS {
        return Ok(HARMLESS as u32);
    }
    let mut lexer = lexer::lex(text, mode);
    let mut stack: Vec<Level> = Vec::new();
    let (mut level, mut outer, mut deepest) = (Level::default(), 0_u32, 0_u32);
    let mut elifs: Vec<u32> = Vec::new();
    // Then a sign is a binary operator.
    let mut after_operand = false;
    loop {
        let kind = lexer.next_token();
        match kind {
            TokenKind::EndOfFile => break,
            TokenKind::Comma | TokenKind::Semi | TokenKind::Newline => level = Level::default(),
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace | TokenKind::FStringStart => {
                level.chain += 1;
                outer += level.prefix + level.power + level.chain;
                stack.push(level);
                level = Level::default();
                *suspect |= stack.len() > MAX_BRACKETS;
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace | TokenKind::FStringEnd => {
                level = stack.pop().unwrap_or_default();
                outer = outer.saturating_sub(level.prefix + level.power + level.chain);
            }
            TokenKind::Indent => {
                elifs.push(0);
                *suspect |= elifs.len() > MAX_INDENTS;
            }
            TokenKind::Dedent => {
                elifs.pop();
            }
            TokenKind::Elif => {
                if let Some(run) = elifs.last_mut() {
                    *run += 1;
                } else {
                    elifs.push(1);
                }
                if elifs.last().is_some_and(|&run| run > MAX_PREFIX) {
                    return Err(parser_overflow());
                }
            }
            TokenKind::DoubleStar => level.power += 1,
            TokenKind::Not | TokenKind::Lambda | TokenKind::If | TokenKind::Await | TokenKind::Tilde => {
                level.prefix += 1;
            }
            TokenKind::Plus | TokenKind::Minus if !after_operand => level.prefix += 1,
            kind if kind.is_operator() => level.chain += 1,
            _ => {}
        }
        after_operand = matches!(
            kind,
            TokenKind::Name
                | TokenKind::Int
                | TokenKind::Float
                | TokenKind::Complex
                | TokenKind::String
                | TokenKind::FStringEnd
                | TokenKind::Rpar
                | TokenKind::Rsqb
                | TokenKind::Rbrace
        );
        if level.power > MAX_POWER || level.prefix > MAX_PREFIX {
            return Err(parser_overflow());
        }
        if level.chain > MAX_CHAIN || outer > 3 * MAX_CHAIN {
            let msg = "maximum recursion depth exceeded during compilation";
            return Err(SyntaxError::bare(SyntaxErrorKind::RecursionError, msg));
        }
        deepest = deepest.max(outer + level.prefix + level.power + level.chain);
    }
    Ok(deepest.max(HARMLESS as u32))
}

fn parser_overflow() -> SyntaxError {
    SyntaxError::bare(SyntaxErrorKind::MemoryError, "Parser stack overflowed - Python source too complex to parse")
}
