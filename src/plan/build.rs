//! From the state of every resource to the ordered steps that bring it to what is wanted.

use crate::{
    model::{
        owner::Claim,
        resource::{Desired, Key, Kind, Removal},
    },
    plan::{
        assess::{Assessment, State, Wanted},
        step::{Action, Plan, Step},
    },
};

/// What a product's settings and its surroundings permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one permission, granted or not, independent of the rest"
)]
pub struct Permissions {
    /// Missing resources may be made.
    pub create: bool,
    /// Differences may be corrected.
    pub correct: bool,
    /// What this product, or an earlier one of its name, let go or left behind may be taken back.
    pub take_back: bool,
    /// Resources without a mark may be taken over.
    pub adopt: bool,
    /// Surplus access (grants, alarm) may be removed.
    pub remove: bool,
}

impl Permissions {
    /// Nothing may change.
    pub const NONE: Self =
        Self { create: false, correct: false, take_back: false, adopt: false, remove: false };
}

/// Builds the plan. A step that is not permitted, or that waits for something unusable, is held.
pub fn build(assessments: &[Assessment], may: Permissions) -> Plan {
    let mut plan = Plan::default();
    for step in surplus(assessments) {
        if may.remove { plan.steps.push(step) } else { plan.held.push(step) }
    }
    for assessment in assessments {
        let Some(action) = wanted_action(assessment, may.adopt) else {
            continue;
        };
        let permitted = match &action {
            Action::Create(_) => may.create,
            // Without a mark it is an action only where it may be taken over.
            Action::Adopt(..) => may.take_back,
            Action::Update(..) | Action::Release(..) | Action::Delete(_) => may.correct,
        };
        let waits_for = dependencies(assessment.key(), assessments);
        let step = Step { key: assessment.key().clone(), action, waits_for };
        if permitted && reachable(&step, assessments, &plan) {
            plan.steps.push(step);
        } else {
            plan.held.push(step);
        }
    }
    plan
}

/// What should not be there goes first and in reverse order, because access goes before anything else changes.
fn surplus(assessments: &[Assessment]) -> impl Iterator<Item = Step> + '_ {
    assessments.iter().rev().filter_map(|assessment| match (&assessment.state, &assessment.wanted) {
        (State::Surplus(found), Wanted::Absent(removal)) => Some(Step {
            key: removal.key.clone(),
            // The mark that was found may be that of an earlier object of the same name.
            action: Action::Delete(Removal { owner: found.clone(), ..removal.clone() }),
            waits_for: Vec::new(),
        }),
        _ => None,
    })
}

fn wanted_action(assessment: &Assessment, may_adopt: bool) -> Option<Action> {
    let Wanted::Present(desired) = &assessment.wanted else {
        return None;
    };
    let desired = Desired::clone(desired);
    match &assessment.state {
        State::Missing => Some(Action::Create(desired)),
        State::Differs(delta) => Some(Action::Update(desired, delta.clone())),
        State::Claimable(Claim::Released | Claim::Predecessor, delta) => {
            Some(Action::Adopt(desired, delta.clone()))
        }
        State::Claimable(_, delta) if may_adopt => Some(Action::Adopt(desired, delta.clone())),
        _ => None,
    }
}

/// The kinds that must be usable before a resource is made or changed: access comes last.
pub const fn needs(kind: Kind) -> &'static [Kind] {
    match kind {
        Kind::EncryptionKey | Kind::FreshnessAlarm => &[],
        Kind::Bucket => &[Kind::EncryptionKey],
        Kind::CatalogDatabase => &[Kind::Bucket],
        Kind::Grant => &[Kind::Bucket, Kind::CatalogDatabase],
    }
}

fn dependencies(key: &Key, assessments: &[Assessment]) -> Vec<Key> {
    assessments
        .iter()
        .filter(|other| matches!(other.wanted, Wanted::Present(_)))
        .map(Assessment::key)
        .filter(|other| needs(key.kind).contains(&other.kind))
        .cloned()
        .collect()
}

/// Whether everything that a step waits for is usable now or will be by an earlier step of the plan.
fn reachable(step: &Step, assessments: &[Assessment], plan: &Plan) -> bool {
    step.waits_for.iter().all(|key| {
        plan.steps.iter().any(|earlier| earlier.key == *key)
            || assessments.iter().any(|other| other.key() == key && other.is_usable())
    })
}
