//! `Interpreter`: what the threads of one interpreter share.
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::*};
use std::sync::{Arc, Mutex};

use crate::hash::ByWord;
use crate::locked::ValueCell;

pub struct Interpreter {
    /// `builtins` (the module's namespace).
    pub builtins: ValueCell,
    /// `sys.__dict__`.
    pub sys: ValueCell,
    /// `sys.modules`.
    pub modules: ValueCell,
    /// `importlib._bootstrap`, once it is set up.
    pub importlib: ValueCell,
    pub recursion_limit: AtomicU32,
    pub monitors: Monitors,
    pub gc: crate::gc::State,
    /// Next frame, task or thread number, whoever needs one.
    pub serial: AtomicU64,
    /// Per-interpreter state of modules, by type.
    extensions: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>, ByWord>>,
}

/// Which tools of `sys.monitoring` want which events; crate `runtime` owns the meaning.
#[derive(Default)]
pub struct Monitors {
    /// Tools, a bit each, by event.
    pub tools: [AtomicU8; 17],
    /// Code objects for which some tool wants events of its own.
    pub local: AtomicU32,
}
impl Monitors {
    /// Whether any tool waits for any event.
    pub fn any(&self) -> bool {
        self.local.load(Relaxed) > 0 || self.tools.iter().any(|t| t.load(Relaxed) != 0)
    }
}

impl Interpreter {
    pub fn new() -> Arc<Interpreter> {
        Arc::new(Interpreter {
            builtins: ValueCell::empty(),
            sys: ValueCell::empty(),
            modules: ValueCell::empty(),
            importlib: ValueCell::empty(),
            recursion_limit: AtomicU32::new(1000),
            monitors: Monitors::default(),
            gc: crate::gc::State::default(),
            serial: AtomicU64::new(1),
            extensions: Mutex::default(),
        })
    }
    /// The per-interpreter state of a module, made on first use.
    pub fn extension<T: Default + Any + Send + Sync>(&self) -> Arc<T> {
        let mut all = self.extensions.lock().unwrap_or_else(|e| e.into_inner());
        let held = all.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default())).clone();
        held.downcast().expect("the entry's key is its type")
    }
    pub fn next_serial(&self) -> u64 {
        self.serial.fetch_add(1, Relaxed)
    }
}
