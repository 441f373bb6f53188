//! What holds for any product and any standards.

use dataproduct_operator::{
    api::{
        DataProduct, Enforcement, PlatformStandardsSpec,
        product::{Owner, SchemaField},
        status::{ReportResult, Severity},
    },
    governance::{Accounts, Input, RULES, Report, evaluate},
};
use proptest::prelude::*;

use crate::any;

/// A change of a product.
type Worsening = fn(&mut DataProduct);

/// A change that adds a violation, or none where the product has it already.
const WORSENINGS: &[(&str, Worsening)] = &[
    ("a field of which nothing is said", |product| {
        let fields = product.spec.schema.as_mut().and_then(|schema| schema.fields.as_mut());
        fields
            .into_iter()
            .for_each(|fields| fields.push(SchemaField { name: "new".into(), ..SchemaField::default() }));
    }),
    ("no classification", |product| {
        product.spec.access.as_mut().into_iter().for_each(|access| access.classification = None);
    }),
    ("no retention", |product| {
        product.spec.access.as_mut().into_iter().for_each(|access| access.retention = None);
    }),
    ("no freshness", |product| {
        product.spec.slo.as_mut().into_iter().for_each(|slo| slo.freshness = None);
    }),
    ("no objectives", |product| product.spec.slo = None),
    ("no description", |product| product.spec.description = None),
    ("no owner", |product| product.spec.owner = None),
    ("no tests", |product| product.spec.quality = None),
];

fn judge(product: &DataProduct, standards: &PlatformStandardsSpec, domain_owner: Option<&Owner>) -> Report {
    let accounts = Some(Accounts { domain: "111111111111", provider: "222222222222" });
    evaluate(&Input { product, standards, domain_owner, accounts })
}

/// Whether an availability target is unreadable, which is graver than none.
fn is_odd(product: &DataProduct) -> bool {
    let target = product.spec.slo.as_ref().and_then(|slo| slo.availability.as_ref());
    target
        .is_some_and(|target| target.target.parse::<dataproduct_operator::model::percent::Percent>().is_err())
}

proptest! {
    #[test]
    fn totals_score_and_result_agree_with_the_violations(
        product in any::product(), standards in any::standards(), owner in any::owner()
    ) {
        let report = judge(&product, &standards, owner.as_ref());
        let count = |severity| report.violations.iter().filter(|v| v.severity == severity).count();
        let totals = [report.errors, report.warnings, report.infos].map(usize::try_from);
        let counts = [Severity::Error, Severity::Warning, Severity::Info].map(|severity| Ok(count(severity)));
        prop_assert_eq!(totals, counts);
        prop_assert!((0..=100).contains(&report.score));
        let expected = match (report.errors, report.warnings) {
            (0, 0) => ReportResult::Pass,
            (0, _) => ReportResult::Warn,
            _ => ReportResult::Fail,
        };
        prop_assert_eq!(report.result, expected);
        prop_assert!(report.result != ReportResult::Pass || report.score == 100);
    }

    #[test]
    fn every_violation_is_complete_and_of_a_known_rule(product in any::product(), standards in any::standards()) {
        for violation in judge(&product, &standards, None).violations {
            prop_assert!(RULES.iter().any(|rule| rule.id == violation.id));
            prop_assert!(violation.path.starts_with("spec."), "{}", violation.path);
            for text in [&violation.message, &violation.remediation] {
                prop_assert!(!text.is_empty() && text.len() <= 1024, "{}", text);
            }
        }
    }

    #[test]
    fn the_order_of_fields_ports_and_tests_does_not_matter(
        (product, shuffled) in any::product().prop_flat_map(|product| (Just(product.clone()), shuffled(product))),
        standards in any::standards(),
    ) {
        prop_assert_eq!(judge(&product, &standards, None), judge(&shuffled, &standards, None));
    }

    #[test]
    fn a_further_violation_never_raises_the_score(
        product in any::product().prop_filter("a readable target", |product| !is_odd(product)),
        standards in any::standards(),
    ) {
        let before = judge(&product, &standards, None);
        for (change, worsen) in WORSENINGS {
            let mut product = product.clone();
            worsen(&mut product);
            let after = judge(&product, &standards, None);
            prop_assert!(after.score <= before.score, "{}: {} to {}", change, before.score, after.score);
            prop_assert!(after.violations.len() >= before.violations.len(), "{}", change);
        }
    }

    #[test]
    fn only_an_enforced_domain_is_stopped_and_only_by_errors(
        product in any::product(), standards in any::standards()
    ) {
        let report = judge(&product, &standards, None);
        prop_assert_eq!(report.enforced_errors(Enforcement::Draft).count(), 0);
        prop_assert_eq!(report.enforced_errors(Enforcement::Grace).count(), 0);
        prop_assert!(report.enforced_errors(Enforcement::Enforced).all(|v| v.severity == Severity::Error));
    }
}

/// The same product with its lists in another order.
fn shuffled(product: DataProduct) -> impl Strategy<Value = DataProduct> {
    let spec = &product.spec;
    let fields = spec.schema.as_ref().and_then(|schema| schema.fields.clone()).unwrap_or_default();
    let tests = spec.quality.as_ref().map(|quality| quality.tests.clone()).unwrap_or_default();
    let ports = spec.output_ports.clone();
    let lists = (Just(fields).prop_shuffle(), Just(tests).prop_shuffle(), Just(ports).prop_shuffle());
    (lists, Just(product)).prop_map(|((fields, tests, ports), mut product)| {
        product.spec.output_ports = ports;
        let list = product.spec.schema.as_mut().and_then(|schema| schema.fields.as_mut());
        list.into_iter().for_each(|list| list.clone_from(&fields));
        product.spec.quality.as_mut().into_iter().for_each(|quality| quality.tests.clone_from(&tests));
        product
    })
}
