//! A watch that recovers from everything: where kube's own resumes for ever, this one forgets where it was and lists
//! anew.
//!
//! kube's watcher keeps the resource version of a watch whose *start* is refused. When the API server has forgotten
//! that version (410 Gone), or goes on to refuse it for another reason, no later attempt can succeed and nothing is
//! seen any more.

use std::fmt::Debug;

use futures::{Stream, StreamExt, stream};
use kube::{
    Api, Resource,
    runtime::{
        WatchStreamExt,
        watcher::{self, Error, Event, InitialListStrategy},
    },
};
use serde::de::DeserializeOwned;

/// Failures in a row after which a watch lists anew.
const FAILURES: u32 = 3;
/// The status of a resource version that is forgotten.
const GONE: u16 = 410;
/// The status of a parameter that the API server does not accept.
const INVALID: u16 = 422;

/// The events of a kind, with growing pauses after failures, for as long as they are polled.
pub fn watch<K>(api: Api<K>) -> impl Stream<Item = Result<Event<K>, Error>> + Send
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static,
{
    watch_chosen(api, watcher::Config::default())
}

/// The same of those that a configuration chooses.
pub fn watch_chosen<K>(
    api: Api<K>,
    chosen: watcher::Config,
) -> impl Stream<Item = Result<Event<K>, Error>> + Send
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let begin = move |how: watcher::Config| watcher::watcher(api.clone(), how).boxed();
    let how = chosen.clone().streaming_lists();
    let first = begin(how.clone());
    stream::unfold((first, how, 0, (begin, chosen)), |(mut events, mut how, failures, anew)| async move {
        let (begin, chosen) = &anew;
        let event = events.next().await?;
        let failures = if event.is_ok() { 0 } else { failures + 1 };
        let unsupported = event.as_ref().is_err_and(|error| start_refused(error, INVALID)) && streams(&how);
        if unsupported {
            // An API server before 1.34 lists in pages only, unless its feature gate WatchList is on.
            tracing::info!(kind = %K::kind(&()), "the API server does not stream lists; they are read in pages");
            how = chosen.clone();
        }
        let forgotten = event.as_ref().is_err_and(|error| start_refused(error, GONE));
        let (events, failures) = if unsupported || forgotten || failures >= FAILURES {
            (begin(how.clone()), 0)
        } else {
            (events, failures)
        };
        Some((event, (events, how, failures, anew)))
    })
    .default_backoff()
}

fn streams(how: &watcher::Config) -> bool {
    matches!(how.initial_list_strategy, InitialListStrategy::StreamingList)
}

fn start_refused(error: &Error, code: u16) -> bool {
    matches!(error, Error::WatchStartFailed(kube::Error::Api(status)) if status.code == code)
}

#[cfg(test)]
mod tests {
    use http::{Request, Response};
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::{Client, client::Body};

    use super::*;

    const OBJECT: &str = r#"{"type":"ADDED","object":{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"n","resourceVersion":"6"}}}"#;
    const LISTED: &str = r#"{"type":"BOOKMARK","object":{"apiVersion":"v1","kind":"ConfigMap","metadata":{"resourceVersion":"7","annotations":{"k8s.io/initial-events-end":"true"}}}}"#;

    /// What is seen of an API server that lists one object, ends that watch, and refuses to resume it.
    async fn seen(refusal: u16, count: usize) -> Vec<&'static str> {
        let service = tower::service_fn(move |request: Request<Body>| async move {
            let initial = request.uri().query().is_some_and(|query| query.contains("sendInitialEvents=true"));
            let (status, body) = if initial {
                (200, format!("{OBJECT}\n{LISTED}\n"))
            } else {
                let body = r#"{"apiVersion":"v1","kind":"Status","status":"Failure","message":"no","reason":"No","code":CODE}"#;
                (refusal, body.replace("CODE", &refusal.to_string()))
            };
            Response::builder().status(status).body(Body::from(body.into_bytes()))
        });
        let api: Api<ConfigMap> = Api::all(Client::new(service, "default"));
        let words = watch(api).take(count).map(|event| match event {
            Ok(Event::Init) => "init",
            Ok(Event::InitApply(_)) => "object",
            Ok(Event::InitDone) => "done",
            Ok(Event::Apply(_) | Event::Delete(_)) => "change",
            Err(_) => "refused",
        });
        words.collect().await
    }

    #[tokio::test(start_paused = true)]
    async fn a_version_that_is_forgotten_leads_to_a_new_list_at_once() {
        assert_eq!(seen(410, 6).await, ["init", "object", "done", "refused", "init", "object"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_start_that_is_refused_again_and_again_leads_to_a_new_list() {
        let expected = ["init", "object", "done", "refused", "refused", "refused", "init", "object"];
        assert_eq!(seen(500, 8).await, expected);
    }
}
