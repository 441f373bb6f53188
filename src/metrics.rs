//! What the operator counts, in the text format that Prometheus reads.
//!
//! Nothing is counted here: a scrape reads the counters of the rooms that know what they count.

use std::{fmt, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, text},
    metrics::{MetricType, counter::ConstCounter},
    registry::Registry as Families,
};

#[cfg(feature = "aws")]
use crate::provider::aws::Calls;
use crate::{
    provider::{layers::trace::Counters, registry::Registry},
    webhook::counts::Answers,
};

/// The media type of what [`Metrics::render`] gives.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The metrics of this process.
#[derive(Debug)]
pub struct Metrics(Families);

impl Metrics {
    /// The metrics of an operator whose providers come from a registry, and whose webhook counts its answers.
    pub fn of(registry: &Registry, answers: &Arc<Answers>) -> Self {
        let mut families = Families::default();
        families.register_collector(Box::new(Operations(Arc::clone(registry.counters()))));
        #[cfg(feature = "aws")]
        families.register_collector(Box::new(Requests(Arc::clone(registry.calls()))));
        families.register_collector(Box::new(Admission(Arc::clone(answers))));
        Self(families)
    }

    /// All of them as they are at this instant.
    pub fn render(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.0)?;
        Ok(text)
    }
}

/// A family of counters.
#[derive(Debug)]
pub struct Family {
    /// The name without the `_total` that the format adds.
    pub name: &'static str,
    /// What tells its series apart. No label has a value that a user chooses.
    pub labels: &'static [&'static str],
    /// What is counted.
    pub help: &'static str,
}

const OPERATIONS: Family = Family {
    name: "datamesh_provider_operations",
    labels: &["operation", "kind", "outcome"],
    help: "Operations asked of providers, by kind of resource",
};
const REQUESTS: Family = Family {
    name: "datamesh_provider_requests",
    labels: &["backend", "service", "operation", "outcome"],
    help: "API calls that a backend has made",
};
const ADMISSION: Family = Family {
    name: "datamesh_admission_answers",
    labels: &["result"],
    help: "Answers of the admission webhook",
};

impl Family {
    /// Every family.
    pub const ALL: [&'static Self; 3] = [&OPERATIONS, &REQUESTS, &ADMISSION];

    fn encode<const N: usize>(
        &self,
        mut encoder: DescriptorEncoder,
        counts: impl Iterator<Item = ([&'static str; N], u64)>,
    ) -> fmt::Result {
        let mut family = encoder.encode_descriptor(self.name, self.help, None, MetricType::Counter)?;
        for (values, count) in counts {
            let labels = self.labels.iter().copied().zip(values).collect::<Vec<_>>();
            ConstCounter::new(count).encode(family.encode_family(&labels.as_slice())?)?;
        }
        Ok(())
    }
}

/// What was asked of providers, whatever their backend.
#[derive(Debug)]
struct Operations(Arc<Counters>);

impl Collector for Operations {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let counts = self.0.snapshot().into_iter();
        let counts = counts
            .map(|((operation, kind, outcome), count)| ([operation.as_str(), kind.as_str(), outcome], count));
        OPERATIONS.encode(encoder, counts)
    }
}

/// The API calls of the backend `aws`.
#[cfg(feature = "aws")]
#[derive(Debug)]
struct Requests(Arc<Calls>);

#[cfg(feature = "aws")]
impl Collector for Requests {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let counts = self.0.snapshot().into_iter();
        let counts = counts
            .map(|((call, outcome), count)| (["aws", call.service(), call.operation(), outcome], count));
        REQUESTS.encode(encoder, counts)
    }
}

/// What the webhook answered.
#[derive(Debug)]
struct Admission(Arc<Answers>);

impl Collector for Admission {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let counts = self.0.snapshot().map(|(said, count)| ([said.as_str()], count));
        ADMISSION.encode(encoder, counts)
    }
}

#[cfg(all(test, feature = "aws"))]
mod tests {
    use super::*;

    #[test]
    fn an_operator_that_has_done_nothing_names_its_families() {
        let text = Metrics::of(&Registry::default(), &Arc::default()).render().expect("a text");
        for family in Family::ALL {
            assert!(text.contains(&format!("# TYPE {} counter\n", family.name)), "{text}");
        }
        assert!(text.ends_with("# EOF\n"), "{text}");
    }
}
