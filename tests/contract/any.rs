//! Strategies for products of every shape that the definition lets in.

use std::collections::BTreeMap;

use dataproduct_operator::api::{
    DataProduct, DataProductSpec,
    product::{
        Access, Authentication, Classification, DataSchema, Deprecation, InputPort, Lifecycle, Lineage,
        OutputPort, Owner, Permission, Privacy, ProductRef, Provisioning, Quality, QualityTest, Role,
        SchemaField, Slo, SloTarget, TestSeverity, TestType, Transformation,
    },
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::Number;

fn words(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(words).prop_map(str::to_owned)
}

/// Any text without control characters, blank and empty ones, too.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[ -~]{0,12}", 1 => "\\PC{0,6}", 1 => words(&["", " ", "yes", "null", "1.0", "#a", "a: b"])]
}

fn label() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9]{0,4}(-[a-z0-9]{1,3})?"
}

fn duration() -> impl Strategy<Value = String> {
    (
        1..400_u32,
        words(&[
            "s", " s", "m", "minutes", " hour", " hours", "h", "day", " days", "d", "w", " weeks", "mo", "y",
            " years",
        ]),
    )
        .prop_map(|(count, unit)| format!("{count}{unit}"))
}

fn percent() -> impl Strategy<Value = String> {
    prop_oneof![
        words(&["0%", "100%", "100.0%", "99.9%", "05%", "99.999999%", "0.000001%", "50.50%"]),
        "[0-9]{1,2}([.][0-9]{1,6})?%",
    ]
}

fn target(amount: impl Strategy<Value = String>) -> impl Strategy<Value = Option<SloTarget>> {
    option::of(
        (amount, option::of(text()), option::of(duration()))
            .prop_map(|(target, measurement, window)| SloTarget { target, measurement, window }),
    )
}

fn slo() -> impl Strategy<Value = Option<Slo>> {
    option::of((target(duration()), target(percent()), target(percent()), target(percent())).prop_map(
        |(freshness, availability, completeness, accuracy)| Slo {
            freshness,
            availability,
            completeness,
            accuracy,
        },
    ))
}

fn type_() -> impl Strategy<Value = String> {
    words(&[
        "string",
        "long",
        "decimal(12,2)",
        "float",
        "boolean",
        "date",
        "timestamp",
        "array<string>",
        "struct",
        "map<string,int>",
        "geography",
        "VARCHAR(18)",
        "array",
        "record",
    ])
}

fn classification() -> impl Strategy<Value = Option<Classification>> {
    use Classification::{Confidential, Internal, Public, Restricted};
    option::of(select(&[Public, Internal, Confidential, Restricted][..]))
}

/// Names that meet often, at different depths.
fn field_name() -> impl Strategy<Value = String> {
    words(&["a", "b", "c", "a.b", "a.c", "a.b.c", "b.a", "a_b", "_x", "A", "a.b.c.d", "c.", "a..b"])
}

fn field() -> impl Strategy<Value = SchemaField> {
    let flags = (
        any::<Option<bool>>(),
        any::<Option<bool>>(),
        any::<Option<bool>>(),
        any::<Option<bool>>(),
        any::<Option<bool>>(),
    );
    let values = prop_oneof![3 => Just(vec![]), 1 => vec(text(), 1..4)];
    (field_name(), type_(), option::of(text()), flags, values, classification()).prop_map(
        |(
            name,
            type_,
            description,
            (pii, required, primary_key, unique, deprecated),
            mut enum_,
            classification,
        )| {
            enum_.sort();
            enum_.dedup();
            SchemaField {
                name,
                type_,
                description,
                pii,
                required,
                enum_,
                classification,
                primary_key,
                unique,
                deprecated,
            }
        },
    )
}

fn schema() -> impl Strategy<Value = DataSchema> {
    (option::of(words(&["avro", "json", "sql"])), option::of(vec(field(), 0..8))).prop_map(
        |(type_, fields)| {
            let fields = fields.map(|fields| {
                let mut names = std::collections::BTreeSet::new();
                fields.into_iter().filter(|field| names.insert(field.name.clone())).collect()
            });
            DataSchema { type_, fields }
        },
    )
}

fn test() -> impl Strategy<Value = QualityTest> {
    use TestType::{
        AcceptedValues, Custom, Freshness, NotNull, Range, ReferentialIntegrity, Regex, RowCount, Uniqueness,
    };
    let types = select(
        &[
            Uniqueness,
            NotNull,
            Range,
            Freshness,
            ReferentialIntegrity,
            RowCount,
            AcceptedValues,
            Regex,
            Custom,
        ][..],
    );
    let number = || {
        option::of(prop_oneof![
            (-5..5_i64).prop_map(Number::from),
            Just(serde_json::from_str::<Number>("0.5").expect("a number")),
        ])
    };
    let columns = (option::of(field_name()), vec(field_name(), 0..3));
    let bounds = (option::of(percent()), number(), number(), option::of(duration()));
    let reference = option::of(words(&["dim.code", "a.b.c", "dim-x.code", "1.2"]));
    let severity = option::of(select(&[TestSeverity::Error, TestSeverity::Warning][..]));
    // Mostly tests that set what their type reads, and now and then any mix.
    (types, option::of(text()), columns, bounds, reference, severity, any::<bool>()).prop_map(
        |(type_, name, (column, columns), (threshold, min, max, max_age), reference, severity, tidy)| {
            let takes = |types: &[TestType]| !tidy || types.contains(&type_);
            let takes_bound = takes(&[Range, RowCount]);
            QualityTest {
                type_,
                name,
                columns: if column.is_none() && takes(&[NotNull]) { dedup(columns) } else { vec![] },
                column: column.filter(|_| !tidy || type_ != RowCount),
                threshold: threshold.filter(|_| !tidy || type_ != RowCount),
                min: min.filter(|_| takes_bound),
                max: max.filter(|_| takes_bound),
                max_age: max_age.filter(|_| takes(&[Freshness])),
                reference: reference.filter(|_| takes(&[ReferentialIntegrity])),
                severity,
            }
        },
    )
}

fn dedup(mut items: Vec<String>) -> Vec<String> {
    items.sort();
    items.dedup();
    items
}

fn output_port() -> impl Strategy<Value = OutputPort> {
    let types = words(&[
        "snowflake",
        "databricks",
        "s3",
        "s3_delta_lake",
        "rest",
        "grpc",
        "kafka",
        "postgres",
        "bigquery",
        "azure",
        "ftp",
        "custom",
        "local",
        "api",
        "glue",
        "trino",
        "on_premise_databases",
    ]);
    let place = (
        option::of(text()),
        option::of(text()),
        option::of(words(&["orders", "order-lines", "unknown", "x"])),
    );
    let access =
        (option::of(text()), option::of(select(&[Authentication::Oauth2, Authentication::None][..])));
    let files =
        (option::of(words(&["iceberg", "csv"])), option::of(words(&["", "a/", "lake/", "/", "unknown"])));
    (label(), types, place, access, files, option::weighted(0.2, schema())).prop_map(
        |(
            name,
            type_,
            (database, schema, table),
            (endpoint, authentication),
            (format, location),
            contract,
        )| {
            OutputPort {
                name,
                type_,
                database,
                schema,
                table,
                format,
                endpoint,
                authentication,
                location,
                contract,
            }
        },
    )
}

fn input_port() -> impl Strategy<Value = InputPort> {
    let product = option::of((option::of(label()), label(), option::of(label())).prop_map(
        |(namespace, name, output_port)| ProductRef { namespace, name, output_port, min_version: None },
    ));
    (label(), words(&["kafka", "s3"]), option::of(text()), product, vec(("[a-z]{1,3}", text()), 0..3))
        .prop_map(|(name, type_, topic, product_ref, parameters)| InputPort {
            name,
            type_,
            topic,
            product_ref,
            parameters: parameters.into_iter().collect::<BTreeMap<_, _>>(),
            ..InputPort::default()
        })
}

fn access() -> impl Strategy<Value = Option<Access>> {
    use Permission::{All, Alter, Delete, Describe, Insert, Select, Update};
    let permissions =
        proptest::sample::subsequence(vec![Select, Insert, Update, Delete, Alter, Describe, All], 1..=7);
    let role = (label(), permissions, vec(text(), 0..2)).prop_map(|(name, permissions, principals)| Role {
        name,
        permissions,
        principals,
    });
    let privacy = option::of((vec(field_name(), 0..3), option::of(text())).prop_map(
        |(pii_columns, masking_policy)| Privacy { pii_columns: dedup(pii_columns), masking_policy },
    ));
    option::of((classification(), option::of(duration()), privacy, vec(role, 0..3)).prop_map(
        |(classification, retention, privacy, roles)| Access { classification, retention, privacy, roles },
    ))
}

fn owner() -> impl Strategy<Value = Option<Owner>> {
    let email = option::of(words(&["a@b.example", "data@example.com"]));
    let slack = option::of(words(&["#data", "@someone"]));
    option::of(
        (option::of(text()), email, slack, option::of(text()), option::of(text()))
            .prop_map(|(team, email, slack, url, on_call)| Owner { team, email, slack, url, on_call }),
    )
}

fn lineage() -> impl Strategy<Value = Option<Lineage>> {
    option::of((vec(label(), 0..3), option::of(text())).prop_map(|(upstream_products, model)| Lineage {
        upstream_products: dedup(upstream_products),
        transformations: vec![Transformation { model, ..Transformation::default() }],
    }))
}

fn life() -> impl Strategy<Value = (Option<Lifecycle>, Option<Deprecation>)> {
    use Lifecycle::{Active, Deprecated, Draft, Retired};
    let date = option::of(words(&["2027-06-30", "2028-02-29"]));
    let deprecation = option::of((date, option::of(text())).prop_map(|(sunset_date, message)| Deprecation {
        sunset_date,
        replaced_by: None,
        message,
    }));
    (option::of(select(&[Draft, Active, Deprecated, Retired][..])), deprecation)
}

/// A product of any shape that the definition lets in, and some that it does not.
pub(crate) fn product() -> impl Strategy<Value = DataProduct> {
    let names = (label(), label(), option::of(label()), option::of(text()), option::of(text()));
    let versions = words(&["1.0.0", "2.1.0-rc.1", "0.0.1+build.5"]);
    let rest = (
        life(),
        vec(label(), 0..3),
        option::of(words(&["https://wiki.example.com/a"])),
        any::<Option<bool>>(),
    );
    let ports = (vec(input_port(), 0..3), vec(output_port(), 0..4));
    let quality = option::of(vec(test(), 0..6).prop_map(|tests| Quality { tests }));
    let provisioning = option::of(Just(Provisioning::default()));
    let data = (option::weighted(0.8, schema()), slo(), quality, lineage(), access(), provisioning);
    (names, versions, rest, ports, data, owner()).prop_map(
        |((domain, name, namespace, display_name, description), version, rest, ports, data, owner)| {
            let ((lifecycle, deprecation), tags, documentation, suspend) = rest;
            let (schema, slo, quality, lineage, access, provisioning) = data;
            let mut product = DataProduct::new(
                &name,
                DataProductSpec {
                    domain,
                    version,
                    owner,
                    display_name,
                    description,
                    documentation,
                    lifecycle,
                    deprecation,
                    suspend,
                    tags: dedup(tags),
                    input_ports: ports.0,
                    output_ports: by_name(ports.1),
                    schema,
                    slo,
                    quality,
                    lineage,
                    access,
                    provisioning,
                },
            );
            product.metadata.namespace = namespace;
            product
        },
    )
}

fn by_name(ports: Vec<OutputPort>) -> Vec<OutputPort> {
    let mut names = std::collections::BTreeSet::new();
    ports.into_iter().filter(|port| names.insert(port.name.clone())).collect()
}
