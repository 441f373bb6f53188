//! Tests against a real kube-apiserver and etcd. Nothing sleeps; everything waits for a condition with a deadline.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot be set up has failed")]

#[path = "../support/mod.rs"]
mod support;

mod admitted;
mod alerted;
mod asked;
mod certified;
mod counted;
mod daily;
mod definitions;
mod deletion;
mod faulty;
mod fixture;
mod forged;
mod governed;
mod interleaving;
mod life;
mod logged;
mod offline;
mod orphaned;
mod planned;
mod replicas;
mod scale;
mod scraped;
mod shown;
mod synced;
#[cfg(feature = "otlp")]
mod traced;
mod trouble;
