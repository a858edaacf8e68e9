//! What `bohr fuzz` has shown, for people.

use super::{Fuzzed, Outcome};
use crate::exit::Error;
use crate::output::{self, Cell, Look, Output, cell};
use crate::words::{Assessment, counted, quoted, thousands};
use std::path::Path;

/// Prints it all.
pub fn print(fuzzed: &Fuzzed, root: &Path, out: &mut Output) -> Result<(), Error> {
    let mut rows = vec![output::header(&[
        "fuzzed",
        "schedules",
        "failing",
        "first failure",
        "pairs",
        "the last new one",
        "kept",
        "as expected",
    ])];
    rows.extend(fuzzed.on.iter().map(|outcome| row(fuzzed, outcome)));
    out.table(&rows)?;
    for outcome in fuzzed.on.iter().filter(|o| !o.found.is_empty()) {
        out.line("")?;
        out.styled(Look::Strong, &name(fuzzed, outcome))?;
        for kept in &outcome.found {
            out.line(format!("  {} (schedule {})", kept.finding.headline(), thousands(kept.schedule)))?;
            if let Some(again) = &kept.again {
                out.line(format!("    bohr replay {}", again.token))?;
            }
        }
    }
    out.line("")?;
    out.line(saturation(fuzzed))?;
    for (outcome, why) in fuzzed.surprises() {
        out.styled(Look::Bad, &format!("Not as expected: {} {why}.", name(fuzzed, outcome)))?;
    }
    match (fuzzed.interrupted, fuzzed.timed_out) {
        (true, _) => out.line("Interrupted: this is what was known by then.")?,
        (false, true) => out.line("Out of time: this is what was known by then.")?,
        (false, false) => {}
    }
    if fuzzed.on.iter().flat_map(|o| &o.found).any(|kept| kept.file.is_some()) {
        out.line(format!("Findings are kept in {}.", quoted(root)))?;
    }
    Ok(())
}

/// What was fuzzed, with the seed if there is more than one.
fn name(fuzzed: &Fuzzed, outcome: &Outcome) -> String {
    match fuzzed.seeds {
        (_, 1) => outcome.subject.path(),
        _ => format!("{} from seed {}", outcome.subject.path(), outcome.seed),
    }
}

fn row(fuzzed: &Fuzzed, outcome: &Outcome) -> Vec<Cell> {
    let Outcome { shown, seen, assessment, .. } = outcome;
    let schedule = |n: u64| format!("schedule {}", thousands(n));
    let (look, expected) = match assessment {
        Assessment::Expected => (Look::Good, "yes"),
        Assessment::Partly(_) => (Look::Good, "in part"),
        Assessment::Unstated => (Look::Dim, "not stated"),
        Assessment::Unfinished | Assessment::DoesNotFit(_) => (Look::Dim, "unfinished"),
        Assessment::Surprise(_) => (Look::Bad, "no"),
    };
    vec![
        cell(name(fuzzed, outcome)),
        cell(thousands(shown.schedules)),
        cell(thousands(shown.failing)),
        cell(shown.first.map_or("none".to_owned(), schedule)),
        cell(thousands(seen.pairs as u64)),
        cell(if seen.last_new == 0 { "none".to_owned() } else { schedule(seen.last_new) }),
        cell(thousands(seen.kept as u64)),
        (look, expected.to_owned()),
    ]
}

/// Whether more schedules would still show something new: where the last new pair showed, the later the less sure.
fn saturation(fuzzed: &Fuzzed) -> String {
    let pairs: usize = fuzzed.on.iter().map(|o| o.seen.pairs).sum();
    let pairs = counted(pairs as u64, "distinct pair");
    let latest = fuzzed.on.iter().filter(|o| o.seen.last_new > 0);
    // In the workload where it came latest for the schedules that were run.
    let latest =
        latest.max_by(|a, b| (a.seen.last_new * b.seen.schedules).cmp(&(b.seen.last_new * a.seen.schedules)));
    match latest {
        None => format!("{pairs} of operations that follow one another were seen."),
        Some(o) => format!(
            "{pairs} of operations that follow one another were seen; at the latest, the last new one showed \
             in schedule {} of {} on {}.",
            thousands(o.seen.last_new),
            thousands(o.seen.schedules),
            o.subject.workload
        ),
    }
}
