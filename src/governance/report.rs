//! The result of an evaluation: violations in a stable order, totals, score and result.

use sha2::{Digest, Sha256};

use super::Rule;
use crate::api::{
    PlatformStandardsSpec,
    status::{ReportResult, Severity},
};

/// Points that an error costs when the standards do not say.
pub(super) const ERROR_WEIGHT: i32 = 10;
/// Points that a warning costs when the standards do not say.
pub(super) const WARNING_WEIGHT: i32 = 2;

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule.
    pub id: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remediation: String,
    /// Where, for example `spec.schema.fields[email].pii`.
    pub path: String,
}

/// What the rules say of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// 100 minus the weights of all violations, never below 0.
    pub score: i32,
    /// Fail with any error, Warn with any warning, Pass otherwise.
    pub result: ReportResult,
    /// Every violation, sorted by severity, rule, path and message.
    pub violations: Vec<Violation>,
    /// Hash of rules and standards.
    pub rule_set_hash: String,
}

impl Report {
    pub(super) fn new(
        mut violations: Vec<Violation>,
        standards: &PlatformStandardsSpec,
        rules: &[Rule],
    ) -> Self {
        violations.sort_by(|a, b| {
            (a.severity, a.id, &a.path, &a.message).cmp(&(b.severity, b.id, &b.path, &b.message))
        });
        let count = |severity| violations.iter().filter(|violation| violation.severity == severity).count();
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        let result = match (errors, warnings) {
            (0, 0) => ReportResult::Pass,
            (0, _) => ReportResult::Warn,
            _ => ReportResult::Fail,
        };
        let score = score(errors, warnings, standards);
        Self { score, result, violations, rule_set_hash: hash(standards, rules) }
    }

    /// Number of violations of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.violations.iter().filter(|violation| violation.severity == severity).count()
    }

    /// The errors, in order.
    pub fn errors_in_order(&self) -> impl Iterator<Item = &Violation> {
        self.violations.iter().filter(|violation| violation.severity == Severity::Error)
    }
}

fn score(errors: usize, warnings: usize, standards: &PlatformStandardsSpec) -> i32 {
    let weights = standards.scoring.as_ref();
    let error = weights.and_then(|weights| weights.error).unwrap_or(ERROR_WEIGHT);
    let warning = weights.and_then(|weights| weights.warning).unwrap_or(WARNING_WEIGHT);
    let cost =
        |count: usize, weight: i32| i32::try_from(count).unwrap_or(i32::MAX).saturating_mul(weight.max(0));
    100i32.saturating_sub(cost(errors, error)).saturating_sub(cost(warnings, warning)).clamp(0, 100)
}

fn hash(standards: &PlatformStandardsSpec, rules: &[Rule]) -> String {
    let mut digest = Sha256::new();
    for rule in rules {
        digest.update(rule.id);
        digest.update([0]);
    }
    // Plain data always serializes; an empty text would still be a stable hash.
    digest.update(serde_json::to_string(standards).unwrap_or_default());
    digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
