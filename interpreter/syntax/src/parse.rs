//! The entry points of the front end: options, the parse itself, the choice of the error pass.
//!
//! CPython counterpart: `Parser/pegen.c` (`_PyPegen_run_parser_from_string`).

use ruff_python_ast::PythonVersion;
use ruff_python_parser as ruff;

use crate::ast::Mod;
use crate::barry;
use crate::convert;
use crate::depth;
use crate::error::{SyntaxError, SyntaxErrorKind, Warning};
use crate::errors;
use crate::rescue::{self, Rewritten};
use crate::source::{self, CodecHook, Lines};

/// The minor version of the language.
const LATEST: u8 = 13;

/// What the source is: the `mode` argument of `compile`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Exec,
    Eval,
    Single,
    FuncType,
}

#[derive(Clone, Copy)]
pub struct ParseOptions<'a> {
    pub mode: Mode,
    /// The minor version whose grammar is asked for (`feature_version`), 13 by default.
    pub feature_version: u8,
    /// Record `# type:` comments (`PyCF_TYPE_COMMENTS`).
    pub type_comments: bool,
    /// `PyCF_ALLOW_INCOMPLETE_INPUT`: report input that only breaks off as `_IncompleteInputError`.
    pub allow_incomplete_input: bool,
    /// `PyCF_DONT_IMPLY_DEDENT`: a block at the end of the input is not closed.
    pub dont_imply_dedent: bool,
    /// `sys.get_int_max_str_digits()`; 0 for no limit.
    pub int_max_str_digits: usize,
    /// The script's name if the bytes are a file that is run (words decoding faults as CPython does there); `None`
    /// for `compile(bytes, …)`, imports included.
    pub file: Option<&'a str>,
    /// `CO_FUTURE_BARRY_AS_BDFL`: `<>` is the operator, not `!=`.
    pub barry_as_bdfl: bool,
    /// Codecs other than UTF-8, Latin-1 and ASCII.
    pub codecs: Option<&'a dyn CodecHook>,
}

impl ParseOptions<'_> {
    pub fn new(mode: Mode) -> Self {
        ParseOptions {
            mode,
            feature_version: LATEST,
            type_comments: false,
            allow_incomplete_input: false,
            dont_imply_dedent: false,
            int_max_str_digits: 4300,
            file: None,
            barry_as_bdfl: false,
            codecs: None,
        }
    }
}

/// A tree and the warnings that reading it gave, in source order.
#[derive(Debug)]
pub struct Parsed {
    pub module: Mod,
    pub warnings: Vec<Warning>,
}

/// Parses source bytes.
pub fn parse(bytes: &[u8], options: &ParseOptions<'_>) -> Result<Parsed, SyntaxError> {
    let text = source::decode_source(bytes, options.file, options.codecs)?;
    parse_text(&text, options)
}

/// Parses decoded text; a cookie in it is ignored.
pub fn parse_text(text: &str, options: &ParseOptions<'_>) -> Result<Parsed, SyntaxError> {
    if text.contains('\0') {
        let what = if options.file.is_some() { "source code" } else { "source code string" };
        let msg = format!("{what} cannot contain null bytes");
        return Err(SyntaxError::bare(SyntaxErrorKind::SyntaxError, msg));
    }
    let text = source::normalise_newlines(text, options.mode == Mode::Exec);
    if u32::try_from(text.len()).is_err() {
        return Err(SyntaxError::bare(SyntaxErrorKind::OverflowError, "source code is too long"));
    }
    let mode = match options.mode {
        Mode::Exec | Mode::Single => ruff::Mode::Module,
        Mode::Eval | Mode::FuncType => ruff::Mode::Expression,
    };
    let text = barry::translate(text, options)?;
    let mut suspect = options.feature_version < LATEST;
    let depth = depth::bound(&text, mode, &mut suspect);
    if suspect {
        // The pass ends at the first thing that the tokenizer refuses, so that it does not nest deeper than that.
        const STACK: usize = 128 << 20;
        stacker::maybe_grow(STACK, STACK, || errors::check(&text, options))?;
    }
    let depth = depth?;
    // Frames of the parser, of the conversion, of the error pass and of the drop of the parser's tree.
    let stack = 1024 * 1024 + depth as usize * 8 * 1024;
    stacker::maybe_grow(stack, stack + 1024 * 1024, || parse_bounded(&text, mode, options))
}

fn parse_bounded(text: &str, mode: ruff::Mode, options: &ParseOptions<'_>) -> Result<Parsed, SyntaxError> {
    // Whether interactive input ends rightly is a matter of tokens, which the parser does not show.
    let ends_in_blanks = text.rsplit('\n').next().is_some_and(|last| last.len() < text.len() && last.trim().is_empty())
        && !text.ends_with('\n');
    if matches!(options.mode, Mode::Single | Mode::FuncType) || (options.mode == Mode::Eval && ends_in_blanks) {
        errors::check(text, options)?;
    }
    let lines = Lines::new(text);
    if options.mode == Mode::FuncType {
        return convert::func_type(text, &lines, options);
    }
    let parser_options = ruff::ParseOptions::from(mode).with_target_version(PythonVersion::PY313);
    let (refusal, fault) = match ruff::parse(text, parser_options.clone()) {
        Ok(parsed) => {
            if !parsed.unsupported_syntax_errors().is_empty() {
                // What later versions of the language have.
                errors::check(text, options)?;
            }
            match convert::convert(&parsed, Rewritten::default(), &lines, options) {
                Ok(parsed) => return Ok(parsed),
                Err(refusal) => (refusal, None),
            }
        }
        Err(fault) => {
            let range = lines.range(fault.location.start().into(), fault.location.end().into());
            let location = lines.location(range);
            (SyntaxError::at(SyntaxErrorKind::SyntaxError, "invalid syntax", location), Some(fault))
        }
    };
    errors::check(text, options)?;
    match rescue::parse(text, parser_options, fault.as_ref()) {
        Some((parsed, rewritten)) => convert::convert(&parsed, rewritten, &lines, options),
        None => Err(refusal),
    }
}
