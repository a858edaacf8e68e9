//! The failure modes F1 to F12: each in its smallest configuration, with the least number of
//! preemptions, and none of them in the fixed form.

mod common;

use bohr_explore::regression;
use bohr_explore::strategy::Bounds;
use bohr_kernel::{Finding, Kind, Outcome};
use common::gather;
use submariner_image_log::ImageLog;

const READ_AND_WRITE: &str = "concurrent map read and map write";
const WRITES: &str = "concurrent map writes";
const FULL: &str = "small map with no empty slot (concurrent map writes?)";
const NIL: &str = "runtime error: invalid memory address or nil pointer dereference";

/// The finding that speaks for a failure, in a run that shows it.
type Seen = fn(&Outcome) -> Option<&Finding>;

/// The least number of preemptions with which `buggy` shows it in the class; checks all of the fixed form.
fn check(class: &str, seen: Seen, least: Option<u32>) {
    let all = Bounds { cache: true, ..Bounds::default() };
    let in_reach = |bound| common::reaches("buggy", class, bound, move |o| seen(o).is_some());
    match least {
        None => assert!(!in_reach(all), "{class}: it cannot happen"),
        Some(least) => {
            let bound = |preemptions| Bounds { preemptions: Some(preemptions), ..all };
            assert!(in_reach(bound(least)), "{class}: {least} preemptions suffice");
            assert!(least == 0 || !in_reach(bound(least - 1)), "{class}: fewer preemptions do not suffice");
            regression::offer(&ImageLog, ("buggy", class), bound(least), seen);
        }
    }
    let (found, exhausted) = gather("fixed", class, false, all, common::oracles);
    assert!(found.is_empty() && exhausted.all, "fixed in {class}: {found:?}");
}

fn finds<'o>(outcome: &'o Outcome, kind: Kind, text: &str) -> Option<&'o Finding> {
    outcome.findings.iter().find(|f| f.kind == kind && f.text.contains(text))
}

/// The run died of it in a step with this label, while the actors ran.
fn dies<'o>(outcome: &'o Outcome, kind: Kind, text: &str, label: &str) -> Option<&'o Finding> {
    let last = outcome.trace.as_ref().and_then(|t| t.steps.last());
    let there = last.is_some_and(|step| step.label == label && !step.at_rest);
    finds(outcome, kind, text).filter(|_| there)
}

#[test]
fn f1_a_lookup_finds_the_flag_raised() {
    let seen: Seen = |o| dies(o, Kind::Fatal, READ_AND_WRITE, "map lookup: check the flag");
    for class in ["steady-old-fine", "steady-swiss-fine", "steady-swiss-coarse", "fresh_empty-swiss-fine"] {
        check(class, seen, Some(1));
    }
}

#[test]
fn f2_an_assign_finds_the_flag_raised() {
    let seen: Seen = |o| dies(o, Kind::Fatal, WRITES, "map assign: check the flag");
    check("fresh_empty-swiss-fine", seen, Some(1));
    check("fresh_empty-old-coarse", seen, Some(1));
    check("steady-swiss-fine", seen, Some(2));
    check("steady-old-coarse", seen, Some(2));
}

#[test]
fn f3_two_assigns_flip_the_flag_back() {
    let seen: Seen = |o| dies(o, Kind::Fatal, WRITES, "map assign: check the flag again");
    for class in ["steady-swiss-fine", "steady-old-fine", "steady-swiss-coarse", "steady-old-coarse"] {
        check(class, seen, Some(2));
    }
}

#[test]
fn f4_a_small_map_has_no_empty_slot() {
    let seen: Seen = |o| dies(o, Kind::Fatal, FULL, "map assign: find a slot");
    check("full_group-swiss-fine", seen, Some(2));
    check("full_group-swiss-coarse", seen, Some(3));
    check("full_group-old-coarse", seen, None);
}

#[test]
fn f5_a_string_is_read_before_its_pointer_is_stored() {
    let seen: Seen = |o| dies(o, Kind::Panic, NIL, "map lookup: load the value's length");
    check("fresh_shared-swiss-fine", seen, Some(1));
    check("fresh_shared-old-fine", seen, Some(1));
    let coarse: Seen = |o| finds(o, Kind::Panic, NIL);
    check("fresh_shared-swiss-coarse", coarse, None);
}

#[test]
fn f6_a_torn_string_is_read() {
    let seen: Seen = |o| finds(o, Kind::Oracle, "read a torn string: [pointer of Z, length of A]");
    check("change_same-swiss-fine", seen, Some(1));
    check("change_same-old-fine", seen, Some(1));
    check("change_same-swiss-coarse", seen, None);
}

#[test]
fn f7_a_line_is_logged_twice() {
    let fresh: Seen = |o| finds(o, Kind::Oracle, "S logged absent -> A, D logged absent -> A");
    check("fresh_shared-swiss-fine", fresh, Some(1));
    check("fresh_shared-old-coarse", fresh, Some(1));
    let change: Seen = |o| finds(o, Kind::Oracle, "S logged Z -> A, D logged Z -> A");
    check("change_same-swiss-coarse", change, Some(1));
}

#[test]
fn f8_a_line_is_missed() {
    let seen: Seen = |o| {
        let text = "S logged nothing for A, D logged A -> B, S (probe) logged A -> P0";
        finds(o, Kind::Oracle, text)
    };
    check("revert-swiss-fine", seen, Some(1));
    check("revert-old-coarse", seen, Some(1));
}

#[test]
fn f9_the_flag_is_left_set() {
    let seen: Seen = |o| finds(o, Kind::Oracle, "the flag is left set");
    check("steady-swiss-fine", seen, Some(2));
    check("steady-swiss-coarse", seen, None);
    check("steady-old-fine", seen, None);
}

#[test]
fn f10_an_insert_is_lost_and_the_count_is_wrong() {
    let seen: Seen = |o| {
        let lost = o.findings.iter().find(|f| f.oracle.as_deref() == Some("O4"));
        lost.filter(|_| finds(o, Kind::Oracle, "the count is 3, and 2 slots are in use").is_some())
    };
    check("disjoint-swiss-fine", seen, Some(3));
    check("disjoint-old-fine", seen, Some(3));
    check("disjoint-swiss-coarse", seen, None);
}

/// One that is not on the list: both values of a lost insert lie in one slot, under the key of one
/// of the two actors, and its second call looks between the two stores of the other.
#[test]
fn the_string_of_a_lost_insert_is_read_torn() {
    let seen: Seen = |o| {
        let torn = finds(o, Kind::Oracle, "read a torn string: [pointer of B, length of A]");
        torn.filter(|_| finds(o, Kind::Oracle, "the count is 3, and 2 slots are in use").is_some())
    };
    check("disjoint2-old-fine", seen, Some(4));
}

#[test]
fn f11_a_string_is_left_torn() {
    let seen: Seen = |o| finds(o, Kind::Oracle, "is left torn");
    check("change_diverge-swiss-fine", seen, Some(1));
    check("revert-old-fine", seen, Some(1));
    check("revert-swiss-coarse", seen, None);
}

#[test]
fn f12_the_header_is_raced_on() {
    let seen: Seen = |o| finds(o, Kind::DataRace, "lastImages (map header)");
    check("steady-swiss-fine", seen, Some(0));
    check("fresh_empty-old-coarse", seen, Some(0));
}
