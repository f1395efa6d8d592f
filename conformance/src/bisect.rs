//! The first commit at which a case deviates: halving between a good and a bad one, each built once and kept.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a commit turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Good,
    Bad,
    /// It does not build, or says nothing of the case.
    Unknown,
}

impl Found {
    pub fn word(self) -> &'static str {
        match self {
            Found::Good => "good",
            Found::Bad => "bad",
            Found::Unknown => "neither (it does not build, or does not have the case)",
        }
    }
}

/// The commits after `good` up to `bad`, oldest first, along first parents.
pub fn commits(repository: &Path, good: &str, bad: &str) -> io::Result<Vec<String>> {
    let range = format!("{good}..{bad}");
    let text = git(repository, &["rev-list", "--reverse", "--first-parent", &range])?;
    Ok(text.lines().map(str::to_owned).collect())
}

pub fn git(repository: &Path, args: &[&str]) -> io::Result<String> {
    let output = Command::new("git").arg("-C").arg(repository).args(args).output()?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(io::Error::other(format!("git {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim())))
    }
}

/// Index of the first bad commit, asking as few as possible; the last is known to be bad. With commits that say nothing
/// the answer may be a range: all indices that could be the first bad one.
pub fn search(count: usize, mut ask: impl FnMut(usize) -> io::Result<Found>) -> io::Result<Vec<usize>> {
    let (mut low, mut high) = (0, count.saturating_sub(1));
    let mut unknown = Vec::new();
    while low < high {
        let middle = low + (high - low) / 2;
        // The nearest to the middle that may still say something.
        let known = |index: &usize| !unknown.contains(index);
        let mut order: Vec<usize> = (low..high).filter(known).collect();
        order.sort_by_key(|index| index.abs_diff(middle));
        let Some(&at) = order.first() else { break };
        match ask(at)? {
            Found::Good => low = at + 1,
            Found::Bad => high = at,
            Found::Unknown => unknown.push(at),
        }
    }
    Ok((low..=high).collect())
}

/// Builds commits in a work tree of their own and keeps the binaries below `folder`.
pub struct Builder {
    pub repository: PathBuf,
    pub folder: PathBuf,
    /// A shell command that is run in the work tree with `$OUT` set to where the binary must be put.
    pub command: String,
}

/// The default: Krait under the profile of conformance runs.
pub const BUILD: &str = "cargo build --quiet --profile conf -p krait && cp \"$CARGO_TARGET_DIR/conf/krait\" \"$OUT\"";

impl Builder {
    /// The commit's binary; None when it does not build (its log stays beside).
    pub fn binary(&self, commit: &str) -> io::Result<Option<PathBuf>> {
        fs::create_dir_all(&self.folder)?;
        let out = self.folder.join(format!("subject-{}", &commit[..commit.len().min(12)]));
        if out.exists() {
            return Ok(Some(out));
        }
        let tree = self.folder.join("tree");
        if tree.join(".git").exists() {
            git(&tree, &["checkout", "--quiet", "--force", "--detach", commit])?;
        } else {
            let path = tree.display().to_string();
            git(&self.repository, &["worktree", "prune"])?;
            git(&self.repository, &["worktree", "add", "--quiet", "--force", "--detach", &path, commit])?;
        }
        let log = fs::File::create(self.folder.join("build.log"))?;
        let part = out.with_extension("part");
        let status = Command::new("sh")
            .args(["-c", &self.command])
            .current_dir(&tree)
            .env("OUT", &part)
            .env("CARGO_TARGET_DIR", self.folder.join("target"))
            .stdout(log.try_clone()?)
            .stderr(log)
            .status()?;
        if !status.success() || !part.exists() {
            return Ok(None);
        }
        fs::rename(part, &out)?;
        Ok(Some(out))
    }
}
