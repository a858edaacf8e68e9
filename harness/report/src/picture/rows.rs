//! What stands below what in a picture.

use crate::json::{FailingCase, Run};

/// A row of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// A step.
    Step(usize),
    /// Steps that are folded: the first, and the one after the last.
    Fold(usize, usize),
    /// A remark on a task that was preempted.
    Preempted(u32),
    /// What a task still waits for or was about to do, as the number of its operation; and whether the cause names
    /// it.
    Undone { task: u32, operation: u32, named: bool },
    /// How it ended.
    Failure(Option<u32>),
}

impl Row {
    pub(super) fn height(&self) -> i32 {
        match self {
            Row::Step(_) | Row::Undone { .. } => 42,
            Row::Fold(..) => 30,
            Row::Preempted(_) => 26,
            Row::Failure(_) => 44,
        }
    }
}

/// The rows of a run.
pub(super) fn rows(case: &FailingCase, run: &Run) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut next = 0;
    for [from, to] in run.shown.iter().map(|[from, to]| [*from as usize, *to as usize]) {
        if from > next {
            rows.push(Row::Fold(next, from));
        }
        for at in from..to {
            if run.steps[at].preempts && at > 0 && run.steps[at - 1].task != run.steps[at].task {
                rows.push(Row::Preempted(run.steps[at - 1].task));
            }
            rows.push(Row::Step(at));
        }
        next = to;
    }
    if next < run.steps.len() {
        rows.push(Row::Fold(next, run.steps.len()));
    }
    let unreached = run.unreached.as_ref();
    let blocks = ["deadlock", "leak"].contains(&case.kind.as_str());
    for undone in run.undone.iter().filter(|it| blocks && it.blocked) {
        let named = unreached.is_some_and(|it| it.task == undone.task);
        rows.push(Row::Undone { task: undone.task, operation: undone.operation, named });
    }
    let told = |row: &Row| matches!(row, Row::Undone { named: true, .. });
    if let Some(it) = unreached.filter(|_| !rows.iter().any(told)) {
        rows.push(Row::Undone { task: it.task, operation: it.operation, named: true });
    }
    rows.push(Row::Failure(case.task));
    rows
}
