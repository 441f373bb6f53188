//! The planner for the way down: what a product leaves behind, what it takes along, and what forbids it to go.
//!
//! Data is retained unless three locks are open, and even then a bucket that is not empty stays: the backend
//! refuses to remove it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    model::{
        owner::{Claim, DeletionPolicy, Owner},
        resource::{Delta, Desired, Health, Key, Observed, Removal},
    },
    plan::{
        assess::{Fault, Observation, Observations},
        step::{Action, Plan, Step},
    },
    provider::ErrorKind,
};

/// What a departing product says about its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// The mark of the product, with the deletion policy that applies now.
    pub owner: Owner,
    /// Name of the product, which a confirmation must repeat.
    pub name: String,
    /// The text of the confirming annotation, if there is one.
    pub confirmation: Option<String>,
    /// Products that still consume this one, as `namespace/name`, sorted.
    pub consumers: Vec<String>,
    /// The only namespace where consumers are looked for; `None` where it is every one.
    pub horizon: Option<String>,
    /// Days during which a deleted key can be taken back.
    pub key_window_days: i32,
    /// What forbids every change outside, removal and release included.
    pub hands_off: Option<HandsOff>,
    /// Resources whose create was sent and that have not been seen since, with the instant until which they may appear.
    pub begun: BTreeMap<Key, Timestamp>,
}

/// Why nothing outside may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandsOff {
    /// The product is suspended.
    Suspended,
    /// The product only observes.
    Observing,
}

/// The lock that holds a deletion back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lock {
    /// Nothing outside may be changed, and something would have to be.
    HandsOff(HandsOff),
    /// Somebody still reads the data.
    Consumers(Vec<String>),
    /// Whether somebody reads the data is known of this namespace alone.
    Horizon(String),
    /// The confirming annotation is missing or wrong.
    Unconfirmed,
}

/// What deletion looks like now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Teardown {
    /// The steps to take.
    pub plan: Plan,
    /// The lock that is closed, if one is; the plan is then empty.
    pub lock: Option<Lock>,
    /// Resources that could not be read: the finalizer stays.
    pub unknown: Vec<(Key, Fault)>,
}

impl Teardown {
    /// Whether everything is proven gone, released or not ours, so that the object may go.
    pub fn is_complete(&self) -> bool {
        self.plan.is_empty() && self.lock.is_none() && self.unknown.is_empty()
    }
}

/// Plans the way down for the resources of the given keys.
pub fn teardown(departure: &Departure, keys: &[Key], observations: &Observations) -> Teardown {
    let mut steps: Vec<Step> = Vec::new();
    let mut held = Vec::new();
    let mut unknown = Vec::new();
    for key in keys.iter().rev() {
        match observations.get(key) {
            Some(Observation::Present(observed)) => {
                let waits_for = steps.iter().map(|earlier| earlier.key.clone()).collect();
                let step =
                    action(departure, observed).map(|action| Step { key: key.clone(), action, waits_for });
                // Nothing goes before what depends on it is known to be gone: a key must outlive its bucket.
                if unknown.is_empty() { steps.extend(step) } else { held.extend(step) }
            }
            Some(Observation::Absent) => {
                if let Some(until) = departure.begun.get(key) {
                    let message = format!(
                        "{key} was being made and is not to be seen yet; it may still appear until {until:.0}"
                    );
                    unknown.push((key.clone(), Fault::new(ErrorKind::Unavailable, message)));
                }
            }
            Some(Observation::Unknown(fault)) => unknown.push((key.clone(), fault.clone())),
            None => unknown.push((key.clone(), Fault::not_observed(key))),
        }
    }
    let lock = lock(departure, &steps);
    if lock.is_some() {
        held.splice(0..0, std::mem::take(&mut steps));
    }
    let plan = Plan { steps, held, notes: Vec::new() };
    Teardown { plan, lock, unknown }
}

fn action(departure: &Departure, observed: &Observed) -> Option<Action> {
    let key = observed.key.clone();
    let found = observed.owner.clone()?;
    match departure.owner.claim(Some(&found)) {
        Claim::Mine | Claim::Predecessor => {}
        Claim::Released | Claim::Foreign | Claim::Unmarked => return None,
    }
    let both_say_delete =
        departure.owner.deletion == DeletionPolicy::Delete && found.deletion == DeletionPolicy::Delete;
    let action = if key.kind.is_retained() && !both_say_delete {
        let attributes = observed.attributes.clone().without_surplus();
        let desired = Desired { key, owner: found.released(), attributes };
        let delta = Delta::between(&desired, observed);
        Action::Release(desired, delta)
    } else if observed.health == Health::PendingDeletion {
        return None;
    } else {
        Action::Delete(Removal { key, owner: found, key_window_days: departure.key_window_days })
    };
    Some(action)
}

fn lock(departure: &Departure, steps: &[Step]) -> Option<Lock> {
    if let Some(reason) = departure.hands_off.filter(|_| !steps.is_empty()) {
        return Some(Lock::HandsOff(reason));
    }
    let deletes_data =
        steps.iter().any(|step| matches!(step.action, Action::Delete(_)) && step.key.kind.is_retained());
    if !deletes_data {
        None
    } else if !departure.consumers.is_empty() {
        Some(Lock::Consumers(departure.consumers.clone()))
    } else if let Some(namespace) = &departure.horizon {
        Some(Lock::Horizon(namespace.clone()))
    } else if departure.confirmation.as_deref() != Some(departure.name.as_str()) {
        Some(Lock::Unconfirmed)
    } else {
        None
    }
}
