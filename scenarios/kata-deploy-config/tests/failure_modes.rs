//! Every way to fail, each in its smallest configuration with the least number of preemptions; none of them in
//! the fixed form.

use bohr_explore::regression;
use bohr_explore::search::search;
use bohr_explore::strategy::Bounds;
use bohr_kernel::{Finding, Outcome, RunConfig};
use kata_deploy_config::{DeployConfig, scenario};
use std::cell::Cell;
use std::rc::Rc;

/// A way to fail.
struct Mode {
    /// Its test in `tokens.rs`.
    id: &'static str,
    workload: &'static str,
    /// The least number of preemptions.
    least: u32,
    /// The finding that speaks for it, in a run that shows it.
    shows: for<'o> fn(&Run<'o>) -> Option<&'o Finding>,
}

/// What a run has shown.
struct Run<'o>(&'o Outcome);

impl<'o> Run<'o> {
    fn says(&self, oracle: &str, text: &str) -> Option<&'o Finding> {
        let mut findings = self.0.findings.iter();
        findings.find(|f| f.oracle.as_deref() == Some(oracle) && f.text.contains(text))
    }

    fn only(&self, oracles: &[&str]) -> bool {
        self.0.findings.iter().all(|f| f.oracle.as_deref().is_some_and(|o| oracles.contains(&o)))
    }

    fn notes(&self, note: &str) -> bool {
        self.0.trace.as_ref().is_some_and(|t| t.steps.iter().any(|s| s.note.contains(note)))
    }
}

const MODES: [Mode; 17] = [
    Mode {
        id: "f1_stale_tail",
        workload: "two-installs:keys=1",
        least: 2,
        shows: |run| run.says("O2", "UnexpectedCharError: Unexpected character: '\"' at line 8 col 2."),
    },
    Mode {
        id: "f2_lost_base_both_exit_0",
        workload: "two-installs:keys=1",
        least: 2,
        shows: |run| run.says("O4", "no version").filter(|_| run.says("O10", "").is_none()),
    },
    Mode {
        id: "f3_wrong_schema_both_exit_0",
        workload: "two-installs:keys=1",
        least: 2,
        shows: |run| run.says("O3", "[cri.k").filter(|_| run.says("O10", "").is_none()),
    },
    Mode {
        id: "f4_lost_update",
        workload: "two-installs:keys=1",
        least: 1,
        shows: |run| run.says("O5", "its runtime is not there").filter(|_| run.only(&["O5"])),
    },
    Mode {
        id: "f5_an_empty_file_is_loaded",
        workload: "read-install:keys=1",
        least: 1,
        shows: |run| run.says("O1", "containerd loads no version"),
    },
    Mode {
        id: "f5_a_prefix_is_loaded",
        workload: "read-install:keys=1",
        least: 1,
        shows: |run| run.says("O1", "unexpected token unclosed table key, was expecting a table key"),
    },
    Mode {
        id: "f6_an_absent_file_is_loaded",
        workload: "read-cleanup:keys=1",
        least: 1,
        shows: |run| run.says("O1", "No such file or directory"),
    },
    Mode {
        id: "f6_an_absent_file_is_edited",
        workload: "delete:keys=1",
        least: 0,
        shows: |run| {
            run.says(
                "O10",
                "exits with 2: tomlq: error: argument files: can't open '/etc/containerd/config.toml': [Errno 2] No \
                 such file or directory: '/etc/containerd/config.toml'",
            )
        },
    },
    Mode {
        id: "f7_uninstall_undone",
        workload: "delete:keys=1",
        least: 1,
        shows: |run| run.says("O7", "[rt.k1] is there, and no backup"),
    },
    Mode {
        id: "f8_backup_polluted",
        workload: "apply:keys=1",
        least: 1,
        shows: |run| run.says("O6", "the backup holds runtimes of Kata"),
    },
    Mode {
        id: "f9_backup_torn_empty_or_polluted",
        workload: "two-installs:keys=1",
        least: 1,
        shows: |run| run.says("O6", "the backup holds runtimes of Kata"),
    },
    Mode {
        id: "f10_killed_between_truncation_and_write",
        workload: "kill-install:keys=1",
        least: 1,
        shows: |run| run.says("O4", "no version"),
    },
    Mode {
        id: "f10_killed_between_two_edits",
        workload: "kill-install",
        least: 1,
        shows: |run| run.says("O4", "[rt.k1] has not exactly its keys"),
    },
    Mode {
        id: "f11_the_same_import_twice",
        workload: "import:keys=1",
        least: 1,
        shows: |run| run.says("O15", "2 times"),
    },
    Mode {
        id: "f13_stuck_a_restart_fails_too",
        workload: "two-installs:restarts=1",
        least: 2,
        shows: |run| {
            let wrong = "tomlq: Error running jq: ";
            let stuck = run.says("O10", &format!("exits with 1: {wrong}"));
            stuck.filter(|_| run.says("O2", wrong).is_some())
        },
    },
    Mode {
        id: "f14_write_into_a_replaced_inode_lost",
        workload: "apply:keys=1",
        least: 1,
        shows: |run| run.says("O8", "").filter(|_| run.notes(LOST) && run.only(&["O8"])),
    },
    Mode {
        id: "f15_base_gone_for_good",
        workload: "delete:keys=1",
        least: 0,
        shows: |run| run.says("O2", "there is no config.toml"),
    },
];

/// What a write does that nobody will ever read.
const LOST: &str = "of an inode that has no name";

#[test]
fn a_late_cleanup_never_loses_the_base_for_good() {
    let early = MODES.iter().find(|mode| mode.id.starts_with("f15")).expect("it is there");
    let late = Mode { workload: "delete:keys=1:late", ..*early };
    assert!(!found(&late, "buggy", None));
}

/// Whether some schedule with at most so many preemptions shows it.
fn found(mode: &Mode, variant: &str, preemptions: Option<u32>) -> bool {
    let (shows, record) = (mode.shows, mode.id.starts_with("f14"));
    reached(variant, mode.workload, preemptions, record, move |run| shows(run).is_some())
}

fn reached(
    variant: &str,
    workload: &str,
    preemptions: Option<u32>,
    record: bool,
    shows: impl Fn(&Run<'_>) -> bool + 'static,
) -> bool {
    let program = scenario().program(variant, workload).expect("both exist");
    let seen: Rc<Cell<bool>> = Rc::default();
    let sink = {
        let seen = seen.clone();
        move |outcome: Outcome| {
            seen.set(shows(&Run(&outcome)));
            !seen.get()
        }
    };
    let config = RunConfig { keep_going: true, record, ..RunConfig::default() };
    let exhausted = search(&program, config, Bounds { preemptions, cache: true, ..Bounds::default() }, sink);
    assert!(seen.get() || exhausted.all);
    seen.get()
}

#[test]
fn each_shows_with_the_least_preemptions_and_not_with_fewer() {
    for mode in &MODES {
        assert!(found(mode, "buggy", Some(mode.least)), "{} needs more than {}", mode.id, mode.least);
        if mode.least > 0 {
            assert!(
                !found(mode, "buggy", Some(mode.least - 1)),
                "{} needs fewer than {}",
                mode.id,
                mode.least
            );
        }
        let (shows, preemptions) = (mode.shows, Some(mode.least));
        let bounds = Bounds { preemptions, cache: true, ..Bounds::default() };
        let at = ("buggy", mode.workload);
        regression::offer_as(mode.id, &DeployConfig, at, bounds, move |run| shows(&Run(run)));
    }
}

#[test]
fn none_shows_in_the_fixed_form() {
    for mode in &MODES {
        assert!(!found(mode, "fixed", None), "{}", mode.id);
    }
}

/// Where nobody installs again, nothing is wrong with what is left: the write is lost, and that is all.
#[test]
fn f14_in_silence() {
    let silent = |run: &Run<'_>| run.notes(LOST) && run.only(&[]);
    let reached = |variant, preemptions| reached(variant, "delete:keys=1", preemptions, true, silent);
    assert!(reached("buggy", Some(1)) && !reached("buggy", Some(0)));
    assert!(!reached("fixed", None));
}
