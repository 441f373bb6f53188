//! The corridor: gather, decide, apply, summarize, report, schedule. Only a status that could not be written is an
//! error; every other failure is a value that ends up in the status.

use std::{sync::Arc, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use kube::ResourceExt;

use super::{
    apply,
    context::Context,
    departure, gather,
    kubernetes::{self, RequestError},
    outputs, report,
    schedule::{self, Ending, RESYNC},
};
use crate::{
    api::{DataProduct, FINALIZER},
    governance::Report,
    model::{duration::Period, owner::Owner, resource::Key},
    plan::{
        Action, Decision, Outcome, ProductName, StepResult, World,
        assess::{Observations, State, assess_all},
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
        // In a box, because it is seldom needed and would make every visit larger.
        return Box::pin(departure::reconcile(ctx, product)).await;
    }
    let (mut world, provider) = gather::world(ctx, gather::declared(ctx, product)).await;
    let mut decision;
    (world, decision) = ctx.bench.decide(world).await;
    ctx.judged(&ProductName::of(&**product), decision.judgement.as_ref());

    let (outcomes, after) = match (&provider, &world.scope) {
        (Some(provider), Ok(scope)) if needs_finalizer(&decision) => {
            let owner = scope.owner.clone();
            let intents = intents(provider, &decision);
            let Some(secured) = secure(ctx, product, &decision, &intents).await? else {
                return Ok(Visit::STALE);
            };
            let until = world.declared.now.checked_add(scope.lost_create_wait()).unwrap_or(Timestamp::MAX);
            decision.memory.begun.extend(intents.into_iter().map(|key| (key, until)));
            world.declared.product = secured;
            change(provider, &owner, &world, &mut decision).await
        }
        _ => (Vec::new(), world.observations.clone()),
    };
    let product = &world.declared.product;

    let readings = gather::measure(provider.as_ref(), &world, &after).await;
    let facts = Facts {
        world: &world,
        decision: &decision,
        outcomes: &outcomes,
        report: judged(ctx, &world, &decision, &after).await,
        after: assess_all(&decision.wanted, &after, &decision.memory),
        verdicts: slo::judge(product, &readings, world.declared.now),
    };
    ctx.tallies.judged(&ProductName::of(&**product), facts.report.as_ref());
    if !world.declared.exceptions.is_empty() {
        // One may have ended.
        ctx.tallies.touch();
    }
    let status = summarize(&facts);
    let written = report::status(ctx, product, &status).await?;
    // What was done is told even where the status is the same before and after, as when drift was corrected.
    if written || !outcomes.is_empty() {
        report::events(ctx, product, &status, &outcomes).await;
    }
    outputs::write(ctx, product, &status, facts.report.as_ref().map_or(0, |report| report.rules)).await;
    let ending = ending(ctx, product, &facts, status.condition("Reconciling").is_some());
    Ok(visit(ctx, &facts, ending))
}

/// Whether something outside is, or is about to be, ours.
fn needs_finalizer(decision: &Decision) -> bool {
    // Only what is the product's own has an identifier.
    let exists = decision.assessments.iter().any(|assessment| assessment.id.is_some());
    exists || !decision.plan.steps.is_empty()
}

/// The resources that the plan makes and that must not be made twice: the intent to make them is written first.
pub fn intents(provider: &SharedProvider, decision: &Decision) -> Vec<Key> {
    let once = provider.creates_once();
    let steps = decision.plan.steps.iter();
    let made = steps.filter(|step| matches!(step.action, Action::Create(_)) && once.contains(&step.key.kind));
    made.map(|step| step.key.clone()).collect()
}

/// Makes sure, before the first side effect, that the object is the one that was seen, that it holds our finalizer, and
/// that the intents are written. Gives the product as it is then, or nothing when another one was seen.
async fn secure(
    ctx: &Context,
    product: &Arc<DataProduct>,
    decision: &Decision,
    intents: &[Key],
) -> Result<Option<Arc<DataProduct>>, RequestError> {
    let answer = async {
        let mut secured = Arc::clone(product);
        let held = product.finalizers().iter().any(|finalizer| finalizer == FINALIZER);
        if !held {
            let version = kubernetes::add_finalizer(&ctx.client, product).await?;
            ctx.wrote(&ProductName::of(&**product), &version);
            Arc::make_mut(&mut secured).metadata.resource_version = Some(version);
        }
        if !intents.is_empty() {
            return report::intent(ctx, &secured, intents).await.map(|intending| Some(Arc::new(intending)));
        }
        if held && !decision.plan.steps.is_empty() && !is_live(ctx, product).await? {
            return Ok(None);
        }
        Ok(Some(secured))
    };
    match answer.await {
        Err(error) if error.is_stale() => Ok(None),
        answer => answer,
    }
}

/// A cache may be late: nothing is made for an object that is gone, going, or another one.
async fn is_live(ctx: &Context, product: &DataProduct) -> Result<bool, RequestError> {
    let live = kubernetes::live(&ctx.client, &ProductName::of(product)).await?;
    Ok(live.is_some_and(|live| live.uid() == product.uid() && live.metadata.deletion_timestamp.is_none()))
}

async fn change(
    provider: &SharedProvider,
    owner: &Owner,
    world: &World,
    decision: &mut Decision,
) -> (Vec<Outcome>, Observations) {
    let outcomes = apply::apply(provider, &decision.plan).await;
    decision.memory = std::mem::take(&mut decision.memory).after(&outcomes);
    let after = apply::observe_again(provider, owner, &world.observations, &outcomes).await;
    (outcomes, after)
}

/// The judgement to show. Where the steps changed what is seen, the one that the decision rests on is out of date.
async fn judged(ctx: &Context, world: &World, decision: &Decision, after: &Observations) -> Option<Report> {
    let before = decision.judgement.as_ref()?;
    if *after == world.observations {
        return Some(before.report.clone());
    }
    let judgement = ctx.bench.judge(world, decision, after).await;
    ctx.judged(&ProductName::of(&*world.declared.product), judgement.as_ref());
    judgement.map(|judgement| judgement.report)
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
    // When a grace or an exception ends is another instant to look at.
    let deadlines = facts.report.iter().flat_map(|report| &report.violations);
    let deadlines = deadlines.filter_map(|violation| match violation.exception.as_deref() {
        Some((_, until)) => Some(*until),
        None => Some(violation.deadline?.to_zoned(TimeZone::UTC).ok()?.timestamp()),
    });
    let flip = slo::next_flip(&facts.verdicts, now).into_iter().chain(deadlines).min();
    let pause = schedule::pause(ending, resync(facts.world), flip, now, &uid, rand::random());
    Visit { ending, again: Some(pause) }
}

/// The interval of the class, or the default. An interval that cannot be read was refused by the schema.
pub(super) fn resync(world: &World) -> Duration {
    let interval = world.scope.as_ref().ok().and_then(|scope| scope.class.resync_interval.as_ref());
    let span = interval.and_then(|interval| interval.parse::<Period>().ok());
    span.and_then(|span| u64::try_from(span.seconds()).ok()).map_or(RESYNC, Duration::from_secs)
}
