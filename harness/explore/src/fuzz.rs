//! Fuzzing a program with breaks: some schedules now, more of them later, nothing forgotten in between.

use crate::campaign::{Found, Shown};
use crate::driver::Driver;
use crate::engine::FastEngine;
use crate::strategy::{Greybox, Sampling, Seen};
use bohr_kernel::{Outcome, Program, RunConfig};
use std::cell::RefCell;
use std::rc::Rc;

/// A program that is being fuzzed.
pub struct Fuzzer {
    program: Program,
    config: RunConfig,
    greybox: Greybox,
    shown: Shown,
}

impl Fuzzer {
    /// Nothing run yet. What is done depends on `seed` alone, and not on where the breaks are.
    pub fn new(program: Program, config: RunConfig, seed: u64) -> Self {
        Fuzzer { program, config, greybox: Greybox::new(seed), shown: Shown::default() }
    }

    /// Runs `schedules` more, or fewer if `more`, which is asked after each, says false. Each distinct finding is
    /// handed to `watch` the moment it shows first.
    pub fn go_on(
        &mut self,
        schedules: u64,
        more: impl Fn() -> bool + 'static,
        mut watch: impl FnMut(&Found) + 'static,
    ) {
        // Lent to the engine, and taken back.
        let greybox = std::mem::replace(&mut self.greybox, Greybox::new(0));
        let shown = Rc::new(RefCell::new(std::mem::take(&mut self.shown)));
        let sink = {
            let shown = shown.clone();
            move |outcome: Outcome| {
                shown.borrow_mut().take_watched(Driver::Greybox, outcome, &mut watch);
                more()
            }
        };
        let sampling = Sampling::new(greybox, schedules, sink);
        self.greybox = FastEngine.explore_by(&self.program, self.config, sampling).into_policy();
        self.shown = Rc::into_inner(shown).expect("the strategy has let go of its sink").into_inner();
    }

    /// What all its schedules have shown.
    pub fn shown(&self) -> &Shown {
        &self.shown
    }

    /// How much of the program they have covered.
    pub fn seen(&self) -> Seen {
        self.greybox.seen()
    }
}
