//! Bohr's side: the kernel, its tasks on their coroutines, and which of them loom may let go on.

use super::gates::Gates;
use super::values::Values;
use super::{DoesNotFit, LoomExplored, LoomSabotage, MOST_TASKS, Sink, go_through};
use crate::engine::fast::{Unborn, Worker};
use bohr_coroutine::{Coroutine, suspend};
use bohr_kernel::{
    Footprint, Host, Kernel, Kind, Next, Point, Program, RunConfig, Runs, TaskId, conclude, with_kernel,
};
use loom::thread::Thread;
use smallvec::SmallVec;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// What all executions of an exploration share.
pub(super) struct Bohr {
    program: Program,
    config: RunConfig,
    sabotage: Option<LoomSabotage>,
    runs: Runs,
    host: Rc<LoomHost>,
    workers: RefCell<Vec<Worker>>,
    run: RefCell<Run>,
    gates: RefCell<Option<Rc<Gates>>>,
    /// The most objects that a run had so far.
    objects: Cell<usize>,
    most: Option<u64>,
    executions: Cell<u64>,
    sink: RefCell<Sink>,
    /// The sink has had enough.
    enough: Cell<bool>,
    /// Some execution was given up.
    gave_up: Cell<bool>,
    does_not_fit: Cell<Option<DoesNotFit>>,
}

/// The present run.
#[derive(Default)]
struct Run {
    goes_on: bool,
    /// Who may go on.
    enabled: SmallVec<[TaskId; MOST_TASKS]>,
    /// By id, those that have begun.
    tasks: Vec<Follower>,
    over: bool,
}

/// A task, and the loom thread that goes through gates for it.
#[derive(Default)]
struct Follower {
    /// What the task does next, or would do next if it still could.
    footprint: Footprint,
    thread: Option<Thread>,
    turn: Turn,
}

/// What the thread of a task has to do.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Turn {
    /// To go through the gates of the task's next operation. It has to even if the run is over by then: loom must
    /// learn what the task could have done instead.
    #[default]
    Gates,
    /// To wait: it went through them, and the guard did not hold; nor has it since.
    Wait,
    /// To return.
    Return,
}

impl Bohr {
    pub(super) fn new(
        program: &Program,
        config: RunConfig,
        most: Option<u64>,
        sabotage: Option<LoomSabotage>,
        sink: Sink,
    ) -> Self {
        let host = Rc::new(LoomHost::default());
        host.values.borrow_mut().never_advances = sabotage == Some(LoomSabotage::Values);
        Bohr {
            runs: Runs::new(program.kernel(config), host.clone()),
            program: program.clone(),
            config,
            sabotage,
            host,
            workers: RefCell::default(),
            run: RefCell::default(),
            gates: RefCell::default(),
            objects: Cell::new(0),
            most,
            executions: Cell::new(0),
            sink: RefCell::new(sink),
            enough: Cell::new(false),
            gave_up: Cell::new(false),
            does_not_fit: Cell::new(None),
        }
    }

    /// The result, if loom has ended or was left.
    pub(super) fn explored(&self, ended: bool) -> Result<LoomExplored, DoesNotFit> {
        match self.does_not_fit.get() {
            Some(why) => Err(why),
            None => Ok(LoomExplored { all: ended && !self.gave_up.get(), executions: self.executions.get() }),
        }
    }

    /// Turns to the next way of choosing values; false if there is none.
    pub(super) fn next_values(&self) -> bool {
        self.host.values.borrow_mut().advance()
    }

    /// The gates of the present execution.
    pub(super) fn gates(&self) -> Rc<Gates> {
        self.gates.borrow().clone().expect("an execution has gates")
    }

    /// Ends the run before, if there is one, and hands over what it has shown. False if there is to be no other.
    pub(super) fn end_run(self: &Rc<Self>) -> bool {
        if std::mem::take(&mut self.run.borrow_mut().goes_on) {
            if let Some(gates) = self.gates.take() {
                self.objects.set(gates.objects());
            }
            let tasks = self.host.values.borrow().tasks();
            if tasks > MOST_TASKS {
                self.does_not_fit.set(Some(DoesNotFit::Tasks(tasks)));
            }
            self.on_a_stack(|bohr| {
                let outcome = conclude();
                if outcome.abandoned {
                    bohr.gave_up.set(true);
                } else {
                    bohr.executions.set(bohr.executions.get() + 1);
                    if !(bohr.sink.borrow_mut())(outcome) {
                        bohr.enough.set(true);
                    }
                }
            });
        }
        let spent = self.most.is_some_and(|most| self.executions.get() >= most);
        !(spent || self.enough.get() || self.does_not_fit.get().is_some())
    }

    /// Begins a run. The calling loom thread is the main task's.
    pub(super) fn begin_run(self: &Rc<Self>) {
        *self.gates.borrow_mut() = Some(Rc::new(Gates::new(self.objects.get(), self.sabotage)));
        *self.run.borrow_mut() = Run { goes_on: true, ..Run::default() };
        self.host.begin();
        self.on_a_stack(|bohr| {
            bohr.runs.with_kernel(|kernel| bohr.program.renew(kernel, bohr.config));
            bohr.runs.enter();
            bohr.settle();
        });
        self.run.borrow_mut().tasks[0].thread = Some(loom::thread::current());
    }

    /// Gives each new task a thread.
    pub(super) fn start_threads(self: &Rc<Self>) {
        let new = {
            let run = self.run.borrow();
            let threads = run.tasks.iter().filter(|task| task.thread.is_some()).count();
            threads..run.tasks.len().min(MOST_TASKS)
        };
        for task in new {
            let bohr = Rc::clone(self);
            let thread = loom::thread::spawn(move || go_through(&bohr, TaskId(task as u32)));
            self.run.borrow_mut().tasks[task].thread = Some(thread.thread().clone());
        }
    }

    /// What a task does next.
    pub(super) fn footprint(&self, task: TaskId) -> Footprint {
        self.run.borrow().tasks[task.0 as usize].footprint.clone()
    }

    /// True if a task may go on. If not, its thread has to wait.
    pub(super) fn may_go_on(self: &Rc<Self>, task: TaskId) -> bool {
        if self.gates().worn_out() {
            self.give_up();
        }
        let run = &mut *self.run.borrow_mut();
        let may = run.enabled.contains(&task);
        if !may {
            run.tasks[task.0 as usize].turn = Turn::Wait;
        }
        may
    }

    /// Lets a task go on that may. True if that stops the run.
    pub(super) fn step(self: &Rc<Self>, task: TaskId) -> bool {
        let stops = Rc::new(Cell::new(false));
        let told = stops.clone();
        self.on_a_stack(move |bohr| {
            bohr.runs.with_kernel(|kernel| {
                let next = kernel.next_task();
                kernel.choose_task(task, next);
            });
            bohr.resume(task);
            let returned = bohr.runs.with_kernel(|kernel| kernel.finished(task));
            told.set(bohr.settle());
            if returned || told.get() {
                bohr.run.borrow_mut().tasks[task.0 as usize].turn = Turn::Return;
            }
        });
        self.wake();
        stops.get()
    }

    /// What the thread of a task has to do now.
    pub(super) fn turn(&self, task: TaskId) -> Turn {
        let run = self.run.borrow();
        match run.tasks[task.0 as usize].turn {
            Turn::Wait if run.over => Turn::Return,
            turn => turn,
        }
    }

    /// Ends the run, if it is not over: what it would have shown is not known.
    pub(super) fn give_up(self: &Rc<Self>) {
        let goes_on = {
            let run = self.run.borrow();
            run.goes_on && !run.over
        };
        if goes_on {
            self.on_a_stack(|bohr| {
                bohr.runs.with_kernel(Kernel::abandon);
                bohr.settle();
            });
            self.wake();
        }
    }

    /// Wakes the threads that have something to do again.
    fn wake(&self) {
        let run = &mut *self.run.borrow_mut();
        for (id, task) in run.tasks.iter_mut().enumerate() {
            let enabled = run.enabled.contains(&TaskId(id as u32));
            if task.turn != Turn::Wait || !(enabled || run.over) {
                continue;
            }
            if enabled {
                task.turn = Turn::Gates;
            }
            if let Some(thread) = &task.thread {
                thread.unpark();
            }
        }
    }

    /// Lets new tasks begin, and time move if nothing else can happen, until all there is to do is to decide who goes
    /// on. If nobody can, the run is over, and all tasks return. True if what a task did stopped it.
    fn settle(&self) -> bool {
        let mut stops = false;
        let mut over = false;
        loop {
            let (next, stopped, ready) = self.runs.with_kernel(|kernel| {
                stops |= kernel.stopping() && !over;
                let next = kernel.next_task();
                let ready = matches!(next, Next::Forced(task) if kernel.published(task).is_some());
                (next, kernel.stopping(), ready)
            });
            over |= stopped;
            match next {
                Next::Over => break,
                Next::Choice => {
                    let enabled = self.runs.with_kernel(|kernel| match kernel.point() {
                        Point::Task { enabled, .. } => enabled.iter().copied().collect(),
                        Point::Value { .. } => SmallVec::new(),
                    });
                    self.run.borrow_mut().enabled = enabled;
                    return false;
                }
                Next::Forced(task) if ready && !over => {
                    self.run.borrow_mut().enabled = SmallVec::from_iter([task]);
                    return false;
                }
                Next::Forced(task) => {
                    self.runs.with_kernel(|kernel| kernel.choose_task(task, next));
                    self.resume(task);
                }
            }
        }
        let run = &mut *self.run.borrow_mut();
        run.enabled.clear();
        run.over = true;
        // Who goes over the bound keeps the others from running too.
        stops || self.runs.with_kernel(|kernel| kernel.findings().iter().any(|f| f.kind == Kind::StepBound))
    }

    /// Runs a task that has control until its next operation.
    fn resume(&self, task: TaskId) {
        let at = task.0 as usize;
        let mut workers = self.workers.borrow_mut();
        let born = self.run.borrow().tasks.len();
        for id in born..=at {
            if id == workers.len() {
                workers.push(Worker::new(&self.program, self.config));
            }
            workers[id].body.set(self.host.unborn.next(id));
            self.run.borrow_mut().tasks.push(Follower::default());
        }
        workers[at].coroutine.resume();
        self.runs.with_kernel(|kernel| {
            if let Some(next) = kernel.published(task) {
                // Joining only has to come after all that the other task does.
                let objects = if next.joins.is_some() { Footprint::new() } else { next.objects.clone() };
                self.run.borrow_mut().tasks[at].footprint = objects;
            }
        });
    }

    /// Runs something of Bohr's: loom's stacks have room for its own.
    fn on_a_stack(self: &Rc<Self>, work: impl FnOnce(&Rc<Self>) + 'static) {
        let bohr = Rc::clone(self);
        Coroutine::new(move || work(&bohr)).resume();
    }
}

#[derive(Default)]
struct LoomHost {
    unborn: Unborn,
    values: RefCell<Values>,
}

impl LoomHost {
    fn begin(&self) {
        self.unborn.clear();
        self.values.borrow_mut().begin();
    }
}

impl Host for LoomHost {
    fn goes_on(&self, _: &mut Kernel) -> bool {
        false
    }

    fn skips_forced(&self) -> bool {
        false
    }

    fn switch(&self) {
        suspend();
    }

    fn spawn(&self, _: TaskId, body: Box<dyn FnOnce() + Send>) {
        self.unborn.push(body);
        let parent = with_kernel(|kernel| kernel.current());
        let mut values = self.values.borrow_mut();
        values.spawn(parent);
        if values.tasks() > MOST_TASKS {
            with_kernel(Kernel::abandon);
        }
    }

    fn choose(&self, of: u32) -> u32 {
        let task = with_kernel(|kernel| kernel.current());
        self.values.borrow_mut().choose(task, of)
    }
}
