//! Plans: applying one twice equals applying it once, and nothing that is not the product's is ever touched.

use std::collections::BTreeMap;

use dataproduct_operator::{
    model::{
        attributes::Attributes,
        owner::{DeletionPolicy, Owner},
        resource::{Health, Key, Kind, Observed, Removal},
    },
    plan::{
        Action, Outcome, Plan, Step, StepResult, Verb,
        assess::{Fault, Memory, Observation, Observations, Wanted, assess_all},
        build::{Permissions, build},
        desired::desired,
        scope::{Scope, resolve},
        teardown::{Departure, HandsOff, teardown},
    },
    provider::ErrorKind,
};
use proptest::{collection::vec, prelude::*};

use crate::{
    outside::Outside,
    world::{customer_360, declared, now},
};

const ALL: Permissions =
    Permissions { create: true, correct: true, take_back: true, adopt: false, remove: true };

/// How one resource is found.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Found {
    Absent,
    Mine,
    Drifted,
    Predecessor,
    Released,
    Foreign,
    Unmarked,
    PendingDeletion,
    Disabled,
    Lost,
    Unknown,
}

fn found() -> impl Strategy<Value = Found> {
    use Found::{
        Absent, Disabled, Drifted, Foreign, Lost, Mine, PendingDeletion, Predecessor, Released, Unknown,
        Unmarked,
    };
    prop::sample::select(vec![
        Absent,
        Mine,
        Drifted,
        Predecessor,
        Released,
        Foreign,
        Unmarked,
        PendingDeletion,
        Disabled,
        Lost,
        Unknown,
    ])
}

fn scope() -> Scope {
    resolve(&customer_360()).expect("the example is bound")
}

fn wanted() -> Vec<Wanted> {
    desired(&customer_360().product, &scope()).expect("the example can be planned")
}

fn drifted(attributes: &Attributes) -> Attributes {
    match attributes.clone() {
        Attributes::EncryptionKey(mut key) => {
            key.rotation = false;
            Attributes::EncryptionKey(key)
        }
        Attributes::Bucket(mut bucket) => {
            bucket.versioning = false;
            bucket.tags.insert("Stray".into(), "x".into());
            Attributes::Bucket(bucket)
        }
        Attributes::CatalogDatabase(mut database) => {
            database.default_permissions = ["ALL".to_owned()].into();
            Attributes::CatalogDatabase(database)
        }
        Attributes::Grant(mut grants) => {
            grants.entries.insert("stranger".into(), ["SELECT".to_owned()].into());
            Attributes::Grant(grants)
        }
        Attributes::FreshnessAlarm(mut alarm) => {
            alarm.threshold_minutes = 999;
            Attributes::FreshnessAlarm(alarm)
        }
    }
}

/// The observations of a world in which each resource is found in its own way.
fn observations(found: &[Found]) -> (Observations, Outside) {
    let mut observations = Observations::new();
    let mut outside = Outside::default();
    for (wanted, found) in wanted().into_iter().zip(found) {
        let Wanted::Present(desired) = wanted else { continue };
        let key = desired.key.clone();
        let owner = desired.owner.clone();
        let base = Observed {
            key: key.clone(),
            id: format!("id:{key}"),
            owner: Some(owner.clone()),
            attributes: desired.attributes.clone(),
            health: Health::Live,
        };
        let observed = match found {
            Found::Absent => None,
            Found::Unknown => {
                let fault = Fault::new(ErrorKind::Timeout, "no answer");
                observations.insert(key, Observation::Unknown(fault));
                continue;
            }
            Found::Mine => Some(base),
            Found::Drifted => Some(Observed { attributes: drifted(&desired.attributes), ..base }),
            Found::Predecessor => {
                Some(Observed { owner: Some(Owner { uid: "older".into(), ..owner }), ..base })
            }
            Found::Released => {
                Some(Observed { owner: Some(Owner { cluster: "other".into(), ..owner }.released()), ..base })
            }
            Found::Foreign => {
                Some(Observed { owner: Some(Owner { purpose: "else/where".into(), ..owner }), ..base })
            }
            Found::Unmarked => Some(Observed { owner: None, ..base }),
            Found::PendingDeletion => Some(Observed { health: Health::PendingDeletion, ..base }),
            Found::Disabled => Some(Observed { health: Health::Disabled, ..base }),
            Found::Lost => Some(Observed { health: Health::Lost { last_known: "2 objects".into() }, ..base }),
        };
        match observed {
            None => {
                observations.insert(key, Observation::Absent);
            }
            Some(observed) => {
                outside.0.insert(key.clone(), observed.clone());
                observations.insert(key, Observation::Present(Box::new(observed)));
            }
        }
    }
    (observations, outside)
}

fn plan_of(observations: &Observations, may: Permissions) -> Plan {
    build(&assess_all(&wanted(), observations, &Memory::default()), may)
}

fn keys() -> Vec<Key> {
    scope().names.keys().collect()
}

fn departure(deletion: DeletionPolicy, confirmed: bool, consumers: Vec<String>) -> Departure {
    Departure {
        owner: Owner { deletion, ..scope().owner },
        name: "customer-360".into(),
        confirmation: confirmed.then(|| "customer-360".into()),
        consumers,
        key_window_days: 30,
        hands_off: None,
        begun: [].into(),
    }
}

proptest! {
    #[test]
    fn applying_a_plan_twice_equals_applying_it_once(found in vec(found(), 5)) {
        let (observed, mut outside) = observations(&found);
        let plan = plan_of(&observed, ALL);
        outside.apply(&plan);
        let once = outside.clone();
        let mut again = outside.observe(keys().into_iter());
        // What could not be read still cannot.
        for (key, observation) in observed {
            if matches!(observation, Observation::Unknown(_)) { again.insert(key, observation); }
        }
        let second = plan_of(&again, ALL);
        prop_assert!(second.steps.is_empty(), "{second}");
        outside.apply(&second);
        prop_assert_eq!(outside, once);
    }

    #[test]
    fn nothing_of_others_is_touched_and_nothing_unread_is_created(found in vec(found(), 5)) {
        let (observed, _) = observations(&found);
        let plan = plan_of(&observed, ALL);
        for step in plan.steps.iter().chain(&plan.held) {
            let kind = Kind::ALL.into_iter().position(|kind| kind == step.key.kind).expect("a known kind");
            prop_assert!(
                !matches!(found[kind], Found::Foreign | Found::Unmarked | Found::Unknown | Found::Lost | Found::Mine | Found::Disabled | Found::PendingDeletion),
                "{step}"
            );
        }
    }

    #[test]
    fn access_is_granted_only_where_bucket_and_database_are_usable(found in vec(found(), 5)) {
        let (observed, _) = observations(&found);
        let plan = plan_of(&observed, ALL);
        if plan.steps.iter().any(|step| step.key.kind == Kind::Grant) {
            for kind in [Kind::Bucket, Kind::CatalogDatabase] {
                let index = Kind::ALL.into_iter().position(|other| other == kind).expect("a known kind");
                let before = plan.steps.iter().take_while(|step| step.key.kind != Kind::Grant);
                let ready = matches!(found[index], Found::Mine | Found::Drifted) || before.into_iter().any(|step| step.key.kind == kind);
                prop_assert!(ready, "{plan}");
            }
        }
    }

    #[test]
    fn without_permission_nothing_is_done(found in vec(found(), 5)) {
        let (observed, _) = observations(&found);
        prop_assert!(plan_of(&observed, Permissions::NONE).steps.is_empty());
    }

    #[test]
    fn under_retain_no_data_is_deleted_on_any_path(found in vec(found(), 5), confirmed: bool, tag_deletes: bool) {
        let (mut observed, _) = observations(&found);
        if tag_deletes {
            for observation in observed.values_mut() {
                if let Observation::Present(present) = observation && let Some(owner) = &mut present.owner {
                    owner.deletion = DeletionPolicy::Delete;
                }
            }
        }
        let teardown = teardown(&departure(DeletionPolicy::Retain, confirmed, vec![]), &keys(), &observed);
        for step in teardown.plan.steps.iter().chain(&teardown.plan.held) {
            prop_assert!(!(matches!(step.action, Action::Delete(_)) && step.key.kind.is_retained()), "{step}");
        }
    }

    #[test]
    fn data_is_deleted_only_with_every_lock_open(found in vec(found(), 5), confirmed: bool, consumed: bool, tag_deletes: bool) {
        let (mut observed, _) = observations(&found);
        for observation in observed.values_mut() {
            if let Observation::Present(present) = observation && let Some(owner) = &mut present.owner && tag_deletes {
                owner.deletion = DeletionPolicy::Delete;
            }
        }
        let consumers = if consumed { vec!["a/b".to_owned()] } else { vec![] };
        let teardown = teardown(&departure(DeletionPolicy::Delete, confirmed, consumers), &keys(), &observed);
        let deletes = teardown.plan.steps.iter().any(|step| matches!(step.action, Action::Delete(_)) && step.key.kind.is_retained());
        prop_assert!(!deletes || (confirmed && !consumed && tag_deletes));
    }

    #[test]
    fn nothing_goes_before_what_depends_on_it_is_known_to_be_gone(found in vec(found(), 5)) {
        let (observed, _) = observations(&found);
        let teardown = teardown(&departure(DeletionPolicy::Delete, true, vec![]), &keys(), &observed);
        let last_unknown = found.iter().rposition(|found| *found == Found::Unknown);
        for step in &teardown.plan.steps {
            let kind = Kind::ALL.into_iter().position(|kind| kind == step.key.kind);
            prop_assert!(kind >= last_unknown, "{step}: a later kind could not be read");
        }
    }

    #[test]
    fn nothing_is_removed_or_released_for_who_said_hands_off(found in vec(found(), 5)) {
        let (observed, _) = observations(&found);
        for reason in [HandsOff::Suspended, HandsOff::Observing] {
            let departure =
                Departure { hands_off: Some(reason), ..departure(DeletionPolicy::Delete, true, vec![]) };
            let teardown = teardown(&departure, &keys(), &observed);
            prop_assert!(teardown.plan.steps.is_empty(), "{}", teardown.plan);
            let owns = !teardown.plan.held.is_empty();
            prop_assert!(!owns || !teardown.is_complete(), "it goes only when it owns nothing");
        }
    }

    #[test]
    fn a_teardown_ends(found in vec(found(), 5)) {
        let (observed, mut outside) = observations(&found);
        let departure = departure(DeletionPolicy::Retain, false, vec![]);
        let first = teardown(&departure, &keys(), &observed);
        outside.apply(&first.plan);
        let mut again = outside.observe(keys().into_iter());
        for (key, observation) in observed {
            if matches!(observation, Observation::Unknown(_)) { again.insert(key, observation); }
        }
        let second = teardown(&departure, &keys(), &again);
        prop_assert!(second.plan.steps.is_empty(), "{}", second.plan);
        prop_assert_eq!(second.is_complete(), !found.contains(&Found::Unknown));
    }
}

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
