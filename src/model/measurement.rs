//! What is measured of a product, and the form in which a provider answers.

use jiff::Timestamp;

use super::{
    percent::Percent,
    resource::{Key, Look},
};

/// What is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Domain of the product.
    pub domain: String,
    /// Name of the product.
    pub product: String,
    /// The product's bucket.
    pub bucket: Key,
    /// The product's freshness alarm.
    pub alarm: Key,
    /// What the product promises, the only objectives that are measured.
    pub objectives: Vec<Objective>,
    /// Whether values must be read now, or may have been read with those of others a short while ago.
    pub look: Look,
}

/// A service-level objective of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Objective {
    /// Age of the newest data.
    Freshness,
    /// Share of time in which the product answers.
    Availability,
    /// Share of required values that are there.
    Completeness,
    /// Share of rows that pass validation.
    Accuracy,
}

impl Objective {
    /// Every objective, in the order in which people read them.
    pub const ALL: [Self; 4] = [Self::Freshness, Self::Availability, Self::Completeness, Self::Accuracy];

    /// The key of the objective in `spec.slo`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Freshness => "freshness",
            Self::Availability => "availability",
            Self::Completeness => "completeness",
            Self::Accuracy => "accuracy",
        }
    }
}

/// One measurement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What was measured.
    pub objective: Objective,
    /// The measured value.
    pub value: Value,
    /// Whether the backend looked at everything. An incomplete look proves that data is fresh, never that it is late.
    pub complete: bool,
    /// Where the number comes from, for people, for example `newest file in the bucket`.
    pub source: String,
}

/// A measured value. Ages are given as instants, so that an unchanged world gives an unchanged reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// Instant at which the newest data arrived.
    NewestData(Timestamp),
    /// There has been no data since this instant, at which the bucket was made.
    NoDataSince(Timestamp),
    /// A share, of time or of rows.
    Share(Percent),
}
