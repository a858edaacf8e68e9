//! Tiny programs that fail, one a kind of failure, and how to get a failing run of one.

pub mod programs;

use bohr_explore::search::{rerun, search};
use bohr_explore::strategy::Bounds;
use bohr_kernel::{Outcome, Program, RunConfig, quiet_panics};
use bohr_report::Case;
use bohr_report::model::Fewest;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Once;

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
    static QUIET: Once = Once::new();
    QUIET.call_once(quiet_panics);
    let program = Program::new(body);
    let config = RunConfig { max_steps: 200, ..config };
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
        let exhausted = search(&program, config, bounds, sink);
        let Some(failed) = failed.take() else {
            runs = exhausted.runs;
            continue;
        };
        let choices = failed.decisions.iter().map(|d| d.chosen).collect();
        let outcome = rerun(&program, config, choices);
        assert_eq!(outcome.findings, failed.findings, "a replay shows what the search found");
        let finding = outcome.findings[0].clone();
        return Case {
            scenario: "tiny".into(),
            variant: name.into(),
            workload: "two".into(),
            finding,
            trace: outcome.trace.expect("a replay is recorded"),
            token: format!("b1.tiny.{name}.two.token"),
            preemptions: outcome.preemptions,
            fewest: Fewest::Proved { runs },
            decisive: None,
        };
    }
    panic!("{name} does not fail with fewer than 5 preemptions");
}
