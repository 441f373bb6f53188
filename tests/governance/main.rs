//! The governance room from outside: golden reports, properties that hold for any product, and the rules that the
//! reference has code for, compared with that code.

#![allow(clippy::needless_for_each, reason = "an optional part reads the same as a list")]

mod any;
mod golden;
mod observed;
mod properties;
mod reference;
