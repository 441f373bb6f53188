//! moto with permissions looked at: the operator's own identity, people of an account, and roles with given policies.
//!
//! SNS is moto here as well. `CloudWatch` stays with `MiniStack`, which looks at no permission, because moto does not speak
//! the protocol of its client.

use std::sync::Arc;

use ::http::Request;
use anyhow::{Context, Result};
use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use dataproduct_operator::{
    api::{AwsBackend, AwsEndpoints},
    model::{measurement::Subject, resource::Key},
    provider::{
        ProviderError, SharedProvider,
        aws::{Aws, Calls, Identity, Policy},
        conformance::World,
        registry::Place,
    },
};

use crate::{
    audit::Auditor,
    support::{
        emulators::{ACCOUNT, Emulators, REGION},
        plain_http::send_ok,
    },
};

/// The name of the role of a domain, as the policies have it.
const ROLE: &str = "datamesh-operator";
/// What the people of an account may do.
const EVERYTHING: &str =
    r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;

/// The emulators, and the operator as a user of its own account.
pub(crate) struct Guarded {
    emulators: Emulators,
    operator: Identity,
}

impl Guarded {
    /// Starts the emulators and makes the operator, who may do what its policy says. Permissions are not looked at yet.
    pub(crate) async fn start() -> Result<Self> {
        let emulators = Emulators::start().await?;
        let policy = serde_json::to_string(&Policy::of_operator())?;
        let (id, secret) = user(emulators.moto_url(), ACCOUNT, "dataproduct-operator", &policy).await?;
        Ok(Self { emulators, operator: Identity::of_keys(&id, &secret) })
    }

    /// Makes the role of the operator in an account, with a policy.
    pub(crate) async fn admit(&self, account: &str, policy: &Policy) -> Result<()> {
        let trust = serde_json::to_string(&Policy::of_trust())?;
        let policy = serde_json::to_string(policy)?;
        let moto = self.emulators.moto_url();
        let role = [("Action", "CreateRole"), ("RoleName", ROLE), ("AssumeRolePolicyDocument", &trust)];
        iam(moto, account, &role).await?;
        let document = [
            ("Action", "PutRolePolicy"),
            ("RoleName", ROLE),
            ("PolicyName", "calls"),
            ("PolicyDocument", &policy),
        ];
        iam(moto, account, &document).await.map(drop)
    }

    /// Makes somebody in an account who may do everything there, as whoever runs its pipelines.
    pub(crate) async fn people(&self, account: &str) -> Result<Auditor> {
        let (id, secret) = user(self.emulators.moto_url(), account, "people", EVERYTHING).await?;
        Ok(Auditor::acting_as(&self.emulators, Credentials::new(id, secret, None, None, "people")))
    }

    /// From now on every call needs its permissions.
    pub(crate) async fn enforce(&self) -> Result<()> {
        self.emulators.check_permissions_after(Some(0)).await
    }

    /// The backend on an account, by the role there. Emulators have no quotas.
    pub(crate) async fn open(&self, account: &str, calls: &Arc<Calls>) -> Result<Aws, ProviderError> {
        let endpoints = AwsEndpoints {
            default: Some(self.emulators.moto_url().to_owned()),
            cloudwatch: Some(self.emulators.ministack_url().to_owned()),
            ..AwsEndpoints::default()
        };
        let settings = AwsBackend { endpoints: Some(endpoints), ..AwsBackend::default() };
        let role = Some(format!("arn:aws:iam::{account}:role/{ROLE}"));
        let place = Place { account: account.to_owned(), region: REGION.to_owned(), role };
        Ok(Aws::open(&settings, &place, &self.operator, calls).await?.unlimited())
    }
}

/// Makes a user with a policy and gives the keys of it.
async fn user(moto: &str, account: &str, name: &str, policy: &str) -> Result<(String, String)> {
    iam(moto, account, &[("Action", "CreateUser"), ("UserName", name)]).await?;
    let document =
        [("Action", "PutUserPolicy"), ("UserName", name), ("PolicyName", "all"), ("PolicyDocument", policy)];
    iam(moto, account, &document).await?;
    let keys = iam(moto, account, &[("Action", "CreateAccessKey"), ("UserName", name)]).await?;
    let element = |name: &str| {
        let rest = keys.split_once(&format!("<{name}>"))?.1;
        Some(rest.split_once('<')?.0.to_owned())
    };
    let pair = element("AccessKeyId").zip(element("SecretAccessKey"));
    pair.with_context(|| format!("no keys in {keys}"))
}

/// A call of IAM, which has no client here.
async fn iam(moto: &str, account: &str, parameters: &[(&str, &str)]) -> Result<String> {
    let pairs = parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
    let body = pairs.chain(["Version=2010-05-08".to_owned()]).collect::<Vec<_>>().join("&");
    let scope = "testing/20261126/us-east-1/iam/aws4_request";
    let request = Request::post(moto)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("X-Moto-Account-Id", account)
        .header(
            "Authorization",
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
        )
        .body(body)?;
    send_ok(request).await
}

/// A text as it stands in a form.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}

/// A world in which every call needs its permissions.
pub(crate) struct GuardedWorld<'a> {
    pub(crate) guarded: &'a Guarded,
    pub(crate) provider: SharedProvider,
    pub(crate) people: Auditor,
}

fn told(error: impl std::error::Error) -> String {
    format!("{error:?}")
}

#[async_trait]
impl World for GuardedWorld<'_> {
    fn provider(&self) -> SharedProvider {
        Arc::clone(&self.provider)
    }

    async fn put_object(&self, bucket: &Key) -> Result<(), String> {
        let request = self.people.s3.put_object().bucket(&bucket.name).key("object");
        request.body("data".to_owned().into_bytes().into()).send().await.map(drop).map_err(told)
    }

    async fn deliver(&self, subject: &Subject) -> Result<(), String> {
        self.put_object(&subject.bucket).await?;
        let product = (subject.domain.as_str(), subject.product.as_str());
        let published = self.guarded.emulators.publish(REGION, product, "DataFreshnessMinutes", 12.0).await;
        published.map_err(|error| format!("{error:#}"))
    }

    async fn make_unmarked(&self, bucket: &Key) -> Result<bool, String> {
        let here = BucketLocationConstraint::from(REGION);
        let here = CreateBucketConfiguration::builder().location_constraint(here).build();
        let request = self.people.s3.create_bucket().bucket(&bucket.name).create_bucket_configuration(here);
        request.send().await.map(|_| true).map_err(told)
    }
}
