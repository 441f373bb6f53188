//! The clients of one account and region: whose credentials they use, where they send, and how long they wait.
//!
//! Credentials come from the operator's own environment (variables, profile, web identity, container, instance), and from
//! there by the role that a domain names. The SDK's own retries are off for every call: they repeat creates that have no
//! token, and the layers around the backend retry what may be retried.

use std::time::Duration;

use aws_config::{
    BehaviorVersion, Region, SdkConfig, retry::RetryConfig, sts::AssumeRoleProvider, timeout::TimeoutConfig,
};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};

use super::{
    calls::{Call, Calls},
    failure::Failure,
};
use crate::{
    api::{AwsBackend, AwsEndpoints},
    provider::{ErrorKind, Operation, ProviderError, registry::Place},
};

/// Longest time until a connection stands.
const CONNECT: Duration = Duration::from_secs(3);
/// Longest time of one call.
const CALL: Duration = Duration::from_secs(5);
/// Under which name the operator's sessions appear in the audit log of an account.
const SESSION: &str = "dataproduct-operator";

/// Who the operator is before it assumes any role: what its environment says, unless it is told otherwise.
#[derive(Debug, Clone, Default)]
pub struct Identity(Option<SharedCredentialsProvider>);

impl Identity {
    /// A fixed pair of keys, for tests: nothing that a user sets leads here.
    pub fn of_keys(id: &str, secret: &str) -> Self {
        let keys = Credentials::new(id, secret, None, None, "given");
        Self(Some(SharedCredentialsProvider::new(keys)))
    }
}

/// One client a service.
#[derive(Debug, Clone)]
pub(super) struct Clients {
    pub(super) cloudwatch: aws_sdk_cloudwatch::Client,
    pub(super) glue: aws_sdk_glue::Client,
    pub(super) kms: aws_sdk_kms::Client,
    pub(super) lakeformation: aws_sdk_lakeformation::Client,
    pub(super) s3: aws_sdk_s3::Client,
    pub(super) sns: aws_sdk_sns::Client,
    pub(super) tagging: aws_sdk_resourcegroupstagging::Client,
}

impl Clients {
    /// Opens the clients of a place, and proves that their credentials are of its account. Gives the ARN that the operator
    /// has there, too.
    pub(super) async fn open(
        settings: &AwsBackend,
        place: &Place,
        identity: &Identity,
        calls: &Calls,
    ) -> Result<(Self, String), ProviderError> {
        let endpoints = settings.endpoints.clone().unwrap_or_default();
        let own = operator(place, identity).await;
        let config = match &place.role {
            None => own,
            Some(role) => assumed(own, role, &endpoints).await,
        };
        let caller = check_account(&config, &endpoints, place, calls).await?;
        Ok((Self::of(&config, &endpoints), caller))
    }

    fn of(config: &SdkConfig, endpoints: &AwsEndpoints) -> Self {
        let at = |service: &Option<String>| service.clone().or_else(|| endpoints.default.clone());
        macro_rules! client {
            ($service:ident, $endpoint:ident) => {{
                let mut builder = $service::config::Builder::from(config);
                builder
                    .set_endpoint_url(at(&endpoints.$endpoint).or(config.endpoint_url().map(str::to_owned)));
                builder
            }};
        }
        let mut s3 = client!(aws_sdk_s3, s3);
        // Whoever answers at a given address does not answer at a subdomain of it for every bucket.
        s3.set_force_path_style(at(&endpoints.s3).map(|_| true));
        Self {
            cloudwatch: aws_sdk_cloudwatch::Client::from_conf(
                client!(aws_sdk_cloudwatch, cloudwatch).build(),
            ),
            glue: aws_sdk_glue::Client::from_conf(client!(aws_sdk_glue, glue).build()),
            kms: aws_sdk_kms::Client::from_conf(client!(aws_sdk_kms, kms).build()),
            lakeformation: aws_sdk_lakeformation::Client::from_conf(
                client!(aws_sdk_lakeformation, lakeformation).build(),
            ),
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
            sns: aws_sdk_sns::Client::from_conf(client!(aws_sdk_sns, sns).build()),
            tagging: aws_sdk_resourcegroupstagging::Client::from_conf(
                client!(aws_sdk_resourcegroupstagging, tagging).build(),
            ),
        }
    }
}

/// The operator's own identity, as its environment gives it.
async fn operator(place: &Place, identity: &Identity) -> SdkConfig {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_timeout(CALL).build();
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::new(place.region.clone()))
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts);
    if let Some(credentials) = &identity.0 {
        loader = loader.credentials_provider(credentials.clone());
    }
    loader.load().await
}

/// The identity of a role that the operator assumes.
async fn assumed(own: SdkConfig, role: &str, endpoints: &AwsEndpoints) -> SdkConfig {
    let mut sts = own.to_builder();
    if let Some(endpoint) = endpoints.sts.as_ref().or(endpoints.default.as_ref()) {
        sts.set_endpoint_url(Some(endpoint.clone()));
    }
    let provider =
        AssumeRoleProvider::builder(role).session_name(SESSION).configure(&sts.build()).build().await;
    own.into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build()
}

/// Refuses to work in another account than the one that the product belongs to, whatever the environment holds. Gives the
/// ARN of the caller.
async fn check_account(
    config: &SdkConfig,
    endpoints: &AwsEndpoints,
    place: &Place,
    calls: &Calls,
) -> Result<String, ProviderError> {
    let mut sts = aws_sdk_sts::config::Builder::from(config);
    if let Some(endpoint) = endpoints.sts.as_ref().or(endpoints.default.as_ref()) {
        sts.set_endpoint_url(Some(endpoint.clone()));
    }
    let who = aws_sdk_sts::Client::from_conf(sts.build()).get_caller_identity().send().await;
    let who = who.map_err(|error| Failure::from_sdk(Call::GetCallerIdentity.operation(), error));
    calls.count(Call::GetCallerIdentity, who.as_ref().err().map(|failure| failure.kind));
    let role = place.role.as_deref().unwrap_or("the operator's own identity");
    let failed = |kind, message: String| ProviderError::new(kind, Operation::Connect, message);
    let (account, caller) = match who {
        Ok(identity) => (identity.account.unwrap_or_default(), identity.arn.unwrap_or_default()),
        Err(failure) => {
            let message = format!("account {} cannot be entered as {role}: {failure}", place.account);
            return Err(failed(failure.kind, message).caused_by(failure));
        }
    };
    if account == place.account {
        return Ok(caller);
    }
    let message = format!(
        "the credentials of {role} are of account {account}, the product belongs to {}; set spec.account.operatorRoleArn of the DataDomain to a role there",
        place.account
    );
    Err(failed(ErrorKind::Denied, message))
}
