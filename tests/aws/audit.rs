//! What is really in the account, asked by clients of our own and not by the backend.

use anyhow::{Context, Result};
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_kms::types::KeyState;
use aws_sdk_resourcegroupstagging::types::TagFilter;

use crate::support::emulators::{Emulators, REGION};

/// Clients that go straight to the emulators.
pub(crate) struct Auditor {
    pub(crate) cloudwatch: aws_sdk_cloudwatch::Client,
    pub(crate) glue: aws_sdk_glue::Client,
    pub(crate) kms: aws_sdk_kms::Client,
    pub(crate) lakeformation: aws_sdk_lakeformation::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    tagging: aws_sdk_resourcegroupstagging::Client,
}

fn keys() -> Credentials {
    Credentials::new("testing", "testing", None, None, "test")
}

impl Auditor {
    pub(crate) fn of(emulators: &Emulators) -> Self {
        Self::acting_as(emulators, keys())
    }

    /// Clients with the keys of somebody.
    pub(crate) fn acting_as(emulators: &Emulators, keys: Credentials) -> Self {
        let keys = SharedCredentialsProvider::new(keys);
        let config = |url: &str| {
            aws_config::SdkConfig::builder()
                .behavior_version(BehaviorVersion::v2026_01_12())
                .region(Region::new(REGION))
                .credentials_provider(keys.clone())
                .endpoint_url(url)
                .build()
        };
        let (moto, ministack) = (config(emulators.moto_url()), config(emulators.ministack_url()));
        let s3 = aws_sdk_s3::config::Builder::from(&moto).force_path_style(true).build();
        Self {
            cloudwatch: aws_sdk_cloudwatch::Client::new(&ministack),
            glue: aws_sdk_glue::Client::new(&moto),
            kms: aws_sdk_kms::Client::new(&moto),
            lakeformation: aws_sdk_lakeformation::Client::new(&moto),
            s3: aws_sdk_s3::Client::from_conf(s3),
            tagging: aws_sdk_resourcegroupstagging::Client::new(&moto),
        }
    }

    /// The keys of a product by their state: how many are in use, and how many end.
    pub(crate) async fn keys(&self, product: &str) -> Result<(usize, usize)> {
        let filter = TagFilter::builder().key("datamesh.io/product").values(product).build();
        let found = self.tagging.get_resources().resource_type_filters("kms:key").tag_filters(filter);
        let (mut used, mut ending) = (0, 0);
        for key in found.send().await?.resource_tag_mapping_list.unwrap_or_default() {
            let arn = key.resource_arn.context("a key without an ARN")?;
            let key =
                self.kms.describe_key().key_id(arn).send().await?.key_metadata.context("no metadata")?;
            if key.key_state == Some(KeyState::PendingDeletion) { ending += 1 } else { used += 1 }
        }
        Ok((used, ending))
    }
}
