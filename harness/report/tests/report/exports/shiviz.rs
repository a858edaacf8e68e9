use crate::support::{failing, programs, snapshot};
use bohr_kernel::{History, Trace, Var, spawn};
use bohr_report::Case;
use bohr_report::export::shiviz;
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};

/// An event as ShiViz reads it.
struct Event {
    host: String,
    clock: BTreeMap<String, usize>,
    step: Option<usize>,
}

/// Reads a log as ShiViz reads a file: the parser, the delimiter of several runs, and the log.
fn read(log: &str) -> Vec<Event> {
    let mut lines = log.splitn(3, '\n');
    let (parser, delimiter) = (Regex::new(lines.next().unwrap()).unwrap(), lines.next().unwrap());
    assert_eq!(delimiter, "", "it is one run");
    let log = lines.next().unwrap();
    let event = |found: regex::Captures<'_>| Event {
        host: found["host"].to_owned(),
        clock: serde_json::from_str(&found["clock"]).unwrap(),
        step: found["step"].parse().ok(),
    };
    let events: Vec<Event> = parser.captures_iter(log).map(event).collect();
    assert_eq!(events.len() * 3, log.lines().count(), "every line belongs to an event");
    events
}

/// ShiViz takes nothing else: a host's own entry rises by 1 from 1 on, and no entry is of an event that is not there.
fn check(events: &[Event]) {
    let mut own: BTreeMap<&str, usize> = BTreeMap::new();
    for event in events {
        let time = own.entry(&event.host).or_default();
        *time += 1;
        assert_eq!(event.clock.get(&event.host), Some(&*time), "{}", event.host);
    }
    for (host, time) in events.iter().flat_map(|event| &event.clock) {
        assert!(
            (1..=own.get(host.as_str()).copied().unwrap_or(0)).contains(time),
            "{host} has no event {time}"
        );
    }
}

/// Which steps come before which, found out in the slow way: as the transitive closure of its definition.
fn before(trace: &Trace, steps: usize) -> BTreeSet<(usize, usize)> {
    let direct = |a: usize, b: usize| {
        let (first, second) = (&trace.steps[a], &trace.steps[b]);
        let conflict = first.objects.iter().any(|(object, access)| {
            let modelled = trace.objects[object.0 as usize].kind != "history";
            modelled && second.objects.iter().any(|(other, with)| other == object && access.conflicts(*with))
        });
        // Its creator's last step before it was created, and so on up to main.
        let mut born_after = false;
        let mut task = second.task;
        let mut until = b;
        while let Some(parent) = trace.tasks[task.0 as usize].parent {
            until = until.min(trace.tasks[task.0 as usize].born as usize);
            born_after |= first.task == parent && a < until;
            task = parent;
        }
        first.task == second.task || conflict || born_after || (second.at_rest && !first.at_rest)
    };
    let mut before = BTreeSet::new();
    for b in 0..steps {
        for a in (0..b).rev() {
            if direct(a, b) || (a..b).any(|c| before.contains(&(a, c)) && before.contains(&(c, b))) {
                before.insert((a, b));
            }
        }
    }
    before
}

fn check_case(case: &Case) {
    let events = read(&shiviz::render(case));
    check(&events);
    let steps: Vec<&Event> = events.iter().filter(|event| event.step.is_some()).collect();
    let before = before(&case.trace, steps.len());
    for (b, later) in steps.iter().enumerate() {
        assert_eq!(later.step, Some(b + 1));
        for (a, earlier) in steps.iter().enumerate().take(b) {
            let knows =
                later.clock.get(&earlier.host).is_some_and(|time| *time >= earlier.clock[&earlier.host]);
            assert_eq!(
                knows,
                before.contains(&(a, b)),
                "{} of {}: steps {} and {}",
                case.variant,
                case.scenario,
                a + 1,
                b + 1
            );
        }
    }
}

/// Tasks that make tasks, in between what they do, with names that are alike.
fn family() {
    let (mu, other) = (programs::Mutex::new("mu"), programs::Mutex::new("other"));
    mu.lock();
    spawn("a child", move || {
        other.lock();
        spawn("a child", move || other.lock());
        spawn("a_child", move || mu.lock());
    });
    mu.unlock();
    mu.lock();
    mu.lock();
}

/// One call after another, which nothing but the oracles' history orders, and then a race.
fn calls() {
    let (history, done) = (History::new("calls"), Var::new("done", 0));
    for name in ["first", "second"] {
        spawn(name, move || {
            let call = history.begin(());
            done.set(1);
            history.end(call, ());
        });
    }
}

#[test]
fn what_only_oracles_see_orders_nothing() {
    let case = failing("calls", calls);
    check_case(&case);
    let events = read(&shiviz::render(&case));
    let second: Vec<&Event> = events.iter().filter(|event| event.host == "second").collect();
    assert!(!second[0].clock.contains_key("first"), "the call began for itself");
    assert!(second[1].clock.contains_key("first"), "the write came second");
}

#[test]
fn shiviz_reads_it_and_its_clocks_are_those_of_the_run() {
    let cases = [
        failing("panic", programs::panic),
        failing("fatal", programs::fatal),
        failing("data_race", programs::data_race),
        failing("deadlock", programs::deadlock),
        failing("self_deadlock", programs::self_deadlock),
        failing("leak", programs::leak),
        failing("oracle", programs::oracle),
        failing("oracle_in_a_task", programs::oracle_in_a_task),
        failing("step_bound", programs::step_bound),
        failing("scenario_bug", programs::scenario_bug),
        failing("long", programs::long),
        failing("family", family),
    ];
    cases.iter().for_each(check_case);
}

#[test]
fn shiviz() {
    snapshot("deadlock.shiviz", &shiviz::render(&failing("deadlock", programs::deadlock)));
}
