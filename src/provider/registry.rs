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
/// Number of open providers above which those that were opened first are closed.
const MAX_OPEN: usize = 256;

/// What an open provider is kept under.
type Slot = (String, String, String);

/// Opens providers and keeps them open.
#[derive(Default)]
pub struct Registry {
    open: Mutex<BTreeMap<Slot, (ProviderClassSpec, SharedProvider)>>,
    stores: Mutex<BTreeMap<PathBuf, Arc<Store>>>,
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
    pub fn provider(
        &self,
        class: &str,
        spec: &ProviderClassSpec,
        account: &str,
        region: &str,
    ) -> Result<SharedProvider, ProviderError> {
        let slot = (class.to_owned(), account.to_owned(), region.to_owned());
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, provider)) = open.get(&slot)
            && known == spec
        {
            return Ok(Arc::clone(provider));
        }
        let backend = self.backend(spec, account, region)?;
        let backend =
            self.wrap.as_ref().map_or_else(|| Arc::clone(&backend), |wrap| wrap(Arc::clone(&backend)));
        let rate = spec.rate_limit.unwrap_or(DEFAULT_RATE);
        let provider = layers::standard(backend, rate, Arc::clone(&self.counters));
        while open.len() >= MAX_OPEN {
            open.pop_first();
        }
        open.insert(slot, (spec.clone(), Arc::clone(&provider)));
        Ok(provider)
    }

    fn backend(
        &self,
        spec: &ProviderClassSpec,
        account: &str,
        region: &str,
    ) -> Result<SharedProvider, ProviderError> {
        match spec.provider {
            Backend::Local => {
                let root = spec.local.as_ref().map(|local| local.root.as_str()).ok_or_else(|| {
                    ProviderError::new(
                        ErrorKind::Invalid,
                        Operation::Connect,
                        "the ProviderClass has provider local and no block local; add spec.local.root",
                    )
                })?;
                Ok(Arc::new(Local::new(self.store(Path::new(root))?, account, region)?))
            }
        }
    }

    /// The store of a root, opened once: two connections of one process would only wait for each other.
    fn store(&self, root: &Path) -> Result<Arc<Store>, ProviderError> {
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = stores.get(root) {
            return Ok(Arc::clone(store));
        }
        let store = Arc::new(Store::open(root)?);
        stores.insert(root.to_owned(), Arc::clone(&store));
        Ok(store)
    }
}
