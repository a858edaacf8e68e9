//! How many schedules each driver needs until the first failure of two classic kernels, beside plain shuttle: one
//! line of JSON for each kernel, size and driver.
//!
//! `cargo run --release -p bohr-explore --example first_failure [SEEDS [SCHEDULES [SHUTTLE]]] 2>/dev/null`
//!
//! By default 20 seeds, and from each at most 10,000 schedules. Bohr's drivers take two minutes for all; shuttle
//! takes an hour, so a third number limits its schedules; 0 leaves it out. Shuttle prints each failure to
//! standard error.

use bohr_explore::campaign::{Budget, campaign};
use bohr_explore::driver::{Driver, RANDOMIZED};
use bohr_explore::kernels::{reorder, two_stage};
use bohr_kernel::{Program, RunConfig};
use serde::Serialize;
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler, UrwRandomScheduler};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Serialize)]
struct Row<'a> {
    kernel: &'a str,
    size: String,
    driver: String,
    found: u64,
    of: u64,
    /// The most schedules from a seed.
    cap: u64,
    /// Schedules to the first failure, over the seeds that found one.
    mean: Option<f64>,
}

/// A kernel on Bohr's operations and one on shuttle's own primitives, for so many tasks of its two kinds.
type Kernel = (&'static str, fn(usize, usize) -> Program, fn(usize, usize), &'static [(usize, usize)]);

const KERNELS: [Kernel; 2] = [
    ("reorder", reorder, plain::reorder, &[(4, 1), (9, 1), (10, 10), (40, 10), (99, 1)]),
    ("twostage", two_stage, plain::two_stage, &[(10, 10), (40, 10), (99, 1)]),
];

/// Makes a scheduler of shuttle's, from a seed and for so many schedules.
type Seeded = fn(u64, usize) -> Box<dyn Scheduler + Send>;

fn main() {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse().expect("the arguments are numbers"));
    let (seeds, schedules) = (args.next().unwrap_or(20), args.next().unwrap_or(10_000));
    let on_shuttle = args.next().unwrap_or(schedules);
    // Shuttle reports the failures that are counted here by panicking.
    std::panic::set_hook(Box::new(|_| {}));
    let out = std::io::stdout();
    for (kernel, program, plain, sizes) in KERNELS {
        for &(a, b) in sizes {
            let print = |driver: String, cap: u64, first: &dyn Fn(u64) -> Option<u64>| {
                let firsts: Vec<u64> = (1..=seeds).filter_map(first).collect();
                let sum: u64 = firsts.iter().sum();
                let mean = (!firsts.is_empty()).then(|| sum as f64 / firsts.len() as f64);
                let size = format!("{a}+{b}");
                let row = Row { kernel, size, driver, found: firsts.len() as u64, of: seeds, cap, mean };
                let line = serde_json::to_string(&row).expect("a row is plain data");
                writeln!(out.lock(), "{line}").expect("standard output is open");
            };
            let program = program(a, b);
            for driver in RANDOMIZED.into_iter().chain([Driver::Portfolio]) {
                print(driver.to_string(), schedules, &|seed| {
                    let budget = Budget::first_failure(schedules);
                    campaign(driver, &program, RunConfig::default(), seed, &budget).first
                });
            }
            if on_shuttle == 0 {
                continue;
            }
            let runs = usize::try_from(on_shuttle).unwrap_or(usize::MAX);
            let schedulers: [(&str, Seeded); 3] = [
                ("shuttle-random", |seed, runs| Box::new(RandomScheduler::new_from_seed(seed, runs))),
                ("shuttle-pct", |seed, runs| Box::new(PctScheduler::new_from_seed(seed, 3, runs))),
                ("shuttle-urw", |seed, runs| Box::new(UrwRandomScheduler::new_from_seed(seed, runs))),
            ];
            for (name, scheduler) in schedulers {
                print(name.to_owned(), on_shuttle, &|seed| {
                    first_on_shuttle(scheduler(seed, runs), move || plain(a, b))
                });
            }
        }
    }
}

/// The number of the first schedule whose assertion fails.
fn first_on_shuttle(
    scheduler: Box<dyn Scheduler + Send>,
    body: impl Fn() + Send + Sync + 'static,
) -> Option<u64> {
    let mut config = shuttle::Config::new();
    config.failure_persistence = shuttle::FailurePersistence::None;
    config.max_steps = shuttle::MaxSteps::None;
    config.silence_warnings = true;
    let runs = Arc::new(AtomicU64::new(0));
    let counted = runs.clone();
    let runner = shuttle::Runner::new(scheduler, config);
    let run = move || {
        runner.run(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            body();
        })
    };
    catch_unwind(AssertUnwindSafe(run)).is_err().then(|| runs.load(Ordering::Relaxed))
}

/// The kernels as a user of shuttle writes them.
mod plain {
    use shuttle::sync::atomic::{AtomicI32, Ordering::SeqCst};
    use shuttle::sync::{Arc, Mutex};
    use shuttle::thread::{JoinHandle, spawn};

    pub fn reorder(setters: usize, checkers: usize) {
        let shared = Arc::new((AtomicI32::new(0), AtomicI32::new(0)));
        let setter = |_| {
            let shared = shared.clone();
            spawn(move || {
                shared.0.store(1, SeqCst);
                shared.1.store(-1, SeqCst);
            })
        };
        let mut threads: Vec<JoinHandle<()>> = (0..setters).map(setter).collect();
        let checker = |_| {
            let shared = shared.clone();
            spawn(move || {
                let seen = (shared.0.load(SeqCst), shared.1.load(SeqCst));
                assert!(seen == (0, 0) || seen == (1, -1));
            })
        };
        threads.extend((0..checkers).map(checker));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }

    pub fn two_stage(writers: usize, readers: usize) {
        let first = Arc::new((Mutex::new(()), AtomicI32::new(0)));
        let second = Arc::new((Mutex::new(()), AtomicI32::new(0)));
        let writer = |_| {
            let (first, second) = (first.clone(), second.clone());
            spawn(move || {
                let held = first.0.lock().unwrap();
                first.1.store(1, SeqCst);
                drop(held);
                let _held = second.0.lock().unwrap();
                second.1.store(first.1.load(SeqCst) + 1, SeqCst);
            })
        };
        let mut threads: Vec<JoinHandle<()>> = (0..writers).map(writer).collect();
        let reader = |_| {
            let (first, second) = (first.clone(), second.clone());
            spawn(move || {
                let held = first.0.lock().unwrap();
                let seen = first.1.load(SeqCst);
                drop(held);
                if seen == 0 {
                    return;
                }
                let held = second.0.lock().unwrap();
                let next = second.1.load(SeqCst);
                drop(held);
                assert_eq!(next, seen + 1);
            })
        };
        threads.extend((0..readers).map(reader));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}
