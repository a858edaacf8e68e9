//! Random walks and real threads: how often they fail, and that the fixed form does not.

use bohr_explore::campaign::{Budget, Shown, campaign};
use bohr_explore::driver::Driver;
use bohr_kernel::RunConfig;
use kata_deploy_config::scenario;

/// Runs so many schedules, whatever they show.
fn run(driver: Driver, variant: &str, workload: &str, schedules: u64) -> Shown {
    let program = scenario().program(variant, workload).expect("both exist");
    let budget =
        Budget { schedules, until: None, oracles: Some(vec!["none".into()]), stop: Default::default() };
    campaign(driver, &program, RunConfig { keep_going: true, ..RunConfig::default() }, 1, &budget)
}

#[test]
fn a_random_walk_fails_about_as_often_as_was_measured() {
    // Shares of failing walks, measured with another program whose steps are cut a little differently. 0.12 is five
    // standard deviations of 400 walks (0.022 at most); none of 400 at 0.03 has a chance of one in 100,000.
    for (variant, workload, share) in [
        ("buggy", "two_installs", 0.975),
        ("lock_released_midway", "two_installs", 0.74),
        ("lock_in_install_only", "delete", 0.06),
        ("lock_per_edit", "delete", 0.06),
        ("intent_before_lock", "delete", 0.03),
        ("lock_file_unlinked", "delete_apply", 0.21),
        ("lock_file_unlinked", "two_installs", 0.0),
    ] {
        let shown = run(Driver::Random, variant, workload, 400);
        let found = shown.failing as f64 / shown.schedules as f64;
        let alike = (found - share).abs() < 0.12 && (found > 0.0) == (share > 0.0);
        assert!(alike, "{variant} in {workload}: {found}, not {share}");
    }
}

#[test]
fn the_fixed_form_does_not_fail() {
    for driver in [Driver::Random, Driver::Pct, Driver::Stress] {
        for class in scenario().classes() {
            let shown = run(driver, "fixed", &class.name, 60);
            assert!(shown.found.is_empty(), "{driver}, {}: {:?}", class.name, shown.found[0].finding);
        }
    }
}

#[test]
fn real_threads_fail_too() {
    // How often depends on the machine: most runs on idle cores, few on one core, where a thread has to lose it in
    // the middle of an edit. So it goes on until one fails.
    let program = scenario().program("buggy", "three_installs").expect("both exist");
    let budget = Budget::first_failure(100_000);
    let shown = campaign(Driver::Stress, &program, RunConfig::default(), 1, &budget);
    assert!(shown.failing > 0, "of {}", shown.schedules);
}
