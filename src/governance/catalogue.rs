//! The catalogue: every rule as a row of one table, in the order of its number in the documentation.
//!
//! The table is public, so that the documentation is made from it and tested against it. A new rule is a new row.

use crate::api::{
    Enforcement::{Enforced, Grace},
    status::Severity::{Error, Info, Warning},
};

use super::{Rule, documentation, quality, schema, security, slo, standards};

/// Every rule, in the order of its number, which begins at 1.
pub const RULES: &[Rule] = &[
    Rule {
        id: "SCHEMA-001",
        severity: Error,
        state: Enforced,
        title: "The schema states its type and its fields",
        reads: &["spec.schema.type", "spec.schema.fields"],
        check: schema::states_type_and_fields,
    },
    Rule {
        id: "SCHEMA-002",
        severity: Warning,
        state: Grace,
        title: "Every field has a description that is not blank",
        reads: &["spec.schema.fields[].description"],
        check: schema::describes_every_field,
    },
    Rule {
        id: "PRIVACY-001",
        severity: Error,
        state: Enforced,
        title: "Every field says whether it identifies a person",
        reads: &["spec.schema.fields[].pii"],
        check: schema::classifies_every_field,
    },
    Rule {
        id: "SLO-001",
        severity: Warning,
        state: Grace,
        title: "The availability target is at least 99%; none counts as 0%, and one that is not a percentage is an error",
        reads: &["spec.slo.availability.target"],
        check: slo::promises_availability,
    },
    Rule {
        id: "SLO-002",
        severity: Error,
        state: Enforced,
        title: "A freshness objective is defined",
        reads: &["spec.slo.freshness"],
        check: slo::promises_freshness,
    },
    Rule {
        id: "SEC-001",
        severity: Error,
        state: Enforced,
        title: "The data is classified",
        reads: &["spec.access.classification"],
        check: security::states_classification,
    },
    Rule {
        id: "SEC-002",
        severity: Error,
        state: Enforced,
        title: "The retention of the data is stated",
        reads: &["spec.access.retention"],
        check: security::states_retention,
    },
    Rule {
        id: "DOC-001",
        severity: Error,
        state: Grace,
        title: "The product has a description that is not blank",
        reads: &["spec.description", "standards.quality.required_documentation"],
        check: documentation::has_description,
    },
    Rule {
        id: "DOC-002",
        severity: Error,
        state: Grace,
        title: "A team owns the product, by itself or through its domain",
        reads: &["spec.owner.team", "standards.quality.required_documentation"],
        check: documentation::has_owner,
    },
    Rule {
        id: "DOC-003",
        severity: Warning,
        state: Grace,
        title: "The owner can be reached by e-mail or Slack, of its own or of its domain",
        reads: &["spec.owner.email", "spec.owner.slack", "standards.quality.required_documentation"],
        check: documentation::has_contact,
    },
    Rule {
        id: "DOC-004",
        severity: Info,
        state: Grace,
        title: "The product has a schema",
        reads: &["spec.schema", "standards.quality.required_documentation"],
        check: documentation::has_schema,
    },
    Rule {
        id: "DOC-005",
        severity: Info,
        state: Grace,
        title: "The product has service-level objectives",
        reads: &["spec.slo", "standards.quality.required_documentation"],
        check: documentation::has_slo,
    },
    Rule {
        id: "STD-001",
        severity: Error,
        state: Grace,
        title: "Every storage output port is of an allowed type",
        reads: &["spec.outputPorts[].type", "standards.storage.allowed"],
        check: standards::storage_is_allowed,
    },
    Rule {
        id: "STD-002",
        severity: Error,
        state: Grace,
        title: "No storage output port and no provider account is of a forbidden kind",
        reads: &["spec.outputPorts[].type", "standards.storage.not_allowed"],
        check: standards::storage_is_not_forbidden,
    },
    Rule {
        id: "STD-003",
        severity: Error,
        state: Grace,
        title: "Every format that an output port states is a required or an optional one",
        reads: &["spec.outputPorts[].format", "standards.formats.required", "standards.formats.optional"],
        check: standards::format_is_known,
    },
    Rule {
        id: "STD-004",
        severity: Warning,
        state: Grace,
        title: "An optional format is justified",
        reads: &[
            "spec.outputPorts[].format",
            "metadata.annotations[datamesh.io/format-justification]",
            "standards.formats.optional",
        ],
        check: standards::optional_format_is_justified,
    },
    Rule {
        id: "STD-005",
        severity: Warning,
        state: Grace,
        title: "Every storage output port states its format",
        reads: &["spec.outputPorts[].format", "standards.formats.required"],
        check: standards::storage_states_format,
    },
    Rule {
        id: "STD-006",
        severity: Error,
        state: Grace,
        title: "Every API output port speaks an allowed protocol",
        reads: &["spec.outputPorts[].type", "standards.apis.required_protocols"],
        check: standards::protocol_is_allowed,
    },
    Rule {
        id: "STD-007",
        severity: Error,
        state: Grace,
        title: "Every API output port authenticates its callers in an allowed way",
        reads: &["spec.outputPorts[].authentication", "standards.apis.required_authentication"],
        check: standards::authentication_is_allowed,
    },
    Rule {
        id: "QUALITY-001",
        severity: Error,
        state: Grace,
        title: "There is a quality test of every required type",
        reads: &["spec.quality.tests[].type", "standards.quality.required_tests"],
        check: quality::has_required_tests,
    },
    Rule {
        id: "SEC-004",
        severity: Error,
        state: Grace,
        title: "Observed: the bucket is encrypted with the product's own key, and that key is rotated",
        reads: &["status.resources[Bucket].encryptionKey", "status.resources[EncryptionKey].rotation"],
        check: security::is_encrypted_with_its_own_key,
    },
    Rule {
        id: "SEC-005",
        severity: Error,
        state: Grace,
        title: "Observed: confidential and restricted data is not open to everybody",
        reads: &[
            "spec.access.classification",
            "status.resources[CatalogDatabase].defaultPermissions",
            "status.resources[Grant].principals",
        ],
        check: security::is_not_open_to_everybody,
    },
    Rule {
        id: "SEC-008",
        severity: Error,
        state: Grace,
        title: "Observed: public access to the bucket is blocked",
        reads: &["status.resources[Bucket].publicAccessBlocked"],
        check: security::blocks_public_access,
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_rule_has_its_own_id_of_family_and_number() {
        let ids: BTreeSet<_> = RULES.iter().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), RULES.len());
        for id in ids {
            let (family, number) = id.split_once('-').expect(id);
            assert!(family.bytes().all(|c| c.is_ascii_uppercase()) && !family.is_empty(), "{id}");
            assert!(number.len() == 3 && number.bytes().all(|c| c.is_ascii_digit()), "{id}");
        }
    }

    #[test]
    fn every_rule_says_what_it_demands_and_what_it_reads() {
        for rule in RULES {
            assert!(!rule.title.is_empty() && !rule.title.ends_with('.'), "{}", rule.id);
            assert!(!rule.reads.is_empty(), "{}", rule.id);
        }
    }

    #[test]
    fn what_was_observed_never_stops_the_change_that_mends_it() {
        let observed = |rule: &&Rule| rule.reads.iter().any(|path| path.starts_with("status."));
        let rules = RULES.iter().filter(observed).map(|rule| (rule.id, rule.state)).collect::<Vec<_>>();
        assert_eq!(rules, [("SEC-004", Grace), ("SEC-005", Grace), ("SEC-008", Grace)]);
    }

    #[test]
    fn only_errors_are_enforced() {
        for rule in RULES.iter().filter(|rule| rule.state == Enforced) {
            assert_eq!(rule.severity, Error, "{}", rule.id);
        }
    }
}
