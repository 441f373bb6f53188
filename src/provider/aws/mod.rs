//! The backend `aws`: S3, KMS, Glue, Lake Formation and CloudWatch in the account and region of a domain.
//!
//! Each service has a file of its own, which translates between its calls and the values of the seam and decides nothing.
//! What proves ownership is a set of tags that is on every resource from the call that makes it; before anything is changed
//! the tags are read again. Every call goes through one place: it waits for its turn, is counted, and never repeated.

mod alarm;
mod batch;
mod bucket;
mod calls;
mod catalog;
mod client;
mod failure;
mod grants;
mod key;
mod listing;
mod metrics;
mod permissions;
mod policy;
mod search;
mod survey;
mod tag;
mod words;

use std::{collections::BTreeSet, error::Error, future::Future, sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_sdk_cloudwatch::types::MetricAlarm;
use aws_sdk_lakeformation::types::BatchPermissionsRequestEntry;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures::future::BoxFuture;

use self::{
    batch::Batch,
    calls::Turns,
    client::Clients,
    failure::Failure,
    grants::BATCH as GRANTS,
    listing::{ALARMS, Listings},
    metrics::Answers,
    survey::{FULL_LOOK, Seen},
};
pub use self::{
    calls::{Call, Calls},
    client::Identity,
    permissions::Policy,
    survey::Clock,
};
use super::{
    Capabilities, ErrorKind, Marked, Operation, Provider, ProviderError, Removed, Survey, registry::Place,
};
use crate::{
    api::AwsBackend,
    model::{
        attributes::Attributes,
        duration::Period,
        measurement::{Reading, Subject},
        owner::{Claim, Owner},
        resource::{Delta, Desired, Key, Kind, Look, Observed, Removal, Sought},
    },
};

/// One account and region.
pub struct Aws {
    place: Place,
    /// The operator's own ARN there.
    caller: String,
    clients: Clients,
    turns: Turns,
    calls: Arc<Calls>,
    /// The topics that were made, or found, in the life of this process.
    topics: tokio::sync::Mutex<BTreeSet<String>>,
    clock: Clock,
    seen: Seen,
    listings: Listings,
    answers: Answers,
    named_alarms: Batch<String, Option<MetricAlarm>>,
    granting: Batch<BatchPermissionsRequestEntry, ()>,
    revoking: Batch<BatchPermissionsRequestEntry, ()>,
}

impl Aws {
    /// Opens an account and region, after a proof that the credentials are of that account.
    pub async fn open(
        settings: &AwsBackend,
        place: &Place,
        identity: &Identity,
        calls: &Arc<Calls>,
    ) -> Result<Self, ProviderError> {
        // In a box, because it is seldom needed and would make every future around it larger.
        let (clients, caller) = Box::pin(Clients::open(settings, place, identity, calls)).await?;
        let (place, calls) = (place.clone(), Arc::clone(calls));
        let interval =
            settings.full_look_interval.as_ref().and_then(|interval| interval.parse::<Period>().ok());
        let interval = interval.and_then(|interval| u64::try_from(interval.seconds()).ok());
        Ok(Self {
            place,
            caller,
            clients,
            turns: Turns::new(),
            calls,
            topics: tokio::sync::Mutex::default(),
            clock: Clock::default(),
            seen: Seen::new(interval.map_or(FULL_LOOK, Duration::from_secs)),
            listings: Listings::default(),
            answers: Answers::default(),
            named_alarms: Batch::new(ALARMS),
            granting: Batch::new(GRANTS),
            revoking: Batch::new(GRANTS),
        })
    }

    /// The same account under a clock that tests turn by hand.
    #[must_use]
    pub fn timed_by(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The same account without a limit on how often a call is made, for tests against emulators that have no quotas.
    #[must_use]
    pub fn unlimited(mut self) -> Self {
        self.turns = Turns::unlimited();
        self
    }

    /// Makes a call when its turn comes, and counts it. In a box, because the futures of the SDK are large.
    fn call<'a, T, E>(
        &'a self,
        call: Call,
        request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, Failure>>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        Box::pin(async move {
            if !self.turns.wait(call).await {
                let message = format!("too many calls of {} are waiting already", call.operation());
                return Err(Failure::refusal(ErrorKind::Throttled, message));
            }
            let answer = request.await.map_err(|error| Failure::from_sdk(call.operation(), error));
            self.calls.count(call, answer.as_ref().err().map(|failure| failure.kind));
            answer
        })
    }
}

impl Aws {
    /// What the last full look found, where the listings still show it.
    async fn known(&self, key: &Key) -> Result<Option<Observed>, Failure> {
        match self.seen.recently(key, self.clock.now()) {
            Some(seen) if self.is_still(&seen).await? => Ok(Some(seen)),
            _ => Ok(None),
        }
    }

    /// A full look.
    async fn look(&self, sought: &Sought) -> Result<Option<Observed>, Failure> {
        let key = &sought.key;
        let observed = match key.kind {
            Kind::EncryptionKey => self.observe_key(key, &sought.owner).await,
            Kind::Bucket => self.observe_bucket(key).await,
            Kind::CatalogDatabase => self.observe_database(key).await,
            Kind::Grant => self.observe_grants(key).await,
            Kind::FreshnessAlarm => self.observe_alarm(key).await,
        }?;
        self.seen.keep(key, observed.as_ref(), self.clock.now());
        Ok(observed)
    }
}

/// Whether a resource with this mark may be changed by an update: the mark is the wanted one already, or the one that was
/// seen when the update was planned.
fn may_update(found: Option<&Owner>, desired: &Desired, delta: &Delta) -> Result<(), Failure> {
    let expected = delta.expected_owner(&desired.owner);
    if found == Some(&desired.owner) || found == expected.as_ref() { Ok(()) } else { Err(Failure::foreign()) }
}

/// Whether a resource with this mark may be completed by a create.
fn may_complete(found: Option<&Owner>, desired: &Desired) -> Result<(), Failure> {
    match desired.owner.claim(found) {
        Claim::Mine | Claim::Predecessor | Claim::Released => Ok(()),
        Claim::Foreign | Claim::Unmarked => Err(Failure::foreign()),
    }
}

/// Whether a resource with this mark may be removed.
fn may_remove(found: Option<&Owner>, removal: &Removal) -> Result<(), Failure> {
    if removal.owner.claim(found) == Claim::Mine { Ok(()) } else { Err(Failure::foreign()) }
}

#[async_trait]
impl Provider for Aws {
    fn capabilities(&self) -> Capabilities {
        Kind::ALL.into()
    }

    fn creates_once(&self) -> Capabilities {
        // Names and tokens make every other create repeatable; the identifier of a key is chosen by the service.
        [Kind::EncryptionKey].into()
    }

    async fn observe(&self, sought: &Sought) -> Result<Option<Observed>, ProviderError> {
        let known = if sought.look == Look::Usual { self.known(&sought.key).await } else { Ok(None) };
        let observed = match known {
            Ok(None) => self.look(sought).await,
            known => known,
        };
        observed.map_err(|failure| failure.of(Operation::Observe, &sought.key))
    }

    async fn create(&self, desired: &Desired) -> Result<(), ProviderError> {
        self.seen.forget(&desired.key);
        let created = match &desired.attributes {
            Attributes::EncryptionKey(key) => self.create_key(desired, key).await,
            Attributes::Bucket(bucket) => self.create_bucket(desired, bucket).await,
            Attributes::CatalogDatabase(database) => self.create_database(desired, database).await,
            Attributes::Grant(grants) => self.create_grants(desired, grants).await,
            Attributes::FreshnessAlarm(alarm) => self.create_alarm(desired, alarm).await,
        };
        created.map_err(|failure| failure.of(Operation::Create, &desired.key))
    }

    async fn update(&self, desired: &Desired, delta: &Delta) -> Result<(), ProviderError> {
        self.seen.forget(&desired.key);
        let updated = match &desired.attributes {
            Attributes::EncryptionKey(key) => self.update_key(desired, key, delta).await,
            Attributes::Bucket(bucket) => self.update_bucket(desired, bucket, delta).await,
            Attributes::CatalogDatabase(database) => self.update_database(desired, database, delta).await,
            Attributes::Grant(grants) => self.update_grants(desired, grants, delta).await,
            Attributes::FreshnessAlarm(alarm) => self.update_alarm(desired, alarm, delta).await,
        };
        updated.map_err(|failure| failure.of(Operation::Update, &desired.key))
    }

    async fn delete(&self, removal: &Removal) -> Result<Removed, ProviderError> {
        let key = &removal.key;
        self.seen.keep(key, None, self.clock.now());
        let removed = match key.kind {
            Kind::EncryptionKey => self.delete_key(removal).await,
            Kind::Bucket => self.delete_bucket(removal).await,
            Kind::CatalogDatabase => self.delete_database(removal).await,
            Kind::Grant => self.delete_grants(removal).await,
            Kind::FreshnessAlarm => self.delete_alarm(removal).await,
        };
        removed.map(|()| Removed::Gone).map_err(|failure| failure.of(Operation::Delete, key))
    }

    async fn measure(&self, subject: &Subject) -> Result<Vec<Reading>, ProviderError> {
        self.measured(subject).await.map_err(|failure| failure.of(Operation::Measure, &subject.alarm))
    }
}

#[async_trait]
impl Survey for Aws {
    async fn marked(&self) -> Result<Vec<Marked>, ProviderError> {
        self.survey().await.map_err(|failure| failure.anywhere(Operation::Survey))
    }
}
