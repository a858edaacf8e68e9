//! The code with upstream's fix, PR #13641, as it was released in v3.6.0-rc2: the context went away with the
//! global, and the lists of gauges are as they were.

use crate::memory::Plain;
use crate::queues::{Entry, List, QueueMetrics};
use crate::world::{Log, MetricsHook, Process, Request, Response, Transport};

/// What all round trippers share. Only main writes it, before there is anybody else.
pub struct Hook {
    shared: Plain<Shared>,
}

/// The shared handle's fields.
#[derive(Copy, Clone, Debug, Hash)]
pub struct Shared {
    ctx: bool,
    metrics: bool,
}

/// A round tripper: one for each transport that is wrapped, and never changed.
#[derive(Copy, Clone)]
pub struct RoundTripper {
    rt: Log,
}

impl MetricsHook for Hook {
    type RoundTripper = RoundTripper;

    fn install(process: &Process) -> Self {
        Hook { shared: Plain::new(process.minds, "handle", Shared { ctx: false, metrics: false }) }
    }

    fn store_metrics(&self) {
        self.shared.set(Shared { ctx: false, metrics: true });
    }

    fn wrap(&self, process: &Process, log: Log, inner: Transport) -> RoundTripper {
        let rt = process.wrap_log(log, inner);
        RoundTripper { rt }
    }

    fn round_trip(&self, process: &Process, wrapper: RoundTripper, request: Request) -> Response {
        let RoundTripper { rt } = wrapper;
        let Shared { ctx, metrics } = self.shared.get();
        let response = process.send(Some(rt), request);
        if metrics {
            process.count(ctx);
        }
        response
    }
}

/// The gauges of the work queues.
pub struct Queues;

impl QueueMetrics for Queues {
    fn append(list: &List, entry: Entry) {
        list.append(entry);
    }

    fn scrape(list: &List) {
        list.walk();
    }
}
