"""Krait's opcodes, as lists and maps with the names that CPython's module has."""

__all__ = ["cmp_op", "stack_effect", "hascompare", "opname", "opmap",
           "HAVE_ARGUMENT", "EXTENDED_ARG", "hasarg", "hasconst", "hasname",
           "hasjump", "hasjrel", "hasjabs", "hasfree", "haslocal", "hasexc"]

import builtins
import _opcode
from _opcode import stack_effect
from _opcode_metadata import (HAVE_ARGUMENT, MIN_INSTRUMENTED_OPCODE, _specializations,
                              _specialized_opmap, opmap)

# Never met: operands have 16 bits; where that is too little an opcode has an operand of two parts.
EXTENDED_ARG = opmap['EXTENDED_ARG']

opname = list(opmap)
opname += ['<%r>' % (number,) for number in range(len(opname), 256)]

cmp_op = ('<', '<=', '==', '!=', '>', '>=')


def _those(test):
    return [number for number in opmap.values() if test(number)]


hasarg = _those(_opcode.has_arg)
hasconst = _those(_opcode.has_const)
hasname = _those(_opcode.has_name)
hasjump = _those(_opcode.has_jump)
hasjrel = hasjump
hasjabs = []
hasfree = _those(_opcode.has_free)
haslocal = _those(_opcode.has_local)
hasexc = _those(_opcode.has_exc)
hascompare = [number for name, number in opmap.items() if name in ('LT', 'LE', 'EQ', 'NE', 'GT', 'GE')]

_intrinsic_1_descs = _opcode.get_intrinsic1_descs()
_intrinsic_2_descs = _opcode.get_intrinsic2_descs()
_special_method_names = []
_nb_ops = _opcode.get_nb_ops()

# Words behind the first one, by opcode.
_inline_cache_entries = {row[0]: len(row[2]) for row in _opcode._table() if row[2]}
_cache_format = {name: {'words': count} for name, count in _inline_cache_entries.items()}
