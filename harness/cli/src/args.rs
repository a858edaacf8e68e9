//! The command line.

use crate::prove::By;
use crate::shard::Shard;
use bohr_explore::driver::Driver;
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::time::Duration;

/// Turns races into tests: finds a schedule that fails, shrinks it, replays it, and shows what the fix holds.
///
/// Exit codes: 0 all as expected; 1 a verdict is not as expected or a report is stale; 2 bad input;
/// 130 interrupted, after printing what was known.
#[derive(Debug, Parser)]
#[command(name = "bohr", version, propagate_version = true)]
pub struct Args {
    /// Print JSON instead of text
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the scenarios, their variants, workloads and oracles, and the drivers
    List(List),
    /// Find the verdict of every variant and compare it with the expected one
    Run(Run),
    /// Prove that a form has no finding on any schedule, or show one
    Prove(Prove),
    /// Run the schedule that a token holds, and show what happens step by step
    Replay(Replay),
    /// Reduce a failing schedule to the fewest preemptions, steps and work
    Shrink(Shrink),
    /// Run on OS threads that nobody schedules, as a stress test does
    Stress(Stress),
    /// Look for failures with schedules that are made of those which showed something new
    Fuzz(Fuzz),
    /// Write corpora for the cargo-fuzz targets to begin with: what campaigns find, shrunk
    Seeds(Seeds),
    /// Make a test of a failure: of a fuzzer's crash file, a token or a stored finding
    Import(Import),
    /// Run a bug of processes as real processes on real files
    Live(Live),
    /// Put the results of all shards of a run, a proof or a fuzzing campaign together
    Merge(Merge),
    /// Write the reports, or tell which of them are stale
    Report(Report),
}

/// `bohr list`
#[derive(Debug, clap::Args)]
pub struct List {
    /// Only this scenario
    pub scenario: Option<String>,
}

/// `bohr run`
#[derive(Debug, clap::Args)]
pub struct Run {
    /// What to run; everything if nothing is given. Names match loosely: a unique part will do
    #[arg(value_name = "SCENARIO[/VARIANT[/WORKLOAD]]")]
    pub targets: Vec<String>,
    /// The first seed of the randomized drivers
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(..1 << 63))]
    pub seed: u64,
    /// The most schedules to draw from one seed, and with `--driver dfs` or `loom` the most to search
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub schedules: Option<u64>,
    /// Stop after this time: 30s, 2m, 500ms
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub time: Option<Duration>,
    #[command(flatten)]
    pub jobs: Jobs,
    /// Use only this driver: random, pct, urw, pos, surw, portfolio (all of these in turn), greybox (fuzzing), dfs
    /// (exhaustive search), stress (OS threads) or loom (a second opinion on what has up to 5 tasks)
    #[arg(long, value_name = "NAME", value_parser = driver)]
    pub driver: Option<Driver>,
    /// Find only each N-th verdict, from the I-th on, and keep them for `bohr merge`. Started again it goes on
    #[arg(long, value_name = "I/N", conflicts_with = "time")]
    pub shard: Option<Shard>,
    #[command(flatten)]
    pub exports: Exports,
    #[command(flatten)]
    pub folder: Folder,
}

/// `bohr prove`
#[derive(Debug, clap::Args)]
pub struct Prove {
    /// What to prove; without a workload, on each of the smallest classes
    #[arg(value_name = "SCENARIO/VARIANT[/WORKLOAD]")]
    pub target: String,
    /// Only this workload class, as if it were a part of the path
    #[arg(long, value_name = "CLASS")]
    pub class: Option<String>,
    /// The most executions of each proof
    #[arg(long, value_name = "N", value_parser = at_least_one, default_value_t = 10_000_000)]
    pub schedules: u64,
    /// Only schedules with at most so many preemptions; searched by states
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    pub preemptions: Option<u32>,
    /// What to tell apart; if nothing is given traces, or states where these come to an end sooner
    #[arg(long, value_name = "WHAT")]
    pub by: Option<By>,
    /// The most steps of one execution; more is a finding
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub steps: u32,
    /// Stop after this time: 30s, 2m, 500ms
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub time: Option<Duration>,
    /// Go on where an earlier proof by traces was stopped
    #[arg(long)]
    pub resume: bool,
    /// Explore only each N-th part of every proof, from the I-th on, and keep that for `bohr merge`; by traces, unless
    /// --by says otherwise. Started again it goes on
    #[arg(long, value_name = "I/N", conflicts_with_all = ["time", "resume"])]
    pub shard: Option<Shard>,
    #[command(flatten)]
    pub jobs: Jobs,
    #[command(flatten)]
    pub folder: Folder,
}

/// `bohr replay`
#[derive(Debug, clap::Args)]
pub struct Replay {
    /// A token, or a file that holds one: a stored finding, a log, a fuzzer's crash file
    #[arg(value_name = "TOKEN|FILE")]
    pub token: String,
    /// Show every operation, also those that are left out where many are alike and those after the failure
    #[arg(long, conflicts_with_all = ["go", "json"])]
    pub verbose: bool,
    /// Print only what Go would: its race detector's warning, its panic, fatal error or deadlock
    #[arg(long, conflicts_with = "json")]
    pub go: bool,
    /// Write the failing run as SARIF 2.1.0, with a thread flow a task; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub sarif: Option<PathBuf>,
    /// Write the failing run as a log for ShiViz, which draws it; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub shiviz: Option<PathBuf>,
}

/// `bohr shrink`
#[derive(Debug, clap::Args)]
pub struct Shrink {
    /// A token, or a file that holds one
    #[arg(value_name = "TOKEN|FILE")]
    pub token: String,
    /// The most schedules to search
    #[arg(long, value_name = "N", value_parser = at_least_one, default_value_t = 200_000)]
    pub schedules: u64,
    #[command(flatten)]
    pub folder: Folder,
}

/// `bohr stress`
#[derive(Debug, clap::Args)]
pub struct Stress {
    /// What to run; the buggy forms if nothing is given
    #[arg(value_name = "SCENARIO[/VARIANT[/WORKLOAD]]")]
    pub targets: Vec<String>,
    /// The most trials for each workload
    #[arg(long, value_name = "N", value_parser = at_least_one, default_value_t = 2_000)]
    pub schedules: u64,
    /// Stop after this time: 30s, 2m, 500ms
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub time: Option<Duration>,
    #[command(flatten)]
    pub folder: Folder,
}

/// `bohr fuzz`
#[derive(Debug, clap::Args)]
pub struct Fuzz {
    /// What to run; the smallest workloads in turns if none is named. Names match loosely: a unique part will do
    #[arg(value_name = "SCENARIO/VARIANT[/WORKLOAD]")]
    pub target: String,
    /// The first seed
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(..1 << 63))]
    pub seed: u64,
    /// How many seeds. From each, every workload is fuzzed on its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..1 << 32))]
    pub seeds: u64,
    /// The most schedules, over all workloads and seeds; 100,000 if neither this nor a time is given
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub schedules: Option<u64>,
    /// Stop after this time: 30s, 2m, 500ms
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub time: Option<Duration>,
    #[command(flatten)]
    pub jobs: Jobs,
    /// Fuzz only each N-th workload and seed, from the I-th on, and keep that for `bohr merge`. Started again it goes on
    #[arg(long, value_name = "I/N", conflicts_with = "time")]
    pub shard: Option<Shard>,
    #[command(flatten)]
    pub folder: Folder,
}

/// `bohr import`
#[derive(Debug, clap::Args)]
pub struct Import {
    /// A fuzzer's crash file, a token, or a file that holds one
    #[arg(value_name = "FILE|TOKEN")]
    pub token: String,
    /// The fuzz target whose crash file it is, if the file's folder is not called so
    #[arg(long, value_name = "NAME")]
    pub target: Option<String>,
    /// Where the tests are
    #[arg(long, value_name = "DIR", default_value = "fuzz/regressions")]
    pub into: PathBuf,
    /// The most schedules to search for a smaller one
    #[arg(long, value_name = "N", value_parser = at_least_one, default_value_t = 200_000)]
    pub schedules: u64,
    #[command(flatten)]
    pub folder: Folder,
}

/// `bohr seeds`
#[derive(Debug, clap::Args)]
pub struct Seeds {
    /// Only for these scenarios
    #[arg(value_name = "SCENARIO")]
    pub scenarios: Vec<String>,
    /// Where to write, one folder a fuzz target
    #[arg(long, value_name = "DIR", default_value = "fuzz/corpus")]
    pub out: PathBuf,
    #[command(flatten)]
    pub jobs: Jobs,
}

/// `bohr live`
#[derive(Debug, clap::Args)]
pub struct Live {
    /// Which bug: kata-deploy-config
    pub scenario: String,
    /// The most rounds for each form; a round takes a second or two
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// The most time for each form: 30s, 2m, 500ms
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1m")]
    pub time: Duration,
}

/// `bohr merge`
#[derive(Debug, clap::Args)]
pub struct Merge {
    /// The shards' results, or a folder with them in it
    #[arg(value_name = "FILE|DIR", required = true)]
    pub results: Vec<PathBuf>,
    #[command(flatten)]
    pub jobs: Jobs,
    #[command(flatten)]
    pub exports: Exports,
    #[command(flatten)]
    pub folder: Folder,
}

/// `bohr report`
#[derive(Debug, clap::Args)]
pub struct Report {
    /// Only these scenarios
    #[arg(value_name = "SCENARIO")]
    pub scenarios: Vec<String>,
    /// Write nothing; exit with 1 if a report is not what would be written
    #[arg(long)]
    pub check: bool,
    /// Where the reports are, one folder a bug
    #[arg(long, value_name = "DIR", default_value = "reports")]
    pub out: PathBuf,
    #[command(flatten)]
    pub jobs: Jobs,
}

/// How many threads to use.
#[derive(Copy, Clone, Debug, clap::Args)]
pub struct Jobs {
    /// Threads to use; one a core if nothing is given. Results do not depend on it
    #[arg(long = "jobs", value_name = "N", value_parser = at_least_one)]
    jobs: Option<u64>,
}

impl Jobs {
    /// Their number.
    pub fn number(self) -> usize {
        self.jobs.map_or_else(bohr_explore::jobs::default_jobs, |n| usize::try_from(n).unwrap_or(usize::MAX))
    }
}

/// What other programs are given of a run's verdicts; `-` is standard output, and then nothing else is printed.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Exports {
    /// Write the verdicts as JUnit XML, a test case for each; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write the failures as SARIF 2.1.0, for code scanning; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub sarif: Option<PathBuf>,
    /// Add a summary in GitHub's Markdown to a file: `--summary "$GITHUB_STEP_SUMMARY"`; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
}

/// Where findings are kept.
#[derive(Clone, Debug, clap::Args)]
pub struct Folder {
    /// Where findings are kept, the moment they are found
    #[arg(long, value_name = "DIR", env = "BOHR_DIR", default_value = "target/bohr")]
    pub out: PathBuf,
}

fn at_least_one(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(0) => Err("there is nothing to do with 0; give 1 or more".to_owned()),
        Ok(n) => Ok(n),
        Err(e) => Err(format!("{e}; give a whole number from 1")),
    }
}

fn driver(text: &str) -> Result<Driver, String> {
    text.parse()
}

fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let scale = match unit {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("no unit of time is called {unit:?}; use ms, s, m or h")),
    };
    let number: f64 = number.trim().parse().map_err(|_| "give a time such as 30s, 2m or 500ms".to_owned())?;
    let time = Duration::try_from_secs_f64(number * scale).map_err(|e| e.to_string())?;
    if time.is_zero() { Err("there is nothing to do in no time".to_owned()) } else { Ok(time) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }

    #[test]
    fn times_have_units() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1.5"), Ok(Duration::from_millis(1500)));
        for bad in ["", "s", "-1s", "3 days", "0s", "1e400s", "nans"] {
            assert!(duration(bad).is_err(), "{bad:?}");
        }
    }
}
