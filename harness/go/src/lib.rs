//! Go's primitives on the kernel, with Go's exact messages.
