//! Which coroutine the calling thread is inside of.

use corosensei::Yielder;
use std::cell::Cell;
use std::ptr;

thread_local! {
    /// The yielder of the innermost coroutine that runs on this thread; null outside of any.
    ///
    /// A coroutine sets it whenever it gets control, and who resumed it sets it back. So it is never a
    /// yielder whose body has returned or is suspended.
    static CURRENT: Cell<*const Yielder<(), ()>> = const { Cell::new(ptr::null()) };
}

/// Sets back, even if a panic passes, what the thread is inside of.
struct Restore(*const Yielder<(), ()>);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

/// Runs a body on its own stack.
pub(crate) fn entered(yielder: &Yielder<(), ()>, body: impl FnOnce()) {
    CURRENT.set(yielder);
    body();
}

/// Resumes a coroutine, and is back inside of what the thread was inside of.
#[inline(always)]
pub(crate) fn left_alone<R>(resume: impl FnOnce() -> R) -> R {
    let _restore = Restore(CURRENT.get());
    resume()
}

/// Unwinds a coroutine. Its destructors must not find the yielder of whoever drops it: they are on another
/// stack.
pub(crate) fn suspending_nobody<R>(unwind: impl FnOnce() -> R) -> R {
    let _restore = Restore(CURRENT.replace(ptr::null()));
    unwind()
}

/// Gives control back to whoever resumed the innermost coroutine that the calling thread is inside of.
/// Returns once that coroutine is resumed.
///
/// # Panics
/// If the thread is not inside of a coroutine.
#[allow(unsafe_code)]
#[inline(always)]
pub fn suspend() {
    let yielder = CURRENT.get();
    assert!(!yielder.is_null(), "only what runs in a coroutine can be suspended");
    // SAFETY: `CURRENT` is the yielder of the coroutine on whose stack this runs (see there), and corosensei
    // keeps a yielder where it is until the body has returned. No other thread can be involved:
    // `Coroutine` is not `Send`, so whoever resumes it later does so here.
    unsafe { &*yielder }.suspend(());
    CURRENT.set(yielder);
}
