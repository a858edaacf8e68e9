//! Which steps of a long run are shown.

use super::Folding;
use bohr_kernel::Step;
use std::collections::BTreeSet;

/// How many steps stay at either end of a folded stretch.
const EDGE: usize = 2;

/// For each step whether it is shown. Those named always are.
pub(super) fn shown(steps: &[Step], named: &BTreeSet<usize>, folding: Folding) -> Vec<bool> {
    let mut shown = vec![true; steps.len()];
    let mut start = 0;
    for end in 1..=steps.len() {
        let same =
            |at: usize| steps[at].task == steps[start].task && steps[at].at_rest == steps[start].at_rest;
        if end < steps.len() && same(end) {
            continue;
        }
        // What oracles do at rest is no part of the schedule.
        let most = if steps[start].at_rest && folding != Folding::NONE {
            folding.stretch.min(2 * EDGE)
        } else {
            folding.stretch
        };
        if end - start > most {
            shown[start + EDGE..end - EDGE].fill(false);
        }
        start = end;
    }
    if shown.iter().filter(|shown| **shown).count() > folding.total {
        let edge = folding.total / 2;
        shown[edge..steps.len() - edge].fill(false);
    }
    for at in named.iter().filter(|at| **at < steps.len()) {
        shown[*at] = true;
    }
    // A remark in place of one step would save nothing.
    for at in 0..steps.len() {
        let lone = (at == 0 || shown[at - 1]) && shown.get(at + 1).is_none_or(|next| *next);
        shown[at] |= lone;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use bohr_kernel::{Site, TaskId};

    /// A letter a step, the task's name; gives them back with the hidden ones as dots.
    fn check(tasks: &str, named: &[usize], expected: &str) {
        let steps: Vec<_> = tasks.bytes().map(step).collect();
        let named = named.iter().copied().collect();
        let shown = shown(&steps, &named, Folding { stretch: 6, total: 12 });
        let picture: String = tasks.chars().zip(shown).map(|(t, s)| if s { t } else { '.' }).collect();
        assert_eq!(picture, expected);
    }

    fn step(task: u8) -> Step {
        Step {
            task: TaskId(u32::from(task)),
            label: "load".into(),
            objects: Vec::new(),
            note: String::new(),
            site: Site { file: "a.rs".into(), line: 1 },
            time: 0,
            at_rest: false,
            preempts: false,
            blocked: Vec::new(),
        }
    }

    #[test]
    fn long_stretches_fold_and_what_is_named_stays() {
        check("", &[], "");
        check("aaaaaa", &[], "aaaaaa");
        check("aaaaaaa", &[], "aa...aa");
        check("aaaaaaab", &[], "aa...aab");
        check("aaaaaaaa", &[3], "aaaa..aa");
        check("aaaaaaab", &[99], "aa...aab");
        check("abababababababab", &[], "ababab....ababab");
        check("abababababababab", &[7], "abababab..ababab");
    }
}
