use super::campaign::campaign;
use crate::support::{failing, failing_with, programs, snapshot};
use bohr_kernel::RunConfig;
use bohr_report::Case;
use bohr_report::export::{Campaign, Failure, Tested, sarif};
use serde_json::Value;
use std::collections::BTreeSet;

const SCHEMA: &str = include_str!("../../assets/sarif/sarif-schema-2.1.0.json");

/// The failing runs of every kind, each as if it were not expected.
fn kinds() -> Campaign {
    let Campaign { command, ended, mut scenarios } = campaign();
    let going_on = RunConfig { keep_going: true, ..RunConfig::default() };
    let cases = vec![
        failing("panic", programs::panic),
        failing("data_race", programs::data_race),
        failing_with(going_on, "data_race", programs::data_race),
        failing("deadlock", programs::deadlock),
        failing("leak", programs::leak),
        failing("oracle", programs::oracle),
        failing("step_bound", programs::step_bound),
        failing("scenario_bug", programs::scenario_bug),
    ];
    let failure = |case: Case| Failure { case, expected: false, workloads: 1 };
    let tested = scenarios.remove(0);
    let tested =
        Tested { verdicts: Vec::new(), failures: cases.into_iter().map(failure).collect(), ..tested };
    Campaign { command, ended, scenarios: vec![tested] }
}

fn printed(campaign: &Campaign) -> Value {
    serde_json::from_str(&sarif::render(campaign, "1.2.3")).unwrap()
}

#[test]
fn it_is_what_the_standards_schema_says() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    for campaign in [campaign(), kinds(), Campaign { scenarios: Vec::new(), ..campaign() }] {
        let log = printed(&campaign);
        let errors: Vec<String> =
            validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path)).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
}

#[test]
fn the_steps_of_all_threads_are_numbered_once() {
    let campaign = kinds();
    let log = printed(&campaign);
    let failures = &campaign.scenarios[0].failures;
    for (result, failure) in list(&log["runs"][0]["results"]).iter().zip(failures) {
        let mut steps = BTreeSet::new();
        for thread in list(&result["codeFlows"][0]["threadFlows"]) {
            let mut before = 0;
            for location in list(&thread["locations"]) {
                let order = location["executionOrder"].as_u64().unwrap();
                assert!(order > before, "a thread's locations are in order");
                before = order;
                let waits = location["location"]["message"]["text"].as_str().unwrap().starts_with("waits: ");
                assert!(waits || steps.insert(order), "{order} is there twice");
                if !waits {
                    let step = &failure.case.trace.steps[order as usize - 1];
                    let name = &failure.case.trace.tasks[step.task.0 as usize].name;
                    assert!(thread["id"].as_str().unwrap().starts_with(name.as_str()));
                    let place = &location["location"]["physicalLocation"];
                    assert_eq!(place["region"]["startLine"], step.site.line);
                }
            }
        }
        assert!(steps.iter().copied().eq(1..=steps.len() as u64), "{steps:?}");
    }
}

#[test]
fn rules_are_found_by_their_index_and_files_from_the_root() {
    for campaign in [campaign(), kinds()] {
        let log = printed(&campaign);
        let run = &log["runs"][0];
        let rules = list(&run["tool"]["driver"]["rules"]);
        for result in list(&run["results"]) {
            assert_eq!(rules[result["ruleIndex"].as_u64().unwrap() as usize]["id"], result["ruleId"]);
            assert!(
                result["locations"][0]["physicalLocation"].is_object(),
                "code scanning wants a place: {result}"
            );
        }
        let text = log.to_string();
        for uri in text.split("\"uri\":\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(!uri.contains([' ', ':']) && !uri.starts_with('/'), "{uri}");
        }
    }
}

#[test]
fn what_is_stated_is_a_suppressed_note_and_what_is_not_is_an_error() {
    let log = printed(&campaign());
    let results = list(&log["runs"][0]["results"]);
    let levels: Vec<_> = results
        .iter()
        .map(|result| (result["level"].as_str().unwrap(), result["suppressions"].is_array()))
        .collect();
    // The deadlock, the map's stated failure, what cannot be replayed, and what did not show.
    assert_eq!(levels, [("error", false), ("note", true), ("error", false), ("error", false)]);
    let fingerprints: BTreeSet<_> = results.iter().map(|r| r["partialFingerprints"].to_string()).collect();
    assert_eq!(fingerprints.len(), results.len());
}

#[test]
fn sarif() {
    snapshot("campaign.sarif", &sarif::render(&campaign(), "1.2.3"));
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
