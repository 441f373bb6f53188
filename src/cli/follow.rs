//! Objects of a kind as they are and as they change, for as long as somebody reads. API servers that restart are waited for.

use std::{fmt::Debug, time::Duration};

use futures::StreamExt;
use kube::{
    Api,
    runtime::{WatchStreamExt, watcher},
};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout};

use super::{CliError, note};
use crate::controller::{context::REQUEST, kubernetes::RequestError};

/// Longest time for which an API server that does not answer is waited for.
const LONGEST_OUTAGE: Duration = Duration::from_mins(10);
/// Time without a failure after which the next one is another outage; longer than any pause between two tries.
const CALM: Duration = Duration::from_mins(2);

/// What is seen of objects.
#[derive(Debug)]
pub(super) enum Seen<K> {
    /// Everything that there is; it is said again where a watch had to begin anew.
    All(Vec<K>),
    /// One that appeared or changed.
    Changed(K),
    /// One that is gone.
    Gone(K),
}

/// Whether somebody still reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// Go on.
    Listens,
    /// Nobody does any more.
    Left,
}

/// A time in which the API server does not answer.
#[derive(Debug, Clone, Copy)]
struct Outage {
    since: Instant,
    last: Instant,
    /// Whether people were told.
    told: bool,
}

/// Tells of objects until nobody reads any more. What fails before everything was seen once is an error at once.
pub(super) async fn follow<K>(
    api: Api<K>,
    how: watcher::Config,
    mut tell: impl FnMut(Seen<K>) -> Result<Reader, CliError>,
) -> Result<(), CliError>
where
    K: kube::Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let mut events = watcher::watcher(api, how).default_backoff().boxed();
    let (mut synced, mut listed, mut outage) = (false, Vec::new(), None::<Outage>);
    loop {
        let next = if synced {
            events.next().await
        } else {
            timeout(REQUEST, events.next())
                .await
                .map_err(|_| CliError::Cluster(RequestError::Timeout.to_string()))?
        };
        let seen = match next {
            None => return Ok(()),
            Some(Err(error)) if !synced => return Err(failed(error)),
            Some(Err(error)) => {
                outage = Some(noted(outage, &error)?);
                continue;
            }
            Some(Ok(watcher::Event::Init)) => {
                listed.clear();
                continue;
            }
            Some(Ok(watcher::Event::InitApply(object))) => {
                listed.push(object);
                continue;
            }
            Some(Ok(watcher::Event::InitDone)) => {
                synced = true;
                Seen::All(std::mem::take(&mut listed))
            }
            Some(Ok(watcher::Event::Apply(object))) => Seen::Changed(object),
            Some(Ok(watcher::Event::Delete(object))) => Seen::Gone(object),
        };
        if outage.take().is_some_and(|outage| outage.told) {
            note("the API server answers again");
        }
        if tell(seen)? == Reader::Left {
            return Ok(());
        }
    }
}

/// An outage that goes on or begins, which is told once; an error when it lasts too long.
fn noted(before: Option<Outage>, error: &watcher::Error) -> Result<Outage, CliError> {
    let now = Instant::now();
    match before.filter(|before| now - before.last < CALM) {
        Some(Outage { since, .. }) if now - since > LONGEST_OUTAGE => Err(CliError::Cluster(format!(
            "no answer from the API server for {} minutes: {error}",
            LONGEST_OUTAGE.as_secs() / 60
        ))),
        before => {
            // A watch that is too old to go on is nothing that people need to know of.
            let is_stale = matches!(error, watcher::Error::WatchError(status) if status.code == 410);
            let was_told = before.is_some_and(|before| before.told);
            if !is_stale && !was_told {
                note(&format!("the API server does not answer, and is asked again: {error}"));
            }
            let since = before.map_or(now, |before| before.since);
            Ok(Outage { since, last: now, told: was_told || !is_stale })
        }
    }
}

/// Why nothing was seen at all.
fn failed(error: watcher::Error) -> CliError {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => CliError::asked(&RequestError::Kube(error)),
        other => CliError::Cluster(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_outage_ends_the_watch_only_when_it_lasts() -> Result<(), CliError> {
        let error = watcher::Error::NoResourceVersion;
        let mut outage = None;
        for _ in 0..20 {
            outage = Some(noted(outage, &error)?);
            advance(Duration::from_secs(30)).await;
        }
        // Ten minutes are over, to the second.
        outage = Some(noted(outage, &error)?);
        advance(Duration::from_secs(1)).await;
        assert!(noted(outage, &error).is_err_and(|error| error.code() == 3), "it has lasted too long");
        // After a calm time it is another one.
        advance(CALM).await;
        assert!(noted(outage, &error)?.told);
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_is_too_old_is_no_outage_for_people() -> Result<(), CliError> {
        let stale = || {
            let status = Status { code: 410, ..Status::default() };
            watcher::Error::WatchError(Box::new(status))
        };
        let outage = noted(None, &stale())?;
        assert!(!outage.told);
        assert!(noted(Some(outage), &watcher::Error::NoResourceVersion)?.told, "what follows it is one");
        Ok(())
    }
}
