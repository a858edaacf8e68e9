//! Tasks that are killed on OS threads, where that can happen between two of their operations.

use bohr_explore::engine::ThreadEngine;
use bohr_explore::strategy::Replay;
use bohr_kernel::{Access, Engine, Kind, MultiOp, Obj, Outcome, Program, RunConfig, observe, spawn};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// One run on OS threads.
///
/// # Panics
/// If it does not end. It takes milliseconds; the bound is for a run that hangs.
fn run(program: Program) -> Outcome {
    let (send, ended) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let once = Rc::new(RefCell::new(Replay::new(Vec::new())));
        ThreadEngine.explore(&program, RunConfig::default(), once.clone());
        let once = Rc::into_inner(once).expect("the engine has let go of its strategy").into_inner();
        drop(send.send(once.into_outcome()));
    });
    let outcome =
        ended.recv_timeout(Duration::from_secs(60)).expect("a run in which nothing can happen ends");
    outcome.expect("the engine ran once")
}

/// A door between real threads, outside of the model: it is passed once it has been opened.
#[derive(Clone, Default)]
struct Door(Arc<(Mutex<bool>, Condvar)>);

impl Door {
    fn open(&self) {
        *self.0.0.lock().expect("nobody panics here") = true;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let mut open = self.0.0.lock().expect("nobody panics here");
        while !*open {
            open = self.0.1.wait(open).expect("nobody panics here");
        }
    }
}

/// What a task comes to after it has been killed.
#[derive(Copy, Clone)]
enum Comes {
    /// An operation.
    Operation,
    /// An operation before which it has to wait.
    Wait,
    /// A change of ghost state, which is part of the operation that it did last.
    Touch,
}

/// The victim does one operation and is then held up outside of the model until it has been killed.
fn killed_between_operations(comes: Comes) -> Outcome {
    run(Program::new(move || {
        let (seen, killed) = (Door::default(), Door::default());
        let life = Obj::create("life", "life", ());
        let gate = Obj::create("gate", "gate", false);
        let never = Obj::create("gate", "never", false);
        let victim = {
            let (seen, killed) = (seen.clone(), killed.clone());
            spawn("victim", move || {
                life.op("first", Access::Write).run(|(), _| {});
                seen.open();
                killed.pass();
                match comes {
                    Comes::Operation => life.op("second", Access::Write).run(|(), _| {}),
                    Comes::Wait => gate.op("second", Access::Write).when(|open, _| *open).run(|_, _| {}),
                    Comes::Touch => life.touch(|()| {}),
                }
                observe("the dead went on");
            })
        };
        seen.pass();
        MultiOp::new("kill").touch(life, Access::Write).run(move |objects, cx| cx.kill(objects, victim));
        killed.open();
        // Whoever still waits at the gate could go on from here. Often enough that the victim has come to it by the
        // last time.
        for _ in 0..200 {
            gate.op("open", Access::Write).run(|open, _| *open = true);
            thread::yield_now();
        }
        never.op("wait", Access::Read).when(|open, _| *open).run(|_, _| {});
    }))
}

/// Nothing of a killed task happens any more, and it keeps nobody from seeing that all is over: main waits for what
/// never comes, which is a deadlock.
#[test]
fn who_is_killed_between_two_operations_never_goes_on() {
    for run in 0..75 {
        let comes = [Comes::Operation, Comes::Wait, Comes::Touch];
        let outcome = killed_between_operations(comes[run % comes.len()]);
        assert_eq!(outcome.observed, Vec::<String>::new());
        let kinds: Vec<Kind> = outcome.findings.iter().map(|f| f.kind).collect();
        assert_eq!(kinds, [Kind::Deadlock], "{:?}", outcome.findings);
    }
}
