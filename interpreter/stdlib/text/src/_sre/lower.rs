//! From CPython's code array to a `Program`, refusing every array that is not of the shape the compiler emits.
//!
//! One pass over the array with an explicit stack of open regions: all jumps go forward and nest, so a region is known
//! by its end. CPython counterpart: `_validate` of `Modules/_sre/sre.c`, which this is as strict as, and stricter in
//! that the item of a single-character repeat must be a single character.

use super::codes::{MAXGROUPS, MAXREPEAT, at, category, info, op};
use super::first;
use super::program::{Alternative, At, First, Inst, Item, Look, Pc, Program, Repeat, Single, Start, TailFirst, Words};
use super::unit::{Fold, Rule, SetItem, Unit};

/// The array is no code of the compiler's ("invalid SRE code").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid;

type Lowered<T> = Result<T, Invalid>;

enum Kind {
    Whole,
    Alternative {
        branch: usize,
        jumps: Vec<usize>,
        target: Option<usize>,
        entries: Vec<Pc>,
    },
    Repeat(usize),
    Possessive(usize),
    Atomic(usize),
    Look(usize),
    /// The part of a conditional for a group that matched; ends where the other part begins or the whole ends.
    Yes(usize),
    No(usize),
}

struct Region {
    end: usize,
    kind: Kind,
}

struct Prefix {
    literals: Box<[u32]>,
    skip: usize,
    whole: bool,
    /// Place in the array where the match goes on after the skipped literals.
    resume: usize,
    pc: Option<Pc>,
}

struct Lowering<'a> {
    code: &'a [u32],
    pos: usize,
    groups: u32,
    regions: Vec<Region>,
    insts: Vec<Inst>,
    /// The last instruction is a literal that the next may join.
    in_run: bool,
    prefix: Option<Prefix>,
    min_width: usize,
    literals: Vec<Vec<u32>>,
    units: Vec<Unit>,
    branches: Vec<Box<[Alternative]>>,
    singles: Vec<Single>,
    repeats: Vec<Repeat>,
    looks: Vec<Look>,
    possessive: bool,
}

/// Checks a code array and translates it.
pub fn lower(code: &[u32], groups: usize) -> Lowered<Program> {
    let groups = u32::try_from(groups).ok().filter(|&n| n <= MAXGROUPS).ok_or(Invalid)?;
    if code.last() != Some(&op::SUCCESS) {
        return Err(Invalid);
    }
    let mut this = Lowering {
        code,
        pos: 0,
        groups,
        regions: vec![Region { end: code.len() - 1, kind: Kind::Whole }],
        insts: Vec::new(),
        in_run: false,
        prefix: None,
        min_width: 0,
        literals: Vec::new(),
        units: Vec::new(),
        branches: Vec::new(),
        singles: Vec::new(),
        repeats: Vec::new(),
        looks: Vec::new(),
        possessive: false,
    };
    this.run()?;
    this.finish()
}

fn limit(word: u32) -> usize {
    if word == MAXREPEAT { usize::MAX } else { word as usize }
}

impl Lowering<'_> {
    fn run(&mut self) -> Lowered<()> {
        loop {
            let end = self.end()?;
            if self.pos == end {
                if self.close()? {
                    return Ok(());
                }
            } else {
                self.instruction()?;
            }
        }
    }

    /// End of the innermost region: no operand may lie beyond it.
    fn end(&self) -> Lowered<usize> {
        self.regions.last().map(|r| r.end).ok_or(Invalid)
    }

    fn word(&mut self) -> Lowered<u32> {
        if self.pos >= self.end()? {
            return Err(Invalid);
        }
        self.pos += 1;
        Ok(self.code[self.pos - 1])
    }

    fn words(&mut self, count: usize) -> Lowered<Box<[u32]>> {
        let stop = self.pos.checked_add(count).ok_or(Invalid)?;
        if stop > self.end()? {
            return Err(Invalid);
        }
        let words = self.code[self.pos..stop].into();
        self.pos = stop;
        Ok(words)
    }

    /// Reads a skip count and gives the place it leads to, counted from the word itself.
    fn target(&mut self) -> Lowered<usize> {
        let from = self.pos;
        let skip = self.word()? as usize;
        let to = from.checked_add(skip).ok_or(Invalid)?;
        if to > self.end()? { Err(Invalid) } else { Ok(to) }
    }

    fn open(&mut self, end: Option<usize>, kind: Kind) -> Lowered<()> {
        let end = end.filter(|&end| end >= self.pos).ok_or(Invalid)?;
        if end > self.end()? {
            return Err(Invalid);
        }
        self.in_run = false;
        self.regions.push(Region { end, kind });
        Ok(())
    }

    fn pc(&self) -> Pc {
        self.insts.len() as Pc
    }

    fn emit(&mut self, inst: Inst) -> usize {
        self.in_run = false;
        self.insts.push(inst);
        self.insts.len() - 1
    }

    fn unit(&mut self, rule: Rule, fold: Fold, negated: bool) -> Item {
        self.units.push(Unit::new(rule, fold, negated));
        Item::Unit(self.units.len() as u32 - 1)
    }

    fn expect(&mut self, code: u32) -> Lowered<()> {
        if self.word()? == code { Ok(()) } else { Err(Invalid) }
    }

    fn instruction(&mut self) -> Lowered<()> {
        let place = self.pos;
        if let Some(prefix) = &mut self.prefix
            && prefix.resume == place
        {
            prefix.pc = Some(self.insts.len() as Pc);
            self.in_run = false;
        }
        let code = self.word()?;
        match code {
            op::FAILURE => _ = self.emit(Inst::Failure),
            op::SUCCESS => _ = self.emit(Inst::Success),
            op::LITERAL => {
                let ch = self.word()?;
                self.literal(ch);
            }
            op::MARK => {
                let mark = self.word()?;
                if mark > 2 * self.groups + 1 {
                    return Err(Invalid);
                }
                self.emit(Inst::Mark(mark));
            }
            op::AT => {
                let at = at_of(self.word()?)?;
                self.emit(Inst::At(at));
            }
            op::INFO => self.info(place)?,
            op::BRANCH => self.alternative(None, Vec::new(), None, Vec::new())?,
            op::REPEAT_ONE | op::MIN_REPEAT_ONE | op::POSSESSIVE_REPEAT_ONE => self.single(code)?,
            op::REPEAT | op::POSSESSIVE_REPEAT => self.repeat(code)?,
            op::ATOMIC_GROUP => {
                let tail = self.target()?;
                let inst = self.emit(Inst::Atomic(0));
                self.open(tail.checked_sub(1), Kind::Atomic(inst))?;
            }
            op::ASSERT | op::ASSERT_NOT => {
                let tail = self.target()?;
                let back = self.word()? as usize;
                let id = self.looks.len();
                self.emit(if code == op::ASSERT { Inst::Assert(id as u32) } else { Inst::AssertNot(id as u32) });
                self.looks.push(Look { back, body: self.pc(), tail: 0 });
                self.open(tail.checked_sub(1), Kind::Look(id))?;
            }
            op::GROUPREF => self.group_ref(Inst::GroupRef)?,
            op::GROUPREF_IGNORE => self.group_ref(Inst::GroupRefAscii)?,
            op::GROUPREF_LOC_IGNORE => self.group_ref(Inst::GroupRefLocale)?,
            op::GROUPREF_UNI_IGNORE => self.group_ref(Inst::GroupRefUnicode)?,
            op::GROUPREF_EXISTS => self.conditional()?,
            op::JUMP => self.other_part()?,
            _ => {
                let item = self.item(code)?;
                self.emit(Inst::One(item));
            }
        }
        Ok(())
    }

    /// Literals that follow each other become one run, save across the place where a prefix search resumes.
    fn literal(&mut self, ch: u32) {
        let last = if self.in_run { self.insts.last_mut() } else { None };
        match last {
            Some(Inst::Literals(id)) => self.literals[*id as usize].push(ch),
            Some(last @ Inst::One(Item::Literal(_))) => {
                if let Inst::One(Item::Literal(before)) = *last {
                    self.literals.push(vec![before, ch]);
                }
                *last = Inst::Literals(self.literals.len() as u32 - 1);
            }
            _ => {
                self.emit(Inst::One(Item::Literal(ch)));
                self.in_run = true;
            }
        }
    }

    /// An operator that matches one character.
    fn item(&mut self, code: u32) -> Lowered<Item> {
        Ok(match code {
            op::ANY => Item::Any,
            op::ANY_ALL => Item::AnyAll,
            op::LITERAL => Item::Literal(self.word()?),
            op::NOT_LITERAL => Item::NotLiteral(self.word()?),
            op::LITERAL_IGNORE | op::NOT_LITERAL_IGNORE => {
                let rule = Rule::Literal(self.word()?);
                self.unit(rule, Fold::Ascii, code == op::NOT_LITERAL_IGNORE)
            }
            op::LITERAL_LOC_IGNORE | op::NOT_LITERAL_LOC_IGNORE => {
                let rule = Rule::Literal(self.word()?);
                self.unit(rule, Fold::Locale, code == op::NOT_LITERAL_LOC_IGNORE)
            }
            op::LITERAL_UNI_IGNORE | op::NOT_LITERAL_UNI_IGNORE => {
                let rule = Rule::Literal(self.word()?);
                self.unit(rule, Fold::Unicode, code == op::NOT_LITERAL_UNI_IGNORE)
            }
            op::CATEGORY => {
                let rule = Rule::Category(self.category()?);
                self.unit(rule, Fold::Exact, false)
            }
            op::IN => self.set(Fold::Exact)?,
            op::IN_IGNORE => self.set(Fold::Ascii)?,
            op::IN_LOC_IGNORE => self.set(Fold::Locale)?,
            op::IN_UNI_IGNORE => self.set(Fold::Unicode)?,
            _ => return Err(Invalid),
        })
    }

    fn category(&mut self) -> Lowered<u32> {
        self.word().and_then(|code| if code <= category::UNI_NOT_LINEBREAK { Ok(code) } else { Err(Invalid) })
    }

    fn set(&mut self, fold: Fold) -> Lowered<Item> {
        let end = self.target()?;
        let items = self.set_items(end.checked_sub(1).ok_or(Invalid)?)?;
        self.expect(op::FAILURE)?;
        Ok(self.unit(Rule::Set(items), fold, false))
    }

    /// Set members from the current place up to `end`.
    fn set_items(&mut self, end: usize) -> Lowered<Box<[SetItem]>> {
        let mut items = Vec::new();
        while self.pos < end {
            items.push(match self.word()? {
                op::NEGATE => SetItem::Negate,
                op::LITERAL => SetItem::Literal(self.word()?),
                op::RANGE => SetItem::Range(self.word()?, self.word()?),
                op::RANGE_UNI_IGNORE => SetItem::RangeIgnore(self.word()?, self.word()?),
                op::CATEGORY => SetItem::Category(self.category()?),
                op::CHARSET => SetItem::Bitmap(self.words(8)?),
                op::BIGCHARSET => {
                    let count = self.word()? as usize;
                    let mut index = Box::new([0u8; 256]);
                    for (four, word) in index.chunks_exact_mut(4).zip(self.words(64)?) {
                        four.copy_from_slice(&word.to_ne_bytes());
                    }
                    if index.iter().any(|&block| usize::from(block) >= count) {
                        return Err(Invalid);
                    }
                    SetItem::Blocks { index, bits: self.words(count.checked_mul(8).ok_or(Invalid)?)? }
                }
                _ => return Err(Invalid),
            });
        }
        if self.pos == end { Ok(items.into()) } else { Err(Invalid) }
    }

    fn info(&mut self, place: usize) -> Lowered<()> {
        let end = self.target()?;
        let flags = self.word()?;
        let min = self.word()? as usize;
        self.word()?;
        let known = info::PREFIX | info::LITERAL | info::CHARSET;
        let with_prefix = flags & info::PREFIX != 0;
        if flags & !known != 0
            || with_prefix && flags & info::CHARSET != 0
            || !with_prefix && flags & info::LITERAL != 0
        {
            return Err(Invalid);
        }
        if place == 0 {
            self.min_width = min;
        }
        if with_prefix {
            let len = self.word()? as usize;
            let skip = self.word()? as usize;
            let literals = self.words(len)?;
            if self.words(len)?.iter().any(|&overlap| overlap as usize >= len) || skip > len {
                return Err(Invalid);
            }
            if place == 0 && len > 0 {
                let whole = flags & info::LITERAL != 0;
                self.prefix = Some(Prefix { literals, skip, whole, resume: end + 2 * skip, pc: None });
            }
        }
        if flags & info::CHARSET != 0 {
            self.set_items(end.checked_sub(1).ok_or(Invalid)?)?;
            self.expect(op::FAILURE)?;
        }
        if self.pos == end { Ok(()) } else { Err(Invalid) }
    }

    /// Opens the next alternative of a branch, or ends the branch at the zero skip.
    fn alternative(
        &mut self,
        branch: Option<usize>,
        jumps: Vec<usize>,
        target: Option<usize>,
        mut entries: Vec<Pc>,
    ) -> Lowered<()> {
        let next = self.target()?;
        if next == self.pos - 1 {
            if target != Some(self.pos) {
                return Err(Invalid);
            }
            let end = self.pc();
            for jump in jumps {
                self.insts[jump] = Inst::Jump(end);
            }
            if let Some(branch) = branch {
                self.branches[branch] = entries.into_iter().map(|pc| Alternative { pc, first: None }).collect();
            }
            self.in_run = false;
            return Ok(());
        }
        let branch = branch.unwrap_or_else(|| {
            self.branches.push(Box::default());
            let id = self.branches.len() - 1;
            self.emit(Inst::Branch(id as u32));
            id
        });
        entries.push(self.pc());
        self.open(next.checked_sub(2), Kind::Alternative { branch, jumps, target, entries })
    }

    fn single(&mut self, code: u32) -> Lowered<()> {
        let tail = self.target()?;
        let (min, max) = self.bounds()?;
        let inner = self.word()?;
        let item = self.item(inner)?;
        self.expect(op::SUCCESS)?;
        if self.pos != tail {
            return Err(Invalid);
        }
        let id = self.singles.len() as u32;
        self.emit(match code {
            op::REPEAT_ONE => Inst::RepeatOne(id),
            op::MIN_REPEAT_ONE => Inst::MinRepeatOne(id),
            _ => Inst::PossessiveOne(id),
        });
        self.singles.push(Single { min, max, item, tail: self.pc(), tail_first: TailFirst::Unknown });
        Ok(())
    }

    fn bounds(&mut self) -> Lowered<(usize, usize)> {
        let (min, max) = (self.word()?, self.word()?);
        if min > max { Err(Invalid) } else { Ok((min as usize, limit(max))) }
    }

    fn repeat(&mut self, code: u32) -> Lowered<()> {
        let end = self.target()?;
        let (min, max) = self.bounds()?;
        let id = self.repeats.len();
        let possessive = code == op::POSSESSIVE_REPEAT;
        self.possessive |= possessive;
        self.emit(if possessive { Inst::PossessiveRepeat(id as u32) } else { Inst::Repeat(id as u32) });
        self.repeats.push(Repeat { min, max, body: self.pc(), tail: 0 });
        self.open(Some(end), if possessive { Kind::Possessive(id) } else { Kind::Repeat(id) })
    }

    fn group_ref(&mut self, inst: fn(u32) -> Inst) -> Lowered<()> {
        let group = self.group()?;
        self.emit(inst(group));
        Ok(())
    }

    fn group(&mut self) -> Lowered<u32> {
        let group = self.word()?;
        if group < self.groups { Ok(group) } else { Err(Invalid) }
    }

    fn conditional(&mut self) -> Lowered<()> {
        let group = self.group()?;
        let skip = self.word()? as usize;
        let end = (self.pos - 2).checked_add(skip);
        let inst = self.emit(Inst::GroupRefExists(group, 0));
        self.open(end, Kind::Yes(inst))
    }

    /// A `JUMP` outside of a branch: between the two parts of a conditional.
    fn other_part(&mut self) -> Lowered<()> {
        let end = self.end()?;
        if self.pos + 1 != end {
            return Err(Invalid);
        }
        let Some(Region { kind: Kind::Yes(inst), .. }) = self.regions.pop() else { return Err(Invalid) };
        let target = self.target()?;
        let jump = self.emit(Inst::Jump(0));
        self.aim(inst);
        self.open(Some(target), Kind::No(jump))
    }

    /// Makes the instruction's target the place reached now.
    fn aim(&mut self, inst: usize) {
        let here = self.pc();
        match &mut self.insts[inst] {
            Inst::Jump(to) | Inst::Atomic(to) | Inst::GroupRefExists(_, to) => *to = here,
            _ => {}
        }
    }

    /// Ends the innermost region; true when that was the whole pattern.
    fn close(&mut self) -> Lowered<bool> {
        let Some(region) = self.regions.pop() else { return Err(Invalid) };
        self.in_run = false;
        match region.kind {
            Kind::Whole => {
                self.emit(Inst::Success);
                return Ok(true);
            }
            Kind::Alternative { branch, mut jumps, target, entries } => {
                self.expect(op::JUMP)?;
                let to = self.target()?;
                if target.is_some_and(|known| known != to) {
                    return Err(Invalid);
                }
                jumps.push(self.emit(Inst::Jump(0)));
                self.alternative(Some(branch), jumps, Some(to), entries)?;
            }
            Kind::Repeat(id) => {
                let until = match self.word()? {
                    op::MAX_UNTIL => Inst::MaxUntil,
                    op::MIN_UNTIL => Inst::MinUntil,
                    _ => return Err(Invalid),
                };
                self.emit(until);
                self.repeats[id].tail = self.pc();
            }
            Kind::Possessive(id) => {
                self.expect(op::SUCCESS)?;
                self.emit(Inst::Success);
                self.repeats[id].tail = self.pc();
            }
            Kind::Atomic(inst) => {
                self.expect(op::SUCCESS)?;
                self.emit(Inst::Success);
                self.aim(inst);
            }
            Kind::Look(id) => {
                self.expect(op::SUCCESS)?;
                self.emit(Inst::Success);
                self.looks[id].tail = self.pc();
            }
            Kind::Yes(inst) | Kind::No(inst) => self.aim(inst),
        }
        Ok(false)
    }

    fn finish(mut self) -> Lowered<Program> {
        if u32::try_from(self.insts.len()).is_err() {
            return Err(Invalid);
        }
        let start = match self.prefix.take() {
            // The resuming place may be the final `SUCCESS`, which no instruction of the loop stands for.
            Some(p) => {
                let last = self.insts.len() as Pc - 1;
                let pc = if p.resume + 1 == self.code.len() { Some(last) } else { p.pc };
                Start::Prefix { literals: p.literals, skip: p.skip, whole: p.whole, pc: pc.ok_or(Invalid)? }
            }
            None if self.insts.first() == Some(&Inst::At(At::Beginning)) => Start::Anchored,
            None => Start::Anywhere,
        };
        let mut program = Program {
            insts: self.insts.into(),
            literals: self.literals.into_iter().map(Vec::into_boxed_slice).collect(),
            units: self.units,
            branches: self.branches,
            singles: self.singles,
            repeats: self.repeats,
            looks: self.looks,
            groups: self.groups as usize,
            min_width: self.min_width,
            start,
            possessive: self.possessive,
        };
        add_first_characters(&mut program);
        Ok(program)
    }
}

/// Fills in what can be known of the characters with which alternatives, tails of repeats and matches begin.
///
/// Where a possessive repeat may leave marks behind, only those places are passed over that CPython does not try
/// either, or that fail on their first instruction.
fn add_first_characters(program: &mut Program) {
    let one = |program: &Program, pc: Pc| {
        let quick = matches!(program.insts[pc as usize], Inst::One(_) | Inst::Literals(_));
        if program.possessive && !quick { None } else { first::of(program, pc) }
    };
    let mut branches = std::mem::take(&mut program.branches);
    for id in 0..branches.len() {
        // Inner branches have the larger indices and are not needed yet: `first::of` looks at their entries only.
        program.branches = branches;
        let firsts: Vec<Option<First>> =
            program.branches[id].iter().map(|alternative| one(program, alternative.pc)).collect();
        branches = std::mem::take(&mut program.branches);
        for (alternative, first) in branches[id].iter_mut().zip(firsts) {
            alternative.first = first;
        }
    }
    program.branches = branches;
    for id in 0..program.singles.len() {
        let tail = program.singles[id].tail;
        let first = match program.insts[tail as usize] {
            Inst::One(Item::Literal(ch)) => TailFirst::Literal(ch),
            Inst::Literals(run) => TailFirst::Literal(program.literals[run as usize][0]),
            _ => one(program, tail).map_or(TailFirst::Unknown, TailFirst::Set),
        };
        program.singles[id].tail_first = first;
    }
    if matches!(program.start, Start::Anywhere)
        && let Some(first) = first::of(program, 0)
    {
        program.start = Start::First(first);
    }
}

fn at_of(code: u32) -> Lowered<At> {
    Ok(match code {
        at::BEGINNING | at::BEGINNING_STRING => At::Beginning,
        at::BEGINNING_LINE => At::BeginningLine,
        at::END => At::End,
        at::END_LINE => At::EndLine,
        at::END_STRING => At::EndString,
        at::BOUNDARY => At::Boundary(Words::Ascii, true),
        at::NON_BOUNDARY => At::Boundary(Words::Ascii, false),
        at::LOC_BOUNDARY => At::Boundary(Words::Locale, true),
        at::LOC_NON_BOUNDARY => At::Boundary(Words::Locale, false),
        at::UNI_BOUNDARY => At::Boundary(Words::Unicode, true),
        at::UNI_NON_BOUNDARY => At::Boundary(Words::Unicode, false),
        _ => return Err(Invalid),
    })
}

/// Largest number of marks that a program of so many groups can set: a mark may be one past the last group's.
pub const fn mark_count(groups: usize) -> usize {
    2 * groups + 2
}
