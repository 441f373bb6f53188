//! Products on the example platform on AWS, visited as the operator visits them, only without an API server: what is
//! declared is given, and the status of each visit is that of the next.

use std::sync::Arc;

use anyhow::{Result, ensure};
use dataproduct_operator::{
    api::{DataProductStatus, ProviderClass, product::DeletionPolicy, status::ResourceState},
    controller::{apply, gather, reconcile},
    governance::Precedents,
    model::{
        measurement::Subject,
        resource::{Key, Kind, Look},
    },
    plan::{
        Declared, Outcome, StepResult, World,
        assess::{State, assess_all},
        decide, decide_teardown, judge,
        scope::resolve,
    },
    provider::SharedProvider,
    slo,
    status::{Facts, intending, summarize},
};
use jiff::SignedDuration;

use crate::{declared::declared, fixture::small};

/// The product of that name on the example platform, in the operator's own account.
pub(crate) fn product(name: &str) -> Declared {
    let platform = include_str!("../../examples/platform-aws.yaml");
    let mut declared = declared(&format!("{platform}\n---\n{}", small("orders", "orders", name, "")));
    let metadata = &mut Arc::make_mut(&mut declared.product).metadata;
    (metadata.uid, metadata.generation) = (Some(format!("uid-of-{name}")), Some(1));
    declared
}

/// Visits after which a product that is not at rest never will be.
const VISITS: usize = 12;
/// Time between two visits, as far as the product can tell.
const PAUSE: SignedDuration = SignedDuration::from_mins(5);
/// What a visit did and said.
pub(crate) struct Visit {
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) status: DataProductStatus,
    pub(crate) in_sync: bool,
}

impl Visit {
    /// The state of a resource as the status tells it, and its error.
    pub(crate) fn told(&self, kind: Kind) -> (ResourceState, String) {
        let found = self.status.resources.iter().find(|resource| resource.kind == kind.as_str());
        let found = found.expect("a resource of every kind");
        (found.state, found.last_error.as_ref().map(|error| error.message.clone()).unwrap_or_default())
    }
}

/// Changes the class of the example platform.
pub(crate) fn class(declared: &mut Declared, change: impl FnOnce(&mut ProviderClass)) {
    change(Arc::make_mut(declared.classes.get_mut("aws").expect("the class of the example")));
}

/// One visit; the status that it writes is in `declared` afterwards. An intent is written before the steps, as it is in the
/// cluster.
pub(crate) async fn visit(provider: &SharedProvider, declared: &mut Declared, look: Look) -> Result<Visit> {
    let scope = resolve(declared).map_err(|blocker| anyhow::anyhow!("{blocker}"))?;
    let observations = gather::observe(provider, &scope.owner, look, scope.names.keys()).await;
    let owner = scope.owner.clone();
    let wait = scope.lost_create_wait();
    let mut world = World { declared: declared.clone(), scope: Ok(scope), observations };
    let mut decision = decide(&world);
    let intents = reconcile::intents(provider, &decision);
    if !intents.is_empty() {
        let status = declared.product.status.clone().unwrap_or_default();
        set_status(declared, intending(&status, &intents, declared.now));
        let until = declared.now.checked_add(wait)?;
        decision.memory.begun.extend(intents.into_iter().map(|key| (key, until)));
        world.declared = declared.clone();
    }
    let outcomes = apply::apply(provider, &decision.plan).await;
    decision.memory = decision.memory.after(&outcomes);
    let after = apply::observe_again(provider, &owner, &world.observations, &outcomes).await;
    let readings = gather::measure(Some(provider), &world, &after).await;
    let judgement = judge(&world, &decision.wanted, &after, &Precedents::default());
    let report = judgement.map(|judgement| judgement.report);
    let after = assess_all(&decision.wanted, &after, &decision.memory);
    let in_sync = after.iter().all(|assessment| assessment.state == State::InSync);
    let verdicts = slo::judge(&declared.product, &readings, declared.now);
    let facts = Facts { world: &world, decision: &decision, outcomes: &outcomes, after, verdicts, report };
    let status = summarize(&facts);
    set_status(declared, status.clone());
    Ok(Visit { outcomes, status, in_sync })
}

fn set_status(declared: &mut Declared, status: DataProductStatus) {
    let mut product = (*declared.product).clone();
    product.status = Some(status);
    declared.product = Arc::new(product);
}

/// One visit to a product that is being deleted. Whether nothing is left to be done.
pub(crate) async fn depart(provider: &SharedProvider, declared: &Declared) -> Result<bool> {
    let scope = resolve(declared).map_err(|blocker| anyhow::anyhow!("{blocker}"))?;
    let observe = || gather::observe(provider, &scope.owner, Look::Full, scope.names.keys());
    let observations = observe().await;
    let mut world = World { declared: declared.clone(), scope: Ok(scope.clone()), observations };
    let teardown = decide_teardown(&world, &scope);
    if teardown.is_complete() {
        return Ok(true);
    }
    apply::apply(provider, &teardown.plan).await;
    world.observations = observe().await;
    Ok(decide_teardown(&world, &scope).is_complete())
}

/// Fails with the outcomes of the visit when something is left to be done.
pub(crate) fn assert_done(visit: &Visit) {
    let failed = visit.outcomes.iter().filter(|outcome| outcome.result != StepResult::Applied);
    let failed = failed.collect::<Vec<_>>();
    assert!(visit.in_sync && failed.is_empty(), "{failed:#?}\n{:#?}", visit.status.resources);
}

/// The external name of a resource of a product.
pub(crate) fn key(declared: &Declared, kind: Kind) -> Key {
    resolve(declared).expect("a scope").names.key(kind)
}

/// What is measured of a product.
pub(crate) fn subject(declared: &Declared) -> Subject {
    use dataproduct_operator::model::measurement::Objective;
    Subject {
        domain: "orders".to_owned(),
        product: declared.product.metadata.name.clone().unwrap_or_default(),
        bucket: key(declared, Kind::Bucket),
        alarm: key(declared, Kind::FreshnessAlarm),
        objectives: vec![Objective::Freshness, Objective::Availability],
        look: Look::Full,
    }
}

/// Visits a product until a full look after the steps finds everything in sync.
pub(crate) async fn settle(provider: &SharedProvider, declared: &mut Declared) -> Result<()> {
    for _ in 0..VISITS {
        let visit = visit(provider, declared, Look::Full).await?;
        declared.now = declared.now.checked_add(PAUSE)?;
        if visit.in_sync {
            return Ok(());
        }
    }
    let status = declared.product.status.clone().unwrap_or_default();
    anyhow::bail!("not in sync: {:#?}", status.resources)
}

/// Fails unless one more visit finds nothing to do.
pub(crate) async fn rest(provider: &SharedProvider, declared: &mut Declared) -> Result<()> {
    let visit = visit(provider, declared, Look::Full).await?;
    ensure!(visit.in_sync && visit.outcomes.is_empty(), "not at rest: {:#?}", visit.outcomes);
    Ok(())
}

/// Visits a product that goes until it may.
pub(crate) async fn leave(provider: &SharedProvider, declared: &Declared) -> Result<()> {
    for _ in 0..VISITS {
        if depart(provider, declared).await? {
            return Ok(());
        }
    }
    anyhow::bail!("it cannot go")
}

/// Changes a product so that its data goes with it.
pub(crate) fn confirm_deletion(declared: &mut Declared) {
    let product = Arc::make_mut(&mut declared.product);
    product.spec.provisioning.get_or_insert_default().deletion_policy = Some(DeletionPolicy::Delete);
    let name = product.metadata.name.clone().unwrap_or_default();
    let annotations = product.metadata.annotations.get_or_insert_default();
    annotations.insert("datamesh.io/confirm-deletion".to_owned(), name);
}
