//! What goes wrong around the operator: other writers, restarts, objects that are huge or cannot be read.

use std::fs;

use anyhow::{Result, ensure};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::json;

use crate::{
    fixture::{Mesh, PATIENCE, small},
    shown::{line, printed},
    support::{
        control_plane::{ControlPlane, Options},
        wait::{Seen, wait_for},
    },
};

/// Takes the schema away from a definition, so that it lets in what ours would refuse, as an older one might have.
pub(crate) async fn loosen(mesh: &Mesh, definition: &str) -> Result<()> {
    let loose = json!({"spec": {"versions": [{
        "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
    }]}});
    let crds: Api<CustomResourceDefinition> = Api::all(mesh.client.clone());
    crds.patch(definition, &PatchParams::default(), &Patch::Merge(&loose)).await?;
    Ok(())
}

/// Applies what the definition lets in as soon as it is loose.
pub(crate) async fn apply_broken(mesh: &Mesh, manifest: &str) -> Result<()> {
    wait_for("the loose definition is served", PATIENCE, || async {
        let answer = mesh.plane.apply(manifest);
        Ok(Seen::when(answer.is_ok(), (), answer.map_err(|error| error.to_string())))
    })
    .await
}

#[tokio::test]
async fn an_object_that_cannot_be_read_is_reported_on_itself_and_stops_nobody() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    loosen(&mesh, "dataproducts.datamesh.io").await?;
    loosen(&mesh, "datadomains.datamesh.io").await?;
    apply_broken(&mesh, "apiVersion: datamesh.io/v1\nkind: DataProduct\nmetadata: {name: broken, namespace: orders}\nspec: {domain: [orders], version: 1}\n").await?;
    apply_broken(&mesh, "apiVersion: datamesh.io/v1\nkind: DataDomain\nmetadata: {name: shattered}\nspec: {namespaces: orders}\n").await?;
    let _operator = mesh.operator()?;
    mesh.plane.apply(&small("orders", "orders", "fine", ""))?;
    mesh.wait_condition(("orders", "fine"), "Ready", "True", "Ready").await?;
    wait_for("the broken object says why", PATIENCE, || async {
        let raw = mesh.plane.kubectl(&["get", "dp", "broken", "-n", "orders", "-o", "json"])?;
        let raw: serde_json::Value = serde_json::from_str(&raw)?;
        let stalled = raw["status"]["conditions"].to_string();
        Ok(Seen::when(stalled.contains("Undecodable") && stalled.contains("correct that field"), (), stalled))
    })
    .await?;
    let table = printed(&mesh, &["get", "-n", "orders"], 0)?;
    ensure!(line(&table, "broken").as_deref() == Some("broken - - False Undecodable - - - -"), "{table}");
    ensure!(line(&table, "fine").is_some(), "{table}");
    let said = printed(&mesh, &["trace", "orders/broken"], 2)?;
    ensure!(said.contains("cannot be read as a DataProduct"), "{said}");
    wait_for("an event says why the domain counts as absent", PATIENCE, || async {
        let events = mesh.plane.kubectl(&["get", "events", "-A"])?;
        let told = events.lines().any(|line| line.contains("shattered") && line.contains("Undecodable"));
        Ok(Seen::when(told, (), events))
    })
    .await
}

#[tokio::test]
async fn another_writer_and_a_huge_object_do_no_harm() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let _operator = mesh.operator()?;
    // Other controllers write labels, annotations and finalizers of their own all the time.
    mesh.plane.apply(&small("orders", "orders", "busy", ""))?;
    let products = mesh.products("orders");
    for n in 0..30 {
        let patch =
            json!({"metadata": {"labels": {"n": n.to_string()}, "finalizers": ["example.com/other"]}});
        // The patch replaces the list of finalizers, ours included: the operator must add it again.
        products.patch("busy", &PatchParams::default(), &Patch::Merge(&patch)).await?;
    }
    mesh.wait_condition(("orders", "busy"), "Ready", "True", "Ready").await?;
    wait_for("both finalizers are there", PATIENCE, || async {
        let finalizers = products.get("busy").await?.metadata.finalizers.unwrap_or_default();
        let both = ["example.com/other", "datamesh.io/dataproduct"]
            .iter()
            .all(|it| finalizers.iter().any(|found| found == it));
        Ok(Seen::when(both, (), finalizers))
    })
    .await?;

    // Somebody overwrites the status: the truth comes back.
    let lie = json!({"status": {"governance": {"score": 1, "errors": 9, "warnings": 0, "infos": 0, "excepted": 0}}});
    products.patch_status("busy", &PatchParams::default(), &Patch::Merge(&lie)).await?;
    mesh.annotate(("orders", "busy"), "datamesh.io/reconcile-at=lie")?;
    wait_for("the truth is back", PATIENCE, || async {
        let score = mesh.status("orders", "busy").await?.governance.and_then(|governance| governance.score);
        Ok(Seen::when(score == Some(100), (), score))
    })
    .await?;

    // An object near the limit of etcd.
    let notes = "x".repeat(200 * 1024);
    let huge = small("orders", "orders", "huge", "")
        .replace("namespace: orders}", &format!("namespace: orders, annotations: {{notes: {notes}}}}}"));
    let fields = (0..500)
        .map(|n| format!("{{name: f{n}, type: string, pii: false, description: {}}}", "d".repeat(1500)))
        .collect::<Vec<_>>()
        .join(", ");
    let huge = huge.replace("fields: [", &format!("fields: [{fields}, "));
    ensure!(huge.len() > 900 * 1024, "{}", huge.len());
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), &huge)?;
    mesh.plane.kubectl(&["apply", "--server-side", "-f", &file.path().display().to_string()])?;
    mesh.wait_condition(("orders", "huge"), "Ready", "True", "Ready").await?;
    Ok(())
}

#[tokio::test]
async fn a_restart_of_the_api_server_is_survived() -> Result<()> {
    let mut mesh = Mesh::start(Options::default()).await?;
    let mut operator = mesh.operator()?;
    mesh.plane.apply(&small("orders", "orders", "before", ""))?;
    mesh.wait_condition(("orders", "before"), "Ready", "True", "Ready").await?;
    mesh.plane.stop_api_server();
    mesh.plane.start_api_server().await?;
    mesh.plane.apply(&small("orders", "orders", "after", ""))?;
    mesh.wait_condition(("orders", "after"), "Ready", "True", "Ready").await?;
    ensure!(operator.is_running(), "the operator is still the same process");
    operator.terminate().await
}

#[tokio::test]
async fn an_api_server_that_does_not_stream_lists_is_listed_in_pages() -> Result<()> {
    // As Kubernetes 1.33 is by default.
    let feature_gates = Some("WatchListClient=false,WatchList=false");
    let mesh = Mesh::start(Options { feature_gates, ..Options::default() }).await?;
    mesh.plane.apply(&small("orders", "orders", "before", ""))?;
    let operator = mesh.operator()?;
    mesh.wait_condition(("orders", "before"), "Ready", "True", "Ready").await?;
    mesh.plane.apply(&small("orders", "orders", "after", ""))?;
    mesh.wait_condition(("orders", "after"), "Ready", "True", "Ready").await?;
    let log = fs::read_to_string(&operator.log)?;
    ensure!(log.contains("does not stream lists"), "the feature gate had an effect: {log}");
    operator.terminate().await
}

#[tokio::test]
async fn without_definitions_the_operator_says_how_to_install_them_and_ends() -> Result<()> {
    let plane = ControlPlane::start(Options::default()).await?;
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_dataproduct"))
        .args(["run", "--metrics-bind-address", "0", "--kubeconfig"])
        .arg(plane.kubeconfig_path())
        .output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(2), "{:?}", output.status);
    ensure!(text.contains("dataproduct crds | kubectl apply --server-side"), "{text}");
    Ok(())
}
