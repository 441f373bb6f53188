//! Objects in every state that the operator writes, made by the operator's own code, and what each tool must say of them.

use std::sync::LazyLock;

use dataproduct_operator::status::Reason;
use serde_json::Value;

use super::{
    policies::{exceptions, policies},
    products::products,
};

/// What a reason means where `Ready` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Means {
    /// It is done.
    Done,
    /// The operator works on it.
    Working,
    /// Somebody must act.
    Broken,
    /// The operator works on it, or somebody must act, as the case is.
    Either,
    /// It waits for a person who was asked on purpose.
    Paused,
    /// `Ready` never has it: it stands on other conditions only.
    Elsewhere,
}

/// A new reason does not compile until somebody has said here how tools must show it.
pub(super) const fn means(reason: Reason) -> Means {
    match reason {
        Reason::Ready | Reason::Draft => Means::Done,
        Reason::Creating | Reason::Throttled | Reason::ProviderUnavailable | Reason::Deleting => {
            Means::Working
        }
        Reason::Drifted | Reason::ExtraGrants | Reason::MissingGrants => Means::Either,
        Reason::Suspended | Reason::AwaitingApproval => Means::Paused,
        Reason::NoDomain
        | Reason::DomainMismatch
        | Reason::Ambiguous
        | Reason::ClassNotAllowed
        | Reason::ClassMissing
        | Reason::NoPlace
        | Reason::ClassChanged
        | Reason::PlaceChanged
        | Reason::NameChanged
        | Reason::PolicyErrors
        | Reason::EvaluationFailed
        | Reason::PlanFailed
        | Reason::PermissionDenied
        | Reason::ProviderRejected
        | Reason::Unsupported
        | Reason::NameConflict
        | Reason::NotOwned
        | Reason::ResourceLost
        | Reason::ResourceUnusable
        | Reason::Missing
        | Reason::DeletionBlocked
        | Reason::Undecodable
        | Reason::Quarantined => Means::Broken,
        Reason::Succeeded
        | Reason::InGrace
        | Reason::NotEnforced
        | Reason::NotEvaluated
        | Reason::UpstreamMissing
        | Reason::Cycle
        | Reason::Breached
        | Reason::NoData
        | Reason::NoObjectives => Means::Elsewhere,
    }
}

/// What each tool says of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) argocd: &'static str,
    pub(super) flux: &'static str,
    pub(super) kstatus: &'static str,
}

const fn verdict(argocd: &'static str, flux: &'static str, kstatus: &'static str) -> Verdict {
    Verdict { argocd, flux, kstatus }
}

pub(super) const HEALTHY: Verdict = verdict("Healthy", "Current", "Current");
pub(super) const PROGRESSING: Verdict = verdict("Progressing", "InProgress", "InProgress");
pub(super) const DEGRADED: Verdict = verdict("Degraded", "Failed", "Failed");
/// Waits for a person: kstatus knows no such word, and Flux goes on waiting as Argo CD does.
pub(super) const PAUSED: Verdict = verdict("Suspended", "InProgress", "Failed");
/// Suspended, with nothing to do: there is nothing to wait for.
pub(super) const IDLE: Verdict = verdict("Suspended", "Current", "Current");
/// Faults of policies and exceptions without effect have no condition, so that kstatus does not see them.
pub(super) const UNNOTICED: Verdict = verdict("Degraded", "Failed", "Current");
pub(super) const UNDECIDED: Verdict = verdict("Suspended", "InProgress", "Current");

/// An object and what is said of it.
#[derive(Debug)]
pub(super) struct State {
    pub(super) name: String,
    pub(super) object: Value,
    pub(super) verdict: Verdict,
    /// What Argo CD says beside it.
    pub(super) message: String,
}

/// Every state of every kind.
pub(super) fn states() -> &'static [State] {
    static STATES: LazyLock<Vec<State>> =
        LazyLock::new(|| products().into_iter().chain(policies()).chain(exceptions()).collect());
    &STATES
}

#[test]
fn every_reason_that_ready_can_have_is_among_the_states() {
    let states = states();
    for reason in Reason::ALL {
        let seen = states.iter().any(|state| state.name.ends_with(&format!(": {}", reason.as_str())));
        assert_eq!(seen, means(*reason) != Means::Elsewhere, "{reason:?}");
    }
}
