//! `pwd`: the user database.
use krait_object::native::function;
use krait_object::{List, Method, ModuleDef, Thread, Value};
use krait_platform::users::{self, Key, User};
use krait_runtime::convert::fs_decode;
use krait_runtime::errors::{catch, key_error, raise};
use krait_runtime::exceptions::{KEY_ERROR, OVERFLOW_ERROR};
use krait_runtime::protocol::repr;
use krait_runtime::types::module;
use krait_runtime::types::structseq::StructSeqDef;
use krait_runtime::world::blocking;

use crate::arguments::{fs_string, show_id, user_id};
use crate::structs;

static PASSWD: StructSeqDef = StructSeqDef {
    module: "pwd",
    name: "struct_passwd",
    doc: "An entry of the user database.",
    fields: &[
        ("pw_name", "user name"),
        ("pw_passwd", "password"),
        ("pw_uid", "user id"),
        ("pw_gid", "group id"),
        ("pw_gecos", "real name"),
        ("pw_dir", "home directory"),
        ("pw_shell", "shell program"),
    ],
    visible: 7,
    instantiable: true,
};
pub static MODULE: ModuleDef = ModuleDef {
    doc: "The user database.",
    functions: FUNCTIONS,
    init: Some(|th, m| {
        module::dict(m).set_text("struct_passwd", structs::class(th, &PASSWD));
        Ok(())
    }),
    ..ModuleDef::new("pwd")
};
fn entry(th: &Thread, u: &User) -> Value {
    let t = |b: &[u8]| -> Value { fs_decode(b).into() };
    let fields = vec![t(&u.name), t(&u.password), show_id(u.uid), show_id(u.gid), t(&u.gecos), t(&u.home), t(&u.shell)];
    structs::build(th, &PASSWD, fields)
}
static FUNCTIONS: &[Method] = &[
    function("getpwuid", "(uidobj, /)", "The entry of a user number.", |th, a| {
        let id = match user_id(th, &a[0], "uid") {
            Ok(id) => id,
            Err(raised) => {
                catch(th, raised, &OVERFLOW_ERROR)?;
                return Err(raise(th, &KEY_ERROR, "getpwuid(): uid not found"));
            }
        };
        match blocking(th, || users::find_user(&Key::Id(id))) {
            Some(u) => Ok(entry(th, &u)),
            None => {
                let message = Value::from(format!("getpwuid(): uid not found: {}", id as i32 as i64 & 0xffff_ffff));
                Err(key_error(th, &message))
            }
        }
    }),
    function("getpwnam", "(name, /)", "The entry of a user name.", |th, a| {
        krait_runtime::convert::expect_str(th, &a[0], "getpwnam", "argument")?;
        let name = fs_string(th, &a[0])?;
        match blocking(th, || users::find_user(&Key::Name(&name))) {
            Some(u) => Ok(entry(th, &u)),
            None => {
                let shown = repr::repr(th, &a[0])?;
                let message = Value::from(format!("getpwnam(): name not found: {shown}"));
                Err(key_error(th, &message))
            }
        }
    }),
    function("getpwall", "()", "All entries.", |th, _| {
        let all = users::all_users();
        Ok(List::new(all.iter().map(|u| entry(th, u)).collect()).into())
    }),
];
