//! Decides the scope of every name, bottom up over blocks, and which comprehensions are inlined.
//!
//! CPython counterpart: `analyze_block` and its neighbours in `Python/symtable.c`. Blocks nest natively as deep as
//! functions do, which the builder has already bounded.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use krait_syntax::ast::Identifier;

use super::{BlockId, BlockKind, ComprehensionKind, NameScope, Symbol, SymbolTable, def};
use crate::error::{Result, error};

type Names = HashSet<Identifier>;

pub(super) fn analyze(table: &mut SymbolTable) -> Result<()> {
    let mut free = Names::new();
    analyze_block(table, 0, None, &mut free, &mut Names::new(), &mut Names::new(), None)
}

struct BlockState {
    scopes: HashMap<Identifier, NameScope>,
    local: Names,
}

fn analyze_block(
    table: &mut SymbolTable,
    id: BlockId,
    mut bound: Option<&mut Names>,
    free: &mut Names,
    global: &mut Names,
    type_params: &mut Names,
    class_entry: Option<BlockId>,
) -> Result<()> {
    let is_class = table.blocks[id].kind == BlockKind::Class;
    let mut state = BlockState { scopes: HashMap::new(), local: Names::new() };
    let (mut new_global, mut new_bound, mut new_free) = (Names::new(), Names::new(), Names::new());
    if is_class {
        // A class's own names and global statements do not reach nested functions.
        new_global.extend(global.iter().cloned());
        if let Some(bound) = &bound {
            new_bound.extend(bound.iter().cloned());
        }
    }
    let names: Vec<(Identifier, u32)> =
        table.blocks[id].symbols.iter().map(|(name, symbol)| (Arc::clone(name), symbol.flags)).collect();
    for (name, flags) in &names {
        let bound = bound.as_deref_mut();
        analyze_name(table, id, &mut state, name, *flags, bound, free, global, type_params, class_entry)?;
    }
    if is_class {
        new_bound.insert("__class__".into());
        new_bound.insert("__classdict__".into());
    } else {
        if table.blocks[id].is_function_like() {
            new_bound.extend(state.local.iter().cloned());
        }
        if let Some(bound) = &bound {
            new_bound.extend(bound.iter().cloned());
        }
        new_global.extend(global.iter().cloned());
    }
    let mut inlined_cells = Names::new();
    let mut new_children = Vec::new();
    for child in table.blocks[id].children.clone() {
        let child_class = match () {
            () if !table.blocks[child].can_see_class_scope => None,
            () if is_class => Some(id),
            () => class_entry,
        };
        let kind = table.blocks[child].comprehension;
        let inline = kind != ComprehensionKind::No
            && kind != ComprehensionKind::Generator
            && !table.blocks[id].can_see_class_scope;
        let mut child_free = Names::new();
        let (mut child_bound, mut child_global) = (new_bound.clone(), new_global.clone());
        let mut child_params = type_params.clone();
        let bound = Some(&mut child_bound);
        analyze_block(table, child, bound, &mut child_free, &mut child_global, &mut child_params, child_class)?;
        if inline {
            inline_comprehension(table, id, child, &mut state.scopes, &mut child_free, &mut inlined_cells);
            table.blocks[child].inlined = true;
            new_children.extend(table.blocks[child].children.iter().copied());
        } else {
            new_children.push(child);
        }
        if table.blocks[child].free || table.blocks[child].child_free || !child_free.is_empty() {
            table.blocks[id].child_free = true;
        }
        new_free.extend(child_free);
    }
    table.blocks[id].children = new_children;
    if table.blocks[id].is_function_like() {
        analyze_cells(&mut state.scopes, &mut new_free, &inlined_cells);
    } else if is_class {
        table.blocks[id].needs_class_closure |= new_free.remove("__class__");
        table.blocks[id].needs_classdict |= new_free.remove("__classdict__");
    }
    update_symbols(table, id, &state.scopes, bound.as_deref(), &new_free, &inlined_cells);
    free.extend(new_free);
    Ok(())
}

fn analyze_name(
    table: &mut SymbolTable,
    id: BlockId,
    state: &mut BlockState,
    name: &Identifier,
    flags: u32,
    bound: Option<&mut Names>,
    free: &mut Names,
    global: &mut Names,
    type_params: &mut Names,
    class_entry: Option<BlockId>,
) -> Result<()> {
    let mut set = |scope| {
        state.scopes.insert(Arc::clone(name), scope);
    };
    if flags & def::GLOBAL != 0 {
        if flags & def::NONLOCAL != 0 {
            return Err(directive_error(table, id, name, format!("name '{name}' is nonlocal and global")));
        }
        set(NameScope::GlobalExplicit);
        global.insert(Arc::clone(name));
        if let Some(bound) = bound {
            bound.remove(name);
        }
        return Ok(());
    }
    if flags & def::NONLOCAL != 0 {
        let Some(bound) = bound else {
            let msg = "nonlocal declaration not allowed at module level".to_owned();
            return Err(directive_error(table, id, name, msg));
        };
        if !bound.contains(name) {
            return Err(directive_error(table, id, name, format!("no binding for nonlocal '{name}' found")));
        }
        if type_params.contains(name) {
            let msg = format!("nonlocal binding not allowed for type parameter '{name}'");
            return Err(directive_error(table, id, name, msg));
        }
        set(NameScope::Free);
        table.blocks[id].free = true;
        free.insert(Arc::clone(name));
        return Ok(());
    }
    if flags & def::BOUND != 0 {
        set(NameScope::Local);
        state.local.insert(Arc::clone(name));
        global.remove(name);
        if flags & def::TYPE_PARAM != 0 {
            type_params.insert(Arc::clone(name));
        } else {
            type_params.remove(name);
        }
        return Ok(());
    }
    if let Some(class) = class_entry {
        // An annotation scope asks the class's namespace at run time; here it only must not bind past it.
        let class_flags = table.blocks[class].symbols.flags(name);
        if class_flags & def::GLOBAL != 0 {
            set(NameScope::GlobalExplicit);
            return Ok(());
        }
        if class_flags & def::BOUND != 0 && class_flags & def::NONLOCAL == 0 {
            set(NameScope::GlobalImplicit);
            return Ok(());
        }
    }
    if bound.is_some_and(|bound| bound.contains(name)) {
        set(NameScope::Free);
        table.blocks[id].free = true;
        free.insert(Arc::clone(name));
        return Ok(());
    }
    if !global.contains(name) && table.blocks[id].nested {
        table.blocks[id].free = true;
    }
    set(NameScope::GlobalImplicit);
    Ok(())
}

fn directive_error(table: &SymbolTable, id: BlockId, name: &Identifier, msg: String) -> krait_syntax::SyntaxError {
    let block = &table.blocks[id];
    let range = block.directives.iter().find(|(directive, _)| directive == name).map_or(block.range, |entry| entry.1);
    error(range, msg)
}

fn is_free_in_any_child(table: &SymbolTable, id: BlockId, name: &str) -> bool {
    table.blocks[id].children.iter().any(|&child| table.blocks[child].scope_of(name) == NameScope::Free)
}

/// Merges the names of an inlined comprehension into the block around it.
fn inline_comprehension(
    table: &mut SymbolTable,
    id: BlockId,
    comprehension: BlockId,
    scopes: &mut HashMap<Identifier, NameScope>,
    comp_free: &mut Names,
    inlined_cells: &mut Names,
) {
    let is_class = table.blocks[id].kind == BlockKind::Class;
    let walrus = table.blocks[comprehension].walrus_names.clone();
    table.blocks[id].walrus_names.extend(walrus);
    let names: Vec<(Identifier, Symbol)> =
        table.blocks[comprehension].symbols.iter().map(|(name, symbol)| (Arc::clone(name), symbol)).collect();
    for (name, symbol) in names {
        if symbol.flags & def::PARAM != 0 {
            continue;
        }
        if symbol.scope == NameScope::Cell || symbol.flags & def::COMP_CELL != 0 {
            inlined_cells.insert(Arc::clone(&name));
        }
        let mut scope = symbol.scope;
        // `__class__` in a comprehension in a class body is not the class's own cell.
        if scope == NameScope::Free && is_class && &*name == "__class__" {
            scope = NameScope::GlobalImplicit;
            comp_free.remove(&name);
            table.blocks[comprehension].symbols.set(&name, Symbol { scope, ..symbol });
        }
        match table.blocks[id].symbols.get(&name) {
            None => {
                let flags = symbol.flags;
                table.blocks[id].symbols.set(&name, Symbol { flags, scope: NameScope::Unknown });
                scopes.insert(name, scope);
            }
            Some(existing) => {
                // A free name of the comprehension that is local here is simply local, unless something nested needs
                // the cell or this is a class.
                if existing.flags & def::BOUND != 0 && !is_class && !is_free_in_any_child(table, comprehension, &name) {
                    comp_free.remove(&name);
                }
            }
        }
    }
}

fn analyze_cells(scopes: &mut HashMap<Identifier, NameScope>, free: &mut Names, inlined_cells: &Names) {
    for (name, scope) in scopes.iter_mut() {
        if *scope == NameScope::Local && (free.contains(name) || inlined_cells.contains(name)) {
            *scope = NameScope::Cell;
            free.remove(name);
        }
    }
}

fn update_symbols(
    table: &mut SymbolTable,
    id: BlockId,
    scopes: &HashMap<Identifier, NameScope>,
    bound: Option<&Names>,
    free: &Names,
    inlined_cells: &Names,
) {
    let block = &mut table.blocks[id];
    for (name, symbol) in &mut block.symbols.entries {
        if inlined_cells.contains(name) {
            symbol.flags |= def::COMP_CELL;
        }
        if let Some(&scope) = scopes.get(name) {
            symbol.scope = scope;
        }
    }
    let class_like = block.kind == BlockKind::Class || block.can_see_class_scope;
    let mut names: Vec<&Identifier> = free.iter().collect();
    names.sort();
    for name in names {
        match block.symbols.get(name) {
            Some(symbol) => {
                // Free in a nested function and also bound in this class.
                if class_like {
                    let flags = symbol.flags | def::FREE_CLASS;
                    block.symbols.set(name, Symbol { flags, ..symbol });
                }
            }
            None if bound.is_some_and(|bound| !bound.contains(name)) => {}
            None => block.symbols.set(name, Symbol { flags: 0, scope: NameScope::Free }),
        }
    }
}
