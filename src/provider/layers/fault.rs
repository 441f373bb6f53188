//! Faults on purpose: the n-th call is refused, loses its answer, or never comes back. For tests of what must hold
//! when things go wrong; no configuration of the operator leads here.

use std::{
    future::{Future, pending},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use tokio::sync::Notify;

use crate::{
    model::{
        measurement::{Reading, Subject},
        resource::{Delta, Desired, Observed, Removal, Sought},
    },
    provider::{Capabilities, ErrorKind, Operation, Provider, ProviderError, Removed, SharedProvider},
};

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is refused before it takes effect.
    Refused(ErrorKind),
    /// It takes effect, and its answer is lost.
    AnswerLost,
    /// The caller ends before it is sent: it never comes back.
    CrashBefore,
    /// The caller ends after it took effect: it never comes back.
    CrashAfter,
}

/// Which call meets which fault, and how many calls there were.
#[derive(Debug, Default)]
pub struct FaultPlan {
    calls: AtomicU64,
    /// Number of the first call that meets it, from 1.
    from: u64,
    /// Number of the last one.
    to: u64,
    fault: Option<Fault>,
    crashed: Notify,
}

impl FaultPlan {
    /// No fault; calls are counted.
    pub fn none() -> Arc<Self> {
        Arc::default()
    }

    /// One fault at the n-th call, from 1.
    pub fn at(call: u64, fault: Fault) -> Arc<Self> {
        Arc::new(Self { from: call, to: call, fault: Some(fault), ..Self::default() })
    }

    /// The same fault at every call up to the n-th, from 1.
    pub fn until(call: u64, fault: Fault) -> Arc<Self> {
        Arc::new(Self { from: 1, to: call, fault: Some(fault), ..Self::default() })
    }

    /// Number of calls so far.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// Completes when a caller has met its crash, so that a test can drop it.
    pub async fn crashed(&self) {
        self.crashed.notified().await;
    }

    /// Never comes back, and lets a test know.
    pub async fn crash<T>(&self) -> T {
        self.crashed.notify_one();
        pending().await
    }

    /// Counts a call and gives its fault.
    pub fn next(&self) -> Option<Fault> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        self.fault.filter(|_| (self.from..=self.to).contains(&call))
    }
}

/// Injects the faults of a plan.
pub struct Faulty {
    inner: SharedProvider,
    plan: Arc<FaultPlan>,
}

impl Faulty {
    /// Puts a provider behind a plan of faults.
    pub fn new(inner: SharedProvider, plan: Arc<FaultPlan>) -> Self {
        Self { inner, plan }
    }

    async fn inject<T>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, ProviderError>> + Send,
    ) -> Result<T, ProviderError> {
        match self.plan.next() {
            None => call.await,
            Some(Fault::Refused(kind)) => Err(ProviderError::new(kind, operation, "refused on purpose")),
            Some(Fault::AnswerLost) => {
                let _lost = call.await;
                Err(ProviderError::new(ErrorKind::Timeout, operation, "the answer was lost on purpose"))
            }
            Some(Fault::CrashBefore) => self.plan.crash().await,
            Some(Fault::CrashAfter) => {
                let _lost = call.await;
                self.plan.crash().await
            }
        }
    }
}

#[async_trait]
impl Provider for Faulty {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn creates_once(&self) -> Capabilities {
        self.inner.creates_once()
    }

    async fn observe(&self, sought: &Sought) -> Result<Option<Observed>, ProviderError> {
        self.inject(Operation::Observe, self.inner.observe(sought)).await
    }

    async fn create(&self, desired: &Desired) -> Result<(), ProviderError> {
        self.inject(Operation::Create, self.inner.create(desired)).await
    }

    async fn update(&self, desired: &Desired, delta: &Delta) -> Result<(), ProviderError> {
        self.inject(Operation::Update, self.inner.update(desired, delta)).await
    }

    async fn delete(&self, removal: &Removal) -> Result<Removed, ProviderError> {
        self.inject(Operation::Delete, self.inner.delete(removal)).await
    }

    async fn measure(&self, subject: &Subject) -> Result<Vec<Reading>, ProviderError> {
        self.inject(Operation::Measure, self.inner.measure(subject)).await
    }
}
