use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::{
    api::GovernancePolicySpec,
    governance::{RuleRef, defaults},
};

fn policy(spec: Value) -> GovernancePolicy {
    let spec: GovernancePolicySpec = serde_json::from_value(spec).expect("a policy");
    GovernancePolicy::new("strict", spec)
}

fn generated(spec: Value, action: Action) -> Option<ValidatingAdmissionPolicySpec> {
    let policies = admission(&[policy(spec)], &[], action, None);
    policies.into_iter().next().and_then(|admission| admission.policy.spec)
}

fn conditions(spec: &ValidatingAdmissionPolicySpec) -> Vec<(&str, &str)> {
    let conditions = spec.match_conditions.iter().flatten();
    conditions.map(|condition| (condition.name.as_str(), condition.expression.as_str())).collect()
}

#[test]
fn every_rule_can_be_judged_by_the_api_server_or_it_is_said_why_not() {
    for Rule { id, .. } in RULES {
        assert!(is_expressed(id) != why_not_expressed(id).is_some(), "{id}");
    }
    let known = |id: &str| RULES.iter().any(|rule| rule.id == id);
    assert!(EXPRESSED.iter().map(|rule| rule.id).chain(NOT_EXPRESSED.iter().map(|(id, _)| *id)).all(known));
}

#[test]
fn of_the_policies_that_come_with_the_operator_the_enforced_one_is_judged_whole() {
    let policies = defaults().into_iter().map(|(policy, _)| policy).collect::<Vec<_>>();
    let generated = admission(&policies, &[], Action::Warn, None);
    let names = generated.iter().map(|admission| admission.policy.name_any()).collect::<Vec<_>>();
    assert_eq!(names, ["core.datamesh.io"]);
    let spec = generated[0].policy.spec.as_ref().expect("a spec");
    assert_eq!(spec.failure_policy.as_deref(), Some("Ignore"));
    assert!(spec.param_kind.is_none(), "these rules read no standards");
    let messages = spec.validations.iter().flatten().filter_map(|validation| validation.message.as_deref());
    for rule in &policies[0].spec.policy.rules {
        let said = format!("[{}] ", rule.id);
        assert!(messages.clone().any(|message| message.starts_with(&said)), "{}", rule.id);
    }
}

#[test]
fn only_errors_of_rules_that_can_be_read_are_asked_and_only_where_they_are_enforced() {
    let rules = json!([
        {"id": "SEC-003"},
        {"id": "SEC-001", "severity": "warning"},
        {"id": "SEC-002", "parameters": {"minimum": "1 year"}},
        {"id": "PROD-003"},
        {"id": "AVAIL-001", "builtin": "SLO-001", "severity": "error", "parameters": {"minimum": "99.5%"}},
        {"id": "PRIVACY-006", "severity": "info"},
    ]);
    let spec = generated(json!({"state": "Enforced", "rules": rules}), Action::Warn).expect("a policy");
    let validations = spec.validations.unwrap_or_default();
    assert_eq!(validations.len(), 2, "{validations:?}");
    assert!(validations[0].expression.ends_with(r#">= double("99.5%".replace("%", ""))"#));
    assert_eq!(
        validations[0].message_expression.as_deref(),
        Some(
            r#""[AVAIL-001] Availability SLO (" + variables.availability + ") below recommended " + "99.5%""#
        )
    );
    // Public data that identifies persons is an error under every policy.
    assert_eq!(
        validations[1].message.as_deref(),
        Some("[PRIVACY-006] Personal data is classified as public")
    );
    for state in ["Draft", "Grace"] {
        let rules = json!([{"id": "SEC-001"}]);
        assert_eq!(generated(json!({"state": state, "rules": rules}), Action::Warn), None, "{state}");
    }
    let warnings = json!([{"id": "SEC-003"}]);
    assert_eq!(generated(json!({"state": "Enforced", "rules": warnings}), Action::Warn), None);
}

#[test]
fn a_policy_whose_grace_is_over_is_asked() {
    let policy = policy(json!({"state": "Grace", "graceUntil": "2027-06-30", "rules": [{"id": "SEC-001"}]}));
    let on = |day: &str| {
        let day = Some(day.parse().expect("a day"));
        admission(std::slice::from_ref(&policy), &[], Action::Warn, day).len()
    };
    assert_eq!((on("2027-06-30"), on("2027-07-01")), (0, 1));
}

#[test]
fn the_api_server_tells_what_needs_no_more_than_the_product_and_the_standards() {
    let violation = |policy: &str, id: &str, path: &str| Violation {
        rule: Arc::new(RuleRef { id: id.into(), policy: policy.into(), observed: false }),
        severity: Severity::Error,
        state: Enforcement::Enforced,
        deadline: None,
        exception: None,
        path: path.to_owned().into(),
        message: "".into(),
        remediation: "".into(),
    };
    let cases = [
        (
            "an enforced error",
            violation("GovernancePolicy/core", "SEC-001", "spec.access.classification"),
            true,
        ),
        ("a domain's", violation("DomainPolicy/orders/own", "SEC-001", "spec.access.classification"), false),
        (
            "a rule on the mesh",
            violation("GovernancePolicy/core", "PROD-003", "spec.provisioning.names"),
            false,
        ),
        (
            "a type of storage",
            violation("GovernancePolicy/core", "STD-002", "spec.outputPorts[a].type"),
            true,
        ),
        ("an account", violation("GovernancePolicy/core", "STD-002", ACCOUNT_PATH), false),
    ];
    for (case, violation, expected) in cases {
        assert_eq!(is_told_by_the_api_server(&violation), expected, "{case}");
    }
}

#[test]
fn a_match_becomes_conditions() {
    let selector = json!({"matchLabels": {"tier": "gold"}, "matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]});
    let matches = json!({"domains": ["orders"], "classification": ["public"], "lifecycle": ["Active"], "selector": selector});
    let spec = json!({"state": "Enforced", "match": matches, "rules": [{"id": "SEC-001"}]});
    let spec = generated(spec, Action::Deny).expect("a policy");
    let names = conditions(&spec).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(
        names,
        ["is-not-going", "domain", "classification", "lifecycle", "labels", "is-no-draft", "changes"]
    );
    let constraints = spec.match_constraints.expect("constraints");
    assert!(constraints.object_selector.is_some());
    let garbled = json!({"matchExpressions": [{"key": "a", "operator": "Equals"}]});
    let spec = json!({"state": "Enforced", "match": {"selector": garbled}, "rules": [{"id": "SEC-001"}]});
    assert_eq!(generated(spec, Action::Warn), None, "it selects nothing");
}

#[test]
fn products_of_domains_that_are_known_and_not_enforced_are_not_refused() {
    let domain = |name: &str, enforcement: Enforcement| {
        let mut domain = DataDomain::new(name, crate::api::DataDomainSpec::default());
        domain.spec.enforcement = enforcement;
        domain
    };
    let domains = [domain("orders", Enforcement::Enforced), domain("sales", Enforcement::Grace)];
    let policy = policy(json!({"state": "Enforced", "rules": [{"id": "SEC-001"}]}));
    let of = |action| {
        let generated = admission(std::slice::from_ref(&policy), &domains, action, None);
        generated[0].policy.spec.clone().expect("a spec")
    };
    let refused = of(Action::Deny);
    assert!(conditions(&refused).contains(&("is-enforced", r#"object.spec.domain in ["orders"]"#)));
    // A warning harms nobody.
    assert_eq!(conditions(&of(Action::Warn)).len(), 1);
}

#[test]
fn rules_that_read_the_standards_get_them_as_parameters_and_every_variable_stands_before_its_use() {
    let rules = EXPRESSED.iter().map(|rule| json!({"id": rule.id, "severity": "error"})).collect::<Vec<_>>();
    let policy = policy(json!({"state": "Enforced", "rules": rules}));
    let Admission { policy, binding } =
        admission(&[policy], &[], Action::Audit, None).into_iter().next().expect("a policy");
    let spec = policy.spec.expect("a spec");
    assert_eq!(spec.param_kind.and_then(|kind| kind.kind).as_deref(), Some("PlatformStandards"));
    let binding = binding.spec.expect("a spec");
    assert_eq!(binding.param_ref.and_then(|params| params.name).as_deref(), Some("default"));
    assert_eq!(binding.validation_actions, Some(vec!["Warn".to_owned(), "Audit".to_owned()]));
    let mut before = BTreeSet::new();
    for variable in spec.variables.iter().flatten() {
        for word in variable.expression.split("variables.").skip(1) {
            let name = word.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default();
            assert!(before.contains(name), "{} uses {name}", variable.name);
        }
        before.insert(variable.name.clone());
    }
    assert_eq!(
        before.len(),
        VARIABLES.len() + spec.variables.iter().flatten().filter(|v| v.name.starts_with("found_")).count()
    );
    let texts = serde_json::to_string(&spec.validations).expect("JSON");
    assert!(!texts.contains('@') && !texts.contains('$'), "everything is filled in: {texts}");
}

#[test]
fn written_rules_are_asked_where_the_api_server_knows_all_that_they_name_and_call() {
    let written =
        |id: &str, expression: &str| json!({"id": id, "cel": {"expression": expression, "message": "m"}});
    let spec = json!({
        "state": "Enforced",
        "variables": [
            {"name": "tags", "expression": "object.spec.?tags.orValue([])"},
            {"name": "many", "expression": "variables.tags.size() > 3"},
            {"name": "late", "expression": "period(object.spec.slo.freshness.target)"},
        ],
        "rules": [
            {"id": "TAGS-001", "cel": {"expression": "!variables.many", "messageExpression": "'too many: ' + string(variables.tags.size())"}},
            written("OLD-001", "object.spec.version != oldObject.spec.version"),
            written("LATE-001", "variables.late < duration('1h')"),
            written("DOMAIN-001", "domain.metadata.name == 'a'"),
            {"id": "WARN-001", "severity": "warning", "cel": {"expression": "false", "message": "m"}},
        ],
    });
    let policies = admission(&[policy(spec)], &[], Action::Warn, None);
    assert_eq!(
        policies.iter().map(|it| it.policy.name_any()).collect::<Vec<_>>(),
        ["strict-written.datamesh.io"]
    );
    let spec = policies[0].policy.spec.clone().expect("a spec");
    let variables =
        spec.variables.unwrap_or_default().into_iter().map(|variable| variable.name).collect::<Vec<_>>();
    assert_eq!(variables, ["tags", "many"]);
    let asked = spec.validations.unwrap_or_default();
    let asked = asked.iter().map(|it| (it.message.as_deref().unwrap_or_default(), it.expression.as_str()));
    assert_eq!(
        asked.collect::<Vec<_>>(),
        [
            ("[TAGS-001] broken: !variables.many", "!variables.many"),
            ("[OLD-001] m", "oldObject == null || (object.spec.version != oldObject.spec.version)"),
        ]
    );
}
