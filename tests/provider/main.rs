//! The provider room from outside: the conformance suite on every backend, and what the `local` one survives.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot be set up has failed")]

mod conformance;
mod hostile;
mod killed;
mod layers;
mod world;
