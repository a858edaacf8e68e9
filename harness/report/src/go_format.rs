//! A failure in the form in which Go prints it: its race detector or its runtime.
//!
//! A goroutine goes by its task's name instead of a number, an operation stands where Go prints a
//! function, and there are no addresses.

use crate::cause::{case_names, failing_step};
use crate::model::Case;
use crate::names::{Names, full_site, is_kernels};
use bohr_kernel::{BlockedTask, Detail, Kind, RaceAccess, Site, TaskId};
use std::fmt::Write;

/// What Go would print, or nothing for a kind of failure that Go does not notice.
pub fn render(case: &Case) -> Option<String> {
    let names = case_names(case);
    match (case.finding.kind, &case.finding.detail) {
        (_, Detail::Race { first, second }) => Some(race(case, &names, first, second)),
        (Kind::Deadlock, Detail::Blocked(tasks)) => Some(deadlock(case, &names, tasks)),
        (Kind::Panic | Kind::Fatal, _) => Some(crash(case, &names)),
        _ => None,
    }
}

fn race(case: &Case, names: &Names<'_>, first: &RaceAccess, second: &RaceAccess) -> String {
    let mut out = String::from("==================\nWARNING: DATA RACE\n");
    access(&mut out, case, names, second, if second.write { "Write" } else { "Read" });
    out.push('\n');
    access(&mut out, case, names, first, if first.write { "Previous write" } else { "Previous read" });
    for one in [second, first] {
        let Some(created) = &one.created else { continue };
        let (task, site) = (names.task(one.task), full_site(created));
        let (state, parent) = (state(case, one.task), call(&creator(case, names, one.task)));
        let _ = write!(out, "\nGoroutine {task} ({state}) created at:\n  {parent}\n");
        let _ = writeln!(out, "      {site}");
    }
    out.push_str("==================\n");
    out
}

/// Whether a task had more to do when the race showed.
fn state(case: &Case, task: TaskId) -> &'static str {
    let rest = case.trace.steps.iter().skip(case.finding.step as usize);
    let goes_on = rest.filter(|step| !step.at_rest).any(|step| step.task == task);
    let unfinished = goes_on || case.trace.undone.iter().any(|undone| undone.task == task);
    if unfinished { "running" } else { "finished" }
}

fn access(out: &mut String, case: &Case, names: &Names<'_>, one: &RaceAccess, verb: &str) {
    let who = match one.task {
        TaskId::MAIN => "main goroutine".to_owned(),
        task => format!("goroutine {}", names.task(task)),
    };
    let operation = case.trace.steps.get(one.step as usize).map(|step| names.operation(step));
    let operation = operation.unwrap_or_else(|| case.finding.text.clone());
    let _ = writeln!(out, "{verb} at {} by {who}:", case.finding.text);
    let _ = writeln!(out, "  {}\n      {}", call(&operation), full_site(&one.site));
}

fn deadlock(case: &Case, names: &Names<'_>, tasks: &[BlockedTask]) -> String {
    let mut out = case.finding.headline() + "\n";
    for task in tasks {
        let operation = match task.object.as_str() {
            object if is_kernels(object) => call(&task.reason),
            object if task.reason.contains(' ') => format!("{} on {object}", task.reason),
            object => format!("{}({object})", task.reason),
        };
        goroutine(&mut out, case, names, task.task, &task.reason, &operation, Some(&task.site));
    }
    out
}

fn crash(case: &Case, names: &Names<'_>) -> String {
    let mut out = case.finding.headline() + "\n";
    if case.finding.text.contains("nil pointer dereference") {
        out += "[signal SIGSEGV: segmentation violation]\n";
    }
    let Some(task) = case.finding.task else { return out };
    let step = failing_step(case).map(|at| &case.trace.steps[at]);
    let operation = step.map_or_else(|| names.task(task), |step| names.operation(step));
    goroutine(&mut out, case, names, task, "running", &call(&operation), case.finding.site.as_ref());
    out
}

fn goroutine(
    out: &mut String,
    case: &Case,
    names: &Names<'_>,
    task: TaskId,
    state: &str,
    operation: &str,
    site: Option<&Site>,
) {
    let _ = write!(out, "\ngoroutine {} [{state}]:\n{operation}\n", names.task(task));
    if let Some(site) = site {
        let _ = writeln!(out, "\t{}", full_site(site));
    }
    let created = case.trace.tasks.get(task.0 as usize).and_then(|t| t.created.as_ref());
    if let Some(created) = created {
        let parent = creator(case, names, task);
        let _ = writeln!(out, "created by {parent} in goroutine {parent}\n\t{}", full_site(created));
    }
}

fn creator(case: &Case, names: &Names<'_>, task: TaskId) -> String {
    let parent = case.trace.tasks.get(task.0 as usize).and_then(|t| t.parent);
    names.task(parent.unwrap_or(TaskId::MAIN))
}

/// As Go prints a function, unless it is a sentence.
fn call(operation: &str) -> String {
    if operation.contains(' ') { operation.to_owned() } else { format!("{operation}()") }
}
