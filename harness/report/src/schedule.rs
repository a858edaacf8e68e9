//! A run as a table with one column a task.

mod folding;

use crate::cause::{Cause, case_names, end, failing_step};
use crate::document::{Row, Span, Table, Text};
use crate::model::Case;
use crate::names::{Names, is_kernels};
use crate::numbers;
use crate::text::Ink;
use bohr_kernel::{BlockedTask, Detail, Step, TaskId};
use std::collections::BTreeSet;

/// What of a run is shown.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Folding {
    /// More steps of one task than this without a switch are shown as their first and last.
    pub stretch: usize,
    /// More steps than this in all are shown as their first and last.
    pub total: usize,
}

impl Folding {
    /// Every step is shown, also those after the finding.
    pub const NONE: Folding = Folding { stretch: usize::MAX, total: usize::MAX };
}

impl Default for Folding {
    fn default() -> Self {
        Folding { stretch: 16, total: 80 }
    }
}

/// A run, laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    tasks: Vec<String>,
    lines: Vec<Line>,
}

/// How the tasks are told apart.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    /// By a column each.
    Columns,
    /// By a column each that is one character wide, and by their name: for many tasks.
    Lanes,
    /// By their name, in a column: for many tasks in little room.
    List,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    /// An operation, or (without a number) what a task still wants to do.
    Step { number: Option<usize>, marks: String, task: usize, what: Text, place: String },
    /// A remark, about a task or in general.
    Note { task: Option<usize>, text: Text },
}

/// How a remark on a preemption begins.
const PREEMPTED: &str = "preempted";
/// Another task goes on; the one before had ended or waits.
const SWITCH: char = '>';
/// Named in the cause.
const NAMED: char = '*';
/// Where it failed.
const FAILED: char = '!';

impl Schedule {
    /// Lays out a failing run; the steps in its cause, and the one that failed, are always shown.
    pub fn of(case: &Case, cause: &Cause, folding: Folding) -> Schedule {
        let names = case_names(case);
        let mut builder = Builder { case, cause, names, columns: columns(case, cause), lines: Vec::new() };
        builder.steps(folding);
        builder.outcome();
        builder.rest(folding);
        let tasks = builder.columns.iter().map(|t| builder.names.task(*t)).collect();
        Schedule { tasks, lines: builder.lines }
    }

    /// How many tasks there are.
    pub(crate) fn tasks(&self) -> usize {
        self.tasks.len()
    }

    /// What the marks mean that are in use.
    pub fn legend(&self) -> Option<Text> {
        let used = |mark: char| {
            self.lines.iter().any(|l| matches!(l, Line::Step { marks, .. } if marks.contains(mark)))
        };
        let meanings = [
            (SWITCH, "another task goes on, since the one before has ended or waits"),
            (NAMED, "named in the cause"),
            (FAILED, "where it failed"),
        ];
        let used: Vec<_> = meanings.into_iter().filter(|(mark, _)| used(*mark)).collect();
        let add = |text: Text, (at, (mark, meaning)): (usize, &(char, &str))| {
            let text = if at > 0 { text.plain("; ") } else { text };
            text.code(mark.to_string()).plain(format!(" {meaning}"))
        };
        (!used.is_empty()).then(|| used.iter().enumerate().fold(Text::new(), add))
    }

    /// What the cells of a line are printed in: those of a task in its own ink.
    pub(crate) fn ink(&self, line: Option<usize>, column: usize, layout: Layout) -> Ink {
        let Some(line) = line.map(|at| &self.lines[at]) else {
            let task = column.checked_sub(2).filter(|task| *task < self.tasks.len());
            return task.filter(|_| layout == Layout::Columns).map_or(Ink::Heading, Ink::Task);
        };
        match line {
            Line::Step { marks, .. } if column == 1 && marks.contains(FAILED) => Ink::Failure,
            Line::Step { task, .. } if layout == Layout::Columns && column == 2 + task => Ink::Task(*task),
            Line::Step { task, .. } if layout == Layout::List && (2..4).contains(&column) => Ink::Task(*task),
            Line::Step { task, .. } if layout == Layout::Lanes && (2..5).contains(&column) => {
                Ink::Task(*task)
            }
            Line::Step { .. } => Ink::Plain,
            Line::Note { text, .. } => match text.0.first() {
                Some(Span::Strong(words)) if words != PREEMPTED => Ink::Failure,
                _ => Ink::Remark,
            },
        }
    }

    /// A character for each task, another for the one that runs.
    fn lanes(&self, runs: usize) -> String {
        (0..self.tasks.len()).map(|task| if task == runs { '●' } else { '·' }).collect()
    }

    /// The table: step number (from 1), marks, what each task did, and where in the source.
    pub fn table(&self, layout: Layout) -> Table {
        let mut header: Vec<Text> = vec!["step".into(), "".into()];
        match layout {
            Layout::Columns => header.extend(self.tasks.iter().map(|t| Text::new().code(t))),
            Layout::Lanes => header.extend(["tasks".into(), "task".into(), "operation".into()]),
            Layout::List => header.extend(["task".into(), "operation".into()]),
        }
        header.push("where".into());
        let width = header.len();
        let column = |task: usize| if layout == Layout::Columns { 2 + task } else { width - 2 };
        let rows = self.lines.iter().map(|line| match line {
            Line::Step { number, marks, task, what, place } => {
                let mut cells = vec![Text::new(); width];
                cells[0] = number.map(|n| n.to_string()).unwrap_or_default().into();
                if !marks.is_empty() {
                    cells[1] = Text::new().code(marks);
                }
                if layout == Layout::Lanes {
                    cells[2] = self.lanes(*task).into();
                }
                if layout != Layout::Columns {
                    cells[width - 3] = Text::new().code(&self.tasks[*task]);
                }
                cells[column(*task)] = what.clone();
                cells[width - 1] = place.clone().into();
                Row::Cells(cells)
            }
            Line::Note { task, text } => Row::Note { column: column(task.unwrap_or(0)), text: text.clone() },
        });
        Table { header, right: vec![0], rows: rows.collect() }
    }
}

/// For each step whether it is shown, if these are.
pub(crate) fn shown_steps(steps: &[Step], named: &BTreeSet<usize>, folding: Folding) -> Vec<bool> {
    folding::shown(steps, named, folding)
}

/// The tasks that get a column: those that did something or still want to.
pub(crate) fn columns(case: &Case, cause: &Cause) -> Vec<TaskId> {
    let mut tasks: BTreeSet<TaskId> = case.trace.steps.iter().map(|s| s.task).collect();
    tasks.extend(case.finding.task);
    if let Detail::Blocked(blocked) = &case.finding.detail {
        tasks.extend(blocked.iter().map(|b| b.task));
    }
    tasks.extend(cause.unreached.iter().map(|unreached| unreached.task));
    tasks.into_iter().collect()
}

struct Builder<'c> {
    case: &'c Case,
    cause: &'c Cause,
    names: Names<'c>,
    columns: Vec<TaskId>,
    lines: Vec<Line>,
}

impl Builder<'_> {
    /// The steps up to the finding: what came after it has no part in it.
    fn steps(&mut self, folding: Folding) {
        let failing = failing_step(self.case);
        let steps = &self.case.trace.steps[..end(self.case)];
        let mut named: BTreeSet<usize> = self.cause.steps.iter().map(|s| *s as usize).collect();
        named.extend(failing);
        let shown = folding::shown(steps, &named, folding);
        let mut at = 0;
        while at < steps.len() {
            if shown[at] {
                self.before(at);
                self.step(at, failing == Some(at));
                at += 1;
            } else {
                let hidden = shown[at..].iter().take_while(|shown| !**shown).count();
                self.fold(&steps[at..at + hidden]);
                at += hidden;
            }
        }
    }

    /// Remarks on how the run came to a step.
    fn before(&mut self, at: usize) {
        let step = &self.case.trace.steps[at];
        let previous = at.checked_sub(1).map(|at| &self.case.trace.steps[at]);
        if step.at_rest && previous.is_none_or(|p| !p.at_rest) {
            self.note(None, "at rest: the schedule is over and the oracles look".into());
        }
        if step.time > previous.map_or(0, |p| p.time) {
            self.note(None, format!("virtual time is now {}", numbers::duration(step.time)).into());
        }
        if let Some(previous) = previous.filter(|p| step.preempts && !step.at_rest && p.task != step.task) {
            self.preemption(at, previous.task);
        }
    }

    fn preemption(&mut self, at: usize, victim: TaskId) {
        let rest = self.case.trace.steps[at..].iter().find(|s| s.task == victim && !s.at_rest);
        let text = Text::new().strong(PREEMPTED).plain(": ").code(self.names.task(victim));
        let text = match rest {
            Some(next) => {
                let place = format!(" ({})", self.names.site(&next.site));
                text.plain(" stops before ").code(self.names.operation(next)).plain(place)
            }
            None => match self.wanted(victim) {
                Some(task) => {
                    let place = format!(" ({})", self.names.site(&task.site));
                    text.plain(" stops before ").code(waiting(task)).plain(place)
                }
                None => text.plain(" could go on, but the run ends before it does"),
            },
        };
        self.note(Some(victim), text);
    }

    /// What a task still waited for at the end.
    fn wanted(&self, task: TaskId) -> Option<&BlockedTask> {
        let Detail::Blocked(tasks) = &self.case.finding.detail else { return None };
        tasks.iter().find(|t| t.task == task)
    }

    fn step(&mut self, at: usize, failed: bool) {
        let steps = &self.case.trace.steps;
        let step = &steps[at];
        let mut marks = String::new();
        let switched = at.checked_sub(1).is_some_and(|p| steps[p].task != step.task);
        if switched && !step.preempts && !step.at_rest {
            marks.push(SWITCH);
        }
        if self.cause.steps.contains(&(at as u32)) {
            marks.push(NAMED);
        }
        if failed {
            marks.push(FAILED);
        }
        let what = Text::new().code(self.names.operation(step));
        let what = if step.note.is_empty() { what } else { what.plain(format!(" ({})", step.note)) };
        let place = self.names.site(&step.site);
        let task = self.column(step.task);
        self.lines.push(Line::Step { number: Some(at + 1), marks, task, what, place });
    }

    fn fold(&mut self, hidden: &[Step]) {
        let tasks: BTreeSet<_> = hidden.iter().map(|s| s.task).collect();
        let who: Vec<_> = tasks.iter().map(|t| self.names.task(*t)).collect();
        let preemptions = match hidden.iter().filter(|s| s.preempts && !s.at_rest).count() {
            0 => String::new(),
            n => format!(", with {}", numbers::of(n as u64, "preemption")),
        };
        let steps = numbers::of(hidden.len() as u64, "more step");
        let text = format!("... {steps} of {}{preemptions} ...", who.join(", "));
        self.note(tasks.first().copied(), text.into());
    }

    /// How it ended: what blocked tasks wait for, and the failure itself.
    fn outcome(&mut self) {
        let finding = &self.case.finding;
        let unreached = self.cause.unreached.as_ref();
        let mut told = false;
        if let Detail::Blocked(tasks) = &finding.detail {
            for task in tasks {
                let what = Text::new().plain("waits: ").code(waiting(task));
                let place = self.names.site(&task.site);
                let column = self.column(task.task);
                let named = unreached.is_some_and(|it| (it.task, &it.site) == (task.task, &task.site));
                told |= named;
                let marks = [NAMED, FAILED].iter().filter(|mark| named || **mark == FAILED).collect();
                self.lines.push(Line::Step { number: None, marks, task: column, what, place });
            }
        }
        if let Some(unreached) = unreached.filter(|_| !told) {
            let what = Text::new().plain("not reached: ").code(&unreached.operation);
            let place = self.names.site(&unreached.site);
            let (task, marks) = (self.column(unreached.task), NAMED.to_string());
            self.lines.push(Line::Step { number: None, marks, task, what, place });
        }
        let text = Text::new().strong(finding.headline());
        let place = finding.site.as_ref().filter(|_| matches!(finding.detail, Detail::None));
        let text = match place {
            Some(site) => text.plain(format!(" ({})", self.names.site(site))),
            None => text,
        };
        self.note(finding.task, text);
    }

    /// What was recorded after the finding, where the run was let go on.
    fn rest(&mut self, folding: Folding) {
        let (end, all) = (end(self.case), self.case.trace.steps.len());
        if all > end {
            self.note(
                None,
                format!("the run went on for {}", numbers::of((all - end) as u64, "step")).into(),
            );
        }
        if folding == Folding::NONE {
            for at in end..all {
                self.before(at);
                self.step(at, false);
            }
        }
    }

    fn note(&mut self, task: Option<TaskId>, text: Text) {
        let task = task.map(|t| self.column(t));
        self.lines.push(Line::Note { task, text });
    }

    fn column(&self, task: TaskId) -> usize {
        self.columns.iter().position(|t| *t == task).unwrap_or(0)
    }
}

/// What a task waits for, in a few words.
pub(crate) fn waiting(task: &BlockedTask) -> String {
    match task.object.as_str() {
        object if is_kernels(object) => format!("[{}]", task.reason),
        object => format!("{object} [{}]", task.reason),
    }
}
