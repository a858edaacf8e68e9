//! Histories of calls, and whether they can be explained by a sequential order.
//!
//! Herlihy & Wing, "Linearizability: A Correctness Condition for Concurrent Objects" (TOPLAS 1990).

use crate::{Access, Name, Obj, TaskId};

/// A record of calls with their real-time order: which call had ended before which began.
///
/// Beginning and ending a call are operations of their own, so that an explorer that prunes by
/// commutativity keeps every order that matters: an ending never commutes with a beginning.
#[derive(Debug)]
pub struct History<I, O> {
    log: Obj<Vec<Call<I, O>>>,
}

impl<I, O> Copy for History<I, O> {}
impl<I, O> Clone for History<I, O> {
    fn clone(&self) -> Self {
        *self
    }
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<I, O> {
    /// Who called.
    pub task: TaskId,
    /// The arguments.
    pub input: I,
    /// The result, once the call has ended.
    pub output: Option<O>,
    /// The number of steps before it began.
    pub began: u32,
    /// The number of steps before it ended; nothing while it runs.
    pub ended: Option<u32>,
}

/// A call that has begun; give it back to [`History::end`].
#[derive(Debug)]
pub struct Open(usize);

impl<I: Clone + Send + 'static, O: Clone + Send + 'static> History<I, O> {
    /// An empty history.
    #[track_caller]
    pub fn new(name: impl Into<Name>) -> Self {
        History { log: Obj::create("history", name, Vec::new()) }
    }

    /// Records that a call begins.
    #[track_caller]
    pub fn begin(&self, input: I) -> Open {
        let op = self.log.op("call", Access::Add);
        op.run(|log, cx| {
            log.push(Call { task: cx.task(), input, output: None, began: cx.step(), ended: None });
            Open(log.len() - 1)
        })
    }

    /// Records that the call ends, with its result.
    #[track_caller]
    pub fn end(&self, call: Open, output: O) {
        // A read of the beginnings: it commutes with other endings and not with a beginning.
        self.log.op("return", Access::Read).run(|log, cx| {
            let call = &mut log[call.0];
            call.output = Some(output);
            call.ended = Some(cx.step());
        });
    }

    /// All calls so far, in the order in which they began.
    pub fn calls(&self) -> Vec<Call<I, O>> {
        self.log.peek(Clone::clone)
    }
}

/// Finds out whether completed calls can be ordered so that each gives what `apply` says, starting
/// from `state`, and a call that had ended before another began comes first.
///
/// `apply` takes the state and a call's input and gives the next state and the output the
/// specification prescribes. Plain backtracking over the orders: fine for a dozen calls, exponential
/// beyond. Calls without an output are ignored.
pub fn linearizable<S: Clone, I, O: PartialEq>(
    calls: &[&Call<I, O>],
    state: &S,
    apply: &impl Fn(&S, &I) -> (S, O),
) -> bool {
    let open: Vec<_> = calls.iter().copied().filter(|c| c.output.is_some()).collect();
    extend(&open, state, apply)
}

fn extend<S: Clone, I, O: PartialEq>(
    open: &[&Call<I, O>],
    state: &S,
    apply: &impl Fn(&S, &I) -> (S, O),
) -> bool {
    if open.is_empty() {
        return true;
    }
    let must_precede = |a: &Call<I, O>, b: &Call<I, O>| a.ended.is_some_and(|e| e < b.began);
    (0..open.len()).any(|i| {
        let first = open[i];
        if open.iter().any(|other| must_precede(other, first)) {
            return false;
        }
        let (next, output) = apply(state, &first.input);
        if first.output.as_ref() != Some(&output) {
            return false;
        }
        let mut rest = open.to_vec();
        rest.remove(i);
        extend(&rest, &next, apply)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(input: u8, output: u8, began: u32, ended: u32) -> Call<u8, u8> {
        Call { task: TaskId(0), input, output: Some(output), began, ended: Some(ended) }
    }

    /// A register with swap: gives the former value.
    fn swaps(calls: &[Call<u8, u8>]) -> bool {
        let calls: Vec<_> = calls.iter().collect();
        linearizable(&calls, &0u8, &|state, input| (*input, *state))
    }

    #[test]
    fn overlapping_calls_may_be_ordered_either_way() {
        assert!(swaps(&[call(1, 2, 0, 9), call(2, 0, 1, 8)]));
        assert!(swaps(&[call(1, 0, 0, 9), call(2, 1, 1, 8)]));
    }

    #[test]
    fn real_time_order_is_kept() {
        assert!(!swaps(&[call(1, 2, 0, 3), call(2, 0, 4, 8)]));
        assert!(swaps(&[call(1, 0, 0, 3), call(2, 1, 4, 8)]));
    }

    #[test]
    fn both_seeing_the_old_value_is_no_swap() {
        assert!(!swaps(&[call(1, 0, 0, 9), call(2, 0, 1, 8)]));
    }
}
