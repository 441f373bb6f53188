//! Everything that is marked in an account, as `dataproduct orphans` asks for it.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use dataproduct_operator::{
    api::{Backend, ProviderClassSpec},
    model::resource::{Kind, Look},
    provider::{aws::Clock, registry::Registry},
};

use crate::{
    mesh::{assert_done, product, visit},
    support::emulators::REGION,
    world::{AwsWorld, identity, place, settings},
};

#[tokio::test]
async fn keys_and_buckets_of_a_product_are_listed_with_its_mark() -> Result<()> {
    let world = AwsWorld::steady(Clock::default()).await?;
    let mut declared = product("ours");
    assert_done(&visit(&world.shared(), &mut declared, Look::Full).await?);
    world.emulators.put(&place(REGION).account, "somebody-elses", "").await?;

    let class = ProviderClassSpec {
        provider: Backend::Aws,
        aws: Some(settings(world.emulators.moto_url(), world.emulators.ministack_url())),
        ..ProviderClassSpec::default()
    };
    let registry = Registry::default().acting_as(identity());
    let marked = registry.marked(&class, &place(REGION)).await?;
    let kinds = marked.iter().map(|marked| marked.key.kind).collect::<BTreeSet<_>>();
    ensure!(kinds == BTreeSet::from([Kind::EncryptionKey, Kind::Bucket]) && marked.len() == 2, "{marked:?}");
    ensure!(marked.iter().all(|marked| marked.owner.product == "orders/ours"), "{marked:?}");
    ensure!(marked.iter().all(|marked| marked.id.starts_with("arn:aws:")), "{marked:?}");
    Ok(())
}
