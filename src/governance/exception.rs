//! Exceptions: whether one has an effect at an instant, and on which rules.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;

use crate::{
    api::{ExceptionDecision, ExceptionState, PlatformStandardsSpec, PolicyException},
    model::duration::Period,
};

/// Longest life of an exception where the standards say nothing, in days.
const LONGEST_DAYS: i64 = 90;

/// An exception that has an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// Its name.
    pub name: String,
    /// The rules that the product may break.
    pub rules: BTreeSet<String>,
    /// When it ends.
    pub expires: Timestamp,
}

/// Where an exception stands at an instant, what that means, and what it excepts where it has an effect.
pub fn standing(
    exception: &PolicyException,
    standards: &PlatformStandardsSpec,
    now: Timestamp,
) -> (ExceptionState, String, Option<Exception>) {
    let without = |state, message: String| (state, message, None);
    let spec = &exception.spec;
    let expires = spec.expires_at.0;
    let (longest, said) = longest(standards);
    let latest = exception.creation_timestamp().and_then(|created| created.0.checked_add(longest).ok());
    if latest.is_some_and(|latest| expires > latest) {
        let message =
            format!("it would last longer than {said} from its creation; choose an earlier expiresAt");
        return without(ExceptionState::Refused, message);
    }
    if now >= expires {
        return without(
            ExceptionState::Expired,
            format!("it ended at {expires}; ask again where it is still needed"),
        );
    }
    let approval = exception.status.as_ref().and_then(|status| status.approval.as_ref());
    match approval.filter(|approval| Some(approval.generation) == exception.metadata.generation) {
        None => {
            let changed = if approval.is_some() { "; it has changed since the last decision" } else { "" };
            without(ExceptionState::Pending, format!("it waits for an approval in its status{changed}"))
        }
        Some(approval) if approval.decision == ExceptionDecision::Denied => {
            let why = approval.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
            without(ExceptionState::Denied, format!("{} decided against it{why}", approval.by))
        }
        Some(approval) => {
            let effect = Exception {
                name: exception.name_any(),
                rules: spec.policy_ids.iter().cloned().collect(),
                expires,
            };
            (ExceptionState::Active, format!("approved by {}, until {expires}", approval.by), Some(effect))
        }
    }
}

/// The longest life of an exception, and how the standards say it.
fn longest(standards: &PlatformStandardsSpec) -> (SignedDuration, String) {
    let said = standards.limits.as_ref().and_then(|limits| limits.max_exception_duration.as_ref());
    // A length that cannot be read was refused by the schema.
    let read = said.and_then(|said| Some((said.parse::<Period>().ok()?, said)));
    match read {
        Some((period, said)) => (SignedDuration::from_secs(period.seconds()), said.clone()),
        None => (SignedDuration::from_hours(24 * LONGEST_DAYS), format!("{LONGEST_DAYS} days")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn exception(approval: serde_json::Value) -> PolicyException {
        serde_json::from_value(json!({
            "apiVersion": "datamesh.io/v1beta1",
            "kind": "PolicyException",
            "metadata": {"name": "x", "generation": 2, "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"productRef": {"name": "p"}, "policyIds": ["STD-001"], "reason": "moving", "expiresAt": "2026-02-01T00:00:00Z"},
            "status": {"approval": approval},
        }))
        .expect("an exception")
    }

    fn approved(generation: i64) -> serde_json::Value {
        json!({"decision": "Approved", "by": "alice", "generation": generation})
    }

    #[test]
    fn only_what_is_approved_as_it_is_has_an_effect_and_only_until_it_ends() {
        let standards = PlatformStandardsSpec::default();
        let denied = json!({"decision": "Denied", "by": "bob", "generation": 2, "message": "no"});
        let cases = [
            ("approved", approved(2), "2026-01-31T23:59:59Z", ExceptionState::Active, "by alice"),
            ("at its end", approved(2), "2026-02-01T00:00:00Z", ExceptionState::Expired, "ask again"),
            (
                "changed since",
                approved(1),
                "2026-01-02T00:00:00Z",
                ExceptionState::Pending,
                "has changed since",
            ),
            (
                "not decided",
                json!(null),
                "2026-01-02T00:00:00Z",
                ExceptionState::Pending,
                "waits for an approval",
            ),
            ("denied", denied, "2026-01-02T00:00:00Z", ExceptionState::Denied, "bob decided against it: no"),
        ];
        for (case, approval, now, expected, message) in cases {
            let (state, told, effect) = standing(&exception(approval), &standards, at(now));
            assert_eq!(state, expected, "{case}");
            assert!(told.contains(message), "{case}: {told}");
            assert_eq!(effect.is_some(), expected == ExceptionState::Active, "{case}");
        }
    }

    #[test]
    fn the_standards_cap_its_life_whoever_approves_it() {
        let limits = |longest: &str| -> PlatformStandardsSpec {
            let spec = json!({"standards": {}, "limits": {"maxExceptionDuration": longest}});
            serde_json::from_value(spec).expect("standards")
        };
        let state = |standards: &PlatformStandardsSpec| {
            standing(&exception(approved(2)), standards, at("2026-01-02T00:00:00Z")).0
        };
        assert_eq!(state(&limits("31 days")), ExceptionState::Active);
        assert_eq!(state(&limits("30 days")), ExceptionState::Refused);
        let mut long = exception(approved(2));
        long.spec.expires_at.0 = at("2026-04-02T00:00:00Z");
        let (state, told, _) = standing(&long, &PlatformStandardsSpec::default(), at("2026-01-02T00:00:00Z"));
        assert!(state == ExceptionState::Refused && told.contains("90 days"), "{told}");
    }
}
