//! What the operator writes for other tools, where somebody asked for it: reports in the format of OpenReports.
//!
//! Nothing depends on these: one that cannot be written is told in the log and written with the next change.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use kube::ResourceExt;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::{context::Context, kubernetes};
use crate::{
    api::{DataProduct, DataProductStatus},
    plan::ProductName,
    status::open_report,
};

/// How long the API counts as absent after it was found so.
const ABSENT: Duration = Duration::from_mins(10);

/// A kind of output for other tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// One Report of openreports.io a product, where that API is installed.
    Openreports,
}

/// The outputs that are switched on, and what was written.
#[derive(Debug, Default)]
pub struct Outputs {
    on: Vec<Output>,
    written: Mutex<BTreeMap<ProductName, [u8; 32]>>,
    absent: Mutex<Option<Instant>>,
}

impl Outputs {
    /// Outputs of some kinds.
    pub fn of(on: Vec<Output>) -> Self {
        Self { on, ..Self::default() }
    }

    /// Forgets a product that is gone. Its report goes with it, because the product owns it.
    pub fn forget(&self, product: &ProductName) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).remove(product);
    }

    fn is_absent(&self) -> bool {
        let absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
        absent.is_some_and(|since| since.elapsed() < ABSENT)
    }

    fn found_absent(&self) {
        let mut absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
        if absent.is_none() {
            tracing::warn!("the API openreports.io is not installed; no reports are written until it is");
        }
        *absent = Some(Instant::now());
    }

    fn last(&self, product: &ProductName) -> Option<[u8; 32]> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).get(product).copied()
    }

    fn wrote(&self, product: ProductName, hash: [u8; 32]) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).insert(product, hash);
        *self.absent.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Writes the report on a product, where that is asked for and it differs from the one before. `rules` is the number of
/// rules that were evaluated.
pub async fn write(ctx: &Context, product: &DataProduct, status: &DataProductStatus, rules: i32) {
    let outputs = &ctx.outputs;
    let Some(governance) = &status.governance else { return };
    if !outputs.on.contains(&Output::Openreports) || outputs.is_absent() {
        return;
    }
    let report = open_report::open_report(product, governance, rules);
    let name = ProductName::of(product);
    // Plain data, whose serialization cannot fail.
    let hash: [u8; 32] = Sha256::digest(serde_json::to_vec(&report).unwrap_or_default()).into();
    if outputs.last(&name) == Some(hash) {
        return;
    }
    match put(ctx, &name, &report, outputs.last(&name).is_none()).await {
        Ok(()) => outputs.wrote(name, hash),
        Err(error) if error.is_about_another_object() => outputs.found_absent(),
        Err(error) => tracing::warn!(product = %name, %error, "the report could not be written"),
    }
}

/// Writes a report. A process that has just begun looks first whether its predecessor wrote the same.
async fn put(
    ctx: &Context,
    product: &ProductName,
    report: &Value,
    look: bool,
) -> Result<(), kubernetes::RequestError> {
    let name = open_report::name(&product.name);
    if look
        && let Some(found) =
            kubernetes::foreign(&ctx.client, open_report::RESOURCE, &product.namespace, &name).await?
    {
        let same = |part: &str| found.data.get(part) == report.get(part);
        let owned = found
            .owner_references()
            .iter()
            .any(|owner| report["metadata"]["ownerReferences"][0]["uid"] == owner.uid);
        if owned && ["results", "summary", "scope", "source"].into_iter().all(same) {
            return Ok(());
        }
    }
    kubernetes::apply_foreign(&ctx.client, open_report::RESOURCE, &product.namespace, &name, report).await
}
