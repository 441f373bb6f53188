//! Objects that are kept in Git and applied again and again, as Argo CD and Flux do it: nothing that the operator writes shows as
//! a difference, and each owns what is documented.

use std::{collections::BTreeSet, fs};

use anyhow::{Context, Result, ensure};
use dataproduct_operator::api::{FIELD_MANAGER, FINALIZER, RECONCILE_AT};
use serde_json::Value;

use crate::{
    fixture::{Mesh, PATIENCE, small},
    support::{
        control_plane::Options,
        wait::{Seen, wait_for},
    },
};

/// The manager of whoever applies from Git.
const SYNCER: &str = "argocd-controller";

/// Applies manifests as the syncer, on the server's side.
fn sync(mesh: &Mesh, manifests: &str, more: &[&str]) -> Result<String> {
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), manifests)?;
    let path = file.path().display().to_string();
    let apply = ["apply", "--server-side", "--field-manager", SYNCER, "-f", &path];
    mesh.plane.kubectl(&[&apply, more].concat())
}

/// An object with its managed fields.
fn object(mesh: &Mesh, target: &[&str]) -> Result<Value> {
    let get = ["get", "-o", "json", "--show-managed-fields"];
    Ok(serde_json::from_str(&mesh.plane.kubectl(&[&get, target].concat())?)?)
}

fn version(object: &Value) -> String {
    object["metadata"]["resourceVersion"].to_string()
}

/// What a manager owns, as two levels of paths: `metadata/finalizers`, `spec/domain`, `status/conditions`.
fn owned(object: &Value, manager: &str) -> BTreeSet<String> {
    let entries = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    let fields = entries.filter(|entry| entry["manager"] == manager).map(|entry| &entry["fieldsV1"]);
    let mut paths = BTreeSet::new();
    for (top, below) in fields.filter_map(Value::as_object).flatten() {
        let top = top.trim_start_matches("f:");
        let names = below.as_object().into_iter().flatten().map(|(name, _)| name).filter(|name| *name != ".");
        paths.extend(names.map(|name| format!("{top}/{}", name.trim_start_matches("f:"))));
    }
    paths
}

/// Fails unless the operator owns nothing of an object but its status and, where that is asked, its finalizer.
fn ensure_owns(object: &Value, finalizer: bool) -> Result<()> {
    let (kind, name) = (&object["kind"], &object["metadata"]["name"]);
    let ours = owned(object, FIELD_MANAGER);
    let (status, rest): (BTreeSet<_>, BTreeSet<_>) =
        ours.into_iter().partition(|path| path.starts_with("status/"));
    ensure!(!status.is_empty(), "the operator wrote no status of {kind} {name}");
    let expected =
        if finalizer { BTreeSet::from(["metadata/finalizers".to_owned()]) } else { BTreeSet::new() };
    ensure!(rest == expected, "of {kind} {name} the operator owns {rest:?}");
    let theirs = owned(object, SYNCER);
    ensure!(theirs.iter().any(|path| path.starts_with("spec/")), "{kind} {name}: {theirs:?}");
    ensure!(!theirs.iter().any(|path| path.starts_with("status/")), "{kind} {name}: {theirs:?}");
    Ok(())
}

/// Every object here that the operator writes to.
const TARGETS: [&[&str]; 5] = [
    &["dp", "order-events", "-n", "orders"],
    &["dp", "order-totals", "-n", "orders"],
    &["gpol", "core"],
    &["dpol", "orders", "-n", "orders"],
    &["pex", "until-the-move", "-n", "orders"],
];

/// The version of each object, once all is said of them that will be said.
async fn settled(mesh: &Mesh) -> Result<Vec<String>> {
    wait_for("everything is said", PATIENCE, || async {
        let objects = TARGETS.iter().map(|target| object(mesh, target)).collect::<Result<Vec<_>>>()?;
        let current =
            |object: &Value| object["status"]["observedGeneration"] == object["metadata"]["generation"];
        let status = |index: usize| &objects[index]["status"];
        let said = [
            objects.iter().all(current),
            status(0)["lineage"]["downstreamCount"] == 1,
            status(1)["lineage"]["upstream"][0]["ready"] == true,
            status(2)["evaluated"] == 2,
            status(3)["evaluated"] == 2,
            status(4)["state"] == "Active",
        ];
        let versions = objects.iter().map(version).collect();
        Ok(Seen::when(said.iter().all(|said| *said), versions, said))
    })
    .await
}

#[tokio::test]
async fn what_is_applied_again_while_the_operator_runs_changes_nothing() -> Result<()> {
    let mesh = Mesh::start(Options { audit: true, ..Options::default() }).await?;
    // The platform is from Git too, with a policy of a domain and an exception.
    let platform = mesh.platform()?;
    sync(&mesh, &platform, &["--force-conflicts"])?;
    sync(&mesh, &core()?, &["--force-conflicts"])?;
    let products = [
        small("orders", "orders", "order-events", ""),
        small("orders", "orders", "order-totals", "  lineage: {upstreamProducts: [order-events]}\n"),
        exception()?,
        OF_DOMAIN.to_owned(),
    ]
    .join("\n---\n");
    sync(&mesh, &products, &[])?;
    let _operator = mesh.operator()?;
    for name in ["order-events", "order-totals"] {
        mesh.wait_condition(("orders", name), "Ready", "True", "Ready").await?;
    }
    let approval = r#"{"status": {"approval": {"decision": "Approved", "by": "alice", "generation": 1}}}"#;
    let approve = ["patch", "--subresource", "status", "--type", "merge", "-p", approval];
    mesh.plane.kubectl(&[&approve, TARGETS[4]].concat())?;
    let before = settled(&mesh).await?;
    for target in TARGETS {
        ensure_owns(&object(&mesh, target)?, target[0] == "dp")?;
    }
    let exception = object(&mesh, TARGETS[4])?;
    ensure!(exception["status"]["approval"]["by"] == "alice", "{}", exception["status"]);
    ensure!(
        !owned(&exception, FIELD_MANAGER).contains("status/approval"),
        "an approval belongs to whoever gave it"
    );
    let product = object(&mesh, TARGETS[0])?;
    ensure!(product["metadata"]["finalizers"] == serde_json::json!([FINALIZER]), "{}", product["metadata"]);
    ensure!(product["metadata"]["labels"].is_null() && product["metadata"]["annotations"].is_null());

    let writes = mesh.product_writes()?;
    for round in 0..3 {
        sync(&mesh, &products, &[])?;
        sync(&mesh, &platform, &[])?;
        sync(&mesh, &core()?, &[])?;
        let after = TARGETS.iter().map(|target| Ok(version(&object(&mesh, target)?)));
        let after = after.collect::<Result<Vec<_>>>()?;
        ensure!(after == before, "round {round}: {before:?} became {after:?}");
    }
    ensure!(mesh.product_writes()? == writes, "the operator answers nothing to what changes nothing");
    ensure_nothing_differs(&mesh, &products)?;
    ensure_nothing_differs(&mesh, &platform)?;

    // What the actions of Argo CD set, Git does not state: it stays through the next apply, and is no difference.
    let patch = format!(
        r#"{{"metadata": {{"annotations": {{"{RECONCILE_AT}": "now"}}}}, "spec": {{"suspend": true}}}}"#
    );
    let action = ["patch", "--field-manager", "argocd-server", "--type", "merge", "-p", &patch];
    mesh.plane.kubectl(&[&action, TARGETS[0]].concat())?;
    let name = ("orders", "order-events");
    wait_for("the visit that was asked for", PATIENCE, || async {
        let status = mesh.status(name.0, name.1).await?;
        let seen = status.last_handled_reconcile_at.clone();
        Ok(Seen::when(seen.as_deref() == Some("now") && status.observed_generation == Some(2), (), seen))
    })
    .await?;
    sync(&mesh, &products, &[])?;
    let product = object(&mesh, TARGETS[0])?;
    ensure!(product["spec"]["suspend"] == true, "{}", product["spec"]);
    ensure!(product["metadata"]["annotations"][RECONCILE_AT] == "now", "{}", product["metadata"]);
    ensure_nothing_differs(&mesh, &products)
}

/// What Argo CD shows as a difference: what is there against what would be there after an apply.
fn ensure_nothing_differs(mesh: &Mesh, manifests: &str) -> Result<()> {
    let count = manifests.lines().filter(|line| line.starts_with("kind:")).count();
    let dry = sync(mesh, manifests, &["--dry-run=server", "-o", "json"])?;
    let dry: Value = serde_json::from_str(&dry)?;
    let items = dry["items"].as_array().context("a list")?;
    ensure!(items.len() == count && count > 1, "{} of {count} objects would be applied", items.len());
    for item in items {
        let shown = live(mesh, item)?;
        for part in ["spec", "status"] {
            ensure!(item[part] == shown[part], "{part} of {} would differ", item["metadata"]["name"]);
        }
        for part in ["finalizers", "labels", "annotations", "generation"] {
            ensure!(
                item["metadata"][part] == shown["metadata"][part],
                "{part} of {}",
                item["metadata"]["name"]
            );
        }
    }
    Ok(())
}

/// The object that is there, of one that would be.
fn live(mesh: &Mesh, item: &Value) -> Result<Value> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (kind, name) = (text(&item["kind"]), text(&item["metadata"]["name"]));
    object(mesh, &[&kind, &name, "-n", &text(&item["metadata"]["namespace"])])
}

fn core() -> Result<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/policies/core.yaml");
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// An exception for the next month, which is as long as the standards allow at least.
fn exception() -> Result<String> {
    let expires = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_hours(24 * 30))?;
    Ok(format!(
        "
apiVersion: datamesh.io/v1beta1
kind: PolicyException
metadata: {{name: until-the-move, namespace: orders}}
spec:
  productRef: {{name: order-events}}
  policyIds: [DOC-001]
  reason: The text is being written.
  expiresAt: '{expires:.0}'
"
    ))
}

const OF_DOMAIN: &str = "
apiVersion: datamesh.io/v1
kind: DomainPolicy
metadata: {name: orders, namespace: orders}
spec:
  state: Draft
  rules: [{id: ORDERS-001, builtin: DOC-001}]
";
