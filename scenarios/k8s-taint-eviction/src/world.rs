//! The shared world: objects, the locks that protect them, and the steps that actors take in it.
//!
//! Every step is one operation, and one critical section of every lock that it needs; the interleaving
//! points are the ends of steps. Each object says what its value is, so that a search visits a state
//! once, by whatever way it was reached.

use crate::oracles::Record;
use crate::queue::Form;
use crate::workload::{PodName, Write};
use bohr_go::Nilable;
use bohr_kernel::{Access, Clock, Cx, Guard, MultiOp, Obj, Objects, Shadow, digest, knows, spawn};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

/// Work, and the goroutine that does it. Tests and oracles know it by its number; so does the code of
/// the forms that give tokens.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkId(pub u8);

/// A pod's uid.
pub type Uid = u8;

/// A pod.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pod {
    /// Its name.
    pub name: PodName,
    /// Its uid.
    pub uid: Uid,
    /// True if it is scheduled.
    pub node: bool,
}

/// A resource claim.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Claim {
    /// True if devices were allocated to it.
    pub allocated: bool,
    /// The pods that it is for.
    pub consumers: Vec<(PodName, Uid)>,
}

/// A resource slice: devices, in a generation of their pool. Only the highest generation counts.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slice {
    /// True if its devices carry the taint.
    pub tainted: bool,
}

/// What an informer is for.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Pods.
    Pods,
    /// Claims.
    Claims,
    /// Slices.
    Slices,
}

/// A notification of the API server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// A pod as it is now, or that it is gone.
    Pod(PodName, Option<Pod>),
    /// The claim.
    Claim(Option<Claim>),
    /// A slice, by its generation.
    Slice(u8, Option<Slice>),
}

/// What an informer tells a handler.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Notice {
    /// A pod before and now.
    Pod(Option<Pod>, Option<Pod>),
    /// The claim before and now.
    Claim(Option<Claim>, Option<Claim>),
    /// A slice now, by its generation.
    Slice(u8, Option<Slice>),
}

/// The API server's objects, the events, and the controller's metric. One object, since the tester's
/// waits look at all of them at once.
#[derive(Debug, Default, Hash)]
pub struct Api {
    /// The lock around each call; patch and delete hold it over a step's end.
    pub locked: bool,
    /// The pods.
    pub pods: BTreeMap<PodName, Pod>,
    /// The newest uid given to a pod.
    pub newest: Uid,
    /// The events, and how often each was created.
    pub events: BTreeMap<Event, u8>,
    /// The number of deleted pods that the controller counted.
    pub metric: u8,
    /// How many delete calls are still to fail.
    pub failures: u8,
}

/// An event about a pod.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// "Marking for deletion".
    Marking(Uid),
    /// "Cancelling deletion", and which work was cancelled.
    Cancelling(Uid, WorkId),
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Marking(uid) => write!(f, "\"Marking for deletion\" of uid {uid}"),
            Event::Cancelling(uid, _) => write!(f, "\"Cancelling deletion\" of uid {uid}"),
        }
    }
}

/// The notifications that an informer has still to take, and its cache. The pods' cache is an object of
/// its own.
#[derive(Debug, Default, Hash)]
pub struct Watch {
    /// Notifications.
    pub changes: VecDeque<Change>,
    /// How many of them are of objects that existed before the start.
    pub initial: u8,
    claim: Option<Claim>,
}

/// The controller, under its mutex, and what its handlers have still to take.
#[derive(Debug, Default, Hash)]
pub struct Controller {
    /// The mutex is held over a step's end.
    pub held: bool,
    /// A handler waits for the queue's lock, which nobody will release.
    pub stuck: bool,
    /// What the handlers have still to take, and which of it is of objects from before the start.
    pub inboxes: [VecDeque<(Notice, bool)>; 3],
    /// How many objects from before the start have not been handled yet.
    pub awaited: [u8; 3],
    /// The recorded claim, and its eviction flag.
    pub claim: Option<(Claim, bool)>,
    /// The known slices, by generation.
    pub slices: BTreeMap<u8, Slice>,
    /// The pods that were handled; only one wrong form looks at them.
    pub handled: BTreeMap<PodName, Pod>,
}

impl Controller {
    /// True if a slice of the highest generation carries the taint.
    pub fn tainted(&self) -> bool {
        self.slices.last_key_value().is_some_and(|(_, slice)| slice.tainted)
    }
}

/// The queue's map, under its lock.
#[derive(Debug, Default, Hash)]
pub struct Queue {
    /// The lock was left locked.
    pub held: bool,
    entries: BTreeMap<Key, Entry>,
}

impl Queue {
    /// True if there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// The queue's key: a pod's name, without its uid. (One control's has it, the others' is 0.)
pub type Key = (PodName, Uid);

/// An entry of the queue's map.
#[derive(Copy, Clone, Debug)]
pub struct Entry {
    /// Whose entry it is: also of a nil one, where only the oracles look.
    pub owner: WorkId,
    /// What upstream's map holds: nil says that the work is in progress.
    pub worker: Nilable<Worker>,
}

/// What an entry points to.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Worker {
    /// The pod's uid.
    pub uid: Uid,
    /// When to start.
    pub fire_at: u64,
    /// What there is to stop.
    pub timer: Timer,
}

/// A worker's timer, as its entry knows it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// There is one, and it was armed.
    Armed,
    /// The work was started, or began.
    Running,
    /// There is none.
    Nil,
}

impl Hash for Entry {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.owner.hash(state);
        let worker = (!self.worker.is_nil()).then(|| *self.worker.get());
        worker.hash(state);
    }
}

/// What an update is about.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Work {
    /// The key.
    pub key: Key,
    /// The pod's uid.
    pub uid: Uid,
    /// The time that the caller read before.
    pub now: u64,
    /// When to start.
    pub fire_at: u64,
}

/// Timers, and what holds the clock back.
#[derive(Debug, Default, Hash)]
pub struct Time {
    /// Now.
    pub now: u64,
    /// The timers of work that has not ended. One that was stopped in time is not there any more.
    pub timers: BTreeMap<WorkId, (u64, TimerState)>,
    /// Started workers that have not ended.
    pub working: u8,
    /// Events in the recorder's buffer.
    pub buffered: u8,
    /// Work whose goroutine is to find that it was cancelled; only one wrong form sets that.
    pub cancelled: BTreeSet<WorkId>,
}

/// What has become of a timer.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum TimerState {
    /// It will fire.
    Armed,
    /// It has fired: its goroutine is there and goes on, whoever stops it.
    Fired,
}

impl Time {
    /// The armed timers whose time has come.
    pub fn due(&self) -> impl Iterator<Item = WorkId> + '_ {
        let due =
            self.timers.iter().filter(|(_, (at, state))| *state == TimerState::Armed && *at <= self.now);
        due.map(|(work, _)| *work)
    }

    /// When the next timer fires, if time may move there.
    pub fn next(&self) -> Option<u64> {
        let held_back = self.working > 0 || self.buffered > 0 || self.due().next().is_some();
        let armed = self.timers.values().filter(|(_, state)| *state == TimerState::Armed);
        armed.map(|(at, _)| *at).min().filter(|_| !held_back)
    }
}

/// The event recorder's buffer.
#[derive(Debug, Default, Hash)]
pub struct Recorder {
    /// Emitted and not yet created.
    pub buffer: VecDeque<Event>,
    /// Follows the API server's lock: an event is created only when it is free.
    pub api_locked: bool,
}

/// What the test counts in its hook into the API server, under its own mutex.
#[derive(Debug, Default, Hash)]
pub struct Counters {
    /// Patch calls.
    pub patches: u8,
    /// Delete calls.
    pub deletes: u8,
}

/// An object of the world.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// [`Api`].
    Api,
    /// The [`Watch`] of pods.
    PodWatch,
    /// The one of claims.
    ClaimWatch,
    /// The one of slices.
    SliceWatch,
    /// The pod informer's cache.
    Cache,
    /// [`Controller`].
    Controller,
    /// [`Queue`].
    Queue,
    /// [`Time`].
    Time,
    /// [`Recorder`].
    Recorder,
    /// [`Counters`].
    Counters,
    /// What the oracles remember.
    Record,
}

impl Place {
    const ALL: [Place; 11] = [
        Place::Api,
        Place::PodWatch,
        Place::ClaimWatch,
        Place::SliceWatch,
        Place::Cache,
        Place::Controller,
        Place::Queue,
        Place::Time,
        Place::Recorder,
        Place::Counters,
        Place::Record,
    ];

    fn bit(self) -> u16 {
        1 << self as u16
    }
}

impl Kind {
    /// All.
    pub const ALL: [Kind; 3] = [Kind::Pods, Kind::Claims, Kind::Slices];

    /// Its notifications.
    pub fn watch(self) -> Place {
        match self {
            Kind::Pods => Place::PodWatch,
            Kind::Claims => Place::ClaimWatch,
            Kind::Slices => Place::SliceWatch,
        }
    }

    /// What is written.
    pub fn of(write: Write) -> Self {
        match write {
            Write::Pod(..) => Kind::Pods,
            Write::Claim(_) | Write::RemoveClaim => Kind::Claims,
            Write::Slice(_) | Write::Newer(_) => Kind::Slices,
        }
    }
}

/// A value and what protects it.
pub struct Cell<T> {
    value: T,
    digest: u64,
    /// For what a mutex or a lock of Go's protects: the edges through it, and the race detector's memory.
    lock: Option<(Clock, Shadow)>,
    name: &'static str,
}

impl<T> Deref for Cell<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// All objects.
#[derive(Copy, Clone)]
pub struct Places {
    /// See [`Place::Api`].
    pub api: Obj<Cell<Api>>,
    /// See [`Place::PodWatch`] and so on.
    pub watches: [Obj<Cell<Watch>>; 3],
    /// See [`Place::Cache`].
    pub cache: Obj<Cell<BTreeMap<PodName, Pod>>>,
    /// See [`Place::Controller`].
    pub controller: Obj<Cell<Controller>>,
    /// See [`Place::Queue`].
    pub queue: Obj<Cell<Queue>>,
    /// See [`Place::Time`].
    pub time: Obj<Cell<Time>>,
    /// See [`Place::Recorder`].
    pub recorder: Obj<Cell<Recorder>>,
    /// See [`Place::Counters`].
    pub counters: Obj<Cell<Counters>>,
    /// See [`Place::Record`].
    pub record: Obj<Cell<Record>>,
}

impl Places {
    fn new() -> Self {
        fn cell<T: Default + Hash + Send + 'static>(
            kind: &'static str,
            name: &'static str,
            locked: bool,
        ) -> Obj<Cell<T>> {
            let value = T::default();
            let lock = locked.then(|| (Clock::new(), Shadow::default()));
            let digest = digest(&value);
            Obj::create(kind, name, Cell { value, digest, lock, name })
        }
        Places {
            api: cell("api", "API server", true),
            watches: [
                cell("watch", "pod watch", false),
                cell("watch", "claim watch", false),
                cell("watch", "slice watch", false),
            ],
            cache: cell("cache", "pod cache", true),
            controller: cell("controller", "controller", true),
            queue: cell("queue", "TimedWorkerQueue", true),
            time: cell("time", "timers", false),
            recorder: cell("chan", "event recorder", false),
            counters: cell("counters", "call counters", true),
            record: cell("ghost", "what the oracles remember", false),
        }
    }
}

/// The world, as each task knows it.
#[derive(Copy, Clone)]
pub struct World {
    /// The objects.
    pub at: Places,
    /// True if there are informers to notify.
    pub watched: bool,
    /// The code under test.
    pub form: Form,
    work: fn(World, WorkId),
}

impl World {
    /// A world in which started work is done by `work`.
    pub fn new(form: Form, watched: bool, work: fn(World, WorkId)) -> Self {
        World { at: Places::new(), watched, form, work }
    }

    /// A step, to be put together.
    #[track_caller]
    pub fn step(&self, label: &'static str) -> Doing {
        Doing { op: MultiOp::new(label), world: *self, writes: 0 }
    }

    /// Changes the world before anybody moves, or what only oracles look at.
    pub fn amend<T: Hash + Send + 'static>(&self, place: Obj<Cell<T>>, change: impl FnOnce(&mut T)) {
        place.poke(|cell| {
            change(&mut cell.value);
            cell.digest = digest(&cell.value);
        });
    }
}

/// Says that all that a task knows is where it is.
pub fn at(place: impl Hash) {
    knows(|| digest(&place));
}

/// What blocked goroutines show that wait for a lock.
pub const MUTEX: &str = "sync.Mutex.Lock";

/// A step that is being put together.
#[must_use = "a step does nothing until it is run"]
pub struct Doing {
    op: MultiOp,
    world: World,
    writes: u16,
}

impl Doing {
    /// May change this.
    pub fn write(self, place: Place) -> Self {
        let writes = self.writes | place.bit();
        Doing { writes, ..self.touch(place, Access::Write) }
    }

    /// Looks at this.
    pub fn read(self, place: Place) -> Self {
        self.touch(place, Access::Read)
    }

    fn touch(self, place: Place, access: Access) -> Self {
        let Doing { op, world, writes } = self;
        let at = &world.at;
        let op = match place {
            Place::Api => op.touch(at.api, access),
            Place::PodWatch => op.touch(at.watches[0], access),
            Place::ClaimWatch => op.touch(at.watches[1], access),
            Place::SliceWatch => op.touch(at.watches[2], access),
            Place::Cache => op.touch(at.cache, access),
            Place::Controller => op.touch(at.controller, access),
            Place::Queue => op.touch(at.queue, access),
            Place::Time => op.touch(at.time, access),
            Place::Recorder => op.touch(at.recorder, access),
            Place::Counters => op.touch(at.counters, access),
            Place::Record => op.touch(at.record, access),
        };
        Doing { op, world, writes }
    }

    /// May happen when `guard` holds.
    pub fn when<T: Send + 'static>(self, place: Obj<Cell<T>>, guard: Guard<Cell<T>>, arg: u64) -> Self {
        Doing { op: self.op.when(place, guard, arg), ..self }
    }

    /// What a goroutine that waits here shows.
    pub fn reason(self, reason: &'static str) -> Self {
        Doing { op: self.op.reason(reason), ..self }
    }

    /// May happen when the API server's lock is free.
    pub fn when_api_is_free(self) -> Self {
        let api = self.world.at.api;
        self.when(api, |api, _| !api.locked, 0).reason(MUTEX)
    }

    /// May happen when the queue's lock is free.
    pub fn when_queue_is_free(self) -> Self {
        let queue = self.world.at.queue;
        self.when(queue, |queue, _| !queue.held, 0).reason(MUTEX)
    }

    /// May happen in any case when nothing else can, at the `nth` such time.
    pub fn or_at_rest(self, nth: u64) -> Self {
        Doing { op: self.op.until(nth * 1_000_000_000), ..self }
    }

    /// Takes the step.
    pub fn run<R>(self, action: impl FnOnce(&mut Step<'_, '_>) -> R) -> R {
        self.run_choosing(|_| 1, |step, _| action(step))
    }

    /// Takes the step, with a choice in it among as many as `alternatives` says of the timers.
    pub fn run_choosing<R>(
        self,
        alternatives: impl FnOnce(&Time) -> usize,
        action: impl FnOnce(&mut Step<'_, '_>, usize) -> R,
    ) -> R {
        let Doing { op, world, writes } = self;
        let count = |objects: &Objects, _: u64| alternatives(&objects.get(world.at.time).value) as u32;
        let (result, started) = op.run_choosing(count, |objects, cx, chosen| {
            let mut step =
                Step { objects, cx, at: world.at, form: world.form, writes, opened: 0, started: Vec::new() };
            let result = action(&mut step, chosen as usize);
            step.close();
            (result, step.started)
        });
        for work in started {
            at(("starts", work));
            spawn(format!("worker {}", work.0), move || (world.work)(world, work));
        }
        result
    }
}

/// A step that is being taken.
pub struct Step<'s, 'k> {
    objects: &'s mut Objects,
    cx: &'s mut Cx<'k>,
    at: Places,
    /// The code under test.
    pub(crate) form: Form,
    writes: u16,
    /// What was opened for writing.
    opened: u16,
    started: Vec<WorkId>,
}

macro_rules! accessors {
    ($($name:ident, $place:ident, $value:ty;)*) => {$(
        /// To look and change.
        pub fn $name(&mut self) -> &mut $value {
            self.open(self.at.$name, Place::$place)
        }
    )*};
}

impl Step<'_, '_> {
    accessors! {
        api, Api, Api;
        cache, Cache, BTreeMap<PodName, Pod>;
        controller, Controller, Controller;
        queue, Queue, Queue;
        time, Time, Time;
        recorder, Recorder, Recorder;
        counters, Counters, Counters;
        record, Record, Record;
    }

    /// To look and change.
    pub fn watch(&mut self, kind: Kind) -> &mut Watch {
        self.open(self.at.watches[kind as usize], kind.watch())
    }

    /// To look.
    pub fn look<T: Send + 'static>(&self, place: impl Fn(&Places) -> Obj<Cell<T>>) -> &T {
        &self.objects.get(place(&self.at)).value
    }

    fn open<T: Send + 'static>(&mut self, place: Obj<Cell<T>>, which: Place) -> &mut T {
        let bit = which.bit();
        debug_assert!(self.writes & bit != 0, "the step did not say that it changes {which:?}");
        let cell = self.objects.get_mut(place);
        if self.opened & bit == 0 {
            self.opened |= bit;
            if let Some((clock, shadow)) = &mut cell.lock {
                self.cx.acquire(clock);
                self.cx.plain_write(shadow, cell.name);
            }
        }
        &mut cell.value
    }

    /// Says what the values are that the step may have changed, and releases the locks it took.
    fn close(&mut self) {
        fn seal<T: Hash + Send + 'static>(step: &mut Step<'_, '_>, place: Obj<Cell<T>>, opened: bool) {
            let cell = step.objects.get_mut(place);
            if opened {
                if step.cx.identifies() {
                    cell.digest = digest(&cell.value);
                }
                if let Some((clock, _)) = &mut cell.lock {
                    step.cx.release(clock);
                }
            }
            step.cx.identify(step.objects, place, |objects| objects.get(place).digest);
        }
        let at = self.at;
        for place in Place::ALL {
            if self.writes & place.bit() == 0 {
                continue;
            }
            let opened = self.opened & place.bit() != 0;
            match place {
                Place::Api => seal(self, at.api, opened),
                Place::PodWatch => seal(self, at.watches[0], opened),
                Place::ClaimWatch => seal(self, at.watches[1], opened),
                Place::SliceWatch => seal(self, at.watches[2], opened),
                Place::Cache => seal(self, at.cache, opened),
                Place::Controller => seal(self, at.controller, opened),
                Place::Queue => seal(self, at.queue, opened),
                Place::Time => seal(self, at.time, opened),
                Place::Recorder => seal(self, at.recorder, opened),
                Place::Counters => seal(self, at.counters, opened),
                Place::Record => seal(self, at.record, opened),
            }
        }
    }

    /// Says for the trace what happened.
    pub fn note<T: Into<String>>(&mut self, note: impl FnOnce() -> T) {
        self.cx.note(note);
    }

    /// An oracle is violated by this step.
    pub fn violated(&mut self, oracle: &'static str, text: impl Into<String>) {
        self.record().note(oracle);
        self.cx.violated(oracle, text);
    }

    // ---- what the queue's forms are made of ----

    /// The entry under a key.
    pub fn entry(&mut self, key: Key) -> Option<Entry> {
        self.queue().entries.get(&key).copied()
    }

    /// Puts an entry under a key; one that is there is overwritten.
    pub fn store(&mut self, key: Key, entry: Entry) {
        self.note(|| format!("entry: {entry}"));
        let old = self.queue().entries.insert(key, entry);
        if let Some(old) = old.filter(|old| old.owner != entry.owner) {
            self.record().lost_entry(old.owner);
        }
    }

    /// Removes the entry under a key.
    pub fn remove(&mut self, key: Key) {
        let old = self.queue().entries.remove(&key);
        if let Some(old) = old {
            self.note(|| "entry removed");
            self.record().lost_entry(old.owner);
        }
    }

    /// Removes the entry under a key because `work` has ended.
    pub fn remove_finished(&mut self, key: Key, work: WorkId) {
        let owner = self.entry(key).map(|entry| entry.owner);
        self.remove(key);
        if owner.is_some_and(|owner| owner != work) {
            self.violated("O7", "a worker that ends removes an entry that is not its own");
        }
    }

    /// Starts work at once: `go`.
    pub fn start(&mut self, work: &Work) -> WorkId {
        let id = self.record().new_work(work.key.0, work.uid, false);
        self.run_work(id);
        id
    }

    /// Arms a timer that starts work: `time.AfterFunc`.
    pub fn arm(&mut self, work: &Work) -> WorkId {
        let id = self.record().new_work(work.key.0, work.uid, true);
        self.time().timers.insert(id, (work.fire_at, TimerState::Armed));
        self.note(|| format!("timer {} armed for {}", id.0, work.fire_at));
        id
    }

    /// Starts work if its time has come, arms a timer otherwise. Gives the entry: nil if the work was
    /// started.
    pub fn create_worker(&mut self, work: &Work) -> Entry {
        if work.fire_at <= work.now {
            Entry { owner: self.start(work), worker: Nilable::nil() }
        } else {
            Entry::new(self.arm(work), work, Timer::Armed)
        }
    }

    /// Stops a timer. If it has fired, that changes nothing: its goroutine goes on.
    pub fn stop(&mut self, id: WorkId) {
        if matches!(self.time().timers.get(&id), Some((_, TimerState::Armed))) {
            self.time().timers.remove(&id);
            self.note(|| format!("timer {} stopped", id.0));
            self.record().ended(id);
        } else {
            self.note(|| format!("timer {} cannot be stopped any more", id.0));
        }
    }

    /// Sets another time for a timer that is still armed.
    pub fn rearm(&mut self, id: WorkId, fire_at: u64) {
        if let Some((at, TimerState::Armed)) = self.time().timers.get_mut(&id) {
            *at = fire_at;
        }
    }

    /// Starts the goroutine of work, as one more that the clock waits for.
    pub fn run_work(&mut self, id: WorkId) {
        self.time().working += 1;
        self.note(|| format!("worker {} started", id.0));
        self.started.push(id);
    }

    /// The goroutine of work ends, or goes on to other work.
    pub fn end_work(&mut self, id: WorkId) {
        let time = self.time();
        time.working -= 1;
        time.timers.remove(&id);
        time.cancelled.remove(&id);
        self.record().ended(id);
    }

    /// Does work that a timer is due for, in the calling goroutine.
    pub fn take_work(&mut self, id: WorkId) {
        self.fire(id);
        self.time().working += 1;
    }

    /// A timer fires.
    pub fn fire(&mut self, id: WorkId) {
        let timer = self.time().timers.get_mut(&id).expect("an armed timer is known");
        timer.1 = TimerState::Fired;
        self.record().fired(id);
    }

    /// Emits an event: it is put into the recorder's buffer.
    pub fn emit(&mut self, event: Event) {
        self.note(|| format!("event {event} emitted"));
        self.recorder().buffer.push_back(event);
        self.time().buffered += 1;
    }

    /// Leaves the queue's lock locked.
    pub fn leave_queue_locked(&mut self) {
        self.note(|| "the queue's lock is left locked");
        self.queue().held = true;
    }
}

impl Entry {
    /// An entry that points to a worker.
    pub fn new(owner: WorkId, work: &Work, timer: Timer) -> Self {
        let worker = Worker { uid: work.uid, fire_at: work.fire_at, timer };
        Entry { owner, worker: Nilable::new(worker) }
    }

    /// The same with another timer.
    pub fn with(self, timer: Timer) -> Self {
        Entry { worker: Nilable::new(Worker { timer, ..*self.worker.get() }), ..self }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.worker.is_nil() {
            return write!(f, "nil (worker {})", self.owner.0);
        }
        let Worker { uid, fire_at, timer } = self.worker.get();
        write!(f, "uid {uid}, fireAt {fire_at}, {timer:?} (worker {})", self.owner.0)
    }
}

impl Watch {
    /// Takes a notification, and whether it is of an object from before the start.
    pub fn take(&mut self) -> (Change, bool) {
        let change = self.changes.pop_front().expect("there is a notification");
        let initial = self.initial > 0;
        self.initial -= u8::from(initial);
        (change, initial)
    }

    /// Updates the claims' cache; gives what was there.
    pub fn replace_claim(&mut self, new: Option<Claim>) -> Option<Claim> {
        std::mem::replace(&mut self.claim, new)
    }
}
