//! Crate.
pub mod api;
pub mod cli;
pub mod controller;
pub mod governance;
pub mod model;
pub mod plan;
pub mod provider;
pub mod slo;
pub mod status;
pub mod telemetry;
