//! A visit in a model of the world, with some luck, and what must hold of every status that comes of it.

use std::sync::LazyLock;

use dataproduct_operator::{
    api::DataProductStatus,
    governance::Precedents,
    model::{
        measurement::{self, Objective, Reading},
        resource::Key,
    },
    plan::{
        Declared, Outcome, StepResult,
        assess::{Fault, Observation, State, assess_all},
        decide, judge,
    },
    provider::ErrorKind,
    slo,
    status::{Facts, SIZE_LIMIT, summarize},
};
use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::Value;

use crate::{
    outside::Outside,
    world::{customer_360, now, world},
};

/// How the steps of a visit end.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Luck {
    Good,
    Refused(ErrorKind),
    Unreadable(ErrorKind),
}

pub(crate) fn luck() -> impl Strategy<Value = Luck> {
    let kind = prop::sample::select(vec![
        ErrorKind::Denied,
        ErrorKind::Throttled,
        ErrorKind::Timeout,
        ErrorKind::Conflict,
        ErrorKind::Quota,
        ErrorKind::Unavailable,
    ]);
    prop_oneof![Just(Luck::Good), kind.clone().prop_map(Luck::Refused), kind.prop_map(Luck::Unreadable)]
}

/// Settings that people change.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "each is one setting of its own")]
pub(crate) struct Settings {
    pub(crate) suspended: bool,
    pub(crate) draft: bool,
    pub(crate) violating: bool,
    pub(crate) unbound: bool,
    pub(crate) age_minutes: i64,
}

pub(crate) fn settings() -> impl Strategy<Value = Settings> {
    (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), 0i64..200).prop_map(
        |(suspended, draft, violating, unbound, age_minutes)| Settings {
            suspended,
            draft,
            violating,
            unbound,
            age_minutes,
        },
    )
}

pub(crate) fn apply_settings(settings: Settings) -> Declared {
    let mut declared = customer_360();
    let mut product = (*declared.product).clone();
    product.spec.suspend = settings.suspended.then_some(true);
    if settings.draft {
        product.spec.lifecycle = Some(dataproduct_operator::api::product::Lifecycle::Draft);
    }
    if settings.violating {
        product.spec.access = None;
    }
    if settings.unbound {
        declared.domains.clear();
    }
    declared.product = product.into();
    declared
}

/// One visit: decide, apply with some luck, observe again, summarize.
pub(crate) fn visit(
    declared: Declared,
    outside: &mut Outside,
    luck: Luck,
    age_minutes: i64,
) -> (DataProductStatus, bool) {
    let keys = |declared: &Declared| {
        let scope = dataproduct_operator::plan::scope::resolve(declared);
        scope.map_or_else(|_| Vec::<Key>::new(), |scope| scope.names.keys().collect())
    };
    let keys = keys(&declared);
    let fault = |kind| Fault::new(kind, "on purpose");
    let read = |outside: &Outside| {
        let mut observations = outside.observe(keys.iter().cloned());
        if let Luck::Unreadable(kind) = luck
            && let Some(first) = keys.first()
        {
            observations.insert(first.clone(), Observation::Unknown(fault(kind)));
        }
        observations
    };
    let world = world(declared, read(outside));
    let decision = decide(&world);
    let outcomes = match luck {
        Luck::Refused(kind) => decision
            .plan
            .steps
            .iter()
            .map(|step| Outcome::of(step, StepResult::Failed(fault(kind))))
            .collect(),
        Luck::Good | Luck::Unreadable(_) => outside.apply(&decision.plan),
    };
    let at = now().checked_sub(SignedDuration::from_mins(age_minutes)).expect("an instant");
    let readings = Ok(vec![Reading {
        objective: Objective::Freshness,
        value: measurement::Value::NewestData(at),
        complete: true,
        source: "test".into(),
    }]);
    let observed = read(outside);
    let after = assess_all(&decision.wanted, &observed, &decision.memory);
    let in_sync = !after.is_empty() && after.iter().all(|assessment| assessment.state == State::InSync);
    let verdicts = slo::judge(&world.declared.product, &readings, world.declared.now);
    let judgement = judge(&world, &decision.wanted, &observed, &Precedents::default());
    let report = judgement.map(|judgement| judgement.report);
    let facts = Facts { world: &world, decision: &decision, outcomes: &outcomes, report, after, verdicts };
    (summarize(&facts), in_sync)
}

pub(crate) fn with_status(mut declared: Declared, status: &DataProductStatus) -> Declared {
    let mut product = (*declared.product).clone();
    product.status = Some(status.clone());
    declared.product = product.into();
    declared
}

/// What the schema of the custom resource would refuse of a value: the API server would refuse the whole status.
fn refused(path: &str, schema: &Value, value: &Value) -> Vec<String> {
    let over = |bound: &str, size: usize| {
        let largest = schema[bound].as_u64().and_then(|largest| usize::try_from(largest).ok());
        largest.filter(|largest| size > *largest).map(|largest| format!("{path}: {size} > {bound} {largest}"))
    };
    match value {
        Value::String(text) => {
            let known = schema["enum"].as_array().is_none_or(|words| words.contains(value));
            let unknown = (!known).then(|| format!("{path}: {text} is not in {}", schema["enum"]));
            over("maxLength", text.chars().count()).into_iter().chain(unknown).collect()
        }
        Value::Array(items) => {
            let inner = items.iter().flat_map(|item| refused(&format!("{path}[]"), &schema["items"], item));
            over("maxItems", items.len()).into_iter().chain(inner).collect()
        }
        Value::Object(fields) => {
            let inner = fields.iter().flat_map(|(name, field)| match &schema["properties"][name] {
                Value::Null => vec![format!("{path}.{name}: not in the schema")],
                schema => refused(&format!("{path}.{name}"), schema, field),
            });
            inner.collect()
        }
        _ => Vec::new(),
    }
}

pub(crate) fn assert_accepted(status: &DataProductStatus) {
    static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
        let crds = dataproduct_operator::api::crds().expect("the definitions");
        let crd = crds.iter().find(|crd| crd.spec.names.kind == "DataProduct").expect("ours");
        let crd = serde_json::to_value(crd).expect("JSON");
        crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"].clone()
    });
    let refused = refused("status", &SCHEMA, &serde_json::to_value(status).expect("JSON"));
    assert!(refused.is_empty(), "the API server would refuse the status: {refused:?}");
}

pub(crate) fn check(status: &DataProductStatus, settings: Settings, in_sync: bool) {
    assert_accepted(status);
    let condition = |type_: &str| status.condition(type_);
    let ready = condition("Ready").expect("Ready is always there");
    let abnormal = [condition("Reconciling"), condition("Stalled")];
    assert!(abnormal.iter().flatten().count() <= 1, "invariant 1: never both");
    assert!(
        abnormal.iter().flatten().all(|condition| condition.status == "True"),
        "abnormal only while true"
    );
    if ready.status == "True" {
        assert!(in_sync || settings.draft, "invariant 2: Ready only in sync");
        assert!(abnormal.iter().all(Option::is_none), "Ready is neither reconciling nor stalled");
    } else {
        assert_eq!(abnormal.iter().flatten().count(), 1, "who waits knows for whom: {ready:?}");
        assert!(!ready.message.is_empty(), "a reason has a text");
    }
    assert!(
        status.conditions.iter().all(|condition| condition.observed_generation == Some(1)),
        "invariant 3"
    );
    assert!(
        status.governance.as_ref().is_none_or(|governance| governance.violations.len() <= 50),
        "invariant 5"
    );
    assert!(
        serde_json::to_string(status).expect("a status is JSON").len() <= SIZE_LIMIT,
        "invariant 5: 64 KiB"
    );
}
