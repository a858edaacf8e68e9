//! From a schedule that failed to everything there is to say about it.

use crate::exit::Error;
use crate::target::Subject;
use bohr_explore::beside::beside;
use bohr_explore::cause::{Cause, Choice, Decides, Pair, cause};
use bohr_explore::search::rerun;
use bohr_explore::shrink::{Failing, Shrunk, shrink};
use bohr_explore::token::Token;
use bohr_kernel::scenario::Role;
use bohr_kernel::{Decision, Finding, Outcome, RunConfig, choices_of};
use bohr_report::Case;
use bohr_report::model::{self, Decisive, Fewest, Fixed};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Runs a failing schedule again with everything recorded. Nothing if it does not fail so again, which
/// happens only with what OS threads did: not every order of theirs is a schedule.
pub fn case(subject: &Subject, finding: &Finding, decisions: &[Decision]) -> Option<Case> {
    let program = subject.program().ok()?;
    let choices = choices_of(decisions);
    // Best ended by the finding itself. That needs another run only if something else showed before.
    [false, true].into_iter().find_map(|keep_going| {
        let config = RunConfig { keep_going, ..RunConfig::default() };
        let outcome = rerun(&program, config, choices.clone());
        let again = outcome.findings.iter().find(|f| f.same_failure(finding))?;
        of_outcome(subject, config, &outcome, again)
    })
}

/// All about a finding of a recorded run. Nothing if the run was not recorded.
pub fn of_outcome(
    subject: &Subject,
    config: RunConfig,
    outcome: &Outcome,
    finding: &Finding,
) -> Option<Case> {
    let names = (subject.scenario.info().name, subject.variant.name, subject.workload.as_str());
    let token = Token::new(names, config, outcome, finding);
    Some(Case {
        scenario: names.0.to_owned(),
        variant: names.1.to_owned(),
        workload: names.2.to_owned(),
        finding: finding.clone(),
        trace: outcome.trace.clone()?,
        token: token.to_string(),
        preemptions: outcome.preemptions,
        fewest: Fewest::NotProved { reason: "the schedule was not shrunk".to_owned() },
        decisive: None,
        fixed: None,
    })
}

/// The most schedules that are run to find what decides.
const CAUSE_RUNS: u64 = 2_000;

/// Adds to a case what decides whether it fails.
pub fn explained(subject: &Subject, case: Case) -> Result<Case, Error> {
    let token = token_of(&case)?;
    let program = subject.scenario.program(&case.variant, &case.workload).map_err(Error::Input)?;
    let found = rerun(&program, token.config(), token.choices.clone());
    let found = cause(&program, token.config(), &case.finding, &found.decisions, CAUSE_RUNS);
    let decisive = found.map(|found| decisive(&case, found));
    Ok(Case { decisive, ..case })
}

/// The token of a case that was made here.
fn token_of(case: &Case) -> Result<Token, Error> {
    case.token.parse().map_err(|e| Error::Input(format!("cannot read {:?}: {e}", case.token)))
}

/// Adds to a case what the fixed form does under its schedule, if there is one and it takes the workload.
pub fn beside_fixed(subject: &Subject, case: Case) -> Result<Case, Error> {
    let variants = subject.scenario.variants();
    let Some(fixed) = variants.iter().find(|v| v.role == Role::Fixed) else { return Ok(case) };
    let program = |variant: &str| subject.scenario.program(variant, &case.workload).map_err(Error::Input);
    let token = token_of(&case)?;
    let outcome = beside(&program(&case.variant)?, &program(fixed.name)?, token.config(), token.choices);
    let fixed = outcome.trace.map(|trace| Fixed {
        variant: fixed.name.to_owned(),
        findings: outcome.findings.iter().map(Finding::headline).collect(),
        trace,
    });
    Ok(Case { fixed, ..case })
}

fn decisive(case: &Case, cause: Cause) -> Decisive {
    let Cause { decides, passing, runs, other } = cause;
    let passing = passing.map(|passing| model::Passing {
        first_difference: passing.first_difference,
        but: passing.but.as_ref().map(Finding::headline),
        trace: passing.trace().clone(),
    });
    match (decides, passing) {
        (Decides::Order(Pair { first, second, first_in_passing, object }), Some(passing)) => {
            let object = case.trace.objects.get(object.0 as usize);
            let object = object.map(|object| object.name.clone()).unwrap_or_default();
            Decisive::Order { first, second, first_in_passing, object, passing }
        }
        (Decides::Value(Choice { step, chosen, of, instead }), Some(passing)) => {
            Decisive::Value { step, chosen, of, instead, passing }
        }
        (Decides::Race(first, second), _) => Decisive::Race { first, second },
        (Decides::Nothing, _) => Decisive::Nothing { runs, other },
        (Decides::Unknown | Decides::Order(_) | Decides::Value(_), passing) => {
            Decisive::Unknown { runs, other, passing }
        }
    }
}

/// A failing run, shrunk.
pub struct Smallest {
    /// The run.
    pub case: Case,
    /// How it was reached.
    pub shrunk: Shrunk,
}

/// Shrinks a failing run with at most `budget` runs. Whatever the budget, what comes back fails in the same way.
pub fn smallest(
    subject: &Subject,
    case: &Case,
    budget: u64,
    stop: &Arc<AtomicBool>,
) -> Result<Smallest, Error> {
    let token = token_of(case)?;
    let outcome = rerun(&subject.program()?, token.config(), token.choices.clone());
    let failing = Failing {
        scenario: subject.scenario,
        variant: subject.variant.name,
        workload: &subject.workload,
        config: token.config(),
        finding: &case.finding,
        decisions: &outcome.decisions,
        preemptions: outcome.preemptions,
        steps: outcome.steps,
    };
    let shrunk = shrink(&failing, budget, stop).map_err(Error::Input)?;
    let smaller = Subject { workload: shrunk.workload.clone(), ..subject.clone() };
    let mut case = self::case(&smaller, &case.finding, &shrunk.decisions).unwrap_or_else(|| case.clone());
    case.fewest = match shrunk.fewest_proved {
        true => Fewest::Proved { runs: shrunk.runs },
        false => Fewest::NotProved { reason: not_proved(budget, stop) },
    };
    Ok(Smallest { case: explained(&smaller, case)?, shrunk })
}

fn not_proved(budget: u64, stop: &AtomicBool) -> String {
    match stop.load(Ordering::Relaxed) {
        true => "the search was interrupted".to_owned(),
        false => format!("the search was cut off after {budget} runs"),
    }
}
