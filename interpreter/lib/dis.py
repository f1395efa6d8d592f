"""Disassembler of Krait's register bytecode, with the interface of CPython's module.

An instruction is a 64-bit word (opcode, flags, three operands of 16 bits) and the words that its opcode declares. Offsets
count two for each word, as `f_lasti` and `co_lines()` do.
"""

import sys
import types
import collections
import io

from opcode import *
from opcode import __all__ as _opcodes_all
import _opcode

__all__ = ["code_info", "dis", "disassemble", "distb", "disco", "findlinestarts", "findlabels", "show_code",
           "get_instructions", "Instruction", "Bytecode"] + _opcodes_all

_have_code = (types.MethodType, types.FunctionType, types.CodeType, classmethod, staticmethod, type)
_table = _opcode._table()
_registers = {'Out', 'Read', 'Both', 'Moved', 'Outs', 'Window'}

_OPNAME_WIDTH = 24
_OPARG_WIDTH = 5

# Only what the compiler emits occurs in code objects: nothing to undo.
deoptmap = {}
_all_opmap = opmap
_all_opname = opname


class _Unknown:
    """What stands for a value that the disassembled bytes alone do not tell."""

    def __repr__(self):
        return "<unknown>"


UNKNOWN = _Unknown()

COMPILER_FLAG_NAMES = {
    1: "OPTIMIZED",
    2: "NEWLOCALS",
    4: "VARARGS",
    8: "VARKEYWORDS",
    16: "NESTED",
    32: "GENERATOR",
    64: "NOFREE",
    128: "COROUTINE",
    256: "ITERABLE_COROUTINE",
    512: "ASYNC_GENERATOR",
}


def pretty_flags(flags):
    """The names of the bits in co_flags."""
    names = []
    for bit in range(32):
        flag = 1 << bit
        if flags & flag:
            names.append(COMPILER_FLAG_NAMES.get(flag, hex(flag)))
    return ", ".join(names) if names else hex(flags)


def _try_compile(source, name):
    """Source as an expression if it is one, as statements otherwise."""
    try:
        return compile(source, name, 'eval')
    except SyntaxError:
        pass
    return compile(source, name, 'exec')


def _get_code_object(x):
    for name in ('__func__', '__code__', 'gi_code', 'ag_code', 'cr_code'):
        x = getattr(x, name, x) if not isinstance(x, str) else x
    if isinstance(x, str):
        x = _try_compile(x, "<disassembly>")
    if hasattr(x, 'co_code'):
        return x
    raise TypeError("don't know how to disassemble %s objects" % type(x).__name__)


def dis(x=None, *, file=None, depth=None, show_caches=False, adaptive=False, show_offsets=False):
    """Disassemble classes, methods, functions, and other compiled objects.

    With no argument, disassemble the last traceback.

    Compiled objects currently include generator objects, async generator
    objects, and coroutine objects, all of which store their code object
    in a special attribute.
    """
    shown = {'show_caches': show_caches, 'show_offsets': show_offsets}
    if x is None:
        distb(file=file, **shown)
        return
    for name in ('__func__', '__code__', 'gi_code', 'ag_code', 'cr_code'):
        if hasattr(x, name):
            x = getattr(x, name)
    if hasattr(x, '__dict__') and not hasattr(x, 'co_code'):
        for name, member in sorted(x.__dict__.items()):
            if isinstance(member, _have_code):
                print("Disassembly of %s:" % name, file=file)
                try:
                    dis(member, file=file, depth=depth, **shown)
                except TypeError as error:
                    print("Sorry:", error, file=file)
                print(file=file)
    elif hasattr(x, 'co_code'):
        _disassemble_recursive(x, file, depth, shown)
    elif isinstance(x, (bytes, bytearray)):
        _print_instructions(list(_get_instructions_bytes(x)), -1, file, **shown)
    elif isinstance(x, str):
        _disassemble_recursive(_try_compile(x, '<dis>'), file, depth, shown)
    else:
        raise TypeError("don't know how to disassemble %s objects" % type(x).__name__)


def distb(tb=None, *, file=None, show_caches=False, adaptive=False, show_offsets=False):
    """Disassemble the code of a traceback's last frame; of the last exception's if none is given."""
    if tb is None:
        try:
            tb = sys.last_exc.__traceback__ if hasattr(sys, 'last_exc') else sys.last_traceback
        except AttributeError:
            raise RuntimeError("no last traceback to disassemble") from None
    while tb.tb_next:
        tb = tb.tb_next
    disassemble(tb.tb_frame.f_code, tb.tb_lasti, file=file, show_caches=show_caches, show_offsets=show_offsets)


_Instruction = collections.namedtuple(
    "_Instruction",
    ['opname', 'opcode', 'arg', 'argval', 'argrepr', 'offset', 'start_offset', 'starts_line', 'line_number', 'label',
     'positions', 'cache_info'],
    defaults=[None, None, None])

Positions = collections.namedtuple('Positions', ['lineno', 'end_lineno', 'col_offset', 'end_col_offset'],
                                   defaults=[None] * 4)


class Instruction(_Instruction):
    """One instruction: opname, opcode, arg (the operands as one number), argval (what it names), argrepr, offset,
    start_offset, starts_line, line_number, label, positions, cache_info."""

    @property
    def oparg(self):
        return self.arg

    @property
    def baseopcode(self):
        return self.opcode

    @property
    def baseopname(self):
        return self.opname

    @property
    def cache_offset(self):
        """Where the words behind the first one begin."""
        return self.offset + 2

    @property
    def end_offset(self):
        return self.offset + 2 * (1 + len(_table[self.opcode][2]))

    @property
    def jump_target(self):
        return self.argval if self.opcode in hasjump else None

    @property
    def is_jump_target(self):
        return self.label is not None

    def __str__(self):
        return _line(self, 0, 0, False)


def _words(raw):
    return [int.from_bytes(raw[at:at + 8], 'little') for at in range(0, len(raw), 8)]


def _signed(number, bits=16):
    return number - (1 << bits) if number >> (bits - 1) else number


def _decode(words):
    """Index of each instruction's first word, its opcode, operands and extra words."""
    at = 0
    while at < len(words):
        word = words[at]
        op = word & 0xff
        if op >= len(_table):
            return
        extras = _table[op][2]
        operands = [word >> 16 & 0xffff, word >> 32 & 0xffff, word >> 48 & 0xffff]
        yield at, op, operands, words[at + 1:at + 1 + len(extras)]
        at += 1 + len(extras)


def _jump_target(at, op, operands):
    kinds = _table[op][1]
    for i, kind in enumerate(kinds):
        if kind == 'Jump':
            if i + 1 < 3 and kinds[i + 1] == 'Wide':
                return 2 * (at + 1 + _signed(operands[i] | operands[i + 1] << 16, 32))
            return 2 * (at + 1 + _signed(operands[i]))
    return None


def _make_labels_map(raw, exception_entries=()):
    """Number of the label at each offset that a jump or an exception handler leads to."""
    targets = set(findlabels(raw))
    for entry in exception_entries:
        targets.update((entry.start, entry.end, entry.target))
    return {offset: number for number, offset in enumerate(sorted(targets), 1)}


def findlabels(code):
    """Offsets that instructions jump to."""
    found = []
    for at, op, operands, _ in _decode(_words(code)):
        target = _jump_target(at, op, operands)
        if target is not None and target not in found:
            found.append(target)
    return found


def findlinestarts(code):
    """Pairs (offset, line) where a line begins."""
    last = False
    for start, _, line in code.co_lines():
        if line != last:
            last = line
            yield start, line


class _Names:
    """What the numbers in the words stand for: without a code object nobody knows."""

    def __init__(self, code=None):
        self.code = code

    def register(self, number):
        try:
            return self.code._varname_from_oparg(number)
        except (AttributeError, IndexError):
            return f'r{number}'

    def name(self, number):
        return f'<{number}>' if self.code is None else self.code.co_names[number]

    def constant(self, number):
        return UNKNOWN if self.code is None else self.code.co_consts[number]


def _arguments(names, at, op, operands, extras, labels):
    """The value that the operands name, if they name one, and how they are shown."""
    name, kinds, extra_kinds, _ = _table[op]
    value, shown, skip = None, [], False
    for i, (kind, number) in enumerate(zip(kinds, operands)):
        if skip:
            skip = False
            continue
        wide = i + 1 < 3 and kinds[i + 1] == 'Wide'
        if wide:
            number |= operands[i + 1] << 16
            skip = True
        if kind in _registers:
            text = names.register(number)
            if value is None and name in ('MOVE', 'CHECK_BOUND', 'DELETE_FAST') or op in hasfree:
                value = text
        elif kind == 'Name':
            value = text = names.name(number)
        elif kind == 'Jump':
            value = _jump_target(at, op, operands)
            text = f'to L{labels[value]}' if value in labels else f'to {value}'
        elif kind == 'Imm':
            text = str(_signed(number))
        elif kind == 'Count':
            text = str(number)
        else:
            continue
        shown.append(text)
    for kind, number in zip(extra_kinds, extras):
        if kind == 'Const':
            value = names.constant(number)
            shown.append(repr(value))
        elif kind == 'Name':
            value = names.name(number)
            shown.append(value)
        elif kind == 'Raw':
            shown.append(str(number))
    return value, ', '.join(shown)


def _cache_info(words):
    """Rows (name, number of words, content) as CPython has them, for all words behind an instruction's first."""
    if not words:
        return None
    return [('words', len(words), b''.join(word.to_bytes(8, 'little') for word in words))]


def _get_instructions_bytes(raw, code=None, line_offset=0):
    """The instructions in `raw`; names, constants, lines, positions are those of `code`, if it is given."""
    names = _Names(code)
    entries = () if code is None else _parse_exception_table(code)
    labels = _make_labels_map(raw, entries)
    starts = {} if code is None else dict(findlinestarts(code))
    positions = [] if code is None else list(code.co_positions())
    line = None
    for at, op, operands, extras in _decode(_words(raw)):
        offset = 2 * at
        starts_line = offset in starts
        if starts_line:
            line = starts[offset]
            if line is not None:
                line += line_offset
        value, shown = _arguments(names, at, op, operands, extras, labels)
        arg = None
        if op in hasarg:
            arg = operands[0] | operands[1] << 16 | operands[2] << 32
            if value is None and op not in hasconst:
                value = arg
        place = Positions(*positions[at]) if at < len(positions) else Positions()
        yield Instruction(_table[op][0], op, arg, value, shown, offset, offset, starts_line, line, labels.get(offset),
                          place, _cache_info(extras))


def _instructions(code, line_offset=0):
    return _get_instructions_bytes(code.co_code, code, line_offset)


def get_instructions(x, *, first_line=None, show_caches=None, adaptive=False):
    """Iterates over the instructions of a function, method, string of source, or code object."""
    code = _get_code_object(x)
    line_offset = first_line - code.co_firstlineno if first_line is not None else 0
    return _instructions(code, line_offset)


_ExceptionTableEntry = collections.namedtuple("_ExceptionTableEntry", "start end target depth lasti")


def _parse_varint(iterator):
    byte = next(iterator)
    value = byte & 63
    while byte & 64:
        byte = next(iterator)
        value = value << 6 | byte & 63
    return value


def _parse_exception_table(code):
    entries = []
    iterator = iter(code.co_exceptiontable)
    try:
        while True:
            start = _parse_varint(iterator) * 2
            end = start + _parse_varint(iterator) * 2
            target = _parse_varint(iterator) * 2
            depth = _parse_varint(iterator)
            entries.append(_ExceptionTableEntry(start, end, target, depth >> 1, bool(depth & 1)))
    except StopIteration:
        return entries


def _line(instruction, line_width, offset_width, mark):
    fields = []
    if line_width:
        line = ''
        if instruction.starts_line:
            line = '--' if instruction.line_number is None else str(instruction.line_number)
        fields.append(line.rjust(line_width))
    fields.append('' if instruction.label is None else f'L{instruction.label}:')
    fields[-1] = fields[-1].rjust(6)
    fields.append('-->' if mark else '   ')
    if offset_width:
        fields.append(str(instruction.offset).rjust(offset_width))
    fields.append(instruction.opname.ljust(_OPNAME_WIDTH))
    fields.append(instruction.argrepr)
    return ' '.join(fields).rstrip()


def disassemble(code, lasti=-1, *, file=None, show_caches=False, adaptive=False, show_offsets=False):
    """Disassemble a code object; `lasti` marks the instruction at that offset."""
    _disassemble(code, list(_instructions(code)), lasti, file, show_caches, show_offsets)


def _disassemble(code, instructions, lasti, file, show_caches=False, show_offsets=False):
    _print_instructions(instructions, lasti, file, show_caches, show_offsets)
    entries = _parse_exception_table(code)
    if entries:
        labels = _make_labels_map(code.co_code, entries)
        print("ExceptionTable:", file=file)
        for entry in entries:
            lasti_text = " lasti" if entry.lasti else ""
            print(f"  L{labels[entry.start]} to L{labels[entry.end]} -> L{labels[entry.target]}"
                  f" [{entry.depth}]{lasti_text}", file=file)


def _print_instructions(instructions, lasti, file, show_caches=False, show_offsets=False):
    lines = [i.line_number for i in instructions if i.line_number is not None]
    line_width = max(3, len(str(max(lines)))) if lines else 0
    offset_width = max(4, len(str(instructions[-1].offset))) if show_offsets and instructions else 0
    for i in instructions:
        if i.starts_line and i.offset > 0 and line_width:
            print(file=file)
        mark = i.offset <= lasti < i.end_offset
        print(_line(i, line_width, offset_width, mark), file=file)
        if show_caches and i.cache_info:
            for name, size, data in i.cache_info:
                for at in range(size):
                    word = int.from_bytes(data[8 * at:8 * at + 8], 'little')
                    row = Instruction("CACHE", 0, 0, None, f"{name}: {word}", i.offset + 2 * (at + 1),
                                      i.offset + 2 * (at + 1), False, None, None, i.positions)
                    print(_line(row, line_width, offset_width, False), file=file)


def _disassemble_recursive(code, file, depth, shown):
    disassemble(code, file=file, **shown)
    if depth is None or depth > 0:
        if depth is not None:
            depth -= 1
        for constant in code.co_consts:
            if hasattr(constant, 'co_code'):
                print(file=file)
                print("Disassembly of %r:" % (constant,), file=file)
                _disassemble_recursive(constant, file, depth, shown)


disco = disassemble


def code_info(x):
    """Formatted details of methods, functions, or code."""
    return _format_code_info(_get_code_object(x))


def _format_code_info(code):
    lines = [
        "Name:              %s" % code.co_name,
        "Filename:          %s" % code.co_filename,
        "Argument count:    %s" % code.co_argcount,
        "Positional-only arguments: %s" % code.co_posonlyargcount,
        "Kw-only arguments: %s" % code.co_kwonlyargcount,
        "Number of locals:  %s" % code.co_nlocals,
        "Stack size:        %s" % code.co_stacksize,
        "Flags:             %s" % pretty_flags(code.co_flags),
    ]
    if code.co_consts:
        lines.append("Constants:")
        lines += ["%4d: %r" % item for item in enumerate(code.co_consts)]
    for title, names in (("Names", code.co_names), ("Variable names", code.co_varnames),
                         ("Free variables", code.co_freevars), ("Cell variables", code.co_cellvars)):
        if names:
            lines.append(title + ":")
            lines += ["%4d: %s" % item for item in enumerate(names)]
    return "\n".join(lines)


def show_code(co, *, file=None):
    """Print the details that `code_info` gives."""
    print(code_info(co), file=file)


def _find_imports(code):
    """Triples (name, level, fromlist) of the import statements in `code`."""
    names = _Names(code)
    constants = {}
    for _, op, operands, extras in _decode(_words(code.co_code)):
        name = _table[op][0]
        if name == 'LOAD_CONST':
            constants[operands[0]] = names.constant(extras[0])
        elif name == 'IMPORT_NAME':
            level, fromlist = constants.get(operands[1]), constants.get(operands[1] + 1)
            if isinstance(level, int) and (fromlist is None or isinstance(fromlist, tuple)):
                yield names.name(extras[0]), level, fromlist


def _find_store_names(code):
    """Global names, or names of a class body, that `code` stores to."""
    names = set()
    for i in _instructions(code):
        if i.opname in ('STORE_NAME', 'STORE_GLOBAL') and i.argval not in names:
            names.add(i.argval)
            yield i.argval


class Bytecode:
    """The instructions of a piece of code: iterable, with `dis()` and `info()`."""

    def __init__(self, x, *, first_line=None, current_offset=None, show_caches=False, adaptive=False,
                 show_offsets=False):
        self.codeobj = _get_code_object(x)
        if first_line is None:
            first_line = self.codeobj.co_firstlineno
        self.first_line = first_line
        self._line_offset = first_line - self.codeobj.co_firstlineno
        self._original_object = x
        self.current_offset = current_offset
        self.exception_entries = _parse_exception_table(self.codeobj)
        self.show_caches = show_caches
        self.show_offsets = show_offsets

    def __iter__(self):
        return _instructions(self.codeobj, self._line_offset)

    def __repr__(self):
        return "{}({!r})".format(self.__class__.__name__, self._original_object)

    @classmethod
    def from_traceback(cls, tb, *, show_caches=False, adaptive=False):
        """The code of a traceback's last frame, with the place where it stopped."""
        while tb.tb_next:
            tb = tb.tb_next
        return cls(tb.tb_frame.f_code, current_offset=tb.tb_lasti, show_caches=show_caches)

    def info(self):
        """Formatted details of the code object."""
        return _format_code_info(self.codeobj)

    def dis(self):
        """The disassembly as a string."""
        lasti = -1 if self.current_offset is None else self.current_offset
        with io.StringIO() as out:
            _disassemble(self.codeobj, list(self), lasti, out, self.show_caches, self.show_offsets)
            return out.getvalue()
