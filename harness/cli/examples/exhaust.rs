//! How many executions it takes to cover every schedule of a program, by each of the ways to do it: one line of JSON for
//! each program and way.
//!
//! `cargo run --release -p bohr-cli --example exhaust`
//!
//! The programs are two to four tasks with one critical section each, and the fixed form of each scenario on two of its
//! smallest workloads.

use bohr_cli::scenarios;
use bohr_explore::engine::LoomEngine;
use bohr_explore::search::{prove, search};
use bohr_explore::strategy::{Bounds, Limits};
use bohr_kernel::{Access, Obj, Outcome, Program, RunConfig, spawn};
use serde::Serialize;
use std::io::{self, Write};

/// The most executions.
const CAP: u64 = 100_000;
/// The most of loom, which makes one or two thousand a second.
const LOOM_CAP: u64 = 20_000;

const WORKLOADS: [(&str, [&str; 2]); 5] = [
    ("crio-event-broadcast", ["doa", "burst"]),
    ("kata-deploy-config", ["two_installs", "delete"]),
    ("argo-roundtripper", ["event", "pair"]),
    ("k8s-taint-eviction", ["M1", "K1"]),
    ("submariner-image-log", ["fresh_shared-swiss-fine", "three-swiss-fine"]),
];

#[derive(Serialize)]
struct Row {
    program: String,
    way: &'static str,
    /// Runs to their end. Runs that were given up at a known state or asleep are left out.
    executions: u64,
    /// False if there are more.
    all: bool,
    /// Why it could not be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    unfit: Option<String>,
}

fn main() -> io::Result<()> {
    for tasks in 2..=4 {
        rows(&format!("{tasks} critical sections"), &critical_sections(tasks))?;
    }
    for (name, workloads) in WORKLOADS {
        let scenario = scenarios::ALL.iter().find(|s| s.info().name == name).expect("it is in the list");
        for workload in workloads {
            let program = scenario.program("fixed", workload).expect("both exist");
            rows(&format!("{name}/fixed/{workload}"), &program)?;
        }
    }
    Ok(())
}

fn critical_sections(tasks: usize) -> Program {
    Program::new(move || {
        let lock = Obj::create("lock", "l", false);
        for _ in 0..tasks {
            spawn("task", move || {
                lock.op("lock", Access::Write).when(|held, _| !held).run(|held, _| *held = true);
                lock.op("unlock", Access::Write).run(|held, _| *held = false);
            });
        }
    })
}

fn rows(program: &str, subject: &Program) -> io::Result<()> {
    let config = RunConfig::default();
    let print = |way, executions, all, unfit| {
        print(&Row { program: program.to_owned(), way, executions, all, unfit })
    };
    for (way, cache) in [("every schedule", false), ("every state", true)] {
        let bounds = Bounds { runs: Some(CAP), cache, ..Bounds::default() };
        let exhausted = search(subject, config, bounds, |_: Outcome| true);
        print(way, exhausted.complete, exhausted.all, None)?;
    }
    let limits = Limits { runs: Some(CAP), ..Limits::default() };
    let explored = prove(subject, config, limits, |_| true);
    print("every trace", explored.executions, explored.all, None)?;
    match LoomEngine.explore(subject, config, Some(LOOM_CAP), |_| true) {
        Ok(explored) => print("loom", explored.executions, explored.all, None),
        Err(unfit) => print("loom", 0, false, Some(unfit.to_string())),
    }
}

fn print(row: &Row) -> io::Result<()> {
    let line = serde_json::to_string(row)?;
    writeln!(io::stdout().lock(), "{line}")
}
