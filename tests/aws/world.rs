//! A world of the backend `aws` for one test: the emulators, and a provider on one account and region of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use async_trait::async_trait;
use dataproduct_operator::{
    api::{AwsBackend, AwsEndpoints, Backend, ProviderClassSpec},
    model::{measurement::Subject, resource::Key},
    provider::{
        SharedProvider,
        aws::{Aws, Call, Calls, Clock, Identity},
        conformance::World,
        layers,
        registry::{DEFAULT_RATE, Place, Registry},
    },
};

use crate::support::emulators::{ACCOUNT, Emulators, REGION};

/// The role of the operator in another account.
pub(crate) const OTHER_ACCOUNT: &str = "222222222222";

/// A provider behind the standard layers that reaches the emulators at these addresses, without quotas.
pub(crate) async fn provider_at(moto: &str, ministack: &str) -> Result<SharedProvider> {
    let calls = Arc::new(Calls::default());
    let aws = Aws::open(&settings(moto, ministack), &place(REGION), &identity(), &calls).await?;
    Ok(layers::standard(Arc::new(aws.unlimited()), DEFAULT_RATE, layers::OPERATION, Arc::default()))
}

/// A clock that stands still, and its seconds.
pub(crate) fn hand_turned() -> (Clock, Arc<AtomicU64>) {
    let seconds = Arc::new(AtomicU64::new(0));
    let read = Arc::clone(&seconds);
    (Clock::of(move || Duration::from_secs(read.load(Ordering::SeqCst))), seconds)
}

/// The emulators and a provider on them.
pub(crate) struct AwsWorld {
    pub(crate) emulators: Emulators,
    pub(crate) calls: Arc<Calls>,
    account: String,
    region: String,
    provider: SharedProvider,
}

/// The keys of the operator, which open nothing outside of the emulators.
pub(crate) fn identity() -> Identity {
    Identity::of_keys("testing", "testing")
}

/// Settings that lead to emulators at these addresses.
pub(crate) fn settings(moto: &str, ministack: &str) -> AwsBackend {
    let endpoints = AwsEndpoints {
        default: Some(moto.to_owned()),
        cloudwatch: Some(ministack.to_owned()),
        sns: Some(ministack.to_owned()),
        ..AwsEndpoints::default()
    };
    AwsBackend { endpoints: Some(endpoints), ..AwsBackend::default() }
}

/// The operator's own account in a region.
pub(crate) fn place(region: &str) -> Place {
    Place { account: ACCOUNT.to_owned(), region: region.to_owned(), role: None }
}

impl AwsWorld {
    /// The backend alone.
    pub(crate) async fn raw(region: &str) -> Result<Self> {
        Self::open(region, |aws| Arc::new(aws)).await
    }

    /// The backend behind the standard layers, under a clock and without quotas, which the emulators have none of.
    pub(crate) async fn steady(clock: Clock) -> Result<Self> {
        let layer = |aws: Aws| {
            let aws: SharedProvider = Arc::new(aws.timed_by(clock).unlimited());
            layers::standard(aws, DEFAULT_RATE, layers::OPERATION, Arc::default())
        };
        Self::open(REGION, layer).await
    }

    /// The provider, shared.
    pub(crate) fn shared(&self) -> SharedProvider {
        Arc::clone(&self.provider)
    }

    /// Number of calls so far that changed something.
    pub(crate) fn writes(&self) -> u64 {
        Call::ALL.iter().filter(|call| call.changes()).map(|call| self.calls.made(*call)).sum()
    }

    async fn open(region: &str, wrap: impl FnOnce(Aws) -> SharedProvider) -> Result<Self> {
        let emulators = Emulators::start().await?;
        let calls = Arc::new(Calls::default());
        let settings = settings(emulators.moto_url(), emulators.ministack_url());
        let aws = Aws::open(&settings, &place(region), &identity(), &calls).await?;
        Ok(Self {
            emulators,
            calls,
            account: ACCOUNT.to_owned(),
            region: region.to_owned(),
            provider: wrap(aws),
        })
    }

    /// The backend behind the standard layers, as the operator uses it, in another account by its role.
    pub(crate) async fn layered() -> Result<Self> {
        let emulators = Emulators::start().await?;
        let registry = Registry::default().acting_as(identity());
        let class = ProviderClassSpec {
            provider: Backend::Aws,
            aws: Some(settings(emulators.moto_url(), emulators.ministack_url())),
            ..ProviderClassSpec::default()
        };
        let place = Place {
            account: OTHER_ACCOUNT.to_owned(),
            region: REGION.to_owned(),
            role: Some(format!("arn:aws:iam::{OTHER_ACCOUNT}:role/datamesh-operator")),
        };
        let provider = registry.provider("aws", &class, &place).await?;
        let calls = Arc::clone(registry.calls());
        Ok(Self { emulators, calls, account: place.account, region: place.region, provider })
    }

    /// Publishes a value of a metric of a product, as whoever runs its pipeline would.
    pub(crate) async fn publish(&self, subject: &Subject, metric: &str, value: f64) -> Result<()> {
        let product = (subject.domain.as_str(), subject.product.as_str());
        self.emulators.publish(&self.region, product, metric, value).await
    }
}

#[async_trait]
impl World for AwsWorld {
    fn provider(&self) -> SharedProvider {
        Arc::clone(&self.provider)
    }

    async fn put_object(&self, bucket: &Key) -> Result<(), String> {
        self.emulators
            .put(&self.account, &format!("{}/object", bucket.name), "data")
            .await
            .map_err(|error| format!("{error:#}"))
    }

    async fn deliver(&self, subject: &Subject) -> Result<(), String> {
        self.put_object(&subject.bucket).await?;
        let published = self.publish(subject, "DataFreshnessMinutes", 12.0).await;
        published.map_err(|error| format!("{error:#}"))
    }

    async fn make_unmarked(&self, bucket: &Key) -> Result<bool, String> {
        self.emulators.put(&self.account, &bucket.name, "").await.map_err(|error| format!("{error:#}"))?;
        Ok(true)
    }
}
