//! Schedules per second, drawn uniformly at random, of the kernel on each engine, beside the same program
//! written directly on shuttle's primitives. Compare the lines of a group: the machine's mood cancels out.
//! The last groups count steps instead, with what a run takes to begin and end spread over them.

use bohr_explore::engine::{FastEngine, FastPolicy, ShuttleEngine, ShuttlePolicy};
use bohr_kernel::{Access, Clock, Obj, Outcome, Program, RunConfig, Var, join, spawn};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use shuttle::scheduler::RandomScheduler;
use shuttle::sync::Mutex;
use shuttle::sync::atomic::{AtomicUsize, Ordering};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

const SCHEDULES: usize = 1_000;

/// Each task: lock, so many pairs of a load and a store, unlock.
fn on_kernel(tasks: usize, pairs: usize) -> Program {
    Program::new(move || {
        let lock = Obj::create("lock", "l", false);
        let cell = Obj::create("cell", "c", 0usize);
        let work = move || {
            lock.op("lock", Access::Write).when(|held, _| !held).run(|held, _| *held = true);
            for _ in 0..pairs {
                let seen = cell.op("load", Access::Read).run(|c, _| *c);
                cell.op("store", Access::Write).run(move |c, _| *c = seen + 1);
            }
            lock.op("unlock", Access::Write).run(|held, _| *held = false);
        };
        let children: Vec<_> = (0..tasks).map(|_| spawn("worker", work)).collect();
        children.into_iter().for_each(join);
    })
}

/// Each task: so many times, under a lock that carries what happened before, a plain read and write.
fn with_clocks(tasks: usize, pairs: usize) -> Program {
    Program::new(move || {
        let lock = Obj::create("lock", "l", (false, Clock::new()));
        let counter = Var::new("c", 0usize);
        let work = move || {
            for _ in 0..pairs {
                lock.op("lock", Access::Write).when(|(held, _), _| !held).run(|(held, clock), cx| {
                    *held = true;
                    cx.acquire(clock);
                });
                counter.set(counter.get() + 1);
                lock.op("unlock", Access::Write).run(|(held, clock), cx| {
                    *held = false;
                    cx.release(clock);
                });
            }
        };
        let children: Vec<_> = (0..tasks).map(|_| spawn("worker", work)).collect();
        children.into_iter().for_each(join);
    })
}

fn on_shuttle(tasks: usize, pairs: usize) {
    let lock = Arc::new(Mutex::new(()));
    let cell = Arc::new(AtomicUsize::new(0));
    let children: Vec<_> = (0..tasks)
        .map(|_| {
            let (lock, cell) = (lock.clone(), cell.clone());
            shuttle::thread::spawn(move || {
                let guard = lock.lock();
                for _ in 0..pairs {
                    let seen = cell.load(Ordering::SeqCst);
                    cell.store(seen + 1, Ordering::SeqCst);
                }
                drop(guard);
            })
        })
        .collect();
    for child in children {
        let _ = child.join();
    }
}

fn enough(outcome: Outcome) -> bool {
    let _ = black_box(outcome);
    true
}

fn fast(program: &Program) {
    let config = RunConfig::default();
    FastEngine.explore_with(program, config, FastPolicy::Random, 7, SCHEDULES as u64, enough);
}

fn compare(c: &mut Criterion) {
    for (tasks, pairs) in [(2, 1), (2, 8), (4, 4)] {
        let mut group = c.benchmark_group(format!("{tasks} tasks, {} operations each", 2 + 2 * pairs));
        group.throughput(Throughput::Elements(SCHEDULES as u64));
        group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3)).sample_size(20);
        let program = on_kernel(tasks, pairs);
        group.bench_function("fast", |b| b.iter(|| fast(&program)));
        group.bench_function("kernel on shuttle", |b| {
            b.iter(|| {
                let config = RunConfig::default();
                ShuttleEngine.explore_with(&program, config, ShuttlePolicy::Random, 7, SCHEDULES, enough);
            });
        });
        group.bench_function("plain shuttle", |b| {
            b.iter(|| {
                let mut config = shuttle::Config::new();
                config.failure_persistence = shuttle::FailurePersistence::None;
                config.silence_warnings = true;
                let scheduler = RandomScheduler::new_from_seed(7, SCHEDULES);
                shuttle::Runner::new(scheduler, config).run(move || on_shuttle(tasks, pairs));
            });
        });
        group.finish();
    }
}

fn steps(c: &mut Criterion) {
    for (tasks, pairs) in [(2, 1), (2, 8), (4, 4), (2, 50)] {
        let mut group = c.benchmark_group(format!("steps of {tasks} tasks"));
        group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3)).sample_size(20);
        let programs = [
            ("plain", 2 + 2 * pairs, on_kernel(tasks, pairs)),
            ("clocks", 4 * pairs, with_clocks(tasks, pairs)),
        ];
        for (name, operations, program) in programs {
            // Main joins every task.
            let steps = tasks * (operations + 1);
            group.throughput(Throughput::Elements((SCHEDULES * steps) as u64));
            group.bench_function(format!("{name}, {steps} a schedule"), |b| b.iter(|| fast(&program)));
        }
        group.finish();
    }
}

criterion_group!(benches, compare, steps);
criterion_main!(benches);
