//! Every way to fail, each in its smallest configuration with the least number of preemptions; none of them in
//! the fixed form.

use bohr_explore::search::search;
use bohr_explore::strategy::Bounds;
use bohr_kernel::{Outcome, RunConfig};
use kata_deploy_config::scenario;
use std::cell::Cell;
use std::rc::Rc;

/// A way to fail.
struct Mode {
    id: &'static str,
    workload: &'static str,
    /// The least number of preemptions.
    least: u32,
    shows: fn(&Run) -> bool,
}

/// What a run has shown.
struct Run(Outcome);

impl Run {
    fn says(&self, oracle: &str, text: &str) -> bool {
        let mut findings = self.0.findings.iter();
        findings.any(|f| f.oracle.as_deref() == Some(oracle) && f.text.contains(text))
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
        id: "F1 stale tail",
        workload: "two-installs:keys=1",
        least: 2,
        shows: |run| run.says("O2", "UnexpectedCharError: Unexpected character: '\"' at line 8 col 2."),
    },
    Mode {
        id: "F2 lost base, both exit 0",
        workload: "two-installs:keys=1",
        least: 2,
        shows: |run| run.says("O4", "no version") && !run.says("O10", ""),
    },
    Mode {
        id: "F3 wrong schema, both exit 0",
        workload: "two-installs:keys=1",
        least: 2,
        shows: |run| run.says("O3", "[cri.k") && !run.says("O10", ""),
    },
    Mode {
        id: "F4 lost update",
        workload: "two-installs:keys=1",
        least: 1,
        shows: |run| run.says("O5", "its runtime is not there") && run.only(&["O5"]),
    },
    Mode {
        id: "F5 an empty file is loaded",
        workload: "read-install:keys=1",
        least: 1,
        shows: |run| run.says("O1", "containerd loads no version"),
    },
    Mode {
        id: "F5 a prefix is loaded",
        workload: "read-install:keys=1",
        least: 1,
        shows: |run| run.says("O1", "unexpected token unclosed table key, was expecting a table key"),
    },
    Mode {
        id: "F6 an absent file is loaded",
        workload: "read-cleanup:keys=1",
        least: 1,
        shows: |run| run.says("O1", "No such file or directory"),
    },
    Mode {
        id: "F6 an absent file is edited",
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
        id: "F7 uninstall undone",
        workload: "delete:keys=1",
        least: 1,
        shows: |run| run.says("O7", "[rt.k1] is there, and no backup"),
    },
    Mode {
        id: "F8 backup polluted",
        workload: "apply:keys=1",
        least: 1,
        shows: |run| run.says("O6", "the backup holds runtimes of Kata"),
    },
    Mode {
        id: "F9 backup torn, empty or polluted",
        workload: "two-installs:keys=1",
        least: 1,
        shows: |run| run.says("O6", "the backup holds runtimes of Kata"),
    },
    Mode {
        id: "F10 killed between truncation and write",
        workload: "kill-install:keys=1",
        least: 1,
        shows: |run| run.says("O4", "no version"),
    },
    Mode {
        id: "F10 killed between two edits",
        workload: "kill-install",
        least: 1,
        shows: |run| run.says("O4", "[rt.k1] has not exactly its keys"),
    },
    Mode {
        id: "F11 the same import twice",
        workload: "import:keys=1",
        least: 1,
        shows: |run| run.says("O15", "2 times"),
    },
    Mode {
        id: "F13 stuck: a restart fails too",
        workload: "two-installs:restarts=1",
        least: 2,
        shows: |run| {
            let wrong = "tomlq: Error running jq: ";
            run.says("O2", wrong) && run.says("O10", &format!("exits with 1: {wrong}"))
        },
    },
    Mode {
        id: "F14 write into a replaced inode, silently lost",
        workload: "delete:keys=1",
        least: 1,
        shows: |run| run.notes("of an inode that has no name") && run.only(&[]),
    },
    Mode {
        id: "F15 base gone for good",
        workload: "delete:keys=1",
        least: 0,
        shows: |run| run.says("O2", "there is no config.toml"),
    },
];

#[test]
fn a_late_cleanup_never_loses_the_base_for_good() {
    let early = MODES.iter().find(|mode| mode.id.starts_with("F15")).expect("it is there");
    let late = Mode { workload: "delete:keys=1:late", ..*early };
    assert!(!found(&late, "buggy", None));
}

/// Whether some schedule with at most so many preemptions shows it.
fn found(mode: &Mode, variant: &str, preemptions: Option<u32>) -> bool {
    let program = scenario().program(variant, mode.workload).expect("both exist");
    let seen: Rc<Cell<bool>> = Rc::default();
    let sink = {
        let (seen, shows) = (seen.clone(), mode.shows);
        move |outcome: Outcome| {
            seen.set(shows(&Run(outcome)));
            !seen.get()
        }
    };
    let record = mode.id.starts_with("F14");
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
    }
}

#[test]
fn none_shows_in_the_fixed_form() {
    for mode in &MODES {
        assert!(!found(mode, "fixed", None), "{}", mode.id);
    }
}
