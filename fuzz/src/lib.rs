//! What the fuzz targets do. Those of a scenario: an input is decoded and run, and what its run shows is judged and fed
//! back. Inputs, how they are changed and how they are judged are `bohr_explore::input`; this only plugs them into
//! libFuzzer.

mod asan;
mod counters;

use bohr_explore::input::{Input, Ran, Runner, Target, crossover, mutate, surprise};
use bohr_kernel::Outcome;
use bohr_kernel::scenario::AnyScenario;
pub use libfuzzer_sys;
use libfuzzer_sys::Corpus;
use std::fmt::Display;

/// The fuzz target of one form of a scenario, or of `any_variant`: the body of a target's file.
#[macro_export]
macro_rules! scenario {
    ($scenario:expr, $form:expr, $crashes:expr) => {
        $crate::plug_in!($crate::Plug::new(&$scenario, $form, $crashes));
    };
}

/// The body of a target's file, given what makes the [`Plug`].
#[macro_export]
macro_rules! plug_in {
    ($plug:expr) => {
        thread_local! {
            static PLUG: std::cell::RefCell<$crate::Plug> = std::cell::RefCell::new($plug);
        }

        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| -> libfuzzer_sys::Corpus {
            PLUG.with_borrow_mut(|plug| plug.check(bytes))
        });

        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            PLUG.with_borrow_mut(|plug| plug.mutate(data, size, max_size, seed))
        });

        libfuzzer_sys::fuzz_crossover!(|one: &[u8], other: &[u8], out: &mut [u8], seed: u32| {
            PLUG.with_borrow(|plug| plug.crossover(one, other, out, seed))
        });
    };
}

/// The fuzz target of a part of the harness: the body of a target's file, given what checks an input.
#[macro_export]
macro_rules! check {
    ($check:path) => {
        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $crate::must_hold($check(bytes)));
    };
}

/// How libFuzzer learns of what a check says.
///
/// # Panics
/// If something is wrong.
pub fn must_hold(checked: Result<(), impl Display>) {
    if let Err(why) = checked {
        panic!("{why}");
    }
}

/// Every scenario.
pub static SCENARIOS: &[&dyn AnyScenario] = &[
    &argo_roundtripper::RoundTripper,
    &crio_event_broadcast::EventBroadcast,
    &k8s_taint_eviction::TaintEviction,
    &kata_deploy_config::DeployConfig,
    &submariner_image_log::ImageLog,
];

/// What is a crash.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Crashes {
    /// Any finding.
    Anything,
    /// What contradicts the verdict that the form must get.
    Surprises,
}

/// A scenario's form, plugged into libFuzzer.
pub struct Plug {
    runner: Runner,
    crashes: Crashes,
    feedback: bool,
}

impl Plug {
    /// A target. What its runs show is fed back unless `BOHR_FEEDBACK=0`.
    ///
    /// # Panics
    /// If the scenario has no such form.
    pub fn new(scenario: &'static dyn AnyScenario, form: &str, crashes: Crashes) -> Self {
        let target = Target::new(scenario, form);
        Plug::of(target.unwrap_or_else(|| panic!("no form is called {form:?}")), crashes)
    }

    /// The same.
    pub fn of(target: Target, crashes: Crashes) -> Self {
        let feedback = std::env::var_os("BOHR_FEEDBACK").is_none_or(|value| value != "0");
        Plug { runner: Runner::new(target, feedback), crashes, feedback }
    }

    /// Runs an input, and feeds back what it shows. Bytes that are no input are not kept.
    ///
    /// # Panics
    /// If the run has a finding that is a crash: that is how libFuzzer learns of it. The message holds the token.
    pub fn check(&mut self, bytes: &[u8]) -> Corpus {
        let Some(ran) = self.runner.run(bytes) else { return Corpus::Reject };
        ran.features.iter().for_each(|feature| counters::show(*feature));
        if !ran.outcome.findings.is_empty() {
            self.judge(bytes, &ran);
        }
        Corpus::Keep
    }

    fn judge(&self, bytes: &[u8], ran: &Ran) {
        let target = self.runner.target();
        let Some(why) = self.crash(&ran.variant, &ran.workload, &ran.outcome) else { return };
        // Only the failing run is recorded.
        let input = Input::decode(target, bytes).expect("it was just run");
        let recorded = input.token(target).unwrap_or_else(|e| panic!("{e}"));
        let (finding, token) = recorded.expect("the same run has the same findings");
        panic!("{}\n  {why}\n  bohr replay '{token}'", finding.headline());
    }

    fn crash(&self, variant: &str, workload: &str, outcome: &Outcome) -> Option<String> {
        let scenario = self.runner.target().scenario;
        let surprise = surprise(scenario, variant, workload, outcome).map(|surprise| surprise.why);
        match self.crashes {
            Crashes::Anything => Some(surprise.unwrap_or_else(|| "as expected".to_owned())),
            Crashes::Surprises => surprise,
        }
    }

    /// libFuzzer's custom mutator. With feedback every other schedule is one that is steered towards what has not shown.
    pub fn mutate(&mut self, data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
        if self.feedback && seed.is_multiple_of(2) {
            let steered = self.runner.steered(&data[..size], seed.into());
            let bytes = steered.and_then(|input| input.encode(self.runner.target()).ok());
            if let Some(bytes) = bytes.filter(|bytes| bytes.len() <= max_size) {
                return put(&bytes, data);
            }
        }
        let mutated = mutate(self.runner.target(), &data[..size], max_size, seed.into());
        put(&mutated, data)
    }

    /// libFuzzer's custom crossover.
    pub fn crossover(&self, one: &[u8], other: &[u8], out: &mut [u8], seed: u32) -> usize {
        let crossed = crossover(self.runner.target(), one, other, out.len(), seed.into());
        put(&crossed, out)
    }
}

fn put(bytes: &[u8], out: &mut [u8]) -> usize {
    out[..bytes.len()].copy_from_slice(bytes);
    bytes.len()
}
