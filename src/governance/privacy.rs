//! PRIVACY: what identifies persons is named, masked and classified in one and the same way.
//!
//! A schema and a list of columns both say which fields identify persons. Where they disagree, something that should be
//! masked may not be.

use crate::{api::product::Classification, api::status::Severity, model::lineage::Sensitivity};

use super::{Finding, Findings, Input, stated};

/// PRIVACY-002.
pub(super) fn names_every_personal_field(input: &Input<'_>, found: &mut Findings<'_>) {
    let columns = columns(input);
    let personal = input.fields().filter(|field| field.pii == Some(true) && !columns.contains(&field.name));
    let findings = personal.map(|field| {
        Finding::new(
            format!("spec.schema.fields[{}].pii", field.name),
            format!("Field '{}' holds personal data and is not in pii_columns", field.name),
            format!("Add '{}' to spec.access.privacy.pii_columns", field.name),
        )
    });
    found.extend(findings);
}

/// PRIVACY-003. Without a schema there is nothing to compare with, and SCHEMA-001 says so.
pub(super) fn names_only_fields(input: &Input<'_>, found: &mut Findings<'_>) {
    if input.fields().next().is_none() {
        return;
    }
    let unknown = columns(input).iter().filter(|column| !input.has_field(column));
    let findings = unknown.map(|column| {
        Finding::new(
            format!("spec.access.privacy.pii_columns[{column}]"),
            format!("pii_columns names '{column}', which is no field of the schema"),
            format!("Add the field '{column}' to spec.schema.fields, or remove it from pii_columns"),
        )
    });
    found.extend(findings);
}

/// PRIVACY-004.
pub(super) fn does_not_contradict_itself(input: &Input<'_>, found: &mut Findings<'_>) {
    let columns = columns(input);
    let denied = input.fields().filter(|field| field.pii == Some(false) && columns.contains(&field.name));
    let findings = denied.map(|field| {
        Finding::new(
            format!("spec.schema.fields[{}].pii", field.name),
            format!("Field '{}' says pii: false and is in pii_columns", field.name),
            format!("Set 'pii: true' on the field, or remove '{}' from pii_columns", field.name),
        )
    });
    found.extend(findings);
}

/// PRIVACY-005.
pub(super) fn masks_personal_data(input: &Input<'_>, found: &mut Findings<'_>) {
    let privacy = input.spec().access.as_ref().and_then(|access| access.privacy.as_ref());
    let masked = stated(privacy.and_then(|privacy| privacy.masking_policy.as_deref())).is_some();
    found.when(
        Sensitivity::of(input.product).pii && !masked,
        "spec.access.privacy.masking_policy",
        "Personal data without a masking policy",
        "Name the policy that masks it in spec.access.privacy.masking_policy",
    );
}

/// PRIVACY-006: an error for public data, a warning for internal data. What is not classified is charged by SEC-001.
pub(super) fn classifies_personal_data(input: &Input<'_>, found: &mut Findings<'_>) {
    let Sensitivity { classification, pii } = Sensitivity::of(input.product);
    let (class, severity) = match classification {
        Some(class @ Classification::Public) if pii => (class, Severity::Error),
        Some(class @ Classification::Internal) if pii => (class, Severity::Warning),
        _ => return,
    };
    let finding = Finding::new(
        "spec.access.classification",
        format!("Personal data is classified as {}", class.as_str()),
        "Classify it as confidential or restricted, or remove what identifies persons",
    );
    found.push(Finding { severity: Some(severity), ..finding });
}

fn columns<'a>(input: &Input<'a>) -> &'a [String] {
    let privacy = input.spec().access.as_ref().and_then(|access| access.privacy.as_ref());
    privacy.map_or(&[], |privacy| &privacy.pii_columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::product::{Access, DataSchema, Privacy, SchemaField},
        governance::fixtures::{assert_table, broken, product},
    };

    /// The fields of a schema, with what each says of persons.
    type Pii<'a> = &'a [(&'a str, Option<bool>)];

    fn schema(pii: Pii<'_>) -> DataSchema {
        let field = |(name, pii): &(&str, Option<bool>)| SchemaField {
            name: (*name).to_owned(),
            pii: *pii,
            ..SchemaField::default()
        };
        DataSchema { fields: Some(pii.iter().map(field).collect()), ..DataSchema::default() }
    }

    fn access(columns: &[&str], masking: Option<&str>, classification: Option<Classification>) -> Access {
        let pii_columns = columns.iter().map(|&column| column.to_owned()).collect();
        let privacy = Some(Privacy { pii_columns, masking_policy: masking.map(Into::into) });
        Access { classification, privacy, ..Access::default() }
    }

    fn assert_columns(id: &str, cases: &[(&str, Pii<'_>, &[&str], &[&str])]) {
        let cases = cases.iter().map(|(case, pii, columns, paths)| {
            let product = product(|spec| {
                (spec.schema, spec.access) = (Some(schema(pii)), Some(access(columns, None, None)));
            });
            (*case, product, paths.to_vec())
        });
        assert_table(id, cases.collect::<Vec<_>>());
    }

    #[test]
    fn fields_and_columns_name_the_same() {
        let (yes, no) = (Some(true), Some(false));
        let field = "spec.schema.fields[email].pii";
        assert_columns(
            "PRIVACY-002",
            &[
                ("named", &[("email", yes)], &["email"], &[]),
                ("not named", &[("email", yes), ("id", no)], &[], &[field]),
                ("not said is another rule's", &[("email", None)], &[], &[]),
            ],
        );
        assert_columns(
            "PRIVACY-003",
            &[
                ("a field", &[("email", yes)], &["email"], &[]),
                ("none", &[("email", yes)], &["email", "phone"], &["spec.access.privacy.pii_columns[phone]"]),
                ("nothing to compare with", &[], &["phone"], &[]),
            ],
        );
        assert_columns(
            "PRIVACY-004",
            &[
                ("both say yes", &[("email", yes)], &["email"], &[]),
                ("the field says no", &[("email", no)], &["email"], &[field]),
                ("the field says nothing", &[("email", None)], &["email"], &[]),
            ],
        );
    }

    #[test]
    fn personal_data_is_masked() {
        let path = "spec.access.privacy.masking_policy";
        let personal = || Some(schema(&[("email", Some(true))]));
        let cases = [
            ("masked", personal(), Some(access(&[], Some("hash"), None)), vec![]),
            ("a blank name masks nothing", personal(), Some(access(&[], Some(" "), None)), vec![path]),
            ("not masked", personal(), None, vec![path]),
            ("only named", None, Some(access(&["email"], None, None)), vec![path]),
            ("no personal data", Some(schema(&[("id", Some(false))])), None, vec![]),
        ];
        assert_table(
            "PRIVACY-005",
            cases.map(|(case, schema, access, paths)| {
                (case, product(|spec| (spec.schema, spec.access) = (schema, access)), paths)
            }),
        );
    }

    #[test]
    fn the_class_of_personal_data_decides_how_grave_it_is() {
        use Classification::{Confidential, Internal, Public, Restricted};
        let cases = [
            (Some(Public), true, Some(Severity::Error)),
            (Some(Internal), true, Some(Severity::Warning)),
            (Some(Confidential), true, None),
            (Some(Restricted), true, None),
            (None, true, None),
            (Some(Public), false, None),
        ];
        for (class, pii, expected) in cases {
            let product = product(|spec| {
                (spec.schema, spec.access) =
                    (Some(schema(&[("email", Some(pii))])), Some(access(&[], None, class)));
            });
            let severity = broken("PRIVACY-006", &product).first().map(|violation| violation.severity);
            assert_eq!(severity, expected, "{class:?} {pii}");
        }
    }
}
