//! `panic`, `recover`, `defer`, and pointers that may be nil.
//!
//! A modelled panic is not a Rust panic: it unwinds with a payload of its own and runs no panic hook.
//! One that leaves its goroutine ends the modelled process, with its text as the finding.

use bohr_kernel::{ModelPanic, Site, raise};
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};

/// What Go prints for a panic of the hardware, after the panic's own line. Its addresses are left out:
/// they differ from build to build.
const SIGSEGV: &str = "\n[signal SIGSEGV: segmentation violation code=0x1]";

/// A panic that was recovered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoPanic(ModelPanic);

impl GoPanic {
    /// The panic's value, as Go prints it.
    pub fn message(&self) -> &str {
        self.0.text.split(SIGSEGV).next().unwrap_or_default()
    }

    /// Goes on panicking, as if nobody had recovered it.
    pub fn resume(self) -> ! {
        raise(self.0)
    }

    /// Panics again with the recovered value: `MESSAGE [recovered, repanicked]` (runtime/panic.go).
    pub fn repanic(mut self) -> ! {
        let message = self.message();
        let rest = &self.0.text[message.len()..];
        self.0.text = format!("{message} [recovered, repanicked]{rest}");
        raise(self.0)
    }

    /// A deferred function has panicked while this one was on its way.
    fn followed_by(mut self, second: GoPanic) -> GoPanic {
        self.0.text = format!("{}\n\tpanic: {}", self.message(), second.0.text);
        self
    }
}

/// Panics: `panic(text)`.
#[track_caller]
pub fn panic(text: impl Into<String>) -> ! {
    panic_at(text, Location::caller())
}

pub(crate) fn panic_at(text: impl Into<String>, site: &'static Location<'static>) -> ! {
    raise(ModelPanic { text: text.into(), site: Site::of(site) })
}

/// Runs `f` and catches its panic: a function with a deferred `recover()`.
pub fn recover<R>(f: impl FnOnce() -> R) -> Result<R, GoPanic> {
    let payload = match catch_unwind(AssertUnwindSafe(f)) {
        Ok(result) => return Ok(result),
        Err(payload) => payload,
    };
    // Anything else is the end of the run, or an error in the scenario's own code.
    Err(GoPanic(*payload.downcast::<ModelPanic>().unwrap_or_else(|other| resume_unwind(other))))
}

/// The deferred calls of a function.
pub struct Defers<'f>(Vec<Box<dyn FnOnce() + 'f>>);

impl<'f> Defers<'f> {
    /// Runs `f` when the function ends, before what was deferred earlier: the `defer` statement.
    pub fn defer(&mut self, f: impl FnOnce() + 'f) {
        self.0.push(Box::new(f));
    }
}

/// Runs a function that defers calls: they run, last first, when it returns or panics, and not when the
/// run ends. A deferred call that panics while a panic is on its way is told as Go tells it, `first`,
/// newline, tab, `panic: second`.
pub fn with_defers<'f, R>(body: impl FnOnce(&mut Defers<'f>) -> R) -> R {
    let mut defers = Defers(Vec::new());
    let mut result = recover(|| body(&mut defers));
    while let Some(deferred) = defers.0.pop() {
        if let Err(panic) = recover(deferred) {
            result = Err(match result {
                Ok(_) => panic,
                Err(first) => first.followed_by(panic),
            });
        }
    }
    result.unwrap_or_else(|panic| panic.resume())
}

/// A pointer, or an interface or function value, that may be nil.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Nilable<T>(Option<T>);

impl<T> Nilable<T> {
    /// One that points to `value`.
    pub fn new(value: T) -> Self {
        Nilable(Some(value))
    }

    /// Nil.
    pub fn nil() -> Self {
        Nilable(None)
    }

    /// True if it is nil.
    pub fn is_nil(&self) -> bool {
        self.0.is_none()
    }

    /// What it points to.
    ///
    /// Panics: `runtime error: invalid memory address or nil pointer dereference`, and a line
    /// `[signal SIGSEGV: segmentation violation code=0x1]`, where Go adds the addresses.
    #[track_caller]
    pub fn get(&self) -> &T {
        let Some(value) = &self.0 else {
            panic(format!("runtime error: invalid memory address or nil pointer dereference{SIGSEGV}"))
        };
        value
    }
}

impl<T> From<Option<T>> for Nilable<T> {
    fn from(value: Option<T>) -> Self {
        Nilable(value)
    }
}
