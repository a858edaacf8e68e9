//! The cause of a failure in one sentence, as far as a single failing run can tell it.

mod blocked;
mod decided;
mod interference;
mod repetition;

use crate::document::Text;
use crate::model::Case;
use crate::names::{Names, full_site};
use crate::numbers;
use bohr_kernel::{Detail, Kind, RaceAccess, Site, TaskId};

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// One sentence, naming tasks, operations and lines.
    pub sentence: Text,
    /// The indices of the steps that it names, ascending.
    pub steps: Vec<u32>,
    /// An operation that it names and that the run did not reach.
    pub unreached: Option<Unreached>,
}

/// An operation that a run did not reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    /// Whose it is.
    pub task: TaskId,
    /// What it is called, with its object.
    pub operation: String,
    /// Where it stands in the source.
    pub site: Site,
}

impl Cause {
    /// Reads the cause off a failing run.
    ///
    /// What was [shown to decide](Case::decisive) need not be guessed. Else a data race names its two
    /// accesses, a deadlock its wait-for cycle, a leak what each task left behind waits for. For a failure that
    /// showed in an operation it is the last conflicting operation of another task, and whether that came
    /// between two operations of the failing task.
    pub fn of(case: &Case) -> Cause {
        let names = case_names(case);
        let decided = decided::explain(case, &names);
        let (sentence, mut steps) = match (case.finding.kind, &case.finding.detail) {
            (_, Detail::Race { first, second }) => race(case, &names, first, second),
            (Kind::Deadlock | Kind::Leak, Detail::Blocked(tasks)) => {
                both(blocked::explain(case, &names, tasks), decided)
            }
            (Kind::StepBound, _) => both(repetition::explain(case, &names), decided),
            (Kind::ScenarioBug, _) => scenario_bug(case),
            _ => decided.unwrap_or_else(|| interference::explain(case, &names)),
        };
        steps.sort_unstable();
        steps.dedup();
        let steps = steps.into_iter().map(|at| at as u32).collect();
        let sentence = sentence.text(decided::nothing(case)).plain(".");
        Cause { sentence, steps, unreached: decided::unreached(case, &names) }
    }
}

/// A sentence without its full stop, and the steps in it.
type Explained = (Text, Vec<usize>);

/// What happened, and then what decided it.
fn both((sentence, steps): Explained, decided: Option<Explained>) -> Explained {
    match decided {
        Some((decided, more)) => (sentence.plain("; ").text(decided), [steps, more].concat()),
        None => (sentence, steps),
    }
}

/// The names used for a case, in its cause and in its schedule.
pub(crate) fn case_names(case: &Case) -> Names<'_> {
    let mut sites: Vec<&Site> = case.finding.site.iter().collect();
    match &case.finding.detail {
        Detail::None => {}
        Detail::Race { first, second } => sites.extend([&first.site, &second.site]),
        Detail::Blocked(tasks) => sites.extend(tasks.iter().map(|t| &t.site)),
    }
    sites.extend(decided::second(case).map(|step| &step.site));
    Names::new(&case.trace, &case.trace.steps[..end(case)], sites)
}

/// How many steps there were until the finding showed, that step counted.
pub(crate) fn end(case: &Case) -> usize {
    let end = failing_step(case).map_or(case.finding.step as usize, |at| at + 1);
    end.min(case.trace.steps.len())
}

/// The step in which the finding showed, if it showed in one.
pub(crate) fn failing_step(case: &Case) -> Option<usize> {
    let at = case.finding.step as usize;
    let step = case.trace.steps.get(at)?;
    let same = Some(step.task) == case.finding.task && Some(&step.site) == case.finding.site.as_ref();
    same.then_some(at)
}

fn race(case: &Case, names: &Names<'_>, first: &RaceAccess, second: &RaceAccess) -> Explained {
    let place = |access: &RaceAccess| format!("(step {}, {})", access.step + 1, names.site(&access.site));
    let verb = |access: &RaceAccess| if access.write { "writes" } else { "reads" };
    let too = if first.write == second.write { " too" } else { "" };
    let sentence = Text::new()
        .code(names.task(first.task))
        .plain(format!(" {} ", verb(first)))
        .code(&case.finding.text)
        .plain(format!(" {} and ", place(first)))
        .code(names.task(second.task))
        .plain(format!(" {} it{too} {}, and nothing that both did ", verb(second), place(second)))
        .plain("in between says which comes first: they may happen at once");
    (sentence, vec![first.step as usize, second.step as usize])
}

fn scenario_bug(case: &Case) -> Explained {
    let at = case.finding.site.as_ref().map(|site| format!(" at {}", full_site(site)));
    let sentence = Text::new()
        .plain("The scenario's own Rust code panicked")
        .plain(at.unwrap_or_default())
        .plain(", which says nothing about the modelled system: mend the scenario first");
    (sentence, failing_step(case).into_iter().collect())
}

/// How long a run was.
fn length(case: &Case) -> String {
    numbers::of(case.trace.steps.iter().filter(|s| !s.at_rest).count() as u64, "step")
}
