//! A failing run must leave nothing behind, whatever its tasks held when it stopped.

#![cfg(target_os = "linux")]

use bohr_explore::campaign::{Budget, campaign};
use bohr_explore::driver::Driver;
use bohr_kernel::{Access, Obj, Program, RunConfig, spawn};

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has /proc");
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).expect("the kernel reports VmRSS");
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number of KiB")
}

/// Every schedule of this program fails while tasks hold memory.
fn program() -> Program {
    Program::new(|| {
        let never = Obj::create("flag", "never", false);
        let counter = Obj::create("counter", "c", 0u32);
        let text = "held while blocked".repeat(8);
        spawn("blocked", move || {
            let held = vec![text; 4];
            never.op("wait", Access::Read).when(|set, _| *set).run(|_, _| {});
            drop(held);
        });
        for name in ["a", "b"] {
            spawn(name, move || {
                let held = vec![0u8; 512];
                counter.op("bump", Access::Write).run(|c, cx| {
                    *c += 1;
                    if *c == 2 {
                        cx.fatal("the second one dies");
                    }
                });
                drop(held);
            });
        }
    })
}

fn stays_within_32_mib(driver: Driver, schedules: u64) {
    let program = program();
    let runs = |n| {
        let shown = campaign(driver, &program, RunConfig::default(), 1, &Budget::all(n));
        assert_eq!(shown.failing, n, "every schedule of this program fails");
    };
    runs(1_000);
    let before = resident_kib();
    runs(schedules);
    let grown = resident_kib().saturating_sub(before);
    assert!(grown <= 32 * 1024, "{driver} grew by {grown} KiB");
}

#[test]
fn a_million_failing_runs_stay_within_32_mib() {
    // On the fast engine.
    stays_within_32_mib(Driver::Random, 1_000_000);
    // What these keep from run to run, of tasks, objects and schedules, has bounds.
    stays_within_32_mib(Driver::Portfolio, 300_000);
    stays_within_32_mib(Driver::Greybox, 300_000);
}
