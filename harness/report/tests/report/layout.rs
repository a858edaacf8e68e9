//! What holds of every report, whatever it is about.

use crate::support::{decided, failing, failing_with, programs, snapshot};
use bohr_kernel::{Access, Obj, RunConfig, TaskId, spawn};
use bohr_report::schedule::{Folding, Schedule};
use bohr_report::text::Ink;
use bohr_report::{Case, Cause, markdown, report, text};
use std::cell::RefCell;
use std::collections::BTreeSet;
use unicode_width::UnicodeWidthStr;

fn all() -> Vec<Case> {
    vec![
        failing("panic", programs::panic),
        failing("fatal", programs::fatal),
        failing("data_race", programs::data_race),
        failing("deadlock", programs::deadlock),
        failing("self_deadlock", programs::self_deadlock),
        failing("leak", programs::leak),
        failing("oracle", programs::oracle),
        failing("oracle_in_a_task", programs::oracle_in_a_task),
        failing("step_bound", programs::step_bound),
        failing("scenario_bug", programs::scenario_bug),
        failing("long", programs::long),
        failing("crowd", crowd),
        decided("decided fatal", programs::fatal),
        decided("decided deadlock", programs::deadlock),
    ]
}

/// Ten tasks with names that would be markup, and one more that fails.
fn crowd() {
    let door = Obj::create("door", "door|main*", 0);
    for n in 0..10 {
        spawn(format!("guest|{n}`_*"), move || {
            door.op("enter the house", Access::Add).run(|d, cx| {
                *d += 1;
                cx.note(|| "数据 | *in*");
            });
        });
    }
    spawn("last", move || {
        door.op("close", Access::Write).run(|d, cx| {
            if *d == 10 {
                cx.panic("the house is full | `10`");
            }
        });
    });
}

#[test]
fn a_terminal_is_never_too_narrow() {
    for case in all() {
        for width in [40, 60, 80, 100, 132, 200] {
            let text = text::render(&report::case(&case), width);
            // What is to be copied, or stands as another tool prints it, is indented and exempt.
            let long = text.lines().filter(|l| !l.starts_with("    ") && l.width() > width);
            assert_eq!(long.collect::<Vec<_>>(), Vec::<&str>::new(), "{} in {width}:\n{text}", case.variant);
        }
    }
}

#[test]
fn paint_changes_nothing_but_looks_and_each_task_has_its_own() {
    for case in all() {
        for width in [40, 80, 200] {
            let blocks = report::case(&case);
            let names: RefCell<BTreeSet<usize>> = RefCell::default();
            let marked = text::painted(&blocks, width, &|ink, text| {
                if let Ink::Task(task) = ink {
                    names.borrow_mut().insert(task);
                }
                format!("\u{1b}{text}\u{1b}")
            });
            assert_eq!(
                marked.replace('\u{1b}', ""),
                text::render(&blocks, width),
                "{} in {width}",
                case.variant
            );
            assert!(marked.matches('\u{1b}').count() > 10, "something was painted");
            // Every task that did something has a colour, and no two have one.
            let acted: BTreeSet<TaskId> = case.trace.steps.iter().map(|step| step.task).collect();
            assert!(names.borrow().len() >= acted.len(), "{} in {width}", case.variant);
        }
    }
}

#[test]
fn every_row_of_a_markdown_table_has_all_its_cells() {
    for case in all() {
        let markdown = markdown::render(&report::case(&case));
        let rows: Vec<_> = markdown.lines().filter(|l| l.starts_with('|')).collect();
        let bars = |row: &str| row.replace("\\|", "").matches('|').count();
        assert!(rows.iter().all(|row| bars(row) == bars(rows[0])), "{markdown}");
    }
}

#[test]
fn a_report_is_the_same_wherever_it_is_made() {
    for case in all() {
        let again = Case::clone(&case);
        let markdown = markdown::render(&report::case(&case));
        assert_eq!(markdown, markdown::render(&report::case(&again)));
        assert!(!markdown.contains(env!("CARGO_MANIFEST_DIR")), "{markdown}");
        let json = serde_json::to_string(&case).expect("a case is plain data");
        assert_eq!(serde_json::from_str::<Case>(&json).expect("what was written can be read"), case);
    }
}

#[test]
fn the_steps_of_the_cause_are_always_shown() {
    for case in all() {
        let cause = Cause::of(&case);
        let schedule = Schedule::of(&case, &cause, Folding { stretch: 4, total: 4 });
        let text = text::render_schedule(&schedule, 100);
        for step in &cause.steps {
            let number = format!("{:>4} │", step + 1);
            assert!(
                text.lines().any(|line| line.starts_with(&number)),
                "{number} of {}:\n{text}",
                case.variant
            );
        }
    }
}

#[test]
fn unfolded_every_step_has_its_row() {
    let going_on = RunConfig { keep_going: true, ..RunConfig::default() };
    for case in [
        failing("long", programs::long),
        failing("oracle", programs::oracle),
        failing_with(going_on, "race", programs::data_race),
    ] {
        let text = text::render(&report::case_folded(&case, Folding::NONE), 120);
        for number in 1..=case.trace.steps.len() {
            let row = |line: &&str| {
                line.split_once('│').is_some_and(|(first, _)| first.trim() == number.to_string())
            };
            assert_eq!(text.lines().filter(row).count(), 1, "{}: step {number}\n{text}", case.variant);
        }
    }
}

#[test]
fn a_crowd_is_listed() {
    let case = failing("crowd", crowd);
    let schedule = Schedule::of(&case, &Cause::of(&case), Folding::default());
    snapshot("crowd", &text::render_schedule(&schedule, 80));
    snapshot("crowd.md", &markdown::render_schedule(&schedule));
}
