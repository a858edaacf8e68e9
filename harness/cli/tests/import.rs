//! From a crash file, a token or a stored finding to a test.

mod support;

use bohr_cli::regressions;
use bohr_cli::scenarios;
use bohr_explore::input::{Input, Target};
use bohr_explore::token::Token;
use std::fs;
use std::path::Path;
use support::{Bohr, files};

/// The reported situation.
const TOKEN: &str = "bohr1:crio-event-broadcast/buggy/close:AAlRWYA-_VkDdoA8IrHSlA";
const TARGET: &str = "crio_event_broadcast_buggy";

/// The input that does what the token does.
fn crash() -> Vec<u8> {
    let token: Token = TOKEN.parse().unwrap();
    let target = Target::named(scenarios::ALL, TARGET).unwrap();
    Input::of_token(&token).unwrap().encode(&target).unwrap()
}

/// Every file below the tests' folder, with what it holds.
fn tests(bohr: &Bohr) -> Vec<(String, Vec<u8>)> {
    let root = bohr.path("fuzz/regressions");
    let name = |path: &Path| path.strip_prefix(&root).unwrap().display().to_string();
    files(&root).iter().map(|path| (name(path), fs::read(path).unwrap())).collect()
}

#[test]
fn a_crash_file_becomes_a_test_that_passes_and_a_report() {
    let bohr = Bohr::new();
    let folder = bohr.path("fuzz/artifacts").join(TARGET);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("crash-1234"), crash()).unwrap();
    let file = format!("fuzz/artifacts/{TARGET}/crash-1234");
    let out = bohr.output(&["import", &file], 0);
    for part in ["panic: sync: negative WaitGroup counter", "(kept)", "bohr replay bohr1:", "report "] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let kept = tests(&bohr);
    let names: Vec<&str> = kept.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names[0].starts_with("crio-event-broadcast/buggy.") && names[0].ends_with(".crash"), "{names:?}");
    assert_eq!((names.len(), kept[0].1.clone()), (2, crash()));
    let report = files(&bohr.path("target/bohr/imported")).remove(0);
    assert!(fs::read_to_string(report).unwrap().contains("negative WaitGroup counter"));

    let root = bohr.path("fuzz/regressions");
    let all = regressions::all(&root).unwrap();
    assert_eq!(all.len(), 2);
    all.iter().for_each(|file| regressions::check(&root, file).unwrap());

    // The same again changes nothing, nor does the token that it came to.
    let again = bohr.output(&["import", &file], 0);
    assert!(again.contains("(there already)"), "{again}");
    bohr.output(&["import", root.join(names[1]).to_str().unwrap()], 0);
    assert_eq!(tests(&bohr), kept);

    // The test fails if it is another failure, or none.
    let test = root.join(names[1]);
    let good = fs::read_to_string(&test).unwrap();
    fs::write(&test, good.replace("negative WaitGroup", "positive WaitGroup")).unwrap();
    for file in &all {
        assert!(regressions::check(&root, file).unwrap_err().contains("positive WaitGroup"));
    }
    fs::write(&test, good.replace("\"version\": 1", "\"version\": 2")).unwrap();
    assert!(regressions::check(&root, &all[1]).unwrap_err().contains("version 2"));
    fs::write(&test, &good).unwrap();
    fs::write(root.join(names[0]), [0]).unwrap();
    assert!(regressions::check(&root, &all[0]).is_err());
}

#[test]
fn a_token_and_a_stored_finding_become_tests() {
    let bohr = Bohr::new();
    let json = bohr.json(&["import", TOKEN, "--json"], 0);
    assert_eq!(
        (&json["new"], &json["ends_in"]),
        (&true.into(), &"panic: sync: negative WaitGroup counter".into())
    );
    let names: Vec<_> = tests(&bohr).into_iter().map(|(name, _)| name).collect();
    assert!(names.len() == 1 && names[0].ends_with(".json"), "{names:?}");
    bohr.output(&["run", "submariner-image-log/buggy/steady-swiss-coarse"], 0);
    let stored = files(&bohr.path("target/bohr/submariner-image-log")).remove(0);
    bohr.output(&["import", stored.to_str().unwrap(), "--into", "elsewhere"], 0);
    assert_eq!(files(&bohr.path("elsewhere/submariner-image-log")).len(), 1);
}

#[test]
fn an_input_of_a_target_of_bohr_itself_becomes_a_test() {
    let bohr = Bohr::new();
    let folder = bohr.path("engines_agree");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("crash-1"), (0..60).collect::<Vec<u8>>()).unwrap();
    let out = bohr.output(&["import", "engines_agree/crash-1"], 0);
    assert!(out.contains("does not fail, or no longer") && out.contains("(kept)"), "{out}");
    let kept = tests(&bohr);
    assert!(kept.len() == 1 && kept[0].0.starts_with("engines_agree/"), "{kept:?}");
    bohr.output(&["import", "engines_agree/crash-1"], 0);
    assert_eq!(tests(&bohr), kept);
    let root = bohr.path("fuzz/regressions");
    regressions::check(&root, Path::new(&kept[0].0)).unwrap();
}

#[test]
fn what_is_no_failure_is_refused_and_nothing_is_written() {
    let bohr = Bohr::new();
    let put = |folder: &str, name: &str, bytes: &[u8]| {
        fs::create_dir_all(bohr.path(folder)).unwrap();
        fs::write(bohr.path(folder).join(name), bytes).unwrap();
        format!("{folder}/{name}")
    };
    // It passes on the fixed form.
    let fixed = put("crio_event_broadcast_fixed", "crash-1", &crash());
    bohr.bad_input(
        &["import", &fixed],
        &["crash-1", "does not fail as an input of crio_event_broadcast_fixed"],
    );
    let stray = put("elsewhere", "crash-1", &crash());
    bohr.bad_input(&["import", &stray], &["no token in it", "not called as a fuzz target"]);
    bohr.output(&["import", &stray, "--target", TARGET, "--into", "there"], 0);
    bohr.bad_input(&["import", &stray, "--target", "crio"], &["no fuzz target is called \"crio\"", TARGET]);
    bohr.bad_input(&["import", TARGET], &["neither a token", "nor a file that exists"]);
    bohr.bad_input(&["import", "elsewhere"], &["it is a folder; name one file in it"]);
    bohr.bad_input(&["import", "elsewhere", "--target", "engines_agree"], &["it is a folder"]);
    let empty = put(TARGET, "empty", b"");
    bohr.bad_input(&["import", &empty], &["empty", TARGET]);
    let noise = put(TARGET, "noise", &[0xff; 9]);
    bohr.bad_input(&["import", &noise], &["noise", TARGET]);
    bohr.bad_input(&["import", &TOKEN[..TOKEN.len() - 1]], &["cut short or altered"]);
    assert!(!bohr.path("fuzz").exists());
    let file = put("there", "file", b"");
    bohr.bad_input(&["import", TOKEN, "--into", &file], &["failed to write", "--into"]);
}
