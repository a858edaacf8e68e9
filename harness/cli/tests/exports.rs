//! What is written for other programs, and what `bohr replay` shows.

mod support;

use serde_json::Value;
use std::fs;
use support::{Bohr, files};

/// Small enough for every test: the reported situation, in the coarse model.
const CELL: &str = "submariner-image-log/buggy/steady-swiss-coarse";
const RACE: &str = "bohr1:submariner-image-log/buggy/swiss-coarse-1,_,S+:k=A,D+:k=A:AA5NT3Tv5qMEOOR3eRrUSJU";

fn read(bohr: &Bohr, name: &str) -> String {
    fs::read_to_string(bohr.path(name)).unwrap()
}

#[test]
fn a_run_writes_what_is_asked_for_and_the_same_each_time() {
    let bohr = Bohr::new();
    let args = ["run", CELL, "--junit", "new/junit.xml", "--sarif", "bohr.sarif", "--summary", "summary.md"];
    let out = bohr.output(&args, 0);
    assert!(out.contains("1 verdict, all as expected"), "{out}");
    let (junit, sarif, summary) =
        (read(&bohr, "new/junit.xml"), read(&bohr, "bohr.sarif"), read(&bohr, "summary.md"));
    assert!(
        junit.contains(r#"<testcase name="steady-swiss-coarse" classname="submariner-image-log.buggy">"#)
    );
    let log: Value = serde_json::from_str(&sarif).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert!(results.len() >= 3 && results.iter().all(|result| result["suppressions"].is_array()), "{sarif}");
    assert!(summary.contains("✅ 1 verdict, **all as stated**."), "{summary}");
    bohr.output(&args, 0);
    assert_eq!((read(&bohr, "new/junit.xml"), read(&bohr, "bohr.sarif")), (junit, sarif));
    assert_eq!(
        read(&bohr, "summary.md"),
        format!("{summary}\n{summary}"),
        "a summary is added to what is there"
    );
}

#[test]
fn shards_give_the_same_files_once_merged() {
    let bohr = Bohr::new();
    let exports = |name: &'static str| {
        ["--junit".to_owned(), format!("{name}.xml"), "--sarif".to_owned(), format!("{name}.sarif")]
    };
    let with = |args: &[&str], name| {
        let all: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).chain(exports(name)).collect();
        bohr.output(&all.iter().map(String::as_str).collect::<Vec<_>>(), 0);
    };
    let target = "submariner-image-log/buggy";
    with(&["run", CELL], "whole");
    bohr.output(&["run", CELL, "--shard", "1/1"], 0);
    with(&["merge", "target/bohr"], "merged");
    assert_eq!(read(&bohr, "whole.xml"), read(&bohr, "merged.xml"));
    assert_eq!(read(&bohr, "whole.sarif"), read(&bohr, "merged.sarif"));
    bohr.bad_input(&["run", target, "--shard", "1/2", "--junit", "x.xml"], &["cannot export", "bohr merge"]);
}

#[test]
fn what_is_not_as_stated_is_an_alert_and_a_failed_test() {
    let bohr = Bohr::new();
    // One run is too little to show what can go wrong.
    let target = "crio-event-broadcast/buggy/late1";
    let bounds = ["--driver", "dfs", "--schedules", "1"];
    let files = ["--junit", "j.xml", "--sarif", "s.sarif", "--summary", "s.md"];
    bohr.output(&[&["run", target][..], &bounds, &files].concat(), 1);
    let junit = read(&bohr, "j.xml");
    assert!(
        junit.contains(r#"failures="1""#) && junit.contains("<failure message=\"was to violate"),
        "{junit}"
    );
    let log: Value = serde_json::from_str(&read(&bohr, "s.sarif")).unwrap();
    let result = &log["runs"][0]["results"][0];
    assert_eq!(
        (&result["level"], &result["ruleId"]),
        (&"error".into(), &"crio-event-broadcast/verdict".into())
    );
    let place = &result["locations"][0]["physicalLocation"];
    assert!(
        place["artifactLocation"]["uri"].as_str().unwrap().starts_with("scenarios/crio-event-broadcast/src/")
    );
    assert!(read(&bohr, "s.md").contains(&format!("bohr run {target}")));
}

#[test]
fn nothing_is_lost_where_a_file_cannot_be_written() {
    let bohr = Bohr::new();
    fs::write(bohr.path("taken"), "").unwrap();
    let args =
        ["run", CELL, "--junit", "taken/junit.xml", "--summary", "taken/s.md", "--sarif", "bohr.sarif"];
    let (out, err) = bohr.both(&args, 2);
    assert!(out.contains("1 verdict, all as expected"), "{out}");
    assert!(!files(&bohr.path("target/bohr")).is_empty(), "what was found is kept");
    assert!(bohr.path("bohr.sarif").exists(), "the other file is written");
    for part in ["failed to write taken/junit.xml", "--junit", "failed to write taken/s.md", "--summary"] {
        assert!(err.contains(part), "{part}: {err}");
    }
    let (out, err) = bohr.both(&["replay", RACE, "--shiviz", "taken/log"], 2);
    assert!(
        out.contains("Same run, same finding") && err.contains("give another file with --shiviz"),
        "{out}{err}"
    );
}

#[test]
fn standard_output_holds_one_thing() {
    let bohr = Bohr::new();
    let xml = bohr.output(&["run", CELL, "--junit", "-"], 0);
    assert!(xml.starts_with("<?xml") && xml.trim_end().ends_with("</testsuites>"), "{xml}");
    let log = bohr.json(&["replay", RACE, "--sarif", "-"], 0);
    assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), 1);
    bohr.bad_input(&["run", CELL, "--junit", "-", "--sarif", "-"], &["more than one file called `-`"]);
    bohr.bad_input(&["run", CELL, "--json", "--sarif", "-"], &["--json and a file called `-`"]);
    bohr.bad_input(&["replay", RACE, "--json", "--shiviz", "-"], &["--json and a file called `-`"]);
}

#[test]
fn a_replay_shows_all_or_only_what_go_would() {
    let bohr = Bohr::new();
    let go = bohr.output(&["replay", RACE, "--go"], 0);
    assert!(
        go.starts_with("==================\nWARNING: DATA RACE\nRead at ")
            && go.ends_with("==================\n"),
        "{go}"
    );
    let log = bohr.output(&["replay", RACE, "--shiviz", "-"], 0);
    assert!(log.starts_with("(?<event>"), "{log}");
    let (short, all) = (bohr.output(&["replay", RACE], 0), bohr.output(&["replay", RACE, "--verbose"], 0));
    assert_eq!(short, all, "nothing is left out of so short a run");
    bohr.bad_input(&["replay", RACE, "--go", "--verbose"], &["cannot be used with"]);
    let lost = bohr.json(&["run", "kata-deploy-config/buggy", "--json"], 0);
    let cells = lost["cells"].as_array().unwrap();
    let mut found = cells.iter().flat_map(|cell| cell["found"].as_array().unwrap());
    let oracle =
        found.find(|kept| kept["headline"].as_str().unwrap().starts_with("oracle violated")).unwrap();
    bohr.bad_input(&["replay", oracle["token"].as_str().unwrap(), "--go"], &["Go notices no such failure"]);
}

#[test]
fn each_task_has_a_colour_where_there_are_colours() {
    let bohr = Bohr::new();
    let plain = bohr.output(&["replay", RACE], 0);
    assert!(!plain.contains('\u{1b}'));
    let coloured = assert_cmd::Command::cargo_bin("bohr")
        .unwrap()
        .env("CLICOLOR_FORCE", "1")
        .args(["replay", RACE])
        .output()
        .unwrap();
    let coloured = support::text(&coloured.stdout);
    assert!(coloured.contains("\u{1b}[36mcalls under k.call"), "S is cyan\n{coloured}");
    assert!(coloured.contains("\u{1b}[33mcalls under k.call"), "D is yellow\n{coloured}");
    assert_eq!(console::strip_ansi_codes(&coloured), plain, "nothing else differs");
}
