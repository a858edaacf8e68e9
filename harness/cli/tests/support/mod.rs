//! The program in a folder of its own.

#![allow(dead_code, reason = "each test uses a part of it")]

use assert_cmd::Command;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use tempfile::TempDir;

/// A folder of its own for every test, and the program in it.
pub struct Bohr(TempDir);

impl Bohr {
    pub fn new() -> Self {
        Bohr(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// What a command prints that ends with this code, and what it says on standard error.
    pub fn both(&self, args: &[&str], code: i32) -> (String, String) {
        let mut command = Command::cargo_bin("bohr").unwrap();
        let output = command.current_dir(self.0.path()).env_remove("BOHR_DIR").args(args).output().unwrap();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{args:?}\n{out}\n{err}");
        assert!(!err.contains("panicked"), "{args:?}: {err}");
        (out, err)
    }

    /// What a command prints that ends with this code and says nothing on standard error.
    pub fn output(&self, args: &[&str], code: i32) -> String {
        let (out, err) = self.both(args, code);
        assert_eq!(err, "", "{args:?}");
        out
    }

    pub fn json(&self, args: &[&str], code: i32) -> Value {
        serde_json::from_str(&self.output(args, code)).unwrap()
    }

    /// Standard error, of a command that is given something wrong.
    pub fn bad_input(&self, args: &[&str], says: &[&str]) {
        let (_, err) = self.both(args, 2);
        assert!(err.starts_with("error: "), "{args:?}: {err}");
        for part in says {
            assert!(err.contains(part), "{args:?} does not say {part:?}: {err}");
        }
    }

    /// Starts a command and does not wait for it.
    pub fn start(&self, args: &[&str]) -> Child {
        std::process::Command::new(assert_cmd::cargo::cargo_bin("bohr"))
            .current_dir(self.0.path())
            .env_remove("BOHR_DIR")
            .args(args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// All files below a folder, in order.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
