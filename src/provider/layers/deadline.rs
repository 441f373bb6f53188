//! Every call ends: after its deadline the answer is a timeout, and the effect counts as unknown.

use std::{future::Future, time::Duration};

use async_trait::async_trait;

use crate::{
    model::{
        measurement::{Reading, Subject},
        resource::{Delta, Desired, Key, Observed, Removal, Sought},
    },
    provider::{Capabilities, ErrorKind, Operation, Provider, ProviderError, Removed, SharedProvider},
};

/// Ends calls that take too long.
pub struct Deadline {
    inner: SharedProvider,
    limit: Duration,
}

impl Deadline {
    /// Gives every call of a provider a deadline.
    pub fn new(inner: SharedProvider, limit: Duration) -> Self {
        Self { inner, limit }
    }

    async fn bound<T>(
        &self,
        operation: Operation,
        key: Option<&Key>,
        call: impl Future<Output = Result<T, ProviderError>> + Send,
    ) -> Result<T, ProviderError> {
        tokio::time::timeout(self.limit, call).await.unwrap_or_else(|_| {
            let error = ProviderError::new(
                ErrorKind::Timeout,
                operation,
                format!("no answer within {} s", self.limit.as_secs_f32()),
            );
            Err(match key {
                Some(key) => error.at(key),
                None => error,
            })
        })
    }
}

#[async_trait]
impl Provider for Deadline {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn creates_once(&self) -> Capabilities {
        self.inner.creates_once()
    }

    async fn observe(&self, sought: &Sought) -> Result<Option<Observed>, ProviderError> {
        self.bound(Operation::Observe, Some(&sought.key), self.inner.observe(sought)).await
    }

    async fn create(&self, desired: &Desired) -> Result<(), ProviderError> {
        self.bound(Operation::Create, Some(&desired.key), self.inner.create(desired)).await
    }

    async fn update(&self, desired: &Desired, delta: &Delta) -> Result<(), ProviderError> {
        self.bound(Operation::Update, Some(&desired.key), self.inner.update(desired, delta)).await
    }

    async fn delete(&self, removal: &Removal) -> Result<Removed, ProviderError> {
        self.bound(Operation::Delete, Some(&removal.key), self.inner.delete(removal)).await
    }

    async fn measure(&self, subject: &Subject) -> Result<Vec<Reading>, ProviderError> {
        self.bound(Operation::Measure, Some(&subject.bucket), self.inner.measure(subject)).await
    }
}
