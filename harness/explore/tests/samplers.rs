//! Drivers that see operations: what they promise, and how fast they find what is hard to find.

use bohr_explore::campaign::{Budget, Shown, campaign};
use bohr_explore::driver::{Driver, RANDOMIZED};
use bohr_explore::engine::{FastEngine, FastPolicy, ShuttleEngine, ShuttlePolicy};
use bohr_explore::kernels::{reorder, two_stage};
use bohr_kernel::{Access, Obj, Outcome, Program, RunConfig, observe, spawn};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// How often each line was observed, and how many runs there were.
type Counts = BTreeMap<String, u64>;

fn counts(explore: impl FnOnce(Box<dyn FnMut(Outcome) -> bool>)) -> Counts {
    let counts: Rc<RefCell<Counts>> = Rc::default();
    let sink = counts.clone();
    explore(Box::new(move |outcome| {
        *sink.borrow_mut().entry(outcome.observed.join("")).or_default() += 1;
        true
    }));
    counts.take()
}

fn sampled(program: &Program, policy: FastPolicy, schedules: u64) -> Counts {
    counts(|sink| FastEngine.explore_with(program, RunConfig::default(), policy, 1, schedules, sink))
}

/// An operation on `x`, after which the task says `name`.
fn step(x: Obj<()>, name: &'static str) {
    x.op("step", Access::Write).run(|_, _| ());
    observe(name);
}

/// Three tasks do operations on one object. One of them is spawned by another, between its operations.
fn nested() -> Program {
    Program::new(|| {
        let x = Obj::create("log", "x", ());
        spawn("a", move || (0..4).for_each(|_| step(x, "a")));
        spawn("b", move || {
            step(x, "b");
            spawn("c", move || (0..2).for_each(|_| step(x, "c")));
            step(x, "b");
        });
    })
}

/// The orders that `nested` has: of 4 operations of a with 4 others, which begin with one of b and go on with
/// another one before, between or after two of c.
const NESTED_ORDERS: usize = 70 * 3;

/// Half of the sum of the distances from equal shares: 0 if all are equally likely, near 1 if one is certain.
fn unevenness(counts: &Counts, orders: usize) -> f64 {
    let all: u64 = counts.values().sum();
    let equal = 1.0 / orders as f64;
    let seen: f64 = counts.values().map(|n| (*n as f64 / all as f64 - equal).abs()).sum();
    (seen + (orders - counts.len()) as f64 * equal) / 2.0
}

#[test]
fn a_walk_by_what_is_left_makes_all_orders_equally_likely() {
    // Of 42,000 samples each of 210 equally likely orders shows 200 times with a deviation of 14, so the
    // unevenness is 0.028 on average, with a deviation of 0.0015: it is above 0.04 once in far more than 10^8 seeds.
    let urw = unevenness(&sampled(&nested(), FastPolicy::Urw, 42_000), NESTED_ORDERS);
    assert!(urw < 0.04, "{urw}");
    // All operations are on one object, so they are all interesting.
    let surw = unevenness(&sampled(&nested(), FastPolicy::Surw, 42_000), NESTED_ORDERS);
    assert!(surw < 0.04, "{surw}");
    let random = unevenness(&sampled(&nested(), FastPolicy::Random, 42_000), NESTED_ORDERS);
    assert!(random > 0.2, "{random}");
}

#[test]
fn what_is_meant_for_a_task_may_be_for_its_child() {
    // A turn is drawn for b while c is not born.
    let program = Program::new(|| {
        let x = Obj::create("log", "x", ());
        spawn("a", move || (0..3).for_each(|_| step(x, "a")));
        spawn("b", move || {
            Obj::create("counter", "own", 0).op("count", Access::Write).run(|n, _| *n += 1);
            spawn("c", move || (0..2).for_each(|_| step(x, "c")));
            step(x, "b");
        });
    });
    // Of 24,000 samples each of 60 orders shows 400 times with a deviation of 20, so the unevenness is 0.02 on
    // average, with a deviation of 0.002.
    let surw = unevenness(&sampled(&program, FastPolicy::Surw, 24_000), 60);
    assert!(surw < 0.035, "{surw}");
}

#[test]
fn the_walk_agrees_with_shuttles() {
    // Without waiting: shuttle also counts the steps in which a thread ends, which fall into no place here.
    let program = Program::new(|| {
        let x = Obj::create("log", "x", ());
        for (name, steps) in [("a", 3), ("b", 1)] {
            spawn(name, move || (0..steps).for_each(|_| step(x, name)));
        }
    });
    let fast = sampled(&program, FastPolicy::Urw, 20_000);
    let shuttle = counts(|sink| {
        ShuttleEngine.explore_with(&program, RunConfig::default(), ShuttlePolicy::Urw, 1, 20_000, sink);
    });
    // Four orders, each in a quarter of the runs with a deviation of 61: seven of them are 430.
    for counts in [&fast, &shuttle] {
        assert_eq!(counts.len(), 4, "{counts:?}");
    }
    for (order, n) in &fast {
        assert!(n.abs_diff(5_000) < 430, "{order}: {n}");
        assert!(n.abs_diff(shuttle[order]) < 860, "{order}: {n} and {}", shuttle[order]);
    }
}

#[test]
fn only_the_order_of_interesting_operations_is_drawn_evenly() {
    // The second task does a hundred operations that nobody else sees before the one that counts.
    let program = Program::new(|| {
        let x = Obj::create("log", "x", ());
        spawn("a", move || (0..3).for_each(|_| step(x, "a")));
        spawn("b", move || {
            let own = Obj::create("counter", "own", 0);
            (0..100).for_each(|_| own.op("count", Access::Write).run(|n, _| *n += 1));
            step(x, "b");
        });
    });
    let first = |policy| sampled(&program, policy, 4_000).get("baaa").copied().unwrap_or(0);
    // A quarter, with a deviation of 27. By chance alone, a hundred operations before the first of the other
    // task, a run in 2^100.
    assert!(first(FastPolicy::Surw).abs_diff(1_000) < 200);
    assert_eq!(first(FastPolicy::Random), 0);
}

#[test]
fn a_priority_lasts_until_a_conflict() {
    // A reader's one operation against ten writes of another variable and then one of its own: a random walk
    // comes to that write before the read in 1 of 2^11 runs. By priorities that last it does so if the read has
    // a lower one than eleven others, which is 1 in 12.
    let program = Program::new(|| {
        let (x, y) = (Obj::create("cell", "x", ()), Obj::create("cell", "y", ()));
        spawn("read", move || {
            x.op("read", Access::Read).run(|_, _| ());
            observe("r");
        });
        spawn("write", move || {
            (0..10).for_each(|_| y.op("write", Access::Write).run(|_, _| ()));
            step(x, "w");
        });
    });
    let last = |policy| sampled(&program, policy, 12_000).get("wr").copied().unwrap_or(0);
    // Mean 1,000 with a deviation of 30.
    assert!(last(FastPolicy::Pos).abs_diff(1_000) < 210, "{}", last(FastPolicy::Pos));
    // Mean 6 with a deviation of 2.4.
    assert!(last(FastPolicy::Random) < 30);

    // Writes that all conflict are drawn anew each time: one of a task against 11 of another comes last
    // as seldom as in a random walk.
    let program = Program::new(|| {
        let x = Obj::create("cell", "x", ());
        spawn("one", move || step(x, "1"));
        spawn("more", move || (0..11).for_each(|_| step(x, "w")));
    });
    let last = sampled(&program, FastPolicy::Pos, 12_000).get("wwwwwwwwwww1").copied().unwrap_or(0);
    assert!(last < 30, "{last}");
}

#[test]
fn members_of_a_portfolio_do_what_they_do_alone() {
    let program = two_stage(3, 2);
    let run =
        |driver, schedules| campaign(driver, &program, RunConfig::default(), 7, &Budget::all(schedules));
    let all = run(Driver::Portfolio, 5 * 200 + 2);
    assert_eq!(all.shares.len(), RANDOMIZED.len());
    let sums = |of: fn(&Shown) -> u64, shares: u64| assert_eq!(of(&all), shares);
    sums(|s| s.schedules, all.shares.iter().map(|s| s.schedules).sum());
    sums(|s| s.failing, all.shares.iter().map(|s| s.failing).sum());
    for share in &all.shares {
        assert!(matches!(share.schedules, 200 | 201), "{share:?}");
        let alone = run(share.driver, share.schedules);
        assert_eq!((alone.failing, alone.first), (share.failing, share.firsts.first().copied()), "{share:?}");
        assert!(alone.failing > 0 && alone.shares.is_empty());
    }
    let again = run(Driver::Portfolio, 5 * 200 + 2);
    assert_eq!(format!("{all:?}"), format!("{again:?}"));
}

/// Mean schedules to the first failure over 20 seeds; nothing if one finds none in 10,000.
fn mean(driver: Driver, program: &Program) -> Option<f64> {
    let first =
        |seed| campaign(driver, program, RunConfig::default(), seed, &Budget::first_failure(10_000)).first;
    let firsts: Option<Vec<u64>> = (1..=20).map(first).collect();
    firsts.map(|firsts| firsts.iter().sum::<u64>() as f64 / firsts.len() as f64)
}

fn is_found_within(program: &Program, drivers: &[Driver], most: f64) {
    let means: Vec<(Driver, Option<f64>)> = drivers.iter().map(|d| (*d, mean(*d, program))).collect();
    let best = means.iter().filter_map(|(_, mean)| *mean).fold(f64::INFINITY, f64::min);
    assert!(best <= most, "{means:?}");
    let portfolio = mean(Driver::Portfolio, program).expect("a member of it finds it");
    assert!(portfolio <= 6.0 * best, "{portfolio} against {means:?}");
}

// The seeds are fixed, so nothing here depends on chance. All drivers and sizes: `--example first_failure`.

#[test]
fn reordered_writes_are_found_among_a_hundred_tasks() {
    is_found_within(&reorder(9, 1), &[Driver::Urw, Driver::Pos], 20.0);
    is_found_within(&reorder(40, 10), &[Driver::Surw, Driver::Pos], 15.0);
    is_found_within(&reorder(99, 1), &[Driver::Urw], 200.0);
}

#[test]
fn two_stages_are_found_apart_among_fifty_tasks() {
    is_found_within(&two_stage(40, 10), &[Driver::Pos, Driver::Surw], 25.0);
}

#[test]
fn two_stages_are_found_apart_among_a_hundred_tasks() {
    is_found_within(&two_stage(99, 1), &[Driver::Surw], 450.0);
}
