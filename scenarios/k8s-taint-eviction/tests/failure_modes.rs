//! Each failure mode at its smallest configuration, with the fewest preemptions, and none of them in the
//! fixed form.

mod common;

use bohr_explore::regression;
use bohr_explore::strategy::Bounds;
use bohr_kernel::Kind;
use common::found;
use k8s_taint_eviction::TaintEviction;

/// The oracle shows with so many preemptions, and not with one fewer.
#[track_caller]
fn check(variant: &str, workload: &str, oracle: &'static str, preemptions: u32) {
    let shows = |preemptions| {
        let (found, exhausted) = found(variant, workload, Some(preemptions));
        assert!(exhausted.all);
        found.contains_key(oracle)
    };
    assert!(shows(preemptions), "{variant} on {workload}: no {oracle} with {preemptions} preemptions");
    if let Some(fewer) = preemptions.checked_sub(1) {
        assert!(!shows(fewer), "{variant} on {workload}: {oracle} already with {fewer} preemptions");
    }
    let bounds = Bounds { preemptions: Some(preemptions), cache: true, ..Bounds::default() };
    regression::offer(&TaintEviction, (variant, workload), bounds, move |outcome| {
        outcome.findings.iter().find(|f| f.oracle.as_deref() == Some(oracle))
    });
}

#[test]
fn m1_an_update_during_running_work_dereferences_nil() {
    check("buggy", "M1", "O1", 0);
    let (found, _) = found("buggy", "M1", None);
    let finding = &found["O1"];
    assert_eq!(finding.kind, Kind::Panic);
    let text = "runtime error: invalid memory address or nil pointer dereference\n\
                [signal SIGSEGV: segmentation violation code=0x1]";
    assert_eq!(finding.text, text);
    assert_eq!(finding.headline(), format!("panic: {text}"));
    let site = finding.site.as_ref().expect("a panic has a place");
    assert!(site.file.ends_with("k8s-taint-eviction/src/buggy.rs"), "{site}");
}

#[test]
fn m1_through_the_controller() {
    check("buggy", "C-add", "O1", 0);
    check("without_f1", "C-update", "O1", 0);
}

#[test]
fn t1_the_test_looks_before_the_event_was_created() {
    for class in ["C-initial", "C-add", "C-update", "C-delete"] {
        check("buggy", class, "O12a", 0);
        check("without_f2", class, "O12a", 0);
    }
}

#[test]
fn l1_a_pod_that_is_scheduled_last_is_never_evaluated() {
    check("buggy", "C-update", "O10", 0);
    check("without_f3", "C-update", "O10", 0);
    check("ref_without_f3", "C-update", "O10", 0);
}

#[test]
fn m2_a_nil_that_stays_swallows_later_work() {
    check("keep_nil_after_finish", "M3", "O10", 1);
}

#[test]
fn m3_a_worker_removes_the_entry_of_a_newer_one() {
    for variant in ["buggy", "upstream_fix"] {
        check(variant, "M3", "O7", 0);
        check(variant, "U0,R,U0,U0", "O2", 2);
    }
}

#[test]
fn m4_a_replaced_pod_is_taken_for_the_old_one() {
    check("upstream_fix", "M4", "O10", 0);
}

#[test]
fn m5_two_workers_after_a_timer_that_fired() {
    for variant in ["buggy", "upstream_fix"] {
        check(variant, "M5", "O2", 2);
    }
}

#[test]
fn m6_cancelled_and_evicted() {
    for variant in ["buggy", "upstream_fix"] {
        check(variant, "M6", "O5", 1);
    }
}

#[test]
fn m7_a_cancel_forgets_running_work() {
    for variant in ["buggy", "upstream_fix"] {
        check(variant, "M7", "O2", 1);
    }
}

#[test]
fn m8_five_errors_of_the_api_server_lose_the_eviction_in_every_form() {
    for variant in ["buggy", "upstream_fix", "fixed"] {
        check(variant, "M8", "O10", 0);
        assert!(found(variant, "U0!4", None).0.is_empty());
    }
}

#[test]
fn the_fixed_form_has_none_of_the_others() {
    for class in
        ["M1", "M3", "M4", "M5", "M6", "M7", "U0,R,U0,U0", "C-initial", "C-add", "C-update", "C-delete"]
    {
        let (found, exhausted) = found("fixed", class, None);
        assert!(exhausted.all && found.is_empty(), "{class}: {found:?}");
    }
}
