//! QUALITY: the data is tested in the ways that the standards require, and the tests are about the data.

use crate::api::product::{QualityTest, TestType};

use super::{Finding, Findings, Input};

/// QUALITY-001, once for every required type of test that is missing.
pub(super) fn has_required_tests(input: &Input<'_>, found: &mut Findings<'_>) {
    let tests = input.spec().quality.as_ref().map_or(&[][..], |quality| &quality.tests);
    let required = &input.standards.standards.quality.required_tests;
    let findings = required
        .iter()
        .filter(|word| !tests.iter().any(|test| test.type_.as_str() == word.as_str()))
        .map(|word| {
            Finding::new(
                "spec.quality.tests",
                format!("Required quality test '{word}' missing"),
                format!("Add it to spec.quality.tests, for example {}", example(word)),
            )
        });
    found.extend(findings);
}

/// QUALITY-002, once for every column of a test. Without a schema there is nothing to compare with, and SCHEMA-001 says so.
pub(super) fn tests_only_fields(input: &Input<'_>, found: &mut Findings<'_>) {
    if input.fields().next().is_none() {
        return;
    }
    let tests = input.spec().quality.as_ref().map_or(&[][..], |quality| &quality.tests);
    let columns =
        |test: &'_ QualityTest| test.column.iter().chain(&test.columns).cloned().collect::<Vec<_>>();
    let tested = tests.iter().enumerate().flat_map(|(index, test)| {
        columns(test).into_iter().map(move |column| (index, test.type_.as_str(), column))
    });
    let findings = tested.filter(|(.., column)| !input.has_field(column)).map(|(index, type_, column)| {
        Finding::new(
            format!("spec.quality.tests[{index}]"),
            format!("Quality test '{type_}' names column '{column}', which is no field of the schema"),
            format!("Add the field '{column}' to spec.schema.fields, or correct the column of the test"),
        )
    });
    found.extend(findings);
}

/// A test of a type as a spec writes it.
fn example(word: &str) -> String {
    let settings = [
        (TestType::Uniqueness, "column: customer_id"),
        (TestType::NotNull, "columns: [customer_id, email]"),
        (TestType::Range, "column: lifetime_value, min: 0"),
        (TestType::Freshness, "column: updated_at, max_age: 2 hours"),
        (TestType::ReferentialIntegrity, "column: channel, reference: dim_channels.channel_code"),
        (TestType::AcceptedValues, "column: channel"),
        (TestType::Regex, "column: email"),
    ];
    match settings.into_iter().find(|(type_, _)| type_.as_str() == word) {
        Some((_, settings)) => format!("{{type: {word}, {settings}}}"),
        None => format!("{{type: {word}}}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        api::product::{DataSchema, Quality, QualityTest, SchemaField, TestType},
        governance::{
            Input,
            fixtures::{assert_table, broken_by, input, product, standards},
        },
    };

    fn test(type_: TestType) -> QualityTest {
        // Only the type matters to the rule, and the type has no default of its own.
        serde_json::from_value(serde_json::json!({"type": type_})).expect("a test needs only its type")
    }

    #[test]
    fn every_required_type_of_test_is_there() {
        use TestType::{Custom, Freshness, NotNull, Uniqueness};
        let cases = [
            ("all of them", Some(vec![Uniqueness, NotNull, Freshness]), vec![]),
            ("one twice is still one", Some(vec![Uniqueness, Uniqueness, NotNull]), vec!["freshness"]),
            ("another one stands in for none", Some(vec![Custom, NotNull, Freshness]), vec!["uniqueness"]),
            ("no tests", Some(vec![]), vec!["freshness", "not_null", "uniqueness"]),
            ("nothing about quality", None, vec!["freshness", "not_null", "uniqueness"]),
        ];
        for (case, types, missing) in cases {
            let quality = types.map(|types| Quality { tests: types.into_iter().map(test).collect() });
            let product = product(|spec| spec.quality = quality);
            let messages: Vec<_> =
                broken_by("QUALITY-001", &input(&product)).into_iter().map(|v| v.message).collect();
            let expected: Vec<_> =
                missing.iter().map(|word| format!("Required quality test '{word}' missing")).collect();
            assert_eq!(messages, expected, "{case}");
        }
    }

    #[test]
    fn the_remediation_shows_a_test_that_the_schema_accepts() {
        let product = product(|spec| spec.quality = None);
        let mut standards = standards();
        standards.standards.quality.required_tests = vec!["freshness".into(), "row_count".into()];
        let violations = broken_by("QUALITY-001", &Input { standards: &standards, ..input(&product) });
        let remediations: Vec<_> = violations.iter().map(|v| &*v.remediation).collect();
        assert_eq!(
            remediations,
            [
                "Add it to spec.quality.tests, for example {type: freshness, column: updated_at, max_age: 2 hours}",
                "Add it to spec.quality.tests, for example {type: row_count}",
            ]
        );
    }

    #[test]
    fn tests_are_about_fields_of_the_schema() {
        let fields = |names: &[&str]| {
            let field = |name: &&str| SchemaField { name: (*name).to_owned(), ..SchemaField::default() };
            Some(DataSchema { fields: Some(names.iter().map(field).collect()), ..DataSchema::default() })
        };
        let on = |column: Option<&str>, columns: &[&str]| QualityTest {
            column: column.map(Into::into),
            columns: columns.iter().map(|&column| column.to_owned()).collect(),
            ..test(TestType::NotNull)
        };
        let cases = [
            ("a field", fields(&["id"]), vec![on(Some("id"), &[])], vec![]),
            (
                "no field",
                fields(&["id"]),
                vec![on(Some("id"), &[]), on(Some("at"), &[])],
                vec!["spec.quality.tests[1]"],
            ),
            (
                "several",
                fields(&["id"]),
                vec![on(None, &["id", "at", "by"])],
                vec!["spec.quality.tests[0]"; 2],
            ),
            ("no column", fields(&["id"]), vec![on(None, &[])], vec![]),
            ("nothing to compare with", None, vec![on(Some("at"), &[])], vec![]),
        ];
        let cases = cases.map(|(case, schema, tests, paths)| {
            (case, product(|spec| (spec.schema, spec.quality) = (schema, Some(Quality { tests }))), paths)
        });
        assert_table("QUALITY-002", cases);
    }
}
