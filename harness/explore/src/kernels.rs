//! Two classic kernels of concurrency bugs, of any size, to measure drivers with. Both are from SCTBench
//! (Thomson, Donaldson & Betts, "Concurrency testing using controlled schedulers", TOPC 2016), `reorder_bad` and
//! `twostage_bad`, and get harder with every task. Variables are atomic: that they race is not the bug.

use bohr_kernel::{Access, Obj, Program, join, spawn, violated};

/// Setters write 1 to `a`, then -1 to `b`. Checkers read `a`, then `b`, and must see either both untouched or
/// both set. The main task spawns setters, then checkers, and joins all.
pub fn reorder(setters: usize, checkers: usize) -> Program {
    Program::new(move || {
        let (a, b) = (Cell::new("a"), Cell::new("b"));
        let set = move || {
            a.store(1);
            b.store(-1);
        };
        let check = move || {
            let seen = (a.load(), b.load());
            if seen != (0, 0) && seen != (1, -1) {
                violated("reorder", format!("a and b are {seen:?}"));
            }
        };
        run_all((setters, set), (checkers, check));
    })
}

/// Writers set `first` to 1 under one lock, then `second` to `first` + 1 under another. Readers read `first`
/// under the first lock, return if it is 0, and then must see one more in `second` under the second. The main
/// task spawns writers, then readers, and joins all.
pub fn two_stage(writers: usize, readers: usize) -> Program {
    Program::new(move || {
        let locks = [Lock::new("l1"), Lock::new("l2")];
        let (first, second) = (Cell::new("first"), Cell::new("second"));
        let write = move || {
            locks[0].lock();
            first.store(1);
            locks[0].unlock();
            locks[1].lock();
            second.store(first.load() + 1);
            locks[1].unlock();
        };
        let read = move || {
            locks[0].lock();
            let seen = first.load();
            locks[0].unlock();
            if seen == 0 {
                return;
            }
            locks[1].lock();
            let next = second.load();
            locks[1].unlock();
            if next != seen + 1 {
                violated("two-stage", format!("first is {seen} and second {next}"));
            }
        };
        run_all((writers, write), (readers, read));
    })
}

fn run_all(
    (first, a): (usize, impl Fn() + Copy + Send + 'static),
    (then, b): (usize, impl Fn() + Copy + Send + 'static),
) {
    let mut tasks: Vec<_> = (0..first).map(|_| spawn("first", a)).collect();
    tasks.extend((0..then).map(|_| spawn("then", b)));
    tasks.into_iter().for_each(join);
}

#[derive(Copy, Clone)]
struct Cell(Obj<i32>);

impl Cell {
    fn new(name: &'static str) -> Self {
        Cell(Obj::create("atomic", name, 0))
    }

    fn load(self) -> i32 {
        self.0.op("load", Access::Read).run(|value, _| *value)
    }

    fn store(self, new: i32) {
        self.0.op("store", Access::Write).run(|value, _| *value = new);
    }
}

#[derive(Copy, Clone)]
struct Lock(Obj<bool>);

impl Lock {
    fn new(name: &'static str) -> Self {
        Lock(Obj::create("lock", name, false))
    }

    fn lock(self) {
        self.0.op("lock", Access::Write).when(|held, _| !held).run(|held, _| *held = true);
    }

    fn unlock(self) {
        self.0.op("unlock", Access::Write).run(|held, _| *held = false);
    }
}
