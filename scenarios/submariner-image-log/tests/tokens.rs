//! From the reported form to a short token that fails the same way every time.

use bohr_explore::campaign::{Budget, campaign};
use bohr_explore::driver::RANDOMIZED;
use bohr_explore::replay::replay;
use bohr_explore::search::rerun;
use bohr_explore::shrink::{Failing, shrink};
use bohr_explore::token::Token;
use bohr_kernel::RunConfig;
use bohr_kernel::scenario::AnyScenario;
use std::sync::Arc;
use submariner_image_log::ImageLog;

const WORKLOAD: &str = "steady-swiss-fine";

#[test]
fn every_randomized_driver_ends_the_process_and_the_token_does_it_again() {
    let program = ImageLog.program("buggy", WORKLOAD).expect("it is the reported form");
    let config = RunConfig { keep_going: true, ..RunConfig::default() };
    for driver in RANDOMIZED {
        // A handful of schedules suffices (see the report). Even if only one in fifty showed O1, 1,000 would
        // miss it with a chance of 2 in 10^9; and the seed is fixed.
        let budget = Budget { oracles: Some(vec!["O1".into()]), ..Budget::all(1_000) };
        let shown = campaign(driver, &program, config, 1, &budget);
        let found = shown.found.iter().find(|f| f.finding.oracle.as_deref() == Some("O1"));
        let found = found.unwrap_or_else(|| panic!("{driver} did not find it"));
        let outcome = rerun(&program, config, found.decisions.iter().map(|d| d.chosen).collect());
        let token = Token::new(("submariner-image-log", "buggy", WORKLOAD), config, &outcome, &found.finding);
        let text = token.to_string();
        assert!(text.len() <= 120, "{} characters: {text}", text.len());
        let again = replay(&ImageLog, &text.parse().expect("just written")).expect("it is the reported form");
        assert_eq!(again.drift, None);
        assert!(again.finding.is_some_and(|f| f.same_failure(&found.finding)));
        assert_eq!(again.outcome.trace, outcome.trace);

        let failing = Failing {
            scenario: &ImageLog,
            variant: "buggy",
            workload: WORKLOAD,
            config,
            finding: &found.finding,
            decisions: &outcome.decisions,
            preemptions: outcome.preemptions,
            steps: outcome.steps,
        };
        let shrunk = shrink(&failing, 20_000, &Arc::default()).expect("it is the reported form");
        assert!(shrunk.fewest_proved, "{driver}: {shrunk:?}");
        assert!(shrunk.preemptions <= 2, "a non-empty map takes one or two: {shrunk:?}");
    }
}
