//! `bohr replay`: does a failing run again, and shows it step by step.

use crate::args;
use crate::case::{explained, of_outcome};
use crate::exit::{Done, Error};
use crate::output::{Look, Output};
use crate::source::{self, Source};
use crate::words::counted;
use bohr_explore::replay::{Drifted, Replayed, replay as again};
use bohr_kernel::Finding;
use bohr_report::{Case, report, text};
use serde::Serialize;

#[derive(Serialize)]
struct Json<'a> {
    /// Whether it is the same run with the same finding.
    reproduced: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<&'a Case>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<&'a str>,
}

/// Runs the command.
pub fn replay(args: &args::Replay, out: &mut Output) -> Result<Done, Error> {
    let source = source::read(&args.token)?;
    let case = match reproduce(&source)? {
        Ok(case) => explained(&source.subject, case)?,
        Err(drift) => {
            if out.json {
                out.json("replay", Json { reproduced: false, case: None, drift: Some(&drift) })?;
            }
            return Err(Error::Input(drift));
        }
    };
    if out.json {
        out.json("replay", Json { reproduced: true, case: Some(&case), drift: None })?;
        return Ok(Done::AsExpected);
    }
    let width = out.width();
    out.line(text::render(&report::case(&case), width))?;
    let steps = counted(case.trace.steps.iter().filter(|s| !s.at_rest).count() as u64, "step");
    out.styled(Look::Good, &format!("Same run, same finding: {steps}, {}.", case.finding.headline()))?;
    Ok(Done::AsExpected)
}

/// Does the run again. The inner error says, in words, how it differs from the one the token holds.
pub fn reproduce(source: &Source) -> Result<Result<Case, String>, Error> {
    let replayed = again(source.subject.scenario, &source.token).map_err(Error::Input)?;
    Ok(match &replayed {
        Replayed { finding: Some(finding), drift: None, outcome } => {
            of_outcome(&source.subject, source.token.config(), outcome, finding)
                .ok_or_else(|| "the run was not recorded".to_owned())
        }
        Replayed { drift, outcome, finding } => {
            Err(in_words(source, drift.as_ref(), finding.as_ref(), &outcome.findings))
        }
    })
}

/// What became of a run that is no longer the same. Whatever it shows now, it is not passed off as the
/// finding that the token holds.
fn in_words(source: &Source, drift: Option<&Drifted>, same: Option<&Finding>, shown: &[Finding]) -> String {
    let mut text = format!("{} has changed since the token was written", source.subject.path());
    if let Some(drift) = drift {
        text += &format!(": {drift}");
    }
    text += "\n";
    text += &match (same, shown) {
        (Some(finding), _) => format!("it still ends in {}, by another way", finding.headline()),
        (None, []) => "the finding did not show again: this schedule now passes".to_owned(),
        (None, [other, ..]) => {
            format!("the finding did not show again; this schedule now shows another: {}", other.headline())
        }
    };
    text + &format!("; `bohr run {}` finds out what fails now", source.subject.path())
}
