use serde_json::json;

use super::*;
use crate::{
    api::{DataProduct, product::Slo, status::Severity},
    governance::{
        Input, PolicySet,
        fixtures::{input, product},
    },
};

fn declared(value: serde_json::Value) -> Declared {
    serde_json::from_value(value).expect("a policy")
}

/// A policy of one rule, in a state.
fn one(state: &str, rule: serde_json::Value) -> Declared {
    declared(json!({"state": state, "rules": [rule]}))
}

fn set(policies: impl IntoIterator<Item = Policy>) -> PolicySet {
    policies.into_iter().collect()
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

#[test]
fn a_policy_judges_the_products_that_every_part_of_its_match_selects() {
    let labels = [("tier".to_owned(), "gold".to_owned())].into();
    let subject = Subject {
        domain: "orders",
        classification: Some(Classification::Internal),
        lifecycle: Lifecycle::Active,
        labels: &labels,
    };
    let cases = [
        ("no match", json!(null), true),
        ("the domain", json!({"domains": ["orders", "sales"]}), true),
        ("another domain", json!({"domains": ["sales"]}), false),
        ("the class", json!({"classification": ["internal"]}), true),
        ("another class", json!({"classification": ["public"]}), false),
        ("the state", json!({"lifecycle": ["Active"]}), true),
        ("another state", json!({"lifecycle": ["Retired"]}), false),
        ("a label", json!({"selector": {"matchLabels": {"tier": "gold"}}}), true),
        ("another label", json!({"selector": {"matchLabels": {"tier": "lead"}}}), false),
        (
            "a garbled selector",
            json!({"selector": {"matchExpressions": [{"key": "tier", "operator": "Is"}]}}),
            false,
        ),
        ("one part does not", json!({"domains": ["orders"], "lifecycle": ["Draft"]}), false),
    ];
    for (case, matches, expected) in cases {
        let matches: Option<PolicyMatch> = serde_json::from_value(matches).expect("a match");
        let policy = Policy::global("p", &one("Draft", json!({"id": "SEC-001"})), matches.as_ref());
        assert_eq!(policy.judges(&subject), expected, "{case}");
    }
    let unclassified = Subject { classification: None, ..subject };
    let class = PolicyMatch {
        product: ProductMatch { classification: vec![Classification::Public], ..ProductMatch::default() },
        ..PolicyMatch::default()
    };
    let policy = Policy::global("p", &one("Draft", json!({"id": "SEC-001"})), Some(&class));
    assert!(!policy.judges(&unclassified), "what is not classified is in no class");
}

#[test]
fn what_cannot_be_evaluated_is_a_fault_that_says_what_is_allowed() {
    let cases = [
        (json!({"id": "NOPE-001"}), "write cel, or one of the built-in rules SCHEMA-001"),
        (json!({"id": "SLO-001", "parameters": {"maximum": "1%"}}), "its parameters are minimum"),
        (json!({"id": "SEC-001", "parameters": {"x": "y"}}), "has no parameters"),
        (json!({"id": "SLO-001", "parameters": {"minimum": "most"}}), "write for example 99%"),
    ];
    for (rule, expected) in cases {
        let both = declared(json!({"state": "Enforced", "rules": [rule, {"id": "SEC-002"}]}));
        let policy = Policy::global("p", &both, None);
        let [fault] = &policy.faults[..] else { panic!("{:?}", policy.faults) };
        assert!(fault.message.contains(expected), "{}", fault.message);
        let report = set([policy]).evaluate(&input(&product(|_| {})));
        assert_eq!(report.violations.len(), 1, "the other rule goes on");
        assert_eq!(
            report.not_evaluated,
            [both.rules[0].id.as_str().into()],
            "and the product does not count as having passed"
        );
    }
    let mut garbled = one("Grace", json!({"id": "SEC-001"}));
    garbled.grace_until = Some("tomorrow".to_owned());
    assert_eq!(Policy::global("p", &garbled, None).faults[0].rule, "graceUntil");
}

#[test]
fn a_domain_adds_rules_under_its_own_name_and_for_itself_alone() {
    let rules = json!([{"id": "CUSTOMER-001", "builtin": "SLO-001", "parameters": {"minimum": "99.99%"}}, {"id": "SLO-001"}]);
    let rules = declared(json!({"state": "Enforced", "rules": rules}));
    let policy = Policy::of_domain("n", "own", Some("customer"), &rules, None);
    let [fault] = &policy.faults[..] else { panic!("{:?}", policy.faults) };
    assert!(fault.rule == "SLO-001" && fault.message.contains("CUSTOMER-001"), "{fault:?}");
    let report = set([policy]).evaluate(&input(&product(|_| {})));
    let [violation] = &report.violations[..] else { panic!("{:?}", report.violations) };
    assert_eq!((&*violation.rule.id, &*violation.rule.policy), ("CUSTOMER-001", "DomainPolicy/n/own"));
    assert_eq!(violation.message, "Availability SLO (0%) below recommended 99.99%");

    let taken = Policy::of_domain("n", "own", Some("slo"), &rules, None);
    assert!(taken.faults.iter().any(|fault| fault.message.contains("another number")), "{:?}", taken.faults);

    for domain in [Some("sales"), None] {
        let report =
            set([Policy::of_domain("n", "own", domain, &rules, None)]).evaluate(&input(&product(|_| {})));
        assert_eq!(report.violations, [], "{domain:?}");
        assert_eq!(report.policies, [], "{domain:?}");
    }
}

#[test]
fn grace_ends_with_its_last_day() {
    let mut grace = one("Grace", json!({"id": "SEC-001"}));
    grace.grace_until = Some("2026-12-31".to_owned());
    let policies = set([Policy::global("p", &grace, None)]);
    let product = product(|_| {});
    let cases = [
        (None, Enforcement::Grace, Some(day("2027-01-01"))),
        (Some(day("2026-12-31")), Enforcement::Grace, Some(day("2027-01-01"))),
        (Some(day("2027-01-01")), Enforcement::Enforced, None),
    ];
    for (today, state, deadline) in cases {
        let report = policies.evaluate(&Input { today, ..input(&product) });
        assert_eq!(
            (report.violations[0].state, report.violations[0].deadline),
            (state, deadline),
            "{today:?}"
        );
    }
}

#[test]
fn what_two_policies_say_is_one_violation_and_as_strict_as_the_stricter() {
    let policy = |name, state| Policy::global(name, &one(state, json!({"id": "SEC-001"})), None);
    for states in [["Grace", "Enforced"], ["Enforced", "Grace"]] {
        let [first, second] = states;
        let report = set([policy("a", first), policy("b", second)]).evaluate(&input(&product(|_| {})));
        assert_eq!((report.errors, report.violations[0].state), (1, Enforcement::Enforced));
        assert_eq!(report.policies, ["GovernancePolicy/a".into(), "GovernancePolicy/b".into()]);
    }
}

#[test]
fn a_policy_sets_severity_parameters_and_remediation() {
    let rule = json!({"id": "X-001", "builtin": "SLO-001", "severity": "error", "remediation": "Ask us",
        "parameters": {"minimum": "50%"}});
    let policies = set([Policy::global("p", &one("Enforced", rule), None)]);
    let available = |target: &str| -> DataProduct {
        let slo: Slo = serde_json::from_value(json!({"availability": {"target": target}})).expect("a slo");
        product(|spec| spec.slo = Some(slo))
    };
    assert_eq!(policies.evaluate(&input(&available("50%"))).violations, []);
    let report = policies.evaluate(&input(&available("49.9%")));
    let found = &report.violations[0];
    assert_eq!((found.severity, &*found.remediation), (Severity::Error, "Ask us"));
    assert_eq!(report.enforced_errors(Enforcement::Enforced).count(), 1);
}

#[test]
fn the_hash_moves_with_the_policies_that_match_and_with_the_standards() {
    let global = |state| Policy::global("p", &one(state, json!({"id": "SEC-001"})), None);
    let other = || {
        Policy::of_domain(
            "n",
            "p",
            Some("sales"),
            &one("Draft", json!({"id": "SALES-001", "builtin": "SEC-001"})),
            None,
        )
    };
    let product = product(|_| {});
    let hash_of = |policies: PolicySet, input: &Input<'_>| {
        policies.rule_set_hash(&policies.evaluate(input), input.standards)
    };
    let hash = |policies: PolicySet| hash_of(policies, &input(&product));
    let usual = hash(set([global("Draft")]));
    assert_eq!(usual.len(), 32);
    assert_eq!(usual, hash(set([global("Draft"), other()])), "that one judges others");
    assert_ne!(usual, hash(set([global("Grace")])));
    let standards = crate::api::PlatformStandardsSpec::default();
    let others = Input { standards: &standards, ..input(&product) };
    assert_ne!(usual, hash_of(set([global("Draft")]), &others));
}
