//! What each rule of the standards lets pass and what it finds.

use crate::{
    api::{
        DataProduct, FORMAT_JUSTIFICATION, PlatformStandardsSpec,
        product::{Authentication, OutputPort},
    },
    governance::{
        Accounts, Input, RULES,
        fixtures::{self, assert_table, broken, broken_by, input},
        policies_of,
    },
};

const TYPE: &str = "spec.outputPorts[p].type";
const FORMAT: &str = "spec.outputPorts[p].format";
const AUTHENTICATION: &str = "spec.outputPorts[p].authentication";

fn product(type_: &str, format: Option<&str>, authentication: Option<Authentication>) -> DataProduct {
    let port = OutputPort {
        name: "p".into(),
        type_: type_.into(),
        format: format.map(Into::into),
        authentication,
        ..OutputPort::default()
    };
    fixtures::product(|spec| spec.output_ports = vec![port])
}

#[test]
fn storage_is_of_an_allowed_type() {
    let cases = [
        ("an allowed one", "snowflake", vec![]),
        ("one that nobody allowed", "oracle", vec![TYPE]),
        ("a forbidden one is not allowed either", "on_premise_databases", vec![TYPE]),
        ("an API is no storage", "soap", vec![]),
        ("nor is a stream", "kafka", vec![]),
    ];
    assert_table(
        "STD-001",
        cases.map(|(case, type_, paths)| (case, product(type_, Some("avro"), None), paths)),
    );
    let violation = &broken("STD-001", &product("oracle", None, None))[0];
    assert_eq!(violation.message, "Output port 'p' stores data in 'oracle', which is not an allowed storage");
    assert_eq!(violation.remediation, "Use one of snowflake, databricks, s3_delta_lake");
}

#[test]
fn storage_is_not_of_a_forbidden_type() {
    let cases = [
        ("an allowed one", "snowflake", vec![]),
        ("one that nobody allowed is not forbidden", "oracle", vec![]),
        ("a forbidden one", "on_premise_databases", vec![TYPE]),
    ];
    assert_table(
        "STD-002",
        cases.map(|(case, type_, paths)| (case, product(type_, Some("avro"), None), paths)),
    );
}

#[test]
fn resources_belong_into_the_account_of_the_domain() {
    let product = product("snowflake", Some("iceberg"), None);
    let accounts = |provider| Some(Accounts { domain: "111111111111", provider });
    let cases = [
        ("the same account", accounts("111111111111"), vec![]),
        ("another account", accounts("222222222222"), vec!["spec.provisioning.providerClassName"]),
        ("no provider is known", None, vec![]),
    ];
    for (case, accounts, expected) in cases {
        let violations = broken_by("STD-002", &Input { accounts, ..input(&product) });
        assert_eq!(violations.iter().map(|v| &*v.path).collect::<Vec<_>>(), expected, "{case}");
    }
}

#[test]
fn a_stated_format_is_a_known_one() {
    let cases = [
        ("a required one", "snowflake", Some("parquet"), vec![]),
        ("an optional one", "snowflake", Some("csv"), vec![]),
        ("one in neither list", "snowflake", Some("xml"), vec![FORMAT]),
        ("one in neither list on a stream", "kafka", Some("xml"), vec![FORMAT]),
        ("a blank one is none", "snowflake", Some(" "), vec![]),
        ("none", "snowflake", None, vec![]),
    ];
    assert_table(
        "STD-003",
        cases.map(|(case, type_, format, paths)| (case, product(type_, format, None), paths)),
    );
    let violation = &broken("STD-003", &product("snowflake", Some("xml"), None))[0];
    assert_eq!(
        violation.remediation,
        "Use one of parquet, avro, iceberg, or justify one of json, csv by the annotation \
         datamesh.io/format-justification"
    );
}

#[test]
fn an_optional_format_is_justified() {
    let annotated = |reason: &str| {
        let mut product = product("snowflake", Some("csv"), None);
        product.metadata.annotations = Some([(FORMAT_JUSTIFICATION.to_owned(), reason.to_owned())].into());
        product
    };
    assert_table(
        "STD-004",
        [
            ("a required one needs no reason", product("snowflake", Some("avro"), None), vec![]),
            ("an optional one without a reason", product("snowflake", Some("csv"), None), vec![FORMAT]),
            ("an optional one with a reason", annotated("The regulator reads nothing else."), vec![]),
            ("an optional one with a blank reason", annotated(" "), vec![FORMAT]),
            ("one in neither list is not this rule's", product("snowflake", Some("xml"), None), vec![]),
        ],
    );
}

#[test]
fn storage_states_its_format() {
    assert_table(
        "STD-005",
        [
            ("it does", product("snowflake", Some("iceberg"), None), vec![]),
            ("it does not", product("snowflake", None, None), vec![FORMAT]),
            ("it states a blank one", product("snowflake", Some(" "), None), vec![FORMAT]),
            ("an API needs none", product("rest", None, None), vec![]),
            ("nor does a stream", product("kafka", None, None), vec![]),
        ],
    );
}

#[test]
fn an_api_speaks_an_allowed_protocol() {
    let cases = [
        ("rest", "rest", vec![]),
        ("grpc", "grpc", vec![]),
        ("graphql", "graphql", vec![TYPE]),
        ("soap", "soap", vec![TYPE]),
        ("storage is no API", "snowflake", vec![]),
    ];
    assert_table("STD-006", cases.map(|(case, type_, paths)| (case, product(type_, None, None), paths)));
}

#[test]
fn an_api_authenticates_its_callers_in_an_allowed_way() {
    let cases = [
        ("oauth2", "rest", Some(Authentication::Oauth2), vec![]),
        ("mtls", "grpc", Some(Authentication::Mtls), vec![]),
        ("a shared key", "rest", Some(Authentication::Apikey), vec![AUTHENTICATION]),
        ("the word none", "rest", Some(Authentication::None), vec![AUTHENTICATION]),
        ("nothing at all", "rest", None, vec![AUTHENTICATION]),
        ("storage is no API", "snowflake", None, vec![]),
    ];
    assert_table(
        "STD-007",
        cases.map(|(case, type_, word, paths)| (case, product(type_, None, word), paths)),
    );
}

#[test]
fn a_list_that_is_empty_states_no_standard() {
    let mut product = product("oracle", Some("xml"), None);
    product.spec.output_ports.push(OutputPort {
        name: "q".into(),
        type_: "soap".into(),
        ..OutputPort::default()
    });
    let standards = PlatformStandardsSpec::default();
    let accounts = Some(Accounts { domain: "1", provider: "2" });
    let report =
        policies_of(&RULES[7..20]).evaluate(&Input { standards: &standards, accounts, ..input(&product) });
    assert_eq!(report.violations, []);
}
