//! Registers, program counters and frame headers as the handlers see them. Home of unsafe code: this file turns the raw
//! UNSAFE home: registers and instruction words are raw memory; the register invariants of `opcodes.rs` make it sound.
//! words of the register stack and of instruction streams into values, so that the handlers need not.
//!
//! The safety argument, once for all: a [`Regs`] is made from the base of a frame that [`crate::frames`] has entered, and
//! is not kept beyond it; the words of the stack are 0 or valid `Value`s that the stack owns (return addresses are
//! immediate ints); operand indices come from code that the compiler made or `code.replace` verified, so they are below
//! the frame's `nregs`, for which the stack has room. References that `get` hands out borrow a register: they end before
//! the register is written, as the handlers' discipline "fast paths borrow, slow paths clone" demands.
use std::sync::atomic::{AtomicU64, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

use krait_bytecode::Word;
use krait_bytecode::opcodes::FRAME_HEADER;
use krait_object::refs::Object;
use krait_object::{Ref, Tuple, Value};
use krait_runtime::types::code::{Code, UNREAD};
use krait_runtime::types::frame::Frame;
use krait_runtime::types::function::Function;

/// Points at an instruction word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pc(pub *const AtomicU64);

impl Pc {
    #[inline(always)]
    pub fn word(self) -> Word {
        // SAFETY: see the file's header; every instruction ends in one that does not fall through.
        Word(unsafe { &*self.0 }.load(Relaxed))
    }
    #[inline(always)]
    pub fn add(self, words: usize) -> Pc {
        Pc(self.0.wrapping_add(words))
    }
    #[inline(always)]
    pub fn back(self, words: usize) -> Pc {
        Pc(self.0.wrapping_sub(words))
    }
    #[inline(always)]
    pub fn offset(self, words: isize) -> Pc {
        Pc(self.0.wrapping_offset(words))
    }
    /// The extra word `i` of the instruction whose first word is just before.
    #[inline(always)]
    pub fn extra(self, i: usize) -> u64 {
        self.add(i).word().0
    }
    #[inline(always)]
    pub fn set_extra(self, i: usize, bits: u64) {
        // SAFETY: see the file's header; the row of the opcode declares the word.
        unsafe { &*self.0.wrapping_add(i) }.store(bits, Relaxed);
    }
    /// As [`Pc::extra`], before whatever is read after it.
    #[inline(always)]
    pub fn extra_acquire(self, i: usize) -> u64 {
        // SAFETY: see the file's header; the row of the opcode declares the word.
        unsafe { &*self.0.wrapping_add(i) }.load(Acquire)
    }
    /// As [`Pc::set_extra`], after whatever was written before it.
    #[inline(always)]
    pub fn set_extra_release(self, i: usize, bits: u64) {
        // SAFETY: see the file's header; the row of the opcode declares the word.
        unsafe { &*self.0.wrapping_add(i) }.store(bits, Release);
    }
    /// Exchanges the extra word `i` if it still is `old`.
    #[inline]
    pub fn exchange_extra(self, i: usize, old: u64, new: u64) -> bool {
        // SAFETY: see the file's header; the row of the opcode declares the word.
        unsafe { &*self.0.wrapping_add(i) }.compare_exchange(old, new, AcqRel, Relaxed).is_ok()
    }
    /// The constant or name in extra word `i`, which the code object owns.
    #[inline(always)]
    pub fn constant<'a>(self, i: usize) -> &'a Value {
        // SAFETY: `Code` put a value's bits there, and owns the value while the frame owns the code.
        unsafe { &*self.0.wrapping_add(i).cast::<Value>() }
    }
    #[inline(always)]
    pub fn name<'a>(self, i: usize) -> &'a Ref<krait_object::Str> {
        // SAFETY: `Code` put an interned string there; a `Ref` is the same word as its value.
        unsafe { &*self.0.wrapping_add(i).cast::<Ref<krait_object::Str>>() }
    }
}

/// The registers of a running frame.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Regs(pub *mut u64);

/// What a handler hands to the dispatch loop: where to go on.
#[derive(Clone, Copy)]
pub struct S {
    pub pc: Pc,
    pub r: Regs,
}

/// Return address of a call that `__init__` of a new instance is: the result is the instance below the window.
pub const INIT_CALL: u64 = 1;
/// Return address of a generator that `FOR_ITER` or `SEND` resumed: it goes on after that instruction's only word. Below
/// the window is the base of the frame that resumed it, whose register A keeps the generator.
pub const RESUMED: u64 = 2;

/// Return address of a function that an instruction called which is no call: the getter of a property for `LOAD_ATTR`,
/// `__getitem__` for `BINARY_SUBSCR`. It goes on after that instruction. Below the window is the base of the frame that called.
pub const SPECIAL: u64 = 4;

impl Regs {
    #[inline(always)]
    fn at(self, i: usize) -> *mut u64 {
        self.0.wrapping_add(i)
    }
    #[inline(always)]
    pub fn bits(self, i: usize) -> u64 {
        // SAFETY: see the file's header.
        unsafe { *self.at(i) }
    }
    /// A register that is bound.
    #[inline(always)]
    pub fn get<'a>(self, i: usize) -> &'a Value {
        debug_assert!(self.bits(i) != 0, "register {i} is unbound");
        // SAFETY: see the file's header.
        unsafe { &*self.at(i).cast::<Value>() }
    }
    #[inline(always)]
    pub fn opt<'a>(self, i: usize) -> Option<&'a Value> {
        // SAFETY: see the file's header; `Option<Value>` is one word whose `None` is 0.
        unsafe { &*self.at(i).cast::<Option<Value>>() }.as_ref()
    }
    #[inline(always)]
    pub fn is_bound(self, i: usize) -> bool {
        self.bits(i) != 0
    }
    /// Stores and hands back what was there.
    #[inline(always)]
    pub fn replace(self, i: usize, value: Option<Value>) -> Option<Value> {
        // SAFETY: see the file's header; the old value moves out as the new one moves in.
        unsafe { std::mem::replace(&mut *self.at(i).cast::<Option<Value>>(), value) }
    }
    #[inline(always)]
    pub fn take(self, i: usize) -> Option<Value> {
        self.replace(i, None)
    }
    /// Stores into a register that is unbound.
    #[inline(always)]
    pub fn put(self, i: usize, value: Value) {
        debug_assert!(self.bits(i) == 0, "register {i} is bound");
        // SAFETY: see the file's header.
        unsafe { *self.at(i) = value.into_bits() }
    }
    /// Stores into a register that is unbound without counting a reference: whoever lends keeps the value alive until
    /// [`Regs::unlend`].
    #[inline(always)]
    pub fn lend(self, i: usize, value: &Value) {
        debug_assert!(self.bits(i) == 0, "register {i} is bound");
        // SAFETY: see the file's header; the word is a value as long as its owner holds it.
        unsafe { *self.at(i) = value.bits() }
    }
    /// Takes back what was lent.
    #[inline(always)]
    pub fn unlend(self, i: usize) {
        // SAFETY: see the file's header; no reference was counted.
        unsafe { *self.at(i) = 0 }
    }
    /// Moves the value out if `dies`, counts a new reference otherwise.
    #[inline(always)]
    pub fn take_or_clone(self, i: usize, dies: bool) -> Value {
        if dies { self.take(i).unwrap_or(Value::NONE) } else { self.get(i).clone() }
    }
    /// Moves out of a register that is bound.
    #[inline(always)]
    pub fn moved(self, i: usize) -> Value {
        debug_assert!(self.bits(i) != 0, "register {i} is unbound");
        self.take(i).unwrap_or(Value::NONE)
    }
    /// The values of `n` bound registers from `i` on.
    #[inline(always)]
    pub fn slice<'a>(self, i: usize, n: usize) -> &'a [Value] {
        // SAFETY: see the file's header; bound registers hold values.
        unsafe { std::slice::from_raw_parts(self.at(i).cast::<Value>(), n) }
    }
    /// `n` registers from `i` on, bound or not.
    #[inline(always)]
    pub fn options<'a>(self, i: usize, n: usize) -> &'a [Option<Value>] {
        // SAFETY: see the file's header; `Option<Value>` is one word whose `None` is 0.
        unsafe { std::slice::from_raw_parts(self.at(i).cast::<Option<Value>>(), n) }
    }
    /// The values of `n` bound registers from `i` on, moved out.
    pub fn take_many(self, i: usize, n: usize) -> Vec<Value> {
        (0..n).map(|k| self.moved(i + k)).collect()
    }
    /// Moves `n` registers from `from` to `to`, which may overlap; what is left behind becomes unbound.
    #[inline]
    pub fn shift(self, from: usize, to: usize, n: usize) {
        // Few words, which are not worth a call of memmove.
        let one = |i: usize| {
            // SAFETY: see the file's header; every word moves once, as its register is cleared.
            unsafe {
                let word = std::mem::replace(&mut *self.at(from + i), 0);
                *self.at(to + i) = word;
            }
        };
        if to > from { (0..n).rev().for_each(one) } else { (0..n).for_each(one) }
    }
    /// Moves the values into the registers from `R[0]` on, which are unbound, and empties the vector.
    #[inline(always)]
    pub fn load(self, values: &mut Vec<Option<Value>>) {
        // A loop over few words, which is not worth a call of memcpy.
        // SAFETY: see the file's header; every value moves once, as the vector forgets them.
        unsafe {
            let from = values.as_ptr().cast::<u64>();
            for i in 0..values.len() {
                *self.at(i) = *from.add(i);
            }
            values.set_len(0);
        }
    }
    /// Moves the registers `R[0..n)` into the vector, which is empty; they become unbound.
    #[inline(always)]
    pub fn unload(self, n: usize, values: &mut Vec<Option<Value>>) {
        values.reserve(n);
        let to = values.as_mut_ptr();
        for i in 0..n {
            // SAFETY: see the file's header; every value moves once, as its register is cleared; there is room for `n`.
            unsafe { to.add(i).write(self.take(i)) }
        }
        // SAFETY: `n` entries are written.
        unsafe { values.set_len(n) }
    }
    /// Drops the registers `from..to`; true if that may have freed an object.
    #[inline(always)]
    pub fn clear(self, from: usize, to: usize) -> bool {
        let mut freed = false;
        for i in from..to {
            if let Some(v) = self.take(i) {
                freed |= v.release();
            }
        }
        freed
    }
    /// Clears one register that a kill bit names.
    #[inline(always)]
    pub fn kill(self, i: usize) -> bool {
        match self.take(i) {
            Some(v) => v.release(),
            None => false,
        }
    }
    /// As [`Regs::kill`] where that is only counting; false, and the register is as it was: an object would be freed.
    #[inline(always)]
    pub fn kill_counts(self, i: usize) -> bool {
        match self.take(i).and_then(Value::give_back) {
            Some(last) => {
                self.put(i, last);
                false
            }
            None => true,
        }
    }
    #[inline(always)]
    pub fn up(self, words: usize) -> Regs {
        Regs(self.0.wrapping_add(words))
    }
    #[inline(always)]
    pub fn down(self, words: usize) -> Regs {
        Regs(self.0.wrapping_sub(words))
    }

    // The frame header below the registers.
    #[inline(always)]
    pub fn header(self) -> Regs {
        self.down(FRAME_HEADER)
    }
    #[inline(always)]
    pub fn function<'a>(self) -> &'a Function {
        // SAFETY: `frames::enter` puts a function object below every frame, which the frame owns.
        unsafe { &(*(self.header().bits(0) as *const Object<Function>)).payload }
    }
    pub fn function_ref(self) -> Ref<Function> {
        self.header().get(0).to_ref().expect("a frame's callable is a function")
    }
    #[inline(always)]
    pub fn code<'a>(self) -> &'a Code {
        // SAFETY: `set_code` puts the code object below every frame, whose function keeps it.
        unsafe { &(*(self.header().bits(2) as *const Object<Code>)).payload }
    }
    pub fn code_ref(self) -> Ref<Code> {
        self.header().get(2).to_ref().expect("a frame has its code object in the header")
    }
    #[inline(always)]
    pub fn has_code(self) -> bool {
        self.header().is_bound(2)
    }
    /// Puts the code into the header, which borrows it: the function, or the generator whose frame it is, keeps it.
    #[inline(always)]
    pub fn set_code(self, code: &Object<Code>) {
        debug_assert!(self.header().bits(2) == 0, "the frame has code already");
        // SAFETY: see the file's header; the word is a value as long as its owner holds it.
        unsafe { *self.header().at(2) = std::ptr::from_ref(code) as u64 }
    }
    /// Empties the header but for the frame object; true if that may have freed an object.
    #[inline(always)]
    pub fn clear_header(self) -> bool {
        let header = self.header();
        header.unlend(2);
        self.forget_return();
        header.kill(0)
    }
    /// The mapping of a module, class body or `exec`.
    pub fn namespace(self) -> Option<Value> {
        let held = self.header().opt(3).and_then(|extra| match extra.downcast_exact::<Frame>() {
            Some(frame) => frame.namespace.get(),
            None => Some(extra.clone()),
        });
        held.or_else(|| self.implied_namespace())
    }
    /// The globals, for a function that was made of code without fast locals.
    pub fn implied_namespace(self) -> Option<Value> {
        let optimized = self.code().flags & krait_bytecode::code::flags::OPTIMIZED != 0;
        (!optimized).then(|| self.function().globals.to_value())
    }
    #[inline(always)]
    pub fn set_return(self, pc: Pc, flags: u64) {
        // Addresses of words are multiples of eight below 2^47, so they fit an immediate int with three bits to spare.
        self.header().put(1, Value::small_int_unchecked((pc.0 as u64 | flags) as i64));
    }
    /// The return address and its flags.
    #[inline(always)]
    pub fn return_pc(self) -> (Pc, u64) {
        let bits = self.header().bits(1) & ((1 << 48) - 1);
        (Pc((bits & !7) as *const AtomicU64), bits & 7)
    }
    #[inline(always)]
    pub fn forget_return(self) {
        self.header().unlend(1);
    }
}

/// The tuple in extra word `i`.
#[inline(always)]
pub fn constant_tuple<'a>(pc: Pc, i: usize) -> &'a [Value] {
    pc.constant(i).downcast_ref::<Tuple>().map_or(&[], |t| t.as_slice())
}

/// The word index of an instruction in the running frame's code.
#[inline]
pub fn word_index(code: &Code, pc: Pc) -> u32 {
    ((pc.0 as usize - code.entry() as usize) / 8) as u32
}
/// The instruction at a word index.
#[inline(always)]
pub fn pc_at(code: &Code, word: u32) -> Pc {
    let mut start = code.entry();
    if start == UNREAD.as_ptr() {
        code.body();
        start = code.entry();
    }
    Pc(start.wrapping_add(word as usize))
}
