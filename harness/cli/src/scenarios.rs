//! The one list of scenarios.

use bohr_kernel::scenario::AnyScenario;

/// Every scenario, in the order in which they are shown.
pub static ALL: &[&dyn AnyScenario] = &[
    &crio_event_broadcast::EventBroadcast,
    &kata_deploy_config::DeployConfig,
    &argo_roundtripper::RoundTripper,
    &k8s_taint_eviction::TaintEviction,
    &submariner_image_log::ImageLog,
];

/// The scenario of exactly this name.
pub(crate) fn named(name: &str) -> Option<&'static dyn AnyScenario> {
    ALL.iter().copied().find(|s| s.info().name == name)
}
