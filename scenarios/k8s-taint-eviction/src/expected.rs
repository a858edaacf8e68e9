//! The verdicts: which oracles each form can violate in which class.
//!
//! The table was computed with another program, a reduced model of the same machine, and compared with
//! a real Go program. What it leaves open is derived beside the place where it is used, or not stated;
//! it is not copied from this program's results.

use crate::oracles::ORACLES;
use crate::workload::{Family, Setup, Workload};
use bohr_kernel::scenario::{Expected, Violation, Workload as _};

/// The verdict that a form must get on a workload. Correct forms hold on all whose API server does not
/// fail; for the others it is stated for the classes only.
pub fn expected(variant: &str, workload: &Workload) -> Option<Expected> {
    let form = form_named(variant)?;
    let class = workload.class();
    let violated = match workload {
        Workload::Family(family) => form.queue.family(*family),
        Workload::Queue(_) => match class.and_then(|class| mode(form, class)) {
            Some(violated) => violated,
            None if is_right(form.queue) && !workload.only_observes() => "",
            None => return None,
        },
        Workload::Controller(setup) => match class {
            Some(class) => controller(form, class)?,
            None => anywhere(form, setup)?,
        },
    };
    Some(verdict(violated))
}

/// A form's verdicts.
struct Form {
    name: &'static str,
    queue: &'static Row,
    /// C-initial, C-add, C-update, C-delete; what is not explored has no verdict.
    controller: Option<[&'static str; 4]>,
}

/// A queue's verdicts in K1, K2, K2x, K3 and K4.
struct Row(&'static str, &'static str, &'static str, &'static str, &'static str);

impl Row {
    fn family(&self, family: Family) -> &'static str {
        match family {
            Family::K1 => self.0,
            Family::K2 => self.1,
            Family::K2x => self.2,
            Family::K3 => self.3,
            Family::K4 => self.4,
        }
    }
}

#[rustfmt::skip]
mod rows {
    use super::Row;
    pub const BUGGY: &Row            = &Row("1", "1,2,3,4,7", "1", "1,2,3,4,5,7,8", "1,2,3,4,5,7,8");
    pub const UPSTREAM: &Row         = &Row("", "2,3,4,7", "10", "2,3,4,5,7,8", "2,3,4,5,7,8");
    pub const RIGHT: &Row            = &Row("", "", "", "", "");
    pub const REPLACE_RUNNING: &Row  = &Row("2,3,4,7", "2,3,4,7", "2,3,4,7", "2,3,4,5,7,8", "2,3,4,5,7,8");
    pub const PLACEHOLDER: &Row      = &Row("", "1", "10", "1,2,3,4,5,7,8", "1,2,3,4,5,7,8");
    pub const KEEP_NIL: &Row         = &Row("11", "10,11", "10,11", "2,3,4,5,8,11", "2,3,4,5,8,11");
    pub const NO_DELETE: &Row        = &Row("11", "11", "10,11", "2,3,4,5,8,11", "2,3,4,5,8,11");
    pub const START_FIRST: &Row      = &Row("11", "2,3,4,7,11", "10,11", "2,3,4,5,7,8,11", "2,3,4,5,6,7,8,11");
    pub const DROP_ALL: &Row         = &Row("", "2,3,4,7", "10", "2,3,4,5,7,8,9", "2,3,4,5,7,8,9");
    pub const CHECK_OUTSIDE: &Row    = &Row("", "2,3,4,7", "10", "2,3,4,5,7,8", "1,2,3,4,5,7,8");
    pub const LOCK_GAP: &Row         = &Row("", "2,3,4,7", "10", "2,3,4,5,7,8", "2,3,4,5,6,7,8");
    pub const LEAK: &Row             = &Row("13", "2,3,4,7,13", "13", "2,3,4,5,7,8,13", "2,3,4,5,7,8,13");
    pub const TOKEN_UID: &Row        = &Row("", "", "", "2,3,4,5,8", "2,3,4,5,8");
    pub const TOKEN_UID_FLAG: &Row   = &Row("", "", "", "2,3,4,5", "2,3,4,5");
    pub const REF_NO_TOKEN: &Row     = &Row("", "2,3,4,7,10", "7,10", "", "");
    pub const REF_NO_CLAIM: &Row     = &Row("", "", "", "2,3,4,5,8", "2,3,4,5,8");
    pub const REF_IGNORE_UID: &Row   = &Row("", "", "10", "", "");
    pub const REF_REPLACE: &Row      = &Row("2,3,4", "2,3,4", "2,3,4", "2,3,4", "2,3,4");
    pub const REF_DROP_ALL: &Row     = &Row("", "", "", "9", "9");
    pub const REF_CANCEL_TRUE: &Row  = &Row("", "", "", "4,5", "4,5");
    pub const REF_NO_DELETE: &Row    = &Row("11", "11", "11", "11", "11");
    pub const REF_CHECK_OUTSIDE: &Row = &Row("", "", "", "1", "1");
    pub const REF_LOCK_GAP: &Row     = &Row("", "", "", "2,3,4", "2,3,4,9");
}
use rows::{
    BUGGY, CHECK_OUTSIDE, DROP_ALL, KEEP_NIL, LEAK, LOCK_GAP, NO_DELETE, PLACEHOLDER, REF_CANCEL_TRUE,
    REF_CHECK_OUTSIDE, REF_DROP_ALL, REF_IGNORE_UID, REF_LOCK_GAP, REF_NO_CLAIM, REF_NO_DELETE, REF_NO_TOKEN,
    REF_REPLACE, REPLACE_RUNNING, RIGHT, START_FIRST, TOKEN_UID, TOKEN_UID_FLAG, UPSTREAM,
};

const fn form(name: &'static str, queue: &'static Row, controller: [&'static str; 4]) -> Form {
    Form { name, queue, controller: Some(controller) }
}

const CLEAN: [&str; 4] = ["", "", "", ""];
const TEST: [&str; 4] = ["12a", "12a", "12a", "12a"];

#[rustfmt::skip]
static FORMS: [Form; 50] = [
    form("buggy",                            BUGGY,             ["12a", "1,12a", "10,12a", "12a"]),
    form("upstream_fix",                     UPSTREAM,          CLEAN),
    form("fixed",                            RIGHT,             CLEAN),
    form("without_f1",                       BUGGY,             ["", "1", "1", ""]),
    form("without_f2",                       UPSTREAM,          TEST),
    form("without_f3",                       UPSTREAM,          ["", "", "10", ""]),
    form("ref_without_f3",                   RIGHT,             ["", "", "10", ""]),

    form("replace_running",                  REPLACE_RUNNING,   ["", "2,3,4,7", "2,3,4,7", ""]),
    form("placeholder",                      PLACEHOLDER,       ["1", "1", "1", "1"]),
    form("zero_timer",                       UPSTREAM,          CLEAN),
    form("keep_nil_after_finish",            KEEP_NIL,          ["11", "11", "11", "11"]),
    form("no_delete_at_finish",              NO_DELETE,         CLEAN),
    form("start_before_insert",              START_FIRST,       CLEAN),
    form("drop_all",                         DROP_ALL,          CLEAN),
    form("cancel_true_running",              UPSTREAM,          CLEAN),
    form("check_outside_lock",               CHECK_OUTSIDE,     CLEAN),
    form("lock_gap",                         LOCK_GAP,          CLEAN),
    form("recover_leak",                     LEAK,              ["", "13", "13", ""]),
    form("recover_unlock",                   UPSTREAM,          CLEAN),
    form("token_uid",                        TOKEN_UID,         CLEAN),
    form("token_uid_flag",                   TOKEN_UID_FLAG,    CLEAN),

    form("ref_no_token",                     REF_NO_TOKEN,      CLEAN),
    form("ref_no_claim",                     REF_NO_CLAIM,      CLEAN),
    form("ref_ignore_uid",                   REF_IGNORE_UID,    CLEAN),
    form("ref_replace_running",              REF_REPLACE,       ["", "2,3,4", "2,3,4", ""]),
    form("ref_drop_all",                     REF_DROP_ALL,      CLEAN),
    form("ref_cancel_true_running",          REF_CANCEL_TRUE,   CLEAN),
    form("ref_no_delete_at_finish",          REF_NO_DELETE,     CLEAN),
    form("ref_check_outside_lock",           REF_CHECK_OUTSIDE, CLEAN),
    form("ref_lock_gap",                     REF_LOCK_GAP,      CLEAN),
    form("ref_pending",                      RIGHT,             CLEAN),
    form("ref_keep_on_delete",               RIGHT,             CLEAN),
    Form { name: "single_loop", queue: RIGHT, controller: None },

    form("always_reevaluate",                BUGGY,             ["1", "1", "1", "1"]),
    form("always_reevaluate_nil_check",      UPSTREAM,          CLEAN),
    form("always_reevaluate_reference",      RIGHT,             CLEAN),
    form("own_pod_copy",                     BUGGY,             CLEAN),
    form("own_pod_copy_without_f3",          BUGGY,             ["", "", "10", ""]),
    form("slice_handler_early",              BUGGY,             ["1", "1", "1", ""]),
    form("slice_handler_early_nil_check",    UPSTREAM,          CLEAN),
    form("tester_event_only",                UPSTREAM,          TEST),
    form("tester_sleep",                     UPSTREAM,          TEST),
    form("tester_at_least_one",              UPSTREAM,          CLEAN),
    form("tester_at_least_one_replace",      REPLACE_RUNNING,   ["", "2,3,4,7,12b", "2,3,4,7,12b", ""]),
    form("tester_no_settle",                 UPSTREAM,          CLEAN),
    form("tester_no_settle_replace",         REPLACE_RUNNING,   ["", "2,3,4,7,12b", "2,3,4,7,12b", ""]),
    form("tester_ignore_timeout",            UPSTREAM,          CLEAN),
    form("tester_ignore_timeout_without_f3", UPSTREAM,          ["", "", "10,12b", ""]),
    form("tester_event_at_least_one",        RIGHT,             CLEAN),
    form("tester_event_at_least_one_replace", REPLACE_RUNNING,  ["", "2,3,4,7", "2,3,4,7", ""]),
];

fn form_named(variant: &str) -> Option<&'static Form> {
    FORMS.iter().find(|form| form.name == variant)
}

fn is_right(queue: &Row) -> bool {
    Family::ALL.iter().all(|family| queue.family(*family).is_empty())
}

/// The smallest script of a failure mode, for the queues of the main forms.
fn mode(form: &Form, class: &str) -> Option<&'static str> {
    let main = &FORMS[..7];
    if !main.iter().any(|main| main.name == form.name) {
        return None;
    }
    if class == "M8" {
        return Some("10");
    }
    if is_right(form.queue) {
        return Some("");
    }
    let buggy = form.queue.0 == "1";
    Some(match class {
        "M1" if buggy => "1",
        "M1" => "",
        // It takes one more update for two workers.
        "M3" => "7",
        "M4" if buggy => "1",
        "M4" => "10",
        // The first worker that ends removes the entry of the second.
        "M5" => "2,3,4,7,8",
        "M6" => "5,8",
        "M7" => "2,3,4,7",
        _ => return None,
    })
}

fn controller(form: &Form, class: &str) -> Option<&'static str> {
    if class == "C-add2" {
        return match form.name {
            "buggy" => Some("1,12a"),
            "without_f1" => Some("1"),
            "without_f2" => Some("12a"),
            "without_f3" | "upstream_fix" | "fixed" | "ref_without_f3" => Some(""),
            _ => None,
        };
    }
    let column = ["C-initial", "C-add", "C-update", "C-delete"].iter().position(|name| *name == class)?;
    form.controller.map(|row| row[column])
}

/// The fixed form holds on every sequence of writes that ends with all pods to be evicted.
fn anywhere(form: &Form, _: &Setup) -> Option<&'static str> {
    (form.name == "fixed").then_some("")
}

fn verdict(violated: &'static str) -> Expected {
    if violated.is_empty() {
        return Expected::Holds;
    }
    let violation = |number: &str| {
        let oracle = ORACLES.iter().find(|oracle| oracle.id.strip_prefix('O') == Some(number));
        Violation { oracle: oracle.expect("the table names oracles").id, preemptions: None }
    };
    Expected::Fails(violated.split(',').map(violation).collect())
}
