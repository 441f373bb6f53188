//! From everything known to the status: pure, quiet, bounded. What is said here is all that anybody learns.
//!
//! Invariants, checked in the tests by their numbers: (1) `Reconciling` and `Stalled` are never both present;
//! (2) `Ready` is never True while a resource is not in sync; (3) every condition carries the observed generation;
//! (4) a transition time moves only when the status flips; (5) lists are bounded, totals true, and the whole is small;
//! (6) summarizing twice gives the same status.

mod cap;
mod conditions;
mod dated;
mod departure;
mod intent;
pub mod open_report;
mod reason;
mod resources;
mod sections;

use jiff::Timestamp;
use kube::ResourceExt;

pub use cap::SIZE_LIMIT;
pub use conditions::Signal;
pub use departure::{Release, broken, departing};
pub use intent::intending;
pub use reason::{ConditionType, EventReason, Reason};

use crate::{
    api::{
        DataProduct, DataProductStatus, RECONCILE_AT,
        product::{Lifecycle, Management},
        status::Times,
    },
    governance::Report,
    model::resource::Key,
    plan::{
        Decision, Outcome, World,
        assess::{Assessment, Fault, State},
    },
    slo::Verdict,
};
use dated::{Clock, text};

/// Longest message in a status, in characters.
pub const MESSAGE_LIMIT: usize = 1024;
/// Longest value beside messages, in characters.
const VALUE_LIMIT: usize = 512;

/// Everything that a status is made of.
#[derive(Debug)]
pub struct Facts<'a> {
    /// What was declared and observed.
    pub world: &'a World,
    /// What was decided.
    pub decision: &'a Decision,
    /// What became of it.
    pub outcomes: &'a [Outcome],
    /// The judgement to show: by what was observed after the steps, where the standards exist.
    pub report: Option<Report>,
    /// How each resource is after the steps, from a fresh observation of everything that was touched.
    pub after: Vec<Assessment>,
    /// The service levels, as measured after the steps.
    pub verdicts: Vec<Verdict>,
}

impl Facts<'_> {
    /// The failure of the step on a resource.
    fn failure(&self, key: &Key) -> Option<&Fault> {
        self.outcomes.iter().find(|outcome| outcome.key == *key).and_then(Outcome::fault)
    }

    fn management(&self) -> Management {
        let provisioning = self.world.declared.product.spec.provisioning.as_ref();
        provisioning.and_then(|provisioning| provisioning.management).unwrap_or_default()
    }

    /// Whether missing resources may be made at all.
    fn may_create(&self) -> bool {
        self.management() == Management::Manage
    }

    /// Whether a resource that differs will be corrected by a later visit.
    fn will_correct(&self, key: &Key) -> bool {
        self.decision.plan.steps.iter().any(|step| step.key == *key)
    }
}

/// Summarizes a product that lives.
pub fn summarize(facts: &Facts<'_>) -> DataProductStatus {
    let product = &facts.world.declared.product;
    let old = product.status.clone().unwrap_or_default();
    let clock =
        Clock { now: facts.world.declared.now, generation: product.metadata.generation.unwrap_or_default() };
    let signals = signals(facts);
    let ready = signals.iter().any(|(type_, signal)| *type_ == ConditionType::Ready && signal.is_true());
    cap::capped(DataProductStatus {
        observed_generation: Some(clock.generation),
        conditions: dated::conditions(&old.conditions, signals, clock),
        last_handled_reconcile_at: handled(product),
        domain: sections::domain(facts, &old),
        governance: sections::governance(facts, &old, clock),
        contract: None,
        plan: resources::plan(facts, clock),
        resources: resources::resources(facts, &old, clock),
        outputs: resources::outputs(facts, &old),
        endpoints: resources::endpoints(facts),
        slo: sections::slo(facts, &old, clock),
        quality: None,
        lineage: Some(sections::lineage(facts)),
        access: sections::access(facts),
        times: times(old.times, ready, clock.now),
    })
}

/// The request for a visit that this status answers.
fn handled(product: &DataProduct) -> Option<String> {
    Some(text(product.annotations().get(RECONCILE_AT)?, 256))
}

fn times(old: Option<Times>, ready: bool, now: Timestamp) -> Option<Times> {
    let mut times = old.unwrap_or_default();
    if ready && times.first_ready_at.is_none() {
        times.first_ready_at = Some(dated::instant(now));
    }
    (times != Times::default()).then_some(times)
}

/// Every condition of a product that lives, in the order of their types.
fn signals(facts: &Facts<'_>) -> Vec<(ConditionType, Signal)> {
    let domain = conditions::domain_bound(facts);
    let governance = conditions::governance(facts);
    let planned = conditions::planned(facts);
    let provisioned = conditions::provisioned(facts);
    let access = conditions::access_synced(facts);

    let ready = ready(facts, &[&domain, &governance, &planned, &provisioned, &access]);
    let mut signals = abnormal(facts, &ready).map_or_else(Vec::new, |signal| vec![signal]);
    signals.push((ConditionType::Ready, ready));
    signals.extend([
        (ConditionType::DomainBound, domain),
        (ConditionType::GovernanceCompliant, governance),
        (
            ConditionType::ContractCompatible,
            Signal::unknown(
                Reason::NotEvaluated,
                "this release keeps no contract history, so no change is compared",
            ),
        ),
        (ConditionType::Planned, planned),
        (ConditionType::Provisioned, provisioned),
        (ConditionType::AccessSynced, access),
        (ConditionType::LineageResolved, conditions::lineage(facts)),
        (ConditionType::SLOsMet, conditions::slos_met(facts)),
    ]);
    signals.sort_by_key(|(type_, _)| *type_);
    signals
}

/// The platform's answer: did it do what the spec asks?
fn ready(facts: &Facts<'_>, parts: &[&Signal]) -> Signal {
    let spec = &facts.world.declared.product.spec;
    let [domain, ..] = parts else {
        return Signal::unknown(Reason::NotEvaluated, "nothing was evaluated");
    };
    if spec.lifecycle == Some(Lifecycle::Draft) && domain.is_true() && facts.report.is_some() {
        // A draft asks for a judgement only, and has it.
        return Signal {
            holds: Some(true),
            reason: Reason::Draft,
            message: "the product is judged; it is provisioned once spec.lifecycle is Active".to_owned(),
        };
    }
    let gating = parts.iter().find(|signal| !signal.is_true() && signal.reason != Reason::InGrace);
    match gating {
        Some(signal) => Signal { holds: signal.holds, ..(*signal).clone() },
        None => Signal {
            holds: Some(true),
            reason: Reason::Ready,
            message: "everything that the spec asks for is done".to_owned(),
        },
    }
}

/// `Reconciling` while the operator works on it, `Stalled` while somebody else must; neither when it is ready.
fn abnormal(facts: &Facts<'_>, ready: &Signal) -> Option<(ConditionType, Signal)> {
    if ready.is_true() {
        return None;
    }
    let works_on_it = match ready.reason {
        Reason::Throttled | Reason::ProviderUnavailable | Reason::Creating => true,
        Reason::Drifted | Reason::ExtraGrants | Reason::MissingGrants => facts
            .after
            .iter()
            .filter(|assessment| assessment.state != State::InSync)
            .all(|assessment| facts.will_correct(assessment.key())),
        _ => false,
    };
    let type_ = if works_on_it { ConditionType::Reconciling } else { ConditionType::Stalled };
    Some((type_, Signal { holds: Some(true), reason: ready.reason, message: ready.message.clone() }))
}
