//! The engine's own form of a pattern, made from CPython's code array by `lower`.
//!
//! Instructions hold absolute targets and small operands; whatever is larger sits in side tables and is named by an
//! index. Every index and target in a `Program` is in range: the lowering refuses the code otherwise, so that the
//! engine never needs to doubt it.

use super::unit::Unit;

/// Index of an instruction.
pub type Pc = u32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// `^` and `\A`.
    Beginning,
    BeginningLine,
    End,
    EndLine,
    EndString,
    Boundary(Words, bool),
}

/// Which characters `\b` takes for parts of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    Ascii,
    Locale,
    Unicode,
}

/// An item of one character, repeated by the `*One` instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    Any,
    AnyAll,
    Literal(u32),
    NotLiteral(u32),
    Unit(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inst {
    /// Fails.
    Failure,
    /// Ends the pattern or the innermost independent group.
    Success,
    /// One character.
    One(Item),
    /// The run of literals with this index.
    Literals(u32),
    Mark(u32),
    At(At),
    Jump(Pc),
    Branch(u32),
    /// Greedy repeat of one character, by index of `Program::singles`.
    RepeatOne(u32),
    MinRepeatOne(u32),
    PossessiveOne(u32),
    /// Enters the repeat with this index of `Program::repeats`.
    Repeat(u32),
    MaxUntil,
    MinUntil,
    PossessiveRepeat(u32),
    /// Runs the instructions that follow, up to their success, without a way back; then goes on at the target.
    Atomic(Pc),
    /// Index of `Program::looks`.
    Assert(u32),
    AssertNot(u32),
    GroupRef(u32),
    GroupRefAscii(u32),
    GroupRefLocale(u32),
    GroupRefUnicode(u32),
    /// Goes to the target if the group has not matched.
    GroupRefExists(u32, Pc),
}

/// Characters with which a match can begin; a pattern that can match nothing has none of these.
#[derive(Clone, Debug)]
pub struct First {
    pub low: Box<[bool; 256]>,
    /// Whether any character from 256 on may begin a match.
    pub high: bool,
}

#[derive(Debug)]
pub struct Alternative {
    pub pc: Pc,
    pub first: Option<First>,
}

/// A repeat of one character.
#[derive(Debug)]
pub struct Single {
    pub min: usize,
    /// `usize::MAX` for no limit.
    pub max: usize,
    pub item: Item,
    /// The instruction after the repeat.
    pub tail: Pc,
    pub tail_first: TailFirst,
}

/// What is known of the first character after a repeat.
#[derive(Debug)]
pub enum TailFirst {
    Unknown,
    Literal(u32),
    Set(First),
}

/// A general repeat.
#[derive(Debug)]
pub struct Repeat {
    pub min: usize,
    pub max: usize,
    pub body: Pc,
    /// The instruction after the repeat; for `Repeat`, after its `Until`.
    pub tail: Pc,
}

/// A look-ahead or look-behind.
#[derive(Debug)]
pub struct Look {
    /// Characters to step back first.
    pub back: usize,
    pub body: Pc,
    pub tail: Pc,
}

/// How a search finds the places where a match may begin.
#[derive(Debug)]
pub enum Start {
    /// Every place.
    Anywhere,
    /// Only where the search begins (the pattern opens with `^` or `\A`).
    Anchored,
    /// Where these literals stand; the first `skip` of them need no second look, the match goes on at `pc`.
    Prefix {
        literals: Box<[u32]>,
        skip: usize,
        pc: Pc,
        whole: bool,
    },
    First(First),
}

#[derive(Debug)]
pub struct Program {
    pub insts: Box<[Inst]>,
    pub literals: Vec<Box<[u32]>>,
    pub units: Vec<Unit>,
    pub branches: Vec<Box<[Alternative]>>,
    pub singles: Vec<Single>,
    pub repeats: Vec<Repeat>,
    pub looks: Vec<Look>,
    pub groups: usize,
    /// Fewest characters that a match can have.
    pub min_width: usize,
    pub start: Start,
    /// A possessive repeat may run a mark again outside of any `Repeat`, so exhausted choices must still restore
    /// marks in CPython's order.
    pub possessive: bool,
}
