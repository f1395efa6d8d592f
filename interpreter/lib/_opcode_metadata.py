"""Names and numbers of Krait's opcodes. The table itself is native."""

import _opcode

opmap = {row[0]: number for number, row in enumerate(_opcode._table())}

# What only CPython has: numbers that occur in no code object.
opmap.update({name: number for number, name in enumerate(_opcode._reserved(), len(opmap))})

# Specialised forms live in the executable stream only; no code object shows them.
_specializations = {}
_specialized_opmap = {}

# Every instruction word has room for operands.
HAVE_ARGUMENT = -1
MIN_INSTRUMENTED_OPCODE = len(opmap)
