//! Partial-order reduction misses nothing: compared with every schedule, on random small programs.

#![allow(clippy::print_stdout, reason = "what the long run is for")]

use arbitrary::{Arbitrary, Unstructured};
use bohr_explore::programs::{Agreement, Small, agree};
use bohr_explore::strategy::Sabotage;

/// The `n`th program.
fn program(n: u64) -> Small {
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let bytes: Vec<u8> = (0..512)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .collect();
    Small::arbitrary(&mut Unstructured::new(&bytes)).expect("there are bytes enough")
}

/// Programs with more schedules are left out.
const MOST: u64 = 3_000;

#[test]
fn explorers_agree() {
    let programs =
        std::env::var("BOHR_PROGRAMS").map_or(300, |n| n.parse().expect("BOHR_PROGRAMS is a number"));
    let mut sum = Agreement::default();
    let (mut compared, mut n) = (0, 0);
    while compared < programs {
        n += 1;
        let small = program(n);
        match agree(&small, MOST, None) {
            Ok(None) => {}
            Ok(Some(agreement)) => {
                compared += 1;
                sum.schedules += agreement.schedules;
                sum.executions += agreement.executions;
                sum.sleep_blocked += agreement.sleep_blocked;
            }
            Err(error) => {
                let least = small.shrink(|small| agree(small, MOST, None).is_err());
                let why = agree(&least, MOST, None).unwrap_err();
                panic!("program {n}: {error}\n\n{least}\n\n{why}");
            }
        }
    }
    println!("{compared} programs of {n}: {sum:?}");
}

/// How many programs it takes until an error in the reduction is found.
fn caught(sabotage: Sabotage) -> Option<(u64, Small)> {
    let caught = |small: &Small| agree(small, MOST, Some(sabotage)).is_err();
    let n = (1..1_000).find(|n| caught(&program(*n)))?;
    Some((n, program(n).shrink(caught)))
}

#[test]
fn errors_in_the_reduction_are_caught() {
    for sabotage in [Sabotage::Dependency, Sabotage::Sleep, Sabotage::Backtrack] {
        let (n, least) = caught(sabotage).expect("a thousand programs are enough");
        println!("{sabotage:?}: program {n}, shrunk to {least}");
    }
}
