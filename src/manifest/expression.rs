//! The seam to the room of expressions: a rule of a definition, and a value as its schema sees it.

use std::sync::Arc;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use serde_json::{Map, Value as Json};

use super::{
    Node,
    node::Value,
    schema::{additional, items, property},
};
use crate::cel::{self, Bindings, Declarations, Field, Type, type_of};

/// Longest name of an object.
const MAX_NAME: u64 = 253;

/// A rule of a definition.
#[derive(Debug)]
pub(super) struct Expression(cel::Expression);

/// The value that an expression calls `self`.
pub(super) struct Subject(Result<Bindings<'static>, String>);

impl Expression {
    /// Compiles a rule of a schema.
    pub(super) fn compile(text: &str, schema: &JSONSchemaProps) -> Result<Self, String> {
        let this = named(type_of(schema, "self"));
        let before = Type::Optional(this.clone().into());
        let declared = Declarations::default().with("self", this).with("oldSelf", before);
        cel::Expression::compile(text, &declared, &Type::Bool).map(Self).map_err(|fault| fault.to_string())
    }

    pub(super) fn holds(&self, this: &Subject) -> Result<bool, String> {
        let value = self.0.evaluate(this.0.as_ref().map_err(Clone::clone)?)?;
        value.as_bool().ok_or_else(|| format!("it gives {} and neither true nor false", value.type_name()))
    }
}

/// Of every object rules may read the name, which no schema describes.
fn named(type_: Type) -> Type {
    match type_ {
        Type::Object(fields) if fields.fields.contains_key("spec") => {
            let name = Type::object("self.metadata", [("name", Type::text(MAX_NAME), true)]);
            let mut fields = Arc::unwrap_or_clone(fields);
            fields.fields.insert("metadata".to_owned(), Field { type_: name, required: true });
            Type::Object(Arc::new(fields))
        }
        other => other,
    }
}

/// Whether a rule is about a change.
pub(super) fn mentions_old_self(text: &str) -> bool {
    text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_')
        .any(|word| word == "oldSelf")
}

impl Subject {
    /// A value with the defaults of its schema. Of a whole object there are the name and the spec.
    pub(super) fn new(schema: &JSONSchemaProps, node: &Node, whole: bool) -> Self {
        let json = if whole { object(schema, node) } else { value(schema, node) };
        Self(Bindings::new().map(|mut bindings| {
            bindings.bind("self", cel::Value::from_json(json));
            // Nothing was there before; only rules that say that they cope with it are asked.
            bindings.bind("oldSelf", cel::Value::missing());
            bindings
        }))
    }
}

fn object(schema: &JSONSchemaProps, node: &Node) -> Json {
    let text = |path: &[&str]| node.at(path).and_then(Node::text).map(str::to_owned);
    // The API server completes the name before it asks the rules.
    let generated = || text(&["metadata", "generateName"]).map(|prefix| format!("{prefix}00000"));
    let name = text(&["metadata", "name"]).or_else(generated).unwrap_or_default();
    let mut fields = fields(schema, node, |key| key != "status");
    fields.insert("metadata".to_owned(), serde_json::json!({"name": name}));
    Json::Object(fields)
}

fn value(schema: &JSONSchemaProps, node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(truth) => Json::Bool(*truth),
        Value::Text(text) => Json::String(text.clone()),
        Value::Number(number) => match number.as_i64() {
            Some(whole) if schema.type_.as_deref() != Some("number") => Json::from(whole),
            _ => number.as_f64().map_or(Json::Null, Json::from),
        },
        Value::List(list) => {
            let item = |item| items(schema).map_or(Json::Null, |schema| value(schema, item));
            Json::Array(list.iter().map(item).collect())
        }
        Value::Map(_) => Json::Object(fields(schema, node, |_| true)),
    }
}

/// The entries of a mapping that the schema knows. A null of a known field is as if it were not there.
fn fields(schema: &JSONSchemaProps, node: &Node, wanted: impl Fn(&str) -> bool) -> Map<String, Json> {
    let free = additional(schema).is_some();
    let present = node.entries().iter().filter(|entry| free || entry.value.value != Value::Null);
    let present = present
        .filter_map(|entry| Some((entry.key.clone(), value(property(schema, &entry.key)?, &entry.value))));
    let mut fields = present.filter(|(key, _)| wanted(key)).collect::<Map<_, _>>();
    for (name, part) in schema.properties.iter().flatten() {
        if let (Some(default), false, true) = (&part.default, fields.contains_key(name), wanted(name)) {
            fields.insert(name.clone(), value(part, &Node::of_json(&default.0)));
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::crds;

    fn compile_all(schema: &JSONSchemaProps, path: &str, count: &mut usize) {
        for rule in schema.x_kubernetes_validations.iter().flatten() {
            *count += 1;
            if !mentions_old_self(&rule.rule) {
                let compiled = Expression::compile(&rule.rule, schema);
                assert!(compiled.is_ok(), "{path}: {}: {}", rule.rule, compiled.err().unwrap_or_default());
            }
        }
        for (name, part) in schema.properties.iter().flatten() {
            compile_all(part, &format!("{path}.{name}"), count);
        }
        if let Some(part) = items(schema).or(additional(schema)) {
            compile_all(part, &format!("{path}[]"), count);
        }
    }

    #[test]
    fn every_rule_of_the_definitions_can_be_asked_of_a_file() {
        let mut count = 0;
        for crd in crds().expect("definitions") {
            let schema =
                crd.spec.versions[0].schema.as_ref().and_then(|schema| schema.open_api_v3_schema.as_ref());
            compile_all(schema.expect("a schema"), &crd.spec.names.kind, &mut count);
        }
        assert!(count > 30, "{count}");
    }
}
