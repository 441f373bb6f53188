//! Running the binary.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// The instant of every judgement here.
pub(crate) const NOW: &str = "2026-11-26T00:00:00Z";

/// What the binary said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs `dataproduct check` in the root of the repository.
pub(crate) fn check(arguments: &[&str]) -> Said {
    check_in(arguments, &[], "")
}

/// Runs it with an environment and something on the standard input.
pub(crate) fn check_in(arguments: &[&str], environment: &[(&str, &str)], input: &str) -> Said {
    dataproduct(&[&["check"], arguments].concat(), environment, input)
}

/// Runs the binary in the root of the repository, with an environment and something on the standard input.
pub(crate) fn dataproduct(arguments: &[&str], environment: &[(&str, &str)], input: &str) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dataproduct"));
    command.args(arguments).current_dir(root()).env("DATAPRODUCT_CHECK_NOW", NOW);
    command.env_remove("GITHUB_ACTIONS").env_remove("KUBECONFIG").envs(environment.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary");
    let mut stdin = child.stdin.take().expect("its input");
    // Whoever does not read it closes it, and that is fine.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("its output");
    Said {
        code: output.status.code().expect("an exit code"),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A folder with files.
pub(crate) fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }
    folder
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// A product that breaks no definition.
pub(crate) fn product(name: &str, more: &str) -> String {
    format!(
        "apiVersion: datamesh.io/v1\nkind: DataProduct\nmetadata:\n  name: {name}\n  namespace: sales\nspec:\n  domain: sales\n  version: 1.0.0\n{more}"
    )
}
