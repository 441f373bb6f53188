//! SLO: the product promises to be there and to be fresh.

use crate::{api::status::Severity, model::percent::Percent};

use super::{Finding, Input};

/// The lowest availability that a product should promise, 99%, in millionths of a percent.
const RECOMMENDED: i64 = 99_000_000;

/// SLO-001. No target counts as `0%`. The comparison is exact: 99% passes and 98.999999% does not.
pub(super) fn promises_availability(input: &Input<'_>) -> Vec<Finding> {
    let path = "spec.slo.availability.target";
    let stated = input.spec().slo.as_ref().and_then(|slo| slo.availability.as_ref());
    let target = stated.map_or("0%", |availability| &availability.target);
    match target.parse::<Percent>() {
        Ok(percent) if percent.millionths() >= RECOMMENDED => vec![],
        Ok(_) => vec![Finding::new(
            path,
            format!("Availability SLO ({target}) below recommended 99%"),
            "Consider increasing availability target",
        )],
        // The schema of the cluster lets no such target in, but a file on somebody's disk may have one.
        Err(error) => vec![Finding {
            severity: Some(Severity::Error),
            ..Finding::new(
                path,
                format!("Availability SLO cannot be judged: {error}"),
                "Write the target as a percentage, for example 99.9%",
            )
        }],
    }
}

/// SLO-002.
pub(super) fn promises_freshness(input: &Input<'_>) -> Vec<Finding> {
    Finding::when(
        input.spec().slo.as_ref().is_none_or(|slo| slo.freshness.is_none()),
        "spec.slo.freshness",
        "Freshness SLO not defined",
        "Define freshness target (e.g., '1 hour')",
    )
}

#[cfg(test)]
mod tests {
    use crate::{
        api::{
            product::{Slo, SloTarget},
            status::Severity,
        },
        governance::fixtures::{assert_table, broken, product},
    };

    fn target(text: &str) -> SloTarget {
        SloTarget { target: text.into(), ..SloTarget::default() }
    }

    #[test]
    fn availability_is_compared_exactly() {
        let path = "spec.slo.availability.target";
        let cases = [
            ("99% is enough", Some("99%"), vec![]),
            ("so is 99.000000%", Some("99.000000%"), vec![]),
            ("so is 100%", Some("100%"), vec![]),
            ("98.99% is not", Some("98.99%"), vec![path]),
            ("nor is a millionth less than 99%", Some("98.999999%"), vec![path]),
            ("none counts as 0%", None, vec![path]),
            ("a text that is no percentage is reported", Some("always"), vec![path]),
        ];
        assert_table(
            "SLO-001",
            cases.map(|(case, text, paths)| {
                let availability = text.map(target);
                let slo = Slo { availability, freshness: Some(target("1 hour")), ..Slo::default() };
                (case, product(|spec| spec.slo = Some(slo)), paths)
            }),
        );
    }

    #[test]
    fn a_target_that_is_no_percentage_is_an_error_and_the_message_says_why() {
        let slo =
            Slo { availability: Some(target("99.9")), freshness: Some(target("1 hour")), ..Slo::default() };
        let violations = broken("SLO-001", &product(|spec| spec.slo = Some(slo)));
        assert_eq!(violations[0].severity, Severity::Error);
        assert!(
            violations[0].message.contains("the sign % at the end is missing"),
            "{}",
            violations[0].message
        );
    }

    #[test]
    fn a_low_target_is_quoted_as_it_was_written() {
        let slo =
            Slo { availability: Some(target("98.90%")), freshness: Some(target("1 hour")), ..Slo::default() };
        let violations = broken("SLO-001", &product(|spec| spec.slo = Some(slo)));
        assert_eq!(violations[0].message, "Availability SLO (98.90%) below recommended 99%");
        let violations = broken("SLO-001", &product(|spec| spec.slo = None));
        assert_eq!(violations[0].message, "Availability SLO (0%) below recommended 99%");
    }

    #[test]
    fn freshness_is_defined() {
        let only = |freshness| Some(Slo { freshness, ..Slo::default() });
        let cases = [
            ("it is", only(Some(target("1 hour"))), vec![]),
            ("it is not", only(None), vec!["spec.slo.freshness"]),
            ("nothing is", None, vec!["spec.slo.freshness"]),
        ];
        assert_table(
            "SLO-002",
            cases.map(|(case, slo, paths)| (case, product(|spec| spec.slo = slo), paths)),
        );
    }
}
