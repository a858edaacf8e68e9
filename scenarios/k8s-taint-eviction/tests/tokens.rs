//! Each way in which the eviction fails, as a token that fails the same way every time.
//!
//! If one fails after a change that is meant, this prints new entries:
//!
//! ```sh
//! BOHR_TOKENS=1 cargo test -p k8s-taint-eviction --test failure_modes -- --nocapture
//! ```
//!
//! In the reported form, but for M2, which is of the code before it, and M4, which its panic hides.

use k8s_taint_eviction::TaintEviction;

bohr_explore::regressions! {
    TaintEviction;

    m1_an_update_during_running_work_dereferences_nil:
        "bohr1:k8s-taint-eviction/buggy/M1:AQOBYNUVEMkB74RstA"
        => "panic: runtime error: invalid memory address or nil pointer dereference\n\
            [signal SIGSEGV: segmentation violation code=0x1]",

    m1c_through_the_controller:
        "bohr1:k8s-taint-eviction/buggy/C-add:AQuBYL9_kDcD2cqmIqDzN14"
        => "panic: runtime error: invalid memory address or nil pointer dereference\n\
            [signal SIGSEGV: segmentation violation code=0x1]",

    t1_the_test_looks_before_the_event_was_created:
        "bohr1:k8s-taint-eviction/buggy/C-initial:ARkXHTeAu98Gs_MKIz4aAUlZ"
        => "oracle violated: the test failed, and nothing was wrong",

    l1_a_pod_that_is_scheduled_last_is_never_evaluated:
        "bohr1:k8s-taint-eviction/buggy/C-update:ARHAotR9lp0FdizKrOc6oGQCng"
        => "oracle violated: a pod that was to be evicted still exists",

    m2_a_nil_that_stays_swallows_later_work:
        "bohr1:k8s-taint-eviction/keep_nil_after_finish/M3:AQfAonwX5QoCKxNgbTR5"
        => "oracle violated: a pod that was to be evicted still exists",

    m3_a_worker_removes_the_entry_of_a_newer_one:
        "bohr1:k8s-taint-eviction/buggy/M3:ARF1Cq3Fg1MFK0VMew1t44c"
        => "oracle violated: a worker that ends removes an entry that is not its own",

    m3_and_then_two_workers_act_at_once:
        "bohr1:k8s-taint-eviction/buggy/U0,R,U0,U0:ARlejIQY0UgGsgdQ26utIOgYoWY"
        => "oracle violated: a worker acts on a pod while another one does",

    m4_a_replaced_pod_is_taken_for_the_old_one:
        "bohr1:k8s-taint-eviction/upstream_fix/M4:AQbAohacEwwCKyODnQ8"
        => "oracle violated: a pod that was to be evicted still exists",

    m5_two_workers_after_a_timer_that_fired:
        "bohr1:k8s-taint-eviction/buggy/M5:ARVejHjH_P8G6mkFEAl6jIDvemI"
        => "oracle violated: a worker acts on a pod while another one does",

    m6_cancelled_and_evicted:
        "bohr1:k8s-taint-eviction/buggy/M6:AQ-FRZd8HPoE6lA_KoCdM_M"
        => "oracle violated: a worker acts although the cancel of its work returned true",

    m7_a_cancel_forgets_running_work:
        "bohr1:k8s-taint-eviction/buggy/M7:ARRejAiuyUkFKIGfmwkyPsAI"
        => "oracle violated: a worker acts on a pod while another one does",

    m8_five_errors_of_the_api_server_lose_the_eviction:
        "bohr1:k8s-taint-eviction/buggy/M8:AR7AogVbIsEGWaBDtw8V_kxb"
        => "oracle violated: a pod that was to be evicted still exists",

    /// An observation: the fix does not set out to prevent it.
    m8_also_in_the_fixed_form:
        "bohr1:k8s-taint-eviction/fixed/M8:AR7AoqQFHr4GNI9ZYQ4VSkDp"
        => "oracle violated: a pod that was to be evicted still exists",
}
