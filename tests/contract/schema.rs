//! The published JSON schema of the standard; see `schema/README.md`.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let text = include_str!("schema/odcs-json-schema-v3.1.0.json");
    let schema = serde_json::from_str(text).expect("the schema is JSON");
    jsonschema::validator_for(&schema).expect("the schema is a schema")
});

/// What the schema does not allow in a contract.
pub(crate) fn faults(contract: &str) -> Vec<String> {
    let contract: Value = serde_saphyr::from_str(contract).expect("a contract is YAML");
    SCHEMA.iter_errors(&contract).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn the_schema_refuses_what_is_no_contract() {
    assert!(!faults("kind: DataContract").is_empty());
    let server = "apiVersion: v3.1.0\nkind: DataContract\nid: a\nversion: 1.0.0\nstatus: active\nservers:\n- server: a\n  type: snowflake\n";
    assert!(faults(server).iter().any(|fault| fault.contains("account")), "{:?}", faults(server));
}
