//! Tests of the front end as a whole; agreement with the reference is checked by `scripts/check-ast` and
//! `scripts/check-syntax-errors`.

use crate::ast::{Constant, ExprKind, Mod, PatternKind, StmtKind};
use crate::{Mode, ParseOptions, Parsed, SyntaxError, SyntaxErrorKind, parse, parse_text, unparse};

fn exec(source: &str) -> Result<Parsed, SyntaxError> {
    parse_text(source, &ParseOptions::new(Mode::Exec))
}

fn refusal(source: &str) -> (SyntaxErrorKind, String, i32, i32) {
    let error = exec(source).expect_err("the source is wrong");
    let location = error.location.expect("the error has a place");
    (error.kind, error.msg, location.lineno, location.offset)
}

#[test]
fn lone_surrogates_survive() {
    let parsed = exec(r#""\ud800\udc00x""#).expect("valid");
    let Mod::Module { body, .. } = &parsed.module else { panic!("a module") };
    let StmtKind::Expr { value } = &body[0].kind else { panic!("an expression") };
    let ExprKind::Constant { value: Constant::Str(text), .. } = &value.kind else { panic!("a string") };
    assert_eq!(text.code_points().collect::<Vec<_>>(), [0xd800, 0xdc00, u32::from('x')]);
    assert_eq!(unparse(value), r"'\ud800\udc00x'");
}

#[test]
fn braces_behind_a_field_of_a_specification() {
    let dump = |source: &str| format!("{:?}", exec(source).expect("valid").module);
    // The reference ends a specification's own rules with its first field.
    assert!(dump(r#"f"{a:{b} {{c}}}""#).contains("\" {c\""), "a brace");
    assert!(dump(r#"f"{a:{b}{{}""#).contains("\"{\""), "a brace");
    assert!(dump(r#"f"{a:{{b}}}""#).contains("Set"), "the first field may begin with a brace");
    assert!(exec(r#"f"{a:{b} {{{c}}}""#).is_err());
}

#[test]
fn million_deep_sources_are_refused() {
    let kind = |source: String| exec(&source).expect_err("too deep").kind;
    let n = 1_000_000;
    assert_eq!(kind("-".repeat(n) + "x"), SyntaxErrorKind::MemoryError);
    assert_eq!(kind("not ".repeat(n) + "x"), SyntaxErrorKind::MemoryError);
    assert_eq!(kind("lambda:".repeat(n) + "x"), SyntaxErrorKind::MemoryError);
    assert_eq!(kind("x**".repeat(n) + "x"), SyntaxErrorKind::MemoryError);
    assert_eq!(kind("x if x else ".repeat(n) + "x"), SyntaxErrorKind::MemoryError);
    assert_eq!(kind("if x:pass\n".to_owned() + &"elif x:pass\n".repeat(n)), SyntaxErrorKind::MemoryError);
    assert_eq!(kind("x+".repeat(n) + "x"), SyntaxErrorKind::RecursionError);
    assert_eq!(kind("x".to_owned() + &".a".repeat(n)), SyntaxErrorKind::RecursionError);
    assert_eq!(kind("x".to_owned() + &"()".repeat(n)), SyntaxErrorKind::RecursionError);
    assert_eq!(kind("(".repeat(n)), SyntaxErrorKind::SyntaxError);
}

#[test]
fn deep_but_allowed_sources_convert_and_drop() {
    for source in ["-".repeat(5900) + "x", "x+".repeat(9000) + "x", "x".to_owned() + &".a".repeat(9000)] {
        assert!(exec(&source).is_ok());
    }
}

#[test]
fn messages_and_places() {
    let syntax = SyntaxErrorKind::SyntaxError;
    assert_eq!(refusal("x = (1"), (syntax, "'(' was never closed".to_owned(), 1, 5));
    assert_eq!(refusal("(a b)"), (syntax, "invalid syntax. Perhaps you forgot a comma?".to_owned(), 1, 2));
    assert_eq!(
        refusal("if x:\npass"),
        (
            SyntaxErrorKind::IndentationError,
            "expected an indented block after 'if' statement on line 1".to_owned(),
            2,
            1
        )
    );
    assert_eq!(refusal("[*a for a in b]").1, "iterable unpacking cannot be used in comprehension");
}

#[test]
fn incomplete_input() {
    let mut options = ParseOptions::new(Mode::Single);
    options.allow_incomplete_input = true;
    options.dont_imply_dedent = true;
    for source in ["if 1:", "if 1:\n  pass", "(1,", "'''a", "x ="] {
        let error = parse_text(source, &options).expect_err("breaks off");
        assert_eq!(error.kind, SyntaxErrorKind::IncompleteInputError, "{source}");
    }
    assert!(parse_text("if 1:\n  pass\n", &options).is_ok());
    assert_eq!(parse_text("a b\n", &options).expect_err("wrong").kind, SyntaxErrorKind::SyntaxError);
}

#[test]
fn type_comments_on_request() {
    let mut options = ParseOptions::new(Mode::Exec);
    options.type_comments = true;
    let source =
        "x = 1 # type: int\ndef f(a,  # type: str\n      b): # type: (...) -> None\n  pass # type: ignore[a]\n";
    let Mod::Module { body, type_ignores } = parse_text(source, &options).expect("valid").module else {
        panic!("a module")
    };
    assert_eq!(type_ignores.len(), 1);
    let StmtKind::Assign { type_comment: Some(comment), .. } = &body[0].kind else { panic!("a comment") };
    assert_eq!(comment.to_str(), Some("int"));
    let StmtKind::FunctionDef(def) = &body[1].kind else { panic!("a function") };
    assert_eq!(def.type_comment.as_ref().and_then(|c| c.to_str()), Some("(...) -> None"));
    assert_eq!(def.args.args[0].type_comment.as_ref().and_then(|c| c.to_str()), Some("str"));
}

#[test]
fn cookies_and_function_types() {
    let options = ParseOptions::new(Mode::Exec);
    assert!(parse(b"# coding: latin-1\nx = '\xe9'\n", &options).is_ok());
    assert!(parse(b"# \xe9\nx\n", &options).is_ok());
    let error = parse(b"x=1\ny = 'a\xe9'\n", &options).expect_err("no UTF-8");
    assert_eq!(error.msg, "(unicode error) 'utf-8' codec can't decode byte 0xe9 in position 1: unexpected end of data");
    assert_eq!(error.location.map(|l| (l.lineno, l.offset)), Some((2, 5)));
    let parsed = parse_text("(int, *str, **Any) -> float", &ParseOptions::new(Mode::FuncType)).expect("valid");
    let Mod::FunctionType { argtypes, .. } = &parsed.module else { panic!("a function type") };
    assert_eq!(argtypes.len(), 3);
}

#[test]
fn refused_sources_warn_first() {
    let error = parse_text("'\\e' 1if 1 $\n", &ParseOptions::new(Mode::Exec)).expect_err("refused");
    let warnings: Vec<&str> = error.warnings.iter().map(|warning| warning.msg.as_str()).collect();
    assert_eq!(warnings, ["invalid escape sequence '\\e'", "invalid decimal literal"]);
}

#[test]
fn values_of_patterns() {
    let case = |pattern: &str| {
        parse_text(&format!("match x:\n  case {pattern}:\n    pass\n"), &ParseOptions::new(Mode::Exec)).is_ok()
    };
    assert!(case("-1 + 2j") && case("a.b.c") && case("'a' 'b'") && case("-0"));
    assert!(!case("-0j ** 0") && !case("1 + 2 + 3j") && !case("a.b + 1j") && !case("1 + (2j)") && !case("--1"));
}

#[test]
fn forms_that_the_parser_refuses() {
    let accepts = |source: &str| parse_text(source, &ParseOptions::new(Mode::Exec)).map(|parsed| parsed.module);
    for source in ["f'{x:\n}'", "f'{x:a\n # c\n} {y!r:\n\n}'", "f'{x: {y:\n}}'"] {
        assert!(accepts(source).is_ok(), "{source:?}");
    }
    for source in ["f'{x:\na}'", "f'{x:{y}\n}'", "f'{x:a\n'"] {
        assert!(accepts(source).is_err(), "{source:?}");
    }
    let source = "match x:\n case {'a' f'{b:\n}': _, f'': _}: pass\n";
    let Mod::Module { body, .. } = accepts(source).expect("valid") else { panic!("a module") };
    let StmtKind::Match { cases, .. } = &body[0].kind else { panic!("a match") };
    let PatternKind::MatchMapping { keys, .. } = &cases[0].pattern.kind else { panic!("a mapping") };
    assert!(keys.iter().all(|key| matches!(key.kind, ExprKind::JoinedStr { .. })));
}

#[test]
fn raise_before_a_semicolon() {
    let Mod::Module { body, .. } = exec("raise;x\nbreak;raise;\n").expect("valid").module else { panic!("a module") };
    assert!(matches!(body[0].kind, StmtKind::Raise { exc: None, cause: None }));
    assert!(
        matches!(body[2].kind, StmtKind::Break) && matches!(body[3].kind, StmtKind::Raise { exc: None, cause: None })
    );
}

#[test]
fn match_as_a_name_after_a_semicolon() {
    let Mod::Module { body, .. } = exec("x=1;match=2;match(x)\n").expect("valid").module else { panic!("a module") };
    let StmtKind::Expr { value } = &body[2].kind else { panic!("an expression") };
    assert_eq!(unparse(value), "match(x)");
    assert!(exec("x;match x:\n case _: pass\n").is_err());
}

#[test]
fn forms_that_only_the_parser_takes() {
    assert_eq!(refusal("f(a, (x)=1)").1, "expression cannot contain assignment, perhaps you meant \"==\"?");
    assert_eq!(refusal("(a).b: c").1, "illegal target for annotation");
    assert_eq!(refusal("((a.b))[0]().c: d = 1").1, "illegal target for annotation");
    assert!(exec("(a): b\n(a()).b: c\n(a, b)[0]: c\na.b: (c)\n").is_ok());
    // What later versions have.
    assert_eq!(refusal("try: a\nexcept b, c: d\n").1, "multiple exception types must be parenthesized");
    assert_eq!(refusal("lazy import a").1, "invalid syntax");
    assert_eq!(refusal("raise x-1from None").1, "invalid decimal literal");
    assert_eq!(refusal("try: a\nelse: b\nfinally: c\n").1, "expected 'except' or 'finally' block");
}

#[test]
fn refusals_in_the_order_of_the_grammar() {
    assert_eq!(refusal("f'{x!rs y}'").1, "f-string: expecting ':' or '}'");
    assert_eq!(refusal("f'{x!rs}'").1, "f-string: invalid conversion character 'rs': expected 's', 'r', or 'a'");
    assert_eq!(refusal("'a'b'' + f'").1, "cannot mix bytes and nonbytes literals");
    assert_eq!(
        refusal("for (a, ,), (b c) in d: pass"),
        (SyntaxErrorKind::SyntaxError, "invalid syntax".to_owned(), 1, 9)
    );
}
