//! Why tasks wait for ever.

use super::Explained;
use crate::document::Text;
use crate::model::Case;
use crate::names::{Names, is_kernels};
use bohr_kernel::{BlockedTask, Kind, TaskId};

/// A wait-for cycle if there is one; else what each task waits for.
pub(super) fn explain(case: &Case, names: &Names<'_>, tasks: &[BlockedTask]) -> Explained {
    let cycle = cycle(tasks);
    let mut steps = Vec::new();
    let mut sentence = Text::new();
    if case.finding.kind == Kind::Leak {
        sentence = sentence.plain("Main has ended, and ");
    }
    let told: Vec<&BlockedTask> = if cycle.is_empty() { tasks.iter().collect() } else { cycle.clone() };
    for (at, task) in told.iter().enumerate() {
        if at > 0 {
            sentence = sentence.plain("; ");
        }
        let next = if cycle.is_empty() { task.held_by.first() } else { next_in(&cycle, at) };
        sentence = sentence.text(waits(case, names, task, next.copied(), tasks, &mut steps));
    }
    let alone = matches!(cycle[..], [one] if one.held_by.contains(&one.task));
    sentence = sentence.plain(match cycle.len() {
        0 if case.finding.kind == Kind::Leak => "",
        0 => "; nothing is left that could run",
        _ if alone => "",
        _ => ": each waits for the other",
    });
    if cycle.len() > 2 {
        sentence.0.pop();
        sentence = sentence.plain(": a cycle, in which each waits for the next");
    }
    let behind = tasks.iter().filter(|t| !told.iter().any(|told| told.task == t.task));
    for (at, task) in behind.enumerate() {
        let lead = if at == 0 { "; blocked behind it: " } else { ", " };
        let place = format!(" ({}, {})", task.reason, names.site(&task.site));
        sentence = sentence.plain(lead).code(names.task(task.task)).plain(place);
    }
    (sentence, steps)
}

/// Who waits where, and who has what it waits for since when.
fn waits(
    case: &Case,
    names: &Names<'_>,
    task: &BlockedTask,
    holder: Option<TaskId>,
    blocked: &[BlockedTask],
    steps: &mut Vec<usize>,
) -> Text {
    let text = Text::new().code(names.task(task.task)).plain(" waits");
    let text = if is_kernels(&task.object) { text } else { text.plain(" for ").code(&task.object) };
    let text = text.plain(format!(" ({}, {})", task.reason, names.site(&task.site)));
    let Some(holder) = holder else { return text };
    let since = taken(case, names, &task.object, holder, blocked);
    let text = match () {
        () if holder == task.task => text.plain(", which it has held itself"),
        () if blocked.iter().any(|b| b.task == holder) => {
            text.plain(", which ").code(names.task(holder)).plain(" has held")
        }
        () => text.plain(", which ").code(names.task(holder)).plain(" has not given back"),
    };
    let Some(since) = since else { return text };
    steps.push(since);
    text.plain(format!(" since step {} ({})", since + 1, names.site(&case.trace.steps[since].site)))
}

/// The step in which a task took what it holds: its last one on that object, but for the first parts
/// of the very operation in which it is stuck now.
fn taken(
    case: &Case,
    names: &Names<'_>,
    object: &str,
    holder: TaskId,
    blocked: &[BlockedTask],
) -> Option<usize> {
    let stuck = blocked.iter().find(|b| b.task == holder).map(|b| &b.site);
    let steps = case.trace.steps.iter().enumerate().rev();
    let mine = steps.filter(|(_, s)| s.task == holder && names.touches(s, object));
    let taken = mine.clone().find(|(_, s)| Some(&s.site) != stuck).or_else(|| mine.clone().next());
    taken.map(|(at, _)| at)
}

/// The shortest cycle of the wait-for graph, beginning with the lowest task; empty if there is none.
fn cycle(tasks: &[BlockedTask]) -> Vec<&BlockedTask> {
    let cycles = tasks.iter().filter_map(|start| path_back(tasks, start));
    cycles.min_by_key(Vec::len).unwrap_or_default()
}

/// The shortest way from a task over holders back to it, by breadth-first search.
fn path_back<'b>(tasks: &'b [BlockedTask], start: &'b BlockedTask) -> Option<Vec<&'b BlockedTask>> {
    let mut paths = vec![vec![start]];
    let mut seen = Vec::new();
    while !paths.is_empty() {
        let mut longer = Vec::new();
        for path in paths {
            let last = path.last()?;
            if last.held_by.contains(&start.task) {
                return Some(path);
            }
            for next in tasks.iter().filter(|t| last.held_by.contains(&t.task)) {
                if !seen.contains(&next.task) {
                    seen.push(next.task);
                    longer.push([path.clone(), vec![next]].concat());
                }
            }
        }
        paths = longer;
    }
    None
}

/// The holder that leads from one task of a cycle to the next.
fn next_in<'b>(cycle: &[&'b BlockedTask], at: usize) -> Option<&'b TaskId> {
    let next = cycle[(at + 1) % cycle.len()].task;
    cycle[at].held_by.iter().find(|holder| **holder == next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bohr_kernel::Site;

    fn check(held_by: &[&[u32]], expected: &[u32]) {
        let tasks = held_by.iter().enumerate().map(|(task, holders)| BlockedTask {
            task: TaskId(task as u32),
            name: format!("t{task}"),
            reason: "sync.Mutex.Lock".into(),
            object: "mu".into(),
            site: Site { file: "a.rs".into(), line: 1 },
            held_by: holders.iter().copied().map(TaskId).collect(),
            created: None,
        });
        let tasks: Vec<_> = tasks.collect();
        let found: Vec<_> = cycle(&tasks).iter().map(|t| t.task.0).collect();
        assert_eq!(found, expected, "{held_by:?}");
    }

    #[test]
    fn the_shortest_cycle_is_found() {
        check(&[&[], &[]], &[]);
        check(&[&[0]], &[0]);
        check(&[&[1], &[]], &[]);
        check(&[&[], &[2], &[1]], &[1, 2]);
        check(&[&[1], &[2], &[3], &[1]], &[1, 2, 3]);
        check(&[&[1, 2], &[2], &[0]], &[0, 2]);
        check(&[&[7]], &[]);
    }
}
