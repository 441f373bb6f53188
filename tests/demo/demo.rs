//! `make demo`: a running mesh on a fresh machine, shown and checked.
//!
//! It does what a platform team and three domain teams would do, with the programs that they would use, and keeps the
//! mesh running for as long as somebody looks. Without a terminal it ends with 0 when everything is as expected.

mod cloud;
mod install;
#[path = "../support/mod.rs"]
mod support;

use std::{
    fs,
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use cloud::Cloud;
use dataproduct_operator::api::DataProduct;
use install::{Installed, Way};
use kube::{Api, Client};
use support::{
    control_plane::ControlPlane,
    wait::{Seen, wait_for},
};

/// Longest wait for one product.
const PATIENCE: Duration = Duration::from_mins(1);
/// What each example must become: namespace, name, manifest, whether it is Ready, its score.
const EXPECTED: [(&str, &str, &str, bool, i32); 4] = [
    ("customer", "customer-360", "customer-360.yaml", true, 86),
    ("orders", "order-events", "orders.yaml", true, 98),
    ("insight", "customer-orders", "customer-orders.yaml", true, 100),
    ("orders", "raw-dump", "violating.yaml", false, 0),
];

#[tokio::main]
async fn main() -> ExitCode {
    match demo().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("\nThe demo failed: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn demo() -> Result<()> {
    let way = Way::chosen()?;
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = top.join(".demo");
    if folder.exists() {
        fs::remove_dir_all(&folder).context("cannot clear the folder of an earlier demo")?;
    }
    fs::create_dir_all(&folder)?;
    let cloud = Cloud::start(&folder).await?;

    step("starting etcd and kube-apiserver on loopback");
    let plane = Arc::new(ControlPlane::start(way.control_plane(&folder)).await?);
    let mut operator = Installed::start(way, &plane, &cloud, &binary()?).await?;
    step("applying the platform: standards, provider class, three domains");
    plane.apply(&cloud.platform(&top.join("examples"))?)?;
    for (_, name, manifest, ..) in EXPECTED {
        step(&format!("applying {name} ({manifest})"));
        apply(&plane, &top.join("examples").join(manifest), name != "raw-dump").await?;
    }

    let client = plane.client().await?;
    for (namespace, name, _, ready, score) in EXPECTED {
        step(&format!("waiting until {name} is {}", if ready { "Ready" } else { "refused with reasons" }));
        wait_until(&client, namespace, name, ready, score).await?;
    }
    step("writing a first file into the bucket of customer-360, as its pipeline would");
    publish_data(&cloud, &client).await?;
    operator.is_well()?;

    say(&format!("\n{}", plane.kubectl(&["get", "dataproducts", "-A"])?));
    let stories = [("status", "customer", "customer-360"), ("status", "orders", "raw-dump")];
    for (command, namespace, name) in stories.into_iter().chain([("trace", "insight", "customer-orders")]) {
        let kubeconfig = plane.kubeconfig_path();
        let story = std::process::Command::new(binary()?)
            .args([command, name, "--namespace", namespace, "--kubeconfig"])
            .arg(&kubeconfig)
            .output()?;
        ensure!(story.status.success(), "dataproduct {command}: {}", String::from_utf8_lossy(&story.stderr));
        say(&String::from_utf8_lossy(&story.stdout));
    }
    if let Some(state) = cloud.leave_behind(&folder).await? {
        say(&format!("Everything that the emulated account holds is in {}.\n", shown(top, &state)));
    }
    how_to_go_on(top, &plane, &cloud, &operator);
    if std::io::stdin().is_terminal() {
        say("The mesh runs until you press Ctrl-C.");
        tokio::signal::ctrl_c().await?;
    }
    operator.end().await?;
    say("Everything was as expected.");
    Ok(())
}

/// Applies an example and shows what the API server says of it at once.
async fn apply(plane: &ControlPlane, manifest: &Path, good: bool) -> Result<()> {
    let manifest = manifest.display().to_string();
    if !good {
        // The API server takes up its policies a moment after they are written.
        wait_for("the API server judges", PATIENCE, || async {
            let said = plane.warnings(&["create", "--dry-run=server", "-f", &manifest])?;
            Ok(Seen::when(said.iter().any(|line| line.contains("[SEC-001]")), (), said))
        })
        .await?;
    }
    let said = plane.warnings(&["apply", "-f", &manifest])?;
    ensure!(said.is_empty() == good, "what the API server says of {manifest}: {said:?}");
    for line in said {
        say(&line);
    }
    Ok(())
}

/// The operator's program, built beside this one.
fn binary() -> Result<PathBuf> {
    let here = std::env::current_exe()?;
    let folder = here.parent().and_then(Path::parent).context("the demo has no folder")?;
    let binary = folder.join("dataproduct");
    ensure!(binary.exists(), "{} is missing; run `make build` first", binary.display());
    Ok(binary)
}

async fn wait_until(client: &Client, namespace: &str, name: &str, ready: bool, score: i32) -> Result<()> {
    let products: Api<DataProduct> = Api::namespaced(client.clone(), namespace);
    wait_for(&format!("{name} is Ready={ready} with score {score}"), PATIENCE, || async {
        let status = products.get(name).await?.status.unwrap_or_default();
        let is_ready = status.condition("Ready").is_some_and(|condition| condition.status == "True");
        let scored = status.governance.as_ref().and_then(|governance| governance.score);
        let judged = status.condition("Ready").is_some();
        let is_so = judged && is_ready == ready && scored == Some(score);
        Ok(Seen::when(is_so, (), (scored, status.condition("Ready").map(|condition| &condition.message))))
    })
    .await
}

/// Puts a file into the bucket and waits until its freshness is measured.
async fn publish_data(cloud: &Cloud, client: &Client) -> Result<()> {
    let products: Api<DataProduct> = Api::namespaced(client.clone(), "customer");
    let bucket =
        products.get("customer-360").await?.status.unwrap_or_default().outputs.and_then(|it| it.bucket_arn);
    let bucket = bucket.context("customer-360 has no bucket")?;
    cloud.publish_data(&bucket).await?;
    // The annotation asks for a look now; without it the operator looks at its next regular visit.
    let asked = serde_json::json!({"metadata": {"annotations": {"datamesh.io/reconcile-at": "demo"}}});
    products
        .patch("customer-360", &kube::api::PatchParams::default(), &kube::api::Patch::Merge(&asked))
        .await?;
    wait_for("the freshness of customer-360 is Met", PATIENCE, || async {
        let status = products.get("customer-360").await?.status.unwrap_or_default();
        let state =
            status.slo.and_then(|slo| slo.state).map(dataproduct_operator::api::status::SloState::as_str);
        Ok(Seen::when(state == Some("Met"), (), state))
    })
    .await
}

/// A path as people type it in the folder of the repository.
fn shown(top: &Path, path: &Path) -> String {
    path.strip_prefix(top).unwrap_or(path).display().to_string()
}

fn how_to_go_on(top: &Path, plane: &ControlPlane, cloud: &Cloud, operator: &Installed) {
    let shown = |path: &Path| shown(top, path);
    let kubectl = shown(&top.join(".tools/control-plane/bin/kubectl"));
    let hints = operator
        .hints(shown)
        .into_iter()
        .chain(cloud.hints())
        .map(|hint| format!("  {hint}\n"))
        .collect::<String>();
    say(&format!(
        "How to go on, from the folder of the repository:\n\n  \
         export KUBECONFIG={}\n  \
         {kubectl} get dp -A -o wide\n  \
         {kubectl} describe dp customer-360 -n customer\n  \
         {kubectl} explain dataproduct.spec.slo\n  \
         {kubectl} wait --for=condition=Ready dp/order-events -n orders\n  \
         {kubectl} edit dp raw-dump -n orders      # mend a violation and watch the score\n  \
         {kubectl} edit gpol core                  # change a policy and watch the scores of all\n{hints}",
        shown(&plane.kubeconfig_path()),
    ));
}

fn step(text: &str) {
    say(&format!("==> {text}"));
}

fn say(text: &str) {
    // A demo whose reader is gone has nobody left to tell.
    let _ = writeln!(std::io::stdout(), "{text}");
}
