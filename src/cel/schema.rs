//! Types from the structural schemas of custom resources.

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};

use super::{
    cost::Size,
    types::{Field, Fields, Type},
};

/// Bound of a text, list or map whose schema has none: as much as an object may have bytes.
const UNBOUNDED: u64 = 1 << 20;

/// The type of a value that a schema describes. `name` is how messages call it, for example `object.spec`.
pub fn type_of(schema: &JSONSchemaProps, name: &str) -> Type {
    let bound = |bound: Option<i64>| bound.and_then(|bound| u64::try_from(bound).ok()).unwrap_or(UNBOUNDED);
    match schema.type_.as_deref() {
        Some("boolean") => Type::Bool,
        Some("integer") => Type::Int,
        Some("number") => Type::Double,
        Some("string") => Type::text(longest(schema).unwrap_or_else(|| bound(schema.max_length))),
        Some("array") => {
            let items = match &schema.items {
                Some(JSONSchemaPropsOrArray::Schema(items)) => type_of(items, &format!("{name}[]")),
                _ => Type::Dyn(Size(UNBOUNDED)),
            };
            Type::list(items, bound(schema.max_items))
        }
        Some("object") => match (&schema.properties, &schema.additional_properties) {
            (Some(properties), _) => object(name, properties, schema.required.as_deref().unwrap_or_default()),
            (None, Some(JSONSchemaPropsOrBool::Schema(values))) => Type::map(
                UNBOUNDED.min(MAX_KEY),
                type_of(values, &format!("{name}[]")),
                bound(schema.max_properties),
            ),
            _ => Type::Dyn(Size(UNBOUNDED)),
        },
        _ => Type::Dyn(Size(UNBOUNDED)),
    }
}

/// Longest key of a map: that of a label with its prefix.
const MAX_KEY: u64 = 317;

/// The longest of the words that are allowed.
fn longest(schema: &JSONSchemaProps) -> Option<u64> {
    let words = schema.enum_.as_ref()?;
    words.iter().filter_map(|word| word.0.as_str()).map(|word| word.chars().count() as u64).max()
}

fn object(name: &str, properties: &BTreeMap<String, JSONSchemaProps>, required: &[String]) -> Type {
    let fields = properties.iter().map(|(field, schema)| {
        let type_ = type_of(schema, &format!("{name}.{field}"));
        (field.clone(), Field { type_, required: required.contains(field) })
    });
    Type::Object(Fields { name: name.to_owned(), fields: fields.collect() }.into())
}
