//! Schedules per second of each engine on the fixed form of each scenario: drawn uniformly at random, but loom's, which
//! go by its own order. Compare the lines of a group: the machine's mood cancels out.

use bohr_cli::scenarios;
use bohr_explore::engine::{FastEngine, FastPolicy, LoomEngine, ShuttleEngine, ShuttlePolicy, ThreadEngine};
use bohr_explore::strategy::{Random, Sampling};
use bohr_kernel::{Engine, Outcome, Program, RunConfig};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;
use std::time::Duration;

const SCHEDULES: u64 = 200;

/// A class of each scenario in which several tasks work on the same things.
const WORKLOADS: [(&str, &str); 5] = [
    ("crio-event-broadcast", "burst"),
    ("kata-deploy-config", "two_installs"),
    ("argo-roundtripper", "pair"),
    ("k8s-taint-eviction", "M3"),
    ("submariner-image-log", "three-swiss-fine"),
];

fn enough(outcome: Outcome) -> bool {
    let _ = black_box(outcome);
    true
}

fn engines(c: &mut Criterion) {
    for (name, workload) in WORKLOADS {
        let scenario = scenarios::ALL.iter().find(|s| s.info().name == name).expect("it is in the list");
        let program = scenario.program("fixed", workload).expect("both exist");
        let mut group = c.benchmark_group(format!("{name} fixed {workload}"));
        group.throughput(Throughput::Elements(SCHEDULES));
        group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3)).sample_size(10);
        group.bench_function("fast", |b| b.iter(|| fast(&program)));
        group.bench_function("kernel on shuttle", |b| b.iter(|| on_shuttle(&program)));
        group.bench_function("OS threads", |b| b.iter(|| on_threads(&program)));
        group.bench_function("loom", |b| b.iter(|| on_loom(&program)));
        group.finish();
    }
}

fn fast(program: &Program) {
    let config = RunConfig::default();
    FastEngine.explore_with(program, config, FastPolicy::Random, 7, SCHEDULES, enough);
}

fn on_shuttle(program: &Program) {
    let config = RunConfig::default();
    ShuttleEngine.explore_with(program, config, ShuttlePolicy::Random, 7, SCHEDULES as usize, enough);
}

fn on_threads(program: &Program) {
    let strategy = Sampling::new(Random::new(7), SCHEDULES, enough);
    ThreadEngine.explore(program, RunConfig::default(), Rc::new(RefCell::new(strategy)));
}

/// Loom goes through schedules in its own order, with the cost of its reduction.
fn on_loom(program: &Program) {
    let explored = LoomEngine.explore(program, RunConfig::default(), Some(SCHEDULES), enough);
    explored.expect("they have no more tasks than loom has threads");
}

criterion_group!(benches, engines);
criterion_main!(benches);
