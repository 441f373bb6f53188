//! The one decision: from everything declared and observed to what is to be done and what is to be said.
//!
//! Pure and synchronous; reconciler, command line and tests call the same function.

use kube::ResourceExt;

use crate::{
    api::{
        ACCEPT_LOSS, APPROVE_PLAN, CONFIRM_DELETION, DataProduct, Enforcement,
        product::{Approval, Lifecycle, Management},
        status::ResourceState,
    },
    governance::{Judgement, Report},
    model::resource::{Key, Kind},
    plan::{
        assess::{Assessment, Memory, Wanted, assess_all},
        blocker::Blocker,
        build::{Permissions, build},
        desired,
        judge::{self, judge},
        scope::Scope,
        step::Plan,
        teardown::{Departure, HandsOff, Teardown, teardown},
        world::{Declared, World},
    },
};

/// What is to be done and said about a product that lives.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The judgement that the decision rests on, where there are standards and policies.
    pub judgement: Option<Judgement>,
    /// Whether errors stop change.
    pub enforcement: Enforcement,
    /// What the product wants outside; empty when it has no scope.
    pub wanted: Vec<Wanted>,
    /// Hash of what the product wants.
    pub hash: String,
    /// How each resource is.
    pub assessments: Vec<Assessment>,
    /// What is known of the past of resources that hold data.
    pub memory: Memory,
    /// What to do, and what is held back.
    pub plan: Plan,
    /// Why something is held back, the most important reason first.
    pub blockers: Vec<Blocker>,
}

/// Decides about a product that lives.
pub fn decide(world: &World) -> Decision {
    let declared = &world.declared;
    let enforcement = enforcement(world);
    let memory = remember(declared, world.scope.as_ref().ok());

    let mut blockers = Vec::new();
    let (wanted, assessments) = match &world.scope {
        Err(blocker) => {
            blockers.push(blocker.clone());
            (Vec::new(), Vec::new())
        }
        Ok(scope) => match desired::desired(&declared.product, scope) {
            Err(blocker) => {
                blockers.push(blocker);
                (Vec::new(), Vec::new())
            }
            Ok(wanted) => {
                let assessments = assess_all(&wanted, &world.observations, &memory);
                (wanted, assessments)
            }
        },
    };
    let judgement = judge(world, &wanted, &world.observations, &declared.precedents);
    let report = judgement.as_ref().map(|judgement| &judgement.report);
    let hash = desired::hash(&wanted);
    blockers.extend(holds(declared, report, enforcement, &hash));
    let mut plan = build(&assessments, permissions(world, &blockers, &hash));
    if let Ok(scope) = &world.scope {
        plan.notes = desired::notes(&declared.product, scope);
    }
    if plan.held.is_empty() {
        // An approval that nothing waits for is no reason for anything.
        blockers.retain(|blocker| !matches!(blocker, Blocker::AwaitingApproval { .. }));
    }
    Decision { judgement, enforcement, wanted, hash, assessments, memory, plan, blockers }
}

/// Decides about a product that is being deleted and has a scope.
pub fn decide_teardown(world: &World, scope: &Scope) -> Teardown {
    let declared = &world.declared;
    let annotation = |name: &str| declared.product.annotations().get(name).cloned();
    let departure = Departure {
        owner: scope.owner.clone(),
        name: declared.product.name_any(),
        confirmation: annotation(CONFIRM_DELETION),
        consumers: declared.neighbours.consumers.iter().map(|(name, _)| name.to_string()).collect(),
        horizon: declared.neighbours.horizon.clone(),
        key_window_days: scope.key_window_days(),
        hands_off: hands_off(&declared.product),
        begun: remember(declared, Some(scope)).begun,
    };
    let keys = scope.keys_of(&declared.product).into_iter().collect::<Vec<_>>();
    teardown(&departure, &keys, &world.observations)
}

fn hands_off(product: &DataProduct) -> Option<HandsOff> {
    let suspended = product.spec.suspend == Some(true);
    let observing = management(product) == Management::Observe;
    suspended.then_some(HandsOff::Suspended).or(observing.then_some(HandsOff::Observing))
}

fn management(product: &DataProduct) -> Management {
    let provisioning = product.spec.provisioning.as_ref();
    provisioning.and_then(|provisioning| provisioning.management).unwrap_or_default()
}

/// How strictly the product is judged.
fn enforcement(world: &World) -> Enforcement {
    judge::enforcement(&world.declared.product, world.scope.as_ref().ok().map(Scope::enforcement))
}

/// Everything but a missing scope that holds change back.
fn holds(declared: &Declared, report: Option<&Report>, enforcement: Enforcement, hash: &str) -> Vec<Blocker> {
    let product = &declared.product;
    let spec = &product.spec;
    let provisioning = spec.provisioning.clone().unwrap_or_default();
    let mut holds = Vec::new();
    let draft = spec.lifecycle == Some(Lifecycle::Draft);
    if spec.suspend == Some(true) {
        holds.push(Blocker::Suspended);
    }
    match report {
        None => holds.extend(declared.ungoverned()),
        Some(report) => {
            let mut errors = report.enforced_errors(enforcement);
            if let Some(first) = errors.next() {
                holds.push(Blocker::PolicyErrors {
                    errors: 1 + errors.count(),
                    first: format!("{}: {}", first.rule.id, first.message),
                });
            }
        }
    }
    if let Some((name, holder)) = &declared.neighbours.name_taken {
        holds.push(Blocker::NameTaken { name: name.clone(), holder: holder.to_string() });
    }
    if draft {
        holds.push(Blocker::Draft);
    }
    let approved = product.annotations().get(APPROVE_PLAN).is_some_and(|approved| approved == hash);
    if provisioning.approval == Some(Approval::Manual) && !approved {
        holds.push(Blocker::AwaitingApproval { hash: hash.to_owned() });
    }
    holds
}

fn permissions(world: &World, blockers: &[Blocker], hash: &str) -> Permissions {
    let product = &world.declared.product;
    let Ok(scope) = &world.scope else {
        return Permissions::NONE;
    };
    let may = match management(product) {
        Management::Observe => return Permissions::NONE,
        Management::AdoptOnly => Permissions {
            create: false,
            correct: true,
            take_back: true,
            adopt: scope.may_adopt(),
            remove: true,
        },
        Management::Manage => {
            Permissions { create: true, correct: true, take_back: true, adopt: false, remove: true }
        }
    };
    // Governance stops change and never tears down; what takes access away goes on, unless a person said stop or
    // the names may be somebody else's.
    let stopped = blockers.iter().any(|blocker| {
        matches!(
            blocker,
            Blocker::Suspended
                | Blocker::NameTaken { .. }
                | Blocker::Draft
                | Blocker::AwaitingApproval { .. }
        )
    });
    if stopped {
        Permissions::NONE
    } else if !blockers.is_empty() {
        Permissions { remove: may.remove, ..Permissions::NONE }
    } else {
        let drift_only = !scope.corrects_drift() && was_in_sync(world, hash);
        Permissions { correct: may.correct && !drift_only, ..may }
    }
}

/// Whether the same wishes were already fulfilled once, so that a difference now is drift and not our own debt.
fn was_in_sync(world: &World, hash: &str) -> bool {
    world.declared.product.status.as_ref().is_some_and(|status| {
        let same = status.plan.as_ref().and_then(|plan| plan.hash.as_deref()) == Some(hash);
        let provisioned = status.condition("Provisioned");
        same && provisioned
            .is_some_and(|condition| condition.status == "True" || condition.reason == "Drifted")
    })
}

/// What the status remembers of resources: which existed, whose loss their owner has accepted, which creates are open.
fn remember(declared: &Declared, scope: Option<&Scope>) -> Memory {
    let product = &declared.product;
    let Some(status) = &product.status else {
        return Memory::default();
    };
    let accepted = product.annotations().get(ACCEPT_LOSS);
    let mut memory = Memory::default();
    for resource in &status.resources {
        let Some(kind) = Kind::parse(&resource.kind) else {
            continue;
        };
        let key = Key::new(kind, &resource.name);
        let lost = resource.state == ResourceState::Lost;
        if lost && accepted.is_some() && accepted == loss_token(resource).as_ref() {
            memory.accepted_loss.push(key.clone());
        }
        let begun = resource.last_observed_at.as_ref().filter(|_| resource.state == ResourceState::Creating);
        let until =
            begun.zip(scope).and_then(|(begun, scope)| begun.0.checked_add(scope.lost_create_wait()).ok());
        if let Some(until) = until.filter(|until| declared.now < *until) {
            memory.begun.insert(key.clone(), until);
        }
        if let Some(id) = &resource.id {
            if kind == Kind::EncryptionKey {
                memory.key_ids.insert(key.clone(), id.clone());
            }
            memory.existed.insert(key, format!("it was {id}"));
        }
    }
    memory
}

/// The value of the annotation that accepts the loss of a resource: its name and the instant of the loss, so that a
/// second loss needs a second word.
pub fn loss_token(resource: &crate::api::status::ResourceStatus) -> Option<String> {
    resource.last_observed_at.as_ref().map(|at| format!("{}@{}", resource.name, at.0))
}
