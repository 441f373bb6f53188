//! Keeps policies compiled: beside the visits, because compiling what somebody else wrote may take a while.

use std::sync::Arc;

use super::{
    context::{Context, Watched},
    mesh::Mesh,
    watch::{self, Triggers},
};

/// Compiles policies whenever they change, for as long as it is polled, and has the products visited that this touches.
pub(super) async fn keep(ctx: Arc<Context>, triggers: Triggers) {
    ctx.until_listed().await;
    loop {
        let sources = ctx.read(Mesh::sources);
        let edition = sources.edition;
        match tokio::task::spawn_blocking(move || sources.compile()).await {
            Ok(policies) => {
                let touched = ctx.write(|mesh| mesh.adopt(edition, policies));
                watch::send(&ctx, &triggers, touched);
                ctx.mark_synced(Watched::Compiled);
                ctx.tallies.touch();
            }
            Err(error) => {
                tracing::error!(%error, "policies could not be compiled; the ones before stay in force");
            }
        }
        ctx.compile.notified().await;
    }
}
