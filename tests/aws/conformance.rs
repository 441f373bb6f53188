//! The backend keeps every promise of the seam, alone and behind the layers, in its own account and in another one.

use anyhow::Result;
use dataproduct_operator::provider::conformance::check;

use crate::{support::emulators::REGION, world::AwsWorld};

#[tokio::test]
async fn the_aws_backend_keeps_every_promise() -> Result<()> {
    assert_eq!(check(&AwsWorld::raw(REGION).await?).await, []);
    Ok(())
}

#[tokio::test]
async fn the_aws_backend_keeps_every_promise_in_the_default_region() -> Result<()> {
    assert_eq!(check(&AwsWorld::raw("us-east-1").await?).await, []);
    Ok(())
}

#[tokio::test]
async fn the_aws_backend_keeps_every_promise_behind_the_layers_and_in_another_account() -> Result<()> {
    assert_eq!(check(&AwsWorld::layered().await?).await, []);
    Ok(())
}
