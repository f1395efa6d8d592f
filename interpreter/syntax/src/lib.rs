//! Source decoding, AST, front end, exact SyntaxErrors, unparse.
