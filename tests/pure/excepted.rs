//! Exceptions: what an approved one changes, and that it ends with its instant.

use std::sync::Arc;

use dataproduct_operator::{
    api::{
        DataProductStatus,
        product::Classification,
        status::{ReportResult, Violation},
    },
    plan::{Blocker, decide},
    webhook::answer::{Action, answer},
};
use jiff::Timestamp;

use crate::{
    outside::Outside,
    visit::{Luck, visit},
    world::{declared, world},
};

const EXPIRES: &str = "2026-12-24T12:00:00Z";

/// The example product without a classification, and an exception for that, on an instant.
fn unclassified(approval: &str, now: &str) -> dataproduct_operator::plan::Declared {
    let product = include_str!("../../examples/customer-360.yaml");
    let product = product.replace("    classification: confidential\n", "");
    let platform = include_str!("../../examples/platform.yaml");
    let exception = format!(
        "apiVersion: datamesh.io/v1beta1
kind: PolicyException
metadata: {{name: moving, namespace: customer, generation: 1, creationTimestamp: 2026-11-01T00:00:00Z}}
spec: {{productRef: {{name: customer-360}}, policyIds: [SEC-001], reason: It moves, expiresAt: {EXPIRES}}}
status: {{approval: {approval}}}
"
    );
    let mut declared = declared(&format!("{platform}\n---\n{product}\n---\n{exception}"));
    declared.now = now.parse::<Timestamp>().expect("an instant");
    declared
}

const APPROVED: &str = "{decision: Approved, by: alice, generation: 1}";

#[test]
fn an_approved_exception_lifts_what_stops_change_until_its_instant() {
    let stops = |approval: &str, now: &str| {
        let decision = decide(&world(unclassified(approval, now), [].into()));
        decision.blockers.iter().any(|blocker| matches!(blocker, Blocker::PolicyErrors { .. }))
    };
    assert!(stops("null", "2026-11-24T12:00:00Z"), "nobody approved it");
    assert!(stops("{decision: Denied, by: bob, generation: 1}", "2026-11-24T12:00:00Z"));
    assert!(!stops(APPROVED, "2026-11-24T12:00:00Z"));
    assert!(!stops(APPROVED, "2026-12-24T11:59:59.999Z"));
    assert!(stops(APPROVED, EXPIRES), "it ends at its instant");
}

#[test]
fn the_webhook_lets_in_what_an_exception_covers_until_its_instant() {
    let refuses = |approval: &str, now: &str| {
        let answered = answer(unclassified(approval, now), Action::Deny, false);
        answered.refusal.is_some_and(|reasons| reasons.contains("SEC-001"))
    };
    assert!(refuses("null", "2026-11-24T12:00:00Z"), "nobody approved it");
    assert!(!refuses(APPROVED, "2026-12-24T11:59:59.999Z"));
    assert!(refuses(APPROVED, EXPIRES), "it ends at its instant");
}

#[test]
fn an_excepted_error_in_grace_is_no_error_in_grace() {
    let excepted = |rules: &str| {
        let mut declared = unclassified(APPROVED, "2026-11-24T12:00:00Z");
        let exception = Arc::make_mut(&mut declared.exceptions[0]);
        exception.spec.policy_ids = rules.split(' ').map(str::to_owned).collect();
        // The team is gone, which is an error in grace.
        let product = Arc::make_mut(&mut declared.product);
        product.spec.owner = None;
        product.spec.access.get_or_insert_default().classification = Some(Classification::Restricted);
        for domain in &mut declared.domains {
            Arc::make_mut(domain).spec.owner = None;
        }
        let (status, _) = visit(declared, &mut Outside::default(), Luck::Good, 0);
        status.condition("GovernanceCompliant").map(|it| it.reason.clone())
    };
    assert_eq!(excepted("SEC-001").as_deref(), Some("InGrace"));
    assert_eq!(excepted("DOC-002").as_deref(), Some("Succeeded"));
}

#[test]
fn the_status_shows_the_exception_and_the_score_with_and_without_it() {
    let mut outside = Outside::default();
    let (status, _) = visit(unclassified(APPROVED, "2026-11-24T12:00:00Z"), &mut outside, Luck::Good, 0);
    let governance = status.governance.clone().expect("a judgement");
    let scores = (governance.score, governance.score_without_exceptions);
    assert_eq!(scores, (Some(92), Some(82)), "the four warnings of the example, and the error beside them");
    assert_eq!((governance.errors, governance.excepted, governance.result), (0, 1, Some(ReportResult::Warn)));
    let of = |violation: &&Violation| violation.id == "SEC-001";
    let excepted = governance.violations.iter().find(of).expect("it is still listed");
    assert_eq!(excepted.exception_ref.as_deref(), Some("PolicyException/moving"));
    assert_eq!(excepted.deadline.as_ref().map(|at| at.0.to_string()).as_deref(), Some(EXPIRES));

    let compliant = |status: &DataProductStatus| {
        status.condition("GovernanceCompliant").map(|it| (it.status.clone(), it.reason.clone()))
    };
    assert_eq!(compliant(&status), Some(("True".to_owned(), "Succeeded".to_owned())));

    let (later, _) = visit(unclassified(APPROVED, EXPIRES), &mut outside, Luck::Good, 0);
    let governance = later.governance.expect("a judgement");
    assert_eq!(
        (governance.score, governance.score_without_exceptions, governance.excepted),
        (Some(82), None, 0)
    );
}
