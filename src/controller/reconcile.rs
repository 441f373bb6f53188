//! The corridor: gather, decide, apply, summarize, report, schedule. Only a status that could not be written is an
//! error; every other failure is a value that ends up in the status.

use std::{sync::Arc, time::Duration};

use kube::ResourceExt;

use super::{
    apply,
    context::Context,
    departure, gather,
    kubernetes::{self, RequestError},
    report,
    schedule::{self, Ending, RESYNC},
};
use crate::{
    api::{DataProduct, FINALIZER},
    model::duration::Period,
    plan::{
        Decision, Outcome, ProductName, StepResult, World,
        assess::{Observations, State, assess_all},
        decide,
    },
    provider::SharedProvider,
    slo,
    status::{Facts, summarize},
};

/// What a visit led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visit {
    /// How it ended.
    pub ending: Ending,
    /// The pause until the next visit; `None` when the object is gone.
    pub again: Option<Duration>,
}

impl Visit {
    /// Nothing is left of the object, or nothing of it is ours.
    pub const OVER: Self = Self { ending: Ending::Settled, again: None };

    /// What was seen is out of date; the next event, or the next second, brings the truth.
    pub const STALE: Self = Self { ending: Ending::Failed(1), again: Some(Duration::from_secs(1)) };
}

/// Visits a product once.
pub async fn reconcile(ctx: &Context, product: &Arc<DataProduct>) -> Result<Visit, RequestError> {
    if product.metadata.deletion_timestamp.is_some() {
        return departure::reconcile(ctx, product).await;
    }
    let (world, provider) = gather::world(ctx, gather::declared(ctx, product)).await;
    ctx.evaluated();
    let decision = decide(&world);

    let (outcomes, after) = match &provider {
        Some(provider) if needs_finalizer(&decision) => {
            if !secure(ctx, product, &decision).await? {
                return Ok(Visit::STALE);
            }
            change(provider, &world, &decision).await
        }
        _ => (Vec::new(), world.observations.clone()),
    };

    let readings = gather::measure(provider.as_ref(), &world, &after).await;
    let facts = Facts {
        world: &world,
        decision: &decision,
        outcomes: &outcomes,
        after: assess_all(&decision.wanted, &after, &decision.memory),
        verdicts: slo::judge(product, &readings, world.declared.now),
    };
    let status = summarize(&facts);
    let written = report::status(ctx, product, &status).await?;
    // What was done is told even where the status is the same before and after, as when drift was corrected.
    if written || !outcomes.is_empty() {
        report::events(ctx, product, &status, &outcomes).await;
    }
    let ending = ending(ctx, product, &facts, status.condition("Reconciling").is_some());
    Ok(visit(ctx, &facts, ending))
}

/// Whether something outside is, or is about to be, ours.
fn needs_finalizer(decision: &Decision) -> bool {
    // Only what is the product's own has an identifier.
    let exists = decision.assessments.iter().any(|assessment| assessment.id.is_some());
    exists || !decision.plan.steps.is_empty()
}

/// Makes sure, before the first side effect, that the object is the one that was seen and holds our finalizer.
async fn secure(ctx: &Context, product: &DataProduct, decision: &Decision) -> Result<bool, RequestError> {
    let held = product.finalizers().iter().any(|finalizer| finalizer == FINALIZER);
    let answer = if !held {
        kubernetes::add_finalizer(&ctx.client, product).await.map(|version| {
            ctx.wrote(&ProductName::of(product), &version);
            true
        })
    } else if decision.plan.steps.is_empty() {
        return Ok(true);
    } else {
        // A cache may be late: nothing is made for an object that is gone, going, or another one.
        kubernetes::live(&ctx.client, &ProductName::of(product)).await.map(|live| {
            live.is_some_and(|live| live.uid() == product.uid() && live.metadata.deletion_timestamp.is_none())
        })
    };
    match answer {
        Err(error) if error.is_stale() => Ok(false),
        answer => answer,
    }
}

async fn change(
    provider: &SharedProvider,
    world: &World,
    decision: &Decision,
) -> (Vec<Outcome>, Observations) {
    let outcomes = apply::apply(provider, &decision.plan).await;
    let after = apply::observe_again(provider, &world.observations, &outcomes).await;
    (outcomes, after)
}

fn ending(ctx: &Context, product: &DataProduct, facts: &Facts<'_>, reconciling: bool) -> Ending {
    let name = ProductName::of(product);
    let in_progress = facts.outcomes.iter().any(|outcome| outcome.result == StepResult::InProgress);
    let transient = facts.outcomes.iter().filter_map(Outcome::fault).any(|fault| fault.kind.is_transient());
    if in_progress {
        Ending::InProgress
    } else if transient || reconciling {
        Ending::Failed(ctx.failed(&name))
    } else {
        ctx.succeeded(&name);
        if facts.after.iter().all(|assessment| assessment.state == State::InSync) {
            Ending::Settled
        } else {
            Ending::Stalled
        }
    }
}

fn visit(ctx: &Context, facts: &Facts<'_>, ending: Ending) -> Visit {
    let now = (ctx.now)();
    let uid = facts.world.declared.product.uid().unwrap_or_default();
    let flip = slo::next_flip(&facts.verdicts, now);
    let pause = schedule::pause(ending, resync(facts.world), flip, now, &uid, rand::random());
    Visit { ending, again: Some(pause) }
}

/// The interval of the class, or the default. An interval that cannot be read was refused by the schema.
pub(super) fn resync(world: &World) -> Duration {
    let interval = world.scope.as_ref().ok().and_then(|scope| scope.class.resync_interval.as_ref());
    let span = interval.and_then(|interval| interval.parse::<Period>().ok());
    span.and_then(|span| u64::try_from(span.seconds()).ok()).map_or(RESYNC, Duration::from_secs)
}
