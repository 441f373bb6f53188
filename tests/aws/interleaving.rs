//! Every write of a creation, a change and a deletion fails in every way once, and so does the first call of every read.
//! Each time the world must end like the one in which nothing happened: one key in use, everything in sync, nothing left.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Context, Result, ensure};
use dataproduct_operator::{
    api::product::{DeletionPolicy, SloTarget},
    plan::Declared,
    provider::SharedProvider,
};
use futures::future::try_join_all;
use tokio::sync::Mutex;

use crate::{
    audit::Auditor,
    mesh::{confirm_deletion, leave, product, rest, settle},
    support::{
        emulators::Emulators,
        fault_proxy::{Effect, Fault, FaultProxy},
    },
    world::provider_at,
};

/// Scenarios at the same time, each with proxies of its own.
const LANES: usize = 3;

/// What becomes of a write.
const OF_WRITES: [Effect; 5] = [
    Effect::RefusedWith("InternalFailure", 500),
    Effect::Throttled,
    Effect::Silent,
    // The answer is lost, whether it has a body or not.
    Effect::Failed,
    Effect::Halved,
];
/// What becomes of a read.
const OF_READS: [Effect; 2] = [Effect::RefusedWith("AccessDeniedException", 400), Effect::Halved];

/// Proxies before the emulators, and a provider that goes through them.
struct Lane {
    moto: FaultProxy,
    ministack: FaultProxy,
    provider: SharedProvider,
    /// The way around the proxies, for what only has to be there.
    direct: SharedProvider,
    /// The product that is changed again and again, and whether it is changed now.
    kept: Mutex<Option<(Declared, bool)>>,
}

impl Lane {
    async fn open(emulators: &Emulators) -> Result<Self> {
        let (moto, ministack) = tokio::try_join!(
            FaultProxy::start(emulators.moto_url()),
            FaultProxy::start(emulators.ministack_url())
        )?;
        let provider = provider_at(moto.url(), ministack.url()).await?;
        let direct = provider_at(emulators.moto_url(), emulators.ministack_url()).await?;
        Ok(Self { moto, ministack, provider, direct, kept: Mutex::default() })
    }

    async fn set(&self, faults: &[Fault]) -> Result<()> {
        tokio::try_join!(self.moto.set(faults), self.ministack.set(faults))?;
        Ok(())
    }

    async fn counts(&self) -> Result<BTreeMap<(String, String), u64>> {
        let (mut counts, more) = tokio::try_join!(self.moto.all_calls(), self.ministack.all_calls())?;
        counts.extend(more);
        Ok(counts)
    }
}

/// What is done to a product.
struct Scenario {
    name: &'static str,
    /// Whether the product is made without faults first.
    made: bool,
    change: fn(&mut Declared),
    /// Takes the change back, so that one product can be changed again and again.
    back: Option<fn(&mut Declared)>,
    deleted: bool,
    /// Whether reads fail as well; a way on which all reads are those of another one need not repeat them.
    reads: bool,
}

fn is_write(operation: &str) -> bool {
    !["Get", "List", "Describe"].iter().any(|read| operation.starts_with(read))
}

impl Scenario {
    async fn prepared(&self, lane: &Lane, name: &str) -> Result<Declared> {
        let mut declared = product(name);
        if self.made {
            if self.deleted {
                // The policy must have reached the resources, as it has when somebody waits for Ready.
                (self.change)(&mut declared);
            }
            settle(&lane.direct, &mut declared).await?;
            (self.change)(&mut declared);
        }
        Ok(declared)
    }

    async fn run(&self, lane: &Lane, declared: &mut Declared) -> Result<()> {
        if self.deleted {
            leave(&lane.provider, declared).await
        } else {
            settle(&lane.provider, declared).await?;
            rest(&lane.direct, declared).await
        }
    }

    /// The faults that there are: every write in every way, and the first call of every read.
    async fn faults(&self, lane: &Lane) -> Result<Vec<(String, Fault)>> {
        let mut declared = self.prepared(lane, &format!("{}-clean", self.name)).await?;
        let before = lane.counts().await?;
        self.run(lane, &mut declared).await?;
        let after = lane.counts().await?;
        let mut faults = Vec::new();
        for ((service, operation), count) in after {
            let old = before.get(&(service.clone(), operation.clone())).copied().unwrap_or_default();
            let calls = count - old;
            // The names of a test live as long as its process.
            let (service, operation): (&'static str, &'static str) = (service.leak(), operation.leak());
            let (effects, last) = match (is_write(operation), self.reads) {
                (true, _) => (&OF_WRITES[..], calls),
                (false, reads) => (&OF_READS[..], calls.min(u64::from(reads))),
            };
            for call in 1..=u32::try_from(last)? {
                for effect in effects {
                    let told = format!("{service} {operation} call {call}: {effect:?}");
                    faults.push((told, Fault::nth(call, service, operation, effect.clone())));
                }
            }
        }
        Ok(faults)
    }
}

async fn every_fault(scenario: &Scenario) -> Result<()> {
    let emulators = Emulators::start().await?;
    let auditor = Auditor::of(&emulators);
    let lanes = try_join_all((0..LANES).map(|_| Lane::open(&emulators))).await?;
    let faults = scenario.faults(&lanes[0]).await?;
    ensure!(faults.len() >= 20, "{}: only {} faults", scenario.name, faults.len());
    let next = AtomicUsize::new(0);
    let (faults, auditor, next) = (&faults, &auditor, &next);
    let work = lanes.iter().map(|lane| async move {
        loop {
            let number = next.fetch_add(1, Ordering::SeqCst);
            let Some((told, fault)) = faults.get(number) else { return Ok(()) };
            let name = format!("{}-{number}", scenario.name);
            one_fault(scenario, lane, auditor, &name, fault)
                .await
                .with_context(|| format!("{}: {told}", scenario.name))?;
        }
    });
    try_join_all(work).await.map(|_: Vec<()>| ())
}

async fn one_fault(
    scenario: &Scenario,
    lane: &Lane,
    auditor: &Auditor,
    name: &str,
    fault: &Fault,
) -> Result<()> {
    lane.set(&[]).await?;
    let mut kept = lane.kept.lock().await;
    let (mut declared, changed) = match (kept.take(), scenario.back) {
        (Some((mut declared, true)), Some(back)) => {
            back(&mut declared);
            (declared, false)
        }
        (Some((mut declared, false)), _) => {
            (scenario.change)(&mut declared);
            (declared, true)
        }
        _ => (scenario.prepared(lane, name).await?, true),
    };
    lane.set(std::slice::from_ref(fault)).await?;
    scenario.run(lane, &mut declared).await?;
    let name = declared.product.metadata.name.clone().unwrap_or_default();
    if scenario.back.is_some() {
        *kept = Some((declared.clone(), changed));
    }
    let (used, ending) = auditor.keys(&format!("orders/{name}")).await?;
    let deletes = scenario.deleted && deletes(&declared);
    ensure!(used == usize::from(!deletes), "{used} keys are in use, and {ending} end");
    ensure!(ending == usize::from(deletes), "{ending} keys end, so that one was made too many");
    Ok(())
}

fn deletes(declared: &Declared) -> bool {
    let provisioning = declared.product.spec.provisioning.as_ref();
    provisioning.and_then(|it| it.deletion_policy) == Some(DeletionPolicy::Delete)
}

fn nothing(_: &mut Declared) {}

fn changed(declared: &mut Declared) {
    let product = Arc::make_mut(&mut declared.product);
    "1.1.0".clone_into(&mut product.spec.version);
    let access = product.spec.access.get_or_insert_default();
    access.classification = Some(dataproduct_operator::api::product::Classification::Confidential);
    let slo = product.spec.slo.get_or_insert_default();
    slo.freshness = Some(SloTarget { target: "2 hours".to_owned(), ..SloTarget::default() });
    if let Some(domain) =
        declared.domains.iter_mut().find(|domain| domain.metadata.name.as_deref() == Some("orders"))
    {
        let account = Arc::make_mut(domain).spec.account.get_or_insert_default();
        account.team_role_arn = Some("arn:aws:iam::123456789012:role/another-team".to_owned());
    }
}

fn back(declared: &mut Declared) {
    let first = product(&declared.product.metadata.name.clone().unwrap_or_default());
    Arc::make_mut(&mut declared.product).spec = first.product.spec.clone();
    declared.domains.clone_from(&first.domains);
}

#[tokio::test]
async fn creation_survives_every_fault() -> Result<()> {
    every_fault(&Scenario {
        name: "new",
        made: false,
        change: nothing,
        back: None,
        deleted: false,
        reads: true,
    })
    .await
}

#[tokio::test]
async fn a_change_survives_every_fault() -> Result<()> {
    every_fault(&Scenario {
        name: "upd",
        made: true,
        change: changed,
        back: Some(back),
        deleted: false,
        reads: false,
    })
    .await
}

#[tokio::test]
async fn deletion_with_retain_survives_every_fault() -> Result<()> {
    every_fault(&Scenario {
        name: "ret",
        made: true,
        change: nothing,
        back: None,
        deleted: true,
        reads: false,
    })
    .await
}

#[tokio::test]
async fn deletion_with_delete_survives_every_fault() -> Result<()> {
    every_fault(&Scenario {
        name: "del",
        made: true,
        change: confirm_deletion,
        back: None,
        deleted: true,
        reads: true,
    })
    .await
}
