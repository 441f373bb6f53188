//! The report: every violation in a fixed order, the totals, the score, and what stops change.

use std::{cmp::Reverse, sync::Arc};

use jiff::{Timestamp, civil::Date};

use crate::api::{
    Enforcement, PlatformStandardsSpec,
    status::{ReportResult, Severity},
};

use super::{
    Exception, Text,
    score::{Totals, Weights},
};

/// The judgement on one product. Equal inputs give equal reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// 100 minus the weight of every violation that no exception covers, never below 0.
    pub score: i32,
    /// What the score would be without the exceptions.
    pub score_without_exceptions: i32,
    /// Fail with any error, Warn with any warning, Pass otherwise. What an exception covers counts as none.
    pub result: ReportResult,
    /// Number of violations of severity error.
    pub errors: i32,
    /// Number of violations of severity warning.
    pub warnings: i32,
    /// Number of violations of severity info.
    pub infos: i32,
    /// Number of violations that an exception covers, which are in none of the other totals.
    pub excepted: i32,
    /// Number of rules that were evaluated.
    pub rules: i32,
    /// All of them, sorted by severity (the gravest first), path, id and message.
    pub violations: Vec<Violation>,
    /// The rules that were not evaluated, because something was not known that they need, sorted.
    pub not_evaluated: Vec<Arc<str>>,
    /// The policies that judged the product, as kind and name, sorted.
    pub policies: Vec<Arc<str>>,
}

/// A rule of a policy.
#[derive(Debug, PartialEq, Eq)]
pub struct RuleRef {
    /// The rule, for example `SCHEMA-002`.
    pub id: Arc<str>,
    /// Its policy, as kind and name.
    pub policy: Arc<str>,
    /// Whether it judges what was observed. An error of such a rule would stop the very correction that mends it.
    pub(super) observed: bool,
}

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule that is broken.
    pub rule: Arc<RuleRef>,
    /// How grave it is.
    pub severity: Severity,
    /// How far its policy is phased in.
    pub state: Enforcement,
    /// The first day on which its policy is enforced, where that is set.
    pub deadline: Option<Date>,
    /// The exception that covers it, and until when.
    pub exception: Option<Box<(String, Timestamp)>>,
    /// Where, for example `spec.schema.fields[email].pii`.
    pub path: Text,
    /// What is wrong.
    pub message: Text,
    /// What to do.
    pub remediation: Text,
}

impl Report {
    pub(super) fn new(
        rules: usize,
        mut violations: Vec<Violation>,
        mut not_evaluated: Vec<Arc<str>>,
        policies: Vec<Arc<str>>,
        standards: &PlatformStandardsSpec,
    ) -> Self {
        violations.sort_by(|a, b| a.order().cmp(&b.order()));
        not_evaluated.sort_unstable();
        not_evaluated.dedup();
        let totals = |counted: fn(&&Violation) -> bool| {
            Totals::of(violations.iter().filter(counted).map(|violation| violation.severity))
        };
        let (all, open) = (totals(|_| true), totals(|violation| violation.exception.is_none()));
        let excepted = violations.iter().filter(|violation| violation.exception.is_some()).count();
        let weights = Weights::of(standards);
        Self {
            score: open.score(weights),
            score_without_exceptions: all.score(weights),
            result: open.result(),
            errors: open.errors,
            warnings: open.warnings,
            infos: open.infos,
            excepted: i32::try_from(excepted).unwrap_or(i32::MAX),
            rules: i32::try_from(rules).unwrap_or(i32::MAX),
            violations,
            not_evaluated,
            policies,
        }
    }

    /// The violations that stop change in a domain of this enforcement: errors of enforced policies that no exception covers, and only where the
    /// domain is enforced too.
    pub fn enforced_errors(&self, domain: Enforcement) -> impl Iterator<Item = &Violation> {
        self.violations.iter().filter(move |v| {
            v.exception.is_none()
                && v.severity == Severity::Error
                && v.enforcement(domain) == Enforcement::Enforced
        })
    }
}

impl Violation {
    /// How the violation counts in a domain of this enforcement: as the milder of policy and domain says.
    pub const fn enforcement(&self, domain: Enforcement) -> Enforcement {
        match (self.state, domain) {
            (Enforcement::Draft, _) | (_, Enforcement::Draft) => Enforcement::Draft,
            (Enforcement::Grace, _) | (_, Enforcement::Grace) => Enforcement::Grace,
            (Enforcement::Enforced, Enforcement::Enforced) => Enforcement::Enforced,
        }
    }

    /// Sets what changes by the day: how far the policy is phased in, until when, and the exception that covers it.
    pub(super) fn stands(&mut self, state: Enforcement, deadline: Option<Date>, exceptions: &[Exception]) {
        self.state = match state {
            Enforcement::Enforced if self.rule.observed => Enforcement::Grace,
            state => state,
        };
        self.deadline = deadline.filter(|_| !self.rule.observed);
        // Of several exceptions the one that lasts longest counts.
        let exceptions = exceptions.iter().filter(|exception| exception.rules.contains(&*self.rule.id));
        let exception = exceptions.max_by_key(|exception| exception.expires);
        self.exception = exception.map(|exception| Box::new((exception.name.clone(), exception.expires)));
    }

    /// How much the violation may stop: the more, the greater.
    pub(super) fn strictness(&self) -> impl Ord + use<> {
        let state = match self.state {
            Enforcement::Draft => 0,
            Enforcement::Grace => 1,
            Enforcement::Enforced => 2,
        };
        (state, Reverse(self.severity), Reverse(self.deadline.unwrap_or(Date::MAX)))
    }

    fn order(&self) -> impl Ord {
        (self.severity, &self.path, &self.rule.id, &self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violation(severity: Severity, state: Enforcement, path: &str) -> Violation {
        Violation {
            rule: Arc::new(RuleRef { id: "TEST-001".into(), policy: "".into(), observed: false }),
            severity,
            state,
            deadline: None,
            exception: None,
            path: path.to_owned().into(),
            message: "".into(),
            remediation: "".into(),
        }
    }

    fn report(violations: Vec<Violation>) -> Report {
        Report::new(0, violations, Vec::new(), Vec::new(), &PlatformStandardsSpec::default())
    }

    #[test]
    fn the_gravest_comes_first_and_then_the_path_decides() {
        let report = report(vec![
            violation(Severity::Info, Enforcement::Grace, "a"),
            violation(Severity::Error, Enforcement::Grace, "c"),
            violation(Severity::Warning, Enforcement::Grace, "a"),
            violation(Severity::Error, Enforcement::Grace, "b"),
        ]);
        let order: Vec<_> = report.violations.iter().map(|v| (v.severity.as_str(), &*v.path)).collect();
        assert_eq!(order, [("error", "b"), ("error", "c"), ("warning", "a"), ("info", "a")]);
    }

    #[test]
    fn only_an_enforced_error_in_an_enforced_domain_stops_change() {
        use Enforcement::{Draft, Enforced, Grace};
        for severity in [Severity::Error, Severity::Warning, Severity::Info] {
            for state in [Draft, Grace, Enforced] {
                for domain in [Draft, Grace, Enforced] {
                    let report = report(vec![violation(severity, state, "a")]);
                    let stops = report.enforced_errors(domain).count() == 1;
                    let expected = (severity, state, domain) == (Severity::Error, Enforced, Enforced);
                    assert_eq!(stops, expected, "{severity:?} of a rule in {state:?}, domain in {domain:?}");
                }
            }
        }
    }
}
