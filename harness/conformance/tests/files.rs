//! The reference of files is what Linux does, and the model is what the reference does.

mod linux;

use arbitrary::{Arbitrary, Unstructured};
use bohr_conformance::files::{self, Call, Calls, Reference, Who, Wrong};
use bohr_conformance::sample;

/// So many inputs of so many bytes, which are about 40 calls each.
const INPUTS: u64 = 3_000;
const BYTES: usize = 160;

/// So many of them are tried on real directories.
const REAL: u64 = 1_000;

fn nth(n: u64) -> Calls {
    Calls::arbitrary(&mut Unstructured::new(&sample(n, BYTES))).expect("there are bytes enough")
}

#[test]
fn the_model_is_what_the_reference_is() {
    for n in 0..INPUTS {
        if let Err(why) = files::check(&sample(n, BYTES)) {
            panic!("input {n}: {why}");
        }
    }
}

#[test]
fn errors_are_caught() {
    use Wrong::{
        AppendsWhereItWas, DupHasOffset, FcntlStays, FlockGoesEarly, HighestDescriptor, KilledKeeps, NoGap,
        RenameToItself, UnlinkCuts,
    };
    for wrong in [
        DupHasOffset,
        AppendsWhereItWas,
        RenameToItself,
        UnlinkCuts,
        FlockGoesEarly,
        FcntlStays,
        HighestDescriptor,
        NoGap,
        KilledKeeps,
    ] {
        let caught = (0..INPUTS).find(|n| files::compare(&nth(*n), Some(wrong)).is_err());
        assert!(caught.is_some(), "{wrong:?} is not caught");
    }
}

/// One process of the two, without children: a test cannot be two processes, nor fork.
#[test]
fn the_reference_is_what_linux_does() {
    for n in 0..REAL {
        let mut calls = nth(n);
        calls.calls.retain(|(_, call)| !matches!(call, Call::Fork | Call::KillChild));
        calls.calls.iter_mut().for_each(|(who, _)| *who = Who::P);
        if let Err(why) = files::same(&calls, &linux::run(&calls), &Reference::run(&calls, None)) {
            panic!("input {n}: {why}\n\n{calls:#?}");
        }
    }
}
