//! The one place that knows every backend: opens the provider of a class for an account, and keeps it open.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

#[cfg(feature = "aws")]
use super::aws::{Aws, Calls, Identity};
use super::{
    ErrorKind, Marked, Operation, Provider, ProviderError, SharedProvider, Survey,
    layers::{self, trace::Counters},
    local::{Local, Store},
};
use crate::api::{Backend, ProviderClassSpec, RateLimit};

/// Calls a second of a class that sets no rate.
pub const DEFAULT_RATE: RateLimit = RateLimit { requests_per_second: 500, burst: Some(1000) };
/// Number of open providers above which all are closed, to be opened again as they are needed.
const MAX_OPEN: usize = 256;

/// Longest time in which an account is listed.
const SURVEY: Duration = Duration::from_mins(5);

/// Where the resources of a product live, and by which role that account is entered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Account number.
    pub account: String,
    /// Region.
    pub region: String,
    /// Role of that account that the operator assumes; `None` where it stays who it is.
    pub role: Option<String>,
}

/// What every backend can do.
trait Backed: Provider + Survey {}

impl<T: Provider + Survey> Backed for T {}

/// What an open provider is kept under: the class and the place.
type Slot = (String, Place);

/// Opens providers and keeps them open.
#[derive(Default)]
pub struct Registry {
    open: Mutex<BTreeMap<Slot, (ProviderClassSpec, SharedProvider)>>,
    stores: Arc<Stores>,
    counters: Arc<Counters>,
    #[cfg(feature = "aws")]
    calls: Arc<Calls>,
    #[cfg(feature = "aws")]
    identity: Identity,
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

    /// The registry with another identity of the operator than its environment gives it.
    #[cfg(feature = "aws")]
    #[must_use]
    pub fn acting_as(mut self, identity: Identity) -> Self {
        self.identity = identity;
        self
    }

    /// How often each API call of the backend `aws` was made, over all accounts.
    #[cfg(feature = "aws")]
    pub fn calls(&self) -> &Arc<Calls> {
        &self.calls
    }

    /// How often each provider call was made.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// The provider of a class at a place. A class whose settings changed is opened anew.
    pub async fn provider(
        &self,
        class: &str,
        spec: &ProviderClassSpec,
        place: &Place,
    ) -> Result<SharedProvider, ProviderError> {
        let slot = (class.to_owned(), place.clone());
        if let Some(provider) = self.known(&slot, spec) {
            return Ok(provider);
        }
        let backend: SharedProvider = self.backend(spec, place).await?;
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
        let provider = layers::standard(backend, rate, attempt(spec.provider), Arc::clone(&self.counters));
        if open.len() >= MAX_OPEN {
            open.clear();
        }
        open.insert(slot, (spec.clone(), Arc::clone(&provider)));
        Ok(provider)
    }

    /// Everything that is marked at a place, whosever it is.
    pub async fn marked(
        &self,
        spec: &ProviderClassSpec,
        place: &Place,
    ) -> Result<Vec<Marked>, ProviderError> {
        let backend = self.backend(spec, place).await?;
        tokio::time::timeout(SURVEY, backend.marked()).await.unwrap_or_else(|_| {
            let message = format!("the listing did not end within {} s", SURVEY.as_secs());
            Err(ProviderError::new(ErrorKind::Timeout, Operation::Survey, message))
        })
    }

    fn known(&self, slot: &Slot, spec: &ProviderClassSpec) -> Option<SharedProvider> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(slot).filter(|(known, _)| known == spec).map(|(_, provider)| Arc::clone(provider))
    }

    async fn backend(
        &self,
        spec: &ProviderClassSpec,
        place: &Place,
    ) -> Result<Arc<dyn Backed>, ProviderError> {
        match spec.provider {
            Backend::Local => {
                let root = spec.local.as_ref().map(|local| PathBuf::from(&local.root)).ok_or_else(|| {
                    ProviderError::new(
                        ErrorKind::Invalid,
                        Operation::Connect,
                        "the ProviderClass has provider local and no block local; add spec.local.root",
                    )
                })?;
                let (stores, place) = (Arc::clone(&self.stores), place.clone());
                opened(move || Ok(Arc::new(Local::new(stores.open(&root)?, &place.account, &place.region)?)))
                    .await
            }
            #[cfg(feature = "aws")]
            Backend::Aws => {
                let settings = spec.aws.clone().unwrap_or_default();
                Ok(Arc::new(Aws::open(&settings, place, &self.identity, &self.calls).await?))
            }
            #[cfg(not(feature = "aws"))]
            Backend::Aws => Err(ProviderError::new(
                ErrorKind::Unsupported,
                Operation::Connect,
                "this build of the operator lacks the backend aws; use one that was built with the feature aws",
            )),
        }
    }
}

/// Longest time of one attempt of a backend. On `aws` each call within an attempt has a deadline of its own.
const fn attempt(backend: Backend) -> Duration {
    match backend {
        Backend::Local => layers::ATTEMPT,
        Backend::Aws => layers::OPERATION,
    }
}

/// Opens a backend away from the async workers, within the time of one call.
async fn opened(
    open: impl FnOnce() -> Result<Arc<dyn Backed>, ProviderError> + Send + 'static,
) -> Result<Arc<dyn Backed>, ProviderError> {
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
