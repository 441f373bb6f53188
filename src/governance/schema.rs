//! SCHEMA and PRIVACY-001: the schema is there, and every field of it is described and classified.

use super::{Finding, Findings, Input, stated};

/// SCHEMA-001, once for the type and once for the fields.
pub(super) fn states_type_and_fields(input: &Input<'_>, found: &mut Findings<'_>) {
    let schema = input.spec().schema.as_ref();
    found.when(
        schema.is_none_or(|schema| schema.type_.is_none()),
        "spec.schema.type",
        "Missing required schema field: type",
        "Add 'type' to the schema specification",
    );
    found.when(
        schema.is_none_or(|schema| schema.fields.is_none()),
        "spec.schema.fields",
        "Missing required schema field: fields",
        "Add 'fields' to the schema specification",
    );
}

/// SCHEMA-002. The reference takes a blank description for a description; we do not.
pub(super) fn describes_every_field(input: &Input<'_>, found: &mut Findings<'_>) {
    let findings =
        input.fields().filter(|field| stated(field.description.as_deref()).is_none()).map(|field| {
            Finding::new(
                ["spec.schema.fields[", &field.name, "].description"].concat(),
                ["Field '", &field.name, "' missing description"].concat(),
                "Add description to improve discoverability",
            )
        });
    found.extend(findings);
}

/// PRIVACY-001. Saying `false` is an answer, saying nothing is not.
pub(super) fn classifies_every_field(input: &Input<'_>, found: &mut Findings<'_>) {
    let findings = input.fields().filter(|field| field.pii.is_none()).map(|field| {
        Finding::new(
            ["spec.schema.fields[", &field.name, "].pii"].concat(),
            ["Field '", &field.name, "' missing PII classification"].concat(),
            "Add 'pii: true/false' to classify the field",
        )
    });
    found.extend(findings);
}

#[cfg(test)]
mod tests {
    use crate::{
        api::product::{DataSchema, SchemaField},
        governance::fixtures::{assert_table, product},
    };

    fn field(description: Option<&str>, pii: Option<bool>) -> SchemaField {
        SchemaField {
            name: "email".into(),
            type_: "string".into(),
            description: description.map(Into::into),
            pii,
            ..SchemaField::default()
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "the spec has an optional block")]
    fn schema(type_: Option<&str>, fields: Option<Vec<SchemaField>>) -> Option<DataSchema> {
        Some(DataSchema { type_: type_.map(Into::into), fields })
    }

    #[test]
    fn the_schema_states_type_and_fields() {
        let cases = [
            ("both are there", schema(Some("avro"), Some(vec![field(Some("d"), Some(true))])), vec![]),
            ("an empty list of fields is a list", schema(Some("avro"), Some(vec![])), vec![]),
            ("no type", schema(None, Some(vec![])), vec!["spec.schema.type"]),
            ("no fields", schema(Some("avro"), None), vec!["spec.schema.fields"]),
            ("an empty schema", schema(None, None), vec!["spec.schema.fields", "spec.schema.type"]),
            ("no schema", None, vec!["spec.schema.fields", "spec.schema.type"]),
        ];
        assert_table(
            "SCHEMA-001",
            cases.map(|(case, schema, paths)| (case, product(|spec| spec.schema = schema), paths)),
        );
    }

    #[test]
    fn every_field_has_a_description_that_is_not_blank() {
        let path = "spec.schema.fields[email].description";
        let cases = [
            ("described", Some("Address"), vec![]),
            ("not described", None, vec![path]),
            ("described by spaces", Some(" \n"), vec![path]),
        ];
        assert_table(
            "SCHEMA-002",
            cases.map(|(case, description, paths)| {
                let fields = Some(vec![field(description, Some(true))]);
                (case, product(|spec| spec.schema = schema(Some("avro"), fields)), paths)
            }),
        );
    }

    #[test]
    fn every_field_says_whether_it_identifies_a_person() {
        let cases = [
            ("it does", Some(true), vec![]),
            ("it does not", Some(false), vec![]),
            ("nothing is said", None, vec!["spec.schema.fields[email].pii"]),
        ];
        assert_table(
            "PRIVACY-001",
            cases.map(|(case, pii, paths)| {
                let fields = Some(vec![field(Some("Address"), pii)]);
                (case, product(|spec| spec.schema = schema(Some("avro"), fields)), paths)
            }),
        );
    }
}
