//! A span and a count for every call, with its length and the kind of its outcome.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use prometheus_client::metrics::histogram::Histogram;
use tokio::time::Instant;
use tracing::{Instrument, field::Empty};

use crate::{
    model::{
        measurement::{Reading, Subject},
        resource::{Delta, Desired, Key, Kind, Observed, Removal, Sought},
    },
    provider::{Capabilities, Operation, Provider, ProviderError, Removed, SharedProvider},
};

/// What a call is counted under: operation, kind of resource, and `ok` or the kind of its error.
pub type Series = (Operation, Kind, &'static str);

/// The longest of each class of lengths, in seconds: from a look into a ledger to a call that is ended by its deadline.
const LENGTHS: [f64; 10] = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0, 20.0];

/// How calls went, over all providers.
#[derive(Debug, Default)]
pub struct Counters {
    ended: Mutex<BTreeMap<Series, u64>>,
    took: Mutex<BTreeMap<(Operation, Kind), Histogram>>,
    limited: Mutex<BTreeMap<(Operation, Kind), u64>>,
}

impl Counters {
    fn count(&self, (operation, kind, outcome): Series, took: Duration) {
        *locked(&self.ended).entry((operation, kind, outcome)).or_default() += 1;
        let mut lengths = locked(&self.took);
        let lengths = lengths.entry((operation, kind)).or_insert_with(|| Histogram::new(LENGTHS));
        lengths.observe(took.as_secs_f64());
    }

    /// Counts an attempt that waits for its turn.
    pub(super) fn waits(&self, operation: Operation, kind: Kind) {
        *locked(&self.limited).entry((operation, kind)).or_default() += 1;
    }

    /// How often each call was made, with each outcome.
    pub fn snapshot(&self) -> BTreeMap<Series, u64> {
        locked(&self.ended).clone()
    }

    /// How long calls took, in seconds.
    pub fn durations(&self) -> BTreeMap<(Operation, Kind), Histogram> {
        locked(&self.took).clone()
    }

    /// How often attempts waited for their turn.
    pub fn limited(&self) -> BTreeMap<(Operation, Kind), u64> {
        locked(&self.limited).clone()
    }
}

fn locked<T>(counts: &Mutex<T>) -> MutexGuard<'_, T> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
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
        let span = tracing::debug_span!(
            "provider",
            operation = operation.as_str(),
            kind = %key.kind,
            name = %key.name,
            outcome = Empty,
            otel.name = %format_args!("{} {}", operation.as_str(), key.kind),
            otel.kind = "client",
            otel.status_code = Empty,
        );
        let begun = Instant::now();
        let answer = call.instrument(span.clone()).await;
        let outcome = answer.as_ref().map_or_else(|error| error.kind.as_str(), |_| "ok");
        self.counters.count((operation, key.kind, outcome), begun.elapsed());
        span.record("outcome", outcome);
        if answer.is_err() {
            span.record("otel.status_code", "ERROR");
        }
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
