//! The actors: workers, event recorder, clock, callers of the queue, informers and their handlers.

use crate::oracles::{self, check_act, check_advance, check_delete, check_patch};
use crate::queue::{self, Flow, Form, Path, Queue, Rest};
use crate::tester;
use crate::workload::{Calls, Op, PodName, Setup, Workload};
use crate::world::{
    Cell, Change, Claim, Controller, Counters, Doing, Event, Kind, Notice, Place, Pod, Step, Time, Uid, Work,
    WorkId, World, at,
};
use bohr_go::GoPanic;
use bohr_kernel::{Blocked, at_rest, choose, spawn, when_blocked};
use std::collections::VecDeque;

/// Runs one form, as the main task.
pub fn run<Q: Queue, C: queue::Controller, T: queue::Tester>(workload: &Workload) {
    // What is blocked at rest is idle, or O13.
    when_blocked(Blocked::Allowed);
    let form = Form::of::<Q, C, T>();
    match workload {
        Workload::Family(family) => {
            let scripts = family.scripts();
            let chosen = choose(scripts.len() as u32) as usize;
            run_queue(form, &scripts[chosen]);
        }
        Workload::Queue(calls) => run_queue(form, calls),
        Workload::Controller(setup) => run_controller(form, setup),
    }
}

fn run_queue(form: Form, calls: &Calls) {
    let world = World::new(form, false, work);
    world.amend(world.at.api, |api| {
        api.pods.insert(PodName::A, Pod { name: PodName::A, uid: 1, node: true });
        api.newest = 1;
        api.failures = calls.failures;
    });
    for (number, script) in calls.scripts.iter().enumerate() {
        let script = script.clone();
        spawn(if number == 0 { "caller" } else { "caller 2" }, move || call(world, &script));
    }
    start_background(world);
    if calls.scripts.iter().flatten().any(|op| matches!(op, Op::U1 | Op::U2)) {
        // Otherwise no timer is ever armed.
        spawn("clock", move || tick(world));
    }
    at_rest(move || oracles::check_at_rest(world, false));
}

fn run_controller(form: Form, setup: &Setup) {
    let world = World::new(form, true, work);
    let setup = setup.clone();
    let consumers: Vec<_> = setup.pods().iter().rev().map(|name| (*name, name.uid())).collect();
    for write in &setup.objects {
        let kind = Kind::of(*write);
        world.amend(world.at.api, |api| tester::write_pod(api, *write));
        world.amend(world.at.controller, |controller| controller.awaited[kind as usize] += 1);
        world.amend(world.at.watches[kind as usize], |watch| {
            watch.changes.push_back(tester::change(*write, &consumers));
            watch.initial += 1;
        });
    }
    spawn("tester", move || tester::test(world, &setup, &consumers));
    for kind in Kind::ALL {
        spawn(INFORMERS[kind as usize], move || inform(world, kind));
        spawn(HANDLERS[kind as usize], move || handle(world, kind));
    }
    start_background(world);
    at_rest(move || oracles::check_at_rest(world, true));
}

const INFORMERS: [&str; 3] = ["pod informer", "claim informer", "slice informer"];
const HANDLERS: [&str; 3] = ["pod handler", "claim handler", "slice handler"];

fn start_background(world: World) {
    spawn("recorder", move || record_events(world));
    if world.form.work_loop {
        spawn("worker loop", move || work_loop(world));
    }
}

// ---- workers ----

/// A worker, from its first step to its last.
fn work(world: World, id: WorkId) {
    let key = key_of(world, id);
    at((id, "begin"));
    let claims = world.form.claims;
    let step = world.step(if claims { "claim" } else { "begin" }).write(Place::Time).write(Place::Record);
    let step = if claims { step.write(Place::Queue).when_queue_is_free() } else { step };
    let goes_on = step.run(|s| {
        s.record().began(id);
        let goes_on = (world.form.begin)(s, key, id);
        if !goes_on {
            s.note(|| "it is not to go on");
            s.end_work(id);
        }
        goes_on
    });
    if goes_on {
        evict(world, id);
        finish(world, id);
    }
    at("over");
}

/// The one goroutine that does all work, in the form that has it.
fn work_loop(world: World) {
    loop {
        at("pick");
        let step = world.step("pick").write(Place::Queue).write(Place::Time).write(Place::Record);
        let step =
            step.when(world.at.time, |time, _| time.due().next().is_some(), 0).reason("sync.Cond.Wait");
        let id = step.run_choosing(
            |time| time.due().count(),
            |s, chosen| {
                let id = s.time().due().nth(chosen).expect("a timer is due");
                s.take_work(id);
                s.record().began(id);
                let work = s.record().of(id);
                (world.form.begin)(s, world.form.key(work.name, work.uid), id);
                id
            },
        );
        evict(world, id);
        finish(world, id);
    }
}

fn key_of(world: World, id: WorkId) -> (PodName, Uid) {
    let work = world.at.record.peek(|record| record.of(id));
    world.form.key(work.name, work.uid)
}

fn finish(world: World, id: WorkId) {
    let key = key_of(world, id);
    at((id, "finish"));
    let step = world.step("finish").write(Place::Queue).write(Place::Time).write(Place::Record);
    step.when_queue_is_free().run(|s| {
        (world.form.finish)(s, key, id);
        s.end_work(id);
    });
}

/// How often a worker tries.
const ATTEMPTS: u8 = 5;

/// Evicts the pod, with calls to the API server. No lock of the queue is held.
fn evict(world: World, id: WorkId) {
    for attempt in 0..ATTEMPTS {
        if attempt_eviction(world, id, attempt) {
            return;
        }
    }
    // The error is logged, and that is all.
}

/// True if there is nothing more to do; false after an error of the API server.
fn attempt_eviction(world: World, id: WorkId, attempt: u8) -> bool {
    let (name, uid) = key_of_pod(world, id);
    at((id, "get", attempt));
    let found = world.step("get pod").read(Place::Api).write(Place::Record).when_api_is_free().run(|s| {
        let found = s.look(|at| at.api).pods.get(&name).is_some_and(|pod| pod.uid == uid);
        s.note(|| if found { format!("uid {uid} found") } else { format!("no uid {uid}") });
        if found {
            check_act(s, id);
        }
        found
    });
    if !found {
        return true;
    }
    if attempt == 0 {
        at((id, "emit"));
        world
            .step("emit event")
            .write(Place::Recorder)
            .write(Place::Time)
            .run(|s| s.emit(Event::Marking(uid)));
    }
    at((id, "patch", attempt));
    call_api(world, "patch pod");
    at((id, "patching", attempt));
    let patched = end_call(world, "patch pod: apply").run(|s| {
        count(world, s, |counters| counters.patches += 1);
        check_patch(s, id);
        let pod = s.api().pods.get(&name).copied().filter(|pod| pod.uid == uid);
        if let Some(pod) = pod {
            notify(world, s, Change::Pod(name, Some(pod)));
        } else {
            s.note(|| "not found");
            s.record().stops_acting(id);
        }
        release_api(s);
        pod.is_some()
    });
    if !patched {
        return true;
    }
    at((id, "delete", attempt));
    call_api(world, "delete pod");
    at((id, "deleting", attempt));
    let deleted = end_call(world, "delete pod: apply").run(|s| {
        count(world, s, |counters| counters.deletes += 1);
        let api = s.api();
        let fails = api.failures > 0;
        api.failures -= u8::from(fails);
        let found = api.pods.get(&name).is_some_and(|pod| pod.uid == uid);
        let deleted = found && !fails;
        if deleted {
            api.pods.remove(&name);
            notify(world, s, Change::Pod(name, None));
        }
        s.note(|| match (fails, deleted) {
            (true, _) => "error",
            (_, true) => "deleted",
            _ => "not found",
        });
        check_delete(s, id, deleted);
        release_api(s);
        if fails { None } else { Some(deleted) }
    });
    if deleted == Some(true) {
        at((id, "metric"));
        world.step("count the deletion").write(Place::Api).run(|s| s.api().metric += 1);
    }
    deleted.is_some()
}

fn key_of_pod(world: World, id: WorkId) -> (PodName, Uid) {
    let work = world.at.record.peek(|record| record.of(id));
    (work.name, work.uid)
}

/// Takes the API server's lock, over the end of a step.
fn call_api(world: World, label: &'static str) {
    let step = world.step(label).write(Place::Api).write(Place::Recorder).when_api_is_free();
    step.run(|s| {
        s.api().locked = true;
        s.recorder().api_locked = true;
    });
}

fn end_call(world: World, label: &'static str) -> Doing {
    let step = world.step(label).write(Place::Api).write(Place::Recorder).write(Place::Counters);
    step.write(Place::Record).write(Place::PodWatch)
}

fn release_api(step: &mut Step<'_, '_>) {
    step.api().locked = false;
    step.recorder().api_locked = false;
}

/// The test's hook; without a test nobody would look.
fn count(world: World, step: &mut Step<'_, '_>, count: impl FnOnce(&mut Counters)) {
    if world.watched {
        count(step.counters());
    }
}

fn notify(world: World, step: &mut Step<'_, '_>, change: Change) {
    if world.watched {
        step.watch(Kind::Pods).changes.push_back(change);
    }
}

// ---- the event recorder and the clock ----

/// Creates the events that were emitted, later.
fn record_events(world: World) {
    loop {
        at("idle");
        let step = world.step("create event").write(Place::Recorder).write(Place::Api);
        let step = step.write(Place::Time).write(Place::Record).reason("chan receive");
        step.when(world.at.recorder, |r, _| !r.buffer.is_empty() && !r.api_locked, 0).run(|s| {
            let event = s.recorder().buffer.pop_front().expect("an event waits");
            s.time().buffered -= 1;
            s.note(|| event.to_string());
            let count = s.api().events.entry(event).or_default();
            // It does not matter how many more than one.
            *count = (*count + 1).min(2);
            if *count > 1 {
                s.violated("O4", "an event is created a second time");
            }
        });
    }
}

/// Fires a timer that is due, or moves time to the next one when all started work has ended.
fn tick(world: World) {
    loop {
        at("idle");
        let step = world.step("time").write(Place::Time).write(Place::Record).read(Place::Api);
        let step = step.reason("sleep");
        if world.form.work_loop {
            step.when(world.at.time, |time, _| time.next().is_some(), 0).run(advance);
            continue;
        }
        let may = |time: &Cell<Time>, _| time.due().next().is_some() || time.next().is_some();
        step.when(world.at.time, may, 0).run_choosing(
            |time| time.due().count(),
            |s, chosen| {
                let due = s.time().due().nth(chosen);
                let Some(id) = due else { return advance(s) };
                s.note(|| format!("timer {} fires", id.0));
                s.fire(id);
                s.run_work(id);
            },
        );
    }
}

fn advance(step: &mut Step<'_, '_>) {
    check_advance(step);
    let time = step.time();
    time.now = time.next().expect("time may move");
    let now = time.now;
    step.note(|| format!("now {now}"));
}

// ---- callers ----

/// Operations on the queue, directly.
fn call(world: World, script: &[Op]) {
    let name = PodName::A;
    for (number, op) in script.iter().enumerate() {
        at((number, "call"));
        match op {
            Op::U0 => update(world, number, None),
            Op::U1 => update(world, number, Some(1)),
            Op::U2 => update(world, number, Some(2)),
            Op::C => {
                let step = queue_step(world, "CancelWork").write(Place::Recorder).read(Place::Api);
                let cancelled = step.when_queue_is_free().run(|s| {
                    let uid = s.look(|at| at.api).newest;
                    s.record().undecided(name);
                    cancel(s, name, uid, Path::Evaluated)
                });
                cancelled.unwrap_or_else(|panic| panic.resume());
            }
            Op::R => {
                let old = replace(world, true);
                at((number, "replaced", old));
                let step = queue_step(world, "CancelWork").write(Place::Recorder);
                let cancelled = step.when_queue_is_free().run(|s| {
                    s.record().end_long();
                    cancel(s, name, old, Path::Deleted)
                });
                cancelled.unwrap_or_else(|panic| panic.resume());
            }
            Op::X => {
                replace(world, false);
            }
        }
    }
    at("over");
}

fn queue_step(world: World, label: &'static str) -> Doing {
    world.step(label).write(Place::Queue).write(Place::Time).write(Place::Record)
}

fn update(world: World, number: usize, after: Option<u64>) {
    let name = PodName::A;
    let step = queue_step(world, "UpdateWork").read(Place::Api).when_queue_is_free();
    let updated = step.run(|s| {
        let uid = s.look(|at| at.api).newest;
        let now = s.time().now;
        let fire_at = after.map_or(0, |after| now + after);
        s.record().decided(name, uid, fire_at);
        let work = Work { key: world.form.key(name, uid), uid, now, fire_at };
        s.note(|| format!("uid {uid}, fireAt {fire_at}"));
        let flow = bohr_go::recover(|| (world.form.update_work)(s, work));
        if matches!(flow, Ok(Flow::Unlocked(_))) {
            s.record().begin_long();
        }
        flow.map(|flow| (work, flow))
    });
    let (work, flow) = updated.unwrap_or_else(|panic| panic.resume());
    if let Flow::Unlocked(rest) = flow {
        at((number, "second section", work, rest.created));
        let step = queue_step(world, "UpdateWork: second section").when_queue_is_free();
        let ended = step.run(|s| {
            s.record().end_long();
            bohr_go::recover(|| (rest.section)(s, work, rest.created))
        });
        ended.unwrap_or_else(|panic| panic.resume());
    }
}

/// Replaces the pod by one with a new uid; gives the old one.
fn replace(world: World, long: bool) -> Uid {
    let name = PodName::A;
    world.step("replace pod").write(Place::Api).write(Place::Record).when_api_is_free().run(|s| {
        let api = s.api();
        let old = api.newest;
        api.newest += 1;
        let uid = api.newest;
        api.pods.insert(name, Pod { name, uid, node: true });
        s.note(|| format!("uid {uid}"));
        s.record().undecided(name);
        if long {
            s.record().begin_long();
        }
        old
    })
}

/// A cancel, with what the controller does when it succeeds.
fn cancel(step: &mut Step<'_, '_>, name: PodName, uid: Uid, path: Path) -> Result<(), GoPanic> {
    let form = step.form;
    let key = form.key(name, uid);
    let owner = step.entry(key).map(|entry| entry.owner);
    let cancelled = bohr_go::recover(|| (form.cancel_work)(step, key, path))?;
    step.note(|| format!("cancelled: {cancelled}"));
    step.record().cancelled(name, owner, cancelled);
    if let Some(owner) = owner.filter(|_| cancelled && path == Path::Evaluated) {
        step.emit(Event::Cancelling(uid, owner));
    }
    Ok(())
}

// ---- informers and handlers ----

/// Takes notifications, updates the cache, queues them for the handler.
fn inform(world: World, kind: Kind) {
    loop {
        at("idle");
        let step = world.step("apply").write(kind.watch()).write(Place::Controller).reason("chan receive");
        let step = if kind == Kind::Pods { step.write(Place::Cache) } else { step };
        step.when(world.at.watches[kind as usize], |watch, _| !watch.changes.is_empty(), 0).run(|s| {
            // The pods' cache is another object than their notifications, and one step changes both.
            let (change, initial) = s.watch(kind).take();
            let notice = match change {
                Change::Pod(name, new) => {
                    let cache = s.cache();
                    let old = match new {
                        Some(pod) => cache.insert(name, pod),
                        None => cache.remove(&name),
                    };
                    Notice::Pod(old, new)
                }
                Change::Claim(new) => Notice::Claim(s.watch(kind).replace_claim(new.clone()), new),
                Change::Slice(generation, new) => Notice::Slice(generation, new),
            };
            s.note(|| format!("{notice:?}"));
            s.controller().inboxes[kind as usize].push_back((notice, initial));
        });
    }
}

/// What is left to do of a handler's run.
#[derive(Hash)]
struct Agenda {
    todo: VecDeque<Todo>,
    initial: bool,
    /// The second section of an update comes next.
    paused: Option<(Work, Option<WorkId>)>,
}

#[derive(Copy, Clone, Hash)]
enum Todo {
    /// Evaluate a pod as it was told.
    Pod(Pod),
    /// Evaluate a consumer, if the cache has it.
    Consumer(PodName, Uid),
    /// A pod is gone.
    Gone(Pod),
}

/// Runs handlers, one notification after the other, each under the controller's mutex.
fn handle(world: World, kind: Kind) {
    loop {
        at("idle");
        let label = ["handle pod", "handle claim", "handle slice"][kind as usize];
        let waits = kind == Kind::Slices && !world.form.slices_early;
        let step =
            queue_step(world, label).write(Place::Controller).write(Place::Recorder).read(Place::Cache);
        let step = step.when(world.at.controller, ready, kind as u64 | u64::from(waits) << 8);
        let begun = step.reason(IDLE).run(|s| {
            let (notice, initial) =
                s.controller().inboxes[kind as usize].pop_front().expect("a notice waits");
            s.note(|| format!("{notice:?}"));
            let todo = s.take_notice(notice);
            let agenda = Agenda { todo, initial, paused: None };
            proceed(s, kind, agenda)
        });
        let mut going = begun.unwrap_or_else(|panic| panic.resume());
        while let Some((agenda, rest)) = going {
            at(("second section", &agenda));
            let step = queue_step(world, "UpdateWork: second section").write(Place::Controller);
            let step = step.write(Place::Recorder).read(Place::Cache).when_queue_is_free();
            let went_on = step.run(|s| {
                if let Some((work, created)) = agenda.paused {
                    bohr_go::recover(|| (rest.section)(s, work, created))?;
                }
                proceed(s, kind, Agenda { paused: None, ..agenda })
            });
            going = went_on.unwrap_or_else(|panic| panic.resume());
        }
    }
}

const IDLE: &str = "sync.Cond.Wait";

/// A handler of the kind in the low byte can run; those that wait until pods and claims were handled have
/// the next bit set.
fn ready(controller: &Cell<Controller>, arg: u64) -> bool {
    let held_back = arg >> 8 == 1 && controller.awaited[..2] != [0, 0];
    let waits = !controller.inboxes[(arg & 0xff) as usize].is_empty();
    waits && !controller.held && !controller.stuck && !held_back
}

/// Goes on with a handler's run, up to its end or to the second section of an update.
fn proceed(
    step: &mut Step<'_, '_>,
    kind: Kind,
    mut agenda: Agenda,
) -> Result<Option<(Agenda, Rest)>, GoPanic> {
    while let Some(todo) = agenda.todo.pop_front() {
        let pod = match todo {
            Todo::Gone(pod) => {
                cancel(step, pod.name, pod.uid, Path::Deleted)?;
                continue;
            }
            Todo::Pod(pod) => pod,
            Todo::Consumer(name, uid) => {
                let pod = if step.form.own_pods {
                    step.look(|at| at.controller).handled.get(&name)
                } else {
                    step.look(|at| at.cache).get(&name)
                };
                let Some(pod) = pod.filter(|pod| pod.uid == uid) else { continue };
                *pod
            }
        };
        if let Flow::Unlocked(rest) = evaluate(step, pod, &mut agenda)? {
            step.controller().held = true;
            return Ok(Some((agenda, rest)));
        }
        if step.look(|at| at.queue).held {
            step.controller().stuck = true;
            return Ok(None);
        }
    }
    let controller = step.controller();
    controller.held = false;
    controller.awaited[kind as usize] -= u8::from(agenda.initial);
    Ok(None)
}

/// Evicts a pod or not, as its claim says.
fn evaluate(step: &mut Step<'_, '_>, pod: Pod, agenda: &mut Agenda) -> Result<Flow, GoPanic> {
    if !pod.node {
        return Ok(Flow::Done);
    }
    let claim = step.look(|at| at.controller).claim.as_ref();
    let evict = claim.is_some_and(|(claim, evict)| *evict && claim.consumers.contains(&(pod.name, pod.uid)));
    if !evict {
        cancel(step, pod.name, pod.uid, Path::Evaluated)?;
        return Ok(Flow::Done);
    }
    let form = step.form;
    let key = form.key(pod.name, pod.uid);
    // The taint's time is in the past.
    let work = Work { key, uid: pod.uid, now: step.time().now, fire_at: 0 };
    step.note(|| format!("UpdateWork uid {}", pod.uid));
    let flow = bohr_go::recover(|| (form.update_work)(step, work))?;
    if let Flow::Unlocked(rest) = flow {
        agenda.paused = Some((work, rest.created));
    }
    Ok(flow)
}

impl Step<'_, '_> {
    /// Updates what the controller knows; gives what is to be done then.
    fn take_notice(&mut self, notice: Notice) -> VecDeque<Todo> {
        let consumers =
            |claim: &Claim| claim.consumers.iter().map(|(name, uid)| Todo::Consumer(*name, *uid)).collect();
        let form = self.form;
        let controller = self.controller();
        match notice {
            Notice::Pod(old, Some(new)) => {
                controller.handled.insert(new.name, new);
                let skip = old.is_some_and(|old| (form.unchanged)(&old, &new));
                if skip { VecDeque::new() } else { VecDeque::from([Todo::Pod(new)]) }
            }
            Notice::Pod(old, None) => {
                let Some(old) = old else { return VecDeque::new() };
                controller.handled.remove(&old.name);
                VecDeque::from([Todo::Gone(old)])
            }
            Notice::Claim(old, None) => {
                controller.claim = None;
                old.as_ref().map(consumers).unwrap_or_default()
            }
            Notice::Claim(_, Some(new)) if !new.allocated => VecDeque::new(),
            Notice::Claim(old, Some(new)) => {
                let fresh = old.is_none_or(|old| !old.allocated);
                let before = controller.claim.as_ref().is_some_and(|(_, evict)| *evict);
                let evict = if fresh { controller.tainted() } else { before };
                let todo = consumers(&new);
                controller.claim = Some((new, evict));
                todo
            }
            Notice::Slice(generation, new) => {
                let before = controller.tainted();
                match new {
                    Some(slice) => controller.slices.insert(generation, slice),
                    None => controller.slices.remove(&generation),
                };
                let now = controller.tainted();
                match &mut controller.claim {
                    Some((claim, evict)) if now != before && *evict != now => {
                        *evict = now;
                        consumers(claim)
                    }
                    _ => VecDeque::new(),
                }
            }
        }
    }
}
