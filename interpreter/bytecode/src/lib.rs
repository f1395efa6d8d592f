//! Opcodes, code objects as plain data, exception and line tables, marshal format, disassembler.
