//! Constants of code that was dropped go.
//!
//! CPython counterpart: `remove_unused_consts`.

use krait_bytecode::opcodes::{Extra, Operand};
use krait_bytecode::{Const, Op, Word};

/// Keeps the constants that instructions name, and the first, which may be a docstring. What is an operand of an
/// instruction, or implied by one, counts as named.
pub(crate) fn remove_unused(words: &mut [u64], consts: &mut Vec<Const>) {
    let mut used = vec![false; consts.len()];
    let Some(first) = used.first_mut() else { return };
    *first = true;
    for_each_instruction(words, |op, at, words| {
        let word = Word(words[at]);
        let operand = immediate(op, word);
        let implied = consts.iter().position(|value| match value {
            Const::None => op == Op::RETURN_NONE,
            Const::Int(value) => operand.is_some_and(|operand| i64::from(operand) == *value),
            _ => false,
        });
        if let Some(index) = implied {
            used[index] = true;
        }
        for index in const_words(op, at) {
            used[words[index] as usize] = true;
        }
    });
    if used.iter().all(|&used| used) {
        return;
    }
    let mut kept = 0;
    let mut places = Vec::with_capacity(used.len());
    for &used in &used {
        places.push(kept);
        kept += u64::from(used);
    }
    for_each_instruction(words, |op, at, words| {
        for index in const_words(op, at) {
            words[index] = places[words[index] as usize];
        }
    });
    let mut used = used.into_iter();
    consts.retain(|_| used.next() == Some(true));
}

fn for_each_instruction(words: &mut [u64], mut f: impl FnMut(Op, usize, &mut [u64])) {
    let mut at = 0;
    while at < words.len() {
        let Some(op) = Op::from_u8(Word(words[at]).op_byte()) else { return };
        f(op, at, words);
        at += op.words();
    }
}

/// Indices of the words that are indices into the constants.
fn const_words(op: Op, at: usize) -> impl Iterator<Item = usize> {
    let extras = op.info().extras.iter().enumerate();
    extras.filter(|(_, extra)| **extra == Extra::Const).map(move |(i, _)| at + 1 + i)
}

fn immediate(op: Op, word: Word) -> Option<i16> {
    let operands = [word.a(), word.b(), word.c()];
    let index = op.info().operands.iter().position(|kind| *kind == Operand::Imm)?;
    Some(operands[index] as i16)
}
