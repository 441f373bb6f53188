//! A span and a count for every call, with the kind of its outcome.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Mutex, PoisonError},
};

use std::sync::Arc;

use async_trait::async_trait;
use tracing::Instrument;

use crate::{
    model::{
        measurement::{Reading, Subject},
        resource::{Delta, Desired, Key, Kind, Observed, Removal, Sought},
    },
    provider::{Capabilities, Operation, Provider, ProviderError, Removed, SharedProvider},
};

/// What a call is counted under: operation, kind of resource, and `ok` or the kind of its error.
pub type Series = (Operation, Kind, &'static str);

/// How often each call was made, with each outcome.
#[derive(Debug, Default)]
pub struct Counters(Mutex<BTreeMap<Series, u64>>);

impl Counters {
    fn count(&self, series: Series) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(series).or_default() += 1;
    }

    /// The counts at this instant.
    pub fn snapshot(&self) -> BTreeMap<Series, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Traces and counts calls.
pub struct Trace {
    inner: SharedProvider,
    counters: Arc<Counters>,
}

impl Trace {
    /// Traces the calls of a provider and counts them in `counters`.
    pub fn new(inner: SharedProvider, counters: Arc<Counters>) -> Self {
        Self { inner, counters }
    }

    async fn record<T>(
        &self,
        operation: Operation,
        key: &Key,
        call: impl Future<Output = Result<T, ProviderError>> + Send,
    ) -> Result<T, ProviderError> {
        let span = tracing::debug_span!("provider", operation = operation.as_str(), kind = %key.kind, name = %key.name);
        let answer = call.instrument(span.clone()).await;
        let outcome = answer.as_ref().map_or_else(|error| error.kind.as_str(), |_| "ok");
        self.counters.count((operation, key.kind, outcome));
        let _entered = span.enter();
        match &answer {
            Ok(_) => tracing::trace!("answered"),
            Err(error) => {
                let cause = std::error::Error::source(error).map(ToString::to_string);
                tracing::debug!(kind = outcome, cause, "{error}");
            }
        }
        answer
    }
}

#[async_trait]
impl Provider for Trace {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn creates_once(&self) -> Capabilities {
        self.inner.creates_once()
    }

    async fn observe(&self, sought: &Sought) -> Result<Option<Observed>, ProviderError> {
        self.record(Operation::Observe, &sought.key, self.inner.observe(sought)).await
    }

    async fn create(&self, desired: &Desired) -> Result<(), ProviderError> {
        self.record(Operation::Create, &desired.key, self.inner.create(desired)).await
    }

    async fn update(&self, desired: &Desired, delta: &Delta) -> Result<(), ProviderError> {
        self.record(Operation::Update, &desired.key, self.inner.update(desired, delta)).await
    }

    async fn delete(&self, removal: &Removal) -> Result<Removed, ProviderError> {
        self.record(Operation::Delete, &removal.key, self.inner.delete(removal)).await
    }

    async fn measure(&self, subject: &Subject) -> Result<Vec<Reading>, ProviderError> {
        self.record(Operation::Measure, &subject.bucket, self.inner.measure(subject)).await
    }
}
