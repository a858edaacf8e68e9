//! Shards show together what one machine shows, whatever happens to them on the way.

mod support;

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use support::{Bohr, files};

/// Quick, and with verdicts of all sorts: the bug, its fix, and wrong fixes that are sampled.
const RUN: [&str; 5] = [
    "run",
    "submariner/buggy/steady-swiss-coarse",
    "submariner/fixed",
    "submariner/rlock_upgrade/steady-swiss-coarse",
    "crio/fixed/late1",
];
/// Proofs of several workloads, two of which are refuted by what is only observed.
const PROVE: [&str; 4] = ["prove", "crio/fixed", "--by", "traces"];
const FUZZ: [&str; 6] = ["fuzz", "submariner/buggy", "--seeds", "3", "--schedules", "900"];

/// Does all shards of a command and gives the folder of their results.
fn shards(bohr: &Bohr, command: &[&str], of: usize) -> String {
    for i in 1..=of {
        let shard = format!("{i}/{of}");
        let out = bohr.output(&[command, &["--shard", &shard]].concat(), 0);
        assert!(out.contains(&format!("Shard {shard} of `bohr {}", command[0])), "{out}");
    }
    folder(bohr, of)
}

/// The folder of the results, which are all that is left in it.
fn folder(bohr: &Bohr, of: usize) -> String {
    let results = files(&bohr.path("target/bohr/shards"));
    let names: Vec<_> = results.iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect();
    let expected: Vec<_> = (1..=of).map(|i| format!("{i}-of-{of}.json")).collect();
    assert_eq!(names, expected);
    results[0].parent().unwrap().to_str().unwrap().to_owned()
}

/// Without the last line of a run, which says how long it took.
fn timeless(out: &str) -> Vec<&str> {
    let is_time = |line: &&str| line.contains(" schedules in ") || line.contains(" schedules on ");
    assert_eq!(out.lines().filter(is_time).count(), 1, "{out}");
    out.lines().filter(|line| !is_time(line)).collect()
}

#[test]
fn a_run_in_shards_prints_what_one_machine_prints() {
    let (one, bohr) = (Bohr::new(), Bohr::new());
    let folder = shards(&bohr, &RUN, 3);
    let json = bohr.output(&["merge", &folder, "--json"], 0);
    assert_eq!(json, one.output(&[&RUN[..], &["--json"]].concat(), 0));
    assert_eq!(timeless(&bohr.output(&["merge", &folder], 0)), timeless(&one.output(&RUN, 0)));
    // What was found is kept in the same files.
    let findings = |bohr: &Bohr| {
        let of_scenario = ["submariner-image-log", "crio-event-broadcast"];
        let files = of_scenario.into_iter().flat_map(|name| files(&bohr.path("target/bohr").join(name)));
        files.map(|file| (file.file_name().unwrap().to_owned(), fs::read(&file).unwrap())).collect::<Vec<_>>()
    };
    assert!(findings(&one).len() > 3);
    assert_eq!(findings(&bohr), findings(&one));
}

#[test]
fn a_proof_in_shards_prints_what_one_machine_prints() {
    let (one, bohr) = (Bohr::new(), Bohr::new());
    // So many that some have nothing to do in some proofs.
    let folder = shards(&bohr, &PROVE, 7);
    assert_eq!(
        bohr.output(&["merge", &folder, "--json"], 0),
        one.output(&[&PROVE[..], &["--json"]].concat(), 0)
    );
    let out = bohr.output(&["merge", &folder], 0);
    assert_eq!(out, one.output(&PROVE, 0));
    assert!(out.contains("distinct traces, no finding") && out.contains("(only observed)"), "{out}");
}

#[test]
fn proofs_by_states_are_dealt_out_whole() {
    let (one, bohr) = (Bohr::new(), Bohr::new());
    let command = ["prove", "crio/fixed", "--preemptions", "1"];
    let folder = shards(&bohr, &command, 3);
    let json = bohr.output(&["merge", &folder, "--json"], 0);
    assert_eq!(json, one.output(&[&command[..], &["--json"]].concat(), 0));
}

#[test]
fn fuzzing_in_shards_prints_what_one_machine_prints() {
    let (one, bohr) = (Bohr::new(), Bohr::new());
    let folder = shards(&bohr, &FUZZ, 3);
    assert_eq!(
        bohr.output(&["merge", &folder, "--json"], 0),
        one.output(&[&FUZZ[..], &["--json"]].concat(), 0)
    );
    let out = bohr.output(&["merge", &folder], 0);
    assert_eq!(out, one.output(&FUZZ, 0));
    assert!(out.contains("from seed 3"), "{out}");
}

#[test]
fn a_surprise_is_for_all_shards_together_to_tell() {
    let bohr = Bohr::new();
    // One schedule does not show it.
    let command =
        ["run", "submariner/rwlock_split/fresh_shared-old-fine", "--driver", "dfs", "--schedules", "1"];
    let folder = shards(&bohr, &command, 2);
    let (out, _) = bohr.both(&["merge", &folder], 1);
    assert!(out.contains("1 of 1 verdict not as expected"), "{out}");
    let bohr = Bohr::new();
    let folder =
        shards(&bohr, &["prove", "crio/fixed/burst3_close", "--by", "traces", "--schedules", "5"], 2);
    bohr.both(&["merge", &folder], 1);
}

/// Kills a shard with SIGKILL once it has kept something that `enough` likes, and starts it again.
fn killed_midway(bohr: &Bohr, command: &[&str], enough: impl Fn(&[PathBuf]) -> bool) {
    let mut child = bohr.start(command);
    let kept = loop {
        let kept = files(&bohr.path("target/bohr/shards"));
        if enough(&kept) {
            break kept;
        }
        assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
        std::thread::sleep(Duration::from_millis(2));
    };
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success(), "it was done before it was killed");
    assert!(kept.iter().all(|file| !file.ends_with("1-of-2.json")), "{kept:?}");
}

fn is_unit(file: impl AsRef<Path>) -> bool {
    file.as_ref().file_stem().unwrap().to_str().unwrap().bytes().all(|b| b.is_ascii_digit())
}

#[test]
fn a_shard_that_is_killed_and_started_again_loses_nothing_and_counts_nothing_twice() {
    let (one, bohr) = (Bohr::new(), Bohr::new());
    let first = |command: &[&'static str]| [command, &["--shard", "1/2", "--jobs", "1"]].concat();
    let run = ["run", "submariner/fixed"];
    killed_midway(&bohr, &first(&run), |kept| kept.iter().filter(|file| is_unit(file)).count() >= 2);
    let json = bohr.json(&[&first(&run)[..], &["--json"]].concat(), 0);
    assert!(json["before"].as_u64() >= Some(2) && json["before"].as_u64() < json["done"].as_u64(), "{json}");
    // A third start has nothing left to do.
    let again = bohr.json(&[&first(&run)[..], &["--json"]].concat(), 0);
    assert_eq!((&again["before"], &again["done"]), (&json["done"], &json["done"]));
    bohr.output(&[&run[..], &["--shard", "2/2"]].concat(), 0);
    let merged = bohr.output(&["merge", &folder(&bohr, 2), "--json"], 0);
    assert_eq!(merged, one.output(&[&run[..], &["--json"]].concat(), 0));
}

#[test]
fn a_proof_is_gone_on_with_in_the_middle() {
    let (one, bohr) = (Bohr::new(), Bohr::new());
    // Long enough to be kept on the way, which is first done after a tenth of a second.
    let prove = ["prove", "k8s/fixed/M3", "--by", "traces"];
    let shard = |shard: &'static str| [&prove[..], &["--shard", shard, "--jobs", "1"]].concat();
    let under_way = |kept: &[PathBuf]| kept.iter().any(|file| file.ends_with("under-way-0.json"));
    killed_midway(&bohr, &shard("1/2"), under_way);
    let kept =
        files(&bohr.path("target/bohr/shards")).into_iter().find(|file| file.ends_with("under-way-0.json"));
    let kept: Value = serde_json::from_str(&fs::read_to_string(kept.unwrap()).unwrap()).unwrap();
    let executions = |part: &Value| part["executions"].as_u64().unwrap();
    assert!(kept["proof"]["parts"].as_array().unwrap().iter().map(executions).sum::<u64>() > 100, "{kept}");
    for i in ["1/2", "2/2"] {
        bohr.output(&shard(i), 0);
    }
    let merged = bohr.output(&["merge", &folder(&bohr, 2), "--json"], 0);
    assert_eq!(merged, one.output(&[&prove[..], &["--json"]].concat(), 0));
}

#[cfg(unix)]
#[test]
fn a_shard_that_is_asked_to_stop_says_how_far_it_is() {
    let bohr = Bohr::new();
    let command = ["run", "--shard", "1/2", "--jobs", "1"];
    let mut child = bohr.start(&command);
    while !files(&bohr.path("target/bohr/shards")).iter().any(is_unit) {
        assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
        std::thread::sleep(Duration::from_millis(2));
    }
    let kill = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let [head] =
        &files(&bohr.path("target/bohr/shards")).into_iter().filter(|f| !is_unit(f)).collect::<Vec<_>>()[..]
    else {
        panic!("there is a result, or a file that was not finished")
    };
    bohr.bad_input(&["merge", "target/bohr"], &["no shard's result in target/bohr", "I-of-N.json"]);
    // Another build is not to go on with it.
    let changed = fs::read_to_string(head).unwrap().replace("\"program\":\"", "\"program\":\"0");
    fs::write(head, changed).unwrap();
    bohr.bad_input(&command, &["cannot go on with shard 1/2", "another build", "remove it"]);
}

#[test]
fn what_is_not_all_shards_of_one_command_is_refused() {
    let bohr = Bohr::new();
    let command = ["prove", "crio/fixed", "--class", "doa"];
    let folder = shards(&bohr, &command, 3);
    let file = |i: usize| format!("{folder}/{i}-of-3.json");
    let merge = |files: &[&str], says: &[&str]| bohr.bad_input(&[&["merge"], files].concat(), says);
    // Whoever names a file and its folder means it once.
    bohr.output(&["merge", &file(1), &folder], 0);
    merge(
        &[&file(1), &file(3)],
        &["shard 2/3 is missing", "bohr prove crio/fixed --class doa", "--shard 2/3"],
    );
    merge(&[&file(2)], &["shard 1/3, 3/3 are missing"]);
    let copy = bohr.path("copy.json").to_str().unwrap().to_owned();
    let altered = |from: &str, to: &str| {
        let text = fs::read_to_string(file(2)).unwrap();
        assert!(text.contains(from), "{from}: {text}");
        fs::write(&copy, text.replacen(from, to, 1)).unwrap();
    };
    altered("", "");
    merge(&[&folder, &copy], &["shard 2/3 is there twice", "2-of-3.json", "copy.json"]);
    let with_copy = [&file(1), copy.as_str(), &file(3)];
    bohr.output(&[&["merge"], &with_copy[..]].concat(), 0);
    altered("\"steps\":20000", "\"steps\":10000");
    merge(&with_copy, &["of `bohr prove crio/fixed", "--steps 10000", "one command"]);
    altered("2/3", "2/4");
    merge(&with_copy, &["shard 1/3", "is 2/4", "one split"]);
    altered("\"program\":\"", "\"program\":\"0");
    merge(&with_copy, &["different builds"]);
    altered("\"version\":1", "\"version\":2");
    merge(&with_copy, &["copy.json", "version 2", "reads version 1"]);
    altered("\"units\":{\"0\"", "\"units\":{\"1\"");
    merge(&with_copy, &["copy.json", "does not hold the units"]);
    // The parts of another shard.
    altered("\"index\":1", "\"index\":2");
    merge(&with_copy, &["share 2 of 3 is there 0 times"]);
    altered("{", "");
    merge(&with_copy, &["copy.json", "not the result of a shard"]);
    fs::write(&copy, "").unwrap();
    merge(&with_copy, &["copy.json", "not the result of a shard"]);
    merge(&["nowhere"], &["nowhere"]);
    merge(&[], &["FILE|DIR"]);
    for i in 1..=3 {
        let text = fs::read_to_string(file(i)).unwrap();
        fs::write(file(i), text.replace("\"program\":\"", "\"program\":\"0")).unwrap();
    }
    merge(&[&folder], &["another build of bohr", "merge with the build that ran them"]);
}

#[test]
fn shards_that_mean_nothing_are_refused() {
    let bohr = Bohr::new();
    for (shard, says) in
        [("0/3", "counted from 1"), ("4/3", "the last is 3/3"), ("2", "such as 2/3"), ("1/0", "no shard")]
    {
        for command in [&["run"][..], &["prove", "crio/fixed"], &["fuzz", "crio/fixed"]] {
            bohr.bad_input(&[command, &["--shard", shard]].concat(), &["--shard", says]);
        }
    }
    bohr.bad_input(&["run", "--shard", "1/2", "--time", "1s"], &["--time"]);
    bohr.bad_input(&["prove", "crio/fixed", "--shard", "1/2", "--resume"], &["--resume"]);
    bohr.bad_input(&["run", "xyz", "--shard", "1/2"], &["no scenario"]);
    assert!(!bohr.path("target").exists());
    fs::write(bohr.path("file"), "in the way").unwrap();
    bohr.bad_input(
        &["run", "crio/fixed/doa", "--shard", "1/1", "--out", "file"],
        &["failed to keep shard 1/1", "--out"],
    );
}
