//! What is known because other schedules were run.

use super::{Explained, Unreached};
use crate::document::Text;
use crate::model::{Case, Decisive, Passing};
use crate::names::Names;
use crate::numbers::{count, of};
use bohr_kernel::Step;

/// Two operations, or a value, that decide. Nothing if that is not known, or if the steps are not in the trace.
pub(super) fn explain(case: &Case, names: &Names<'_>) -> Option<Explained> {
    let there = |at: u32| Some(at as usize).filter(|at| *at < case.trace.steps.len());
    match case.decisive.as_ref()? {
        Decisive::Order { first, second: Some(second), passing, .. } => {
            let (first, second) = (there(*first)?, there(*second)?);
            let sentence = names.step(first).plain(" came before ").text(names.step(second));
            let sentence = sentence.plain("; with these two in the other order ");
            Some((sentence.text(passes(passing)), vec![first, second]))
        }
        Decisive::Order { first, second: None, passing, .. } => {
            let (first, second) = (there(*first)?, unreached(case, names)?);
            let sentence =
                names.step(first).plain(" came before ").code(names.task(second.task)).plain("'s ");
            let sentence = sentence.code(second.operation).plain(format!(" ({})", names.site(&second.site)));
            let sentence = sentence.plain(", which this run does not reach; with that first ");
            Some((sentence.text(passes(passing)), vec![first]))
        }
        Decisive::Value { step, chosen, of, instead, passing } => {
            let text = Text::new().plain(format!("The value {chosen} was chosen of {of}"));
            let (text, steps) = match step {
                Some(step) => (text.plain(" at ").text(names.step(there(*step)?)), vec![*step as usize]),
                None => (text.plain(" at the start of a task"), Vec::new()),
            };
            Some((text.plain(format!("; with {instead} ")).text(passes(passing)), steps))
        }
        Decisive::Race { .. } | Decisive::Nothing { .. } | Decisive::Unknown { .. } => None,
    }
}

/// What a run does that differs in one place, and from where on it is another.
fn passes(passing: &Passing) -> Text {
    let from = format!("differs from step {} on", passing.first_difference + 1);
    match &passing.but {
        None => format!("the run passes, and {from}").into(),
        Some(but) => {
            let text = Text::new().plain(format!("it does not happen: the run {from}, and goes on to "));
            text.strong(but)
        }
    }
}

/// What there is to say if nothing decides, or if it is not known.
pub(super) fn nothing(case: &Case) -> Text {
    let otherwise = |other: u64| match other {
        0 => String::new(),
        other => format!(", of which {} end in another failure", count(other)),
    };
    let text = match &case.decisive {
        Some(Decisive::Nothing { runs, other }) => {
            let runs = of(*runs, "run");
            format!(
                "; no order decides: no schedule passes (all are covered, in {runs}{})",
                otherwise(*other)
            )
        }
        Some(Decisive::Unknown { runs, other, passing }) => {
            let found = match passing {
                None => "no schedule was found that passes".to_owned(),
                Some(passing) => {
                    let step = passing.first_difference + 1;
                    format!(
                        "no one change makes it pass, but a schedule that differs from step {step} on does"
                    )
                }
            };
            format!("; {found} ({} tried{})", of(*runs, "run"), otherwise(*other))
        }
        _ => return Text::new(),
    };
    text.into()
}

/// The operation that decides by coming second, as the passing run did it.
pub(super) fn second(case: &Case) -> Option<&Step> {
    match case.decisive.as_ref()? {
        Decisive::Order { first_in_passing, passing, .. } => {
            passing.trace.steps.get(*first_in_passing as usize)
        }
        _ => None,
    }
}

/// The same, if the failing run does not reach it.
pub(super) fn unreached(case: &Case, names: &Names<'_>) -> Option<Unreached> {
    let Some(Decisive::Order { second: None, passing, .. }) = &case.decisive else { return None };
    let step = second(case)?;
    let operation = names.of_run(&passing.trace).operation(step);
    Some(Unreached { task: step.task, operation, site: step.site.clone() })
}
