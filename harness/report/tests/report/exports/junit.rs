use super::campaign::campaign;
use crate::support::snapshot;
use bohr_report::export::{Standing, junit};

#[test]
fn a_reader_of_test_results_sees_each_verdict() {
    let campaign = campaign();
    let xml = junit::render(&campaign);
    let read = junit_parser::from_reader(xml.as_bytes()).unwrap();
    assert_eq!((read.tests, read.failures, read.skipped, read.errors), (6, 2, 2, 0));
    let (suite, tested) = (&read.suites[0], &campaign.scenarios[0]);
    assert_eq!(suite.name, "tiny");
    for (case, verdict) in suite.cases.iter().zip(&tested.verdicts) {
        assert_eq!(case.classname.as_deref(), Some(format!("tiny.{}", verdict.variant).as_str()));
        assert_eq!(case.original_name, verdict.workload);
        let status = &case.status;
        match &verdict.standing {
            Standing::Expected | Standing::Partly(_) => assert!(status.is_success()),
            Standing::Unstated | Standing::NotJudged(_) => assert!(status.is_skipped()),
            Standing::Surprise(why) => {
                let failure = status.failure_as_ref();
                assert_eq!(&failure.message, why);
                for seen in verdict.seen.iter().filter(|seen| !seen.expected) {
                    assert!(failure.text.contains(seen.token.as_deref().unwrap_or("cannot be replayed")));
                }
            }
        }
    }
    let control = |c: char| c.is_control() && !c.is_whitespace();
    assert!(!xml.contains(control), "XML cannot hold these");
    for when in [" time=", "timestamp="] {
        assert!(!xml.contains(when), "no two runs would be the same");
    }
}

#[test]
fn junit() {
    snapshot("campaign.junit", &junit::render(&campaign()));
}
