//! `dataproduct convert`: manifests as the reference writes them, as the API server takes them.

use std::{
    io::{self, Write},
    path::Path,
};

use serde_json::Value;

use super::{
    CliError,
    documents::{self, Text},
    print,
};
use crate::{
    api::{DataProduct, GROUP, PlatformStandards, STANDARDS_NAME},
    contract::{
        Lifted,
        lift::{edit, lift, line_of},
    },
};

/// Converts a file to the standard output, and tells the moves on the standard error.
pub fn run(path: &Path) -> Result<(), CliError> {
    let text = documents::text(path)?;
    let (converted, told) = convert(&text)?;
    // What was moved is for people; a closed standard error does not make the result wrong.
    let _ = io::stderr().lock().write_all(told.as_bytes());
    print(&converted)
}

/// The manifests, and what was moved line by line. All that is wrong is told at once, and then nothing is written.
fn convert(text: &Text) -> Result<(String, String), CliError> {
    let (mut converted, mut told, mut wrong) = (String::new(), Vec::new(), Vec::new());
    let (mut after, mut documents) = (0, 0);
    for part in parts(&text.text) {
        let place = |path: &str| match line_of(part, path) {
            Some(line) => format!("{}:{}", text.name, line + after),
            None => format!("{}:{}", text.name, after + 1),
        };
        let values: Vec<Value> = text.parse(part, u64::try_from(after).unwrap_or_default())?;
        match values.as_slice() {
            [] => converted.push_str(part),
            [document] => {
                documents += 1;
                match lift(document) {
                    Ok(lifted) if lifted.moves.is_empty() => converted.push_str(part),
                    Ok(lifted) => {
                        let (manifest, kept) = written(text, part, &lifted)?;
                        if !kept {
                            told.push(format!(
                                "{}: the document is written anew, without its comments",
                                place("")
                            ));
                        }
                        let moves = lifted.moves.iter();
                        told.extend(moves.map(|(from, to)| format!("{}: {from} is now {to}", place(from))));
                        told.extend(
                            lifted.added.iter().map(|path| format!("{}: {path} is added", place(""))),
                        );
                        converted.push_str(&manifest);
                    }
                    Err(illegal) => {
                        wrong.extend(
                            illegal.iter().map(|illegal| format!("{}: {illegal}", place(&illegal.path))),
                        );
                    }
                }
            }
            _ => {
                let said =
                    "documents follow each other without a line of three hyphens; put one between them";
                wrong.push(format!("{}: {said}", place("")));
            }
        }
        after += part.lines().count();
    }
    if documents == 0 && wrong.is_empty() {
        wrong.push(format!("{}: there is no document in it", text.name));
    }
    let told: String = told.into_iter().map(|line| format!("{line}\n")).collect();
    if wrong.is_empty() { Ok((converted, told)) } else { Err(CliError::Document(wrong.join("\n"))) }
}

/// The parts of a text, each with one document; a line of three hyphens begins a part.
fn parts(text: &str) -> Vec<&str> {
    let is_marker = |line: &str| {
        line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
    };
    let (mut parts, mut start, mut at) = (Vec::new(), 0, 0);
    for line in text.split_inclusive('\n') {
        if is_marker(line) {
            parts.extend(text.get(start..at).filter(|part| !part.is_empty()));
            start = at;
        }
        at += line.len();
    }
    parts.extend(text.get(start..).filter(|part| !part.is_empty()));
    parts
}

/// The text of a manifest, and whether the comments of the document are still in it.
fn written(text: &Text, part: &str, lifted: &Lifted) -> Result<(String, bool), CliError> {
    let header =
        format!("apiVersion: {GROUP}/v1\nkind: PlatformStandards\nmetadata:\n  name: {STANDARDS_NAME}");
    let header = if lifted.added.is_empty() { "" } else { &header };
    if let Some(edited) = edit(part, &lifted.moves, header)
        && text.parse::<Value>(&edited, 0).is_ok_and(|read| read == [lifted.manifest.clone()])
    {
        return Ok((edited, true));
    }
    let marker = if part.starts_with("---") { "---\n" } else { "" };
    let failed = |error: serde_json::Error| CliError::Document(format!("{}: {error}", text.name));
    // The types write the fields in their own order; what is in them was compared with the definition before.
    let manifest = if lifted.added.is_empty() {
        let typed: DataProduct = serde_json::from_value(lifted.manifest.clone()).map_err(failed)?;
        serde_saphyr::to_string(&typed)?
    } else {
        let typed: PlatformStandards = serde_json::from_value(lifted.manifest.clone()).map_err(failed)?;
        serde_saphyr::to_string(&typed)?
    };
    Ok((format!("{marker}{manifest}"), false))
}
