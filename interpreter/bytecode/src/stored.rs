//! Code of nested functions within stored code, which is read when it is first run or looked at: most of what a program
//! imports never is. The format is in `marshal.rs`.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::code::{CodeObject, Const};
use crate::marshal::{Origin, ReadError, Reader};

/// Stored code of a module, which what is not read yet refers to.
pub type Store = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// Code that is not read yet.
pub struct StoredCode {
    store: Store,
    range: Range<usize>,
    /// The file name of the code around it.
    around: Arc<str>,
    origin: Origin,
}

/// What is known of code before its instructions are read; see [`CodeObject`] for the numbers.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// `co_argcount`
    pub argcount: u32,
    /// `co_posonlyargcount`
    pub posonlyargcount: u32,
    /// `co_kwonlyargcount`
    pub kwonlyargcount: u32,
    /// `co_flags`
    pub flags: u32,
    /// `co_firstlineno`
    pub firstlineno: u32,
    /// Number of registers.
    pub nregs: u32,
    /// `co_nlocals`
    pub nlocals: u32,
    /// First register of the free variables.
    pub first_free: u32,
    /// None: that of the code around it.
    pub filename: Option<&'a str>,
    /// `co_name`
    pub name: &'a str,
    /// `co_qualname`
    pub qualname: &'a str,
}

impl StoredCode {
    /// The code that these bytes of the store are; its head is well-formed.
    pub(crate) fn new(
        store: &Store,
        range: Range<usize>,
        around: &Arc<str>,
        origin: Origin,
    ) -> Result<StoredCode, ReadError> {
        let code = StoredCode { store: store.clone(), range, around: around.clone(), origin };
        code.reader().head()?;
        Ok(code)
    }
    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        (*self.store).as_ref().get(self.range.clone()).unwrap_or_default()
    }
    fn reader(&self) -> Reader<'_> {
        Reader::of_part(self.bytes(), (&self.store, self.range.end), &self.around, self.origin)
    }
    /// The file name of the code around it.
    pub fn around(&self) -> &Arc<str> {
        &self.around
    }
    /// What its first bytes say.
    pub fn head(&self) -> Result<Head<'_>, ReadError> {
        self.reader().head()
    }
    /// All of it; code of functions nested in it is not read yet.
    pub fn read(&self) -> Result<CodeObject, ReadError> {
        self.reader().code(0)
    }
}
impl fmt::Debug for StoredCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredCode({:?})", self.range)
    }
}

/// Whether code can be left unread: what it and all code nested in it consist of can be made without hashing, which a set needs.
pub(crate) fn can_wait(code: &CodeObject) -> bool {
    fn plain(constant: &Const) -> bool {
        match constant {
            Const::FrozenSet(_) => false,
            Const::Tuple(items) => items.iter().all(plain),
            Const::Code(code) => can_wait(code),
            _ => true,
        }
    }
    code.consts.iter().all(plain)
}
