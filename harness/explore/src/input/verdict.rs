//! Whether what a run has shown is what was stated.

use crate::campaign::name_of;
use bohr_kernel::scenario::{AnyScenario, Expected};
use bohr_kernel::{Finding, Kind, Outcome};

/// A finding that contradicts what a scenario states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surprise {
    /// The finding.
    pub finding: Finding,
    /// What it contradicts, in words.
    pub why: String,
}

/// The first finding of a run that contradicts the verdict that the variant must get on the workload:
///
/// - an error in the scenario's own code, always;
/// - what no oracle of the scenario speaks for, always: its `classify` has a gap;
/// - where a verdict is stated, an oracle that it does not list, or one that shows with fewer preemptions than it says
///   are needed.
///
/// Where nothing is stated nothing else can be contradicted, and one run says nothing about what was to be violated and
/// was not. Of a workload that [only observes](AnyScenario::only_observes) the failures are stated as of any other.
pub fn surprise(
    scenario: &dyn AnyScenario,
    variant: &str,
    workload: &str,
    outcome: &Outcome,
) -> Option<Surprise> {
    if outcome.findings.is_empty() {
        return None;
    }
    let expected = scenario.expected(variant, workload);
    outcome.findings.iter().find_map(|finding| {
        let why = contradicts(scenario, expected.as_ref(), finding, outcome.preemptions)?;
        Some(Surprise { finding: finding.clone(), why })
    })
}

fn contradicts(
    scenario: &dyn AnyScenario,
    expected: Option<&Expected>,
    finding: &Finding,
    preemptions: u32,
) -> Option<String> {
    if finding.kind == Kind::ScenarioBug {
        return Some("the scenario's own code failed".to_owned());
    }
    let name = name_of(finding);
    if scenario.oracles().iter().all(|oracle| oracle.id != name) {
        return Some(format!("no oracle of the scenario speaks for it ({name})"));
    }
    let Some(violation) = expected?.violations().iter().find(|v| v.oracle == name) else {
        return Some(match expected? {
            Expected::Holds => format!("violates {name}, and must hold"),
            Expected::Fails(_) => format!("violates {name}, which was not expected"),
        });
    };
    let least = violation.preemptions?;
    (preemptions < least).then(|| {
        format!("violates {name} with {preemptions} preemptions, and is said to need at least {least}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bohr_kernel::Detail;
    use bohr_kernel::scenario::{ClassInfo, Info, Oracle, VariantInfo, Violation, When};

    /// A scenario that has oracles and nothing else.
    struct Oracles;

    impl AnyScenario for Oracles {
        fn info(&self) -> &'static Info {
            unreachable!("it is not asked")
        }
        fn oracles(&self) -> &'static [Oracle] {
            const fn oracle(id: &'static str) -> Oracle {
                Oracle { id, when: When::Safety, claim: "" }
            }
            const ALL: &[Oracle] = &[oracle("A"), oracle("B")];
            ALL
        }
        fn variants(&self) -> Vec<VariantInfo> {
            Vec::new()
        }
        fn classes(&self) -> Vec<ClassInfo> {
            Vec::new()
        }
        fn program(&self, _: &str, _: &str) -> Result<bohr_kernel::Program, String> {
            unreachable!("it is not run")
        }
        fn expected(&self, _: &str, _: &str) -> Option<Expected> {
            None
        }
        fn size(&self, _: &str) -> usize {
            0
        }
        fn shrink(&self, _: &str) -> Vec<String> {
            Vec::new()
        }
        fn only_observes(&self, _: &str) -> bool {
            false
        }
        fn has_faults(&self, _: &str) -> bool {
            false
        }
        fn arbitrary(&self, _: &mut arbitrary::Unstructured<'_>) -> arbitrary::Result<String> {
            Ok(String::new())
        }
    }

    fn check(
        oracle: Option<&str>,
        kind: Kind,
        preemptions: u32,
        expected: Option<Expected>,
        why: Option<&str>,
    ) {
        let finding = Finding {
            kind,
            text: String::new(),
            oracle: oracle.map(str::to_owned),
            task: None,
            step: 0,
            site: None,
            detail: Detail::None,
        };
        let said = contradicts(&Oracles, expected.as_ref(), &finding, preemptions);
        assert_eq!(said.as_deref(), why);
    }

    fn fails(preemptions: Option<u32>) -> Option<Expected> {
        Some(Expected::Fails(vec![Violation { oracle: "A", preemptions }]))
    }

    #[test]
    fn what_is_listed_is_no_surprise_and_all_else_is() {
        let holds = Some(Expected::Holds);
        check(Some("A"), Kind::Panic, 0, fails(None), None);
        check(Some("A"), Kind::Panic, 2, fails(Some(2)), None);
        check(Some("B"), Kind::Panic, 0, fails(None), Some("violates B, which was not expected"));
        check(Some("A"), Kind::Oracle, 0, holds, Some("violates A, and must hold"));
        let sooner = "violates A with 1 preemptions, and is said to need at least 2";
        check(Some("A"), Kind::Oracle, 1, fails(Some(2)), Some(sooner));
    }

    #[test]
    fn where_nothing_is_stated_only_what_nobody_could_state_is_a_surprise() {
        check(Some("B"), Kind::Oracle, 0, None, None);
        check(None, Kind::ScenarioBug, 0, None, Some("the scenario's own code failed"));
        check(None, Kind::Leak, 0, None, Some("no oracle of the scenario speaks for it (leak)"));
        check(
            None,
            Kind::StepBound,
            9,
            fails(None),
            Some("no oracle of the scenario speaks for it (step bound exceeded)"),
        );
    }
}
