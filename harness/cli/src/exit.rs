//! How the program ends.

use crate::output;
use std::io;
use std::process::ExitCode;

/// What a command has come to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// Everything is as expected.
    AsExpected,
    /// A verdict is not as expected, or a report is stale.
    Surprise,
    /// The user ended it early; what was known has been printed.
    Interrupted,
}

/// Why a command could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something is wrong with what the user gave. The text says what, with which input, and what to do.
    #[error("{0}")]
    Input(String),
    /// Standard output is gone.
    #[error("failed to write the output: {0}")]
    Output(#[from] io::Error),
}

/// The exit code, after telling the user about an error.
pub fn code(done: Result<Done, Error>) -> ExitCode {
    ExitCode::from(match done {
        Ok(Done::AsExpected) => 0,
        Ok(Done::Surprise) => 1,
        Ok(Done::Interrupted) => 130,
        // The reader has seen enough: 128 + SIGPIPE, as if the signal had ended the program.
        Err(Error::Output(e)) if e.kind() == io::ErrorKind::BrokenPipe => 141,
        Err(e) => {
            output::error(&e.to_string());
            2
        }
    })
}
