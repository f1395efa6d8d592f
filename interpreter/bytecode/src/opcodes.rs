//! THE opcode table: one row per opcode, from which the enum, its metadata and the VM's dispatch are generated.
//!
//! What lives here: [`for_each_opcode!`], [`Op`], operand kinds and flags, the instruction word. What does not: the
//! meaning in code (`vm/src/ops/`), the choice of instructions (`krait-compiler`). CPython counterpart:
//! `Python/bytecodes.c` as a list, `Include/opcode_ids.h`. Longer than 500 lines because it is one table.
//!
//! # Words
//!
//! An instruction is one 64-bit word `op8 | flags8 | a16 | b16 | c16` (op in the lowest byte), then the words that its
//! row declares: `Cache` (zero in the code object; the VM's), `Const` (index into `consts`; the VM puts the value
//! there), `Name` (index into `names`), `Raw` (a number). The executable stream has the same layout, so pc offsets
//! agree. "pc" below is a word index. A `Name` operand with `Wide` after it has 32 bits: `b | c << 16`. A `Jump`
//! operand is signed and relative to the word after the instruction's FIRST word: `target = index + 1 + c`; `Jump` with
//! `Wide` has 32 bits. A conditional jump whose target is too far is expanded by the assembler.
//!
//! # Registers
//!
//! `R[0..nlocals)` fast locals in `co_varnames` order, arguments first (positional, keyword-only, `*args`,
//! `**kwargs`); then variables that are only cells, in `co_cellvars` order; then free variables, in `co_freevars`
//! order (the VM copies the closure's cells there at entry); from `first_temp` on temporaries; `nregs` in all (windows
//! included, the callee's registers not). An argument that a nested function captures is wrapped in place by `MAKE_CELL`.
//!
//! 1. **A register that is not live holds UNBOUND.** At entry every register from the arguments' end on is UNBOUND, and
//!    so is everything above the window at a call. A frame that returns or unwinds leaves its registers UNBOUND.
//! 2. Operands are borrowed. A temporary that dies has its **kill bit**: bit 0 ([`KILL_1`]) for the first register that
//!    the instruction reads (in the order a, b, c, counting the operands of kind `Read` only), bit 1 for the second, bit
//!    2 for the third. The handler drops it or moves out of it and leaves UNBOUND. Locals and cells are never killed.
//! 3. When the destination is also an operand, that operand's kill bit is clear: writing drops the old value. Otherwise
//!    a destination that is a temporary is UNBOUND before; one that is a local may hold a value, dropped AFTER the write.
//! 4. If the instruction raises, the destination is unchanged (nothing was written); killed operands may or may not be
//!    gone already (the unwinder drops what is left above the handler's depth).
//!    An instruction reads all its operands before it writes anything, so windows and runs may overlap its operands.
//! 5. `Moved` operands are the first of a run of consecutive temporaries, all moved out (left UNBOUND).
//! 6. Live temporaries lie in `[first_temp, height)`, with holes (UNBOUND) for window headers and reserved results. `RETURN_VALUE.b`, `YIELD_VALUE.c` give
//!    that height: no register at or above it is live.
//! 7. `CHECK_BOUND` stands where a borrowed local may be unbound; a `Read` operand is never UNBOUND.
//!
//! # Calls
//!
//! A window at `R[a]`: callable, then return pc (`a+1`), code (`a+2`), frame extra (`a+3`), and the arguments from
//! `R[a+FRAME_HEADER]`, which is the callee's `R[0]`. The window is the top: nothing above it is live. Every `CALL*`
//! has exactly ONE word after its first, so the call's word is `return pc - 2`, and its `c` is the register of the
//! result, written after the whole window (callable, header, arguments) is UNBOUND again; `c` may be `a` or a local.
//! Method form (`LOAD_METHOD`, `LOAD_SUPER_ATTR` with [`METHOD`], `BEFORE_WITH`): function in `R[a]`, self in `R[a+4]`,
//! or the bound value in `R[a]` and UNBOUND in `R[a+4]`; arguments from `R[a+5]`. `CALL_METHOD*` shift when it is UNBOUND.
//! Keyword calls: values positional then keyword, names in a constant tuple.
//!
//! # Exceptions
//!
//! Zero-cost table of `(start, end, handler, depth)` words; inner entries come first. Unwinding drops every register
//! `>= depth`, stores the exception in `R[depth]` and goes on at the handler. `PUSH_EXC_INFO d` saves the handled
//! exception in `R[d+1]` and makes `R[d]` the handled one; `POP_EXCEPT d` restores it and leaves both UNBOUND. `RERAISE` adds no
//! traceback entry for the frame. The pc that counts is that of the instruction's first word; for a frame that is
//! calling, the call's.
//!
//! # Safe points, entry
//!
//! Safe points (signals, stop the world, asynchronous exceptions): `RESUME` (of a delegating generator: not for what interrupts), `JUMP_BACKWARD`, `FOR_ITER`, and any conditional
//! jump that is taken with a negative offset. `JUMP_FORWARD` never is one. Word 0 of every code object is `RESUME 0`; a call that
//! does its check itself may start at word 1. A generator function (by `CO_*` flag) makes the generator at the call,
//! before word 0. The registers of a generator are copied out at `YIELD_VALUE` and in at resumption.
//!
//! # Who adds rows
//!
//! Rows before `HALT` are what the compiler emits; their names, order and operands name the version of stored code. Rows from
//! `HALT` on are the VM's own (shims, specialised and instrumented forms) and never occur in a code object.

/// Words from the callable to the first argument in a call window.
pub const FRAME_HEADER: usize = 4;

/// First register read is a temporary that dies.
pub const KILL_1: u8 = 0x01;
/// Second register read is a temporary that dies.
pub const KILL_2: u8 = 0x02;
/// Third register read is a temporary that dies.
pub const KILL_3: u8 = 0x04;
/// `JT`/`JF`: the operand dies only when the jump is not taken (`and`, `or` as values).
pub const KILL_FALL: u8 = 0x08;
/// Immediate arithmetic: the immediate is the LEFT operand (slow paths only; the fast paths are commutative).
pub const REVERSED: u8 = 0x20;
/// `LOAD_SUPER_ATTR`: `super()` was written without arguments.
pub const ZERO_ARG: u8 = 0x20;
/// Binary operation: augmented assignment (`__iadd__` first; slow paths only).
pub const INPLACE: u8 = 0x40;
/// `LOAD_SUPER_ATTR`: deliver in method form.
pub const METHOD: u8 = 0x40;
/// `RERAISE`: a frame that is left here shows where the exception was raised in it.
pub const AT_RAISE: u8 = 0x20;
/// `YIELD_VALUE`: part of `yield from`/`await`; the receiver is in `R[b-1]`.
pub const DELEGATE: u8 = 0x40;

/// What an operand of the instruction word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Not used, zero.
    None,
    /// Register written.
    Out,
    /// Register read, borrowed, may carry a kill bit.
    Read,
    /// Register read and written, or read and dropped, as the row says; no kill bit.
    Both,
    /// First of a run of temporaries that are moved out; length as the row says.
    Moved,
    /// First of a run of temporaries written; length as the row says.
    Outs,
    /// First register of a call window.
    Window,
    /// Signed 16-bit number.
    Imm,
    /// Unsigned 16-bit number.
    Count,
    /// Index into `names`.
    Name,
    /// Signed jump offset.
    Jump,
    /// High half of the operand before it.
    Wide,
}

/// What a word after the instruction word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// Inline cache, zero in the code object.
    Cache,
    /// Index into `consts`; the value itself in the executable stream.
    Const,
    /// Index into `names`.
    Name,
    /// Number.
    Raw,
}

/// Control never falls through to the next instruction.
pub const ENDS: u8 = 1;
/// May jump (its operand of kind `Jump` says where).
pub const JUMPS: u8 = 2;
/// Can neither raise nor run Python code (a drop of a value aside).
pub const PURE: u8 = 4;
/// Call through a window.
pub const CALLS: u8 = 8;
/// Is a safe point whenever it runs.
pub const SAFE: u8 = 16;

/// Calls `$callback! { rows }`; a row is
/// `NAME handler [a b c] [extra words] (flags) "meaning";`. Operand kinds are [`Operand`]'s, extra words [`Extra`]'s.
#[macro_export]
macro_rules! for_each_opcode {
    ($callback:ident) => { $callback! {
        CACHE op_nop [None None None] [] (PURE) "no instruction: what the zero words of inline caches look like; never reached";
        NOP op_nop [None None None] [] (PURE) "nothing (carries a line)";
        RESUME op_resume [Count None None] [] (SAFE) "entry or resumption: A = 0 call, 1 after yield, 2 after yield from, 3 after await";

        // Moves, constants, variables
        MOVE op_move [Out Read None] [] (PURE) "R[A] := R[B]";
        LOAD_CONST op_loadk [Out None None] [Const] (PURE) "R[A] := constant";
        CLEAR op_clear [Both None None] [] (PURE) "R[A] := UNBOUND, dropping the value (R[A] may be UNBOUND)";
        MOVE_OR_CLEAR op_move_or_clear [Out Both None] [] (PURE) "R[A] := R[B], R[B] := UNBOUND; R[B] may be UNBOUND (shadowed names of inlined comprehensions)";
        CHECK_BOUND op_check_bound [Both None None] [] () "raise UnboundLocalError for local A if R[A] is UNBOUND";
        DELETE_FAST op_delete_fast [Both None None] [] () "R[A] := UNBOUND, UnboundLocalError if it was";
        MAKE_CELL op_make_cell [Both None None] [] () "R[A] := cell(R[A]), an empty cell if R[A] is UNBOUND";
        LOAD_DEREF op_load_deref [Out Both None] [] () "R[A] := content of cell R[B], NameError/UnboundLocalError if empty (B is a cell or free variable's register)";
        STORE_DEREF op_store_deref [Both Read None] [] () "content of cell R[A] := R[B]";
        DELETE_DEREF op_delete_deref [Both None None] [] () "content of cell R[A] := UNBOUND, NameError if it was";
        LOAD_FROM_DICT_OR_DEREF op_load_from_dict_or_deref [Out Read Both] [] () "R[A] := R[B][name of variable C], or content of cell R[C] if missing";
        LOAD_FROM_DICT_OR_GLOBALS op_load_from_dict_or_globals [Out Read None] [Name] () "R[A] := R[B][name], or the global or builtin if missing";
        LOAD_GLOBAL op_load_global [Out Name Wide] [Cache Cache] () "R[A] := globals[name], or builtins[name]; NameError";
        STORE_GLOBAL op_store_global [Read Name Wide] [Cache] () "globals[name] := R[A]";
        DELETE_GLOBAL op_delete_global [None Name Wide] [] () "del globals[name]; NameError";
        LOAD_NAME op_load_name [Out Name Wide] [Cache Cache] () "R[A] := namespace[name], or globals, or builtins; NameError";
        STORE_NAME op_store_name [Read Name Wide] [Cache] () "namespace[name] := R[A]";
        DELETE_NAME op_delete_name [None Name Wide] [] () "del namespace[name]; NameError";
        LOAD_LOCALS op_load_locals [Out None None] [] () "R[A] := the frame's namespace mapping";
        LOAD_BUILD_CLASS op_load_build_class [Out None None] [] () "R[A] := builtins.__build_class__";
        LOAD_ASSERTION_ERROR op_load_assertion_error [Out None None] [] (PURE) "R[A] := AssertionError";
        SETUP_ANNOTATIONS op_setup_annotations [None None None] [] () "namespace['__annotations__'] := {} unless present";

        // Arithmetic; INPLACE flag for augmented assignment
        ADD op_add [Out Read Read] [] () "R[A] := R[B] + R[C]";
        SUB op_sub [Out Read Read] [] () "R[A] := R[B] - R[C]";
        MUL op_mul [Out Read Read] [] () "R[A] := R[B] * R[C]";
        TRUEDIV op_truediv [Out Read Read] [] () "R[A] := R[B] / R[C]";
        FLOORDIV op_floordiv [Out Read Read] [] () "R[A] := R[B] // R[C]";
        MOD op_mod [Out Read Read] [] () "R[A] := R[B] % R[C]";
        POW op_pow [Out Read Read] [] () "R[A] := R[B] ** R[C]";
        MATMUL op_matmul [Out Read Read] [] () "R[A] := R[B] @ R[C]";
        LSHIFT op_lshift [Out Read Read] [] () "R[A] := R[B] << R[C]";
        RSHIFT op_rshift [Out Read Read] [] () "R[A] := R[B] >> R[C]";
        AND op_and [Out Read Read] [] () "R[A] := R[B] & R[C]";
        OR op_or [Out Read Read] [] () "R[A] := R[B] | R[C]";
        XOR op_xor [Out Read Read] [] () "R[A] := R[B] ^ R[C]";
        ADD_I op_add_i [Out Read Imm] [] () "R[A] := R[B] + C (REVERSED: C + R[B])";
        SUB_I op_sub_i [Out Read Imm] [] () "R[A] := R[B] - C";
        MUL_I op_mul_i [Out Read Imm] [] () "R[A] := R[B] * C (REVERSED: C * R[B])";
        TRUEDIV_I op_truediv_i [Out Read Imm] [] () "R[A] := R[B] / C";
        FLOORDIV_I op_floordiv_i [Out Read Imm] [] () "R[A] := R[B] // C";
        MOD_I op_mod_i [Out Read Imm] [] () "R[A] := R[B] % C";
        POW_I op_pow_i [Out Read Imm] [] () "R[A] := R[B] ** C";
        LSHIFT_I op_lshift_i [Out Read Imm] [] () "R[A] := R[B] << C";
        RSHIFT_I op_rshift_i [Out Read Imm] [] () "R[A] := R[B] >> C";
        AND_I op_and_i [Out Read Imm] [] () "R[A] := R[B] & C (REVERSED: C & R[B])";
        OR_I op_or_i [Out Read Imm] [] () "R[A] := R[B] | C (REVERSED: C | R[B])";
        XOR_I op_xor_i [Out Read Imm] [] () "R[A] := R[B] ^ C (REVERSED: C ^ R[B])";
        UNARY_NEGATIVE op_neg [Out Read None] [] () "R[A] := -R[B]";
        UNARY_POSITIVE op_pos [Out Read None] [] () "R[A] := +R[B]";
        UNARY_INVERT op_invert [Out Read None] [] () "R[A] := ~R[B]";
        UNARY_NOT op_not [Out Read None] [] () "R[A] := not R[B]";

        // Comparisons as values
        LT op_lt [Out Read Read] [] () "R[A] := R[B] < R[C]";
        LE op_le [Out Read Read] [] () "R[A] := R[B] <= R[C]";
        GT op_gt [Out Read Read] [] () "R[A] := R[B] > R[C]";
        GE op_ge [Out Read Read] [] () "R[A] := R[B] >= R[C]";
        EQ op_eq [Out Read Read] [] () "R[A] := R[B] == R[C]";
        NE op_ne [Out Read Read] [] () "R[A] := R[B] != R[C]";
        IS op_is [Out Read Read] [] (PURE) "R[A] := R[B] is R[C]";
        IS_NOT op_is_not [Out Read Read] [] (PURE) "R[A] := R[B] is not R[C]";
        IN op_in [Out Read Read] [] () "R[A] := R[B] in R[C]";
        NOT_IN op_not_in [Out Read Read] [] () "R[A] := R[B] not in R[C]";

        // Jumps
        JUMP_FORWARD op_jmp [None Jump Wide] [] (PURE | JUMPS | ENDS) "pc += BC; no safe point";
        JUMP_BACKWARD op_jmp_back [None Jump Wide] [] (JUMPS | ENDS | SAFE) "safe point; pc += BC";
        JT op_jt [Read None Jump] [] (JUMPS) "if R[A]: pc += C (KILL_FALL: R[A] dies only if it does not jump)";
        JF op_jf [Read None Jump] [] (JUMPS) "if not R[A]: pc += C (KILL_FALL: as JT)";
        JNONE op_jnone [Read None Jump] [] (PURE | JUMPS) "if R[A] is None: pc += C";
        JNOTNONE op_jnotnone [Read None Jump] [] (PURE | JUMPS) "if R[A] is not None: pc += C";
        JIS op_jis [Read Read Jump] [] (PURE | JUMPS) "if R[A] is R[B]: pc += C";
        JNIS op_jnis [Read Read Jump] [] (PURE | JUMPS) "if R[A] is not R[B]: pc += C";
        JIN op_jin [Read Read Jump] [] (JUMPS) "if R[A] in R[B]: pc += C";
        JNIN op_jnin [Read Read Jump] [] (JUMPS) "if R[A] not in R[B]: pc += C";
        JLT op_jlt [Read Read Jump] [] (JUMPS) "if R[A] < R[B]: pc += C";
        JNLT op_jnlt [Read Read Jump] [] (JUMPS) "if not R[A] < R[B]: pc += C";
        JLE op_jle [Read Read Jump] [] (JUMPS) "if R[A] <= R[B]: pc += C";
        JNLE op_jnle [Read Read Jump] [] (JUMPS) "if not R[A] <= R[B]: pc += C";
        JGT op_jgt [Read Read Jump] [] (JUMPS) "if R[A] > R[B]: pc += C";
        JNGT op_jngt [Read Read Jump] [] (JUMPS) "if not R[A] > R[B]: pc += C";
        JGE op_jge [Read Read Jump] [] (JUMPS) "if R[A] >= R[B]: pc += C";
        JNGE op_jnge [Read Read Jump] [] (JUMPS) "if not R[A] >= R[B]: pc += C";
        JEQ op_jeq [Read Read Jump] [] (JUMPS) "if R[A] == R[B]: pc += C";
        JNEQ op_jneq [Read Read Jump] [] (JUMPS) "if not R[A] == R[B]: pc += C";
        JNE op_jne [Read Read Jump] [] (JUMPS) "if R[A] != R[B]: pc += C";
        JNNE op_jnne [Read Read Jump] [] (JUMPS) "if not R[A] != R[B]: pc += C";
        JLT_I op_jlt_i [Read Imm Jump] [] (JUMPS) "if R[A] < B: pc += C";
        JNLT_I op_jnlt_i [Read Imm Jump] [] (JUMPS) "if not R[A] < B: pc += C";
        JLE_I op_jle_i [Read Imm Jump] [] (JUMPS) "if R[A] <= B: pc += C";
        JNLE_I op_jnle_i [Read Imm Jump] [] (JUMPS) "if not R[A] <= B: pc += C";
        JGT_I op_jgt_i [Read Imm Jump] [] (JUMPS) "if R[A] > B: pc += C";
        JNGT_I op_jngt_i [Read Imm Jump] [] (JUMPS) "if not R[A] > B: pc += C";
        JGE_I op_jge_i [Read Imm Jump] [] (JUMPS) "if R[A] >= B: pc += C";
        JNGE_I op_jnge_i [Read Imm Jump] [] (JUMPS) "if not R[A] >= B: pc += C";
        JEQ_I op_jeq_i [Read Imm Jump] [] (JUMPS) "if R[A] == B: pc += C";
        JNEQ_I op_jneq_i [Read Imm Jump] [] (JUMPS) "if not R[A] == B: pc += C";
        JNE_I op_jne_i [Read Imm Jump] [] (JUMPS) "if R[A] != B: pc += C";
        JNNE_I op_jnne_i [Read Imm Jump] [] (JUMPS) "if not R[A] != B: pc += C";

        // Attributes, items
        LOAD_ATTR op_load_attr [Out Read Name] [Cache Cache] () "R[A] := R[B].name";
        STORE_ATTR op_store_attr [Read Read Name] [Cache Cache] () "R[A].name := R[B]";
        DELETE_ATTR op_delete_attr [Read Name Wide] [] () "del R[A].name";
        LOAD_METHOD op_load_method [Window Read Name] [Cache Cache] () "method form of R[B].name in R[A], R[A+4]";
        LOAD_ATTR_DYN op_load_attr_dyn [Out Read Read] [] () "R[A] := getattr(R[B], R[C]) (more than 65535 names)";
        STORE_ATTR_DYN op_store_attr_dyn [Read Read Read] [] () "setattr(R[A], R[C], R[B]) (more than 65535 names)";
        LOAD_SUPER_ATTR op_load_super_attr [Window Moved Name] [Cache] () "R[A] := super(R[B+1], R[B+2]).name, R[B] being the global `super`; METHOD: method form; ZERO_ARG: R[B]() if it is not the builtin";
        BINARY_SUBSCR op_get_item [Out Read Read] [Cache] () "R[A] := R[B][R[C]]";
        BINARY_SUBSCR_I op_get_item_i [Out Read Imm] [Cache] () "R[A] := R[B][C]";
        STORE_SUBSCR op_set_item [Read Read Read] [] () "R[A][R[B]] := R[C]";
        DELETE_SUBSCR op_del_item [Read Read None] [] () "del R[A][R[B]]";
        BINARY_SLICE op_get_slice [Out Read Moved] [] () "R[A] := R[B][R[C]:R[C+1]]";
        STORE_SLICE op_set_slice [Read Moved Read] [] () "R[A][R[B]:R[B+1]] := R[C] (kill bits: 1 for A, 2 for C)";
        BUILD_SLICE op_build_slice [Out Moved Count] [] () "R[A] := slice of the C (2 or 3) registers from R[B]";

        // Displays, unpacking
        BUILD_TUPLE op_build_tuple [Out Moved Count] [] () "R[A] := tuple of the C registers from R[B]";
        BUILD_LIST op_build_list [Out Moved Count] [] () "R[A] := list of the C registers from R[B]";
        BUILD_SET op_build_set [Out Moved Count] [] () "R[A] := set of the C registers from R[B]";
        BUILD_MAP op_build_map [Out Moved Count] [] () "R[A] := dict of C pairs, key and value in turn, from R[B]";
        BUILD_STRING op_build_string [Out Moved Count] [] () "R[A] := the C strings from R[B] joined";
        LIST_APPEND op_list_append [Both Read None] [] () "list R[A].append(R[B])";
        SET_ADD op_set_add [Both Read None] [] () "set R[A].add(R[B])";
        MAP_ADD op_map_add [Both Read Read] [] () "dict R[A][R[B]] := R[C]";
        LIST_EXTEND op_list_extend [Both Read None] [] () "list R[A].extend(R[B]), for *R[B] (`Value after * must be an iterable, not X`)";
        LIST_TO_TUPLE op_list_to_tuple [Out Read None] [] () "R[A] := tuple(list R[B])";
        SET_UPDATE op_set_update [Both Read None] [] () "set R[A].update(R[B])";
        DICT_UPDATE op_dict_update [Both Read None] [] () "dict R[A].update(R[B]), for **R[B] in a display (`'X' object is not a mapping`)";
        DICT_MERGE op_dict_merge [Both Read Both] [] () "dict R[A].update(R[B]) for a call of R[C]: TypeError on a repeated keyword";
        UNPACK_SEQUENCE op_unpack_sequence [Outs Read Count] [] () "R[A..A+C) := the C items of R[B]";
        UNPACK_EX op_unpack_ex [Outs Read Count] [Raw] () "R[A..A+C) := first C items of R[B], R[A+C] := list of the middle, then the last (raw word) items";
        GET_LEN op_get_len [Out Read None] [] () "R[A] := len(R[B])";

        // Strings
        FORMAT_SIMPLE op_format_simple [Out Read None] [] () "R[A] := format(R[B], ''), R[B] itself if an exact str";
        FORMAT_WITH_SPEC op_format_with_spec [Out Read Read] [] () "R[A] := format(R[B], R[C])";
        CONVERT_VALUE op_convert_value [Out Read Count] [] () "R[A] := str (C=1), repr (2) or ascii (3) of R[B]";

        // Calls, functions, classes
        CALL op_call [Window Count Out] [Cache] (CALLS) "R[C] := R[A](R[A+4..A+4+B))";
        CALL_METHOD op_call_method [Window Count Out] [Cache] (CALLS) "R[C] := method form at R[A] with B arguments from R[A+5] (self not counted)";
        CALL_KW op_call_kw [Window Count Out] [Const] (CALLS) "R[C] := R[A](B values from R[A+4]), the last ones by the names in the constant tuple";
        CALL_METHOD_KW op_call_method_kw [Window Count Out] [Const] (CALLS) "R[C] := method form at R[A] with B values from R[A+5], the last ones by name";
        CALL_FUNCTION_EX op_call_ex [Window Count Out] [Cache] (CALLS) "R[C] := R[A](*R[A+4]), and **R[A+5] if B is 1; R[A+4] is any iterable (`argument after * must be an iterable`)";
        CALL_INTRINSIC_1 op_call_intrinsic_1 [Out Read Count] [] () "R[A] := intrinsic C (`Intrinsic1`) of R[B]";
        CALL_INTRINSIC_2 op_call_intrinsic_2 [Out Moved Count] [] () "R[A] := intrinsic C (`Intrinsic2`) of R[B], R[B+1]";
        MAKE_FUNCTION op_make_function [Out None None] [Const] () "R[A] := function of the constant code object and the frame's globals";
        SET_FUNCTION_ATTRIBUTE op_set_function_attribute [Both Read Count] [] (PURE) "function R[A]: defaults (C=1), kwdefaults dict (2), annotations (4; tuple of names and values in turn), closure (8) := R[B]";
        RETURN_VALUE op_return [Read Count None] [] (ENDS) "return R[A]; registers R[0..B) may be live";
        RETURN_NONE op_return_none [None Count None] [] (ENDS) "return None; registers R[0..B) may be live";

        // Iteration, generators, async
        GET_ITER op_get_iter [Out Read None] [] () "R[A] := iter(R[B])";
        FOR_ITER op_for_iter [Both Out Jump] [] (JUMPS | SAFE) "if next(R[A]) has an item: R[B] := item, pc += C; else R[A] := UNBOUND, go on";
        YIELD_VALUE op_yield [Out Read Count] [] () "yield R[B]; on resumption R[A] := the sent value; registers R[0..C) may be live";
        GET_YIELD_FROM_ITER op_get_yield_from_iter [Out Read None] [] () "R[A] := iterator for `yield from R[B]` (a coroutine only within a coroutine)";
        SEND op_send [Both Both Jump] [] (JUMPS) "send R[B] to R[A]; it yields: R[B] := value, go on; it returns: R[B] := value, R[A] := UNBOUND, pc += C";
        CLEANUP_THROW op_cleanup_throw [Out Both None] [] () "if exception R[B] is a StopIteration: R[A] := its value, R[B] := UNBOUND; else re-raise R[B]";
        GET_AWAITABLE op_get_awaitable [Out Read Count] [] () "R[A] := awaitable iterator of R[B]; C = 1 in __aenter__, 2 in __aexit__ (for the message)";
        GET_AITER op_get_aiter [Out Read None] [] () "R[A] := R[B].__aiter__()";
        GET_ANEXT op_get_anext [Out Both None] [] () "R[A] := awaitable of R[B].__anext__()";
        END_ASYNC_FOR op_end_async_for [Both Both None] [] () "if exception R[B] is a StopAsyncIteration: R[A], R[B] := UNBOUND; else re-raise R[B]";
        ASYNC_GEN_WRAP op_async_gen_wrap [Out Read None] [] () "R[A] := R[B] wrapped for an asynchronous generator's yield";

        // With, exceptions
        BEFORE_WITH op_before_with [Outs Read None] [] () "R[A] := bound __exit__ of R[B]; method form of its __enter__ in R[A+1], R[A+5]";
        BEFORE_ASYNC_WITH op_before_async_with [Outs Read None] [] () "as BEFORE_WITH with __aexit__, __aenter__";
        PREPARE_EXIT op_prepare_exit [Window Both None] [] (PURE) "call window for leaving a `with` normally: R[A] := R[B], R[B] := UNBOUND, R[A+4..A+7) := None";
        WITH_EXCEPT_START op_with_except_start [Out Both Both] [] () "R[A] := R[B](type(R[C]), R[C], R[C].__traceback__)";
        RAISE_VARARGS op_raise [Read Read Count] [] (ENDS) "C = 0: raise; 1: raise R[A]; 2: raise R[A] from R[B]";
        RERAISE op_reraise [Both None None] [] (ENDS) "raise R[A] again, R[A] := UNBOUND, no traceback entry; AT_RAISE: the frame is where R[A] was raised";
        PUSH_EXC_INFO op_push_exc_info [Both None None] [] (PURE) "R[A+1] := the handled exception or None; handled exception := R[A], which stays";
        POP_EXCEPT op_pop_except [Both None None] [] (PURE) "undoes PUSH_EXC_INFO A: handled exception := R[A+1]; R[A], R[A+1] := UNBOUND";
        JNEXC_MATCH op_jnexc_match [Both Read Jump] [] (JUMPS) "if exception R[A] does not match R[B] (class or tuple; TypeError if neither): pc += C";
        CHECK_EG_MATCH op_check_eg_match [Out Both Read] [] () "split exception (group) R[B] by R[C]: R[A] := the matching part (handled exception set to it) or None, R[B] := the rest or None";

        // Pattern matching
        MATCH_MAPPING op_match_mapping [Out Read None] [] (PURE) "R[A] := R[B] is a mapping for `match`";
        MATCH_SEQUENCE op_match_sequence [Out Read None] [] (PURE) "R[A] := R[B] is a sequence for `match`";
        MATCH_KEYS op_match_keys [Out Read Read] [] () "R[A] := tuple of R[B][k] for k in tuple R[C], or None";
        MATCH_CLASS op_match_class [Out Read Moved] [Raw] () "R[A] := tuple of attributes of R[B] for class R[C], keyword names R[C+1], (raw word) positional patterns, or None";

        // Imports
        IMPORT_NAME op_import_name [Out Moved None] [Name] () "R[A] := __import__(name, level=R[B], fromlist=R[B+1])";
        IMPORT_FROM op_import_from [Out Both None] [Name] () "R[A] := name from module R[B]; ImportError";

        // The VM's own
        HALT op_halt [None None None] [] (ENDS) "leave the dispatch loop";
    } };
}

macro_rules! flag_bits {
    () => { 0 };
    ($($flag:ident)|+) => { $($flag)|+ };
}

macro_rules! define_opcodes {
    ($($name:ident $handler:ident [$a:ident $b:ident $c:ident] [$($extra:ident)*] ($($flag:tt)*) $doc:literal;)*) => {
        /// An opcode; the discriminant is the instruction word's lowest byte.
        #[expect(non_camel_case_types, reason = "opcodes are written as in CPython")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Op {
            $(#[doc = $doc] $name),*
        }

        /// The table as data, indexed by opcode.
        pub static OPCODES: &[OpInfo] = &[
            $(OpInfo {
                op: Op::$name,
                name: stringify!($name),
                operands: [Operand::$a, Operand::$b, Operand::$c],
                extras: &[$(Extra::$extra),*],
                flags: flag_bits!($($flag)*),
                meaning: $doc,
            }),*
        ];
    };
}

for_each_opcode!(define_opcodes);

/// One row of the table.
#[derive(Debug)]
pub struct OpInfo {
    /// The opcode.
    pub op: Op,
    /// Its name.
    pub name: &'static str,
    /// Kinds of a, b, c.
    pub operands: [Operand; 3],
    /// The words after the first.
    pub extras: &'static [Extra],
    /// [`ENDS`], [`JUMPS`], [`PURE`], [`CALLS`], [`SAFE`].
    pub flags: u8,
    /// The meaning in one line.
    pub meaning: &'static str,
}

impl Op {
    /// The row of this opcode.
    #[inline]
    pub fn info(self) -> &'static OpInfo {
        &OPCODES[self as usize]
    }

    /// The opcode with this number, if there is one.
    #[inline]
    pub fn from_u8(byte: u8) -> Option<Op> {
        OPCODES.get(byte as usize).map(|info| info.op)
    }

    /// Words of an instruction, the first included.
    #[inline]
    pub fn words(self) -> usize {
        1 + self.info().extras.len()
    }

    /// Whether control never falls through.
    #[inline]
    pub fn ends(self) -> bool {
        self.info().flags & ENDS != 0
    }

    /// Whether a code object may contain it.
    #[inline]
    pub const fn is_emitted(self) -> bool {
        self as u8 != Op::CACHE as u8 && (self as u8) < Op::HALT as u8
    }
}

/// `CALL_INTRINSIC_1` functions; the numbers are CPython's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Intrinsic1 {
    /// Never emitted.
    Invalid = 0,
    /// Interactive mode: `sys.displayhook(x)`.
    Print = 1,
    /// `from x import *` into the frame's namespace.
    ImportStar = 2,
    /// PEP 479: `StopIteration` in a generator becomes `RuntimeError`; other exceptions pass.
    StopIterationError = 3,
    /// As the opcode `ASYNC_GEN_WRAP` (not emitted).
    AsyncGenWrap = 4,
    /// `+x` (not emitted).
    UnaryPositive = 5,
    /// As the opcode `LIST_TO_TUPLE` (not emitted).
    ListToTuple = 6,
    /// `TypeVar(name)`.
    TypeVar = 7,
    /// `ParamSpec(name)`.
    ParamSpec = 8,
    /// `TypeVarTuple(name)`.
    TypeVarTuple = 9,
    /// `Generic[*params]` from a tuple of type parameters.
    SubscriptGeneric = 10,
    /// `TypeAliasType` from the tuple (name, type parameters or None, function that computes the value).
    TypeAlias = 11,
}

/// `CALL_INTRINSIC_2` functions; the numbers are CPython's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Intrinsic2 {
    /// Never emitted.
    Invalid = 0,
    /// `except*`: (original exception, list of raised and unhandled parts) -> exception to raise or None.
    PrepReraiseStar = 1,
    /// `TypeVar(name, function that computes the bound)`.
    TypeVarWithBound = 2,
    /// `TypeVar(name, function that computes the tuple of constraints)`.
    TypeVarWithConstraints = 3,
    /// Sets `function.__type_params__`; the result is the function.
    SetFunctionTypeParams = 4,
    /// Sets the lazily computed default: (type parameter, function); the result is the type parameter.
    SetTypeParamDefault = 5,
}

/// An instruction's first word, taken apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Word(pub u64);

impl Word {
    /// Puts a word together.
    #[inline(always)]
    pub fn new(op: Op, flags: u8, a: u16, b: u16, c: u16) -> Word {
        Word(op as u64 | (flags as u64) << 8 | (a as u64) << 16 | (b as u64) << 32 | (c as u64) << 48)
    }

    /// Opcode byte.
    #[inline(always)]
    pub fn op_byte(self) -> u8 {
        self.0 as u8
    }

    /// Flags byte.
    #[inline(always)]
    pub fn flags(self) -> u8 {
        (self.0 >> 8) as u8
    }

    /// First operand.
    #[inline(always)]
    pub fn a(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// Second operand.
    #[inline(always)]
    pub fn b(self) -> u16 {
        (self.0 >> 32) as u16
    }

    /// Third operand.
    #[inline(always)]
    pub fn c(self) -> u16 {
        (self.0 >> 48) as u16
    }

    /// Second operand, signed.
    #[inline(always)]
    pub fn sb(self) -> i16 {
        self.b() as i16
    }

    /// Third operand, signed.
    #[inline(always)]
    pub fn sc(self) -> i16 {
        self.c() as i16
    }

    /// Second and third operand as one.
    #[inline(always)]
    pub fn bc(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// Number that changes whenever the emitted part of the table changes; goes into the version of stored code.
pub const fn table_hash() -> u32 {
    const fn eat(hash: u32, byte: u8) -> u32 {
        (hash ^ byte as u32).wrapping_mul(0x0100_0193)
    }
    let mut hash = 0x811c_9dc5_u32;
    let mut row = 0;
    while row < OPCODES.len() {
        let info = &OPCODES[row];
        row += 1;
        if !info.op.is_emitted() {
            continue;
        }
        let name = info.name.as_bytes();
        let mut i = 0;
        while i < name.len() {
            hash = eat(hash, name[i]);
            i += 1;
        }
        i = 0;
        while i < info.operands.len() {
            hash = eat(hash, info.operands[i] as u8);
            i += 1;
        }
        i = 0;
        while i < info.extras.len() {
            hash = eat(hash, 0x40 | info.extras[i] as u8);
            i += 1;
        }
        hash = eat(hash, 0xff);
    }
    hash
}
