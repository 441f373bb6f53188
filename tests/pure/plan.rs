//! Plans, case by case.

use std::collections::BTreeMap;

use dataproduct_operator::{
    model::{
        attributes::Attributes,
        owner::DeletionPolicy,
        resource::{Health, Kind, Removal},
    },
    plan::{
        Action, Outcome, Step, StepResult, Verb,
        assess::{Fault, Memory, Observation, Observations, Wanted, assess_all},
        build::build,
        desired::desired,
        scope::resolve,
        teardown::{Departure, teardown},
    },
    provider::ErrorKind,
};

use crate::{
    found::{ALL, Found, departure, keys, observations, plan_of, scope, wanted},
    world::{declared, now},
};

#[test]
fn a_converged_world_has_an_empty_plan() {
    let (observed, _) = observations(&[Found::Mine; 5]);
    assert!(plan_of(&observed, ALL).is_empty());
}

#[test]
fn a_new_product_is_made_in_the_safe_order() {
    let (observed, _) = observations(&[Found::Absent; 5]);
    let order = plan_of(&observed, ALL).steps.into_iter().map(|step| step.key.kind).collect::<Vec<_>>();
    assert_eq!(order, Kind::ALL);
}

#[test]
fn a_key_that_waits_for_its_end_is_taken_back_by_the_returning_product() {
    let (mut observed, _) = observations(&[Found::Predecessor; 5]);
    let key = scope().names.key(Kind::EncryptionKey);
    if let Some(Observation::Present(present)) = observed.get_mut(&key) {
        present.health = Health::PendingDeletion;
    }
    let plan = plan_of(&observed, ALL);
    assert_eq!(plan.steps.first().map(|step| step.action.verb()), Some(Verb::Create));
}

#[test]
fn a_bucket_that_the_status_knows_and_nobody_finds_is_lost_until_the_loss_is_accepted() {
    let (observed, _) = observations(&[Found::Mine, Found::Absent, Found::Mine, Found::Mine, Found::Mine]);
    let bucket = scope().names.key(Kind::Bucket);
    let mut memory = Memory::default();
    memory.existed.insert(bucket.clone(), "it was file:///b".to_owned());
    let plan = build(&assess_all(&wanted(), &observed, &memory), ALL);
    assert!(plan.steps.is_empty(), "{plan}");
    memory.accepted_loss.push(bucket);
    let plan = build(&assess_all(&wanted(), &observed, &memory), ALL);
    assert_eq!(plan.summary(), "1 to create");
}

#[test]
fn a_key_whose_name_leads_to_another_one_is_lost_until_the_loss_is_accepted() {
    let (mut observed, _) = observations(&[Found::Mine; 5]);
    let key = scope().names.key(Kind::EncryptionKey);
    let id = |observed: &Observations| match observed.get(&key) {
        Some(Observation::Present(present)) => present.id.clone(),
        other => panic!("{other:?}"),
    };
    let mut memory = Memory { key_ids: [(key.clone(), id(&observed))].into(), ..Memory::default() };
    assert!(build(&assess_all(&wanted(), &observed, &memory), ALL).is_empty(), "the same key");
    if let Some(Observation::Present(present)) = observed.get_mut(&key) {
        present.id = "another".to_owned();
        // What it stands in the place of looks like a surplus, and must not be touched.
        if let Attributes::EncryptionKey(attributes) = &mut present.attributes {
            attributes.surplus.insert("the first".to_owned());
        }
    }
    let assessed = assess_all(&wanted(), &observed, &memory);
    assert!(build(&assessed, ALL).steps.is_empty(), "nothing is done about it");
    assert_eq!(assessed[0].id, None, "and the first one is not forgotten");
    memory.accepted_loss.push(key);
    assert_eq!(build(&assess_all(&wanted(), &observed, &memory), ALL).summary(), "1 to update");
}

#[test]
fn a_tag_of_somebody_else_is_no_drift() {
    let (mut observed, _) = observations(&[Found::Mine; 5]);
    let bucket = scope().names.key(Kind::Bucket);
    if let Some(Observation::Present(present)) = observed.get_mut(&bucket)
        && let Attributes::Bucket(attributes) = &mut present.attributes
    {
        attributes.tags.insert("CostCenter".to_owned(), "4711".to_owned());
    }
    assert!(plan_of(&observed, ALL).is_empty(), "theirs stays");
    if let Some(Observation::Present(present)) = observed.get_mut(&bucket)
        && let Attributes::Bucket(attributes) = &mut present.attributes
    {
        attributes.tags.remove("Owner");
    }
    let plan = plan_of(&observed, ALL);
    let paths = plan.steps.iter().filter_map(|step| step.action.delta()).flat_map(|delta| &delta.0);
    assert_eq!(
        paths.map(|change| change.path.as_str()).collect::<Vec<_>>(),
        ["tags.Owner"],
        "ours is missed"
    );
}

#[test]
fn a_key_is_let_go_without_what_a_lost_answer_left_beside_it() {
    let (mut observed, _) = observations(&[Found::Mine; 5]);
    let key = scope().names.key(Kind::EncryptionKey);
    if let Some(Observation::Present(present)) = observed.get_mut(&key)
        && let Attributes::EncryptionKey(attributes) = &mut present.attributes
    {
        attributes.surplus.insert("surplus".to_owned());
    }
    let down = teardown(&departure(DeletionPolicy::Retain, false, Vec::new()), &keys(), &observed);
    let step = down.plan.steps.iter().find(|step| step.key == key).expect("a release");
    let paths = step.action.delta().expect("a delta").0.iter().map(|change| change.path.as_str());
    assert_eq!(paths.collect::<Vec<_>>(), ["owner.released", "surplus.surplus"]);
}

#[test]
fn what_may_still_appear_is_neither_made_again_nor_let_go() {
    let key = scope().names.key(Kind::EncryptionKey);
    let begun = BTreeMap::from([(key.clone(), now())]);
    let (absent, _) = observations(&[Found::Absent; 5]);
    let memory = Memory { begun: begun.clone(), ..Memory::default() };
    let plan = build(&assess_all(&wanted(), &absent, &memory), ALL);
    let made = plan.steps.iter().map(|step| step.key.kind).collect::<Vec<_>>();
    assert_eq!(made, [Kind::FreshnessAlarm], "nothing that needs the key is made before it: {plan}");

    let going = Departure { begun, ..departure(DeletionPolicy::Retain, false, Vec::new()) };
    let down = teardown(&going, &keys(), &absent);
    assert!(
        !down.is_complete() && down.unknown.first().is_some_and(|(unknown, _)| *unknown == key),
        "{down:?}"
    );

    // Once it has appeared it is like any other.
    let (found, _) = observations(&[Found::Mine, Found::Absent, Found::Absent, Found::Absent, Found::Absent]);
    let plan = build(&assess_all(&wanted(), &found, &memory), ALL);
    assert_eq!(plan.summary(), "4 to create");
}

#[test]
fn only_a_create_that_certainly_changed_nothing_is_over() {
    let key = scope().names.key(Kind::EncryptionKey);
    let (absent, _) = observations(&[Found::Absent; 5]);
    let step = plan_of(&absent, ALL).steps.into_iter().find(|step| step.key == key).expect("a create");
    let memory = Memory { begun: [(key.clone(), now())].into(), ..Memory::default() };
    let fault = |changed_nothing| Fault { changed_nothing, ..Fault::new(ErrorKind::Timeout, "no answer") };
    let cases = [
        ("confirmed, and not seen yet", StepResult::Applied, true),
        ("refused", StepResult::Failed(fault(true)), false),
        ("lost", StepResult::Failed(fault(false)), true),
        ("not tried", StepResult::Skipped(key.clone()), false),
    ];
    for (case, result, open) in cases {
        let after = memory.clone().after(&[Outcome::of(&step, result)]);
        assert_eq!(after.begun.contains_key(&key), open, "{case}");
    }
}

#[test]
fn what_belongs_to_others_has_no_identifier_that_could_be_missed_later() {
    for (found, expected) in [
        (Found::Mine, true),
        (Found::Drifted, true),
        (Found::Predecessor, true),
        // What is lost is known by the identifier that the status remembers.
        (Found::Lost, false),
        (Found::Foreign, false),
        (Found::Unmarked, false),
        (Found::Released, false),
    ] {
        let (observed, _) = observations(&[found; 5]);
        for assessment in assess_all(&wanted(), &observed, &Memory::default()) {
            assert_eq!(assessment.id.is_some(), expected, "{found:?} {}", assessment.key());
        }
    }
}

#[test]
fn surplus_access_of_an_earlier_object_is_removed_in_its_name() {
    let scope = scope();
    let grants = scope.names.key(Kind::Grant);
    let (observed, _) = observations(&[Found::Predecessor; 5]);
    let unwanted =
        Wanted::Absent(Removal { key: grants.clone(), owner: scope.owner.clone(), key_window_days: 30 });
    let plan = build(&assess_all(&[unwanted], &observed, &Memory::default()), ALL);
    let [Step { action: Action::Delete(removal), .. }] = plan.steps.as_slice() else { panic!("{plan}") };
    assert_eq!(removal.owner.uid, "older", "a backend removes only what carries the mark that it is shown");
}

#[test]
fn open_select_is_only_for_data_that_everybody_may_read() {
    let example = include_str!("../../examples/customer-360.yaml");
    let platform = include_str!("../../examples/platform.yaml");
    for (classification, open) in
        [("public", true), ("internal", true), ("confidential", false), ("restricted", false)]
    {
        let manifest =
            example.replace("classification: confidential", &format!("classification: {classification}"));
        let declared = declared(&format!("{platform}\n---\n{manifest}"));
        let wanted = desired(&declared.product, &resolve(&declared).expect("bound")).expect("plannable");
        let database = wanted.iter().find(|wanted| wanted.key().kind == Kind::CatalogDatabase);
        let Some(Wanted::Present(database)) = database else { panic!("a database is wanted") };
        let expected = if open { "SELECT" } else { "none" };
        assert_eq!(
            database.attributes.rows().get("defaultPermissions").map(String::as_str),
            Some(expected),
            "{classification}"
        );
    }
}
