//! What the webhook answers, from what is declared: the operator's own decision in words.

use std::sync::Arc;

use dataproduct_operator::{
    api::DataProduct,
    plan::{Declared, ProductName},
    webhook::answer::{Action, Answer, answer},
};

use crate::world::declared;

const POLICIES: &str = "
apiVersion: datamesh.io/v1
kind: GovernancePolicy
metadata: {name: core}
spec: {state: Enforced, rules: [{id: SEC-001}, {id: LINEAGE-002}, {id: SEC-003}, {id: QUALITY-002, severity: error}]}
---
apiVersion: datamesh.io/v1
kind: GovernancePolicy
metadata: {name: later}
spec: {state: Grace, graceUntil: 2027-06-30, rules: [{id: DOC-001}, {id: DOC-005}, {id: PROD-003}]}
---
apiVersion: datamesh.io/v1
kind: GovernancePolicy
metadata: {name: someday}
spec: {state: Draft, rules: [{id: PROD-001}]}
";

/// The example product on the example platform, changed by the test.
fn product(change: impl FnOnce(&mut DataProduct)) -> Declared {
    let (platform, product) =
        (include_str!("../../examples/platform.yaml"), include_str!("../../examples/customer-360.yaml"));
    let mut declared = declared(&format!("{platform}\n---\n{product}\n---\n{POLICIES}"));
    change(Arc::make_mut(&mut declared.product));
    // Its tests name a column that the schema lacks, which is another case than these.
    let spec = &mut Arc::make_mut(&mut declared.product).spec;
    if let Some(quality) = &mut spec.quality {
        quality.tests.clear();
    }
    declared
}

fn unclassified(declared: &mut DataProduct) {
    if let Some(access) = &mut declared.spec.access {
        access.classification = None;
    }
}

#[test]
fn a_good_product_is_let_in_without_a_word() {
    for action in [Action::Warn, Action::Deny] {
        assert_eq!(answer(product(|_| ()), action, false), Answer::default());
    }
}

#[test]
fn an_error_in_grace_is_told_with_its_day_and_an_info_or_a_draft_is_not() {
    let answer = answer(
        product(|product| {
            product.spec.description = None;
            product.spec.slo = None;
            product.spec.output_ports.clear();
        }),
        Action::Deny,
        false,
    );
    assert_eq!(answer.refusal, None);
    let [said] = answer.warnings.as_slice() else { panic!("{answer:?}") };
    assert!(
        said.starts_with("[DOC-001] Product description missing (stops change from 2027-07-01 on). Add "),
        "{said}"
    );
}

#[test]
fn what_the_api_server_tells_is_not_told_twice_but_stands_in_a_refusal() {
    let told = answer(product(unclassified), Action::Warn, false);
    assert_eq!(told, Answer::default());
    let refused = answer(product(unclassified), Action::Deny, false).refusal.expect("a refusal");
    assert!(
        refused.starts_with("[SEC-001] Data classification not specified. Add classification"),
        "{refused}"
    );
}

#[test]
fn an_enforced_error_that_only_the_operator_can_judge_is_told_or_refused() {
    let circular = || {
        let mut declared = product(|_| ());
        let name = ProductName::of(&*declared.product);
        declared.neighbours.cycle = vec![name.clone(), name];
        declared
    };
    let told = answer(circular(), Action::Warn, false);
    assert!(told.refusal.is_none() && told.warnings[0].starts_with("[LINEAGE-002] The product reads itself"));
    assert!(answer(circular(), Action::Deny, false).refusal.is_some());
    assert_eq!(answer(circular(), Action::Deny, true), told, "what is there already is only told");
}

#[test]
fn a_draft_and_a_product_of_no_domain_are_never_refused_for_a_policy() {
    let draft = product(|product| {
        unclassified(product);
        product.spec.lifecycle = Some(dataproduct_operator::api::product::Lifecycle::Draft);
    });
    assert_eq!(answer(draft, Action::Deny, false).refusal, None);
    let homeless = product(|product| {
        unclassified(product);
        product.metadata.namespace = Some("nowhere".to_owned());
    });
    let told = answer(homeless, Action::Deny, false);
    assert_eq!(told.refusal, None);
    assert!(told.warnings[0].contains("no DataDomain claims namespace nowhere"), "{told:?}");
}

#[test]
fn a_name_that_is_taken_and_the_domain_of_others_are_refused_once_and_in_the_words_of_the_status() {
    let mut taken = product(|_| ());
    let holder = ProductName { namespace: "sales".to_owned(), name: "older".to_owned() };
    taken.neighbours.name_taken = Some(("a-name".to_owned(), holder));
    let told = answer(taken.clone(), Action::Warn, false).warnings;
    let [said] = told.as_slice() else { panic!("{told:?}") };
    assert!(said.contains("the external name a-name belongs to the older product sales/older"), "{said}");
    let refused = answer(taken, Action::Deny, false);
    assert!(refused.refusal.is_some() && refused.warnings.is_empty(), "{refused:?}");
    let elsewhere = product(|product| product.metadata.namespace = Some("orders".to_owned()));
    let refused = answer(elsewhere, Action::Deny, false).refusal.expect("a refusal");
    assert!(refused.contains("namespace orders belongs to domain orders"), "{refused}");
}
