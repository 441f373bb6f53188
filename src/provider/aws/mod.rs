//! The backend `aws`: S3, KMS, Glue, Lake Formation and CloudWatch in the account and region of a domain.
//!
//! Each service has a file of its own, which translates between its calls and the values of the seam and decides nothing.
//! What proves ownership is a set of tags that is on every resource from the call that makes it; before anything is changed
//! the tags are read again. Every call goes through [`Aws::call`]: it waits for its turn, is counted, and never repeated.

mod alarm;
mod bucket;
mod calls;
mod catalog;
mod client;
mod failure;
mod grants;
mod key;
mod metrics;
mod policy;
mod tag;

use std::{
    collections::BTreeSet,
    error::Error,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures::future::BoxFuture;

use self::{calls::Turns, client::Clients, failure::Failure};
pub use self::{
    calls::{Call, Calls},
    client::Identity,
};
use super::{Capabilities, ErrorKind, Operation, Provider, ProviderError, Removed, registry::Place};
use crate::{
    api::AwsBackend,
    model::{
        attributes::Attributes,
        measurement::{Reading, Subject},
        owner::{Claim, Owner},
        resource::{Delta, Desired, Kind, Observed, Removal, Sought},
    },
};

/// One account and region.
pub struct Aws {
    place: Place,
    clients: Clients,
    turns: Turns,
    calls: Arc<Calls>,
    topics: Topics,
}

/// The topics that were made, or found, in the life of this process.
#[derive(Default)]
struct Topics(Mutex<BTreeSet<String>>);

impl Topics {
    fn contains(&self, topic: &String) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(topic)
    }

    fn add(&self, topic: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(topic);
    }
}

impl Aws {
    /// Opens an account and region, after a proof that the credentials are of that account.
    pub async fn open(
        settings: &AwsBackend,
        place: &Place,
        identity: &Identity,
        calls: &Arc<Calls>,
    ) -> Result<Self, ProviderError> {
        let clients = Clients::open(settings, place, identity, calls).await?;
        let (place, calls) = (place.clone(), Arc::clone(calls));
        Ok(Self { place, clients, turns: Turns::new(), calls, topics: Topics::default() })
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
        let key = &sought.key;
        let observed = match key.kind {
            Kind::EncryptionKey => self.observe_key(key, &sought.owner).await,
            Kind::Bucket => self.observe_bucket(key).await,
            Kind::CatalogDatabase => self.observe_database(key).await,
            Kind::Grant => self.observe_grants(key).await,
            Kind::FreshnessAlarm => self.observe_alarm(key).await,
        };
        observed.map_err(|failure| failure.of(Operation::Observe, key))
    }

    async fn create(&self, desired: &Desired) -> Result<(), ProviderError> {
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
