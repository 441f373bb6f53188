//! The structural schema of Kubernetes: unknown fields are mistakes, nulls may be absence, lists may be maps or sets.
//!
//! Validators of JSON schema know nothing of these, and speak of keywords where people think of fields; this one knows the
//! keywords that our definitions use, which a test compares.

mod number;
mod words;

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

use jiff::{Timestamp, civil::Date};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use regex::Regex;

use super::{
    Fault, Node, SCHEMA,
    limits::MAX_FAULTS,
    node::Value,
    place::{entry_place, item_place},
};

use words::article;
pub(super) use words::{one_of, shown};

/// The patterns of the definitions, compiled once.
#[derive(Debug, Default)]
pub(super) struct Patterns(BTreeMap<String, Option<Regex>>);

impl Patterns {
    /// Compiles every pattern of a schema.
    pub(super) fn learn(&mut self, schema: &JSONSchemaProps) {
        if let Some(pattern) = &schema.pattern {
            self.0.entry(pattern.clone()).or_insert_with(|| Regex::new(pattern).ok());
        }
        parts(schema).for_each(|part| self.learn(part));
    }

    /// Whether a text fits a pattern. One that this engine cannot read, of which there is none, fits nothing.
    fn fits(&self, pattern: &str, text: &str) -> bool {
        self.0.get(pattern).and_then(Option::as_ref).is_some_and(|regex| regex.is_match(text))
    }
}

/// The schemas within a schema.
fn parts(schema: &JSONSchemaProps) -> impl Iterator<Item = &JSONSchemaProps> {
    let properties = schema.properties.iter().flat_map(BTreeMap::values);
    properties.chain(items(schema)).chain(additional(schema))
}

/// The schema of the items of a list.
pub(super) fn items(schema: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    match &schema.items {
        Some(JSONSchemaPropsOrArray::Schema(items)) => Some(items),
        _ => None,
    }
}

/// The schema of the values of a mapping whose keys are free.
pub(super) fn additional(schema: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    match &schema.additional_properties {
        Some(JSONSchemaPropsOrBool::Schema(values)) => Some(values),
        _ => None,
    }
}

/// A walk over a value and its schema that collects what is wrong.
pub(super) struct Walk<'a> {
    patterns: &'a Patterns,
    /// What is wrong so far.
    pub(super) faults: Vec<Fault>,
    /// Fields that are not known, which keep nothing else from being judged.
    pub(super) unknown: Vec<Fault>,
}

impl<'a> Walk<'a> {
    pub(super) const fn new(patterns: &'a Patterns) -> Self {
        Self { patterns, faults: Vec::new(), unknown: Vec::new() }
    }

    fn fault(
        &mut self,
        path: &str,
        place: &Range<usize>,
        message: impl Into<String>,
        remediation: impl Into<String>,
    ) {
        // One more than are told, so that it is seen that there are more.
        if self.faults.len() <= MAX_FAULTS {
            self.faults.push(Fault::new(SCHEMA, place.clone(), message, remediation).at(path));
        }
    }

    /// Tells of a value that is larger than is allowed.
    fn oversized(&mut self, path: &str, place: &Range<usize>, message: String, remediation: &str) {
        self.fault(path, place, message, remediation);
        if let Some(last) = self.faults.last_mut() {
            last.oversized = true;
        }
    }

    /// Checks a value.
    pub(super) fn value(&mut self, schema: &JSONSchemaProps, node: &Node, path: &str, place: &Range<usize>) {
        if self.faults.len() > MAX_FAULTS {
            return;
        }
        let nullable = schema.nullable == Some(true);
        match (&node.value, schema.type_.as_deref().unwrap_or_default()) {
            (Value::Null, _) if nullable => {}
            (Value::Map(_), "object") => self.mapping(schema, node, path, place),
            (Value::List(_), "array") => self.list(schema, node, path, place),
            (Value::Text(text), "string") => {
                self.text(schema, text, path, place);
                self.allowed(schema, node, path, place);
            }
            (Value::Number(number), "number" | "integer") if number::is_of_type(number, schema) => {
                if let Some((message, remediation)) = number::out_of_bounds(number, schema) {
                    self.fault(path, place, message, remediation);
                }
                self.allowed(schema, node, path, place);
            }
            (Value::Bool(_), "boolean") => {}
            (_, wanted) => self.other_type(wanted, node, path, place),
        }
    }

    fn other_type(&mut self, wanted: &str, node: &Node, path: &str, place: &Range<usize>) {
        let remediation = match (wanted, &node.value) {
            ("string", Value::Number(_) | Value::Bool(_)) => {
                format!("Quote it: YAML reads it as {}", node.kind())
            }
            ("string", Value::List(_) | Value::Map(_)) => "Write one text here".to_owned(),
            ("array", _) => "Begin each item with a dash, or write [a, b]".to_owned(),
            ("object", _) => "Write the fields below it, indented, each as key: value".to_owned(),
            ("boolean", _) => "Write true or false".to_owned(),
            ("integer", Value::Text(_)) => "Write a whole number, without quotes".to_owned(),
            ("integer", _) => "Write a whole number".to_owned(),
            ("number", Value::Text(_)) => "Write a number, without quotes".to_owned(),
            ("number", _) => "Write a number".to_owned(),
            _ => format!("Write {}", article(wanted)),
        };
        let name = last(path);
        self.fault(
            path,
            place,
            format!("{name} is {}, and must be {}", node.kind(), article(wanted)),
            remediation,
        );
    }

    /// Holds a value against the words that are allowed.
    fn allowed(&mut self, schema: &JSONSchemaProps, node: &Node, path: &str, place: &Range<usize>) {
        let Some(allowed) = &schema.enum_ else { return };
        let json = node.to_json();
        if allowed.iter().any(|word| word.0 == json) {
            return;
        }
        let words = allowed.iter().filter_map(|word| word.0.as_str()).collect::<Vec<_>>();
        let word = node.text().map_or_else(|| json.to_string(), str::to_owned);
        let message = format!("{} cannot be {}", last(path), shown(&word));
        self.fault(path, place, message, one_of("value", &word, &words));
    }

    fn text(&mut self, schema: &JSONSchemaProps, text: &str, path: &str, place: &Range<usize>) {
        let name = last(path);
        let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
        if let Some(longest) = schema.max_length.filter(|longest| length > *longest) {
            let message = format!("{name} has {length} characters, and may have {longest}");
            self.oversized(path, place, message, "Shorten it");
        }
        if let Some(shortest) = schema.min_length.filter(|shortest| length < *shortest) {
            let (message, remediation) = if text.is_empty() {
                (format!("{name} is empty"), "Fill it in, or leave it out where it is optional".to_owned())
            } else {
                (format!("{name} has {length} characters"), format!("It needs at least {shortest}"))
            };
            self.fault(path, place, message, remediation);
        }
        if let Some(pattern) = schema.pattern.as_ref().filter(|pattern| !self.patterns.fits(pattern, text)) {
            let message = format!("{name} cannot be {}", shown(text));
            self.fault(path, place, message, format!("It must match {pattern}"));
        }
        let (wrong, example) = match schema.format.as_deref() {
            Some("date") => (text.len() != 10 || text.parse::<Date>().is_err(), "a day like 2027-06-30"),
            Some("date-time") => (text.parse::<Timestamp>().is_err(), "an instant like 2027-06-30T12:00:00Z"),
            _ => (false, ""),
        };
        if wrong {
            self.fault(path, place, format!("{name} cannot be {}", shown(text)), format!("Write {example}"));
        }
    }

    fn list(&mut self, schema: &JSONSchemaProps, node: &Node, path: &str, place: &Range<usize>) {
        let count = i64::try_from(node.items().len()).unwrap_or(i64::MAX);
        let name = last(path);
        if let Some(most) = schema.max_items.filter(|most| count > *most) {
            let message = format!("{name} has {count} items, and may have {most}");
            self.oversized(path, place, message, "Remove some");
        }
        if let Some(least) = schema.min_items.filter(|least| count < *least) {
            let message =
                if count == 0 { format!("{name} is empty") } else { format!("{name} has {count} items") };
            self.fault(path, place, message, format!("It needs at least {least}"));
        }
        for (index, item) in node.items().iter().enumerate() {
            let path = format!("{path}[{index}]");
            if let Some(items) = items(schema) {
                self.value(items, item, &path, &item_place(item));
            }
        }
        self.twice(schema, node, path);
    }

    /// Looks for items that occur twice where each may be there once.
    fn twice(&mut self, schema: &JSONSchemaProps, node: &Node, path: &str) {
        let keys = schema.x_kubernetes_list_map_keys.as_deref().unwrap_or_default();
        let identity = |item: &Node| match schema.x_kubernetes_list_type.as_deref() {
            Some("set") => Some((item.to_json().to_string(), item.span.clone())),
            Some("map") => {
                let values = keys.iter().map(|key| item.get(key).map(Node::to_json)).collect::<Vec<_>>();
                let place =
                    keys.iter().find_map(|key| item.get(key)).map_or(item.span.clone(), |it| it.span.clone());
                // An item without its key lacks a required field, and that is said already.
                values.iter().any(Option::is_some).then(|| (format!("{values:?}"), place))
            }
            _ => None,
        };
        let mut seen: HashMap<String, usize> = HashMap::new();
        for (index, item) in node.items().iter().enumerate() {
            let Some((identity, place)) = identity(item) else { continue };
            if let Some(first) = seen.get(&identity) {
                let what = keys.first().map_or("value", |key| key.as_str());
                let message = format!("the same {what} stands in {}[{first}]", last(path));
                let remediation =
                    if keys.is_empty() { "Remove one of the two" } else { "Rename or remove one of the two" };
                self.fault(&format!("{path}[{index}]"), &place, message, remediation);
            } else {
                seen.insert(identity, index);
            }
        }
    }

    fn mapping(&mut self, schema: &JSONSchemaProps, node: &Node, path: &str, place: &Range<usize>) {
        let count = i64::try_from(node.entries().len()).unwrap_or(i64::MAX);
        if let Some(most) = schema.max_properties.filter(|most| count > *most) {
            let message = format!("{} has {count} entries, and may have {most}", last(path));
            self.oversized(path, place, message, "Remove some");
        }
        self.required(schema, node, path, place);
        for entry in node.entries() {
            let within = format!("{path}.{}", entry.key);
            match property(schema, &entry.key) {
                // A null of a field that has none is as if the field were not there.
                Some(part) if entry.value.value == Value::Null && part.nullable != Some(true) => {}
                Some(part) => self.value(part, &entry.value, &within, &entry_place(entry)),
                None => self.unknown(schema, &entry.key, &within, &entry.key_span),
            }
        }
    }

    /// Looks for fields that must be there.
    pub(super) fn required(
        &mut self,
        schema: &JSONSchemaProps,
        node: &Node,
        path: &str,
        place: &Range<usize>,
    ) {
        for name in schema.required.iter().flatten() {
            let part = schema.properties.as_ref().and_then(|properties| properties.get(name));
            let nullable = part.is_some_and(|part| part.nullable == Some(true));
            let there = node.get(name).is_some_and(|value| nullable || value.value != Value::Null);
            if !there && part.is_none_or(|part| part.default.is_none()) {
                let within = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let kind = part.and_then(|part| part.type_.as_deref()).unwrap_or("string");
                let below =
                    if path.is_empty() { "at the top".to_owned() } else { format!("to {}", last(path)) };
                let message = format!("the required field {name} is missing");
                self.fault(&within, place, message, format!("Add {name} {below}; it is {}", article(kind)));
            }
        }
    }

    fn unknown(&mut self, schema: &JSONSchemaProps, key: &str, path: &str, place: &Range<usize>) {
        let known = schema.properties.iter().flat_map(BTreeMap::keys).map(String::as_str).collect::<Vec<_>>();
        if self.unknown.len() <= MAX_FAULTS {
            let message = format!("unknown field {}", shown(key));
            let fault = Fault::new(SCHEMA, place.clone(), message, one_of("field", key, &known));
            self.unknown.push(fault.at(path));
        }
    }

    /// Looks for unknown fields, and for nothing else.
    pub(super) fn unknown_only(&mut self, schema: &JSONSchemaProps, node: &Node, path: &str) {
        for entry in node.entries() {
            let within = format!("{path}.{}", entry.key);
            match property(schema, &entry.key) {
                Some(part) => self.unknown_only(part, &entry.value, &within),
                None => self.unknown(schema, &entry.key, &within, &entry.key_span),
            }
        }
        if let Some(items) = items(schema) {
            for (index, item) in node.items().iter().enumerate() {
                self.unknown_only(items, item, &format!("{path}[{index}]"));
            }
        }
    }
}

/// The schema of an entry of a mapping.
pub(super) fn property<'a>(schema: &'a JSONSchemaProps, key: &str) -> Option<&'a JSONSchemaProps> {
    schema.properties.as_ref().and_then(|properties| properties.get(key)).or_else(|| additional(schema))
}

/// The last part of a path, as people call the field.
fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}
