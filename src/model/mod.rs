//! The values that travel between the stages: resources and their attributes, ownership, names, units.
//!
//! Everything here is plain data with pure functions; nothing here reads a clock, a client or an environment.

pub mod arn;
pub mod attributes;
pub mod duration;
pub mod lineage;
pub mod measurement;
pub mod name;
pub mod owner;
pub mod percent;
pub mod resource;

/// The beginning of a text of unknown length, for a message about it.
fn excerpt(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
