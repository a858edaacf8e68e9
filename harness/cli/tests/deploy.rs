//! The manifests say what Kubernetes understands, and their shards are those of the program.

mod support;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;
use support::{Bohr, files, text};

fn manifest(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(name);
    let text = fs::read_to_string(path).unwrap();
    serde_norway::Deserializer::from_str(&text).map(|doc| Value::deserialize(doc).unwrap()).collect()
}

/// Reads it by the schema of the API. What the schema does not know would be lost.
fn strictly<T: DeserializeOwned + Serialize>(value: &Value) -> T {
    let read: T = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(&serde_json::to_value(&read).unwrap(), value, "a field is misspelt or in the wrong place");
    read
}

#[test]
fn a_misspelt_field_is_noticed() {
    let mut job = manifest("job.yaml").remove(1);
    let spec = job["spec"].as_object_mut().unwrap();
    let value = spec.remove("completionMode").unwrap();
    spec.insert("completionmode".to_owned(), value);
    assert!(std::panic::catch_unwind(|| strictly::<Job>(&job)).is_err());
}

#[test]
fn the_job_runs_every_shard_once_and_the_merge_finds_them() {
    let [claim, job] = &manifest("job.yaml")[..] else { panic!("a claim and a job") };
    let claim: PersistentVolumeClaim = strictly(claim);
    let job: Job = strictly(job);
    let [merge] = &manifest("merge.yaml")[..] else { panic!("a job") };
    let merge: Job = strictly(merge);

    let spec = job.spec.unwrap();
    assert_eq!(spec.completion_mode.as_deref(), Some("Indexed"));
    assert_eq!(spec.completions, spec.parallelism);
    let pod = spec.template.spec.unwrap();
    let shard = &pod.containers[0];
    let shards =
        shard.env.as_ref().unwrap().iter().find(|env| env.name == "SHARDS").unwrap().value.clone().unwrap();
    assert_eq!(shards, spec.completions.unwrap().to_string());
    // Only a restart policy of `Never` goes with a failure policy: the Job makes a new pod.
    assert_eq!(pod.restart_policy.as_deref(), Some("Never"));
    let of_claim = |pod: &k8s_openapi::api::core::v1::PodSpec| {
        let volume = &pod.volumes.as_ref().unwrap()[0];
        (volume.persistent_volume_claim.as_ref().unwrap().claim_name.clone(), volume.name.clone())
    };
    assert_eq!(Some(&of_claim(&pod).0), claim.metadata.name.as_ref());
    assert_eq!(of_claim(&pod), of_claim(merge.spec.as_ref().unwrap().template.spec.as_ref().unwrap()));
    for rule in &spec.pod_failure_policy.unwrap().rules {
        if let Some(codes) = &rule.on_exit_codes {
            assert_eq!(codes.container_name.as_ref(), Some(&shard.name));
        }
    }

    // The commands as the cluster would run them, on something smaller.
    let bohr = Bohr::new();
    let results = bohr.path("results").to_str().unwrap().to_owned();
    let small = |arg: &String| {
        arg.replace("/results", &results)
            .replace("k8s-taint-eviction/fixed", "crio/fixed/doa")
            .replace("${SHARDS}", "3")
    };
    let program = assert_cmd::cargo::cargo_bin("bohr");
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let run = |args: Vec<String>, index: &str| {
        let mut command = Command::new(&args[0]);
        let output =
            command.args(&args[1..]).env("PATH", &path).env("JOB_COMPLETION_INDEX", index).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    let all = |command: &Option<Vec<String>>, args: &Option<Vec<String>>| -> Vec<String> {
        command.iter().chain(args).flatten().map(small).collect()
    };
    let command = all(&shard.command, &shard.args);
    assert!(command.last().unwrap().contains("crio/fixed/doa"), "{command:?}");
    for index in ["0", "1", "2"] {
        run(command.clone(), index);
    }
    assert_eq!(files(&bohr.path("results/shards")).len(), 3);
    let container = &merge.spec.unwrap().template.spec.unwrap().containers[0];
    let out = run(all(&container.command, &container.args), "");
    assert!(out.contains("proved: 7 executions, 7 distinct traces"), "{out}");
}
