//! A token bucket around a provider, so that one import does not spend an account's quota.

use std::num::NonZeroU32;

use async_trait::async_trait;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::{
    api::RateLimit,
    model::{
        measurement::{Reading, Subject},
        resource::{Delta, Desired, Observed, Removal, Sought},
    },
    provider::{Capabilities, Provider, ProviderError, Removed, SharedProvider},
};

/// Lets calls through at a rate. A call waits for its turn; the deadline around it bounds the wait.
pub struct Limit {
    inner: SharedProvider,
    limiter: DefaultDirectRateLimiter,
}

impl Limit {
    /// Limits the calls of a provider. A rate below one a second counts as one.
    pub fn new(inner: SharedProvider, rate: RateLimit) -> Self {
        let positive =
            |number: i32| u32::try_from(number).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
        let second = positive(rate.requests_per_second);
        let burst = rate.burst.map_or_else(|| second.saturating_mul(positive(2)), positive);
        Self { inner, limiter: RateLimiter::direct(Quota::per_second(second).allow_burst(burst)) }
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
        self.limiter.until_ready().await;
        self.inner.observe(sought).await
    }

    async fn create(&self, desired: &Desired) -> Result<(), ProviderError> {
        self.limiter.until_ready().await;
        self.inner.create(desired).await
    }

    async fn update(&self, desired: &Desired, delta: &Delta) -> Result<(), ProviderError> {
        self.limiter.until_ready().await;
        self.inner.update(desired, delta).await
    }

    async fn delete(&self, removal: &Removal) -> Result<Removed, ProviderError> {
        self.limiter.until_ready().await;
        self.inner.delete(removal).await
    }

    async fn measure(&self, subject: &Subject) -> Result<Vec<Reading>, ProviderError> {
        self.limiter.until_ready().await;
        self.inner.measure(subject).await
    }
}
