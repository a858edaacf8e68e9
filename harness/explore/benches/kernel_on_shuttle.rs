//! Schedules per second of the kernel on shuttle, beside the same program written directly on
//! shuttle's primitives. Compare the two lines of a group: the machine's mood cancels out.

use bohr_explore::engine::{ShuttleEngine, ShuttlePolicy};
use bohr_kernel::{Access, Obj, Program, RunConfig, join, spawn};
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

fn compare(c: &mut Criterion) {
    for (tasks, pairs) in [(2, 1), (2, 8), (4, 4)] {
        let mut group = c.benchmark_group(format!("{tasks} tasks, {} operations each", 2 + 2 * pairs));
        group.throughput(Throughput::Elements(SCHEDULES as u64));
        group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3)).sample_size(20);
        let program = on_kernel(tasks, pairs);
        group.bench_function("kernel on shuttle", |b| {
            b.iter(|| {
                let config = RunConfig::default();
                let sink = |outcome| {
                    let _ = black_box(outcome);
                    true
                };
                ShuttleEngine.explore_with(&program, config, ShuttlePolicy::Random, 7, SCHEDULES, sink);
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

criterion_group!(benches, compare);
criterion_main!(benches);
