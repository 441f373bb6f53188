//! What is really in the account, asked by clients of our own and not by the backend.

use anyhow::{Context, Result};
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_sdk_kms::types::KeyState;
use aws_sdk_resourcegroupstagging::types::TagFilter;

use crate::support::emulators::REGION;

/// Clients that go straight to moto.
pub(crate) struct Auditor {
    pub(crate) kms: aws_sdk_kms::Client,
    tagging: aws_sdk_resourcegroupstagging::Client,
}

impl Auditor {
    pub(crate) fn of(moto: &str) -> Self {
        macro_rules! client {
            ($service:ident) => {
                $service::Client::from_conf(
                    $service::Config::builder()
                        .behavior_version(BehaviorVersion::v2026_01_12())
                        .region(Region::new(REGION))
                        .credentials_provider(Credentials::new("testing", "testing", None, None, "test"))
                        .endpoint_url(moto)
                        .build(),
                )
            };
        }
        Self { kms: client!(aws_sdk_kms), tagging: client!(aws_sdk_resourcegroupstagging) }
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
