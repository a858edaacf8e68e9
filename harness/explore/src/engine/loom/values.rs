//! The values that tasks choose: every way of choosing them, one after another.

use bohr_kernel::TaskId;

/// Which choice: whose, and the how manieth of that task's. A task is known by who spawned it as the how manieth,
/// since its id depends on the schedule.
type Key = (Vec<u32>, u32);

/// A depth-first search over what each choice gives. For each way, loom explores every schedule; what
/// one choice gives is then the same in all of them, so that loom sees a program that does not choose.
///
/// A choice that shows for the first time gives 0 from there on. No execution before met it, so these hold for
/// whatever it gives.
#[derive(Debug, Default)]
pub(super) struct Values {
    path: Vec<Choice>,
    /// By id.
    tasks: Vec<Chooser>,
    pub(super) never_advances: bool,
}

#[derive(Debug)]
struct Choice {
    key: Key,
    gives: u32,
    /// The most alternatives that it had in any execution.
    of: u32,
}

#[derive(Debug)]
struct Chooser {
    name: Vec<u32>,
    spawned: u32,
    chosen: u32,
}

impl Values {
    /// A run begins, with the main task.
    pub(super) fn begin(&mut self) {
        self.tasks.clear();
        self.tasks.push(Chooser { name: Vec::new(), spawned: 0, chosen: 0 });
    }

    /// The next task is there, and `parent` has spawned it.
    pub(super) fn spawn(&mut self, parent: TaskId) {
        let parent = &mut self.tasks[parent.0 as usize];
        parent.spawned += 1;
        let mut name = parent.name.clone();
        name.push(parent.spawned);
        self.tasks.push(Chooser { name, spawned: 0, chosen: 0 });
    }

    /// The number of tasks.
    pub(super) fn tasks(&self) -> usize {
        self.tasks.len()
    }

    /// What the next choice of a task gives, of so many alternatives.
    pub(super) fn choose(&mut self, task: TaskId, of: u32) -> u32 {
        let chooser = &mut self.tasks[task.0 as usize];
        chooser.chosen += 1;
        let key = (chooser.name.clone(), chooser.chosen);
        match self.path.iter_mut().find(|choice| choice.key == key) {
            Some(choice) => {
                choice.of = choice.of.max(of);
                // In another schedule there may be fewer: then the last stands for all beyond.
                choice.gives.min(of - 1)
            }
            None => {
                self.path.push(Choice { key, gives: 0, of });
                0
            }
        }
    }

    /// Turns to the next way of choosing; false if there is none.
    pub(super) fn advance(&mut self) -> bool {
        while let Some(last) = self.path.last_mut() {
            if last.gives + 1 < last.of && !self.never_advances {
                last.gives += 1;
                return true;
            }
            self.path.pop();
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every way in which a program chooses that draws like this.
    fn ways(draw: impl Fn(&mut dyn FnMut(u32, u32) -> u32)) -> Vec<Vec<u32>> {
        let mut values = Values::default();
        let mut ways = Vec::new();
        loop {
            values.begin();
            values.spawn(TaskId::MAIN);
            let mut way = Vec::new();
            draw(&mut |task, of| {
                way.push(values.choose(TaskId(task), of));
                way[way.len() - 1]
            });
            ways.push(way);
            if !values.advance() {
                return ways;
            }
        }
    }

    #[test]
    fn every_way_comes_once() {
        let all = ways(|choose| {
            if choose(0, 2) == 1 {
                choose(1, 3);
            }
        });
        assert_eq!(all, [vec![0], vec![1, 0], vec![1, 1], vec![1, 2]]);
    }

    #[test]
    fn a_choice_is_known_by_its_task() {
        let mut values = Values::default();
        values.begin();
        values.spawn(TaskId::MAIN);
        assert_eq!((values.choose(TaskId(0), 2), values.choose(TaskId(1), 2)), (0, 0));
        assert!(values.advance());
        values.begin();
        values.spawn(TaskId::MAIN);
        // In the other order now.
        assert_eq!((values.choose(TaskId(1), 2), values.choose(TaskId(0), 2)), (1, 0));
    }

    #[test]
    fn more_alternatives_later_are_not_missed() {
        let mut values = Values::default();
        let mut shown = Vec::new();
        loop {
            for of in [2, 3] {
                values.begin();
                shown.push((of, values.choose(TaskId::MAIN, of)));
            }
            if !values.advance() {
                break;
            }
        }
        shown.dedup();
        shown.sort_unstable();
        shown.dedup();
        assert_eq!(shown, [(2, 0), (2, 1), (3, 0), (3, 1), (3, 2)]);
    }
}
