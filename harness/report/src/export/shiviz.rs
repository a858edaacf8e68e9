//! A failing run as a log for [ShiViz](https://bestchai.bitbucket.io/shiviz/), which draws a time line a task and an
//! arrow where a task's step had to wait for another's.
//!
//! Beschastnikh, Wang, Brun and Ernst, "Debugging Distributed Systems" (ACM Queue 14:2, 2016).
//!
//! The clocks are those of the run's *trace* (Mazurkiewicz): a step comes after the steps of its own task, after what
//! its task's creator did before creating it, and after every earlier step that it [conflicts](Access::conflicts) with
//! on some object. So two events that ShiViz shows as concurrent can be swapped without any task seeing a difference,
//! and an arrow is an order that can matter. This is more than synchronisation: the two accesses of a data race
//! are joined by an arrow as well, since that they come in this order is what the run shows. What only the oracles see,
//! the history of calls, makes no arrow.

use crate::cause::{case_names, end};
use crate::model::Case;
use crate::names::Names;
use crate::schedule::waiting;
use bohr_kernel::{Access, BlockedTask, Detail, ObjectId, TaskId};
use std::collections::BTreeMap;
use std::fmt::Write;

/// What ShiViz takes an event apart with. It stands in the first line of the log, where ShiViz looks for it.
pub const PARSER: &str = r"(?<event>.*)\n(?<where>\S*) (?<step>\S*)\n(?<host>\S*) (?<clock>\{.*\})";

/// Prints a failing run: the parser, an empty line where the delimiter of several runs would be, and the events.
pub fn render(case: &Case) -> String {
    let names = case_names(case);
    let hosts = hosts(case, &names);
    let mut log = Log { hosts: &hosts, clocks: BTreeMap::new(), out: format!("{PARSER}\n\n") };
    let mut objects: BTreeMap<ObjectId, Touched> = BTreeMap::new();
    let mut births = Births::of(case);
    let steps = &case.trace.steps[..end(case)];
    for (at, step) in steps.iter().enumerate() {
        births.until(at, &log.clocks);
        let mut clock =
            log.clocks.get(&step.task).or_else(|| births.clock(step.task)).cloned().unwrap_or_default();
        let first_at_rest = step.at_rest && !at.checked_sub(1).is_some_and(|before| steps[before].at_rest);
        if first_at_rest {
            // Oracles look when all is over.
            log.clocks.values().for_each(|other| clock.join(other));
        }
        let touched = || step.objects.iter().filter(|(object, _)| !is_history(case, *object));
        for (object, access) in touched() {
            objects.entry(*object).or_default().before(*access).for_each(|other| clock.join(other));
        }
        clock.tick(step.task);
        for (object, access) in touched() {
            objects.entry(*object).or_default().note(*access, &clock);
        }
        let note = if step.note.is_empty() { String::new() } else { format!(" ({})", step.note) };
        log.clocks.insert(step.task, clock);
        log.event(
            step.task,
            &(names.operation(step) + &note),
            &names.site(&step.site),
            &(at + 1).to_string(),
        );
    }
    births.until(steps.len(), &log.clocks);
    for task in blocked(case) {
        log.next(task.task, &births);
        log.event(task.task, &format!("waits: {}", waiting(task)), &names.site(&task.site), "-");
    }
    if let Some(task) = case.finding.task {
        log.next(task, &births);
        let place = case.finding.site.as_ref().map(|site| names.site(site));
        log.event(task, &case.finding.headline(), place.as_deref().unwrap_or("-"), "-");
    }
    log.out
}

fn blocked(case: &Case) -> &[BlockedTask] {
    match &case.finding.detail {
        Detail::Blocked(tasks) => tasks,
        _ => &[],
    }
}

/// Whether an object is there for the oracles alone.
fn is_history(case: &Case, object: ObjectId) -> bool {
    case.trace.objects.get(object.0 as usize).is_some_and(|object| object.kind == "history")
}

/// The tasks' names without white space, which ends a host's name, and so that no two are the same.
fn hosts(case: &Case, names: &Names<'_>) -> Vec<String> {
    let mut hosts: Vec<String> = Vec::new();
    for id in 0..case.trace.tasks.len() {
        let plain: String =
            names.task(TaskId(id as u32)).chars().map(|c| if c.is_whitespace() { '_' } else { c }).collect();
        let taken = hosts.contains(&plain) || plain.is_empty();
        hosts.push(if taken { format!("{plain}_{}", TaskId(id as u32)) } else { plain });
    }
    hosts
}

struct Log<'h> {
    hosts: &'h [String],
    /// The clock of each task's last event.
    clocks: BTreeMap<TaskId, Clock>,
    out: String,
}

impl Log<'_> {
    /// Moves a task's clock on for an event that is no operation.
    fn next(&mut self, task: TaskId, births: &Births<'_>) {
        let clock =
            self.clocks.entry(task).or_insert_with(|| births.clock(task).cloned().unwrap_or_default());
        clock.tick(task);
    }

    fn event(&mut self, task: TaskId, what: &str, place: &str, step: &str) {
        let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let no_space = |text: &str| text.split_whitespace().collect::<Vec<_>>().join("_");
        let host = &self.hosts[task.0 as usize];
        let clock: serde_json::Map<String, serde_json::Value> = self.clocks[&task]
            .0
            .iter()
            .map(|(task, time)| (self.hosts[task.0 as usize].clone(), (*time).into()))
            .collect();
        let clock = serde_json::Value::Object(clock);
        // Writing to a string does not fail.
        let _ = writeln!(self.out, "{}\n{} {step}\n{host} {clock}", one_line(what), no_space(place));
    }
}

/// For each task the number of its last event that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Clock(BTreeMap<TaskId, u32>);

impl Clock {
    fn join(&mut self, other: &Clock) {
        for (task, time) in &other.0 {
            let mine = self.0.entry(*task).or_default();
            *mine = (*mine).max(*time);
        }
    }

    fn tick(&mut self, task: TaskId) {
        *self.0.entry(task).or_default() += 1;
    }
}

/// For each way in which an object was accessed, all that is known to the steps that did.
#[derive(Default)]
struct Touched(Vec<(Access, Clock)>);

impl Touched {
    /// The clocks of the steps that an access conflicts with.
    fn before(&self, access: Access) -> impl Iterator<Item = &Clock> {
        self.0.iter().filter(move |(seen, _)| seen.conflicts(access)).map(|(_, clock)| clock)
    }

    fn note(&mut self, access: Access, clock: &Clock) {
        match self.0.iter_mut().find(|(seen, _)| *seen == access) {
            Some((_, known)) => known.join(clock),
            None => self.0.push((access, clock.clone())),
        }
    }
}

/// What tasks knew when they were created.
struct Births<'c> {
    case: &'c Case,
    known: BTreeMap<TaskId, Clock>,
}

impl<'c> Births<'c> {
    fn of(case: &'c Case) -> Self {
        Births { case, known: BTreeMap::new() }
    }

    /// Takes down what the creators know of those who were created before step `at`.
    fn until(&mut self, at: usize, clocks: &BTreeMap<TaskId, Clock>) {
        for (id, task) in self.case.trace.tasks.iter().enumerate() {
            let id = TaskId(id as u32);
            let Some(parent) = task.parent else { continue };
            if task.born as usize <= at && !self.known.contains_key(&id) {
                let knows = clocks.get(&parent).or_else(|| self.known.get(&parent)).cloned();
                self.known.insert(id, knows.unwrap_or_default());
            }
        }
    }

    fn clock(&self, task: TaskId) -> Option<&Clock> {
        self.known.get(&task)
    }
}
