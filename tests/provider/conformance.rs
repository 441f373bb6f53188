//! Every backend keeps every promise, alone and behind the layers.

use dataproduct_operator::provider::conformance::check;

use crate::world::LocalWorld;

#[tokio::test]
async fn the_local_backend_keeps_every_promise() {
    assert_eq!(check(&LocalWorld::raw()).await, []);
}

#[tokio::test]
async fn the_local_backend_keeps_every_promise_behind_the_layers() {
    assert_eq!(check(&LocalWorld::layered().await).await, []);
}
