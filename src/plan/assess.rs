//! Compares what is wanted with what was observed, one resource at a time.
//!
//! This file decides what state a resource is in; what follows from the state is decided by the planner.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    model::{
        owner::{Claim, Owner},
        resource::{Delta, Desired, Health, Key, Observed, Removal},
    },
    plan::{Outcome, StepResult, Verb},
    provider::{ErrorKind, ProviderError},
};

/// What a product wants of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// It should be there, like this.
    Present(Box<Desired>),
    /// It should not be there (any more).
    Absent(Removal),
}

impl Wanted {
    /// Which resource.
    pub const fn key(&self) -> &Key {
        match self {
            Self::Present(desired) => &desired.key,
            Self::Absent(removal) => &removal.key,
        }
    }
}

/// What a read said about one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// Proven absent.
    Absent,
    /// There.
    Present(Box<Observed>),
    /// The read failed: nothing is known, so nothing is created and nothing removed.
    Unknown(Fault),
}

/// Observations by resource.
pub type Observations = BTreeMap<Key, Observation>;

/// A failure as a value: what status and schedule need to know of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What kind of failure.
    pub kind: ErrorKind,
    /// The text for the user, with operation and resource.
    pub message: String,
    /// Whether it is certain that nothing was changed.
    pub changed_nothing: bool,
}

impl Fault {
    /// A failure of which nothing more is known.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), changed_nothing: false }
    }

    /// The failure of a resource that nobody looked at.
    pub fn not_observed(key: &Key) -> Self {
        Self::new(ErrorKind::Unexpected, format!("{key} was not observed"))
    }
}

impl From<&ProviderError> for Fault {
    fn from(error: &ProviderError) -> Self {
        Self { changed_nothing: error.changed_nothing, ..Self::new(error.kind, error.to_string()) }
    }
}

impl From<Result<Option<Observed>, ProviderError>> for Observation {
    fn from(read: Result<Option<Observed>, ProviderError>) -> Self {
        match read {
            Ok(Some(observed)) => Self::Present(Box::new(observed)),
            Ok(None) => Self::Absent,
            Err(error) => Self::Unknown(Fault::from(&error)),
        }
    }
}

/// What the status knows of the past of resources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// What was last known of a resource that existed: its identifier, and what it held.
    pub existed: BTreeMap<Key, String>,
    /// The identifiers of keys that existed. The name of a key may be led to another one; its identifier cannot.
    pub key_ids: BTreeMap<Key, String>,
    /// Resources whose loss the owner has accepted.
    pub accepted_loss: Vec<Key>,
    /// Resources whose create was sent and that have not been seen since, with the instant until which they may appear.
    pub begun: BTreeMap<Key, Timestamp>,
}

impl Memory {
    /// What is known after some steps: a create that certainly changed nothing is no longer under way. One that was
    /// confirmed still is until it shows, because a provider may be some seconds behind itself.
    #[must_use]
    pub fn after(mut self, outcomes: &[Outcome]) -> Self {
        for outcome in outcomes {
            let nothing = match &outcome.result {
                StepResult::Skipped(_) => true,
                StepResult::Failed(fault) => fault.changed_nothing,
                StepResult::Applied | StepResult::InProgress => false,
            };
            if nothing && outcome.verb == Verb::Create {
                self.begun.remove(&outcome.key);
            }
        }
        self
    }
}

/// The state of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is as wanted, or absent and not wanted.
    InSync,
    /// It is wanted and proven absent.
    Missing,
    /// It is wanted and not found, and a create of it was sent that may still show before this instant.
    Begun(Timestamp),
    /// It is ours and differs.
    Differs(Delta),
    /// It is not marked as ours, but was ours once, or may be adopted when the class allows it.
    Claimable(Claim, Delta),
    /// It belongs to somebody else.
    Foreign(String),
    /// It is ours, by the mark that was found, and not wanted.
    Surplus(Owner),
    /// It existed, held data, and is gone.
    Lost(String),
    /// It is ours and its deletion is scheduled.
    PendingDeletion,
    /// It is ours and switched off.
    Disabled,
    /// It could not be read.
    Unknown(Fault),
}

/// One resource, what is wanted of it, and how it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// What is wanted.
    pub wanted: Wanted,
    /// The provider's identifier, when it exists and is this product's own.
    pub id: Option<String>,
    /// How it is.
    pub state: State,
}

impl Assessment {
    /// Which resource.
    pub const fn key(&self) -> &Key {
        self.wanted.key()
    }

    /// Whether others may refer to it: it is there, ours and usable, even when an attribute differs.
    pub const fn is_usable(&self) -> bool {
        matches!(self.state, State::InSync | State::Differs(_))
    }
}

/// Assesses every wanted resource. One that was not observed counts as unknown.
pub fn assess_all(wanted: &[Wanted], observations: &Observations, memory: &Memory) -> Vec<Assessment> {
    wanted.iter().map(|wanted| assess(wanted, observations.get(wanted.key()), memory)).collect()
}

fn assess(wanted: &Wanted, observation: Option<&Observation>, memory: &Memory) -> Assessment {
    let (id, state) = match (observation, wanted) {
        (None, _) => (None, State::Unknown(Fault::not_observed(wanted.key()))),
        (Some(Observation::Unknown(fault)), _) => (None, State::Unknown(fault.clone())),
        (Some(Observation::Absent), Wanted::Absent(_)) => (None, State::InSync),
        (Some(Observation::Absent), Wanted::Present(desired)) => (None, absent(&desired.key, memory)),
        (Some(Observation::Present(observed)), Wanted::Absent(removal)) => {
            (own_id(&removal.owner, observed), unwanted(removal, observed))
        }
        (Some(Observation::Present(observed)), Wanted::Present(desired)) => {
            (own_id(&desired.owner, observed), present(desired, observed, memory))
        }
    };
    // What is lost keeps the identifier under which it is known: what stands in its place is not it.
    let id = id.filter(|_| !matches!(state, State::Lost(_)));
    Assessment { wanted: wanted.clone(), id, state }
}

/// The identifier of what is this product's own. What belongs to others is never remembered, or its end would look like
/// a loss of ours.
fn own_id(owner: &Owner, observed: &Observed) -> Option<String> {
    owner.claim(observed.owner.as_ref()).is_own().then(|| observed.id.clone())
}

fn absent(key: &Key, memory: &Memory) -> State {
    if let Some(until) = memory.begun.get(key) {
        return State::Begun(*until);
    }
    match memory.existed.get(key) {
        Some(last_known) if key.kind.holds_data() && !memory.accepted_loss.contains(key) => {
            State::Lost(last_known.clone())
        }
        _ => State::Missing,
    }
}

fn unwanted(removal: &Removal, observed: &Observed) -> State {
    match (removal.owner.claim(observed.owner.as_ref()), &observed.owner) {
        (Claim::Mine | Claim::Predecessor, Some(found)) if observed.health != Health::PendingDeletion => {
            State::Surplus(found.clone())
        }
        _ => State::InSync,
    }
}

fn present(desired: &Desired, observed: &Observed, memory: &Memory) -> State {
    let claim = desired.owner.claim(observed.owner.as_ref());
    let delta = Delta::between(desired, observed);
    if let (Claim::Mine | Claim::Predecessor, Some(before)) = (claim, replaced(desired, observed, memory)) {
        return State::Lost(format!("it was {before}; its name leads to {} now", observed.id));
    }
    match (claim, &observed.health) {
        (Claim::Foreign, _) => State::Foreign(whose(observed)),
        (Claim::Mine | Claim::Predecessor | Claim::Released, Health::Lost { last_known }) => {
            if memory.accepted_loss.contains(&desired.key) {
                State::Missing
            } else {
                State::Lost(last_known.clone())
            }
        }
        (Claim::Released | Claim::Predecessor | Claim::Unmarked, Health::Live) => {
            State::Claimable(claim, delta)
        }
        // The product is back while its key waits for its end: by contract, create takes the key back.
        (Claim::Released | Claim::Predecessor, Health::PendingDeletion)
        | (Claim::Unmarked, Health::Lost { .. }) => State::Missing,
        (_, Health::PendingDeletion) => State::PendingDeletion,
        (_, Health::Disabled) => State::Disabled,
        (Claim::Mine, Health::Live) if delta.is_empty() => State::InSync,
        (Claim::Mine, Health::Live) => State::Differs(delta),
    }
}

/// The key that stood here before another one took its name. What the first one has encrypted needs it, so that the second
/// is no replacement unless the owner says so.
fn replaced<'a>(desired: &Desired, observed: &Observed, memory: &'a Memory) -> Option<&'a String> {
    let before = memory.key_ids.get(&desired.key).filter(|before| **before != observed.id)?;
    (!memory.accepted_loss.contains(&desired.key)).then_some(before)
}

fn whose(observed: &Observed) -> String {
    observed.owner.as_ref().map_or_else(
        || "it carries no ownership mark".to_owned(),
        |owner| format!("it belongs to {} of cluster {}", owner.product, owner.cluster),
    )
}
