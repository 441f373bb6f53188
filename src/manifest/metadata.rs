//! The part that every object has: its name, its namespace, its labels and its annotations.

use super::{
    Fault, Node, SCHEMA,
    node::{Entry, Value},
    place::entry_place,
    schema::{one_of, shown},
};

/// What people write, and what tools leave in when they print an object.
const FIELDS: [&str; 15] = [
    "name",
    "namespace",
    "labels",
    "annotations",
    "generateName",
    "finalizers",
    "ownerReferences",
    "managedFields",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "resourceVersion",
    "selfLink",
    "uid",
];
/// Longest name of an object and of the prefix of a label.
const LONGEST_NAME: usize = 253;
/// Longest name of a namespace, and longest name and value of a label.
const LONGEST_WORD: usize = 63;

/// What is wrong with the metadata of an object.
pub(super) fn faults(node: &Node, kind: &str) -> Vec<Fault> {
    let top = node.entry("kind").map_or(node.span.clone(), entry_place);
    let Some(metadata) = node.entry("metadata").filter(|entry| entry.value.value != Value::Null) else {
        let fault =
            Fault::new(SCHEMA, top, "the required field metadata is missing", "Add metadata with a name");
        return vec![fault.at("metadata")];
    };
    if !matches!(metadata.value.value, Value::Map(_)) {
        let message = format!("metadata is {}, and must be a mapping", metadata.value.kind());
        let fault =
            Fault::new(SCHEMA, metadata.value.span.clone(), message, "Write the fields below it, indented");
        return vec![fault.at("metadata")];
    }
    let mut faults = Vec::new();
    let given =
        |key: &str| metadata.value.get(key).is_some_and(|value| !value.text().unwrap_or("x").is_empty());
    if !given("name") && !given("generateName") {
        let message = format!("the {kind} has no name");
        faults.push(
            Fault::new(SCHEMA, metadata.key_span.clone(), message, "Add metadata.name").at("metadata.name"),
        );
    }
    for entry in metadata.value.entries() {
        let path = format!("metadata.{}", entry.key);
        let wrong = match entry.key.as_str() {
            _ if entry.value.value == Value::Null => None,
            "name" => text(entry).or_else(|| name(entry)),
            "namespace" => text(entry).or_else(|| namespace(entry)),
            "generateName" | "uid" | "resourceVersion" | "selfLink" => text(entry),
            "labels" => pairs(entry, &path, &mut faults, label_value),
            "annotations" => pairs(entry, &path, &mut faults, |_| None),
            known if FIELDS.contains(&known) => None,
            unknown => Some((format!("unknown field {}", shown(unknown)), one_of("field", unknown, &FIELDS))),
        };
        if let Some((message, remediation)) = wrong {
            let unknown = !FIELDS.contains(&entry.key.as_str());
            let place = if unknown { entry.key_span.clone() } else { entry_place(entry) };
            faults.push(Fault::new(SCHEMA, place, message, remediation).at(&path));
        }
    }
    faults
}

/// What is wrong and what to do.
type Wrong = Option<(String, String)>;

fn text(entry: &Entry) -> Wrong {
    let wrong = entry.value.text().is_none();
    wrong.then(|| {
        let message = format!("{} is {}, and must be a text", entry.key, entry.value.kind());
        (message, quote(&entry.value))
    })
}

fn name(entry: &Entry) -> Wrong {
    let name = entry.value.text()?;
    let fits = name.is_empty() || (name.len() <= LONGEST_NAME && name.split('.').all(is_label));
    (!fits).then(|| {
        let remediation = "Use lower-case letters, digits and hyphens, with a letter or a digit at both ends";
        (format!("name cannot be {name:?}"), remediation.to_owned())
    })
}

fn namespace(entry: &Entry) -> Wrong {
    let name = entry.value.text().filter(|name| !name.is_empty())?;
    (name.len() > LONGEST_WORD || !is_label(name)).then(|| {
        let remediation = format!("Use at most {LONGEST_WORD} lower-case letters, digits and hyphens");
        (format!("namespace cannot be {name:?}"), remediation)
    })
}

fn quote(value: &Node) -> String {
    if value.is_scalar() {
        format!("Quote it: YAML reads it as {}", value.kind())
    } else {
        "Write one text here".to_owned()
    }
}

/// Checks a mapping of texts.
fn pairs(entry: &Entry, path: &str, faults: &mut Vec<Fault>, check: impl Fn(&str) -> Wrong) -> Wrong {
    if !matches!(entry.value.value, Value::Map(_)) {
        let message = format!("{} is {}, and must be a mapping", entry.key, entry.value.kind());
        return Some((message, "Write each as key: value".to_owned()));
    }
    for pair in entry.value.entries() {
        let path = format!("{path}[{}]", pair.key);
        let mut tell = |place, (message, remediation)| {
            faults.push(Fault::new(SCHEMA, place, message, remediation).at(&path));
        };
        if !is_qualified(&pair.key) {
            let remediation = format!(
                "Use at most {LONGEST_WORD} letters, digits, hyphens, dots and underscores, and before a slash a domain"
            );
            tell(pair.key_span.clone(), (format!("{:?} is no key of {}", pair.key, entry.key), remediation));
        }
        match pair.value.text() {
            Some(text) => check(text).into_iter().for_each(|wrong| tell(entry_place(pair), wrong)),
            None if pair.value.value == Value::Null => {}
            None => {
                let message = format!("{} is {}, and must be a text", pair.key, pair.value.kind());
                tell(entry_place(pair), (message, quote(&pair.value)));
            }
        }
    }
    None
}

fn label_value(value: &str) -> Wrong {
    (!value.is_empty() && !is_word(value)).then(|| {
        let remediation = format!(
            "Use at most {LONGEST_WORD} letters, digits, hyphens, dots and underscores, with a letter or a digit at both ends"
        );
        (format!("a label cannot be {value:?}"), remediation)
    })
}

/// Whether a text is a part of a DNS name.
fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.bytes().all(|byte| inner(byte) || byte == b'-') && ends_fit(text, inner)
}

/// Whether a text is the name or the value of a label.
fn is_word(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.len() <= LONGEST_WORD
        && text.bytes().all(fits)
        && ends_fit(text, |byte| byte.is_ascii_alphanumeric())
}

fn ends_fit(text: &str, fits: impl Fn(u8) -> bool) -> bool {
    let ends = [text.bytes().next(), text.bytes().next_back()];
    ends.into_iter().all(|end| end.is_some_and(&fits))
}

/// Whether a text is a key of labels or annotations: a word, after a domain and a slash where it has one.
fn is_qualified(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, word)) => {
            prefix.len() <= LONGEST_NAME && prefix.split('.').all(is_label) && is_word(word)
        }
        None => is_word(key),
    }
}
