//! What the status says of what was observed and is against a rule: while it lasts, and no longer.

use dataproduct_operator::{
    api::{DataProductStatus, product::Classification, status::Violation},
    model::{
        attributes::{Attributes, EVERYBODY},
        resource::{Health, Kind},
    },
    plan::Declared,
    provider::ErrorKind,
};
use proptest::{prelude::*, sample::subsequence};

use crate::{
    outside::Outside,
    visit::{Luck, visit, with_status},
    world::{customer_360, reporting},
};

/// What somebody does to a resource, and the rule and the path that tell of it.
type Tampering = (fn(&mut Attributes), Kind, &'static str, &'static str);

const TAMPERINGS: [Tampering; 5] = [
    (
        |attributes| {
            if let Attributes::EncryptionKey(key) = attributes {
                key.rotation = false;
            }
        },
        Kind::EncryptionKey,
        "SEC-004",
        "rotation",
    ),
    (
        |attributes| {
            if let Attributes::Bucket(bucket) = attributes {
                bucket.encryption_key = None;
            }
        },
        Kind::Bucket,
        "SEC-004",
        "encryptionKey",
    ),
    (
        |attributes| {
            if let Attributes::Bucket(bucket) = attributes {
                bucket.public_access_blocked = false;
            }
        },
        Kind::Bucket,
        "SEC-008",
        "publicAccessBlocked",
    ),
    (
        |attributes| {
            if let Attributes::CatalogDatabase(database) = attributes {
                database.default_permissions.insert("ALL".to_owned());
            }
        },
        Kind::CatalogDatabase,
        "SEC-005",
        "defaultPermissions",
    ),
    (
        |attributes| {
            if let Attributes::Grant(grants) = attributes {
                grants.entries.insert(EVERYBODY.to_owned(), ["SELECT".to_owned()].into());
            }
        },
        Kind::Grant,
        "SEC-005",
        "principals.IAM_ALLOWED_PRINCIPALS",
    ),
];

fn tamper(outside: &mut Outside, tamperings: &[Tampering]) {
    for (change, ..) in tamperings {
        outside.0.values_mut().for_each(|found| change(&mut found.attributes));
    }
}

fn classified(mut declared: Declared, classification: Classification) -> Declared {
    let mut product = (*declared.product).clone();
    product.spec.access.get_or_insert_default().classification = Some(classification);
    declared.product = product.into();
    declared
}

/// The score of the example, whose spec has four warnings.
const CLEAN: i32 = 92;

/// The violations of what was observed: rule and path, sorted.
fn observed(status: &DataProductStatus) -> Vec<(&str, &str)> {
    let violations = status.governance.iter().flat_map(|governance| &governance.violations);
    let observed = violations.filter(|violation| violation.path.starts_with("status."));
    let mut told =
        observed.map(|Violation { id, path, .. }| (id.as_str(), path.as_str())).collect::<Vec<_>>();
    told.sort_unstable();
    told
}

fn said<'a>(status: &'a DataProductStatus, type_: &str) -> Option<(&'a str, &'a str)> {
    status.condition(type_).map(|condition| (condition.status.as_str(), condition.reason.as_str()))
}

fn score(status: &DataProductStatus) -> Option<i32> {
    status.governance.as_ref().and_then(|governance| governance.score)
}

#[test]
fn drift_that_nobody_corrects_is_a_violation_in_grace_until_it_is_mended() {
    let mut outside = Outside::default();
    let (made, _) = visit(reporting(), &mut outside, Luck::Good, 0);
    assert_eq!(
        (observed(&made), score(&made)),
        (vec![], Some(CLEAN)),
        "what was just made is as it should be"
    );
    let unencrypted = TAMPERINGS[1];
    let before = outside.clone();
    tamper(&mut outside, &[unencrypted]);
    let (seen, _) = visit(with_status(reporting(), &made), &mut outside, Luck::Good, 0);
    let path = "status.resources[Bucket/customer-customer-360-000000000000].encryptionKey";
    assert_eq!((observed(&seen), score(&seen)), (vec![("SEC-004", path)], Some(CLEAN - 10)));
    assert_eq!(said(&seen, "GovernanceCompliant"), Some(("False", "InGrace")));
    assert_eq!(said(&seen, "Ready"), Some(("False", "Drifted")), "the rule itself stops nothing");
    let (again, _) = visit(with_status(reporting(), &seen), &mut outside, Luck::Good, 0);
    assert_eq!(again, seen, "it is said once");

    let (mended, in_sync) = visit(with_status(reporting(), &seen), &mut before.clone(), Luck::Good, 0);
    assert!(in_sync);
    assert_eq!((observed(&mended), score(&mended)), (vec![], Some(CLEAN)));
}

#[test]
fn drift_that_is_corrected_in_the_same_visit_is_no_violation_any_more() {
    let mut outside = Outside::default();
    let (made, _) = visit(customer_360(), &mut outside, Luck::Good, 0);
    tamper(&mut outside, &TAMPERINGS);
    let (corrected, in_sync) = visit(with_status(customer_360(), &made), &mut outside, Luck::Good, 0);
    assert!(in_sync, "{:?}", corrected.condition("Ready"));
    assert_eq!((observed(&corrected), score(&corrected)), (vec![], Some(CLEAN)));
    assert_eq!(said(&corrected, "GovernanceCompliant"), Some(("True", "Succeeded")));
}

#[test]
fn a_correction_that_fails_leaves_the_violation_and_the_next_one_is_tried_all_the_same() {
    let mut outside = Outside::default();
    let (made, _) = visit(customer_360(), &mut outside, Luck::Good, 0);
    tamper(&mut outside, &TAMPERINGS);
    let refused = Luck::Refused(ErrorKind::Unavailable);
    let (failed, _) = visit(with_status(customer_360(), &made), &mut outside, refused, 0);
    assert_eq!((observed(&failed).len(), score(&failed)), (5, Some(CLEAN - 50)));
    let (corrected, in_sync) = visit(with_status(customer_360(), &failed), &mut outside, Luck::Good, 0);
    assert!(in_sync, "an error in grace does not stop what mends it");
    assert_eq!(observed(&corrected), []);
}

#[test]
fn what_cannot_be_read_is_not_judged() {
    let mut outside = Outside::default();
    let (made, _) = visit(reporting(), &mut outside, Luck::Good, 0);
    tamper(&mut outside, &TAMPERINGS);
    let unreadable = Luck::Unreadable(ErrorKind::Throttled);
    let (seen, _) = visit(with_status(reporting(), &made), &mut outside, unreadable, 0);
    let paths = observed(&seen).into_iter().map(|(_, path)| path).collect::<Vec<_>>();
    assert_eq!(paths.len(), 4, "all but the key: {paths:?}");
    assert!(paths.iter().all(|path| !path.contains("EncryptionKey/")), "{paths:?}");
}

#[test]
fn what_is_lost_or_belongs_to_others_is_not_judged() {
    let mut outside = Outside::default();
    let (made, _) = visit(reporting(), &mut outside, Luck::Good, 0);
    tamper(&mut outside, &TAMPERINGS);
    for found in outside.0.values_mut() {
        if found.key.kind == Kind::Bucket {
            found.health = Health::Lost { last_known: "it was empty".to_owned() };
        } else if let Some(owner) = &mut found.owner {
            owner.purpose = "else/where".to_owned();
        }
    }
    let (seen, _) = visit(with_status(reporting(), &made), &mut outside, Luck::Good, 0);
    assert_eq!((observed(&seen), score(&seen)), (vec![], Some(CLEAN)));
}

proptest! {
    #[test]
    fn each_thing_that_somebody_changed_is_told_once_and_nothing_is_told_of_a_world_in_sync(
        tamperings in subsequence(TAMPERINGS.to_vec(), 0..=TAMPERINGS.len()),
        classification in prop::sample::select(vec![
            Classification::Public,
            Classification::Internal,
            Classification::Confidential,
            Classification::Restricted,
        ]),
    ) {
        let closed = matches!(classification, Classification::Confidential | Classification::Restricted);
        let mut outside = Outside::default();
        let (made, _) = visit(classified(reporting(), classification), &mut outside, Luck::Good, 0);
        prop_assert_eq!(observed(&made), vec![]);
        tamper(&mut outside, &tamperings);

        let declared = with_status(classified(reporting(), classification), &made);
        let (seen, _) = visit(declared, &mut outside, Luck::Good, 0);
        let told = tamperings.iter().filter(|(.., id, _)| closed || *id != "SEC-005");
        let mut expected = told
            .map(|(_, kind, id, attribute)| {
                let key = outside.0.keys().find(|key| key.kind == *kind).expect("it was made");
                (*id, format!("status.resources[{key}].{attribute}"))
            })
            .collect::<Vec<_>>();
        expected.sort_unstable();
        let lost = 10 * i32::try_from(expected.len()).expect("a few");
        let expected = expected.iter().map(|(id, path)| (*id, path.as_str())).collect::<Vec<_>>();
        prop_assert_eq!(observed(&seen), expected);

        let declared = with_status(classified(customer_360(), classification), &seen);
        let (corrected, in_sync) = visit(declared, &mut outside, Luck::Good, 0);
        prop_assert!(in_sync);
        prop_assert_eq!(observed(&corrected), vec![]);
        prop_assert_eq!(score(&seen).map(|score| score + lost), score(&corrected), "each costs an error");
    }
}
