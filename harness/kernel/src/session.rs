//! The run that the calling thread is part of, and the operations that tasks do in it.
//!
//! A kernel is reached through a thread-local and not through handles, so that handles to objects
//! are plain numbers that any task can copy. Engines that run all tasks on one OS thread install
//! the kernel itself; the engine of real threads installs a shared one in each of them.

use crate::kernel::{Ends, Kernel, Outcome, Published};
use crate::object::{Guard, Objects};
use crate::race::Shadow;
use crate::{Access, Blocked, Clock, Detail, Kind, Name, Obj, ObjectId, Site, TaskId};
use smallvec::{SmallVec, smallvec};
use std::any::Any;
use std::cell::{Cell, Ref, RefCell, RefMut};
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// What a task needs of the engine that runs it.
pub trait Host {
    /// The task in control has published its next operation. True if it also goes on, so that no switch
    /// is needed: it has then been [given control](Kernel::choose_task) again.
    fn goes_on(&self, kernel: &mut Kernel) -> bool;
    /// False if it is to be asked even where the task that has control is the only one that can go on. Asked
    /// when a run begins.
    fn skips_forced(&self) -> bool {
        true
    }
    /// Lets another task go on, as the engine decides; returns once the calling task has been chosen.
    fn switch(&self);
    /// The task in control has returned. The engine may decide here who goes on.
    fn finished(&self, kernel: &mut Kernel) {
        let _ = kernel;
    }
    /// Makes a task that will run `body`.
    fn spawn(&self, task: TaskId, body: Box<dyn FnOnce() + Send>);
    /// Chooses a value below `of`, which is at least 2.
    fn choose(&self, of: u32) -> u32;
}

/// A kernel that several OS threads use, one operation at a time.
pub struct SharedKernel {
    kernel: Mutex<Kernel>,
    moved: Condvar,
}

/// A program on one OS thread: one run after another, in the same memory.
pub struct Runs(&'static Local);

/// The place of a run whose tasks all live on one OS thread. It lives for ever and is used again, so that an operation
/// finds it by one look at a thread-local and need not count who uses it.
#[derive(Default)]
struct Local {
    kernel: RefCell<Option<Kernel>>,
    host: RefCell<Option<Rc<dyn Host>>>,
    skips_forced: Cell<bool>,
    /// The next of those that are vacant, if it is one of them.
    next: Cell<Option<&'static Local>>,
}

/// An OS thread's part in a run on OS threads.
struct Shared {
    kernel: Arc<SharedKernel>,
    host: Rc<dyn Host>,
    task: TaskId,
}

thread_local! {
    static LOCAL: Cell<Option<&'static Local>> = const { Cell::new(None) };
    static SHARED: RefCell<Option<Shared>> = const { RefCell::new(None) };
    /// Places that no program uses at present. A thread leaves those behind that it has made: as many as it had
    /// programs at once, mostly one.
    /// Linked by themselves: a list with a destructor would be gone while the program ends, and what it kept would be
    /// a leak to AddressSanitizer.
    static VACANT: Cell<Option<&'static Local>> = const { Cell::new(None) };
    static LAST_PANIC: RefCell<Option<Site>> = const { RefCell::new(None) };
}

/// The payload with which a task of a run that is over returns. It is raised by `resume_unwind`, so
/// no panic hook sees it: libFuzzer's aborts the process at any panic, caught or not.
struct Halt;

/// A modelled panic on its way up its task's stack: the payload with which [`raise`] unwinds. A language's
/// layer may catch it (`catch_unwind` and a downcast), run what the language runs, and raise it again.
/// A task that it leaves ends the modelled process with it, as an operation of its own: until then
/// others may still run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelPanic {
    /// The exact text, without `panic: `.
    pub text: String,
    /// Where it began.
    pub site: Site,
}

const OUTSIDE: &str = "no run is going on here: operations belong inside a program that an engine runs";

/// Uses the kernel of the calling thread's run.
///
/// # Panics
/// If the thread is not part of a run.
pub fn with_kernel<R>(f: impl FnOnce(&mut Kernel) -> R) -> R {
    if let Some(local) = LOCAL.get() {
        return f(&mut local.kernel());
    }
    let Some((shared, task)) = shared() else { panic!("{OUTSIDE}") };
    let mut kernel = shared.lock();
    kernel.core.current = task;
    f(&mut kernel)
}

impl Local {
    /// # Panics
    /// If whoever calls is using it already.
    #[inline(always)]
    fn kernel(&self) -> RefMut<'_, Kernel> {
        RefMut::map(self.kernel.borrow_mut(), |kernel| kernel.as_mut().expect(OUTSIDE))
    }

    #[inline(always)]
    fn host(&self) -> Ref<'_, dyn Host> {
        Ref::map(self.host.borrow(), |host| host.as_deref().expect(OUTSIDE))
    }
}

fn shared() -> Option<(Arc<SharedKernel>, TaskId)> {
    SHARED.with_borrow(|shared| shared.as_ref().map(|shared| (Arc::clone(&shared.kernel), shared.task)))
}

fn with_host<R>(f: impl FnOnce(&dyn Host) -> R) -> R {
    if let Some(local) = LOCAL.get() {
        return f(&*local.host());
    }
    let host = SHARED.with_borrow(|shared| shared.as_ref().map(|shared| Rc::clone(&shared.host)));
    f(&*host.expect(OUTSIDE))
}

impl SharedKernel {
    /// A kernel for a run on OS threads.
    pub fn new(mut kernel: Kernel) -> Arc<Self> {
        kernel.core.free = true;
        Arc::new(SharedKernel { kernel: Mutex::new(kernel), moved: Condvar::new() })
    }

    /// Makes the calling OS thread run `task`.
    pub fn install(self: &Arc<Self>, host: Rc<dyn Host>, task: TaskId) {
        LOCAL.set(None);
        SHARED.set(Some(Shared { kernel: Arc::clone(self), host, task }));
    }

    /// Ends the calling thread's part in the run.
    pub fn uninstall() {
        SHARED.set(None);
    }

    /// Takes the kernel out, after every thread has uninstalled it.
    ///
    /// # Panics
    /// If a thread still uses it.
    pub fn into_kernel(self: Arc<Self>) -> Kernel {
        let shared = Arc::into_inner(self).expect("every thread of the run has ended");
        shared.kernel.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Kernel> {
        // A scenario's own panic inside an action is reported as such; the kernel stays usable.
        self.kernel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runs {
    /// For a program whose first run is about to begin.
    pub fn new(kernel: Kernel, host: Rc<dyn Host>) -> Self {
        let vacant = VACANT.get().unwrap_or_else(|| Box::leak(Box::default()));
        VACANT.set(vacant.next.take());
        vacant.kernel.replace(Some(kernel));
        vacant.host.replace(Some(host));
        Runs(vacant)
    }

    /// Makes the calling thread part of the run.
    pub fn enter(&self) {
        let skips_forced = self.0.host().skips_forced();
        self.0.skips_forced.set(skips_forced);
        LOCAL.set(Some(self.0));
    }

    /// Uses the kernel.
    ///
    /// # Panics
    /// If whoever calls is using it already.
    #[inline(always)]
    pub fn with_kernel<R>(&self, f: impl FnOnce(&mut Kernel) -> R) -> R {
        f(&mut self.0.kernel())
    }
}

impl Drop for Runs {
    fn drop(&mut self) {
        if LOCAL.get().is_some_and(|local| std::ptr::eq(local, self.0)) {
            LOCAL.set(None);
        }
        // Whoever uses it now is unwinding with a panic, and will not give it back.
        let (Ok(mut kernel), Ok(mut host)) = (self.0.kernel.try_borrow_mut(), self.0.host.try_borrow_mut())
        else {
            return;
        };
        let contents = (kernel.take(), host.take());
        drop((kernel, host));
        drop(contents);
        self.0.next.set(VACANT.replace(Some(self.0)));
    }
}

/// Ends a run: runs the oracles that look at rest, and hands over what the run has shown. The calling thread
/// is part of none afterwards.
///
/// # Panics
/// If the thread is not part of a run on it alone.
pub fn conclude() -> Outcome {
    let local = LOCAL.get().expect(OUTSIDE);
    let (checks, looks) = {
        let mut kernel = local.kernel();
        (std::mem::take(&mut kernel.core.checks), kernel.begin_rest())
    };
    if looks {
        for check in checks {
            if !local.kernel().core.stopping {
                guarded(check);
            }
        }
    }
    LOCAL.set(None);
    local.kernel().take_outcome()
}

/// Runs the body of a task; an engine calls this on the stack that it made for it.
pub fn run_task(task: TaskId, body: impl FnOnce()) {
    if !with_kernel(|k| k.core.stopping) {
        guarded(body);
    }
    if let Some(local) = LOCAL.get() {
        let mut kernel = local.kernel();
        kernel.finish(task);
        return local.host().finished(&mut kernel);
    }
    with_kernel(|k| k.finish(task));
    if let Some((shared, _)) = shared() {
        shared.moved.notify_all();
    }
}

/// Runs code of the scenario. A halt passes; its own panic becomes a finding.
fn guarded(body: impl FnOnce()) {
    let Err(payload) = catch_unwind(AssertUnwindSafe(body)) else { return };
    if payload.is::<Halt>() {
        return;
    }
    if let Some(panic) = payload.downcast_ref::<ModelPanic>().cloned() {
        // Its one operation returns or halts.
        let _ = catch_unwind(AssertUnwindSafe(|| die(panic)));
        return;
    }
    let text = message(&*payload);
    let site = LAST_PANIC.with(|p| p.borrow_mut().take());
    with_kernel(|k| k.core.find_out(Kind::ScenarioBug, text, None, site, Detail::None));
}

/// A task dies of a panic that nobody recovered. All deaths touch the same object: it matters which of
/// two comes first.
fn die(panic: ModelPanic) {
    let ends = with_kernel(|k| k.core.ends);
    ends.op("die", Access::Write).run(|_, cx| {
        cx.note(|| format!("panic: {}", panic.text));
        cx.core.find_out(Kind::Panic, panic.text, None, Some(panic.site), Detail::None);
    });
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic with a payload that is not text").to_owned()
}

/// Keeps the panics of scenario code, which become findings, from being printed as well. Call it
/// after anything else that sets a panic hook.
pub fn quiet_panics() {
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        // A panic of whoever uses the kernel, like a strategy's, is not the scenario's.
        let inside = match LOCAL.get() {
            Some(local) => local.kernel.try_borrow_mut().is_ok(),
            None => SHARED.with_borrow(Option::is_some),
        };
        if inside {
            LAST_PANIC.with(|p| *p.borrow_mut() = info.location().map(Site::of));
        } else {
            previous(info);
        }
    }));
}

fn halt() -> ! {
    resume_unwind(Box::new(Halt))
}

// ---- what programs call ----

/// Starts a task. Starting it is not an operation of its own: the new task's first operation is on the
/// board by the time any task does its next.
#[track_caller]
pub fn spawn(name: impl Into<Name>, body: impl FnOnce() + Send + 'static) -> TaskId {
    spawn_at(name.into(), Location::caller(), false, body)
}

/// Starts the task that moves virtual time by scheduling choice; it never counts as blocked.
#[track_caller]
pub fn spawn_clock() {
    let time = with_kernel(|k| k.core.time);
    let body = move || loop {
        let op = time.op("advance", Access::Write);
        op.when(|time, _| time.next_deadline().is_some()).run(|time, cx| {
            time.advance();
            cx.core.set_now(time.now);
            cx.note(|| format!("now {} ns", time.now));
        });
    };
    spawn_at("clock".into(), Location::caller(), true, body);
}

fn spawn_at(
    name: Name,
    created: &'static Location<'static>,
    daemon: bool,
    body: impl FnOnce() + Send + 'static,
) -> TaskId {
    let task = with_kernel(|k| k.spawn(name, created, daemon));
    with_host(|host| host.spawn(task, Box::new(move || run_task(task, body))));
    task
}

/// Chooses a value below `of`: the one way for a program to be non-deterministic by itself.
///
/// # Panics
/// If `of` is 0.
pub fn choose(of: u32) -> u32 {
    assert!(of > 0, "there is nothing to choose from");
    if of == 1 {
        return 0;
    }
    if with_kernel(|k| k.core.at_rest) {
        return 0;
    }
    let chosen = with_host(|host| host.choose(of));
    with_kernel(|k| k.choose_value(chosen, of));
    if with_kernel(|k| k.core.stopping) {
        halt();
    }
    chosen
}

/// Waits until a task has returned and learns all that it did, as `pthread_join` does. Go has no
/// such thing; use it in the body of a scenario to wait for its actors.
#[track_caller]
pub fn join(task: TaskId) {
    let ends = with_kernel(|k| k.core.ends);
    let ended: Guard<Ends> = |ends, task| ends.get(task as usize) == Some(&true);
    let mut op = ends.op("join", Access::Read).reason("join").at(Location::caller());
    op.joins = Some(task);
    op.when_with(ended, u64::from(task.0)).run(|_, cx| cx.core.acquire_end(task));
}

/// Registers a check that runs when nothing more can happen, unless the modelled process died. Its
/// operations run at once and alone, as the main task.
pub fn at_rest(check: impl FnOnce() + Send + 'static) {
    with_kernel(|k| k.core.checks.push(Box::new(check)));
}

/// Says what a task means that is still blocked at the end. Without it: [`Blocked::Go`].
pub fn when_blocked(rule: Blocked) {
    with_kernel(|k| k.set_blocked_rule(rule));
}

/// The tasks that are blocked, for oracles at rest.
pub fn blocked_tasks() -> Vec<crate::BlockedTask> {
    with_kernel(|k| k.left_blocked().to_vec())
}

/// Adds a line to what the run observed, for tests that enumerate all outcomes of a program.
pub fn observe(what: impl std::fmt::Display) {
    let line = what.to_string();
    with_kernel(|k| k.core.observed.push(line));
}

/// Reports that an oracle of the scenario is violated. Ends the run unless the run keeps going.
#[track_caller]
pub fn violated(oracle: &str, text: impl Into<String>) {
    let site = Site::of(Location::caller());
    let text = text.into();
    let stopping = with_kernel(|k| {
        k.core.find_out(Kind::Oracle, text, Some(oracle), Some(site), Detail::None);
        k.core.stopping
    });
    if stopping {
        halt();
    }
}

/// An object that every run has, without a state: operations on different objects whose order matters
/// all the same may touch it as well.
pub fn lane() -> Obj<()> {
    with_kernel(|k| k.core.lane)
}

/// Begins a modelled panic, which can be recovered: see [`ModelPanic`].
pub fn raise(panic: ModelPanic) -> ! {
    resume_unwind(Box::new(panic))
}

/// Says that all of what the calling task has seen so far that can still matter to it is in `what`, a
/// digest that must also tell its place in the program. A search then need not tell apart the ways
/// that led here. The digest is made only in runs that [identify](crate::RunConfig::identify) themselves.
pub fn knows(what: impl FnOnce() -> u64) {
    if with_kernel(|k| k.core.config().identify) {
        let what = what();
        with_kernel(|k| k.core.knows(what));
    }
}

/// Changes objects outside of any operation, together with the calling task's last one: for what no
/// other task can see. Unlike [`Obj::poke`] it can say what the values are afterwards.
pub fn aside<R>(change: impl FnOnce(&mut Objects, &mut Cx<'_>) -> R) -> R {
    let site = Location::caller();
    with_kernel(|k| {
        let Kernel { objects, core } = k;
        core.remember_state();
        let mut cx = Cx { core, site, owned: SmallVec::new() };
        change(objects, &mut cx)
    })
}

/// The calling task.
pub fn current_task() -> TaskId {
    with_kernel(|k| k.core.current)
}

/// The virtual time, in nanoseconds. Reading it is no operation but belongs to the task's last one: it moves
/// only between operations.
pub fn now() -> u64 {
    with_kernel(|k| {
        k.touch_time(Access::Read);
        k.core.now()
    })
}

/// Asks that virtual time stop at `at` nanoseconds on its way, if it has not passed it.
pub fn add_deadline(at: u64) {
    with_kernel(|k| {
        k.touch_time(Access::Add);
        k.objects.get_mut(k.core.time).deadlines.push(at);
    });
}

/// Sleeps until virtual time has reached `at` nanoseconds.
#[track_caller]
pub fn sleep_until(at: u64) {
    add_deadline(at);
    let time = with_kernel(|k| k.core.time);
    let op = time.op("sleep", Access::Read).reason("sleep").at(Location::caller());
    op.when_with(|time, at| time.now >= at, at).run(|_, _| {});
}

/// Identifies a value, the same in every run of this build; never 0.
pub fn digest(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = MixHasher(1);
    value.hash(&mut hasher);
    hasher.finish().max(1)
}

/// Values are identified at every step: this takes a fraction of what the standard library's hasher does.
struct MixHasher(u64);

impl Hasher for MixHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            self.write_u64(u64::from_le_bytes(word) ^ (rest.len() as u64) << 56);
        }
    }

    fn write_u8(&mut self, n: u8) {
        self.write_u64(n.into());
    }

    fn write_u32(&mut self, n: u32) {
        self.write_u64(n.into());
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = crate::kernel::mix(self.0, n);
    }

    fn write_usize(&mut self, n: usize) {
        self.write_u64(n as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl<S: Send + 'static> Obj<S> {
    /// Makes an object. `kind` is its type in the source's own words (`sync.Mutex`), `name` what a
    /// report calls it.
    #[track_caller]
    pub fn create(kind: &'static str, name: impl Into<Name>, state: S) -> Self {
        let created = Location::caller();
        with_kernel(|k| k.create(kind, name.into(), state, created))
    }

    /// An operation on this object; finish it with [`Op::run`].
    #[track_caller]
    pub fn op(self, label: &'static str, access: Access) -> Op<S> {
        Op { object: self, label, access, guard: None, joins: None, reason: None, site: Location::caller() }
    }

    /// Looks at the state outside of any operation: for oracles, never for the modelled program.
    pub fn peek<R>(self, look: impl FnOnce(&S) -> R) -> R {
        with_kernel(|k| look(k.objects.get(self)))
    }

    /// Changes the state outside of any operation: for setting up before any task was started, and
    /// for ghost state that only oracles read.
    pub fn poke<R>(self, change: impl FnOnce(&mut S) -> R) -> R {
        with_kernel(|k| change(k.objects.get_mut(self)))
    }

    /// Changes the state as part of the step that is going on, which then touches this object too. As
    /// [`Obj::poke`] it is for ghost state, but of the kind that an oracle judges while the program runs: a search
    /// then knows that the order of two such steps matters.
    ///
    /// Does not return if the task has been killed meanwhile, which can only happen on OS threads: there the step is
    /// over by then, and what it would still have touched belongs to others.
    pub fn touch<R>(self, change: impl FnOnce(&mut S) -> R) -> R {
        let touched = with_kernel(|k| k.touch(self.id).then(|| change(k.objects.get_mut(self))));
        touched.unwrap_or_else(|| halt())
    }
}

/// An operation on one object that is being put together.
#[must_use = "an operation does nothing until it is run"]
pub struct Op<S> {
    object: Obj<S>,
    label: &'static str,
    access: Access,
    guard: Option<(Guard<S>, u64)>,
    joins: Option<TaskId>,
    reason: Option<&'static str>,
    site: &'static Location<'static>,
}

impl<S: Send + 'static> Op<S> {
    /// The operation may run only when `guard` holds.
    pub fn when(self, guard: Guard<S>) -> Self {
        self.when_with(guard, 0)
    }

    /// The operation may run only when `guard` holds with `arg`.
    pub fn when_with(mut self, guard: Guard<S>, arg: u64) -> Self {
        self.guard = Some((guard, arg));
        self
    }

    /// Go's name for waiting here, where it is not "kind.label".
    pub fn reason(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    /// Takes the source position from a caller further out.
    pub fn at(mut self, site: &'static Location<'static>) -> Self {
        self.site = site;
        self
    }

    /// Publishes the operation, waits to be chosen, and runs `action` atomically.
    ///
    /// Does not return if the run ends meanwhile: the task then unwinds quietly.
    pub fn run<R>(self, action: impl FnOnce(&mut S, &mut Cx<'_>) -> R) -> R {
        let object = self.object;
        perform(self, NO_CHOICE, |objects, cx, _| action(objects.get_mut(object), cx))
    }
}

/// An operation that is ready to go on the board.
trait Publish {
    fn publish(self, kernel: &mut Kernel, task: TaskId);
    /// True if it may run on the present states, as far as that can be told without publishing it.
    fn may_run(&self, objects: &Objects) -> bool;
    fn site(&self) -> &'static Location<'static>;
}

impl<S: Send + 'static> Publish for Op<S> {
    #[inline(always)]
    fn publish(self, kernel: &mut Kernel, task: TaskId) {
        let Op { object, label, access, guard, joins, reason, site } = self;
        let enabled = guard.is_none_or(|(guard, arg)| kernel.objects.wait(object, task, guard, arg));
        let objects = smallvec![(object.id, access)];
        let guards = u32::from(guard.is_some());
        kernel.publish(task, Published { label, objects, joins, site, reason, guards }, enabled);
    }

    #[inline(always)]
    fn may_run(&self, objects: &Objects) -> bool {
        self.guard.is_none_or(|(guard, arg)| guard(objects.get(self.object), arg))
    }

    fn site(&self) -> &'static Location<'static> {
        self.site
    }
}

/// Puts a guard beside the object it looks at; true if it holds now.
type Wait = Box<dyn FnOnce(&mut Kernel, TaskId) -> bool>;

/// An operation over several objects that is being put together. It may run when the guard of *any*
/// of them holds; without guards, at once.
#[must_use = "an operation does nothing until it is run"]
pub struct MultiOp {
    label: &'static str,
    objects: SmallVec<[(ObjectId, Access); 2]>,
    waits: Vec<Wait>,
    reason: Option<&'static str>,
    site: &'static Location<'static>,
}

impl MultiOp {
    /// An operation with no object yet.
    #[track_caller]
    pub fn new(label: &'static str) -> Self {
        MultiOp { label, objects: SmallVec::new(), waits: Vec::new(), reason: None, site: Location::caller() }
    }

    /// Also touches `object`.
    pub fn touch<S>(mut self, object: Obj<S>, access: Access) -> Self {
        match self.objects.iter_mut().find(|(id, _)| *id == object.id) {
            Some(known) if known.1 != access => known.1 = Access::Write,
            Some(_) => {}
            None => self.objects.push((object.id, access)),
        }
        self
    }

    /// May run when `guard` holds on `object`, which it must [touch](MultiOp::touch).
    pub fn when<S: Send + 'static>(mut self, object: Obj<S>, guard: Guard<S>, arg: u64) -> Self {
        self.waits.push(Box::new(move |k, task| k.objects.wait(object, task, guard, arg)));
        self
    }

    /// The action looks at the virtual time.
    pub fn reads_time(self) -> Self {
        let time = with_kernel(|k| k.core.time);
        self.touch(time, Access::Read)
    }

    /// May run when virtual time has reached `at` nanoseconds. Time stops there on its way.
    pub fn until(self, at: u64) -> Self {
        add_deadline(at);
        let time = with_kernel(|k| k.core.time);
        self.touch(time, Access::Read).when(time, |time, at| time.now >= at, at)
    }

    /// Go's name for waiting here.
    pub fn reason(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    /// Takes the source position from a caller further out.
    pub fn at(mut self, site: &'static Location<'static>) -> Self {
        self.site = site;
        self
    }

    /// As [`MultiOp::run`], with a choice that belongs to the operation: when it runs, `alternatives`
    /// says by the objects and the virtual time how many there are (0 counts as 1), one is chosen as by
    /// [`choose`], and `action` gets it.
    pub fn run_choosing<R>(
        self,
        alternatives: impl FnOnce(&Objects, u64) -> u32,
        action: impl FnOnce(&mut Objects, &mut Cx<'_>, u32) -> R,
    ) -> R {
        perform(self, Some(alternatives), action)
    }

    /// Publishes the operation, waits to be chosen, and runs `action` atomically.
    pub fn run<R>(self, action: impl FnOnce(&mut Objects, &mut Cx<'_>) -> R) -> R {
        perform(self, NO_CHOICE, |objects, cx, _| action(objects, cx))
    }
}

impl Publish for MultiOp {
    fn publish(self, kernel: &mut Kernel, task: TaskId) {
        let MultiOp { label, objects, waits, reason, site } = self;
        let guards = waits.len() as u32;
        let mut enabled = guards == 0;
        for wait in waits {
            enabled |= wait(kernel, task);
        }
        kernel.publish(task, Published { label, objects, joins: None, site, reason, guards }, enabled);
    }

    fn may_run(&self, _: &Objects) -> bool {
        self.waits.is_empty()
    }

    fn site(&self) -> &'static Location<'static> {
        self.site
    }
}

/// For operations that are determined by the state.
const NO_CHOICE: Option<fn(&Objects, u64) -> u32> = None;

fn perform<R>(
    op: impl Publish,
    alternatives: Option<impl FnOnce(&Objects, u64) -> u32>,
    action: impl FnOnce(&mut Objects, &mut Cx<'_>, u32) -> R,
) -> R {
    let Some(local) = LOCAL.get() else { return perform_on_thread(op, alternatives, action) };
    let mut kernel = local.kernel();
    let alone = local.skips_forced.get() && kernel.core.is_alone(&kernel.objects);
    if alone && alternatives.is_none() && op.may_run(&kernel.objects) {
        let result = act(&mut kernel, op.site(), |objects, cx| action(objects, cx, 0));
        drop(kernel);
        return result.unwrap_or_else(|| halt());
    }
    let task = kernel.core.current;
    op.publish(&mut kernel, task);
    let goes_on =
        if kernel.core.at_rest { at_rest_alone(&mut kernel) } else { local.host().goes_on(&mut kernel) };
    if !goes_on {
        drop(kernel);
        local.host().switch();
        kernel = local.kernel();
    }
    let mut chosen = 0;
    if let Some(alternatives) = alternatives {
        let of = kernel.alternatives(alternatives);
        if of > 1 {
            drop(kernel);
            chosen = local.host().choose(of);
            kernel = local.kernel();
            kernel.choose_value(chosen, of);
        }
    }
    let result = execute(&mut kernel, |objects, cx| action(objects, cx, chosen));
    drop(kernel);
    result.unwrap_or_else(|| halt())
}

/// At rest nobody else can go on, so an operation runs even if its guard does not hold.
fn at_rest_alone(k: &mut Kernel) -> bool {
    let task = k.core.current;
    if !k.is_enabled(task) {
        let text = "an operation of a check at rest would block for ever".to_owned();
        let site = k.published(task).map(|p| Site::of(p.site));
        k.core.find_out(Kind::ScenarioBug, text, None, site, Detail::None);
    }
    true
}

/// On OS threads nobody schedules: an operation runs as soon as its guard holds and the thread gets
/// the kernel.
fn perform_on_thread<R>(
    op: impl Publish,
    alternatives: Option<impl FnOnce(&Objects, u64) -> u32>,
    action: impl FnOnce(&mut Objects, &mut Cx<'_>, u32) -> R,
) -> R {
    let Some((shared, task)) = shared() else { panic!("{OUTSIDE}") };
    let mut kernel = shared.lock();
    op.publish(&mut kernel, task);
    while !kernel.core.stopping && !kernel.is_enabled(task) {
        if !kernel.can_move() && !kernel.move_time() {
            kernel.core.current = task;
            kernel.come_to_rest();
        }
        shared.moved.notify_all();
        if !kernel.core.stopping && !kernel.is_enabled(task) {
            kernel = shared.moved.wait(kernel).unwrap_or_else(PoisonError::into_inner);
        }
    }
    if kernel.core.stopping {
        drop(kernel);
        halt();
    }
    kernel.record_free_step(task);
    let of = alternatives.map_or(1, |alternatives| alternatives(&kernel.objects, kernel.core.now()));
    let chosen = if of > 1 { with_host(|host| host.choose(of)) } else { 0 };
    if of > 1 {
        kernel.choose_value(chosen, of);
    }
    let result = execute(&mut kernel, |objects, cx| action(objects, cx, chosen));
    drop(kernel);
    shared.moved.notify_all();
    result.unwrap_or_else(|| halt())
}

/// Runs the operation that the task in control has published. Nothing if the run is over, before it or by it.
fn execute<R>(kernel: &mut Kernel, action: impl FnOnce(&mut Objects, &mut Cx<'_>) -> R) -> Option<R> {
    if kernel.core.stopping {
        return None;
    }
    let site = kernel.begin_step();
    act(kernel, site, action)
}

/// Runs an action of the task in control. Nothing if that ends the run.
#[inline(always)]
fn act<R>(
    kernel: &mut Kernel,
    site: &'static Location<'static>,
    action: impl FnOnce(&mut Objects, &mut Cx<'_>) -> R,
) -> Option<R> {
    let Kernel { objects, core } = kernel;
    let mut cx = Cx { core, site, owned: SmallVec::new() };
    let result = action(objects, &mut cx);
    let owned = cx.owned;
    if !owned.is_empty() {
        pass_on(objects, owned);
    }
    kernel.core.end_step();
    (!kernel.core.stopping).then_some(result)
}

/// Records who holds what from here on.
fn pass_on(objects: &mut Objects, owned: SmallVec<[(ObjectId, TaskId, bool); 2]>) {
    for (object, owner, owns) in owned {
        let owners = &mut objects.slots[object.index()].meta.owners;
        if owns {
            owners.push(owner);
        } else if let Some(at) = owners.iter().position(|t| *t == owner).or((!owners.is_empty()).then_some(0))
        {
            owners.remove(at);
        }
    }
}

/// What an action can do besides changing its objects.
pub struct Cx<'k> {
    core: &'k mut crate::kernel::Core,
    site: &'static Location<'static>,
    owned: SmallVec<[(ObjectId, TaskId, bool); 2]>,
}

impl Cx<'_> {
    /// The task that acts.
    pub fn task(&self) -> TaskId {
        self.core.current
    }

    /// The name of the task that acts.
    pub fn task_name(&self) -> &str {
        self.core.task_name(self.core.current)
    }

    /// The number of steps before this one.
    pub fn step(&self) -> u32 {
        self.core.steps()
    }

    /// The virtual time, in nanoseconds. An action that depends on it must [touch](MultiOp::reads_time) the
    /// time.
    pub fn now(&self) -> u64 {
        self.core.now()
    }

    /// Learns what was released into `clock`: a happens-before edge from there to here.
    pub fn acquire(&mut self, clock: &Clock) {
        let task = self.core.current;
        self.core.clock_mut(task).join(clock);
    }

    /// Releases what the task knows into `clock`, which forgets what it held (a release *store*).
    pub fn release(&mut self, clock: &mut Clock) {
        let task = self.core.current;
        clock.clone_from(self.core.clock(task));
        self.core.clock_mut(task).tick(task);
    }

    /// Releases what the task knows into `clock`, on top of what it holds.
    pub fn release_merge(&mut self, clock: &mut Clock) {
        let task = self.core.current;
        clock.join(self.core.clock(task));
        self.core.clock_mut(task).tick(task);
    }

    /// A plain read of the location behind `shadow`; an unordered earlier write is a data race.
    pub fn plain_read(&mut self, shadow: &mut Shadow, what: &str) {
        self.core.check_access(shadow, what, false, self.site);
    }

    /// A plain write of the location behind `shadow`; an unordered earlier access is a data race.
    pub fn plain_write(&mut self, shadow: &mut Shadow, what: &str) {
        self.core.check_access(shadow, what, true, self.site);
    }

    /// Says for the trace what the action saw or did. The text is made only if it is recorded.
    pub fn note<T: Into<String>>(&mut self, note: impl FnOnce() -> T) {
        if self.core.config().record {
            self.core.note(note().into());
        }
    }

    /// The task holds `object` from here on (for the wait-for graph).
    pub fn own<S>(&mut self, object: Obj<S>) {
        self.owned.push((object.id, self.core.current, true));
    }

    /// The task no longer holds `object`; if it never did, whoever holds it gives it up.
    pub fn disown<S>(&mut self, object: Obj<S>) {
        self.owned.push((object.id, self.core.current, false));
    }

    /// The modelled process dies of a panic that nobody recovers.
    pub fn panic(&mut self, text: impl Into<String>) {
        self.fail(Kind::Panic, text.into(), None);
    }

    /// The modelled runtime gives up: `fatal error: text`.
    pub fn fatal(&mut self, text: impl Into<String>) {
        self.fail(Kind::Fatal, text.into(), None);
    }

    /// An oracle is violated by this action.
    pub fn violated(&mut self, oracle: &str, text: impl Into<String>) {
        self.fail(Kind::Oracle, text.into(), Some(oracle));
    }

    /// Makes an object. The path by which other tasks learn of it is up to the action.
    pub fn create<S: Send + 'static>(
        &mut self,
        objects: &mut Objects,
        kind: &'static str,
        name: impl Into<Name>,
        state: S,
    ) -> Obj<S> {
        objects.make(self.core, kind, name.into(), state, self.site)
    }

    /// `task` never runs again: what it has published is taken off the board, and it counts neither
    /// as blocked nor as returned. Every operation of a task that can be killed must conflict with
    /// the killing one. The acting task itself cannot be meant.
    pub fn kill(&mut self, objects: &mut Objects, task: TaskId) {
        Kernel::kill(objects, self.core, task);
    }

    /// `object`'s whole state is the one that `digest` identifies, so that a search need not tell
    /// apart the ways that led to it. It must be a digest of all that any later guard, action or
    /// check can see; 0 if nothing can see it any more. It is made only in runs that
    /// [identify](crate::RunConfig::identify) themselves.
    pub fn identify<S>(
        &mut self,
        objects: &mut Objects,
        object: Obj<S>,
        digest: impl FnOnce(&Objects) -> u64,
    ) {
        if self.core.config().identify {
            objects.slots[object.id.index()].meta.state = digest(objects);
        }
    }

    /// True in runs that [identify](crate::RunConfig::identify) themselves.
    pub fn identifies(&self) -> bool {
        self.core.config().identify
    }

    /// `what` makes a digest of all that the acting task learns by this operation. It is called only in runs that
    /// [identify](crate::RunConfig::identify) themselves.
    pub fn learned(&mut self, what: impl FnOnce() -> u64) {
        if self.core.config().identify {
            self.core.learned(what());
        }
    }

    fn fail(&mut self, kind: Kind, text: String, oracle: Option<&str>) {
        let site = Some(Site::of(self.site));
        self.core.find_out(kind, text, oracle, site, Detail::None);
    }
}
