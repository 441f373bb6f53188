//! The values that travel between the stages: resources and their attributes, ownership, names, units.
//!
//! Everything here is plain data with pure functions; nothing here reads a clock, a client or an environment.

pub mod attributes;
pub mod duration;
pub mod measurement;
pub mod name;
pub mod owner;
pub mod percent;
pub mod resource;
