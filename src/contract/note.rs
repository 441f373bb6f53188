//! What a translation says beside its result: what was lost, changed or assumed, and where.

use serde::Serialize;
use serde_json::{Map, Value};

/// One thing that the reader of a translation should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Where it stands in the document that was read, for example `schema[orders].properties[id].encryptedName`.
    pub path: String,
    /// What became of it.
    pub fate: Fate,
    /// Why, and where there is something to do, what.
    pub reason: String,
}

/// What became of something that was not translated word for word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is not in the result.
    Lost,
    /// It is in the result in another form, from which the old one cannot be made again.
    Changed,
    /// It was not in the document, and the result cannot be without it.
    Assumed,
}

impl Fate {
    /// The word that is shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Changed => "changed",
            Self::Assumed => "assumed",
        }
    }

    /// Whether something that the document said is no longer there.
    pub const fn is_loss(self) -> bool {
        matches!(self, Self::Lost | Self::Changed)
    }
}

/// The notes of one translation, in the order in which they came up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes(pub Vec<Note>);

impl Notes {
    /// Notes that something is not in the result.
    pub fn lost(&mut self, path: impl Into<String>, reason: impl Into<String>) {
        self.0.push(Note { path: path.into(), fate: Fate::Lost, reason: reason.into() });
    }

    /// Notes that something is in the result in another form.
    pub fn changed(&mut self, path: impl Into<String>, reason: impl Into<String>) {
        self.0.push(Note { path: path.into(), fate: Fate::Changed, reason: reason.into() });
    }

    /// Notes that the result has something that the document had not.
    pub fn assumed(&mut self, path: impl Into<String>, reason: impl Into<String>) {
        self.0.push(Note { path: path.into(), fate: Fate::Assumed, reason: reason.into() });
    }
}

/// Keys by which the items of a list are told apart, the best first.
const NAMES: [&str; 5] = ["name", "server", "property", "role", "channel"];

/// Values that say what the standard assumes anyway, so that losing them loses nothing.
const DEFAULTS: [(&str, i64); 5] = [
    ("partitioned", 0),
    ("partitionKeyPosition", -1),
    ("primaryKeyPosition", -1),
    ("criticalDataElement", 0),
    ("required", 0),
];

/// The paths of a document that are not in what was understood of it. A part that is missing as a whole is one path;
/// what is empty or says what the standard assumes anyway is none.
pub fn unknown(document: &Value, understood: &impl Serialize) -> Result<Vec<String>, serde_json::Error> {
    let mut paths = Vec::new();
    compare("", document, &serde_json::to_value(understood)?, &mut paths);
    Ok(paths)
}

fn compare(path: &str, document: &Value, understood: &Value, paths: &mut Vec<String>) {
    match (document, understood) {
        (Value::Object(document), Value::Object(understood)) => {
            for (key, value) in document {
                let path = join(path, key);
                match understood.get(key) {
                    Some(other) => compare(&path, value, other, paths),
                    None if is_nothing(key, value) => {}
                    None => paths.push(path),
                }
            }
        }
        (Value::Array(document), Value::Array(understood)) => {
            for (index, value) in document.iter().enumerate() {
                let path = format!("{path}[{}]", label(value, index));
                match understood.get(index) {
                    Some(other) => compare(&path, value, other, paths),
                    None => paths.push(path),
                }
            }
        }
        _ => {}
    }
}

/// A path with one more key.
pub fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// What an item of a list is called in a path: its name, else its number.
fn label(item: &Value, index: usize) -> String {
    let name = |object: &Map<String, Value>| {
        NAMES.iter().find_map(|name| object.get(*name)?.as_str()).map(str::to_owned)
    };
    item.as_object().and_then(name).unwrap_or_else(|| index.to_string())
}

fn is_nothing(key: &str, value: &Value) -> bool {
    let default = DEFAULTS.iter().find(|(name, _)| *name == key).map(|(_, default)| *default);
    match value {
        Value::Null => true,
        Value::Bool(value) => default == Some(i64::from(*value)),
        Value::Number(value) => default.is_some() && value.as_i64() == default,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_not_understood_is_named_once_and_what_says_nothing_is_not() {
        let document = json!({
            "price": {"priceAmount": 9.95, "priceCurrency": "USD"},
            "tenant": null,
            "schema": [{"name": "orders", "tags": [], "properties": [
                {"name": "id", "partitioned": false, "partitionKeyPosition": -1, "examples": [1]},
                {"partitioned": true},
            ]}],
        });
        let understood = json!({"schema": [{"name": "orders", "properties": [{"name": "id"}, {}]}]});
        let paths = unknown(&document, &understood).expect("values are values");
        assert_eq!(
            paths,
            ["price", "schema[orders].properties[id].examples", "schema[orders].properties[1].partitioned"]
        );
    }
}
