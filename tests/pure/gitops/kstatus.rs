//! kstatus, the rules by which Flux, `kpt` and others tell how an object is: the real package of cli-utils, as a program that
//! `make kstatus` builds.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use serde::Deserialize;
use serde_json::Value;

use super::{path, states::states};

#[derive(Deserialize, Debug)]
struct Answer {
    status: String,
}

/// What kstatus says of each object.
fn compute<'a>(objects: impl Iterator<Item = &'a Value>) -> Vec<Answer> {
    let program = path(".tools/kstatus/kstatus");
    assert!(program.exists(), "kstatus is missing; run `make kstatus` first");
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a program that can be run");
    let mut input = child.stdin.take().expect("an input");
    let text = objects.map(|object| format!("{object}\n")).collect::<String>();
    // Beside the reading, so that neither side waits for the other with a full pipe.
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().expect("an output");
    writer.join().expect("no panic").expect("all is read");
    assert!(output.status.success(), "kstatus fails; what it said is above");
    let lines = String::from_utf8(output.stdout).expect("text");
    lines.lines().map(|line| serde_json::from_str(line).expect("an answer")).collect()
}

#[test]
fn kstatus_says_of_every_state_what_it_must_say() {
    let states = states();
    let answers = compute(states.iter().map(|state| &state.object));
    assert_eq!(answers.len(), states.len());
    for (state, answer) in states.iter().zip(&answers) {
        assert_eq!(answer.status, state.verdict.kstatus, "{}: {answer:?}", state.name);
    }
    for word in ["Current", "InProgress", "Failed", "Terminating"] {
        assert!(answers.iter().any(|answer| answer.status == word), "no state is {word}");
    }
}
