//! One worker process: how it is started, what it reports, and how its whole process tree is watched and ended.
//!
//! A worker runs in its own session and temporary directory, with a fixed environment, umask, standard input, signal
//! dispositions and limits. It starts through `sh`, `setsid` and `env`, so that this crate needs no unsafe `pre_exec`.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde::Deserialize;

use crate::scratch::Scratch;

/// The descriptor on which the recorder writes; `sh` can name only single digits.
pub const RECORD_FD: u32 = 9;

/// What the recorder writes, one object a line.
#[derive(Deserialize, Debug, Clone, Default)]
pub struct Event {
    pub e: String,
    #[serde(default)]
    pub pid: u32,
    #[serde(default)]
    pub id: String,
    #[serde(default)]
    pub kind: String,
    #[serde(default)]
    pub status: String,
    #[serde(default)]
    pub stage: String,
    #[serde(default)]
    pub ms: u64,
    /// CPU microseconds that the recorder itself has taken so far.
    #[serde(default)]
    pub own_us: u64,
    #[serde(default)]
    pub reason: Option<String>,
    #[serde(default)]
    pub exc: Option<EventExc>,
    #[serde(default)]
    pub subtests: Option<crate::record::Subtests>,
    #[serde(default)]
    pub version: String,
    #[serde(default)]
    pub executable: String,
}

#[derive(Deserialize, Debug, Clone, Default)]
pub struct EventExc {
    #[serde(rename = "type")]
    pub kind: String,
    pub message: String,
    #[serde(default)]
    pub frames: Vec<String>,
    #[serde(default)]
    pub trace: String,
}

/// How to start one side.
#[derive(Clone, Debug)]
pub struct Interpreter {
    pub program: PathBuf,
    /// Beyond the fixed environment.
    pub env: Vec<(String, String)>,
    /// A descendant whose executable lies below this prefix fails the case: the subject must not run the reference.
    pub forbidden_prefix: Option<PathBuf>,
    /// `RLIMIT_AS` in KiB.
    pub address_space_kb: Option<u64>,
}

impl Interpreter {
    pub fn new(program: PathBuf) -> Interpreter {
        Interpreter { program, env: Vec::new(), forbidden_prefix: None, address_space_kb: None }
    }
}

/// The environment that every worker gets, whatever the caller's: nothing named `PYTHON*` reaches it.
pub fn fixed_environment(home: &Path, temp: &Path) -> Vec<(String, String)> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let cache = std::env::temp_dir().join(format!("krait-bytecode-{}", rustix::process::getuid().as_raw()));
    [
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin".to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
        ("TZ", "UTC".to_owned()),
        ("TERM", "dumb".to_owned()),
        ("HOME", text(home)),
        ("TMPDIR", text(temp)),
        ("XDG_CACHE_HOME", text(&cache)),
        ("RUST_BACKTRACE", "0".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

/// A running worker. Dropping it ends its process tree.
pub struct Worker {
    child: Child,
    pub events: Receiver<Event>,
    output: PathBuf,
    watch: Watch,
    exit: Option<ExitStatus>,
}

impl Worker {
    pub fn start(interpreter: &Interpreter, args: &[String], scratch: &Path) -> io::Result<Worker> {
        let (read_end, write_end) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let output = scratch.join("output");
        let file = File::create(&output)?;
        // The holder is the parent that a case may kill: the supervisor is out of reach. It ends as the worker ended.
        let holder = "ulimit -c 0; setsid env --default-signal sh -c \"$@\"; code=$?; \
                      [ $code -le 128 ] || kill -$((code - 128)) $$; exit $code";
        let mut script =
            String::from("umask 022; ulimit -c 0; ulimit -Sn 1024; ulimit -Hn 4096 2>/dev/null; ulimit -Ss 8192; ");
        if let Some(limit) = interpreter.address_space_kb {
            script.push_str(&format!("ulimit -v {limit}; "));
        }
        script.push_str(&format!("exec {RECORD_FD}>&0 </dev/null 2>&1 \"$@\""));
        let mut command = Command::new("sh");
        command.args(["-c", holder, "sh", &script, "sh"]).arg(&interpreter.program).args(args).process_group(0);
        command.env_clear().envs(fixed_environment(&scratch.join("home"), &scratch.join("tmp")));
        command.envs(interpreter.env.iter().map(|(name, value)| (name, value)));
        command.current_dir(scratch.join("work"));
        // The pipe's end travels as standard input and is moved by the shell: no other child can inherit it.
        command.stdin(Stdio::from(write_end)).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn()?;
        drop(command);
        let watch = Watch::new(child.id(), interpreter.forbidden_prefix.clone());
        Ok(Worker { child, events: read_events(read_end), output, watch, exit: None })
    }

    /// The recorder's own process, as its first event tells it; from then on it is watched, whoever its parent is.
    pub fn note(&mut self, pid: u32) {
        self.watch.note(pid);
    }

    /// The worker's exit status once it has ended.
    pub fn poll_exit(&mut self) -> Option<ExitStatus> {
        if self.exit.is_none() {
            self.exit = self.child.try_wait().ok().flatten();
        }
        self.exit
    }

    /// Looks at the process tree: resident memory in KiB and a foreign executable, if one was seen.
    pub fn look(&mut self) -> (u64, Option<String>) {
        self.watch.look();
        (self.watch.rss_kb, self.watch.foreign.clone())
    }

    /// Looks at the libraries that the process tree has mapped: one of the reference's is as foreign as its executable.
    pub fn look_at_maps(&mut self) -> Option<String> {
        self.watch.look_at_maps();
        self.watch.foreign.clone()
    }

    pub fn peak_rss_kb(&self) -> u64 {
        self.watch.peak_kb
    }

    /// Ends the worker's session and every descendant seen, and waits for the worker itself.
    pub fn end(&mut self) {
        self.watch.look();
        self.watch.kill_all();
        if self.exit.is_none() {
            let _ = self.child.kill();
            self.exit = self.child.wait().ok();
        }
        self.watch.look();
        self.watch.kill_all();
    }

    /// The last `limit` bytes of what the worker printed.
    pub fn output_tail(&self, limit: u64) -> String {
        let mut bytes = Vec::new();
        if let Ok(mut file) = File::open(&self.output) {
            let length = file.metadata().map(|meta| meta.len()).unwrap_or(0);
            if file.seek(SeekFrom::Start(length.saturating_sub(limit))).is_ok() {
                let _ = file.take(limit).read_to_end(&mut bytes);
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end();
    }
}

fn read_events(read_end: OwnedFd) -> Receiver<Event> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(File::from(read_end));
        let mut line = Vec::new();
        loop {
            line.clear();
            match reader.read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            // A test may write on every descriptor it finds: what is no record is passed over.
            if let Ok(event) = serde_json::from_slice::<Event>(&line)
                && sender.send(event).is_err()
            {
                return;
            }
        }
    });
    receiver
}

/// The process tree of a worker, found by session and by parent in `/proc`.
struct Watch {
    /// The holder.
    root: u32,
    /// The recorder's process, which leads its session; 0 until it has spoken.
    leader: u32,
    forbidden: Option<PathBuf>,
    foreign: Option<String>,
    /// Descendants by pid, with their start time, so that a reused pid is never killed.
    seen: HashMap<u32, u64>,
    rss_kb: u64,
    peak_kb: u64,
}

struct Process {
    pid: u32,
    parent: u32,
    session: u32,
    start: u64,
    rss_kb: u64,
}

impl Watch {
    fn new(root: u32, forbidden: Option<PathBuf>) -> Watch {
        Watch { root, leader: 0, forbidden, foreign: None, seen: HashMap::new(), rss_kb: 0, peak_kb: 0 }
    }

    fn note(&mut self, pid: u32) {
        if let Some(process) = read_process(pid) {
            self.seen.insert(pid, process.start);
            self.leader = pid;
        }
    }

    /// A library stays mapped once it is loaded, so that a look now and then finds it.
    fn look_at_maps(&mut self) {
        let (Some(prefix), None) = (&self.forbidden, &self.foreign) else { return };
        for &pid in self.seen.keys() {
            let Ok(maps) = fs::read_to_string(format!("/proc/{pid}/maps")) else { continue };
            if let Some(library) = maps.lines().find_map(|line| foreign_library(line, prefix)) {
                self.foreign = Some(library);
                return;
            }
        }
    }

    fn look(&mut self) {
        let processes = all_processes();
        let mut total = 0;
        loop {
            let before = self.seen.len();
            for process in &processes {
                let ours = process.pid == self.root
                    || self.seen.contains_key(&process.session)
                    || process.parent == self.root
                    || processes.iter().any(|other| other.pid == process.parent && self.is_seen(other));
                if ours && !self.is_seen(process) {
                    self.seen.insert(process.pid, process.start);
                }
            }
            if self.seen.len() == before {
                break;
            }
        }
        let tree: Vec<&Process> = processes.iter().filter(|process| self.is_seen(process)).collect();
        for process in tree {
            total += process.rss_kb;
            if let (Some(prefix), None) = (&self.forbidden, &self.foreign)
                && let Ok(exe) = fs::read_link(format!("/proc/{}/exe", process.pid))
                && exe.starts_with(prefix)
            {
                self.foreign = Some(exe.display().to_string());
            }
        }
        self.rss_kb = total;
        self.peak_kb = self.peak_kb.max(total);
    }

    fn is_seen(&self, process: &Process) -> bool {
        self.seen.get(&process.pid) == Some(&process.start)
    }

    fn kill_all(&self) {
        for group in [self.root, self.leader].into_iter().filter(|&group| group != 0) {
            if let Some(group) = Pid::from_raw(group as i32) {
                let _ = kill_process_group(group, Signal::KILL);
            }
        }
        for (&pid, &start) in &self.seen {
            if pid != self.root
                && read_process(pid).is_some_and(|process| process.start == start)
                && let Some(pid) = Pid::from_raw(pid as i32)
            {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}

/// The path of a line of `/proc/PID/maps`, if it is a shared library below the prefix; a test may map files of any other
/// kind.
pub fn foreign_library(line: &str, prefix: &Path) -> Option<String> {
    let path = &line[line.find('/')?..];
    let name = path.rsplit('/').next()?;
    let library = name.ends_with(".so") || name.contains(".so.");
    (library && Path::new(path).starts_with(prefix)).then(|| path.to_owned())
}

fn all_processes() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter_map(read_process).collect()
}

/// Fields of `/proc/PID/stat`; the command's name, in parentheses, may itself hold spaces and parentheses.
fn read_process(pid: u32) -> Option<Process> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    let fields: Vec<&str> = text[text.rfind(')')? + 1..].split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let page_kb = (rustix::param::page_size() / 1024) as u64;
    Some(Process {
        pid,
        parent: number(1)? as u32,
        session: number(3)? as u32,
        start: number(19)?,
        rss_kb: number(21)? * page_kb,
    })
}

/// Runs a command as a worker would run and returns what it printed, with its exit code; None when it took too long.
pub fn run_plain(
    interpreter: &Interpreter,
    args: &[String],
    limit: Duration,
) -> io::Result<Option<(String, Option<i32>)>> {
    let scratch = Scratch::new("p")?;
    let mut worker = Worker::start(interpreter, args, &scratch.path)?;
    let deadline = Instant::now() + limit;
    let mut pause = Duration::from_millis(5);
    while Instant::now() < deadline {
        if let Some(status) = worker.poll_exit() {
            return Ok(Some((worker.output_tail(1 << 20), status.code())));
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
    Ok(None)
}
