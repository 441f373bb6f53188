//! The catalogue: every rule as a row of one table, in the order of its number in the documentation.
//!
//! The table is public, so that the documentation is made from it and tested against it. A new rule is a new row.

use crate::api::{
    Enforcement::{Enforced, Grace},
    status::Severity::{Error, Info, Warning},
};

use super::{
    Findings, Input, Need, Rule, documentation, lineage, privacy, product, quality, schema, security, slo,
    standards,
};

/// Every rule, in the order of its number, which begins at 1.
pub const RULES: &[Rule] = &[
    Rule {
        id: "SCHEMA-001",
        severity: Error,
        state: Enforced,
        title: "The schema states its type and its fields",
        reads: &["spec.schema.type", "spec.schema.fields"],
        needs: None,
        parameters: &[],
        check: schema::states_type_and_fields,
    },
    Rule {
        id: "SCHEMA-002",
        severity: Warning,
        state: Grace,
        title: "Every field has a description that is not blank",
        reads: &["spec.schema.fields[].description"],
        needs: None,
        parameters: &[],
        check: schema::describes_every_field,
    },
    Rule {
        id: "PRIVACY-001",
        severity: Error,
        state: Enforced,
        title: "Every field says whether it identifies a person",
        reads: &["spec.schema.fields[].pii"],
        needs: None,
        parameters: &[],
        check: schema::classifies_every_field,
    },
    Rule {
        id: "SLO-001",
        severity: Warning,
        state: Grace,
        title: "The availability target is at least 99%; none counts as 0%, and one that is not a percentage is an error",
        reads: &["spec.slo.availability.target"],
        needs: None,
        parameters: &[slo::MINIMUM],
        check: slo::promises_availability,
    },
    Rule {
        id: "SLO-002",
        severity: Error,
        state: Enforced,
        title: "A freshness objective is defined",
        reads: &["spec.slo.freshness"],
        needs: None,
        parameters: &[],
        check: slo::promises_freshness,
    },
    Rule {
        id: "SEC-001",
        severity: Error,
        state: Enforced,
        title: "The data is classified",
        reads: &["spec.access.classification"],
        needs: None,
        parameters: &[],
        check: security::states_classification,
    },
    Rule {
        id: "SEC-002",
        severity: Error,
        state: Enforced,
        title: "The retention of the data is stated",
        reads: &["spec.access.retention"],
        needs: None,
        parameters: &[],
        check: security::states_retention,
    },
    Rule {
        id: "DOC-001",
        severity: Error,
        state: Grace,
        title: "The product has a description that is not blank",
        reads: &["spec.description", "standards.quality.required_documentation"],
        needs: None,
        parameters: &[],
        check: documentation::has_description,
    },
    Rule {
        id: "DOC-002",
        severity: Error,
        state: Grace,
        title: "A team owns the product, by itself or through its domain",
        reads: &["spec.owner.team", "mesh.domain.owner", "standards.quality.required_documentation"],
        needs: None,
        parameters: &[],
        check: documentation::has_owner,
    },
    Rule {
        id: "DOC-003",
        severity: Warning,
        state: Grace,
        title: "The owner can be reached by e-mail or Slack, of its own or of its domain",
        reads: &[
            "spec.owner.email",
            "spec.owner.slack",
            "mesh.domain.owner",
            "standards.quality.required_documentation",
        ],
        needs: None,
        parameters: &[],
        check: documentation::has_contact,
    },
    Rule {
        id: "DOC-004",
        severity: Info,
        state: Grace,
        title: "The product has a schema",
        reads: &["spec.schema", "standards.quality.required_documentation"],
        needs: None,
        parameters: &[],
        check: documentation::has_schema,
    },
    Rule {
        id: "DOC-005",
        severity: Info,
        state: Grace,
        title: "The product has service-level objectives",
        reads: &["spec.slo", "standards.quality.required_documentation"],
        needs: None,
        parameters: &[],
        check: documentation::has_slo,
    },
    Rule {
        id: "STD-001",
        severity: Error,
        state: Grace,
        title: "Every storage output port is of an allowed type",
        reads: &["spec.outputPorts[].type", "standards.storage.allowed"],
        needs: None,
        parameters: &[],
        check: standards::storage_is_allowed,
    },
    Rule {
        id: "STD-002",
        severity: Error,
        state: Grace,
        title: "No storage output port and no provider account is of a forbidden kind",
        reads: &["spec.outputPorts[].type", "mesh.domain.account", "standards.storage.not_allowed"],
        needs: None,
        parameters: &[],
        check: standards::storage_is_not_forbidden,
    },
    Rule {
        id: "STD-003",
        severity: Error,
        state: Grace,
        title: "Every format that an output port states is a required or an optional one",
        reads: &["spec.outputPorts[].format", "standards.formats.required", "standards.formats.optional"],
        needs: None,
        parameters: &[],
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
        needs: None,
        parameters: &[],
        check: standards::optional_format_is_justified,
    },
    Rule {
        id: "STD-005",
        severity: Warning,
        state: Grace,
        title: "Every storage output port states its format",
        reads: &["spec.outputPorts[].format", "standards.formats.required"],
        needs: None,
        parameters: &[],
        check: standards::storage_states_format,
    },
    Rule {
        id: "STD-006",
        severity: Error,
        state: Grace,
        title: "Every API output port speaks an allowed protocol",
        reads: &["spec.outputPorts[].type", "standards.apis.required_protocols"],
        needs: None,
        parameters: &[],
        check: standards::protocol_is_allowed,
    },
    Rule {
        id: "STD-007",
        severity: Error,
        state: Grace,
        title: "Every API output port authenticates its callers in an allowed way",
        reads: &["spec.outputPorts[].authentication", "standards.apis.required_authentication"],
        needs: None,
        parameters: &[],
        check: standards::authentication_is_allowed,
    },
    Rule {
        id: "QUALITY-001",
        severity: Error,
        state: Grace,
        title: "There is a quality test of every required type",
        reads: &["spec.quality.tests[].type", "standards.quality.required_tests"],
        needs: None,
        parameters: &[],
        check: quality::has_required_tests,
    },
    Rule {
        id: "PRIVACY-002",
        severity: Error,
        state: Grace,
        title: "Every field that identifies a person is in pii_columns",
        reads: &["spec.schema.fields[].pii", "spec.access.privacy.pii_columns"],
        needs: None,
        parameters: &[],
        check: privacy::names_every_personal_field,
    },
    Rule {
        id: "PRIVACY-003",
        severity: Warning,
        state: Grace,
        title: "Every entry of pii_columns is a field of the schema",
        reads: &["spec.schema.fields[].name", "spec.access.privacy.pii_columns"],
        needs: None,
        parameters: &[],
        check: privacy::names_only_fields,
    },
    Rule {
        id: "PRIVACY-004",
        severity: Error,
        state: Grace,
        title: "No entry of pii_columns is a field that says pii: false",
        reads: &["spec.schema.fields[].pii", "spec.access.privacy.pii_columns"],
        needs: None,
        parameters: &[],
        check: privacy::does_not_contradict_itself,
    },
    Rule {
        id: "PRIVACY-005",
        severity: Error,
        state: Grace,
        title: "Data that identifies persons has a masking policy",
        reads: &[
            "spec.schema.fields[].pii",
            "spec.access.privacy.pii_columns",
            "spec.access.privacy.masking_policy",
        ],
        needs: None,
        parameters: &[],
        check: privacy::masks_personal_data,
    },
    Rule {
        id: "PRIVACY-006",
        severity: Error,
        state: Grace,
        title: "Data that identifies persons is not public; a warning where it is internal",
        reads: &["spec.schema.fields[].pii", "spec.access.privacy.pii_columns", "spec.access.classification"],
        needs: None,
        parameters: &[],
        check: privacy::classifies_personal_data,
    },
    Rule {
        id: "QUALITY-002",
        severity: Warning,
        state: Grace,
        title: "Every column that a quality test names is a field of the schema",
        reads: &["spec.quality.tests[].column", "spec.quality.tests[].columns", "spec.schema.fields[].name"],
        needs: None,
        parameters: &[],
        check: quality::tests_only_fields,
    },
    Rule {
        id: "SLO-003",
        severity: Warning,
        state: Grace,
        title: "A freshness test allows no more than the freshness objective promises",
        reads: &["spec.quality.tests[].max_age", "spec.slo.freshness.target"],
        needs: None,
        parameters: &[],
        check: slo::tests_freshness_as_promised,
    },
    Rule {
        id: "SLO-004",
        severity: Info,
        state: Grace,
        title: "Completeness and accuracy have targets",
        reads: &["spec.slo.completeness", "spec.slo.accuracy"],
        needs: None,
        parameters: &[],
        check: slo::promises_completeness_and_accuracy,
    },
    Rule {
        id: "SEC-003",
        severity: Warning,
        state: Grace,
        title: "There is an access role",
        reads: &["spec.access.roles"],
        needs: None,
        parameters: &[],
        check: security::has_roles,
    },
    Rule {
        id: "SEC-004",
        severity: Error,
        state: Grace,
        title: "Observed: the bucket is encrypted with the product's own key, and that key is rotated",
        reads: &["status.resources[Bucket].encryptionKey", "status.resources[EncryptionKey].rotation"],
        needs: Some(Need::Observation),
        parameters: &[],
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
        needs: Some(Need::Observation),
        parameters: &[],
        check: security::is_not_open_to_everybody,
    },
    Rule {
        id: "SEC-006",
        severity: Error,
        state: Grace,
        title: "The classification is not lowered without an exception",
        reads: &["spec.access.classification"],
        needs: Some(Need::History),
        parameters: &[],
        check: never,
    },
    Rule {
        id: "SEC-007",
        severity: Warning,
        state: Grace,
        title: "No role writes data that another domain reads",
        reads: &["spec.domain", "spec.access.roles[].permissions", "mesh.consumers"],
        needs: Some(Need::Mesh),
        parameters: &[],
        check: security::is_written_by_its_domain_alone,
    },
    Rule {
        id: "PROD-001",
        severity: Error,
        state: Grace,
        title: "There is an output port",
        reads: &["spec.outputPorts"],
        needs: None,
        parameters: &[],
        check: product::can_be_reached,
    },
    Rule {
        id: "PROD-002",
        severity: Warning,
        state: Grace,
        title: "It has a service level, a quality test or a description, without which it is a table and no product",
        reads: &["spec.slo", "spec.quality.tests", "spec.description"],
        needs: None,
        parameters: &[],
        check: product::is_more_than_a_table,
    },
    Rule {
        id: "PROD-003",
        severity: Error,
        state: Grace,
        title: "No other product has one of its external names",
        reads: &["spec.provisioning.names", "mesh.names"],
        needs: Some(Need::Mesh),
        parameters: &[],
        check: product::has_names_of_its_own,
    },
    Rule {
        id: "PROD-004",
        severity: Error,
        state: Grace,
        title: "Its domain is that of its namespace",
        reads: &["spec.domain", "mesh.domain"],
        needs: Some(Need::Domain),
        parameters: &[],
        check: product::belongs_to_the_domain_of_its_namespace,
    },
    Rule {
        id: "VERSION-001",
        severity: Error,
        state: Grace,
        title: "A change that breaks consumers comes with a new major version",
        reads: &["spec.version"],
        needs: Some(Need::History),
        parameters: &[],
        check: never,
    },
    Rule {
        id: "VERSION-002",
        severity: Warning,
        state: Grace,
        title: "A guarantee is not loosened in a patch version",
        reads: &["spec.version"],
        needs: Some(Need::History),
        parameters: &[],
        check: never,
    },
    Rule {
        id: "LINEAGE-001",
        severity: Warning,
        state: Grace,
        title: "Every upstream product exists",
        reads: &["spec.lineage.upstreamProducts", "spec.inputPorts[].productRef", "mesh.upstreams"],
        needs: Some(Need::Mesh),
        parameters: &[],
        check: lineage::resolves_upstreams,
    },
    Rule {
        id: "LINEAGE-002",
        severity: Error,
        state: Grace,
        title: "It does not read itself through others",
        reads: &["spec.lineage.upstreamProducts", "spec.inputPorts[].productRef", "mesh.upstreams"],
        needs: Some(Need::Mesh),
        parameters: &[],
        check: lineage::is_no_cycle,
    },
    Rule {
        id: "LINEAGE-003",
        severity: Warning,
        state: Grace,
        title: "Every input port says which product it reads, or the lineage does",
        reads: &["spec.inputPorts[].productRef", "spec.lineage.upstreamProducts"],
        needs: None,
        parameters: &[],
        check: lineage::names_upstreams,
    },
    Rule {
        id: "LINEAGE-004",
        severity: Error,
        state: Grace,
        title: "Its class is not lower than that of the data that it reads",
        reads: &["spec.access.classification", "mesh.upstreams"],
        needs: Some(Need::Mesh),
        parameters: &[],
        check: lineage::keeps_the_class_of_upstreams,
    },
    Rule {
        id: "SEC-008",
        severity: Error,
        state: Grace,
        title: "Observed: public access to the bucket is blocked",
        reads: &["status.resources[Bucket].publicAccessBlocked"],
        needs: Some(Need::Observation),
        parameters: &[],
        check: security::blocks_public_access,
    },
];

/// A rule whose need no input of this release meets finds nothing, and is told as not evaluated.
const fn never(_: &Input<'_>, _: &mut Findings<'_>) {}

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
        let observed = |rule: &&Rule| rule.needs == Some(Need::Observation);
        let rules = RULES.iter().filter(observed).map(|rule| (rule.id, rule.state)).collect::<Vec<_>>();
        assert_eq!(rules, [("SEC-004", Grace), ("SEC-005", Grace), ("SEC-008", Grace)]);
    }

    #[test]
    fn a_rule_needs_what_it_reads_beside_the_product() {
        for rule in RULES {
            let reads = |prefix: &str| rule.reads.iter().any(|path| path.starts_with(prefix));
            let needs = match rule.needs {
                Some(Need::Mesh) => reads("mesh."),
                Some(Need::Domain) => reads("mesh.domain"),
                Some(Need::Observation) => reads("status."),
                Some(Need::History) => true,
                // What the domain says stands in for what the product leaves out, and is not missed.
                None => {
                    !reads("status.")
                        && rule
                            .reads
                            .iter()
                            .all(|path| !path.starts_with("mesh.") || path.starts_with("mesh.domain."))
                }
                Some(other) => panic!("no built-in rule needs {other:?}"),
            };
            assert!(needs, "{}", rule.id);
        }
    }

    #[test]
    fn only_errors_are_enforced() {
        for rule in RULES.iter().filter(|rule| rule.state == Enforced) {
            assert_eq!(rule.severity, Error, "{}", rule.id);
        }
    }
}
