//! `sync.Map` against its documentation.

mod common;

use bohr_go::{Edges, SyncMap, go};
use bohr_kernel::{Access, Obj, Var, at_rest, join, observe};
use common::{RACE, check};

type Map = SyncMap<&'static str, i32>;

#[test]
fn one_goroutine_sees_a_map() {
    check(
        || {
            let m = Map::new("m");
            observe(format!("{:?}", m.load(&"k")));
            m.store("k", 1);
            observe(format!("{:?}", m.load(&"k")));
            observe(format!("{:?}", m.load_or_store("k", 2)));
            observe(format!("{:?}", m.load_or_store("l", 3)));
            observe(format!("{:?}", m.swap("l", 4)));
            observe(format!("{:?}", m.load_and_delete(&"l")));
            observe(format!("{:?}", m.load_and_delete(&"l")));
            observe(m.compare_and_swap("l", &0, 5));
            observe(m.compare_and_swap("k", &0, 5));
            observe(m.compare_and_swap("k", &1, 5));
            observe(m.compare_and_delete(&"k", &1));
            observe(m.compare_and_delete(&"k", &5));
            m.store("z", 9);
            m.delete(&"z");
            m.delete(&"z");
            observe(format!("{:?}", m.peek()));
            m.store("z", 9);
            m.clear();
            observe(format!("{:?}", m.swap("z", 1)));
        },
        &["None Some(1) (1, true) (3, false) Some(3) Some(4) None false false true false true [] None"],
    );
}

#[test]
fn only_one_of_two_stores_what_was_absent() {
    check(
        || {
            let (m, won) = (Map::new("m"), Obj::create("won", "won", 0));
            for (name, value) in [("a", 1), ("b", 2)] {
                go(name, move || {
                    if !m.load_or_store("k", value).1 {
                        won.op("won", Access::Add).run(|w, _| *w += 1);
                    }
                });
            }
            at_rest(move || observe(won.peek(|w| *w)));
        },
        &["1"],
    );
}

#[test]
fn range_visits_each_key_once_in_any_order() {
    check(
        || {
            let m = Map::new("m");
            m.store("a", 1);
            m.store("b", 2);
            m.range(|k, v| {
                observe(format!("{k}{v}"));
                true
            });
        },
        &["a1 b2", "b2 a1"],
    );
    check(
        || {
            let m = Map::new("m");
            m.store("a", 1);
            m.store("b", 2);
            m.range(|k, _| {
                observe(k);
                false
            });
        },
        &["a", "b"],
    );
    check(|| Map::new("m").range(|_, _| unreachable!()), &[""]);
}

#[test]
fn range_is_no_snapshot() {
    /// What a range sees while another goroutine changes the map, in the order of the keys.
    fn during(change: fn(Map)) {
        let m = Map::new("m");
        m.store("a", 1);
        m.store("b", 2);
        go("other", move || change(m));
        let mut seen = Vec::new();
        m.range(|k, v| {
            seen.push(format!("{k}{v}"));
            true
        });
        seen.sort();
        observe(seen.concat());
    }
    check(|| during(|m| m.delete(&"b")), &["a1b2", "a1"]);
    check(|| during(|m| m.store("b", 3)), &["a1b2", "a1b3"]);
    check(|| during(|m| m.store("c", 3)), &["a1b2", "a1b2c3"]);
    check(|| during(|m| m.clear()), &["a1b2", "a1", "b2", ""]);
    // The new key is seen without the old one: the change of one goroutine in its order is not.
    check(
        || {
            during(|m| {
                m.delete(&"a");
                m.store("c", 3);
            });
        },
        &["a1b2", "b2", "a1b2c3", "b2c3"],
    );
}

#[test]
fn what_is_stored_during_a_range_may_be_visited_or_not() {
    check(
        || {
            let m = Map::new("m");
            m.store("a", 1);
            m.range(|k, _| {
                observe(k);
                if k == "a" {
                    m.store("b", 2);
                }
                true
            });
        },
        &["a", "a b"],
    );
}

/// `a` writes `x` and then does `write`; main does `read`, and writes `x` if that observed it.
fn handed_over(edges: Edges, write: fn(Map), read: fn(Map) -> bool) {
    let (m, x) = (Map::with_edges("m", edges), Var::new("x", 0));
    m.store("gone", 0);
    let a = go("a", move || {
        x.set(1);
        write(m);
    });
    if read(m) {
        x.set(2);
    }
    join(a);
}

#[test]
fn a_write_is_ordered_before_a_read_that_observes_it() {
    let spec = |write: fn(Map), read: fn(Map) -> bool, expected: &[&str]| {
        check(move || handed_over(Edges::Spec, write, read), expected);
    };
    let writes: [fn(Map); 3] = [|m| m.store("k", 1), |m| _ = m.load_or_store("k", 1), |m| _ = m.swap("k", 1)];
    let reads: [fn(Map) -> bool; 6] = [
        |m| m.load(&"k").is_some(),
        |m| m.load_or_store("k", 2).1,
        |m| m.load_and_delete(&"k").is_some(),
        |m| m.swap("k", 2).is_some(),
        |m| m.compare_and_swap("k", &1, 2),
        |m| m.compare_and_delete(&"k", &1),
    ];
    for write in writes {
        for read in reads {
            spec(write, read, &[""]);
        }
    }
    spec(|m| m.delete(&"gone"), |m| m.load(&"gone").is_none(), &[""]);
    spec(|m| m.clear(), |m| m.load(&"gone").is_none(), &[""]);
    spec(|m| assert!(m.compare_and_delete(&"gone", &0)), |m| m.load(&"gone").is_none(), &[""]);
    spec(|m| assert!(m.compare_and_swap("gone", &0, 1)), |m| m.load(&"gone") == Some(1), &[""]);
    let ranges = |m: Map| {
        let mut seen = false;
        m.range(|k, _| {
            seen |= k == "k";
            true
        });
        seen
    };
    spec(|m| m.store("k", 1), ranges, &[""]);
}

#[test]
fn what_is_not_observed_is_not_ordered() {
    fn both(edges: Edges, first: fn(Map), second: fn(Map)) {
        let (m, x) = (Map::with_edges("m", edges), Var::new("x", 0));
        for (name, access) in [("a", first), ("b", second)] {
            go(name, move || {
                x.set(1);
                access(m);
                x.set(1);
            });
        }
    }
    check(|| both(Edges::Spec, |m| m.store("k", 1), |m| m.store("l", 1)), &[RACE]);
    check(|| both(Edges::Detector, |m| m.store("k", 1), |m| m.store("l", 1)), &[RACE]);

    // Stores of different keys: ordered for the detector, not by the documentation. Main sees by `l`
    // that `a` has stored `k` before.
    fn other_key(edges: Edges) {
        let (m, x) = (Map::with_edges("m", edges), Var::new("x", 0));
        let turn = Obj::create("turn", "turn", false);
        let a = go("a", move || {
            x.set(1);
            m.store("k", 1);
            turn.op("pass", Access::Write).run(|t, _| *t = true);
        });
        turn.op("wait", Access::Read).when(|t, _| *t).run(|_, _| {});
        m.store("l", 1);
        x.set(2);
        join(a);
    }
    check(|| other_key(Edges::Spec), &[RACE]);
    check(|| other_key(Edges::Detector), &[""]);

    // A write does not observe the write before it: a load is ordered after the last one alone.
    check(
        || {
            let (m, x) = (Map::new("m"), Var::new("x", 0));
            let turn = Obj::create("turn", "turn", false);
            let a = go("a", move || {
                x.set(1);
                m.store("k", 1);
                turn.op("pass", Access::Write).run(|t, _| *t = true);
            });
            let b = go("b", move || {
                turn.op("wait", Access::Read).when(|t, _| *t).run(|_, _| {});
                m.store("k", 2);
            });
            if m.load(&"k") == Some(2) {
                x.set(2);
            }
            join(a);
            join(b);
        },
        &["", RACE],
    );
}
