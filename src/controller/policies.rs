//! What became of each policy: how many products it judges and how many break it, written to its status when that changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    future::pending,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::Notify;

use super::{
    context::Context,
    kubernetes::{self, RequestError},
    mesh::Mesh,
};
use crate::{
    api::{PolicyException, PolicyStatus},
    governance::{Policy, Report, standing},
    plan::ProductName,
};

/// How long changes are collected before they are written: many products are judged anew in the same moment.
const COLLECT: Duration = Duration::from_secs(1);
/// Number of faults that a status lists; the schema allows no more.
const MAX_ERRORS: usize = 64;
/// Pause after a write that failed.
const PAUSE: Duration = Duration::from_secs(10);

/// The violations of one product, by policy. A policy that judged it and found nothing counts zero.
type Counts = BTreeMap<Arc<str>, i32>;

/// How every product fared under every policy.
#[derive(Default)]
pub struct Tallies {
    products: Mutex<BTreeMap<ProductName, Counts>>,
    changed: Notify,
    /// Whether every product has been visited once since the process began.
    complete: AtomicBool,
}

impl Tallies {
    /// Takes up a judgement.
    pub fn judged(&self, product: &ProductName, report: Option<&Report>) {
        let mut counts: Counts =
            report.iter().flat_map(|report| &report.policies).map(|policy| (policy.clone(), 0)).collect();
        for violation in report.iter().flat_map(|report| &report.violations) {
            *counts.entry(violation.rule.policy.clone()).or_default() += 1;
        }
        let mut products = self.products.lock().unwrap_or_else(PoisonError::into_inner);
        if products.get(product) != Some(&counts) {
            products.insert(product.clone(), counts);
            self.changed.notify_one();
        }
    }

    /// Whether the counts are of the whole mesh. A process that has just begun knows less than its predecessor wrote.
    fn is_complete(&self, mesh: &BTreeSet<ProductName>) -> bool {
        let products = self.products.lock().unwrap_or_else(PoisonError::into_inner);
        let complete =
            self.complete.load(Ordering::SeqCst) || mesh.iter().all(|name| products.contains_key(name));
        self.complete.store(complete, Ordering::SeqCst);
        complete
    }

    /// Forgets a product that is gone.
    pub fn forget(&self, product: &ProductName) {
        if self.products.lock().unwrap_or_else(PoisonError::into_inner).remove(product).is_some() {
            self.changed.notify_one();
        }
    }

    /// Notes that policies themselves have changed.
    pub fn touch(&self) {
        self.changed.notify_one();
    }

    fn status(&self, policy: &Policy, generation: Option<i64>) -> PolicyStatus {
        let products = self.products.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = products.values().filter_map(|counts| counts.get(&policy.source));
        let (evaluated, failing, violations) = counts.fold((0, 0, 0), |(evaluated, failing, all), count| {
            (evaluated + 1, failing + i32::from(*count > 0), all + count)
        });
        PolicyStatus {
            observed_generation: generation,
            evaluated,
            failing,
            violations,
            faults: i32::try_from(policy.faults.len()).unwrap_or(i32::MAX),
            errors: policy.faults.iter().take(MAX_ERRORS).cloned().collect(),
        }
    }
}

/// Keeps the status of every policy true, for as long as it is polled.
pub async fn report(ctx: Arc<Context>) {
    ctx.until_synced().await;
    if !ctx.leadership.until_leader().await {
        // The process ends; who leads next writes.
        return pending().await;
    }
    loop {
        ctx.tallies.changed.notified().await;
        tokio::time::sleep(COLLECT).await;
        if !write_all(&ctx).await {
            tokio::time::sleep(PAUSE).await;
            ctx.tallies.touch();
        }
    }
}

/// Writes what differs. Whether everything was written.
async fn write_all(ctx: &Context) -> bool {
    if !ctx.read(Mesh::is_compiled) {
        // What is compiled is told once it is.
        return true;
    }
    let (policies, global, of_domains) = ctx.read(|mesh| {
        (Arc::clone(mesh.policies()), mesh.global_policies.clone(), mesh.domain_policies.clone())
    });
    let mut written = true;
    let complete = ctx.tallies.is_complete(&ctx.read(Mesh::products));
    let sees_all = ctx.horizon().is_none();
    for policy in policies.policies().filter(|_| complete) {
        let Some((kind, name)) = policy.source.split_once('/') else { continue };
        written &= match kind {
            // Who sees one namespace does not know how the mesh fares; several of them would write over each other for ever.
            "GovernancePolicy" if !sees_all => true,
            "GovernancePolicy" => match global.get(name) {
                Some(object) => write(ctx, policy, object.as_ref(), object.status.as_ref()).await,
                None => true,
            },
            _ => match of_domains.get(name) {
                Some(object) => write(ctx, policy, object.as_ref(), object.status.as_ref()).await,
                None => true,
            },
        };
    }
    for exception in ctx.read(|mesh| mesh.exceptions.clone()).values() {
        written &= write_standing(ctx, exception).await;
    }
    written
}

/// Tells whoever asked for an exception where it stands. Before there are standards nobody knows how long it may last.
async fn write_standing(ctx: &Context, exception: &PolicyException) -> bool {
    let Some(standards) = ctx.read(|mesh| mesh.standards.clone()) else { return true };
    let (state, message, _) = standing(exception, &standards.spec, (ctx.now)());
    let seen = exception.status.clone().unwrap_or_default();
    let generation = exception.metadata.generation;
    let known = (seen.observed_generation, seen.state, seen.message.as_deref());
    if known == (generation, Some(state), Some(message.as_str())) {
        return true;
    }
    let told = json!({"observedGeneration": generation, "state": state, "message": message});
    done(kubernetes::write_part_of_status(&ctx.client, exception, &told).await, &exception.name_any())
}

/// Whether a write is over. One that nobody can read any more is.
fn done(written: Result<(), RequestError>, name: &str) -> bool {
    match written {
        Ok(()) => true,
        Err(error) if error.is_about_another_object() => true,
        Err(error) => {
            tracing::warn!(name, %error, "the status of a policy or an exception could not be written");
            false
        }
    }
}

async fn write<K>(ctx: &Context, policy: &Policy, object: &K, seen: Option<&PolicyStatus>) -> bool
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug,
{
    let status = ctx.tallies.status(policy, object.meta().generation);
    if seen == Some(&status) {
        return true;
    }
    let status = json!(status);
    done(kubernetes::write_part_of_status(&ctx.client, object, &status).await, &policy.source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::{DataProduct, DataProductSpec, PlatformStandardsSpec},
        governance::{Input, RULES, policies_of},
    };

    fn name(name: &str) -> ProductName {
        ProductName { namespace: "n".to_owned(), name: name.to_owned() }
    }

    #[test]
    fn a_policy_counts_the_products_that_it_judges_once_all_have_been_visited() {
        let rules = RULES.iter().filter(|rule| rule.id == "SEC-001").copied().collect::<Vec<_>>();
        let policies = policies_of(&rules);
        let policy = policies.policies().next().expect("one policy");
        let product = DataProduct::new("p", DataProductSpec::default());
        let standards = PlatformStandardsSpec::default();
        let report = policies.evaluate(&Input::of(&product, &standards));
        let tallies = Tallies::default();
        let mesh = [name("broken"), name("going")].into();
        tallies.judged(&name("broken"), Some(&report));
        assert!(!tallies.is_complete(&mesh), "one has not been visited yet");
        tallies.judged(&name("going"), None);
        assert!(tallies.is_complete(&mesh));
        let counts = |tallies: &Tallies| {
            let status = tallies.status(policy, Some(1));
            (status.evaluated, status.failing, status.violations)
        };
        assert_eq!(counts(&tallies), (1, 1, 1));
        tallies.forget(&name("broken"));
        assert_eq!(counts(&tallies), (0, 0, 0));
        assert!(tallies.is_complete(&[name("new")].into()), "a new product holds nothing back");
    }
}
