//! Refuses any Python but 3.13, sets the rpath to its libpython and passes on the executable's path.

fn main() {
    println!("cargo:rerun-if-env-changed=PYO3_PYTHON");
    let config = pyo3_build_config::get();
    let version = config.version();
    assert!(
        (version.major, version.minor) == (3, 13),
        "the reference must be Python 3.13, not {}.{}: set PYO3_PYTHON to what `scripts/reference` prints",
        version.major,
        version.minor
    );
    assert!(config.shared(), "the reference has no shared libpython: use --reference exe:PATH instead of this worker");
    let executable = config.executable().expect("pyo3 asked an interpreter, so it knows its path");
    println!("cargo:rustc-env=KRAIT_REFERENCE_PYTHON={executable}");
    pyo3_build_config::add_libpython_rpath_link_args();
}
