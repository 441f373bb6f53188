//! Crate.
pub mod api;
pub mod cli;
pub mod model;
pub mod provider;
