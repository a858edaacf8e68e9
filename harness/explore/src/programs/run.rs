//! What the programs do when they run.

use super::{Body, Do, Small};
use bohr_kernel::{
    Access, Blocked, Clock, ModelPanic, MultiOp, Obj, Program, RunConfig, Site, TaskId, Var, at_rest, choose,
    join, now, observe, raise, sleep_until, spawn, violated, when_blocked,
};
use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::Arc;

/// What is sent, and what the sender knew.
type Channel = Option<(i64, Clock)>;

#[derive(Copy, Clone)]
struct World {
    cells: [Obj<i64>; 2],
    vars: [Var<i64>; 2],
    mutexes: [Obj<Mutex>; 2],
    channels: [Obj<Channel>; 2],
    /// What each task has seen, for the check at rest alone.
    seen: Obj<BTreeMap<String, Vec<i64>>>,
}

#[derive(Default)]
struct Mutex {
    locked: bool,
    clock: Clock,
}

impl Small {
    /// How it is to be run.
    pub fn config(&self) -> RunConfig {
        RunConfig { eager_time: self.eager_time, keep_going: self.keep_going, ..RunConfig::default() }
    }

    /// The program itself. At rest it observes all values, and what each task has seen.
    pub fn program(&self) -> Program {
        let small = Arc::new(self.clone());
        Program::new(move || {
            let world = World::new();
            when_blocked(if small.leaks { Blocked::GoNoLeaks } else { Blocked::Go });
            at_rest(move || world.observe());
            let start = |at| {
                let (small, name) = (Arc::clone(&small), format!("t{at}"));
                spawn(name.clone(), move || world.run(&name, &small.tasks[at]))
            };
            let tasks: Vec<TaskId> = (0..small.tasks.len()).map(start).collect();
            tasks.into_iter().filter(|_| small.joins).for_each(join);
        })
    }
}

impl World {
    fn new() -> Self {
        World {
            cells: ["x0", "x1"].map(|name| Obj::create("cell", name, 0)),
            vars: ["v0", "v1"].map(|name| Var::new(name, 0)),
            mutexes: ["m0", "m1"].map(|name| Obj::create("mutex", name, Mutex::default())),
            channels: ["c0", "c1"].map(|name| Obj::create("channel", name, None)),
            seen: Obj::create("ghost", "seen", BTreeMap::new()),
        }
    }

    fn observe(&self) {
        let cells = self.cells.map(|cell| cell.peek(|x| *x));
        let vars = self.vars.map(|var| var.peek());
        let locked = self.mutexes.map(|mutex| mutex.peek(|m| m.locked));
        let sent = self.channels.map(|channel| channel.peek(|c| c.as_ref().map(|(value, _)| *value)));
        let seen = self.seen.peek(Clone::clone);
        observe(format_args!("{cells:?} {vars:?} {locked:?} {sent:?} {seen:?}"));
    }

    fn run(&self, name: &str, body: &Body) {
        let mut last = 0;
        let mut child = None;
        for (at, what) in body.iter().enumerate() {
            match what {
                Do::Spawn(body) => {
                    let (world, name, body) = (*self, format!("{name}.{at}"), body.clone());
                    child = Some(spawn(name.clone(), move || world.run(&name, &body)));
                }
                Do::Join => child.into_iter().for_each(join),
                Do::MayEnd if choose(2) == 1 => return,
                Do::EndIf(value) if last == i64::from(*value) => return,
                Do::PanicIf(value) if last == i64::from(*value) => {
                    raise(ModelPanic { text: format!("saw {value}"), site: Site::of(Location::caller()) })
                }
                Do::ViolateIf(value) if last == i64::from(*value) => {
                    violated("unseen", format!("saw {value}"));
                }
                _ => {
                    if let Some(value) = self.step(what, last) {
                        last = value;
                        self.seen.poke(|seen| seen.entry(name.to_owned()).or_default().push(value));
                    }
                }
            }
        }
    }

    /// Does something that is at most one operation. Gives what it saw.
    fn step(&self, what: &Do, last: i64) -> Option<i64> {
        let cell = |which: u8| self.cells[usize::from(which)];
        let channel = |which: u8| self.channels[usize::from(which)];
        match *what {
            Do::Load(x) => return Some(cell(x).op("load", Access::Read).run(|x, _| *x)),
            Do::Store(x, value) => cell(x).op("store", Access::Write).run(|x, _| *x = value.into()),
            Do::Pass(x) => cell(x).op("pass", Access::Write).run(|x, _| *x = last + 1),
            Do::Count(x) => {
                return Some(cell(x).op("count", Access::Write).run(|x, _| {
                    *x += 1;
                    *x - 1
                }));
            }
            Do::Add(x, value) => cell(x).op("add", Access::Add).run(|x, _| *x += i64::from(value)),
            Do::Await(x, value) => {
                let op = cell(x).op("await", Access::Read);
                op.when_with(|x, value| *x == value as i64, value.into()).run(|_, _| {});
            }
            Do::Take(x) => cell(x).op("take", Access::Write).when(|x, _| *x > 0).run(|x, _| *x -= 1),
            Do::Swap => {
                let [a, b] = self.cells;
                MultiOp::new("swap").touch(a, Access::Write).touch(b, Access::Write).run(|objects, _| {
                    let (was, is) = (*objects.get(a), *objects.get(b));
                    (*objects.get_mut(a), *objects.get_mut(b)) = (is, was);
                });
            }
            Do::AwaitEither(value) => {
                let either = self.cells.iter().fold(MultiOp::new("await either"), |op, cell| {
                    op.touch(*cell, Access::Read).when(*cell, |x, value| *x == value as i64, value.into())
                });
                return Some(either.run(|objects, _| *objects.get(self.cells[0])));
            }
            Do::Get(v) => return Some(self.vars[usize::from(v)].get()),
            Do::Set(v, value) => self.vars[usize::from(v)].set(value.into()),
            Do::Lock(m) => {
                self.mutexes[usize::from(m)].op("lock", Access::Write).when(|m, _| !m.locked).run(|m, cx| {
                    m.locked = true;
                    cx.acquire(&m.clock);
                })
            }
            Do::TryLock(m) => return Some(self.try_lock(self.mutexes[usize::from(m)])),
            Do::Unlock(m) => self.mutexes[usize::from(m)].op("unlock", Access::Write).run(|m, cx| {
                if m.locked {
                    m.locked = false;
                    cx.release(&mut m.clock);
                } else {
                    cx.fatal("unlock of unlocked mutex");
                }
            }),
            Do::Send(c, value) => {
                channel(c).op("send", Access::Write).when(|c, _| c.is_none()).run(|c, cx| {
                    let mut clock = Clock::new();
                    cx.release(&mut clock);
                    *c = Some((value.into(), clock));
                })
            }
            Do::Receive(c) => return self.receive(&[channel(c)], None),
            Do::Select => return self.receive(&self.channels, None),
            Do::ReceiveUntil(c, at) => return self.receive(&[channel(c)], Some(at.into())),
            Do::Choose(of) => return Some(choose(of.into()).into()),
            Do::Make => {
                let own = Obj::create("cell", "own", 0);
                own.op("store", Access::Write).run(|x, _| *x = last);
            }
            Do::Sleep(at) => sleep_until(at.into()),
            Do::Now => return Some(now() as i64),
            Do::Spawn(_) | Do::Join | Do::MayEnd | Do::EndIf(_) | Do::PanicIf(_) | Do::ViolateIf(_) => {}
        }
        None
    }

    /// Gives 1 if it locked the mutex.
    fn try_lock(&self, mutex: Obj<Mutex>) -> i64 {
        MultiOp::new("try lock").touch(mutex, Access::Write).run_choosing(
            |objects, _| if objects.get(mutex).locked { 1 } else { 2 },
            |objects, cx, fails| {
                let m = objects.get_mut(mutex);
                if m.locked || fails == 1 {
                    return 0;
                }
                m.locked = true;
                cx.acquire(&m.clock);
                1
            },
        )
    }

    /// Receives from one of the channels; nothing if time is up before.
    fn receive(&self, channels: &[Obj<Channel>], until: Option<u64>) -> Option<i64> {
        let op = channels.iter().fold(MultiOp::new("receive"), |op, channel| {
            op.touch(*channel, Access::Write).when(*channel, |c, _| c.is_some(), 0)
        });
        let op = if let Some(at) = until { op.until(at) } else { op };
        op.run_choosing(
            |objects, _| channels.iter().filter(|c| objects.get(**c).is_some()).count() as u32,
            |objects, cx, choice| {
                let ready = channels.iter().filter(|c| objects.get(**c).is_some());
                let chosen = ready.copied().nth(choice as usize)?;
                let (value, clock) = objects.get_mut(chosen).take()?;
                cx.acquire(&clock);
                Some(value)
            },
        )
    }
}
