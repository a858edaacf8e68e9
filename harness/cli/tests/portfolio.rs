//! The default driver finds every form that is expected to fail, on every workload on which it is.

use bohr_cli::scenarios;
use bohr_explore::campaign::{Budget, campaign, name_of};
use bohr_explore::driver::Driver;
use bohr_explore::jobs::{default_jobs, run_all};
use bohr_kernel::RunConfig;
use bohr_kernel::scenario::{AnyScenario, Expected};
use std::io::{Write, stderr};
use std::time::Instant;

/// From one seed. The rarest of these failures took at most 7,149 from each of the seeds 1 to 6.
const SCHEDULES: u64 = 20_000;
/// What takes longer is told.
const MANY: u64 = 200;

struct Subject {
    scenario: &'static dyn AnyScenario,
    variant: &'static str,
    workload: String,
    expected: Expected,
}

fn failing(scenario: &'static dyn AnyScenario) -> Vec<Subject> {
    let mut subjects = Vec::new();
    for variant in scenario.variants() {
        for class in scenario.classes() {
            let workload = class.name.to_string();
            if let Some(expected @ Expected::Fails(_)) = scenario.expected(variant.name, &workload) {
                subjects.push(Subject { scenario, variant: variant.name, workload, expected });
            }
        }
    }
    subjects
}

fn is_found(subject: &Subject) -> Result<Option<String>, String> {
    let Subject { scenario, variant, workload, expected } = subject;
    let path = format!("{}/{variant}/{workload}", scenario.info().name);
    let program = scenario.program(variant, workload)?;
    let config = RunConfig { keep_going: true, ..RunConfig::default() };
    let began = Instant::now();
    let shown = campaign(Driver::Portfolio, &program, config, 1, &Budget::first_failure(SCHEDULES));
    let Some(found) = shown.found.first() else {
        return Err(format!("{path}: nothing in {} schedules", shown.schedules));
    };
    let oracle = name_of(&found.finding);
    if !expected.oracles().any(|expected| expected == oracle) {
        return Err(format!("{path}: {oracle} was not expected"));
    }
    let took = began.elapsed().as_secs_f64();
    Ok((shown.schedules > MANY).then(|| format!("{path}: {} schedules, {took:.2} s", shown.schedules)))
}

#[test]
fn the_portfolio_finds_every_failure_that_is_expected() {
    let subjects: Vec<Subject> = scenarios::ALL.iter().flat_map(|scenario| failing(*scenario)).collect();
    assert!(subjects.len() > 1_000, "{}", subjects.len());
    let results = run_all(&subjects, default_jobs(), is_found, |_, _| {});
    let (hard, missed): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    for hard in hard.into_iter().filter_map(|result| result.ok().flatten()) {
        // For who runs it with `--nocapture`.
        writeln!(stderr(), "{hard}").expect("standard error is open");
    }
    let missed: Vec<String> = missed.into_iter().filter_map(Result::err).collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
