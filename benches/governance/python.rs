//! The policy engine of the reference, as it is printed there: one process that judges the products in a loop.
//!
//! The reference's document is not part of the repository, so that this is skipped where it does not lie beside it.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use dataproduct_operator::api::DataProduct;
use serde_json::json;

use crate::{ROUND, RULES};

/// Where the document is looked for, from the root of the repository.
const DOCUMENT: &str = "../shared/reference";
/// The first line of the engine's source in the document.
const BEGIN: &str = "# governance/policy_engine.py";
/// The heading that follows the source.
const END: &str = "Implementation Anti-Patterns";

/// A process that waits for rounds, or why there is none.
pub(crate) fn start(products: &[DataProduct]) -> Result<Box<dyn FnMut() -> f64>, String> {
    let engine = source().ok_or_else(|| format!("the reference's policy engine is not in {DOCUMENT}"))?;
    let mut python = Command::new("python3")
        .args(["-c", include_str!("../../tests/governance/reference.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("there is no python3 to run the reference's policy engine: {error}"))?;
    let mut input = python.stdin.take().expect("a pipe");
    let mut output = BufReader::new(python.stdout.take().expect("a pipe"));
    writeln!(input, "{}", json!({"engine": engine, "products": products, "rounds": true})).expect("a reader");
    Ok(Box::new(move || {
        writeln!(input, "{}", ROUND.as_secs_f64()).expect("a reader");
        let mut line = String::new();
        output.read_line(&mut line).expect("an answer");
        let mut numbers = line.split_whitespace().map(|number| number.parse::<f64>().expect("a number"));
        let (judged, seconds) = (numbers.next().expect("a count"), numbers.next().expect("a time"));
        judged * f64::from(RULES) / seconds
    }))
}

fn source() -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
    fs::read_dir(folder).ok()?.flatten().find_map(|entry| {
        let text = fs::read_to_string(entry.path()).ok()?;
        let (_, rest) = text.split_once(BEGIN)?;
        Some(rest.split_once(END)?.0.to_owned())
    })
}
