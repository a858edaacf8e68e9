//! The verdicts: which oracles each form can violate in which class.
//!
//! The tables below were computed by exhaustive exploration of the same model in another program, and
//! compared with real processes on a real file system.

use crate::workload::Workload;
use bohr_kernel::scenario::{Expected, Violation};

/// The verdict that a form must get on a workload. Correct forms hold on all; for the others it is stated
/// for the classes only.
pub fn expected(variant: &str, workload: &Workload) -> Option<Expected> {
    if CORRECT.contains(&variant) {
        return Some(Expected::Holds);
    }
    let class = workload.class()?;
    let cell = cell(variant, class)?;
    if cell.oracles.is_empty() {
        return Some(Expected::Holds);
    }
    let violation =
        |number: &u8| Violation { oracle: id(*number), preemptions: least(variant, class, *number) };
    Some(Expected::Fails(cell.oracles.iter().map(violation).collect()))
}

/// A cell of the matrix.
#[derive(Copy, Clone, Debug)]
pub struct Cell {
    /// The numbers of the oracles that some schedule violates.
    pub oracles: &'static [u8],
    /// Those of them that show best what is wrong.
    pub bold: &'static [u8],
    /// There may be more: the class has too many states to tell.
    pub more: bool,
}

/// What is stated of a form in a class.
pub fn cell(variant: &str, class: &str) -> Option<Cell> {
    if CORRECT.contains(&variant) {
        return Some(Cell { oracles: &[], bold: &[], more: false });
    }
    if class == "drop_in" {
        let cell = Cell { oracles: &[2, 4, 10, 15], bold: &[15], more: false };
        return (variant == "buggy").then_some(cell);
    }
    let column = COLUMNS.iter().position(|name| *name == class)?;
    let (_, row) = TABLE.iter().find(|(names, _)| names.contains(&variant))?;
    let (oracles, bold, more) = row[column];
    Some(Cell { oracles, bold, more })
}

const CORRECT: [&str; 5] =
    ["fixed", "ctl_fcntl_lock", "ctl_lock_on_directory", "ctl_backup_by_link", "ctl_unlink_rechecked"];

const COLUMNS: [&str; 8] =
    ["two_installs", "three_installs", "reader", "delete", "delete_apply", "kill", "power_loss", "disk_full"];

/// Oracles, the bold ones of them, and whether there may be more.
type Row = [(&'static [u8], &'static [u8], bool); 8];

const NONE: (&[u8], &[u8], bool) = (&[], &[], false);

const fn of(oracles: &'static [u8], bold: &'static [u8]) -> (&'static [u8], &'static [u8], bool) {
    (oracles, bold, false)
}

const fn at_least(oracles: &'static [u8], bold: &'static [u8]) -> (&'static [u8], &'static [u8], bool) {
    (oracles, bold, true)
}

#[rustfmt::skip]
const TABLE: [(&[&str], Row); 18] = [
    (&["buggy", "append_mode"], [
        of(&[2, 3, 4, 5, 6, 10], &[2, 5]), at_least(&[2, 3, 4, 5, 6, 10], &[2]), of(&[1], &[1]),
        of(&[2, 3, 4, 6, 7, 8, 10], &[7]), at_least(&[2, 3, 4, 6, 7, 8, 10], &[6]), of(&[2, 4, 6, 11], &[4]),
        of(&[2, 4, 6, 7, 11, 12], &[4]), of(&[1, 2, 4, 6], &[]),
    ]),
    (&["upstream_fix"], [
        NONE, NONE, of(&[1], &[1]), of(&[2, 4, 6], &[]), of(&[2, 4, 6, 8, 10], &[8]), of(&[2, 4, 6], &[4, 6]),
        of(&[2, 4, 6, 7, 12], &[]), of(&[1, 2, 4, 6], &[1]),
    ]),
    (&["rename_without_lock"], [
        of(&[5], &[5]), of(&[5], &[5]), NONE, of(&[7, 8], &[7]), of(&[6, 7, 8], &[]), of(&[11, 13], &[]),
        of(&[13], &[]), NONE,
    ]),
    (&["shared_temp_name"], [
        of(&[2, 5, 10], &[10]), of(&[2, 5, 10], &[10]), NONE, of(&[7, 8], &[7]), of(&[2, 4, 6, 7, 8, 10], &[]),
        of(&[11, 13], &[]), of(&[13], &[]), NONE,
    ]),
    (&["lock_per_edit"], [
        NONE, NONE, of(&[1], &[1]), of(&[4, 7, 8], &[7]), of(&[6], &[6]), of(&[4], &[4]), of(&[4], &[4]),
        of(&[1, 4], &[]),
    ]),
    (&["retry_without_reread"], [of(&[5], &[5]), of(&[5], &[5]), NONE, NONE, NONE, of(&[11], &[]), NONE, NONE]),
    (&["lock_released_midway"], [
        of(&[5], &[5]), of(&[5], &[5]), NONE, of(&[7, 8], &[7]), of(&[6], &[]), of(&[11], &[]), NONE, NONE,
    ]),
    (&["lock_in_install_only"], [
        NONE, NONE, NONE, of(&[7, 8], &[7]), of(&[6, 7, 8], &[]), of(&[13], &[]), of(&[13], &[]), NONE,
    ]),
    (&["lock_file_unlinked"], [NONE, of(&[9], &[9]), NONE, NONE, of(&[9], &[9]), NONE, NONE, NONE]),
    (&["lock_in_container_tmp"], [
        of(&[9], &[9]), of(&[9], &[9]), NONE, NONE, of(&[9], &[9]), of(&[9], &[]), NONE, NONE,
    ]),
    (&["lock_fd_inherited"], [
        of(&[14], &[14]), of(&[14], &[14]), NONE, of(&[14], &[14]), of(&[14], &[14]), of(&[14], &[14]), NONE, NONE,
    ]),
    (&["backup_outside_lock"], [
        of(&[6], &[6]), of(&[6], &[6]), NONE, of(&[8], &[8]), of(&[6, 7], &[]), of(&[11, 13], &[]), of(&[13], &[]),
        NONE,
    ]),
    (&["backup_in_place"], [
        NONE, NONE, NONE, of(&[6], &[]), of(&[6], &[]), of(&[6], &[6]), of(&[6], &[6]), of(&[6], &[6]),
    ]),
    (&["temp_on_other_fs"], [
        NONE, NONE, of(&[1], &[1]), of(&[2, 4], &[]), of(&[2, 4, 10], &[]), of(&[2, 4], &[2]), of(&[2, 4, 12], &[]),
        of(&[1, 2, 4], &[]),
    ]),
    (&["cleanup_unlinks_first"], [
        NONE, NONE, of(&[1], &[1]), of(&[2], &[]), of(&[2, 10], &[]), of(&[2], &[2]), of(&[2], &[]), NONE,
    ]),
    (&["intent_before_lock"], [NONE, NONE, NONE, of(&[8], &[8]), of(&[8], &[8]), NONE, NONE, NONE]),
    (&["no_dir_fsync"], [NONE, NONE, NONE, NONE, NONE, NONE, of(&[7, 12], &[7, 12]), NONE]),
    (&["validate_input_only", "errors_ignored"], [
        NONE, NONE, NONE, NONE, NONE, NONE, NONE, of(&[1, 2, 4, 5], &[2]),
    ]),
];

/// Bold oracles whose least number of preemptions is stated.
#[rustfmt::skip]
const LEAST: [(&str, &str, u8, u32); 36] = [
    ("buggy",                 "two_installs",   2, 2),
    ("buggy",                 "two_installs",   5, 1),
    ("buggy",                 "reader",         1, 1),
    ("buggy",                 "delete",         7, 1),
    ("buggy",                 "drop_in",       15, 1),
    ("rename_without_lock",   "two_installs",   5, 1),
    ("rename_without_lock",   "delete",         7, 1),
    ("shared_temp_name",      "two_installs",  10, 1),
    ("shared_temp_name",      "delete",         7, 1),
    ("retry_without_reread",  "two_installs",   5, 1),
    ("lock_in_container_tmp", "two_installs",   9, 1),
    ("lock_fd_inherited",     "two_installs",  14, 0),
    ("lock_fd_inherited",     "delete",        14, 0),
    ("lock_released_midway",  "two_installs",   5, 1),
    ("lock_released_midway",  "delete",         7, 1),
    ("backup_outside_lock",   "two_installs",   6, 1),
    // A whole cleanup, and then a whole install, which makes a backup before it finds out that it is not wanted.
    ("backup_outside_lock",   "delete",         8, 0),
    ("validate_input_only",   "disk_full",      2, 0),
    ("errors_ignored",        "disk_full",      2, 0),
    ("lock_in_install_only",  "delete",         7, 1),
    ("lock_per_edit",         "delete",         7, 1),
    ("lock_per_edit",         "reader",         1, 1),
    ("lock_per_edit",         "kill",           4, 1),
    ("intent_before_lock",    "delete",         8, 1),
    ("upstream_fix",          "reader",         1, 1),
    ("upstream_fix",          "delete_apply",   8, 2),
    ("upstream_fix",          "kill",           4, 1),
    ("upstream_fix",          "kill",           6, 1),
    ("cleanup_unlinks_first", "reader",         1, 1),
    ("cleanup_unlinks_first", "kill",           2, 1),
    ("backup_in_place",       "kill",           6, 1),
    ("temp_on_other_fs",      "reader",         1, 1),
    ("temp_on_other_fs",      "kill",           2, 1),
    ("no_dir_fsync",          "power_loss",     7, 0),
    ("no_dir_fsync",          "power_loss",    12, 0),
    ("lock_file_unlinked",    "three_installs", 9, 2),
];

/// The least number of preemptions of a violation, where it is stated. A kill or a power loss counts as one
/// if it strikes somebody who could go on.
fn least(variant: &str, class: &str, oracle: u8) -> Option<u32> {
    let variant = if variant == "append_mode" { "buggy" } else { variant };
    let stated = LEAST.iter().find(|(v, c, o, _)| *v == variant && *c == class && *o == oracle);
    stated.map(|(.., preemptions)| *preemptions)
}

/// The id of an oracle by its number.
pub fn id(number: u8) -> &'static str {
    crate::oracles::ORACLES[usize::from(number) - 1].id
}
