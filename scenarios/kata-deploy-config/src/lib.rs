//! Kata Containers: two kata-deploy runs rewrite containerd's `config.toml` in place and leave each other's
//! bytes in it.
//!
//! kata-deploy is a DaemonSet. Its `install` adds one table per Kata runtime to containerd's configuration
//! and restarts containerd; its `cleanup` puts the original back. Each edit of the configuration
//! truncates the file when it opens its output, and writes it later; nothing keeps two programs apart. They
//! overlap by design of the life cycle of pods: the preStop hook that cleans up runs in the container in which
//! `install` still runs, and a re-applied DaemonSet starts the next `install` beside both.
//!
//! - Report: kata-containers issue #10924 (2025-02-24, 3.14.0; duplicates #10913, #10922, #10923): every later run
//!   ends with `tomlq: Error running jq: UnexpectedCharError: Unexpected character: '"' at line 412 col 2.`,
//!   where line 412 is a stray `3s"`, the stale end of a longer document. Independently: confidential-containers
//!   operator issue #481.
//! - Affected: edits by script since 3.3.0 (commit `c9e631dc0c`); the script was never fixed (pull requests #10970
//!   and #10783 were closed unmerged).
//! - Fix: pull request #13609 of the Rust rewrite, a lock per node; first in 4.1.0. It still writes in place,
//!   without `fsync`, and asks whether a cleanup is still wanted before it locks: here it is the variant
//!   `upstream_fix`, with known failures. `fixed` is this project's.
//!
//! Where to read on: [`buggy`] and [`fixed`], whose difference is the patch; [`upstream_fix`]; [`mutants`], the wrong
//! fixes; [`controls`], the other right ones; [`world`], the node; [`workload`], what its actors are given
//! to do; [`oracles`]; [`expected`], the verdicts; [`document`], the file's format; [`live`], the same programs as
//! real processes.
//!
//! What the model leaves out: mode and owner of the configuration; the restart of containerd (loads stand for
//! it); the artifacts that a drop-in entry points to; a holder of the lock that hangs; the real length of the file
//! (pages are small instead; a test of its own has the real ones).

#![forbid(unsafe_code)]

pub mod buggy;
pub mod controls;
pub mod document;
pub mod expected;
pub mod fixed;
pub mod live;
pub mod mutants;
pub mod oracles;
pub mod os;
pub mod upstream_fix;
pub mod workload;
pub mod world;

use bohr_kernel::Finding;
use bohr_kernel::scenario::{AnyScenario, Class, Expected, Info, Oracle, Reference, Role, Scenario, Variant};
use workload::Workload;

/// The scenario.
#[derive(Copy, Clone, Debug)]
pub struct DeployConfig;

/// The scenario, for the programs that drive all of them.
pub fn scenario() -> Box<dyn AnyScenario> {
    Box::new(DeployConfig)
}

static INFO: Info = Info {
    name: "kata-deploy-config",
    system: "Kata Containers",
    title: "kata-deploy runs leave each other's bytes in containerd's configuration",
    symptom: "after apply, delete, apply every run of kata-deploy ends with `UnexpectedCharError: Unexpected \
              character: '\"' at line 412 col 2`, and containerd does not start any more",
    reported: "O2",
    cause: "each edit reads the file, truncates it as it opens its output, and writes later, without a lock; \
            install and cleanup of one pod, and the install of the next, overlap",
    fix: "one lock for the whole of an install or cleanup, under which it also asks whether it is still wanted; \
          the new file is validated and synchronised, and then renamed",
    references: &[
        Reference {
            what: "report",
            name: "kata-containers/kata-containers issue #10924",
            url: "https://github.com/kata-containers/kata-containers/issues/10924",
        },
        Reference {
            what: "independent report",
            name: "confidential-containers/operator issue #481",
            url: "https://github.com/confidential-containers/operator/issues/481",
        },
        Reference {
            what: "fix",
            name: "kata-containers/kata-containers PR #13609",
            url: "https://github.com/kata-containers/kata-containers/pull/13609",
        },
        Reference {
            what: "not merged",
            name: "kata-containers/kata-containers PR #10970",
            url: "https://github.com/kata-containers/kata-containers/pull/10970",
        },
    ],
};

macro_rules! variant {
    ($form:ty, $name:literal, $role:ident, $summary:literal) => {
        Variant { name: $name, role: Role::$role, summary: $summary, run: world::run::<$form> }
    };
}

static VARIANTS: [Variant<Workload>; 25] = [
    variant!(buggy::Deploy, "buggy", Buggy, "reads, truncates and writes in place, without a lock"),
    variant!(fixed::Deploy, "fixed", Fixed, "one lock; asks under it; validates, synchronises and renames"),
    variant!(
        upstream_fix::Deploy,
        "upstream_fix",
        UpstreamFix,
        "4.1.0: one lock; still in place, and asks before it locks"
    ),
    variant!(mutants::RenameWithoutLock, "rename_without_lock", Mutant, "no lock"),
    variant!(
        mutants::SharedTempName,
        "shared_temp_name",
        Mutant,
        "no lock, and one fixed name for the temporary file"
    ),
    variant!(mutants::LockPerEdit, "lock_per_edit", Mutant, "one hold of the lock per key"),
    variant!(
        mutants::RetryWithoutReread,
        "retry_without_reread",
        Mutant,
        "computes before the lock; if the file has changed it tries again, and publishes its first result"
    ),
    variant!(
        mutants::LockReleasedMidway,
        "lock_released_midway",
        Mutant,
        "unlocks and locks again between backup and publication"
    ),
    variant!(mutants::LockInInstallOnly, "lock_in_install_only", Mutant, "cleanup takes no lock"),
    variant!(mutants::LockFileUnlinked, "lock_file_unlinked", Mutant, "unlinks the lock file to unlock"),
    variant!(
        mutants::LockInContainerTmp,
        "lock_in_container_tmp",
        Mutant,
        "the lock file is in the pod's own /tmp"
    ),
    variant!(mutants::LockFdInherited, "lock_fd_inherited", Mutant, "a child inherits the lock's descriptor"),
    variant!(mutants::BackupOutsideLock, "backup_outside_lock", Mutant, "makes the backup before it locks"),
    variant!(mutants::BackupInPlace, "backup_in_place", Mutant, "writes the backup in place"),
    variant!(
        mutants::TempOnOtherFs,
        "temp_on_other_fs",
        Mutant,
        "the temporary file is on another file system; what cannot be renamed is copied"
    ),
    variant!(
        mutants::CleanupUnlinksFirst,
        "cleanup_unlinks_first",
        Mutant,
        "cleanup unlinks the configuration before it renames the backup"
    ),
    variant!(
        mutants::IntentBeforeLock,
        "intent_before_lock",
        Mutant,
        "asks whether it is still wanted before it locks"
    ),
    variant!(mutants::NoDirFsync, "no_dir_fsync", Mutant, "does not synchronise directories"),
    variant!(
        mutants::ValidateInputOnly,
        "validate_input_only",
        Mutant,
        "ignores failed writes, and validates what it has read instead of what it has written"
    ),
    variant!(
        mutants::ErrorsIgnored,
        "errors_ignored",
        Mutant,
        "edits a copy key by key whatever fails, validates nothing, and publishes it"
    ),
    variant!(mutants::AppendMode, "append_mode", Mutant, "as buggy, with outputs that append"),
    variant!(controls::FcntlLock, "ctl_fcntl_lock", Control, "an fcntl lock; the lock file is opened once"),
    variant!(controls::LockOnDirectory, "ctl_lock_on_directory", Control, "locks the directory itself"),
    variant!(
        controls::BackupByLink,
        "ctl_backup_by_link",
        Control,
        "the backup is a second name of a configuration that is only ever replaced"
    ),
    variant!(
        controls::UnlinkRechecked,
        "ctl_unlink_rechecked",
        Control,
        "unlinks the lock file to unlock; after locking checks that the path still is this file"
    ),
];

impl Scenario for DeployConfig {
    type Workload = Workload;

    fn info(&self) -> &'static Info {
        &INFO
    }

    fn variants(&self) -> &'static [Variant<Workload>] {
        &VARIANTS
    }

    fn oracles(&self) -> &'static [Oracle] {
        &oracles::ORACLES
    }

    fn classes(&self) -> Vec<Class<Workload>> {
        workload::classes()
    }

    /// Every oracle speaks for itself.
    fn classify(_: &Finding) -> Option<&'static str> {
        None
    }

    fn expected(&self, variant: &str, workload: &Workload) -> Option<Expected> {
        expected::expected(variant, workload)
    }
}
