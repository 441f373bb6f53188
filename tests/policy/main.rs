//! `dataproduct policy` as people run it: tests of policies on fixtures, and what policies would do to a mesh.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot be set up has failed")]

mod simulated;
mod tested;

use std::{path::Path, process::Command};

/// What the command said, what it noted, and how it ended.
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) notes: String,
    pub(crate) code: Option<i32>,
}

/// Runs `dataproduct policy` in the folder of the fixtures.
pub(crate) fn policy(arguments: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_dataproduct"))
        .arg("policy")
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policy/fixtures"))
        .output()
        .expect("the command runs");
    Said {
        out: String::from_utf8(output.stdout).expect("text"),
        notes: String::from_utf8(output.stderr).expect("text"),
        code: output.status.code(),
    }
}
