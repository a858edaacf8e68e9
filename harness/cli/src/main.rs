//! The program `bohr`: see [`bohr_cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    bohr_cli::main()
}
