//! Every form on every class: the oracles that some schedule violates are the stated ones, no more and no
//! fewer.
//!
//! With one client, and where a form holds, every schedule is covered, except for `cond_flag` and `late_safe` on
//! `mixed`, which have too many: there it is every schedule with at most two preemptions. Where a form
//! fails with two clients it is those with at most one, which is what every violation needs at most.

#![allow(clippy::print_stderr, reason = "what each cell costs is shown with --nocapture")]

use bohr_explore::jobs::{default_jobs, run_all};
use bohr_explore::search::search;
use bohr_explore::strategy::Bounds;
use bohr_kernel::scenario::Expected;
use bohr_kernel::{Outcome, RunConfig};
use crio_event_broadcast::scenario;
use crio_event_broadcast::workload::CLASSES;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Instant;

/// The oracles that a verdict names.
fn named(verdict: &Expected) -> BTreeSet<String> {
    match verdict {
        Expected::Holds => BTreeSet::new(),
        Expected::Fails(violations) => violations.iter().map(|v| v.oracle.to_owned()).collect(),
    }
}

/// The bound within which a cell is searched; nothing for every schedule.
fn bound(variant: &str, class: &str, clients: usize, verdict: &Expected) -> Option<u32> {
    match verdict {
        _ if clients == 1 => None,
        Expected::Fails(_) => Some(1),
        Expected::Holds => (class == "mixed" && ["cond_flag", "late_safe"].contains(&variant)).then_some(2),
    }
}

/// What some schedule violates, by the oracles' ids, or else the finding itself.
fn violated(variant: &str, class: &str, bounds: Bounds) -> BTreeSet<String> {
    let started = Instant::now();
    let program = scenario().program(variant, class).expect("the variant and the class exist");
    let config = RunConfig { keep_going: true, ..RunConfig::default() };
    let found = Rc::new(RefCell::new(BTreeSet::new()));
    let sink = {
        let found = Rc::clone(&found);
        move |outcome: Outcome| {
            let names =
                outcome.findings.into_iter().map(|f| f.oracle.clone().unwrap_or_else(|| f.headline()));
            found.borrow_mut().extend(names);
            true
        }
    };
    let exhausted = search(&program, config, bounds, sink);
    assert!(exhausted.all);
    let within =
        bounds.preemptions.map_or("all schedules".to_owned(), |most| format!("at most {most} preemptions"));
    let (runs, ms) = (exhausted.runs, started.elapsed().as_millis());
    eprintln!("{variant:20} {class:12} {within}: {runs} runs, {ms} ms: {:?}", found.borrow());
    found.take()
}

#[test]
fn every_cell_of_the_matrix_is_as_stated() {
    // The large ones first.
    let cells: Vec<_> = CLASSES
        .iter()
        .rev()
        .flat_map(|class| {
            scenario()
                .variants()
                .into_iter()
                .filter_map(|variant| {
                    let verdict = scenario().expected(variant.name, class.name)?;
                    Some((variant.name, class, verdict))
                })
                .collect::<Vec<_>>()
        })
        .collect();
    // 20 forms on 9 classes, and 8 of them on the 3 observations.
    assert_eq!(cells.len(), 20 * 9 + 8 * 3);
    let surprise =
        |(variant, class, verdict): &(&str, &crio_event_broadcast::workload::ClassRow, Expected)| {
            let preemptions = bound(variant, class.name, class.workload.clients, verdict);
            let found =
                violated(variant, class.name, Bounds { preemptions, cache: true, ..Bounds::default() });
            let stated = named(verdict);
            (found != stated).then(|| format!("{variant} on {}: {found:?}, stated {stated:?}", class.name))
        };
    let surprises: Vec<String> =
        run_all(&cells, default_jobs(), surprise, |_, _| {}).into_iter().flatten().collect();
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

/// The model says what its values are, so that a search visits fewer states. It may not lose a violation by it.
#[test]
fn giving_up_at_a_known_state_loses_no_violation() {
    let bounded = [
        ("close", None),
        ("first", None),
        ("late1", None),
        ("doa", Some(2)),
        ("fail_close", Some(1)),
        ("err", Some(1)),
        ("late2", Some(1)),
        ("fanout", Some(0)),
        ("mixed", Some(0)),
    ];
    for (class, preemptions) in bounded {
        for variant in scenario().variants() {
            let found =
                |cache| violated(variant.name, class, Bounds { preemptions, cache, ..Bounds::default() });
            assert_eq!(found(true), found(false), "{} on {class}", variant.name);
        }
    }
}
