//! The room of expressions from outside: the official test data, another engine as the judge, hostile texts, and a mesh of
//! many products and policies.

mod conformance;
mod hostile;
mod literal;
mod oracle;
mod scale;
mod written;

#[allow(dead_code, reason = "shared with tests that need more of it")]
#[path = "../governance/any.rs"]
mod any;
