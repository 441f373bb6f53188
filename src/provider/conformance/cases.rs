//! The cases. Each is a promise and a function that finds it broken.

use futures::{FutureExt, future::BoxFuture};

use super::{
    World,
    sample::{changed, desired, key, owner, stranger},
};
use crate::{
    model::{
        measurement::{Objective, Subject, Value},
        owner::{Claim, Owner},
        resource::{Delta, Desired, Health, Key, Kind, Look, Observed, Removal, Sought},
    },
    provider::{ErrorKind, ProviderError, Removed},
};

type Verdict = Result<(), String>;
type Run = for<'a> fn(&'a dyn World, String) -> BoxFuture<'a, Verdict>;

/// A promise and its test.
pub(super) struct Case {
    pub(super) promise: &'static str,
    pub(super) run: Run,
}

/// Every case.
pub(super) const CASES: &[Case] = &[
    Case { promise: "what does not exist is observed as absent", run: |w, c| absent(w, c).boxed() },
    Case { promise: "what was created is observed as it was desired", run: |w, c| created(w, c).boxed() },
    Case { promise: "creating twice equals creating once", run: |w, c| twice(w, c).boxed() },
    Case {
        promise: "an update changes what its delta names and nothing else",
        run: |w, c| updated(w, c).boxed(),
    },
    Case { promise: "an update of something absent is NotFound", run: |w, c| update_absent(w, c).boxed() },
    Case {
        promise: "nothing of others is created over, changed or removed",
        run: |w, c| foreign(w, c).boxed(),
    },
    Case { promise: "a mark that changed since it was seen is a conflict", run: |w, c| stale(w, c).boxed() },
    Case {
        promise: "what was released can be taken back with its content",
        run: |w, c| released(w, c).boxed(),
    },
    Case { promise: "removing twice equals removing once", run: |w, c| removed(w, c).boxed() },
    Case {
        promise: "a key whose deletion is pending is taken back as the same key",
        run: |w, c| key_back(w, c).boxed(),
    },
    Case { promise: "a bucket that is not empty is never removed", run: |w, c| not_empty(w, c).boxed() },
    Case {
        promise: "a bucket without a mark is a stranger's until it is adopted",
        run: |w, c| unmarked(w, c).boxed(),
    },
    Case {
        promise: "freshness is silent, then absent, then the newest object",
        run: |w, c| fresh(w, c).boxed(),
    },
];

fn told(error: ProviderError) -> String {
    error.to_string()
}

fn ensure(holds: bool, happened: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(happened()) }
}

fn refused<T: std::fmt::Debug>(answer: Result<T, ProviderError>, kind: ErrorKind, what: &str) -> Verdict {
    match answer {
        Err(error) if error.kind == kind => Ok(()),
        other => Err(format!("{what}: expected {kind:?}, got {other:?}")),
    }
}

async fn look(world: &dyn World, key: &Key, owner: &Owner) -> Result<Option<Observed>, String> {
    let sought = Sought { key: key.clone(), owner: owner.clone(), look: Look::Full };
    world.provider().observe(&sought).await.map_err(told)
}

async fn seen(world: &dyn World, desired: &Desired) -> Result<Observed, String> {
    look(world, &desired.key, &desired.owner).await?.ok_or_else(|| format!("{} is absent", desired.key))
}

async fn made(world: &dyn World, case: &str, kind: Kind) -> Result<Desired, String> {
    prepared(world, case, kind).await?;
    let desired = desired(case, kind)?;
    world.provider().create(&desired).await.map_err(told)?;
    Ok(desired)
}

/// Makes what a resource of a kind refers to.
async fn prepared(world: &dyn World, case: &str, kind: Kind) -> Verdict {
    let needed = match kind {
        Kind::Bucket => Kind::EncryptionKey,
        Kind::Grant => Kind::CatalogDatabase,
        Kind::EncryptionKey | Kind::CatalogDatabase | Kind::FreshnessAlarm => return Ok(()),
    };
    let needed = desired(case, needed)?;
    if look(world, &needed.key, &needed.owner).await?.is_none() {
        world.provider().create(&needed).await.map_err(told)?;
    }
    Ok(())
}

/// Finds a difference between what was desired and what is observed.
async fn same(world: &dyn World, desired: &Desired) -> Verdict {
    let observed = seen(world, desired).await?;
    let delta = Delta::between(desired, &observed);
    ensure(delta.is_empty() && observed.health == Health::Live, || {
        format!("{}: {delta:?}, {:?}", desired.key, observed.health)
    })
}

fn removal(desired: &Desired) -> Removal {
    Removal { key: desired.key.clone(), owner: desired.owner.clone(), key_window_days: 30 }
}

async fn absent(world: &dyn World, case: String) -> Verdict {
    for kind in world.provider().capabilities() {
        let observed = look(world, &key(&case, kind)?, &owner(&case)).await?;
        ensure(observed.is_none(), || format!("{kind}: {observed:?}"))?;
    }
    Ok(())
}

async fn created(world: &dyn World, case: String) -> Verdict {
    for kind in world.provider().capabilities() {
        let desired = made(world, &case, kind).await?;
        same(world, &desired).await?;
        ensure(!seen(world, &desired).await?.id.is_empty(), || format!("{kind} has no identifier"))?;
    }
    Ok(())
}

async fn twice(world: &dyn World, case: String) -> Verdict {
    for kind in world.provider().capabilities() {
        let desired = made(world, &case, kind).await?;
        let first = seen(world, &desired).await?;
        world.provider().create(&desired).await.map_err(told)?;
        let second = seen(world, &desired).await?;
        ensure(first == second, || format!("{first:?} became {second:?}"))?;
    }
    Ok(())
}

async fn updated(world: &dyn World, case: String) -> Verdict {
    for kind in world.provider().capabilities() {
        let before = made(world, &case, kind).await?;
        let after = changed(&before);
        let delta = Delta::between(&after, &seen(world, &before).await?);
        world.provider().update(&after, &delta).await.map_err(told)?;
        same(world, &after).await?;
        // The same update once more, as after a lost answer.
        world.provider().update(&after, &delta).await.map_err(told)?;
        same(world, &after).await?;
        // An empty delta changes nothing, whatever the desired attributes say.
        world.provider().update(&before, &Delta::default()).await.map_err(told)?;
        same(world, &after).await?;
    }
    Ok(())
}

async fn update_absent(world: &dyn World, case: String) -> Verdict {
    for kind in world.provider().capabilities() {
        let desired = desired(&case, kind)?;
        refused(
            world.provider().update(&desired, &Delta::default()).await,
            ErrorKind::NotFound,
            kind.as_str(),
        )?;
    }
    Ok(())
}

async fn foreign(world: &dyn World, case: String) -> Verdict {
    for kind in world.provider().capabilities() {
        let mine = desired(&case, kind)?;
        let theirs = Desired { owner: stranger(), ..mine.clone() };
        world.provider().create(&theirs).await.map_err(told)?;
        refused(world.provider().create(&mine).await, ErrorKind::Conflict, "create")?;
        refused(
            world.provider().update(&changed(&mine), &Delta::default()).await,
            ErrorKind::Conflict,
            "update",
        )?;
        refused(world.provider().delete(&removal(&mine)).await, ErrorKind::Conflict, "delete")?;
        same(world, &theirs).await?;
    }
    Ok(())
}

async fn stale(world: &dyn World, case: String) -> Verdict {
    for kind in world.provider().capabilities() {
        let desired = made(world, &case, kind).await?;
        // The update was planned when the mark was another one.
        let before = Owner { uid: "an-older-uid".to_owned(), ..owner(&case) };
        let observed = Observed { owner: Some(before), ..seen(world, &desired).await? };
        let wanted =
            Desired { owner: Owner { uid: "a-newer-uid".to_owned(), ..owner(&case) }, ..desired.clone() };
        let delta = Delta::between(&wanted, &observed);
        refused(world.provider().update(&wanted, &delta).await, ErrorKind::Conflict, kind.as_str())?;
        same(world, &desired).await?;
    }
    Ok(())
}

async fn released(world: &dyn World, case: String) -> Verdict {
    for kind in world.provider().capabilities() {
        let desired = made(world, &case, kind).await?;
        if kind == Kind::Bucket {
            world.put_object(&desired.key).await?;
        }
        let free = Desired { owner: desired.owner.clone().released(), ..desired.clone() };
        let delta = Delta::between(&free, &seen(world, &desired).await?);
        world.provider().update(&free, &delta).await.map_err(told)?;
        let observed = seen(world, &desired).await?;
        let heir = Desired { owner: Owner { uid: "an-heir".to_owned(), ..owner(&case) }, ..desired.clone() };
        let claim = heir.owner.claim(observed.owner.as_ref());
        ensure(claim == Claim::Released, || format!("{kind}: {claim:?}"))?;
        let delta = Delta::between(&heir, &observed);
        world.provider().update(&heir, &delta).await.map_err(told)?;
        same(world, &heir).await?;
        ensure(seen(world, &heir).await?.id == observed.id, || format!("{kind} became another one"))?;
    }
    Ok(())
}

async fn removed(world: &dyn World, case: String) -> Verdict {
    for kind in world.provider().capabilities() {
        let desired = made(world, &case, kind).await?;
        for _ in 0..2 {
            let answer = world.provider().delete(&removal(&desired)).await.map_err(told)?;
            ensure(answer == Removed::Gone, || format!("{kind}: {answer:?}"))?;
        }
        let observed = look(world, &desired.key, &desired.owner).await?;
        let gone = observed
            .as_ref()
            .is_none_or(|observed| kind == Kind::EncryptionKey && observed.health == Health::PendingDeletion);
        ensure(gone, || format!("{kind}: {observed:?}"))?;
        // A new one under the same name begins anew.
        world.provider().create(&desired).await.map_err(told)?;
        same(world, &desired).await?;
    }
    Ok(())
}

async fn key_back(world: &dyn World, case: String) -> Verdict {
    let desired = made(world, &case, Kind::EncryptionKey).await?;
    let before = seen(world, &desired).await?.id;
    world.provider().delete(&removal(&desired)).await.map_err(told)?;
    let health = seen(world, &desired).await?.health;
    ensure(health == Health::PendingDeletion, || format!("{health:?}"))?;
    let heir = Desired { owner: Owner { uid: "an-heir".to_owned(), ..owner(&case) }, ..desired };
    world.provider().create(&heir).await.map_err(told)?;
    same(world, &heir).await?;
    let after = seen(world, &heir).await?.id;
    ensure(before == after, || format!("{before} became {after}"))
}

async fn not_empty(world: &dyn World, case: String) -> Verdict {
    let desired = made(world, &case, Kind::Bucket).await?;
    world.put_object(&desired.key).await?;
    refused(world.provider().delete(&removal(&desired)).await, ErrorKind::Conflict, "delete")?;
    same(world, &desired).await
}

async fn unmarked(world: &dyn World, case: String) -> Verdict {
    prepared(world, &case, Kind::Bucket).await?;
    let desired = desired(&case, Kind::Bucket)?;
    if !world.make_unmarked(&desired.key).await? {
        return Ok(());
    }
    let observed = seen(world, &desired).await?;
    ensure(observed.owner.is_none(), || format!("{:?}", observed.owner))?;
    refused(world.provider().create(&desired).await, ErrorKind::Conflict, "create")?;
    refused(world.provider().delete(&removal(&desired)).await, ErrorKind::Conflict, "delete")?;
    let delta = Delta::between(&desired, &observed);
    world.provider().update(&desired, &delta).await.map_err(told)?;
    same(world, &desired).await
}

async fn fresh(world: &dyn World, case: String) -> Verdict {
    let subject = Subject {
        domain: "conformance".to_owned(),
        product: case.clone(),
        bucket: key(&case, Kind::Bucket)?,
        alarm: key(&case, Kind::FreshnessAlarm)?,
        objectives: vec![Objective::Freshness],
        look: Look::Full,
    };
    let readings = world.provider().measure(&subject).await.map_err(told)?;
    ensure(readings.is_empty(), || format!("before the bucket exists: {readings:?}"))?;
    for kind in [Kind::Bucket, Kind::FreshnessAlarm] {
        made(world, &case, kind).await?;
    }
    let value = |readings: Vec<crate::model::measurement::Reading>| {
        readings
            .into_iter()
            .find(|reading| reading.objective == Objective::Freshness)
            .map(|reading| reading.value)
    };
    let empty = value(world.provider().measure(&subject).await.map_err(told)?);
    ensure(matches!(empty, Some(Value::NoDataSince(_))), || format!("empty: {empty:?}"))?;
    world.deliver(&subject).await?;
    let full = value(world.provider().measure(&subject).await.map_err(told)?);
    ensure(matches!(full, Some(Value::NewestData(_))), || format!("with an object: {full:?}"))
}
