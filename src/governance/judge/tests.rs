use serde_json::{Value as Json, json};

use crate::{
    api::{DataDomain, DataDomainSpec, DataProduct, Policy as Declared, product::Slo, status::Severity},
    governance::{
        Input, Policy, PolicySet, Precedents, RULES, Report, Subject,
        fixtures::{input, product},
        policies_of,
    },
    model::lineage::{Neighbours, ProductName, Upstream},
};

fn policy(declared: &Json) -> Policy {
    let declared: Declared = serde_json::from_value(declared.clone()).expect("a policy");
    Policy::global("p", &declared, None)
}

/// A policy of one rule that is an expression.
fn rule(cel: Json) -> Policy {
    policy(
        &json!({"state": "Enforced", "rules": [{"id": "X-001", "cel": cel, "parameters": {"team": "data"}}]}),
    )
}

fn report(policy: Policy, input: &Input<'_>) -> Report {
    assert_eq!(policy.faults, [], "{policy:?}");
    PolicySet::from_iter([policy]).evaluate(input)
}

fn named(version: &str) -> DataProduct {
    product(|spec| {
        spec.version = version.to_owned();
        spec.domain = "customer".to_owned();
    })
}

#[test]
fn a_rule_that_does_not_hold_is_a_violation_with_its_own_words() {
    let product = named("2.1.0");
    let cases = [
        (json!({"expression": "object.spec.version.startsWith('2.')", "message": "old"}), None),
        (json!({"expression": "object.spec.version.startsWith('3.')", "message": "old"}), Some("old")),
        (
            json!({
                "expression": "object.spec.domain == params.team",
                "message": "fixed",
                "messageExpression": "'domain ' + object.spec.domain + ' is not ' + params.team",
            }),
            Some("domain customer is not data"),
        ),
        (
            json!({"expression": "false", "message": "fixed", "messageExpression": "object.spec.description"}),
            Some("fixed"),
        ),
        (
            json!({"expression": "object.spec.slo.freshness.target == '1h'", "message": "late"}),
            Some("could not be evaluated: there is no slo; ask has(...) before reading it"),
        ),
    ];
    for (cel, expected) in cases {
        let report = report(rule(cel.clone()), &input(&product));
        let messages = report.violations.iter().map(|violation| &*violation.message).collect::<Vec<_>>();
        assert_eq!(messages, Vec::from_iter(expected), "{cel}");
        assert!(
            report.violations.iter().all(|found| found.severity == Severity::Error && found.path == "spec")
        );
    }
}

#[test]
fn variables_are_shared_by_rules_and_one_without_a_value_fails_only_its_readers() {
    let declared = json!({
        "state": "Grace",
        "variables": [
            {"name": "version", "expression": "object.spec.version"},
            {"name": "major", "expression": "int(variables.version.split('.')[0])"},
            {"name": "target", "expression": "object.spec.slo.freshness.target"},
        ],
        "rules": [
            {"id": "X-001", "cel": {"expression": "variables.major >= 3", "message": "major"}, "severity": "warning"},
            {"id": "X-002", "cel": {"expression": "variables.target == '1h'", "message": "target"}},
            {"id": "X-003", "cel": {"expression": "variables.version == '2.1.0'", "message": "version"}},
        ],
    });
    let product = named("2.1.0");
    let found = report(policy(&declared), &input(&product));
    let found = found.violations.iter().map(|found| (&*found.rule.id, &*found.message)).collect::<Vec<_>>();
    let failed = "could not be evaluated: variable target: there is no slo; ask has(...) before reading it";
    assert_eq!(found, [("X-002", failed), ("X-001", "major")]);
}

#[test]
fn what_is_not_known_is_not_evaluated_and_never_passed() {
    let product = named("1.0.0");
    for (expression, reads) in [
        ("domain.metadata.name == 'x'", "domain"),
        ("upstreams.all(upstream, upstream.found)", "upstreams"),
        ("observed.size() > 0", "observed"),
        ("oldObject.spec.version == object.spec.version", "oldObject"),
        ("now > date('2026-01-01')", "now"),
    ] {
        let found = report(rule(json!({"expression": expression, "message": "m"})), &input(&product));
        assert_eq!(
            (found.violations.len(), found.not_evaluated.as_slice()),
            (0, &["X-001".into()][..]),
            "{reads}"
        );
    }
    let neighbours = Neighbours {
        upstreams: vec![Upstream { name: ProductName::parse("orders", "n"), found: None }],
        ..Neighbours::default()
    };
    let domain = DataDomain::new("customer", DataDomainSpec::default());
    let known = Input {
        neighbours: Some(&neighbours),
        domain: Some(&domain),
        previous: Some(&product),
        today: Some("2026-11-26".parse().expect("a day")),
        observed: Some(&[]),
        ..input(&product)
    };
    for (expression, expected) in [
        ("domain.metadata.name == 'customer'", 0),
        ("upstreams.all(upstream, upstream.found)", 1),
        ("observed.size() > 0", 1),
        ("oldObject.spec.version == object.spec.version", 0),
        ("now > date('2026-11-25') && now < date('2026-11-27')", 0),
        ("standards.quality.required_tests.size() >= 0", 0),
    ] {
        let found = report(rule(json!({"expression": expression, "message": "m"})), &known);
        assert_eq!((found.violations.len(), found.not_evaluated.len()), (expected, 0), "{expression}");
    }
}

#[test]
fn a_fault_names_the_part_the_line_and_the_column() {
    let cases = [
        (
            json!({"expression": "object.spec.\n  vrsion == ''", "message": "m"}),
            "expression 1:12: object.spec has no field vrsion",
        ),
        (
            json!({"expression": "true", "messageExpression": "1 + 1"}),
            "messageExpression 1:1: the expression gives int",
        ),
        (
            json!({"expression": "params.color == ''", "message": "m"}),
            "params has no field color; its fields are team",
        ),
        (json!({"expression": "variables.x", "message": "m"}), "variables has no field x"),
        (json!({"expression": "object.status.ready", "message": "m"}), "object has no field status"),
        (json!({"expression": "true"}), "give it a message"),
    ];
    for (cel, expected) in cases {
        let policy = rule(cel.clone());
        let messages = policy.faults.iter().map(|fault| fault.message.as_str()).collect::<Vec<_>>();
        assert!(matches!(messages[..], [message] if message.contains(expected)), "{cel}: {messages:?}");
        let report = PolicySet::from_iter([policy]).evaluate(&input(&named("1")));
        assert_eq!(report.not_evaluated, ["X-001".into()], "what cannot be evaluated is not passed");
    }
    let both = json!({"state": "Draft", "rules": [{"id": "SEC-001", "builtin": "SEC-001", "cel": {"expression": "true", "message": "m"}}]});
    assert!(policy(&both).faults[0].message.contains("remove builtin or cel"));
}

#[test]
fn the_expressions_of_a_policy_are_bounded_together() {
    let costly = "object.spec.quality.tests.all(test, object.spec.schema.fields.exists(field, field.name == test.type))";
    let rules = (1..=64)
        .map(|number| json!({"id": format!("X-{number}"), "cel": {"expression": costly, "message": "m"}}));
    let policy = policy(&json!({"state": "Draft", "rules": rules.collect::<Vec<_>>()}));
    let kept = 64 - policy.faults.len();
    assert!((1..64).contains(&kept), "{kept}");
    let product = named("1.0.0");
    let cost = |policies: PolicySet| policies.cost(&Subject::of(&product));
    assert!(
        cost([policy.clone()].into_iter().collect()) > 1_000_000,
        "it may take long, and so it is judged beside"
    );
    assert_eq!(cost(policies_of(RULES)), 0, "built-in rules are judged at once");
    assert!(
        policy.faults[0].message.contains("together at most 100000000 is allowed"),
        "{}",
        policy.faults[0].message
    );
}

#[test]
fn only_policies_that_read_what_has_changed_are_evaluated_again() {
    let on = |name: &str, expression: &str| {
        let rule = json!({"id": "X-001", "cel": {"expression": expression, "message": "m"}});
        let declared: Declared =
            serde_json::from_value(json!({"state": "Draft", "rules": [rule]})).expect("a policy");
        Policy::global(name, &declared, None)
    };
    let policies = PolicySet::from_iter([
        on("version", "object.spec.version != ''"),
        on("slo", "has(object.spec.slo)"),
        on("all", "object.spec.size() > 0"),
        policy(&json!({"state": "Draft", "rules": [{"id": "SEC-001"}, {"id": "SLO-002"}]})),
    ]);
    let product = named("1.0.0");
    let first = policies.judge(&input(&product), &Precedents::default());
    assert_eq!(first.evaluated, 4);
    let again = policies.judge(&input(&product), &first.precedents);
    assert_eq!((again.evaluated, &again.report), (0, &first.report));
    let mut newer = product.clone();
    newer.spec.version = "1.1.0".to_owned();
    assert_eq!(policies.judge(&input(&newer), &first.precedents).evaluated, 2, "version and all");
    let mut promised = product.clone();
    promised.spec.slo = Some(Slo::default());
    let after = policies.judge(&input(&promised), &first.precedents);
    assert_eq!(after.evaluated, 3, "slo, all and the built-in rules");
    assert_eq!(after.report, policies.evaluate(&input(&promised)), "the answer is that of a new evaluation");
}

#[test]
fn who_reads_all_variables_or_one_by_its_text_reads_what_they_read() {
    for expression in [
        "variables == {'version': '1'}",
        "variables['version'] == '1'",
        "variables.?version.orValue('') == '1'",
    ] {
        let policy = policy(&json!({
            "state": "Draft",
            "variables": [{"name": "version", "expression": "object.spec.version"}],
            "rules": [{"id": "X-001", "cel": {"expression": expression, "message": "m"}}],
        }));
        assert_eq!(policy.faults, [], "{expression}");
        let policies = PolicySet::from_iter([policy]);
        let first = policies.judge(&input(&named("1")), &Precedents::default());
        assert_eq!(first.report.violations.len(), 0, "{expression}");
        let after = policies.judge(&input(&named("2")), &first.precedents);
        assert_eq!((after.evaluated, after.report.violations.len()), (1, 1), "{expression}");
    }
}
