//! Goroutines.

use bohr_kernel::{Name, TaskId, spawn};

/// Starts a goroutine: the `go` statement.
///
/// What its parent did before is ordered before it. Its end is ordered before nothing (the Go memory
/// model, "Goroutine destruction").
///
/// A panic that it does not recover ends the modelled process.
#[track_caller]
pub fn go(name: impl Into<Name>, f: impl FnOnce() + Send + 'static) -> TaskId {
    spawn(name, f)
}
