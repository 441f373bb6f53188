//! Regular expressions that stand in an expression: compiled once with it, and bounded.
//!
//! The engine would compile a pattern at each call, and from any text that a product brings.

use std::any::Any;

use cel::common::{
    types::Type,
    value::{StaticVal, Val},
};
use regex::{Regex, RegexBuilder};

/// Size of a compiled pattern, in bytes. A pattern of this size needs at most some thousand steps a character.
const MAX_COMPILED: usize = 64 << 10;

static PATTERN: Type = Type::new_unspecified_type("pattern");

/// A regular expression as a value.
#[derive(Debug, Clone)]
pub(super) struct Pattern(pub(super) Regex);

impl Pattern {
    pub(super) fn compile(text: &str) -> Result<Self, String> {
        let compiled = RegexBuilder::new(text).size_limit(MAX_COMPILED).dfa_size_limit(MAX_COMPILED).build();
        compiled.map(Self).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                format!("the pattern is too large when it is compiled: more than {MAX_COMPILED} bytes; make its repetitions shorter")
            }
            error => {
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default();
                format!("the pattern is no regular expression: {}", last.trim_start_matches("error: "))
            }
        })
    }

    /// The name under which an evaluation finds it: no variable can be called so.
    pub(super) fn name(text: &str) -> String {
        format!("@pattern {text}")
    }
}

impl Val for Pattern {
    fn get_type(&self) -> &Type {
        &PATTERN
    }
    fn cel_type() -> &'static Type {
        &PATTERN
    }
    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(self.clone())
    }
    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Pattern {}
