//! `time`: sleeping, timers and tickers, on virtual time.
//!
//! Channel timers are those of Go 1.23 and later: they look unbuffered, nothing of them is pending while
//! nobody looks, and after `Stop` or `Reset` no stale value can be received.

use crate::go;
use crate::panics::panic_at;
use bohr_kernel::{Access, Clock, Cx, MultiOp, Name, Obj, now, sleep_until};
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

/// Sleeps. Blocked goroutines show `sleep`.
#[track_caller]
pub fn sleep(d: Duration) {
    sleep_until(after_now(d));
}

/// A timer whose channel nobody stops: `time.After`.
#[track_caller]
pub fn after(d: Duration) -> Timer {
    Timer::new("time.After", d)
}

/// A timer with a channel, as `time.Timer` (time/sleep.go, runtime/time.go).
///
/// Times are in nanoseconds of virtual time.
#[derive(Copy, Clone, Debug)]
pub struct Timer(pub(crate) Obj<State>);

/// A ticker, as `time.Ticker` (time/tick.go). It drops ticks for a slow receiver.
#[derive(Copy, Clone, Debug)]
pub struct Ticker(pub(crate) Timer);

/// A timer that runs a function in a goroutine of its own, as `time.AfterFunc`.
#[derive(Clone)]
pub struct FuncTimer {
    timer: Timer,
    name: Name,
    function: Arc<dyn Fn() + Send + Sync>,
}

pub(crate) struct State {
    /// When it fires next, unless it is stopped or its value was received.
    when: Option<u64>,
    /// For tickers.
    period: Option<u64>,
    /// The number of `Stop`s and `Reset`s so far: those who wait look again.
    version: u64,
    initialized: bool,
    /// What was known to the last `Reset`.
    clock: Clock,
}

/// What a timer waits for.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Pending {
    when: Option<u64>,
    version: u64,
}

impl Timer {
    /// A timer that fires in `d`.
    #[track_caller]
    pub fn new(name: impl Into<Name>, d: Duration) -> Self {
        Self::create("time.Timer", name, Some(after_now(d)), None)
    }

    /// The zero value, which was never made by `NewTimer`.
    #[track_caller]
    pub fn uninitialized(name: impl Into<Name>) -> Self {
        let timer = Self::create("time.Timer", name, None, None);
        timer.0.poke(|s| s.initialized = false);
        timer
    }

    /// Receives from its channel: the time at which it fired. Blocked goroutines show `chan receive`.
    #[track_caller]
    pub fn recv(&self) -> u64 {
        let site = Location::caller();
        let look = |op: MultiOp| op.run(|objects, cx| objects.get_mut(self.0).receive(cx));
        let mut result = look(self.op("receive", site));
        loop {
            match result {
                Ok(time) => return time,
                Err(pending) => {
                    let op = self.op("receive", site).reason("chan receive");
                    result = look(self.wait_for(op, pending));
                }
            }
        }
    }

    /// Receives if it has fired: a `select` with this case and `default`.
    #[track_caller]
    pub fn try_recv(&self) -> Option<u64> {
        let op = self.op("try receive", Location::caller());
        op.run(|objects, cx| objects.get_mut(self.0).receive(cx)).ok()
    }

    /// Stops it. True if it was pending or its value had not been received; in either case no value can
    /// be received any more.
    ///
    /// Panics: `time: Stop called on uninitialized Timer`.
    #[track_caller]
    pub fn stop(&self) -> bool {
        self.rearm("Stop", None, "time: Stop called on uninitialized Timer").0
    }

    /// Lets it fire in `d` from now. True as for [`Timer::stop`].
    ///
    /// Panics: `time: Reset called on uninitialized Timer`.
    #[track_caller]
    pub fn reset(&self, d: Duration) -> bool {
        self.rearm("Reset", Some(d), "time: Reset called on uninitialized Timer").0
    }

    #[track_caller]
    fn create(
        kind: &'static str,
        name: impl Into<Name>,
        when: Option<u64>,
        period: Option<Duration>,
    ) -> Self {
        let state = State {
            when,
            period: period.map(nanoseconds),
            version: 0,
            initialized: true,
            clock: Clock::new(),
        };
        Timer(Obj::create(kind, name, state))
    }

    /// Gives whether it was pending, and what it waits for now.
    #[track_caller]
    fn rearm(&self, label: &'static str, d: Option<Duration>, uninitialized: &str) -> (bool, Pending) {
        let site = Location::caller();
        let changed = self.op(label, site).run(|objects, cx| {
            let s = objects.get_mut(self.0);
            if !s.initialized {
                return None;
            }
            s.version += 1;
            if let Some(d) = d {
                cx.release(&mut s.clock);
                s.period = s.period.map(|_| nanoseconds(d));
            }
            let when = d.map(|d| cx.now().saturating_add(nanoseconds(d)));
            let was_pending = std::mem::replace(&mut s.when, when).is_some();
            cx.note(|| format!("{was_pending}"));
            Some((was_pending, s.pending()))
        });
        changed.unwrap_or_else(|| panic_at(uninitialized, site))
    }

    fn op(&self, label: &'static str, site: &'static Location<'static>) -> MultiOp {
        self.touch(MultiOp::new(label)).at(site)
    }

    pub(crate) fn touch(&self, op: MultiOp) -> MultiOp {
        op.touch(self.0, Access::Write).reads_time()
    }

    /// Lets an operation wait until the timer fires or is changed.
    pub(crate) fn wait_for(&self, op: MultiOp, pending: Pending) -> MultiOp {
        let op = op.when(self.0, |s, version| s.version != version, pending.version);
        match pending.when {
            Some(at) => op.until(at),
            None => op,
        }
    }
}

impl Ticker {
    /// A ticker that fires every `d`.
    ///
    /// Panics: `non-positive interval for NewTicker`.
    #[track_caller]
    pub fn new(name: impl Into<Name>, d: Duration) -> Self {
        if d.is_zero() {
            panic_at("non-positive interval for NewTicker", Location::caller());
        }
        Ticker(Timer::create("time.Ticker", name, Some(after_now(d)), Some(d)))
    }

    /// The zero value, which was never made by `NewTicker`.
    #[track_caller]
    pub fn uninitialized(name: impl Into<Name>) -> Self {
        Ticker(Timer::uninitialized(name))
    }

    /// Receives from its channel: the time of the tick. Blocked goroutines show `chan receive`.
    #[track_caller]
    pub fn recv(&self) -> u64 {
        self.0.recv()
    }

    /// Receives if it has ticked: a `select` with this case and `default`.
    #[track_caller]
    pub fn try_recv(&self) -> Option<u64> {
        self.0.try_recv()
    }

    /// Stops it. Stopping the zero value does nothing.
    #[track_caller]
    pub fn stop(&self) {
        if self.0.0.peek(|s| s.initialized) {
            self.0.stop();
        }
    }

    /// Lets it tick every `d` from now.
    ///
    /// Panics: `non-positive interval for Ticker.Reset`, `time: Reset called on uninitialized Ticker`.
    #[track_caller]
    pub fn reset(&self, d: Duration) {
        if d.is_zero() {
            panic_at("non-positive interval for Ticker.Reset", Location::caller());
        }
        self.0.rearm("Reset", Some(d), "time: Reset called on uninitialized Ticker");
    }
}

/// Runs `f` in a goroutine of its own in `d`.
#[track_caller]
pub fn after_func(name: impl Into<Name>, d: Duration, f: impl Fn() + Send + Sync + 'static) -> FuncTimer {
    let name = name.into();
    let timer = Timer::create("time.Timer", name.clone(), Some(after_now(d)), None);
    let timer = FuncTimer { timer, name, function: Arc::new(f) };
    timer.start(Pending { when: Some(after_now(d)), version: 0 });
    timer
}

impl FuncTimer {
    /// Stops it. True if the function will not run; false if it was started, or stopped before.
    #[track_caller]
    pub fn stop(&self) -> bool {
        self.timer.stop()
    }

    /// Lets it run the function in `d` from now, perhaps beside an earlier run. True if it was pending.
    #[track_caller]
    pub fn reset(&self, d: Duration) -> bool {
        let (was_pending, pending) =
            self.timer.rearm("Reset", Some(d), "time: Reset called on uninitialized Timer");
        self.start(pending);
        was_pending
    }

    /// The goroutine is there from the start, and waits: so what was done before is ordered before it.
    #[track_caller]
    fn start(&self, pending: Pending) {
        let (timer, function, site) = (self.timer, Arc::clone(&self.function), Location::caller());
        go(self.name.clone(), move || {
            let wait = timer.wait_for(timer.op("fire", site), pending);
            let fires = wait.run(|objects, cx| {
                let s = objects.get_mut(timer.0);
                let fires = s.version == pending.version;
                if fires {
                    s.when = None;
                } else {
                    cx.note(|| "stopped before");
                }
                fires
            });
            if fires {
                function();
            }
        });
    }
}

impl State {
    pub(crate) fn pending(&self) -> Pending {
        Pending { when: self.when, version: self.version }
    }

    /// When it fired, if by `now` it has and its value was not received.
    pub(crate) fn fired(&self, now: u64) -> Option<u64> {
        self.when.filter(|when| *when <= now)
    }

    /// Receives if it has fired.
    pub(crate) fn receive(&mut self, cx: &mut Cx<'_>) -> Result<u64, Pending> {
        let when = self.fired(cx.now()).ok_or(self.pending())?;
        cx.acquire(&self.clock);
        cx.note(|| format!("fired at {when} ns"));
        let late = cx.now() - when;
        self.when = self.period.map(|period| when + period * (1 + late / period));
        Ok(when)
    }
}

fn after_now(d: Duration) -> u64 {
    now().saturating_add(nanoseconds(d))
}

fn nanoseconds(d: Duration) -> u64 {
    u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)
}
