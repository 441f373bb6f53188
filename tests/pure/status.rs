//! The numbered invariants of the status, for any mix of findings and outcomes.

use dataproduct_operator::{
    api::DataProductStatus,
    model::{
        measurement::{Objective, Reading, Value},
        resource::Key,
    },
    plan::{
        Declared, Outcome, StepResult,
        assess::{Fault, Observation, State, assess_all},
        decide,
    },
    provider::ErrorKind,
    slo,
    status::{Facts, summarize},
};
use jiff::SignedDuration;
use proptest::prelude::*;

use crate::{
    outside::Outside,
    world::{customer_360, now, world},
};

/// How the steps of a visit end.
#[derive(Debug, Clone, Copy)]
enum Luck {
    Good,
    Refused(ErrorKind),
    Unreadable(ErrorKind),
}

fn luck() -> impl Strategy<Value = Luck> {
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
struct Settings {
    suspended: bool,
    draft: bool,
    violating: bool,
    unbound: bool,
    age_minutes: i64,
}

fn settings() -> impl Strategy<Value = Settings> {
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

fn apply_settings(settings: Settings) -> Declared {
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
fn visit(
    declared: Declared,
    outside: &mut Outside,
    luck: Luck,
    age_minutes: i64,
) -> (DataProductStatus, bool) {
    let keys = |declared: &Declared| {
        let scope = dataproduct_operator::plan::bind::resolve(declared);
        scope.map_or_else(|_| Vec::<Key>::new(), |scope| scope.names.keys().collect())
    };
    let keys = keys(&declared);
    let fault = |kind| Fault { kind, message: "on purpose".to_owned() };
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
            .map(|step| Outcome {
                key: step.key.clone(),
                verb: step.action.verb(),
                result: StepResult::Failed(fault(kind)),
            })
            .collect(),
        Luck::Good | Luck::Unreadable(_) => outside.apply(&decision.plan),
    };
    let at = now().checked_sub(SignedDuration::from_mins(age_minutes)).expect("an instant");
    let readings = Ok(vec![Reading {
        objective: Objective::Freshness,
        value: Value::NewestData(at),
        source: "test".into(),
    }]);
    let after = assess_all(&decision.wanted, &read(outside), &decision.memory);
    let in_sync = !after.is_empty() && after.iter().all(|assessment| assessment.state == State::InSync);
    let verdicts = slo::judge(&world.declared.product, &readings, world.declared.now);
    let facts = Facts { world: &world, decision: &decision, outcomes: &outcomes, after, verdicts };
    (summarize(&facts), in_sync)
}

fn with_status(mut declared: Declared, status: &DataProductStatus) -> Declared {
    let mut product = (*declared.product).clone();
    product.status = Some(status.clone());
    declared.product = product.into();
    declared
}

fn check(status: &DataProductStatus, settings: Settings, in_sync: bool) {
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
        serde_json::to_string(status).expect("a status is JSON").len() <= 64 * 1024,
        "invariant 5: 64 KiB"
    );
}

proptest! {
    #[test]
    fn the_invariants_hold_for_any_mix_of_settings_and_luck(settings in settings(), first in luck(), second in luck()) {
        let mut outside = Outside::default();
        let (status, in_sync) = visit(apply_settings(settings), &mut outside, first, settings.age_minutes);
        check(&status, settings, in_sync);
        let mut declared = with_status(apply_settings(settings), &status);
        // Time has passed, so that a time that moves without a reason is seen.
        declared.now = declared.now.checked_add(SignedDuration::from_mins(7)).expect("an instant");
        let (later, in_sync) = visit(declared, &mut outside, second, settings.age_minutes);
        check(&later, settings, in_sync);
        for condition in &later.conditions {
            let before = status.condition(&condition.type_);
            if before.is_some_and(|before| before.status == condition.status) {
                let before = before.map(|before| &before.last_transition_time);
                prop_assert_eq!(Some(&condition.last_transition_time), before, "invariant 4");
            }
        }
    }

    #[test]
    fn a_world_at_rest_gives_the_same_status_again(settings in settings()) {
        let mut outside = Outside::default();
        let (first, _) = visit(apply_settings(settings), &mut outside, Luck::Good, settings.age_minutes);
        let (second, _) = visit(with_status(apply_settings(settings), &first), &mut outside, Luck::Good, settings.age_minutes);
        let (third, _) = visit(with_status(apply_settings(settings), &second), &mut outside, Luck::Good, settings.age_minutes);
        prop_assert_eq!(&first, &second, "invariant 6: the first status is already final");
        prop_assert_eq!(second, third);
    }
}

#[test]
fn the_status_does_not_move_while_data_arrives_on_time() {
    let mut outside = Outside::default();
    let (first, _) = visit(customer_360(), &mut outside, Luck::Good, 30);
    let (second, _) = visit(with_status(customer_360(), &first), &mut outside, Luck::Good, 5);
    assert_eq!(first, second, "25 minutes of newer data are less than the target of 1 hour");
}

#[test]
fn a_late_pipeline_leaves_ready_alone() {
    let mut outside = Outside::default();
    let (status, _) = visit(customer_360(), &mut outside, Luck::Good, 61);
    assert_eq!(status.condition("Ready").map(|ready| ready.status.as_str()), Some("True"));
    assert_eq!(status.condition("SLOsMet").map(|slo| slo.reason.as_str()), Some("Breached"));
    assert_eq!(
        status.slo.and_then(|slo| slo.state).map(dataproduct_operator::api::status::SloState::as_str),
        Some("Breached")
    );
}

#[test]
fn under_the_drift_policy_report_drift_is_shown_and_left_alone_until_the_spec_changes() {
    use dataproduct_operator::{api::DriftPolicy, model::attributes::Attributes};
    let reporting = || {
        let mut declared = customer_360();
        for class in declared.classes.values_mut() {
            let mut reporting = (**class).clone();
            reporting.spec.drift_policy = Some(DriftPolicy::Report);
            *class = reporting.into();
        }
        declared
    };
    let mut outside = Outside::default();
    let (made, _) = visit(reporting(), &mut outside, Luck::Good, 0);
    assert_eq!(
        made.condition("Ready").map(|ready| ready.status.as_str()),
        Some("True"),
        "what is new is made"
    );
    for found in outside.0.values_mut() {
        if let Attributes::Bucket(bucket) = &mut found.attributes {
            bucket.versioning = false;
        }
    }
    let drifted = outside.clone();
    let (seen, _) = visit(with_status(reporting(), &made), &mut outside, Luck::Good, 0);
    assert_eq!(outside, drifted, "nothing is corrected");
    let stalled = seen.condition("Stalled").map(|stalled| (stalled.reason.as_str(), stalled.message.clone()));
    assert!(
        stalled.as_ref().is_some_and(|(reason, text)| *reason == "Drifted" && text.contains("versioning")),
        "{stalled:?}"
    );
    let drift = seen.resources.iter().flat_map(|resource| &resource.drift).map(|drift| drift.path.as_str());
    assert_eq!(drift.collect::<Vec<_>>(), ["versioning"]);

    let mut changed = with_status(reporting(), &seen);
    let mut product = (*changed.product).clone();
    product.spec.version = "2.2.0".to_owned();
    changed.product = product.into();
    let (after, in_sync) = visit(changed, &mut outside, Luck::Good, 0);
    assert!(in_sync && after.condition("Stalled").is_none(), "a change of the spec is carried out");
}
