//! A whole report.

use crate::support::{bug::bug, snapshot};
use bohr_report::{markdown, report, text};

#[test]
fn for_a_terminal() {
    snapshot("whole", &text::render(&report::bug(&bug()), 100));
}

#[test]
fn as_markdown() {
    snapshot("whole.md", &markdown::render(&report::bug(&bug())));
}
