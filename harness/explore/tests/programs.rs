//! Partial-order reduction misses nothing: compared with every schedule, on random small programs.

#![allow(clippy::print_stdout, reason = "what the long run is for")]

use bohr_explore::engine::LoomSabotage;
use bohr_explore::programs::{Agreement, Do, Scope, Small, Wrong, agree};
use bohr_explore::strategy::Sabotage;

/// What is compared of one program.
const SCOPE: Scope = Scope { schedules: 3_000, loom_schedules: 100, loom_executions: 1_000 };

#[test]
fn explorers_agree() {
    let programs =
        std::env::var("BOHR_PROGRAMS").map_or(300, |n| n.parse().expect("BOHR_PROGRAMS is a number"));
    let mut sum = Agreement::default();
    let (mut compared, mut by_loom, mut n) = (0, 0, 0);
    while compared < programs {
        n += 1;
        let small = Small::nth(n);
        match agree(&small, SCOPE, None) {
            Ok(None) => {}
            Ok(Some(agreement)) => {
                compared += 1;
                sum.schedules += agreement.schedules;
                sum.executions += agreement.executions;
                sum.sleep_blocked += agreement.sleep_blocked;
                sum.loom = Some(sum.loom.unwrap_or(0) + agreement.loom.unwrap_or(0));
                by_loom += u64::from(agreement.loom.is_some());
            }
            Err(error) => {
                let least = small.shrink(|small| agree(small, SCOPE, None).is_err());
                let why = agree(&least, SCOPE, None).unwrap_err();
                panic!("program {n}: {error}\n\n{least}\n\n{why}");
            }
        }
    }
    println!("{compared} programs of {n}, {by_loom} of them by loom too: {sum:?}");
}

/// How many programs it takes until a deliberate error is found.
fn caught(wrong: Wrong) -> Option<(u64, Small)> {
    let caught = |small: &Small| agree(small, SCOPE, Some(wrong)).is_err();
    let n = (1..3_000).find(|n| caught(&Small::nth(*n)))?;
    Some((n, Small::nth(n).shrink(caught)))
}

#[test]
fn errors_in_the_reduction_are_caught() {
    for sabotage in [Sabotage::Dependency, Sabotage::Sleep, Sabotage::Backtrack] {
        let (n, least) = caught(Wrong::Dpor(sabotage)).expect("so many programs are enough");
        println!("{sabotage:?}: program {n}, shrunk to {least}");
    }
}

#[test]
fn errors_in_what_loom_is_told_are_caught() {
    use LoomSabotage::{Attempts, Reads, Stops, Values};
    for sabotage in [Reads, Attempts, Stops, Values] {
        let (n, least) = caught(Wrong::Loom(sabotage)).unwrap_or_else(|| panic!("{sabotage:?}"));
        println!("{sabotage:?}: program {n}, shrunk to {least}");
    }
}

/// Why reads are not simply loom's loads: of two loads before a store loom looks at the later one alone, so that here it
/// never tries the store before the first task's load.
#[test]
fn loom_forgets_a_load_that_another_follows() {
    let tasks = vec![vec![Do::Load(0)], vec![Do::Load(0), Do::Pass(0)]];
    let small = Small { tasks, joins: false, leaks: false, eager_time: false, keep_going: false };
    let wrong = agree(&small, SCOPE, Some(Wrong::Loom(LoomSabotage::Loads)));
    assert!(wrong.is_err_and(|why| why.starts_with("loom misses the state")));
    assert!(agree(&small, SCOPE, None).is_ok_and(|agreement| agreement.is_some_and(|a| a.loom.is_some())));
}
