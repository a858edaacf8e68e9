//! Stackful coroutines that any code on their stack can suspend.
//!
//! corosensei hands the means to suspend, a *yielder*, to a coroutine's body alone. A task suspends deep
//! inside code that knows nothing of coroutines, so the yielder is reached through a thread-local. A
//! reference that is good only while the body runs cannot be kept there without `unsafe`; this crate is
//! as small as that one dereference allows, and the rest of the workspace forbids `unsafe`.
//!
//! Stacks are pooled by thread: a fresh one costs about a thousand times as much as one that was used before.

mod current;
mod pool;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine as Inner, CoroutineResult};
pub use current::suspend;

/// A body with a stack of its own, which runs whenever it is resumed and until it suspends itself.
///
/// One that is dropped while it is suspended is unwound first, for which its destructors run; if one of
/// them suspends, the process aborts.
pub struct Coroutine {
    // Empty only while it is dropped.
    inner: Option<Inner<(), (), (), DefaultStack>>,
}

impl Coroutine {
    /// A coroutine that has not begun yet, on a stack from the calling thread's pool.
    ///
    /// # Panics
    /// If the system has no memory left for a stack.
    pub fn new(body: impl FnOnce() + 'static) -> Self {
        let inner = Inner::with_stack(pool::take(), move |yielder, ()| current::entered(yielder, body));
        Coroutine { inner: Some(inner) }
    }

    /// Runs the body until it suspends itself or returns; true if it has returned.
    ///
    /// # Panics
    /// If the body panics, with what it panicked with, or has returned before.
    #[inline(always)]
    pub fn resume(&mut self) -> bool {
        let inner = self.inner.as_mut().expect("it is there until it is dropped");
        current::left_alone(|| inner.resume(())) == CoroutineResult::Return(())
    }
}

impl Drop for Coroutine {
    fn drop(&mut self) {
        let Some(mut inner) = self.inner.take() else { return };
        if !inner.done() {
            current::suspending_nobody(|| inner.force_unwind());
        }
        pool::give(inner.into_stack());
    }
}
