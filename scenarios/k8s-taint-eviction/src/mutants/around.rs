//! Other forms of the controller's handlers and of the test.

use crate::queue::{Controller, Tester, an_event_each, one_event_each};
use crate::upstream_fix;
use crate::world::{Api, Counters, Pod};

type Handler = upstream_fix::Controller;
type Test = upstream_fix::Tester;

/// An updated pod is always evaluated again.
pub struct AlwaysReevaluate;

impl Controller for AlwaysReevaluate {
    fn unchanged(_: &Pod, _: &Pod) -> bool {
        false
    }
}

/// Consumers are looked up among the pods that were handled. That hides the race.
pub struct OwnPodCopy;

impl Controller for OwnPodCopy {
    const OWN_PODS: bool = true;

    fn unchanged(old: &Pod, new: &Pod) -> bool {
        Handler::unchanged(old, new)
    }
}

/// As [`OwnPodCopy`], and the node name is not compared.
pub struct OwnPodCopyWithoutNode;

impl Controller for OwnPodCopyWithoutNode {
    const OWN_PODS: bool = true;

    fn unchanged(_: &Pod, _: &Pod) -> bool {
        true
    }
}

/// The slice handler is not held back until claims and pods were handled.
pub struct SliceHandlerEarly;

impl Controller for SliceHandlerEarly {
    const SLICES_EARLY: bool = true;

    fn unchanged(old: &Pod, new: &Pod) -> bool {
        Handler::unchanged(old, new)
    }
}

/// Waits for the event and not for the metric.
pub struct EventOnly;

impl Tester for EventOnly {
    const LISTS_EVENTS: bool = true;

    fn evicted(api: &Api, pods: u8) -> bool {
        one_event_each(api, pods)
    }
}

/// Waits for the metric, and then sleeps instead of waiting for the event.
pub struct Sleep;

impl Tester for Sleep {
    const SLEEPS: bool = true;

    fn evicted(api: &Api, pods: u8) -> bool {
        api.metric == pods
    }
}

/// Is content with at least one of everything.
pub struct AtLeastOne;

impl Tester for AtLeastOne {
    const LISTS_EVENTS: bool = true;

    fn evicted(api: &Api, pods: u8) -> bool {
        api.metric >= pods && an_event_each(api, pods)
    }

    fn expected(counters: &Counters, metric: u8, api: &Api, pods: u8) -> bool {
        counters.patches >= pods && counters.deletes >= pods && metric >= pods && an_event_each(api, pods)
    }
}

/// Does not look whether all stays as it is.
pub struct NoSettle;

impl Tester for NoSettle {
    const LISTS_EVENTS: bool = true;
    const SETTLES: bool = false;

    fn evicted(api: &Api, pods: u8) -> bool {
        Test::evicted(api, pods)
    }
}

/// Takes a time-out for success.
pub struct IgnoreTimeout;

impl Tester for IgnoreTimeout {
    const LISTS_EVENTS: bool = true;
    const IGNORES_TIMEOUT: bool = true;

    fn evicted(api: &Api, pods: u8) -> bool {
        Test::evicted(api, pods)
    }
}

/// Is content with at least one event, and exact otherwise.
pub struct EventAtLeastOne;

impl Tester for EventAtLeastOne {
    const LISTS_EVENTS: bool = true;

    fn evicted(api: &Api, pods: u8) -> bool {
        api.metric == pods && an_event_each(api, pods)
    }

    fn expected(counters: &Counters, metric: u8, api: &Api, pods: u8) -> bool {
        let calls = counters.patches == pods && counters.deletes == pods;
        calls && metric == pods && an_event_each(api, pods)
    }
}
