//! The seam to the outside world: one trait, one error, and the promises that every backend keeps.
//!
//! A backend translates; it decides nothing. Deadlines, retries, rate limits, traces and injected faults are
//! [`layers`] around a backend, never code inside it, and [`registry`] is the only place that knows every backend.

#[cfg(feature = "aws")]
pub mod aws;
pub mod conformance;
mod error;
pub mod layers;
pub mod local;
pub mod registry;

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;

pub use error::{ErrorKind, MESSAGE_LIMIT, Operation, ProviderError};

use crate::model::{
    measurement::{Reading, Subject},
    owner::Owner,
    resource::{Delta, Desired, Key, Kind, Observed, Removal, Sought},
};

/// The kinds of resource that a backend has.
pub type Capabilities = BTreeSet<Kind>;

/// A provider behind its layers, shared by every reconcile of a class.
pub type SharedProvider = Arc<dyn Provider>;

/// A backend: something that keeps buckets, keys, catalog databases, grants and alarms.
///
/// The contract, which `conformance` checks on every backend:
///
/// - Every method may be called again after a crash, a lost answer or a success, and then ends in the same world.
/// - The ownership mark is on a resource from the moment at which the resource exists.
/// - Nothing that carries another mark, or none, is ever changed or removed.
/// - No method retries, sleeps, or waits without bound; the layers do.
#[async_trait]
pub trait Provider: Send + Sync {
    /// The kinds that this backend has. The planner refuses the others before anything is applied.
    fn capabilities(&self) -> Capabilities;

    /// The kinds whose `create` is not repeatable at once: the provider takes no token with it and chooses the identifier
    /// itself, so that a second call may make a second resource while the effect of the first is not known yet. Whoever
    /// calls writes down first that it is about to, and retries only an error that [changed
    /// nothing](ProviderError::changed_nothing).
    fn creates_once(&self) -> Capabilities {
        Capabilities::new()
    }

    /// Reads one resource: its mark, its live attributes and its health.
    ///
    /// `Ok(None)` is a proof of absence. Any doubt (denied, throttled, silent, garbled) is an error.
    async fn observe(&self, sought: &Sought) -> Result<Option<Observed>, ProviderError>;

    /// Makes a resource with its mark and all its attributes.
    ///
    /// "Exists and is ours" is a success and completes what an interrupted create left out. "Exists and is not
    /// ours" is [`ErrorKind::Conflict`]. A key of ours whose deletion is pending is taken back.
    async fn create(&self, desired: &Desired) -> Result<(), ProviderError>;

    /// Brings the attributes that `delta` names, the mark among them, to their desired values.
    ///
    /// Adoption and release are updates of the mark. The mark that is replaced must be the one in `delta`: when
    /// another one is found, the answer is [`ErrorKind::Conflict`]. A missing resource is [`ErrorKind::NotFound`].
    async fn update(&self, desired: &Desired, delta: &Delta) -> Result<(), ProviderError>;

    /// Removes a resource of the given owner. An absent resource is [`Removed::Gone`]; so is a key whose deletion is
    /// scheduled. A bucket that is not empty is [`ErrorKind::Conflict`] and keeps every object.
    async fn delete(&self, removal: &Removal) -> Result<Removed, ProviderError>;

    /// Reads what the backend knows about a product's service levels. Objectives that it cannot measure are left out.
    async fn measure(&self, subject: &Subject) -> Result<Vec<Reading>, ProviderError>;
}

/// A backend that can tell of everything that is marked as ours at its place, for people who look for what is left over. The
/// operator decides nothing by it: what concerns a product is observed resource by resource.
#[async_trait]
pub trait Survey: Send + Sync {
    /// Everything that carries a mark, whosever it is.
    async fn marked(&self) -> Result<Vec<Marked>, ProviderError>;
}

/// Something that carries a mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// Which resource.
    pub key: Key,
    /// The provider's own identifier.
    pub id: String,
    /// The mark.
    pub owner: Owner,
}

/// How far a removal came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// It is gone, or its scheduled end needs nothing more from us.
    Gone,
    /// The provider is still at it; ask again.
    InProgress,
}
