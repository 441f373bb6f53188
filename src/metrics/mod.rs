//! What the operator counts, in the text format that Prometheus reads.
//!
//! Nothing is counted here: a scrape reads the counters of the rooms that know what they count.

mod family;
mod products;

use std::{fmt, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, text},
    registry::Registry,
};

pub use family::{Family, Shape};

use crate::{
    controller::{self, context::Context, leader},
    webhook::counts::Answers,
};

/// The media type of what [`Metrics::render`] gives.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The name of the one controller, as controller-runtime has it in labels.
const CONTROLLER: &str = "dataproduct";

const BUILD: Family = Family {
    name: "datamesh_build_info",
    shape: Shape::Gauge,
    labels: &["version"],
    help: "1, with the version of the operator",
};
const LEADS: Family = Family {
    name: "leader_election_master_status",
    shape: Shape::Gauge,
    labels: &["name"],
    help: "1 where this process visits products, 0 where it stands by",
};
const VISITS: Family = Family {
    name: "controller_runtime_reconcile",
    shape: Shape::Counter,
    labels: &["controller", "result"],
    help: "Visits of products by how they ended: success, requeue_after or error",
};
const LENGTHS: Family = Family {
    name: "controller_runtime_reconcile_time_seconds",
    shape: Shape::Histogram,
    labels: &["controller"],
    help: "How long visits took",
};
const ACTIVE: Family = Family {
    name: "controller_runtime_active_workers",
    shape: Shape::Gauge,
    labels: &["controller"],
    help: "Visits under way",
};
const MOST: Family = Family {
    name: "controller_runtime_max_concurrent_reconciles",
    shape: Shape::Gauge,
    labels: &["controller"],
    help: "Visits that may be under way at the same time",
};
const PANICS: Family = Family {
    name: "controller_runtime_reconcile_panics",
    shape: Shape::Counter,
    labels: &["controller"],
    help: "Visits that panicked; their products are set aside",
};
const JUDGEMENTS: Family = Family {
    name: "datamesh_judgements",
    shape: Shape::Counter,
    labels: &[],
    help: "Judgements of products",
};
const EVALUATIONS: Family = Family {
    name: "datamesh_policy_evaluations",
    shape: Shape::Counter,
    labels: &[],
    help: "Evaluations of one policy on one product; those that read nothing that changed are spared",
};
const OPERATIONS: Family = Family {
    name: "datamesh_provider_operations",
    shape: Shape::Counter,
    labels: &["operation", "kind", "outcome"],
    help: "Operations asked of providers, by kind of resource",
};
const REQUESTS: Family = Family {
    name: "datamesh_provider_requests",
    shape: Shape::Counter,
    labels: &["backend", "service", "operation", "outcome"],
    help: "API calls that a backend has made",
};
const ADMISSION: Family = Family {
    name: "datamesh_admission_answers",
    shape: Shape::Counter,
    labels: &["result"],
    help: "Answers of the admission webhook",
};

impl Family {
    /// Every family.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        let process = [&BUILD, &LEADS, &VISITS, &LENGTHS, &ACTIVE, &MOST, &PANICS, &JUDGEMENTS, &EVALUATIONS];
        process.into_iter().chain([&OPERATIONS, &REQUESTS, &ADMISSION]).chain(products::FAMILIES)
    }
}

/// The metrics of this process.
#[derive(Debug)]
pub struct Metrics(Registry);

impl Metrics {
    /// The metrics of an operator, and of its webhook, which counts its answers.
    pub fn of(ctx: &Arc<Context>, answers: &Arc<Answers>) -> Self {
        let mut families = Registry::default();
        let sources = Sources { ctx: Arc::clone(ctx), answers: Arc::clone(answers) };
        families.register_collector(Box::new(sources));
        Self(families)
    }

    /// All of them as they are at this instant.
    pub fn render(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.0)?;
        Ok(text)
    }
}

/// What knows the numbers.
struct Sources {
    ctx: Arc<Context>,
    answers: Arc<Answers>,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources").finish_non_exhaustive()
    }
}

impl Collector for Sources {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        self.process(encoder)?;
        self.visits(encoder)?;
        self.providers(encoder)?;
        ADMISSION.encode(encoder, self.answers.snapshot().map(|(said, count)| ([said.as_str()], count)))?;
        // One of several replicas tells of the products, or sums over all of them would count each product several times.
        let products = if self.ctx.leadership.is_leader() { self.ctx.products() } else { Vec::new() };
        products::encode(encoder, products.iter().filter_map(|product| product.0.as_ref().ok()))
    }
}

impl Sources {
    fn process(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        BUILD.encode(encoder, [([env!("CARGO_PKG_VERSION")], 1)])?;
        LEADS.encode(encoder, [([leader::NAME], u64::from(self.ctx.leadership.is_leader()))])?;
        JUDGEMENTS.encode(encoder, [([""; 0], self.ctx.evaluations())])?;
        EVALUATIONS.encode(encoder, [([""; 0], self.ctx.policy_evaluations())])
    }

    fn visits(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let visits = &self.ctx.visits;
        let ended = visits.snapshot().into_iter();
        VISITS.encode(encoder, ended.map(|(outcome, count)| ([CONTROLLER, outcome.as_str()], count)))?;
        LENGTHS.encode_histogram(encoder, &[("controller", CONTROLLER)], &visits.lengths)?;
        let under_way = u64::try_from(self.ctx.pulse.under_way()).unwrap_or(u64::MAX);
        ACTIVE.encode(encoder, [([CONTROLLER], under_way)])?;
        MOST.encode(encoder, [([CONTROLLER], u64::from(controller::CONCURRENCY))])?;
        PANICS.encode(encoder, [([CONTROLLER], visits.panics())])
    }

    /// What was asked of providers, and the API calls of the backend `aws`.
    fn providers(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let operations = self.ctx.registry.counters().snapshot().into_iter();
        let operations = operations
            .map(|((operation, kind, outcome), count)| ([operation.as_str(), kind.as_str(), outcome], count));
        OPERATIONS.encode(encoder, operations)?;
        #[cfg(feature = "aws")]
        let requests = self
            .ctx
            .registry
            .calls()
            .snapshot()
            .into_iter()
            .map(|((call, outcome), count)| (["aws", call.service(), call.operation(), outcome], count));
        #[cfg(not(feature = "aws"))]
        let requests = std::iter::empty::<([&str; 4], u64)>();
        REQUESTS.encode(encoder, requests)
    }
}

#[cfg(test)]
mod tests;
