//! How many answers there were, by what they said.

use std::sync::atomic::{AtomicU64, Ordering};

/// What an answer said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// Nothing is wrong.
    Allowed,
    /// The product was let in with warnings.
    Warned,
    /// The product was refused.
    Refused,
    /// The operator had not seen the whole mesh yet, or could not judge in time; the product was let in.
    NotJudged,
    /// The question could not be read.
    Unreadable,
}

impl Said {
    const ALL: [Self; 5] = [Self::Allowed, Self::Warned, Self::Refused, Self::NotJudged, Self::Unreadable];

    /// The word in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Warned => "warned",
            Self::Refused => "refused",
            Self::NotJudged => "not_judged",
            Self::Unreadable => "unreadable",
        }
    }
}

/// The answers of this process.
#[derive(Debug, Default)]
pub struct Answers([AtomicU64; Said::ALL.len()]);

impl Answers {
    /// Counts an answer.
    pub fn count(&self, said: Said) {
        let counts = Said::ALL.iter().zip(&self.0).filter(|(of, _)| **of == said);
        counts.for_each(|(_, count)| {
            count.fetch_add(1, Ordering::Relaxed);
        });
    }

    /// All of them at this instant.
    pub fn snapshot(&self) -> impl Iterator<Item = (Said, u64)> {
        Said::ALL.iter().zip(&self.0).map(|(said, count)| (*said, count.load(Ordering::Relaxed)))
    }
}
