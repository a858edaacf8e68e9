//! That constraints come true.

use super::Greybox;
use super::flow::{Flow, Kind, NOBODY};
use super::steer::Constraint;
use crate::engine::FastEngine;
use crate::strategy::Sampling;
use bohr_kernel::{Access, Obj, Program, RunConfig, Var, choose, spawn};

const RUNS: u64 = 200;

/// Two tasks write once each, a third looks twice, and main draws.
fn program() -> Program {
    Program::new(|| {
        let x = Obj::create("cell", "x", 0u32);
        spawn("writer a", move || x.op("write", Access::Write).run(|x, _| *x = 1));
        spawn("writer b", move || x.op("write", Access::Write).run(|x, _| *x = 2));
        spawn("reader", move || {
            x.op("look", Access::Read).run(|_, _| {});
            x.op("look again", Access::Read).run(|_, _| {});
        });
        Var::new("y", 0).set(choose(3));
    })
}

/// Goes on for [`RUNS`] schedules with the same constraints in each.
fn go_on(mut greybox: Greybox, constraints: Vec<Constraint>) -> Greybox {
    greybox.plan.constraints = constraints;
    let sampling = Sampling::new(greybox, RUNS, |_| true);
    FastEngine.explore_by(&program(), RunConfig::default(), sampling).into_policy()
}

fn unconstrained() -> Greybox {
    go_on(Greybox::blind(1), Vec::new())
}

/// In how many of [`RUNS`] runs a pair shows that is to show, or is not to.
fn hits(flow: Flow, shows: bool) -> u64 {
    // Numbers are given in the order in which operations are met: it has to be one that has met them.
    let before = unconstrained();
    let known = before.watch.flows.hits_of(flow);
    go_on(before, vec![Constraint { flow, shows }]).watch.flows.hits_of(flow) - known
}

#[test]
fn every_pair_that_can_show_is_made_to() {
    let greybox = unconstrained();
    let flows = greybox.watch.flows.all();
    let of = |kind| flows.iter().filter(|f| f.kind == kind).count();
    // At x each look sees nobody's, a's or b's, and each write nobody's or the other's; main is alone at y. Either
    // write may come after either look. One of three values is drawn.
    assert_eq!([of(Kind::ReadsFrom), of(Kind::Overwrites), of(Kind::Draws)], [11, 4, 3]);
    for flow in flows {
        assert_eq!(hits(*flow, true), RUNS, "{flow:?}");
    }
}

#[test]
fn what_can_be_avoided_is() {
    let greybox = unconstrained();
    let flows = greybox.watch.flows.all();
    // That nobody has written can be helped by waiting, where there is somebody to wait for: not at y. That somebody
    // has, cannot, if all others have been.
    let avoidable = |flow: &Flow| {
        let always = greybox.watch.flows.hits_of(*flow) == RUNS;
        flow.kind == Kind::Draws || flow.kind == Kind::ReadsFrom && flow.from == NOBODY && !always
    };
    let avoidable: Vec<Flow> = flows.iter().copied().filter(avoidable).collect();
    assert_eq!(avoidable.len(), 7);
    for flow in avoidable {
        assert_eq!(hits(flow, false), 0, "{flow:?}");
    }
}
