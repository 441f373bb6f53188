//! The one place that knows every backend: opens the provider of a class for an account, and keeps it open.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    ErrorKind, Operation, ProviderError, SharedProvider,
    layers::{self, trace::Counters},
    local::{Local, Store},
};
use crate::api::{Backend, ProviderClassSpec, RateLimit};

/// Calls a second of a class that sets no rate.
pub const DEFAULT_RATE: RateLimit = RateLimit { requests_per_second: 500, burst: Some(1000) };
/// Number of open providers above which all are closed, to be opened again as they are needed.
const MAX_OPEN: usize = 256;

/// What an open provider is kept under.
type Slot = (String, String, String);

/// Opens providers and keeps them open.
#[derive(Default)]
pub struct Registry {
    open: Mutex<BTreeMap<Slot, (ProviderClassSpec, SharedProvider)>>,
    stores: Arc<Stores>,
    counters: Arc<Counters>,
    /// Wraps every backend, for tests that inject faults.
    wrap: Option<Wrap>,
}

/// Wraps a backend before the standard layers come around it.
pub type Wrap = Box<dyn Fn(SharedProvider) -> SharedProvider + Send + Sync>;

impl Registry {
    /// A registry that wraps every backend before the standard layers come around it.
    pub fn wrapped(wrap: Wrap) -> Self {
        Self { wrap: Some(wrap), ..Self::default() }
    }

    /// How often each provider call was made.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// The provider of a class for an account and region. A class whose settings changed is opened anew.
    pub async fn provider(
        &self,
        class: &str,
        spec: &ProviderClassSpec,
        account: &str,
        region: &str,
    ) -> Result<SharedProvider, ProviderError> {
        let slot = (class.to_owned(), account.to_owned(), region.to_owned());
        if let Some(provider) = self.known(&slot, spec) {
            return Ok(provider);
        }
        let backend = self.backend(spec, account, region).await?;
        let backend =
            self.wrap.as_ref().map_or_else(|| Arc::clone(&backend), |wrap| wrap(Arc::clone(&backend)));
        let rate = spec.rate_limit.unwrap_or(DEFAULT_RATE);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // Somebody else may have opened it meanwhile, and two of them would share no rate limit.
        if let Some((known, provider)) = open.get(&slot)
            && known == spec
        {
            return Ok(Arc::clone(provider));
        }
        let provider = layers::standard(backend, rate, Arc::clone(&self.counters));
        if open.len() >= MAX_OPEN {
            open.clear();
        }
        open.insert(slot, (spec.clone(), Arc::clone(&provider)));
        Ok(provider)
    }

    fn known(&self, slot: &Slot, spec: &ProviderClassSpec) -> Option<SharedProvider> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(slot).filter(|(known, _)| known == spec).map(|(_, provider)| Arc::clone(provider))
    }

    async fn backend(
        &self,
        spec: &ProviderClassSpec,
        account: &str,
        region: &str,
    ) -> Result<SharedProvider, ProviderError> {
        match spec.provider {
            Backend::Local => {
                let root = spec.local.as_ref().map(|local| PathBuf::from(&local.root)).ok_or_else(|| {
                    ProviderError::new(
                        ErrorKind::Invalid,
                        Operation::Connect,
                        "the ProviderClass has provider local and no block local; add spec.local.root",
                    )
                })?;
                let (stores, account, region) =
                    (Arc::clone(&self.stores), account.to_owned(), region.to_owned());
                opened(move || Ok(Arc::new(Local::new(stores.open(&root)?, &account, &region)?))).await
            }
        }
    }
}

/// Opens a backend away from the async workers, within the time of one call.
async fn opened(
    open: impl FnOnce() -> Result<SharedProvider, ProviderError> + Send + 'static,
) -> Result<SharedProvider, ProviderError> {
    let failed = |kind, message: &str| ProviderError::new(kind, Operation::Connect, message);
    match tokio::time::timeout(layers::OPERATION, tokio::task::spawn_blocking(open)).await {
        Ok(Ok(opened)) => opened,
        Ok(Err(error)) => {
            Err(failed(ErrorKind::Unexpected, "opening the backend was cut short").caused_by(error))
        }
        Err(_) => Err(failed(ErrorKind::Timeout, "the backend did not open in time")),
    }
}

/// The open stores of the `local` backend, by root.
#[derive(Default)]
struct Stores(Mutex<BTreeMap<PathBuf, Arc<Store>>>);

impl Stores {
    /// The store of a root, opened once: two connections of one process would only wait for each other.
    fn open(&self, root: &Path) -> Result<Arc<Store>, ProviderError> {
        let mut stores = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = stores.get(root) {
            return Ok(Arc::clone(store));
        }
        let store = Arc::new(Store::open(root)?);
        stores.insert(root.to_owned(), Arc::clone(&store));
        Ok(store)
    }
}
