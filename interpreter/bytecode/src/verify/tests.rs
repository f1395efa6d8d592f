//! What the verifier refuses that an indexed check of operands would let through.

use super::verify;
use crate::code::{CodeObject, ExceptionEntry};
use crate::opcodes::{KILL_1, Op, Word};

/// One argument `x`, one local `y`, two temporaries.
fn fault(words: &[Word], exceptions: &[ExceptionEntry]) -> Option<String> {
    let code = CodeObject {
        argcount: 1,
        nregs: 4,
        varnames: vec!["x".into(), "y".into()],
        words: [Word::new(Op::RESUME, 0, 0, 0, 0)].iter().chain(words).map(|word| word.0).collect(),
        exceptions: exceptions.to_vec(),
        ..CodeObject::default()
    };
    verify(&code).err().map(|(_, fault)| fault)
}

#[test]
fn variables_are_bound_where_they_are_read() {
    let (read_y, bind_y) = (Word::new(Op::RETURN_VALUE, 0, 1, 2, 0), Word::new(Op::MOVE, 0, 1, 0, 0));
    assert_eq!(fault(&[bind_y, read_y], &[]), None);
    assert_eq!(fault(&[Word::new(Op::CHECK_BOUND, 0, 1, 0, 0), read_y], &[]), None);
    assert_eq!(fault(&[read_y], &[]).as_deref(), Some("v1 is read but not live"));
    // On one way only.
    let skip = Word::new(Op::JT, 0, 0, 0, 1);
    assert_eq!(fault(&[skip, bind_y, read_y], &[]).as_deref(), Some("v1 is read but not live"));
}

#[test]
fn slices_have_two_or_three_parts() {
    let (copy, result) = (Word::new(Op::MOVE, 0, 2, 0, 0), Word::new(Op::RETURN_VALUE, KILL_1, 2, 2, 0));
    let slice = |count| fault(&[copy, Word::new(Op::BUILD_SLICE, 0, 2, 2, count), result], &[]);
    assert_eq!(slice(1).as_deref(), Some("a slice of other than two or three"));
    assert_eq!(slice(2).as_deref(), Some("t1 is read but not live"));
}

#[test]
fn what_dies_is_not_used_again() {
    let copy = Word::new(Op::MOVE, 0, 2, 0, 0);
    let result = Word::new(Op::RETURN_VALUE, KILL_1, 2, 2, 0);
    assert_eq!(fault(&[copy, Word::new(Op::ADD, 0, 2, 2, 2), result], &[]), None);
    let dying_twice = Word::new(Op::ADD, KILL_1, 3, 2, 2);
    assert_eq!(fault(&[copy, dying_twice, result], &[]).as_deref(), Some("an operand dies that is read again"));
    let dying_result = Word::new(Op::UNARY_NOT, KILL_1, 2, 2, 0);
    assert_eq!(fault(&[copy, dying_result, result], &[]).as_deref(), Some("the destination dies"));
}

#[test]
fn only_exceptions_are_raised_again() {
    let covered = ExceptionEntry { start: 1, end: 2, handler: 3, depth: 2 };
    let body = [Word::new(Op::UNARY_NOT, 0, 1, 0, 0), Word::new(Op::RETURN_NONE, 0, 0, 2, 0)];
    let handler = Word::new(Op::RERAISE, 0, 2, 0, 0);
    assert_eq!(fault(&[body[0], body[1], handler], &[covered]), None);
    let wrong = [body[0], body[1], Word::new(Op::MOVE, 0, 2, 0, 0), handler];
    assert_eq!(fault(&wrong, &[covered]).as_deref(), Some("not the exception that is wanted"));
}

#[test]
fn jumps_lead_to_instructions() {
    // Into the cache of `LOAD_GLOBAL`.
    let jump = Word::new(Op::JUMP_FORWARD, 0, 0, 1, 0);
    let load = [Word::new(Op::BINARY_SUBSCR, 0, 2, 0, 0), Word(0)];
    let end = Word::new(Op::RETURN_NONE, 0, 0, 2, 0);
    let fault = fault(&[jump, load[0], load[1], end], &[]);
    assert_eq!(fault.as_deref(), Some("control leaves the instructions at 3"));
}
