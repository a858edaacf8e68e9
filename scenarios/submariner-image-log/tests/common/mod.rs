//! Searching one form in one class.

use bohr_explore::search::search;
use bohr_explore::strategy::{Bounds, Exhausted};
use bohr_kernel::{Outcome, RunConfig};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

/// Runs every schedule within the bounds; gives what `look` made of the outcomes.
pub fn gather<T: Ord + 'static>(
    variant: &str,
    class: &str,
    record: bool,
    bounds: Bounds,
    look: impl Fn(&Outcome) -> Vec<T> + 'static,
) -> (BTreeSet<T>, Exhausted) {
    let program = submariner_image_log::scenario().program(variant, class).expect("variant and class exist");
    let found = Rc::new(RefCell::new(BTreeSet::new()));
    let sink = {
        let found = Rc::clone(&found);
        move |outcome: Outcome| {
            found.borrow_mut().extend(look(&outcome));
            true
        }
    };
    let config = RunConfig { keep_going: true, record, ..RunConfig::default() };
    let exhausted = search(&program, config, bounds, sink);
    (found.take(), exhausted)
}

/// The oracles that an outcome violates; a finding that no oracle speaks for stands for itself.
pub fn oracles(outcome: &Outcome) -> Vec<String> {
    let name = |f: &bohr_kernel::Finding| f.oracle.clone().unwrap_or_else(|| f.headline());
    outcome.findings.iter().map(name).collect()
}

/// True if some run within the bounds is as `seen` says.
#[allow(dead_code, reason = "not every test that shares this module asks")]
pub fn reaches(
    variant: &str,
    class: &str,
    bounds: Bounds,
    seen: impl Fn(&Outcome) -> bool + 'static,
) -> bool {
    let program = submariner_image_log::scenario().program(variant, class).expect("variant and class exist");
    let config = RunConfig { keep_going: true, record: true, ..RunConfig::default() };
    let reached = Rc::new(Cell::new(false));
    let sink = {
        let reached = Rc::clone(&reached);
        move |outcome: Outcome| {
            reached.set(seen(&outcome));
            !reached.get()
        }
    };
    search(&program, config, bounds, sink);
    reached.get()
}
