//! The `local` backend survives the end of its process at any instruction.
//!
//! The test runs itself as a child that creates and removes for as long as it lives, kills it, and looks at what is
//! left: whatever that is, the same calls complete it.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::Arc,
};

use dataproduct_operator::{
    model::{
        attributes::{Attributes, Bucket},
        resource::{Delta, Desired, Health, Key, Kind, Removal},
    },
    provider::{
        Provider,
        local::{Local, Store},
    },
};

use crate::world::{ACCOUNT, REGION, owner, sought};

const ROOT: &str = "DATAPRODUCT_TEST_ROOT_OF_THE_CHILD";
/// Number of times that the child is killed.
const KILLS: usize = 40;

/// A bucket for tests.
pub(crate) fn desired_bucket(name: &str) -> Desired {
    Desired {
        key: Key::new(Kind::Bucket, format!("bucket-{name}")),
        owner: owner(),
        attributes: Attributes::Bucket(Bucket {
            encryption_key: Some("key".into()),
            bucket_key: true,
            versioning: true,
            public_access_blocked: true,
            tls_only: true,
            tags: [].into(),
        }),
    }
}

fn open(root: &std::path::Path) -> Local {
    Local::new(Arc::new(Store::open(root).expect("a store")), ACCOUNT, REGION).expect("an account")
}

/// The child: creates and removes two buckets in turn until it is killed. Does nothing in an ordinary run.
#[tokio::test]
async fn child() {
    let Ok(root) = std::env::var(ROOT) else { return };
    let local = open(root.as_ref());
    let buckets = ["one", "two"].map(desired_bucket);
    for round in 0u64.. {
        let desired = &buckets[usize::from(round % 2 == 0)];
        local.create(desired).await.expect("created");
        println!("{round}");
        let removal = Removal { key: desired.key.clone(), owner: desired.owner.clone(), key_window_days: 7 };
        local.delete(&removal).await.expect("removed");
    }
}

#[tokio::test]
async fn whatever_a_killed_process_leaves_is_completed_by_the_next() {
    let folder = tempfile::tempdir().expect("a folder");
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["killed::child", "--exact", "--nocapture"])
            .env(ROOT, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a child");
        // Killed after a different number of rounds each time, so at a different instruction.
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let rounds = lines.by_ref().map_while(Result::ok).filter(|line| line.parse::<u64>().is_ok());
        assert_eq!(rounds.take(1 + kill % 7).count(), 1 + kill % 7, "the child works");
        child.kill().expect("killed");
        child.wait().expect("ended");

        let local = open(folder.path());
        for desired in ["one", "two"].map(desired_bucket) {
            if let Some(observed) = local.observe(&sought(&desired.key)).await.expect("observed") {
                assert!(!matches!(observed.health, Health::Lost { .. }), "an interrupted removal is no loss");
                let delta = Delta::between(&desired, &observed);
                local.update(&desired, &delta).await.expect("completed");
            } else {
                local.create(&desired).await.expect("created");
            }
            let observed = local.observe(&sought(&desired.key)).await.expect("observed").expect("present");
            assert!(
                Delta::between(&desired, &observed).is_empty() && observed.health == Health::Live,
                "{observed:?}"
            );
            assert!(
                folder.path().join(ACCOUNT).join(REGION).join("buckets").join(&desired.key.name).is_dir()
            );
        }
    }
}

#[tokio::test]
async fn two_processes_on_one_root_end_with_one_of_each() {
    let folder = tempfile::tempdir().expect("a folder");
    // Two stores are two connections, as two processes have them.
    let (first, second) = (open(folder.path()), open(folder.path()));
    let desired = (0..20).map(|n| desired_bucket(&format!("n{n}"))).collect::<Vec<_>>();
    for desired in &desired {
        let (one, two) = tokio::join!(first.create(desired), second.create(desired));
        one.and(two).expect("both agree");
    }
    let ledger = rusqlite::Connection::open(folder.path().join("ledger.db")).expect("the ledger");
    let rows: i64 = ledger
        .query_row("SELECT count(*) FROM resources WHERE phase = 'ready'", [], |row| row.get(0))
        .expect("rows");
    assert_eq!(rows, 20);
}
