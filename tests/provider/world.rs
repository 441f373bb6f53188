//! A world of the `local` backend for one test.

use std::{fs, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use dataproduct_operator::{
    api::{Backend, LocalBackend, ProviderClassSpec},
    model::{
        owner::{DeletionPolicy, Owner},
        resource::{Key, Look, Sought},
    },
    provider::{
        SharedProvider,
        conformance::World,
        local::{Local, Store},
        registry::{Place, Registry},
    },
};
use tempfile::TempDir;

/// The account of every test.
pub(crate) const ACCOUNT: &str = "000000000000";
/// The region of every test.
pub(crate) const REGION: &str = "local";

fn place() -> Place {
    Place { account: ACCOUNT.to_owned(), region: REGION.to_owned(), role: None }
}

/// A full look at a resource.
pub(crate) fn sought(key: &Key) -> Sought {
    Sought { key: key.clone(), owner: owner(), look: Look::Full }
}

/// The mark of the product of every test.
pub(crate) fn owner() -> Owner {
    Owner {
        cluster: "c".into(),
        uid: "u".into(),
        product: "n/p".into(),
        purpose: "d/p".into(),
        deletion: DeletionPolicy::Delete,
        released: false,
    }
}

/// A root and a provider on it.
pub(crate) struct LocalWorld {
    provider: SharedProvider,
    root: TempDir,
}

impl LocalWorld {
    /// The backend alone.
    pub(crate) fn raw() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let store = Arc::new(Store::open(root.path()).expect("a store"));
        Self { provider: Arc::new(Local::new(store, ACCOUNT, REGION).expect("an account")), root }
    }

    /// The backend behind the standard layers, as the operator uses it.
    pub(crate) async fn layered() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let local = LocalBackend { root: root.path().display().to_string(), ..LocalBackend::default() };
        let class = ProviderClassSpec {
            provider: Backend::Local,
            local: Some(local),
            ..ProviderClassSpec::default()
        };
        let provider = Registry::default().provider("local", &class, &place()).await.expect("a provider");
        Self { provider, root }
    }

    /// The directory of a bucket.
    pub(crate) fn bucket(&self, name: &str) -> PathBuf {
        self.root.path().join(ACCOUNT).join(REGION).join("buckets").join(name)
    }

    /// The root.
    pub(crate) fn root(&self) -> PathBuf {
        self.root.path().to_owned()
    }
}

#[async_trait]
impl World for LocalWorld {
    fn provider(&self) -> SharedProvider {
        Arc::clone(&self.provider)
    }

    async fn put_object(&self, bucket: &Key) -> Result<(), String> {
        fs::write(self.bucket(&bucket.name).join("object"), b"data").map_err(|error| error.to_string())
    }

    async fn make_unmarked(&self, bucket: &Key) -> Result<bool, String> {
        fs::create_dir_all(self.bucket(&bucket.name)).map_err(|error| error.to_string())?;
        Ok(true)
    }
}
