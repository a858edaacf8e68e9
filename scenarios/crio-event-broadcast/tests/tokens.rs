//! Each way in which the broadcaster fails, as a token that fails the same way every time.
//!
//! If one fails after a change that is meant, this prints new entries:
//!
//! ```sh
//! BOHR_TOKENS=1 cargo test -p crio-event-broadcast --test failure_modes -- --nocapture
//! ```
//!
//! Left out: F5', a handler whose own `Add` finds what was tripped twice. The broadcaster has to outlive its
//! panic for that, and no variant is so; `failure_modes.rs` has such a form for itself.

use crio_event_broadcast::EventBroadcast;

bohr_explore::regressions! {
    EventBroadcast;

    f1_a_second_event_finds_the_dead_client_still_registered:
        "bohr1:crio-event-broadcast/buggy/burst:ARRRWTHgspcFax8aqHR8f-w"
        => "panic: sync: negative WaitGroup counter",

    f2a_the_first_event_finds_the_latch_not_yet_armed:
        "bohr1:crio-event-broadcast/buggy/doa:AQtRWf8ozAsDdoi4IoCLAlc"
        => "panic: sync: negative WaitGroup counter",

    f2b_the_shutdown_finds_a_healthy_client_not_yet_armed:
        "bohr1:crio-event-broadcast/buggy/close:AQlRWYA-_VkDdoA8IicLEQ"
        => "panic: sync: negative WaitGroup counter",

    f3_the_shutdown_trips_what_a_failed_send_has_tripped:
        "bohr1:crio-event-broadcast/buggy/fail_close:ARNRWYBmH5wFax-dEv6chqQ"
        => "panic: sync: negative WaitGroup counter",

    /// In the reported form the process is dead before anybody sees it.
    f4_the_final_range_of_a_panic_lets_healthy_clients_go_and_panics_again:
        "bohr1:crio-event-broadcast/recover_loop/fanout:ASW7N02e92oG6VFoss1ZDAqpJZs"
        => "oracle violated: handler 2 was released although no send to it had failed and the queue \
            was open",

    f5_the_handler_wakes_up_behind_the_second_trip:
        "bohr1:crio-event-broadcast/buggy/burst:ARV-4sXoI0YGax_K5_DQHCyczQ"
        => "panic: sync: WaitGroup is reused before previous Wait has returned",

    f5_the_handler_dies_alone_where_the_broadcaster_recovers:
        "bohr1:crio-event-broadcast/recover_done/burst:ARV-4tcSYLIGCwbfmmvdAyK7"
        => "panic: sync: WaitGroup is reused before previous Wait has returned",

    f6_a_handler_behind_the_final_range_waits_for_ever:
        "bohr1:crio-event-broadcast/buggy/late1:AQhnBfHISmgCdnlo0KfI"
        => "oracle violated: handler 1 has not returned, and the queue is closed",

    f6_beside_a_second_handler_without_a_preemption:
        "bohr1:crio-event-broadcast/buggy/late2:ARN8CNtqE68FawJhlM8yXy0S"
        => "oracle violated: handler 2 has not returned, and the queue is closed",

    /// An observation: the fix does not set out to prevent it.
    f6_also_in_the_fixed_form:
        "bohr1:crio-event-broadcast/fixed/late1:AQdnBRZKZ1ECdrBoICDn"
        => "oracle violated: handler 1 has not returned, and the queue is closed",

    f7_the_error_is_written_while_the_handler_reads_it:
        "bohr1:crio-event-broadcast/buggy/err:ARpNPXXv6dwGaxi6pCheHM30GQ"
        => "WARNING: DATA RACE on err 1",

    f7_also_in_the_upstream_fix:
        "bohr1:crio-event-broadcast/upstream_fix/err:ARlNPSwWHagGa2bJpqtCshtQ"
        => "WARNING: DATA RACE on err 1",

    the_first_event_goes_to_nobody:
        "bohr1:crio-event-broadcast/buggy/first:AQiSPxYStdICdo9o3xa8"
        => "oracle violated: client 1 is healthy and event 1 went to nobody",

    /// An observation: the fix does not set out to prevent it.
    the_first_event_goes_to_nobody_also_in_the_fixed_form:
        "bohr1:crio-event-broadcast/fixed/first:AQeSPxZHhHoCdllodkL-"
        => "oracle violated: client 1 is healthy and event 1 went to nobody",
}
