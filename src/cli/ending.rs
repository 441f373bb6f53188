//! How a command ends: what its exit code says, and why one failed.

use std::{io, time::Duration};

use thiserror::Error;

use crate::{
    api,
    controller::{ControllerError, kubernetes::RequestError},
    plan::ProductName,
};

/// How a command ended that did what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With nothing to say by its exit code.
    Done,
    /// With findings.
    Found,
}

impl Ending {
    /// The exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Found => 1,
        }
    }
}

/// Why a command failed.
#[derive(Debug, Error)]
pub enum CliError {
    /// A definition is incomplete.
    #[error(transparent)]
    Crd(#[from] api::CrdError),
    /// YAML could not be written.
    #[error("cannot write YAML: {0}")]
    Yaml(#[from] serde_saphyr::ser::Error),
    /// JSON could not be written.
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Output or a file could not be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Where.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file could not be read.
    #[error("cannot read {path}: {said}")]
    Read {
        /// Which.
        path: String,
        /// Why.
        said: String,
    },
    /// What was read cannot be used. Each line names its place.
    #[error("{0}")]
    Document(String),
    /// Something was lost, and the caller wants nothing to be.
    #[error("{0} of these are losses, and --strict allows none; nothing was written")]
    Lossy(usize),
    /// An argument cannot be used.
    #[error("{0}")]
    Usage(String),
    /// No cluster can be reached.
    #[error("cannot reach a cluster: {0}; check --kubeconfig and --context")]
    Cluster(String),
    /// A cluster refuses what was asked of it.
    #[error(
        "the cluster refuses: {0}; ask for the role that allows it, or choose another --context or --namespace"
    )]
    Refused(String),
    /// A cluster does not know our kinds.
    #[error(
        "the cluster knows no DataProducts; install the definitions: `dataproduct crds | kubectl apply --server-side -f -`"
    )]
    NoDefinitions,
    /// There is no such product.
    #[error("there is no DataProduct {0}; list them with `dataproduct get --all-namespaces`")]
    NoProduct(ProductName),
    /// There are no such products.
    #[error("there are no DataProducts {0}; list them with `dataproduct get --all-namespaces`")]
    NoProducts(String),
    /// A product was not what was waited for in time.
    #[error(
        "DataProduct {product} was neither ready nor stalled within {} s; `dataproduct status` tells what it waits for, and \
         --timeout waits longer",
        longest.as_secs()
    )]
    NotInTime {
        /// Which product.
        product: ProductName,
        /// How long it was waited for.
        longest: Duration,
    },
    /// The operator stopped.
    #[error(transparent)]
    Controller(#[from] ControllerError),
    /// The runtime could not be started.
    #[error("cannot start the runtime: {0}")]
    Runtime(#[source] io::Error),
}

impl CliError {
    /// The exit code: 1 when the answer is no, 2 when there is none, 3 when no cluster gave one.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Lossy(_) | Self::NotInTime { .. } | Self::NoProduct(_) | Self::NoProducts(_) => 1,
            Self::Cluster(_) | Self::Refused(_) | Self::NoDefinitions => 3,
            _ => 2,
        }
    }

    /// What it means that products could not be listed, read or changed.
    pub(super) fn asked(error: &RequestError) -> Self {
        if error.is_forbidden() {
            Self::Refused(error.to_string())
        } else if error.is_not_found() {
            Self::NoDefinitions
        } else if error.is_unreadable() {
            Self::Document(format!("what the cluster has cannot be read as a DataProduct: {error}"))
        } else {
            Self::Cluster(error.to_string())
        }
    }
}
