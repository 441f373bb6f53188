//! Strategies for products of any shape that the types allow, well beyond what a cluster would let in.

use dataproduct_operator::api::{
    ApiStandards, DataProduct, DataProductSpec, FORMAT_JUSTIFICATION, FormatStandards, PlatformStandardsSpec,
    QualityStandards, Scoring, Standards, StorageStandards,
    product::{
        Access, Authentication, Classification, DataSchema, OutputPort, Owner, Quality, QualityTest,
        SchemaField, Slo, SloTarget, TestType,
    },
};
use proptest::{collection::vec, option, prelude::*, sample::select};

/// Words for types, formats, protocols and authentication, so that products and standards often meet.
const WORDS: [&str; 12] = [
    "snowflake",
    "oracle",
    "rest",
    "soap",
    "kafka",
    "parquet",
    "csv",
    "xml",
    "oauth2",
    "basic",
    "uniqueness",
    "freshness",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![4 => select(&WORDS[..]).prop_map(str::to_owned), 1 => ".{0,8}"]
}

fn words() -> impl Strategy<Value = Vec<String>> {
    vec(word(), 0..5)
}

/// A text that is there, blank, or anything.
fn text() -> impl Strategy<Value = Option<String>> {
    option::of(prop_oneof![Just("Something".to_owned()), Just(" \n".to_owned()), ".{0,8}"])
}

/// A target that is a percentage most of the time.
pub(crate) fn percentage() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => select(&["0%", "98.99%", "98.999999%", "99%", "99.000000%", "100%"][..]).prop_map(str::to_owned),
        1 => "[0-9]{1,2}([.][0-9]{1,6})?%",
    ]
}

pub(crate) fn field(text: impl Strategy<Value = Option<String>>) -> impl Strategy<Value = SchemaField> {
    ("[a-z]{1,3}", text, any::<Option<bool>>()).prop_map(|(name, description, pii)| SchemaField {
        name,
        type_: "string".to_owned(),
        description,
        pii,
        ..SchemaField::default()
    })
}

pub(crate) fn schema(
    text: impl Strategy<Value = Option<String>> + Clone,
) -> impl Strategy<Value = Option<DataSchema>> {
    let fields = option::of(vec(field(text), 0..6));
    option::of((option::of(word()), fields).prop_map(|(type_, fields)| DataSchema { type_, fields }))
}

pub(crate) fn slo(target: impl Strategy<Value = String>) -> impl Strategy<Value = Option<Slo>> {
    let target = target.prop_map(|target| SloTarget { target, ..SloTarget::default() });
    let freshness = any::<bool>()
        .prop_map(|there| there.then(|| SloTarget { target: "1 hour".to_owned(), ..SloTarget::default() }));
    option::of((freshness, option::of(target)).prop_map(|(freshness, availability)| Slo {
        freshness,
        availability,
        ..Slo::default()
    }))
}

pub(crate) fn access() -> impl Strategy<Value = Option<Access>> {
    let classification = option::of(select(&[Classification::Public, Classification::Restricted][..]));
    let retention = option::of(Just("7 years".to_owned()));
    option::of((classification, retention).prop_map(|(classification, retention)| Access {
        classification,
        retention,
        ..Access::default()
    }))
}

pub(crate) fn owner() -> impl Strategy<Value = Option<Owner>> {
    option::of((text(), text(), text()).prop_map(|(team, email, slack)| Owner {
        team,
        email,
        slack,
        ..Owner::default()
    }))
}

fn port() -> impl Strategy<Value = OutputPort> {
    let authentication = option::of(select(&[Authentication::Oauth2, Authentication::Basic][..]));
    ("[a-z]{1,3}", word(), option::of(word()), authentication).prop_map(
        |(name, type_, format, authentication)| OutputPort {
            name,
            type_,
            format,
            authentication,
            ..OutputPort::default()
        },
    )
}

fn test() -> impl Strategy<Value = QualityTest> {
    select(&[TestType::Uniqueness, TestType::Freshness, TestType::Custom][..]).prop_map(|type_| QualityTest {
        type_,
        name: None,
        column: None,
        columns: vec![],
        threshold: None,
        min: None,
        max: None,
        max_age: None,
        reference: None,
        severity: None,
    })
}

/// A product of any shape.
pub(crate) fn product() -> impl Strategy<Value = DataProduct> {
    let target = prop_oneof![3 => percentage(), 1 => ".{0,40}"];
    let quality = option::of(vec(test(), 0..4).prop_map(|tests| Quality { tests }));
    let parts = (text(), owner(), vec(port(), 0..5), schema(text().boxed()), slo(target), quality, access());
    (parts, text()).prop_map(|((description, owner, output_ports, schema, slo, quality, access), reason)| {
        let mut product = DataProduct::new(
            "any",
            DataProductSpec {
                domain: "customer".to_owned(),
                version: "1.0.0".to_owned(),
                description,
                owner,
                output_ports,
                schema,
                slo,
                quality,
                access,
                ..DataProductSpec::default()
            },
        );
        product.metadata.annotations =
            reason.map(|reason| [(FORMAT_JUSTIFICATION.to_owned(), reason)].into());
        product
    })
}

/// Standards of any shape.
pub(crate) fn standards() -> impl Strategy<Value = PlatformStandardsSpec> {
    let documentation = proptest::sample::subsequence(vec!["schema", "description", "owner", "slo"], 0..=4)
        .prop_map(|parts| parts.into_iter().map(str::to_owned).collect());
    let lists = ((words(), words()), (words(), words()), (words(), words()), (words(), documentation));
    let scoring = option::of((any::<Option<i32>>(), any::<Option<i32>>()));
    (lists, scoring).prop_map(|((storage, formats, apis, quality), scoring)| PlatformStandardsSpec {
        standards: Standards {
            storage: StorageStandards { allowed: storage.0, not_allowed: storage.1 },
            formats: FormatStandards { required: formats.0, optional: formats.1 },
            apis: ApiStandards { required_protocols: apis.0, required_authentication: apis.1 },
            quality: QualityStandards { required_tests: quality.0, required_documentation: quality.1 },
        },
        scoring: scoring.map(|(error, warning)| Scoring { error, warning }),
        ..PlatformStandardsSpec::default()
    })
}
