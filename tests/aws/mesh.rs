//! Products on the example platform on AWS, visited as the operator visits them, only without an API server: what is
//! declared is given, and the status of each visit is that of the next.

use std::sync::Arc;

use anyhow::Result;
use dataproduct_operator::{
    api::DataProductStatus,
    controller::{apply, gather, reconcile},
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

use crate::declared::declared;

/// The product of that name on the example platform, in the operator's own account.
pub(crate) fn product(name: &str) -> Declared {
    let manifest = format!(
        r"
apiVersion: datamesh.io/v1
kind: DataProduct
metadata: {{name: {name}, namespace: orders, uid: uid-of-{name}, generation: 1}}
spec:
  domain: orders
  version: 1.0.0
  description: A small product.
  outputPorts: [{{name: lake, type: s3_delta_lake, format: parquet}}]
  schema: {{type: avro, fields: [{{name: id, type: string, description: Identifier, pii: false}}]}}
  slo: {{freshness: {{target: 1 hour}}, availability: {{target: 99%}}}}
  quality: {{tests: [{{type: uniqueness, column: id}}, {{type: not_null, column: id}}, {{type: freshness, column: id, max_age: 1 hour}}]}}
  access: {{classification: internal, retention: 1 year}}
"
    );
    let platform = include_str!("../../examples/platform-aws.yaml");
    declared(&format!("{platform}\n---\n{manifest}"))
}

/// What a visit did and said.
pub(crate) struct Visit {
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) status: DataProductStatus,
    pub(crate) in_sync: bool,
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
    let report = judge(&world, &decision.wanted, &after);
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
