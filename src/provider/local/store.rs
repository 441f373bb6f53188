//! An open root: its directory handle and its ledger, and the proof that both are still what the path names.
//!
//! A handle outlives what it was opened on. When somebody removes the root or puts a backup in its place, the old
//! handles would go on to answer for files that nobody can see any more, so every call looks whether they are current.

use std::{
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    ledger::Ledger,
    place::{Root, io_failure},
};
use crate::provider::{ErrorKind, Operation, ProviderError};

/// Name of the ledger below the root.
const LEDGER: &str = "ledger.db";

/// A root directory with its ledger, shared by every account on it.
pub struct Store {
    path: PathBuf,
    current: Mutex<Arc<Opened>>,
}

/// What is open of a root.
pub(super) struct Opened {
    pub(super) path: PathBuf,
    pub(super) root: Root,
    pub(super) ledger: Ledger,
    identity: Identity,
}

/// Device and inode of the root and of the ledger.
type Identity = [(u64, u64); 2];

impl Store {
    /// Opens a root, which must exist and be writable.
    pub fn open(path: &Path) -> Result<Self, ProviderError> {
        Ok(Self { path: path.to_owned(), current: Mutex::new(Arc::new(Opened::new(path)?)) })
    }

    /// What is open, opened anew when something else stands at its path by now.
    pub(super) fn current(&self, operation: Operation) -> Result<Arc<Opened>, ProviderError> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match identity(&self.path) {
            Ok(identity) if identity == current.identity => {}
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(io_failure(operation, &error, "the root cannot be read").caused_by(error));
            }
            Ok(_) | Err(_) => {
                tracing::warn!(root = %self.path.display(), "the root or its ledger was replaced and is opened anew");
                *current = Arc::new(Opened::new(&self.path)?);
            }
        }
        Ok(Arc::clone(&current))
    }
}

impl Opened {
    fn new(path: &Path) -> Result<Self, ProviderError> {
        let root = Root::open(path)?;
        let ledger = Ledger::open(&path.join(LEDGER))?;
        let identity = identity(path).map_err(|error| {
            ProviderError::new(
                ErrorKind::Unavailable,
                Operation::Connect,
                "the root was replaced while it was opened",
            )
            .caused_by(error)
        })?;
        Ok(Self { path: path.to_owned(), root, ledger, identity })
    }
}

fn identity(path: &Path) -> io::Result<Identity> {
    let of = |path: &Path| std::fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()));
    Ok([of(path)?, of(&path.join(LEDGER))?])
}
