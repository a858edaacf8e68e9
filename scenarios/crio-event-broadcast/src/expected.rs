//! The verdicts: which oracles each form can violate in which class.
//!
//! The table was computed with another program, a step model of its own, and compared with the real code
//! under Go. The least numbers of preemptions are stated where they were worked out.

use crate::workload::{CLASSES, Observe, Workload};
use bohr_kernel::scenario::{Expected, Violation};

/// The verdict that a form must get on a workload. Correct forms hold on all but the observations; the
/// rest is stated for the classes only.
pub fn expected(variant: &str, workload: &Workload) -> Option<Expected> {
    if workload.observe == Observe::Nothing && CORRECT.contains(&variant) {
        return Some(Expected::Holds);
    }
    let class = workload.class()?;
    let column = CLASSES.iter().position(|c| c.name == class.name)?;
    let cell = match column.checked_sub(ACCEPTED) {
        None => TABLE.iter().find(|(names, _)| names.contains(&variant))?.1[column],
        Some(column) => OBSERVED.iter().find(|(names, _)| names.contains(&variant))?.1[column],
    };
    let violation = |number: &u32| {
        let oracle = ORACLES[*number as usize - 1];
        Violation { oracle, preemptions: preemptions(variant, class.name, oracle) }
    };
    let violations: Vec<_> = cell.iter().map(violation).collect();
    Some(if violations.is_empty() { Expected::Holds } else { Expected::Fails(violations) })
}

const CORRECT: [&str; 5] = ["fixed", "onceadd", "plain_flag", "cond_flag", "late_safe"];

const ORACLES: [&str; 10] = ["O1", "O2", "O3", "O4", "O5", "O6", "O7", "O8", "O9", "O10"];

/// The classes in front of the observations.
const ACCEPTED: usize = 9;

/// The numbers of oracles.
type Cell = &'static [u32];

const CLEAN: Cell = &[];

#[rustfmt::skip]
const TABLE: [(&[&str], [Cell; ACCEPTED]); 11] = [
    //                 burst       doa    close  fail_close  burst3_close fanout            fanout_close mixed             err
    (&["buggy", "once_done"],
                     [&[1],       &[1],  &[1],  &[1],       &[1],        &[1],             &[1],        &[1],             &[1, 8]]),
    (&CORRECT,       [CLEAN,      CLEAN, CLEAN, CLEAN,      CLEAN,       CLEAN,            CLEAN,       CLEAN,            CLEAN]),
    (&["upstream_fix", "upstream_store_first"],
                     [CLEAN,      CLEAN, CLEAN, CLEAN,      CLEAN,       CLEAN,            CLEAN,       CLEAN,            &[8]]),
    (&["add_first", "mutex", "gosched", "chan"],
                     [&[1],       CLEAN, CLEAN, &[1],       &[1],        &[1],             &[1],        &[1],             &[1, 8]]),
    (&["recover_loop"],
                     [&[1, 2, 3], CLEAN, CLEAN, &[1, 2, 3], &[1, 2, 3],  &[1, 2, 3, 4, 5], &[1, 2, 3],  &[1, 2, 3, 4, 5], &[1, 2, 3, 8]]),
    (&["recover_done"],
                     [&[1, 2],    CLEAN, CLEAN, &[1, 2],    &[1, 2],     &[1, 2],          &[1, 2],     &[1, 2],          &[1, 2, 8]]),
    (&["unbuf"],     [&[3],       CLEAN, CLEAN, &[3],       &[3],        &[3, 4],          &[2, 3],     &[2, 3, 4],       &[8]]),
    (&["select"],    [&[2],       &[2],  &[2],  &[2],       &[2],        &[2],             &[2],        &[2],             &[2, 8]]),
    (&["break_range"],
                     [CLEAN,      CLEAN, CLEAN, CLEAN,      CLEAN,       &[4],             &[4],        &[4],             &[8]]),
    (&["nodefer"],   [CLEAN,      CLEAN, &[2],  &[2],       &[2],        CLEAN,            &[2],        &[2],             &[8]]),
    (&["err_after_trip"],
                     [CLEAN,      CLEAN, CLEAN, CLEAN,      CLEAN,       CLEAN,            CLEAN,       CLEAN,            &[6, 8]]),
];

#[rustfmt::skip]
const OBSERVED: [(&[&str], [Cell; 3]); 4] = [
    //           late1    late2    first
    (&["buggy"], [&[1, 9], &[1, 9], &[10]]),
    (&["fixed", "upstream_fix", "onceadd", "plain_flag", "cond_flag"],
                 [&[9],    &[9],    &[10]]),
    (&["upstream_store_first"],
                 [CLEAN,   &[9],    CLEAN]),
    (&["late_safe"],
                 [CLEAN,   CLEAN,   CLEAN]),
];

/// The least number of preemptions of a schedule that violates the oracle, where it was worked out.
fn preemptions(variant: &str, class: &str, oracle: &str) -> Option<u32> {
    // A second trip needs none: the broadcaster just goes on. Tripping what is not armed needs one, and so
    // does storing behind the final Range, unless there is another handler to start the broadcaster.
    let second_trip = ["buggy", "add_first", "mutex", "gosched", "chan"].contains(&variant);
    match (oracle, class) {
        ("O1", "doa" | "close" | "late1") if variant == "buggy" => Some(1),
        ("O1", "burst" | "fail_close" | "burst3_close" | "fanout" | "fanout_close" | "mixed" | "err")
            if second_trip =>
        {
            Some(0)
        }
        // The second write of the error is unordered with the handler's read, whichever comes first. But in
        // the buggy form the second trip follows it at once and ends the run.
        ("O8", _) if variant == "upstream_fix" => Some(0),
        ("O8", _) if variant == "buggy" => Some(1),
        ("O9", "late1") => Some(1),
        ("O9", "late2") => Some(0),
        _ => None,
    }
}
