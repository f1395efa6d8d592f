//! An incremental XML parser that behaves as the library expat does: the same events in the same order, the same errors
//! at the same places. It calls nobody: `Engine::next` hands out one event after the other. Python sees it through
//! `pyexpat` and `_elementtree`. No crate offers DTD events, entities and chunked input together.
mod attributes;
mod content;
mod declarations;
mod decode;
mod dtd;
mod engine;
mod namespaces;
mod position;
mod prolog;
mod scan;
mod subset;

pub use decode::Table;
pub use engine::{Engine, Step};

/// Error codes of expat that this parser gives.
pub type Code = i32;
pub mod code {
    use super::Code;
    pub const NO_MEMORY: Code = 1;
    pub const SYNTAX: Code = 2;
    pub const NO_ELEMENTS: Code = 3;
    pub const INVALID_TOKEN: Code = 4;
    pub const UNCLOSED_TOKEN: Code = 5;
    pub const PARTIAL_CHAR: Code = 6;
    pub const TAG_MISMATCH: Code = 7;
    pub const DUPLICATE_ATTRIBUTE: Code = 8;
    pub const JUNK_AFTER_DOC_ELEMENT: Code = 9;
    pub const PARAM_ENTITY_REF: Code = 10;
    pub const UNDEFINED_ENTITY: Code = 11;
    pub const RECURSIVE_ENTITY_REF: Code = 12;
    pub const ASYNC_ENTITY: Code = 13;
    pub const BAD_CHAR_REF: Code = 14;
    pub const BINARY_ENTITY_REF: Code = 15;
    pub const ATTRIBUTE_EXTERNAL_ENTITY_REF: Code = 16;
    pub const MISPLACED_XML_PI: Code = 17;
    pub const UNKNOWN_ENCODING: Code = 18;
    pub const INCORRECT_ENCODING: Code = 19;
    pub const UNCLOSED_CDATA_SECTION: Code = 20;
    pub const EXTERNAL_ENTITY_HANDLING: Code = 21;
    pub const NOT_STANDALONE: Code = 22;
    pub const ENTITY_DECLARED_IN_PE: Code = 24;
    pub const CANT_CHANGE_FEATURE_ONCE_PARSING: Code = 26;
    pub const UNBOUND_PREFIX: Code = 27;
    pub const UNDECLARING_PREFIX: Code = 28;
    pub const INCOMPLETE_PE: Code = 29;
    pub const XML_DECL: Code = 30;
    pub const TEXT_DECL: Code = 31;
    pub const PUBLICID: Code = 32;
    pub const ABORTED: Code = 35;
    pub const FINISHED: Code = 36;
    pub const RESERVED_PREFIX_XML: Code = 38;
    pub const RESERVED_PREFIX_XMLNS: Code = 39;
    pub const RESERVED_NAMESPACE_URI: Code = 40;
    pub const AMPLIFICATION_LIMIT_BREACH: Code = 43;
}

/// An element's content model: kind, quantifier, name, children, with expat's numbers.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub kind: i32,
    pub quantifier: i32,
    pub name: Option<String>,
    pub children: Vec<Model>,
}

#[derive(Clone, Debug)]
pub struct EntityDecl {
    pub name: String,
    pub parameter: bool,
    pub value: Option<String>,
    pub base: Option<String>,
    pub system: Option<String>,
    pub public: Option<String>,
    pub notation: Option<String>,
}

/// Kinds of events: what a handler can be set for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    StartElement,
    EndElement,
    Text,
    Pi,
    UnparsedEntity,
    Notation,
    StartNamespace,
    EndNamespace,
    Comment,
    StartCdata,
    EndCdata,
    NotStandalone,
    ExternalEntityRef,
    StartDoctype,
    EndDoctype,
    Entity,
    XmlDecl,
    ElementDecl,
    AttlistDecl,
    SkippedEntity,
}

#[derive(Clone, Debug)]
pub enum Event {
    /// Attributes in order; the first `specified` were written in the tag, the others are defaults.
    StartElement {
        name: String,
        attributes: Vec<(String, String)>,
        specified: usize,
    },
    EndElement(String),
    Text(String),
    Pi {
        target: String,
        data: String,
    },
    Notation {
        name: String,
        base: Option<String>,
        system: Option<String>,
        public: Option<String>,
    },
    StartNamespace {
        prefix: Option<String>,
        uri: Option<String>,
    },
    EndNamespace(Option<String>),
    Comment(String),
    StartCdata,
    EndCdata,
    /// The handler may refuse: `Engine::fail(code::NOT_STANDALONE)`.
    NotStandalone,
    /// The handler may refuse: `Engine::fail(code::EXTERNAL_ENTITY_HANDLING)`.
    ExternalEntityRef {
        context: Option<String>,
        base: Option<String>,
        system: Option<String>,
        public: Option<String>,
    },
    StartDoctype {
        name: String,
        system: Option<String>,
        public: Option<String>,
        internal: bool,
    },
    EndDoctype,
    Entity(EntityDecl),
    XmlDecl {
        version: Option<String>,
        encoding: Option<String>,
        standalone: i32,
    },
    ElementDecl {
        name: String,
        model: Model,
    },
    AttlistDecl {
        element: String,
        name: String,
        kind: String,
        default: Option<String>,
        required: bool,
    },
    SkippedEntity {
        name: String,
        parameter: bool,
    },
    /// Text of the document for the default handler alone; not where a handler of the kind named is set.
    Raw {
        text: String,
        unless: Option<Kind>,
    },
    /// Answer with `Engine::set_table`.
    UnknownEncoding(String),
}
impl Event {
    pub fn kind(&self) -> Option<Kind> {
        Some(match self {
            Event::StartElement { .. } => Kind::StartElement,
            Event::EndElement(_) => Kind::EndElement,
            Event::Text(_) => Kind::Text,
            Event::Pi { .. } => Kind::Pi,
            Event::Notation { .. } => Kind::Notation,
            Event::StartNamespace { .. } => Kind::StartNamespace,
            Event::EndNamespace(_) => Kind::EndNamespace,
            Event::Comment(_) => Kind::Comment,
            Event::StartCdata => Kind::StartCdata,
            Event::EndCdata => Kind::EndCdata,
            Event::NotStandalone => Kind::NotStandalone,
            Event::ExternalEntityRef { .. } => Kind::ExternalEntityRef,
            Event::StartDoctype { .. } => Kind::StartDoctype,
            Event::EndDoctype => Kind::EndDoctype,
            Event::Entity(_) => Kind::Entity,
            Event::XmlDecl { .. } => Kind::XmlDecl,
            Event::ElementDecl { .. } => Kind::ElementDecl,
            Event::AttlistDecl { .. } => Kind::AttlistDecl,
            Event::SkippedEntity { .. } => Kind::SkippedEntity,
            Event::Raw { .. } | Event::UnknownEncoding(_) => return None,
        })
    }
}
