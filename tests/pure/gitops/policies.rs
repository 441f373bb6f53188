//! Policies and exceptions in every state that the operator writes.

use dataproduct_operator::{
    api::{ExceptionState, PlatformStandardsSpec, PolicyException, PolicyFault, PolicyStatus},
    governance::standing,
};
use serde_json::json;

use super::states::{HEALTHY, PROGRESSING, State, UNDECIDED, UNNOTICED, Verdict};
use crate::world::now;

/// Policies: sound, with faults, and not seen yet.
pub(super) fn policies() -> Vec<State> {
    let fault = PolicyFault { rule: "FRESH-001".to_owned(), message: "line 1: no such field".to_owned() };
    let sound = PolicyStatus {
        observed_generation: Some(3),
        evaluated: 4,
        failing: 1,
        violations: 2,
        ..PolicyStatus::default()
    };
    let faulty = PolicyStatus { faults: 1, errors: vec![fault], ..sound.clone() };
    let faultier = PolicyStatus { faults: 70, ..faulty.clone() };
    let new = PolicyStatus { observed_generation: Some(-1), ..PolicyStatus::default() };
    let old = PolicyStatus { observed_generation: Some(2), ..faulty.clone() };
    let cases = [
        ("sound", &sound, HEALTHY, "It judges 4 products, and 1 break it"),
        ("one fault", &faulty, UNNOTICED, "1 rule cannot be evaluated: FRESH-001: line 1: no such field"),
        ("faults", &faultier, UNNOTICED, "70 rules cannot be evaluated: FRESH-001: line 1: no such field"),
        ("new", &new, PROGRESSING, "The operator has not seen it yet"),
        ("changed", &old, PROGRESSING, "The operator has not seen the last change yet"),
    ];
    let of = |kind: &str| {
        let states = cases.iter().map(|(name, status, verdict, message)| State {
            name: format!("{kind} {name}"),
            object: json!({
                "apiVersion": "datamesh.io/v1",
                "kind": kind,
                "metadata": {"name": "freshness", "generation": 3},
                "spec": {"state": "Enforced", "rules": []},
                "status": status,
            }),
            verdict: *verdict,
            message: (*message).to_owned(),
        });
        states.collect::<Vec<_>>()
    };
    ["GovernancePolicy", "DomainPolicy"].into_iter().flat_map(of).collect()
}

/// What must be said of an exception. A new state does not compile until somebody has said it here.
const fn excepted(state: ExceptionState) -> Verdict {
    match state {
        ExceptionState::Pending => UNDECIDED,
        ExceptionState::Active => HEALTHY,
        ExceptionState::Denied | ExceptionState::Expired | ExceptionState::Refused => UNNOTICED,
    }
}

/// Exceptions, as they are judged.
pub(super) fn exceptions() -> Vec<State> {
    let exception = |expires: &str, decision: &str| -> PolicyException {
        let approval = json!({"decision": decision, "by": "alice", "generation": 1});
        let mut exception = json!({
            "apiVersion": "datamesh.io/v1beta1",
            "kind": "PolicyException",
            "metadata": {"name": "x", "namespace": "n", "generation": 1, "creationTimestamp": "2026-11-01T00:00:00Z"},
            "spec": {"productRef": {"name": "p"}, "policyIds": ["STD-001"], "reason": "moving", "expiresAt": expires},
            "status": {"observedGeneration": -1},
        });
        if !decision.is_empty() {
            exception["status"]["approval"] = approval;
        }
        serde_json::from_value(exception).expect("an exception")
    };
    let standards = PlatformStandardsSpec::default();
    let cases = [
        (ExceptionState::Pending, exception("2026-12-01T00:00:00Z", "")),
        (ExceptionState::Active, exception("2026-12-01T00:00:00Z", "Approved")),
        (ExceptionState::Denied, exception("2026-12-01T00:00:00Z", "Denied")),
        (ExceptionState::Expired, exception("2026-11-02T00:00:00Z", "Approved")),
        (ExceptionState::Refused, exception("2028-11-02T00:00:00Z", "Approved")),
    ];
    let judged = cases.into_iter().map(|(expected, mut exception)| {
        let (state, message, _) = standing(&exception, &standards, now());
        assert_eq!(state, expected);
        let status = exception.status.get_or_insert_default();
        (status.observed_generation, status.state, status.message) =
            (Some(1), Some(state), Some(message.clone()));
        State {
            name: format!("PolicyException {state:?}"),
            object: serde_json::to_value(&exception).expect("JSON"),
            verdict: excepted(state),
            message,
        }
    });
    let new = State {
        name: "PolicyException new".to_owned(),
        object: serde_json::to_value(exception("2026-12-01T00:00:00Z", "")).expect("JSON"),
        verdict: PROGRESSING,
        message: "The operator has not seen it yet".to_owned(),
    };
    judged.chain([new]).collect()
}
