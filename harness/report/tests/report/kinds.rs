//! One report for each kind of failure, as a terminal shows it, and some as Markdown.

use crate::support::{failing, programs, snapshot};
use bohr_report::{Case, markdown, report, text};

const WIDTH: usize = 100;

fn check(name: &str, case: &Case) {
    let text = text::render(&report::case(case), WIDTH);
    snapshot(name, &text);
}

macro_rules! kinds {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            check(stringify!($name), &failing(stringify!($name), programs::$name));
        }
    )*};
}

kinds! {
    panic fatal data_race deadlock self_deadlock leak oracle oracle_in_a_task step_bound scenario_bug long
}

#[test]
fn markdown_of_a_case() {
    for (name, case) in [
        ("fatal", failing("fatal", programs::fatal)),
        ("deadlock", failing("deadlock", programs::deadlock)),
        ("data_race", failing("data_race", programs::data_race)),
    ] {
        snapshot(&format!("{name}.md"), &markdown::render(&report::case(&case)));
    }
}
