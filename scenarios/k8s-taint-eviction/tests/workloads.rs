//! Workloads: written and read, shrunk, drawn from bytes.

use arbitrary::{Arbitrary, Unstructured};
use bohr_explore::search::search;
use bohr_explore::strategy::Bounds;
use bohr_kernel::RunConfig;
use bohr_kernel::scenario::{AnyScenario, Expected, Scenario, Workload as _};
use k8s_taint_eviction::TaintEviction;
use k8s_taint_eviction::workload::Workload;

fn drawn(count: u64) -> impl Iterator<Item = Workload> {
    let bytes = |seed: u64| {
        let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let next = move || {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            x as u8
        };
        std::iter::repeat_with(next).take(64).collect::<Vec<u8>>()
    };
    (0..count).filter_map(move |seed| Workload::arbitrary(&mut Unstructured::new(&bytes(seed))).ok())
}

#[track_caller]
fn check_written(workload: &Workload) {
    let text = workload.to_string();
    assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || "-_=+:,@!".contains(c)), "{text}");
    assert_eq!(text.parse::<Workload>().as_ref(), Ok(workload), "{text}");
}

#[test]
fn what_is_written_can_be_read() {
    for class in Scenario::classes(&TaintEviction) {
        check_written(&class.workload);
        assert_eq!(class.workload.to_string(), class.name);
    }
    assert!(drawn(500).count() > 400, "few bytes are no workload");
    drawn(500).for_each(|workload| check_written(&workload));
}

#[test]
fn what_makes_no_sense_cannot_be_read() {
    for text in [
        "",
        "K9",
        "U0,",
        "U0!x",
        "U0:U0:U0",
        "R:U0",
        "objects=_,writes=SC,polls=1",
        "objects=PC,writes=_,polls=1",
        // The fuzzer made it: the fixed form failed on it, since the tester looks for the events of pod A.
        "objects=QCS,writes=_,polls=0",
    ] {
        assert!(text.parse::<Workload>().is_err(), "{text}");
    }
}

#[test]
fn shrinking_goes_down_and_stays_readable() {
    for workload in drawn(200).chain(Scenario::classes(&TaintEviction).into_iter().map(|c| c.workload)) {
        for smaller in workload.shrink() {
            assert!(smaller.size() < workload.size(), "{smaller} is not smaller than {workload}");
            check_written(&smaller);
        }
    }
}

#[test]
fn the_fixed_form_holds_on_drawn_workloads() {
    for workload in drawn(40).map(|workload| workload.to_string()) {
        if AnyScenario::expected(&TaintEviction, "fixed", &workload) != Some(Expected::Holds) {
            continue;
        }
        let program = TaintEviction.program("fixed", &workload).expect("the scenario has it");
        let config = RunConfig { keep_going: true, ..RunConfig::default() };
        let bounds = Bounds { preemptions: Some(1), runs: Some(1500), cache: true, ..Bounds::default() };
        let sink = move |outcome: bohr_kernel::Outcome| {
            assert!(outcome.findings.is_empty(), "{workload}: {:?}", outcome.findings);
            true
        };
        search(&program, config, bounds, sink);
    }
}
