//! The tester: it writes the objects, then waits, then looks whether all stays as it is.

use crate::workload::{PodName, Setup, Write};
use crate::world::{Api, Change, Claim, Counters, Kind, MUTEX, Place, Pod, Slice, Uid, World, at};

/// The test, which passes or fails.
pub fn test(world: World, setup: &Setup, consumers: &[(PodName, Uid)]) {
    at("synced");
    let step = world.step("wait until synced").read(Place::Controller).reason("poll");
    step.when(world.at.controller, |controller, _| controller.awaited == [0; 3], 0).run(|_| {});
    for (number, write) in setup.writes.iter().enumerate() {
        at(("write", number));
        let kind = Kind::of(*write);
        world.step(label(*write)).write(Place::Api).write(kind.watch()).when_api_is_free().run(|s| {
            write_pod(s.api(), *write);
            s.watch(kind).changes.push_back(change(*write, consumers));
        });
    }
    let passed = evicted_once(world, setup.pods().len() as u8, setup.polls);
    world.amend(world.at.record, |record| record.judged(passed));
    at(("over", passed));
}

fn evicted_once(world: World, pods: u8, polls: u8) -> bool {
    at("pods gone");
    let step = world.step("wait until the pods are gone").read(Place::Api).reason(MUTEX);
    let step = step.when(world.at.api, |api, _| !api.locked && api.pods.is_empty(), 0).or_at_rest(1);
    if !step.run(|s| s.look(|at| at.api).pods.is_empty()) {
        return world.form.ignores_timeout;
    }
    at("evicted");
    let step = world.step("wait until they count as evicted").read(Place::Api).reason("poll");
    let step = step.when(world.at.api, world.form.sees_evicted, u64::from(pods)).or_at_rest(2);
    if !step.run(|s| (world.form.evicted)(s.look(|at| at.api), pods)) {
        return world.form.ignores_timeout;
    }
    if world.form.sleeps {
        // Time says nothing of what others have done meanwhile.
        at("sleep");
        world.step("sleep").run(|_| {});
    }
    if !world.form.settles {
        return true;
    }
    let polls_pass = (0..polls).all(|number| poll(world, pods, number, None));
    polls_pass && poll(world, pods, polls, Some(3))
}

/// Looks at everything: at any moment, or when nothing else can happen.
fn poll(world: World, pods: u8, number: u8, rest: Option<u64>) -> bool {
    at(("poll", number));
    let step = world.step("poll: copy the counters").write(Place::Counters).read(Place::Api);
    let step = match rest {
        Some(nth) => step.when(world.at.counters, |_, _| false, 0).or_at_rest(nth),
        None => step,
    };
    let (counters, metric) = step.run(|s| {
        let counters = s.counters();
        let copy = Counters { patches: counters.patches, deletes: counters.deletes };
        (copy, s.look(|at| at.api).metric)
    });
    at(("list", number, &counters, metric));
    world.step("poll: list the events").read(Place::Api).when_api_is_free().run(|s| {
        let passed = (world.form.expected)(&counters, metric, s.look(|at| at.api), pods);
        s.note(|| if passed { "as expected" } else { "not as expected" });
        passed
    })
}

fn label(write: Write) -> &'static str {
    match write {
        Write::Pod(..) => "write pod",
        Write::Claim(_) => "write claim",
        Write::RemoveClaim => "remove claim",
        Write::Slice(_) => "write slice",
        Write::Newer(true) => "write newer slice",
        Write::Newer(false) => "remove newer slice",
    }
}

/// Stores what others than the informers look at.
pub(crate) fn write_pod(api: &mut Api, write: Write) {
    if let Write::Pod(name, node) = write {
        api.pods.insert(name, Pod { name, uid: name.uid(), node });
    }
}

/// The notification of a write.
pub(crate) fn change(write: Write, consumers: &[(PodName, Uid)]) -> Change {
    const FIRST: u8 = 1;
    const NEWER: u8 = 101;
    match write {
        Write::Pod(name, node) => Change::Pod(name, Some(Pod { name, uid: name.uid(), node })),
        Write::Claim(allocated) => {
            let consumers = if allocated { consumers.to_vec() } else { Vec::new() };
            Change::Claim(Some(Claim { allocated, consumers }))
        }
        Write::RemoveClaim => Change::Claim(None),
        Write::Slice(tainted) => Change::Slice(FIRST, Some(Slice { tainted })),
        Write::Newer(true) => Change::Slice(NEWER, Some(Slice { tainted: false })),
        Write::Newer(false) => Change::Slice(NEWER, None),
    }
}
