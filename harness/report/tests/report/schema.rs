//! The format of `report.json`.

use bohr_report::json::Report;
use std::fs;
use std::path::{Path, PathBuf};

fn tree() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// `BOHR_WRITE_SCHEMA=1` writes it anew.
#[test]
fn the_schema_in_the_documentation_is_current() {
    let file = tree().join("docs/report.schema.json");
    if std::env::var_os("BOHR_WRITE_SCHEMA").is_some() {
        fs::write(&file, Report::schema()).unwrap();
    }
    let told = "it is stale: run this test with BOHR_WRITE_SCHEMA=1";
    assert!(fs::read_to_string(file).unwrap() == Report::schema(), "{told}");
}

#[test]
fn every_report_keeps_to_the_schema() {
    let schema = serde_json::from_str(&Report::schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let folders = fs::read_dir(tree().join("reports")).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = folders.map(|path| path.join("report.json")).filter(|path| path.is_file()).collect();
    assert_eq!(files.len(), 5);
    for file in files {
        let mut report: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let errors: Vec<_> = validator.iter_errors(&report).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", file.display());
        // And it says something: a report without its cases does not.
        report.as_object_mut().unwrap().remove("cases");
        assert!(!validator.is_valid(&report));
    }
}
