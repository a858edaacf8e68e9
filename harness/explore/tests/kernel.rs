//! The kernel as programs see it, over all their schedules.

use bohr_explore::search::{outcomes, search};
use bohr_explore::strategy::Bounds;
use bohr_kernel::{
    Access, Blocked, Obj, Outcome, Program, RunConfig, Var, at_rest, choose, join, now, observe, sleep_until,
    spawn, when_blocked,
};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

fn check(program: impl Fn() + Send + Sync + 'static, expected: &[&str]) {
    let found = outcomes(program);
    let found: Vec<_> = found.iter().map(String::as_str).collect();
    assert_eq!(found, expected);
}

#[derive(Copy, Clone)]
struct Lock(Obj<bool>);

impl Lock {
    fn new() -> Self {
        Lock(Obj::create("lock", "l", false))
    }
    fn lock(self) {
        self.0.op("lock", Access::Write).when(|held, _| !held).run(|held, _| *held = true);
    }
    fn unlock(self) {
        self.0.op("unlock", Access::Write).run(|held, _| *held = false);
    }
}

#[test]
fn an_update_can_be_lost_without_a_lock_and_not_with_one() {
    fn count(locked: bool) {
        let (lock, counter) = (Lock::new(), Obj::create("counter", "c", 0));
        let worker = move || {
            if locked {
                lock.lock();
            }
            let seen = counter.op("load", Access::Read).run(|c, _| *c);
            counter.op("store", Access::Write).run(move |c, _| *c = seen + 1);
            if locked {
                lock.unlock();
            }
        };
        spawn("a", worker);
        spawn("b", worker);
        at_rest(move || observe(counter.peek(|c| *c)));
    }
    check(|| count(false), &["1", "2"]);
    check(|| count(true), &["2"]);
}

#[test]
fn plain_accesses_race_even_when_they_never_overlap() {
    check(
        || {
            let x = Var::new("x", 0);
            spawn("a", move || x.set(1));
            spawn("b", move || x.set(2));
        },
        &["WARNING: DATA RACE on x"],
    );
}

#[test]
fn joining_orders_what_came_before() {
    check(
        || {
            let x = Var::new("x", 0);
            let a = spawn("a", move || x.set(1));
            join(a);
            observe(x.get());
        },
        &["1"],
    );
}

#[test]
fn a_task_that_waits_for_ever_is_a_deadlock_only_if_main_does_too() {
    check(
        || {
            let lock = Lock::new();
            lock.lock();
            lock.lock();
        },
        &["fatal error: all goroutines are asleep - deadlock!"],
    );
    fn left_behind(rule: Blocked) {
        when_blocked(rule);
        let lock = Lock::new();
        lock.lock();
        spawn("stuck", move || lock.lock());
        at_rest(|| observe("quiet"));
    }
    check(|| left_behind(Blocked::Go), &["quiet"]);
    check(|| left_behind(Blocked::GoNoLeaks), &["leak: still blocked after main ended: stuck [lock.lock]"]);
}

#[test]
fn time_moves_when_nothing_else_can() {
    check(
        || {
            let a = spawn("a", || {
                sleep_until(20);
                observe(now());
            });
            sleep_until(10);
            observe(now());
            join(a);
        },
        &["10 20"],
    );
}

#[test]
fn in_eager_mode_time_also_moves_by_choice() {
    fn woken(eager_time: bool) -> BTreeSet<u64> {
        let program = Program::new(|| {
            spawn("sleeper", || sleep_until(10));
            let x = Obj::create("x", "x", ());
            spawn("worker", move || {
                x.op("work", Access::Write).run(|(), _| {});
                observe(now());
            });
        });
        let times: Rc<RefCell<BTreeSet<u64>>> = Rc::default();
        let sink = {
            let times = times.clone();
            move |outcome: Outcome| {
                times.borrow_mut().extend(outcome.observed.iter().filter_map(|at| at.parse::<u64>().ok()));
                true
            }
        };
        let config = RunConfig { eager_time, ..RunConfig::default() };
        assert!(search(&program, config, Bounds::default(), sink).all);
        times.take()
    }
    assert_eq!(woken(false), BTreeSet::from([0]));
    assert_eq!(woken(true), BTreeSet::from([0, 10]));
}

#[test]
fn a_time_that_was_read_tells_states_apart() {
    fn read(cache: bool) -> BTreeSet<String> {
        let program = Program::new(|| {
            let [x, y] = ["x", "y"].map(|name| Obj::create("x", name, ()));
            let work = |object: Obj<()>| object.op("work", Access::Write).run(|(), _| {});
            spawn("reader", move || {
                work(x);
                let at = now();
                work(x);
                observe(format_args!("{at} {}", now()));
            });
            spawn("sleeper", move || {
                sleep_until(10);
                work(y);
            });
        });
        let times: Rc<RefCell<BTreeSet<String>>> = Rc::default();
        let sink = {
            let times = times.clone();
            move |outcome: Outcome| {
                times.borrow_mut().extend(outcome.observed);
                true
            }
        };
        let config = RunConfig { eager_time: true, ..RunConfig::default() };
        assert!(search(&program, config, Bounds { cache, ..Bounds::default() }, sink).all);
        times.take()
    }
    assert_eq!(read(false), BTreeSet::from(["0 0".into(), "0 10".into(), "10 10".into()]));
    assert_eq!(read(true), read(false));
}

#[test]
fn a_value_is_chosen_in_every_way() {
    check(|| observe(choose(3)), &["0", "1", "2"]);
}

#[test]
fn the_scenarios_own_panic_is_told_apart() {
    check(|| panic!("index 3 is not there"), &["error in the scenario's own code: index 3 is not there"]);
}

#[test]
fn a_run_without_end_is_found_out() {
    check(
        || {
            let x = Obj::create("x", "x", ());
            loop {
                x.op("spin", Access::Write).run(|(), _| {});
            }
        },
        &["step bound exceeded: the run did not end within 20000 steps"],
    );
}
