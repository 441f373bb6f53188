//! The chart: rendered by both versions of Helm, judged by a real API server, and installed there with the operator running
//! under the rights that it gives.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot be set up has failed")]

#[path = "../support/mod.rs"]
mod support;

mod deployed;
mod documented;
mod generated;
mod helm;
mod installed;
mod monitored;
mod offline;
mod rendered;
mod rights;
mod schema;
mod scoped;
