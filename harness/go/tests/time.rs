//! `time`, as of Go 1.23.

mod common;

use bohr_go::time::{FuncTimer, Ticker, Timer, after_func, sleep};
use bohr_go::{go, recover};
use bohr_kernel::{Access, Blocked, Obj, Var, at_rest, now, observe, sleep_until, when_blocked};
use common::{DEADLOCK, RACE, check};
use std::time::Duration;

const NS: Duration = Duration::from_nanos(1);

#[test]
fn sleeping_takes_time() {
    check(
        || {
            sleep(3 * NS);
            sleep(4 * NS);
            observe(now());
        },
        &["7"],
    );
}

#[test]
fn a_timer_fires_once() {
    check(
        || {
            let timer = Timer::new("timer", 5 * NS);
            observe(format!("{:?}", timer.try_recv()));
            observe(timer.recv());
            observe(format!("{:?}", timer.try_recv()));
            timer.recv();
        },
        &[DEADLOCK],
    );
    // It is received late, and gives the time at which it fired.
    check(
        || {
            let timer = Timer::new("timer", 5 * NS);
            sleep(9 * NS);
            observe(timer.recv());
            observe(now());
        },
        &["5 9"],
    );
    // One of two who wait has it.
    check(
        || {
            when_blocked(Blocked::Allowed);
            let (timer, got) = (Timer::new("timer", 5 * NS), Obj::create("got", "got", 0));
            for name in ["a", "b"] {
                go(name, move || {
                    timer.recv();
                    got.op("got", Access::Add).run(|g, _| *g += 1);
                });
            }
            at_rest(move || observe(got.peek(|g| *g)));
        },
        &["1"],
    );
}

#[test]
fn after_stop_or_reset_nothing_stale_is_received() {
    check(
        || {
            let timer = Timer::new("timer", 5 * NS);
            observe(timer.stop());
            observe(timer.stop());
            sleep(9 * NS);
            observe(format!("{:?}", timer.try_recv()));
            // It had fired, but nobody had received: still true.
            observe(timer.reset(NS));
            sleep(5 * NS);
            observe(timer.stop());
            observe(format!("{:?}", timer.try_recv()));
            observe(timer.reset(NS));
            sleep(5 * NS);
            observe(timer.reset(2 * NS));
            observe(timer.recv());
            observe(timer.stop());
        },
        &["true false None false true None false true 21 false"],
    );
    // A reset reaches those who wait.
    check(
        || {
            let timer = Timer::new("timer", 5 * NS);
            go("a", move || {
                sleep_until(2);
                timer.stop();
                sleep_until(7);
                timer.reset(NS);
            });
            observe(timer.recv());
        },
        &["8"],
    );
}

#[test]
fn a_function_runs_unless_it_is_stopped() {
    fn log() -> (FuncTimer, Obj<Vec<u64>>) {
        let runs = Obj::create("runs", "runs", Vec::new());
        let f = move || runs.op("run", Access::Write).run(|r, cx| r.push(cx.now()));
        at_rest(move || observe(format!("{:?}", runs.peek(Clone::clone))));
        (after_func("f", 5 * NS, f), runs)
    }
    check(|| _ = log(), &["[5]"]);
    check(
        || {
            let (timer, _) = log();
            observe(timer.stop());
            observe(timer.stop());
            observe(timer.reset(3 * NS));
            sleep(10 * NS);
            observe(timer.stop());
            observe(timer.reset(3 * NS));
            observe(timer.reset(4 * NS));
        },
        &["true false false false false true [3, 14]"],
    );
    // Stopping at the time at which it fires: false means that the function was started.
    check(
        || {
            let (timer, runs) = log();
            sleep(5 * NS);
            let stopped = timer.stop();
            at_rest(move || observe(stopped == runs.peek(Vec::is_empty)));
        },
        &["[5] true", "[] true"],
    );
    check(
        || {
            let (timer, _) = log();
            sleep(6 * NS);
            timer.reset(NS);
        },
        &["[5, 7]"],
    );
}

#[test]
fn a_ticker_drops_what_nobody_takes() {
    check(
        || {
            let ticker = Ticker::new("ticker", 10 * NS);
            observe(ticker.recv());
            observe(ticker.recv());
            sleep(25 * NS);
            // 30 is pending, 40 was dropped.
            observe(ticker.recv());
            observe(ticker.recv());
            ticker.reset(3 * NS);
            observe(ticker.recv());
            observe(ticker.recv());
            ticker.stop();
            observe(format!("{:?}", ticker.try_recv()));
        },
        &["10 20 30 50 53 56 None"],
    );
    // One that nobody looks at does not keep the program alive.
    check(
        || {
            let ticker = Ticker::new("ticker", NS);
            ticker.stop();
            ticker.recv();
        },
        &[DEADLOCK],
    );
    check(|| _ = Ticker::new("ticker", NS), &[""]);
}

#[test]
fn misuse_has_gos_words() {
    let text = |f: &dyn Fn()| recover(f).map_err(|p| p.message().to_owned()).unwrap_err();
    check(
        move || observe(text(&|| _ = Timer::uninitialized("t").stop())),
        &["time: Stop called on uninitialized Timer"],
    );
    check(
        move || observe(text(&|| _ = Timer::uninitialized("t").reset(NS))),
        &["time: Reset called on uninitialized Timer"],
    );
    check(
        move || observe(text(&|| Ticker::uninitialized("t").reset(NS))),
        &["time: Reset called on uninitialized Ticker"],
    );
    check(|| Ticker::uninitialized("t").stop(), &[""]);
    check(
        move || observe(text(&|| _ = Ticker::new("t", Duration::ZERO))),
        &["non-positive interval for NewTicker"],
    );
    check(
        move || observe(text(&|| Ticker::new("t", NS).reset(Duration::ZERO))),
        &["non-positive interval for Ticker.Reset"],
    );
    check(
        || {
            when_blocked(Blocked::GoNoLeaks);
            go("stuck", || {
                let timer = Timer::new("timer", NS);
                timer.stop();
                timer.recv();
            });
        },
        &["leak: still blocked after main ended: stuck [chan receive]"],
    );
}

#[test]
fn setting_a_timer_orders_before_what_it_starts() {
    check(
        || {
            let x = Var::new("x", 0);
            x.set(1);
            after_func("f", NS, move || x.set(2));
        },
        &[""],
    );
    check(
        || {
            let x = Var::new("x", 0);
            after_func("f", NS, move || x.set(2));
            x.set(1);
        },
        &[RACE],
    );
    check(
        || {
            let (x, timer) = (Var::new("x", 0), Timer::new("timer", 10 * NS));
            go("a", move || {
                x.set(1);
                timer.reset(5 * NS);
            });
            if timer.recv() == 5 {
                x.set(2);
            }
        },
        &[""],
    );
    // Sleeping orders nothing.
    check(
        || {
            let x = Var::new("x", 0);
            go("a", move || x.set(1));
            sleep(NS);
            x.set(2);
        },
        &[RACE],
    );
}
