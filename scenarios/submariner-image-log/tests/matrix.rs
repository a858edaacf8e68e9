//! Every form in every small class gets exactly the verdict that is stated for it.
//!
//! Cells that hold are searched to the end. In the others the least number of preemptions of each
//! oracle is found by raising the bound from 0; they are searched to the end too where that is quick,
//! and otherwise up to the bound of [`preemptions`].

mod common;

use bohr_explore::strategy::Bounds;
use bohr_kernel::scenario::AnyScenario;
use common::{gather, oracles};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bound up to which a cell that fails is searched, where it is not searched to the end.
fn preemptions(variant: &str, class: &str) -> u32 {
    let (long, twice) = (is_long(class), class.starts_with("disjoint2"));
    let (buggy, fine) = (variant == "buggy", class.contains("fine"));
    match (thorough(), buggy) {
        (true, true) if class.starts_with("three") && fine => 3,
        (true, true) => 4,
        (true, false) if long => 2,
        (true, false) => 3,
        (false, true) if long => 2,
        (false, false) if long || twice => 1,
        (false, _) => 3,
    }
}

/// The runs after which a search to the end is given up; 0 to leave it out.
fn most_runs(variant: &str, class: &str) -> u64 {
    let coarse = class.contains("coarse");
    match () {
        () if thorough() => 100_000,
        () if is_long(class) || class.starts_with("disjoint2") => 0,
        () if variant == "buggy" && !class.contains("swiss-fine") => 10_000,
        () if coarse || variant.starts_with("syncmap") || variant == "rlock_upgrade" => 2_000,
        () => 0,
    }
}

fn is_long(class: &str) -> bool {
    class.starts_with("three") || class.starts_with("multi")
}

/// Set the environment variable `BOHR_THOROUGH` to search further; it takes more than ten minutes of a core.
fn thorough() -> bool {
    std::env::var_os("BOHR_THOROUGH").is_some()
}

/// Cells that hold, but are too large to search to the end each time: the lock operations alone make for
/// 300,000 to 1,300,000 runs. They are searched up to two preemptions.
fn holds_within_bound(variant: &str, class: &str) -> bool {
    variant == "double_checked" && is_long(class) && !thorough()
}

#[derive(Default)]
struct Report {
    wrong: Vec<String>,
    exhausted: usize,
    bounded: usize,
    runs: u64,
}

fn check(scenario: &dyn AnyScenario, variant: &str, class: &str) -> Report {
    let mut report = Report::default();
    let Some(expected) = scenario.expected(variant, class) else {
        report.wrong.push(format!("{variant} in {class}: no verdict is stated"));
        return report;
    };
    let stated = expected.violations().iter().map(|v| (v.oracle.to_owned(), v.preemptions));
    let stated: BTreeMap<String, Option<u32>> = stated.collect();
    let all = Bounds { cache: true, ..Bounds::default() };
    let mut to_end = false;
    let runs = if stated.is_empty() { u64::MAX } else { most_runs(variant, class) };
    if runs > 0 && !(stated.is_empty() && holds_within_bound(variant, class)) {
        let (found, exhausted) = gather(variant, class, false, Bounds { runs: Some(runs), ..all }, oracles);
        report.runs += exhausted.runs;
        to_end = exhausted.all;
        let names: BTreeSet<String> = stated.keys().cloned().collect();
        if if to_end { found != names } else { !found.is_subset(&names) } {
            report.wrong.push(format!("{variant} in {class}: found {found:?}, stated {names:?}"));
        }
    }
    if to_end && stated.is_empty() {
        report.exhausted += 1;
        return report;
    }
    let most = if stated.is_empty() { 2 } else { preemptions(variant, class) };
    // Once all is found there is nothing left to learn from a higher bound.
    let last = stated.values().flatten().copied().max().unwrap_or(most);
    let last = if to_end || !thorough() { last.min(most) } else { most };
    let mut least: BTreeMap<String, Option<u32>> = BTreeMap::new();
    for bound in 0..=last {
        let bounds = Bounds { preemptions: Some(bound), ..all };
        let (found, exhausted) = gather(variant, class, false, bounds, oracles);
        report.runs += exhausted.runs;
        for oracle in found {
            least.entry(oracle).or_insert(Some(bound));
        }
    }
    let mut reachable = stated.clone();
    reachable.retain(|_, least| least.is_none_or(|least| least <= last));
    if least != reachable {
        let text =
            format!("{variant} in {class}: found {least:?} within {last} preemptions, stated {stated:?}");
        report.wrong.push(text);
    }
    if to_end {
        report.exhausted += 1
    } else {
        report.bounded += 1
    }
    report
}

#[test]
fn every_form_gets_its_verdict_in_every_class() {
    let scenario = submariner_image_log::scenario();
    let mut cells = Vec::new();
    for class in scenario.classes() {
        for variant in scenario.variants() {
            let depends_on_cleanups = variant.name == "lock_cleanup_only" && class.name.ends_with("-mixed");
            if class.smallest || depends_on_cleanups {
                cells.push((variant.name, class.name.clone()));
            }
        }
    }
    // The largest first, so that the threads end together.
    cells.sort_by_key(|(_, class)| !["three", "multi", "disjoint2"].iter().any(|b| class.starts_with(b)));
    let next = AtomicUsize::new(0);
    let total = Mutex::new(Report::default());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some((variant, class)) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let one = check(&*scenario, variant, class);
                    let mut total = total.lock().expect("no check panics");
                    total.wrong.extend(one.wrong);
                    total.exhausted += one.exhausted;
                    total.bounded += one.bounded;
                    total.runs += one.runs;
                }
            });
        }
    });
    let total = total.into_inner().expect("no check panics");
    let mut text = format!("{} of {} cells are wrong\n", total.wrong.len(), cells.len());
    for line in &total.wrong {
        writeln!(text, "{line}").expect("a string takes all");
    }
    assert!(total.wrong.is_empty(), "{text}");
    let summary = format!(
        "{} cells: {} searched to the end, {} up to a bound, {} runs\n",
        cells.len(),
        total.exhausted,
        total.bounded,
        total.runs
    );
    std::io::Write::write_all(&mut std::io::stderr(), summary.as_bytes()).expect("standard error is there");
}
