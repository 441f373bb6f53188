//! The schema of the chart's values is made of `values.yaml`: types and bounds, so that Helm refuses what is misspelt or has the
//! wrong form before anything is made. An object is closed unless its annotation says what else may be in it.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};

use crate::{
    documented::{Documented, documented, generated},
    helm::{CHART, read},
};

/// Values with a comment, by their keys.
type Known = BTreeMap<Vec<String>, Documented>;

#[test]
fn the_schema_of_the_chart_is_that_of_its_values() -> Result<()> {
    let text = read(&format!("{CHART}/values.yaml"))?;
    let values: Value = serde_saphyr::from_str(&text)?;
    let known = documented(&text)?.into_iter().map(|value| (value.path.clone(), value)).collect();
    let mut schema = schema(&[], &values, &known)?;
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["title"] = json!("Values of the chart dataproduct-operator");
    schema["$comment"] = json!("Generated from values.yaml; run `make generate`.");
    // Helm itself adds it.
    schema["properties"]["global"] = json!({"type": "object"});
    generated(
        &format!("{CHART}/values.schema.json"),
        &format!("{}\n", serde_json::to_string_pretty(&schema)?),
    )
}

/// The schema of a value: that of one value where it has a comment, and that of what lies below it otherwise.
fn schema(path: &[String], value: &Value, known: &Known) -> Result<Value> {
    if let Some(documented) = known.get(path) {
        return one(value, documented).with_context(|| format!("the schema of {}", path.join(".")));
    }
    let fields = value.as_object().with_context(|| format!("{} has no comment", path.join(".")))?;
    let mut properties = Map::new();
    for (name, value) in fields {
        let path = [path, std::slice::from_ref(name)].concat();
        properties.insert(name.clone(), schema(&path, value, known)?);
    }
    Ok(json!({"type": "object", "additionalProperties": false, "properties": properties}))
}

fn one(default: &Value, documented: &Documented) -> Result<Value> {
    let mut schema = json!({"description": documented.about, "default": default});
    schema["type"] = json!(match default {
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        Value::Null => bail!("it has no default"),
    });
    for (keyword, said) in &documented.annotation {
        let parsed = || serde_saphyr::from_str::<Value>(said).with_context(|| format!("{keyword}:{said}"));
        match keyword.as_str() {
            "type"
            | "enum"
            | "minLength"
            | "maxLength"
            | "minimum"
            | "uniqueItems"
            | "additionalProperties" => {
                schema[keyword] = parsed()?;
            }
            "pattern" => schema["pattern"] = json!(said),
            "item" => schema["items"] = json!({"type": said}),
            "itemEnum" => schema["items"] = json!({"type": "string", "enum": parsed()?}),
            "itemProperties" => {
                schema["items"] =
                    json!({"type": "object", "additionalProperties": false, "properties": parsed()?});
            }
            other => bail!("{other} is no keyword that is known here"),
        }
    }
    // A default tells neither what a list may hold nor what else may be in a map.
    ensure!(!default.is_array() || schema["items"].is_object(), "say what its items are");
    ensure!(!default.is_object() || !schema["additionalProperties"].is_null(), "say what may be in it");
    Ok(schema)
}
