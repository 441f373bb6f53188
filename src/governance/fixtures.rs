//! What the tests of the rules share: standards with the values of the reference, and a product to break.

use crate::api::{
    ApiStandards, DataProduct, DataProductSpec, FormatStandards, PlatformStandardsSpec, QualityStandards,
    Standards, StorageStandards,
};

use super::{Input, RULES, Report, Violation, policies_of};

/// The standards of the reference.
pub(super) fn standards() -> PlatformStandardsSpec {
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let standards = Standards {
        storage: StorageStandards {
            allowed: words(&["snowflake", "databricks", "s3_delta_lake"]),
            not_allowed: words(&["on_premise_databases", "individual_cloud_accounts"]),
        },
        formats: FormatStandards {
            required: words(&["parquet", "avro", "iceberg"]),
            optional: words(&["json", "csv"]),
        },
        apis: ApiStandards {
            required_protocols: words(&["rest", "grpc"]),
            required_authentication: words(&["oauth2", "mtls"]),
        },
        quality: QualityStandards {
            required_tests: words(&["uniqueness", "not_null", "freshness"]),
            required_documentation: words(&["schema", "description", "owner", "slo"]),
        },
    };
    PlatformStandardsSpec { standards, ..PlatformStandardsSpec::default() }
}

/// A product with a name, a domain and a version, changed by the test.
pub(super) fn product(change: impl FnOnce(&mut DataProductSpec)) -> DataProduct {
    let mut spec =
        DataProductSpec { domain: "customer".into(), version: "1.0.0".into(), ..DataProductSpec::default() };
    change(&mut spec);
    DataProduct::new("customer-360", spec)
}

/// The input of a product that is judged by the standards of the reference, without a domain.
pub(super) fn input(product: &DataProduct) -> Input<'_> {
    static STANDARDS: std::sync::LazyLock<PlatformStandardsSpec> = std::sync::LazyLock::new(standards);
    Input::of(product, &STANDARDS)
}

/// The report by the policies that come with the operator.
pub(super) fn evaluate(input: &Input<'_>) -> Report {
    policies_of(RULES).evaluate(input)
}

/// How an input breaks one rule.
pub(super) fn broken_by(id: &str, input: &Input<'_>) -> Vec<Violation> {
    assert!(RULES.iter().any(|rule| rule.id == id), "{id} is a rule");
    evaluate(input).violations.into_iter().filter(|violation| *violation.rule.id == *id).collect()
}

/// How a product breaks one rule.
pub(super) fn broken(id: &str, product: &DataProduct) -> Vec<Violation> {
    broken_by(id, &input(product))
}

/// Checks one rule on a table of cases: what the case is, the product, the paths where it breaks the rule.
pub(super) fn assert_table<'a>(
    id: &str,
    cases: impl IntoIterator<Item = (&'a str, DataProduct, Vec<&'a str>)>,
) {
    for (case, product, expected) in cases {
        let violations = broken(id, &product);
        let paths: Vec<_> = violations.iter().map(|violation| &*violation.path).collect();
        assert_eq!(paths, expected, "{id}: {case}");
    }
}
