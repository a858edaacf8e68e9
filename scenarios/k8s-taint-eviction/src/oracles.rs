//! The invariants, and what is remembered for them.

use crate::workload::PodName;
use crate::world::{MUTEX, Step, Uid, WorkId, World};
use bohr_go::map::NIL_DEREFERENCE;
use bohr_kernel::scenario::{Oracle, When};
use bohr_kernel::{Finding, Kind, blocked_tasks, violated};
use std::collections::BTreeMap;

/// The oracles.
pub static ORACLES: [Oracle; 14] = [
    Oracle { id: "O1", when: When::Safety, claim: "nothing needs the worker of an entry that has none" },
    Oracle { id: "O2", when: When::Safety, claim: "no two workers act on one pod at once" },
    Oracle { id: "O3", when: When::Safety, claim: "a pod is patched once and deleted once" },
    Oracle { id: "O4", when: When::Safety, claim: "no event is created twice" },
    Oracle { id: "O5", when: When::Safety, claim: "work whose cancel returned true does not act" },
    Oracle { id: "O6", when: When::Safety, claim: "work that is still armed after a cancel never acts" },
    Oracle { id: "O7", when: When::Safety, claim: "a worker that ends removes no entry but its own" },
    Oracle {
        id: "O8",
        when: When::Safety,
        claim: "timed work that lost its entry between the timer and its first step does not act",
    },
    Oracle { id: "O9", when: When::Safety, claim: "no pod outlives the time of its eviction" },
    Oracle { id: "O10", when: When::Liveness, claim: "a pod that is to be evicted is gone at rest" },
    Oracle { id: "O11", when: When::AtRest, claim: "the queue is empty at rest" },
    Oracle { id: "O12a", when: When::AtRest, claim: "the test fails only if something is wrong" },
    Oracle { id: "O12b", when: When::AtRest, claim: "the test fails if something is wrong" },
    Oracle { id: "O13", when: When::Liveness, claim: "nobody waits for ever for a lock" },
];

/// The oracle that a finding of the kernel speaks for.
pub fn classify(finding: &Finding) -> Option<&'static str> {
    match finding.kind {
        Kind::Panic if finding.text.starts_with(NIL_DEREFERENCE) => Some("O1"),
        Kind::Deadlock | Kind::Leak | Kind::StepBound => Some("O13"),
        _ => None,
    }
}

/// What the oracles remember. The code under test never looks at it.
#[derive(Debug, Default, Hash)]
pub struct Record {
    work: BTreeMap<WorkId, WorkRecord>,
    works: u8,
    /// What was decided last for a pod's name: evict this uid at that time.
    decisions: BTreeMap<PodName, (Uid, u64)>,
    /// Operations that have begun and not ended.
    half_done: u8,
    /// How many workers have made calls for a uid: none, one, more.
    patched: BTreeMap<Uid, u8>,
    deleted: BTreeMap<Uid, u8>,
    /// O3, O4 or O10 was violated.
    broken: bool,
    /// What the tester says.
    verdict: Option<bool>,
}

/// What is remembered of work that has not ended.
#[derive(Copy, Clone, Debug, Hash)]
pub struct WorkRecord {
    /// The pod's name.
    pub name: PodName,
    /// The pod's uid.
    pub uid: Uid,
    /// What the timer did; nothing if there is none.
    timer: Option<TimerRecord>,
    /// It took its first step.
    began: bool,
    /// It has made these calls, perhaps more than once after errors of the API server.
    patched: bool,
    deleted: bool,
    /// It is between a successful get and the end of its delete.
    acting: bool,
    /// A cancel returned true for it.
    cancelled: bool,
    /// It was armed still after a cancel.
    armed_after_cancel: bool,
    /// Its entry was replaced or removed between the timer and its first step.
    superseded: bool,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
enum TimerRecord {
    Armed,
    Fired,
}

impl Record {
    /// Work is created, with a timer or without.
    pub fn new_work(&mut self, name: PodName, uid: Uid, timer: bool) -> WorkId {
        self.works += 1;
        let id = WorkId(self.works);
        let record = WorkRecord {
            name,
            uid,
            timer: timer.then_some(TimerRecord::Armed),
            began: false,
            patched: false,
            deleted: false,
            acting: false,
            cancelled: false,
            armed_after_cancel: false,
            superseded: false,
        };
        self.work.insert(id, record);
        id
    }

    /// What is remembered of work that has not ended.
    pub fn of(&self, id: WorkId) -> WorkRecord {
        self.work[&id]
    }

    /// Its timer fires.
    pub fn fired(&mut self, id: WorkId) {
        self.with(id, |work| work.timer = Some(TimerRecord::Fired));
    }

    /// It takes its first step.
    pub fn began(&mut self, id: WorkId) {
        self.with(id, |work| work.began = true);
    }

    /// Its entry is replaced or removed.
    pub fn lost_entry(&mut self, id: WorkId) {
        self.with(id, |work| {
            work.superseded |= work.timer == Some(TimerRecord::Fired) && !work.began;
        });
    }

    /// It will not run, or has ended.
    pub fn ended(&mut self, id: WorkId) {
        self.work.remove(&id);
    }

    /// It will make no further call.
    pub fn stops_acting(&mut self, id: WorkId) {
        self.with(id, |work| work.acting = false);
    }

    /// A cancel has completed, for the entry of `owner` if there was one.
    pub fn cancelled(&mut self, name: PodName, owner: Option<WorkId>, result: bool) {
        if let Some(owner) = owner.filter(|_| result) {
            self.with(owner, |work| work.cancelled = true);
        }
        let armed = |work: &&mut WorkRecord| work.name == name && work.timer == Some(TimerRecord::Armed);
        self.work.values_mut().filter(armed).for_each(|work| work.armed_after_cancel = true);
    }

    /// An update has begun.
    pub fn decided(&mut self, name: PodName, uid: Uid, fire_at: u64) {
        self.decisions.insert(name, (uid, fire_at));
    }

    /// A cancel has begun, or the pod was replaced.
    pub fn undecided(&mut self, name: PodName) {
        self.decisions.remove(&name);
    }

    /// An operation of more than one step begins.
    pub fn begin_long(&mut self) {
        self.half_done += 1;
    }

    /// It ends.
    pub fn end_long(&mut self) {
        self.half_done -= 1;
    }

    /// The tester's verdict.
    pub fn judged(&mut self, passed: bool) {
        self.verdict = Some(passed);
    }

    /// An oracle was violated.
    pub fn note(&mut self, oracle: &str) {
        self.broken |= matches!(oracle, "O3" | "O4" | "O10");
    }

    fn with(&mut self, id: WorkId, change: impl FnOnce(&mut WorkRecord)) {
        if let Some(work) = self.work.get_mut(&id) {
            change(work);
        }
    }
}

/// A worker's get was successful: it acts.
pub(crate) fn check_act(step: &mut Step<'_, '_>, id: WorkId) {
    let record = step.record();
    let me = record.of(id);
    let another = record.work.iter().any(|(other, work)| *other != id && work.uid == me.uid && work.acting);
    record.with(id, |work| work.acting = true);
    if another {
        step.violated("O2", "a worker acts on a pod while another one does");
    }
    if me.cancelled {
        step.violated("O5", "a worker acts although the cancel of its work returned true");
    }
    if me.armed_after_cancel {
        step.violated("O6", "a worker acts whose timer was still armed after a cancel");
    }
    if me.superseded {
        step.violated("O8", "a worker acts whose entry was gone before its first step");
    }
}

/// A worker calls patch, whatever comes of it.
pub(crate) fn check_patch(step: &mut Step<'_, '_>, id: WorkId) {
    let record = step.record();
    let me = record.of(id);
    record.with(id, |work| work.patched = true);
    // A worker's own repetitions do not count.
    if !me.patched && another(record.patched.entry(me.uid).or_default()) {
        step.violated("O3", "a second worker patches or deletes a pod");
    }
}

/// A worker calls delete, whatever comes of it.
pub(crate) fn check_delete(step: &mut Step<'_, '_>, id: WorkId, deleted: bool) {
    let record = step.record();
    let me = record.of(id);
    record.stops_acting(id);
    record.with(id, |work| work.deleted = true);
    if !me.deleted && another(record.deleted.entry(me.uid).or_default()) {
        step.violated("O3", "a second worker patches or deletes a pod");
    }
    if deleted && me.cancelled {
        step.violated("O5", "a worker acts although the cancel of its work returned true");
    }
}

/// Counts one, two, and no further; true from the second.
fn another(callers: &mut u8) -> bool {
    *callers = (*callers + 1).min(2);
    *callers == 2
}

/// Time moves on.
pub(crate) fn check_advance(step: &mut Step<'_, '_>) {
    let now = step.look(|at| at.time).now;
    let record = step.look(|at| at.record);
    if record.half_done > 0 {
        return;
    }
    let pods = &step.look(|at| at.api).pods;
    let exists =
        |(name, (uid, _)): (&PodName, &(Uid, u64))| pods.get(name).is_some_and(|pod| pod.uid == *uid);
    if record.decisions.iter().filter(|(_, (_, fire_at))| *fire_at <= now).any(exists) {
        step.violated("O9", "time moves on while a pod exists that was to be evicted by now");
    }
}

/// When nothing more can happen.
pub(crate) fn check_at_rest(world: World, controller: bool) {
    if blocked_tasks().iter().any(|task| task.reason == MUTEX) {
        violated("O13", "a goroutine waits for ever for a lock");
        return;
    }
    if !world.at.queue.peek(|queue| queue.is_empty()) {
        violated("O11", "an entry is left in the queue");
    }
    let left = world.at.api.peek(|api| api.pods.clone());
    let decided = |name: &PodName, uid: Uid| {
        world.at.record.peek(|record| record.decisions.get(name).is_some_and(|(decided, _)| *decided == uid))
    };
    // In the controller's classes every pod must be evicted.
    if left.iter().any(|(name, pod)| controller || decided(name, pod.uid)) {
        world.amend(world.at.record, |record| record.note("O10"));
        violated("O10", "a pod that was to be evicted still exists");
    }
    let (broken, verdict) = world.at.record.peek(|record| (record.broken, record.verdict));
    match verdict {
        Some(false) if !broken => violated("O12a", "the test failed, and nothing was wrong"),
        Some(true) if broken => violated("O12b", "the test passed, and something was wrong"),
        _ => {}
    }
}
