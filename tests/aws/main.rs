//! The backend `aws` through the wire: against emulators that somebody else wrote, with and without faults in between.

#![cfg(feature = "aws")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot be set up has failed")]

#[path = "../support/mod.rs"]
mod support;

#[path = "../pure/world.rs"]
#[allow(dead_code, reason = "the pure tests use all of it")]
mod declared;

#[path = "../real/fixture.rs"]
#[allow(dead_code, reason = "the tests of the cluster use all of it")]
mod fixture;

mod audit;
mod cluster;
mod conformance;
mod counted;
mod drift;
mod guarded;
mod interleaving;
mod keys;
mod late;
mod mesh;
mod module;
mod permissions;
mod replay;
mod replayed;
mod replicas;
mod surveyed;
mod tour;
mod trouble;
mod world;
