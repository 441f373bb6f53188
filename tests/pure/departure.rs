//! What is said of a product that is going: which lock holds it, what failed, what became of each resource.

use dataproduct_operator::{
    api::{CONFIRM_DELETION, DataProductStatus, product::Provisioning, status::ResourceState},
    model::resource::{Health, Kind},
    plan::{
        Blocker, Declared, Outcome, ProductName, StepResult, World,
        assess::{Fault, Observations},
        decide_teardown,
        scope::resolve,
        teardown::Teardown,
    },
    provider::ErrorKind,
    status::{Release, departing},
};

use crate::{
    outside::Outside,
    visit::{Luck, visit, with_status},
    world::{customer_360, world},
};

type Change = fn(&mut Declared);

/// The example product, made, and then asked to go.
fn going(change: Change) -> (World, Outside) {
    let mut declared = customer_360();
    change(&mut declared);
    let mut outside = Outside::default();
    let (status, _) = visit(declared.clone(), &mut outside, Luck::Good, 0);
    let declared = with_status(declared, &status);
    let observations = look(&declared, &outside);
    (world(declared, observations), outside)
}

fn look(declared: &Declared, outside: &Outside) -> Observations {
    outside.observe(resolve(declared).expect("bound").names.keys())
}

fn plan(world: &World) -> Teardown {
    decide_teardown(world, world.scope.as_ref().expect("a scope"))
}

/// Whether somebody must act, and the message.
fn told(status: &DataProductStatus) -> (bool, String) {
    let ready = status.condition("Ready").expect("Ready");
    assert_eq!(ready.status, "False");
    let abnormal = ["Stalled", "Reconciling"].map(|type_| status.condition(type_).is_some());
    assert_ne!(abnormal[0], abnormal[1], "exactly one of them");
    (abnormal[0], ready.message.clone())
}

fn provisioning(declared: &mut Declared, change: impl FnOnce(&mut Provisioning)) {
    let mut product = (*declared.product).clone();
    change(product.spec.provisioning.get_or_insert_default());
    declared.product = product.into();
}

fn deletes(declared: &mut Declared) {
    provisioning(declared, |it| {
        it.deletion_policy = Some(dataproduct_operator::api::product::DeletionPolicy::Delete);
    });
}

#[test]
fn every_lock_says_what_opens_it() {
    let consumed: Change = |declared| {
        deletes(declared);
        for n in 0..9 {
            let name = ProductName { namespace: "n".to_owned(), name: format!("reader-{n}") };
            declared.neighbours.consumers.insert((name, "d".to_owned()));
        }
    };
    let cases: [(&str, Change, &[&str]); 4] = [
        ("unconfirmed", deletes, &[CONFIRM_DELETION, "customer-360", "Retain"]),
        ("consumed", consumed, &["9 products still consume it", "n/reader-0", "and 4 more", "Retain"]),
        (
            "suspended",
            |declared| {
                let mut product = (*declared.product).clone();
                product.spec.suspend = Some(true);
                declared.product = product.into();
            },
            &[],
        ),
        ("retained", |_| (), &[]),
    ];
    for (case, change, words) in cases {
        let (world, _) = going(change);
        let teardown = plan(&world);
        if words.is_empty() {
            // A product that was suspended from the start owns nothing, and one under Retain needs nobody's word.
            assert!(teardown.lock.is_none(), "{case}");
            continue;
        }
        let (stalled, message) = told(&departing(&world, &Release::Under(&teardown, &[])));
        assert!(stalled && teardown.plan.steps.is_empty(), "{case}: somebody must act");
        for word in words {
            assert!(message.contains(word), "{case}: {message}");
        }
    }
}

#[test]
fn a_provider_that_fails_is_waited_for_and_one_that_refuses_needs_somebody() {
    let (world, _) = going(|_| ());
    let teardown = plan(&world);
    for (kind, needs_somebody) in [(ErrorKind::Timeout, false), (ErrorKind::Denied, true)] {
        let fault = Fault::new(kind, "on purpose");
        let step = teardown.plan.steps.first().expect("a step");
        let outcome = Outcome::of(step, StepResult::Failed(fault.clone()));
        let status = departing(&world, &Release::Under(&teardown, &[outcome]));
        assert_eq!(told(&status), (needs_somebody, "on purpose".to_owned()), "{kind:?}");
        let failed = status.resources.iter().filter(|resource| resource.state == ResourceState::Failed);
        assert_eq!(failed.count(), 1, "the resource says so too");

        let unreadable = Teardown { unknown: vec![(step.key.clone(), fault)], ..teardown.clone() };
        let status = departing(&world, &Release::Under(&unreadable, &[]));
        assert_eq!(told(&status).0, needs_somebody, "{kind:?} of a read");
    }
    let down = Blocker::ProviderUnusable { message: "no answer".to_owned(), transient: true };
    assert!(!told(&departing(&world, &Release::Unreachable(&down))).0);
    let gone = Blocker::ClassMissing { class: "local".to_owned() };
    let (stalled, message) = told(&departing(&world, &Release::Unreachable(&gone)));
    assert!(stalled && message.contains("Retain"), "{message}");
}

#[test]
fn what_a_step_made_of_a_resource_is_seen_on_it() {
    let (world, mut outside) = going(|_| ());
    let teardown = plan(&world);
    let outcomes = outside.apply(&teardown.plan);
    let status = departing(&world, &Release::Under(&teardown, &outcomes));
    for resource in &status.resources {
        let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == resource.kind).expect("a kind");
        let expected = if kind.is_retained() { ResourceState::Released } else { ResourceState::Deleting };
        assert_eq!(resource.state, expected, "{kind}");
    }
}

#[test]
fn a_bucket_that_is_lost_can_be_let_go() {
    let (mut world, mut outside) = going(|_| ());
    for found in outside.0.values_mut().filter(|found| found.key.kind == Kind::Bucket) {
        found.health = Health::Lost { last_known: "it was empty".to_owned() };
    }
    world.observations = look(&world.declared, &outside);
    outside.apply(&plan(&world).plan);
    world.observations = look(&world.declared, &outside);
    assert!(plan(&world).is_complete());
}
