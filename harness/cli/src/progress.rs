//! The live line. It shows only on a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How far the work has got.
pub struct Progress {
    bar: ProgressBar,
    findings: AtomicU64,
}

impl Progress {
    /// A line for so many pieces of work. Without a terminal on standard error it shows nothing.
    pub fn new(pieces: usize) -> Self {
        let bar = ProgressBar::new(pieces as u64);
        let style = ProgressStyle::with_template("{spinner} [{elapsed}] {bar:24} {pos}/{len} {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Progress { bar, findings: AtomicU64::new(0) }
    }

    /// A line for work of which nobody knows how much there is.
    pub fn open_ended() -> Self {
        let progress = Progress::new(0);
        let style = ProgressStyle::with_template("{spinner} [{elapsed}] {wide_msg}");
        progress.bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        progress
    }

    /// How far the work has got.
    pub fn say(&self, text: String) {
        self.bar.set_message(text);
    }

    /// Another finding.
    pub fn found(&self, headline: &str) {
        let findings = self.findings.fetch_add(1, Ordering::Relaxed) + 1;
        self.bar.set_message(format!("{findings} findings, the last: {headline}"));
    }

    /// What can say how the present piece of work gets on, from any thread.
    pub fn bar(&self) -> Bar {
        Bar(self.bar.clone())
    }

    /// Prints something above the line.
    pub fn above<R>(&self, print: impl FnOnce() -> R) -> R {
        self.bar.suspend(print)
    }

    /// Another piece of work is done.
    pub fn done(&self) {
        self.bar.inc(1);
    }

    /// Takes the line away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// The line, for whoever works.
pub struct Bar(ProgressBar);

impl Bar {
    /// How the work gets on.
    pub fn say(&self, how: &str) {
        self.0.set_message(how.to_owned());
    }
}
