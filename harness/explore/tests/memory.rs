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

#[test]
fn a_hundred_thousand_failing_runs_stay_within_32_mib() {
    let program = Program::new(|| {
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
    });
    let runs = |n| {
        let shown = campaign(Driver::Random, &program, RunConfig::default(), 1, &Budget::all(n));
        assert_eq!(shown.failing, n, "every schedule of this program fails");
    };
    runs(1_000);
    let before = resident_kib();
    runs(100_000);
    let grown = resident_kib().saturating_sub(before);
    assert!(grown <= 32 * 1024, "grew by {grown} KiB");
}
