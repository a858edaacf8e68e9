//! The invariants.
//!
//! A run is judged by the first invariant that it violates as it goes; what holds at rest is looked at
//! only in runs that have violated none. What was recorded of a run that is broken already would say
//! nothing about why it broke.

use crate::objects::LineState;
use crate::workload::{Errors, Observe};
use crate::world::{Form, Phase, SendError, Server, Stream};
use bohr_kernel::scenario::{Oracle, When};
use bohr_kernel::{Finding, Kind, Obj, blocked_tasks, violated};

/// The oracles.
pub static ORACLES: [Oracle; 10] = [
    Oracle { id: "O1", when: When::Safety, claim: "nobody panics" },
    Oracle {
        id: "O2",
        when: When::AtRest,
        claim: "a handler has returned if a send to it failed or it was registered before the shutdown",
    },
    Oracle {
        id: "O3",
        when: When::AtRest,
        claim: "the broadcaster waits for events, or the queue is closed",
    },
    Oracle {
        id: "O4",
        when: When::AtRest,
        claim: "every client gets events in order and none twice; a healthy one all that came while it was registered",
    },
    Oracle {
        id: "O5",
        when: When::Safety,
        claim: "a handler is released only by its own failed send or the shutdown",
    },
    Oracle { id: "O6", when: When::Safety, claim: "a call returns an error exactly if its client cancelled" },
    Oracle { id: "O7", when: When::AtRest, claim: "a handler that has returned is not registered" },
    Oracle { id: "O8", when: When::Safety, claim: "no data race on a connection's error" },
    Oracle {
        id: "O9",
        when: When::AtRest,
        claim: "observation: after the shutdown every handler has returned",
    },
    Oracle { id: "O10", when: When::AtRest, claim: "observation: a healthy client gets every event" },
];

/// The oracle that a finding of the kernel speaks for.
pub fn classify(finding: &Finding) -> Option<&'static str> {
    match finding.kind {
        Kind::Panic => Some("O1"),
        Kind::DataRace => Some("O8"),
        _ => None,
    }
}

/// Knows whether the run has violated an invariant on its way.
#[derive(Copy, Clone, Debug)]
pub struct Judge(Obj<bool>);

impl Judge {
    pub(crate) fn new() -> Self {
        Judge(Obj::create("oracle", "judge", false))
    }

    /// An invariant is violated. Only the first in a run counts.
    #[track_caller]
    pub(crate) fn violated(self, oracle: &str, text: impl Into<String>) {
        if !self.0.poke(|spoiled| std::mem::replace(spoiled, true)) {
            violated(oracle, text);
        }
    }

    fn is_spoiled(self) -> bool {
        self.0.peek(|spoiled| *spoiled)
    }
}

/// O5, when a handler has left its wait.
pub(crate) fn left_wait<F: Form>(server: &Server<F>, stream: Stream) {
    if !server.line(stream.client).peek(|line| line.failed) && !server.events().is_closed() {
        let who = stream.named("handler");
        let text = format!("{who} was released although no send to it had failed and the queue was open");
        server.judge().violated("O5", text);
    }
}

/// O6, when a handler has returned.
pub(crate) fn returned<F: Form>(
    server: &Server<F>,
    stream: Stream,
    result: Option<SendError>,
    line: &LineState,
) {
    let who = stream.named("handler");
    let recorded = server.workload().errors == Errors::Recorded;
    if result.is_some() && !(recorded && line.failed) {
        server.judge().violated("O6", format!("{who} returned an error, and there was none to return"));
    }
    if result.is_none() && recorded && line.failed && !line.spared {
        server.judge().violated("O6", format!("{who} returned success, and its client had cancelled"));
    }
}

/// What must hold at rest.
pub(crate) fn judge<F: Form>(server: &Server<F>) {
    if server.judge().is_spoiled() || has_raced(server) {
        return;
    }
    broadcaster_is_alive(server);
    for client in 0..server.workload().clients {
        released(server, client);
        delivered(server, client);
        if server.line(client).peek(|line| line.returned) && server.clients().holds(client) {
            violated("O7", format!("handler {} has returned and is still registered", client + 1));
        }
    }
}

/// O8 has spoken in this run. The kernel found it and does not tell; but every write of the error behind
/// the first comes after the trip that let the handler go, and whoever has gone has read it.
fn has_raced<F: Form>(server: &Server<F>) -> bool {
    let raced = |client| server.line(client).peek(|line| line.writes > 1 && line.returned);
    (0..server.workload().clients).any(raced)
}

/// O3.
fn broadcaster_is_alive<F: Form>(server: &Server<F>) {
    match server.phase() {
        Phase::NeverStarted | Phase::Returned => {}
        Phase::Panicked => violated("O3", "the broadcaster is dead"),
        Phase::Runs => {
            let blocked = blocked_tasks();
            let broadcaster = blocked.iter().find(|task| task.name == "broadcaster");
            if let Some(at) = broadcaster.filter(|task| task.object != "events") {
                violated("O3", format!("the broadcaster is blocked at {} [{}]", at.object, at.reason));
            }
        }
    }
}

/// O2 and O9.
fn released<F: Form>(server: &Server<F>, client: usize) {
    let (failed, returned) = server.line(client).peek(|line| (line.failed, line.returned));
    if returned {
        return;
    }
    let who = format!("handler {}", client + 1);
    if failed {
        violated("O2", format!("{who} has not returned, and a send to it has failed"));
    } else if server.ledger().account(client).owed {
        violated("O2", format!("{who} has not returned, and was registered before the shutdown"));
    }
    if server.workload().observe == Observe::Late && server.events().is_closed() {
        violated("O9", format!("{who} has not returned, and the queue is closed"));
    }
}

/// O4 and O10.
fn delivered<F: Form>(server: &Server<F>, client: usize) {
    if client < server.workload().mortal {
        return;
    }
    let got = server.line(client).peek(|line| line.got.clone());
    let missing = |event: &u32| !got.contains(event);
    let due = server.ledger().account(client).due;
    let all = 1..=server.workload().events;
    if let Some(event) = all.clone().filter(|event| due & (1 << event) != 0).find(missing) {
        violated("O4", format!("client {} is healthy and missed event {event}", client + 1));
    }
    if let Some(event) = all.clone().find(missing).filter(|_| server.workload().observe == Observe::First) {
        violated("O10", format!("client {} is healthy and event {event} went to nobody", client + 1));
    }
}
