//! The program `bohr`: finds the schedules under which the [scenarios] fail, and says what it did.
//!
//! One file a command; what they share is beside them. Exit codes are decided in [`exit`] alone.

#![forbid(unsafe_code)]

mod args;
mod case;
mod exit;
mod exports;
mod fuzz;
mod import;
mod interrupt;
mod judging;
mod list;
mod live;
mod merge;
mod names;
mod output;
mod progress;
mod prove;
pub mod regressions;
mod replay;
mod report;
mod run;
pub mod scenarios;
mod seeds;
mod shard;
mod shrink;
mod source;
mod store;
mod stress;
mod target;
mod words;

use args::{Args, Command};
use clap::Parser;
use output::Output;
use std::process::ExitCode;

/// Runs the command that the arguments ask for.
pub fn main() -> ExitCode {
    if let Some(code) = live::worker() {
        return code;
    }
    let args = Args::parse();
    let mut out = Output::new(args.json);
    let done = match &args.command {
        Command::List(list) => list::list(list, &mut out),
        Command::Run(run) => run::run(run, &mut out),
        Command::Prove(prove) => prove::prove(prove, &mut out),
        Command::Replay(replay) => replay::replay(replay, &mut out),
        Command::Shrink(shrink) => shrink::shrink(shrink, &mut out),
        Command::Stress(stress) => stress::stress(stress, &mut out),
        Command::Fuzz(fuzz) => fuzz::fuzz(fuzz, &mut out),
        Command::Seeds(seeds) => seeds::seeds(seeds, &mut out),
        Command::Import(import) => import::import(import, &mut out),
        Command::Live(live) => live::live(live, &mut out),
        Command::Merge(merge) => merge::merge(merge, &mut out),
        Command::Report(report) => report::report(report, &mut out),
    };
    exit::code(done)
}
