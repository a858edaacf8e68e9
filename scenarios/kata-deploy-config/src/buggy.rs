//! kata-deploy up to 3.24: every edit reads the configuration, and then truncates and writes it in place.

use crate::document::Schema;
use crate::os::{Edit, Errno, File, Flags, Os, Stop};
use crate::world::Form;

/// This form.
#[derive(Debug)]
pub struct Deploy;

impl Form for Deploy {
    fn install(os: impl Os) -> Result<(), Stop> {
        install(os, Flags::TRUNCATE)
    }
    fn cleanup(os: impl Os) -> Result<(), Stop> {
        cleanup(os)
    }
    fn import(os: impl Os, wanted: bool) -> Result<(), Stop> {
        import(os, wanted, Flags::TRUNCATE)
    }
}

/// Adds a table per runtime. `how` is how the editor opens its output.
pub fn install<O: Os>(os: O, how: Flags) -> Result<(), Stop> {
    backup(os)?;
    for runtime in os.runtimes() {
        let schema = detect(os);
        os.knows((runtime, schema));
        for key in 0..os.keys() {
            edit(os, Edit::Key { runtime, schema, key }, how)?;
        }
    }
    Ok(())
}

/// Restores what was there before the first install.
pub fn cleanup<O: Os>(os: O) -> Result<(), Stop> {
    let _ = os.unlink(File::Config);
    if os.exists(File::Backup) {
        let _ = os.rename(File::Backup, File::Config);
    }
    Ok(())
}

/// Drop-in mode: one edit of `imports`.
pub fn import<O: Os>(os: O, wanted: bool, how: Flags) -> Result<(), Stop> {
    edit(os, if wanted { Edit::AppendImport } else { Edit::RemoveImport }, how)
}

/// Copies the configuration, unless there is a backup or nothing to copy.
fn backup<O: Os>(os: O) -> Result<(), Stop> {
    if !os.exists(File::Config) || os.exists(File::Backup) {
        os.knows(());
        return Ok(());
    }
    let config = os.open(File::Config, Flags::READ).map_err(Stop::because)?;
    let backup = os.open(File::Backup, Flags::CREATE_NEW).map_err(Stop::because)?;
    let bytes = os.read_to_end(config).map_err(Stop::because)?;
    os.knows(&bytes);
    os.write(backup, &bytes).map_err(Stop::because)?;
    os.discard(config);
    os.close(backup);
    os.knows(());
    Ok(())
}

/// Which schema the configuration has. No file, or an empty one: the legacy one.
fn detect<O: Os>(os: O) -> Schema {
    let Ok(config) = os.open(File::Config, Flags::READ) else { return Schema::Legacy };
    let bytes = os.read_to_end(config).unwrap_or_default();
    os.discard(config);
    Schema::detect(&bytes)
}

/// `tomlq -i`: the output is opened, and so truncated, before the document is serialised.
fn edit<O: Os>(os: O, edit: Edit, how: Flags) -> Result<(), Stop> {
    let input = os.open(File::Config, Flags::READ).map_err(no_input)?;
    let bytes = os.read_to_end(input).map_err(no_input)?;
    os.discard(input);
    let text = os.edit(&bytes, edit).map_err(|says| Stop::Failed(1, says))?;
    os.knows((edit, &text));
    os.edits();
    let output = os.open(File::Config, how).map_err(Stop::because)?;
    os.serialises();
    os.write(output, &text).map_err(Stop::because)?;
    os.close(output);
    os.knows(edit);
    Ok(())
}

fn no_input(errno: Errno) -> Stop {
    let (number, text) = (errno.number(), errno.text());
    let path = "/etc/containerd/config.toml";
    let says = format!("can't open '{path}': [Errno {number}] {text}: '{path}'");
    Stop::Failed(2, format!("tomlq: error: argument files: {says}"))
}
