//! Products in the words of others: contracts of the Open Data Contract Standard, and the reference's own YAML.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot be set up has failed")]

mod any;
mod golden;
mod lint;
mod reference;
mod round_trip;
mod schema;
mod shell;
mod wild;
