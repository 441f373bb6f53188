//! The built-in rules, one row each. A new rule is a new row and a function in the file of its family.

use super::{Finding, Input, documentation, quality, schema, security, service_level, standards};
use crate::api::status::Severity::{self, Error, Info, Warning};

/// A built-in rule.
#[derive(Clone, Copy)]
pub struct Rule {
    /// Identifier, for example `SCHEMA-002`.
    pub id: &'static str,
    /// How grave a violation is.
    pub severity: Severity,
    /// What the rule asks for, in one line.
    pub title: &'static str,
    /// Finds the broken places.
    pub(super) check: fn(&Input<'_>) -> Vec<Finding>,
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rule").field("id", &self.id).field("severity", &self.severity).finish_non_exhaustive()
    }
}

const fn rule(
    id: &'static str,
    severity: Severity,
    title: &'static str,
    check: fn(&Input<'_>) -> Vec<Finding>,
) -> Rule {
    Rule { id, severity, title, check }
}

/// Every built-in rule: the seven of the reference's engine, the documentation rules that it calls, and those that
/// its platform standards imply.
pub const CATALOGUE: &[Rule] = &[
    rule("SCHEMA-001", Error, "the schema has a type and fields", schema::complete),
    rule("SCHEMA-002", Warning, "every field has a description", schema::described),
    rule("PRIVACY-001", Error, "every field says whether it is personal data", schema::pii_declared),
    rule("SLO-001", Warning, "availability is at least 99%", service_level::availability),
    rule("SLO-002", Error, "freshness is promised", service_level::freshness),
    rule("SEC-001", Error, "the data is classified", security::classified),
    rule("SEC-002", Error, "the retention is defined", security::retained),
    rule("DOC-001", Error, "the product has a description", documentation::description),
    rule("DOC-002", Error, "a team answers for the product", documentation::owner),
    rule("DOC-003", Warning, "the owner can be reached", documentation::contact),
    rule("DOC-004", Info, "the schema is documented", documentation::schema),
    rule("DOC-005", Info, "the service levels are documented", documentation::slo),
    rule("STD-001", Error, "storage is of an allowed type", standards::storage_allowed),
    rule("STD-002", Error, "storage is not of a forbidden type", standards::storage_forbidden),
    rule("STD-003", Error, "the format is known to the standards", standards::format_known),
    rule("STD-004", Warning, "an optional format is justified", standards::format_justified),
    rule("STD-005", Warning, "storage states its format", standards::format_stated),
    rule("STD-006", Error, "an API speaks an allowed protocol", standards::protocol),
    rule("STD-007", Error, "an API has allowed authentication", standards::authentication),
    rule("QUALITY-001", Error, "every required type of test is there", quality::required_tests),
];
