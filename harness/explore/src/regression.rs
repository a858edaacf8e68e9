//! Failures kept as tests: a token, and the line that its run must end in.
//!
//! [`regressions!`](crate::regressions) makes a test of each. [`offer`] writes the entries.

use crate::replay::{Replayed, replay};
use crate::search::{self, rerun};
use crate::strategy::Bounds;
use crate::token::Token;
use bohr_kernel::scenario::AnyScenario;
use bohr_kernel::{Finding, Outcome, RunConfig, choices_of};

/// The environment variable that makes [`offer`] print: `BOHR_TOKENS=1`.
pub const ASK: &str = "BOHR_TOKENS";

/// Makes a test of each failure: it replays the token on the code of today, and passes only if it is the
/// same run with the same finding, whose [headline](Finding::headline) is as stated. See
/// [`check`].
///
/// ```
/// # // A doc test runs no tests: what counts here is that it compiles as it is shown.
/// # use bohr_kernel::scenario::AnyScenario;
/// # fn my_bug() -> Box<dyn AnyScenario> { unreachable!("no test runs") }
/// bohr_explore::regressions! {
///     *my_bug();
///
///     /// What comes about, in words.
///     the_second_event_finds_the_dead_client:
///         "bohr1:my-bug/buggy/burst:AQ..."
///         => "panic: sync: negative WaitGroup counter",
/// }
/// ```
///
/// The scenario comes first, as an expression. An entry may have a documentation comment or attributes.
#[macro_export]
macro_rules! regressions {
    ($scenario:expr; $($(#[$about:meta])* $name:ident: $token:expr => $headline:expr),+ $(,)?) => {
        $(
            $(#[$about])*
            #[test]
            fn $name() {
                $crate::regression::check(&$scenario, $token, $headline);
            }
        )+
    };
}

/// Replays a token and compares: see [`verify`].
///
/// # Panics
/// If it is not the same run with the same finding. The message says what shows instead, where the run
/// drifted to, and how to look for the failure anew.
#[track_caller]
pub fn check(scenario: &dyn AnyScenario, token: &str, headline: &str) {
    if let Err(why) = verify(scenario, token, headline) {
        panic!("{why}");
    }
}

/// Replays a token: is it the run that it was, with the finding that it was, and is that one's headline as
/// stated?
///
/// # Errors
/// If it is not, in words for whoever changed the code or mistyped the token.
pub fn verify(scenario: &dyn AnyScenario, token: &str, headline: &str) -> Result<(), String> {
    let read: Token = token.parse().map_err(|e| format!("{token}\ncannot be replayed: {e}"))?;
    let Token { scenario: of, variant, workload, .. } = &read;
    let name = scenario.info().name;
    if of != name {
        return Err(format!("{token}\ncannot be replayed: it is of the scenario {of}, and this is {name}"));
    }
    let replayed = replay(scenario, &read).map_err(|e| format!("{token}\ncannot be replayed: {e}"))?;
    let what = match &replayed {
        Replayed { finding: Some(finding), drift: None, .. } if finding.headline() == headline => {
            return Ok(());
        }
        Replayed { finding: Some(_), drift: None, .. } => "fails as ever, but the test expects another line",
        Replayed { .. } => "does not fail as it did",
    };
    let path = format!("{name}/{variant}/{workload}");
    let mut text = format!("a schedule of {path} {what}\n  expected  {}", indented(headline));
    text += &format!("\n  now       {}", shown(&replayed));
    if let Some(drift) = &replayed.drift {
        text += &format!("\n  drift     {}", indented(&drift.to_string()));
    }
    text += &format!("\nsee it:            bohr replay '{token}'");
    text += &format!("\nlook for it anew:  bohr run '{path}'");
    Err(text)
}

fn shown(replayed: &Replayed) -> String {
    match (&replayed.finding, &replayed.outcome.findings[..]) {
        (Some(finding), _) => {
            let by = if replayed.drift.is_some() { ", by another way" } else { "" };
            format!("{}{by}", indented(&finding.headline()))
        }
        (None, []) => "no finding: this schedule passes".to_owned(),
        (None, others) => {
            let lines: Vec<_> = others.iter().map(|f| indented(&f.headline())).collect();
            lines.join("\n            ")
        }
    }
}

/// What follows a label: further lines stand below the first.
fn indented(text: &str) -> String {
    text.replace('\n', "\n            ")
}

/// The shortest run within the bounds in which a finding speaks for the failure that is looked for: its
/// token, and the finding. Nothing if there is none. To be sure that no failure needs fewer preemptions,
/// ask with one fewer.
///
/// `speaks` is given runs with their traces, and with all their findings: runs go on after those that do
/// not end the modelled process.
///
/// # Errors
/// If the scenario does not know the variant or the workload.
///
/// # Panics
/// If the run does not replay, which means that the program is not deterministic.
pub fn shortest(
    scenario: &dyn AnyScenario,
    (variant, workload): (&str, &str),
    bounds: Bounds,
    speaks: impl for<'o> Fn(&'o Outcome) -> Option<&'o Finding> + 'static,
) -> Result<Option<(Token, Finding)>, String> {
    let program = scenario.program(variant, workload)?;
    let config = RunConfig { keep_going: true, ..RunConfig::default() };
    let recorded = RunConfig { record: true, ..config };
    let (found, _) = search::shortest(&program, recorded, bounds, move |run| speaks(run).cloned(), || true);
    let Some((run, finding)) = found else { return Ok(None) };
    let again = rerun(&program, config, choices_of(&run.decisions));
    assert_eq!(again.trace, run.trace, "{variant} on {workload}: the program is not deterministic");
    let at = (scenario.info().name, variant, workload);
    Ok(Some((Token::new(at, config, &again, &finding), finding)))
}

/// If [`ASK`] is set, prints the [`shortest`] such run as an entry of [`regressions!`](crate::regressions),
/// under the name of the test that runs. For tests that look for a failure in any case, so that its token
/// need not be looked for by hand: `BOHR_TOKENS=1 cargo test ... -- --nocapture`.
///
/// # Panics
/// As [`shortest`], which must find a run.
pub fn offer(
    scenario: &dyn AnyScenario,
    at: (&str, &str),
    bounds: Bounds,
    speaks: impl for<'o> Fn(&'o Outcome) -> Option<&'o Finding> + 'static,
) {
    let thread = std::thread::current();
    offer_as(thread.name().unwrap_or("a_name"), scenario, at, bounds, speaks);
}

/// As [`offer`], under a name of its own: for a test that looks for several failures.
///
/// # Panics
/// As [`offer`].
pub fn offer_as(
    name: &str,
    scenario: &dyn AnyScenario,
    at: (&str, &str),
    bounds: Bounds,
    speaks: impl for<'o> Fn(&'o Outcome) -> Option<&'o Finding> + 'static,
) {
    if std::env::var_os(ASK).is_none() {
        return;
    }
    let found = shortest(scenario, at, bounds, speaks).unwrap_or_else(|e| panic!("{e}"));
    let (token, finding) = found.unwrap_or_else(|| panic!("{at:?} shows it in no run within {bounds:?}"));
    #[expect(clippy::print_stdout, reason = "it was asked for, and a test has no other way to say it")]
    {
        println!("    {name}:\n        \"{token}\"\n        => {:?},", finding.headline());
    }
}
