//! Partial-order reduction misses nothing: compared with every schedule, on random small programs.

#![allow(clippy::print_stdout, reason = "what the long run is for")]

use bohr_explore::programs::{Agreement, Small, agree};
use bohr_explore::strategy::Sabotage;

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
        let small = Small::nth(n);
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
    let n = (1..1_000).find(|n| caught(&Small::nth(*n)))?;
    Some((n, Small::nth(n).shrink(caught)))
}

#[test]
fn errors_in_the_reduction_are_caught() {
    for sabotage in [Sabotage::Dependency, Sabotage::Sleep, Sabotage::Backtrack] {
        let (n, least) = caught(sabotage).expect("a thousand programs are enough");
        println!("{sabotage:?}: program {n}, shrunk to {least}");
    }
}
