//! Reading the documents of one file: YAML or JSON, several a file, within limits, with file, line and column of what is
//! wrong.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::CliError;

/// The largest file, in bytes.
const MAX_BYTES: u64 = 8 * 1024 * 1024;
/// The most documents of a file.
const MAX_DOCUMENTS: usize = 1000;
/// The deepest nesting.
const MAX_DEPTH: usize = 64;

/// A file that was read.
pub(super) struct Text {
    /// What it is called in messages.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// Reads a file; `-` is the standard input.
pub(super) fn text(path: &Path) -> Result<Text, CliError> {
    let name = if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() };
    let failed = |said: String| CliError::Read { path: name.clone(), said };
    let mut text = String::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(MAX_BYTES + 1).read_to_string(&mut text)
    } else {
        File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_string(&mut text))
    };
    let bytes = read.map_err(|error| failed(error.to_string()))?;
    if u64::try_from(bytes).is_ok_and(|bytes| bytes > MAX_BYTES) {
        return Err(failed(format!("it has more than {} MiB; split it", MAX_BYTES / 1024 / 1024)));
    }
    Ok(Text { name, text })
}

/// A document with what was understood of it.
pub(super) struct Document<T> {
    /// What it says.
    pub value: Value,
    /// What was understood.
    pub typed: T,
}

impl Text {
    /// The documents, those of a list one by one. `check` says why a document is not one of those that are wanted.
    pub(super) fn documents<T: DeserializeOwned>(
        &self,
        check: impl Fn(&Value) -> Result<(), String>,
    ) -> Result<Vec<Document<T>>, CliError> {
        let values: Vec<Value> = self.parse(&self.text, 0)?;
        let is_list = |value: &Value| {
            value.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"))
        };
        let lists = values.iter().any(is_list);
        let values: Vec<Value> = values
            .into_iter()
            .flat_map(|value| match value.get("items") {
                Some(Value::Array(items)) if is_list(&value) => items.clone(),
                _ => vec![value],
            })
            .collect();
        if values.is_empty() {
            return Err(CliError::Document(format!("{}: there is no document in it", self.name)));
        }
        for (index, value) in values.iter().enumerate() {
            let said = |said| CliError::Document(format!("{}: document {}: {said}", self.name, index + 1));
            check(value).map_err(said)?;
        }
        // The text itself has places for what is wrong, which a list that was unfolded has no longer.
        let typed: Vec<T> = if lists {
            let typed = values.iter().cloned().map(serde_json::from_value).collect::<Result<_, _>>();
            typed.map_err(|error| CliError::Document(format!("{}: {error}", self.name)))?
        } else {
            self.parse(&self.text, 0)?
        };
        Ok(values.into_iter().zip(typed).map(|(value, typed)| Document { value, typed }).collect())
    }

    /// The documents of a part of the text that begins after so many lines.
    pub(super) fn parse<T: DeserializeOwned>(&self, part: &str, after: u64) -> Result<Vec<T>, CliError> {
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! { max_depth: MAX_DEPTH, max_documents: MAX_DOCUMENTS },
            // Words such as yes and n are texts, as in the values that a field allows.
            strict_booleans: true,
            with_snippet: false,
        };
        serde_saphyr::from_multiple_with_options(part, options).map_err(|error| {
            let place = error.location().map_or_else(String::new, |place| {
                format!(":{}:{}", place.line().saturating_add(after), place.column())
            });
            let said = error.without_snippet().to_string();
            // The message ends with the place, counted within the part.
            let said = said.split(" at line ").next().unwrap_or_default();
            CliError::Document(format!("{}{place}: {said}", self.name))
        })
    }
}
