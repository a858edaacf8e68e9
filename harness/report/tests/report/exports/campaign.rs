//! A campaign in which everything occurs that can.

use crate::support::{decided, failing, programs};
use bohr_kernel::Site;
use bohr_kernel::scenario::Role;
use bohr_report::export::{Campaign, Failure, Seen, Standing, Tested, Verdict};
use bohr_report::model::{BugInfo, OracleRow, ReferenceRow};

/// A verdict of each standing, a failure that is stated, one that is not, and one that cannot be replayed.
pub fn campaign() -> Campaign {
    let verdict = |variant: &str, role, workload: &str, standing| Verdict {
        variant: variant.into(),
        role,
        workload: workload.into(),
        only_observes: false,
        violated: Vec::new(),
        expected: Some(Vec::new()),
        standing,
        checked: "every schedule of 1 workload".into(),
        seen: Vec::new(),
        begins: None,
    };
    let seen = |headline: &str, expected, token: Option<&str>| Seen {
        headline: headline.into(),
        oracle: Some("O1".into()),
        expected,
        token: token.map(str::to_owned),
    };
    let (fatal, deadlock) = (decided("buggy", programs::fatal), failing("fixed", programs::deadlock));
    let violated = vec!["O1".to_owned()];
    let verdicts = vec![
        Verdict {
            violated: violated.clone(),
            expected: Some(violated.clone()),
            seen: vec![seen(&fatal.finding.headline(), true, Some("b1:tiny/buggy/two:AA"))],
            ..verdict("buggy", Role::Buggy, "two", Standing::Expected)
        },
        Verdict {
            violated: violated.clone(),
            expected: Some(vec!["O1".into(), "O2".into()]),
            only_observes: true,
            ..verdict(
                "buggy",
                Role::Buggy,
                "three",
                Standing::Partly("O2 did not show in 9 schedules".into()),
            )
        },
        Verdict {
            violated,
            seen: vec![
                seen(&deadlock.finding.headline(), false, Some(&deadlock.token)),
                seen("panic: <a> & \"b\" | `c` {d}\u{1}", false, None),
            ],
            begins: Some(Site { file: "scenarios/tiny/src/a b.rs".into(), line: 3 }),
            ..verdict(
                "fixed",
                Role::Fixed,
                "two",
                Standing::Surprise("violates O1, which was not expected".into()),
            )
        },
        Verdict {
            expected: Some(vec!["O2".into()]),
            begins: Some(Site { file: "scenarios/tiny/src/mutants.rs".into(), line: 7 }),
            ..verdict(
                "wrong",
                Role::Mutant,
                "two",
                Standing::Surprise("was to violate O2 and did not".into()),
            )
        },
        Verdict { expected: None, ..verdict("control", Role::Control, "two", Standing::Unstated) },
        Verdict {
            checked: String::new(),
            ..verdict(
                "control",
                Role::Control,
                "three",
                Standing::NotJudged("7 tasks, and loom has threads for 5".into()),
            )
        },
    ];
    let oracle = |id: &str, claim: &str| OracleRow {
        id: id.into(),
        when: "as it happens".into(),
        claim: claim.into(),
    };
    let tested = Tested {
        info: BugInfo {
            name: "tiny".into(),
            system: "a test".into(),
            title: "Two writers of `one` map".into(),
            symptom: "It dies.".into(),
            cause: "Nobody holds a lock.".into(),
            fix: "Somebody does.".into(),
            references: vec![ReferenceRow {
                what: "report".into(),
                name: "1".into(),
                url: "https://example.org/1".into(),
            }],
        },
        oracles: vec![oracle("O1", "the process lives"), oracle("O2", "the map is {whole}")],
        verdicts,
        failures: vec![
            Failure { case: deadlock, expected: false, workloads: 1 },
            Failure { case: fatal, expected: true, workloads: 2 },
        ],
    };
    Campaign { command: "bohr run tiny --seed 1".into(), ended: None, scenarios: vec![tested] }
}
