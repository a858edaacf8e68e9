//! The engines that schedule do the same: what one finds, the other does again, choice by choice.

use bohr_explore::engine::{FastEngine, FastPolicy, ShuttleEngine, ShuttlePolicy};
use bohr_explore::search::rerun;
use bohr_explore::strategy::{Bounds, Dfs, Pct, Portfolio, Random, Replay, Sampling};
use bohr_kernel::{
    Access, Blocked, Engine, Kernel, ModelPanic, MultiOp, Obj, Outcome, Point, Program, RunConfig, Site,
    Strategy, Var, at_rest, choices_of, choose, join, now, observe, raise, sleep_until, spawn, violated,
    when_blocked,
};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::rc::Rc;

/// Small programs that between them use everything an engine takes part in.
fn programs() -> Vec<(&'static str, Program)> {
    vec![
        ("a lost update", Program::new(|| workers(2, false))),
        ("three tasks on a lock", Program::new(|| workers(3, true))),
        ("a deadlock", Program::new(opposite_orders)),
        ("a leak", Program::new(leak)),
        ("chosen values", Program::new(choices)),
        ("timers", Program::new(timers)),
        ("a data race", Program::new(race)),
        ("panics", Program::new(panics)),
        ("an oracle", Program::new(oracle)),
        ("a task that is killed", Program::new(killed)),
        ("tasks of tasks", Program::new(nested)),
        ("objects that differ from run to run", Program::new(other_objects)),
    ]
}

fn lock(lock: Obj<bool>) {
    lock.op("lock", Access::Write).when(|held, _| !held).run(|held, _| *held = true);
}

fn unlock(lock: Obj<bool>) {
    lock.op("unlock", Access::Write).run(|held, _| *held = false);
}

fn workers(tasks: usize, locked: bool) {
    let (held, counter) = (Obj::create("lock", "l", false), Obj::create("counter", "c", 0));
    let work = move || {
        if locked {
            lock(held);
        }
        let seen = counter.op("load", Access::Read).run(|c, _| *c);
        counter.op("store", Access::Write).run(move |c, _| *c = seen + 1);
        if locked {
            unlock(held);
        }
    };
    let children: Vec<_> = (0..tasks).map(|_| spawn("worker", work)).collect();
    children.into_iter().for_each(join);
    observe(counter.op("look", Access::Read).run(|c, _| *c));
}

fn opposite_orders() {
    let (a, b) = (Obj::create("lock", "a", false), Obj::create("lock", "b", false));
    let both = |first, second| {
        move || {
            lock(first);
            lock(second);
            unlock(second);
            unlock(first);
        }
    };
    let children = [spawn("ab", both(a, b)), spawn("ba", both(b, a))];
    children.into_iter().for_each(join);
}

fn leak() {
    when_blocked(Blocked::GoNoLeaks);
    let (never, go) = (Obj::create("lock", "never", true), Obj::create("flag", "go", false));
    let held = vec![0u8; 100];
    spawn("stuck", move || {
        if go.op("look", Access::Read).run(|go, _| *go) {
            lock(never);
        }
        drop(held);
    });
    go.op("set", Access::Write).run(|go, _| *go = true);
}

fn choices() {
    let bag = Obj::create("bag", "b", vec![1, 2, 3]);
    for name in ["a", "b"] {
        spawn(name, move || {
            let take = MultiOp::new("take").touch(bag, Access::Write).when(bag, |bag, _| !bag.is_empty(), 0);
            let taken = take.run_choosing(
                |objects, _| objects.get(bag).len() as u32,
                |objects, _, chosen| objects.get_mut(bag).remove(chosen as usize),
            );
            observe(format!("{name}{taken}{}", choose(2)));
        });
    }
}

fn timers() {
    let woken = Obj::create("counter", "woken", 0);
    for at in [10, 20, 20] {
        spawn("sleeper", move || {
            sleep_until(at);
            let before = woken.op("wake", Access::Write).run(|n, _| std::mem::replace(n, *n + 1));
            observe(format!("{before}@{}", now()));
        });
    }
    sleep_until(15);
    observe(woken.op("look", Access::Read).run(|n, _| *n));
}

fn race() {
    let x = Var::new("x", 0);
    let (held, seen) = (Obj::create("lock", "l", false), Obj::create("flag", "seen", false));
    spawn("a", move || {
        lock(held);
        x.set(1);
        unlock(held);
    });
    spawn("b", move || {
        if seen.op("look", Access::Read).run(|seen, _| *seen) {
            observe(x.get());
        }
    });
    seen.op("set", Access::Write).run(|seen, _| *seen = true);
}

fn panics() {
    let order = Obj::create("counter", "order", 0);
    let next = move || order.op("next", Access::Write).run(|n, _| std::mem::replace(n, *n + 1));
    spawn("scenario", move || assert!(next() < 2, "the scenario's own"));
    spawn("model", move || {
        if next() == 0 {
            raise(ModelPanic { text: "modelled".into(), site: Site::of(Location::caller()) });
        }
    });
    spawn("fatal", move || {
        order.op("fatal", Access::Write).run(|n, cx| {
            if *n == 0 {
                cx.fatal("first");
            }
        });
    });
}

fn oracle() {
    let order = Obj::create("counter", "order", 0);
    for name in ["a", "b"] {
        spawn(name, move || {
            if order.op("next", Access::Write).run(|n, _| std::mem::replace(n, *n + 1)) == 1 && name == "a" {
                violated("order", "b came before a");
            }
        });
    }
    at_rest(move || {
        order.op("next", Access::Write).run(|n, _| *n += 1);
        observe(order.peek(|n| *n));
    });
}

fn killed() {
    let line = Obj::create("line", "l", 0);
    let victim = spawn("victim", move || {
        for _ in 0..3 {
            line.op("write", Access::Write).run(|n, _| *n += 1);
        }
    });
    MultiOp::new("kill").touch(line, Access::Write).run(|objects, cx| cx.kill(objects, victim));
    at_rest(move || observe(line.peek(|n| *n)));
}

fn nested() {
    let log = Obj::create("log", "l", Vec::new());
    let say = move |what| log.op("say", Access::Write).run(move |log, _| log.push(what));
    let outer = spawn("outer", move || {
        let inner = spawn("inner", move || say("inner"));
        say("outer");
        join(inner);
    });
    say("main");
    join(outer);
    at_rest(move || observe(log.peek(|log| log.join("-"))));
}

fn other_objects() {
    let many = choose(3);
    let texts: Vec<_> = (0..many).map(|i| Obj::create("text", "t", i.to_string())).collect();
    let number = Obj::create("number", "n", 0u64);
    let held = Obj::create("lock", "l", false);
    number.op("set", Access::Write).run(|n, _| *n = 7);
    spawn("other", move || {
        lock(held);
        number.op("add", Access::Write).run(|n, _| *n += 1);
        unlock(held);
    });
    lock(held);
    let seen = number.op("look", Access::Read).run(|n, _| *n);
    let texts = texts.into_iter().map(|text| text.op("look", Access::Read).run(|text, _| text.clone()));
    observe(format!("{seen} {}", texts.collect::<String>()));
    unlock(held);
}

/// All that a strategy sees.
#[derive(Default, PartialEq, Debug)]
struct Seen {
    points: Vec<String>,
    outcomes: Vec<String>,
}

/// Writes down what another strategy sees.
struct Watched<S> {
    inner: S,
    seen: Rc<RefCell<Seen>>,
}

impl<S: Strategy> Strategy for Watched<S> {
    fn begin(&mut self) -> bool {
        self.inner.begin()
    }

    fn choose(&mut self, kernel: &Kernel, point: &Point<'_>) -> Option<u32> {
        let choice = self.inner.choose(kernel, point);
        let about_to = match point {
            Point::Task { enabled, .. } => enabled.iter().map(|t| kernel.published(*t)).collect(),
            Point::Value { .. } => Vec::new(),
        };
        let labels: Vec<_> = about_to.iter().map(|op| op.expect("it is enabled").label).collect();
        let place = (kernel.current(), kernel.last(), kernel.steps(), kernel.preemptions());
        self.seen.borrow_mut().points.push(format!("{point:?} {labels:?} {place:?} {choice:?}"));
        choice
    }

    fn end(&mut self, outcome: Outcome) {
        self.seen.borrow_mut().outcomes.push(format!("{outcome:?}"));
        self.inner.end(outcome);
    }
}

fn watch<S: Strategy>(engine: &dyn Engine, program: &Program, config: RunConfig, inner: S) -> Seen {
    let seen = Rc::new(RefCell::new(Seen::default()));
    let watched = Watched { inner, seen: seen.clone() };
    engine.explore(program, config, Rc::new(RefCell::new(watched)));
    seen.take()
}

/// Every strategy of one kind sees the same on both engines.
fn same<S: Strategy>(config: RunConfig, strategy: impl Fn() -> S) {
    for (name, program) in programs() {
        let fast = watch(&FastEngine, &program, config, strategy());
        let shuttle = watch(&ShuttleEngine, &program, config, strategy());
        assert!(!fast.outcomes.is_empty());
        let differs = fast.points.iter().zip(&shuttle.points).find(|(a, b)| a != b);
        assert_eq!(differs, None, "{name}");
        let differs = fast.outcomes.iter().zip(&shuttle.outcomes).find(|(a, b)| a != b);
        assert_eq!(differs, None, "{name}");
        assert_eq!(fast, shuttle, "{name}");
    }
}

fn all(_: Outcome) -> bool {
    true
}

#[test]
fn both_search_in_the_same_order() {
    for (identify, cache) in [(false, false), (true, true)] {
        let bounds = Bounds { runs: Some(400), cache, ..Bounds::default() };
        same(RunConfig { identify, ..RunConfig::default() }, || Dfs::new(bounds, all));
    }
    let bounded = Bounds { preemptions: Some(1), cache: true, ..Bounds::default() };
    let config = RunConfig { identify: true, eager_time: true, ..RunConfig::default() };
    same(config, || Dfs::new(bounded, all));
}

#[test]
fn both_do_the_same_whatever_the_strategy_and_the_configuration() {
    let plain = RunConfig::default();
    let max_steps = RunConfig { max_steps: 5, ..plain };
    let configs = [
        plain,
        max_steps,
        RunConfig { record: true, keep_going: true, ..plain },
        RunConfig { eager_time: true, identify: true, ..plain },
    ];
    for (seed, config) in (1..).zip(configs) {
        same(config, || Sampling::new(Random::new(seed), 200, all));
        same(config, || Sampling::new(Pct::new(seed, 3), 200, all));
        same(config, || Sampling::new(Portfolio::new(seed), 500, all));
    }
}

#[test]
fn a_run_is_the_same_whether_or_not_it_is_recorded() {
    // A task that is alone does not even publish what it does, unless the run is recorded.
    let unrecorded = |outcome: &Outcome| format!("{:?}", Outcome { trace: None, ..outcome.clone() });
    let recorded = RunConfig { record: true, ..RunConfig::default() };
    for (name, program) in programs() {
        let both = [RunConfig::default(), recorded].map(|config| {
            let fast =
                sampled(|sink| FastEngine.explore_with(&program, config, FastPolicy::Random, 1, 300, sink));
            // URW counts the operations of a task, also where it is alone.
            let urw = sampled(|sink| {
                ShuttleEngine.explore_with(&program, config, ShuttlePolicy::Urw, 1, 300, sink)
            });
            let all = sampled(|sink| {
                FastEngine.explore_with(&program, config, FastPolicy::Portfolio, 1, 300, sink)
            });
            [fast, urw, all].concat().iter().map(unrecorded).collect::<Vec<_>>()
        });
        let differs = both[0].iter().zip(&both[1]).find(|(a, b)| a != b);
        assert_eq!(differs, None, "{name}");
        assert_eq!(both.each_ref().map(Vec::len), [900, 900], "{name}");
    }
}

#[test]
fn a_task_that_is_alone_comes_to_the_bound_too() {
    let program = Program::new(|| {
        let counter = Obj::create("counter", "c", 0);
        (0..6).for_each(|_| counter.op("count", Access::Write).run(|n, _| *n += 1));
    });
    let headlines = |max_steps| {
        let config = RunConfig { max_steps, ..RunConfig::default() };
        let runs = sampled(|sink| FastEngine.explore_with(&program, config, FastPolicy::Random, 1, 1, sink));
        runs[0].findings.iter().map(|f| f.headline()).collect::<Vec<_>>()
    };
    assert_eq!(headlines(6), [""; 0]);
    assert_eq!(headlines(5), ["step bound exceeded: the run did not end within 5 steps"]);
}

#[test]
fn an_object_does_not_outlive_its_run() {
    let first = std::sync::OnceLock::new();
    let program = Program::new(move || {
        let object: &Obj<u8> = first.get_or_init(|| Obj::create("counter", "c", 0));
        object.op("count", Access::Write).run(|n, _| *n += 1);
    });
    let runs = sampled(|sink| {
        FastEngine.explore_with(&program, RunConfig::default(), FastPolicy::Random, 1, 2, sink);
    });
    assert_eq!(runs[0].findings, []);
    assert!(runs[1].findings[0].text.contains("belongs to another run"), "{:?}", runs[1].findings);
}

fn sampled(explore: impl FnOnce(Box<dyn FnMut(Outcome) -> bool>)) -> Vec<Outcome> {
    let outcomes: Rc<RefCell<Vec<Outcome>>> = Rc::default();
    let sink = outcomes.clone();
    explore(Box::new(move |outcome| {
        sink.borrow_mut().push(outcome);
        true
    }));
    outcomes.take()
}

fn headline(outcome: &Outcome) -> String {
    let found: Vec<_> = outcome.findings.iter().map(|f| f.headline()).collect();
    format!("{found:?} {:?}", outcome.observed)
}

/// What the other engine shows when it makes these choices.
fn replayed(engine: &dyn Engine, program: &Program, outcome: &Outcome) -> Outcome {
    let choices = choices_of(&outcome.decisions);
    let replay = Rc::new(RefCell::new(Replay::new(choices)));
    engine.explore(program, RunConfig::default(), replay.clone());
    Rc::into_inner(replay).unwrap().into_inner().into_outcome().unwrap()
}

#[test]
fn what_is_drawn_on_one_replays_on_the_other_and_both_reach_all() {
    let config = RunConfig::default();
    // The rarest outcome of these programs has a chance above 1 in 100 a run: with 31 outcomes at most, one
    // is missed once in 10^7 seeds.
    for (name, program) in programs() {
        let random =
            sampled(|sink| FastEngine.explore_with(&program, config, FastPolicy::Random, 1, 2_000, sink));
        let depth = FastPolicy::Pct { depth: 3 };
        let pct = sampled(|sink| FastEngine.explore_with(&program, config, depth, 1, 200, sink));
        let others = [FastPolicy::Urw, FastPolicy::Pos, FastPolicy::Surw]
            .map(|policy| sampled(|sink| FastEngine.explore_with(&program, config, policy, 1, 2_000, sink)));
        let shuttle = sampled(|sink| {
            ShuttleEngine.explore_with(&program, config, ShuttlePolicy::Random, 1, 2_000, sink)
        });
        let urw = ShuttlePolicy::Urw;
        let urw = sampled(|sink| ShuttleEngine.explore_with(&program, config, urw, 1, 200, sink));
        assert_eq!([random.len(), pct.len(), shuttle.len(), urw.len()], [2_000, 200, 2_000, 200]);
        let reached = |outcomes: &[Outcome]| outcomes.iter().map(headline).collect::<BTreeSet<_>>();
        let searched = watch_all(&program);
        assert_eq!(reached(&random), searched, "{name}");
        assert_eq!(reached(&shuttle), searched, "{name}");
        assert!(reached(&pct).is_subset(&searched), "{name}");
        for outcomes in &others {
            assert_eq!(reached(outcomes), searched, "{name}");
        }
        let (fast, other) = (&FastEngine as &dyn Engine, &ShuttleEngine as &dyn Engine);
        for (engine, outcomes) in [(other, &random), (other, &pct), (fast, &shuttle), (fast, &urw)] {
            for outcome in outcomes.iter().take(100) {
                let again = replayed(engine, &program, outcome);
                assert_eq!(format!("{again:?}"), format!("{outcome:?}"), "{name}");
            }
        }
    }
}

/// The outcomes over all schedules, by the engine that is not under test.
fn watch_all(program: &Program) -> BTreeSet<String> {
    let reached = Rc::new(RefCell::new(BTreeSet::new()));
    let sink = reached.clone();
    let bounds = Bounds { cache: true, ..Bounds::default() };
    let dfs = Dfs::new(bounds, move |outcome: Outcome| {
        sink.borrow_mut().insert(headline(&outcome));
        true
    });
    let config = RunConfig { identify: true, ..RunConfig::default() };
    ShuttleEngine.explore(program, config, Rc::new(RefCell::new(dfs)));
    reached.take()
}

#[test]
fn a_pct_run_has_as_many_preemptions_as_its_depth_allows() {
    let program = Program::new(|| {
        for _ in 0..3 {
            let own = Obj::create("counter", "own", 0);
            spawn("worker", move || (0..4).for_each(|_| own.op("count", Access::Write).run(|n, _| *n += 1)));
        }
    });
    let most = |policy| {
        let runs =
            sampled(|sink| FastEngine.explore_with(&program, RunConfig::default(), policy, 1, 1_000, sink));
        runs.iter().map(|outcome| outcome.preemptions).max()
    };
    // Nobody waits here, so a task that could go on is left only because its priority has fallen.
    assert_eq!(most(FastPolicy::Pct { depth: 1 }), Some(0));
    assert_eq!(most(FastPolicy::Pct { depth: 3 }), Some(2));
    assert!(most(FastPolicy::Random) > Some(2));
}

/// A strategy whose own code is wrong.
struct Wrong;

impl Strategy for Wrong {
    fn begin(&mut self) -> bool {
        true
    }
    fn choose(&mut self, kernel: &Kernel, _: &Point<'_>) -> Option<u32> {
        if kernel.steps() < 2 { Some(0) } else { panic!("the strategy's own") }
    }
    fn end(&mut self, _: Outcome) {
        panic!("the run was no run");
    }
}

#[test]
fn a_panic_of_the_strategy_is_no_finding() {
    let held = std::sync::Arc::new(());
    let inside = std::sync::Arc::clone(&held);
    let program = Program::new(move || {
        let held = std::sync::Arc::clone(&inside);
        workers(3, true);
        drop(held);
    });
    let explore = || FastEngine.explore(&program, RunConfig::default(), Rc::new(RefCell::new(Wrong)));
    let payload = catch_unwind(AssertUnwindSafe(explore)).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"the strategy's own"));
    assert_eq!(std::sync::Arc::strong_count(&held), 2, "its tasks have let go of what they held");
    assert_eq!(rerun(&program, RunConfig::default(), Vec::new()).findings, [], "the engine goes on");
}

#[test]
fn a_sink_may_run_programs_itself() {
    let program = Program::new(|| workers(2, false));
    let again = program.clone();
    let both = sampled(|mut sink| {
        let config = RunConfig::default();
        FastEngine.explore_with(&program, config, FastPolicy::Random, 1, 50, move |outcome| {
            let choices = choices_of(&outcome.decisions);
            sink(rerun(&again, config, choices));
            sink(outcome)
        });
    });
    assert_eq!(both.len(), 100);
    for pair in both.chunks(2) {
        assert_eq!(pair[0].decisions, pair[1].decisions);
        assert_eq!(headline(&pair[0]), headline(&pair[1]));
    }
}
