//! Loom as a second opinion: what it decides, what it needs, and what it cannot run.

use bohr_explore::engine::{DoesNotFit, LoomEngine, LoomExplored};
use bohr_explore::search::prove;
use bohr_explore::strategy::Limits;
use bohr_kernel::{Access, Obj, Outcome, Program, RunConfig, spawn};
use std::cell::RefCell;
use std::rc::Rc;

/// Tasks with one critical section each.
fn critical_sections(tasks: u32) -> Program {
    Program::new(move || {
        let lock = Obj::create("mutex", "m", false);
        let counter = Obj::create("cell", "x", 0);
        for task in 0..tasks {
            spawn(format!("t{task}"), move || {
                lock.op("lock", Access::Write).when(|held, _| !held).run(|held, _| *held = true);
                counter.op("add", Access::Write).run(|x, _| *x += 1);
                lock.op("unlock", Access::Write).run(|held, _| *held = false);
            });
        }
    })
}

fn by_loom(program: &Program) -> Result<(LoomExplored, Vec<Outcome>), DoesNotFit> {
    let shown: Rc<RefCell<Vec<Outcome>>> = Rc::default();
    let sink = {
        let shown = shown.clone();
        move |outcome| {
            shown.borrow_mut().push(outcome);
            true
        }
    };
    let explored = LoomEngine.explore(program, RunConfig::default(), None, sink)?;
    Ok((explored, shown.take()))
}

#[test]
fn counts() {
    for tasks in 1..=3 {
        let program = critical_sections(tasks);
        let t = std::time::Instant::now();
        let (explored, _) = by_loom(&program).unwrap();
        println!("{tasks}: {explored:?} {:?}", t.elapsed());
        println!("{:?}", prove(&program, RunConfig::default(), Limits::default(), |_| true));
    }
}

#[test]
fn dbg() {
    use bohr_explore::programs::{Do, Small};
    let small = Small {
        tasks: vec![vec![Do::Lock(1)], vec![Do::Lock(0), Do::Lock(1)]],
        joins: false,
        leaks: false,
        eager_time: false,
        keep_going: false,
    };
    let shown = Rc::new(RefCell::new(vec![]));
    let s2 = shown.clone();
    let e = LoomEngine.explore(&small.program(), RunConfig { record: true, ..small.config() }, None, move |o| {
        s2.borrow_mut().push(o);
        true
    });
    println!("{e:?}");
    for o in shown.borrow().iter() {
        println!("{:?}", o.trace.as_ref().unwrap().steps.iter().map(|s| (s.task.0, s.label.clone(), s.objects[0].0)).collect::<Vec<_>>());
    }
}
