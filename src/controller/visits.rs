//! How visits went, counted.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use prometheus_client::metrics::histogram::Histogram;

use super::{kubernetes::RequestError, reconcile::Visit, schedule::Ending};

/// The longest of each class of lengths, in seconds: from a judgement alone to a visit that is ended by its deadline.
const LENGTHS: [f64; 12] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0];

/// How a visit ended, in the words of controller-runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Nothing is left to be done until something changes.
    Success,
    /// It is looked at again at a known time.
    RequeueAfter,
    /// Something failed, or the status could not be written.
    Error,
}

impl Outcome {
    const ALL: [Self; 3] = [Self::Success, Self::RequeueAfter, Self::Error];

    /// The word in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::RequeueAfter => "requeue_after",
            Self::Error => "error",
        }
    }

    const fn of(answer: &Result<Visit, RequestError>) -> Self {
        match answer {
            Err(_) | Ok(Visit { ending: Ending::Failed(_), .. }) => Self::Error,
            Ok(Visit { again: Some(_), .. }) => Self::RequeueAfter,
            Ok(_) => Self::Success,
        }
    }
}

/// The visits of this process.
#[derive(Debug)]
pub struct Visits {
    ended: Mutex<BTreeMap<Outcome, u64>>,
    panics: AtomicU64,
    /// How long they took, in seconds.
    pub lengths: Histogram,
}

impl Default for Visits {
    fn default() -> Self {
        let ended = Mutex::new(Outcome::ALL.map(|outcome| (outcome, 0)).into());
        Self { ended, panics: AtomicU64::new(0), lengths: Histogram::new(LENGTHS) }
    }
}

impl Visits {
    /// Counts a visit.
    pub fn ended(&self, answer: &Result<Visit, RequestError>, took: Duration) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        *ended.entry(Outcome::of(answer)).or_default() += 1;
        self.lengths.observe(took.as_secs_f64());
    }

    /// Counts a visit that panicked.
    pub fn panicked(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }

    /// How many ended how.
    pub fn snapshot(&self) -> BTreeMap<Outcome, u64> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many panicked.
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }
}
