//! Expressions in the Common Expression Language: from text that somebody else wrote to an answer about a value.
//!
//! This room decides what an expression may say and what it may cost at worst, before it is ever evaluated, and evaluates it.
//! The engine is the crate `cel`; ours is what the engine leaves open: types from the structural schemas of the custom
//! resources, a bound on the work, what an expression reads, and values that are shared instead of copied. It never reads a
//! clock and never stops at a bad expression: a fault is a value that names line and column.
//!
//! ```text
//! text ──► shape ──► parse ──► check: types, cost, reads ──► Expression ──► evaluate(Bindings) ──► Value, or why not
//!          limits             Declarations
//! ```

mod check;
mod compile;
mod cost;
mod evaluate;
mod functions;
mod library;
mod operator;
mod pattern;
mod schema;
mod shape;
mod sharing;
mod types;
mod value;

pub use compile::{Declarations, Expression, Fault, MAX_COST, MAX_DEPTH, MAX_SOURCE};
pub use evaluate::Bindings;
pub use functions::{FUNCTIONS, Function};
pub use pattern::MAX_COMPILED;
pub use schema::type_of;
pub use shape::MAX_CHAIN;
pub use types::{Field, Fields, Type};
pub use value::Value;

#[cfg(test)]
mod tests;
