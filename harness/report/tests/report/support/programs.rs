//! The programs.

use bohr_kernel::{Access, Blocked, Obj, Var, at_rest, join, sleep_until, spawn, violated, when_blocked};
use std::panic::Location;

/// `sync.Mutex`.
#[derive(Copy, Clone)]
pub struct Mutex(Obj<bool>);

impl Mutex {
    #[track_caller]
    pub fn new(name: &'static str) -> Self {
        Mutex(Obj::create("sync.Mutex", name, false))
    }

    #[track_caller]
    pub fn lock(self) {
        let op = self.0.op("Lock", Access::Write).at(Location::caller()).when(|held, _| !held);
        op.run(move |held, cx| {
            *held = true;
            cx.own(self.0);
            cx.note(|| "locked");
        });
    }

    #[track_caller]
    pub fn unlock(self) {
        self.0.op("Unlock", Access::Write).at(Location::caller()).run(move |held, cx| {
            *held = false;
            cx.disown(self.0);
            cx.note(|| "unlocked");
        });
    }
}

/// Checks a pointer, then uses it, while the other clears it.
pub fn panic() {
    let conn = Obj::create("*Conn", "conn", Some(7));
    spawn("user", move || {
        let there = conn.op("check", Access::Read).run(|c, cx| {
            cx.note(|| if c.is_some() { "not nil" } else { "nil" });
            c.is_some()
        });
        if there {
            conn.op("use", Access::Read).run(|c, cx| match c {
                Some(_) => cx.note(|| "not nil"),
                None => {
                    cx.note(|| "nil");
                    cx.panic("runtime error: invalid memory address or nil pointer dereference");
                }
            });
        }
    });
    spawn("closer", move || {
        conn.op("clear", Access::Write).run(|c, cx| {
            *c = None;
            cx.note(|| "not nil -> nil");
        });
    });
}

/// Two writers of one Go map, which notices.
pub fn fatal() {
    let map = Obj::create("map", "lastLogged", false);
    let assign = move || {
        map.op("check flag", Access::Read).run(|writing, cx| {
            cx.note(|| format!("flag is {}", u8::from(*writing)));
            if *writing {
                cx.fatal("concurrent map writes");
            }
        });
        map.op("raise flag", Access::Write).run(|writing, cx| {
            *writing = true;
            cx.note(|| "flag 0 -> 1");
        });
        map.op("lower flag", Access::Write).run(|writing, cx| {
            *writing = false;
            cx.note(|| "flag 1 -> 0");
        });
    };
    spawn("submariner", assign);
    spawn("servicediscovery", assign);
}

/// Main reads what a goroutine writes, and does not wait for it.
pub fn data_race() {
    let done = Var::new("done", false);
    spawn("worker", move || done.set(true));
    done.get();
}

/// Two locks taken in either order.
pub fn deadlock() {
    let (accounts, audit) = (Mutex::new("accounts"), Mutex::new("audit"));
    let transfer = spawn("transfer", move || {
        accounts.lock();
        audit.lock();
        audit.unlock();
        accounts.unlock();
    });
    spawn("report", move || {
        audit.lock();
        accounts.lock();
        accounts.unlock();
        audit.unlock();
    });
    join(transfer);
}

/// A lock taken twice.
pub fn self_deadlock() {
    let mu = Mutex::new("mu");
    mu.lock();
    mu.lock();
}

/// A goroutine that sends to nobody, and one behind a lock that is never given back.
pub fn leak() {
    when_blocked(Blocked::GoNoLeaks);
    let (results, mu) = (Obj::create("chan", "results", false), Mutex::new("mu"));
    spawn("sender", move || {
        let send = results.op("send", Access::Write).reason("chan send").when(|receiver, _| *receiver);
        send.run(|_, _| {});
    });
    spawn("logger", move || mu.lock());
    mu.lock();
}

/// A counter that is read and then written.
pub fn oracle() {
    let hits = Obj::create("counter", "hits", 0);
    let add = move || {
        let seen = hits.op("load", Access::Read).run(|c, cx| {
            cx.note(|| c.to_string());
            *c
        });
        hits.op("store", Access::Write).run(move |c, cx| {
            cx.note(|| format!("{c} -> {}", seen + 1));
            *c = seen + 1;
        });
    };
    spawn("a", add);
    spawn("b", add);
    at_rest(move || {
        let total = hits.op("load", Access::Read).run(|c, _| *c);
        if total != 2 {
            violated("all-counted", format!("2 hits were counted as {total}"));
        }
    });
}

/// An oracle that speaks in the middle of a run, after virtual time has passed.
pub fn oracle_in_a_task() {
    let lease = Obj::create("lease", "lease", "old");
    spawn("renewer", move || {
        sleep_until(20_000_000);
        lease.op("renew", Access::Write).run(|l, cx| {
            *l = "new";
            cx.note(|| "old -> new");
        });
    });
    spawn("reader", move || {
        sleep_until(10_000_000);
        let seen = lease.op("read", Access::Read).run(|l, cx| {
            cx.note(|| *l);
            *l
        });
        if seen == "old" {
            violated("fresh", "a read saw a lease that had run out");
        }
    });
}

/// Two tasks that wait for each other by looking.
pub fn step_bound() {
    let (a, b) = (Obj::create("flag", "a-ready", false), Obj::create("flag", "b-ready", false));
    let wait = |mine: Obj<bool>, theirs: Obj<bool>| {
        move || {
            while !theirs.op("look", Access::Read).run(|ready, _| *ready) {}
            mine.op("raise", Access::Write).run(|ready, _| *ready = true);
        }
    };
    spawn("a", wait(a, b));
    spawn("b", wait(b, a));
}

/// Rust code that panics.
pub fn scenario_bug() {
    let list = Obj::create("list", "list", vec![1]);
    spawn("a", move || {
        let len = list.op("len", Access::Read).run(|l, cx| {
            cx.note(|| l.len().to_string());
            l.len()
        });
        let values = [1];
        assert!(values.get(len).is_some(), "index {len} is not there");
    });
    spawn("b", move || list.op("push", Access::Write).run(|l, _| l.push(2)));
}

/// Many steps of one task before it matters.
pub fn long() {
    let (log, total) = (Obj::create("log", "log", 0), Obj::create("counter", "total", 0));
    let work = move || {
        let seen = total.op("load", Access::Read).run(|t, cx| {
            cx.note(|| t.to_string());
            *t
        });
        for _ in 0..25 {
            log.op("append", Access::Add).run(|l, _| *l += 1);
        }
        total.op("store", Access::Write).run(move |t, cx| {
            cx.note(|| format!("{t} -> {}", seen + 1));
            *t = seen + 1;
        });
    };
    spawn("a", work);
    spawn("b", work);
    at_rest(move || {
        if total.peek(|t| *t) != 2 {
            violated("all-counted", "one of two updates was lost");
        }
    });
}
