//! `_ctypes_test`: the place of the shared library that an installed CPython brings for testing `ctypes`. The module
//! itself is CPython's own; only its exported C functions are meant, which `ctypes` loads by `__file__`.

use krait_object::ModuleDef;
use krait_runtime::errors::import_error;
use krait_runtime::import;
use krait_runtime::protocol::attr;

pub static MODULE: ModuleDef = ModuleDef {
    init: Some(|th, module| {
        let os = import::import_module(th, "os")?;
        let file = attr::get_text(th, &os, "__file__")?;
        let lib = file.downcast_ref::<krait_object::Str>().map(|file| file.to_string_lossy().into_owned());
        let folder =
            lib.as_deref().and_then(|file| std::path::Path::new(file).parent()).map(|lib| lib.join("lib-dynload"));
        let found = folder.and_then(|folder| std::fs::read_dir(folder).ok()).and_then(|entries| {
            entries.flatten().map(|entry| entry.path()).find(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.starts_with("_ctypes_test.") && name.ends_with(".so")
            })
        });
        match found {
            Some(path) => attr::set_text(th, module, "__file__", &krait_object::Value::str(&path.to_string_lossy())),
            None => Err(import_error(th, "the library of an installed CPython's _ctypes_test is not found")),
        }
    }),
    ..ModuleDef::new("_ctypes_test")
};
