//! `bohr seeds`: corpora for the fuzz targets to begin with, made of what campaigns find.

use crate::args;
use crate::exit::{Done, Error};
use crate::output::{Look, Output};
use crate::scenarios;
use crate::store::write_whole;
use crate::target;
use crate::words::counted;
use bohr_explore::campaign::{Budget, Found, campaign, name_of};
use bohr_explore::driver::Driver;
use bohr_explore::input::{ANY_VARIANT, Input, Target};
use bohr_explore::jobs::run_all;
use bohr_explore::search::rerun;
use bohr_explore::shrink::{Failing, shrink};
use bohr_kernel::scenario::{AnyScenario, Expected, Role};
use bohr_kernel::{Decision, Outcome, RunConfig, choices_of};
use serde::Serialize;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// The schedules that are drawn to find what a variant can violate on a workload.
const SCHEDULES: u64 = 500;
/// The runs that may be spent on making a schedule that was found smaller.
const SHRINK_RUNS: u64 = 300;
/// The passing schedules of each workload, besides the one without preemptions.
const PASSING: u64 = 3;

#[derive(Serialize)]
struct Json<'a> {
    out: &'a Path,
    targets: Vec<Corpus>,
}

#[derive(Serialize)]
struct Corpus {
    target: String,
    seeds: usize,
}

/// A variant on a workload.
struct Cell {
    scenario: &'static dyn AnyScenario,
    variant: &'static str,
    role: Role,
    workload: String,
}

/// A run that is worth beginning with.
struct Seed {
    input: Input,
    /// What it shows.
    shows: String,
}

/// Runs the command.
pub fn seeds(args: &args::Seeds, out: &mut Output) -> Result<Done, Error> {
    let asked: Result<Vec<_>, _> = args.scenarios.iter().map(|asked| target::scenario(asked)).collect();
    let asked = match asked? {
        none if none.is_empty() => scenarios::ALL.to_vec(),
        asked => asked,
    };
    let cells = cells(&asked);
    let found = run_all(&cells, args.jobs.number(), seeds_of, |_, _| {});
    let mut targets = Vec::new();
    for scenario in &asked {
        let of_scenario = || cells.iter().zip(&found).filter(|(cell, _)| same(cell.scenario, *scenario));
        for form in forms(*scenario) {
            let target = Target::new(*scenario, form).expect("the scenario has the form");
            let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
            for (cell, seeds) in of_scenario() {
                for seed in seeds {
                    if let Some((name, bytes)) = file(&target, cell, seed) {
                        files.insert(name, bytes);
                    }
                }
            }
            let folder = args.out.join(target.name());
            for (name, bytes) in &files {
                let path = folder.join(name);
                let failed = |e| Error::Input(format!("failed to write {path:?}: {e}; give another --out"));
                write_whole(&path, bytes).map_err(failed)?;
            }
            targets.push(Corpus { target: target.name(), seeds: files.len() });
        }
    }
    if out.json {
        out.json("seeds", Json { out: &args.out, targets })?;
        return Ok(Done::AsExpected);
    }
    for Corpus { target, seeds } in &targets {
        out.line(format_args!("{}: {}", args.out.join(target).display(), counted(*seeds as u64, "seed")))?;
    }
    out.styled(Look::Good, "Begin with them: cargo +nightly fuzz run -s none TARGET FOLDER")?;
    Ok(Done::AsExpected)
}

/// The forms that have a fuzz target.
fn forms(scenario: &dyn AnyScenario) -> Vec<&'static str> {
    let variants = scenario.variants();
    let own = variants.iter().filter(|v| matches!(v.role, Role::Buggy | Role::Fixed)).map(|v| v.name);
    own.chain([ANY_VARIANT]).collect()
}

fn same(one: &dyn AnyScenario, other: &dyn AnyScenario) -> bool {
    one.info().name == other.info().name
}

fn cells(asked: &[&'static dyn AnyScenario]) -> Vec<Cell> {
    let mut cells = Vec::new();
    for scenario in asked {
        for variant in scenario.variants() {
            for class in scenario.classes().into_iter().filter(|class| class.smallest) {
                cells.push(Cell {
                    scenario: *scenario,
                    variant: variant.name,
                    role: variant.role,
                    workload: class.name,
                });
            }
        }
    }
    cells
}

/// What a variant shows on a workload: each way to fail that it is to have, shrunk; and of forms that are to be right
/// some schedules that pass.
fn seeds_of(cell: &Cell) -> Vec<Seed> {
    let Cell { scenario, variant, role, workload } = cell;
    let Ok(program) = scenario.program(variant, workload) else { return Vec::new() };
    let expected = scenario.expected(variant, workload);
    let oracles: Vec<String> = expected.iter().flat_map(Expected::oracles).map(str::to_owned).collect();
    let mut seeds = Vec::new();
    if !oracles.is_empty() {
        let budget = Budget { oracles: Some(oracles), ..Budget::all(SCHEDULES) };
        let shown = campaign(Driver::Portfolio, &program, config(), 1, &budget);
        let mut by_oracle: BTreeMap<String, &Found> = BTreeMap::new();
        for found in &shown.found {
            by_oracle.entry(name_of(&found.finding)).or_insert(found);
        }
        seeds.extend(by_oracle.into_iter().map(|(oracle, found)| Seed {
            input: shrunk(cell, found).unwrap_or_else(|| input(cell, workload, &found.decisions)),
            shows: oracle,
        }));
    } else if matches!(role, Role::Fixed | Role::Control | Role::UpstreamFix) {
        seeds.push(Seed { input: input(cell, workload, &[]), shows: "stays".to_owned() });
        for seed in 1..=PASSING {
            let drawn = Rc::new(RefCell::new(Vec::new()));
            let sink = {
                let drawn = drawn.clone();
                move |outcome: Outcome| {
                    *drawn.borrow_mut() = outcome.decisions;
                    false
                }
            };
            let _ = Driver::Random.explore(&program, config(), seed, 1, sink);
            let decisions = drawn.take();
            seeds.push(Seed { input: input(cell, workload, &decisions), shows: format!("walk-{seed}") });
        }
    }
    seeds
}

/// The smallest run that was found to show the same. Nothing if what was found cannot be done again, which it can.
fn shrunk(cell: &Cell, found: &Found) -> Option<Input> {
    let program = cell.scenario.program(cell.variant, &cell.workload).ok()?;
    let choices = choices_of(&found.decisions);
    let outcome = rerun(&program, config(), choices);
    let failing = Failing {
        scenario: cell.scenario,
        variant: cell.variant,
        workload: &cell.workload,
        config: config(),
        finding: &found.finding,
        decisions: &outcome.decisions,
        preemptions: outcome.preemptions,
        steps: outcome.steps,
    };
    let shrunk = shrink(&failing, SHRINK_RUNS, &Arc::default()).ok()?;
    Some(input(cell, &shrunk.workload, &shrunk.decisions))
}

fn input(cell: &Cell, workload: &str, decisions: &[Decision]) -> Input {
    let choices = choices_of(decisions);
    Input::new(cell.variant, workload, choices)
}

/// The name and the bytes of a seed for a target. A target of one form takes its own, and the fixed form also what
/// shows the bug in the reported one.
fn file(target: &Target, cell: &Cell, seed: &Seed) -> Option<(String, Vec<u8>)> {
    let Cell { variant, workload, role, .. } = cell;
    let name = format!("{variant}.{workload}.{}", seed.shows);
    let input = match target.variant {
        Some(own) if own == *variant => seed.input.clone(),
        Some(fixed) if *role == Role::Buggy => Input { variant: fixed.to_owned(), ..seed.input.clone() },
        Some(_) => return None,
        None => seed.input.clone(),
    };
    Some((plain(&name), input.encode(target).ok()?))
}

/// Every failure is to show, also behind another one.
fn config() -> RunConfig {
    RunConfig { keep_going: true, ..RunConfig::default() }
}

fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.=+,".contains(c) { c } else { '_' }).collect()
}
