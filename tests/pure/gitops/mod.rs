//! What other tools make of our statuses: Argo CD, Flux, kstatus and k9s. Every state that the operator writes is shown to each,
//! and what each says of it is compared with one table.

mod argocd;
mod flux;
mod k9s;
mod kstatus;
mod lua;
mod policies;
mod products;
mod states;

use std::{fs, path::PathBuf};

use serde::de::DeserializeOwned;

/// A path of the repository.
fn path(relative: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// A file of the repository.
fn text(relative: &str) -> String {
    fs::read_to_string(path(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
}

/// A YAML file of the repository.
fn yaml<T: DeserializeOwned>(relative: &str) -> T {
    serde_saphyr::from_str(&text(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
}
