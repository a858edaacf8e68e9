//! Plausible wrong fixes. Each is the fixed form with one change, which is all that is written down here;
//! [`follow`] is the fixed form's step list with the places where a change acts.

use crate::document::Schema;
use crate::os::{Edit, Errno, File, Flags, Os, Stop};
use crate::world::{Actor, Form, ModelForm};
use crate::{buggy, document::Document};
use bohr_posix::{Fd, Path};

/// What is different from the fixed form.
#[derive(Copy, Clone, Debug)]
pub struct Change {
    /// How the lock is taken and given up.
    pub lock: Lock,
    /// Cleanup takes no lock and does not sweep.
    pub cleanup_unlocked: bool,
    /// Whether the pod is still wanted is asked before the lock.
    pub asks_before_lock: bool,
    /// Where the new configuration is written first.
    pub temp: Temp,
    /// How the backup is made.
    pub backup: Backup,
    /// One hold of the lock per edit.
    pub hold_per_edit: bool,
    /// Reads and computes before the lock, and again only to compare.
    pub retries: bool,
    /// Unlocks and locks again before it publishes.
    pub released_midway: bool,
    /// Cleanup unlinks the configuration before it renames the backup.
    pub unlinks_first: bool,
    /// Directories are synchronised.
    pub syncs_dirs: bool,
    /// What happens to a write that fails.
    pub errors: Errors,
}

/// How the lock is taken and given up.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Not at all; then nothing is swept, since temporary files may be in use.
    None,
    /// `flock` on the lock file.
    File,
    /// And the file is unlinked before it is closed.
    Unlinked,
    /// The same, but after locking it checks that the path still is this file, or starts over.
    Rechecked,
    /// `flock` on a file in the pod's own `/tmp`.
    ContainerTmp,
    /// `flock` on the lock file, whose descriptor a child inherits.
    Inherited,
    /// An `fcntl` lock on the lock file.
    Fcntl,
    /// `flock` on the configuration's directory.
    Directory,
}

/// Where the new configuration is written first.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Temp {
    /// In a file of its own, in the same directory.
    Own,
    /// In a file of one name for all.
    Shared,
    /// In the pod's `/tmp`; what cannot be renamed from there is copied.
    OtherFileSystem,
}

/// How the backup is made.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Backup {
    /// Under the lock, in a temporary file that is renamed.
    Renamed,
    /// The same before the lock.
    BeforeLock,
    /// Under the lock, in place.
    InPlace,
    /// Under the lock, as a second name of the configuration.
    Linked,
}

/// What happens to a write that fails.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Errors {
    /// The install fails, and the file is validated.
    Fatal,
    /// It goes on, and what it validates is what it has read.
    LeftToValidation,
    /// It copies the configuration and edits the copy key by key, whatever fails.
    Ignored,
}

/// The fixed form.
pub const NONE: Change = Change {
    lock: Lock::File,
    cleanup_unlocked: false,
    asks_before_lock: false,
    temp: Temp::Own,
    backup: Backup::Renamed,
    hold_per_edit: false,
    retries: false,
    released_midway: false,
    unlinks_first: false,
    syncs_dirs: true,
    errors: Errors::Fatal,
};

/// Declares forms that are the fixed one with a change.
macro_rules! changed {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $value:expr),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl $crate::world::ModelForm for $name {
            fn install(actor: $crate::world::Actor) -> Result<(), $crate::os::Stop> {
                $crate::mutants::follow(actor, &Self::CHANGE)
            }
            fn cleanup(actor: $crate::world::Actor) -> Result<(), $crate::os::Stop> {
                $crate::mutants::follow_cleanup(actor, &Self::CHANGE)
            }
            fn import(actor: $crate::world::Actor, wanted: bool) -> Result<(), $crate::os::Stop> {
                $crate::mutants::follow_import(actor, wanted, &Self::CHANGE)
            }
        }

        impl $name {
            #[allow(clippy::needless_update)]
            const CHANGE: $crate::mutants::Change =
                $crate::mutants::Change { $($field: $value,)* ..$crate::mutants::NONE };
        }
    )*};
}
pub(crate) use changed;

changed! {
    /// No lock: two installs publish on top of each other.
    RenameWithoutLock { lock: Lock::None }
    /// No lock, and one name for every temporary file: two installs write into each other's.
    SharedTempName { lock: Lock::None, temp: Temp::Shared }
    /// One hold per edit: others see and undo half an install.
    LockPerEdit { hold_per_edit: true }
    /// Publishes what it computed from an older file.
    RetryWithoutReread { retries: true }
    /// Between backup and publication somebody else may run.
    LockReleasedMidway { released_midway: true }
    /// Cleanup runs beside an install.
    LockInInstallOnly { cleanup_unlocked: true }
    /// A third process locks a new file while the second has just been granted the old one.
    LockFileUnlinked { lock: Lock::Unlinked }
    /// Every pod has its own lock.
    LockInContainerTmp { lock: Lock::ContainerTmp }
    /// The lock stays with the child.
    LockFdInherited { lock: Lock::Inherited }
    /// The backup may be of an edited file.
    BackupOutsideLock { backup: Backup::BeforeLock }
    /// A kill leaves a backup that is cut off, and trusted.
    BackupInPlace { backup: Backup::InPlace }
    /// `rename` fails, and what replaces it does not replace.
    TempOnOtherFs { temp: Temp::OtherFileSystem }
    /// Between `unlink` and `rename` there is no file.
    CleanupUnlinksFirst { unlinks_first: true }
    /// The answer may be old when the lock is granted.
    IntentBeforeLock { asks_before_lock: true }
    /// What was renamed may be lost with the power.
    NoDirFsync { syncs_dirs: false }
    /// Half a file can be valid.
    ValidateInputOnly { errors: Errors::LeftToValidation }
    /// A shell that lost its exit-on-error.
    ErrorsIgnored { errors: Errors::Ignored }
}

/// The reported form, with appending writers: whole documents are put behind each other.
#[derive(Debug)]
pub struct AppendMode;

impl Form for AppendMode {
    fn install(os: impl Os) -> Result<(), Stop> {
        buggy::install(os, Flags::TRUNCATE_APPEND)
    }
    fn cleanup(os: impl Os) -> Result<(), Stop> {
        buggy::cleanup(os)
    }
    fn import(os: impl Os, wanted: bool) -> Result<(), Stop> {
        buggy::import(os, wanted, Flags::TRUNCATE_APPEND)
    }
}

/// The fixed form without a change, through the step list of the changed ones: to test that list.
#[derive(Debug)]
pub struct Unchanged;

impl ModelForm for Unchanged {
    fn install(actor: Actor) -> Result<(), Stop> {
        follow(actor, &NONE)
    }
    fn cleanup(actor: Actor) -> Result<(), Stop> {
        follow_cleanup(actor, &NONE)
    }
    fn import(actor: Actor, wanted: bool) -> Result<(), Stop> {
        follow_import(actor, wanted, &NONE)
    }
}

/// What an install does.
pub fn follow(os: Actor, change: &Change) -> Result<(), Stop> {
    if change.asks_before_lock && os.deleted() {
        return Err(Stop::Superseded);
    }
    if change.backup == Backup::BeforeLock && !os.exists(File::Backup) {
        let bytes = read(os, os.path(File::Config))?;
        os.knows(&bytes);
        backup_by_rename(os, &bytes, change)?;
        os.knows(());
    }
    match () {
        () if change.retries => retry(os, change),
        () if change.hold_per_edit => per_edit(os, change),
        () => whole(os, change),
    }
}

/// What a cleanup does.
pub fn follow_cleanup(os: Actor, change: &Change) -> Result<(), Stop> {
    if change.asks_before_lock && os.newer_alive() {
        return Err(Stop::Superseded);
    }
    let change = &Change { lock: if change.cleanup_unlocked { Lock::None } else { change.lock }, ..*change };
    let lock = take(os, change);
    let result = clean(os, change);
    os.knows(&result);
    give(os, lock, change);
    result
}

fn clean(os: Actor, change: &Change) -> Result<(), Stop> {
    if !change.asks_before_lock && os.newer_alive() {
        return Err(Stop::Superseded);
    }
    sweep(os, change);
    if os.exists(File::Backup) {
        if change.unlinks_first {
            let _ = os.unlink(File::Config);
        }
        os.rename(File::Backup, File::Config).map_err(Stop::because)?;
        leave(os, change);
        if change.backup == Backup::Linked {
            // If no install has replaced the configuration yet, both names stand for one file, and rename
            // has done nothing (POSIX.1-2024, rename()).
            let _ = os.unlink(File::Backup);
        }
        sync_dir(os, change);
    }
    Ok(())
}

/// What a drop-in edit does.
pub fn follow_import(os: Actor, wanted: bool, change: &Change) -> Result<(), Stop> {
    let lock = take(os, change);
    sweep(os, change);
    let edit = if wanted { Edit::SetImport } else { Edit::RemoveImport };
    let result = read(os, os.path(File::Config)).and_then(|bytes| {
        let text = os.edit(&bytes, edit).map_err(|says| Stop::Failed(1, says))?;
        publish(os, &bytes, &text, &[], change)
    });
    give(os, lock, change);
    result
}

/// One hold of the lock for everything, as the fixed form.
fn whole(os: Actor, change: &Change) -> Result<(), Stop> {
    let mut lock = take(os, change);
    let result = prepare(os, change).and_then(|(bytes, text)| {
        if change.released_midway {
            os.knows((&bytes, &text));
            give(os, lock.take(), change);
            lock = take(os, change);
        }
        os.knows((&bytes, &text));
        publish(os, &bytes, &text, &os.runtimes(), change)
    });
    os.knows(&result);
    give(os, lock, change);
    result
}

/// Steps 3 to 6: the configuration as it was read, and with all edits.
fn prepare(os: Actor, change: &Change) -> Result<(Vec<u8>, Vec<u8>), Stop> {
    ask_and_sweep(os, change)?;
    let bytes = read(os, os.path(File::Config))?;
    os.knows(&bytes);
    let text = computed(os, &bytes)?;
    backup(os, &bytes, change)?;
    Ok((bytes, text))
}

fn ask_and_sweep(os: Actor, change: &Change) -> Result<(), Stop> {
    if !change.asks_before_lock && os.deleted() {
        return Err(Stop::Superseded);
    }
    sweep(os, change);
    Ok(())
}

/// A first hold that backs up, and one per key.
fn per_edit(os: Actor, change: &Change) -> Result<(), Stop> {
    let lock = take(os, change);
    let first = ask_and_sweep(os, change).and_then(|()| {
        let bytes = read(os, os.path(File::Config))?;
        os.knows(&bytes);
        Document::parse(&bytes).map_err(|wrong| Stop::Failed(1, wrong.to_string()))?;
        backup(os, &bytes, change)?;
        Ok(Schema::detect(&bytes))
    });
    os.knows(&first);
    give(os, lock, change);
    let schema = first?;
    for runtime in os.runtimes() {
        for key in 0..os.keys() {
            os.within((runtime, schema, key));
            os.knows(());
            let lock = take(os, change);
            let result = read(os, os.path(File::Config)).and_then(|bytes| {
                let edit = Edit::Key { runtime, schema, key };
                let text = os.edit(&bytes, edit).map_err(|says| Stop::Failed(1, says))?;
                os.knows((edit, &text));
                replace(os, &text, change, |written| {
                    Document::parse(written).map(|_| ()).map_err(|wrong| wrong.to_string())
                })
            });
            os.knows(&result);
            give(os, lock, change);
            result?;
        }
    }
    Ok(())
}

/// Computes before the lock, and publishes that if nothing has changed between the last two looks.
fn retry(os: Actor, change: &Change) -> Result<(), Stop> {
    let mut seen = read(os, os.path(File::Config))?;
    let text = computed(os, &seen)?;
    for attempt in 0..4 {
        os.within((attempt, &seen, &text));
        os.knows(());
        let lock = take(os, change);
        let result = ask_and_sweep(os, change).and_then(|()| {
            let bytes = read(os, os.path(File::Config))?;
            os.knows(&bytes);
            if bytes != seen {
                return Ok(Some(bytes));
            }
            backup(os, &bytes, change)?;
            os.knows(());
            publish(os, &bytes, &text, &os.runtimes(), change)?;
            Ok(None)
        });
        os.knows(&result);
        give(os, lock, change);
        match result? {
            Some(bytes) => seen = bytes,
            None => return Ok(()),
        }
    }
    Err(Stop::Failed(1, "config.toml keeps changing".to_owned()))
}

fn computed(os: Actor, bytes: &[u8]) -> Result<Vec<u8>, Stop> {
    let schema = Schema::detect(bytes);
    let mut text = bytes.to_vec();
    for runtime in os.runtimes() {
        for key in 0..os.keys() {
            let edit = Edit::Key { runtime, schema, key };
            text = os.edit(&text, edit).map_err(|says| Stop::Failed(1, says))?;
        }
    }
    Ok(text)
}

// ---- the lock ----

fn take(os: Actor, change: &Change) -> Option<Fd> {
    let p = os.p;
    let lock_file =
        if change.lock == Lock::ContainerTmp { os.tmp("kata-deploy.lock") } else { os.path(File::Lock) };
    let fd = match change.lock {
        Lock::None => return None,
        Lock::Directory => {
            let fd = p.open_dir(os.world.etc);
            os.flock(fd);
            fd
        }
        Lock::Fcntl => {
            let fd = p.open(lock_file, Flags::CREATE).expect("the lock file can be made");
            p.fcntl_lock(fd).expect("the descriptor is open");
            fd
        }
        Lock::File | Lock::Unlinked | Lock::Rechecked | Lock::ContainerTmp | Lock::Inherited => loop {
            let fd = p.open(lock_file, Flags::CREATE).expect("the lock file can be made");
            os.flock(fd);
            if change.lock != Lock::Rechecked || p.same_file(fd, lock_file).expect("the descriptor is open") {
                break fd;
            }
            os.close(fd);
        },
    };
    os.entered();
    if change.lock == Lock::Inherited {
        p.fork_idle(format!("child of {}", p.name()));
    }
    Some(fd)
}

fn give(os: Actor, lock: Option<Fd>, change: &Change) {
    let Some(fd) = lock else { return };
    if matches!(change.lock, Lock::Unlinked | Lock::Rechecked) {
        let _ = os.unlink(File::Lock);
        os.left();
    }
    os.close(fd);
    os.left();
}

/// Without a lock there is no window.
fn leave(os: Actor, change: &Change) {
    if change.lock != Lock::None {
        os.left();
    }
}

// ---- files ----

fn sweep(os: Actor, change: &Change) {
    if change.lock == Lock::None {
        return;
    }
    let spared = |name: &str| change.backup == Backup::BeforeLock && name.contains(".bak.");
    for name in os.temps().into_iter().filter(|name| !spared(name)) {
        os.unlink_temp(&name);
    }
    os.knows(());
}

fn sync_dir(os: Actor, change: &Change) {
    if change.syncs_dirs {
        os.fsync_dir();
    }
}

fn backup(os: Actor, bytes: &[u8], change: &Change) -> Result<(), Stop> {
    match change.backup {
        Backup::BeforeLock => Ok(()),
        Backup::Linked => {
            match os.p.link(os.path(File::Config), os.path(File::Backup)) {
                Ok(()) | Err(Errno::EEXIST) => {}
                Err(errno) => return Err(Stop::because(errno)),
            }
            sync_dir(os, change);
            Ok(())
        }
        Backup::Renamed | Backup::InPlace if os.exists(File::Backup) => Ok(()),
        Backup::Renamed => backup_by_rename(os, bytes, change),
        Backup::InPlace => {
            let output = os.open(File::Backup, Flags::TRUNCATE).map_err(Stop::because)?;
            let written = os.write(output, bytes).and_then(|()| os.fsync(output)).map_err(Stop::because);
            os.knows((bytes, &written));
            os.close(output);
            written?;
            sync_dir(os, change);
            Ok(())
        }
    }
}

fn backup_by_rename(os: Actor, bytes: &[u8], change: &Change) -> Result<(), Stop> {
    let temp = os.path(File::BackupTemp);
    let output = os.p.open(temp, Flags::CREATE_NEW).map_err(Stop::because)?;
    let written = os.write(output, bytes).and_then(|()| os.fsync(output)).map_err(Stop::because);
    os.knows((bytes, &written));
    os.close(output);
    if written.is_err() {
        let _ = os.unlink(File::BackupTemp);
        return written;
    }
    os.rename(File::BackupTemp, File::Backup).map_err(Stop::because)?;
    sync_dir(os, change);
    Ok(())
}

/// Steps 7 to 11. `bytes` is what was read, `text` what shall be there.
fn publish(os: Actor, bytes: &[u8], text: &[u8], runtimes: &[u8], change: &Change) -> Result<(), Stop> {
    match change.errors {
        Errors::Ignored => edit_a_copy(os, bytes, change),
        Errors::LeftToValidation => replace(os, text, change, |_| {
            Document::parse(bytes).map(|_| ()).map_err(|wrong| wrong.to_string())
        }),
        Errors::Fatal => replace(os, text, change, |written| os.validate(written, runtimes)),
    }
}

fn replace(
    os: Actor,
    text: &[u8],
    change: &Change,
    valid: impl FnOnce(&[u8]) -> Result<(), String>,
) -> Result<(), Stop> {
    let (temp, how) = match change.temp {
        Temp::Own => (os.path(File::ConfigTemp), Flags::CREATE_NEW),
        Temp::Shared => (os.world.etc.path("config.toml.new"), Flags::TRUNCATE),
        Temp::OtherFileSystem => (os.tmp("config.toml"), Flags::CREATE_NEW),
    };
    let output = os.p.open(temp, how).map_err(Stop::because)?;
    let written = os.write(output, text).map_err(Stop::because);
    let written = match change.errors {
        Errors::LeftToValidation => Ok(Vec::new()),
        Errors::Fatal | Errors::Ignored => written.and_then(|()| read(os, temp)),
    };
    let staged = written
        .and_then(|written| valid(&written).map_err(|says| Stop::Failed(1, says)))
        .and_then(|()| os.fsync(output).map_err(Stop::because));
    os.knows((text, &staged));
    os.close(output);
    if staged.is_err() {
        let _ = os.p.unlink(temp);
        return staged;
    }
    put(os, temp, text, change)
}

/// Makes the temporary file the configuration.
fn put(os: Actor, temp: Path, text: &[u8], change: &Change) -> Result<(), Stop> {
    match os.p.rename(temp, os.path(File::Config)) {
        Ok(()) => {}
        Err(Errno::EXDEV) => {
            let _ = os.unlink(File::Config);
            let output = os.open(File::Config, Flags::CREATE_NEW).map_err(Stop::because)?;
            os.write(output, text).map_err(Stop::because)?;
            os.close(output);
            let _ = os.p.unlink(temp);
        }
        Err(errno) => return Err(Stop::because(errno)),
    }
    leave(os, change);
    sync_dir(os, change);
    Ok(())
}

/// Copies the configuration, edits the copy as the reported form edits the original, and publishes it.
fn edit_a_copy(os: Actor, bytes: &[u8], change: &Change) -> Result<(), Stop> {
    let temp = os.path(File::ConfigTemp);
    let copy = os.p.open(temp, Flags::CREATE_NEW).map_err(Stop::because)?;
    let _ = os.write(copy, bytes);
    let schema = Schema::detect(bytes);
    for runtime in os.runtimes() {
        for key in 0..os.keys() {
            os.knows((runtime, schema, key));
            let Ok(bytes) = read(os, temp) else { continue };
            let Ok(text) = os.edit(&bytes, Edit::Key { runtime, schema, key }) else { continue };
            os.knows((runtime, schema, key, &text));
            let Ok(output) = os.p.open(temp, Flags::TRUNCATE) else { continue };
            let _ = os.write(output, &text);
            os.close(output);
        }
    }
    os.knows(());
    let _ = os.fsync(copy);
    os.close(copy);
    put(os, temp, &[], change)
}

fn read(os: Actor, path: Path) -> Result<Vec<u8>, Stop> {
    let input = os.p.open(path, Flags::READ).map_err(Stop::because)?;
    let bytes = os.read_to_end(input).map_err(Stop::because)?;
    os.discard(input);
    Ok(bytes)
}
