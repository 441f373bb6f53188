//! Manifests: from bytes to objects of ours whose every value has a place, and what the definitions say of them.
//!
//! This room decides whether the API server would take a manifest, and where in its text whatever is wrong stands. It is
//! pure: it reads no file and asks nobody; the definitions that it holds a manifest against are those of [`crate::api`].
//! It never judges a product by policies.
//!
//! ```text
//! bytes ──► Source ──► read: values with places ──► objects: ours, and how many others ──► Definitions: schema, then
//!          (UTF-8)     (limits, keys twice)         (lists unfolded, kinds known)          the definition's own rules
//! ```

mod definitions;
mod expression;
pub mod limits;
mod metadata;
pub mod node;
mod object;
mod place;
mod read;
mod rules;
mod scalar;
mod schema;
mod source;

use std::ops::Range;

pub use definitions::Definitions;
pub use node::Node;
pub use object::{Object, Reading, objects};
pub use place::place;
pub use source::{Position, Source};

/// What cannot be read.
pub const YAML: &str = "YAML";
/// A field that is unknown or missing, or a value that the definition does not allow.
pub const SCHEMA: &str = "SCHEMA";
/// A rule of the definition that is broken.
pub const RULE: &str = "RULE";

/// Something wrong with a manifest, whatever policies say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which sort of fault: [`YAML`], [`SCHEMA`] or [`RULE`].
    pub id: &'static str,
    /// The bytes that are wrong.
    pub place: Range<usize>,
    /// Path of the field, for example `spec.schema.fields[0].name`; empty where the text as a whole is meant.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remediation: String,
    /// Whether something is larger than the definition allows: whatever relies on its bounds may take too long on it.
    pub oversized: bool,
}

impl Fault {
    fn new(
        id: &'static str,
        place: Range<usize>,
        message: impl Into<String>,
        remediation: impl Into<String>,
    ) -> Self {
        let (message, remediation) = (cut(message.into(), LONGEST), cut(remediation.into(), LONGEST));
        Self { id, place, path: String::new(), message, remediation, oversized: false }
    }

    fn oversized(self) -> Self {
        Self { oversized: true, ..self }
    }

    fn at(self, path: &str) -> Self {
        Self { path: cut(path.to_owned(), LONGEST / 2), ..self }
    }
}

/// Characters of a message: what a manifest says may be in it, and that may be anything.
const LONGEST: usize = 1024;

/// A text, cut where it is longer than a number of characters.
fn cut(text: String, most: usize) -> String {
    let end = text.char_indices().nth(most).map(|(end, _)| end);
    match end.and_then(|end| text.get(..end)) {
        Some(beginning) => format!("{beginning}..."),
        None => text,
    }
}
