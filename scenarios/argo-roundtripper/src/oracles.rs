//! The invariants.

use crate::world::{Request, Transport};
use bohr_go::map::NIL_DEREFERENCE;
use bohr_kernel::scenario::{Oracle, When};
use bohr_kernel::{Finding, Kind, observe, violated};

/// The oracles.
pub static ORACLES: [Oracle; 10] = [
    Oracle { id: "O1", when: When::Safety, claim: "no data race on a plain field" },
    Oracle {
        id: "O2",
        when: When::Safety,
        claim: "no nil dereference: an exec that was answered finds a connection",
    },
    Oracle {
        id: "O3",
        when: When::AtRest,
        claim: "a request is carried by the transport that was wrapped for whoever sends it",
    },
    Oracle {
        id: "O4",
        when: When::Safety,
        claim: "an exec speaks on the connection on which it was answered itself, and nobody else does",
    },
    Oracle {
        id: "O5",
        when: When::AtRest,
        claim: "every exec succeeds, its pod's command ran exactly once, and its output is its own pod's",
    },
    Oracle { id: "O6", when: When::AtRest, claim: "every dialled connection is closed, or in the pool" },
    Oracle { id: "O7", when: When::Liveness, claim: "nobody is blocked for ever" },
    Oracle { id: "O8", when: When::AtRest, claim: "the counter has counted every request" },
    Oracle { id: "O9", when: When::AtRest, claim: "the counter is given a context (advisory)" },
    Oracle { id: "O10", when: When::AtRest, claim: "no gauge of the work queues has lost an entry" },
];

/// The oracle that a finding of the kernel speaks for.
pub fn classify(finding: &Finding) -> Option<&'static str> {
    match finding.kind {
        Kind::DataRace => Some("O1"),
        Kind::Panic if finding.text.starts_with(NIL_DEREFERENCE) => Some("O2"),
        Kind::Deadlock | Kind::StepBound => Some("O7"),
        _ => None,
    }
}

/// What a data race is on.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The global round tripper: its context, its next transport, its metrics.
    Slot,
    /// The connection of a SPDY transport.
    Connection,
    /// What a constructor wrote and another goroutine reads: a TLS configuration, or the inner transport
    /// of a log wrapper.
    Published,
    /// The handle that all round trippers share.
    Handle,
    /// A list of gauges of the work queues.
    Queues,
}

impl Group {
    /// The group of a data race.
    pub fn of(finding: &Finding) -> Option<Group> {
        if finding.kind != Kind::DataRace {
            return None;
        }
        let (object, field) = finding.text.rsplit_once('.').unwrap_or((&finding.text, ""));
        Some(match (object, field) {
            ("slot", _) => Group::Slot,
            ("handle", _) => Group::Handle,
            (_, "conn") => Group::Connection,
            (_, "tls" | "inner") => Group::Published,
            _ => Group::Queues,
        })
    }
}

/// What happened, outside of the process's memory.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub(crate) execs: Vec<ExecRecord>,
    pub(crate) calls: Vec<CallRecord>,
    pub(crate) dialled: Vec<Request>,
    pub(crate) closed: Vec<Request>,
    /// O4 was violated.
    pub(crate) crossed: bool,
    pub(crate) counted: u32,
    pub(crate) without_ctx: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct ExecRecord {
    /// The transport that was wrapped for it.
    pub(crate) own: Transport,
    pub(crate) carried: Option<Transport>,
    /// The pod whose output came back, or the error.
    pub(crate) outcome: Option<Result<u8, &'static str>>,
    /// How often its pod's command ran.
    pub(crate) runs: u8,
}

#[derive(Clone, Debug)]
pub(crate) struct CallRecord {
    pub(crate) carried: Option<Transport>,
}

/// The text of O4.
pub(crate) fn crossed(pod: u8, taken: Request, result: Result<u8, &'static str>) -> String {
    let what = Request::Exec(pod).what();
    let came = match result {
        Ok(of) => format!("killed pod-{}", of + 1),
        Err(error) => error.to_owned(),
    };
    format!("the {what} speaks on {}: {came}", taken.connection())
}

/// Judges a run in which everybody has come to an end. The first violated oracle is named; those behind
/// it are its consequences, and are only observed.
pub(crate) fn judge(ledger: &Ledger, counts: bool, written_again: Option<String>) {
    if let Some(what) = written_again {
        violated("O1", format!("{what} was written more than once"));
    }
    // A cross-talk is where a run ends that stops at the first finding. What comes after it is its
    // consequence as well.
    if ledger.crossed {
        return;
    }
    let metrics = |check: Option<String>| check.filter(|_| counts);
    let checks = [
        ("O5", outcomes(ledger)),
        ("O3", routing(ledger)),
        ("O6", leaks(ledger)),
        ("O8", metrics(count(ledger))),
        ("O9", metrics(context(ledger))),
    ];
    let mut failed = checks.into_iter().filter_map(|(oracle, text)| Some((oracle, text?)));
    let named = failed.next();
    failed.for_each(|(oracle, text)| observe(format!("{oracle}: {text}")));
    if let Some((oracle, text)) = named {
        violated(oracle, text);
    }
}

fn outcomes(ledger: &Ledger) -> Option<String> {
    let tell = |(pod, exec): (usize, &ExecRecord)| {
        let what = format!("exec for pod-{}", pod + 1);
        match exec.outcome {
            None => Some(format!("the {what} never ended")),
            Some(Err(error)) => Some(format!("the {what} failed and the pod was not signalled: {error}")),
            Some(Ok(of)) if usize::from(of) != pod => Some(format!("the {what} says: killed pod-{}", of + 1)),
            Some(Ok(_)) if exec.runs != 1 => {
                Some(format!("the command of the {what} ran {} times", exec.runs))
            }
            Some(Ok(_)) => None,
        }
    };
    ledger.execs.iter().enumerate().find_map(tell)
}

fn routing(ledger: &Ledger) -> Option<String> {
    let execs = ledger.execs.iter().zip(0..).map(|(e, pod)| (Request::Exec(pod), e.own, e.carried));
    let calls = ledger.calls.iter().zip(0..).map(|(c, n)| (Request::Call(n), Transport::Http, c.carried));
    let (request, own, carried) = execs
        .chain(calls)
        .find_map(|(request, own, carried)| Some((request, own, carried.filter(|c| *c != own)?)))?;
    Some(format!("the {} went through {carried} instead of {own}", request.what()))
}

fn leaks(ledger: &Ledger) -> Option<String> {
    let open = ledger.dialled.iter().find(|dialled| !ledger.closed.contains(dialled))?;
    Some(format!("{} is never closed", open.connection()))
}

fn count(ledger: &Ledger) -> Option<String> {
    let carried = ledger.execs.iter().map(|e| e.carried).chain(ledger.calls.iter().map(|c| c.carried));
    let answered = carried.flatten().count();
    let counted = ledger.counted as usize;
    (counted != answered).then(|| format!("{answered} requests were answered and {counted} counted"))
}

fn context(ledger: &Ledger) -> Option<String> {
    (ledger.without_ctx > 0).then(|| "the counter was given a nil context".to_owned())
}
