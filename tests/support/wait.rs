//! Waiting for a condition, with a deadline and with the last thing seen in the error.

use std::{fmt::Debug, future::Future, time::Duration};

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep};

/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// What a look saw.
pub(crate) enum Seen<T> {
    /// It is there.
    Yes(T),
    /// It is not there yet; what was seen instead.
    NotYet(String),
}

impl<T> Seen<T> {
    /// There when the condition holds.
    pub(crate) fn when(holds: bool, value: T, instead: impl Debug) -> Self {
        if holds { Self::Yes(value) } else { Self::NotYet(format!("{instead:?}")) }
    }
}

/// Looks until it is there or the deadline is over. A look that fails counts as not yet.
pub(crate) async fn wait_for<T, F>(what: &str, deadline: Duration, mut look: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Seen<T>>>,
{
    let end = Instant::now() + deadline;
    loop {
        let last = match look().await {
            Ok(Seen::Yes(value)) => return Ok(value),
            Ok(Seen::NotYet(instead)) => instead,
            Err(error) => format!("{error:#}"),
        };
        if Instant::now() >= end {
            bail!("{what}: not within {} s; last seen: {last}", deadline.as_secs());
        }
        sleep(LOOK).await;
    }
}
