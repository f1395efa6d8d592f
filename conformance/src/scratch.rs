//! Scratch folders of workers: made, removed, and swept up when the supervisor that made them was killed.
//!
//! Beside each folder stands a lock that its supervisor holds. A lock that nobody holds marks a folder whose supervisor is
//! gone: what still runs there is ended, and the folder goes.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Pid, Signal, kill_process};

/// A scratch folder, removed when dropped. Kept short: socket paths end at 107 bytes.
pub struct Scratch {
    pub path: PathBuf,
    lock: PathBuf,
    /// Held for as long as the folder lives.
    _held: File,
}

const PREFIX: &str = "kc";

impl Scratch {
    pub fn new(label: &str) -> io::Result<Scratch> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("{PREFIX}{}-{number}{label}", std::process::id()));
        let lock = path.with_extension("lock");
        let held = File::create(&lock)?;
        held.lock()?;
        for part in ["work", "home", "tmp"] {
            fs::create_dir_all(path.join(part))?;
        }
        Ok(Scratch { path, lock, _held: held })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.path);
        // A lock that stays is swept up later.
        let _ = fs::remove_file(&self.lock);
    }
}

/// A case may leave folders without permissions behind; what cannot be removed even so stays for the sweep.
fn remove(folder: &Path) {
    if fs::remove_dir_all(folder).is_err() && folder.exists() {
        let _ = Command::new("chmod").arg("-R").arg("u+rwx").arg(folder).stderr(Stdio::null()).status();
        let _ = fs::remove_dir_all(folder);
    }
}

/// Ends what killed supervisors left running, and removes their folders.
pub fn sweep() -> io::Result<()> {
    for entry in fs::read_dir(std::env::temp_dir())?.flatten() {
        let lock = entry.path();
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if !ours || lock.extension().is_none_or(|extension| extension != "lock") {
            continue;
        }
        let Ok(file) = File::open(&lock) else { continue };
        if file.try_lock().is_err() {
            continue;
        }
        let folder = lock.with_extension("");
        end_processes(&folder);
        remove(&folder);
        if !folder.exists() {
            fs::remove_file(&lock)?;
        }
    }
    Ok(())
}

/// Every worker and its descendants have the folder's `tmp` in their environment.
fn end_processes(folder: &Path) {
    let mark = format!("TMPDIR={}\0", folder.join("tmp").display());
    let Ok(entries) = fs::read_dir("/proc") else { return };
    for pid in entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok()) {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        if String::from_utf8_lossy(&environment).contains(&mark)
            && let Some(pid) = Pid::from_raw(pid)
        {
            // It may have ended by itself meanwhile.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}
