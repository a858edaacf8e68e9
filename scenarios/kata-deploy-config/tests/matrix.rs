#![allow(clippy::print_stdout)]
//! Every form on every small class: the oracles that some schedule violates are those that are stated, cell by
//! cell. All schedules are searched, except where a class has too many states.

use bohr_explore::search::search;
use bohr_explore::strategy::{Bounds, Exhausted};
use bohr_kernel::scenario::Expected;
use bohr_kernel::{Outcome, Program, RunConfig};
use kata_deploy_config::mutants::Unchanged;
use kata_deploy_config::workload::Workload;
use kata_deploy_config::{expected, scenario, world};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Instant;

/// The oracles that the schedules within the bounds violate.
fn violated(variant: &str, workload: &str, bounds: Bounds) -> (BTreeSet<String>, Exhausted) {
    violated_by(&scenario().program(variant, workload).expect("both exist"), bounds)
}

fn violated_by(program: &Program, bounds: Bounds) -> (BTreeSet<String>, Exhausted) {
    let found: Rc<RefCell<BTreeSet<String>>> = Rc::default();
    let sink = {
        let found = found.clone();
        move |outcome: Outcome| {
            for finding in outcome.findings {
                found.borrow_mut().insert(finding.oracle.unwrap_or(finding.text));
            }
            true
        }
    };
    let config = RunConfig { keep_going: true, ..RunConfig::default() };
    let exhausted = search(program, config, bounds, sink);
    (Rc::into_inner(found).expect("the search is over").into_inner(), exhausted)
}

fn all_states() -> Bounds {
    Bounds { cache: true, ..Bounds::default() }
}

fn ids(numbers: &[u8]) -> BTreeSet<String> {
    numbers.iter().map(|n| expected::id(*n).to_owned()).collect()
}

/// For cells with so many states that a test only takes the schedules with few preemptions: how many. All others
/// are taken whole. `BOHR_EXHAUST=1` takes these whole too.
fn bound(variant: &str, class: &str) -> Option<u32> {
    let buggy = ["buggy", "append_mode"].contains(&variant);
    let unlocked = buggy || ["rename_without_lock", "shared_temp_name", "lock_per_edit"].contains(&variant);
    let large = match class {
        "two_installs" => variant == "append_mode",
        "three_installs" => !["fixed", "lock_file_unlinked"].contains(&variant),
        "delete_apply" => !["fixed", "upstream_fix", "lock_fd_inherited"].contains(&variant),
        "kill" => unlocked || variant == "backup_outside_lock",
        _ => false,
    };
    let most = if class == "three_installs" && !buggy { 1 } else { 2 };
    (large && std::env::var_os("BOHR_EXHAUST").is_none()).then_some(most)
}

/// One class, all forms.
fn check(class: &str) {
    let mut surprises = Vec::new();
    for variant in scenario().variants() {
        let Some(cell) = expected::cell(variant.name, class) else { continue };
        let preemptions = bound(variant.name, class);
        let began = Instant::now();
        let (found, exhausted) = violated(variant.name, class, Bounds { preemptions, ..all_states() });
        println!(
            "{class:15} {:22} {:>7} states {:>8} runs {:>6} ms  {}{}",
            variant.name,
            exhausted.states,
            exhausted.runs,
            began.elapsed().as_millis(),
            found.iter().cloned().collect::<Vec<_>>().join(" "),
            preemptions.map(|most| format!(" (at most {most} preemptions)")).unwrap_or_default(),
        );
        let stated = ids(cell.oracles);
        let ok = match preemptions {
            None if cell.more => found.is_superset(&stated),
            None => found == stated,
            // The bold ones show, or any if none is bold, and nothing that is not stated. With so few
            // preemptions that is all that can be asked of them.
            Some(_) => {
                let bold = ids(cell.bold);
                let shows = found.is_superset(&bold) && found.is_empty() == stated.is_empty();
                shows && found.is_subset(&stated)
            }
        };
        if !(ok && exhausted.all) {
            surprises.push(format!("{} violates {found:?}, and {stated:?} is stated", variant.name));
        }
    }
    assert!(surprises.is_empty(), "{class}:\n{}", surprises.join("\n"));
}

macro_rules! classes {
    ($($class:ident)*) => {$(
        #[test]
        fn $class() {
            check(stringify!($class));
        }
    )*};
}

classes! { two_installs three_installs reader delete delete_apply kill power_loss disk_full drop_in }

#[test]
fn the_changed_forms_without_a_change_are_the_fixed_one() {
    for class in scenario().classes().into_iter().filter(|class| class.smallest) {
        let workload: Workload = class.name.parse().expect("a class is a workload");
        let program = Program::new(move || world::run::<Unchanged>(&workload));
        let (found, unchanged) = violated_by(&program, all_states());
        let (_, fixed) = violated("fixed", &class.name, all_states());
        assert!(found.is_empty(), "{} in {}", found.into_iter().collect::<Vec<_>>().join(" "), class.name);
        assert_eq!(unchanged.states, fixed.states, "{}", class.name);
    }
}

#[test]
fn the_fixed_form_holds_with_other_parameters() {
    for workload in [
        "two-installs:keys=1:runtimes=2",
        "two-installs:keys=3:page=16",
        "two-installs:page=4096:loads=2",
        "delete+delete-kill:late:loads=1",
        "kill-install+kill-cleanup:keys=1:page=8",
        "power-install+power-cleanup:runtimes=2:page=16",
        "full-disk:page=8:restarts=1",
        "import:page=8:loads=1",
    ] {
        let (found, exhausted) = violated("fixed", workload, all_states());
        assert!(found.is_empty() && exhausted.all, "{found:?} in {workload}");
    }
}

#[test]
fn a_journal_leaves_only_the_loss_of_what_succeeded() {
    let workload = "power-install+power-cleanup:journal";
    for (variant, stated) in [("no_dir_fsync", ids(&[12])), ("fixed", ids(&[]))] {
        assert_eq!(violated(variant, workload, all_states()).0, stated, "{variant}");
    }
}

#[test]
fn the_least_preemptions_are_as_stated() {
    let mut surprises = Vec::new();
    let mut checked = 0;
    for variant in scenario().variants() {
        for class in scenario().classes() {
            let Some(Expected::Fails(stated)) = scenario().expected(variant.name, &class.name) else {
                continue;
            };
            let searched = |preemptions: u32| {
                let bounds = Bounds { preemptions: Some(preemptions), ..all_states() };
                violated(variant.name, &class.name, bounds).0
            };
            for violation in stated {
                let Some(least) = violation.preemptions else { continue };
                checked += 1;
                let shows = searched(least).contains(violation.oracle);
                let shows_earlier = least > 0 && searched(least - 1).contains(violation.oracle);
                if !shows || shows_earlier {
                    surprises.push(format!(
                        "{} in {}: {} does {} with {least} preemptions, and {} with fewer",
                        variant.name,
                        class.name,
                        violation.oracle,
                        if shows { "fail" } else { "not fail" },
                        if shows_earlier { "fails" } else { "does not" },
                    ));
                }
            }
        }
    }
    assert!(surprises.is_empty(), "of {checked}:\n{}", surprises.join("\n"));
    assert!(checked >= 36, "only {checked} are stated");
}
