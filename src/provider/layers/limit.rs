//! A token bucket around a provider, so that one import does not spend an account's quota.

use std::{num::NonZeroU32, sync::Arc};

use async_trait::async_trait;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use super::trace::Counters;
use crate::{
    api::RateLimit,
    model::{
        measurement::{Reading, Subject},
        resource::{Delta, Desired, Kind, Observed, Removal, Sought},
    },
    provider::{Capabilities, Operation, Provider, ProviderError, Removed, SharedProvider},
};

/// Lets calls through at a rate. A call waits for its turn; the deadline around it bounds the wait.
pub struct Limit {
    inner: SharedProvider,
    limiter: DefaultDirectRateLimiter,
    counters: Arc<Counters>,
}

impl Limit {
    /// Limits the calls of a provider and counts in `counters` those that wait. A rate below one a second counts as one.
    pub fn new(inner: SharedProvider, rate: RateLimit, counters: Arc<Counters>) -> Self {
        let positive =
            |number: i32| u32::try_from(number).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
        let second = positive(rate.requests_per_second);
        let burst = rate.burst.map_or_else(|| second.saturating_mul(positive(2)), positive);
        Self { inner, limiter: RateLimiter::direct(Quota::per_second(second).allow_burst(burst)), counters }
    }

    /// Waits until it is the turn of a call.
    async fn turn(&self, operation: Operation, kind: Kind) {
        if self.limiter.check().is_err() {
            self.counters.waits(operation, kind);
            self.limiter.until_ready().await;
        }
    }
}

#[async_trait]
impl Provider for Limit {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn creates_once(&self) -> Capabilities {
        self.inner.creates_once()
    }

    async fn observe(&self, sought: &Sought) -> Result<Option<Observed>, ProviderError> {
        self.turn(Operation::Observe, sought.key.kind).await;
        self.inner.observe(sought).await
    }

    async fn create(&self, desired: &Desired) -> Result<(), ProviderError> {
        self.turn(Operation::Create, desired.key.kind).await;
        self.inner.create(desired).await
    }

    async fn update(&self, desired: &Desired, delta: &Delta) -> Result<(), ProviderError> {
        self.turn(Operation::Update, desired.key.kind).await;
        self.inner.update(desired, delta).await
    }

    async fn delete(&self, removal: &Removal) -> Result<Removed, ProviderError> {
        self.turn(Operation::Delete, removal.key.kind).await;
        self.inner.delete(removal).await
    }

    async fn measure(&self, subject: &Subject) -> Result<Vec<Reading>, ProviderError> {
        self.turn(Operation::Measure, subject.bucket.kind).await;
        self.inner.measure(subject).await
    }
}
