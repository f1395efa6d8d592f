//! Depth-limited `Drop` of deep trees: `a.b.c…` nests one level per step, and a script chooses how many.
//!
//! Down to a fixed depth nodes drop recursively; what lies deeper is parked and dropped by the outermost frame.

use std::cell::{Cell, RefCell};

use super::{Expr, ExprKind, Range, Stmt, StmtKind};

/// At most this many nested `Drop` frames, each well under a kilobyte.
const MAX_DEPTH: u32 = 200;

enum Parked {
    Expr(#[expect(dead_code, reason = "held only to be dropped later")] ExprKind),
    Stmt(#[expect(dead_code, reason = "held only to be dropped later")] StmtKind),
}

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static PARKED: RefCell<Vec<Parked>> = const { RefCell::new(Vec::new()) };
}

fn tear_down(node: Parked) {
    let depth = DEPTH.get();
    if depth >= MAX_DEPTH {
        PARKED.with_borrow_mut(|parked| parked.push(node));
        return;
    }
    DEPTH.set(depth + 1);
    drop(node);
    if depth == 0 {
        while let Some(next) = PARKED.with_borrow_mut(Vec::pop) {
            drop(next);
        }
    }
    DEPTH.set(depth);
}

impl ExprKind {
    fn is_leaf(&self) -> bool {
        matches!(self, ExprKind::Constant { .. } | ExprKind::Name { .. })
    }

    /// What a node holds after its content was taken.
    fn vacant() -> ExprKind {
        ExprKind::Set { elts: Vec::new() }
    }
}

impl Drop for Expr {
    fn drop(&mut self) {
        if self.kind.is_leaf() || matches!(&self.kind, ExprKind::Set { elts } if elts.is_empty()) {
            return;
        }
        tear_down(Parked::Expr(std::mem::replace(&mut self.kind, ExprKind::vacant())));
    }
}

impl Drop for Stmt {
    fn drop(&mut self) {
        if matches!(self.kind, StmtKind::Pass | StmtKind::Break | StmtKind::Continue) {
            return;
        }
        tear_down(Parked::Stmt(std::mem::replace(&mut self.kind, StmtKind::Pass)));
    }
}

impl Expr {
    pub fn new(kind: ExprKind, range: Range) -> Expr {
        Expr { kind, range }
    }

    /// Moves the content out (a plain destructuring cannot, because of `Drop`).
    pub fn into_kind(mut self) -> ExprKind {
        self.take_kind()
    }

    /// Moves the content out and leaves an empty `Set` behind.
    pub fn take_kind(&mut self) -> ExprKind {
        std::mem::replace(&mut self.kind, ExprKind::vacant())
    }
}

impl Stmt {
    pub fn new(kind: StmtKind, range: Range) -> Stmt {
        Stmt { kind, range }
    }

    /// Moves the content out (a plain destructuring cannot, because of `Drop`).
    pub fn into_kind(mut self) -> StmtKind {
        std::mem::replace(&mut self.kind, StmtKind::Pass)
    }
}
