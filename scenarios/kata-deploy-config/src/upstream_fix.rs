//! kata-deploy 4.1.0: one lock around each stage, held to the restart of containerd. Edits still truncate and
//! write in place without `fsync`, and whether a cleanup is still wanted is asked before the lock.

use crate::document::Schema;
use crate::os::{Edit, File, Flags, Os, Stop};
use crate::world::Form;

/// This form.
#[derive(Debug)]
pub struct Deploy;

impl Form for Deploy {
    /// A pod is one process, which cleans up when it is told to end.
    const ONE_PROCESS: bool = true;

    fn install(os: impl Os) -> Result<(), Stop> {
        install(os)
    }
    fn cleanup(os: impl Os) -> Result<(), Stop> {
        cleanup(os)
    }
    fn import(os: impl Os, wanted: bool) -> Result<(), Stop> {
        locked(os, || edit(os, if wanted { Edit::SetImport } else { Edit::RemoveImport }))
    }
    fn pod(os: impl Os) -> Result<(), Stop> {
        if !os.deleted() {
            match install(os) {
                Ok(()) | Err(Stop::Superseded) => {}
                failed => return failed,
            }
        }
        os.within("cleanup");
        os.knows(());
        os.wait_deleted();
        cleanup(os)
    }
}

/// Adds a table per runtime.
pub fn install<O: Os>(os: O) -> Result<(), Stop> {
    locked(os, || {
        if !os.exists(File::Config) {
            let config = os.open(File::Config, Flags::TRUNCATE).map_err(Stop::because)?;
            os.write(config, b"version = 2\n").map_err(Stop::because)?;
            os.close(config);
        }
        os.knows(());
        backup(os)?;
        if os.deleted() {
            return Err(Stop::Superseded);
        }
        for runtime in os.runtimes() {
            let schema = Schema::detect(&read(os, File::Config)?);
            os.knows((runtime, schema));
            for key in 0..os.keys() {
                edit(os, Edit::Key { runtime, schema, key })?;
            }
        }
        Ok(())
    })
}

/// Restores what was there before the first install.
pub fn cleanup<O: Os>(os: O) -> Result<(), Stop> {
    if os.newer_alive() {
        return Err(Stop::Superseded);
    }
    locked(os, || {
        if os.exists(File::Backup) {
            os.unlink(File::Config).map_err(Stop::because)?;
            os.rename(File::Backup, File::Config).map_err(Stop::because)?;
        }
        Ok(())
    })
}

fn locked<O: Os>(os: O, work: impl FnOnce() -> Result<(), Stop>) -> Result<(), Stop> {
    let lock = os.open(File::Lock, Flags::CREATE).map_err(Stop::because)?;
    os.flock(lock);
    os.entered();
    let result = work();
    os.knows(&result);
    os.left();
    os.close(lock);
    result
}

fn backup<O: Os>(os: O) -> Result<(), Stop> {
    if os.exists(File::Backup) {
        return Ok(());
    }
    let bytes = read(os, File::Config)?;
    os.knows(&bytes);
    let backup = os.open(File::Backup, Flags::TRUNCATE).map_err(Stop::because)?;
    os.write(backup, &bytes).map_err(Stop::because)?;
    os.close(backup);
    os.knows(());
    Ok(())
}

fn edit<O: Os>(os: O, edit: Edit) -> Result<(), Stop> {
    let bytes = read(os, File::Config)?;
    let text = os.edit(&bytes, edit).map_err(|says| Stop::Failed(1, says))?;
    os.knows((edit, &text));
    os.edits();
    let output = os.open(File::Config, Flags::TRUNCATE).map_err(Stop::because)?;
    os.serialises();
    os.write(output, &text).map_err(Stop::because)?;
    os.close(output);
    os.knows(edit);
    Ok(())
}

fn read<O: Os>(os: O, file: File) -> Result<Vec<u8>, Stop> {
    let input = os.open(file, Flags::READ).map_err(Stop::because)?;
    let bytes = os.read_to_end(input).map_err(Stop::because)?;
    os.discard(input);
    Ok(bytes)
}
