//! Fuzz inputs of the scenarios: every byte string is one or none, and what is one can be written and read back.

use bohr_cli::scenarios::ALL;
use bohr_explore::input::{ANY_VARIANT, Input, Runner, Target, crossover, mutate, surprise};
use bohr_explore::token::Token;
use bohr_kernel::choices_of;
use bohr_kernel::scenario::{AnyScenario, Role};

const TOKENS: [&str; 5] = [
    include_str!("../../../scenarios/argo-roundtripper/tests/tokens.rs"),
    include_str!("../../../scenarios/crio-event-broadcast/tests/tokens.rs"),
    include_str!("../../../scenarios/k8s-taint-eviction/tests/tokens.rs"),
    include_str!("../../../scenarios/kata-deploy-config/tests/tokens.rs"),
    include_str!("../../../scenarios/submariner-image-log/tests/tokens.rs"),
];

fn scenario(name: &str) -> &'static dyn AnyScenario {
    *ALL.iter().find(|scenario| scenario.info().name == name).expect("it is listed")
}

/// Each token that is kept as a test, with its scenario.
fn tokens() -> Vec<(&'static dyn AnyScenario, Token)> {
    let words = TOKENS.iter().flat_map(|text| text.split('"')).filter(|word| word.starts_with("bohr1:"));
    let with_scenario = |word: &str| {
        let token: Token = word.parse().expect("it replays in its own test");
        (scenario(&token.scenario), token)
    };
    words.map(with_scenario).collect()
}

fn target(scenario: &'static dyn AnyScenario, form: &str) -> Target {
    Target::new(scenario, form).expect("the form is there")
}

/// Every fuzz target of the scenarios.
fn targets() -> Vec<Target> {
    let of = |scenario: &&'static dyn AnyScenario| {
        ["buggy", "fixed", ANY_VARIANT].map(|form| target(*scenario, form))
    };
    ALL.iter().flat_map(of).collect()
}

/// Byte strings of any length up to 100, the same ones each time.
fn byte_strings(count: u64) -> impl Iterator<Item = Vec<u8>> {
    let mut state = 1u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..count).map(move |_| {
        let length = next() % 101;
        // Short sections, so that there is a schedule too.
        (0..length).map(|at| if at == 0 { next() % 40 } else { next() }).collect()
    })
}

fn check_stable(target: &Target, bytes: &[u8]) -> Option<Input> {
    let input = Input::decode(target, bytes)?;
    let written = input.encode(target).expect("what was decoded can be written");
    assert_eq!(Input::decode(target, &written).as_ref(), Some(&input), "{} {bytes:?}", target.name());
    assert_eq!(input.encode(target).as_ref(), Ok(&written));
    Some(input)
}

#[test]
fn every_byte_string_is_an_input_or_none() {
    for target in targets() {
        let inputs = byte_strings(500).filter(|bytes| check_stable(&target, bytes).is_some()).count();
        assert!(inputs > 400, "{}: {inputs}", target.name());
        check_stable(&target, &[]);
    }
}

#[test]
fn a_target_is_known_by_its_name() {
    for target in targets() {
        let named = Target::named(ALL, &target.name()).expect("it is a target");
        assert_eq!((named.name(), named.variant), (target.name(), target.variant));
    }
    for name in ["", "engines_agree", "crio_event_broadcast", "crio_event_broadcast_", "any_variant"] {
        assert!(Target::named(ALL, name).is_none(), "{name}");
    }
}

#[test]
fn a_token_is_an_input_that_does_the_same() {
    let tokens = tokens();
    assert!(tokens.len() > 30, "{}", tokens.len());
    for (scenario, token) in tokens {
        let input = Input::of_token(&token).expect("no token here moves time by choice");
        let own = target(scenario, &token.variant);
        let bytes = input.encode(&own).unwrap_or_else(|e| panic!("{token}: {e}"));
        assert!(bytes[1..].starts_with(token.workload.as_bytes()), "{token}: it can be read");
        let again = Input::decode(&own, &bytes).expect("it was just written");
        assert_eq!(again, input);
        let (finding, same) = again.token(&own).expect("it runs").expect("it fails");
        if !token.keep_going {
            assert_eq!(same.to_string(), token.to_string());
        }
        // With the variant in front it goes on, and the finding is among what it shows.
        let any = target(scenario, ANY_VARIANT);
        let bytes = input.encode(&any).unwrap_or_else(|e| panic!("{token}: {e}"));
        let again = Input::decode(&any, &bytes).expect("it was just written");
        assert_eq!(again, input);
        let outcome = again.run(&any, false).expect("it runs");
        assert!(outcome.findings.iter().any(|f| f.same_failure(&finding)), "{token}");
        let said = surprise(scenario, &input.variant, &input.workload, &outcome);
        assert_eq!(said, None, "{token}");
    }
}

#[test]
fn what_no_input_can_say_is_refused() {
    let (scenario, mut token) = tokens().swap_remove(0);
    token.eager_time = true;
    assert!(Input::of_token(&token).unwrap_err().contains("time moves by choice"));
    let own = target(scenario, "fixed");
    let why = Input::new("buggy", &token.workload, Vec::new()).encode(&own).unwrap_err();
    assert!(why.ends_with("runs fixed and not buggy"), "{why}");
}

#[test]
fn a_text_asks_for_no_larger_workload_than_the_scenario_gives() {
    let scenario = scenario("submariner-image-log");
    let own = target(scenario, "fixed");
    let calls = |n: usize| format!("swiss-coarse-1,_,S+{}", ":k=A".repeat(n));
    assert!(Input::new("fixed", &calls(2), Vec::new()).encode(&own).is_ok());
    let large = calls(30);
    assert!(scenario.program("fixed", &large).is_ok(), "the scenario itself reads it");
    let why = Input::new("fixed", &large, Vec::new()).encode(&own).unwrap_err();
    assert!(why.contains("larger than the workloads that are fuzzed"), "{why}");
    let bytes = [&[large.len() as u8], large.as_bytes()].concat();
    assert!(Input::decode(&own, &bytes).is_none_or(|input| input.workload != large));
}

#[test]
fn a_runner_does_what_one_run_does() {
    for target in targets() {
        let mut runner = Runner::new(target.clone(), false);
        let mut watched = Runner::new(target.clone(), true);
        let mut failed = 0;
        for bytes in byte_strings(60) {
            let Some(input) = Input::decode(&target, &bytes) else {
                assert!(runner.run(&bytes).is_none());
                continue;
            };
            let once = input.run(&target, false).expect("it was decoded");
            let ran = runner.run(&bytes).expect("it was decoded");
            let seen = watched.run(&bytes).expect("it was decoded");
            assert_eq!((&ran.variant, &ran.workload), (&input.variant, &input.workload));
            for other in [&ran.outcome, &seen.outcome] {
                assert_eq!(other.findings, once.findings);
                assert_eq!(other.decisions, once.decisions);
            }
            failed += u32::from(!once.findings.is_empty());
            // The same in another process, which has not seen the same runs before.
            let mut fresh = Runner::new(target.clone(), true);
            let mut features = [fresh.run(&bytes).expect("it was decoded").features, seen.features];
            features.iter_mut().for_each(|features| features.sort_unstable());
            assert_eq!(features[0], features[1]);
            assert_eq!(features[0].is_empty(), once.steps == 0);
        }
        assert_eq!(failed > 0, target.variant != Some("fixed"), "{}", target.name());
    }
}

#[test]
fn what_is_changed_stays_an_input() {
    for target in targets() {
        let mut bytes = Vec::new();
        let mut other = Vec::new();
        let mut workloads = std::collections::BTreeSet::new();
        for seed in 0..500 {
            for most in [4_096, bytes.len().saturating_sub(1)] {
                for changed in
                    [mutate(&target, &bytes, most, seed), crossover(&target, &bytes, &other, most, seed)]
                {
                    assert!(changed.len() <= most, "{} {seed}", target.name());
                    assert!(most < 100 || check_stable(&target, &changed).is_some());
                }
            }
            let changed = mutate(&target, &bytes, 4_096, seed);
            assert_eq!(changed, mutate(&target, &bytes, 4_096, seed));
            other = std::mem::replace(&mut bytes, changed);
            let input = Input::decode(&target, &bytes).expect("it stays an input");
            workloads.insert((input.variant, input.workload));
        }
        assert!(workloads.len() > 20, "{}: {workloads:?}", target.name());
    }
}

/// What a schedule has shown on one workload says little of another.
#[test]
fn most_changes_are_of_the_schedule_alone() {
    for target in targets() {
        let workload = &target.scenario.classes()[0].name;
        let input = Input::new(target.variant.unwrap_or("buggy"), workload, vec![0, 1, 0, 0, 2, 0, 1]);
        let bytes = input.encode(&target).unwrap();
        let changed = (0..400).map(|seed| mutate(&target, &bytes, 4_096, seed));
        let changed: Vec<_> = changed.filter_map(|bytes| Input::decode(&target, &bytes)).collect();
        let elsewhere = changed.iter().filter(|changed| changed.workload != input.workload).count();
        assert!((20..160).contains(&elsewhere), "{}: {elsewhere} of {}", target.name(), changed.len());
        // A change of the workload, in turn, leaves the schedule alone.
        let carried = changed.iter().filter(|c| c.workload != input.workload && c.schedule == input.schedule);
        assert!(carried.count() > 2, "{}", target.name());
    }
}

/// Otherwise a crash of the fixed form would be none.
#[test]
fn the_fixed_forms_verdict_is_stated_wherever_it_is_fuzzed() {
    for scenario in ALL {
        let fixed = scenario.variants().into_iter().find(|v| v.role == Role::Fixed).expect("there is one");
        let target = target(*scenario, fixed.name);
        let mut bytes = Vec::new();
        for seed in 0..2_000 {
            bytes = mutate(&target, &bytes, 4_096, seed);
            let workload = Input::decode(&target, &bytes).expect("it is an input").workload;
            let stated = scenario.expected(fixed.name, &workload).is_some();
            assert!(stated || scenario.only_observes(&workload), "{workload}");
        }
    }
}

#[test]
fn steered_schedules_are_inputs_and_find_what_is_hard_to_find() {
    let kata = scenario("kata-deploy-config");
    let target = target(kata, "cleanup_unlinks_first").on("delete".to_owned());
    // Changing bytes alone takes some thousands; the seeds are fixed, so nothing here depends on chance.
    for seed in 1..=3 {
        let mut runner = Runner::new(target.clone(), true);
        let fails = (0..4_000).find_map(|_| {
            let input = runner.steered(&[0], seed).expect("no byte is needed for the only workload");
            let bytes = input.encode(&target).unwrap();
            let ran = runner.run(&bytes).unwrap();
            let choices = choices_of(&ran.outcome.decisions);
            assert_eq!(Input::new(&input.variant, &input.workload, choices), input, "the same run");
            ran.outcome.findings.first().map(|finding| finding.headline())
        });
        assert!(fails.is_some(), "seed {seed}");
    }
}
