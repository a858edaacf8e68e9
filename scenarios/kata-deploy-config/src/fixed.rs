//! kata-deploy with one lock for the whole of an install or cleanup, and a configuration that is only ever
//! replaced, by `rename`, with a file that was validated and synchronised before.

use crate::document::Schema;
use crate::os::{Edit, File, Flags, Os, Stop};
use crate::world::Form;

/// This form.
#[derive(Debug)]
pub struct Deploy;

impl Form for Deploy {
    fn install(os: impl Os) -> Result<(), Stop> {
        install(os)
    }
    fn cleanup(os: impl Os) -> Result<(), Stop> {
        cleanup(os)
    }
    fn import(os: impl Os, wanted: bool) -> Result<(), Stop> {
        import(os, wanted)
    }
}

/// Adds a table per runtime.
pub fn install<O: Os>(os: O) -> Result<(), Stop> {
    locked(os, || {
        // Under the lock, or a pod could be deleted or replaced between the answer and the change.
        if os.deleted() {
            return Err(Stop::Superseded);
        }
        sweep(os);
        let bytes = read(os, File::Config)?;
        os.knows(&bytes);
        let schema = Schema::detect(&bytes);
        let mut text = bytes.clone();
        for runtime in os.runtimes() {
            for key in 0..os.keys() {
                let edit = Edit::Key { runtime, schema, key };
                text = os.edit(&text, edit).map_err(|says| Stop::Failed(1, says))?;
            }
        }
        backup(os, &bytes)?;
        os.knows(&text);
        publish(os, &text, &os.runtimes())
    })
}

/// Restores what was there before the first install.
pub fn cleanup<O: Os>(os: O) -> Result<(), Stop> {
    locked(os, || {
        if os.newer_alive() {
            return Err(Stop::Superseded);
        }
        sweep(os);
        if os.exists(File::Backup) {
            os.rename(File::Backup, File::Config).map_err(Stop::because)?;
            os.left();
            os.fsync_dir();
        }
        Ok(())
    })
}

/// Drop-in mode: one edit of `imports`.
pub fn import<O: Os>(os: O, wanted: bool) -> Result<(), Stop> {
    locked(os, || {
        sweep(os);
        let bytes = read(os, File::Config)?;
        let edit = if wanted { Edit::SetImport } else { Edit::RemoveImport };
        let text = os.edit(&bytes, edit).map_err(|says| Stop::Failed(1, says))?;
        os.knows(&text);
        publish(os, &text, &[])
    })
}

/// Does it while no other process does. The lock file is never renamed, unlinked, truncated or replaced.
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

/// Removes what killed processes have left behind. Nobody else has a temporary file while we hold the lock.
fn sweep<O: Os>(os: O) {
    for name in os.temps() {
        os.unlink_temp(&name);
    }
    os.knows(());
}

/// Copies the configuration that was read, unless there is a backup.
fn backup<O: Os>(os: O, bytes: &[u8]) -> Result<(), Stop> {
    if os.exists(File::Backup) {
        return Ok(());
    }
    stage(os, File::BackupTemp, bytes, |_| Ok(()))?;
    os.rename(File::BackupTemp, File::Backup).map_err(Stop::because)?;
    os.fsync_dir();
    Ok(())
}

/// Replaces the configuration in one step.
fn publish<O: Os>(os: O, text: &[u8], runtimes: &[u8]) -> Result<(), Stop> {
    let valid = |bytes: &[u8]| os.validate(bytes, runtimes).map_err(|says| Stop::Failed(1, says));
    stage(os, File::ConfigTemp, text, |temp| valid(&read(os, temp)?))?;
    os.rename(File::ConfigTemp, File::Config).map_err(Stop::because)?;
    os.left();
    os.fsync_dir();
    Ok(())
}

/// Makes a temporary file with this content, checks it, and makes it durable. If anything goes wrong there
/// is none.
fn stage<O: Os>(
    os: O,
    temp: File,
    bytes: &[u8],
    check: impl FnOnce(File) -> Result<(), Stop>,
) -> Result<(), Stop> {
    os.edits();
    let output = os.open(temp, Flags::CREATE_NEW).map_err(Stop::because)?;
    os.serialises();
    let written = os.write(output, bytes).map_err(Stop::because);
    let staged = written.and_then(|()| check(temp)).and_then(|()| os.fsync(output).map_err(Stop::because));
    os.knows((temp, bytes, &staged));
    os.close(output);
    if staged.is_err() {
        let _ = os.unlink(temp);
    }
    staged
}

/// Reads a file once.
fn read<O: Os>(os: O, file: File) -> Result<Vec<u8>, Stop> {
    let input = os.open(file, Flags::READ).map_err(Stop::because)?;
    let bytes = os.read_to_end(input).map_err(Stop::because)?;
    os.discard(input);
    Ok(bytes)
}
