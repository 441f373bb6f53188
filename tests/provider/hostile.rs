//! Names and links that try to lead out of the root, and ledgers that cannot be used.

use std::{fs, os::unix::fs::symlink, sync::Arc};

use dataproduct_operator::{
    model::{
        measurement::{Objective, Subject, Value},
        resource::{Health, Key, Kind, Look},
    },
    provider::{
        ErrorKind,
        conformance::World,
        local::{Local, Store},
    },
};

use crate::world::{ACCOUNT, LocalWorld, sought};

#[tokio::test]
async fn no_name_leads_out_of_the_root() {
    let world = LocalWorld::raw();
    for name in [
        "..",
        "../../etc",
        "/etc",
        "a/b",
        "a\0b",
        "A-Bucket",
        "-a-b",
        "a-b-",
        "ab",
        "",
        ".",
        "a.b",
        &"a".repeat(64),
    ] {
        let error = world.provider().observe(&sought(&Key::new(Kind::Bucket, name))).await;
        // Before anything is made there is no folder to look into, and no name is even tried.
        assert!(
            error.as_ref().map_or_else(|error| error.kind == ErrorKind::Invalid, Option::is_none),
            "{name:?}: {error:?}"
        );
    }
    fs::create_dir_all(world.bucket("first")).expect("a folder");
    for name in ["..", "../../etc", "/etc", "a/b", "A-Bucket", "ab", "", "."] {
        let error = world.provider().observe(&sought(&Key::new(Kind::Bucket, name))).await.expect_err(name);
        assert_eq!(error.kind, ErrorKind::Invalid, "{name:?}: {error}");
    }
    let store = Arc::new(Store::open(&world.root()).expect("a store"));
    for (account, region) in
        [("../0000000000", "local"), ("123", "local"), (ACCOUNT, ".."), (ACCOUNT, "a/b"), (ACCOUNT, "")]
    {
        assert!(Local::new(Arc::clone(&store), account, region).is_err(), "{account} {region}");
    }
}

#[tokio::test]
async fn no_link_is_followed() {
    let outside = tempfile::tempdir().expect("a folder");
    fs::write(outside.path().join("secret"), b"secret").expect("a file");
    let key = Key::new(Kind::Bucket, "linked-bucket");

    let world = LocalWorld::raw();
    fs::create_dir_all(world.bucket("other")).expect("a folder");
    symlink(outside.path(), world.bucket("linked-bucket")).expect("a link");
    let error = world.provider().observe(&sought(&key)).await.expect_err("a link is no bucket");
    assert_eq!(error.kind, ErrorKind::Invalid, "{error}");

    let world = LocalWorld::raw();
    symlink(outside.path(), world.root().join(ACCOUNT)).expect("a link");
    let error = world.provider().observe(&sought(&key)).await.expect_err("a link is no account");
    assert_eq!(error.kind, ErrorKind::Invalid, "{error}");

    // A link inside a bucket is not an object.
    let world = LocalWorld::raw();
    fs::create_dir_all(world.bucket("honest")).expect("a folder");
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("root");
    symlink(world.root(), &root).expect("a link");
    assert_eq!(
        Store::open(&root).err().map(|error| error.kind),
        Some(ErrorKind::Invalid),
        "the root itself is no link"
    );
}

#[tokio::test]
async fn a_link_inside_a_bucket_is_no_data() {
    let world = LocalWorld::raw();
    let desired = crate::killed::desired_bucket("links");
    world.provider().create(&desired).await.expect("created");
    let old = tempfile::NamedTempFile::new().expect("a file");
    symlink(old.path(), world.bucket(&desired.key.name).join("link")).expect("a link");
    symlink("/", world.bucket(&desired.key.name).join("up")).expect("a link");
    let subject = Subject {
        domain: "d".into(),
        product: "p".into(),
        bucket: desired.key,
        alarm: Key::new(Kind::FreshnessAlarm, "alarm"),
        objectives: vec![Objective::Freshness],
        look: Look::Full,
    };
    let readings = world.provider().measure(&subject).await.expect("measured");
    assert!(matches!(readings[0].value, Value::NoDataSince(_)), "{readings:?}");
}

#[test]
fn a_ledger_that_cannot_be_used_says_what_to_do() {
    let corrupt = tempfile::tempdir().expect("a folder");
    fs::write(corrupt.path().join("ledger.db"), vec![b'x'; 8192]).expect("a file");
    let error = Store::open(corrupt.path()).err().expect("corrupt");
    assert!(error.to_string().contains("restore it from a backup"), "{error}");

    let later = tempfile::tempdir().expect("a folder");
    let ledger = rusqlite::Connection::open(later.path().join("ledger.db")).expect("a ledger");
    ledger.pragma_update(None, "user_version", 99).expect("a version");
    drop(ledger);
    let error = Store::open(later.path()).err().expect("later");
    assert!(error.to_string().contains("use the operator that wrote it"), "{error}");

    let error = Store::open("/does/not/exist".as_ref()).err().expect("absent");
    assert!(error.to_string().contains("must exist"), "{error}");
    let error = Store::open("relative".as_ref()).err().expect("relative");
    assert!(error.to_string().contains("absolute"), "{error}");
}

#[tokio::test]
async fn a_root_that_is_replaced_is_opened_anew_and_one_that_is_gone_is_no_empty_one() {
    let world = LocalWorld::raw();
    let desired = crate::killed::desired_bucket("moved");
    world.provider().create(&desired).await.expect("created");
    let aside = world.root().with_extension("aside");
    fs::rename(world.root(), &aside).expect("moved aside");
    let error = world.provider().observe(&sought(&desired.key)).await.expect_err("gone is not absent");
    assert!(error.to_string().contains("must exist"), "{error}");

    fs::create_dir(world.root()).expect("an empty root");
    assert_eq!(
        world.provider().observe(&sought(&desired.key)).await.expect("observed"),
        None,
        "what is there now"
    );
    let other = crate::killed::desired_bucket("other");
    world.provider().create(&other).await.expect("created");
    assert!(world.bucket(&other.key.name).is_dir(), "in the root that the path names");

    fs::remove_dir_all(world.root()).expect("removed");
    fs::rename(&aside, world.root()).expect("restored");
    let found = world.provider().observe(&sought(&desired.key)).await.expect("observed");
    assert_eq!(found.map(|found| found.health), Some(Health::Live), "the backup counts at once");
}
