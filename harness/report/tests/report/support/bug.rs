//! A bug of which only the campaign's figures are made up.

use super::{decided, failing, programs};
use bohr_kernel::scenario::Role;
use bohr_report::model::{
    BugInfo, BugReport, DriverRow, Fewest, HoldsRow, Median, OracleRow, Proof, ReferenceRow, Share,
    VariantRow,
};

/// All about it.
pub fn bug() -> BugReport {
    let variant = |name: &str, role, summary: &str, verdict: &str| VariantRow {
        name: name.into(),
        role,
        summary: summary.into(),
        verdict: verdict.into(),
        violated: verdict.strip_prefix("fails: ").map(str::to_owned).into_iter().collect(),
        observed: Vec::new(),
    };
    let mut lost = decided("buggy", programs::oracle);
    lost.fewest = Fewest::NotProved { reason: "the search stopped after 10,000 runs".into() };
    BugReport {
        info: BugInfo {
            name: "tiny-image-log".into(),
            system: "Tiny operator 0.16".into(),
            title: "two controllers log images at once".into(),
            symptom: "The process exits with `fatal error: concurrent map writes`.".into(),
            cause: "Two workers assign to one plain map | and `nothing` protects it.".into(),
            fix: "A sync.Map with one atomic Swap.".into(),
            references: vec![
                ReferenceRow {
                    what: "report".into(),
                    name: "tiny/tiny issue #2872".into(),
                    url: "https://example.org/tiny/issues/2872".into(),
                },
                ReferenceRow {
                    what: "fix".into(),
                    name: "tiny/tiny PR #2933".into(),
                    url: "https://example.org/tiny/pull/2933".into(),
                },
            ],
        },
        oracles: vec![
            OracleRow {
                id: "no-map-misuse".into(),
                when: "as it happens".into(),
                claim: "Go's runtime never sees the map misused.".into(),
            },
            OracleRow {
                id: "all-counted".into(),
                when: "when all is quiet".into(),
                claim: "Every hit is counted.".into(),
            },
        ],
        variants: vec![
            variant("buggy", Role::Buggy, "As reported.", "fails: no-map-misuse"),
            variant("fixed", Role::Fixed, "sync.Map with Swap.", "holds"),
            variant(
                "write_lock_only",
                Role::Mutant,
                "A mutex | around the assign only.",
                "fails: all-counted",
            ),
        ],
        cases: vec![failing("buggy", programs::fatal), lost],
        hardness: vec![
            DriverRow {
                driver: "random".into(),
                seeds: 20,
                found: 20,
                first_failure: Some(Median { median: 2.5, low: 1.0, high: Some(4.0) }),
                failing: Some(Share { hits: 780, of: 1000, low: 0.7533, high: 0.8046 }),
                firsts: vec![1, 1, 2, 2, 2, 3, 3, 4, 9],
                budget: 50,
            },
            DriverRow {
                driver: "pct".into(),
                seeds: 20,
                found: 12,
                first_failure: Some(Median { median: 29_617.0, low: 900.0, high: None }),
                failing: Some(Share { hits: 12, of: 1_234_567, low: 5.56e-6, high: 1.7e-5 }),
                firsts: vec![900, 29_617],
                budget: 61_728,
            },
            DriverRow {
                driver: "threads".into(),
                seeds: 20,
                found: 0,
                first_failure: None,
                failing: None,
                firsts: Vec::new(),
                budget: 500,
            },
        ],
        holds: vec![
            HoldsRow {
                variant: "fixed".into(),
                class: "two".into(),
                proof: Proof::Exhausted { schedules: 1_234 },
            },
            HoldsRow {
                variant: "fixed".into(),
                class: "many".into(),
                proof: Proof::NotRefuted { schedules: 1_000_000, traces: 12_345, unseen: 0.004, upper: 3e-6 },
            },
        ],
        sources: Vec::new(),
        forms: None,
    }
}
