//! `grp`: the group database.
use krait_object::native::function;
use krait_object::{List, Method, ModuleDef, Thread, Value};
use krait_platform::users::{self, Group, Key};
use krait_runtime::convert::fs_decode;
use krait_runtime::errors::{catch, key_error};
use krait_runtime::exceptions::OVERFLOW_ERROR;
use krait_runtime::protocol::repr;
use krait_runtime::types::module;
use krait_runtime::types::structseq::StructSeqDef;
use krait_runtime::world::blocking;

use crate::arguments::{fs_string, show_id, user_id};
use crate::structs;

static GROUP: StructSeqDef = StructSeqDef {
    module: "grp",
    name: "struct_group",
    doc: "An entry of the group database.",
    fields: &[
        ("gr_name", "group name"),
        ("gr_passwd", "password"),
        ("gr_gid", "group id"),
        ("gr_mem", "group members"),
    ],
    visible: 4,
    instantiable: true,
};
pub static MODULE: ModuleDef = ModuleDef {
    doc: "The group database.",
    functions: FUNCTIONS,
    init: Some(|th, m| {
        module::dict(m).set_text("struct_group", structs::class(th, &GROUP));
        Ok(())
    }),
    ..ModuleDef::new("grp")
};
fn entry(th: &Thread, g: &Group) -> Value {
    let t = |b: &Vec<u8>| -> Value { fs_decode(b).into() };
    let members = List::new(g.members.iter().map(t).collect());
    structs::build(th, &GROUP, vec![t(&g.name), t(&g.password), show_id(g.gid), members.into()])
}
static FUNCTIONS: &[Method] = &[
    function("getgrgid", "(id)", "The entry of a group number.", |th, a| {
        let found = match user_id(th, &a[0], "gid") {
            Ok(id) => blocking(th, || users::find_group(&Key::Id(id))),
            Err(raised) => {
                catch(th, raised, &OVERFLOW_ERROR)?;
                None
            }
        };
        match found {
            Some(g) => Ok(entry(th, &g)),
            None => {
                let shown = repr::str(th, &a[0])?;
                let message = Value::from(format!("getgrgid(): gid not found: {shown}"));
                Err(key_error(th, &message))
            }
        }
    }),
    function("getgrnam", "(name)", "The entry of a group name.", |th, a| {
        krait_runtime::convert::expect_str(th, &a[0], "getgrnam", "argument 'name'")?;
        let name = fs_string(th, &a[0])?;
        match blocking(th, || users::find_group(&Key::Name(&name))) {
            Some(g) => Ok(entry(th, &g)),
            None => {
                let shown = repr::repr(th, &a[0])?;
                let message = Value::from(format!("getgrnam(): name not found: {shown}"));
                Err(key_error(th, &message))
            }
        }
    }),
    function("getgrall", "()", "All entries.", |th, _| {
        let all = users::all_groups();
        Ok(List::new(all.iter().map(|g| entry(th, g)).collect()).into())
    }),
];
