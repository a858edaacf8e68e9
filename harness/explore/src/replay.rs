//! Doing again what a token holds.

use crate::search::rerun;
use crate::token::{Fingerprint, Token, finding_sum};
use bohr_kernel::scenario::AnyScenario;
use bohr_kernel::{Finding, Outcome, Trace};
use std::fmt;

/// What came of a replay.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The run, with its trace.
    pub outcome: Outcome,
    /// The finding that the token is about, if it showed again.
    pub finding: Option<Finding>,
    /// Where the run left the one that the token holds; nothing if it is the same run.
    pub drift: Option<Drifted>,
}

/// A run that is no longer the one that the token holds: the program has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drifted {
    /// The runs are the same for at least this many steps.
    pub same_for: u32,
    /// And no longer after this many.
    pub differs_by: u32,
    /// What the changed program does in between, a line a step.
    pub now: Vec<String>,
}

impl fmt::Display for Drifted {
    /// From where on the runs differ, and what the program now does there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Drifted { same_for, differs_by, now } = self;
        match same_for {
            0 => write!(f, "the run differs by step {differs_by} at the latest")?,
            _ => write!(f, "the run is the same for {same_for} steps and differs by step {differs_by}")?,
        }
        if !now.is_empty() {
            write!(f, ", where it now does\n  {}", now.join("\n  "))?;
        }
        Ok(())
    }
}

/// Replays a token.
///
/// # Errors
/// If the scenario has no such variant or workload any more.
pub fn replay(scenario: &dyn AnyScenario, token: &Token) -> Result<Replayed, String> {
    let program = scenario.program(&token.variant, &token.workload)?;
    let outcome = rerun(&program, token.config(), token.choices.clone());
    let finding = outcome.findings.iter().find(|f| finding_sum(f) == token.print.finding).cloned();
    let drift = match (&finding, &outcome.trace) {
        (Some(finding), Some(trace)) if Fingerprint::of(trace, finding) == token.print => None,
        (_, Some(trace)) => Some(drifted(&token.print, trace)),
        (_, None) => None,
    };
    Ok(Replayed { outcome, finding, drift })
}

fn drifted(print: &Fingerprint, trace: &Trace) -> Drifted {
    let (same_for, differs_by) = print.drift(trace);
    let shown = trace.steps.iter().enumerate().skip(same_for as usize);
    let shown = shown.take((differs_by - same_for).max(1) as usize);
    let line = |(i, step): (usize, &bohr_kernel::Step)| {
        let task = &trace.tasks[step.task.0 as usize].name;
        format!("step {}: {task}: {} ({})", i + 1, step.label, step.site)
    };
    Drifted { same_for, differs_by, now: shown.map(line).collect() }
}
