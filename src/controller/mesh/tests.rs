//! What the index answers, and whom an event touches.

use super::*;
use crate::api::product::{DataProductSpec, Lineage};

fn product(namespace: &str, domain: &str, name: &str, created: i64, reads: &[&str]) -> DataProduct {
    let mut product = DataProduct::new(
        name,
        DataProductSpec {
            domain: domain.to_owned(),
            version: "1.0.0".to_owned(),
            lineage: Some(Lineage {
                upstream_products: reads.iter().map(|read| (*read).to_owned()).collect(),
                ..Lineage::default()
            }),
            ..DataProductSpec::default()
        },
    );
    product.metadata.namespace = Some(namespace.to_owned());
    product.metadata.uid = Some(format!("{namespace}-{name}"));
    let created = Timestamp::from_second(created).expect("an instant");
    product.metadata.creation_timestamp = Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(created));
    product
}

fn name(text: &str) -> ProductName {
    ProductName::parse(text, "n")
}

#[test]
fn the_older_of_two_claimants_holds_a_name_and_the_younger_learns_when_it_is_free() {
    let mut mesh = Mesh::default();
    let (older, younger) = (product("n", "a-b", "c", 1, &[]), product("m", "a", "b-c", 2, &[]));
    assert!(mesh.product(&younger).is_empty());
    assert_eq!(mesh.product(&older), [name("m/b-c")].into(), "the younger is touched by the older");
    assert_eq!(mesh.neighbours(&older).name_taken, None);
    let taken = mesh.neighbours(&younger).name_taken.map(|(_, holder)| holder);
    assert_eq!(taken, Some(name("n/c")));
    assert_eq!(mesh.product_gone(&name("n/c")), [name("m/b-c")].into());
    assert_eq!(mesh.neighbours(&younger).name_taken, None);
}

#[test]
fn what_is_beyond_the_horizon_is_neither_found_nor_missing() {
    let mut mesh = Mesh { horizon: Some("n".to_owned()), ..Mesh::default() };
    let reader = product("n", "a", "reader", 1, &["there", "gone", "m/elsewhere"]);
    mesh.product(&product("n", "a", "there", 1, &[]));
    mesh.product(&reader);
    let neighbours = mesh.neighbours(&reader);
    let upstreams = neighbours.upstreams.iter().map(|it| (it.name.clone(), it.found.is_some()));
    assert_eq!(upstreams.collect::<Vec<_>>(), [(name("n/gone"), false), (name("n/there"), true)]);
    assert_eq!(neighbours.beyond, [name("m/elsewhere")]);
    assert_eq!(neighbours.horizon.as_deref(), Some("n"));
    let unknown = mesh.neighbours(&product("n", "a", "unknown", 1, &[]));
    assert_eq!(unknown.horizon.as_deref(), Some("n"), "what is not indexed has a horizon, too");
}

#[test]
fn who_has_resources_keeps_its_names_even_from_an_older_or_equally_old_rival() {
    use crate::api::status::{ResourceState, ResourceStatus};
    let mut mesh = Mesh::default();
    let mut holder = product("n", "a-b", "z", 5, &[]);
    let rival = product("m", "a", "b-z", 5, &[]);
    mesh.product(&rival);
    mesh.product(&holder);
    assert!(mesh.neighbours(&holder).name_taken.is_some(), "the uid decides between equals");
    let bucket = ResourceStatus {
        kind: "Bucket".to_owned(),
        name: "a-b-z".to_owned(),
        id: Some("id".to_owned()),
        state: ResourceState::InSync,
        drift: Vec::new(),
        last_error: None,
        last_observed_at: None,
    };
    holder.status = Some(crate::api::DataProductStatus { resources: vec![bucket], ..Default::default() });
    assert_eq!(mesh.product(&holder), [name("m/b-z")].into(), "the rival learns it");
    assert_eq!(mesh.neighbours(&holder).name_taken, None);
    assert!(mesh.neighbours(&rival).name_taken.is_some());
}

fn domain(name: &str, account: Option<&str>) -> Arc<DataDomain> {
    use crate::api::{Account, DataDomainSpec};
    let account = account.map(|id| Account { id: Some(id.to_owned()), ..Account::default() });
    let provider_classes = vec!["local".to_owned()];
    Arc::new(DataDomain::new(name, DataDomainSpec { account, provider_classes, ..DataDomainSpec::default() }))
}

#[test]
fn claims_follow_domain_and_class_in_whatever_order_they_are_seen() {
    use crate::api::{LocalBackend, ProviderClassSpec};
    let mut mesh = Mesh::default();
    let (older, younger) = (product("n", "a-b", "c", 1, &[]), product("m", "a", "b-c", 2, &[]));
    mesh.product(&older);
    mesh.product(&younger);
    let taken = |mesh: &Mesh| mesh.neighbours(&younger).name_taken.is_some();
    assert!(taken(&mesh), "in the same default account");
    mesh.domains.insert("a-b".to_owned(), domain("a-b", Some("111111111111")));
    assert_eq!(mesh.reclaim(&[name("n/c")].into()), [name("m/b-c")].into(), "the rival is let know");
    assert!(!taken(&mesh), "in two accounts");
    mesh.domains.insert("a".to_owned(), domain("a", None));
    let local = Some(LocalBackend { account_id: Some("111111111111".to_owned()), ..LocalBackend::default() });
    let class = ProviderClass::new("local", ProviderClassSpec { local, ..ProviderClassSpec::default() });
    mesh.classes.insert("local".to_owned(), Arc::new(class));
    assert_eq!(mesh.products_of_class("local"), [name("m/b-c"), name("n/c")].into());
    mesh.reclaim(&[name("m/b-c")].into());
    assert!(taken(&mesh), "the class places the younger in the account of the older");
}

#[test]
fn readers_and_read_know_each_other_and_only_they_are_touched() {
    let mut mesh = Mesh::default();
    mesh.product(&product("n", "d", "bystander", 1, &[]));
    let reader = product("n", "d", "reader", 1, &["source", "m/other"]);
    assert!(mesh.product(&reader).is_empty(), "what it reads does not exist yet");
    let source = product("n", "d", "source", 1, &[]);
    assert_eq!(mesh.product(&source), [name("reader")].into());
    assert!(mesh.product(&source).is_empty(), "nothing changed");
    let found = mesh.neighbours(&reader).upstreams.into_iter().map(|it| (it.name, it.found.is_some()));
    assert_eq!(found.collect::<Vec<_>>(), [(name("m/other"), false), (name("source"), true)]);
    let consumers = mesh.neighbours(&source).consumers;
    assert_eq!(consumers, [(name("reader"), "d".to_owned())].into());
    assert_eq!(mesh.product(&product("n", "d", "reader", 1, &[])), [name("source")].into());
    assert!(mesh.neighbours(&source).consumers.is_empty());
}

#[test]
fn a_cycle_is_named_product_by_product() {
    let mut mesh = Mesh::default();
    for (name, reads) in [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")] {
        mesh.product(&product("n", "d", name, 1, &[reads]));
    }
    let cycle = |mesh: &Mesh, name: &str| mesh.neighbours(&product("n", "d", name, 1, &[])).cycle;
    assert_eq!(cycle(&mesh, "a"), [name("a"), name("b"), name("c"), name("a")]);
    assert!(cycle(&mesh, "d").is_empty(), "who only reads a cycle is not in it");
    mesh.product(&product("n", "d", "e", 1, &["e"]));
    assert_eq!(cycle(&mesh, "e"), [name("e"), name("e")], "who reads itself");
    // The shortest of two ways, where the longer one is looked at first.
    for (name, reads) in [("s", &["a1", "z"][..]), ("a1", &["a2"]), ("a2", &["s"]), ("z", &["s"])] {
        mesh.product(&product("n", "d", name, 1, reads));
    }
    assert_eq!(cycle(&mesh, "s"), [name("s"), name("z"), name("s")]);
}

#[test]
fn what_is_not_there_yet_meets_the_others_as_if_it_were() {
    let mut mesh = Mesh::default();
    mesh.product(&product("n", "a-b", "c", 1, &["new"]));
    let now = Timestamp::from_second(9).expect("an instant");
    let asked = |mesh: &Mesh, mut product: DataProduct| {
        product.metadata.creation_timestamp = None;
        product.metadata.uid = None;
        mesh.neighbours_if(&product, now)
    };
    let rival = asked(&mesh, product("m", "a", "b-c", 0, &["nowhere"]));
    assert_eq!(rival.name_taken.map(|(_, holder)| holder), Some(name("n/c")));
    assert_eq!(rival.upstreams.into_iter().map(|it| it.found.is_some()).collect::<Vec<_>>(), [false]);
    let new = asked(&mesh, product("n", "d", "new", 0, &["c"]));
    assert_eq!(new.cycle, [name("new"), name("c"), name("new")]);
    assert_eq!(new.consumers.len(), 1);
    // What is there already counts as it would be, not as it is.
    let changed = mesh.neighbours_if(&product("n", "a-b", "c", 1, &[]), now);
    assert_eq!((changed.upstreams.len(), changed.name_taken), (0, None));
    assert_eq!(mesh.products().len(), 1, "nothing is taken up");
}
