//! Each failure mode at its smallest configuration: no schedule with fewer preemptions than stated shows
//! it, one with that many does, and the fix shows nothing.

use argo_roundtripper::oracles::Group;
use argo_roundtripper::{RoundTripper, expected, scenario};
use bohr_explore::regression;
use bohr_explore::search::{rerun, search};
use bohr_explore::strategy::Bounds;
use bohr_kernel::scenario::Expected;
use bohr_kernel::{Detail, Finding, Kind, Outcome, RunConfig, choices_of};
use std::cell::RefCell;
use std::rc::Rc;

const NIL: &str = "panic: runtime error: invalid memory address or nil pointer dereference\n\
                   [signal SIGSEGV: segmentation violation code=0x1]";

/// Searches until a finding is as wanted; gives it, and the run that showed it.
fn find(
    variant: &str,
    workload: &str,
    preemptions: u32,
    wanted: impl Fn(&Finding) -> bool + 'static,
) -> Option<(Finding, Outcome)> {
    let program = scenario().program(variant, workload).unwrap();
    let config = RunConfig { keep_going: true, ..RunConfig::default() };
    let bounds = Bounds { preemptions: Some(preemptions), cache: true, ..Bounds::default() };
    let found = Rc::new(RefCell::new(None));
    let sink = {
        let found = Rc::clone(&found);
        move |outcome: Outcome| {
            let finding = outcome.findings.iter().find(|f| wanted(f)).cloned();
            let more = finding.is_none();
            if let Some(finding) = finding {
                found.replace(Some((finding, outcome)));
            }
            more
        }
    };
    let exhausted = search(&program, config, bounds, sink);
    let found = found.take();
    assert!(exhausted.all || found.is_some(), "{variant} on {workload}: the search did not end");
    found
}

/// A failure that begins with `text` needs exactly so many preemptions in `buggy` and never shows in `fixed`,
/// within one preemption more.
fn check(workload: &str, preemptions: u32, text: &'static str) -> Finding {
    let begins = move |f: &Finding| f.headline().starts_with(text);
    if let Some(fewer) = preemptions.checked_sub(1) {
        let found = find("buggy", workload, fewer, begins);
        assert!(found.is_none(), "{text} on {workload} with {fewer}: {found:?}");
    }
    let found = find("buggy", workload, preemptions, begins);
    let (finding, run) = found.unwrap_or_else(|| panic!("{text} on {workload} not within {preemptions}"));
    assert_eq!(run.preemptions, preemptions, "{text} on {workload}");
    let choices = choices_of(&run.decisions);
    let program = scenario().program("buggy", workload).unwrap();
    let config = RunConfig { keep_going: true, ..RunConfig::default() };
    let again = rerun(&program, config, choices);
    assert!(again.findings.iter().any(|f| f.same_failure(&finding)), "{text} on {workload} does not replay");
    fixed_shows_nothing(workload, preemptions + 1);
    offer("buggy", workload, preemptions, begins);
    finding
}

fn fixed_shows_nothing(workload: &str, preemptions: u32) {
    let fixed = find("fixed", workload, preemptions, |_| true);
    assert!(fixed.is_none(), "fixed on {workload}: {fixed:?}");
}

fn offer(variant: &str, workload: &str, preemptions: u32, wanted: impl Fn(&Finding) -> bool + 'static) {
    let bounds = Bounds { preemptions: Some(preemptions), cache: true, ..Bounds::default() };
    regression::offer(&RoundTripper, (variant, workload), bounds, move |run| {
        run.findings.iter().find(|f| wanted(f))
    });
}

fn race(workload: &str, preemptions: u32, text: &'static str, group: Group) -> (bool, bool) {
    let finding = check(workload, preemptions, text);
    assert_eq!(finding.oracle.as_deref(), Some("O1"));
    assert_eq!(Group::of(&finding), Some(group));
    let Detail::Race { first, second } = finding.detail else { panic!("a race has two sides") };
    (first.write, second.write)
}

#[test]
fn r_s_the_slot_is_written_while_others_use_it() {
    race("pair", 1, "WARNING: DATA RACE on slot.ctx", Group::Slot);
    race("pair", 1, "WARNING: DATA RACE on slot.rt", Group::Slot);
    race("event", 0, "WARNING: DATA RACE on slot.rt", Group::Slot);
    race("builder", 0, "WARNING: DATA RACE on slot.rt", Group::Slot);
}

#[test]
fn r_c_two_requests_store_their_connections_in_one_transport() {
    race("pair", 1, "WARNING: DATA RACE on T1.conn", Group::Connection);
    race("event", 0, "WARNING: DATA RACE on T1.conn", Group::Connection);
}

#[test]
fn r_p_a_transport_is_used_by_somebody_who_learnt_of_it_through_the_slot() {
    let initialising = (true, false);
    assert_eq!(race("pair", 1, "WARNING: DATA RACE on T1.tls", Group::Published), initialising);
    assert_eq!(race("event", 0, "WARNING: DATA RACE on T1.tls", Group::Published), initialising);
    let inner = "WARNING: DATA RACE on log[exec for pod-1].inner";
    assert_eq!(race("event", 0, inner, Group::Published), initialising);
    let inner = "WARNING: DATA RACE on log[builder 1].inner";
    assert_eq!(race("builder", 1, inner, Group::Published), initialising);
}

#[test]
fn f1_the_own_transport_has_no_connection() {
    let finding = check("pair", 1, "panic: ");
    assert_eq!((finding.kind, finding.oracle.as_deref()), (Kind::Panic, Some("O2")));
    assert_eq!(finding.headline(), NIL);
}

#[test]
fn f1_with_one_goroutine_and_no_race() {
    let (finding, run) = find("buggy", "ordered", 0, |f| f.kind == Kind::Panic).unwrap();
    assert_eq!(finding.headline(), NIL);
    assert!(run.decisions.is_empty(), "there is only one schedule");
    assert_eq!(run.findings.len(), 1, "{:?}", run.findings);
    fixed_shows_nothing("ordered", 1);
    offer("buggy", "ordered", 0, |f| f.kind == Kind::Panic);
}

const F2: &str = "oracle violated: the exec for pod-1 failed and the pod was not signalled: unable to upgrade \
                  connection: Upgrade request required";

#[test]
fn f2_the_request_goes_out_without_upgrade() {
    assert_eq!(check("builder", 1, F2).oracle.as_deref(), Some("O5"));
    check("pair", 2, F2);
}

#[test]
fn f3_an_ordinary_call_goes_through_a_stale_transport() {
    let finding = check("event", 0, "oracle violated: the call 1 went through T1 instead of H");
    assert_eq!(finding.oracle.as_deref(), Some("O3"));
    let program = scenario().program("buggy", "event").unwrap();
    let (_, run) = find("buggy", "event", 0, |f| f.oracle.as_deref() == Some("O3")).unwrap();
    let choices = choices_of(&run.decisions);
    let again = rerun(&program, RunConfig { keep_going: true, ..RunConfig::default() }, choices);
    assert_eq!(again.observed, ["O6: the connection of call 1 is never closed"], "what is behind it");
}

#[test]
fn f4_an_exec_speaks_on_an_ordinary_connection() {
    let text = "oracle violated: the exec for pod-1 speaks on the connection of call 1: create error stream: \
                Timeout occurred";
    assert_eq!(check("event", 1, text).oracle.as_deref(), Some("O4"));
}

#[test]
fn f5_an_exec_kills_another_pod() {
    let text = "oracle violated: the exec for pod-2 speaks on the connection of exec for pod-1: killed pod-1";
    assert_eq!(check("pair", 3, text).oracle.as_deref(), Some("O4"));
}

#[test]
fn a_queue_is_lost_from_a_gauge() {
    assert_eq!(check("queues", 1, "oracle violated: the list ").oracle.as_deref(), Some("O10"));
    race("queues", 0, "WARNING: DATA RACE on unfinished.header", Group::Queues);
    race("queues", 0, "WARNING: DATA RACE on unfinished.array0[3]", Group::Queues);
}

#[test]
fn what_upstream_left_open() {
    let (finding, run) = find("upstream_fix", "solo", 0, |_| true).unwrap();
    assert_eq!(finding.oracle.as_deref(), Some("O9"));
    assert_eq!(run.findings.len(), 1, "{:?}", run.findings);
    fixed_shows_nothing("solo", 1);
    offer("upstream_fix", "solo", 0, |_| true);
    let lost = find("upstream_fix", "queues", 1, |f| f.oracle.as_deref() == Some("O10"));
    assert!(lost.is_some());
}

#[test]
fn the_first_transport_wins_is_wrong_twice() {
    let (_, run) = find("first_wins", "solo", 0, |f| f.oracle.as_deref() == Some("O5")).unwrap();
    assert!(run.observed.iter().any(|line| line.starts_with("O3: ")), "{:?}", run.observed);
}

/// Wherever a least number of preemptions is stated, for any form.
#[test]
fn violations_need_the_stated_number_of_preemptions() {
    let mut checked = 0;
    for variant in scenario().variants() {
        for class in scenario().classes().iter().filter(|class| class.smallest) {
            let Some(Expected::Fails(violations)) = scenario().expected(variant.name, &class.name) else {
                continue;
            };
            for violation in violations {
                let Some(least) = violation.preemptions else { continue };
                let wanted = move |f: &Finding| f.oracle.as_deref() == Some(violation.oracle);
                let what = format!("{} of {} on {}", violation.oracle, variant.name, class.name);
                if let Some(fewer) = least.checked_sub(1) {
                    assert!(find(variant.name, &class.name, fewer, wanted).is_none(), "{what} needs fewer");
                }
                assert!(find(variant.name, &class.name, least, wanted).is_some(), "{what} needs more");
                checked += 1;
            }
        }
    }
    assert!(checked > 100, "{checked}");
}

#[test]
fn race_groups_are_stated_for_every_form_of_the_main_workload() {
    for variant in scenario().variants().iter().filter(|v| !v.name.starts_with("queue_")) {
        for class in ["solo", "ordered", "pair", "event", "builder", "mixed"] {
            assert!(expected::groups(variant.name, class).is_some(), "{} on {class}", variant.name);
        }
    }
}
