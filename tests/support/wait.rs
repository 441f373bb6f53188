//! Waiting for a condition, with a deadline and with the last thing seen in the error.

use std::{fmt::Debug, future::Future, time::Duration};

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep, timeout_at};

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
    let mut last = "nothing, the first look did not come back".to_owned();
    loop {
        // A look that hangs is bounded too, or the deadline would be none.
        match timeout_at(end, look()).await {
            Ok(Ok(Seen::Yes(value))) => return Ok(value),
            Ok(Ok(Seen::NotYet(instead))) => last = instead,
            Ok(Err(error)) => last = format!("{error:#}"),
            Err(_) => {}
        }
        if Instant::now() >= end {
            bail!("{what}: not within {} s; last seen: {last}", deadline.as_secs());
        }
        sleep(LOOK).await;
    }
}
