//! The Go primitives show what their state machines allow, and all of it.

use arbitrary::{Arbitrary, Unstructured};
use bohr_conformance::primitives::{Goroutines, Wrong, compare};
use bohr_conformance::sample;

/// So many programs; more with `BOHR_PROGRAMS`.
const PROGRAMS: u64 = 1_500;
const BYTES: usize = 128;

fn nth(n: u64) -> Goroutines {
    Goroutines::arbitrary(&mut Unstructured::new(&sample(n, BYTES))).expect("there are bytes enough")
}

/// The smallest program to get to that is still judged wrong.
fn shrunk(program: Goroutines, wrong: Option<Wrong>) -> Goroutines {
    let mut smallest = program;
    while let Some(smaller) = smallest.smaller().into_iter().find(|p| compare(p, wrong).is_err()) {
        smallest = smaller;
    }
    smallest
}

#[test]
fn what_is_shown_is_what_is_allowed() {
    let programs =
        std::env::var("BOHR_PROGRAMS").map_or(PROGRAMS, |n| n.parse().expect("BOHR_PROGRAMS is a number"));
    let mut compared = 0;
    for n in 0..programs {
        match compare(&nth(n), None) {
            Ok(compares) => compared += u64::from(compares),
            Err(_) => {
                let least = shrunk(nth(n), None);
                panic!("program {n}: {least:?}\n{}", compare(&least, None).unwrap_err());
            }
        }
    }
    assert!(compared > programs / 2, "only {compared} of {programs} programs have few enough schedules");
}

#[test]
fn errors_are_caught() {
    use Wrong::{
        Children, Deletes, FirstCase, LastWoken, LostAtClose, OncePanics, PastTheBuffer, Readers, Reuse,
        SignalKept, Stale, Swaps, Unlock,
    };
    for wrong in [
        Unlock,
        Readers,
        Reuse,
        OncePanics,
        LastWoken,
        SignalKept,
        LostAtClose,
        PastTheBuffer,
        FirstCase,
        Swaps,
        Deletes,
        Children,
        Stale,
    ] {
        let caught = (0..PROGRAMS).find(|n| compare(&nth(*n), Some(wrong)).is_err());
        assert!(caught.is_some(), "{wrong:?} is not caught");
    }
}
