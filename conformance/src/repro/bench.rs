//! One side, kept running: standalone files are run in forked children of an interpreter that has started once.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::record::{Record, Side, Status, VERSION};
use crate::scratch::Scratch;
use crate::signature;
use crate::suite::repository;
use crate::supervisor::exception;
use crate::worker::{Event, Interpreter, fixed_environment};

/// Name of the module on both sides; the folder is called `test`, so that frames count as the suite's.
pub const MODULE: &str = "repro";

pub struct Bench {
    interpreter: Interpreter,
    scratch: Scratch,
    /// Whether the files use `test.support`, whose resources are then switched off first.
    support: bool,
    seconds: f64,
    server: Option<Server>,
}

struct Server {
    child: Child,
    requests: ChildStdin,
    answers: Receiver<String>,
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(group) = Pid::from_raw(self.child.id() as i32) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Bench {
    pub fn new(interpreter: &Interpreter, support: bool, seconds: f64) -> io::Result<Bench> {
        let scratch = Scratch::new("b")?;
        fs::create_dir_all(scratch.path.join("test"))?;
        let mut interpreter = interpreter.clone();
        // Texts of one length follow each other within a second: stored bytecode would be stale.
        interpreter.env.push(("PYTHONDONTWRITEBYTECODE".to_owned(), "1".to_owned()));
        Ok(Bench { interpreter, scratch, support, seconds, server: None })
    }

    /// The case's record in this file; None when the file does not load or has no such case.
    pub fn run(&mut self, source: &str, id: &str) -> io::Result<Option<Record>> {
        let root = self.scratch.path.join("test");
        fs::write(root.join(format!("{MODULE}.py")), source)?;
        let [cases, events, log] = ["cases", "events", "log"].map(|name| self.scratch.path.join(name));
        fs::write(&cases, id)?;
        fs::write(&events, "")?;
        fs::write(&log, "")?;
        let paths = [root, PathBuf::from(MODULE), cases, events.clone(), log.clone()];
        let mut request: String = paths.iter().map(|path| format!("{}\t", path.display())).collect();
        request += &format!("{}\n", self.seconds);
        let answer = self.ask(&request)?;
        Ok(read_record(&events, &log, &answer, id))
    }

    /// A program's output, traceback and end, as one text.
    pub fn script(&mut self, source: &str) -> io::Result<String> {
        let root = self.scratch.path.join("test");
        let path = root.join("snippet.py");
        fs::write(&path, source)?;
        let log = self.scratch.path.join("log");
        fs::write(&log, "")?;
        let request = format!("{}\t-\t-\t-\t{}\t{}\n", path.display(), log.display(), self.seconds);
        let answer = self.ask(&request)?;
        let output = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        // Where the scratch folder is differs from side to side.
        let output = output.replace(&path.display().to_string(), "snippet.py");
        Ok(format!("{output}[{answer}]\n"))
    }

    /// A server that does not answer is started anew, once.
    fn ask(&mut self, request: &str) -> io::Result<String> {
        for _ in 0..2 {
            if self.server.is_none() {
                self.server = Some(self.start()?);
            }
            let patience = Duration::from_secs_f64(self.seconds + 20.0);
            if let Some(server) = &mut self.server
                && server.requests.write_all(request.as_bytes()).is_ok()
                && let Ok(answer) = server.answers.recv_timeout(patience)
            {
                return Ok(answer);
            }
            self.server = None;
        }
        Err(io::Error::other(format!("{} does not run recorder/bench.py", self.interpreter.program.display())))
    }

    fn start(&self) -> io::Result<Server> {
        let script = repository().join("conformance/recorder/bench.py");
        let mut command = Command::new("setsid");
        let limits = "umask 022; ulimit -c 0; ulimit -Sn 1024; ulimit -v 8388608; exec \"$@\" 2>/dev/null";
        command.args(["env", "--default-signal", "sh", "-c", limits, "sh"]).arg(&self.interpreter.program).arg(script);
        if self.support {
            command.arg("support");
        }
        command.env_clear().envs(fixed_environment(&self.scratch.path.join("home"), &self.scratch.path.join("tmp")));
        command.envs(self.interpreter.env.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.scratch.path.join("work"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let (Some(requests), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("no pipe to the interpreter"));
        };
        let (sender, answers) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                let Ok(line) = line else { return };
                let known = ["exit ", "signal ", "timeout", "ready"].iter().any(|word| line.starts_with(word));
                if known && sender.send(line).is_err() {
                    return;
                }
            }
        });
        let server = Server { child, requests, answers };
        match server.answers.recv_timeout(Duration::from_secs(60)) {
            Ok(_) => Ok(server),
            Err(_) => Err(io::Error::other(format!("{} does not start", self.interpreter.program.display()))),
        }
    }
}

/// What the recorder wrote, and how the child ended, as the supervisor would have it.
fn read_record(events: &Path, log: &Path, answer: &str, id: &str) -> Option<Record> {
    let text = fs::read_to_string(events).unwrap_or_default();
    let events: Vec<Event> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let blank = Record {
        v: VERSION,
        side: Side::Subject,
        module: MODULE.to_owned(),
        id: id.to_owned(),
        attempt: 1,
        ..Record::default()
    };
    if let Some(event) = events.iter().rev().find(|event| event.e == "done" && event.id == id) {
        let status = Status::parse(&event.status)?;
        let exc = event.exc.as_ref().map(exception);
        let sig = signature::signature(status, exc.as_ref(), None, None, event.reason.as_deref());
        let reason = event.reason.clone();
        return Some(Record { status, exc, sig, reason, subtests: event.subtests, ms: event.ms, ..blank });
    }
    if !events.iter().any(|event| event.e == "start" && event.id == id) {
        return None;
    }
    let output = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let panic = signature::find_panic(&output);
    let (status, signal, reason) = match answer.split_once(' ') {
        Some(("signal", number)) => (Status::Crash, number.parse().ok(), format!("killed by signal {number}")),
        Some((_, code)) => (Status::Crash, None, format!("exited with code {code}")),
        None => (Status::Timeout, None, "no sign of life within the time limit".to_owned()),
    };
    let sig = signature::signature(status, None, panic.as_deref(), signal, Some(&reason));
    Some(Record { status, signal, sig, panic, reason: Some(reason), out: Some(output), ..blank })
}
