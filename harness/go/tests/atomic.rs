//! `sync/atomic`.

mod common;

use bohr_go::atomic::{Atomic, Bool, Int32, Int64, Pointer, Value};
use bohr_go::{go, recover};
use bohr_kernel::{Var, at_rest, join, observe};
use common::{RACE, check};

#[test]
fn one_goroutine_sees_a_variable() {
    check(
        || {
            let n = Int32::new("n", 5);
            observe(n.add(-2));
            observe(n.and(1));
            observe(n.or(6));
            observe(n.swap(10));
            observe(n.compare_and_swap(&9, 1));
            observe(n.compare_and_swap(&10, i32::MAX));
            observe(n.add(1));
            n.store(4);
            observe(n.load());
            let p = Pointer::new("p", None);
            p.store(Some("there"));
            observe(p.load().unwrap_or("nil"));
            let b = Bool::new("b", false);
            observe(b.compare_and_swap(&false, true));
        },
        &["3 3 1 7 false true -2147483648 4 there true"],
    );
}

#[test]
fn adding_loses_nothing_and_loading_and_storing_does() {
    fn count(add: bool) {
        let n = Int64::new("n", 0);
        let worker = move || _ = if add { n.add(1) } else { n.swap(n.load() + 1) };
        go("a", worker);
        go("b", worker);
        at_rest(move || observe(n.peek()));
    }
    check(|| count(true), &["2"]);
    check(|| count(false), &["1", "2"]);
}

#[test]
fn all_goroutines_see_one_order() {
    // Store buffering: with sequential consistency not both read 0.
    check(
        || {
            let (x, y) = (Int32::new("x", 0), Int32::new("y", 0));
            let seen = Int32::new("seen", -1);
            let a = go("a", move || {
                x.store(1);
                seen.store(y.load());
            });
            y.store(1);
            let mine = x.load();
            join(a);
            observe(format!("{}{mine}", seen.peek()));
        },
        &["01", "10", "11"],
    );
}

#[test]
fn what_is_observed_is_ordered_before() {
    fn flag(write: fn(Int32), read: fn(Int32) -> bool) {
        let (f, x) = (Int32::new("flag", 0), Var::new("x", 0));
        go("a", move || {
            x.set(1);
            write(f);
        });
        if read(f) {
            x.set(2);
        }
    }
    let writes: [fn(Int32); 4] =
        [|f| f.store(1), |f| _ = f.add(1), |f| _ = f.swap(1), |f| assert!(f.compare_and_swap(&0, 1))];
    let reads: [fn(Int32) -> bool; 3] =
        [|f| f.load() == 1, |f| f.add(2) == 3, |f| !f.compare_and_swap(&0, 0)];
    for write in writes {
        check(move || flag(write, reads[0]), &[""]);
    }
    for read in reads {
        check(move || flag(writes[0], read), &[""]);
    }
    // A store observes nothing, so it is ordered after nothing.
    check(
        || {
            flag(
                |f| f.store(1),
                |f| {
                    f.store(2);
                    true
                },
            );
        },
        &[RACE],
    );
    // Nor does a load order before a later load.
    check(
        || {
            flag(
                |f| _ = f.load(),
                |f| {
                    f.load();
                    true
                },
            );
        },
        &[RACE],
    );
    check(
        || {
            let x = Var::new("x", 0);
            let f = Atomic::new("f", "");
            go("a", move || {
                f.store("set");
                x.set(1);
            });
            if f.load() == "set" {
                x.set(2);
            }
        },
        &["", RACE],
    );
}

#[test]
fn a_value_keeps_its_type() {
    check(
        || {
            let v = Value::new("v");
            observe(format!("{:?}", v.load::<i32>()));
            observe(v.compare_and_swap(Some(1), 2));
            observe(v.compare_and_swap(None, 2));
            observe(format!("{:?}", v.swap(3)));
            v.store(4);
            observe(format!("{:?}", v.load::<i32>()));
            let texts = [
                recover(|| v.store("text")).map_err(|p| p.message().to_owned()),
                recover(|| _ = v.swap("text")).map_err(|p| p.message().to_owned()),
                recover(|| _ = v.compare_and_swap(Some("a"), "b")).map_err(|p| p.message().to_owned()),
                recover(|| v.store_nil()).map_err(|p| p.message().to_owned()),
            ];
            for text in texts {
                observe(text.err().unwrap_or_default());
            }
        },
        &["None false true Some(2) Some(4) \
           sync/atomic: store of inconsistently typed value into Value \
           sync/atomic: swap of inconsistently typed value into Value \
           sync/atomic: compare and swap of inconsistently typed value into Value \
           sync/atomic: store of nil value into Value"],
    );
    check(
        || {
            let (v, x) = (Value::new("v"), Var::new("x", 0));
            go("a", move || {
                x.set(1);
                v.store(1);
            });
            if v.load::<i32>().is_some() {
                x.set(2);
            }
        },
        &[""],
    );
}
