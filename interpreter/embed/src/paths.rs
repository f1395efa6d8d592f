//! Where things are: the standard library, the prefix, `sys.path` (`Modules/getpath.py` in CPython).
use std::path::{Path, PathBuf};

use krait_runtime::config::Config;

/// The folder that holds `os.py`: `$KRAIT_HOME`, beside the executable, or the Lib of an installed CPython 3.13.
pub fn find_stdlib(executable: &Path) -> Option<PathBuf> {
    let is_lib = |p: &Path| p.join("os.py").is_file() && p.join("importlib/_bootstrap.py").is_file();
    let mut candidates: Vec<PathBuf> = Vec::new();
    if let Some(home) = std::env::var_os("KRAIT_HOME").filter(|h| !h.is_empty()) {
        let home = PathBuf::from(home);
        candidates.extend([home.join("lib/python3.13"), home.join("Lib"), home]);
    }
    if let Some(dir) = executable.parent() {
        candidates.extend([dir.join("lib"), dir.join("../lib/krait3.13")]);
    }
    if let Some(reference) = std::env::var_os("KRAIT_REFERENCE").filter(|h| !h.is_empty()) {
        candidates.extend(lib_of_prefix(Path::new(&reference).parent().and_then(Path::parent)));
    }
    for dir in std::env::var_os("PATH").iter().flat_map(std::env::split_paths) {
        let python = dir.join("python3.13");
        if python.is_file() && !dir.ends_with("shims") {
            let real = python.canonicalize().unwrap_or(python);
            candidates.extend(lib_of_prefix(real.parent().and_then(Path::parent)));
        }
    }
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let mut roots = vec![home.join(".pyenv/versions"), PathBuf::from("/root/.pyenv/versions")];
    roots.extend(std::env::var_os("PYENV_ROOT").map(|r| PathBuf::from(r).join("versions")));
    roots.push(home.join(".local/share/uv/python"));
    for root in roots {
        let mut found: Vec<PathBuf> = std::fs::read_dir(root)
            .into_iter()
            .flatten()
            .flatten()
            .map(|e| e.path())
            .filter(|p| p.file_name().is_some_and(|n| n.to_string_lossy().contains("3.13")))
            .collect();
        found.sort();
        candidates.extend(found.into_iter().map(|p| p.join("lib/python3.13")));
    }
    candidates.extend(["/usr/lib/python3.13", "/usr/local/lib/python3.13"].map(PathBuf::from));
    candidates.into_iter().find(|p| is_lib(p))
}
fn lib_of_prefix(prefix: Option<&Path>) -> Option<PathBuf> {
    Some(prefix?.join("lib/python3.13"))
}

/// The executable's absolute path, found through `PATH` where it was called by name.
pub fn find_executable(argv0: &std::ffi::OsStr) -> PathBuf {
    let named = Path::new(argv0);
    if named.components().count() > 1 {
        return std::path::absolute(named).unwrap_or_else(|_| named.to_path_buf());
    }
    for dir in std::env::var_os("PATH").iter().flat_map(std::env::split_paths) {
        let candidate = dir.join(named);
        if candidate.is_file() {
            return std::path::absolute(&candidate).unwrap_or(candidate);
        }
    }
    std::env::current_exe().unwrap_or_else(|_| named.to_path_buf())
}

/// Fills prefixes and the search path: `PYTHONPATH`, the zip beside the library, the library; or what a `._pth` file beside
/// the executable lists.
pub fn fill(config: &mut Config, python_path: Option<&std::ffi::OsStr>) {
    let stdlib = find_stdlib(&config.executable);
    let own = |executable: &Path| executable.parent().and_then(Path::parent).map(Path::to_path_buf);
    config.base_prefix = own(&config.executable).unwrap_or_else(|| PathBuf::from("/usr/local"));
    config.prefix = config.base_prefix.clone();
    config.base_executable = config.executable.clone();
    if let Some((home, version_dir)) = virtual_environment(&config.executable) {
        config.prefix = version_dir;
        config.base_prefix = own(&home.join("krait")).unwrap_or_else(|| config.base_prefix.clone());
        let named = config.executable.file_name().map(|n| home.join(n)).filter(|p| p.is_file());
        config.base_executable =
            named.or_else(|| config.executable.canonicalize().ok()).unwrap_or_else(|| config.executable.clone());
    }
    let mut path: Vec<PathBuf> = python_path
        .filter(|p| !p.is_empty())
        .map(|p| std::env::split_paths(p).map(|p| std::path::absolute(&p).unwrap_or(p)).collect())
        .unwrap_or_default();
    path.push(config.base_prefix.join("lib/python313.zip"));
    path.extend(stdlib.clone());
    config.path = path;
    config.stdlib_dir = stdlib;
    if let Some(lines) = path_file(&config.executable) {
        listed_paths(config, &lines);
    }
}
/// The text of the `._pth` file that belongs to the executable.
fn path_file(executable: &Path) -> Option<String> {
    let mut name = executable.file_name()?.to_owned();
    name.push("._pth");
    std::fs::read_to_string(executable.with_file_name(name)).ok()
}
/// A `._pth` file isolates: its folders are the whole path, and `site` is imported only where it says so.
fn listed_paths(config: &mut Config, lines: &str) {
    let folder = config.executable.parent().map(Path::to_path_buf).unwrap_or_default();
    config.flags.isolated = 1;
    config.flags.ignore_environment = 1;
    config.flags.no_user_site = 1;
    config.flags.no_site = 1;
    config.flags.safe_path = true;
    config.path.clear();
    for line in lines.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        match line.strip_prefix("import ") {
            Some("site") => config.flags.no_site = 0,
            Some(_) => eprintln!("unsupported 'import' line in ._pth file"),
            None => config.path.push(normal(&folder.join(line))),
        }
    }
}
/// Without `.` and `..`, as `os.path.normpath`.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(out.pop()),
            std::path::Component::CurDir => {}
            part => out.push(part),
        }
    }
    out
}
/// `home` from a `pyvenv.cfg` beside the executable or above, and the environment's folder.
fn virtual_environment(executable: &Path) -> Option<(PathBuf, PathBuf)> {
    let dir = executable.parent()?;
    let (root, text) = [dir, dir.parent()?]
        .into_iter()
        .find_map(|d| Some((d.to_path_buf(), std::fs::read_to_string(d.join("pyvenv.cfg")).ok()?)))?;
    let home = text.lines().find_map(|l| {
        let (k, v) = l.split_once('=')?;
        k.trim().eq_ignore_ascii_case("home").then(|| PathBuf::from(v.trim()))
    })?;
    Some((home, root))
}
