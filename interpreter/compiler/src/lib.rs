//! Symbol tables and the compiler from AST to register bytecode.
