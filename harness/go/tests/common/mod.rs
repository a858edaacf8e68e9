//! What the tests of all primitives share.
#![allow(dead_code)]

use bohr_explore::search::{outcomes, search};
use bohr_explore::strategy::Bounds;
use bohr_kernel::{Finding, Outcome, Program, RunConfig};
use std::sync::Arc;
use std::sync::mpsc::channel;

/// Runs every schedule of `program` and compares all its outcomes with `expected`, in any order.
#[track_caller]
pub fn check(program: impl Fn() + Send + Sync + 'static, expected: &[&str]) {
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    let program = Arc::new(program);
    let found = {
        let program = program.clone();
        outcomes(move || program())
    };
    let found: Vec<_> = found.iter().map(String::as_str).collect();
    assert_eq!(found, expected);
    // `outcomes` visits a state once, which is sound only if the primitives announce all that they
    // touch. So look at some schedules without that.
    let (sink, seen) = channel();
    let sink = move |outcome: Outcome| {
        let finding = outcome.findings.first().map(Finding::headline);
        sink.send(finding.unwrap_or_else(|| outcome.observed.join(" "))).is_ok()
    };
    let bounds = Bounds { runs: Some(1_000), ..Bounds::default() };
    search(&Program::new(move || program()), RunConfig::default(), bounds, sink);
    for outcome in seen.try_iter() {
        assert!(expected.contains(&outcome.as_str()), "missed by visiting states once: {outcome:?}");
    }
}

/// What a program with a race on the variable `x` shows.
pub const RACE: &str = "WARNING: DATA RACE on x";

pub const DEADLOCK: &str = "fatal error: all goroutines are asleep - deadlock!";
