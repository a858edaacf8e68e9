//! A run, for programs.

use crate::cause::{Cause, Unreached, case_names, end, failing_step};
use crate::model::{Case, Decisive, Passing};
use crate::names::{Names, full_site};
use crate::schedule::{Folding, shown_steps};
use bohr_kernel::{Access, ObjectId, Site, TaskId, Trace};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Run {
    /// Which of a case's runs it is.
    pub kind: RunKind,
    /// The form that was run.
    pub variant: String,
    /// What failed, as the real system would print it; nothing if nothing did.
    pub failures: Vec<String>,
    /// Every task, by number.
    pub tasks: Vec<Task>,
    /// The objects that the operations touch.
    pub objects: Vec<Object>,
    /// The source files that the operations stand in, from the workspace on.
    pub files: Vec<String>,
    /// The operations that the steps do.
    pub operations: Vec<Operation>,
    /// The steps in order, up to where it failed.
    pub steps: Vec<Step>,
    /// The step in which the failure showed, if it showed in one. Else it showed after the last.
    pub failing_step: Option<u32>,
    /// The steps that the cause names.
    pub named: Vec<u32>,
    /// In a run beside a failing one: the first step that is not the same there.
    pub first_difference: Option<u32>,
    /// When tasks could not go on.
    pub blocked: Vec<Blocked>,
    /// What tasks were about to do when the run ended.
    pub undone: Vec<Undone>,
    /// The operation that the cause names and that this run does not reach.
    pub unreached: Option<Undone>,
    /// Which steps come before which because of what they did.
    pub edges: Vec<Edge>,
    /// The stretches that matter, each as its first step and the one after its last; the others may be folded.
    pub shown: Vec<[u32; 2]>,
}

/// Which run it is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RunKind {
    /// The failing run.
    Failing,
    /// The nearest run of the same form that passes, or that goes on without this failure.
    Passing,
    /// The fixed form, with its tasks taking the failing run's turns as far as they can.
    Fixed,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Task {
    /// Its name, which is unique in the run.
    pub name: String,
    /// Who made it; nothing for the main task.
    pub parent: Option<u32>,
    /// The source line where it was made, as `file:line`.
    pub created: Option<String>,
    /// The number of steps before it was made.
    pub born: u32,
}

/// An object.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Object {
    /// Its name.
    pub name: String,
    /// Its type, in the source's own words.
    pub kind: String,
    /// True if the modelled program knows of it, and not only the harness.
    pub modelled: bool,
}

/// An operation at a place in the source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Operation {
    /// What it is called, with its object.
    pub name: String,
    /// The source file, as its number among the run's files.
    pub file: u32,
    /// The line, from 1.
    pub line: u32,
    /// What it touches.
    pub objects: Vec<u32>,
    /// Of these, what it may change.
    pub writes: Vec<u32>,
}

/// A step: a task does an operation.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Step {
    /// Who.
    pub task: u32,
    /// Which operation.
    pub operation: u32,
    /// What it saw or did, in words.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(default)]
    pub note: String,
    /// The virtual time, in nanoseconds.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(default)]
    pub time: u64,
    /// Another task ran before it although that one could have gone on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    pub preempts: bool,
    /// It ran when all was quiet, while the oracles looked.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    pub at_rest: bool,
}

/// A stretch in which a task had published an operation that could not run.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Blocked {
    /// Who.
    pub task: u32,
    /// From before this step on...
    pub from: u32,
    /// ... until before this one.
    pub to: u32,
}

/// What a task was about to do when the run ended.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Undone {
    /// Who.
    pub task: u32,
    /// Which operation.
    pub operation: u32,
    /// True if it could not have run, because a guard did not hold.
    pub blocked: bool,
}

/// A step that comes before another because of what both did.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Edge {
    /// The earlier step.
    pub from: u32,
    /// The later step.
    pub to: u32,
    /// Why.
    pub kind: EdgeKind,
    /// The object that both touched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<u32>,
}

/// Why a step comes before another.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EdgeKind {
    /// The earlier made the task of the later.
    Spawns,
    /// The later could not have gone on before the earlier.
    Wakes,
    /// Both touch an object, one changes it, and no other step came in between.
    Order,
}

/// The runs of a case.
pub(super) fn runs(case: &Case, cause: &Cause) -> Vec<Run> {
    let names = case_names(case);
    let failing = Build {
        kind: RunKind::Failing,
        variant: &case.variant,
        failures: vec![case.finding.headline()],
        trace: &case.trace,
        end: end(case),
        failing_step: failing_step(case),
        named: cause.steps.clone(),
        unreached: cause.unreached.as_ref(),
    };
    let mut runs = vec![failing.run(&names)];
    if let Some(passing) = passing(case) {
        let named = match &case.decisive {
            Some(Decisive::Order { first_in_passing, .. }) => vec![*first_in_passing],
            _ => Vec::new(),
        };
        let run = beside(RunKind::Passing, &case.variant, passing.but.clone(), &passing.trace, &names);
        runs.push(marked(run, named, passing.first_difference));
    }
    if let Some(fixed) = &case.fixed {
        let differs = first_difference(&case.trace, &fixed.trace);
        let failures = fixed.findings.iter().cloned();
        let run = beside(RunKind::Fixed, &fixed.variant, failures, &fixed.trace, &names);
        runs.push(marked(run, Vec::new(), differs));
    }
    runs
}

/// Every trace of a case.
pub(super) fn traces(case: &Case) -> impl Iterator<Item = &Trace> {
    let fixed = case.fixed.as_ref().map(|fixed| &fixed.trace);
    [Some(&case.trace), passing(case).map(|p| &p.trace), fixed].into_iter().flatten()
}

/// The run beside a failing one that passes.
pub fn passing(case: &Case) -> Option<&Passing> {
    match case.decisive.as_ref()? {
        Decisive::Order { passing, .. } | Decisive::Value { passing, .. } => Some(passing),
        Decisive::Unknown { passing, .. } => passing.as_ref(),
        Decisive::Race { .. } | Decisive::Nothing { .. } => None,
    }
}

/// Two forms do not share their source lines, so a step is the same if the same task does what is called the same.
fn first_difference(a: &Trace, b: &Trace) -> u32 {
    let name = |trace: &Trace, task: TaskId| trace.tasks.get(task.0 as usize).map(|t| t.name.clone());
    let same =
        a.steps.iter().zip(&b.steps).take_while(|(x, y)| {
            x.label == y.label && x.note == y.note && name(a, x.task) == name(b, y.task)
        });
    same.count() as u32
}

/// Adds to a run beside a failing one what is of interest there.
fn marked(run: Run, named: Vec<u32>, first_difference: u32) -> Run {
    let steps = run.steps.len() as u32;
    let named: Vec<_> = named.into_iter().filter(|at| *at < steps).collect();
    let mut points: BTreeSet<usize> = named.iter().map(|at| *at as usize).collect();
    points.insert(first_difference as usize);
    let shown = ranges(&unfold(&run.shown, steps, &points));
    Run { named, first_difference: Some(first_difference), shown, ..run }
}

/// The shown stretches, with some points and what is next to them shown as well.
fn unfold(shown: &[[u32; 2]], steps: u32, points: &BTreeSet<usize>) -> Vec<bool> {
    let near = |at: u32| points.iter().any(|point| (at as usize).abs_diff(*point) <= 1);
    (0..steps).map(|at| near(at) || shown.iter().any(|[from, to]| (*from..*to).contains(&at))).collect()
}

fn beside(
    kind: RunKind,
    variant: &str,
    failures: impl IntoIterator<Item = String>,
    trace: &Trace,
    names: &Names<'_>,
) -> Run {
    let end = trace.steps.iter().position(|s| s.at_rest).unwrap_or(trace.steps.len());
    let failures = failures.into_iter().collect();
    let build =
        Build { kind, variant, failures, trace, end, failing_step: None, named: Vec::new(), unreached: None };
    build.run(&names.of_run(trace))
}

struct Build<'t> {
    kind: RunKind,
    variant: &'t str,
    failures: Vec<String>,
    trace: &'t Trace,
    end: usize,
    failing_step: Option<usize>,
    named: Vec<u32>,
    unreached: Option<&'t Unreached>,
}

impl Build<'_> {
    fn run(self, names: &Names<'_>) -> Run {
        let trace = self.trace;
        let steps = &trace.steps[..self.end];
        let mut table = Tables::new(trace, names);
        let task = |id: usize| TaskId(id as u32);
        let tasks = trace.tasks.iter().enumerate().map(|(id, t)| Task {
            name: names.task(task(id)),
            parent: t.parent.map(|p| p.0),
            created: t.created.as_ref().map(full_site),
            born: t.born,
        });
        let done = steps.iter().map(|s| Step {
            task: s.task.0,
            operation: table.operation(names.operation(s), &s.site, &s.objects),
            note: s.note.clone(),
            time: s.time,
            preempts: s.preempts && !s.at_rest,
            at_rest: s.at_rest,
        });
        let done = done.collect();
        let undone = trace.undone.iter().map(|u| {
            let objects: Vec<_> = u.objects.iter().map(|o| (*o, Access::Read)).collect();
            let name = names.named(&u.label, u.objects.iter().copied());
            Undone { task: u.task.0, operation: table.operation(name, &u.site, &objects), blocked: u.blocked }
        });
        let undone = undone.collect();
        // A task that this run has not made either has no lane.
        let known = self.unreached.filter(|u| (u.task.0 as usize) < trace.tasks.len());
        let unreached = known.map(|u| Undone {
            task: u.task.0,
            operation: table.operation(u.operation.clone(), &u.site, &[]),
            blocked: false,
        });
        let mut edges = edges(trace, self.end, names);
        for edge in &mut edges {
            edge.object = edge.object.map(|id| table.object(ObjectId(id)));
        }
        // What the cause names may lie behind the finding, where the run was let go on.
        let named: Vec<_> = self.named.into_iter().filter(|at| (*at as usize) < self.end).collect();
        let mut points: BTreeSet<usize> = named.iter().map(|at| *at as usize).collect();
        points.extend(self.failing_step);
        Run {
            kind: self.kind,
            variant: self.variant.to_owned(),
            failures: self.failures,
            tasks: tasks.collect(),
            objects: table.objects,
            files: table.files,
            operations: table.operations,
            steps: done,
            failing_step: self.failing_step.map(|at| at as u32),
            named,
            first_difference: None,
            blocked: blocked(trace, self.end),
            undone,
            unreached,
            edges,
            shown: ranges(&shown_steps(steps, &points, Folding::default())),
        }
    }
}

/// What steps have in common, each once.
struct Tables<'t> {
    trace: &'t Trace,
    names: &'t Names<'t>,
    operations: Vec<Operation>,
    numbers: BTreeMap<Operation, u32>,
    files: Vec<String>,
    objects: Vec<Object>,
    /// The number that an object of the trace has among those of the run.
    object_numbers: BTreeMap<ObjectId, u32>,
}

impl<'t> Tables<'t> {
    fn new(trace: &'t Trace, names: &'t Names<'t>) -> Self {
        Tables {
            trace,
            names,
            operations: Vec::new(),
            numbers: BTreeMap::new(),
            files: Vec::new(),
            objects: Vec::new(),
            object_numbers: BTreeMap::new(),
        }
    }

    fn operation(&mut self, name: String, site: &Site, objects: &[(ObjectId, Access)]) -> u32 {
        let (file, line) = crate::names::split_site(site);
        let file = match self.files.iter().position(|known| *known == file) {
            Some(at) => at as u32,
            None => {
                self.files.push(file);
                self.files.len() as u32 - 1
            }
        };
        let numbered: Vec<_> = objects.iter().map(|(id, access)| (self.object(*id), *access)).collect();
        let writes = numbered.iter().filter(|(_, access)| *access != Access::Read);
        let operation = Operation {
            name,
            file,
            line,
            writes: writes.map(|(id, _)| *id).collect(),
            objects: numbered.iter().map(|(id, _)| *id).collect(),
        };
        let next = self.operations.len() as u32;
        *self.numbers.entry(operation.clone()).or_insert_with(|| {
            self.operations.push(operation);
            next
        })
    }

    fn object(&mut self, id: ObjectId) -> u32 {
        let next = self.objects.len() as u32;
        *self.object_numbers.entry(id).or_insert_with(|| {
            let known = self.trace.objects.get(id.0 as usize);
            self.objects.push(Object {
                name: known.map(|o| o.name.clone()).unwrap_or_default(),
                kind: known.map(|o| o.kind.clone()).unwrap_or_default(),
                modelled: self.names.modelled(id),
            });
            next
        })
    }
}

/// The stretches in which tasks could not go on, by task.
pub(crate) fn blocked(trace: &Trace, end: usize) -> Vec<Blocked> {
    let mut stretches: Vec<Blocked> = Vec::new();
    for (at, step) in trace.steps[..end].iter().enumerate() {
        for task in &step.blocked {
            let at = at as u32;
            match stretches.iter_mut().find(|b| b.task == task.0 && b.to == at) {
                Some(going_on) => going_on.to = at + 1,
                None => stretches.push(Blocked { task: task.0, from: at, to: at + 1 }),
            }
        }
    }
    stretches.sort_by_key(|b| (b.task, b.from));
    stretches
}

/// Which steps come before which.
pub(crate) fn edges(trace: &Trace, end: usize, names: &Names<'_>) -> Vec<Edge> {
    let steps = &trace.steps[..end];
    let first = |task: usize, from: usize| (from..end).find(|at| steps[*at].task.0 as usize == task);
    let mut edges = Vec::new();
    for (id, task) in trace.tasks.iter().enumerate() {
        let Some(parent) = task.parent else { continue };
        let made = (0..end.min(task.born as usize)).rev().find(|at| steps[*at].task == parent);
        if let (Some(from), Some(to)) = (made, first(id, 0)) {
            edges.push(Edge { from: from as u32, to: to as u32, kind: EdgeKind::Spawns, object: None });
        }
    }
    for stretch in blocked(trace, end) {
        let from = stretch.to - 1;
        if let Some(to) = first(stretch.task as usize, stretch.to as usize) {
            edges.push(Edge { from, to: to as u32, kind: EdgeKind::Wakes, object: None });
        }
    }
    let mut last: BTreeMap<ObjectId, (usize, Access)> = BTreeMap::new();
    for (at, step) in steps.iter().enumerate() {
        for (object, access) in &step.objects {
            if let Some((from, before)) = last.get(object)
                && steps[*from].task != step.task
                && before.conflicts(*access)
                && names.modelled(*object)
            {
                let (from, to) = (*from as u32, at as u32);
                edges.push(Edge { from, to, kind: EdgeKind::Order, object: Some(object.0) });
            }
            last.insert(*object, (at, *access));
        }
    }
    edges
}

fn ranges(shown: &[bool]) -> Vec<[u32; 2]> {
    let mut ranges: Vec<[u32; 2]> = Vec::new();
    for (at, _) in shown.iter().enumerate().filter(|(_, shown)| **shown) {
        let at = at as u32;
        match ranges.last_mut() {
            Some(last) if last[1] == at => last[1] = at + 1,
            _ => ranges.push([at, at + 1]),
        }
    }
    ranges
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}
