//! How a data product looks in the words of others: the reference's own YAML, and the contracts of the Open Data
//! Contract Standard (ODCS) 3.1.
//!
//! This room translates and never decides: whether a product is complete is judged by [`crate::governance`]. Whatever
//! cannot be said in the other words is a [`Note`] with its path, never silence. Every part writes and reads in one
//! file, so that the two directions are seen together:
//!
//! | Of a product | In a contract | File |
//! |---|---|---|
//! | annotation `datamesh.io/id`, name, version, lifecycle | `id`, `name`, `version`, `status` | [`identity`] |
//! | owner, roles | `team`, `support`, `roles` | `people` |
//! | output ports | `servers` | [`server`] |
//! | schema, contracts of ports, tables | objects of the `schema` | `layout` |
//! | fields | `properties`, nested | `object` |
//! | types | `physicalType` as they are, and the `logicalType` | [`types`] |
//! | quality tests | library rules, `logicalTypeOptions`, `relationships`, `latency` of a column | [`rule`] |
//! | service levels, retention, sunset date | `slaProperties` | `level` |
//! | everything else | `customProperties`, named `datamesh.` and the field | [`custom`] |
//!
//! [`export`] then [`import`] gives the same spec: what the standard's fields do not say exactly is a custom property.

pub mod custom;
mod export;
pub mod identity;
mod import;
mod layout;
mod level;
pub mod lift;
pub mod note;
mod object;
pub mod odcs;
mod people;
pub mod rule;
pub mod server;
pub mod types;

use serde::de::DeserializeOwned;
use thiserror::Error;

pub use export::{export, unread_manifest};
pub use import::{Chosen, import, unread_contract};
pub use lift::{Illegal, Lifted, lift};
pub use note::{Fate, Note, Notes, unknown};

/// The custom property of an object that names the output port whose schema it is.
const PORT: &str = "port";
/// The custom property that keeps the order and the names of quality tests.
const TESTS: &str = "tests";
/// The custom properties of a contract that are about the object, not about its spec.
const NAME: &str = "name";
const NAMESPACE: &str = "namespace";
const LABELS: &str = "labels";
/// What links to the documentation of a product.
const DOCUMENTATION: &str = "documentation";

/// Why a document cannot be translated at all.
#[derive(Debug, Error)]
pub enum ContractError {
    /// It is something else.
    #[error(
        "this is not a data contract but {found}; a contract has kind DataContract and apiVersion v3.1.0"
    )]
    NotAContract {
        /// What it says it is.
        found: String,
    },
    /// It follows a version of the standard that has other fields.
    #[error("ODCS {found} is not read; bring the contract to v3.1.0 first")]
    OldContract {
        /// The version that it follows.
        found: String,
    },
    /// A product has to have it.
    #[error("{what} is missing; add it to the contract or say {option}")]
    Missing {
        /// What is missing.
        what: &'static str,
        /// The option that says it.
        option: &'static str,
    },
    /// A domain is a name.
    #[error(
        "{path}: {domain:?} is no domain: it needs a letter at its beginning, then letters, digits and hyphens; say --domain"
    )]
    Domain {
        /// Where it stands.
        path: String,
        /// What stands there.
        domain: String,
    },
    /// A name is a label, and not longer than its domain leaves room for.
    #[error(
        "{name:?} is no name of a product: it begins with a letter and has at most {longest} small letters, digits and hyphens; say another with --name"
    )]
    Name {
        /// What was said.
        name: String,
        /// How long it may be.
        longest: usize,
    },
    /// A version is a semantic version.
    #[error("{path}: {version:?} is not a semantic version; write three numbers, for example 2.1.0")]
    Version {
        /// Where it stands.
        path: String,
        /// What stands there.
        version: String,
    },
    /// A custom property of ours does not hold what its field holds.
    #[error("{path}: what stands there for the field of a DataProduct is not legal: {said}")]
    Custom {
        /// Where it stands.
        path: String,
        /// What is wrong.
        said: String,
    },
    /// A value could not be turned into JSON.
    #[error("a value cannot be written: {0}")]
    Json(#[from] serde_json::Error),
}

/// A value of a closed set of words; `None` when the word is not one of them.
fn word<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(text.into()).ok()
}
