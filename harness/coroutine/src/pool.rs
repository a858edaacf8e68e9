//! The stacks that a thread has used and can use again.

use corosensei::stack::DefaultStack;
use std::cell::RefCell;

/// Debug builds of scenario code with formatting need more than 60 KiB. What is not touched costs only
/// addresses.
const STACK_BYTES: usize = 256 * 1024;

/// More tasks than this at once are rare, and their stacks should not stay for ever.
const KEPT: usize = 64;

thread_local! {
    static STACKS: RefCell<Vec<DefaultStack>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn take() -> DefaultStack {
    let pooled = STACKS.with_borrow_mut(Vec::pop);
    pooled.unwrap_or_else(|| DefaultStack::new(STACK_BYTES).expect("the system has memory for a stack"))
}

pub(crate) fn give(stack: DefaultStack) {
    // A coroutine that is dropped as its thread ends finds the pool gone, and its stack goes too.
    let _ = STACKS.try_with(|stacks| {
        let mut stacks = stacks.borrow_mut();
        if stacks.len() < KEPT {
            stacks.push(stack);
        }
    });
}
