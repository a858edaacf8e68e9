//! Where an exploration stands: the choices on the way to the present run, and at each what has been tried
//! and what is still to be.

use super::order::conflicts;
use super::run::{Run, Tasks, add_touch, steps_since};
use bohr_kernel::{Event, Footprint, TaskId};
use serde::{Deserialize, Serialize};

/// A task whose next step need not be explored here: that was done from an earlier choice, and nothing that
/// conflicts with it has happened since (a sleep set's member; Godefroid 1996, section 5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Asleep {
    pub(super) task: TaskId,
    /// What the step touches.
    objects: Footprint,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Level {
    Task(TaskLevel),
    Value {
        /// The number of steps before it.
        step: usize,
        chosen: u32,
        of: u32,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TaskLevel {
    /// The number of steps before it.
    step: usize,
    /// The length of the log before it.
    log: usize,
    enabled: Tasks,
    /// Those who slept when it was reached, and those whose exploration from here has ended.
    sleep: Vec<Asleep>,
    /// Those who are to be explored from here, or have been (the paper's backtrack set).
    wanted: Tasks,
    pub(super) chosen: TaskId,
    /// What the chosen task's step touches, whatever values are chosen in it.
    objects: Footprint,
}

impl TaskLevel {
    /// A choice among tasks, after the one above it. Nothing if all that can be done here is asleep.
    pub(super) fn below(
        above: Option<&TaskLevel>,
        log: &[Event],
        step: usize,
        enabled: &[TaskId],
        current: Option<TaskId>,
        never_wake: bool,
    ) -> Option<TaskLevel> {
        let sleep = match above {
            Some(above) => above.sleep_after(log, never_wake).ok()?,
            None => Vec::new(),
        };
        let mut candidates = current.into_iter().chain(enabled.iter().copied());
        let chosen = candidates.find(|task| !sleep.iter().any(|asleep| asleep.task == *task))?;
        Some(TaskLevel {
            step,
            log: log.len(),
            enabled: enabled.iter().copied().collect(),
            sleep,
            wanted: Tasks::from_slice(&[chosen]),
            chosen,
            objects: Footprint::new(),
        })
    }

    /// Who sleeps after all that the log has since. An error if meanwhile a task ran, for want of others, that
    /// was asleep: the number of steps before it and who could run.
    pub(super) fn sleep_after(&self, log: &[Event], never_wake: bool) -> Result<Vec<Asleep>, (usize, Tasks)> {
        let mut sleep = self.sleep.clone();
        for (n, (task, objects)) in steps_since(log, self.log).enumerate() {
            if n > 0 && sleep.iter().any(|asleep| asleep.task == task) {
                return Err((self.step + n, Tasks::from_slice(&[task])));
            }
            sleep.retain(|asleep| never_wake || !conflicts(&asleep.objects, &objects));
        }
        Ok(sleep)
    }

    /// True if these are the tasks that could go on when it was reached.
    pub(super) fn was_reached_with(&self, enabled: &[TaskId]) -> bool {
        self.enabled[..] == *enabled
    }

    /// All that can be done here is to be explored.
    pub(super) fn want_all(&mut self) {
        self.wanted.clone_from(&self.enabled);
    }

    /// One of these is to be explored, if none is or was. Those that cannot run here do not count.
    fn want_one_of(&mut self, initials: &[TaskId]) {
        let covered =
            |task: &TaskId| self.wanted.contains(task) || self.sleep.iter().any(|a| a.task == *task);
        if initials.iter().any(covered) {
            return;
        }
        self.wanted.extend(initials.iter().copied().find(|task| self.enabled.contains(task)));
    }

    /// Lays the chosen task to sleep and takes the next; false if there is none.
    fn next(&mut self) -> bool {
        let objects = std::mem::take(&mut self.objects);
        self.sleep.push(Asleep { task: self.chosen, objects });
        let asleep = |task: &TaskId| self.sleep.iter().any(|asleep| asleep.task == *task);
        let next = self.wanted.iter().copied().find(|task| !asleep(task));
        self.chosen = next.unwrap_or(self.chosen);
        next.is_some()
    }
}

/// The choices on the way to the present run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stack {
    pub(super) levels: Vec<Level>,
    /// How many of them stay as they are: the others are below.
    fixed: usize,
    /// How many steps of the next run are those of the last one.
    pub(super) known_steps: usize,
}

impl Stack {
    /// The last choice among tasks.
    pub(super) fn last_task(&self) -> Option<&TaskLevel> {
        self.levels.iter().rev().find_map(|level| match level {
            Level::Task(level) => Some(level),
            Level::Value { .. } => None,
        })
    }

    /// The number of choices among tasks.
    pub(super) fn task_levels(&self) -> usize {
        self.levels.iter().filter(|level| matches!(level, Level::Task(_))).count()
    }

    /// What is below the present choices, as an exploration of its own.
    pub(super) fn below(&self) -> Stack {
        Stack { levels: self.levels.clone(), fixed: self.levels.len(), known_steps: 0 }
    }

    /// One of these tasks is to be explored before that step. Where only one could run there is no choice, and
    /// no level.
    pub(super) fn want_one_of(&mut self, step: usize, initials: &[TaskId]) {
        if let Some(level) = self.at_step(step) {
            level.want_one_of(initials);
        }
    }

    /// Everything that could be done instead of that step is to be explored.
    pub(super) fn want_each(&mut self, step: usize) {
        if let Some(level) = self.at_step(step) {
            level.want_all();
        }
    }

    fn at_step(&mut self, step: usize) -> Option<&mut TaskLevel> {
        let from = self.levels.partition_point(|level| level.step() < step);
        let levels = self.levels.iter_mut().enumerate().skip(from.max(self.fixed));
        let mut here = levels.map(|(_, level)| level).take_while(|level| level.step() == step);
        here.find_map(|level| match level {
            Level::Task(level) => Some(level),
            Level::Value { .. } => None,
        })
    }

    /// Learns what the steps at its choices touched.
    pub(super) fn learn(&mut self, run: &Run) {
        for level in &mut self.levels[self.fixed..] {
            if let Level::Task(level) = level
                && level.step < run.steps.len()
            {
                run.op(level.step).objects.iter().for_each(|touch| add_touch(&mut level.objects, *touch));
            }
        }
    }

    /// Goes to the next choices to explore; false if there are none.
    pub(super) fn advance(&mut self) -> bool {
        while self.levels.len() > self.fixed {
            let level = self.levels.last_mut().expect("there is one below the fixed ones");
            if level.next() {
                // What a task publishes after a choice depends on the value.
                let changed = matches!(level, Level::Value { .. });
                self.known_steps = level.step().saturating_sub(usize::from(changed));
                return true;
            }
            self.levels.pop();
        }
        false
    }
}

impl Level {
    /// Takes the next alternative that is to be explored; false if there is none.
    fn next(&mut self) -> bool {
        match self {
            Level::Task(level) => level.next(),
            Level::Value { chosen, of, .. } => {
                *chosen += 1;
                *chosen < *of
            }
        }
    }

    fn step(&self) -> usize {
        match self {
            Level::Task(level) => level.step,
            Level::Value { step, .. } => *step,
        }
    }
}
