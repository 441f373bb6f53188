//! What policies and contract history say.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Instant;

/// What the policies say.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct GovernanceStatus {
    /// 100 minus the weight of every violation, never below 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<i32>,
    /// Fail with any error, Warn with any warning, Pass otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<ReportResult>,
    /// Number of violations of severity error.
    #[serde(default)]
    pub errors: i32,
    /// Number of violations of severity warning.
    #[serde(default)]
    pub warnings: i32,
    /// Number of violations of severity info.
    #[serde(default)]
    pub infos: i32,
    /// Number of violations that an approved exception covers; they are in none of the other totals and cost nothing.
    #[serde(default)]
    pub excepted: i32,
    /// What the score would be without the exceptions, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score_without_exceptions: Option<i32>,
    /// Hash of the rules and standards that were applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub policy_set_hash: Option<String>,
    /// The violations, the gravest first; at most 50, with the true totals above.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), extend("x-kubernetes-list-type" = "atomic"))]
    pub violations: Vec<Violation>,
    /// The rules that were not evaluated, because something is not known that they need. They count neither as passed nor
    /// as broken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 64)), extend("x-kubernetes-list-type" = "atomic"))]
    pub not_evaluated: Vec<String>,
    /// Whether there are more violations than are listed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

/// The overall result of an evaluation.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReportResult {
    /// No error and no warning.
    Pass,
    /// No error, at least one warning.
    Warn,
    /// At least one error.
    Fail,
}

impl ReportResult {
    /// The word that the status shows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "Pass",
            Self::Warn => "Warn",
            Self::Fail => "Fail",
        }
    }
}

/// One broken rule.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Violation {
    /// The rule, for example `SCHEMA-002`.
    #[schemars(length(max = 64))]
    pub id: String,
    /// How grave it is.
    pub severity: Severity,
    /// What is wrong.
    #[schemars(length(max = 1024))]
    pub message: String,
    /// What to do.
    #[schemars(length(max = 1024))]
    pub remediation: String,
    /// Where, for example `spec.schema.fields[email].pii`.
    #[schemars(length(max = 512))]
    pub path: String,
    /// The policy that the rule comes from, as kind and name.
    #[schemars(length(max = 320))]
    pub policy: String,
    /// Whether it stops change.
    pub enforcement: PolicyEnforcement,
    /// When it was first seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Instant>,
    /// When it will start to stop change, or when its exception ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Instant>,
    /// The exception that covers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 320))]
    pub exception_ref: Option<String>,
}

/// How grave a violation is.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It costs most and, when enforced, stops change.
    Error,
    /// It costs little and never stops anything.
    Warning,
    /// It costs nothing.
    Info,
}

impl Severity {
    /// The word that the status shows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// Whether a violation stops change.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyEnforcement {
    /// Reported only.
    Draft,
    /// Reported, and stops no change while its grace lasts.
    Grace,
    /// An error stops change.
    Enforced,
}

/// The contract that consumers rely on.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ContractStatus {
    /// Version that was last accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub version: Option<String>,
    /// Hash of the accepted contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub hash: Option<String>,
    /// Number of the revision that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<i64>,
    /// How the spec differs from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<ContractChange>,
    /// Consumers that the difference would break.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), extend("x-kubernetes-list-type" = "atomic"))]
    pub breaks: Vec<ContractBreak>,
}

/// How a spec differs from the accepted contract.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ContractChange {
    /// The part of the version that has to grow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impact: Option<Impact>,
    /// The differences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), extend("x-kubernetes-list-type" = "atomic"))]
    pub items: Vec<ContractItem>,
}

/// One difference from the accepted contract.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ContractItem {
    /// Where.
    #[schemars(length(max = 512))]
    pub path: String,
    /// The accepted value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub from: Option<String>,
    /// The value in the spec.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub to: Option<String>,
    /// The rule that judged it.
    #[schemars(length(max = 64))]
    pub rule: String,
}

/// The part of a version that a change makes grow.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Impact {
    /// Consumers break.
    Major,
    /// Consumers gain.
    Minor,
    /// Consumers do not notice.
    Patch,
}

/// A consumer that a change would break.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ContractBreak {
    /// Name of the consuming product.
    #[schemars(length(max = 63))]
    pub consumer: String,
    /// Its namespace.
    #[schemars(length(max = 63))]
    pub namespace: String,
    /// Its domain.
    #[schemars(length(max = 40))]
    pub domain: String,
    /// Why it breaks.
    #[schemars(length(max = 512))]
    pub why: String,
    /// Whether the consumer has agreed.
    #[serde(default)]
    pub acknowledged: bool,
}
