//! The numbered invariants of the status, for any mix of findings and outcomes.

use std::sync::LazyLock;

use dataproduct_operator::{
    api::{
        ACCEPT_LOSS, APPROVE_PLAN, DataProductSpec, DataProductStatus,
        product::{Approval, OutputPort, Permission, Provisioning, Role, SchemaField},
        status::{ResourceState, ResourceStatus},
    },
    model::{
        measurement::{self, Objective, Reading},
        owner::Owner,
        resource::{Health, Key, Kind, Observed},
    },
    plan::{
        Declared, Outcome, ProductName, StepResult, Upstream,
        assess::{Fault, Observation, State, assess_all},
        decide, loss_token,
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
        value: measurement::Value::NewestData(at),
        complete: true,
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

fn assert_accepted(status: &DataProductStatus) {
    static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
        let crds = dataproduct_operator::api::crds().expect("the definitions");
        let crd = crds.iter().find(|crd| crd.spec.names.kind == "DataProduct").expect("ours");
        let crd = serde_json::to_value(crd).expect("JSON");
        crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"].clone()
    });
    let refused = refused("status", &SCHEMA, &serde_json::to_value(status).expect("JSON"));
    assert!(refused.is_empty(), "the API server would refuse the status: {refused:?}");
}

fn check(status: &DataProductStatus, settings: Settings, in_sync: bool) {
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

proptest! {
    #[test]
    fn the_invariants_hold_for_any_mix_of_settings_and_luck(settings in settings(), first in luck(), second in luck()) {
        let mut outside = Outside::default();
        let (status, in_sync) = visit(apply_settings(settings), &mut outside, first, settings.age_minutes);
        check(&status, settings, in_sync);
        let mut declared = with_status(apply_settings(settings), &status);
        // Time has passed, so that a time that moves without a reason is seen.
        let moment = declared.now.checked_add(SignedDuration::from_mins(7)).expect("an instant");
        declared.now = moment;
        let (later, in_sync) = visit(declared, &mut outside, second, settings.age_minutes);
        check(&later, settings, in_sync);
        for condition in &later.conditions {
            let before = status.condition(&condition.type_);
            let dated = condition.last_transition_time.0;
            match before {
                Some(before) if before.status == condition.status => {
                    prop_assert_eq!(dated, before.last_transition_time.0, "invariant 4: it stays");
                }
                _ => prop_assert_eq!(dated, moment, "invariant 4: it turned now"),
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
        let mut later = with_status(apply_settings(settings), &second);
        // So little later that no verdict flips.
        later.now = later.now.checked_add(SignedDuration::from_secs(30)).expect("an instant");
        let on_time = settings.age_minutes != 60;
        let (second_later, _) = visit(later, &mut outside, Luck::Good, settings.age_minutes);
        prop_assert!(!on_time || second_later == second, "invariant 6: nothing moves with time alone");
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

/// The mark of a bucket in a model of the world.
fn bucket(outside: &mut Outside) -> &mut Observed {
    outside.0.values_mut().find(|found| found.key.kind == Kind::Bucket).expect("a bucket")
}

fn resource(status: &DataProductStatus) -> &ResourceStatus {
    status.resources.iter().find(|resource| resource.kind == "Bucket").expect("a bucket")
}

#[test]
fn lost_data_hides_behind_nothing_that_holds_change_back() {
    let mut outside = Outside::default();
    let (made, _) = visit(customer_360(), &mut outside, Luck::Good, 0);
    bucket(&mut outside).health = Health::Lost { last_known: "it held 7 objects".to_owned() };
    let holds: [fn(&mut DataProductSpec); 3] =
        [|_| (), |spec| spec.access = None, |spec| spec.suspend = Some(true)];
    for hold in holds {
        let mut declared = with_status(customer_360(), &made);
        let mut product = (*declared.product).clone();
        hold(&mut product.spec);
        declared.product = product.into();
        let (status, _) = visit(declared, &mut outside, Luck::Good, 0);
        let provisioned = status.condition("Provisioned").expect("Provisioned");
        assert_eq!(provisioned.reason, "ResourceLost", "{provisioned:?}");
        assert!(provisioned.message.contains("7 objects"), "{provisioned:?}");
        assert_eq!(resource(&status).state, ResourceState::Lost);
    }
}

#[test]
fn what_was_somebody_elses_is_not_missed_when_it_goes() {
    let mut outside = Outside::default();
    let (_, _) = visit(customer_360(), &mut outside, Luck::Good, 0);
    let foreign = bucket(&mut outside);
    foreign.owner = foreign.owner.clone().map(|owner| Owner { purpose: "else/where".to_owned(), ..owner });
    let (refused, _) = visit(customer_360(), &mut outside, Luck::Good, 0);
    assert_eq!(refused.condition("Ready").map(|ready| ready.reason.as_str()), Some("NotOwned"));
    assert_eq!(resource(&refused).id, None, "it is not ours to remember");
    let key = bucket(&mut outside).key.clone();
    outside.0.remove(&key);
    let (made, in_sync) = visit(with_status(customer_360(), &refused), &mut outside, Luck::Good, 0);
    assert!(in_sync, "{:?}", made.condition("Ready"));
}

#[test]
fn a_loss_that_was_accepted_needs_no_second_word_when_the_first_attempt_fails() {
    let mut outside = Outside::default();
    let (made, _) = visit(customer_360(), &mut outside, Luck::Good, 0);
    bucket(&mut outside).health = Health::Lost { last_known: "it was empty".to_owned() };
    let (lost, _) = visit(with_status(customer_360(), &made), &mut outside, Luck::Good, 0);
    let accepting = |status: &DataProductStatus| {
        let mut declared = with_status(customer_360(), status);
        declared.now = declared.now.checked_add(SignedDuration::from_mins(7)).expect("an instant");
        let mut product = (*declared.product).clone();
        let word = loss_token(resource(&lost)).expect("a word");
        product.metadata.annotations.get_or_insert_default().insert(ACCEPT_LOSS.to_owned(), word);
        declared.product = product.into();
        declared
    };
    let (failed, _) = visit(accepting(&lost), &mut outside, Luck::Refused(ErrorKind::Unavailable), 0);
    assert_eq!(resource(&failed).state, ResourceState::Lost);
    assert_eq!(loss_token(resource(&failed)), loss_token(resource(&lost)), "the word still counts");
    assert!(
        failed.condition("Stalled").is_none(),
        "nobody is asked again: {:?}",
        failed.condition("Stalled")
    );
    let (again, in_sync) = visit(accepting(&failed), &mut outside, Luck::Good, 0);
    assert!(in_sync, "{:?}", again.condition("Ready"));
}

#[test]
fn errors_in_grace_are_said_and_leave_ready_alone() {
    let mut declared = customer_360();
    let mut standards = (**declared.standards.as_ref().expect("standards")).clone();
    standards.spec.standards.formats.required = vec!["avro".to_owned()];
    standards.spec.standards.formats.optional.clear();
    declared.standards = Some(standards.into());
    let (status, in_sync) = visit(declared, &mut Outside::default(), Luck::Good, 0);
    let said = |type_: &str| status.condition(type_).map(|it| (it.status.as_str(), it.reason.as_str()));
    assert!(in_sync);
    assert_eq!(said("GovernanceCompliant"), Some(("False", "InGrace")));
    assert_eq!(said("Ready"), Some(("True", "Ready")));
}

#[test]
fn approval_is_asked_for_only_while_something_waits_for_it() {
    let manual = |status: Option<&DataProductStatus>, version: &str| {
        let mut declared = customer_360();
        let mut product = (*declared.product).clone();
        product.spec.provisioning =
            Some(Provisioning { approval: Some(Approval::Manual), ..Provisioning::default() });
        product.spec.version = version.to_owned();
        product.status = status.cloned();
        declared.product = product.into();
        declared
    };
    let mut outside = Outside::default();
    let (made, _) = visit(customer_360(), &mut outside, Luck::Good, 0);
    let (quiet, _) = visit(manual(Some(&made), "2.1.0"), &mut outside, Luck::Good, 0);
    assert_eq!(quiet.condition("Ready").map(|ready| ready.reason.as_str()), Some("Ready"));
    let before = outside.clone();
    let (asking, _) = visit(manual(Some(&quiet), "2.2.0"), &mut outside, Luck::Good, 0);
    assert_eq!(asking.condition("Ready").map(|ready| ready.reason.as_str()), Some("AwaitingApproval"));
    assert_eq!(outside, before, "nothing is changed meanwhile");
    let mut declared = manual(Some(&asking), "2.2.0");
    let mut product = (*declared.product).clone();
    let hash = asking.plan.as_ref().and_then(|plan| plan.hash.clone()).expect("a hash");
    product.metadata.annotations.get_or_insert_default().insert(APPROVE_PLAN.to_owned(), hash);
    declared.product = product.into();
    let (approved, in_sync) = visit(declared, &mut outside, Luck::Good, 0);
    assert!(in_sync, "{:?}", approved.condition("Ready"));
}

#[test]
fn a_class_can_be_changed_until_something_exists() {
    let elsewhere = |status: Option<&DataProductStatus>| {
        let mut declared = customer_360();
        let local = declared.classes["local"].clone();
        declared.classes.insert("other".to_owned(), local);
        let mut domain = (*declared.domains[0]).clone();
        domain.spec.provider_classes.push("other".to_owned());
        declared.domains = vec![domain.into()];
        let mut product = (*declared.product).clone();
        let class = Some("other".to_owned());
        product.spec.provisioning =
            Some(Provisioning { provider_class_name: class, ..Provisioning::default() });
        product.status = status.cloned();
        declared.product = product.into();
        declared
    };
    let settings =
        Settings { suspended: true, draft: false, violating: false, unbound: false, age_minutes: 0 };
    let mut outside = Outside::default();
    let (waiting, _) = visit(apply_settings(settings), &mut outside, Luck::Good, 0);
    assert!(!waiting.resources.is_empty() && outside.0.is_empty(), "everything is pending, nothing exists");
    let (moved, in_sync) = visit(elsewhere(Some(&waiting)), &mut outside, Luck::Good, 0);
    assert!(in_sync, "{:?}", moved.condition("Ready"));
    let (made, _) = visit(customer_360(), &mut Outside::default(), Luck::Good, 0);
    let (refused, _) = visit(elsewhere(Some(&made)), &mut Outside::default(), Luck::Good, 0);
    assert_eq!(refused.condition("Ready").map(|ready| ready.reason.as_str()), Some("ClassChanged"));
}

#[test]
fn the_largest_product_that_the_schema_allows_has_a_small_status() {
    let long = |letter: char, n: usize| format!("{letter}{n:03}{}", "x".repeat(2000));
    let mut declared = customer_360();
    let mut product = (*declared.product).clone();
    let access = product.spec.access.get_or_insert_default();
    access.roles = (0..32)
        .map(|role| Role {
            name: format!("role-{role}"),
            permissions: vec![Permission::Select],
            principals: (0..64).map(|n| long('p', role * 64 + n)).collect(),
        })
        .collect();
    product.spec.output_ports = (0..64)
        .map(|n| OutputPort {
            name: format!("port-{n}"),
            type_: "rest".to_owned(),
            endpoint: Some(long('/', n)),
            ..OutputPort::default()
        })
        .collect();
    let schema = product.spec.schema.get_or_insert_default();
    schema.fields = Some(
        (0..512)
            .map(|n| SchemaField {
                name: format!("{}{n}", "f".repeat(250)),
                type_: "string".to_owned(),
                ..SchemaField::default()
            })
            .collect(),
    );
    declared.product = product.into();
    declared.neighbours.upstreams = (0..192)
        .map(|n| Upstream {
            name: ProductName { namespace: "n".repeat(60), name: format!("{n}-{}", "u".repeat(120)) },
            found: None,
        })
        .collect();
    let (status, _) = visit(declared.clone(), &mut Outside::default(), Luck::Good, 0);
    assert_accepted(&status);
    let size = serde_json::to_string(&status).expect("JSON").len();
    assert!(size <= SIZE_LIMIT, "{size}");
    let governance = status.governance.as_ref().expect("governance");
    assert!(governance.truncated && governance.errors >= 512, "the totals are true");
    let (again, _) = visit(with_status(declared, &status), &mut Outside::default(), Luck::Good, 0);
    assert_eq!(again.governance, status.governance, "cutting is stable");
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
