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

UNKNOWN = object()

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
    """Disassemble classes, methods, functions, and other compiled objects; without argument the last traceback."""
    if x is None:
        distb(file=file, show_caches=show_caches, adaptive=adaptive, show_offsets=show_offsets)
        return
    for name in ('__func__', '__code__', 'gi_code', 'ag_code', 'cr_code'):
        if hasattr(x, name):
            x = getattr(x, name)
    if hasattr(x, '__dict__') and not hasattr(x, 'co_code'):
        for name, member in sorted(x.__dict__.items()):
            if isinstance(member, _have_code):
                print("Disassembly of %s:" % name, file=file)
                try:
                    dis(member, file=file, depth=depth, show_offsets=show_offsets)
                except TypeError as error:
                    print("Sorry:", error, file=file)
                print(file=file)
    elif hasattr(x, 'co_code'):
        _disassemble_recursive(x, file, depth, show_offsets)
    elif isinstance(x, str):
        _disassemble_recursive(_try_compile(x, '<dis>'), file, depth, show_offsets)
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
    disassemble(tb.tb_frame.f_code, tb.tb_lasti, file=file, show_offsets=show_offsets)


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
        out = io.StringIO()
        _print_instruction(self, out, 0, False)
        return out.getvalue().rstrip('\n')


def _words(code):
    raw = code.co_code
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


def _labels(code):
    targets = {_jump_target(at, op, operands) for at, op, operands, _ in _decode(_words(code))}
    targets.update(entry.target for entry in _parse_exception_table(code))
    targets.discard(None)
    return {offset: number for number, offset in enumerate(sorted(targets), 1)}


def findlabels(code):
    """Offsets that instructions jump to."""
    found = []
    words = [int.from_bytes(code[at:at + 8], 'little') for at in range(0, len(code), 8)]
    for at, op, operands, _ in _decode(words):
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


def _register(code, number):
    try:
        return code._varname_from_oparg(number)
    except IndexError:
        return f'r{number}'


def _arguments(code, at, op, operands, extras, labels):
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
            text = _register(code, number)
            if value is None and name in ('MOVE', 'CHECK_BOUND', 'DELETE_FAST') or op in hasfree:
                value = text
        elif kind == 'Name':
            value = text = code.co_names[number]
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
            value = code.co_consts[number]
            shown.append(repr(value))
        elif kind == 'Name':
            value = code.co_names[number]
            shown.append(value)
        elif kind == 'Raw':
            shown.append(str(number))
    return value, ', '.join(shown)


def _instructions(code, line_offset=0):
    labels = _labels(code)
    starts = dict(findlinestarts(code))
    positions = list(code.co_positions())
    line = None
    for at, op, operands, extras in _decode(_words(code)):
        offset = 2 * at
        starts_line = offset in starts
        if starts_line:
            line = starts[offset]
            if line is not None:
                line += line_offset
        value, shown = _arguments(code, at, op, operands, extras, labels)
        arg = None
        if op in hasarg:
            arg = operands[0] | operands[1] << 16 | operands[2] << 32
            if value is None:
                value = arg
        place = Positions(*positions[at]) if at < len(positions) else None
        yield Instruction(_table[op][0], op, arg, value, shown, offset, offset, starts_line, line, labels.get(offset),
                          place, None)


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


def _print_instruction(instruction, out, line_width, show_offsets, mark=False):
    fields = []
    if line_width:
        line = ''
        if instruction.starts_line:
            line = '--' if instruction.line_number is None else str(instruction.line_number)
        fields.append(line.rjust(line_width))
    label = '' if instruction.label is None else f'L{instruction.label}:'
    fields.append(label.rjust(8))
    fields.append('-->' if mark else '   ')
    if show_offsets:
        fields.append(str(instruction.offset).rjust(5))
    fields.append(instruction.opname.ljust(24))
    fields.append(instruction.argrepr)
    print(' '.join(fields).rstrip(), file=out)


def disassemble(code, lasti=-1, *, file=None, show_caches=False, adaptive=False, show_offsets=False):
    """Disassemble a code object; `lasti` marks the instruction at that offset."""
    _disassemble(code, list(_instructions(code)), lasti, file, show_offsets)


def _disassemble(code, instructions, lasti, file, show_offsets):
    lines = [i.line_number for i in instructions if i.line_number is not None]
    width = max(3, len(str(max(lines)))) if lines else 0
    for i in instructions:
        if i.starts_line and i.offset > 0 and width:
            print(file=file)
        _print_instruction(i, file, width, show_offsets, i.offset == lasti)
    entries = _parse_exception_table(code)
    if entries:
        labels = _labels(code)
        print("ExceptionTable:", file=file)
        for entry in entries:
            target = labels.get(entry.target, entry.target)
            print(f"  {entry.start} to {entry.end} -> L{target} [{entry.depth}]", file=file)


def _disassemble_recursive(code, file, depth, show_offsets):
    disassemble(code, file=file, show_offsets=show_offsets)
    if depth is None or depth > 0:
        if depth is not None:
            depth -= 1
        for constant in code.co_consts:
            if hasattr(constant, 'co_code'):
                print(file=file)
                print("Disassembly of %r:" % (constant,), file=file)
                _disassemble_recursive(constant, file, depth, show_offsets)


disco = disassemble


def code_info(x):
    """Formatted details of a function, generator, method, string of source, or code object."""
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
        return cls(tb.tb_frame.f_code, current_offset=tb.tb_lasti)

    def info(self):
        """Formatted details of the code object."""
        return _format_code_info(self.codeobj)

    def dis(self):
        """The disassembly as a string."""
        lasti = -1 if self.current_offset is None else self.current_offset
        with io.StringIO() as out:
            _disassemble(self.codeobj, list(self), lasti, out, self.show_offsets)
            return out.getvalue()
