//! Running one input after another, without beginning anew each time.

use super::{Input, Target, read_schedule, split};
use crate::engine::FastEngine;
use crate::strategy::{Features, Greybox, Policy};
use bohr_coroutine::{Coroutine, suspend};
use bohr_kernel::{Engine, Kernel, Outcome, Point, Program, RunConfig, Strategy, TaskId, choices_of};
use std::cell::RefCell;
use std::rc::Rc;

/// Runs the inputs of a target.
///
/// What an exploration needs, its kernel and its stacks, is kept for the programs that ran last: an engine goes through
/// the runs of one program in a loop, so that loop runs on a stack of its own and is left where it asks for the next
/// run.
pub struct Runner {
    target: Target,
    feedback: bool,
    /// The one that was used last comes last.
    kept: Vec<Kept>,
}

/// What came of an input.
#[derive(Debug)]
pub struct Ran {
    /// The variant that was run.
    pub variant: String,
    /// The workload.
    pub workload: String,
    /// The run.
    pub outcome: Outcome,
    /// What the run is known by, each once, as numbers that are the same in every process; empty without feedback.
    pub features: Vec<u64>,
}

struct Kept {
    /// The section of inputs that run this.
    section: Vec<u8>,
    variant: String,
    workload: String,
    session: Session,
}

/// How many programs are kept. Each has stacks for its tasks.
const MOST_KEPT: usize = 32;

impl Runner {
    /// Nothing run yet. With feedback, runs tell what they are known by, which costs time.
    pub fn new(target: Target, feedback: bool) -> Self {
        Runner { target, feedback, kept: Vec::new() }
    }

    /// The target.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Runs an input. Nothing if the bytes are none.
    pub fn run(&mut self, bytes: &[u8]) -> Option<Ran> {
        let (section, schedule) = split(bytes);
        let kept = self.kept(section)?;
        let (outcome, features) = kept.session.run(|choices| read_schedule(schedule, choices));
        Some(Ran { variant: kept.variant.clone(), workload: kept.workload.clone(), outcome, features })
    }

    /// Another schedule for the variant and the workload of an input: the next that the [greybox policy](Greybox) makes
    /// of those that it has made here before. A mutator that only changes bytes cannot aim at what has not shown yet.
    /// Nothing if the bytes are no input. `seed` matters the first time.
    pub fn steered(&mut self, bytes: &[u8], seed: u64) -> Option<Input> {
        let kept = self.kept(split(bytes).0)?;
        let outcome = kept.session.steer(seed);
        let choices = choices_of(&outcome.decisions);
        Some(Input::new(&kept.variant, &kept.workload, choices))
    }

    /// The program that inputs with this section run.
    fn kept(&mut self, section: &[u8]) -> Option<&mut Kept> {
        let place = self.kept.iter().rposition(|kept| kept.section == section);
        match place {
            Some(place) => self.kept[place..].rotate_left(1),
            None => self.keep(section)?,
        }
        self.kept.last_mut()
    }

    fn keep(&mut self, section: &[u8]) -> Option<()> {
        let (variant, workload) = self.target.section(section)?;
        let program = self.target.scenario.program(&variant, &workload).ok()?;
        if self.kept.len() == MOST_KEPT {
            self.kept.remove(0);
        }
        let session = Session::new(program, self.target.config(), self.feedback);
        self.kept.push(Kept { section: section.to_vec(), variant, workload, session });
        Some(())
    }
}

/// Runs one schedule.
pub(super) fn once(program: &Program, config: RunConfig, schedule: &[u32]) -> Outcome {
    let mut session = Session::new(program.clone(), config, false);
    session.run(|choices| choices.extend(schedule)).0
}

/// An exploration that waits for the next schedule.
struct Session {
    exploration: Coroutine,
    follows: Rc<RefCell<Follows>>,
}

impl Session {
    fn new(program: Program, config: RunConfig, feedback: bool) -> Self {
        let follows = Rc::new(RefCell::new(Follows {
            schedule: Vec::new(),
            at: 0,
            over: false,
            outcome: None,
            features: feedback.then(Features::default),
            steers: false,
            greybox: None,
        }));
        let strategy = follows.clone();
        let exploration = Coroutine::new(move || {
            FastEngine.explore(&program, config, Rc::new(RefCell::new(Waits(strategy))))
        });
        Session { exploration, follows }
    }

    /// Runs the schedule that is written into the list.
    fn run(&mut self, schedule: impl FnOnce(&mut Vec<u32>)) -> (Outcome, Vec<u64>) {
        {
            let mut follows = self.follows.borrow_mut();
            follows.at = 0;
            schedule(&mut follows.schedule);
        }
        self.exploration.resume();
        let mut follows = self.follows.borrow_mut();
        let outcome = follows.outcome.take().expect("a run was made");
        let features = follows.features.as_mut().map_or_else(Vec::new, |features| features.shown().to_vec());
        (outcome, features)
    }

    /// Runs a schedule of the greybox policy.
    fn steer(&mut self, seed: u64) -> Outcome {
        {
            let mut follows = self.follows.borrow_mut();
            follows.steers = true;
            follows.greybox.get_or_insert_with(|| Box::new(Greybox::new(seed))).begin();
        }
        self.exploration.resume();
        let mut follows = self.follows.borrow_mut();
        follows.steers = false;
        let outcome = follows.outcome.take().expect("a run was made");
        follows.greybox.as_mut().expect("it made the run").end(&outcome);
        outcome
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Its loop ends, which spares unwinding it.
        self.follows.borrow_mut().over = true;
        self.exploration.resume();
    }
}

struct Follows {
    schedule: Vec<u32>,
    at: usize,
    over: bool,
    outcome: Option<Outcome>,
    features: Option<Features>,
    /// The run that is going on is the greybox policy's.
    steers: bool,
    greybox: Option<Box<Greybox>>,
}

impl Follows {
    /// The policy, if the run is its.
    fn steering(&mut self) -> Option<&mut Greybox> {
        self.greybox.as_deref_mut().filter(|_| self.steers)
    }
}

/// Follows a schedule, and then waits for another.
struct Waits(Rc<RefCell<Follows>>);

impl Strategy for Waits {
    fn begin(&mut self) -> bool {
        let mut follows = self.0.borrow_mut();
        if let Some(features) = &mut follows.features {
            features.begin_run();
        }
        !follows.over
    }

    fn choose(&mut self, kernel: &Kernel, point: &Point<'_>) -> Option<u32> {
        let follows = &mut *self.0.borrow_mut();
        if let Some(greybox) = follows.steering() {
            return Some(greybox.choose(kernel, point));
        }
        let choice = follows.schedule.get(follows.at).copied().unwrap_or(0);
        follows.at += 1;
        let choice = choice % point.alternatives();
        if let (Point::Value { .. }, Some(features)) = (point, &mut follows.features) {
            features.draws(kernel.current(), choice);
        }
        Some(choice)
    }

    fn sees_steps(&self) -> bool {
        let follows = self.0.borrow();
        follows.steers || follows.features.is_some()
    }

    fn runs(&mut self, kernel: &Kernel, task: TaskId) {
        let follows = &mut *self.0.borrow_mut();
        if let Some(greybox) = follows.steering() {
            greybox.runs(kernel, task);
        } else if let Some(features) = &mut follows.features {
            features.runs(kernel, task);
        }
    }

    fn end(&mut self, outcome: Outcome) {
        self.0.borrow_mut().outcome = Some(outcome);
        suspend();
    }
}
