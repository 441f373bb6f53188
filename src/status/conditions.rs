//! What each condition says, from the decision and from what became of it.

use super::{Facts, reason::Reason};
use crate::{
    api::{
        Enforcement,
        product::Management,
        status::{Severity, SloState},
    },
    model::{
        owner::Claim,
        resource::{Key, Kind},
    },
    plan::{
        Blocker,
        assess::{Assessment, State},
        scope::Scope,
    },
    provider::ErrorKind,
    slo,
};

/// The value of a condition, before it is dated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// `Some(true)` is True, `Some(false)` False, `None` Unknown.
    pub holds: Option<bool>,
    /// Why.
    pub reason: Reason,
    /// Why, for people.
    pub message: String,
}

impl Signal {
    /// The condition holds.
    pub fn yes(message: impl Into<String>) -> Self {
        Self { holds: Some(true), reason: Reason::Succeeded, message: message.into() }
    }

    /// The condition does not hold.
    pub fn no(reason: Reason, message: impl Into<String>) -> Self {
        Self { holds: Some(false), reason, message: message.into() }
    }

    /// It is not known whether the condition holds.
    pub fn unknown(reason: Reason, message: impl Into<String>) -> Self {
        Self { holds: None, reason, message: message.into() }
    }

    /// Whether the condition is proven.
    pub fn is_true(&self) -> bool {
        self.holds == Some(true)
    }
}

/// The namespace belongs to the domain that the spec names, and the domain allows the class.
pub(super) fn domain_bound(facts: &Facts<'_>) -> Signal {
    match &facts.world.scope {
        Err(
            blocker @ (Blocker::NoDomain { .. }
            | Blocker::DomainMismatch { .. }
            | Blocker::AmbiguousDomain { .. }
            | Blocker::ClassNotAllowed { .. }),
        ) => Signal::no(blocker_reason(blocker), blocker.to_string()),
        Err(_) | Ok(_) => Signal::yes(format!(
            "the namespace belongs to domain {}",
            facts.world.declared.product.spec.domain
        )),
    }
}

/// No enforced policy error.
pub(super) fn governance(facts: &Facts<'_>) -> Signal {
    let Some(report) = &facts.report else {
        let why = facts.world.declared.ungoverned();
        return Signal::no(Reason::EvaluationFailed, why.map(|why| why.to_string()).unwrap_or_default());
    };
    let refusal =
        facts.decision.blockers.iter().find(|blocker| matches!(blocker, Blocker::PolicyErrors { .. }));
    let open = report.violations.iter().filter(|violation| violation.exception.is_none());
    let errors = open.filter(|violation| violation.severity == Severity::Error);
    let in_grace =
        errors.filter(|error| error.enforcement(facts.decision.enforcement) == Enforcement::Grace).count();
    match (refusal, report.errors, in_grace) {
        (Some(refusal), ..) => Signal::no(Reason::PolicyErrors, refusal.to_string()),
        (None, 0, _) => Signal::yes(format!("score {}, no policy errors", report.score)),
        (None, errors, 0) => Signal {
            holds: Some(true),
            reason: Reason::NotEnforced,
            message: format!(
                "{errors} policy errors are not enforced for this product; see status.governance"
            ),
        },
        (None, ..) => Signal::no(
            Reason::InGrace,
            format!("{in_grace} policy errors are in grace and stop no change; see status.governance"),
        ),
    }
}

/// A plan exists and may run.
pub(super) fn planned(facts: &Facts<'_>) -> Signal {
    let blockers = &facts.decision.blockers;
    let planning = blockers.iter().find(|blocker| {
        matches!(
            blocker,
            Blocker::AwaitingApproval { .. }
                | Blocker::BadSpec { .. }
                | Blocker::BadName(_)
                | Blocker::NameTaken { .. }
        )
    });
    match (planning, &facts.world.scope) {
        (Some(blocker), _) | (None, Err(blocker)) => Signal::no(blocker_reason(blocker), blocker.to_string()),
        (None, Ok(_)) => Signal::yes("the plan is made"),
    }
}

/// Every resource is in sync, and a fresh observation says so.
pub(super) fn provisioned(facts: &Facts<'_>) -> Signal {
    if let Err(blocker) = &facts.world.scope {
        return Signal::no(blocker_reason(blocker), blocker.to_string());
    }
    let open = facts.after.iter().filter(|assessment| assessment.state != State::InSync).collect::<Vec<_>>();
    if open.is_empty() && !facts.after.is_empty() {
        return Signal::yes(format!("{} resources are in sync", facts.after.len()));
    }
    // The worst first: what somebody must look at hides what the operator works on.
    let worst = open.into_iter().map(|assessment| trouble(facts, assessment)).min_by_key(|(rank, _)| *rank);
    match (facts.decision.blockers.first(), worst) {
        // A loss hides behind nothing, not even behind what holds everything else back.
        (Some(blocker), worst) if worst.as_ref().is_none_or(|(rank, _)| *rank != LOSS) => {
            Signal::no(blocker_reason(blocker), blocker.to_string())
        }
        (_, Some((_, signal))) => signal,
        (_, None) => Signal::unknown(Reason::ProviderUnavailable, "nothing was observed"),
    }
}

/// The rank of lost data: nothing is worse.
const LOSS: u8 = 0;

/// How a resource that is not in sync is reported, with a rank: 0 is the worst.
fn trouble(facts: &Facts<'_>, assessment: &Assessment) -> (u8, Signal) {
    let key = assessment.key();
    if let Some(fault) = facts.failure(key) {
        let rank = if fault.kind.is_transient() { 6 } else { 2 };
        return (rank, Signal::no(fault_reason(fault.kind), fault.message.clone()));
    }
    match &assessment.state {
        State::Lost(last_known) => (
            LOSS,
            Signal::no(
                Reason::ResourceLost,
                format!(
                    "{key} is gone ({last_known}); restore it, or accept the loss with the annotation that its status names"
                ),
            ),
        ),
        State::Foreign(whose) => (
            1,
            Signal::no(
                Reason::NotOwned,
                format!(
                    "{key} exists and is not this product's: {whose}; choose another name with spec.provisioning.names"
                ),
            ),
        ),
        State::Claimable(claim, _) => unclaimed(facts, key, *claim),
        State::PendingDeletion => (
            1,
            Signal::no(Reason::ResourceUnusable, format!("the deletion of {key} is scheduled; cancel it")),
        ),
        State::Disabled => (1, Signal::no(Reason::ResourceUnusable, format!("{key} is disabled; enable it"))),
        State::Unknown(fault) => {
            let rank = if fault.kind.is_transient() { 5 } else { 2 };
            (rank, Signal { holds: None, reason: fault_reason(fault.kind), message: fault.message.clone() })
        }
        State::Differs(delta) => (4, Signal::no(Reason::Drifted, format!("{key} differs: {delta}"))),
        State::Begun(until) => (7, Signal::no(Reason::Creating, begun(key, *until))),
        State::Missing if facts.may_create() => {
            (7, Signal::no(Reason::Creating, format!("{key} is still to be made")))
        }
        State::Missing => (
            3,
            Signal::no(
                Reason::Missing,
                format!("{key} does not exist, and spec.provisioning.management forbids to make it"),
            ),
        ),
        State::Surplus(_) => (7, Signal::no(Reason::Creating, format!("{key} is still to be removed"))),
        State::InSync => (9, Signal::yes("in sync")),
    }
}

/// What is said of a resource whose create was sent and that has not been seen since.
pub(super) fn begun(key: &Key, until: jiff::Timestamp) -> String {
    format!(
        "the create of {key} was sent and nothing of it is to be seen yet; it is looked for until {until:.0}, and then made anew"
    )
}

/// How a resource is reported that could be taken over and is not yet.
fn unclaimed(facts: &Facts<'_>, key: &Key, claim: Claim) -> (u8, Signal) {
    let class_allows = facts.world.scope.as_ref().is_ok_and(Scope::may_adopt);
    let (rank, reason, text) = match (claim, facts.management()) {
        (Claim::Released | Claim::Predecessor, Management::Observe) => (
            1,
            Reason::NotOwned,
            "was left by an earlier product of this name; to take it back set spec.provisioning.management to Manage",
        ),
        (Claim::Released | Claim::Predecessor, Management::Manage | Management::AdoptOnly) => {
            (7, Reason::Creating, "is still to be taken back")
        }
        (_, Management::AdoptOnly) if class_allows => (
            3,
            Reason::Missing,
            "is taken over as soon as what it refers to exists, and spec.provisioning.management forbids to make that",
        ),
        (_, Management::AdoptOnly) => (
            1,
            Reason::NotOwned,
            "exists and carries no mark of this product, and the ProviderClass does not allow to take it over; ask the platform team to set its spec.adoption to Allowed",
        ),
        (_, Management::Manage | Management::Observe) => (
            1,
            Reason::NotOwned,
            "exists and carries no mark of this product; to take it over set spec.provisioning.management to AdoptOnly, and the ProviderClass must allow adoption",
        ),
    };
    (rank, Signal::no(reason, format!("{key} {text}")))
}

/// The grants equal the allowed set.
pub(super) fn access_synced(facts: &Facts<'_>) -> Signal {
    if let Err(blocker) = &facts.world.scope {
        return Signal::unknown(blocker_reason(blocker), blocker.to_string());
    }
    let Some(grants) = facts.after.iter().find(|assessment| assessment.key().kind == Kind::Grant) else {
        return Signal::unknown(Reason::ProviderUnavailable, "the grants were not observed");
    };
    match &grants.state {
        State::InSync => Signal::yes("the grants are as the spec asks"),
        State::Unknown(fault) => Signal::unknown(fault_reason(fault.kind), fault.message.clone()),
        State::Differs(delta) if delta.0.iter().any(|change| change.want.is_none()) => {
            Signal::no(Reason::ExtraGrants, delta.to_string())
        }
        State::Surplus(_) => Signal::no(Reason::ExtraGrants, "grants are still to be revoked"),
        State::Differs(delta) => Signal::no(Reason::MissingGrants, delta.to_string()),
        _ => Signal::no(Reason::MissingGrants, "the grants are not made yet"),
    }
}

/// Every upstream product exists and there is no cycle.
pub(super) fn lineage(facts: &Facts<'_>) -> Signal {
    let neighbours = &facts.world.declared.neighbours;
    if !neighbours.cycle.is_empty() {
        let cycle = neighbours.cycle.iter().map(ToString::to_string).collect::<Vec<_>>();
        return Signal::no(Reason::Cycle, format!("the product reads itself: {}", cycle.join(" -> ")));
    }
    let missing = neighbours.upstreams.iter().filter(|upstream| upstream.found.is_none());
    let missing = missing.map(|upstream| upstream.name.to_string()).collect::<Vec<_>>();
    let beyond = match (neighbours.beyond.len(), &neighbours.horizon) {
        (0, _) | (_, None) => String::new(),
        (count, Some(namespace)) => {
            format!(
                "; {count} more are not seen, because the operator watches the namespace {namespace} alone"
            )
        }
    };
    match (missing.as_slice(), neighbours.upstreams.len()) {
        ([], 0) if beyond.is_empty() => Signal::yes("the product reads no other product"),
        ([], 0) => Signal::yes(format!("no upstream product is known to be missing{beyond}")),
        ([], 1) => Signal::yes(format!("the one upstream product exists{beyond}")),
        ([], several) => Signal::yes(format!("all {several} upstream products exist{beyond}")),
        (missing, _) => {
            let missing = missing.join(", ");
            Signal::no(Reason::UpstreamMissing, format!("upstream products do not exist: {missing}"))
        }
    }
}

/// No objective is breached.
pub(super) fn slos_met(facts: &Facts<'_>) -> Signal {
    let verdicts = &facts.verdicts;
    if verdicts.is_empty() {
        return Signal::unknown(Reason::NoObjectives, "spec.slo promises nothing");
    }
    let breached = verdicts.iter().find(|verdict| verdict.state == SloState::Breached);
    match (breached, slo::worst(verdicts)) {
        (Some(verdict), _) => Signal::no(
            Reason::Breached,
            format!("{} ({}): {}", verdict.objective.as_str(), verdict.target, verdict.message),
        ),
        (None, SloState::Unknown) => {
            let first = verdicts.first().map(|verdict| verdict.message.clone()).unwrap_or_default();
            Signal::unknown(Reason::NoData, first)
        }
        (None, _) => Signal::yes("every measured objective is met"),
    }
}

/// The reason under which a blocker is reported.
pub(super) fn blocker_reason(blocker: &Blocker) -> Reason {
    match blocker {
        Blocker::NoDomain { .. } => Reason::NoDomain,
        Blocker::DomainMismatch { .. } => Reason::DomainMismatch,
        Blocker::AmbiguousDomain { .. } => Reason::Ambiguous,
        Blocker::ClassNotAllowed { .. } => Reason::ClassNotAllowed,
        Blocker::ClassMissing { .. } => Reason::ClassMissing,
        Blocker::NoPlace { .. } => Reason::NoPlace,
        Blocker::ClassChanged { .. } => Reason::ClassChanged,
        Blocker::PlaceChanged { .. } => Reason::PlaceChanged,
        Blocker::NameChanged { .. } => Reason::NameChanged,
        Blocker::ProviderUnusable { transient: true, .. } => Reason::ProviderUnavailable,
        Blocker::ProviderUnusable { transient: false, .. } => Reason::ProviderRejected,
        Blocker::BadName(_) | Blocker::NameTaken { .. } => Reason::NameConflict,
        Blocker::NoStandards | Blocker::NoPolicies => Reason::EvaluationFailed,
        Blocker::PolicyErrors { .. } => Reason::PolicyErrors,
        Blocker::BadSpec { .. } => Reason::PlanFailed,
        Blocker::Unsupported { .. } => Reason::Unsupported,
        Blocker::Suspended => Reason::Suspended,
        Blocker::Draft => Reason::Draft,
        Blocker::AwaitingApproval { .. } => Reason::AwaitingApproval,
    }
}

/// The reason under which a provider's failure is reported.
pub(super) const fn fault_reason(kind: ErrorKind) -> Reason {
    match kind {
        ErrorKind::Denied => Reason::PermissionDenied,
        ErrorKind::Throttled => Reason::Throttled,
        ErrorKind::Conflict => Reason::NotOwned,
        ErrorKind::Unsupported => Reason::Unsupported,
        ErrorKind::Invalid | ErrorKind::Quota | ErrorKind::NotFound => Reason::ProviderRejected,
        ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Unexpected => Reason::ProviderUnavailable,
    }
}
