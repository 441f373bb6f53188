//! Tests of the pure rooms through their public face: no client, no clock, no task.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot be set up has failed")]

mod asked;
mod commands;
mod departure;
mod documented;
mod excepted;
mod found;
mod frame;
mod gitops;
mod golden;
mod invariants;
mod judged;
mod manifests;
mod monitored;
mod outside;
mod plan;
mod promises;
mod secured;
mod status;
mod traced;
mod visit;
mod walls;
mod world;
