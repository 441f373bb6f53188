//! The status of a product's governance as a `Report` of OpenReports, which dashboards of other tools read.
//!
//! It says nothing that the status does not say, and is bounded as the status is.

use kube::ResourceExt;
use serde_json::{Value, json};

use crate::api::{
    DataProduct,
    status::{GovernanceStatus, Severity, Violation},
};

/// Group, version, kind and plural of the report's API.
pub const RESOURCE: [&str; 4] = ["openreports.io", "v1alpha1", "Report", "reports"];
const API_VERSION: &str = "openreports.io/v1alpha1";
/// Who reports.
const SOURCE: &str = "dataproduct-operator";

/// The report on a product. `rules` is the number of rules that were evaluated.
pub fn open_report(product: &DataProduct, governance: &GovernanceStatus, rules: i32) -> Value {
    let reference = json!({
        "apiVersion": "datamesh.io/v1",
        "kind": "DataProduct",
        "name": product.name_any(),
        "uid": product.uid(),
    });
    let mut scope = reference.clone();
    scope["namespace"] = json!(product.namespace());
    let broken = governance.errors + governance.warnings + governance.infos;
    let skipped = governance.not_evaluated.iter().map(|rule| {
        json!({
            "policy": "governance",
            "rule": rule,
            "result": "skip",
            "message": "not evaluated: something is not known that the rule needs",
        })
    });
    let not_evaluated = i32::try_from(governance.not_evaluated.len()).unwrap_or(i32::MAX);
    let results = governance.violations.iter().map(result).chain(skipped);
    json!({
        "apiVersion": API_VERSION,
        "kind": "Report",
        "metadata": {
            "name": name(&product.name_any()),
            "namespace": product.namespace(),
            "labels": {"app.kubernetes.io/managed-by": SOURCE},
            "ownerReferences": [reference],
        },
        "source": SOURCE,
        "scope": scope,
        "summary": {
            "pass": (rules - rules_of(governance)).max(0),
            "fail": governance.errors,
            "warn": broken - governance.errors,
            "error": 0,
            "skip": governance.excepted.saturating_add(not_evaluated),
        },
        "results": results.collect::<Vec<_>>(),
    })
}

/// The name of a product's report.
pub fn name(product: &str) -> String {
    format!("dataproduct-{product}")
}

/// The number of rules that are broken or excepted.
fn rules_of(governance: &GovernanceStatus) -> i32 {
    let rules = governance.violations.iter().map(|violation| (&violation.policy, &violation.id));
    i32::try_from(rules.collect::<std::collections::BTreeSet<_>>().len()).unwrap_or(i32::MAX)
}

fn result(violation: &Violation) -> Value {
    let excepted = violation.exception_ref.as_ref();
    let (severity, result) = match violation.severity {
        Severity::Error => ("high", "fail"),
        Severity::Warning => ("medium", "warn"),
        Severity::Info => ("info", "warn"),
    };
    let mut properties = json!({
        "path": violation.path,
        "remediation": violation.remediation,
        "enforcement": violation.enforcement,
    });
    if let Some(exception) = excepted {
        properties["exception"] = json!(exception);
    }
    let mut result = json!({
        "policy": violation.policy,
        "rule": violation.id,
        "category": violation.id.split('-').next(),
        "severity": severity,
        "result": if excepted.is_some() { "skip" } else { result },
        // What costs nothing is not scored.
        "scored": violation.severity != Severity::Info && excepted.is_none(),
        "message": violation.message,
        "properties": properties,
    });
    if let Some(since) = &violation.since {
        result["timestamp"] = json!({"seconds": since.0.as_second(), "nanos": 0});
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{DataProductSpec, status::PolicyEnforcement};

    fn violation(id: &str, severity: Severity, exception: Option<&str>) -> Violation {
        Violation {
            id: id.to_owned(),
            severity,
            message: "wrong".to_owned(),
            remediation: "mend it".to_owned(),
            path: "spec".to_owned(),
            policy: "GovernancePolicy/core".to_owned(),
            enforcement: PolicyEnforcement::Enforced,
            since: None,
            deadline: None,
            exception_ref: exception.map(str::to_owned),
        }
    }

    #[test]
    fn every_violation_is_a_result_and_what_an_exception_covers_is_skipped() {
        let product = DataProduct::new("orders", DataProductSpec::default());
        let governance = GovernanceStatus {
            errors: 1,
            warnings: 1,
            excepted: 1,
            violations: vec![
                violation("SEC-001", Severity::Error, None),
                violation("SEC-002", Severity::Error, Some("later")),
                violation("DOC-001", Severity::Warning, None),
            ],
            not_evaluated: vec!["SEC-006".to_owned()],
            ..GovernanceStatus::default()
        };
        let report = open_report(&product, &governance, 40);
        assert_eq!(report["summary"], json!({"pass": 37, "fail": 1, "warn": 1, "error": 0, "skip": 2}));
        let results = report["results"].as_array().expect("results");
        let said = results.iter().map(|result| (result["rule"].as_str(), result["result"].as_str()));
        assert_eq!(
            said.collect::<Vec<_>>(),
            [
                (Some("SEC-001"), Some("fail")),
                (Some("SEC-002"), Some("skip")),
                (Some("DOC-001"), Some("warn")),
                (Some("SEC-006"), Some("skip")),
            ]
        );
    }
}
