//! What the error pass remembers of expressions: enough to name them and to look for invalid targets.

use super::token::Span;

pub(super) type Id = u32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodeKind {
    Name,
    Attribute,
    Subscript,
    /// One child.
    Starred,
    /// The elements are children.
    List,
    Tuple,
    Lambda,
    Call,
    Operation,
    Generator,
    Yield,
    Await,
    ListComp,
    SetComp,
    DictComp,
    Dict,
    Set,
    FString,
    None,
    True,
    False,
    Ellipsis,
    Literal,
    /// The left operand is a child if the first operator is `in`.
    Compare,
    IfExp,
    Named,
    /// Positional arguments are children; `ArgsUnpack` has a `**` among the keywords.
    Args,
    ArgsUnpack,
    /// One comprehension clause; its span is that of its last part.
    Clause,
    Other,
}

pub(super) struct Node {
    pub(super) kind: NodeKind,
    pub(super) span: Span,
    pub(super) kids: Vec<Id>,
    /// The first token.
    pub(super) token: usize,
}

impl NodeKind {
    /// CPython's name for the kind in messages.
    pub(super) fn describe(self) -> &'static str {
        match self {
            NodeKind::Name => "name",
            NodeKind::Attribute => "attribute",
            NodeKind::Subscript => "subscript",
            NodeKind::Starred => "starred",
            NodeKind::List => "list",
            NodeKind::Tuple => "tuple",
            NodeKind::Lambda => "lambda",
            NodeKind::Call | NodeKind::Args | NodeKind::ArgsUnpack => "function call",
            NodeKind::Operation => "expression",
            NodeKind::Generator => "generator expression",
            NodeKind::Yield => "yield expression",
            NodeKind::Await => "await expression",
            NodeKind::ListComp => "list comprehension",
            NodeKind::SetComp => "set comprehension",
            NodeKind::DictComp => "dict comprehension",
            NodeKind::Dict => "dict literal",
            NodeKind::Set => "set display",
            NodeKind::FString => "f-string expression",
            NodeKind::None => "None",
            NodeKind::True => "True",
            NodeKind::False => "False",
            NodeKind::Ellipsis => "ellipsis",
            NodeKind::Literal | NodeKind::Clause | NodeKind::Other => "literal",
            NodeKind::Compare => "comparison",
            NodeKind::IfExp => "conditional expression",
            NodeKind::Named => "named expression",
        }
    }
}
