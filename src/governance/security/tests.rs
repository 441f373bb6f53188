//! What each rule of security lets pass and what it finds.

use crate::{
    api::product::{Access, Classification},
    governance::{
        Input, Resource, Violation,
        fixtures::{assert_table, broken_by, input, product},
    },
    model::{
        attributes::{Attributes, Bucket, CatalogDatabase, EVERYBODY, EncryptionKey, Grants},
        owner::{DeletionPolicy, Owner},
        resource::{Desired, Health, Key, Observed, Tags},
    },
};

#[expect(clippy::unnecessary_wraps, reason = "the spec has an optional block")]
fn access(classification: Option<Classification>, retention: Option<&str>) -> Option<Access> {
    Some(Access { classification, retention: retention.map(Into::into), ..Access::default() })
}

#[test]
fn the_data_is_classified() {
    let path = "spec.access.classification";
    let cases = [
        ("it is public", access(Some(Classification::Public), None), vec![]),
        ("nothing is said of its sensitivity", access(None, Some("7 years")), vec![path]),
        ("nothing is said of access", None, vec![path]),
    ];
    assert_table(
        "SEC-001",
        cases.map(|(case, access, paths)| (case, product(|spec| spec.access = access), paths)),
    );
}

#[test]
fn the_retention_of_the_data_is_stated() {
    let path = "spec.access.retention";
    let cases = [
        ("seven years", access(None, Some("7 years")), vec![]),
        ("nothing is said of retention", access(Some(Classification::Public), None), vec![path]),
        ("nothing is said of access", None, vec![path]),
    ];
    assert_table(
        "SEC-002",
        cases.map(|(case, access, paths)| (case, product(|spec| spec.access = access), paths)),
    );
}

/// A resource of the product as it wants it, on data of some classification, and as the provider found it.
struct Case {
    classification: Option<Classification>,
    desired: Desired,
    observed: Observed,
}

impl Case {
    /// A resource of confidential data that was found as it is wanted.
    fn in_sync(attributes: Attributes) -> Self {
        let owner = Owner {
            cluster: "c1".into(),
            uid: "u1".into(),
            product: "team-a/orders".into(),
            purpose: "sales/orders".into(),
            deletion: DeletionPolicy::Retain,
            released: false,
        };
        let key = Key::new(attributes.kind(), "n");
        let observed = Observed {
            key: key.clone(),
            id: "id".into(),
            owner: Some(owner.clone()),
            attributes: attributes.clone(),
            health: Health::Live,
        };
        let desired = Desired { key, owner, attributes };
        Self { classification: Some(Classification::Confidential), desired, observed }
    }

    /// The same resource, found with other attributes.
    fn found(self, attributes: Attributes) -> Self {
        Self { observed: Observed { attributes, ..self.observed }, ..self }
    }

    fn violations(&self, id: &str) -> Vec<Violation> {
        let product = product(|spec| spec.access = access(self.classification, None));
        let observed = [Resource { desired: &self.desired, observed: &self.observed }];
        broken_by(id, &Input { observed: Some(&observed), ..input(&product) })
    }

    fn paths(&self, id: &str) -> Vec<String> {
        self.violations(id).into_iter().map(|violation| violation.path.into_owned()).collect()
    }
}

fn bucket(encryption_key: Option<&str>, public_access_blocked: bool) -> Attributes {
    Attributes::Bucket(Bucket {
        encryption_key: encryption_key.map(Into::into),
        bucket_key: true,
        versioning: true,
        public_access_blocked,
        tls_only: true,
        tags: Tags::new(),
    })
}

fn key(rotation: bool) -> Attributes {
    Attributes::EncryptionKey(EncryptionKey {
        description: String::new(),
        rotation,
        named: true,
        surplus: [].into(),
        tags: Tags::new(),
    })
}

fn database(default_permissions: &[&str]) -> Attributes {
    let default_permissions = default_permissions.iter().map(|&word| word.into()).collect();
    Attributes::CatalogDatabase(CatalogDatabase {
        bucket: "b".into(),
        default_permissions,
        tags: Tags::new(),
    })
}

fn grants(principals: &[&str]) -> Attributes {
    let entries = principals.iter().map(|&principal| (principal.into(), ["SELECT".into()].into()));
    Attributes::Grant(Grants { entries: entries.collect() })
}

/// Every way in which a rule on what was observed is broken: the rule, what is wanted, what was found, the path.
fn breaches() -> [(&'static str, Attributes, Attributes, &'static str); 6] {
    let encryption = "status.resources[Bucket/n].encryptionKey";
    [
        ("SEC-004", bucket(Some("k"), true), bucket(None, true), encryption),
        ("SEC-004", bucket(Some("k"), true), bucket(Some("other"), true), encryption),
        ("SEC-004", key(true), key(false), "status.resources[EncryptionKey/n].rotation"),
        (
            "SEC-005",
            database(&[]),
            database(&["SELECT"]),
            "status.resources[CatalogDatabase/n].defaultPermissions",
        ),
        (
            "SEC-005",
            grants(&["team"]),
            grants(&["IAM_ALLOWED_PRINCIPALS", "team"]),
            "status.resources[Grant/n].principals.IAM_ALLOWED_PRINCIPALS",
        ),
        (
            "SEC-008",
            bucket(Some("k"), true),
            bucket(Some("k"), false),
            "status.resources[Bucket/n].publicAccessBlocked",
        ),
    ]
}

#[test]
fn what_was_observed_is_judged_on_both_sides() {
    for (id, want, have, path) in breaches() {
        let in_sync = Case::in_sync(want);
        for id in ["SEC-004", "SEC-005", "SEC-008"] {
            assert_eq!(in_sync.paths(id), [""; 0], "{id}: in sync");
        }
        assert_eq!(in_sync.found(have).paths(id), [path], "{id}");
    }
}

#[test]
fn what_others_find_wrong_with_it_is_no_concern_of_these_rules() {
    let harmless = [
        ("SEC-004", key(true), key(true)),
        ("SEC-004", bucket(Some("k"), true), bucket(Some("k"), false)),
        ("SEC-005", grants(&["team"]), grants(&["stranger", "team"])),
        ("SEC-008", bucket(Some("k"), true), bucket(None, true)),
    ];
    for (id, want, have) in harmless {
        assert_eq!(Case::in_sync(want).found(have).paths(id), [""; 0], "{id}");
    }
}

/// What became of the mark of a resource.
type Mark = fn(Owner) -> Option<Owner>;

#[test]
fn only_what_is_the_products_own_is_judged() {
    let cases: [(&str, Mark, bool); 5] = [
        ("mine", Some, true),
        ("of an earlier object", |owner| Some(Owner { uid: "u0".into(), ..owner }), true),
        ("released", |owner| Some(owner.released()), false),
        ("foreign", |owner| Some(Owner { purpose: "sales/returns".into(), ..owner }), false),
        ("unmarked", |_| None, false),
    ];
    for (case, mark, judged) in cases {
        for (id, want, have, _) in breaches() {
            let mut found = Case::in_sync(want).found(have);
            found.observed.owner = found.observed.owner.and_then(mark);
            assert_eq!(found.paths(id).len(), usize::from(judged), "{id}: {case}");
        }
    }
}

#[test]
fn only_what_is_in_use_is_judged() {
    let cases = [
        (Health::Live, true),
        (Health::PendingDeletion, false),
        (Health::Disabled, false),
        (Health::Lost { last_known: "it was empty".into() }, false),
    ];
    for (health, judged) in cases {
        for (id, want, have, _) in breaches() {
            let mut found = Case::in_sync(want).found(have);
            found.observed.health = health.clone();
            assert_eq!(found.paths(id).len(), usize::from(judged), "{id}: {health:?}");
        }
    }
}

#[test]
fn what_everybody_may_read_may_be_open_to_everybody() {
    let cases = [
        (None, false),
        (Some(Classification::Public), false),
        (Some(Classification::Internal), false),
        (Some(Classification::Confidential), true),
        (Some(Classification::Restricted), true),
    ];
    for (classification, closed) in cases {
        for (id, want, have, _) in breaches() {
            let found = Case { classification, ..Case::in_sync(want).found(have) };
            // How data is encrypted and blocked does not depend on who may read it.
            let expected = id != "SEC-005" || closed;
            assert_eq!(found.paths(id).len(), usize::from(expected), "{id}: {classification:?}");
        }
    }
}

#[test]
fn nothing_observed_is_nothing_judged() {
    let product = product(|spec| spec.access = access(Some(Classification::Restricted), None));
    for id in ["SEC-004", "SEC-005", "SEC-008"] {
        assert_eq!(broken_by(id, &input(&product)), [], "{id}");
    }
}

#[test]
fn a_finding_says_what_is_wrong_and_who_mends_it() {
    let found = Case::in_sync(bucket(Some("k"), true)).found(bucket(Some("other"), true));
    let [violation] = &found.violations("SEC-004")[..] else { panic!("one finding") };
    assert_eq!(violation.message, "Bucket 'n' is not encrypted with the product's own key, but with 'other'");
    assert_eq!(
        violation.remediation,
        "The operator corrects it, unless the ProviderClass has driftPolicy Report or something holds change back; \
         then encrypt it with the product's own key"
    );
    let restricted = Some(Classification::Restricted);
    let open = Case { classification: restricted, ..Case::in_sync(grants(&[EVERYBODY])) };
    let [violation] = &open.violations("SEC-005")[..] else { panic!("one finding") };
    assert_eq!(
        violation.message,
        "Database 'n' is granted to IAM_ALLOWED_PRINCIPALS, and the data is restricted"
    );
    let asked_for = "Remove IAM_ALLOWED_PRINCIPALS from spec.access.roles";
    assert_eq!(violation.remediation, asked_for, "the operator keeps what the spec asks for");
}
