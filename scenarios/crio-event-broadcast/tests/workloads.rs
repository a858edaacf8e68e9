//! The correct forms on workloads that are no classes.

use arbitrary::{Arbitrary, Unstructured};
use bohr_explore::campaign::{Budget, campaign};
use bohr_explore::driver::RANDOMIZED;
use bohr_kernel::RunConfig;
use bohr_kernel::scenario::Expected;
use crio_event_broadcast::scenario;
use crio_event_broadcast::workload::Workload;

/// 60 workloads, drawn from fixed bytes, with 5 drivers and 20 schedules each: no verdict here depends on
/// chance.
#[test]
fn the_correct_forms_hold_on_drawn_workloads() {
    for seed in 0..60_u8 {
        let bytes: Vec<u8> =
            (1..=8).map(|i| seed.wrapping_mul(37).wrapping_mul(i).wrapping_add(i * 11)).collect();
        let workload = Workload::arbitrary(&mut Unstructured::new(&bytes)).expect("bytes never run out");
        let workload = workload.to_string();
        for variant in ["fixed", "onceadd", "plain_flag", "cond_flag", "late_safe"] {
            assert_eq!(scenario().expected(variant, &workload), Some(Expected::Holds));
            let program = scenario().program(variant, &workload).expect("it was just written");
            for driver in RANDOMIZED {
                let shown = campaign(driver, &program, RunConfig::default(), seed.into(), &Budget::all(20));
                assert_eq!(
                    shown.found.first().map(|f| &f.finding),
                    None,
                    "{variant} on {workload}, {driver}"
                );
            }
        }
    }
}
