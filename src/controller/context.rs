//! What every reconcile shares.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, OnceLock, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use kube::{Client, runtime::reflector::Store};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use super::{
    bench::Bench, guard::Guarded, leader::Leadership, mesh::Mesh, outputs::Outputs, policies::Tallies,
    pulse::Pulse, visits::Visits, watches::Watches,
};
use crate::{
    governance::{Judgement, Precedents},
    plan::ProductName,
    provider::registry::Registry,
};

/// Longest time of one request to the API server.
pub const REQUEST: Duration = Duration::from_secs(15);
/// Longest time of one reconcile.
pub const RECONCILE: Duration = Duration::from_mins(2);

/// Longest time in which a watch may be behind our own writes. After it what the watch shows is believed, whatever it is:
/// an API server that was restored from a backup counts its versions from an older one on.
const BEHIND: Duration = Duration::from_mins(1);

/// Reads the time. Tests give another one.
pub type Now = Box<dyn Fn() -> Timestamp + Send + Sync>;

/// What every reconcile shares.
pub struct Context {
    /// The API server.
    pub client: Client,
    /// Identity of the cluster, as it is written on resources.
    pub cluster: String,
    /// What the watches have shown.
    pub mesh: RwLock<Mesh>,
    /// The providers.
    pub registry: Registry,
    /// How products fare under policies.
    pub tallies: Tallies,
    /// Tells that policies are to be compiled.
    pub compile: Notify,
    /// Whether products are let go instead of visited, because the operator is about to be uninstalled.
    pub leaving: bool,
    /// What is written for other tools.
    pub outputs: Outputs,
    /// Where judgements are made that may take long.
    pub bench: Bench,
    /// Whether this process visits products.
    pub leadership: Leadership,
    /// How visits went.
    pub visits: Visits,
    /// How watches fare.
    pub watches: Watches,
    /// Whether it is alive.
    pub pulse: Pulse,
    /// Reads the time.
    pub now: Now,
    /// Name of this process, for events.
    pub instance: String,
    attempts: Mutex<BTreeMap<ProductName, u32>>,
    written: Mutex<BTreeMap<ProductName, Written>>,
    evaluations: AtomicU64,
    policy_evaluations: AtomicU64,
    precedents: Mutex<BTreeMap<ProductName, Arc<Precedents>>>,
    synced: watch::Sender<u32>,
    store: OnceLock<Store<Guarded>>,
}

/// The version of a product after our own last write. Versions are numbers that grow; one that is none is never outdated.
#[derive(Debug, Clone, Copy)]
struct Written {
    version: u64,
    at: Instant,
}

/// The watches that must have shown everything once before anything is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watched {
    /// Products.
    Products = 1,
    /// Domains.
    Domains = 2,
    /// Provider classes.
    Classes = 4,
    /// The platform's standards.
    Standards = 8,
    /// Namespaces.
    Namespaces = 16,
    /// Policies of the central group.
    GovernancePolicies = 32,
    /// Policies of domains.
    DomainPolicies = 64,
    /// Exceptions.
    Exceptions = 128,
    /// The policies, compiled after all of them were shown.
    Compiled = 256,
}

const ALL_WATCHED: u32 = 511;
const ALL_LISTED: u32 = ALL_WATCHED & !(Watched::Compiled as u32);

impl Context {
    /// A context with an empty mesh.
    pub fn new(client: Client, cluster: String, registry: Registry) -> Self {
        Self {
            client,
            cluster,
            mesh: RwLock::default(),
            registry,
            tallies: Tallies::default(),
            compile: Notify::new(),
            leaving: false,
            outputs: Outputs::default(),
            bench: Bench::default(),
            leadership: Leadership::default(),
            visits: Visits::default(),
            watches: Watches::default(),
            pulse: Pulse::default(),
            now: Box::new(Timestamp::now),
            instance: instance(),
            attempts: Mutex::default(),
            written: Mutex::default(),
            evaluations: AtomicU64::new(0),
            policy_evaluations: AtomicU64::new(0),
            precedents: Mutex::default(),
            synced: watch::Sender::new(0),
            store: OnceLock::new(),
        }
    }

    /// Takes note of where the watch keeps products.
    pub(super) fn knows(&self, store: Store<Guarded>) {
        // A context serves one run; of a second one nobody would read the store.
        let _ = self.store.set(store);
    }

    /// Every product as the watch showed it last.
    pub fn products(&self) -> Vec<Arc<Guarded>> {
        self.store.get().map(Store::state).unwrap_or_default()
    }

    /// Reads the mesh.
    pub fn read<T>(&self, look: impl FnOnce(&Mesh) -> T) -> T {
        look(&self.mesh.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the mesh.
    pub fn write<T>(&self, change: impl FnOnce(&mut Mesh) -> T) -> T {
        change(&mut self.mesh.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// The only namespace whose products are seen; `None` where all are.
    pub fn horizon(&self) -> Option<String> {
        self.read(|mesh| mesh.horizon.clone())
    }

    /// Records that a watch has shown everything once.
    pub fn mark_synced(&self, watched: Watched) {
        self.synced.send_modify(|synced| *synced |= watched as u32);
    }

    /// Whether every watch has shown everything once, and policies are ready.
    pub fn is_synced(&self) -> bool {
        *self.synced.borrow() == ALL_WATCHED
    }

    /// Waits until every watch has shown everything once, so that policies can be compiled.
    pub async fn until_listed(&self) {
        let mut synced = self.synced.subscribe();
        // The sender lives as long as the context, so the wait cannot fail.
        let _ = synced.wait_for(|synced| synced & ALL_LISTED == ALL_LISTED).await;
    }

    /// Waits until every watch has shown everything once and policies are ready. A decision before would not see who else claims a name.
    pub async fn until_synced(&self) {
        let mut synced = self.synced.subscribe();
        // The sender lives as long as the context, so the wait cannot fail.
        let _ = synced.wait_for(|synced| *synced == ALL_WATCHED).await;
    }

    /// Counts a failed visit and returns how many there were in a row.
    pub fn failed(&self, product: &ProductName) -> u32 {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = attempts.entry(product.clone()).or_default();
        *count = count.saturating_add(1);
        *count
    }

    /// Forgets failed visits.
    pub fn succeeded(&self, product: &ProductName) {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner).remove(product);
    }

    /// Records the version that a write of ours gave to a product.
    pub fn wrote(&self, product: &ProductName, version: &str) {
        if let Ok(version) = version.parse() {
            let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            written.insert(product.clone(), Written { version, at: Instant::now() });
        }
    }

    /// Whether a version of a product is older than what we wrote a short while ago, so that the watch is still behind.
    pub fn is_outdated(&self, product: &ProductName, version: &str) -> bool {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        match written.get(product) {
            None => false,
            Some(last) if last.at.elapsed() > BEHIND => {
                written.remove(product);
                false
            }
            Some(last) => version.parse::<u64>().is_ok_and(|version| version < last.version),
        }
    }

    /// Forgets everything about a product that is gone.
    pub fn forget(&self, product: &ProductName) {
        self.succeeded(product);
        self.tallies.forget(product);
        self.outputs.forget(product);
        self.precedents.lock().unwrap_or_else(PoisonError::into_inner).remove(product);
        self.written.lock().unwrap_or_else(PoisonError::into_inner).remove(product);
    }

    /// Counts a judgement of a product, and keeps what the next one may take from it.
    pub fn judged(&self, product: &ProductName, judgement: Option<&Judgement>) {
        self.evaluations.fetch_add(1, Ordering::Relaxed);
        let Some(judgement) = judgement else { return };
        self.policy_evaluations.fetch_add(judgement.evaluated, Ordering::Relaxed);
        let mut precedents = self.precedents.lock().unwrap_or_else(PoisonError::into_inner);
        precedents.insert(product.clone(), Arc::new(judgement.precedents.clone()));
    }

    /// What the policies found when they judged a product before.
    pub fn precedents(&self, product: &ProductName) -> Arc<Precedents> {
        let precedents = self.precedents.lock().unwrap_or_else(PoisonError::into_inner);
        precedents.get(product).cloned().unwrap_or_default()
    }

    /// Number of judgements of products so far.
    pub fn evaluations(&self) -> u64 {
        self.evaluations.load(Ordering::Relaxed)
    }

    /// Number of evaluations of one policy on one product so far. A policy that read nothing that changed is not evaluated.
    pub fn policy_evaluations(&self) -> u64 {
        self.policy_evaluations.load(Ordering::Relaxed)
    }
}

/// The name of the pod, or of the process.
pub fn instance() -> String {
    std::env::var("POD_NAME")
        .or_else(|_| std::env::var("HOSTNAME"))
        .unwrap_or_else(|_| std::process::id().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_older_than_our_own_write_is_outdated_for_a_while() {
        let service = tower::service_fn(|_: http::Request<kube::client::Body>| async {
            http::Response::builder().body(kube::client::Body::empty())
        });
        let ctx = Context::new(Client::new(service, "default"), "c".to_owned(), Registry::default());
        let name = ProductName { namespace: "n".to_owned(), name: "p".to_owned() };
        assert!(!ctx.is_outdated(&name, "1"), "nothing was written");
        ctx.wrote(&name, "9");
        ctx.wrote(&name, "10");
        for (version, expected) in [("8", true), ("9", true), ("10", false), ("11", false), ("opaque", false)]
        {
            assert_eq!(ctx.is_outdated(&name, version), expected, "{version}");
        }
        tokio::time::advance(BEHIND + Duration::from_secs(1)).await;
        assert!(!ctx.is_outdated(&name, "8"), "a watch that shows nothing newer for so long is believed");
    }
}
