//! What was found once fails as it did: one test for each file below `fuzz/regressions/`. `bohr import` writes them.

use bohr_cli::regressions;
use libtest_mimic::{Arguments, Trial};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/regressions");
    let trials = match regressions::all(&root) {
        Ok(files) => files.into_iter().map(|file| trial(root.clone(), file)).collect(),
        Err(why) => vec![Trial::test("all", || Err(why.into()))],
    };
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(root: PathBuf, file: PathBuf) -> Trial {
    let name = file.display().to_string().replace('/', "::");
    Trial::test(name, move || regressions::check(&root, &file).map_err(Into::into))
}
