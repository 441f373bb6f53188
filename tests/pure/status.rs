//! What the status says in cases that people meet.

use dataproduct_operator::{
    api::{
        ACCEPT_LOSS, APPROVE_PLAN, DataProductSpec, DataProductStatus,
        product::{Approval, ChosenNames, OutputPort, Permission, Provisioning, Role, SchemaField},
        status::{ResourceState, ResourceStatus},
    },
    model::{
        owner::Owner,
        resource::{Health, Kind, Observed},
    },
    plan::{ProductName, Upstream, loss_token, scope::resolve_departing},
    provider::ErrorKind,
    status::SIZE_LIMIT,
};
use jiff::SignedDuration;

use crate::{
    outside::Outside,
    visit::{Luck, Settings, apply_settings, assert_accepted, visit, with_status},
    world::{customer_360, reporting},
};

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
fn a_name_that_changes_too_late_leaves_nothing_behind() {
    let renamed = |status: &DataProductStatus| {
        let mut declared = with_status(customer_360(), status);
        let mut product = (*declared.product).clone();
        let names = Some(ChosenNames { bucket: Some("another".to_owned()), ..ChosenNames::default() });
        product.spec.provisioning = Some(Provisioning { names, ..Provisioning::default() });
        declared.product = product.into();
        declared
    };
    let mut outside = Outside::default();
    let (made, _) = visit(customer_360(), &mut outside, Luck::Good, 0);
    let before = outside.clone();
    let (refused, _) = visit(renamed(&made), &mut outside, Luck::Good, 0);
    assert_eq!(refused.condition("Ready").map(|ready| ready.reason.as_str()), Some("NameChanged"));
    assert_eq!(outside, before, "nothing is made a second time");
    let bucket = bucket(&mut outside).key.clone();
    let declared = renamed(&refused);
    let scope = resolve_departing(&declared).expect("a place").expect("a place");
    assert!(scope.keys_of(&declared.product).contains(&bucket), "when it goes, the old name goes with it");
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
    use dataproduct_operator::model::attributes::Attributes;
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
