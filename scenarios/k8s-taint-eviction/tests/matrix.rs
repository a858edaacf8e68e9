//! The whole matrix: every variant in every class, over all schedules, against the table.
//!
//! A few cells, of forms that start ever more workers or go on after a panic, take too long for every day
//! and are searched with a preemption bound within which all that the table names shows. With `EXHAUST=1` in
//! the environment they are searched without. `ONLY=K3,buggy` leaves out all but these classes and
//! variants; `--nocapture` shows the counts.

mod common;

use bohr_kernel::scenario::{AnyScenario, Expected};
use k8s_taint_eviction::TaintEviction;
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Forms that differ from another one only in the handlers or the test: on the queue alone they are the
/// same program.
const SAME_QUEUE: [&str; 21] = [
    "without_f1",
    "without_f2",
    "without_f3",
    "ref_without_f3",
    "always_reevaluate",
    "always_reevaluate_nil_check",
    "always_reevaluate_reference",
    "own_pod_copy",
    "own_pod_copy_without_f3",
    "slice_handler_early",
    "slice_handler_early_nil_check",
    "tester_event_only",
    "tester_sleep",
    "tester_at_least_one",
    "tester_at_least_one_replace",
    "tester_no_settle",
    "tester_no_settle_replace",
    "tester_ignore_timeout",
    "tester_ignore_timeout_without_f3",
    "tester_event_at_least_one",
    "tester_event_at_least_one_replace",
];

#[test]
fn every_form_violates_exactly_what_the_table_says() {
    let variants = TaintEviction.variants();
    let classes = TaintEviction.classes();
    // The large cells first, so that no thread ends alone.
    let cells = classes
        .iter()
        .rev()
        .flat_map(|class| variants.iter().map(|variant| (variant.name, class.name.as_str())));
    let only = std::env::var("ONLY").unwrap_or_default();
    let cells = cells.filter(|(variant, class)| class.starts_with("C-") || !SAME_QUEUE.contains(variant));
    let names = |what: &str| only.split(',').any(|o| o == what);
    let cells: Vec<_> = cells
        .filter(|(v, class)| only.is_empty() || names(class) || names(v))
        .filter(|(variant, class)| TaintEviction.expected(variant, class).is_some())
        .collect();
    let next = AtomicUsize::new(0);
    let surprises = Mutex::new(Vec::new());
    let work = || {
        while let Some((variant, class)) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
            let surprise = surprise(variant, class);
            surprises.lock().unwrap().extend(surprise);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
    let surprises = surprises.into_inner().unwrap();
    assert!(surprises.is_empty(), "of {} cells:\n{}", cells.len(), surprises.join("\n"));
}

/// The bound for a cell that takes too long otherwise.
fn bound(variant: &str, class: &str) -> Option<u32> {
    let bound = match class {
        "K3" | "K4" if !["fixed", "ref_lock_gap"].contains(&variant) => 2,
        "K2" if LARGE.contains(&variant) => 2,
        "C-add" | "C-update" if variant.contains("replace") => 1,
        // With two pods all that is to be found needs no preemption. A cell without bound takes minutes.
        "C-add2" => 0,
        _ => return None,
    };
    std::env::var_os("EXHAUST").is_none().then_some(bound)
}

const LARGE: [&str; 2] = ["replace_running", "ref_replace_running"];

fn surprise(variant: &str, class: &str) -> Option<String> {
    let begun = Instant::now();
    let (found, exhausted) = common::found(variant, class, bound(variant, class));
    let found: BTreeSet<&str> = found.keys().map(String::as_str).collect();
    let expected: BTreeSet<&str> = match TaintEviction.expected(variant, class)? {
        Expected::Holds => BTreeSet::new(),
        Expected::Fails(violations) => violations.iter().map(|v| v.oracle).collect(),
    };
    let time = begun.elapsed().as_millis();
    let counts =
        format!("{} states, {} complete runs of {}", exhausted.states, exhausted.complete, exhausted.runs);
    // Only for those who ask: `cargo test -- --nocapture`.
    let _ = writeln!(std::io::stdout(), "{class:10} {variant:34} {found:?}: {counts}, {time} ms");
    assert!(exhausted.all, "{variant} in {class} was not exhausted");
    (found != expected).then(|| format!("{variant} in {class}: {found:?}, not {expected:?}"))
}
