//! The status of a product that is going, and of one that cannot be read.

use super::{
    ConditionType, MESSAGE_LIMIT, Reason, Signal,
    conditions::{blocker_reason, fault_reason},
    dated::{self, Clock, instant, text},
    handled,
    resources::class_of,
};
use crate::{
    api::{
        CONFIRM_DELETION, DataProductStatus,
        status::{LastError, ResourceState, ResourceStatus},
    },
    plan::{
        Blocker, Outcome, StepResult, Verb, World,
        assess::Fault,
        teardown::{HandsOff, Lock, Teardown},
    },
};
use jiff::Timestamp;
use kube::ResourceExt;

/// What stands between a product and its end.
#[derive(Debug)]
pub enum Release<'a> {
    /// The provider of the product is not known or cannot be used.
    Unreachable(&'a Blocker),
    /// The planner's view of the way down, with what became of its steps.
    Under(&'a Teardown, &'a [Outcome]),
}

/// Summarizes a product that is being deleted and cannot go yet.
pub fn departing(world: &World, release: &Release<'_>) -> DataProductStatus {
    let product = &world.declared.product;
    let mut status = product.status.clone().unwrap_or_default();
    let clock =
        Clock { now: world.declared.now, generation: product.metadata.generation.unwrap_or_default() };
    let (reason, message, stalled) = explain(&product.name_any(), release);

    let abnormal = if stalled { ConditionType::Stalled } else { ConditionType::Reconciling };
    let going = [
        (ConditionType::Ready, Signal::no(reason, message.clone())),
        (abnormal, Signal { holds: Some(true), reason, message }),
    ];
    let mut conditions = dated::conditions(&status.conditions, going.into(), clock);
    // What governance, lineage and service levels said last is not judged any more and goes.
    std::mem::swap(&mut status.conditions, &mut conditions);
    status.observed_generation = Some(clock.generation);
    status.plan = None;
    let mut times = status.times.unwrap_or_default();
    times.deletion_started_at = product.metadata.deletion_timestamp.clone().or(times.deletion_started_at);
    status.times = Some(times);
    status.last_handled_reconcile_at = handled(product).or(status.last_handled_reconcile_at);
    if let Release::Under(_, outcomes) = release {
        for resource in &mut status.resources {
            let outcome = outcomes.iter().find(|outcome| {
                outcome.key.kind.as_str() == resource.kind && outcome.key.name == resource.name
            });
            if let Some(outcome) = outcome {
                let before = resource.state;
                became(resource, outcome);
                if resource.state != before {
                    resource.last_observed_at = Some(instant(clock.now));
                }
            }
        }
    }
    status
}

/// What a step of the way down made of a resource.
fn became(resource: &mut ResourceStatus, outcome: &Outcome) {
    match &outcome.result {
        StepResult::Failed(fault) => {
            let message = text(&fault.message, MESSAGE_LIMIT);
            resource.state = ResourceState::Failed;
            resource.last_error = Some(LastError { class: class_of(fault), message });
        }
        StepResult::Applied if outcome.verb == Verb::Release => resource.state = ResourceState::Released,
        StepResult::Applied | StepResult::InProgress => resource.state = ResourceState::Deleting,
        StepResult::Skipped(_) => {}
    }
}

fn explain(name: &str, release: &Release<'_>) -> (Reason, String, bool) {
    match release {
        Release::Unreachable(blocker @ Blocker::ProviderUnusable { transient: true, .. }) => {
            (blocker_reason(blocker), blocker.to_string(), false)
        }
        Release::Unreachable(blocker) => (
            Reason::DeletionBlocked,
            format!(
                "{blocker}; or set spec.provisioning.deletionPolicy to Retain to let go of what was made"
            ),
            true,
        ),
        Release::Under(teardown, outcomes) => match &teardown.lock {
            Some(Lock::Consumers(consumers)) => (
                Reason::DeletionBlocked,
                format!(
                    "{} products still consume it: {}; they must stop first, or set spec.provisioning.deletionPolicy to Retain",
                    consumers.len(),
                    some_of(consumers)
                ),
                true,
            ),
            Some(Lock::Horizon(namespace)) => (
                Reason::DeletionBlocked,
                format!(
                    "its data would be deleted, and whether somebody outside the namespace {namespace} reads it is not known, \
                     because the operator watches no other; set spec.provisioning.deletionPolicy to Retain, and delete the data yourself"
                ),
                true,
            ),
            Some(Lock::HandsOff(HandsOff::Suspended)) => (
                Reason::DeletionBlocked,
                "spec.suspend is true, so that nothing outside is released or removed; set it to false".to_owned(),
                true,
            ),
            Some(Lock::HandsOff(HandsOff::Observing)) => (
                Reason::DeletionBlocked,
                "spec.provisioning.management is Observe, so that what the product owns is neither released nor removed; set it to Manage".to_owned(),
                true,
            ),
            Some(Lock::Unconfirmed) => (
                Reason::DeletionBlocked,
                format!(
                    "its data would be deleted; confirm with the annotation {CONFIRM_DELETION}: {name}, or set spec.provisioning.deletionPolicy to Retain"
                ),
                true,
            ),
            None => trouble(teardown, outcomes),
        },
    }
}

/// The first of many names, so that the rest of the sentence is not cut off.
fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let more = names.len().saturating_sub(SHOWN);
    let first = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if more == 0 { first } else { format!("{first} and {more} more") }
}

fn trouble(teardown: &Teardown, outcomes: &[Outcome]) -> (Reason, String, bool) {
    let faults =
        outcomes.iter().filter_map(Outcome::fault).chain(teardown.unknown.iter().map(|(_, fault)| fault));
    let worst: Option<&Fault> = faults.min_by_key(|fault| fault.kind.is_transient());
    match worst {
        Some(fault) if fault.kind.is_transient() => (fault_reason(fault.kind), fault.message.clone(), false),
        Some(fault) => (Reason::DeletionBlocked, fault.message.clone(), true),
        None => (Reason::Deleting, "what it owns outside is being removed or released".to_owned(), false),
    }
}

/// Summarizes an object that the operator could not work with: it cannot be decoded, it makes the operator fail, or its
/// visit did not end in time.
pub fn broken(
    old: &DataProductStatus,
    generation: i64,
    now: Timestamp,
    abnormal: ConditionType,
    reason: Reason,
    message: &str,
) -> DataProductStatus {
    let clock = Clock { now, generation };
    let signals = vec![
        (ConditionType::Ready, Signal::no(reason, message)),
        (abnormal, Signal { holds: Some(true), reason, message: message.to_owned() }),
    ];
    let mut status = old.clone();
    status.conditions = dated::conditions(&old.conditions, signals, clock);
    status.observed_generation = Some(generation);
    status
}
