//! Failures kept as tests: what passes, and what is said when one does not.

mod toy;

use bohr_explore::regression::{check, offer, shortest, verify};
use bohr_explore::strategy::Bounds;
use bohr_explore::token::Token;
use bohr_kernel::Outcome;
use toy::Toy;

const LOST: &str = "oracle violated: an update was lost";

fn found(workload: &str, preemptions: u32) -> Option<(Token, bohr_kernel::Finding)> {
    let bounds = Bounds { preemptions: Some(preemptions), cache: true, ..Bounds::default() };
    shortest(&Toy, ("buggy", workload), bounds, |run: &Outcome| run.findings.first()).expect("the toy has it")
}

fn token() -> Token {
    found("2+0", 1).expect("one preemption loses an update").0
}

fn complaint(token: &Token, headline: &str) -> String {
    verify(&Toy, &token.to_string(), headline).expect_err("it is not the failure that is stated")
}

bohr_explore::regressions! {
    Toy;

    /// Both load before either stores.
    an_update_is_lost:
        "bohr1:toy/buggy/2+0:AQRbrtVPAxoBIEBGIEo"
        => LOST,
}

/// Its entry above is what `BOHR_TOKENS=1 cargo test an_update_is_lost -- --nocapture` prints.
#[test]
fn an_update_is_lost_by_one_preemption() {
    let bounds = Bounds { preemptions: Some(1), cache: true, ..Bounds::default() };
    offer(&Toy, ("buggy", "2+0"), bounds, |run: &Outcome| run.findings.first());
}

#[test]
fn the_shortest_run_passes_as_a_test() {
    let (token, finding) = found("2+0", 1).expect("one preemption loses an update");
    assert_eq!(verify(&Toy, &token.to_string(), &finding.headline()), Ok(()));
    assert_eq!(finding.headline(), LOST);
    assert!(found("2+0", 0).is_none(), "without one, none is lost");
}

#[test]
fn an_unknown_variant_is_no_run() {
    let found = shortest(&Toy, ("bugy", "2+0"), Bounds::default(), |run: &Outcome| run.findings.first());
    assert_eq!(found.expect_err("there is none"), "no variant is called \"bugy\"");
}

#[test]
fn another_line_is_noticed() {
    let token = token();
    let expected = format!(
        "a schedule of toy/buggy/2+0 fails as ever, but the test expects another line\n\
         \x20 expected  oracle violated: no update was lost\n\
         \x20 now       oracle violated: an update was lost\n\
         see it:            bohr replay '{token}'\n\
         look for it anew:  bohr run 'toy/buggy/2+0'"
    );
    assert_eq!(complaint(&token, "oracle violated: no update was lost"), expected);
    // A line that only begins as the finding does is another one.
    assert!(verify(&Toy, &token.to_string(), "oracle violated: an update").is_err());
}

#[test]
fn a_changed_program_is_noticed_and_said_where() {
    let mut token = token();
    token.variant = "fixed".into();
    let expected = format!(
        "a schedule of toy/fixed/2+0 does not fail as it did\n\
         \x20 expected  oracle violated: an update was lost\n\
         \x20 now       no finding: this schedule passes\n\
         \x20 drift     the run differs by step 2 at the latest, where it now does\n\
         \x20             step 1: adder 0: lock (toy/mod.rs:LINE)\n\
         \x20             step 2: adder 0: load (toy/mod.rs:LINE)\n\
         see it:            bohr replay '{token}'\n\
         look for it anew:  bohr run 'toy/fixed/2+0'"
    );
    assert_eq!(without_places(&complaint(&token, LOST)), expected);
}

#[test]
fn the_same_finding_by_another_way_is_not_passed_off_as_the_same() {
    let mut token = token();
    token.workload = "2+1".into();
    let complaint = complaint(&token, LOST);
    assert!(complaint.contains("does not fail as it did"), "{complaint}");
    assert!(
        complaint.contains("now       oracle violated: an update was lost, by another way"),
        "{complaint}"
    );
    assert!(complaint.contains("drift     the run is the same for "), "{complaint}");
}

#[test]
fn a_damaged_token_says_that_it_is() {
    let text = token().to_string();
    let cut = &text[..text.len() - 1];
    let said = verify(&Toy, cut, LOST).expect_err("a character is missing");
    let wanted = "cannot be replayed: it was cut short or altered (its checksum does not fit)";
    assert!(said.starts_with(&format!("{cut}\n{wanted}")), "{said}");
}

#[test]
fn tokens_of_what_is_not_there_say_what_is_missing() {
    let changed = |change: fn(&mut Token)| {
        let mut token = token();
        change(&mut token);
        let said = complaint(&token, LOST);
        said.split_once('\n').expect("the token stands on a line of its own").1.to_owned()
    };
    let said = changed(|token| token.scenario = "tyo".into());
    assert_eq!(said, "cannot be replayed: it is of the scenario tyo, and this is toy");
    let said = changed(|token| token.variant = "bugy".into());
    assert_eq!(said, "cannot be replayed: no variant is called \"bugy\"");
    let said = changed(|token| token.workload = "two".into());
    assert_eq!(said, "cannot be replayed: \"two\" is not a workload: it looks like 2+0");
}

#[test]
#[should_panic(expected = "a schedule of toy/buggy/2+0 fails as ever, but the test expects another line")]
fn the_check_panics_with_what_is_wrong() {
    check(&Toy, &token().to_string(), "oracle violated: something else");
}

/// Places in the source without folders, whose separator differs, and without line numbers, which move.
fn without_places(text: &str) -> String {
    let line = |line: &str| match (line.rfind('('), line.ends_with(')')) {
        (Some(at), true) if line.contains("mod.rs:") => format!("{}(toy/mod.rs:LINE)", &line[..at]),
        _ => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}
