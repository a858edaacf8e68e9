//! Keeping to a schedule that was changed in one place.

use bohr_kernel::{Event, Kernel, Outcome, Point, Strategy, TaskId};

/// A value that a task has chosen.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Drawn {
    pub(crate) task: TaskId,
    /// The step in which it was chosen, or after which; none for a task that had not done any.
    pub(crate) step: Option<u32>,
    pub(crate) chosen: u32,
    pub(crate) of: u32,
}

/// Lets a strategy choose, and notes the values.
pub(crate) struct Noting<S> {
    inner: S,
    drawn: Vec<Drawn>,
}

impl<S> Noting<S> {
    pub(crate) fn new(inner: S) -> Self {
        Noting { inner, drawn: Vec::new() }
    }

    pub(crate) fn into_parts(self) -> (S, Vec<Drawn>) {
        (self.inner, self.drawn)
    }
}

impl<S: Strategy> Strategy for Noting<S> {
    fn begin(&mut self) -> bool {
        self.inner.begin()
    }

    fn choose(&mut self, kernel: &Kernel, point: &Point<'_>) -> Option<u32> {
        let chosen = self.inner.choose(kernel, point)?;
        if let Point::Value { of } = point {
            let task = kernel.current();
            self.drawn.push(Drawn { task, step: step_of(kernel, task), chosen, of: *of });
        }
        Some(chosen)
    }

    fn end(&mut self, outcome: Outcome) {
        self.inner.end(outcome);
    }
}

/// The step that a task which has control is in, or did last. The run is logged.
fn step_of(kernel: &Kernel, task: TaskId) -> Option<u32> {
    kernel.log().iter().rev().find_map(|event| match event {
        Event::Publishes { task: who, .. } if *who == task => Some(kernel.steps()),
        Event::Runs { task: who, .. } if *who == task => kernel.steps().checked_sub(1),
        _ => None,
    })
}

/// Keeps a task from doing what it is about to do, for a while.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Delay {
    pub(crate) task: TaskId,
    /// From here on: a number of steps.
    pub(crate) from: u32,
    /// For so many steps of others.
    pub(crate) steps: u32,
    /// Who goes first meanwhile, and goes on for as long as it can.
    pub(crate) prefers: TaskId,
}

impl Delay {
    fn holds(&self, step: u32) -> bool {
        (self.from..self.from.saturating_add(self.steps)).contains(&step)
    }
}

/// Gives tasks their turns in a given order, as far as they can take them: who cannot go on takes its turn as
/// soon as it can. Where the order ends, nobody is preempted. Each task chooses the given values, one after
/// another. Runs must be logged.
pub(crate) struct Follow {
    /// The turns that have not been taken.
    turns: Vec<TaskId>,
    values: Vec<(TaskId, u32)>,
    /// Where no value is given, the last and not the first is chosen.
    last: bool,
    /// No value was given where one was to be chosen.
    anew: bool,
    delay: Option<Delay>,
    /// How much of the log has been looked at.
    read: usize,
    begun: bool,
    outcome: Option<Outcome>,
}

impl Follow {
    pub(crate) fn new(turns: Vec<TaskId>, values: Vec<(TaskId, u32)>) -> Self {
        Follow { turns, values, last: false, anew: false, delay: None, read: 0, begun: false, outcome: None }
    }

    pub(crate) fn delayed(self, delay: Option<Delay>) -> Self {
        Follow { delay, ..self }
    }

    /// Chooses the last value instead of the first where none is given.
    pub(crate) fn last(self, last: bool) -> Self {
        Follow { last, ..self }
    }

    /// What the run has shown, and whether a value was chosen that was not given.
    pub(crate) fn into_outcome(self) -> (Option<Outcome>, bool) {
        (self.outcome, self.anew)
    }

    /// Crosses off the turns that were taken, those without a choice included.
    fn catch_up(&mut self, log: &[Event]) {
        for event in &log[self.read..] {
            if let Event::Runs { task, .. } = event
                && let Some(at) = self.turns.iter().position(|turn| turn == task)
            {
                self.turns.remove(at);
            }
        }
        self.read = log.len();
    }

    fn next(&self, step: u32, enabled: &[TaskId], current: Option<TaskId>) -> Option<TaskId> {
        let mut turns = self.turns.iter().copied();
        let Some(delay) = self.delay.filter(|delay| delay.holds(step)) else {
            return turns.find(|turn| enabled.contains(turn));
        };
        let may = |task: &TaskId| *task != delay.task && enabled.contains(task);
        let stays = current.filter(|_| step > delay.from).into_iter();
        stays.chain([delay.prefers]).chain(turns).chain(enabled.iter().copied()).find(may)
    }
}

impl Strategy for Follow {
    fn begin(&mut self) -> bool {
        !std::mem::replace(&mut self.begun, true)
    }

    fn choose(&mut self, kernel: &Kernel, point: &Point<'_>) -> Option<u32> {
        match point {
            Point::Task { enabled, current } => {
                self.catch_up(kernel.log());
                let next = self.next(kernel.steps(), enabled, *current);
                Some(next.and_then(|task| point.choice_of(task)).unwrap_or(0))
            }
            Point::Value { of } => {
                let drawn = self.values.iter().position(|(task, _)| *task == kernel.current());
                self.anew |= drawn.is_none();
                let anew = if self.last { of - 1 } else { 0 };
                let value = drawn.map_or(anew, |at| self.values.remove(at).1);
                Some(value.min(of - 1))
            }
        }
    }

    fn end(&mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }
}
