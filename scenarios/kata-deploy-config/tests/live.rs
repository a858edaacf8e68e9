//! Real processes on real files: the reported form corrupts the configuration, the fixed one does not.

use kata_deploy_config::live::{Live, LiveReport, base, live, live_worker};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a parent starts: this test program, with only this test.
#[test]
fn worker() {
    if let Some(status) = live_worker() {
        std::process::exit(status);
    }
}

fn rounds(variant: &str, rounds: u32) -> LiveReport {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let report = live(&Live {
        program: std::env::current_exe().expect("this program has a path"),
        args: ["--exact", "worker", "--nocapture"].map(str::to_owned).to_vec(),
        dir: dir.path().to_owned(),
        variant: variant.to_owned(),
        rounds,
        scale: 0.05,
        until: Instant::now() + Duration::from_secs(60),
        stop: Arc::default(),
    });
    report.expect("processes can be started")
}

#[test]
fn the_reported_form_corrupts_the_configuration() {
    // Measured on an idle machine and on a busy one: every round of two installs at once.
    let report = rounds("buggy", 3);
    assert!(report.corrupt >= 1, "{report:?}");
    assert!(report.findings.iter().all(|f| f.oracle != "O14"), "{report:?}");
}

#[test]
fn the_fixed_form_does_not() {
    let report = rounds("fixed", 6);
    let findings: Vec<_> = report.findings.iter().map(|f| (f.round, f.oracle, &f.text, &f.exits)).collect();
    assert!(findings.is_empty(), "{findings:?}");
    assert!(report.rounds >= 1 && report.polls > 10, "{} rounds, {} polls", report.rounds, report.polls);
}

#[test]
fn the_real_file_has_the_size_and_the_end_of_containerds() {
    let base = base();
    assert!((8_000..13_000).contains(&base.len()), "{} bytes", base.len());
    let tail = base.find("3s\"").expect("it is there");
    assert_eq!(base.len() - tail, 84);
    assert!(base.parse::<toml_edit::DocumentMut>().is_ok());
}
