//! The governance room from outside: golden reports, properties that hold for any product, and the rules that the
//! reference has code for, compared with that code.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot be set up has failed")]
#![allow(clippy::needless_for_each, reason = "an optional part reads the same as a list")]

mod admitted;
mod any;
mod golden;
mod observed;
mod properties;
mod reference;
