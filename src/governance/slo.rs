//! SLO: the product promises to be there and to be fresh, and its tests ask for no less.

use crate::{
    api::{product::TestType, status::Severity},
    model::{duration::Period, percent::Percent},
};

use super::{Finding, Findings, Input, Parameter};

/// The lowest availability that a product should promise.
pub(super) const MINIMUM: Parameter = Parameter {
    name: "minimum",
    default: "99%",
    check: |text| text.parse::<Percent>().map(drop).map_err(|error| error.to_string()),
};

/// The same where no policy says otherwise.
const LEAST: Percent = Percent::whole(99);

/// SLO-001. No target counts as `0%`. The comparison is exact: 99% passes and 98.999999% does not.
pub(super) fn promises_availability(input: &Input<'_>, found: &mut Findings<'_>) {
    let path = "spec.slo.availability.target";
    let stated = input.spec().slo.as_ref().and_then(|slo| slo.availability.as_ref());
    let target = stated.map(|availability| availability.target.as_str());
    let minimum = input.parameter(MINIMUM.name);
    // A minimum that is no percentage was refused when its policy was compiled.
    let least = minimum.map_or(Ok(LEAST), str::parse::<Percent>);
    match target.map_or(Ok(Percent::ZERO), str::parse::<Percent>) {
        Ok(percent) if least.is_ok_and(|least| percent >= least) => {}
        Ok(_) => found.push(Finding::new(
            path,
            [
                "Availability SLO (",
                target.unwrap_or("0%"),
                ") below recommended ",
                minimum.unwrap_or(MINIMUM.default),
            ]
            .concat(),
            "Consider increasing availability target",
        )),
        // The schema of the cluster lets no such target in, but a file on somebody's disk may have one.
        Err(error) => found.push(Finding {
            severity: Some(Severity::Error),
            ..Finding::new(
                path,
                format!("Availability SLO cannot be judged: {error}"),
                "Write the target as a percentage, for example 99.9%",
            )
        }),
    }
}

/// SLO-002.
pub(super) fn promises_freshness(input: &Input<'_>, found: &mut Findings<'_>) {
    found.when(
        input.spec().slo.as_ref().is_none_or(|slo| slo.freshness.is_none()),
        "spec.slo.freshness",
        "Freshness SLO not defined",
        "Define freshness target (e.g., '1 hour')",
    );
}

/// SLO-003, once for every test. A length that cannot be read is refused by the schema of the cluster.
pub(super) fn tests_freshness_as_promised(input: &Input<'_>, found: &mut Findings<'_>) {
    let freshness = input.spec().slo.as_ref().and_then(|slo| slo.freshness.as_ref());
    let Some(target) = freshness else { return };
    let Ok(promised) = target.target.parse::<Period>() else { return };
    let tests = input.spec().quality.as_ref().map_or(&[][..], |quality| &quality.tests);
    let tests = tests.iter().enumerate().filter(|(_, test)| test.type_ == TestType::Freshness);
    let findings = tests.filter_map(|(index, test)| {
        let max_age = test.max_age.as_ref()?;
        let looser = max_age.parse::<Period>().is_ok_and(|allowed| allowed > promised);
        looser.then(|| {
            Finding::new(
                format!("spec.quality.tests[{index}].max_age"),
                format!("Freshness test allows {max_age}, and the product promises {}", target.target),
                format!("Set max_age to {} or less, or loosen spec.slo.freshness.target", target.target),
            )
        })
    });
    found.extend(findings);
}

/// SLO-004, once for each objective. Without any objective DOC-005 says so.
pub(super) fn promises_completeness_and_accuracy(input: &Input<'_>, found: &mut Findings<'_>) {
    let Some(slo) = &input.spec().slo else { return };
    let objectives = [("completeness", &slo.completeness), ("accuracy", &slo.accuracy)];
    let missing = objectives.into_iter().filter(|(_, target)| target.is_none());
    let findings = missing.map(|(objective, _)| {
        Finding::new(
            format!("spec.slo.{objective}"),
            format!("No target for {objective}"),
            format!("Add spec.slo.{objective}.target, for example 99.5%"),
        )
    });
    found.extend(findings);
}

#[cfg(test)]
mod tests {
    use crate::{
        api::{
            product::{Quality, Slo, SloTarget},
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

    #[test]
    fn a_test_of_freshness_allows_no_more_than_is_promised() {
        let path = "spec.quality.tests[0].max_age";
        let cases = [
            ("the same in other words", Some("1 hour"), Some("60m"), vec![]),
            ("tighter", Some("1 hour"), Some("59m"), vec![]),
            ("looser", Some("1 hour"), Some("61m"), vec![path]),
            ("nothing promised", None, Some("1 year"), vec![]),
            ("nothing allowed", Some("1 hour"), None, vec![]),
            ("what cannot be read is another's", Some("soon"), Some("1 year"), vec![]),
        ];
        let cases = cases.map(|(case, promised, max_age, paths)| {
            let tests = serde_json::json!([{"type": "freshness", "column": "at", "max_age": max_age}]);
            let tests = serde_json::from_value(tests).expect("a test");
            let slo = Slo { freshness: promised.map(target), ..Slo::default() };
            (case, product(|spec| (spec.slo, spec.quality) = (Some(slo), Some(Quality { tests }))), paths)
        });
        assert_table("SLO-003", cases);
    }

    #[test]
    fn completeness_and_accuracy_are_promised_where_anything_is() {
        let cases = [
            ("nothing is", None, vec![]),
            ("neither", Some(Slo::default()), vec!["spec.slo.accuracy", "spec.slo.completeness"]),
            (
                "one",
                Some(Slo { accuracy: Some(target("99%")), ..Slo::default() }),
                vec!["spec.slo.completeness"],
            ),
        ];
        assert_table(
            "SLO-004",
            cases.map(|(case, slo, paths)| (case, product(|spec| spec.slo = slo), paths)),
        );
    }
}
