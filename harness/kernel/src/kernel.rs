//! The state of one run, and the rules by which it moves. It knows no engine: an engine asks
//! [`Kernel::next_task`] what may happen and says with [`Kernel::choose_task`] what does.

use crate::kept::Kept;
use crate::object::{Birth, Objects};
use crate::race::Shadow;
use crate::schedule::place_of;
use crate::{
    Access, BlockedTask, Clock, Decision, Detail, Event, Finding, Footprint, Kind, Name, Obj, ObjectId,
    ObjectInfo, Point, RaceAccess, Site, Step, TaskId, TaskInfo, Trace, Undone,
};
use smallvec::SmallVec;
use std::mem::take;
use std::panic::Location;

/// How a run is carried out.
#[derive(Copy, Clone, Debug)]
pub struct RunConfig {
    /// Record the trace. Costs time and memory; exploring runs without, and the one failing run is
    /// run again with it.
    pub record: bool,
    /// Go on after a finding that does not end the modelled process (an oracle's violation, a data
    /// race), so that a run can show several.
    pub keep_going: bool,
    /// The largest number of steps; going over it is a finding.
    pub max_steps: u32,
    /// Keep what identifies states ([`Kernel::state_hash`]) and traces ([`Outcome::trace_hash`]).
    pub identify: bool,
    /// Let a scheduling choice move virtual time, instead of moving it only when nothing else can
    /// happen.
    pub eager_time: bool,
    /// Keep a [log](Kernel::log), for strategies that must know of every step.
    pub log: bool,
}

impl RunConfig {
    /// True if more is kept of an operation than its effect, so that each must be published and noted.
    fn notes_steps(&self) -> bool {
        self.record || self.identify || self.log
    }
}

impl Default for RunConfig {
    fn default() -> Self {
        RunConfig {
            record: false,
            keep_going: false,
            max_steps: 20_000,
            identify: false,
            eager_time: false,
            log: false,
        }
    }
}

/// What a blocked task means once nothing more can happen.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Blocked {
    /// What Go does: if the main task is blocked it is a deadlock; other tasks may be left behind
    /// when main has ended, since the process ends with main.
    Go,
    /// As `Go`, and a task left behind is a leak.
    GoNoLeaks,
    /// Nothing by itself: the scenario's own oracles judge it at rest.
    Allowed,
}

/// What an engine must do next.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Run this task; there is no choice.
    Forced(TaskId),
    /// More than one task can go on: see [`Kernel::point`].
    Choice,
    /// Every task has finished.
    Over,
}

/// How a run ended.
#[derive(Clone, Debug)]
#[must_use]
pub struct Outcome {
    /// Every finding, in the order in which they showed.
    pub findings: Vec<Finding>,
    /// Every choice.
    pub decisions: Vec<Decision>,
    /// The number of operations that ran, those at rest not counted.
    pub steps: u32,
    /// How often a task was switched away from although it could have gone on.
    pub preemptions: u32,
    /// On OS threads, where no engine decides: who ran each operation, or drew which value.
    pub free_order: Vec<(TaskId, Option<u32>)>,
    /// What the program [observed](crate::observe), for tests that enumerate outcomes.
    pub observed: Vec<String>,
    /// True if the strategy gave the run up before its end, so that it says nothing.
    pub abandoned: bool,
    /// Identifies the Mazurkiewicz trace: equal for runs that differ only in the order of operations
    /// that do not conflict. Only if the run was to [identify](RunConfig::identify) itself.
    pub trace_hash: u64,
    /// The trace, if it was recorded.
    pub trace: Option<Trace>,
    /// The log, if it was kept.
    pub log: Vec<Event>,
}

/// An operation that a task is about to do.
#[derive(Clone, Debug)]
pub struct Published {
    /// What it is called.
    pub label: &'static str,
    /// What it touches, and how.
    pub objects: Footprint,
    /// Whose end it waits for.
    pub joins: Option<TaskId>,
    /// Where it stands in the source.
    pub site: &'static Location<'static>,
    pub(crate) reason: Option<&'static str>,
    /// How many guards it waits with; none if it may run at once.
    pub(crate) guards: u32,
}

impl Published {
    /// True if the order of the two operations can matter.
    pub fn conflicts(&self, other: &Published) -> bool {
        let mut pairs = self.objects.iter().flat_map(|a| other.objects.iter().map(move |b| (a, b)));
        pairs.any(|(a, b)| a.0 == b.0 && a.1.conflicts(b.1))
    }
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// Spawned, has not published anything yet.
    Unborn,
    /// Has control.
    Running,
    /// Has published an operation.
    Ready,
    /// Will not run again; returns once the run is over.
    Killed,
    Finished,
}

type Origin = (TaskId, &'static Location<'static>);

struct Task {
    name: Name,
    /// Who made it, and where.
    origin: Option<Origin>,
    phase: Phase,
    /// What it is about to do while it is ready, afterwards what it did last.
    published: Option<Published>,
    /// Whether what it has published may run; right unless the guards are stale.
    enabled: bool,
    /// How many guards of its stand beside objects.
    waits: u32,
    clock: Clock,
    /// Never counts as blocked.
    daemon: bool,
    /// Identifies what the task has seen so far, see `Kernel::absorb`.
    history: u64,
    /// Identifies the task's own state: as `history` does, or by what its actions and the task
    /// itself [say](crate::knows) of it.
    state: u64,
    /// `state` before the operation that runs.
    state_before: u64,
    /// `state` at birth, which tells tasks apart.
    born: u64,
    /// The number of steps before its birth.
    born_at: u32,
    /// How many objects and tasks it has made.
    made: u64,
}

impl Task {
    #[cold]
    fn blank() -> Self {
        Task {
            name: "".into(),
            origin: None,
            phase: Phase::Unborn,
            published: None,
            enabled: false,
            waits: 0,
            clock: Clock::new(),
            daemon: false,
            history: 0,
            state: 0,
            state_before: 0,
            born: 0,
            born_at: 0,
            made: 0,
        }
    }

    fn created(&self) -> Option<Site> {
        self.origin.map(|(_, at)| Site::of(at))
    }
}

/// The state of the object `time`.
pub(crate) struct VirtualTime {
    pub(crate) now: u64,
    /// Where somebody waits for time to get to.
    pub(crate) deadlines: Vec<u64>,
}

impl VirtualTime {
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        self.deadlines.iter().copied().filter(|at| *at > self.now).min()
    }

    /// Moves to the next deadline; false if there is none.
    pub(crate) fn advance(&mut self) -> bool {
        let Some(at) = self.next_deadline() else { return false };
        self.now = at;
        self.deadlines.retain(|d| *d > at);
        true
    }
}

/// The state of the object `ends`: which tasks have returned. What they knew then is still with them.
pub(crate) type Ends = SmallVec<[bool; 16]>;

/// A check that runs at rest.
pub(crate) type Check = Box<dyn FnOnce() + Send>;

/// Gives the id of the oracle that a finding speaks for.
pub type Classify = fn(&Finding) -> Option<&'static str>;

/// The state of one run.
pub struct Kernel {
    pub(crate) objects: Objects,
    pub(crate) core: Core,
}

/// All of a run but its objects, so that an action can hold both.
pub(crate) struct Core {
    config: RunConfig,
    tasks: Kept<Task>,
    pub(crate) current: TaskId,
    last: TaskId,
    /// The ready tasks that may go on, by id; right unless the guards are stale. A task that has control stays in
    /// it, since it mostly may go on again.
    enabled: Vec<TaskId>,
    decisions: Vec<Decision>,
    findings: Vec<Finding>,
    pub(crate) observed: Vec<String>,
    steps: u32,
    preemptions: u32,
    pub(crate) stopping: bool,
    abandoned: bool,
    pub(crate) at_rest: bool,
    blocked_rule: Blocked,
    trace: Vec<Step>,
    undone: Vec<Undone>,
    log: Vec<Event>,
    classify: Classify,
    pub(crate) checks: Vec<Check>,
    left_blocked: Vec<BlockedTask>,
    /// Nobody schedules: tasks are OS threads.
    pub(crate) free: bool,
    /// The order in which operations ran and values were drawn, where no engine decided it.
    free_order: Vec<(TaskId, Option<u32>)>,
    pub(crate) time: Obj<VirtualTime>,
    pub(crate) ends: Obj<Ends>,
    pub(crate) lane: Obj<()>,
    preempts: bool,
    /// The number of tasks that have not published anything yet.
    unborn: u32,
    /// The enabled tasks are collected and wait for a choice.
    choice_due: bool,
    now: u64,
    final_steps: u32,
}

impl Kernel {
    /// A run that has not begun: task 0 is about to run the program's body.
    pub fn new(config: RunConfig, classify: Classify) -> Self {
        let nothing = ObjectId(0);
        let core = Core {
            config,
            tasks: Kept::new(),
            current: TaskId::MAIN,
            last: TaskId::MAIN,
            enabled: Vec::new(),
            decisions: Vec::new(),
            findings: Vec::new(),
            observed: Vec::new(),
            steps: 0,
            preemptions: 0,
            stopping: false,
            abandoned: false,
            at_rest: false,
            blocked_rule: Blocked::Go,
            trace: Vec::new(),
            undone: Vec::new(),
            log: Vec::new(),
            classify,
            checks: Vec::new(),
            left_blocked: Vec::new(),
            free: false,
            free_order: Vec::new(),
            time: Obj::new(nothing),
            ends: Obj::new(nothing),
            lane: Obj::new(nothing),
            preempts: false,
            unborn: 0,
            choice_due: false,
            now: 0,
            final_steps: 0,
        };
        let mut kernel = Kernel { objects: Objects::new(), core };
        kernel.renew(config, classify);
        kernel
    }

    /// Makes this a run that has not begun, in the memory of the one before: a short run would spend most of its
    /// time on making its own.
    pub(crate) fn renew(&mut self, config: RunConfig, classify: Classify) {
        self.objects.clear();
        let make =
            |kind| Birth { kind, name: kind.into(), created: Location::caller(), history: 1, state: 1 };
        let time = self.objects.insert(make("time"), VirtualTime { now: 0, deadlines: Vec::new() });
        let ends = self.objects.insert(make("ends"), Ends::new());
        let lane = self.objects.insert(make("lane"), ());
        // Every field is named, so that none can be forgotten.
        let Core {
            config: c_config,
            tasks,
            current,
            last,
            enabled,
            decisions,
            findings,
            observed,
            steps,
            preemptions,
            stopping,
            abandoned,
            at_rest,
            blocked_rule,
            trace,
            undone,
            log,
            classify: c_classify,
            checks,
            left_blocked,
            free,
            free_order,
            time: c_time,
            ends: c_ends,
            lane: c_lane,
            preempts,
            unborn,
            choice_due,
            now,
            final_steps,
        } = &mut self.core;
        tasks.clear();
        enabled.clear();
        decisions.clear();
        findings.clear();
        observed.clear();
        trace.clear();
        undone.clear();
        log.clear();
        checks.clear();
        left_blocked.clear();
        free_order.clear();
        (*c_config, *c_classify) = (config, classify);
        (*c_time, *c_ends, *c_lane) = (time, ends, lane);
        (*current, *last, *blocked_rule) = (TaskId::MAIN, TaskId::MAIN, Blocked::Go);
        (*steps, *preemptions, *final_steps, *now, *unborn) = (0, 0, 0, 0, 0);
        (*stopping, *abandoned, *at_rest, *free) = (false, false, false, false);
        (*preempts, *choice_due) = (false, false);
        self.core.add_task("main".into(), None, false, Clock::new(), (1, 1));
    }

    /// Decides what may happen next. Moves virtual time if nothing else can; ends the run if nothing
    /// can happen at all, after which every unfinished task is offered once more so that it can
    /// return.
    #[inline(always)]
    pub fn next_task(&mut self) -> Next {
        if self.core.choice_due {
            return Next::Choice;
        }
        let current = self.core.current;
        if self.core.tasks[current.index()].phase == Phase::Running {
            return Next::Forced(current);
        }
        if self.core.stopping {
            if self.core.config.record {
                self.collect_enabled();
            }
            return self.core.drain();
        }
        if self.core.unborn > 0
            && let Some(task) = self.core.find(Phase::Unborn)
        {
            return Next::Forced(task);
        }
        if self.core.steps >= self.core.config.max_steps && self.core.exceeds_the_bound() {
            return self.core.drain();
        }
        loop {
            self.collect_enabled();
            match self.core.enabled[..] {
                [] => {}
                [task] => return Next::Forced(task),
                _ => {
                    self.core.choice_due = true;
                    return Next::Choice;
                }
            }
            if !self.move_time() {
                self.come_to_rest();
                return self.core.drain();
            }
        }
    }

    /// The task in control has published, and goes on if that is all that can happen; then no engine
    /// need be asked.
    pub fn stay_if_forced(&mut self) -> bool {
        let task = self.core.current;
        let next = self.next_task();
        let stays = next == Next::Forced(task) && !self.core.stopping;
        if stays {
            self.choose_task(task, next);
        }
        stays
    }

    /// The choice that [`Next::Choice`] announced.
    #[inline(always)]
    pub fn point(&self) -> Point<'_> {
        let current = Some(self.core.last).filter(|t| self.core.enabled.contains(t));
        Point::Task { enabled: &self.core.enabled, current }
    }

    /// Gives control to a task that [`Kernel::next_task`] allowed.
    ///
    /// # Panics
    /// If there is a choice and the task is none of it.
    #[inline(always)]
    pub fn choose_task(&mut self, task: TaskId, next: Next) {
        if next == Next::Choice {
            let choice = self.point().choice_of(task);
            self.choose(choice.expect("an engine may only choose an enabled task"));
        } else {
            self.core.give_control(task, false);
        }
    }

    /// Makes the choice that [`Next::Choice`] announced, and gives the chosen task control.
    ///
    /// # Panics
    /// If there is no such alternative.
    #[inline(always)]
    pub fn choose(&mut self, choice: u32) -> TaskId {
        let core = &mut self.core;
        let place = core.enabled.iter().position(|t| *t == core.last);
        let task = core.enabled[place_of(choice, place.unwrap_or(0))];
        let preempts = choice != 0 && place.is_some();
        core.decisions.push(Decision { chosen: choice, of: core.enabled.len() as u32 });
        core.preemptions += u32::from(preempts);
        core.give_control(task, preempts);
        task
    }

    /// Records a chosen value.
    pub fn choose_value(&mut self, chosen: u32, of: u32) {
        self.core.decisions.push(Decision { chosen, of });
        if self.core.free {
            self.core.free_order.push((self.core.current, Some(chosen)));
        }
        let task = &mut self.core.tasks[self.core.current.index()];
        task.history = mix(task.history, u64::from(chosen) + 1);
        task.state = mix(task.state, u64::from(chosen) + 1);
    }

    /// How many ways there are to run the current task's operation; none to choose from if the run is over.
    /// Where there are several, its number tells the place apart from the same choice by another task.
    pub(crate) fn alternatives(&mut self, count: impl FnOnce(&Objects, u64) -> u32) -> u32 {
        if self.core.stopping || self.core.at_rest {
            return 1;
        }
        let of = count(&self.objects, self.core.now);
        if of > 1 {
            let task = &mut self.core.tasks[self.core.current.index()];
            task.history = mix(task.history, 3);
            task.state = mix(task.state, 3);
        }
        of
    }

    /// Gives the run up: the rest of it says nothing.
    pub fn abandon(&mut self) {
        self.core.abandoned = true;
        self.core.stopping = true;
        self.core.choice_due = false;
    }

    /// True once the run is over but for the returning of its tasks.
    pub fn stopping(&self) -> bool {
        self.core.stopping
    }

    /// True if `task` has returned.
    pub fn finished(&self, task: TaskId) -> bool {
        self.core.tasks[task.index()].phase == Phase::Finished
    }

    /// The task that has control.
    pub fn current(&self) -> TaskId {
        self.core.current
    }

    /// The number of tasks so far, those counted that have returned.
    pub fn tasks(&self) -> u32 {
        self.core.tasks.len() as u32
    }

    /// Who spawned `task`; nothing for the main task.
    ///
    /// # Panics
    /// If there is no such task.
    pub fn parent(&self, task: TaskId) -> Option<TaskId> {
        self.core.tasks[task.index()].origin.map(|(parent, _)| parent)
    }

    /// The task that ran the last operation.
    pub fn last(&self) -> TaskId {
        self.core.last
    }

    /// The operation that a task is about to do, if it waits to do one.
    pub fn published(&self, task: TaskId) -> Option<&Published> {
        let task = self.core.tasks.get(task.index()).filter(|t| t.phase == Phase::Ready)?;
        task.published.as_ref()
    }

    /// What a task is called.
    ///
    /// # Panics
    /// If there is no such task.
    pub fn task_name(&self, task: TaskId) -> &str {
        self.core.task_name(task)
    }

    /// An object's type, what it is called, and where it was made.
    ///
    /// # Panics
    /// If there is no such object.
    pub fn object(&self, id: ObjectId) -> (&'static str, &str, &'static Location<'static>) {
        let meta = &self.objects.slots[id.index()].meta;
        (meta.kind, &meta.name, meta.created)
    }

    /// The number of choices made so far.
    pub fn decisions(&self) -> &[Decision] {
        &self.core.decisions
    }

    /// The number of preemptions so far.
    pub fn preemptions(&self) -> u32 {
        self.core.preemptions
    }

    /// What has been found so far.
    pub fn findings(&self) -> &[Finding] {
        &self.core.findings
    }

    /// What has happened so far, if the run is to [log](RunConfig::log) it.
    pub fn log(&self) -> &[Event] {
        &self.core.log
    }

    /// The number of operations run so far.
    pub fn steps(&self) -> u32 {
        self.core.steps
    }

    /// Identifies the state reached: equal for prefixes that differ only in the order of operations
    /// that do not conflict (happens-before caching; Musuvathi & Qadeer, "Partial-order reduction
    /// for context-bounded state exploration", MSR-TR-2007-12). Equal to 64 bits, so a search that
    /// prunes by it may, with a chance of about n*n/2^65 for n states, miss one.
    ///
    /// Where a program says what the values of its objects and tasks are ([`Cx::identify`](crate::Cx::identify),
    /// [`Cx::learned`](crate::Cx::learned), [`knows`](crate::knows)), prefixes that lead to the same values
    /// are equal too, and have shown the same findings.
    pub fn state_hash(&self) -> u64 {
        let tasks = self.core.tasks.iter().map(|t| t.state);
        let objects = self.objects.slots.iter().map(|o| o.meta.state).filter(|state| *state != 0);
        let start = self
            .core
            .findings
            .iter()
            .fold(self.core.now, |h, f| h.wrapping_add(crate::digest(&(f.kind, &f.oracle, &f.text))));
        tasks.chain(objects).fold(start, |h, x| h.wrapping_add(mix(x, 0x9e37)))
    }

    /// Identifies the Mazurkiewicz trace so far, whatever the program says of its values.
    fn trace_hash(&self) -> u64 {
        let tasks = self.core.tasks.iter().map(|t| t.history);
        let objects = self.objects.slots.iter().map(|o| o.meta.history);
        tasks.chain(objects).fold(self.core.now, |h, x| h.wrapping_add(mix(x, 0x9e37)))
    }

    /// Hands over all that the run has shown.
    pub fn take_outcome(&mut self) -> Outcome {
        let trace_hash = if self.core.config.identify { self.trace_hash() } else { 0 };
        let trace = self.core.config.record.then(|| self.take_trace());
        Outcome {
            findings: take(&mut self.core.findings),
            // Copied and not taken: the next run then has room for as many.
            decisions: self.core.decisions.clone(),
            steps: if self.core.at_rest { self.core.final_steps } else { self.core.steps },
            preemptions: self.core.preemptions,
            free_order: take(&mut self.core.free_order),
            observed: take(&mut self.core.observed),
            abandoned: self.core.abandoned,
            trace_hash,
            trace,
            log: take(&mut self.core.log),
        }
    }

    /// Turns to the oracles that look at rest: from here on operations run at once. False if the run
    /// ended in a way that leaves nothing to look at.
    pub(crate) fn begin_rest(&mut self) -> bool {
        let dead = self.core.findings.iter().any(|f| f.kind.ends_the_run());
        let stopped = !self.core.config.keep_going && !self.core.findings.is_empty();
        self.core.final_steps = self.core.steps;
        self.core.at_rest = true;
        self.core.stopping = false;
        self.core.current = TaskId::MAIN;
        !(dead || stopped || self.core.abandoned)
    }

    pub(crate) fn create<S: Send + 'static>(
        &mut self,
        kind: &'static str,
        name: Name,
        state: S,
        created: &'static Location<'static>,
    ) -> Obj<S> {
        self.objects.make(&mut self.core, kind, name, state, created)
    }

    pub(crate) fn spawn(&mut self, name: Name, created: &'static Location<'static>, daemon: bool) -> TaskId {
        let id = TaskId(self.core.tasks.len() as u32);
        let (history, state) = self.core.birth_hash();
        let parent = self.core.current;
        let creator = &mut self.core.tasks[parent.index()];
        let clock = creator.clock.clone();
        creator.clock.tick(parent);
        self.core.add_task(name, Some((parent, created)), daemon, clock, (history, state));
        id
    }

    /// Puts an operation on the board, `enabled` if it may run on the present states.
    #[inline(always)]
    pub(crate) fn publish(&mut self, id: TaskId, published: Published, enabled: bool) {
        let task = &mut self.core.tasks[id.index()];
        // On OS threads a task can be killed between two operations. Nobody may find its guards.
        if task.phase == Phase::Killed {
            self.objects.forget(id, &published);
            return;
        }
        task.phase = Phase::Ready;
        task.waits = published.guards;
        if self.core.config.log && !self.core.at_rest {
            let joins = published.joins;
            let objects = if joins.is_some() { Footprint::new() } else { published.objects.clone() };
            self.core.log.push(Event::Publishes { task: id, objects, joins });
        }
        task.published = Some(published);
        if task.enabled != enabled {
            self.core.set_enabled(id, enabled);
        }
    }

    pub(crate) fn is_enabled(&self, task: TaskId) -> bool {
        let record = &self.core.tasks[task.index()];
        record.phase == Phase::Ready && holds(&self.objects, task, record.published.as_ref())
    }

    /// True if some task can go on or is on its way.
    pub(crate) fn can_move(&mut self) -> bool {
        self.collect_enabled();
        let busy = |t: &Task| matches!(t.phase, Phase::Unborn | Phase::Running);
        !self.core.enabled.is_empty() || self.core.tasks.iter().any(busy)
    }

    /// Evaluates the guards of those who wait at objects that may have changed.
    #[inline(always)]
    pub(crate) fn collect_enabled(&mut self) {
        if !self.objects.stale.is_empty() {
            self.evaluate_guards();
        }
    }

    fn evaluate_guards(&mut self) {
        let Kernel { objects, core } = self;
        let mut stale = take(&mut objects.stale);
        for object in &stale {
            objects.slots[object.index()].cell.guards(&mut |id, guard| {
                let task = &core.tasks[id.index()];
                // Of several guards one is enough.
                let enabled = guard || task.waits > 1 && holds(objects, id, task.published.as_ref());
                if task.enabled != enabled {
                    core.set_enabled(id, enabled);
                }
            });
        }
        stale.clear();
        objects.stale = stale;
    }

    /// Accounts for the operation that the task in control has published and is about to run. Gives its place in
    /// the source.
    #[inline(always)]
    pub(crate) fn begin_step(&mut self) -> &'static Location<'static> {
        let id = self.core.current;
        let task = &mut self.core.tasks[id.index()];
        task.phase = Phase::Running;
        let op = task.published.as_ref().expect("a task runs only what it has published");
        let site = op.site;
        if take(&mut task.waits) > 0 {
            self.objects.forget(id, op);
        }
        if self.core.config.notes_steps() {
            self.note_step(id);
        }
        site
    }

    /// What only some runs keep of a step.
    #[inline(never)]
    fn note_step(&mut self, task: TaskId) {
        let Some(op) = self.core.tasks[task.index()].published.clone() else { return };
        if self.core.config.identify {
            self.absorb(task, &op);
        }
        if self.core.config.log && !self.core.at_rest {
            let enabled = self.core.enabled.iter().copied().collect();
            self.core.log.push(Event::Runs { task, enabled });
        }
        if self.core.config.record {
            self.core.trace.push(Step {
                task,
                label: op.label.to_owned(),
                objects: op.objects.to_vec(),
                note: String::new(),
                site: Site::of(op.site),
                time: self.core.now,
                at_rest: self.core.at_rest,
                preempts: self.core.preempts,
                blocked: self.core.blocked_now(),
            });
        }
    }

    pub(crate) fn finish(&mut self, task: TaskId) {
        let record = &mut self.core.tasks[task.index()];
        record.phase = Phase::Finished;
        if take(&mut record.waits) > 0
            && let Some(published) = &record.published
        {
            self.objects.forget(task, published);
        }
        let (history, state) = (record.history, record.state);
        self.core.set_enabled(task, false);
        let ends = self.objects.get_mut(self.core.ends);
        while ends.len() <= task.index() {
            ends.push(false);
        }
        ends[task.index()] = true;
        if self.core.config.identify {
            let meta = &mut self.objects.slots[self.core.ends.id.index()].meta;
            meta.history = meta.history.wrapping_add(mix(history, 1));
            meta.state = meta.state.wrapping_add(mix(state, 1));
        }
    }

    /// Takes a task off the board for good.
    pub(crate) fn kill(objects: &mut Objects, core: &mut Core, task: TaskId) {
        let record = &mut core.tasks[task.index()];
        if matches!(record.phase, Phase::Finished | Phase::Killed) || task == core.current {
            return;
        }
        record.phase = Phase::Killed;
        record.history = mix(record.history, 3);
        record.state = mix(record.born, 3);
        if take(&mut record.waits) > 0
            && let Some(published) = &record.published
        {
            objects.forget(task, published);
        }
        core.set_enabled(task, false);
    }

    pub(crate) fn set_blocked_rule(&mut self, rule: Blocked) {
        self.core.blocked_rule = rule;
    }

    /// Moves virtual time to the next deadline somebody asked for. False if there is none.
    pub(crate) fn move_time(&mut self) -> bool {
        let time = self.core.time;
        if !self.objects.get_mut(time).advance() {
            return false;
        }
        self.core.now = self.objects.get(time).now;
        if self.core.config.log {
            self.core.log.push(Event::TimeMoves);
        }
        let meta = &mut self.objects.slots[time.id.index()].meta;
        meta.history = mix(meta.history, self.core.now);
        meta.state = mix(meta.state, self.core.now);
        true
    }

    /// Nothing can happen any more: judges the tasks that are left.
    pub(crate) fn come_to_rest(&mut self) {
        self.core.stopping = true;
        if self.core.waiting().next().is_none() {
            return;
        }
        let blocked = self.blocked();
        self.core.left_blocked.clone_from(&blocked);
        let main_blocked = blocked.iter().any(|b| b.task == TaskId::MAIN);
        let site = blocked.first().map(|b| b.site.clone());
        let (kind, text) = match self.core.blocked_rule {
            Blocked::Allowed => return,
            Blocked::Go | Blocked::GoNoLeaks if main_blocked => {
                (Kind::Deadlock, "all goroutines are asleep - deadlock!".to_owned())
            }
            Blocked::Go => return,
            Blocked::GoNoLeaks => {
                let who: Vec<_> = blocked.iter().map(|b| format!("{} [{}]", b.name, b.reason)).collect();
                (Kind::Leak, format!("still blocked after main ended: {}", who.join(", ")))
            }
        };
        self.core.find_out(kind, text, None, site, Detail::Blocked(blocked));
    }

    /// In eager mode virtual time is an object like others, but it is looked at, and asked to stop somewhere,
    /// outside of operations: that counts as part of the step before.
    pub(crate) fn touch_time(&mut self, access: Access) {
        if !self.core.config.eager_time || self.core.at_rest {
            return;
        }
        if self.core.config.log {
            self.core.log.push(Event::Touches(self.core.time.id, access));
        }
        let task = &mut self.core.tasks[self.core.current.index()];
        let meta = &mut self.objects.slots[self.core.time.id.index()].meta;
        if access == Access::Read {
            task.history = mix(task.history, meta.history);
            task.state = mix(task.state, self.core.now);
        } else {
            meta.history = meta.history.wrapping_add(mix(task.history, 5));
            meta.state = meta.state.wrapping_add(mix(task.state, 5));
        }
    }

    /// The step that is going on also changes this object, which its operation has not published. False if its task
    /// has been killed.
    pub(crate) fn touch(&mut self, object: ObjectId) -> bool {
        if self.core.at_rest {
            return true;
        }
        if self.core.tasks[self.core.current.index()].phase == Phase::Killed {
            return false;
        }
        if self.core.config.log {
            self.core.log.push(Event::Touches(object, Access::Write));
        }
        if self.core.config.identify {
            let task = &mut self.core.tasks[self.core.current.index()];
            let meta = &mut self.objects.slots[object.index()].meta;
            task.history = mix(task.history, meta.history);
            task.state = mix(task.state, meta.state);
            meta.history = mix(task.history, 6);
            meta.state = mix(task.state, u64::from(object.0));
        }
        true
    }

    /// The tasks that were blocked when nothing more could happen.
    pub(crate) fn left_blocked(&self) -> &[BlockedTask] {
        &self.core.left_blocked
    }

    /// On OS threads: records that `task` is the one that runs.
    pub(crate) fn record_free_step(&mut self, task: TaskId) {
        self.core.current = task;
        self.core.last = task;
        self.core.free_order.push((task, None));
    }

    fn blocked(&self) -> Vec<BlockedTask> {
        let describe = |(id, task): (usize, &Task)| {
            let op = task.published.as_ref()?;
            let slot = op.objects.first().map(|(id, _)| &self.objects.slots[id.index()].meta);
            let reason = match (op.reason, slot) {
                (Some(reason), _) => reason.to_owned(),
                (None, Some(meta)) => format!("{}.{}", meta.kind, op.label),
                (None, None) => op.label.to_owned(),
            };
            Some(BlockedTask {
                task: TaskId(id as u32),
                name: task.name.to_string(),
                reason,
                object: slot.map(|m| m.name.to_string()).unwrap_or_default(),
                site: Site::of(op.site),
                held_by: slot.map(|m| m.owners.to_vec()).unwrap_or_default(),
                created: task.created(),
            })
        };
        self.core.waiting().filter_map(describe).collect()
    }

    fn take_trace(&mut self) -> Trace {
        let tasks = self.core.tasks.iter().map(|t| TaskInfo {
            name: t.name.to_string(),
            parent: t.origin.map(|(parent, _)| parent),
            created: t.created(),
            born: t.born_at,
        });
        let objects = self.objects.slots.iter().map(|o| ObjectInfo {
            kind: o.meta.kind.to_owned(),
            name: o.meta.name.to_string(),
            created: Site::of(o.meta.created),
        });
        Trace {
            tasks: tasks.collect(),
            objects: objects.collect(),
            steps: take(&mut self.core.trace),
            undone: take(&mut self.core.undone),
        }
    }

    /// Folds a step into what identifies the states of its task and objects. A task's number stands
    /// for all it has seen, an object's for how its value came about; a read leaves the object's as
    /// it is, and an `Add` changes it in a way that does not depend on the order of `Add`s. Who joins a task
    /// sees what that one has seen, and not who else has ended.
    fn absorb(&mut self, task: TaskId, op: &Published) {
        let me = &self.core.tasks[task.index()];
        let mut history = mix(me.history, 2);
        let mut state = mix(me.state, 2);
        if let Some(joined) = op.joins {
            let joined = &self.core.tasks[joined.index()];
            (history, state) = (mix(history, joined.history), mix(state, joined.state));
        }
        for (id, access) in op.objects.iter().filter(|_| op.joins.is_none()) {
            if *access != Access::Add {
                let meta = &self.objects.slots[id.index()].meta;
                history = mix(history, meta.history);
                state = mix(state, meta.state);
            }
        }
        // For traces the place among the operation's objects and not the object's id: equal traces may make
        // their objects in another order.
        for (place, (id, access)) in op.objects.iter().enumerate() {
            let meta = &mut self.objects.slots[id.index()].meta;
            match access {
                Access::Read => {}
                Access::Write => {
                    meta.history = mix(history, place as u64);
                    meta.state = mix(state, u64::from(id.0));
                }
                Access::Add => {
                    meta.history = meta.history.wrapping_add(mix(history, place as u64));
                    meta.state = meta.state.wrapping_add(mix(state, u64::from(id.0)));
                }
            }
        }
        let me = &mut self.core.tasks[task.index()];
        me.history = history;
        me.state_before = me.state;
        me.state = state;
    }
}

impl Objects {
    pub(crate) fn make<S: Send + 'static>(
        &mut self,
        core: &mut Core,
        kind: &'static str,
        name: Name,
        value: S,
        created: &'static Location<'static>,
    ) -> Obj<S> {
        let (history, state) = core.birth_hash();
        self.insert(Birth { kind, name, created, history, state }, value)
    }

    /// Takes away the guards with which a task waits to do what it has published.
    fn forget(&mut self, task: TaskId, published: &Published) {
        for (object, _) in &published.objects {
            self.slots[object.index()].cell.forget(task);
        }
    }
}

/// True if what `task` has published may run on the present states.
fn holds(objects: &Objects, task: TaskId, published: Option<&Published>) -> bool {
    let Some(published) = published else { return false };
    let slot = |object: ObjectId| &objects.slots[object.index()];
    published.guards == 0 || published.objects.iter().any(|(object, _)| slot(*object).cell.holds(task))
}

impl Core {
    pub(crate) fn config(&self) -> &RunConfig {
        &self.config
    }

    pub(crate) fn steps(&self) -> u32 {
        self.steps
    }

    pub(crate) fn now(&self) -> u64 {
        self.now
    }

    /// Virtual time, which is an object, has moved to `now`.
    pub(crate) fn set_now(&mut self, now: u64) {
        self.now = now;
    }

    pub(crate) fn end_step(&mut self) {
        self.steps += 1;
    }

    /// True if nobody but the task in control can go on, and nobody wants to know more of its next operation than
    /// what it does. Then, if it may run, it need not even be published: nobody could look at it.
    #[inline(always)]
    pub(crate) fn is_alone(&self, objects: &Objects) -> bool {
        self.enabled[..] == [self.current]
            && objects.stale.is_empty()
            && self.unborn == 0
            && self.steps < self.config.max_steps
            && !(self.config.notes_steps() || self.at_rest || self.stopping)
    }

    pub(crate) fn clock_mut(&mut self, task: TaskId) -> &mut Clock {
        &mut self.tasks[task.index()].clock
    }

    pub(crate) fn clock(&self, task: TaskId) -> &Clock {
        &self.tasks[task.index()].clock
    }

    pub(crate) fn task_name(&self, task: TaskId) -> &str {
        &self.tasks[task.index()].name
    }

    pub(crate) fn note(&mut self, note: String) {
        if let Some(step) = self.trace.last_mut() {
            if !step.note.is_empty() {
                step.note.push_str("; ");
            }
            step.note.push_str(&note);
        }
    }

    pub(crate) fn find_out(
        &mut self,
        kind: Kind,
        text: String,
        oracle: Option<&str>,
        site: Option<Site>,
        detail: Detail,
    ) {
        let in_task = !matches!(kind, Kind::Deadlock | Kind::Leak | Kind::StepBound);
        let mut finding = Finding {
            kind,
            text,
            oracle: oracle.map(str::to_owned),
            task: (in_task && !self.at_rest).then_some(self.current),
            step: self.steps,
            site,
            detail,
        };
        if finding.oracle.is_none() {
            finding.oracle = (self.classify)(&finding).map(str::to_owned);
        }
        if self.findings.iter().any(|f| f.same_failure(&finding)) {
            return;
        }
        if kind.ends_the_run() || !self.config.keep_going {
            self.stopping = true;
            if self.config.log && !self.at_rest && !matches!(kind, Kind::Deadlock | Kind::Leak) {
                self.log.push(Event::Stops);
            }
        }
        self.findings.push(finding);
    }

    pub(crate) fn check_access(
        &mut self,
        shadow: &mut Shadow,
        what: &str,
        write: bool,
        site: &'static Location<'static>,
    ) {
        let task = self.current;
        let step = self.steps;
        if self.at_rest {
            return;
        }
        let clock = &self.tasks[task.index()].clock;
        let Some(earlier) = shadow.access(task, clock, write, site, step) else { return };
        let side = |task: TaskId, write, site, step| {
            let record = &self.tasks[task.index()];
            RaceAccess {
                task,
                task_name: record.name.to_string(),
                created: record.created(),
                write,
                site: Site::of(site),
                step,
            }
        };
        let first = side(earlier.epoch.task, earlier.write, earlier.site, earlier.step);
        let second = side(task, write, site, step);
        let at = Some(second.site.clone());
        self.find_out(Kind::DataRace, what.to_owned(), None, at, Detail::Race { first, second });
    }

    fn birth_hash(&mut self) -> (u64, u64) {
        if !self.config.identify {
            return (1, 1);
        }
        let task = &mut self.tasks[self.current.index()];
        task.made += 1;
        (mix(task.history, task.made << 8), mix(task.state, task.made << 8))
    }

    /// What the running operation tells its task, instead of all of the objects' state.
    pub(crate) fn learned(&mut self, what: u64) {
        let task = &mut self.tasks[self.current.index()];
        task.state = mix(task.state_before, what);
    }

    /// What [`Core::learned`] adds to, from here on.
    pub(crate) fn remember_state(&mut self) {
        let task = &mut self.tasks[self.current.index()];
        task.state_before = task.state;
    }

    /// All that the current task still knows.
    pub(crate) fn knows(&mut self, what: u64) {
        let task = &mut self.tasks[self.current.index()];
        task.state = mix(task.born, what);
    }

    /// Adds a task that knows what `clock` does, in which it has a number of its own.
    fn add_task(
        &mut self,
        name: Name,
        origin: Option<Origin>,
        daemon: bool,
        mut clock: Clock,
        (history, state): (u64, u64),
    ) {
        clock.tick(TaskId(self.tasks.len() as u32));
        let born_at = self.steps;
        self.unborn += 1;
        let task = self.tasks.add(Task::blank);
        task.name = name;
        task.origin = origin;
        task.phase = Phase::Unborn;
        task.published = None;
        task.enabled = false;
        task.waits = 0;
        task.clock = clock;
        task.daemon = daemon;
        task.history = history;
        (task.state, task.state_before, task.born) = (state, state, state);
        task.born_at = born_at;
        task.made = 0;
    }

    /// What `task` has published may run, or not any more.
    fn set_enabled(&mut self, task: TaskId, enabled: bool) {
        let record = &mut self.tasks[task.index()].enabled;
        if std::mem::replace(record, enabled) == enabled {
            return;
        }
        if enabled {
            self.enabled.push(task);
            let mut place = self.enabled.len() - 1;
            while place > 0 && self.enabled[place - 1] > task {
                self.enabled.swap(place - 1, place);
                place -= 1;
            }
        } else {
            self.enabled.retain(|t| *t != task);
        }
    }

    #[inline(always)]
    fn give_control(&mut self, task: TaskId, preempts: bool) {
        self.choice_due = false;
        self.current = task;
        let phase = &mut self.tasks[task.index()].phase;
        if *phase == Phase::Ready {
            self.last = task;
            self.preempts = preempts;
        } else if *phase == Phase::Unborn {
            self.unborn -= 1;
        } else if *phase == Phase::Finished {
            return;
        }
        *phase = Phase::Running;
    }

    /// The task in control learns what another knew when it returned.
    pub(crate) fn acquire_end(&mut self, returned: TaskId) {
        let [me, returned] = [self.current, returned].map(TaskId::index);
        if let Ok([me, returned]) = self.tasks.get_disjoint_mut([me, returned]) {
            me.clock.join(&returned.clock);
        }
    }

    fn find(&self, phase: Phase) -> Option<TaskId> {
        let at = self.tasks.iter().position(|t| t.phase == phase)?;
        Some(TaskId(at as u32))
    }

    /// Ends a run that has come to its bound, unless it ends there anyway.
    #[cold]
    fn exceeds_the_bound(&mut self) -> bool {
        if self.live().next().is_none() {
            return false;
        }
        let text = format!("the run did not end within {} steps", self.steps);
        self.find_out(Kind::StepBound, text, None, None, Detail::None);
        true
    }

    /// Tasks that have published something, daemons left out.
    fn waiting(&self) -> impl Iterator<Item = (usize, &Task)> {
        self.tasks.iter().enumerate().filter(|(_, t)| t.phase == Phase::Ready && !t.daemon)
    }

    /// Tasks that have not finished, daemons left out.
    fn live(&self) -> impl Iterator<Item = TaskId> + '_ {
        let tasks = self.tasks.iter().enumerate();
        let live = tasks.filter(|(_, t)| !matches!(t.phase, Phase::Finished | Phase::Killed) && !t.daemon);
        live.map(|(id, _)| TaskId(id as u32))
    }

    /// Who has published something that cannot run.
    fn blocked_now(&self) -> Vec<TaskId> {
        let tasks = self.tasks.iter().enumerate();
        let blocked = tasks.filter(|(_, t)| t.phase == Phase::Ready && !t.enabled);
        blocked.map(|(id, _)| TaskId(id as u32)).collect()
    }

    /// Takes down what tasks have published and will not get to do.
    #[cold]
    fn note_undone(&mut self) {
        let tasks = self.tasks.iter().enumerate().filter(|(_, t)| t.phase == Phase::Ready);
        let undone = tasks.filter_map(|(id, task)| {
            let op = task.published.as_ref()?;
            Some(Undone {
                task: TaskId(id as u32),
                label: op.label.to_owned(),
                objects: op.objects.iter().map(|(object, _)| *object).collect(),
                site: Site::of(op.site),
                blocked: !task.enabled,
            })
        });
        self.undone = undone.collect();
    }

    /// Lets every unfinished task return, one by one.
    fn drain(&mut self) -> Next {
        if self.config.record && self.undone.is_empty() && !self.at_rest {
            self.note_undone();
        }
        let unfinished = self.tasks.iter().position(|t| t.phase != Phase::Finished);
        unfinished.map_or(Next::Over, |id| Next::Forced(TaskId(id as u32)))
    }
}

/// Mixes two numbers so that order matters (the finaliser of SplitMix64 over their combination).
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    let mut z = a.rotate_left(23) ^ b.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
