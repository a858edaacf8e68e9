//! The built-in map, over all schedules of small programs, in both runtimes.
//!
//! A run that dies is told by its message; one that lives by what its tasks observed when it was quiet.

use bohr_explore::search::outcomes;
use bohr_go::map::{Granularity, Layout, Map, Runtime, Words};
use bohr_go::{Mutex, map};
use bohr_kernel::{at_rest, observe, spawn};

type Strings = Map<&'static str, &'static str>;
type Act = fn(&Strings);

const RACE: &str = "WARNING: DATA RACE on m (map header)";
const READ_AND_WRITE: &str = "fatal error: concurrent map read and map write";
const WRITES: &str = "fatal error: concurrent map writes";
const NIL: &str = "panic: runtime error: invalid memory address or nil pointer dereference";

const BOTH: [Runtime; 2] = [Runtime::Hmap, Runtime::Swiss];
const COARSE: Granularity = Granularity::Coarse;
const FINE: Granularity = Granularity::Fine;

/// Every outcome of a program with a map that holds `z: Z` and has three slots.
fn check(runtimes: &[Runtime], granularity: Granularity, program: Act, expected: &[&str]) {
    for runtime in runtimes {
        let layout = Layout { runtime: *runtime, granularity, slots: 3 };
        let found = outcomes(move || program(&Map::with_layout("m", layout, [("z", "Z")])));
        let found: Vec<_> = found.iter().map(String::as_str).collect();
        assert_eq!(found, expected, "{runtime:?} {granularity:?}");
    }
}

fn show(words: Option<Words<&'static str>>) -> String {
    words.map_or_else(|| "absent".to_owned(), |words| words.to_string())
}

/// What the map holds when all is quiet.
fn observe_at_rest(m: &Strings) {
    let m = m.clone();
    at_rest(move || {
        let map::Contents { flag, count, entries } = m.contents();
        let entries: Vec<_> = entries.iter().map(|(key, words)| format!("{key}:{words}")).collect();
        observe(format!("flag={flag} count={count} {}", entries.join(",")));
    });
}

/// A map alone does what a map does.
#[test]
fn one_task_sees_a_map() {
    let program = |m: &Strings| {
        observe(show(m.lookup(&"k")));
        m.assign("k", "A");
        m.assign("z", "B");
        observe(format!("{} {} {}", show(m.lookup(&"k")), show(m.lookup(&"z")), m.len()));
        let copy = m.clone_map("copy");
        m.delete(&"z");
        m.delete(&"j");
        let mut range = m.iterate();
        while let Some((key, words)) = range.step() {
            observe(format!("{key}:{words}"));
        }
        m.clear();
        observe(format!("{} {} {}", m.len(), m.is_empty(), show(copy.lookup(&"z"))));
        assert!(m.iterate().step().is_none());
        m.assign("j", "C");
        observe_at_rest(m);
    };
    for granularity in [FINE, COARSE] {
        check(&BOTH, granularity, program, &["absent A B 2 k:A 0 true B flag=0 count=1 j:C"]);
    }
}

/// A full map gets more slots: an old one chains a bucket, a Swiss one grows, even for an update.
#[test]
fn a_full_map_grows() {
    let program = |m: &Strings| {
        for (key, value) in [("a", "A"), ("b", "B"), ("c", "C"), ("d", "D"), ("a", "E")] {
            m.assign(key, value);
        }
        m.delete(&"c");
        observe_at_rest(m);
    };
    check(&BOTH, FINE, program, &["flag=0 count=4 z:Z,a:E,b:B,d:D"]);
}

/// Every pair of operations with a write races, overlapping or not, and so does one on an empty map; two
/// that only look do not, and the clone is seen by nobody.
#[test]
fn the_race_detector_sees_the_header() {
    let lookup: Act = |m| {
        m.lookup(&"k");
    };
    let assign: Act = |m| m.assign("k", "A");
    let delete: Act = |m| m.delete(&"k");
    let clear: Act = |m| m.clear();
    let range: Act = |m| drop(m.iterate());
    let length: Act = |m| {
        m.len();
    };
    let clone: Act = |m| drop(m.clone_map("copy"));
    let pairs: [(Act, Act, bool); 13] = [
        (lookup, lookup, false),
        (lookup, range, false),
        (lookup, length, false),
        (range, length, false),
        (clone, clone, false),
        (lookup, assign, true),
        (lookup, delete, true),
        (lookup, clear, true),
        (range, assign, true),
        (range, clear, true),
        (length, assign, true),
        (assign, delete, true),
        (delete, clear, true),
    ];
    for runtime in BOTH {
        for (first, second, races) in pairs {
            let found = outcomes(move || {
                let layout = Layout { runtime, granularity: COARSE, slots: 2 };
                let m = Map::with_layout("m", layout, []);
                let other = m.clone();
                spawn("a", move || first(&m));
                spawn("b", move || second(&other));
            });
            assert_eq!(found.contains(RACE), races, "{found:?}");
        }
    }
}

/// Runs `first` and `second` at once.
fn side_by_side(m: &Strings, first: Act, second: Act) {
    let (a, b) = (m.clone(), m.clone());
    spawn("a", move || first(&a));
    spawn("b", move || second(&b));
    observe_at_rest(m);
}

mod past_races {
    //! Two operations side by side always race; these runs go on after that, as Go's do without its detector.

    use super::*;
    use bohr_explore::search::search;
    use bohr_explore::strategy::Bounds;
    use bohr_kernel::{Kind, Outcome, Program, RunConfig};
    use std::cell::RefCell;
    use std::collections::BTreeSet;
    use std::rc::Rc;

    fn check(runtime: Runtime, granularity: Granularity, first: Act, second: Act, expected: &[&str]) {
        let layout = Layout { runtime, granularity, slots: 3 };
        let program = Program::new(move || {
            let m = Map::with_layout("m", layout, [("z", "Z")]);
            side_by_side(&m, first, second);
        });
        let found = Rc::new(RefCell::new(BTreeSet::new()));
        let sink = {
            let found = Rc::clone(&found);
            move |outcome: Outcome| {
                let died = outcome.findings.iter().find(|f| f.kind != Kind::DataRace);
                let line = died.map_or_else(|| outcome.observed.join(" "), |f| f.headline());
                found.borrow_mut().insert(line);
                true
            }
        };
        let config = RunConfig { keep_going: true, ..RunConfig::default() };
        let exhausted = search(&program, config, Bounds { cache: true, ..Bounds::default() }, sink);
        assert!(exhausted.all);
        let found = found.borrow();
        let found: Vec<_> = found.iter().map(String::as_str).collect();
        assert_eq!(found, expected, "{runtime:?} {granularity:?}");
    }

    fn look(m: &Strings) {
        let words = m.lookup(&"z");
        observe(show(words));
    }

    /// A lookup dies if the flag is up at its entry. Past its check it may read either value, and with
    /// fine steps a torn one: the pointer, which is loaded first, from before, and the length from after.
    /// Never the opposite mix, for the length is stored first.
    #[test]
    fn a_lookup_beside_an_update() {
        let update: Act = |m| m.assign("z", "A");
        let rest = "flag=0 count=1 z:A";
        let coarse = [format!("A {rest}"), format!("Z {rest}"), READ_AND_WRITE.to_owned()];
        let fine = [
            format!("A {rest}"),
            format!("Z {rest}"),
            format!("[pointer of Z, length of A] {rest}"),
            READ_AND_WRITE.to_owned(),
        ];
        for runtime in BOTH {
            check(runtime, COARSE, look, update, &coarse.each_ref().map(String::as_str));
            check(runtime, FINE, look, update, &fine.each_ref().map(String::as_str));
        }
    }

    /// A fresh entry is there before its value is: both words nil is an empty string, and a length without
    /// a pointer a crash. Coarse steps show only the first.
    #[test]
    fn a_lookup_beside_an_insert() {
        let insert: Act = |m| m.assign("k", "A");
        let look: Act = |m| {
            let words = m.lookup(&"k");
            observe(show(words));
        };
        let rest = "flag=0 count=2 z:Z,k:A";
        let coarse = [
            format!("\"\" {rest}"),
            format!("A {rest}"),
            format!("absent {rest}"),
            READ_AND_WRITE.to_owned(),
        ];
        let fine = [&coarse[..], &[NIL.to_owned()]].concat();
        for runtime in BOTH {
            check(runtime, COARSE, look, insert, &coarse.each_ref().map(String::as_str));
            let fine: Vec<_> = fine.iter().map(String::as_str).collect();
            check(runtime, FINE, look, insert, &fine);
        }
    }

    /// Two updates of one key, in coarse steps: nothing, or death at an entry or an exit. With fine steps
    /// the last stores may mix, and a Swiss flag may stay up; an old map's exit always clears it.
    #[test]
    fn two_updates() {
        let (one, two): (Act, Act) = (|m| m.assign("z", "A"), |m| m.assign("z", "B"));
        let quiet = ["flag=0 count=1 z:A", "flag=0 count=1 z:B"];
        let torn =
            ["flag=0 count=1 z:[pointer of A, length of B]", "flag=0 count=1 z:[pointer of B, length of A]"];
        let raised = [
            "flag=1 count=1 z:A",
            "flag=1 count=1 z:B",
            "flag=1 count=1 z:[pointer of A, length of B]",
            "flag=1 count=1 z:[pointer of B, length of A]",
        ];
        for runtime in BOTH {
            check(runtime, COARSE, one, two, &[WRITES, quiet[0], quiet[1]]);
        }
        check(Runtime::Hmap, FINE, one, two, &[&[WRITES], &quiet[..], &torn[..]].concat());
        check(Runtime::Swiss, FINE, one, two, &[&[WRITES], &quiet[..], &torn[..], &raised[..]].concat());
    }

    /// An iteration dies at a step that finds the flag up, and else sees the value before or after.
    #[test]
    fn an_iteration_beside_a_write() {
        let range: Act = |m| {
            let mut range = m.iterate();
            let mut seen = String::new();
            while let Some((key, words)) = range.step() {
                seen.push_str(&format!("{key}:{words} "));
            }
            observe(seen.trim());
        };
        let update: Act = |m| m.assign("z", "A");
        let fatal = "fatal error: concurrent map iteration and map write";
        let rest = "flag=0 count=1 z:A";
        let expected = [fatal.to_owned(), format!("z:A {rest}"), format!("z:Z {rest}")];
        for runtime in BOTH {
            check(runtime, COARSE, range, update, &expected.each_ref().map(String::as_str));
        }
    }

    /// A clone dies if the flag is up; past its check it copies what is there.
    #[test]
    fn a_clone_beside_a_delete() {
        let copy: Act = |m| observe(m.clone_map("copy").contents().entries.len());
        let delete: Act = |m| m.delete(&"z");
        let expected =
            ["0 flag=0 count=0 ", "1 flag=0 count=0 ", "fatal error: concurrent map clone and map write"];
        for runtime in BOTH {
            check(runtime, COARSE, copy, delete, &expected);
        }
    }

    /// Deleting and clearing what is not there checks nothing, so it survives a raised flag; that `len`
    /// never checks needs no entry at all. `z` is there, so deleting `j` does raise the flag.
    #[test]
    fn len_never_checks_and_delete_does() {
        let update: Act = |m| m.assign("z", "A");
        let len: Act = |m| observe(m.len());
        for runtime in BOTH {
            check(runtime, COARSE, len, update, &["1 flag=0 count=1 z:A"]);
            check(runtime, COARSE, |m| m.delete(&"j"), update, &[WRITES, "flag=0 count=1 z:A"]);
        }
    }
}

/// On an empty map a lookup, a delete, a clear and an iteration end before any check.
#[test]
fn an_empty_map_is_not_checked() {
    for runtime in BOTH {
        for act in 0..4 {
            let found = outcomes(move || {
                let layout = Layout { runtime, granularity: FINE, slots: 2 };
                let m: Strings = Map::with_layout("m", layout, []);
                match act {
                    0 => assert!(m.lookup(&"k").is_none()),
                    1 => m.delete(&"k"),
                    2 => m.clear(),
                    _ => assert!(m.iterate().step().is_none()),
                }
                at_rest(move || observe(bohr_kernel::with_kernel(|k| k.steps())));
            });
            assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), ["1"], "one step");
        }
    }
}

/// A lock around every use hides nothing and costs nothing: no death, no race.
#[test]
fn a_lock_makes_it_safe() {
    let program = |m: &Strings| {
        let lock = Mutex::new("l");
        for (name, value) in [("a", "A"), ("b", "B")] {
            let m = m.clone();
            spawn(name, move || {
                lock.lock();
                let _ = m.lookup(&"k");
                m.assign("k", value);
                lock.unlock();
            });
        }
        observe_at_rest(m);
    };
    check(&BOTH, FINE, program, &["flag=0 count=2 z:Z,k:A", "flag=0 count=2 z:Z,k:B"]);
}
