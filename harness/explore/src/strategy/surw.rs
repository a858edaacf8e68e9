//! Selectively uniform random walk.

use super::census::Census;
use super::random::{Policy, Rng};
use bohr_kernel::{Access, Kernel, ObjectId, Point, Published, TaskId};

/// Zhao, Wolff, Mathur & Roychoudhury, "Selectively uniform concurrency testing" (ASPLOS 2025), section 4: only
/// some operations of a run are interesting, and it is their orders that are equally likely. Who does the
/// next interesting one is drawn in proportion to how many each task has left, those of children counted that it
/// has yet to spawn. Others run freely until they come to an interesting operation, and there they wait. If the
/// drawn task cannot go on, because it waits for one that is held back, another is drawn among those that can.
///
/// In each run the operations on one object are interesting, drawn from those that two tasks have used in
/// conflicting ways, as in the paper's evaluation: a bug is mostly about the order of few of them. Objects go
/// by their number, which may differ between runs that make them in another order; then the run is no
/// more than a random walk with some tasks held back.
///
/// How many operations a task does on an object is their mean over the runs so far, and not, as in the paper,
/// their number in the first run. The first run is a random walk.
#[derive(Clone, Debug)]
pub struct Surw {
    rng: Rng,
    census: Census<Uses>,
    /// By object id, what has ever been done with it.
    seen: Vec<Seen>,
    /// The objects that tasks have used in conflicting ways.
    shared: Vec<ObjectId>,
    /// Whose operations are interesting in this run.
    interesting: Option<ObjectId>,
    /// Who does the next interesting operation.
    intended: Option<TaskId>,
}

#[derive(Clone, Debug, Default)]
struct Uses {
    runs: u64,
    /// By object id.
    operations: Vec<u64>,
}

/// Who has used an object, for each kind of access.
#[derive(Clone, Debug, Default)]
struct Seen {
    by: [Option<Users>; 3],
    shared: bool,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Users {
    One(usize),
    Several,
}

impl Surw {
    /// The schedules of a seed.
    pub fn new(seed: u64) -> Self {
        Surw {
            rng: Rng::salted(seed, "surw"),
            census: Census::new(),
            seen: Vec::new(),
            shared: Vec::new(),
            interesting: None,
            intended: None,
        }
    }

    fn note_births(&mut self, kernel: &Kernel) {
        while let Some(birth) = self.census.note_birth(kernel) {
            birth.known.runs += 1;
            // What was intended for the parent is meant for the child in proportion to its part in it.
            if let Some((parent, left)) = birth.parent
                && self.intended == Some(parent)
                && self.rng.below_wide(left.max(1)) < birth.left
            {
                self.intended = Some(birth.task);
            }
        }
    }

    /// True if `task` may run now; others wait at interesting operations until it is their turn.
    fn is_free(&self, kernel: &Kernel, task: TaskId) -> bool {
        self.intended == Some(task) || kernel.published(task).is_none_or(|op| !touches(op, self.interesting))
    }

    /// Draws who does the next interesting operation, among all that live.
    fn intend(&mut self, kernel: &Kernel) {
        let Surw { rng, census, interesting, .. } = self;
        let left = |task| match kernel.published(task) {
            _ if kernel.finished(task) => 0,
            // Whatever was expected.
            Some(op) if touches(op, *interesting) => census.left(task).max(1),
            _ => census.left(task),
        };
        self.intended =
            rng.weighted((0..kernel.tasks()).map(TaskId).map(left)).map(|task| TaskId(task as u32));
    }

    fn note_use(&mut self, kin: usize, object: ObjectId, access: Access) {
        let place = object.0 as usize;
        if self.seen.len() <= place {
            self.seen.resize(place + 1, Seen::default());
        }
        let seen = &mut self.seen[place];
        if !seen.shared && seen.is_shared_by(kin, access) {
            seen.shared = true;
            self.shared.push(object);
        }
    }
}

/// True if the operation is on `object`. Joining only waits for another task.
fn touches(op: &Published, object: Option<ObjectId>) -> bool {
    op.joins.is_none() && op.objects.iter().any(|(id, _)| Some(*id) == object)
}

const ACCESSES: [Access; 3] = [Access::Read, Access::Write, Access::Add];

impl Seen {
    /// Notes a use. True if it conflicts with another task's, in this run or an earlier one.
    fn is_shared_by(&mut self, kin: usize, access: Access) -> bool {
        let mut conflicts = false;
        for (known, users) in ACCESSES.into_iter().zip(&mut self.by) {
            let others = users.is_some_and(|users| users != Users::One(kin));
            conflicts |= others && access.conflicts(known);
            if access == known {
                *users = Some(if others { Users::Several } else { Users::One(kin) });
            }
        }
        conflicts
    }
}

impl Policy for Surw {
    fn begin(&mut self) {
        let drawn = self.rng.weighted(self.shared.iter().map(|_| 1));
        self.interesting = drawn.map(|place| self.shared[place]);
        self.intended = None;
        let interesting = self.interesting.map(|object| object.0 as usize);
        self.census.begin(|uses| {
            let operations = interesting.and_then(|object| uses.operations.get(object).copied());
            operations.unwrap_or(0).div_ceil(uses.runs.max(1))
        });
    }

    fn sees_steps(&self) -> bool {
        true
    }

    fn runs(&mut self, kernel: &Kernel, task: TaskId) {
        self.note_births(kernel);
        let Some(op) = kernel.published(task).filter(|op| op.joins.is_none()) else { return };
        if touches(op, self.interesting) {
            self.census.had_one(task);
            self.intended = None;
        }
        for (object, access) in &op.objects {
            let (kin, uses) = self.census.known(task);
            let place = object.0 as usize;
            if uses.operations.len() <= place {
                uses.operations.resize(place + 1, 0);
            }
            uses.operations[place] += 1;
            self.note_use(kin, *object, *access);
        }
    }

    fn choose(&mut self, kernel: &Kernel, point: &Point<'_>) -> u32 {
        let Point::Task { enabled, .. } = point else { return self.rng.below(point.alternatives()) };
        self.note_births(kernel);
        if self.interesting.is_none() {
            return self.rng.below(point.alternatives());
        }
        if self.intended.is_none() {
            self.intend(kernel);
        }
        let free = enabled.iter().filter(|task| self.is_free(kernel, **task)).count() as u32;
        let chosen = if free > 0 {
            let drawn = self.rng.below(free) as usize;
            enabled.iter().filter(|task| self.is_free(kernel, **task)).nth(drawn)
        } else {
            // Everybody is held back at an interesting operation, and so has one left, whatever was expected.
            let drawn = self.rng.weighted(enabled.iter().map(|task| self.census.left(*task).max(1)));
            drawn.map(|place| &enabled[place])
        };
        chosen.and_then(|task| point.choice_of(*task)).expect("some task is enabled")
    }
}
