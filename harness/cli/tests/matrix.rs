//! Every variant of every scenario has its expected verdict: one test a variant, over its quickest
//! workloads. The scenarios' own tests cover all workloads with larger bounds; this one sees to it that
//! no scenario is in the list without.

use bohr_cli::scenarios;
use bohr_explore::cell::{Coverage, Effort, judge};
use bohr_kernel::scenario::AnyScenario;
use libtest_mimic::{Arguments, Failed, Trial};
use std::process::ExitCode;

/// The most runs of one search. A workload whose search is cut off says nothing here.
const SEARCH_RUNS: u64 = 2_000;
/// The most workloads of a variant.
const WORKLOADS: usize = 2;

fn main() -> ExitCode {
    let args = Arguments::from_args();
    let trials = scenarios::ALL.iter().flat_map(|scenario| {
        let trial = move |variant: &'static str| {
            Trial::test(format!("{}::{variant}", scenario.info().name), move || check(*scenario, variant))
        };
        scenario.variants().into_iter().map(move |v| trial(v.name))
    });
    libtest_mimic::run(&args, trials.collect()).exit_code()
}

fn check(scenario: &dyn AnyScenario, variant: &str) -> Result<(), Failed> {
    let effort = Effort {
        drivers: Vec::new(),
        seeds: 0,
        seed: 1,
        schedules: 0,
        search_runs: SEARCH_RUNS,
        until: None,
        stop: Default::default(),
    };
    let mut proved = 0;
    for class in scenario.classes().iter().filter(|class| class.smallest) {
        let cell = judge(scenario, variant, &class.name, &effort)?;
        if let Coverage::Exhausted { .. } = cell.coverage {
            if let Some(surprise) = cell.surprise() {
                return Err(format!("{} on {}: {surprise}", variant, class.name).into());
            }
            proved += 1;
        }
        if proved == WORKLOADS {
            break;
        }
    }
    if proved == 0 {
        return Err(format!("none of the smallest workloads was exhausted in {SEARCH_RUNS} runs").into());
    }
    Ok(())
}
