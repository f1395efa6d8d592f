//! Progress of a long command: a bar with an estimate on a terminal, plain lines elsewhere; both on standard error.

use std::io::{self, IsTerminal};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

pub struct Progress {
    bar: Option<ProgressBar>,
    steps: usize,
    done: AtomicUsize,
    /// Elsewhere than on a terminal: how long a line keeps the next one back, and when the last was written.
    pause: Duration,
    told: Mutex<Option<Instant>>,
}

impl Progress {
    /// So many steps, which together weigh `weight`: the estimate goes by weight.
    pub fn new(steps: usize, weight: u64) -> Progress {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(weight);
            let style = ProgressStyle::with_template("{bar:30} {percent:>3} % · {elapsed} · about {eta} left · {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.enable_steady_tick(Duration::from_millis(500));
            bar
        });
        Progress { bar, steps, done: AtomicUsize::new(0), pause: Duration::ZERO, told: Mutex::new(None) }
    }

    /// Many short steps of equal weight: a plain line every five seconds is enough.
    pub fn of_short_steps(steps: usize) -> Progress {
        let mut progress = Progress::new(steps, steps as u64);
        progress.pause = Duration::from_secs(5);
        progress
    }

    /// A step is done.
    pub fn step(&self, weight: u64, line: &str) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(bar) = &self.bar {
            bar.inc(weight);
            bar.set_message(line.to_owned());
            return;
        }
        let Ok(mut told) = self.told.lock() else { return };
        if told.is_none_or(|at| at.elapsed() >= self.pause) {
            *told = Some(Instant::now());
            eprintln!("[{done}/{}] {line}", self.steps);
        }
    }

    /// A line that stays, above the bar where there is one.
    pub fn keep(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => eprintln!("{line}"),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
