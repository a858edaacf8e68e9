//! Arrows between the crates point down only: see `docs/ARCHITECTURE.md`.

use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;

/// What the crates of a layer may depend on, of this workspace. Tests may use anything.
fn allowed(layer: &str) -> &'static [&'static str] {
    match layer {
        "kernel" | "coroutine" => &[],
        "go" | "posix" => &["kernel"],
        "explore" => &["kernel", "coroutine"],
        "report" => &["kernel", "explore"],
        "scenarios" => &["kernel", "go", "posix"],
        "cli" => &["kernel", "explore", "report", "conformance", "scenarios"],
        "conformance" => &["kernel", "go", "posix", "explore", "report", "scenarios"],
        other => panic!("{other} is a new layer: say here what it may depend on"),
    }
}

#[test]
fn arrows_point_down() {
    let metadata = metadata();
    let root = metadata["workspace_root"].as_str().unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let layers: BTreeMap<&str, String> =
        packages.iter().map(|package| (package["name"].as_str().unwrap(), layer(package, root))).collect();
    let mut wrong = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let normal = dependency["kind"].is_null();
            let of = layers.get(dependency["name"].as_str().unwrap());
            if let Some(of) = of.filter(|_| normal) {
                let from = &layers[name];
                if !allowed(from).contains(&of.as_str()) {
                    wrong.push(format!("{name} ({from}) must not depend on {} ({of})", dependency["name"]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(layers.values().any(|layer| layer == "scenarios"), "{layers:?}");
}

/// `kernel` for `harness/kernel`, `scenarios` for whatever is below that folder.
fn layer(package: &Value, root: &str) -> String {
    let manifest = package["manifest_path"].as_str().unwrap().replace('\\', "/");
    let path = manifest.strip_prefix(&root.replace('\\', "/")).unwrap();
    let mut parts = path.trim_start_matches('/').split('/');
    match (parts.next().unwrap(), parts.next().unwrap()) {
        ("harness", layer) => layer.to_owned(),
        (folder, _) => folder.to_owned(),
    }
}

fn metadata() -> Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version", "1", "--no-deps", "--offline"]);
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
