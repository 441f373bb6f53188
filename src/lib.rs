//! Crate.
pub mod model;
pub mod provider;
