//! An operator for the data products of a data mesh.
//!
//! A domain team declares a `DataProduct`; the operator judges it by the platform's policies, provisions what it asks
//! for through a provider, measures its service levels, and writes all that it knows into its status.
//!
//! Read it as a person walks through a house: one front door, a straight corridor, no way back.
//!
//! ```text
//!  watch ──► gather ──► decide ──────────► apply ──► summarize ──► report ──► schedule
//!           (reads)     (pure)            (writes)    (pure)      (writes)    (pure)
//!           product     bind domain       wave by     old status  status      next visit,
//!           domain      judge             wave,       + decision  patch only  with backoff
//!           class       wanted resources  outcomes    + outcomes  if changed  and jitter
//!           standards   compare, plan     are values  = status    events on
//!           observed                                              transitions
//! ```
//!
//! The rooms, in the order in which they are best read:
//!
//! | Room | What it decides | What it never does |
//! |---|---|---|
//! | [`api`] | the shape of the custom resources | judge a product |
//! | [`model`] | how resources, owners, names and units look | talk to anybody |
//! | [`cel`] | what an expression may say, cost and answer | trust its text |
//! | [`manifest`] | where in a text something is wrong | read a file |
//! | [`governance`] | which rules are broken, and the score | stop anything |
//! | [`plan`] | what is to be done, and what holds it back | do it |
//! | [`slo`] | whether promises are kept | read a clock |
//! | [`status`] | what is said | say it |
//! | [`contract`] | how a product is said in the words of others | lose a word silently |
//! | [`provider`] | how the outside is read and changed | decide |
//! | [`controller`] | when, and for whom | judge, plan or summarize |
//! | [`webhook`] | what whoever applies a product is told at once | change anything |
//! | [`cli`] | how people ask | answer differently from the operator |
//!
//! `api`, `model`, `manifest`, `cel`, `governance`, `plan`, `slo`, `status` and `contract` are pure: no client, no clock, no
//! chance, no task. A test reads their sources and fails when that wall is broken.

pub mod api;
pub mod manifest;
pub mod model;

pub mod cel;
pub mod governance;
pub mod plan;
pub mod slo;
pub mod status;

pub mod contract;

pub mod provider;

pub mod controller;
pub mod webhook;

pub mod cli;
pub mod http;
pub mod metrics;
pub mod telemetry;
