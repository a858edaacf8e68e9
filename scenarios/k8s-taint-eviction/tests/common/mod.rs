//! Exhausting a cell of the matrix.

use bohr_explore::search::search;
use bohr_explore::strategy::{Bounds, Exhausted};
use bohr_kernel::scenario::AnyScenario;
use bohr_kernel::{Finding, RunConfig};
use k8s_taint_eviction::TaintEviction;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// All that a variant can show on a workload, by oracle, with at most so many preemptions.
pub fn found(
    variant: &str,
    workload: &str,
    preemptions: Option<u32>,
) -> (BTreeMap<String, Finding>, Exhausted) {
    let program = TaintEviction.program(variant, workload).expect("the scenario has it");
    let found: Rc<RefCell<BTreeMap<String, Finding>>> = Rc::default();
    let sink = {
        let found = found.clone();
        move |outcome: bohr_kernel::Outcome| {
            for finding in outcome.findings {
                let name = finding.oracle.clone().unwrap_or_else(|| finding.headline());
                found.borrow_mut().entry(name).or_insert(finding);
            }
            true
        }
    };
    let config = RunConfig { keep_going: true, ..RunConfig::default() };
    let bounds = Bounds { preemptions, cache: true, ..Bounds::default() };
    let exhausted = search(&program, config, bounds, sink);
    (found.take(), exhausted)
}
