//! A rule as a value, and the hash by which a report says which rules and standards it comes from.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::api::{Enforcement, PlatformStandardsSpec, status::Severity};

use super::{Finding, Input, Violation};

/// A rule: what it demands, how grave a breach is, and how far the rule is phased in.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Stable name, for example `SCHEMA-001`.
    pub id: &'static str,
    /// How grave a breach is, unless the finding itself says otherwise.
    pub severity: Severity,
    /// How far the rule is phased in: only an enforced rule can stop change.
    pub state: Enforcement,
    /// What the rule demands, as a sentence without its full stop.
    pub title: &'static str,
    /// The paths that it reads. Those below `standards` are in `PlatformStandards`, those below `status.resources` are what
    /// the provider observed, those below `mesh` are other objects, the others are in the product.
    pub reads: &'static [&'static str],
    /// What must be known beside the product and the standards. Where it is not, the rule is not evaluated.
    pub needs: Option<Need>,
    /// Finds every breach in an input.
    pub(super) check: fn(&Input<'_>) -> Vec<Finding>,
}

/// What a rule needs to know beside the product and the standards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// The other products of the mesh.
    Mesh,
    /// The domain of the product's namespace.
    Domain,
    /// What the provider observed.
    Observation,
    /// The contracts that were accepted before.
    History,
}

impl Need {
    /// What it is, as part of a sentence.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mesh => "the other products of the mesh",
            Self::Domain => "the domain of its namespace",
            Self::Observation => "what the provider observed",
            Self::History => "the contracts that were accepted before, which this release does not keep",
        }
    }

    /// Whether an input has it.
    pub(super) const fn is_met(self, input: &Input<'_>) -> bool {
        match self {
            Self::Mesh => input.neighbours.is_some(),
            Self::Domain => input.bound_domain.is_some(),
            Self::Observation => input.observed.is_some(),
            Self::History => false,
        }
    }
}

impl Rule {
    pub(super) fn violations(&self, input: &Input<'_>) -> impl Iterator<Item = Violation> {
        let Self { id, severity, state, .. } = *self;
        (self.check)(input).into_iter().map(move |finding| Violation {
            id,
            severity: finding.severity.unwrap_or(severity),
            state,
            path: finding.path,
            message: finding.message,
            remediation: finding.remediation,
        })
    }
}

/// Hash of the rules and of the standards that they read; another release of the operator has another one, because
/// its rules may judge differently.
pub(super) fn hash(rules: &[Rule], standards: &PlatformStandardsSpec) -> String {
    let mut hash = Sha256::new();
    hash.update(env!("CARGO_PKG_VERSION"));
    for rule in rules {
        hash.update(format!("\n{} {:?} {:?}", rule.id, rule.severity, rule.state));
    }
    // Standards are plain data, so that their serialization cannot fail.
    let read = serde_json::to_vec(&(&standards.standards, &standards.scoring)).unwrap_or_default();
    hash.update(read);
    hash.finalize().iter().take(16).fold(String::with_capacity(32), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use crate::{api::Scoring, governance::RULES};

    use super::*;

    #[test]
    fn the_hash_moves_with_rules_and_standards_and_with_nothing_else() {
        let standards = PlatformStandardsSpec::default();
        let whole = hash(RULES, &standards);
        assert_eq!(whole.len(), 32);
        assert_eq!(whole, hash(RULES, &standards));
        assert_ne!(whole, hash(&RULES[..7], &standards));
        let scoring = Some(Scoring { error: Some(20), warning: None });
        assert_ne!(whole, hash(RULES, &PlatformStandardsSpec { scoring, ..standards.clone() }));
        let kpi_targets = [("slo_compliance".to_owned(), "95%".to_owned())].into();
        assert_eq!(whole, hash(RULES, &PlatformStandardsSpec { kpi_targets, ..standards }));
    }
}
