//! What was seen of each resource, and the listings that tell in bulk whether it is still so.
//!
//! A full look costs several calls for each resource; an account has thousands. So at a regular visit, where nothing is
//! expected to have changed, the backend answers with what its last full look found, as long as the listings of the account
//! show the resource with the same tags and the same definition. Whatever differs, or was not looked at for too long, is
//! looked at in full. Nothing is ever changed on the strength of a listing: before a change everything is read again.

use std::{
    collections::BTreeMap,
    future::Future,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::Failure;
use crate::model::resource::{Key, Observed};

/// How old a listing may be.
pub(super) const LISTING_AGE: Duration = Duration::from_mins(5);
/// Time between two full looks, when the class does not say.
pub(super) const FULL_LOOK: Duration = Duration::from_hours(12);

/// The time since some instant. Tests turn it by hand.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Duration + Send + Sync>);

impl Clock {
    /// A clock that reads the time in this way.
    pub fn of(read: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    pub(super) fn now(&self) -> Duration {
        (self.0)()
    }
}

impl Default for Clock {
    fn default() -> Self {
        let start = Instant::now();
        Self::of(move || start.elapsed())
    }
}

/// A listing of an account, read again when it is too old. Who asks while it is being read waits for it.
pub(super) struct Listing<T>(tokio::sync::Mutex<Option<(Duration, Arc<T>)>>);

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self(tokio::sync::Mutex::new(None))
    }
}

impl<T> Listing<T> {
    pub(super) async fn fresh(
        &self,
        clock: &Clock,
        read: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<Arc<T>, Failure> {
        let mut listed = self.0.lock().await;
        if let Some((at, listed)) = &*listed
            && clock.now().saturating_sub(*at) < LISTING_AGE
        {
            return Ok(Arc::clone(listed));
        }
        let new = Arc::new(read.await?);
        *listed = Some((clock.now(), Arc::clone(&new)));
        Ok(new)
    }
}

/// What full looks have found.
pub(super) struct Seen {
    found: Mutex<BTreeMap<Key, Found>>,
    interval: Duration,
}

struct Found {
    observed: Observed,
    /// When it is to be looked at in full again.
    due: Duration,
}

impl Seen {
    pub(super) fn new(interval: Duration) -> Self {
        Self { found: Mutex::default(), interval }
    }

    /// What the last full look at a resource found, unless the next one is due.
    pub(super) fn recently(&self, key: &Key, now: Duration) -> Option<Observed> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.get(key).filter(|found| now < found.due).map(|found| found.observed.clone())
    }

    /// Keeps what a full look found, or that it found nothing.
    pub(super) fn keep(&self, key: &Key, observed: Option<&Observed>, now: Duration) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(observed) = observed else {
            found.remove(key);
            return;
        };
        // The first interval of each resource has another length, so that full looks spread over time.
        let due = now + if found.contains_key(key) { self.interval } else { spread(key, self.interval) };
        found.insert(key.clone(), Found { observed: observed.clone(), due });
    }

    /// Forgets a resource that is about to be changed. Its next full look is spread as before.
    pub(super) fn forget(&self, key: &Key) {
        if let Some(found) = self.found.lock().unwrap_or_else(PoisonError::into_inner).get_mut(key) {
            found.due = Duration::ZERO;
        }
    }

    /// The names of the resources of a kind that are known.
    pub(super) fn names(&self, kind: crate::model::resource::Kind) -> Vec<String> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.keys().filter(|key| key.kind == kind).map(|key| key.name.clone()).collect()
    }
}

/// A part of an interval, always the same for one resource.
fn spread(key: &Key, interval: Duration) -> Duration {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    let thousandth = u32::try_from(hasher.finish() % 1000).unwrap_or_default();
    interval * (thousandth + 1) / 1000
}
