//! The code as it was reported: `workflow/metrics/metrics_k8s_request.go` and
//! `workflow/metrics/work_queue.go` of v3.6.0-rc1.

use crate::memory::Plain;
use crate::queues::{Entry, List, QueueMetrics};
use crate::world::{Log, MetricsHook, Process, Request, Response, Transport};

/// The one global round tripper.
pub struct Hook {
    ctx: Plain<bool>,
    rt: Plain<Option<Log>>,
    metrics: Plain<bool>,
}

/// The address of the global: the same for everybody.
#[derive(Copy, Clone)]
pub struct RoundTripper;

impl MetricsHook for Hook {
    type RoundTripper = RoundTripper;

    fn install(process: &Process) -> Self {
        let minds = process.minds;
        Hook {
            ctx: Plain::new(minds, "slot.ctx", false),
            rt: Plain::new(minds, "slot.rt", None),
            metrics: Plain::new(minds, "slot.metrics", false),
        }
    }

    fn store_metrics(&self) {
        self.metrics.set(true);
    }

    fn wrap(&self, process: &Process, log: Log, inner: Transport) -> RoundTripper {
        let rt = process.wrap_log(log, inner);
        self.ctx.set(true);
        self.rt.set(Some(rt));
        RoundTripper
    }

    fn round_trip(&self, process: &Process, _: RoundTripper, request: Request) -> Response {
        // A method with a value receiver, called through a pointer: it serves the request with a copy.
        let ctx = self.ctx.get();
        let rt = self.rt.get();
        let metrics = self.metrics.get();
        let response = process.send(rt, request);
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
