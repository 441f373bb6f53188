//! Transient failures are tried again, a few times and with growing, jittered pauses.
//!
//! Every call may be repeated by the contract of the seam. A backend whose create has no idempotency token must make
//! it repeatable itself, by finding what an earlier attempt left.

use std::{future::Future, time::Duration};

use async_trait::async_trait;

use crate::{
    model::{
        measurement::{Reading, Subject},
        resource::{Delta, Desired, Key, Observed, Removal},
    },
    provider::{Capabilities, Provider, ProviderError, Removed, SharedProvider},
};

/// Number of attempts of one call.
pub const ATTEMPTS: u32 = 3;
/// Longest pause before the second attempt; it doubles with each further one.
pub const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Tries transient failures again.
pub struct Retry {
    inner: SharedProvider,
}

impl Retry {
    /// Retries the calls of a provider.
    pub fn new(inner: SharedProvider) -> Self {
        Self { inner }
    }
}

async fn retry<T, F>(mut call: impl FnMut() -> F + Send) -> Result<T, ProviderError>
where
    F: Future<Output = Result<T, ProviderError>> + Send,
{
    let mut attempt = 1;
    loop {
        match call().await {
            Err(error) if error.is_transient() && attempt < ATTEMPTS => {
                let longest = FIRST_PAUSE * 2u32.pow(attempt - 1);
                // Full jitter: callers that failed together do not come back together.
                tokio::time::sleep(longest.mul_f64(rand::random::<f64>())).await;
                attempt += 1;
            }
            answer => return answer,
        }
    }
}

#[async_trait]
impl Provider for Retry {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn observe(&self, key: &Key) -> Result<Option<Observed>, ProviderError> {
        retry(|| self.inner.observe(key)).await
    }

    async fn create(&self, desired: &Desired) -> Result<(), ProviderError> {
        retry(|| self.inner.create(desired)).await
    }

    async fn update(&self, desired: &Desired, delta: &Delta) -> Result<(), ProviderError> {
        retry(|| self.inner.update(desired, delta)).await
    }

    async fn delete(&self, removal: &Removal) -> Result<Removed, ProviderError> {
        retry(|| self.inner.delete(removal)).await
    }

    async fn measure(&self, subject: &Subject) -> Result<Vec<Reading>, ProviderError> {
        retry(|| self.inner.measure(subject)).await
    }
}
