//! Whether a manifest has the shape of its definition: known fields, their types, and the words and lengths that they
//! may have. Patterns and rules are left to the API server.

use serde_json::{Map, Value};

use super::Illegal;
use crate::{api, contract::note::join};

/// The most faults that are told at once.
const MAX_FAULTS: usize = 50;

/// The schema of a kind of ours; `None` when there is no such kind.
pub(super) fn schema_of(kind: &str) -> Option<Value> {
    let crd = api::crds().ok()?.into_iter().find(|crd| crd.spec.names.kind == kind)?;
    let schema = crd.spec.versions.into_iter().next()?.schema?.open_api_v3_schema?;
    serde_json::to_value(schema).ok()
}

/// What in a manifest its definition does not allow.
pub(super) fn illegal(manifest: &Value) -> Vec<Illegal> {
    let kind = manifest.get("kind").and_then(Value::as_str).unwrap_or_default();
    let Some(schema) = schema_of(kind) else { return Vec::new() };
    let mut faults = Vec::new();
    if manifest.pointer("/metadata/name").and_then(Value::as_str).is_none_or(str::is_empty) {
        faults.push(Illegal::new("metadata.name", "it is missing; every object has a name"));
    }
    walk(manifest, &schema, "", &mut faults);
    faults
}

fn walk(value: &Value, schema: &Value, path: &str, faults: &mut Vec<Illegal>) {
    if faults.len() >= MAX_FAULTS || schema.get("x-kubernetes-preserve-unknown-fields") == Some(&true.into())
    {
        return;
    }
    let expected = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    match (expected, value) {
        ("object", Value::Object(fields)) => object(fields, schema, path, faults),
        ("array", Value::Array(items)) => array(items, schema, path, faults),
        ("string", Value::String(text)) => string(text, schema, path, faults),
        ("boolean", Value::Bool(_)) | ("number", Value::Number(_)) | ("", _) => {}
        ("integer", Value::Number(number)) if number.is_i64() || number.is_u64() => {}
        _ => {
            let about = schema.get("description").and_then(Value::as_str).unwrap_or_default();
            let said = format!("{} stands where {} is expected. {about}", named(value), article(expected));
            faults.push(Illegal::new(path, said.trim_end()));
        }
    }
}

fn object(fields: &Map<String, Value>, schema: &Value, path: &str, faults: &mut Vec<Illegal>) {
    let properties = schema.get("properties").and_then(Value::as_object);
    for (key, value) in fields {
        let here = join(path, key);
        let of_all = schema.get("additionalProperties");
        match properties.and_then(|properties| properties.get(key)).or(of_all) {
            Some(schema) => walk(value, schema, &here, faults),
            // Of what every object has, the definition says nothing.
            None if properties.is_none() || (path.is_empty() && super::TOP.contains(&key.as_str())) => {}
            None => {
                let known: Vec<_> = properties.into_iter().flat_map(Map::keys).map(String::as_str).collect();
                let said = format!("there is no such field; the fields here are {}", known.join(", "));
                faults.push(Illegal::new(here, said));
            }
        }
    }
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    for key in required.filter_map(Value::as_str).filter(|key| !fields.contains_key(*key)) {
        faults.push(Illegal::new(join(path, key), "it is missing; add it"));
    }
}

fn array(items: &[Value], schema: &Value, path: &str, faults: &mut Vec<Illegal>) {
    let most = schema.get("maxItems").and_then(Value::as_u64);
    if most.is_some_and(|most| u64::try_from(items.len()).is_ok_and(|count| count > most)) {
        let said =
            format!("there are {} items, and at most {} are allowed", items.len(), most.unwrap_or_default());
        faults.push(Illegal::new(path, said));
    }
    let Some(schema) = schema.get("items") else { return };
    for (index, item) in items.iter().enumerate() {
        let name = item.get("name").and_then(Value::as_str);
        let here = name.map_or_else(|| format!("{path}[{index}]"), |name| format!("{path}[{name}]"));
        walk(item, schema, &here, faults);
    }
}

fn string(text: &str, schema: &Value, path: &str, faults: &mut Vec<Illegal>) {
    let words = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
    let words: Vec<_> = words.filter_map(Value::as_str).collect();
    if !words.is_empty() && !words.contains(&text) {
        faults.push(Illegal::new(path, format!("{text:?} is none of {}", words.join(", "))));
    }
    let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
    let bound = |key: &str| schema.get(key).and_then(Value::as_u64);
    if let Some(most) = bound("maxLength").filter(|most| length > *most) {
        faults
            .push(Illegal::new(path, format!("it has {length} characters, and at most {most} are allowed")));
    }
    if let Some(least) = bound("minLength").filter(|least| length < *least) {
        faults
            .push(Illegal::new(path, format!("it has {length} characters, and at least {least} are needed")));
    }
}

const fn named(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

fn article(type_: &str) -> &'static str {
    match type_ {
        "object" => "a mapping",
        "array" => "a list",
        "string" => "a text (put it into quotes)",
        "boolean" => "true or false",
        "integer" => "a whole number",
        _ => "a number",
    }
}
