//! Fuzz inputs: bytes that are a workload and a schedule.
//!
//! The workload takes its bytes from both ends (`arbitrary`'s convention: lengths come from the end);
//! what is left is the schedule, a byte a choice. Byte 0, or no byte, stays with the current task, so
//! that cutting an input short, which is how libFuzzer shrinks, also shortens its schedule.

use crate::engine::FastEngine;
use crate::token::Token;
use arbitrary::Unstructured;
use bohr_kernel::scenario::AnyScenario;
use bohr_kernel::{Engine, Finding, Kernel, Outcome, Point, RunConfig, Strategy};
use std::cell::RefCell;
use std::rc::Rc;

/// A fuzz input, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The workload, as it writes itself.
    pub workload: String,
    /// One byte a choice.
    pub schedule: Vec<u8>,
}

impl Input {
    /// Decodes bytes. Nothing if they are too few for a workload.
    pub fn decode(scenario: &dyn AnyScenario, bytes: &[u8]) -> Option<Input> {
        let mut bytes = Unstructured::new(bytes);
        let workload = scenario.arbitrary(&mut bytes).ok()?;
        Some(Input { workload, schedule: bytes.take_rest().to_vec() })
    }

    /// Runs a variant on it, to the first finding.
    ///
    /// # Errors
    /// If the scenario does not know the variant.
    pub fn run(&self, scenario: &dyn AnyScenario, variant: &str, record: bool) -> Result<Outcome, String> {
        let program = scenario.program(variant, &self.workload)?;
        let strategy = Rc::new(RefCell::new(Bytes { schedule: self.schedule.clone(), at: 0, outcome: None }));
        let config = RunConfig { record, ..RunConfig::default() };
        FastEngine.explore(&program, config, strategy.clone());
        let outcome = strategy.borrow_mut().outcome.take();
        Ok(outcome.expect("the engine ran once"))
    }

    /// The finding that an input leads to and its token. Nothing if it leads to none.
    ///
    /// # Errors
    /// If the scenario does not know the variant.
    pub fn token(
        &self,
        scenario: &dyn AnyScenario,
        variant: &str,
    ) -> Result<Option<(Finding, Token)>, String> {
        let outcome = self.run(scenario, variant, true)?;
        let at = (scenario.info().name, variant, self.workload.as_str());
        let token = |finding: &Finding| Token::new(at, RunConfig::default(), &outcome, finding);
        Ok(outcome.findings.first().map(|finding| (finding.clone(), token(finding))))
    }
}

/// The name of the fuzz target of a variant: what its folder of artifacts is called.
pub fn target(scenario: &str, variant: &str) -> String {
    format!("{scenario}_{variant}").replace('-', "_")
}

struct Bytes {
    schedule: Vec<u8>,
    at: usize,
    outcome: Option<Outcome>,
}

impl Strategy for Bytes {
    fn begin(&mut self) -> bool {
        self.outcome.is_none()
    }

    fn choose(&mut self, _: &Kernel, point: &Point<'_>) -> Option<u32> {
        let byte = self.schedule.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        Some(u32::from(byte) % point.alternatives())
    }

    fn end(&mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }
}
