//! `context`.

use crate::chan::State as ChanState;
use crate::time::{FuncTimer, after_func as time_after_func};
use crate::{Chan, go};
use bohr_kernel::{Access, Clock, MultiOp, Name, Obj, choose, lane, now};
use std::any::Any;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

/// A context, as `context.Context` (context/context.go).
///
/// Cancelling closes its own `Done` first, then cancels its children one by one, in an order that the
/// kernel chooses, then leaves its parent: others may run in between. A second `cancel` returns only
/// when the first has cancelled the children.
#[derive(Copy, Clone, Debug)]
pub struct Context(Obj<Node>);

/// Cancels the context it came with: `context.CancelFunc`.
#[derive(Copy, Clone, Debug)]
pub struct Cancel(Context);

/// Cancels the context it came with and says why: `context.CancelCauseFunc`.
#[derive(Copy, Clone, Debug)]
pub struct CancelCause(Context);

/// Keeps the function given to [`Context::after_func`] from running.
#[derive(Copy, Clone, Debug)]
pub struct StopFunc(Context);

/// Why a context is done.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// `context canceled`.
    Canceled,
    /// `context deadline exceeded`.
    DeadlineExceeded,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::Canceled => "context canceled",
            Error::DeadlineExceeded => "context deadline exceeded",
        })
    }
}

impl std::error::Error for Error {}

struct Node {
    name: Name,
    parent: Option<Context>,
    role: Role,
    /// Nanoseconds of virtual time.
    deadline: Option<u64>,
    /// The mutex, held while the children are cancelled.
    locked: bool,
    clock: Clock,
    error: Option<(Error, String)>,
    /// What was known to who set the error, which is read without the mutex.
    erred: Clock,
    children: Vec<Context>,
    /// It has a timer of its own, and this one once it is set.
    timed: bool,
    timer: Option<FuncTimer>,
}

enum Role {
    Background,
    Cancel(Chan<()>),
    Value(&'static str, Arc<dyn Any + Send + Sync>),
    /// Registered by `AfterFunc`; the function, until it is started or stopped.
    Function(Option<Box<dyn FnOnce() + Send>>),
}

impl Context {
    /// A context that is never done: `context.Background`.
    #[track_caller]
    pub fn background() -> Self {
        Context::create("context.Background", None, Role::Background, None)
    }

    /// A child that is done when it is cancelled or the parent is: `context.WithCancel`.
    #[track_caller]
    pub fn with_cancel(&self, name: impl Into<Name>) -> (Context, Cancel) {
        let child = self.cancellable(name, None);
        (child, Cancel(child))
    }

    /// As [`Context::with_cancel`], with a reason: `context.WithCancelCause`.
    #[track_caller]
    pub fn with_cancel_cause(&self, name: impl Into<Name>) -> (Context, CancelCause) {
        let child = self.cancellable(name, None);
        (child, CancelCause(child))
    }

    /// A child that is also done once virtual time has reached `at` nanoseconds: `context.WithDeadline`.
    /// If the parent's deadline is earlier it has that, and no timer of its own.
    #[track_caller]
    pub fn with_deadline(&self, name: impl Into<Name>, at: u64) -> (Context, Cancel) {
        let inherited = self.deadline().filter(|parent| *parent < at);
        let child = self.cancellable(name, Some(inherited.unwrap_or(at)));
        if inherited.is_some() {
            return (child, Cancel(child));
        }
        child.0.poke(|n| n.timed = true);
        let site = Location::caller();
        if at <= now() {
            child.cancel(Error::DeadlineExceeded, None, true, site);
            return (child, Cancel(child));
        }
        // A parent that was done has cancelled the child already: then no timer is set.
        let start = child.0.op("start the timer", Access::Write).reason("sync.Mutex.Lock").at(site);
        let starts = start.when(|n, _| !n.locked).run(|n, cx| {
            cx.acquire(&n.clock);
            n.error.is_none()
        });
        if starts {
            let expire = move || child.cancel(Error::DeadlineExceeded, None, true, site);
            let timer = time_after_func(child.name(), Duration::from_nanos(at - now()), expire);
            child.0.poke(|n| n.timer = Some(timer));
        }
        (child, Cancel(child))
    }

    /// A child that is also done in `d`: `context.WithTimeout`. If `d` is 0 it is done at once.
    #[track_caller]
    pub fn with_timeout(&self, name: impl Into<Name>, d: Duration) -> (Context, Cancel) {
        let d = u64::try_from(d.as_nanos()).unwrap_or(u64::MAX);
        self.with_deadline(name, now().saturating_add(d))
    }

    /// A child with a value: `context.WithValue`.
    #[track_caller]
    pub fn with_value(&self, key: &'static str, value: impl Any + Send + Sync) -> Context {
        Context::create(key, Some(*self), Role::Value(key, Arc::new(value)), self.deadline())
    }

    /// The value of a key, if it or an ancestor has one of this type.
    pub fn value<T: Any + Clone>(&self, key: &str) -> Option<T> {
        let own = self.0.peek(|n| match &n.role {
            Role::Value(k, value) if *k == key => Some(Arc::clone(value)),
            _ => None,
        });
        match own {
            Some(value) => value.downcast_ref().cloned(),
            None => self.parent()?.value(key),
        }
    }

    /// The time by which it will be done.
    pub fn deadline(&self) -> Option<u64> {
        self.0.peek(|n| n.deadline)
    }

    /// A channel that is closed when it is done; the nil channel if it never is.
    pub fn done(&self) -> Chan<()> {
        let Some(node) = self.canceller() else { return Chan::nil() };
        node.0.peek(|n| match n.role {
            Role::Cancel(done) => done,
            _ => Chan::nil(),
        })
    }

    /// Why it is done, if it is.
    #[track_caller]
    pub fn err(&self) -> Option<Error> {
        let node = self.canceller()?;
        node.0.op("Err", Access::Read).run(|n, cx| {
            let (error, _) = n.error.as_ref()?;
            cx.acquire(&n.erred);
            cx.note(|| error.to_string());
            Some(*error)
        })
    }

    /// The cause, or else the error: `context.Cause`.
    #[track_caller]
    pub fn cause(&self) -> Option<String> {
        let node = self.canceller()?;
        let op = node.0.op("Cause", Access::Write).reason("sync.Mutex.Lock");
        op.when(|n, _| !n.locked).run(|n, cx| {
            cx.acquire(&n.clock);
            n.error.as_ref().map(|(_, cause)| cause.clone())
        })
    }

    /// Runs `f` in a goroutine of its own once the context is done: `context.AfterFunc`.
    #[track_caller]
    pub fn after_func(&self, name: impl Into<Name>, f: impl FnOnce() + Send + 'static) -> StopFunc {
        let role = Role::Function(Some(Box::new(f)));
        let child = Context::create(name, Some(*self), role, self.deadline());
        child.join_parent(Location::caller());
        StopFunc(child)
    }

    #[track_caller]
    fn create(name: impl Into<Name>, parent: Option<Context>, role: Role, deadline: Option<u64>) -> Self {
        let name = name.into();
        let node = Node {
            name: name.clone(),
            parent,
            role,
            deadline,
            locked: false,
            clock: Clock::new(),
            error: None,
            erred: Clock::new(),
            children: Vec::new(),
            timed: false,
            timer: None,
        };
        Context(Obj::create("context.Context", name, node))
    }

    #[track_caller]
    fn cancellable(&self, name: impl Into<Name>, deadline: Option<u64>) -> Context {
        let name = name.into();
        let done = Chan::new(format!("{name}.Done"), 0);
        let deadline = deadline.or(self.deadline());
        let child = Context::create(name, Some(*self), Role::Cancel(done), deadline);
        child.join_parent(Location::caller());
        child
    }

    fn name(&self) -> Name {
        self.0.peek(|n| n.name.clone())
    }

    fn parent(&self) -> Option<Context> {
        self.0.peek(|n| n.parent)
    }

    /// Itself or the nearest ancestor that can be cancelled.
    fn canceller(&self) -> Option<Context> {
        let own = self.0.peek(|n| matches!(n.role, Role::Cancel(_)));
        if own { Some(*self) } else { self.parent()?.canceller() }
    }

    /// Lets the parent cancel it; cancels it at once if the parent is done (`propagateCancel`).
    fn join_parent(&self, site: &'static Location<'static>) {
        let Some(parent) = self.parent().and_then(|p| p.canceller()) else { return };
        let op = parent.0.op("add a child", Access::Write).reason("sync.Mutex.Lock").at(site);
        let done = op.when(|n, _| !n.locked).run(|n, cx| {
            cx.acquire(&n.clock);
            if n.error.is_none() {
                n.children.push(*self);
                cx.release(&mut n.clock);
            }
            n.error.clone()
        });
        if let Some((error, cause)) = done {
            self.cancel(error, Some(cause), false, site);
        }
    }

    fn cancel(
        &self,
        error: Error,
        cause: Option<String>,
        leaves_parent: bool,
        site: &'static Location<'static>,
    ) {
        if self.cancel_own(error, cause.clone(), site) {
            let mut children = self.0.peek(|n| n.children.clone());
            while !children.is_empty() {
                let next = choose(children.len() as u32) as usize;
                let cause = cause.clone().or_else(|| Some(error.to_string()));
                children.swap_remove(next).cancel(error, cause, false, site);
            }
            self.0.op("unlock", Access::Write).at(site).run(|n, cx| {
                n.children.clear();
                n.locked = false;
                cx.release(&mut n.clock);
                cx.disown(self.0);
            });
            self.start_function(site);
            if leaves_parent {
                self.leave_parent(site);
            }
        }
        if self.0.peek(|n| n.timed) {
            let op = self.0.op("stop the timer", Access::Write).reason("sync.Mutex.Lock").at(site);
            let timer = op.when(|n, _| !n.locked).run(|n, cx| {
                cx.acquire(&n.clock);
                cx.release(&mut n.clock);
                n.timer.take()
            });
            if let Some(timer) = timer {
                timer.stop();
            }
        }
    }

    /// Records the error and closes `Done`, in one step: whoever sees one can see the other. False if it
    /// was done. The mutex stays locked.
    fn cancel_own(&self, error: Error, cause: Option<String>, site: &'static Location<'static>) -> bool {
        let done: Option<Obj<ChanState<()>>> = self.0.peek(|n| match n.role {
            Role::Cancel(done) => done.object(),
            _ => None,
        });
        let mut op = MultiOp::new("cancel").touch(self.0, Access::Write).when(self.0, |n, _| !n.locked, 0);
        if let Some(done) = done {
            op = op.touch(done, Access::Write).touch(lane(), Access::Write);
        }
        op.reason("sync.Mutex.Lock").at(site).run(|objects, cx| {
            let n = objects.get_mut(self.0);
            cx.acquire(&n.clock);
            if n.error.is_some() {
                cx.note(|| "done before");
                return false;
            }
            n.error = Some((error, cause.unwrap_or_else(|| error.to_string())));
            n.locked = true;
            cx.release(&mut n.erred);
            cx.own(self.0);
            cx.note(|| error.to_string());
            if let Some(done) = done {
                objects.get_mut(done).close(cx);
            }
            true
        })
    }

    fn leave_parent(&self, site: &'static Location<'static>) {
        let Some(parent) = self.parent().and_then(|p| p.canceller()) else { return };
        let op = parent.0.op("remove a child", Access::Write).reason("sync.Mutex.Lock").at(site);
        op.when(|n, _| !n.locked).run(|n, cx| {
            cx.acquire(&n.clock);
            n.children.retain(|child| child.0.id() != self.0.id());
            cx.release(&mut n.clock);
        });
    }

    /// For `AfterFunc`: starts the function unless it was stopped.
    fn start_function(&self, site: &'static Location<'static>) {
        if self.0.peek(|n| !matches!(n.role, Role::Function(_))) {
            return;
        }
        if let Some(function) = self.take_function("start", site) {
            go(self.name(), function);
        }
    }

    fn take_function(
        &self,
        label: &'static str,
        site: &'static Location<'static>,
    ) -> Option<Box<dyn FnOnce() + Send>> {
        self.0.op(label, Access::Write).at(site).run(|n, cx| {
            let Role::Function(function) = &mut n.role else { return None };
            let function = function.take();
            cx.note(|| if function.is_some() { "true" } else { "false" });
            function
        })
    }
}

impl Cancel {
    /// Cancels. Only the first call has an effect.
    #[track_caller]
    pub fn cancel(&self) {
        self.0.cancel(Error::Canceled, None, true, Location::caller());
    }
}

impl CancelCause {
    /// Cancels with a cause. Only the first call has an effect.
    #[track_caller]
    pub fn cancel(&self, cause: impl Into<String>) {
        self.cancel_for(Some(cause.into()));
    }

    /// Cancels, perhaps with a cause: nil stands for the error itself.
    #[track_caller]
    pub(crate) fn cancel_for(&self, cause: Option<String>) {
        self.0.cancel(Error::Canceled, cause, true, Location::caller());
    }
}

impl StopFunc {
    /// True if the function will not run; false if it was started, or stopped before.
    #[track_caller]
    pub fn stop(&self) -> bool {
        let site = Location::caller();
        let stopped = self.0.take_function("stop", site).is_some();
        if stopped {
            self.0.cancel(Error::Canceled, None, true, site);
        }
        stopped
    }
}
