//! Each way in which the round tripper fails, as a token that fails the same way every time.
//!
//! If one fails after a change that is meant, this prints new entries:
//!
//! ```sh
//! BOHR_TOKENS=1 cargo test -p argo-roundtripper --test failure_modes -- --nocapture
//! ```

use argo_roundtripper::RoundTripper;

bohr_explore::regressions! {
    RoundTripper;

    r_s_the_slot_is_written_by_two_workers:
        "bohr1:argo-roundtripper/buggy/pair:ATESYijLcvEGYMysQrYAGvOwBQ"
        => "WARNING: DATA RACE on slot.ctx",

    r_s_the_slot_is_written_while_a_call_reads_it:
        "bohr1:argo-roundtripper/buggy/event:ASVNFSjOWOIGcH_z4FxugDkXNw"
        => "WARNING: DATA RACE on slot.rt",

    r_c_two_workers_store_their_connections_in_one_transport:
        "bohr1:argo-roundtripper/buggy/pair:ATEMISYgLEsGc_ROxkbEhgMADfJc"
        => "WARNING: DATA RACE on T1.conn",

    r_c_a_call_stores_its_connection_in_the_transport_of_a_worker:
        "bohr1:argo-roundtripper/buggy/event:ASYMIWG1imEG11WtJukV026N"
        => "WARNING: DATA RACE on T1.conn",

    r_p_a_worker_uses_a_transport_that_it_learnt_of_through_the_slot:
        "bohr1:argo-roundtripper/buggy/pair:ATGcgiYgLEsGc_ROxkbEhgMA6IVq"
        => "WARNING: DATA RACE on T1.tls",

    r_p_a_call_uses_a_transport_that_it_learnt_of_through_the_slot:
        "bohr1:argo-roundtripper/buggy/event:ASacgmG1imEG11WtJukV1ouo"
        => "WARNING: DATA RACE on T1.tls",

    r_p_a_call_uses_a_log_wrapper_that_it_learnt_of_through_the_slot:
        "bohr1:argo-roundtripper/buggy/event:ASZnkWG1imEG11WtJukVB1KU"
        => "WARNING: DATA RACE on log[exec for pod-1].inner",

    f1_the_own_transport_has_no_connection:
        "bohr1:argo-roundtripper/buggy/pair:ATEqWCjLcvEGYMysQrYAGlphjg"
        => "panic: runtime error: invalid memory address or nil pointer dereference\n\
            [signal SIGSEGV: segmentation violation code=0x1]",

    f1_with_one_goroutine_and_no_race:
        "bohr1:argo-roundtripper/buggy/ordered:ASQqWA6hurQG11UmlFH_9sVk"
        => "panic: runtime error: invalid memory address or nil pointer dereference\n\
            [signal SIGSEGV: segmentation violation code=0x1]",

    f2_the_request_goes_out_without_upgrade:
        "bohr1:argo-roundtripper/buggy/builder:AR6SzAT1lVYGxMSczcEfGhj4YQ"
        => "oracle violated: the exec for pod-1 failed and the pod was not signalled: unable to \
            upgrade connection: Upgrade request required",

    f2_without_an_actor_that_only_creates_a_client:
        "bohr1:argo-roundtripper/buggy/pair:ATKSzDiXRhoGYMysfD_VGhSczf4"
        => "oracle violated: the exec for pod-1 failed and the pod was not signalled: unable to \
            upgrade connection: Upgrade request required",

    f3_an_ordinary_call_goes_through_a_stale_transport:
        "bohr1:argo-roundtripper/buggy/event:ASZHUGG1imEG11WtJukVeI0e"
        => "oracle violated: the call 1 went through T1 instead of H",

    f4_an_exec_speaks_on_an_ordinary_connection:
        "bohr1:argo-roundtripper/buggy/event:ASWk9ThysTUG11UmJufxCgASVPM"
        => "oracle violated: the exec for pod-1 speaks on the connection of call 1: create error \
            stream: Timeout occurred",

    f5_an_exec_kills_another_pod:
        "bohr1:argo-roundtripper/buggy/pair:ATHfHVprlqAGYMysQrZTGgmEAL1jgg"
        => "oracle violated: the exec for pod-2 speaks on the connection of exec for pod-1: killed pod-1",

    a_queue_is_lost_from_a_gauge:
        "bohr1:argo-roundtripper/buggy/queues:ARaKgITN2FAG1sX1MUvcMLhZlw"
        => "oracle violated: the list longest holds 4 of 5 queues",

    a_queue_is_registered_in_a_race:
        "bohr1:argo-roundtripper/buggy/queues:AR5hXDpPd2sG7eLFh9r5hmfp"
        => "WARNING: DATA RACE on unfinished.header",

    /// An observation: advice, where nothing else is wrong.
    what_upstream_left_open:
        "bohr1:argo-roundtripper/upstream_fix/solo:ARX2dYdeMgUGmeV6Lr110azD"
        => "oracle violated: the counter was given a nil context",
}
