//! What `bohr run` has shown, for reading.

use super::{By, Example, Ran, cells};
use crate::exit::Error;
use crate::judging::{Judged, Kept, verdict};
use crate::output::{self, Look, Output, cell};
use crate::words::{self, Assessment, assess, counted, coverage, hardness, quoted, thousands};
use bohr_explore::campaign::{Share, name_of};
use bohr_explore::cell::Cell;
use bohr_report::{model::Fewest, report};
use std::collections::BTreeSet;
use std::path::Path;

/// Prints it all.
pub fn print(ran: &Ran, root: &Path, out: &mut Output) -> Result<(), Error> {
    let groups: Vec<&[Judged]> = ran.by_variant().collect();
    let of_scenario = |a: &&[Judged], b: &&[Judged]| scenario(a) == scenario(b);
    for groups in groups.chunk_by(of_scenario) {
        matrix(groups, out)?;
        examples(ran, scenario(groups[0]), out)?;
    }
    surprises(ran, out)?;
    conclusion(ran, root, out)
}

fn scenario(group: &[Judged]) -> &'static str {
    group[0].subject.scenario.info().name
}

fn matrix(groups: &[&[Judged]], out: &mut Output) -> Result<(), Error> {
    let info = groups[0][0].subject.scenario.info();
    out.styled(Look::Strong, &format!("{}: {}", info.name, info.title))?;
    out.line("")?;
    let titles = ["variant", "role", "verdict", "expected", "schedules to first failure", "checked"];
    let mut rows = vec![output::header(&titles)];
    for group in groups {
        let variant = group[0].subject.variant;
        let cells = cells(group);
        rows.push(vec![
            cell(variant.name),
            cell(variant.role.to_string()),
            cell(verdict(group)),
            expected(group),
            cell(effort_to_find(group)),
            cell(if cells.is_empty() { "-".to_owned() } else { coverage(&cells) }),
        ]);
    }
    out.table(&rows)?;
    let cells = groups.iter().flat_map(|group| cells(group));
    let shares = Share::sum(cells.flat_map(|cell| &cell.hardness).flat_map(|h| &h.shares));
    if shares.iter().any(|share| share.failing > 0) {
        out.styled(Look::Dim, &format!("  {}", words::shares(&shares)))?;
    }
    Ok(out.line("")?)
}

/// Whether every verdict in a group is the expected one.
fn expected(group: &[Judged]) -> output::Cell {
    let all: Vec<Option<Assessment>> = group.iter().map(|j| j.cell.as_ref().map(assess)).collect();
    let any = |wanted: fn(&Assessment) -> bool| all.iter().flatten().any(wanted);
    if any(|a| matches!(a, Assessment::Surprise(_))) {
        (Look::Bad, "NO".to_owned())
    } else if all.contains(&None) || any(|a| matches!(a, Assessment::Unfinished)) {
        (Look::Dim, "unfinished".to_owned())
    } else if group.iter().all(|j| j.verdict().is_none()) {
        (Look::Dim, "-".to_owned())
    } else if !missing(group).is_empty() {
        (Look::Good, format!("yes, but {} did not show", missing(group).join(", ")))
    } else if all.iter().flatten().all(|a| matches!(a, Assessment::Unstated)) {
        (Look::Dim, "not stated".to_owned())
    } else {
        (Look::Good, "yes".to_owned())
    }
}

/// The oracles that are to be violated on some workload and were on none.
fn missing(group: &[Judged]) -> Vec<&'static str> {
    let cells = cells(group);
    let shown: BTreeSet<&str> = cells.iter().flat_map(|c| c.oracles()).collect();
    let named: BTreeSet<&str> = cells.iter().flat_map(|c| named(c)).collect();
    named.into_iter().filter(|oracle| !shown.contains(oracle)).collect()
}

/// The oracles that are to be violated.
fn named(cell: &Cell) -> BTreeSet<&'static str> {
    cell.violations().iter().map(|v| v.oracle).collect()
}

/// How hard it was to find on the first workload that fails: classes differ too much to be pooled.
fn effort_to_find(group: &[Judged]) -> String {
    let found = |c: &Cell| c.hardness.iter().any(|h| h.found > 0);
    let measured = |j: &&Judged| !j.subject.only_observes() && j.cell.as_ref().is_some_and(found);
    let Some(first) = group.iter().find(measured) else { return "-".to_owned() };
    let cell = first.cell.as_ref().map(|c| c.hardness.as_slice()).unwrap_or_default();
    format!("{} on {}", hardness(cell), first.subject.workload)
}

fn examples(ran: &Ran, scenario: &str, out: &mut Output) -> Result<(), Error> {
    let examples: Vec<&Example> = ran.examples.iter().filter(|e| e.case.scenario == scenario).collect();
    if examples.is_empty() {
        return Ok(());
    }
    out.styled(Look::Strong, "What the buggy form does, in the real system's words, shrunk:")?;
    for Example { case, workloads } in examples {
        let oracle = case.finding.oracle.as_ref().map(|o| format!("{o}, ")).unwrap_or_default();
        let seen = format!("{oracle}seen on {}", counted(*workloads, "workload"));
        let fewest = match case.fewest {
            _ if case.preemptions == 0 => "",
            Fewest::Proved { .. } => ", proved to be the fewest",
            Fewest::NotProved { .. } => ", perhaps not the fewest",
        };
        let preemptions = counted(case.preemptions.into(), "preemption");
        out.line("")?;
        out.line(format!("  {} ({seen}; {preemptions}{fewest})", case.finding.headline()))?;
        out.line(format!("    {}", report::command(case)))?;
    }
    Ok(out.line("")?)
}

fn surprises(ran: &Ran, out: &mut Output) -> Result<(), Error> {
    for (judged, why) in ran.surprises() {
        out.styled(Look::Bad, &format!("Not as expected: {} {why}", judged.subject.path()))?;
        let named = judged.cell.as_ref().map(|c| named(c)).unwrap_or_default();
        let surprising = |kept: &&Kept| !named.contains(name_of(&kept.finding).as_str());
        for kept in judged.found.iter().filter(surprising) {
            out.line(format!("  {}", kept.finding.headline()))?;
            match &kept.again {
                Some(again) => out.line(format!("    bohr replay {}", again.token))?,
                None => out.line("    cannot be replayed: the order of the threads is not a schedule")?,
            }
        }
        out.line("")?;
    }
    Ok(())
}

fn conclusion(ran: &Ran, root: &Path, out: &mut Output) -> Result<(), Error> {
    let judged = ran.judged.iter().filter(|j| j.verdict().is_some()).count();
    let found: usize = ran.judged.iter().map(|j| j.found.len()).sum();
    let kept = ran.judged.iter().flat_map(|j| &j.found).filter(|k| k.file.is_some()).count();
    if found > 0 {
        let found = counted(found as u64, "finding");
        out.line(format!("{found}, of which {} are kept in {}.", thousands(kept as u64), quoted(root)))?;
    }
    let ended = match (ran.interrupted, ran.timed_out) {
        (true, _) => Some("Interrupted"),
        (false, true) => Some("Out of time"),
        (false, false) => None,
    };
    if let Some(ended) = ended {
        let all = ran.judged.len();
        out.line(format!("{ended}: {judged} of {} were judged.", counted(all as u64, "verdict")))?;
    }
    let unfit = ran.judged.iter().filter(|j| j.cell.is_some() && j.verdict().is_none()).count();
    if unfit > 0 {
        out.line(format!(
            "Not judged, since the driver cannot run it: {}.",
            counted(unfit as u64, "workload")
        ))?;
    }
    match ran.surprises().count() {
        0 if judged == 0 => out.line("No verdict.")?,
        0 => {
            let verdicts = counted(judged as u64, "verdict");
            let seeds = ran.seeds.0..=ran.seeds.0.saturating_add(ran.seeds.1 - 1);
            let seeds = format!("seeds {} to {}", seeds.start(), seeds.end());
            out.styled(Look::Good, &format!("{verdicts}, all as expected ({seeds})."))?;
        }
        n => {
            let verdicts = counted(judged as u64, "verdict");
            out.styled(Look::Bad, &format!("{n} of {verdicts} not as expected."))?;
        }
    }
    let schedules: u64 = ran.judged.iter().filter_map(|j| j.cell.as_ref()).map(Cell::schedules).sum();
    let how = match ran.by {
        By::Now(took) => {
            let took = took.as_secs_f64();
            let rate = (schedules as f64 / took.max(0.001)) as u64;
            format!("in {took:.1} s, {} a second", thousands(rate))
        }
        By::Shards(n) => format!("on {}", counted(n as u64, "shard")),
    };
    out.line(format!("{} {how}.", counted(schedules, "schedule")))?;
    let part =
        ran.judged.iter().filter(|j| matches!(j.cell.as_ref().map(assess), Some(Assessment::Partly(_))));
    match part.count() {
        0 => Ok(()),
        n => Ok(out.line(format!(
            "On {} only some of the oracles that can be violated were: more schedules show more \
             (`--driver dfs --schedules 1000000` covers all).",
            counted(n as u64, "workload")
        ))?),
    }
}
