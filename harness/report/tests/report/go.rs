//! The form in which Go prints a failure, compared with what Go printed.

use crate::support::{failing, programs};
use bohr_report::{Case, go_format};
use regex::Regex;

/// What differs from run to run, and from a program to its model, put away: names, numbers, addresses, places. Of
/// a stack one call is left, since a model has no functions that call one another.
fn shape(text: &str) -> Vec<String> {
    let [address, number, reason, created] =
        [r" at \S+ by ", r"\b([Gg]oroutine) \S+|main goroutine", r"\[[^\]]*\]:$", r"^created by \S+ in"]
            .map(|pattern| Regex::new(pattern).unwrap());
    let mut lines: Vec<String> = Vec::new();
    let mut in_stack = false;
    for line in text.lines().filter(|line| !line.starts_with("Found ")) {
        let line = address.replace(line, " at IT by ");
        let line = number.replace_all(&line, "goroutine N");
        let line = if in_stack { line } else { reason.replace(&line, "[STATE]:") };
        let line = match created.replace(&line, "created by F in").into_owned() {
            line if line.starts_with("\t") => "\tPLACE".to_owned(),
            line if line.starts_with("      ") => "      PLACE".to_owned(),
            line if line.starts_with("  ") => "  CALL".to_owned(),
            line if line.starts_with("[signal") => "[signal]".to_owned(),
            line if in_stack && !line.starts_with("created by") && !line.is_empty() => "CALL".to_owned(),
            line => line,
        };
        in_stack = line.ends_with("[STATE]:") || (in_stack && !line.is_empty());
        let known =
            lines.len().checked_sub(2).is_some_and(|before| lines[before] == "CALL" && lines.len() > 2);
        if line == "CALL" && known {
            lines.truncate(lines.len() - 2);
        }
        lines.push(line);
    }
    lines
}

fn check(name: &str, case: &Case, recorded: &str) {
    let ours = go_format::render(case).expect("Go notices this failure");
    assert_eq!(shape(&ours), shape(recorded), "{name}\n{ours}");
}

macro_rules! recorded {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            let recorded = include_str!(concat!("../assets/go/", stringify!($name), ".txt"));
            check(stringify!($name), &failing(stringify!($name), programs::$name), recorded);
        }
    )*};
}

recorded! { data_race panic fatal deadlock }

#[test]
fn the_comparison_sees_what_a_model_shares_with_go() {
    let text = "fatal error: x\n\ngoroutine 1 [running]:\nmain.f(0x1)\n\t/src/a.go:1 +0x18\ncreated by main.main in goroutine 2";
    let kept =
        ["fatal error: x", "", "goroutine N [STATE]:", "CALL", "\tPLACE", "created by F in goroutine N"];
    assert_eq!(shape(text), kept);
    assert_ne!(shape(&text.replace("created by main.main in", "created by")), kept);
    assert_ne!(shape(&text.replace("\n\ngoroutine", "\ngoroutine")), kept);
}
