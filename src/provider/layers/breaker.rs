//! A circuit breaker: when a provider has failed several times in a row, no call is made for a while, and then one at a
//! time until it answers. An account that is down costs neither its own recovery nor the time of the others.

use std::{
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::time::Instant;

use crate::{
    model::{
        measurement::{Reading, Subject},
        resource::{Delta, Desired, Key, Observed, Removal, Sought},
    },
    provider::{Capabilities, ErrorKind, Operation, Provider, ProviderError, Removed, SharedProvider},
};

/// Number of failures in a row after which no call is made.
pub const FAILURES: u32 = 10;
/// Time without calls after that; it doubles with every probe that fails.
pub const FIRST_REST: Duration = Duration::from_secs(10);
/// Longest time without calls.
pub const LONGEST_REST: Duration = Duration::from_mins(2);

/// Keeps calls from a provider that is down.
pub struct Breaker {
    inner: SharedProvider,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Calls are made; so many failed in a row.
    Closed(u32),
    /// No call is made before this instant; the rest after the next failure.
    Open(Instant, Duration),
    /// One call probes the provider; the rest after its failure.
    Probing(Duration),
}

/// What stands behind a call that was let through: dropped without an end it was cut off, which proves nothing.
struct Pass<'a>(&'a Breaker);

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Probing(rest) = *state {
            *state = State::Open(Instant::now(), rest);
        }
    }
}

impl Breaker {
    /// Puts a provider behind a closed breaker.
    pub fn new(inner: SharedProvider) -> Self {
        Self { inner, state: Mutex::new(State::Closed(0)) }
    }

    fn admit(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match *state {
            State::Closed(_) => true,
            State::Open(until, rest) if Instant::now() >= until => {
                *state = State::Probing(rest);
                true
            }
            State::Open(..) | State::Probing(_) => false,
        }
    }

    fn record(&self, down: bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let open = |rest: Duration| State::Open(Instant::now() + rest, (rest * 2).min(LONGEST_REST));
        *state = match (*state, down) {
            (_, false) => State::Closed(0),
            (State::Closed(failures), true) if failures + 1 < FAILURES => State::Closed(failures + 1),
            (State::Closed(_), true) => open(FIRST_REST),
            (State::Probing(rest), true) => open(rest),
            // A call that was under way when the circuit opened tells nothing new.
            (open @ State::Open(..), true) => open,
        };
    }

    async fn guard<T>(
        &self,
        operation: Operation,
        key: &Key,
        call: impl Future<Output = Result<T, ProviderError>> + Send,
    ) -> Result<T, ProviderError> {
        if !self.admit() {
            let message = "the provider has failed several times in a row; no call is made for a while";
            return Err(ProviderError::new(ErrorKind::Unavailable, operation, message)
                .at(key)
                .without_effect());
        }
        let pass = Pass(self);
        let answer = call.await;
        let failed = answer.as_ref().err();
        self.record(
            failed.is_some_and(|error| matches!(error.kind, ErrorKind::Unavailable | ErrorKind::Timeout)),
        );
        drop(pass);
        answer
    }
}

#[async_trait]
impl Provider for Breaker {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn creates_once(&self) -> Capabilities {
        self.inner.creates_once()
    }

    async fn observe(&self, sought: &Sought) -> Result<Option<Observed>, ProviderError> {
        self.guard(Operation::Observe, &sought.key, self.inner.observe(sought)).await
    }

    async fn create(&self, desired: &Desired) -> Result<(), ProviderError> {
        self.guard(Operation::Create, &desired.key, self.inner.create(desired)).await
    }

    async fn update(&self, desired: &Desired, delta: &Delta) -> Result<(), ProviderError> {
        self.guard(Operation::Update, &desired.key, self.inner.update(desired, delta)).await
    }

    async fn delete(&self, removal: &Removal) -> Result<Removed, ProviderError> {
        self.guard(Operation::Delete, &removal.key, self.inner.delete(removal)).await
    }

    async fn measure(&self, subject: &Subject) -> Result<Vec<Reading>, ProviderError> {
        self.guard(Operation::Measure, &subject.bucket, self.inner.measure(subject)).await
    }
}
