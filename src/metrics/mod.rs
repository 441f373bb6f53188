//! What the operator counts, in the text format that Prometheus reads.
//!
//! Nothing is counted here: a scrape reads the counters of the rooms that know what they count.

mod family;
mod products;

use std::{fmt, sync::Arc, time::Duration};

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
const LONGEST: Family = Family {
    name: "workqueue_longest_running_processor_seconds",
    shape: Shape::Gauge,
    labels: &["name", "controller"],
    help: "How long the visit has been under way that began first",
};
const UNFINISHED: Family = Family {
    name: "workqueue_unfinished_work_seconds",
    shape: Shape::Gauge,
    labels: &["name", "controller"],
    help: "How long all visits under way have been so, together",
};
const PANICS: Family = Family {
    name: "controller_runtime_reconcile_panics",
    shape: Shape::Counter,
    labels: &["controller"],
    help: "Visits that panicked; their products are set aside",
};
const SYNCED: Family = Family {
    name: "datamesh_watches_synced",
    shape: Shape::Gauge,
    labels: &[],
    help: "1 once every watch has shown everything, without which nothing is visited",
};
const INTERRUPTIONS: Family = Family {
    name: "datamesh_watch_interruptions",
    shape: Shape::Counter,
    labels: &["kind"],
    help: "Failures of watches, each of which is tried again",
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
const FAULTS: Family = Family {
    name: "datamesh_policy_faults",
    shape: Shape::Gauge,
    labels: &["policy"],
    help: "Rules of a policy that cannot be evaluated as they are written, for each policy",
};
const OPERATIONS: Family = Family {
    name: "datamesh_provider_operations",
    shape: Shape::Counter,
    labels: &["operation", "kind", "outcome"],
    help: "Operations asked of providers, by kind of resource",
};
const DURATIONS: Family = Family {
    name: "datamesh_provider_operation_seconds",
    shape: Shape::Histogram,
    labels: &["operation", "kind"],
    help: "How long operations took, with all their attempts and waits",
};
const LIMITED: Family = Family {
    name: "datamesh_provider_rate_limited",
    shape: Shape::Counter,
    labels: &["operation", "kind"],
    help: "Attempts that waited for their turn under the rate limit of their class",
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
        let process = [&BUILD, &LEADS, &SYNCED, &INTERRUPTIONS];
        let visits = [&VISITS, &LENGTHS, &ACTIVE, &MOST, &LONGEST, &UNFINISHED, &PANICS];
        let judgements = [&JUDGEMENTS, &EVALUATIONS, &FAULTS];
        let providers = [&OPERATIONS, &DURATIONS, &LIMITED, &REQUESTS];
        let all = process.into_iter().chain(visits).chain(judgements).chain(providers);
        all.chain([&ADMISSION]).chain(products::FAMILIES)
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
        // One of several replicas tells of the mesh, or sums over all of them would count each product several times.
        let leads = self.ctx.leadership.is_leader();
        let policies = leads.then(|| self.ctx.read(|mesh| Arc::clone(mesh.policies())));
        let faults = policies.iter().flat_map(|policies| policies.policies());
        FAULTS.encode(encoder, faults.map(|policy| ([&*policy.source], number(policy.faults.len()))))?;
        let products = if leads { self.ctx.products() } else { Vec::new() };
        products::encode(encoder, products.iter().filter_map(|product| product.0.as_ref().ok()))
    }
}

impl Sources {
    fn process(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        BUILD.encode(encoder, [([env!("CARGO_PKG_VERSION")], 1)])?;
        LEADS.encode(encoder, [([leader::NAME], u64::from(self.ctx.leadership.is_leader()))])?;
        SYNCED.encode(encoder, [([""; 0], u64::from(self.ctx.is_synced()))])?;
        INTERRUPTIONS.encode(encoder, self.ctx.watches.snapshot().map(|(kind, count)| ([kind], count)))?;
        JUDGEMENTS.encode(encoder, [([""; 0], self.ctx.evaluations())])?;
        EVALUATIONS.encode(encoder, [([""; 0], self.ctx.policy_evaluations())])
    }

    fn visits(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let visits = &self.ctx.visits;
        let ended = visits.snapshot().into_iter();
        VISITS.encode(encoder, ended.map(|(outcome, count)| ([CONTROLLER, outcome.as_str()], count)))?;
        LENGTHS.encode_histograms(encoder, [([CONTROLLER], visits.lengths.clone())])?;
        let under_way = self.ctx.pulse.under_way();
        ACTIVE.encode(encoder, [([CONTROLLER], number(under_way.len()))])?;
        MOST.encode(encoder, [([CONTROLLER], u64::from(controller::CONCURRENCY))])?;
        let (longest, all) = (under_way.iter().max().copied(), under_way.iter().sum::<Duration>());
        LONGEST.encode(encoder, [([CONTROLLER; 2], longest.unwrap_or_default().as_secs())])?;
        UNFINISHED.encode(encoder, [([CONTROLLER; 2], all.as_secs())])?;
        PANICS.encode(encoder, [([CONTROLLER], visits.panics())])
    }

    /// What was asked of providers, and the API calls of the backend `aws`.
    fn providers(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let counters = self.ctx.registry.counters();
        let operations = counters.snapshot().into_iter();
        let operations = operations
            .map(|((operation, kind, outcome), count)| ([operation.as_str(), kind.as_str(), outcome], count));
        OPERATIONS.encode(encoder, operations)?;
        let durations = counters.durations().into_iter();
        let durations =
            durations.map(|((operation, kind), took)| ([operation.as_str(), kind.as_str()], took));
        DURATIONS.encode_histograms(encoder, durations)?;
        let limited = counters.limited().into_iter();
        LIMITED.encode(
            encoder,
            limited.map(|((operation, kind), count)| ([operation.as_str(), kind.as_str()], count)),
        )?;
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

/// A number of things, of which there are never so many that it would not fit.
fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
