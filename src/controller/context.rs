//! What every reconcile shares.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use kube::Client;
use tokio::sync::watch;

use super::mesh::Mesh;
use crate::{plan::ProductName, provider::registry::Registry};

/// Longest time of one request to the API server.
pub const REQUEST: Duration = Duration::from_secs(15);
/// Longest time of one reconcile.
pub const RECONCILE: Duration = Duration::from_mins(2);

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
    /// Reads the time.
    pub now: Now,
    /// Name of this process, for events.
    pub instance: String,
    attempts: Mutex<BTreeMap<ProductName, u32>>,
    written: Mutex<BTreeMap<ProductName, Written>>,
    evaluations: AtomicU64,
    synced: watch::Sender<u32>,
}

/// The versions of a product around our own writes.
#[derive(Debug, Default)]
struct Written {
    replaced: BTreeSet<String>,
    newest: String,
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
}

const ALL_WATCHED: u32 = 31;

impl Context {
    /// A context with an empty mesh.
    pub fn new(client: Client, cluster: String, registry: Registry) -> Self {
        Self {
            client,
            cluster,
            mesh: RwLock::default(),
            registry,
            now: Box::new(Timestamp::now),
            instance: instance(),
            attempts: Mutex::default(),
            written: Mutex::default(),
            evaluations: AtomicU64::new(0),
            synced: watch::Sender::new(0),
        }
    }

    /// Reads the mesh.
    pub fn read<T>(&self, look: impl FnOnce(&Mesh) -> T) -> T {
        look(&self.mesh.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the mesh.
    pub fn write<T>(&self, change: impl FnOnce(&mut Mesh) -> T) -> T {
        change(&mut self.mesh.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Records that a watch has shown everything once.
    pub fn mark_synced(&self, watched: Watched) {
        self.synced.send_modify(|synced| *synced |= watched as u32);
    }

    /// Whether every watch has shown everything once.
    pub fn is_synced(&self) -> bool {
        *self.synced.borrow() == ALL_WATCHED
    }

    /// Waits until every watch has shown everything once. A decision before would not see who else claims a name.
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

    /// Records that a write of ours turned one version of a product into another.
    pub fn wrote(&self, product: &ProductName, from: String, to: String) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let written = written.entry(product.clone()).or_default();
        let before = std::mem::replace(&mut written.newest, to);
        written.replaced.extend([from, before]);
        // A write that changed nothing replaces nothing.
        written.replaced.remove(&written.newest);
    }

    /// Whether a version of a product is one that a write of ours has replaced, so that the watch is still behind.
    pub fn is_outdated(&self, product: &ProductName, version: &str) -> bool {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let outdated = written.get(product).is_some_and(|written| written.replaced.contains(version));
        if !outdated {
            written.remove(product);
        }
        outdated
    }

    /// Forgets everything about a product that is gone.
    pub fn forget(&self, product: &ProductName) {
        self.succeeded(product);
        self.written.lock().unwrap_or_else(PoisonError::into_inner).remove(product);
    }

    /// Counts an evaluation of a product's policies.
    pub fn evaluated(&self) {
        self.evaluations.fetch_add(1, Ordering::Relaxed);
    }

    /// Number of evaluations so far.
    pub fn evaluations(&self) -> u64 {
        self.evaluations.load(Ordering::Relaxed)
    }
}

/// The name of the pod, or of the process.
fn instance() -> String {
    std::env::var("POD_NAME")
        .or_else(|_| std::env::var("HOSTNAME"))
        .unwrap_or_else(|_| std::process::id().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_our_writes_replaced_is_outdated_until_something_newer_is_seen() {
        let service = tower::service_fn(|_: http::Request<kube::client::Body>| async {
            http::Response::builder().body(kube::client::Body::empty())
        });
        let ctx = runtime().block_on(async {
            Context::new(Client::new(service, "default"), "c".to_owned(), Registry::default())
        });
        let name = ProductName { namespace: "n".to_owned(), name: "p".to_owned() };
        let wrote = |from: &str, to: &str| ctx.wrote(&name, from.to_owned(), to.to_owned());
        assert!(!ctx.is_outdated(&name, "1"), "nothing was written");
        wrote("1", "2");
        wrote("1", "3");
        assert!(ctx.is_outdated(&name, "1") && ctx.is_outdated(&name, "2"), "before and between our writes");
        assert!(!ctx.is_outdated(&name, "3"), "our own last write");
        assert!(!ctx.is_outdated(&name, "1"), "and then the versions before it are forgotten");
        wrote("3", "3");
        assert!(!ctx.is_outdated(&name, "3"), "a write that changed nothing");
        wrote("3", "4");
        assert!(!ctx.is_outdated(&name, "5"), "a write of somebody else after ours");
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
    }
}
