//! What every backend promises, as cases that run against any of them: the contract of [`super::Provider`] in code.
//!
//! A new backend is done when [`check`] finds nothing. Failures are values, so that one case hides no other.

mod cases;
mod sample;

use async_trait::async_trait;

use super::SharedProvider;
use crate::model::{measurement::Subject, resource::Key};

/// A backend under test, in a world of its own that is empty at the beginning.
#[async_trait]
pub trait World: Send + Sync {
    /// The backend.
    fn provider(&self) -> SharedProvider;

    /// Puts an object into a bucket, as a pipeline would, past the backend.
    async fn put_object(&self, bucket: &Key) -> Result<(), String>;

    /// Delivers data of a product: an object in its bucket, and its age wherever the backend reads it from.
    async fn deliver(&self, subject: &Subject) -> Result<(), String> {
        self.put_object(&subject.bucket).await
    }

    /// Makes a bucket without any mark of ours, as a stranger would; `false` where the backend cannot hold one.
    async fn make_unmarked(&self, bucket: &Key) -> Result<bool, String>;
}

/// A promise that a backend does not keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The promise, as a sentence.
    pub promise: &'static str,
    /// What happened instead.
    pub happened: String,
}

/// Runs every case. Each uses names of its own, so that they share one world.
pub async fn check(world: &dyn World) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, case) in cases::CASES.iter().enumerate() {
        if let Err(happened) = (case.run)(world, format!("c{index}")).await {
            findings.push(Finding { promise: case.promise, happened });
        }
    }
    findings
}

/// The promises, for documentation.
pub fn promises() -> impl Iterator<Item = &'static str> {
    cases::CASES.iter().map(|case| case.promise)
}
