//! What holds for plans whatever is found: applying one twice equals applying it once, and nothing that is not the
//! product's is ever touched.

use dataproduct_operator::{
    model::{owner::DeletionPolicy, resource::Kind},
    plan::{
        Action,
        assess::Observation,
        build::Permissions,
        teardown::{Departure, HandsOff, Teardown, teardown},
    },
};
use proptest::{collection::vec, prelude::*};

use crate::found::{ALL, Found, departure, found, keys, observations, plan_of};

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
        let open = departure(DeletionPolicy::Delete, confirmed, consumers);
        let data = |teardown: &Teardown| teardown.plan.steps.iter().any(|step| matches!(step.action, Action::Delete(_)) && step.key.kind.is_retained());
        prop_assert!(!data(&teardown(&open, &keys(), &observed)) || (confirmed && !consumed && tag_deletes));
        // Who sees one namespace alone knows no consumers elsewhere.
        let near = Departure { horizon: Some("n".to_owned()), ..open };
        prop_assert!(!data(&teardown(&near, &keys(), &observed)));
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
