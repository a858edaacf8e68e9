//! `sync.Once`, `sync.OnceFunc` and `sync.OnceValue`.

use crate::panics::{GoPanic, recover};
use bohr_kernel::{Access, Clock, Name, Obj};

/// Runs a function once, as `sync.Once` (sync/once.go).
///
/// Whoever comes while the function runs waits for its end. The end of the function is ordered before
/// the return of every call. A function that panics counts as run.
#[derive(Copy, Clone, Debug)]
pub struct Once(Obj<State>);

struct State {
    done: bool,
    /// The mutex is held by whoever runs the function.
    running: bool,
    clock: Clock,
}

impl Once {
    /// One that has not run.
    #[track_caller]
    pub fn new(name: impl Into<Name>) -> Self {
        Once(Obj::create("sync.Once", name, State { done: false, running: false, clock: Clock::new() }))
    }

    /// Runs `f` if nothing was run before: `Do`. Blocked goroutines show `sync.Mutex.Lock`; one that
    /// calls `Do` from within `f` blocks for ever.
    #[track_caller]
    pub fn do_once(&self, f: impl FnOnce()) {
        let op = self.0.op("Do", Access::Write).reason("sync.Mutex.Lock");
        let first = op.when(|s, _| s.done || !s.running).run(|s, cx| {
            if s.done {
                cx.acquire(&s.clock);
                cx.note(|| "done before");
                return false;
            }
            s.running = true;
            cx.own(self.0);
            cx.note(|| "first");
            true
        });
        if !first {
            return;
        }
        let result = recover(f);
        self.0.op("Do: end", Access::Write).run(|s, cx| {
            s.done = true;
            s.running = false;
            cx.release(&mut s.clock);
            cx.disown(self.0);
        });
        result.unwrap_or_else(|panic| panic.resume())
    }
}

/// A function that is called once and whose value every call gives, as `sync.OnceValue`
/// (sync/oncefunc.go). If it panics, every call panics with the same value.
pub struct OnceValue<T> {
    once: Once,
    /// Ordered by `once`, so that looking at it takes no operation.
    call: Obj<Call<T>>,
}

/// As `sync.OnceFunc`: a [`OnceValue`] without a value.
pub type OnceFunc = OnceValue<()>;

struct Call<T> {
    function: Option<Box<dyn FnOnce() -> T + Send>>,
    result: Option<Result<T, GoPanic>>,
}

impl<T> Copy for OnceValue<T> {}
impl<T> Clone for OnceValue<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Clone + Send + 'static> OnceValue<T> {
    /// Makes the function of `f`.
    #[track_caller]
    pub fn new(name: impl Into<Name>, f: impl FnOnce() -> T + Send + 'static) -> Self {
        let name = name.into();
        let call = Call { function: Some(Box::new(f)), result: None };
        OnceValue { once: Once::new(name.clone()), call: Obj::create("sync.OnceValue", name, call) }
    }

    /// Calls it. The first call's panic reads `MESSAGE [recovered, repanicked]`.
    #[track_caller]
    pub fn call(&self) -> T {
        let call = self.call;
        self.once.do_once(|| {
            let Some(function) = call.poke(|c| c.function.take()) else { return };
            let result = recover(function);
            call.poke(|c| c.result = Some(result.clone()));
            if let Err(panic) = result {
                panic.repanic();
            }
        });
        match call.peek(|c| c.result.clone()) {
            Some(Ok(value)) => value,
            Some(Err(panic)) => panic.resume(),
            None => unreachable!("the first call has ended before any returns"),
        }
    }
}
