//! The programs in the harness.

use super::{Case, Channel, Function, Goroutines, Op};
use bohr_explore::search::search;
use bohr_explore::strategy::Bounds;
use bohr_go::atomic::Int32;
use bohr_go::context::{Cancel, Context};
use bohr_go::time::{Timer, sleep};
use bohr_go::{Chan, Cond, Mutex, Once, RWMutex, Select, SyncMap, WaitGroup, go, panic, recover};
use bohr_kernel::{
    Blocked, Finding, Obj, Outcome, Program, RunConfig, at_rest, blocked_tasks, observe, when_blocked,
};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// All that the program shows, over all schedules; nothing if it takes more runs than that.
pub fn shown(program: &Goroutines, most: u64) -> Option<BTreeSet<String>> {
    let lines: Rc<RefCell<BTreeSet<String>>> = Rc::default();
    let sink = {
        let lines = Rc::clone(&lines);
        move |outcome: Outcome| {
            let line = outcome.findings.first().map(Finding::headline);
            lines.borrow_mut().insert(line.unwrap_or_else(|| outcome.observed.join(" ")));
            true
        }
    };
    let bounds = Bounds { runs: Some(most), cache: true, ..Bounds::default() };
    let program = Arc::new(program.clone());
    let program = Program::new(move || World::new(program.recovers).run(&program));
    search(&program, RunConfig::default(), bounds, sink).all.then(|| lines.take())
}

#[derive(Copy, Clone)]
struct World {
    recovers: bool,
    mutex: Mutex,
    rwmutex: RWMutex,
    group: WaitGroup,
    once: Once,
    cond: Cond<Mutex>,
    channels: [Chan<u32>; 3],
    number: Int32,
    map: SyncMap<u8, u8>,
    contexts: [(Context, Cancel); 2],
    timer: Timer,
    /// What each goroutine has seen.
    seen: Obj<Vec<Vec<String>>>,
}

impl World {
    fn new(recovers: bool) -> Self {
        let mutex = Mutex::new("mu");
        let parent = Context::background().with_cancel("parent");
        World {
            recovers,
            mutex,
            rwmutex: RWMutex::new("rw"),
            group: WaitGroup::new("wg"),
            once: Once::new("once"),
            cond: Cond::new("cond", mutex),
            channels: [Chan::new("c0", 0), Chan::new("c1", 1), Chan::nil()],
            number: Int32::new("n", 0),
            map: SyncMap::new("map"),
            contexts: [parent, parent.0.with_cancel("child")],
            timer: Timer::new("timer", Duration::from_nanos(2)),
            seen: Obj::create("ghost", "seen", Vec::new()),
        }
    }

    fn run(self, program: &Arc<Goroutines>) {
        when_blocked(Blocked::Allowed);
        self.seen.poke(|seen| seen.resize(program.bodies.len(), Vec::new()));
        for task in 0..program.bodies.len() {
            let program = Arc::clone(program);
            go(format!("g{task}"), move || {
                for (at, op) in program.bodies[task].iter().enumerate() {
                    self.call(task, at, *op);
                }
            });
        }
        at_rest(move || {
            let waits = |task: usize| {
                let name = format!("g{task}");
                blocked_tasks().into_iter().find(|b| b.name == name).map(|b| format!(" waits: {}", b.reason))
            };
            let seen = self.seen.peek(Clone::clone);
            for (task, seen) in seen.into_iter().enumerate() {
                observe(format!("[{}{}]", seen.join(" "), waits(task).unwrap_or_default()));
            }
        });
    }

    fn call(self, task: usize, at: usize, op: Op) {
        let value = (task * 10 + at) as u32;
        if !self.recovers {
            return self.act(task, value, op);
        }
        if let Err(panic) = recover(|| self.act(task, value, op)) {
            self.see(task, format!("panic: {}", panic.message()));
        }
    }

    fn see(self, task: usize, what: impl ToString) {
        self.seen.poke(|seen| seen[task].push(what.to_string()));
    }

    fn act(self, task: usize, value: u32, op: Op) {
        let see = |what: String| self.see(task, what);
        let received = |value: Option<u32>| value.map_or("closed".to_owned(), |value| value.to_string());
        let channel = |channel: Channel| self.channels[channel as usize];
        let context = |child: bool| self.contexts[usize::from(child)];
        match op {
            Op::Lock => self.mutex.lock(),
            Op::Unlock => self.mutex.unlock(),
            Op::TryLock => see(self.mutex.try_lock().to_string()),
            Op::RLock => self.rwmutex.rlock(),
            Op::RUnlock => self.rwmutex.runlock(),
            Op::WLock => self.rwmutex.lock(),
            Op::WUnlock => self.rwmutex.unlock(),
            Op::TryRLock => see(self.rwmutex.try_rlock().to_string()),
            Op::TryWLock => see(self.rwmutex.try_lock().to_string()),
            Op::Add(-1) => self.group.done(),
            Op::Add(delta) => self.group.add(delta.into()),
            Op::Wait => self.group.wait(),
            Op::Once(function) => self.once.do_once(|| {
                see("runs".to_owned());
                match function {
                    Function::Returns => {}
                    Function::Panics => panic("in Do"),
                    Function::CallsDo => self.once.do_once(|| see("runs within".to_owned())),
                }
            }),
            Op::CondWait => self.cond.wait(),
            Op::Signal => self.cond.signal(),
            Op::Broadcast => self.cond.broadcast(),
            Op::Send(c) => channel(c).send(value),
            Op::Receive(c) => see(received(channel(c).recv())),
            Op::TrySend(c) => see(channel(c).try_send(value).is_ok().to_string()),
            Op::TryReceive(c) => see(channel(c).try_recv().map_or("would block".to_owned(), received)),
            Op::Close(c) => channel(c).close(),
            Op::Len(c) => see(channel(c).len().to_string()),
            Op::Select(cases, default) => {
                let mut select = Select::new();
                for (number, case) in cases.into_iter().enumerate() {
                    select = match case {
                        Case::Send(c) => select.send(&channel(c), value, move || format!("case {number}")),
                        Case::Receive(c) => {
                            select.recv(&channel(c), move |v| format!("case {number}: {}", received(v)))
                        }
                    };
                }
                see(if default { select.default(|| "default".to_owned()) } else { select }.run());
            }
            Op::Load => see(self.number.load().to_string()),
            Op::Store(new) => self.number.store(new.into()),
            Op::AddTo(delta) => see(self.number.add(delta.into()).to_string()),
            Op::CompareAndSwap(old, new) => {
                see(self.number.compare_and_swap(&old.into(), new.into()).to_string());
            }
            Op::Swap(new) => see(self.number.swap(new.into()).to_string()),
            Op::MapLoad(key) => see(format!("{:?}", self.map.load(&key))),
            Op::MapStore(key, value) => self.map.store(key, value),
            Op::MapLoadOrStore(key, value) => see(format!("{:?}", self.map.load_or_store(key, value))),
            Op::MapLoadAndDelete(key) => see(format!("{:?}", self.map.load_and_delete(&key))),
            Op::MapCompareAndSwap(key, old, new) => {
                see(self.map.compare_and_swap(key, &old, new).to_string());
            }
            Op::MapClear => self.map.clear(),
            Op::Cancel(child) => context(child).1.cancel(),
            Op::Err(child) => see(context(child).0.err().map_or("nil".to_owned(), |e| e.to_string())),
            Op::Done(child) => {
                see(context(child).0.done().recv().map_or("closed", |()| "a value").to_owned())
            }
            Op::Sleep(d) => sleep(Duration::from_nanos(d.into())),
            Op::TimerReceive => see(self.timer.recv().to_string()),
            Op::TimerTryReceive => {
                see(self.timer.try_recv().map_or("would block".to_owned(), |time| time.to_string()));
            }
            Op::TimerStop => see(self.timer.stop().to_string()),
            Op::TimerReset(d) => see(self.timer.reset(Duration::from_nanos(d.into())).to_string()),
        }
    }
}
