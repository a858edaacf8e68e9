//! What every fuzz target does with its bytes: a workload, then a schedule, then one run.

use bohr_explore::input::Input;
use bohr_kernel::scenario::AnyScenario;

/// Runs one input against a variant.
///
/// # Panics
/// If the run has a finding: that is how libFuzzer learns of it. The message holds the token.
pub fn check(scenario: &dyn AnyScenario, variant: &str, bytes: &[u8]) {
    let Some(input) = Input::decode(scenario, bytes) else { return };
    let outcome = input.run(scenario, variant, false).unwrap_or_else(|e| panic!("{e}"));
    if outcome.findings.is_empty() {
        return;
    }
    // Only the failing run is recorded.
    let recorded = input.token(scenario, variant).unwrap_or_else(|e| panic!("{e}"));
    if let Some((finding, token)) = recorded {
        panic!("{}\n  bohr replay '{token}'", finding.headline());
    }
}
