//! The scenarios whose runs are replayed.

use bohr_kernel::scenario::AnyScenario;

/// All of them.
pub static ALL: &[&dyn AnyScenario] = &[
    &crio_event_broadcast::EventBroadcast,
    &kata_deploy_config::DeployConfig,
    &argo_roundtripper::RoundTripper,
    &k8s_taint_eviction::TaintEviction,
    &submariner_image_log::ImageLog,
];
