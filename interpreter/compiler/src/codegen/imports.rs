//! `import` in all forms. CPython counterpart: `compiler_import`, `compiler_from_import`, `compiler_import_as`.

use std::sync::Arc;

use krait_bytecode::location::Position;
use krait_bytecode::opcodes::Intrinsic1;
use krait_bytecode::{Const, Op};
use krait_syntax::ast::{Alias, Identifier, Range};

use super::ir::{NONE, Reg};
use super::{Compiler, Val, at};
use crate::error::{Result, error};

impl<'a> Compiler<'a> {
    /// Imports into the temporary at the height.
    fn import_name(&mut self, name: &Identifier, level: u32, fromlist: Const, pos: Position) -> Reg {
        let base = self.push_const(Const::Int(level as i64), pos);
        self.push_const(fromlist, pos);
        let index = self.u.name_id(name);
        self.emit_full(Op::IMPORT_NAME, [base, base, 0], 0, index, NONE, pos);
        self.set_height(base + 1);
        base
    }

    pub(super) fn import(&mut self, names: &'a [Alias], range: Range) -> Result<()> {
        let pos = at(range);
        for alias in names {
            let base = self.import_name(&alias.name, 0, Const::None, pos);
            let module = Val { reg: base, temp: true };
            match &alias.asname {
                // `import a.b.c as d` binds the innermost module.
                Some(asname) => {
                    let parts = alias.name.split('.').skip(1);
                    let mut current = base;
                    for part in parts {
                        let index = self.u.name_id(&part.into());
                        let next = self.reserve();
                        self.emit_full(Op::IMPORT_FROM, [next, current, 0], 0, index, NONE, pos);
                        self.clear(current, pos);
                        current = next;
                    }
                    self.store_name_at(asname, Val { reg: current, temp: true }, range, pos)?;
                }
                None => {
                    let first: Identifier = alias.name.split('.').next().unwrap_or(&alias.name).into();
                    self.store_name_at(&first, module, range, pos)?;
                }
            }
            self.set_height(base);
        }
        Ok(())
    }

    pub(super) fn import_from(
        &mut self,
        module: Option<&Identifier>,
        names: &'a [Alias],
        level: u32,
        range: Range,
    ) -> Result<()> {
        let pos = at(range);
        let is_future = module.is_some_and(|module| &**module == "__future__") && level == 0;
        if is_future && !self.future_allowed(range) {
            return Err(error(range, "from __future__ imports must occur at the beginning of the file"));
        }
        let fromlist: Arc<[Const]> = names.iter().map(|alias| Const::str(&alias.name)).collect();
        let empty: Identifier = "".into();
        let base = self.import_name(module.unwrap_or(&empty), level, Const::Tuple(fromlist), pos);
        if let [alias] = names
            && &*alias.name == "*"
        {
            self.emit(Op::CALL_INTRINSIC_1, [base, base, Intrinsic1::ImportStar as u32], 0, pos);
            self.clear(base, pos);
            self.set_height(base);
            return Ok(());
        }
        for alias in names {
            let item = self.reserve();
            let index = self.u.name_id(&alias.name);
            self.emit_full(Op::IMPORT_FROM, [item, base, 0], 0, index, NONE, pos);
            let target = alias.asname.as_ref().unwrap_or(&alias.name);
            self.store_name_at(target, Val { reg: item, temp: true }, range, pos)?;
            self.set_height(base + 1);
        }
        self.clear(base, pos);
        self.set_height(base);
        Ok(())
    }

    fn future_allowed(&self, range: Range) -> bool {
        range.lineno <= self.table.future_line
    }
}
