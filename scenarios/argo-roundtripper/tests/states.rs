//! That a search visits each state once loses no finding: what identifies a state (see the module `memory`)
//! holds all that matters.

use argo_roundtripper::scenario;
use bohr_explore::search::search;
use bohr_explore::strategy::Bounds;
use bohr_kernel::{Outcome, RunConfig};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

/// All that any schedule with so many preemptions shows.
fn shown(variant: &str, workload: &str, preemptions: u32, cache: bool) -> BTreeSet<String> {
    let program = scenario().program(variant, workload).unwrap();
    let all = Rc::new(RefCell::new(BTreeSet::new()));
    let sink = {
        let all = Rc::clone(&all);
        move |outcome: Outcome| {
            let mut all = all.borrow_mut();
            all.extend(outcome.findings.iter().map(bohr_kernel::Finding::headline));
            all.extend(outcome.observed);
            true
        }
    };
    let config = RunConfig { keep_going: true, ..RunConfig::default() };
    assert!(
        search(&program, config, Bounds { preemptions: Some(preemptions), cache, ..Bounds::default() }, sink)
            .all
    );
    all.take()
}

#[test]
fn visiting_each_state_once_shows_all_that_every_schedule_shows() {
    for variant in scenario().variants() {
        for (workload, preemptions) in [("builder", 3), ("event", 2), ("pair", 2), ("queues", 2)] {
            let each = shown(variant.name, workload, preemptions, false);
            let once = shown(variant.name, workload, preemptions, true);
            assert_eq!(once, each, "{} on {workload}", variant.name);
        }
    }
}
