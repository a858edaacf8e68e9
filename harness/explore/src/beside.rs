//! What another form of a program does under the schedule of a run.

use crate::engine::FastEngine;
use crate::strategy::{Follow, Noting, Replay};
use bohr_kernel::{Outcome, Program, RunConfig, TaskId, Trace};

/// How often the tasks' numbers are looked up anew: one is enough unless the order of their making depends on
/// the turns.
const ATTEMPTS: usize = 3;

/// Runs `other` with its tasks taking turns as those of `program` did when it made these choices, for as long
/// as they can: who cannot go on takes its turn as soon as it can, and where the turns end nobody is preempted.
/// The run is recorded, and goes to its end whatever it shows.
///
/// Tasks correspond by their names, and of several with one name in the order of their making. The two
/// programs need not make them in the same order.
pub fn beside(program: &Program, other: &Program, config: RunConfig, choices: Vec<u32>) -> Outcome {
    let logged = RunConfig { record: true, log: true, ..config };
    let (replay, drawn) =
        FastEngine.explore_by(program, logged, Noting::new(Replay::new(choices))).into_parts();
    let model = replay.into_outcome().and_then(|outcome| outcome.trace).unwrap_or_default();
    let turns: Vec<_> = model.steps.iter().filter(|step| !step.at_rest).map(|step| step.task).collect();
    let values: Vec<_> = drawn.iter().map(|drawn| (drawn.task, drawn.chosen)).collect();
    let run = |twins: &[Option<TaskId>]| {
        let twin = |task: TaskId| twins.get(task.0 as usize).copied().flatten();
        let turns = turns.iter().filter_map(|task| twin(*task)).collect();
        let values = values.iter().filter_map(|(task, value)| Some((twin(*task)?, *value))).collect();
        let config = RunConfig { keep_going: true, ..logged };
        let (outcome, _) = FastEngine.explore_by(other, config, Follow::new(turns, values)).into_outcome();
        outcome.expect("the engine ran once")
    };
    let ids = || (0..model.tasks.len()).map(|id| TaskId(id as u32));
    let mut twins: Vec<_> = ids().map(Some).collect();
    let mut outcome = run(&twins);
    // Which numbers the other's tasks have is known only once it has made them.
    for _ in 0..ATTEMPTS {
        let Some(theirs) = &outcome.trace else { break };
        let known: Vec<_> = ids().map(|task| twin(&model, theirs, task)).collect();
        if known == twins {
            break;
        }
        twins = known;
        outcome = run(&twins);
    }
    outcome
}

/// The task of another run that corresponds to `task`.
fn twin(ours: &Trace, theirs: &Trace, task: TaskId) -> Option<TaskId> {
    let name = &ours.tasks.get(task.0 as usize)?.name;
    let place = ours.tasks[..task.0 as usize].iter().filter(|t| t.name == *name).count();
    let mut same = theirs.tasks.iter().enumerate().filter(|(_, t)| t.name == *name);
    same.nth(place).map(|(id, _)| TaskId(id as u32))
}
