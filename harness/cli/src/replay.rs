//! `bohr replay`: does a failing run again, and shows it step by step.

use crate::args;
use crate::case::{explained, of_outcome};
use crate::exit::{Done, Error};
use crate::output::{Look, Output, paint};
use crate::source::{self, Source};
use crate::words::counted;
use bohr_explore::replay::{Drifted, Replayed, replay as again};
use bohr_kernel::Finding;
use bohr_report::schedule::Folding;
use bohr_report::{Case, go_format, report, text};
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
    args.check(out.json)?;
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
    } else if !args.on_output() {
        print(args, &case, out)?;
    }
    args.write(&source.subject, &case, out)?;
    Ok(Done::AsExpected)
}

fn print(args: &args::Replay, case: &Case, out: &mut Output) -> Result<(), Error> {
    if args.go {
        let Some(go) = go_format::render(case) else { return Err(unnoticed(case)) };
        return Ok(out.line(go.trim_end())?);
    }
    let folding = if args.verbose { Folding::NONE } else { Folding::default() };
    let (blocks, width) = (report::case_folded(case, folding), out.width());
    out.line(text::painted(&blocks, width, &paint))?;
    let steps = counted(case.trace.steps.iter().filter(|s| !s.at_rest).count() as u64, "step");
    out.styled(Look::Good, &format!("Same run, same finding: {steps}, {}.", case.finding.headline()))?;
    Ok(())
}

fn unnoticed(case: &Case) -> Error {
    let headline = case.finding.headline();
    Error::Input(format!("Go notices no such failure ({headline}), so it has no form for it; leave --go out"))
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
