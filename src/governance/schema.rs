//! Rules on the schema: it is complete, described, and says what is personal data.

use super::{Finding, Input, is_blank, when};
use crate::api::product::SchemaField;

pub(super) fn complete(input: &Input<'_>) -> Vec<Finding> {
    let schema = input.product.spec.schema.as_ref();
    let missing = |field: &str| {
        Finding::new(
            format!("spec.schema.{field}"),
            format!("Missing required schema field: {field}"),
            format!("Add '{field}' to the schema specification"),
        )
    };
    let mut findings = when(is_blank(schema.and_then(|schema| schema.type_.as_ref())), || missing("type"));
    findings.extend(when(schema.is_none_or(|schema| schema.fields.is_none()), || missing("fields")));
    findings
}

pub(super) fn described(input: &Input<'_>) -> Vec<Finding> {
    fields(input)
        .filter(|field| is_blank(field.description.as_ref()))
        .map(|field| {
            Finding::new(
                format!("spec.schema.fields[{}].description", field.name),
                format!("Field '{}' missing description", field.name),
                "Add description to improve discoverability",
            )
        })
        .collect()
}

pub(super) fn pii_declared(input: &Input<'_>) -> Vec<Finding> {
    fields(input)
        .filter(|field| field.pii.is_none())
        .map(|field| {
            Finding::new(
                format!("spec.schema.fields[{}].pii", field.name),
                format!("Field '{}' missing PII classification", field.name),
                "Add 'pii: true/false' to classify the field",
            )
        })
        .collect()
}

fn fields<'a>(input: &Input<'a>) -> impl Iterator<Item = &'a SchemaField> {
    input.product.spec.schema.iter().flat_map(|schema| schema.fields.iter().flatten())
}
