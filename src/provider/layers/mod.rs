//! What stands around every backend: deadlines, retries, rate limits, traces and, in tests, faults.
//!
//! A layer is a provider that wraps another one; a backend never knows that it is wrapped.

pub mod breaker;
pub mod deadline;
pub mod fault;
pub mod limit;
pub mod retry;
pub mod trace;

use std::{sync::Arc, time::Duration};

use self::{
    breaker::Breaker,
    deadline::Deadline,
    limit::Limit,
    retry::Retry,
    trace::{Counters, Trace},
};
use super::SharedProvider;
use crate::api::RateLimit;

/// Longest time of one attempt.
pub const ATTEMPT: Duration = Duration::from_secs(5);
/// Longest time of a call with all its attempts.
pub const OPERATION: Duration = Duration::from_secs(20);

/// A backend behind the standard layers: trace, circuit breaker, deadline of the call, retry, rate limit, deadline of the
/// attempt. A backend whose attempts consist of several calls, each with a deadline of its own, names a longer one here.
pub fn standard(
    backend: SharedProvider,
    rate: RateLimit,
    attempt: Duration,
    counters: Arc<Counters>,
) -> SharedProvider {
    let attempt: SharedProvider = Arc::new(Deadline::new(backend, attempt));
    let limited: SharedProvider = Arc::new(Limit::new(attempt, rate, Arc::clone(&counters)));
    let retried: SharedProvider = Arc::new(Retry::new(limited));
    let bounded: SharedProvider = Arc::new(Deadline::new(retried, OPERATION));
    let broken: SharedProvider = Arc::new(Breaker::new(bounded));
    Arc::new(Trace::new(broken, counters))
}
