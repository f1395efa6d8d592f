//! What a document type definition declared.
use std::collections::HashMap;

#[derive(Clone, Default, Debug)]
pub struct Entity {
    /// The replacement text; none for external entities.
    pub text: Option<String>,
    pub base: Option<String>,
    pub system: Option<String>,
    pub public: Option<String>,
    pub notation: Option<String>,
    /// Declared in the document itself, not in an external or parameter entity.
    pub internal: bool,
    /// Being expanded.
    pub open: bool,
}
#[derive(Clone, Debug)]
pub struct Attribute {
    pub name: String,
    pub cdata: bool,
    pub default: Option<String>,
}
#[derive(Clone, Debug)]
pub struct Dtd {
    pub general: HashMap<String, Entity>,
    pub parameter: HashMap<String, Entity>,
    pub attributes: HashMap<String, Vec<Attribute>>,
    pub standalone: bool,
    pub has_parameter_refs: bool,
    /// False once something was skipped that may hold declarations.
    pub keep_processing: bool,
    /// An external part of the definition was read.
    pub parameter_read: bool,
}
impl Dtd {
    pub fn new() -> Dtd {
        Dtd {
            general: HashMap::new(),
            parameter: HashMap::new(),
            attributes: HashMap::new(),
            standalone: false,
            has_parameter_refs: false,
            keep_processing: true,
            parameter_read: false,
        }
    }
}
