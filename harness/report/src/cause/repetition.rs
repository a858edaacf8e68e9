//! What a run that does not end keeps doing.

use super::{Explained, length};
use crate::document::Text;
use crate::model::Case;
use crate::names::Names;
use bohr_kernel::Step;

/// The longest pattern that is looked for.
const LONGEST: usize = 32;

/// How often a pattern must have run at the end to be called one.
const TIMES: usize = 3;

/// Explains a run that was cut off.
pub(super) fn explain(case: &Case, names: &Names<'_>) -> Explained {
    let steps = &case.trace.steps;
    let cut = Text::new().plain(format!("The run was cut off after {}", length(case)));
    let Some((period, times)) = pattern(steps) else {
        let no_pattern = ", without a pattern at its end: a livelock, or a bound that is too low";
        return (cut.plain(no_pattern), Vec::new());
    };
    let pattern = steps.len() - period..steps.len();
    let mut sentence = cut.plain(format!(", and it ends with {times} rounds of "));
    for at in pattern.clone() {
        sentence = match at - pattern.start {
            0 => sentence,
            _ if at + 1 == pattern.end => sentence.plain(" and "),
            _ => sentence.plain(", "),
        };
        sentence = sentence.text(names.step(at));
    }
    (sentence.plain(": a livelock, or a bound that is too low"), pattern.collect())
}

/// The length of the shortest pattern that the run ends with, and how often it ran.
fn pattern(steps: &[Step]) -> Option<(usize, usize)> {
    let runs = (1..=LONGEST).map(|period| (period, rounds(steps, period)));
    runs.into_iter().find(|(_, times)| *times >= TIMES)
}

/// How often the last `period` steps ran in a row.
fn rounds(steps: &[Step], period: usize) -> usize {
    let same = |(a, b): &(&Step, &Step)| {
        a.task == b.task && a.label == b.label && a.objects == b.objects && a.site == b.site
    };
    let shifted = steps.iter().rev().skip(period);
    let again = shifted.zip(steps.iter().rev()).take_while(same).count();
    if steps.len() < period { 0 } else { again / period + 1 }
}
