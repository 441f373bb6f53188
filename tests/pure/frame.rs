//! The frame of the scripts that install the tools of the tests: what is half made is never taken for whole, whoever dies when.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
};

use tempfile::TempDir;

/// A repository with the frame and one tool, which a script of three lines makes. With `WAIT` it never ends by itself.
struct Repository(TempDir);

const SCRIPT: &str = r#"#!/usr/bin/env bash
. "$(dirname "$0")/../install/frame.sh"
programs=tool
stamp() { echo "${STAMP:-one}"; }
unless_there "the tool"
begin "making the tool"
printf '#!/bin/sh\necho %s\n' "${STAMP:-one}" >"$temporary/tool"
chmod +x "$temporary/tool"
if [ -n "${WAIT:-}" ]; then
  # In the background, as the control plane is built.
  sleep 60 &
  echo $! >"$top/sleeper"
  mkfifo "$top/reached" 2>/dev/null || true
  wait
fi
[ -z "${FAIL:-}" ] || fail "it cannot be made"
finish "the tool"
"#;

impl Repository {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in [
            ("tests/install/frame.sh", include_str!("../install/frame.sh")),
            ("tests/tool/install.sh", SCRIPT),
        ] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(&path, text).expect("a file");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("rights");
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, environment: &[(&str, &str)]) -> Command {
        let mut command = Command::new("bash");
        command.arg(self.path("tests/tool/install.sh")).envs(environment.iter().copied());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn start(&self, environment: &[(&str, &str)]) -> Child {
        self.command(environment).spawn().expect("bash")
    }

    fn run(&self, environment: &[(&str, &str)]) -> String {
        let output = self.command(environment).output().expect("bash");
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    }

    /// What the tool says, and that nothing is beside it.
    fn tool(&self) -> String {
        assert_eq!(self.beside(), Vec::<String>::new());
        let output = Command::new(self.path(".tools/tool/tool")).output().expect("the tool");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// What is in the folder of tools beside the tool.
    fn beside(&self) -> Vec<String> {
        let names = fs::read_dir(self.path(".tools")).expect("a folder");
        let names = names.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned());
        names.filter(|name| name != "tool").collect()
    }
}

fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat()
}

/// Whether a process lives. One that is dead and that nobody has waited for yet does not.
fn is_alive(process: &str) -> bool {
    let process = process.trim();
    let found = Command::new("kill").args(["-0", process]).stderr(Stdio::null()).status();
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    found.is_ok_and(|status| status.success()) && !stat.contains(") Z ")
}

#[test]
fn a_tool_is_installed_once_and_anew_when_it_is_made_of_something_else() {
    let repository = Repository::new();
    assert!(repository.run(&[]).contains("tool: ready in"));
    assert_eq!(repository.tool(), "one");
    assert_eq!(repository.run(&[]), "tool: already there: the tool\n");
    assert!(repository.run(&[("STAMP", "two")]).contains("tool: ready in"));
    assert_eq!(repository.tool(), "two");
    // What somebody has removed a part of is not whole.
    fs::remove_file(repository.path(".tools/tool/tool")).expect("the tool");
    assert!(repository.run(&[("STAMP", "two")]).contains("tool: ready in"));
    assert_eq!(repository.tool(), "two");
}

#[test]
fn an_installation_that_fails_leaves_nothing_and_what_was_there_before() {
    let repository = Repository::new();
    let output = repository.command(&[("FAIL", "1")]).output().expect("bash");
    assert!(
        !output.status.success() && said(&output).contains("tool: it cannot be made"),
        "{}",
        said(&output)
    );
    assert!(repository.beside().is_empty() && !repository.path(".tools/tool").exists());
    repository.run(&[]);
    let output = repository.command(&[("FAIL", "1"), ("STAMP", "two")]).output().expect("bash");
    assert!(!output.status.success());
    assert_eq!(repository.tool(), "one");
}

#[test]
fn an_installation_that_is_ended_leaves_nothing_and_ends_what_it_started() {
    let repository = Repository::new();
    let mut child = repository.start(&[("WAIT", "1")]);
    // The script makes this once it waits.
    while !repository.path("reached").exists() {
        assert!(child.try_wait().expect("a state").is_none(), "it ended early");
        std::thread::yield_now();
    }
    let sleeper = fs::read_to_string(repository.path("sleeper")).expect("a process");
    assert!(is_alive(&sleeper));
    let killed = Command::new("kill").arg(child.id().to_string()).status().expect("kill");
    assert!(killed.success());
    assert_eq!(child.wait().expect("an end").code(), Some(143));
    assert!(repository.beside().is_empty() && !repository.path(".tools/tool").exists());
    while is_alive(&sleeper) {
        std::thread::yield_now();
    }
}

#[test]
fn what_a_killed_run_left_is_swept_and_what_another_run_makes_is_not() {
    let repository = Repository::new();
    // A process that has ended and been waited for, and one that lives.
    let mut ended = Command::new("true").spawn().expect("true");
    let dead = ended.id();
    ended.wait().expect("an end");
    for process in [dead, std::process::id()] {
        fs::create_dir_all(repository.path(&format!(".tools/.tool.{process}"))).expect("a folder");
    }
    repository.run(&[]);
    assert_eq!(repository.beside(), [format!(".tool.{}", std::process::id())]);
}

#[test]
fn two_installations_at_a_time_both_end_well() {
    let repository = Repository::new();
    for stamp in ["one", "two", "three", "four", "five"] {
        let both = [(); 2].map(|()| repository.start(&[("STAMP", stamp)]));
        for child in both {
            let output = child.wait_with_output().expect("an end");
            assert!(output.status.success(), "{}", said(&output));
        }
        assert_eq!(repository.tool(), stamp);
    }
}
