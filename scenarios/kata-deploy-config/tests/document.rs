//! The document of the model against a full TOML parser, and the message of the report with its real lengths.

use bohr_kernel::{Blocked, at_rest, observe, when_blocked};
use bohr_posix::{Flags, Machine, MountKind, Options};
use kata_deploy_config::document::{Document, Schema};
use kata_deploy_config::os::Edit;
use kata_deploy_config::world::{BASE, BASE_WITH_IMPORT, edited};

/// Documents as they come about: the bases, and after edits under both schemas.
fn documents() -> Vec<Vec<u8>> {
    let mut all = vec![BASE.into(), BASE_WITH_IMPORT.into(), Vec::new()];
    for base in 0..all.len() {
        for (runtime, schema) in
            (1..=3).flat_map(|r| [Schema::Current, Schema::Legacy].map(|schema| (r, schema)))
        {
            let mut text: Vec<u8> = all[base].clone();
            for key in 0..2 {
                text = edited(&text, Edit::Key { runtime, schema, key }).expect("a valid document");
                all.push(text.clone());
            }
        }
        for edit in [Edit::AppendImport, Edit::RemoveImport] {
            all.push(edited(&all[base], edit).expect("a valid document"));
        }
    }
    all
}

#[test]
fn reading_agrees_with_a_full_parser_on_torn_files() {
    let documents = documents();
    let mut valid = 0;
    let mut total = 0;
    let mut check = |bytes: &[u8]| {
        let full =
            std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<toml_edit::DocumentMut>().ok());
        let ours = Document::parse(bytes);
        let text = String::from_utf8_lossy(bytes);
        // Quoted keys are left out of the subset; a line that is cut in the middle can look like one.
        let quoted = text.lines().any(|line| line.starts_with("[\""));
        assert!(ours.is_ok() == full.is_some() || (ours.is_err() && quoted), "{ours:?} of {text}");
        total += 1;
        valid += usize::from(ours.is_ok());
    };
    for one in &documents {
        for length in 0..=one.len() {
            check(&one[..length]);
        }
        for other in &documents {
            // What a shorter write leaves of a longer one, and what appending writers leave.
            let mut tail = one.clone();
            tail.extend(other.get(one.len()..).unwrap_or_default());
            check(&tail);
            check(&[one.as_slice(), other.as_slice()].concat());
        }
    }
    assert!(valid > 500 && total - valid > 500, "both happen often: {valid} of {total} are valid");
}

#[test]
fn what_is_wrong_is_told_in_the_editors_words() {
    for (text, says) in [
        ("a = 1\n3s\"\n", "UnexpectedCharError: Unexpected character: '\"' at line 2 col 2."),
        ("[t]\n = 1\n", "EmptyKeyError: Empty key at line 2 col 0."),
        ("[t]\n[t]\n", "ParseError: Key \"t\" already exists. at line 2 col 0."),
        ("uid = 0\nuid = 1\n", "KeyAlreadyPresent: Key \"uid\" already exists.."),
    ] {
        assert_eq!(
            Document::parse(text.as_bytes()).map_err(|e| e.to_string()),
            Err(says.to_owned()),
            "{text}"
        );
    }
    for (text, says) in [
        ("3s\"", "(1, 1): parsing error: unclosed string"),
        ("[rt.ru", "(1, 7): unexpected token unclosed table key, was expecting a table key"),
        ("version", "(1, 8): was expecting token =, but got EOF instead"),
    ] {
        let wrong = Document::parse(text.as_bytes()).expect_err("it is torn");
        assert_eq!(wrong.as_containerd(), says, "{text}");
    }
}

/// A complete file of 411 lines that ends as the real one does: from `3s"` on there are 84 bytes.
fn complete_file() -> String {
    let mut text = "version = 2\n".to_owned();
    for line in 0..402 {
        text += &format!("key_{line} = \"a value of a usual length\"\n");
    }
    text += "[timeouts]\nio_containerd_timeout_shim_shutdown = \"3s\"\n";
    text += "io_containerd_timeout_task_state__ = \"2s\"\n\n[ttrpc]\naddress = \"\"\ngid = 0\nuid = 0\n";
    text
}

#[test]
fn a_stale_tail_of_two_annotations_begins_on_line_412() {
    const ANNOTATION: &str = "pod_annotations = [\"io.katacontainers.*\"]\n";
    assert_eq!(ANNOTATION.len(), 42);
    let short = complete_file();
    assert_eq!(short.lines().count(), 411);
    let tail = short.find("3s\"").expect("it is there");
    assert_eq!(short.len() - tail, 84);
    // The other writer's document has two lines more, before the end.
    let at = short.find("[timeouts]").expect("it is there");
    let mut long = short.clone();
    let other = ANNOTATION.replace("pod_annotations", "pod_annotation2");
    long.insert_str(at, &format!("{ANNOTATION}{other}"));

    let found = bohr_explore::search::outcomes(move || {
        when_blocked(Blocked::Allowed);
        let machine = Machine::new(Options { page: 4096, power: false });
        let path = machine.mount("etc", MountKind::Disk).path("config.toml");
        for (name, bytes) in [("short", short.clone()), ("long", long.clone())] {
            machine.spawn(name, 0, move |p| {
                let fd = p.open(path, Flags::TRUNCATE).expect("it can be made");
                p.write(fd, bytes.as_bytes()).expect("it is open");
                0
            });
        }
        at_rest(move || {
            let read = machine.look(path).map(|bytes| Document::parse(&bytes));
            match read.expect("it is there") {
                Ok(_) => observe("valid"),
                Err(wrong) => observe(wrong),
            }
        });
    });
    let says = "UnexpectedCharError: Unexpected character: '\"' at line 412 col 2.";
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [says, "valid"]);
}
