//! JUnit XML, as Jenkins, GitLab and the test reporters for GitHub read it.
//!
//! A scenario is a test suite, and the verdict of a form on a workload a test case: it passes if the verdict is the
//! stated one, and is skipped if there is none or none is stated. A buggy form that fails as it is stated to *passes*.

use super::{Campaign, Seen, Standing, Tested, Verdict};
use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

/// Prints a campaign.
pub fn render(campaign: &Campaign) -> String {
    let mut report = Report::new("bohr");
    report.add_test_suites(campaign.scenarios.iter().map(|tested| suite(campaign, tested)));
    // Fails only if a writer does, or for a date; there is none of either.
    report.to_string().unwrap_or_default()
}

fn suite(campaign: &Campaign, tested: &Tested) -> TestSuite {
    let mut suite = TestSuite::new(tested.info.name.as_str());
    let facts = [
        ("title", tested.info.title.as_str()),
        ("system", &tested.info.system),
        ("command", &campaign.command),
        ("ended", campaign.ended.as_deref().unwrap_or_default()),
    ];
    let facts = facts.into_iter().filter(|(_, fact)| !fact.is_empty());
    suite.add_properties(facts.map(|(name, fact)| Property::new(name, fact)));
    suite.add_test_cases(tested.verdicts.iter().map(|verdict| test_case(tested, verdict)));
    suite
}

fn test_case(tested: &Tested, verdict: &Verdict) -> TestCase {
    let mut case = TestCase::new(verdict.workload.as_str(), status(verdict));
    case.set_classname(format!("{}.{}", tested.info.name, verdict.variant));
    case.set_system_out(account(verdict));
    case
}

fn status(verdict: &Verdict) -> TestCaseStatus {
    let skipped = |why: &str| {
        let mut status = TestCaseStatus::skipped();
        status.set_message(why);
        status
    };
    match &verdict.standing {
        Standing::Expected | Standing::Partly(_) => TestCaseStatus::success(),
        Standing::Unstated => skipped("no verdict is stated to compare with"),
        Standing::NotJudged(why) => skipped(why),
        Standing::Surprise(why) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let unexpected = verdict.seen.iter().filter(|seen| !seen.expected);
            status.set_message(why).set_type("unexpected-verdict");
            status.set_description(format!("{}\n{}", comparison(verdict), list(unexpected)));
            status
        }
    }
}

/// What was found out, for whoever opens the test case.
fn account(verdict: &Verdict) -> String {
    let mut lines = vec![format!("{}; {}", verdict.role, comparison(verdict))];
    if !verdict.checked.is_empty() {
        lines.push(format!("checked: {}", verdict.checked));
    }
    if let Standing::Partly(why) = &verdict.standing {
        lines.push(format!("as far as schedules were sampled: {why}"));
    }
    if verdict.only_observes {
        lines.push("this workload only observes: failures on it do not count against the form".to_owned());
    }
    lines.join("\n") + "\n" + &list(verdict.seen.iter())
}

fn comparison(verdict: &Verdict) -> String {
    format!("verdict: {}; stated: {}", verdict.in_words(), verdict.expected_in_words())
}

fn list<'s>(seen: impl Iterator<Item = &'s Seen>) -> String {
    seen.map(|seen| format!("{}\n    {}\n", seen.headline, seen.again())).collect()
}
