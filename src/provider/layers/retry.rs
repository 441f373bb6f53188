//! Transient failures are tried again, a few times and with growing, jittered pauses.
//!
//! Every call may be repeated by the contract of the seam, but for the creates that a backend names as not repeatable
//! at once: those are tried again only where nothing was changed.

use std::{future::Future, time::Duration};

use async_trait::async_trait;

use crate::{
    model::{
        measurement::{Reading, Subject},
        resource::{Delta, Desired, Observed, Removal, Sought},
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

async fn retry<T, F>(call: impl FnMut() -> F + Send) -> Result<T, ProviderError>
where
    F: Future<Output = Result<T, ProviderError>> + Send,
{
    retry_where(ProviderError::is_transient, call).await
}

async fn retry_where<T, F>(
    again: impl Fn(&ProviderError) -> bool + Send,
    mut call: impl FnMut() -> F + Send,
) -> Result<T, ProviderError>
where
    F: Future<Output = Result<T, ProviderError>> + Send,
{
    let mut attempt = 1;
    loop {
        match call().await {
            Err(error) if again(&error) && attempt < ATTEMPTS => {
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

    fn creates_once(&self) -> Capabilities {
        self.inner.creates_once()
    }

    async fn observe(&self, sought: &Sought) -> Result<Option<Observed>, ProviderError> {
        retry(|| self.inner.observe(sought)).await
    }

    async fn create(&self, desired: &Desired) -> Result<(), ProviderError> {
        // A second call might make a second resource, unless the first is known to have made none.
        let once = self.inner.creates_once().contains(&desired.key.kind);
        let again = |error: &ProviderError| error.is_transient() && (!once || error.changed_nothing);
        retry_where(again, || self.inner.create(desired)).await
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
