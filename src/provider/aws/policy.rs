//! The one statement of a bucket's policy that the operator manages: requests without TLS are refused. Statements of
//! others stay as they are.

use serde_json::{Value, json};

use super::Failure;
use crate::{model::arn, provider::ErrorKind};

/// The identifier of our statement.
const SID: &str = "DataproductTlsOnly";

fn statement(region: &str, bucket: &str) -> Value {
    let bucket = arn::bucket(region, bucket);
    json!({
        "Sid": SID,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket, format!("{bucket}/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    })
}

fn parse(policy: &str) -> Result<Value, Failure> {
    let garbled =
        || Failure::new(ErrorKind::Unexpected, "the bucket's policy is no JSON document with statements");
    let policy: Value = serde_json::from_str(policy).map_err(|_| garbled())?;
    if policy.is_object() { Ok(policy) } else { Err(garbled()) }
}

/// The statements; a policy may hold a single one outside of a list.
fn statements(policy: &Value) -> Vec<Value> {
    match &policy["Statement"] {
        Value::Array(statements) => statements.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    }
}

/// Whether a policy has our statement as it should be.
pub(super) fn is_tls_only(policy: Option<&str>, region: &str, bucket: &str) -> Result<bool, Failure> {
    let Some(policy) = policy else { return Ok(false) };
    let wanted = statement(region, bucket);
    Ok(statements(&parse(policy)?).iter().any(|found| same(found, &wanted)))
}

/// Whether two statements say the same: the service writes lists of one as text, and principals in two ways.
fn same(found: &Value, wanted: &Value) -> bool {
    let all = |principal: &Value| *principal == json!("*") || *principal == json!({"AWS": "*"});
    let sorted = |value: &Value| {
        let mut items = match value {
            Value::Array(items) => items.iter().map(ToString::to_string).collect(),
            one => vec![one.to_string()],
        };
        items.sort();
        items
    };
    ["Sid", "Effect", "Condition"].iter().all(|key| found[key] == wanted[key])
        && all(&found["Principal"])
        && ["Action", "Resource"].iter().all(|key| sorted(&found[key]) == sorted(&wanted[key]))
}

/// A policy with our statement, or without it, and with every statement of others. `None` when nothing is left.
pub(super) fn with_tls_only(
    policy: Option<&str>,
    region: &str,
    bucket: &str,
    wanted: bool,
) -> Result<Option<String>, Failure> {
    let mut policy = match policy {
        Some(policy) => parse(policy)?,
        None => json!({"Version": "2012-10-17"}),
    };
    let mut statements = statements(&policy);
    statements.retain(|statement| statement["Sid"] != SID);
    if wanted {
        statements.push(statement(region, bucket));
    }
    if statements.is_empty() {
        return Ok(None);
    }
    policy["Statement"] = Value::Array(statements);
    Ok(Some(policy.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHER: &str = r#"{"Version": "2012-10-17", "Id": "theirs", "Statement":
        {"Sid": "Reader", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::1:root"}, "Action": "s3:GetObject", "Resource": "*"}}"#;

    #[test]
    fn our_statement_comes_and_goes_and_those_of_others_stay() {
        assert_eq!(is_tls_only(None, "eu-west-1", "b").ok(), Some(false));
        assert_eq!(is_tls_only(Some(OTHER), "eu-west-1", "b").ok(), Some(false));
        let with = with_tls_only(Some(OTHER), "eu-west-1", "b", true).expect("a policy").expect("statements");
        assert_eq!(is_tls_only(Some(&with), "eu-west-1", "b").ok(), Some(true));
        assert!(with.contains("Reader") && with.contains("theirs"), "{with}");
        assert_eq!(is_tls_only(Some(&with), "eu-west-1", "another").ok(), Some(false), "of another bucket");
        let without = with_tls_only(Some(&with), "eu-west-1", "b", false).expect("a policy").expect("theirs");
        assert!(without.contains("Reader") && !without.contains(SID), "{without}");
        let only = with_tls_only(None, "eu-west-1", "b", true).expect("a policy").expect("ours");
        assert_eq!(with_tls_only(Some(&only), "eu-west-1", "b", false).expect("a policy"), None);
    }

    #[test]
    fn a_statement_that_was_weakened_is_not_ours_any_more() {
        let ours = with_tls_only(None, "eu-west-1", "b", true).expect("a policy").expect("ours");
        assert_eq!(is_tls_only(Some(&ours.replace("Deny", "Allow")), "eu-west-1", "b").ok(), Some(false));
        assert_eq!(
            is_tls_only(Some(&ours.replace("s3:*", "s3:GetObject")), "eu-west-1", "b").ok(),
            Some(false)
        );
        let spelled = ours.replace(r#""Principal":"*""#, r#""Principal":{"AWS":"*"}"#);
        assert_ne!(spelled, ours);
        assert_eq!(is_tls_only(Some(&spelled), "eu-west-1", "b").ok(), Some(true));
        assert!(is_tls_only(Some("[]"), "eu-west-1", "b").is_err());
    }
}
