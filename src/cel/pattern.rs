//! Regular expressions that stand in an expression: compiled once with it, and bounded.
//!
//! The engine would compile a pattern at each call, and from any text that a product brings.

use std::{any::Any, sync::Arc};

use cel::common::{
    types::Type,
    value::{StaticVal, Val},
};
use regex::{Regex, RegexBuilder};

use super::cost::Size;

/// Size of a compiled pattern, in bytes. A pattern of this size needs at most some thousand steps a character.
pub const MAX_COMPILED: usize = 64 << 10;

static PATTERN: Type = Type::new_unspecified_type("pattern");

/// Size of the smallest patterns, compiled, in bytes.
const MIN_COMPILED: usize = 512;
/// Bytes that one state of a compiled pattern takes at least.
const STATE: usize = 16;

/// A regular expression as a value, shared with the memory that it matches with.
#[derive(Debug, Clone)]
pub(super) struct Pattern(pub(super) Arc<Regex>);

impl Pattern {
    /// A pattern, and how many states it has at most.
    pub(super) fn compile(text: &str) -> Result<(Self, Size), String> {
        let mut limit = MIN_COMPILED;
        loop {
            match RegexBuilder::new(text).size_limit(limit).dfa_size_limit(MAX_COMPILED).build() {
                Ok(regex) => return Ok((Self(Arc::new(regex)), Size((limit / STATE) as u64))),
                Err(regex::Error::CompiledTooBig(_)) if limit < MAX_COMPILED => limit *= 2,
                Err(regex::Error::CompiledTooBig(_)) => {
                    return Err(format!(
                        "the pattern is too large when it is compiled: more than {MAX_COMPILED} bytes; make its \
                         repetitions shorter"
                    ));
                }
                Err(error) => {
                    let text = error.to_string();
                    let last = text.lines().last().unwrap_or_default();
                    let reason = last.trim_start_matches("error: ");
                    return Err(format!("the pattern is no regular expression: {reason}"));
                }
            }
        }
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
