//! Tiny programs that fail, one a kind of failure, and how to get a failing run of one.

pub mod bug;
pub mod programs;

use bohr_explore::cause::{Cause, Decides, cause};
use bohr_explore::search::{rerun, search};
use bohr_explore::strategy::Bounds;
use bohr_kernel::{Decision, Finding, Outcome, Program, RunConfig, choices_of, quiet_panics};
use bohr_report::Case;
use bohr_report::model::{Decisive, Fewest, Passing};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Once;

const MAX_STEPS: u32 = 200;

/// Compares a report with the reviewed one.
#[track_caller]
pub fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// A failing run of a program with the fewest preemptions, recorded.
pub fn failing(name: &str, body: impl Fn() + Send + Sync + 'static) -> Case {
    failing_with(RunConfig::default(), name, body)
}

/// The same, with runs carried out in another way.
pub fn failing_with(config: RunConfig, name: &str, body: impl Fn() + Send + Sync + 'static) -> Case {
    shown(config, name, &Program::new(body)).0
}

/// A failing run with what decides.
pub fn decided(name: &str, body: impl Fn() + Send + Sync + 'static) -> Case {
    let program = Program::new(body);
    let (case, decisions) = shown(RunConfig::default(), name, &program);
    let config = RunConfig { max_steps: MAX_STEPS, ..RunConfig::default() };
    let cause = cause(&program, config, &case.finding, &decisions, 2_000).expect("it fails again");
    let Cause { decides, passing, runs, other } = cause;
    let passing = passing.map(|passing| Passing {
        first_difference: passing.first_difference,
        but: passing.but.as_ref().map(Finding::headline),
        trace: passing.trace().clone(),
    });
    let decisive = match (decides, passing) {
        (Decides::Order(pair), Some(passing)) => Decisive::Order {
            first: pair.first,
            second: pair.second,
            first_in_passing: pair.first_in_passing,
            object: case.trace.objects[pair.object.0 as usize].name.clone(),
            passing,
        },
        (Decides::Value(value), Some(passing)) => Decisive::Value {
            step: value.step,
            chosen: value.chosen,
            of: value.of,
            instead: value.instead,
            passing,
        },
        (Decides::Race(first, second), _) => Decisive::Race { first, second },
        (Decides::Nothing, _) => Decisive::Nothing { runs, other },
        (_, passing) => Decisive::Unknown { runs, other, passing },
    };
    Case { decisive: Some(decisive), ..case }
}

fn shown(config: RunConfig, name: &str, program: &Program) -> (Case, Vec<Decision>) {
    static QUIET: Once = Once::new();
    QUIET.call_once(quiet_panics);
    let config = RunConfig { max_steps: MAX_STEPS, ..config };
    let mut runs = 0;
    for preemptions in 0..5 {
        let failed: Rc<RefCell<Option<Outcome>>> = Rc::default();
        let sink = {
            let failed = Rc::clone(&failed);
            move |outcome: Outcome| {
                let passed = outcome.findings.is_empty();
                *failed.borrow_mut() = (!passed).then_some(outcome);
                passed
            }
        };
        let bounds = Bounds { preemptions: Some(preemptions), ..Bounds::default() };
        let exhausted = search(program, config, bounds, sink);
        let Some(failed) = failed.take() else {
            runs = exhausted.runs;
            continue;
        };
        let choices = choices_of(&failed.decisions);
        let outcome = rerun(program, config, choices);
        assert_eq!(outcome.findings, failed.findings, "a replay shows what the search found");
        let finding = outcome.findings[0].clone();
        let case = Case {
            scenario: "tiny".into(),
            variant: name.into(),
            workload: "two".into(),
            finding,
            trace: outcome.trace.expect("a replay is recorded"),
            token: format!("b1.tiny.{name}.two.token"),
            preemptions: outcome.preemptions,
            fewest: Fewest::Proved { runs },
            decisive: None,
            fixed: None,
        };
        return (case, failed.decisions);
    }
    panic!("{name} does not fail with fewer than 5 preemptions");
}
