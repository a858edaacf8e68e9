//! `golang.org/x/sync/errgroup`.

use crate::context::{CancelCause, Context};
use crate::panics::panic_at;
use crate::{Chan, Once, WaitGroup, go, with_defers};
use bohr_kernel::{Name, Obj};
use std::panic::Location;

/// Goroutines that work on parts of one task, as `errgroup.Group` (errgroup/errgroup.go). Errors are
/// texts.
#[derive(Copy, Clone, Debug)]
pub struct Group {
    wg: WaitGroup,
    once: Once,
    /// Written under `once` or before the goroutines, read after `wg`.
    state: Obj<State>,
}

#[derive(Default)]
struct State {
    error: Option<String>,
    limit: Option<Chan<()>>,
    cancel: Option<CancelCause>,
}

impl Group {
    /// The zero group: it does not cancel on error.
    #[track_caller]
    pub fn new(name: impl Into<Name>) -> Self {
        let name = name.into();
        Group {
            wg: WaitGroup::new(format!("{name}.wg")),
            once: Once::new(format!("{name}.errOnce")),
            state: Obj::create("errgroup.Group", name, State::default()),
        }
    }

    /// A group and a context that is cancelled by the first error, or when `wait` returns.
    #[track_caller]
    pub fn with_context(name: impl Into<Name>, parent: Context) -> (Self, Context) {
        let group = Self::new(name);
        let (context, cancel) = parent.with_cancel_cause("errgroup");
        group.state.poke(|s| s.cancel = Some(cancel));
        (group, context)
    }

    /// Lets at most `n` goroutines run at once.
    ///
    /// Panics: `errgroup: modify limit while N goroutines in the group are still active`.
    #[track_caller]
    pub fn set_limit(&self, n: usize) {
        let active = self.state.peek(|s| s.limit).map_or(0, |limit| limit.len());
        if active != 0 {
            let text =
                format!("errgroup: modify limit while {active} goroutines in the group are still active");
            panic_at(text, Location::caller());
        }
        let limit = Chan::lone("errgroup.sem", n);
        self.state.poke(|s| s.limit = Some(limit));
    }

    /// Runs `f` in a goroutine, once the limit allows it.
    #[track_caller]
    pub fn go(&self, name: impl Into<Name>, f: impl FnOnce() -> Result<(), String> + Send + 'static) {
        if let Some(limit) = self.state.peek(|s| s.limit) {
            limit.send(());
        }
        self.start(name.into(), f);
    }

    /// Runs `f` in a goroutine if the limit allows it at once, and says whether it does.
    #[track_caller]
    pub fn try_go(
        &self,
        name: impl Into<Name>,
        f: impl FnOnce() -> Result<(), String> + Send + 'static,
    ) -> bool {
        let free = self.state.peek(|s| s.limit).is_none_or(|limit| limit.try_send(()).is_ok());
        if free {
            self.start(name.into(), f);
        }
        free
    }

    /// Waits for all of them, and gives the first error.
    #[track_caller]
    pub fn wait(&self) -> Result<(), String> {
        self.wg.wait();
        let error = self.state.peek(|s| s.error.clone());
        if let Some(cancel) = self.state.peek(|s| s.cancel) {
            cancel.cancel_for(error.clone());
        }
        error.map_or(Ok(()), Err)
    }

    #[track_caller]
    fn start(&self, name: Name, f: impl FnOnce() -> Result<(), String> + Send + 'static) {
        self.wg.add(1);
        let group = *self;
        go(name, move || {
            with_defers(|d| {
                d.defer(move || {
                    if let Some(limit) = group.state.peek(|s| s.limit) {
                        limit.recv();
                    }
                    group.wg.done();
                });
                if let Err(error) = f() {
                    group.once.do_once(|| {
                        group.state.poke(|s| s.error = Some(error.clone()));
                        if let Some(cancel) = group.state.peek(|s| s.cancel) {
                            cancel.cancel(error);
                        }
                    });
                }
            });
        });
    }
}
