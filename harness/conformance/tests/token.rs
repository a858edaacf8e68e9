//! Tokens that were written, damaged, forged, and of other programs.

use arbitrary::{Arbitrary, Unstructured};
use bohr_conformance::sample;
use bohr_conformance::token::{self, Damage, Input, Written, Wrong};

const BYTES: usize = 200;

fn written(n: u64) -> Written {
    let bytes = sample(n, BYTES);
    let mut u = Unstructured::new(&bytes);
    let mut written = Written::arbitrary(&mut u).expect("there are bytes enough");
    // Lists out of random bytes are short.
    written
        .choices
        .extend((0..20).filter_map(|_| u.arbitrary::<(u8, u8)>().ok()).map(|(zeros, c)| (zeros % 40, c % 9)));
    written
}

fn check(input: &Input) {
    if let Err(why) = token::compare(input, None) {
        panic!("{why}\n\n{input:#?}");
    }
}

#[test]
fn any_bytes_are_read_or_refused() {
    for n in 0..3_000 {
        token::check(&sample(n, BYTES)).unwrap_or_else(|why| panic!("input {n}: {why}"));
    }
}

#[test]
fn a_token_is_read_as_it_was_written() {
    for n in 0..2_000 {
        check(&Input::Written(written(n)));
    }
}

#[test]
fn no_damage_passes_for_another_token() {
    for n in 0..300 {
        for place in 0..40 {
            let place = place * 7 + n as u16;
            let one = [
                Damage::Flip(place, n as u8),
                Damage::Cut(place),
                Damage::Drop(place),
                Damage::Double(place),
            ];
            for damage in one {
                check(&Input::Damaged(written(n), vec![damage]));
            }
        }
    }
}

/// The numbers of a token need not be those of any run.
#[test]
fn a_token_of_another_program_is_replayed_to_an_end() {
    for n in 0..200 {
        let bytes = sample(n, BYTES);
        let mut u = Unstructured::new(&bytes);
        check(&Input::Foreign(u.arbitrary().expect("there are bytes enough")));
    }
}

#[test]
fn errors_are_caught() {
    for wrong in [Wrong::Choice, Wrong::Zeros, Wrong::Flags, Wrong::Checksum] {
        let caught = (0..100).any(|n| token::compare(&Input::Written(written(n)), Some(wrong)).is_err());
        assert!(caught, "{wrong:?} is not caught");
    }
}
