//! Which of several operators visits products: the one that holds the Lease.
//!
//! The rules are those of Kubernetes' own components. Who has seen a Lease unchanged, by its own clock, for as long as the
//! Lease says may take it; clocks of different machines are never compared. Every write names the version that was seen, so
//! that of two who take a Lease at once one fails. The crates for this compare clocks and take a Lease without that test.
//!
//! The Lease is for speed alone: two operators that both visit do no harm, they only do everything twice.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::kubernetes::RequestError;

/// Name of the Lease.
pub const NAME: &str = "dataproduct-operator";
/// How long a Lease is another's after it was last renewed.
const DURATION: Duration = Duration::from_secs(15);
/// How long the holder tries to renew it before it gives up, well before another may take it.
const RENEW: Duration = Duration::from_secs(10);
/// Pause between two looks at the Lease.
const RETRY: Duration = Duration::from_secs(2);
/// Longest time of one request for the Lease.
const REQUEST: Duration = Duration::from_secs(5);
/// Longest time that a Lease of somebody else is believed to last, whatever it says.
const LONGEST: Duration = Duration::from_mins(5);

/// What this process may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Another process visits products; this one watches, so that it can take over at once.
    Standby,
    /// This process visits products.
    Leader,
    /// The process ends before it led.
    Ending,
}

/// Whether this process visits products.
#[derive(Debug)]
pub struct Leadership(watch::Sender<Role>);

impl Default for Leadership {
    fn default() -> Self {
        Self(watch::Sender::new(Role::Standby))
    }
}

impl Leadership {
    /// Begins to visit products.
    pub fn begin(&self) {
        self.0.send_replace(Role::Leader);
    }

    /// Lets go those who wait for the leadership; what a leader does goes on.
    pub fn end(&self) {
        self.0.send_if_modified(|role| {
            let waits = *role == Role::Standby;
            if waits {
                *role = Role::Ending;
            }
            waits
        });
    }

    /// Whether this process visits products.
    pub fn is_leader(&self) -> bool {
        *self.0.borrow() == Role::Leader
    }

    /// Waits until this process visits products; false where it ends before.
    pub async fn until_leader(&self) -> bool {
        let mut role = self.0.subscribe();
        // The sender lives as long as this, so that the wait cannot fail.
        role.wait_for(|role| *role != Role::Standby).await.is_ok_and(|role| *role == Role::Leader)
    }
}

/// How a look at the Lease ended.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    /// It is ours.
    Held,
    /// It is another's.
    Other(String),
    /// Somebody else wrote it in between.
    Raced,
}

/// One candidate for the Lease.
pub struct Candidate {
    api: Api<Lease>,
    identity: String,
    /// The Lease of another, and since when it is unchanged.
    seen: Option<(LeaseSpec, Instant)>,
}

impl Candidate {
    /// A candidate for the Lease of a namespace. `instance` is the name of the pod or process; an addition makes it unique.
    pub fn new(client: Client, namespace: Option<&str>, instance: &str) -> Self {
        let api = match namespace {
            Some(namespace) => Api::namespaced(client, namespace),
            None => Api::default_namespaced(client),
        };
        Self { api, identity: format!("{instance}_{:08x}", rand::random::<u32>()), seen: None }
    }

    /// Takes the Lease when it is free, holds it, and returns when it is lost.
    pub async fn lead(&mut self, leadership: &Leadership) {
        let mut renewed: Option<Instant> = None;
        let mut told = None;
        loop {
            let look = match timeout(REQUEST, self.look()).await {
                Ok(look) => look.map_err(|error| error.to_string()),
                Err(_) => Err(format!("no answer from the API server within {} s", REQUEST.as_secs())),
            };
            match (look, renewed) {
                (Ok(Look::Held), before) => {
                    renewed = Some(Instant::now());
                    if before.is_none() {
                        tracing::info!(identity = self.identity, "this process leads");
                        leadership.begin();
                    }
                }
                (Ok(Look::Other(holder)), Some(_)) => {
                    tracing::error!(holder, "the lease was taken by another process");
                    return;
                }
                (Ok(Look::Other(holder)), None) => {
                    if told.as_ref() != Some(&holder) {
                        tracing::info!(holder, "another process leads; this one stands by");
                        told = Some(holder);
                    }
                }
                (Ok(Look::Raced), _) => tracing::debug!("the lease was written by another process meanwhile"),
                (Err(error), _) => tracing::warn!(error, "the lease could not be read or written"),
            }
            if renewed.is_some_and(|renewed| renewed.elapsed() > RENEW) {
                tracing::error!("the lease was not renewed within {} s", RENEW.as_secs());
                return;
            }
            sleep(RETRY.mul_f64(rand::random_range(0.9..1.2))).await;
        }
    }

    /// Gives the Lease back, so that another need not wait for its end.
    pub async fn release(&self) {
        let work = async {
            let Some(lease) = self.api.get_opt(NAME).await? else { return Ok(()) };
            if holder(&lease).is_none_or(|holder| holder != self.identity) {
                return Ok(());
            }
            let spec =
                LeaseSpec { holder_identity: None, renew_time: None, ..lease.spec.unwrap_or_default() };
            let free = Lease { metadata: lease.metadata, spec: Some(spec) };
            self.api.replace(NAME, &PostParams::default(), &free).await.map(|_| ())
        };
        match timeout(REQUEST, work).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the lease was not given back"),
            Err(_) => tracing::debug!("the lease was not given back in time"),
        }
    }

    /// Looks at the Lease, and takes or renews it where that is due.
    async fn look(&mut self) -> Result<Look, RequestError> {
        let Some(lease) = self.api.get_opt(NAME).await.map_err(RequestError::Kube)? else {
            let metadata = ObjectMeta { name: Some(NAME.to_owned()), ..ObjectMeta::default() };
            let first = Lease { metadata, spec: Some(self.spec(&LeaseSpec::default())) };
            return written(self.api.create(&PostParams::default(), &first).await);
        };
        if let Some(holder) = holder(&lease).filter(|holder| *holder != self.identity) {
            let spec = lease.spec.clone().unwrap_or_default();
            if !self.has_ended(&spec) {
                return Ok(Look::Other(holder.to_owned()));
            }
        }
        let spec = Some(self.spec(&lease.spec.unwrap_or_default()));
        let mine = Lease { metadata: lease.metadata, spec };
        written(self.api.replace(NAME, &PostParams::default(), &mine).await)
    }

    /// Whether the Lease of another was seen unchanged for as long as it says.
    fn has_ended(&mut self, spec: &LeaseSpec) -> bool {
        match &self.seen {
            Some((seen, since)) if seen == spec => since.elapsed() >= lasts(spec),
            _ => {
                self.seen = Some((spec.clone(), Instant::now()));
                false
            }
        }
    }

    /// The Lease as this candidate writes it.
    fn spec(&self, before: &LeaseSpec) -> LeaseSpec {
        let now = MicroTime(Timestamp::now());
        let renews = before.holder_identity.as_ref() == Some(&self.identity);
        let transitions = before.lease_transitions.unwrap_or_default();
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
            acquire_time: before.acquire_time.clone().filter(|_| renews).or(Some(now.clone())),
            renew_time: Some(now),
            lease_transitions: Some(if renews { transitions } else { transitions.saturating_add(1) }),
            ..before.clone()
        }
    }
}

/// Who holds a Lease.
fn holder(lease: &Lease) -> Option<&str> {
    lease.spec.as_ref()?.holder_identity.as_deref().filter(|holder| !holder.is_empty())
}

/// How long a Lease lasts after it was last renewed.
fn lasts(spec: &LeaseSpec) -> Duration {
    let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    seconds.map_or(DURATION, Duration::from_secs).min(LONGEST)
}

/// What became of a write.
fn written(answer: Result<Lease, kube::Error>) -> Result<Look, RequestError> {
    match answer.map_err(RequestError::Kube) {
        Ok(_) => Ok(Look::Held),
        Err(error) if error.is_about_another_object() => Ok(Look::Raced),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate() -> Candidate {
        let service = tower::service_fn(|_: http::Request<kube::client::Body>| async {
            http::Response::builder().body(kube::client::Body::empty())
        });
        Candidate::new(Client::new(service, "default"), None, "one")
    }

    fn lease(seconds: Option<i32>, transitions: i32) -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some("other".to_owned()),
            lease_duration_seconds: seconds,
            lease_transitions: Some(transitions),
            // Far in the future: clocks of others are not believed.
            renew_time: Some(MicroTime(Timestamp::MAX)),
            ..LeaseSpec::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_ends_when_it_was_seen_unchanged_for_as_long_as_it_says() {
        let mut one = candidate();
        let spec = lease(Some(30), 1);
        assert!(!one.has_ended(&spec), "seen for the first time");
        tokio::time::advance(Duration::from_secs(29)).await;
        assert!(!one.has_ended(&spec));
        let renewed = lease(Some(30), 2);
        assert!(!one.has_ended(&renewed), "it was renewed");
        tokio::time::advance(Duration::from_secs(29)).await;
        assert!(!one.has_ended(&renewed));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(one.has_ended(&renewed));
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_lease_says_of_its_length_is_bounded() {
        for (seconds, expected) in [
            (None, DURATION),
            (Some(-1), DURATION),
            (Some(0), Duration::ZERO),
            (Some(40), Duration::from_secs(40)),
            (Some(i32::MAX), LONGEST),
        ] {
            assert_eq!(lasts(&lease(seconds, 0)), expected, "{seconds:?}");
        }
    }

    #[tokio::test]
    async fn taking_over_counts_and_renewing_does_not() {
        let one = candidate();
        let taken = one.spec(&lease(Some(30), 4));
        assert_eq!(
            (taken.holder_identity.clone(), taken.lease_transitions),
            (Some(one.identity.clone()), Some(5))
        );
        let renewed = one.spec(&taken);
        assert_eq!((renewed.lease_transitions, &renewed.acquire_time), (Some(5), &taken.acquire_time));
        assert_eq!(renewed.lease_duration_seconds, Some(15));
    }

    #[tokio::test]
    async fn who_waits_is_let_go_at_the_end_and_a_leader_is_not_stopped() {
        let waiting = Leadership::default();
        waiting.end();
        assert!(!waiting.until_leader().await);
        let leading = Leadership::default();
        leading.begin();
        leading.end();
        assert!(leading.until_leader().await && leading.is_leader());
    }
}
