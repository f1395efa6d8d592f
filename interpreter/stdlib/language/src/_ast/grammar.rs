//! The abstract grammar as one table, from which the node classes are made. CPython counterpart: `Parser/Python.asdl`.

/// Position attributes of a group's nodes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Places {
    No,
    /// The end is optional.
    Located,
    /// The end is required.
    Exact,
}

/// A sum type with its constructors, or a product type (then its only constructor has its name).
pub struct Group {
    pub name: &'static str,
    pub places: Places,
    /// Constructors with their fields.
    pub nodes: &'static [(&'static str, &'static str)],
}

const fn group(name: &'static str, places: Places, nodes: &'static [(&'static str, &'static str)]) -> Group {
    Group { name, places, nodes }
}

use Places::{Exact, Located, No};

const FUNCTION: &str = "identifier name, arguments args, stmt* body, expr* decorator_list, expr? returns, \
                        string? type_comment, type_param* type_params";
const FOR: &str = "expr target, expr iter, stmt* body, stmt* orelse, string? type_comment";
const WITH: &str = "withitem* items, stmt* body, string? type_comment";
const TRY: &str = "stmt* body, excepthandler* handlers, stmt* orelse, stmt* finalbody";
const COMP: &str = "expr elt, comprehension* generators";

/// All groups, in the order in which the module shows them.
pub static GROUPS: &[Group] = &[
    group(
        "mod",
        No,
        &[
            ("Module", "stmt* body, type_ignore* type_ignores"),
            ("Interactive", "stmt* body"),
            ("Expression", "expr body"),
            ("FunctionType", "expr* argtypes, expr returns"),
        ],
    ),
    group(
        "stmt",
        Located,
        &[
            ("FunctionDef", FUNCTION),
            ("AsyncFunctionDef", FUNCTION),
            (
                "ClassDef",
                "identifier name, expr* bases, keyword* keywords, stmt* body, expr* decorator_list, type_param* type_params",
            ),
            ("Return", "expr? value"),
            ("Delete", "expr* targets"),
            ("Assign", "expr* targets, expr value, string? type_comment"),
            ("TypeAlias", "expr name, type_param* type_params, expr value"),
            ("AugAssign", "expr target, operator op, expr value"),
            ("AnnAssign", "expr target, expr annotation, expr? value, int simple"),
            ("For", FOR),
            ("AsyncFor", FOR),
            ("While", "expr test, stmt* body, stmt* orelse"),
            ("If", "expr test, stmt* body, stmt* orelse"),
            ("With", WITH),
            ("AsyncWith", WITH),
            ("Match", "expr subject, match_case* cases"),
            ("Raise", "expr? exc, expr? cause"),
            ("Try", TRY),
            ("TryStar", TRY),
            ("Assert", "expr test, expr? msg"),
            ("Import", "alias* names"),
            ("ImportFrom", "identifier? module, alias* names, int? level"),
            ("Global", "identifier* names"),
            ("Nonlocal", "identifier* names"),
            ("Expr", "expr value"),
            ("Pass", ""),
            ("Break", ""),
            ("Continue", ""),
        ],
    ),
    group(
        "expr",
        Located,
        &[
            ("BoolOp", "boolop op, expr* values"),
            ("NamedExpr", "expr target, expr value"),
            ("BinOp", "expr left, operator op, expr right"),
            ("UnaryOp", "unaryop op, expr operand"),
            ("Lambda", "arguments args, expr body"),
            ("IfExp", "expr test, expr body, expr orelse"),
            ("Dict", "expr* keys, expr* values"),
            ("Set", "expr* elts"),
            ("ListComp", COMP),
            ("SetComp", COMP),
            ("DictComp", "expr key, expr value, comprehension* generators"),
            ("GeneratorExp", COMP),
            ("Await", "expr value"),
            ("Yield", "expr? value"),
            ("YieldFrom", "expr value"),
            ("Compare", "expr left, cmpop* ops, expr* comparators"),
            ("Call", "expr func, expr* args, keyword* keywords"),
            ("FormattedValue", "expr value, int conversion, expr? format_spec"),
            ("JoinedStr", "expr* values"),
            ("Constant", "constant value, string? kind"),
            ("Attribute", "expr value, identifier attr, expr_context ctx"),
            ("Subscript", "expr value, expr slice, expr_context ctx"),
            ("Starred", "expr value, expr_context ctx"),
            ("Name", "identifier id, expr_context ctx"),
            ("List", "expr* elts, expr_context ctx"),
            ("Tuple", "expr* elts, expr_context ctx"),
            ("Slice", "expr? lower, expr? upper, expr? step"),
        ],
    ),
    group("expr_context", No, &[("Load", ""), ("Store", ""), ("Del", "")]),
    group("boolop", No, &[("And", ""), ("Or", "")]),
    group(
        "operator",
        No,
        &[
            ("Add", ""),
            ("Sub", ""),
            ("Mult", ""),
            ("MatMult", ""),
            ("Div", ""),
            ("Mod", ""),
            ("Pow", ""),
            ("LShift", ""),
            ("RShift", ""),
            ("BitOr", ""),
            ("BitXor", ""),
            ("BitAnd", ""),
            ("FloorDiv", ""),
        ],
    ),
    group("unaryop", No, &[("Invert", ""), ("Not", ""), ("UAdd", ""), ("USub", "")]),
    group(
        "cmpop",
        No,
        &[
            ("Eq", ""),
            ("NotEq", ""),
            ("Lt", ""),
            ("LtE", ""),
            ("Gt", ""),
            ("GtE", ""),
            ("Is", ""),
            ("IsNot", ""),
            ("In", ""),
            ("NotIn", ""),
        ],
    ),
    group("comprehension", No, &[("comprehension", "expr target, expr iter, expr* ifs, int is_async")]),
    group("excepthandler", Located, &[("ExceptHandler", "expr? type, identifier? name, stmt* body")]),
    group(
        "arguments",
        No,
        &[(
            "arguments",
            "arg* posonlyargs, arg* args, arg? vararg, arg* kwonlyargs, expr* kw_defaults, arg? kwarg, expr* defaults",
        )],
    ),
    group("arg", Located, &[("arg", "identifier arg, expr? annotation, string? type_comment")]),
    group("keyword", Located, &[("keyword", "identifier? arg, expr value")]),
    group("alias", Located, &[("alias", "identifier name, identifier? asname")]),
    group("withitem", No, &[("withitem", "expr context_expr, expr? optional_vars")]),
    group("match_case", No, &[("match_case", "pattern pattern, expr? guard, stmt* body")]),
    group(
        "pattern",
        Exact,
        &[
            ("MatchValue", "expr value"),
            ("MatchSingleton", "constant value"),
            ("MatchSequence", "pattern* patterns"),
            ("MatchMapping", "expr* keys, pattern* patterns, identifier? rest"),
            ("MatchClass", "expr cls, pattern* patterns, identifier* kwd_attrs, pattern* kwd_patterns"),
            ("MatchStar", "identifier? name"),
            ("MatchAs", "pattern? pattern, identifier? name"),
            ("MatchOr", "pattern* patterns"),
        ],
    ),
    group("type_ignore", No, &[("TypeIgnore", "int lineno, string tag")]),
    group(
        "type_param",
        Exact,
        &[
            ("TypeVar", "identifier name, expr? bound, expr? default_value"),
            ("ParamSpec", "identifier name, expr? default_value"),
            ("TypeVarTuple", "identifier name, expr? default_value"),
        ],
    ),
];

impl Group {
    /// One constructor of the group's own name.
    pub fn is_product(&self) -> bool {
        matches!(self.nodes, [(name, _)] if *name == self.name)
    }
    /// Constructors without fields: their instances are shared.
    pub fn is_simple(&self) -> bool {
        self.nodes.iter().all(|(_, fields)| fields.is_empty())
    }
    /// The group's rule, as its `__doc__` shows it.
    pub fn doc(&self) -> String {
        let rules: Vec<String> = self.nodes.iter().map(|(name, fields)| rule(name, fields)).collect();
        if self.is_product() {
            return rules.concat();
        }
        let separator = match self.is_simple() {
            true => " | ".to_owned(),
            false => format!("\n{} | ", " ".repeat(self.name.len())),
        };
        format!("{} = {}", self.name, rules.join(&separator))
    }
}

/// A constructor's rule.
pub fn rule(name: &str, fields: &str) -> String {
    if fields.is_empty() { name.to_owned() } else { format!("{name}({fields})") }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    One,
    Optional,
    Many,
}

/// Type, quantity and name of each field.
pub fn fields(text: &'static str) -> impl Iterator<Item = (&'static str, Quantity, &'static str)> {
    text.split(", ").filter(|f| !f.is_empty()).filter_map(|field| {
        let (kind, name) = field.split_once(' ')?;
        Some(match (kind.strip_suffix('?'), kind.strip_suffix('*')) {
            (Some(kind), _) => (kind, Quantity::Optional, name),
            (_, Some(kind)) => (kind, Quantity::Many, name),
            _ => (kind, Quantity::One, name),
        })
    })
}
