//! Products in every state that the operator writes, made by its own code.

use dataproduct_operator::{
    api::{
        DataProduct, DataProductStatus,
        product::{Approval, Provisioning},
    },
    model::{
        attributes::Attributes,
        resource::{Health, Kind},
    },
    plan::{Declared, decide_teardown, scope::resolve},
    provider::ErrorKind,
    status::{ConditionType, Reason, Release, broken, departing},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::Value;

use super::states::{DEGRADED, HEALTHY, IDLE, Means, PAUSED, PROGRESSING, State, Verdict, means};
use crate::{
    outside::Outside,
    visit::{Luck, Settings, apply_settings, visit, with_status},
    world::{customer_360, now, reporting, world},
};

fn object(declared: &Declared, status: &DataProductStatus) -> Value {
    let declared = with_status(declared.clone(), status);
    serde_json::to_value(&*declared.product).expect("a product is JSON")
}

/// Which reason `Ready` has in a status, and what must be said of it, by that and by who is waited for.
fn expected(status: &DataProductStatus) -> (Reason, Verdict, String) {
    let ready = status.condition("Ready").expect("Ready is always there");
    let reason = Reason::parse(&ready.reason).expect("a known reason");
    let stalled = status.condition("Stalled").is_some();
    let verdict = match (means(reason), stalled) {
        (Means::Done, false) if ready.status == "True" => HEALTHY,
        (Means::Working | Means::Either, false) if ready.status != "True" => PROGRESSING,
        (Means::Broken | Means::Either, true) => DEGRADED,
        (Means::Paused, true) => PAUSED,
        (means, stalled) => {
            panic!("{reason:?} means {means:?}, but Stalled is {stalled} and Ready {ready:?}")
        }
    };
    (reason, verdict, ready.message.clone())
}

/// A product that was visited.
fn visited(name: impl Into<String>, declared: &Declared, status: &DataProductStatus) -> State {
    let (reason, verdict, message) = expected(status);
    State {
        name: format!("{}: {}", name.into(), reason.as_str()),
        object: object(declared, status),
        verdict,
        message,
    }
}

/// Every state of a product.
pub(super) fn products() -> Vec<State> {
    let said = said_alone().into_iter().chain(visited_once()).chain(visited_again());
    said.chain(going()).chain(unseen()).collect()
}

/// Each reason as the operator writes it on a product of which it can say nothing more.
fn said_alone() -> Vec<State> {
    let (made, _) = visit(customer_360(), &mut Outside::default(), Luck::Good, 0);
    let mut said = Vec::new();
    for reason in Reason::ALL.iter().copied() {
        let abnormal: &[ConditionType] = match means(reason) {
            Means::Done | Means::Elsewhere => &[],
            Means::Working => &[ConditionType::Reconciling],
            Means::Broken | Means::Paused => &[ConditionType::Stalled],
            Means::Either => &[ConditionType::Reconciling, ConditionType::Stalled],
        };
        for abnormal in abnormal {
            let status = broken(&made, 1, now(), *abnormal, reason, reason.meaning().trim());
            said.push(visited(abnormal.as_str(), &customer_360(), &status));
        }
    }
    said
}

/// First visits with every luck and every setting that people change.
fn visited_once() -> Vec<State> {
    let kinds =
        [ErrorKind::Denied, ErrorKind::Throttled, ErrorKind::Timeout, ErrorKind::Conflict, ErrorKind::Quota];
    let lucks = kinds.iter().flat_map(|kind| [Luck::Refused(*kind), Luck::Unreadable(*kind)]);
    let mut said = Vec::new();
    for luck in lucks.chain([Luck::Good]) {
        for bits in 0..16 {
            let on = |bit: u8| bits & (1 << bit) != 0;
            let settings =
                Settings { suspended: on(0), draft: on(1), violating: on(2), unbound: on(3), age_minutes: 0 };
            let declared = apply_settings(settings);
            let (status, _) = visit(declared.clone(), &mut Outside::default(), luck, 0);
            let state = visited(format!("{luck:?} {settings:?}"), &declared, &status);
            // A draft is judged and has nothing that could be suspended, which is told all the same.
            said.push(if settings.suspended && state.verdict == HEALTHY { idle(state) } else { state });
        }
    }
    said
}

/// What takes more than one visit, or another wish.
fn visited_again() -> Vec<State> {
    let mut outside = Outside::default();
    let (done, _) = visit(customer_360(), &mut outside, Luck::Good, 0);
    let mut suspended = with_status(customer_360(), &done);
    change(&mut suspended, |product| product.spec.suspend = Some(true));
    let (idling, _) = visit(suspended.clone(), &mut outside, Luck::Good, 0);
    let (late, _) = visit(with_status(customer_360(), &done), &mut outside, Luck::Good, 61);
    assert_eq!(late.condition("SLOsMet").map(|it| it.reason.as_str()), Some("Breached"));

    let mut manual = customer_360();
    change(&mut manual, |product| {
        product.spec.provisioning =
            Some(Provisioning { approval: Some(Approval::Manual), ..Provisioning::default() });
    });
    let (waiting, _) = visit(manual.clone(), &mut Outside::default(), Luck::Good, 0);

    for found in outside.0.values_mut().filter(|found| found.key.kind == Kind::Bucket) {
        found.health = Health::Lost { last_known: "it held 7 objects".to_owned() };
    }
    let (lost, _) = visit(with_status(customer_360(), &done), &mut outside, Luck::Good, 0);

    let mut outside = Outside::default();
    let (made, _) = visit(reporting(), &mut outside, Luck::Good, 0);
    for found in outside.0.values_mut() {
        if let Attributes::Bucket(bucket) = &mut found.attributes {
            bucket.versioning = false;
        }
    }
    let (drifted, _) = visit(with_status(reporting(), &made), &mut outside, Luck::Good, 0);
    vec![
        idle(visited("suspended once all is done", &suspended, &idling)),
        visited("a late pipeline", &customer_360(), &late),
        visited("waits for an approval", &manual, &waiting),
        visited("data is lost", &customer_360(), &lost),
        visited("drift is reported", &reporting(), &drifted),
    ]
}

fn change(declared: &mut Declared, change: impl FnOnce(&mut DataProduct)) {
    let mut product = (*declared.product).clone();
    change(&mut product);
    declared.product = product.into();
}

/// Of a product that is suspended while nothing is left to do, that is the news.
fn idle(state: State) -> State {
    let message = "spec.suspend is true: nothing is changed outside until it is false".to_owned();
    State { verdict: IDLE, message, ..state }
}

/// Products that are being deleted: freely, and held by a lock.
fn going() -> Vec<State> {
    let mut outside = Outside::default();
    let (done, _) = visit(customer_360(), &mut outside, Luck::Good, 0);
    let departing_as = |suspended: bool| {
        let mut declared = with_status(customer_360(), &done);
        change(&mut declared, |product| {
            product.metadata.deletion_timestamp = Some(Time(now()));
            product.metadata.generation = Some(2);
            product.spec.suspend = suspended.then_some(true);
        });
        let observations = outside.observe(resolve(&declared).expect("bound").names.keys());
        let world = world(declared.clone(), observations);
        let teardown = decide_teardown(&world, world.scope.as_ref().expect("a scope"));
        (declared, departing(&world, &Release::Under(&teardown, &[])))
    };
    let terminating =
        |state: State| State { verdict: Verdict { kstatus: "Terminating", ..state.verdict }, ..state };
    let cases = [("going", false), ("held", true)];
    let mut states = cases
        .map(|(name, suspended)| {
            let (declared, status) = departing_as(suspended);
            terminating(visited(name, &declared, &status))
        })
        .into_iter()
        .collect::<Vec<_>>();
    let (declared, _) = departing_as(false);
    states.push(terminating(State {
        name: "deletion not seen yet".to_owned(),
        object: object(&declared, &done),
        verdict: PROGRESSING,
        message: "The operator has not seen the last change yet".to_owned(),
    }));
    states
}

/// Products that the operator has not seen, or not as they are now.
fn unseen() -> Vec<State> {
    let (done, _) = visit(customer_360(), &mut Outside::default(), Luck::Good, 0);
    let defaulted = DataProductStatus { observed_generation: Some(-1), ..DataProductStatus::default() };
    let mut changed = with_status(customer_360(), &done);
    change(&mut changed, |product| product.metadata.generation = Some(2));
    let state = |name: &str, object: Value, message: &str| State {
        name: name.to_owned(),
        object,
        verdict: PROGRESSING,
        message: message.to_owned(),
    };
    vec![
        state("new", object(&customer_360(), &defaulted), "The operator has not seen it yet"),
        state("changed", object(&changed, &done), "The operator has not seen the last change yet"),
    ]
}
