//! A failing run that is long.

use crate::tiny;
use bohr_explore::campaign::{Budget, campaign};
use bohr_explore::driver::Driver;
use bohr_explore::search::rerun;
use bohr_kernel::{Program, RunConfig, Var, at_rest, choices_of, join, spawn, violated};
use bohr_report::model::{BugReport, Decisive, Fixed, Passing};

/// A bug that shows at the end of about so many steps, with runs of that length beside it.
pub fn bug(steps: usize) -> BugReport {
    // Each round of a worker is two steps.
    let rounds = steps / 8 + 1;
    let program = Program::new(move || {
        let hits = Var::new("hits", 0usize);
        let count = |name: &'static str, own: Var<usize>| {
            spawn(name, move || {
                for _ in 0..rounds {
                    own.set(own.get() + 1);
                }
            })
        };
        let workers = ["one", "two", "three", "four"].map(|name| count(name, Var::new(name, 0)));
        for worker in workers {
            join(worker);
        }
        hits.set(0);
        at_rest(move || violated("counted", format!("{} hits were counted", hits.peek())));
    });
    let config = RunConfig { keep_going: true, ..RunConfig::default() };
    let mut runs = (1..=3).map(|seed| {
        let shown = campaign(Driver::Random, &program, config, seed, &Budget::all(1));
        let choices = choices_of(&shown.found[0].decisions);
        rerun(&program, config, choices)
    });
    let [failing, passing, fixed] = [(); 3].map(|()| runs.next().expect("three seeds"));
    let mut bug = tiny();
    bug.cases.truncate(1);
    let case = &mut bug.cases[0];
    case.finding = failing.findings[0].clone();
    case.trace = failing.trace.expect("it was recorded");
    let passing = Passing { first_difference: 1, but: None, trace: passing.trace.expect("it was recorded") };
    case.decisive = Some(Decisive::Unknown { runs: 1, other: 0, passing: Some(passing) });
    let trace = fixed.trace.expect("it was recorded");
    case.fixed = Some(Fixed { variant: "fixed".into(), findings: Vec::new(), trace });
    bug
}
