//! The program, as its users meet it.

use assert_cmd::Command;
use bohr_explore::input::{Input, Target, surprise};
use bohr_explore::token::Token;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Small enough for every test: the reported situation, in the coarse model.
const CELL: &str = "submariner-image-log/buggy/steady-swiss-coarse";

/// A folder of its own for every test, and the program in it.
struct Bohr(TempDir);

impl Bohr {
    fn new() -> Self {
        Bohr(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::cargo_bin("bohr").unwrap();
        command.current_dir(self.0.path()).env_remove("BOHR_DIR").args(args);
        command
    }

    /// Standard output, of a command that ends with this code and says nothing on standard error.
    fn output(&self, args: &[&str], code: i32) -> String {
        let output = self.command(args).output().unwrap();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{args:?}\n{out}\n{err}");
        assert_eq!(err, "", "{args:?}");
        out
    }

    fn json(&self, args: &[&str], code: i32) -> Value {
        let json: Value = serde_json::from_str(&self.output(args, code)).unwrap();
        assert_eq!(json["version"], 1, "{args:?}");
        json
    }

    /// Standard error, of a command that is given something wrong.
    fn bad_input(&self, args: &[&str], says: &[&str]) {
        let output = self.command(args).output().unwrap();
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}\n{}\n{err}", text(&output.stdout));
        assert!(err.starts_with("error: "), "{args:?}: {err}");
        assert!(!err.contains("panicked"), "{args:?}: {err}");
        for part in says {
            assert!(err.contains(part), "{args:?} does not say {part:?}: {err}");
        }
    }

    /// The token of a crash.
    fn token(&self) -> String {
        let run = self.json(&["run", CELL, "--json"], 0);
        let found = run["cells"][0]["found"].as_array().unwrap();
        let crash = found.iter().find(|f| f["headline"] == "fatal error: concurrent map read and map write");
        crash.unwrap()["token"].as_str().unwrap().to_owned()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn list_shows_what_there_is() {
    let bohr = Bohr::new();
    let out = bohr.output(&["list"], 0);
    for part in ["submariner-image-log", "buggy", "mutex_all", "wrong fix", "steady", "O1", "pct"] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let json = bohr.json(&["list", "SUBMARINER", "--json"], 0);
    assert_eq!(json["scenarios"][0]["variants"][0]["role"], "buggy");
    assert_eq!(json["drivers"].as_array().unwrap().len(), 10);
}

#[test]
fn run_tells_the_buggy_form_from_the_fixed_one() {
    let bohr = Bohr::new();
    let out = bohr.output(&["run", CELL, "submariner/fixed/steady-swiss-coarse"], 0);
    for part in [
        "fails: O1, O3",
        "every schedule of 1 workload",
        "fatal error: concurrent map read and map write",
        "bohr replay bohr1:submariner-image-log/buggy/",
        "2 verdicts, all as expected",
        "target/bohr",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(files(&bohr.path("target/bohr/submariner-image-log/buggy")).len() >= 3);
    assert!(files(&bohr.path("target/bohr/submariner-image-log/fixed")).is_empty());
}

#[test]
fn loom_gives_a_second_opinion() {
    let bohr = Bohr::new();
    let cells = ["run", "crio/buggy/close", "crio/fixed/close", "--json", "--driver"];
    let judged = |driver| {
        let json = bohr.json(&[&cells[..], &[driver]].concat(), 0);
        let cells = json["cells"].as_array().unwrap().clone();
        cells
            .into_iter()
            .map(|cell| (cell["violated"].clone(), cell["coverage"].clone(), cell["found"].clone()))
    };
    for (by_loom, by_search) in judged("loom").zip(judged("dfs")) {
        assert_eq!(by_loom.0, by_search.0);
        assert!(by_loom.1["exhausted"]["schedules"].is_u64(), "{:?}", by_loom.1);
        assert!(by_search.1["exhausted"]["schedules"].is_u64(), "{:?}", by_search.1);
        for found in by_loom.2.as_array().unwrap() {
            bohr.output(&["replay", found["token"].as_str().unwrap()], 0);
        }
    }
}

#[test]
fn what_loom_cannot_run_is_not_judged() {
    let bohr = Bohr::new();
    let out = bohr.output(&["run", "crio/buggy/fanout", "--driver", "loom"], 0);
    for part in ["not judged", "not 1 workload: 6 tasks, and loom has threads for 5", "No verdict."] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let json = bohr.json(&["run", "crio/buggy/fanout", "--driver", "loom", "--json"], 0);
    assert_eq!(json["cells"][0]["assessment"]["is"], "does-not-fit");
}

#[test]
fn what_no_form_prevents_is_observed_and_does_not_count() {
    let bohr = Bohr::new();
    let out = bohr.output(&["run", "crio/fixed/late1", "crio/fixed/close"], 0);
    assert!(out.contains("holds (observed: O9)"), "{out}");
    let json = bohr.json(&["run", "crio/fixed/late1", "--json"], 0);
    assert_eq!(json["cells"][0]["only_observes"], true);
    assert_eq!(json["cells"][0]["violated"], json["cells"][0]["expected"]);
}

#[cfg(unix)]
#[test]
fn the_bug_of_processes_shows_on_real_ones() {
    let bohr = Bohr::new();
    // Three rounds: two installs at once; a deletion in between; a kill. Every one of them corrupts.
    let json = bohr.json(&["live", "kata", "--rounds", "3", "--time", "5m", "--json"], 0);
    let [buggy, fixed] = [0, 1].map(|form| &json["forms"][form]);
    assert!(buggy["corrupt"].as_u64() >= Some(1), "{json}");
    assert_eq!((&fixed["rounds"], &fixed["corrupt"]), (&3.into(), &0.into()), "{json}");
    let out = bohr.output(&["live", "kata", "--rounds", "1", "--time", "5m"], 0);
    assert!(out.contains("What buggy did:") && out.contains("O1: containerd"), "{out}");
    bohr.bad_input(&["live", "submariner"], &["no live mode", "kata-deploy-config"]);
    bohr.bad_input(&["live", "kata", "--rounds", "0"], &["--rounds"]);
}

#[test]
fn what_was_not_refuted_is_bounded() {
    let out = Bohr::new().output(
        &["run", "submariner/fixed/steady-swiss-coarse", "--driver", "random", "--schedules", "150"],
        0,
    );
    // The four are all that there are: so many executions prove it.
    let says = "not refuted in 3,000 schedules of 1 workload: 4 distinct traces, the next schedule is a new one with a \
                chance of less than 0.1 %; failing share below 3/3,000 = 0.10 % at 95 %";
    assert!(out.contains(says), "{out}");
}

#[test]
fn a_failure_that_does_not_show_is_not_as_expected() {
    // The first schedule of a search runs one task after the other.
    let target = "submariner/rwlock_split/fresh_shared-old-fine";
    let json = Bohr::new().json(&["run", target, "--driver", "dfs", "--schedules", "1", "--json"], 1);
    assert_eq!(json["surprises"], 1);
    assert_eq!(json["cells"][0]["assessment"]["is"], "surprise");
}

#[test]
fn every_driver_finds_the_bug() {
    let bohr = Bohr::new();
    let drivers = ["random", "pct", "urw", "pos", "surw", "portfolio", "greybox", "dfs", "stress"];
    for driver in drivers {
        let json = bohr.json(&["run", CELL, "--driver", driver, "--json"], 0);
        let violated = json["cells"][0]["violated"].as_array().unwrap();
        assert!(violated.iter().any(|oracle| oracle == "O3"), "{driver}: {json}");
    }
}

#[test]
fn a_portfolio_draws_by_default_and_tells_the_share_of_each_member() {
    let bohr = Bohr::new();
    let json = bohr.json(&["run", CELL, "--json"], 0);
    let hardness = &json["cells"][0]["hardness"];
    assert_eq!(hardness[0]["driver"], "portfolio");
    let shares = hardness[0]["shares"].as_array().unwrap();
    let sum = shares.iter().map(|share| share["schedules"].as_u64().unwrap()).sum::<u64>();
    assert_eq!(hardness[0]["schedules"], sum);
    assert_eq!(hardness[1]["shares"], Value::Null);
    let text = bohr.output(&["run", CELL], 0);
    assert!(text.contains("schedules, those that failed: random "), "{text}");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let run = |jobs: &str| {
        let args = ["run", "submariner/buggy", "submariner/fixed", "--driver", "pct", "--schedules", "5"];
        Bohr::new().output(&[&args[..], &["--seed", "7", "--jobs", jobs, "--json"]].concat(), 0)
    };
    let first = run("2");
    assert_eq!(first, run("2"));
    assert_eq!(first, run("1"));
}

#[test]
fn a_stored_finding_replays_shrinks_and_replays() {
    let bohr = Bohr::new();
    bohr.output(&["run", CELL], 0);
    for file in files(&bohr.path("target/bohr")) {
        let file = file.to_str().unwrap();
        let stored: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        assert_eq!(stored["version"], 1);
        let out = bohr.output(&["replay", file], 0);
        assert!(out.contains("Same run, same finding"), "{out}");
        let replayed = bohr.json(&["replay", file, "--json"], 0);
        assert_eq!(replayed["case"]["finding"], stored["case"]["finding"]);
        assert_eq!(replayed["case"]["trace"], stored["case"]["trace"]);
        let shrunk = bohr.json(&["shrink", file, "--json", "--out", "shrunk"], 0);
        assert_eq!(shrunk["fewest_proved"], true, "{shrunk}");
        let token = shrunk["token"].as_str().unwrap();
        assert!(token.len() <= 120, "{token}");
        bohr.json(&["replay", token, "--json"], 0);
    }
}

#[test]
fn a_failure_comes_with_what_decides_it() {
    let bohr = Bohr::new();
    let token = "bohr1:crio-event-broadcast/buggy/close:AAlRWYA-_VkDdoA8IrHSlA";
    let pair = "came before `handler 1`'s `wg 1.Add`";
    let one_line = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(one_line(bohr.output(&["replay", token], 0)).contains(pair));
    assert!(one_line(bohr.output(&["shrink", token], 0)).contains(&pair.replace('`', "")));
    let replayed = bohr.json(&["replay", token, "--json"], 0);
    let order = &replayed["case"]["decisive"]["order"];
    let label = |trace: &Value, at: &Value| trace["steps"][at.as_u64().unwrap() as usize]["label"].clone();
    assert_eq!(label(&replayed["case"]["trace"], &order["first"]), "Done");
    assert_eq!(label(&order["passing"]["trace"], &order["first_in_passing"]), "Add");
    assert_eq!((&order["second"], &order["object"]), (&Value::Null, &Value::from("wg 1")));
    let shrunk = bohr.json(&["shrink", token, "--json"], 0);
    assert_eq!(shrunk["decisive"], replayed["case"]["decisive"]);
}

#[test]
fn shrinking_says_what_is_proved() {
    let bohr = Bohr::new();
    let token = bohr.token();
    let out = bohr.output(&["shrink", &token], 0);
    assert!(out.contains("with fewer preemptions: proved"), "{out}");
    let out = bohr.output(&["shrink", &token, "--schedules", "1"], 0);
    assert!(out.contains("not proved: the search was cut off (after 1 run;"), "{out}");
}

#[test]
fn a_token_is_found_in_a_text() {
    let bohr = Bohr::new();
    let log = bohr.path("ci.log");
    fs::write(&log, format!("the test failed; run `bohr replay {}` to see how\n", bohr.token())).unwrap();
    bohr.json(&["replay", log.to_str().unwrap(), "--json"], 0);
}

/// An input on which the first scenario's reported form fails.
fn crash() -> Vec<u8> {
    let buggy = Target::named(bohr_cli::scenarios::ALL, "crio_event_broadcast_buggy").unwrap();
    let bytes = |n: u8| (0..96u8).map(|i| i.wrapping_mul(n).wrapping_add(n)).collect::<Vec<u8>>();
    let fails = |bytes: &Vec<u8>| {
        let input = Input::decode(&buggy, bytes);
        input.is_some_and(|input| input.token(&buggy).unwrap().is_some())
    };
    (0..=255).map(bytes).find(fails).expect("one of 256 inputs fails")
}

impl Bohr {
    /// A file as a fuzz target would leave it.
    fn artifact(&self, target: &str, bytes: &[u8]) -> String {
        let folder = self.path("artifacts").join(target);
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("crash-1234");
        fs::write(&file, bytes).unwrap();
        file.to_str().unwrap().to_owned()
    }
}

#[test]
fn a_crash_file_of_the_fuzzer_replays() {
    let bohr = Bohr::new();
    let file = bohr.artifact("crio_event_broadcast_buggy", &crash());
    let json = bohr.json(&["replay", &file, "--json"], 0);
    assert_eq!(json["case"]["variant"], "buggy");
}

#[test]
fn a_crash_file_that_holds_its_variant_replays() {
    let bohr = Bohr::new();
    let any = Target::named(bohr_cli::scenarios::ALL, "crio_event_broadcast_any_variant").unwrap();
    let token: Token =
        "bohr1:crio-event-broadcast/recover_done/burst:ARV-4tcSYLIGCwbfmmvdAyK7".parse().unwrap();
    let bytes = Input::of_token(&token).unwrap().encode(&any).unwrap();
    assert!(bytes[1..].starts_with(b"recover_done/burst"), "it can be read: {bytes:?}");
    let file = bohr.artifact("crio_event_broadcast_any_variant", &bytes);
    let json = bohr.json(&["replay", &file, "--json"], 0);
    assert_eq!(json["case"]["variant"], "recover_done");
}

#[test]
fn a_file_that_is_no_crash_of_its_target_is_explained() {
    let bohr = Bohr::new();
    let check = |target: &str, bytes: &[u8], says: &[&str]| {
        let file = bohr.artifact(target, bytes);
        bohr.bad_input(&["replay", &file], &[&[file.as_str()], says].concat());
    };
    check("crio_event_broadcast_fixed", &crash(), &["does not fail", "another target's"]);
    // The time between two writes of which the second is missing: no workload.
    check("k8s_taint_eviction_fixed", &[64; 64], &["k8s_taint_eviction_fixed"]);
    check("no_such_target", &crash(), &["there is no token in it"]);
    let folder = bohr.path("artifacts").join("crio_event_broadcast_buggy");
    fs::create_dir_all(&folder).unwrap();
    bohr.bad_input(&["replay", folder.to_str().unwrap()], &["it is a folder; name one file in it"]);
}

#[test]
fn seeds_do_what_their_names_say() {
    let bohr = Bohr::new();
    let json = bohr.json(&["seeds", "crio", "--out", "corpus", "--json"], 0);
    let targets = json["targets"].as_array().unwrap();
    assert_eq!(targets.len(), 3, "buggy, fixed and any_variant");
    for written in targets {
        let name = written["target"].as_str().unwrap();
        let target = Target::named(bohr_cli::scenarios::ALL, name).unwrap();
        let files = files(&bohr.path("corpus").join(name));
        assert_eq!(written["seeds"], files.len(), "{name}");
        assert!(files.len() >= 2, "{name}");
        for file in files {
            let input = Input::decode(&target, &fs::read(&file).unwrap()).unwrap();
            let outcome = input.run(&target, false).unwrap();
            let (variant, workload) = (&input.variant, &input.workload);
            let said = surprise(target.scenario, variant, workload, &outcome);
            assert_eq!(said, None, "{}", file.display());
            let file = file.file_name().unwrap().to_str().unwrap();
            let (_, shows) = file.rsplit_once('.').unwrap();
            let oracle = target.scenario.oracles().iter().any(|oracle| oracle.id == shows);
            let shown = outcome.findings.iter().any(|f| f.oracle.as_deref() == Some(shows));
            // In a target of one form the first finding ends the run.
            match target.variant {
                Some("buggy") => assert!(!outcome.findings.is_empty(), "{name}/{file}"),
                Some(_) => {}
                None => assert_eq!(oracle, shown, "{name}/{file}"),
            }
        }
    }
    bohr.bad_input(&["seeds", "crio", "--out", "/dev/null/x"], &["failed to write", "--out"]);
}

#[test]
fn stress_finds_races_on_os_threads() {
    let bohr = Bohr::new();
    let out = bohr.output(&["stress", CELL, "--schedules", "200"], 0);
    assert!(out.contains("WARNING: DATA RACE on"), "{out}");
    let json = bohr.json(&["stress", CELL, "--schedules", "200", "--json"], 0);
    let race = &json["subjects"][0]["found"][0];
    bohr.json(&["replay", race["token"].as_str().unwrap(), "--json"], 0);
    assert_eq!(json["subjects"][0]["trials"], 200);
}

#[test]
fn fuzzing_finds_what_fails_and_says_what_it_has_seen() {
    let bohr = Bohr::new();
    let out = bohr.output(&["fuzz", CELL, "--schedules", "2000"], 0);
    assert!(out.contains("fatal error: concurrent map read and map write"), "{out}");
    assert!(out.contains("the last new one showed in schedule") && out.contains("of 2,000 on"), "{out}");
    let json = bohr.json(&["fuzz", CELL, "--schedules", "2000", "--json"], 0);
    let subject = &json["subjects"][0];
    assert_eq!((&subject["schedules"], &subject["assessment"]["is"]), (&2_000.into(), &"expected".into()));
    assert!(
        subject["pairs"].as_u64() > Some(5) && subject["last_new_pair"].as_u64() <= Some(2_000),
        "{json}"
    );
    for found in subject["found"].as_array().unwrap() {
        bohr.json(&["replay", found["token"].as_str().unwrap(), "--json"], 0);
        bohr.json(&["replay", found["file"].as_str().unwrap(), "--json"], 0);
    }
}

#[test]
fn workloads_are_fuzzed_in_turns_whatever_the_number_of_jobs() {
    let fuzz = |jobs: &str| {
        let args = ["fuzz", "crio/fixed", "--schedules", "2500", "--seed", "7", "--jobs", jobs, "--json"];
        Bohr::new().json(&args, 0)
    };
    let first = fuzz("2");
    assert_eq!(first, fuzz("1"));
    let subjects = first["subjects"].as_array().unwrap();
    let schedules = || subjects.iter().map(|s| s["schedules"].as_u64().unwrap());
    assert!(subjects.len() > 3, "{first}");
    assert_eq!(schedules().sum::<u64>(), 2_500);
    assert!(schedules().max().unwrap() - schedules().min().unwrap() <= 1);
}

#[test]
fn fuzzing_without_the_failure_that_was_expected_is_a_surprise() {
    let bohr = Bohr::new();
    // Not in one schedule.
    let target = "kata/cleanup_unlinks_first/delete";
    let json = bohr.json(&["fuzz", target, "--schedules", "1", "--json"], 1);
    assert_eq!(
        (&json["surprises"], &json["subjects"][0]["assessment"]["is"]),
        (&1.into(), &"surprise".into())
    );
    let out = bohr.output(&["fuzz", target, "--schedules", "1"], 1);
    assert!(out.contains("Not as expected:") && out.contains("was to violate O2 and did not"), "{out}");
    let out = bohr.output(&["fuzz", "submariner/fixed/steady-swiss-coarse", "--time", "200ms"], 0);
    assert!(out.contains("Out of time:"), "{out}");
}

#[test]
fn what_cannot_be_fuzzed_is_explained() {
    let bohr = Bohr::new();
    bohr.bad_input(&["fuzz"], &["SCENARIO/VARIANT"]);
    bohr.bad_input(&["fuzz", "crio"], &["\"crio\" names no variant", "bohr list"]);
    bohr.bad_input(&["fuzz", "crio/"], &["names no variant"]);
    bohr.bad_input(&["fuzz", "crio/xyz"], &["no variant"]);
    bohr.bad_input(&["fuzz", "crio/buggy/xyz"], &["no workload class"]);
    bohr.bad_input(&["fuzz", CELL, "--schedules", "0"], &["--schedules"]);
}

#[test]
fn bad_tokens_are_explained() {
    let bohr = Bohr::new();
    let token = bohr.token();
    let cut = &token[..token.len() - 1];
    bohr.bad_input(&["replay", cut], &["cut short or altered", cut]);
    bohr.bad_input(&["shrink", cut], &["cut short or altered"]);
    let altered = token.replace("/buggy/", "/fixed/");
    bohr.bad_input(&["replay", &altered], &["cut short or altered"]);
    bohr.bad_input(&["replay", &token.replacen("bohr1", "bohr9", 1)], &["version 9", "reads version 1"]);
    let mut foreign: Token = token.parse().unwrap();
    foreign.scenario = "another-bug".to_owned();
    bohr.bad_input(
        &["replay", &foreign.to_string()],
        &["no scenario \"another-bug\"", "submariner-image-log"],
    );
    bohr.bad_input(&["replay", "hello"], &["\"hello\"", "neither a token", "nor a file"]);
    bohr.bad_input(&["replay", ""], &["neither a token"]);
    bohr.bad_input(&["replay", &format!("{token}\n{token}")], &[]);
}

#[test]
fn a_program_that_has_changed_under_a_token_is_noticed() {
    let bohr = Bohr::new();
    let token: Token = bohr.token().parse().unwrap();
    let changed = |variant: &str, workload: &str| {
        let mut changed = token.clone();
        (changed.variant, changed.workload) = (variant.to_owned(), workload.to_owned());
        changed.to_string()
    };
    let workload = token.workload.as_str();
    bohr.bad_input(&["replay", &changed("mutex_all", workload)], &["has changed", "did not show again"]);
    // Another failure is not passed off as the old one.
    bohr.bad_input(
        &["replay", &changed("rlock_upgrade", workload)],
        &["has changed", "shows another: fatal error: all goroutines are asleep - deadlock!"],
    );
    bohr.bad_input(&["replay", &changed("gone", workload)], &["has changed", "\"gone\""]);
    bohr.bad_input(&["replay", &changed("buggy", "gone")], &["has changed", "\"gone\""]);
    bohr.bad_input(&["shrink", &changed("mutex_all", workload)], &["did not show again"]);
    let output = bohr.command(&["replay", "--json", &changed("mutex_all", workload)]).output().unwrap();
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((json["version"].as_u64(), json["reproduced"].as_bool()), (Some(1), Some(false)));
}

#[test]
fn bad_files_are_explained() {
    let bohr = Bohr::new();
    bohr.bad_input(&["replay", "."], &["\".\"", "folder"]);
    bohr.bad_input(&["shrink", "."], &["folder"]);
    let empty = bohr.path("empty");
    fs::write(&empty, "").unwrap();
    bohr.bad_input(&["replay", empty.to_str().unwrap()], &["empty", "no token"]);
    let binary = bohr.path("binary");
    fs::write(&binary, [0xff, 0xfe, 0, 1]).unwrap();
    bohr.bad_input(&["replay", binary.to_str().unwrap()], &["no token"]);
    let newer = bohr.path("newer.json");
    fs::write(&newer, r#"{"version": 2, "case": {"token": "bohr1:a/b/c:AAAA"}}"#).unwrap();
    bohr.bad_input(&["replay", newer.to_str().unwrap()], &["version 2", "reads version 1"]);
}

#[test]
fn unknown_names_get_suggestions() {
    let bohr = Bohr::new();
    bohr.bad_input(&["run", "submarine-log"], &["no scenario", "\"submarine-log\"", "submariner-image-log"]);
    bohr.bad_input(&["list", "xyz"], &["no scenario", "bohr list"]);
    bohr.bad_input(&["run", "submariner/bugyg"], &["no variant", "did you mean buggy"]);
    bohr.bad_input(&["run", "submariner/mutex"], &["more than one variant", "mutex_all"]);
    bohr.bad_input(&["run", "submariner/buggy/stead-swis"], &["no workload class", "steady-swiss"]);
    bohr.bad_input(&["stress", "submariner/xyz"], &["no variant"]);
    bohr.bad_input(&["report", "xyz"], &["no scenario"]);
    bohr.bad_input(
        &["run", "--driver", "magic"],
        &["no driver is called \"magic\"", "random, pct, urw, pos, surw, portfolio"],
    );
    bohr.bad_input(&["jump"], &["jump"]);
}

#[test]
fn numbers_that_mean_nothing_are_refused() {
    let bohr = Bohr::new();
    for (name, value) in [
        ("--schedules", "0"),
        ("--schedules", "many"),
        ("--jobs", "0"),
        ("--jobs", "-1"),
        ("--time", "0s"),
        ("--time", "3 days"),
        ("--seed", "x"),
        ("--seed", "18446744073709551615"),
    ] {
        bohr.bad_input(&["run", &format!("{name}={value}")], &[name, value]);
    }
    bohr.bad_input(&["stress", "--schedules", "0"], &["--schedules"]);
    bohr.bad_input(&["shrink", "x", "--schedules", "0"], &["--schedules"]);
}

#[test]
fn findings_are_printed_even_if_they_cannot_be_kept() {
    let bohr = Bohr::new();
    let file = bohr.path("file");
    fs::write(&file, "in the way").unwrap();
    for command in ["run", "stress", "fuzz"] {
        let output = bohr.command(&[command, CELL, "--out", "file/below"]).output().unwrap();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(err.contains("failed to keep findings in \"file/below\"") && err.contains("--out"), "{err}");
        assert!(out.contains("bohr replay bohr1:"), "{out}");
    }
    bohr.bad_input(&["report", "--out", "file"], &["failed to write", "--out"]);
}

#[test]
fn the_folder_can_come_from_the_environment() {
    let bohr = Bohr::new();
    bohr.command(&["run", CELL]).env("BOHR_DIR", "elsewhere").assert().success();
    assert!(!files(&bohr.path("elsewhere")).is_empty());
    assert!(!bohr.path("target").exists());
}

#[test]
fn there_is_no_colour_without_a_terminal() {
    let bohr = Bohr::new();
    for args in [&["list"][..], &["run", CELL], &["replay", "x"], &["stress", CELL, "--schedules", "5"]] {
        let output = bohr.command(args).env("NO_COLOR", "1").output().unwrap();
        let plain = bohr.command(args).output().unwrap();
        for bytes in [output.stdout, output.stderr, plain.stdout, plain.stderr] {
            assert!(!bytes.contains(&0x1b), "{args:?}");
        }
    }
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let bohr = Bohr::new();
    let bin = assert_cmd::cargo::cargo_bin("bohr");
    let mut child = std::process::Command::new(bin)
        .current_dir(bohr.0.path())
        .args(["run", CELL])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(141), String::new()));
}

#[cfg(unix)]
#[test]
fn an_interrupt_loses_nothing() {
    for command in
        [&["run", "--driver", "dfs", "--schedules", "100000000"][..], &["fuzz", CELL, "--time", "1h"]]
    {
        let bohr = Bohr::new();
        let bin = assert_cmd::cargo::cargo_bin("bohr");
        let mut child = std::process::Command::new(bin)
            .current_dir(bohr.0.path())
            .args(command)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let start = Instant::now();
        while files(&bohr.path("target/bohr")).iter().all(|f| f.extension().is_none_or(|e| e != "json")) {
            assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
            assert!(start.elapsed() < Duration::from_secs(300), "nothing was found");
            std::thread::sleep(Duration::from_millis(5));
        }
        let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(kill.unwrap().success());
        let output = child.wait_with_output().unwrap();
        let out = text(&output.stdout);
        assert_eq!(output.status.code(), Some(130), "{out}\n{}", text(&output.stderr));
        assert!(out.contains("Interrupted:") && out.contains("bohr replay bohr1:"), "{out}");
        for file in files(&bohr.path("target/bohr")) {
            let stored: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
            let token = stored["case"]["token"].as_str().unwrap();
            bohr.json(&["replay", token, "--json"], 0);
        }
    }
}

#[test]
fn out_of_time_prints_what_is_known() {
    let out = Bohr::new().output(&["run", "--time", "200ms"], 0);
    assert!(out.contains("Out of time:") && out.contains("unfinished"), "{out}");
}

#[test]
fn the_reports_are_current_and_a_stale_one_is_noticed() {
    let bohr = Bohr::new();
    let reports = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reports");
    let folder = bohr.path("copy/submariner-image-log");
    fs::create_dir_all(&folder).unwrap();
    for name in ["report.md", "report.txt"] {
        fs::copy(reports.join("submariner-image-log").join(name), folder.join(name)).unwrap();
    }
    fs::write(folder.join("report.txt"), "submariner-image-log: something else\n").unwrap();
    let json = bohr.json(&["report", "submariner", "--check", "--json", "--out", "copy"], 1);
    let md = &json["reports"][0];
    assert_eq!(md["state"], "unchanged", "`bohr report` writes it anew: {md}");
    let txt = &json["reports"][1];
    assert_eq!(txt["state"], "stale");
    assert!(
        txt["because"].as_str().unwrap().starts_with("line 1 is\n  submariner-image-log: something else")
    );
}

#[test]
fn prove_covers_every_schedule_of_a_fix() {
    let bohr = Bohr::new();
    let out = bohr.output(&["prove", "crio/fixed", "--class", "doa"], 0);
    assert_eq!(out, "crio-event-broadcast/fixed/doa: proved: 7 executions, 7 distinct traces, no finding\n");
    let by_states = bohr.output(&["prove", "crio/fixed/doa", "--by", "states"], 0);
    assert!(by_states.contains("distinct states, no finding"), "{by_states}");
    let bounded = bohr.output(&["prove", "crio/fixed/doa", "--preemptions", "1"], 0);
    assert!(bounded.contains("proved up to 1 preemption: "), "{bounded}");
    // Without a workload it takes the smallest ones; what no form prevents is only observed.
    let json = bohr.json(&["prove", "crio/fixed", "--json"], 0);
    let proofs = json["proofs"].as_array().unwrap();
    let observed: Vec<_> = proofs.iter().filter(|p| p["proved"] == false).map(|p| &p["workload"]).collect();
    assert_eq!(observed, ["late1", "first"]);
    for proof in proofs.iter().filter(|p| p["proved"] == true) {
        assert_eq!(proof["executions"], proof["traces"], "{proof}");
    }
}

#[test]
fn prove_finds_what_refutes_it_whatever_the_number_of_threads() {
    let bohr = Bohr::new();
    let token = |jobs: &str, variant: &str, code| {
        let json = bohr.json(&["prove", &format!("crio/{variant}/burst"), "--json", "--jobs", jobs], code);
        json["proofs"][0]["token"].as_str().unwrap().to_owned()
    };
    let found = token("1", "buggy", 0);
    assert_eq!(found, token("3", "buggy", 0));
    bohr.output(&["replay", &found], 0);
    assert_eq!(files(&bohr.path("target/bohr/crio-event-broadcast/buggy")).len(), 1);
}

#[test]
fn a_proof_can_be_stopped_and_gone_on_with() {
    let bohr = Bohr::new();
    let args = ["prove", "crio/fixed/burst3_close", "--by", "traces"];
    let whole = bohr.output(&args, 0);
    let stopped = bohr.output(&[&args[..], &["--schedules", "1000"]].concat(), 1);
    assert!(stopped.contains("not exhausted: bound reached after 1,0"), "{stopped}");
    assert!(stopped.contains("with --resume"), "{stopped}");
    assert_eq!(files(&bohr.path("target/bohr/proofs")).len(), 1);
    assert_eq!(bohr.output(&[&args[..], &["--resume"]].concat(), 0), whole);
    assert_eq!(files(&bohr.path("target/bohr/proofs")).len(), 0, "it is over");
}

#[test]
fn prove_explains_what_it_cannot_do() {
    let bohr = Bohr::new();
    bohr.bad_input(&["prove", "crio"], &["\"crio\" is a scenario", "crio-event-broadcast/fixed"]);
    bohr.bad_input(&["prove", "crio/xyz"], &["no variant"]);
    bohr.bad_input(&["prove", "crio/fixed", "--class", "xyz"], &["no workload class"]);
    bohr.bad_input(&["prove", "crio/fixed", "--preemptions", "1", "--resume"], &["--resume"]);
    let args = ["prove", "crio/fixed/doa", "--schedules", "2"];
    bohr.output(&args, 1);
    let file = files(&bohr.path("target/bohr/proofs")).remove(0);
    bohr.output(&["prove", "crio/fixed/err", "--schedules", "2"], 1);
    fs::copy(file.with_file_name("err.json"), &file).unwrap();
    bohr.bad_input(&[&args[..], &["--resume"]].concat(), &["a proof of", "without --resume"]);
    fs::write(&file, "{").unwrap();
    bohr.bad_input(&[&args[..], &["--resume"]].concat(), &["not a proof", "without --resume"]);
}
