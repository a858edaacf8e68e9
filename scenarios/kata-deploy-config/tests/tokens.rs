//! Each way in which the configuration is lost, as a token that fails the same way every time.
//!
//! If one fails after a change that is meant, this prints new entries:
//!
//! ```sh
//! BOHR_TOKENS=1 cargo test -p kata-deploy-config --test failure_modes -- --nocapture
//! ```
//!
//! Left out: F12, an import of a drop-in file that was deleted. The artifacts of an installation are not
//! modelled.

use kata_deploy_config::DeployConfig;

bohr_explore::regressions! {
    DeployConfig;

    f1_stale_tail:
        "bohr1:kata-deploy-config/buggy/two-installs:keys=1:ASmi8IUoWOgG0HrRtrmqgmGALWR2"
        => "oracle violated: tomlq: Error running jq: UnexpectedCharError: Unexpected character: '\"' \
            at line 8 col 2.",

    f2_lost_base_both_exit_0:
        "bohr1:kata-deploy-config/buggy/two-installs:keys=1:ASPW5uliEiYG1s0mQK5NCo53noo"
        => "oracle violated: no version",

    f3_wrong_schema_both_exit_0:
        "bohr1:kata-deploy-config/buggy/two-installs:keys=1:ASekZTmXrxYG1iGnKM9ECoxHtIA"
        => "oracle violated: [cri.k2] is there, beside version = 2",

    f4_lost_update:
        "bohr1:kata-deploy-config/buggy/two-installs:keys=1:ASO7Pd06kEAG1s0mQK56CoBYO8c"
        => "oracle violated: I2 succeeded, and its runtime is not there",

    f5_an_empty_file_is_loaded:
        "bohr1:kata-deploy-config/buggy/read-install:keys=1:ARbJaOGwcqwG2exCkCbJCoC29UA"
        => "oracle violated: containerd loads no version",

    f5_a_prefix_is_loaded:
        "bohr1:kata-deploy-config/buggy/read-install:keys=1:ARh7Pf3MEC4G2ezNQFBACwCP1ws"
        => "oracle violated: containerd: failed to load TOML: /etc/containerd/config.toml: (4, 3): \
            unexpected token unclosed table key, was expecting a table key",

    f6_an_absent_file_is_loaded:
        "bohr1:kata-deploy-config/buggy/read-cleanup:keys=1:AQOuzmtDRgQBPGDfIII"
        => "oracle violated: open /etc/containerd/config.toml: No such file or directory",

    f6_an_absent_file_is_edited:
        "bohr1:kata-deploy-config/buggy/delete:keys=1:AQom0K5QQroDYY2NoIi4PQ"
        => "oracle violated: I1 exits with 2: tomlq: error: argument files: can't open \
            '/etc/containerd/config.toml': [Errno 2] No such file or directory: \
            '/etc/containerd/config.toml'",

    f7_uninstall_undone:
        "bohr1:kata-deploy-config/buggy/delete:keys=1:AR7PshJN0CsGnHuQUOUNCiCiU8k"
        => "oracle violated: [rt.k1] is there, and no backup",

    f8_backup_polluted:
        "bohr1:kata-deploy-config/buggy/apply:keys=1:ATdRRZniXRkGDiYbudX6ChBHS1M"
        => "oracle violated: the backup holds runtimes of Kata",

    f9_backup_torn_empty_or_polluted:
        "bohr1:kata-deploy-config/buggy/two-installs:keys=1:ASlRRTnupowG0AXYg3vkjMzEMw"
        => "oracle violated: the backup holds runtimes of Kata",

    f10_killed_between_truncation_and_write:
        "bohr1:kata-deploy-config/buggy/kill-install:keys=1:ARfW5tJmgy0G2exCQKeuCoBUX0Y"
        => "oracle violated: no version",

    f10_killed_between_two_edits:
        "bohr1:kata-deploy-config/buggy/kill-install:ARla_suuMFMG2Q7NfFDdC4B8fjs"
        => "oracle violated: [rt.k1] has not exactly its keys",

    f11_the_same_import_twice:
        "bohr1:kata-deploy-config/buggy/import:keys=1:ARLIOtc1akoFUaq9PCeEgHh89w"
        => "oracle violated: the drop-in is imported 2 times",

    f13_stuck_a_restart_fails_too:
        "bohr1:kata-deploy-config/buggy/two-installs:restarts=1:AT0VFsRyl4UGe1DeWDUmDoQAtiYm"
        => "oracle violated: I2 exits with 1: tomlq: Error running jq: UnexpectedCharError: Unexpected \
            character: ']' at line 3 col 1.",

    f14_write_into_a_replaced_inode_lost:
        "bohr1:kata-deploy-config/buggy/apply:keys=1:ASqnhvbSks8G7JDJjWTdCpQsGVEt"
        => "oracle violated: I2 succeeded, and its runtime is not there",

    f15_base_gone_for_good:
        "bohr1:kata-deploy-config/buggy/delete:keys=1:AQoBeq5QQroDYY2NoFW4cQ"
        => "oracle violated: there is no config.toml",
}
