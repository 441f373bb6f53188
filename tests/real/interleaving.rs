//! Every call of create, update and delete fails once, loses its answer once, and meets a crash before and after it.
//! Each time the world must end like the one in which nothing happened: nothing leaked, nothing twice, and at rest.

use std::sync::{Arc, atomic::Ordering};

use anyhow::{Context as _, Result, ensure};
use dataproduct_operator::{
    api::{DataDomain, DataProduct, GovernancePolicy, PlatformStandards, ProviderClass},
    controller::{context::Context, mesh::Mesh as Index, reconcile::reconcile, schedule::Ending},
    provider::{
        ErrorKind, SharedProvider,
        layers::fault::{Fault, FaultPlan, Faulty},
        registry::Registry,
    },
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
    client::ClientBuilder,
};
use serde_json::{Value, json};

use crate::{
    faulty::Faults,
    fixture::{Mesh, small},
    support::control_plane::Options,
};

/// Visits after which a product that has not settled never will.
const VISITS: usize = 30;

const FAULTS: [Fault; 5] = [
    Fault::Refused(ErrorKind::Unavailable),
    Fault::Refused(ErrorKind::Denied),
    Fault::AnswerLost,
    Fault::CrashBefore,
    Fault::CrashAfter,
];

/// An operator without watches: what it knows of the mesh is read when it starts.
async fn operator(mesh: &Mesh, plan: &Arc<FaultPlan>) -> Result<(Context, Faults)> {
    let faults = Faults::of(plan);
    let client = ClientBuilder::try_from({
        let mut config = mesh.plane.config().await?;
        config.default_retry = false;
        config
    })?
    .with_layer(&faults)
    .build();
    let around = Arc::clone(plan);
    let wrap = move |backend: SharedProvider| -> SharedProvider {
        Arc::new(Faulty::new(backend, Arc::clone(&around)))
    };
    let ctx = Context::new(client, "cluster-of-the-test".to_owned(), Registry::wrapped(Box::new(wrap)));
    let mut index = Index::default();
    let all = ListParams::default();
    for domain in Api::<DataDomain>::all(mesh.client.clone()).list(&all).await? {
        index.domains.insert(domain.name_any(), Arc::new(domain));
    }
    for class in Api::<ProviderClass>::all(mesh.client.clone()).list(&all).await? {
        index.classes.insert(class.name_any(), Arc::new(class));
    }
    for policy in Api::<GovernancePolicy>::all(mesh.client.clone()).list(&all).await? {
        index.global_policies.insert(policy.name_any(), Arc::new(policy));
    }
    index.compile_policies();
    index.standards =
        Api::<PlatformStandards>::all(mesh.client.clone()).list(&all).await?.items.pop().map(Arc::new);
    ctx.write(|mesh| *mesh = index);
    Ok((ctx, faults))
}

/// Visits a product until it is gone, or until a visit settles it without a write.
async fn drive(mesh: &Mesh, name: &str, plan: &Arc<FaultPlan>) -> Result<()> {
    let products = mesh.products("orders");
    let (mut ctx, mut faults) = operator(mesh, plan).await?;
    for _ in 0..VISITS {
        let Some(product) = products.get_opt(name).await? else { return Ok(()) };
        ctx.write(|index| index.product(&product));
        let product = Arc::new(product);
        let before = faults.writes.load(Ordering::SeqCst);
        tokio::select! {
            visit = reconcile(&ctx, &product) => {
                let settled = visit.is_ok_and(|visit| matches!(visit.ending, Ending::Settled | Ending::Stalled));
                let writes = faults.writes.load(Ordering::SeqCst) - before;
                // A visit that settled and wrote nothing is rest; one that met the fault may need another.
                if settled && writes == 0 && plan.calls() > 0 {
                    return Ok(());
                }
            }
            () = plan.crashed() => {
                // The process is gone; the next one knows nothing and meets no fault.
                (ctx, faults) = operator(mesh, &FaultPlan::none()).await?;
            }
        }
    }
    let status = mesh.status("orders", name).await?;
    anyhow::bail!("{name} does not come to rest: {:?}", status.condition("Ready"))
}

/// What exists for a product outside, without what differs between two clean runs: identifiers, uids and times.
fn outside(mesh: &Mesh, name: &str) -> Result<Vec<(String, String, Value, Value)>> {
    let ledger = rusqlite::Connection::open(mesh.root.join("ledger.db"))?;
    let underscored = name.replace('-', "_");
    let mut rows =
        ledger.prepare("SELECT kind, phase, owner, attributes, name FROM resources ORDER BY kind")?;
    let rows = rows.query_map([], |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, String>(3)?,
            row.get::<_, String>(4)?,
        ))
    })?;
    let mut found = Vec::new();
    for row in rows {
        let (kind, phase, owner, attributes, resource) = row?;
        let rest =
            resource.strip_prefix("orders-").or_else(|| resource.strip_prefix("orders_")).unwrap_or_default();
        let mine = [name, underscored.as_str()].iter().any(|name| {
            rest.strip_prefix(name).is_some_and(|rest| ["", "-freshness", "-000000000000"].contains(&rest))
        });
        if mine {
            let neutral = |text: String| text.replace(name, "NAME").replace(&underscored, "NAME");
            let mut owner: Value = serde_json::from_str(&neutral(owner))?;
            owner["uid"] = json!("UID");
            found.push((kind, phase, owner, serde_json::from_str(&neutral(attributes))?));
        }
    }
    Ok(found)
}

/// Brings a product to the state in which the scenario begins, without faults.
async fn begin(mesh: &Mesh, name: &str, spec: &str) -> Result<()> {
    let manifest: DataProduct = serde_saphyr::from_str(&small("orders", "orders", name, spec))?;
    mesh.products("orders").create(&PostParams::default(), &manifest).await?;
    Ok(())
}

/// A scenario: what is there before, and what is asked for then.
struct Scenario {
    name: &'static str,
    spec: &'static str,
    /// Whether the product is made without faults first.
    made: bool,
    /// What is asked for: a merge patch, or nothing more than the creation itself.
    change: Option<Value>,
    /// Whether the product is deleted.
    deleted: bool,
}

async fn prepare(mesh: &Mesh, scenario: &Scenario, name: &str) -> Result<()> {
    begin(mesh, name, scenario.spec).await?;
    if scenario.made {
        drive(mesh, name, &FaultPlan::none()).await?;
    }
    let products = mesh.products("orders");
    if let Some(change) = &scenario.change {
        let text = change.to_string().replace("NAME", name);
        let change: Value = serde_json::from_str(&text)?;
        products.patch(name, &PatchParams::default(), &Patch::Merge(&change)).await?;
    }
    if scenario.made && !scenario.deleted {
        return Ok(());
    }
    if scenario.deleted {
        if scenario.change.is_some() {
            // The policy must have reached the resources, as it has when somebody waits for Ready.
            drive(mesh, name, &FaultPlan::none()).await?;
        }
        products.delete(name, &DeleteParams::default()).await?;
    }
    Ok(())
}

async fn every_fault_at_every_call(scenario: &Scenario) -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let clean = format!("{}-clean", scenario.name);
    prepare(&mesh, scenario, &clean).await?;
    let counting = FaultPlan::none();
    drive(&mesh, &clean, &counting).await?;
    let expected = outside(&mesh, &clean)?;
    let calls = counting.calls();
    ensure!(calls >= 10, "{}: only {calls} calls, so the faults are not where they should be", scenario.name);

    for (letter, fault) in ('a'..).zip(FAULTS) {
        for call in 1..=calls {
            let name = format!("{}-{letter}{call}", scenario.name);
            let case = format!("{}: {fault:?} at call {call} of {calls}", scenario.name);
            prepare(&mesh, scenario, &name).await.with_context(|| case.clone())?;
            drive(&mesh, &name, &FaultPlan::at(call, fault)).await.with_context(|| case.clone())?;
            // A refusal for good may leave a visit stalled; the next regular visit goes on.
            drive(&mesh, &name, &FaultPlan::none()).await.with_context(|| case.clone())?;
            let found = outside(&mesh, &name)?;
            ensure!(found == expected, "{case}\nfound    {found:#?}\nexpected {expected:#?}");
            let left = mesh.products("orders").get_opt(&name).await?;
            ensure!(left.is_none() == scenario.deleted, "{case}: the object");
            if let Some(product) = left {
                let status = product.status.unwrap_or_default();
                let ready = status.condition("Ready").is_some_and(|ready| ready.status == "True");
                ensure!(ready, "{case}: {:?}", status.condition("Ready"));
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn creation_survives_every_fault_at_every_call() -> Result<()> {
    every_fault_at_every_call(&Scenario { name: "new", spec: "", made: false, change: None, deleted: false })
        .await
}

#[tokio::test]
async fn a_change_survives_every_fault_at_every_call() -> Result<()> {
    let change = json!({"spec": {
        "version": "1.1.0",
        "slo": {"freshness": {"target": "2 hours"}},
        "access": {"classification": "confidential", "retention": "1 year", "roles": [
            {"name": "writer", "permissions": ["INSERT"], "principals": ["writer-role"]},
        ]},
    }});
    let scenario = Scenario { name: "upd", spec: "", made: true, change: Some(change), deleted: false };
    every_fault_at_every_call(&scenario).await
}

#[tokio::test]
async fn deletion_with_retain_survives_every_fault_at_every_call() -> Result<()> {
    every_fault_at_every_call(&Scenario { name: "ret", spec: "", made: true, change: None, deleted: true })
        .await
}

#[tokio::test]
async fn deletion_with_delete_survives_every_fault_at_every_call() -> Result<()> {
    let change = json!({
        "metadata": {"annotations": {"datamesh.io/confirm-deletion": "NAME"}},
        "spec": {"provisioning": {"deletionPolicy": "Delete"}},
    });
    every_fault_at_every_call(&Scenario {
        name: "del",
        spec: "",
        made: true,
        change: Some(change),
        deleted: true,
    })
    .await
}
