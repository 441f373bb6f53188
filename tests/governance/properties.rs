//! What holds for any product and any standards.

use dataproduct_operator::{
    api::{
        DataDomain, DataDomainSpec, DataProduct, Enforcement, PlatformStandardsSpec,
        product::{Classification, Owner, SchemaField},
        status::{ReportResult, Severity},
    },
    governance::{Accounts, Input, RULES, Report, Resource, policies_of},
    model::resource::Kind,
};
use proptest::prelude::*;

use crate::{
    any,
    observed::{self, is_own_and_open, resources},
};

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
    let domain =
        DataDomain::new("any", DataDomainSpec { owner: domain_owner.cloned(), ..DataDomainSpec::default() });
    policies_of(RULES).evaluate(&Input { domain: Some(&domain), ..input(product, standards, &[]) })
}

fn input<'a>(
    product: &'a DataProduct,
    standards: &'a PlatformStandardsSpec,
    observed: &'a [Resource<'a>],
) -> Input<'a> {
    let accounts = Some(Accounts { domain: "111111111111", provider: "222222222222" });
    Input { accounts, observed: Some(observed), ..Input::of(product, standards) }
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
    fn every_violation_is_complete_and_of_a_known_rule(
        product in any::product(), standards in any::standards(), pairs in observed::pairs()
    ) {
        for violation in policies_of(RULES).evaluate(&input(&product, &standards, &resources(&pairs))).violations {
            prop_assert!(RULES.iter().any(|rule| *rule.id == *violation.rule.id));
            let known = ["spec.", "status.resources["].iter().any(|root| violation.path.starts_with(root));
            prop_assert!(known || violation.path == "spec", "{}", violation.path);
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
        // What is left out can contradict nothing, so that the rules on consistency do not belong here.
        let judge = |product: &DataProduct| policies_of(&RULES[..20]).evaluate(&input(product, &standards, &[]));
        let before = judge(&product);
        for (change, worsen) in WORSENINGS {
            let mut product = product.clone();
            worsen(&mut product);
            let after = judge(&product);
            prop_assert!(after.score <= before.score, "{}: {} to {}", change, before.score, after.score);
            prop_assert!(after.violations.len() >= before.violations.len(), "{}", change);
        }
    }

    #[test]
    fn what_was_observed_adds_violations_only_for_what_is_its_own_and_open_and_stops_nothing(
        product in any::product(), standards in any::standards(), pairs in observed::pairs()
    ) {
        let without = judge(&product, &standards, None);
        let with = policies_of(RULES).evaluate(&input(&product, &standards, &resources(&pairs)));
        let (observed, said): (Vec<_>, Vec<_>) =
            with.violations.iter().cloned().partition(|violation| violation.path.starts_with("status."));
        prop_assert_eq!(said, without.violations.clone());
        let open = pairs.iter().filter(|pair| is_own_and_open(pair)).map(|(desired, _)| desired.key.kind);
        let restricted = product.spec.access.is_some_and(|access| access.classification == Some(Classification::Restricted));
        let expected = open.map(|kind| match kind {
            Kind::EncryptionKey => 1,
            Kind::Bucket => 2,
            Kind::CatalogDatabase | Kind::Grant => usize::from(restricted),
            Kind::FreshnessAlarm => 0,
        });
        prop_assert_eq!(observed.len(), expected.sum::<usize>());
        let stops = |report: &Report| report.enforced_errors(Enforcement::Enforced).count();
        prop_assert_eq!(stops(&with), stops(&without));
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
