//! `dataproduct check` as people run it: every form of output, every exit code, one answer with the operator, and hostile files;
//! and `dataproduct plan` on files.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot be set up has failed")]

mod answer;
mod context;
mod forms;
mod hostile;
mod planned;
mod run;
