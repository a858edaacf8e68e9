//! `bohr list`: what there is.

use crate::args;
use crate::exit::{Done, Error};
use crate::output::{Look, Output, cell};
use crate::{scenarios, target};
use bohr_explore::driver::Driver;
use bohr_kernel::scenario::{AnyScenario, Role, When};
use serde::Serialize;

#[derive(Serialize)]
struct Json {
    scenarios: Vec<ScenarioJson>,
    drivers: Vec<DriverJson>,
}

#[derive(Serialize)]
struct ScenarioJson {
    name: &'static str,
    system: &'static str,
    title: &'static str,
    references: Vec<&'static str>,
    variants: Vec<VariantJson>,
    workloads: Vec<WorkloadJson>,
    oracles: Vec<OracleJson>,
}

#[derive(Serialize)]
struct VariantJson {
    name: &'static str,
    role: Role,
    summary: &'static str,
}

#[derive(Serialize)]
struct WorkloadJson {
    name: String,
    smallest: bool,
    only_observes: bool,
    summary: &'static str,
}

#[derive(Serialize)]
struct OracleJson {
    id: &'static str,
    when: &'static str,
    claim: &'static str,
}

#[derive(Serialize)]
struct DriverJson {
    name: &'static str,
    what: &'static str,
}

/// Runs the command.
pub fn list(args: &args::List, out: &mut Output) -> Result<Done, Error> {
    let chosen: Vec<&dyn AnyScenario> = match &args.scenario {
        Some(name) => vec![target::scenario(name)?],
        None => scenarios::ALL.to_vec(),
    };
    let json = Json { scenarios: chosen.into_iter().map(scenario).collect(), drivers: drivers() };
    if out.json {
        out.json("list", json)?;
    } else {
        print(&json, out)?;
    }
    Ok(Done::AsExpected)
}

fn print(all: &Json, out: &mut Output) -> Result<(), Error> {
    for scenario in &all.scenarios {
        out.styled(Look::Strong, &format!("{}: {}", scenario.name, scenario.title))?;
        out.line(format!("  {}; {}", scenario.system, scenario.references.join("; ")))?;
        section("variants", out)?;
        let row =
            |v: &VariantJson| vec![cell(v.name), cell(v.role.to_string()), (Look::Dim, v.summary.into())];
        out.table(&scenario.variants.iter().map(row).collect::<Vec<_>>())?;
        section("workloads", out)?;
        let row = |w: &WorkloadJson| vec![cell(w.name.clone()), cell(kind(w)), (Look::Dim, w.summary.into())];
        out.table(&scenario.workloads.iter().map(row).collect::<Vec<_>>())?;
        section("oracles", out)?;
        let row = |o: &OracleJson| vec![cell(o.id), cell(o.when), (Look::Dim, o.claim.into())];
        out.table(&scenario.oracles.iter().map(row).collect::<Vec<_>>())?;
        out.line("")?;
    }
    out.styled(Look::Strong, "drivers")?;
    out.table(
        &all.drivers.iter().map(|d| vec![cell(d.name), (Look::Dim, d.what.into())]).collect::<Vec<_>>(),
    )?;
    Ok(())
}

fn kind(workload: &WorkloadJson) -> &'static str {
    match (workload.only_observes, workload.smallest) {
        (true, _) => "observation",
        (false, true) => "smallest",
        (false, false) => "",
    }
}

fn section(title: &str, out: &mut Output) -> Result<(), Error> {
    out.line("")?;
    Ok(out.styled(Look::Strong, &format!("  {title}"))?)
}

fn scenario(scenario: &dyn AnyScenario) -> ScenarioJson {
    let info = scenario.info();
    let variants = scenario.variants().into_iter();
    let oracles = scenario.oracles().iter();
    ScenarioJson {
        name: info.name,
        system: info.system,
        title: info.title,
        references: info.references.iter().map(|r| r.name).collect(),
        variants: variants.map(|v| VariantJson { name: v.name, role: v.role, summary: v.summary }).collect(),
        workloads: scenario
            .classes()
            .into_iter()
            .map(|c| WorkloadJson {
                only_observes: scenario.only_observes(&c.name),
                name: c.name,
                smallest: c.smallest,
                summary: c.summary,
            })
            .collect(),
        oracles: oracles.map(|o| OracleJson { id: o.id, when: when(o.when), claim: o.claim }).collect(),
    }
}

fn when(when: When) -> &'static str {
    match when {
        When::Safety => "as it happens",
        When::AtRest => "at rest",
        When::Liveness => "at the end",
    }
}

fn drivers() -> Vec<DriverJson> {
    let what = |driver: Driver| match driver {
        Driver::Random => "uniform random walk over what can run",
        Driver::Pct => "probabilistic concurrency testing, bug depth 3 (ASPLOS 2010)",
        Driver::Urw => "random walk weighted by what each task has left (ASPLOS 2025)",
        Driver::Pos => "partial order sampling: random priorities, new ones after a conflict (CAV 2018)",
        Driver::Surw => "random walk that is uniform over the operations on one object (ASPLOS 2025)",
        Driver::Portfolio => "all of these in turn, one schedule each",
        Driver::Dfs => "every schedule, by depth-first search",
        Driver::Stress => "OS threads that nobody schedules, for comparison",
        Driver::Loom => "every schedule, as loom finds them: a second opinion on up to 5 tasks",
        Driver::Greybox => "fuzzing guided by which write each operation read from (ASPLOS 2024)",
    };
    let describe =
        |name: &'static str| name.parse().ok().map(|driver: Driver| DriverJson { name, what: what(driver) });
    Driver::names().filter_map(describe).collect()
}
