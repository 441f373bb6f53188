//! How far it is, on the standard error, where that is a terminal and it takes longer than a moment.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

/// How long nothing is said.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often something is said.
const OFTEN: Duration = Duration::from_millis(200);

/// Says how far it is.
pub(super) struct Progress {
    terminal: bool,
    next: Instant,
    shown: bool,
}

impl Progress {
    pub(super) fn start() -> Self {
        Self { terminal: io::stderr().is_terminal(), next: Instant::now() + PATIENCE, shown: false }
    }

    pub(super) fn tick(&mut self, what: &str, done: usize, all: usize) {
        if !self.terminal || Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + OFTEN;
        self.shown = true;
        write(&format!("\r\u{1b}[K{what}: {done} of {all}"));
    }

    /// Takes back what was said.
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.shown) {
            write("\r\u{1b}[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

fn write(text: &str) {
    let mut out = io::stderr().lock();
    // Nothing depends on whether it is seen.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
