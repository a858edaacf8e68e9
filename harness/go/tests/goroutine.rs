//! Goroutines, and the same primitives on OS threads.

mod common;

use bohr_explore::engine::ThreadEngine;
use bohr_go::time::sleep;
use bohr_go::{Chan, Mutex, Select, SyncMap, WaitGroup, go};
use bohr_kernel::{Engine, Kernel, Outcome, Point, Program, RunConfig, Strategy, Var, join, observe};
use common::{RACE, check};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

#[test]
fn a_start_is_ordered_and_an_end_is_not() {
    check(
        || {
            let x = Var::new("x", 0);
            x.set(1);
            let a = go("a", move || {
                go("b", move || x.set(2));
            });
            join(a);
        },
        &[""],
    );
    check(
        || {
            let x = Var::new("x", 0);
            go("a", move || x.set(1));
            sleep(Duration::from_nanos(1));
            x.set(2);
        },
        &[RACE],
    );
    check(
        || {
            let x = Var::new("x", 0);
            go("a", move || x.set(1));
            x.set(2);
        },
        &[RACE],
    );
}

/// So many runs, in which nothing is decided but when they end.
struct Runs {
    left: u32,
    seen: BTreeSet<String>,
}

impl Strategy for Runs {
    fn begin(&mut self) -> bool {
        let more = self.left > 0;
        self.left = self.left.saturating_sub(1);
        more
    }

    fn choose(&mut self, _: &Kernel, _: &Point<'_>) -> Option<u32> {
        Some(0)
    }

    fn end(&mut self, outcome: Outcome) {
        let finding = outcome.findings.first().map(bohr_kernel::Finding::headline);
        self.seen.insert(finding.unwrap_or_else(|| outcome.observed.join(" ")));
    }
}

#[test]
fn os_threads_show_nothing_that_the_model_does_not_allow() {
    let program = || {
        let (mu, wg, ch) = (Mutex::new("mu"), WaitGroup::new("wg"), Chan::new("ch", 0));
        let (m, x) = (SyncMap::new("m"), Var::new("x", 0));
        for name in ["a", "b"] {
            wg.go(name, move || {
                mu.lock();
                x.set(x.get() + 1);
                mu.unlock();
                m.store(name, 1);
                ch.send(name);
            });
        }
        let other = Chan::<&str>::new("other", 0);
        let mut seen = 0;
        while seen < 2 {
            seen += Select::new().recv(&ch, |_| 1).recv(&other, |_| 5).run();
        }
        wg.wait();
        m.range(|_, value| {
            seen += value;
            true
        });
        observe(seen + x.get());
    };
    check(program, &["6"]);
    let runs = Rc::new(RefCell::new(Runs { left: 50, seen: BTreeSet::new() }));
    ThreadEngine.explore(&Program::new(program), RunConfig::default(), runs.clone());
    assert_eq!(runs.borrow().seen, BTreeSet::from(["6".to_owned()]));
}
