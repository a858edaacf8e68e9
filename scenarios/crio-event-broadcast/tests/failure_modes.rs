//! The ways in which the broadcaster fails: each in its smallest configuration and with the least number of
//! preemptions, and none of them in the fixed form.

use bohr_explore::regression;
use bohr_explore::search::search;
use bohr_explore::strategy::Bounds;
use bohr_kernel::{Finding, Kind, Outcome, Program, RunConfig};
use crio_event_broadcast::workload::Workload;
use crio_event_broadcast::world::{self, Conn, Form, SendError, Server, Stream};
use crio_event_broadcast::{EventBroadcast, buggy, scenario};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

const NEGATIVE: &str = "sync: negative WaitGroup counter";
const REUSED: &str = "sync: WaitGroup is reused before previous Wait has returned";

fn program(variant: &str, workload: &str) -> Program {
    scenario().program(variant, workload).expect("the variant and the workload exist")
}

/// True if some schedule with at most so many preemptions is one of these. All of them are run: what is
/// asked for may depend on the way.
fn reaches(program: &Program, preemptions: u32, seen: impl Fn(&Outcome) -> bool + 'static) -> bool {
    let config = RunConfig { record: true, keep_going: true, ..RunConfig::default() };
    let bounds = Bounds { preemptions: Some(preemptions), ..Bounds::default() };
    let reached = Rc::new(Cell::new(false));
    let sink = {
        let reached = Rc::clone(&reached);
        move |outcome: Outcome| {
            reached.set(seen(&outcome));
            !reached.get()
        }
    };
    let exhausted = search(program, config, bounds, sink);
    assert!(reached.get() || exhausted.all);
    reached.get()
}

/// The finding that speaks for a failure, in a run that shows it.
type Seen = fn(&Outcome) -> Option<&Finding>;

/// `variant` shows it on the workload with so many preemptions and not with fewer.
fn check_with_observations(variant: &str, workload: &str, least: u32, seen: Seen) {
    let program = program(variant, workload);
    let shows = move |outcome: &Outcome| seen(outcome).is_some();
    assert!(reaches(&program, least, shows), "{variant} on {workload}: not with {least} preemptions");
    if let Some(fewer) = least.checked_sub(1) {
        assert!(!reaches(&program, fewer, shows), "{variant} on {workload}: also with {fewer} preemptions");
    }
    let bounds = Bounds { preemptions: Some(least), ..Bounds::default() };
    regression::offer(&EventBroadcast, (variant, workload), bounds, seen);
}

/// As above, and the fixed form does not show it with as many preemptions, nor with one more.
fn check(variant: &str, workload: &str, least: u32, seen: Seen) {
    check_with_observations(variant, workload, least, seen);
    let shows = move |outcome: &Outcome| seen(outcome).is_some();
    assert!(!reaches(&program("fixed", workload), least + 1, shows), "fixed on {workload}");
}

/// The panic that the run died of, and who did, as `who: text`.
fn death(outcome: &Outcome) -> Option<(&Finding, String)> {
    let panic = outcome.findings.iter().find(|finding| finding.kind == Kind::Panic)?;
    let who = &outcome.trace.as_ref()?.tasks[panic.task?.0 as usize].name;
    Some((panic, format!("{who}: {}", panic.text)))
}

fn dies<'o>(outcome: &'o Outcome, who: &str, text: &str) -> Option<&'o Finding> {
    death(outcome).filter(|(_, death)| *death == format!("{who}: {text}")).map(|(panic, _)| panic)
}

/// The notes of the steps with this label.
fn notes<'o>(outcome: &'o Outcome, label: &str) -> Vec<&'o str> {
    let steps = outcome.trace.iter().flat_map(|trace| &trace.steps);
    steps.filter(|step| step.label == label).map(|step| step.note.as_str()).collect()
}

fn violates<'o>(outcome: &'o Outcome, oracle: &str, text: &str) -> Option<&'o Finding> {
    outcome.findings.iter().find(|f| f.oracle.as_deref() == Some(oracle) && f.text == text)
}

#[test]
fn f1_a_second_event_finds_the_dead_client_still_registered() {
    check("buggy", "burst", 0, |o| {
        let dones = notes(o, "Done");
        let one_each = dones.first() == Some(&"counter 0") && dones.last() == Some(&"counter -1");
        dies(o, "broadcaster", NEGATIVE).filter(|_| one_each)
    });
}

#[test]
fn f2a_the_first_event_finds_the_latch_not_yet_armed() {
    check("buggy", "doa", 1, |o| {
        dies(o, "broadcaster", NEGATIVE).filter(|_| notes(o, "final Range").is_empty())
    });
}

#[test]
fn f2b_the_shutdown_finds_a_healthy_client_not_yet_armed() {
    check("buggy", "close", 1, |o| {
        dies(o, "broadcaster", NEGATIVE).filter(|_| notes(o, "final Range").len() == 1)
    });
}

#[test]
fn f3_the_shutdown_trips_what_a_failed_send_has_tripped() {
    check("buggy", "fail_close", 0, |o| {
        let armed = notes(o, "Done").first() == Some(&"counter 0; wakes 1") || notes(o, "Done").len() > 1;
        dies(o, "broadcaster", NEGATIVE).filter(|_| notes(o, "final Range").len() == 1 && armed)
    });
}

#[test]
fn f4_the_final_range_of_a_panic_lets_healthy_clients_go_and_panics_again() {
    check("recover_loop", "fanout", 0, |o| {
        let thrown_out = "handler 2 was released although no send to it had failed and the queue was open";
        violates(o, "O5", thrown_out).filter(|_| notes(o, "Done").contains(&"counter -2"))
    });
}

#[test]
fn f5_the_handler_wakes_up_behind_the_second_trip() {
    check("recover_done", "burst", 0, |o| dies(o, "handler 1", REUSED));
    check("recover_loop", "fail_close", 0, |o| dies(o, "handler 1", REUSED));
    // Both die, and the handler may be first.
    check("buggy", "burst", 1, |o| dies(o, "handler 1", REUSED));
}

/// The buggy form, with a broadcaster that outlives its panic for as long as its deferred Range takes.
struct Outlives;

impl Form for Outlives {
    type Latch = <buggy::Events as Form>::Latch;

    fn new() -> Self {
        Outlives
    }

    fn register(server: &Arc<Server<Self>>, stream: Stream) -> Conn<Self::Latch> {
        server.start_broadcaster();
        let conn = Conn::new(stream, bohr_go::WaitGroup::new(stream.named("wg")));
        server.store(stream, conn);
        conn.latch.add(1);
        conn
    }

    fn wait(conn: &Conn<Self::Latch>) {
        buggy::Events::wait(conn);
    }

    fn send_failed(conn: &Conn<Self::Latch>, error: SendError) {
        buggy::Events::send_failed(conn, error);
    }

    fn broadcast_over(conn: &Conn<Self::Latch>) {
        buggy::Events::broadcast_over(conn);
    }

    fn broadcast_events(server: &Server<Self>) {
        server.swallowing(|| server.event_loop(|event| server.send_to_all(event)));
        server.swallowing(|| server.final_range());
    }
}

#[test]
fn f5_prime_the_handler_arms_what_was_tripped_twice() {
    let workload: Workload = "doa".parse().expect("the class exists");
    let program = Program::new(move || world::run::<Outlives>(&workload));
    let seen = |o: &Outcome| dies(o, "handler 1", NEGATIVE).is_some() && notes(o, "Add") == ["counter -1"];
    assert!(reaches(&program, 1, seen));
    assert!(!reaches(&program, 0, seen));
}

#[test]
fn f6_a_handler_behind_the_final_range_waits_for_ever_also_in_the_fixed_form() {
    for variant in ["buggy", "upstream_fix", "fixed"] {
        check_with_observations(variant, "late1", 1, |o| {
            violates(o, "O9", "handler 1 has not returned, and the queue is closed")
        });
        let observed: Seen = |o| o.findings.iter().find(|f| f.oracle.as_deref() == Some("O9"));
        check_with_observations(variant, "late2", 0, observed);
    }
}

#[test]
fn the_first_event_goes_to_nobody_also_in_the_fixed_form() {
    for variant in ["buggy", "upstream_fix", "fixed"] {
        check_with_observations(variant, "first", 1, |o| {
            violates(o, "O10", "client 1 is healthy and event 1 went to nobody")
        });
    }
}

#[test]
fn f7_the_error_is_written_while_the_handler_reads_it() {
    let races: Seen = |o| o.findings.iter().find(|f| f.kind == Kind::DataRace && f.text == "err 1");
    check("upstream_fix", "err", 0, races);
    // Here the second write is followed by the second done, which ends the run. So the handler has to get in
    // between the broadcaster's look at the record and that.
    check("buggy", "err", 1, races);
}

#[test]
fn the_texts_of_all_panics() {
    let texts = |variant: &str, class: &str| -> BTreeSet<String> {
        let found = Rc::new(std::cell::RefCell::new(BTreeSet::new()));
        let sink = {
            let found = Rc::clone(&found);
            move |outcome: Outcome| {
                found.borrow_mut().extend(death(&outcome).map(|(_, death)| death));
                true
            }
        };
        let config = RunConfig { record: true, keep_going: true, ..RunConfig::default() };
        let exhausted =
            search(&program(variant, class), config, Bounds { cache: true, ..Bounds::default() }, sink);
        assert!(exhausted.all);
        found.take()
    };
    let check = |variant: &str, expected: &[&str]| {
        let found = texts(variant, "burst");
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected, "{variant}");
    };
    check(
        "buggy",
        &[
            "broadcaster: sync: negative WaitGroup counter",
            "handler 1: sync: WaitGroup is reused before previous Wait has returned",
        ],
    );
    check("recover_done", &["handler 1: sync: WaitGroup is reused before previous Wait has returned"]);
    check("chan", &["broadcaster: close of closed channel"]);
    check("fixed", &[]);
}

#[test]
fn the_fixed_form_shows_nothing_but_the_two_observations() {
    let found = |class: &str| -> Vec<String> {
        let found = Rc::new(std::cell::RefCell::new(BTreeSet::new()));
        let sink = {
            let found = Rc::clone(&found);
            move |outcome: Outcome| {
                found.borrow_mut().extend(outcome.findings.into_iter().map(|f| f.text));
                true
            }
        };
        let config = RunConfig { keep_going: true, ..RunConfig::default() };
        let exhausted =
            search(&program("fixed", class), config, Bounds { cache: true, ..Bounds::default() }, sink);
        assert!(exhausted.all);
        found.take().into_iter().collect()
    };
    for class in ["burst", "doa", "close", "fail_close", "burst3_close", "err"] {
        assert!(found(class).is_empty(), "{class}: {:?}", found(class));
    }
    assert_eq!(found("late1"), ["handler 1 has not returned, and the queue is closed"]);
    assert_eq!(found("first"), ["client 1 is healthy and event 1 went to nobody"]);
}
