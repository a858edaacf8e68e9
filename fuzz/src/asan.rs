//! What AddressSanitizer does here unless `ASAN_OPTIONS` says otherwise.
//!
//! To notice a use of a local variable after its function has returned, it keeps locals on a *fake stack* for each
//! stack. corosensei 0.3 tells it of every switch, but not that a stack's body has ended for ever, so fake stacks stay:
//! two gigabytes after ten thousand executions, at which libFuzzer gives up.
//!
//! It asks a function for its options by name, and to give one a name is an unsafe attribute. It is sound because nothing
//! else in the program has that name, and the signature is that of the sanitizer's interface
//! (`sanitizer/asan_interface.h`). Without AddressSanitizer nobody asks.

use std::ffi::{CStr, c_char};

const OPTIONS: &CStr = c"detect_stack_use_after_return=0";

#[allow(unsafe_code)]
#[unsafe(no_mangle)]
extern "C" fn __asan_default_options() -> *const c_char {
    OPTIONS.as_ptr()
}
