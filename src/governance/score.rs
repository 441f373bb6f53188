//! What violations cost: the weights of the platform's standards, the score, and the overall result.

use crate::api::{
    PlatformStandardsSpec,
    status::{ReportResult, Severity},
};

/// The score of a product without violations.
const BEST: i32 = 100;
/// Points that an error costs unless the standards say otherwise.
const ERROR: i32 = 10;
/// Points that a warning costs unless the standards say otherwise.
const WARNING: i32 = 2;

/// Points that violations cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Weights {
    error: i32,
    warning: i32,
}

impl Weights {
    /// The weights of the standards, held to 0 to 100, so that no violation ever raises a score.
    pub(super) fn of(standards: &PlatformStandardsSpec) -> Self {
        let scoring = standards.scoring.as_ref();
        let weight = |stated: Option<i32>, default: i32| stated.unwrap_or(default).clamp(0, BEST);
        Self {
            error: weight(scoring.and_then(|scoring| scoring.error), ERROR),
            warning: weight(scoring.and_then(|scoring| scoring.warning), WARNING),
        }
    }
}

/// Number of violations by severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) errors: i32,
    pub(super) warnings: i32,
    pub(super) infos: i32,
}

impl Totals {
    pub(super) fn of(severities: impl Iterator<Item = Severity>) -> Self {
        severities.fold(Self::default(), |mut totals, severity| {
            let total = match severity {
                Severity::Error => &mut totals.errors,
                Severity::Warning => &mut totals.warnings,
                Severity::Info => &mut totals.infos,
            };
            *total = total.saturating_add(1);
            totals
        })
    }

    /// 100 minus the weight of every error and warning, never below 0. An info costs nothing.
    pub(super) const fn score(self, weights: Weights) -> i32 {
        let errors = self.errors.saturating_mul(weights.error);
        let warnings = self.warnings.saturating_mul(weights.warning);
        let score = BEST.saturating_sub(errors).saturating_sub(warnings);
        if score < 0 { 0 } else { score }
    }

    /// The gravest severity decides.
    pub(super) const fn result(self) -> ReportResult {
        match self {
            Self { errors: 1.., .. } => ReportResult::Fail,
            Self { warnings: 1.., .. } => ReportResult::Warn,
            _ => ReportResult::Pass,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::api::Scoring;

    use super::*;

    fn weights(error: Option<i32>, warning: Option<i32>) -> Weights {
        let scoring = Some(Scoring { error, warning });
        Weights::of(&PlatformStandardsSpec { scoring, ..PlatformStandardsSpec::default() })
    }

    #[test]
    fn the_score_falls_with_every_error_and_warning_and_stops_at_zero() {
        let usual = Weights::of(&PlatformStandardsSpec::default());
        let cases = [
            ("nothing", (0, 0, 0), 100, ReportResult::Pass),
            ("infos are free", (0, 0, 7), 100, ReportResult::Pass),
            ("a warning", (0, 1, 0), 98, ReportResult::Warn),
            ("an error", (1, 0, 0), 90, ReportResult::Fail),
            ("an empty spec", (5, 1, 0), 48, ReportResult::Fail),
            ("exactly nothing left", (10, 0, 0), 0, ReportResult::Fail),
            ("never negative", (11, 0, 0), 0, ReportResult::Fail),
            ("too many to multiply", (i32::MAX, i32::MAX, 0), 0, ReportResult::Fail),
        ];
        for (case, (errors, warnings, infos), score, result) in cases {
            let totals = Totals { errors, warnings, infos };
            assert_eq!((totals.score(usual), totals.result()), (score, result), "{case}");
        }
    }

    #[test]
    fn the_standards_set_the_weights_within_bounds() {
        assert_eq!(weights(None, None), Weights { error: 10, warning: 2 });
        assert_eq!(weights(Some(25), Some(0)), Weights { error: 25, warning: 0 });
        assert_eq!(weights(Some(-5), Some(1000)), Weights { error: 0, warning: 100 });
    }
}
