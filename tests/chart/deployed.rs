//! The chart as people have it: its pods run, `helm test` asks the doctor, and `helm uninstall` does not strand products.

use std::{fs, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};

use crate::{
    helm::{Helm, NAMESPACE, RELEASE, read},
    support::{
        control_plane::{ControlPlane, Options},
        node::Node,
    },
};

/// Longest wait of Helm for what it installs.
const PATIENCE: &str = "--timeout=180s";
/// The products of the examples that have no violation.
const SOUND: [(&str, &str); 2] = [("customer", "customer-360"), ("orders", "order-events")];

/// A control plane with a node, in which the chart is installed and runs.
struct Deployed {
    plane: Arc<ControlPlane>,
    helm: Helm,
    folder: tempfile::TempDir,
    _node: Node,
}

impl Deployed {
    async fn start() -> Result<Self> {
        let options = Options { controller_manager: true, workloads: true, ..Options::default() };
        let plane = Arc::new(ControlPlane::start(options).await?);
        let node = Node::start(Arc::clone(&plane), Path::new(env!("CARGO_BIN_EXE_dataproduct"))).await?;
        let helm = Helm::of("helm4", plane.kubeconfig_path())?;
        let folder = tempfile::Builder::new().prefix("deployed-").tempdir()?;
        let deployed = Self { plane, helm, folder, _node: node };
        deployed.plane.kubectl(&["create", "namespace", NAMESPACE])?;
        let enforced = "pod-security.kubernetes.io/enforce=restricted";
        deployed.plane.kubectl(&["label", "namespace", NAMESPACE, enforced])?;
        Ok(deployed)
    }

    /// Installs or upgrades the release and waits until its pod is ready.
    fn release(&self, command: &str, arguments: &[&str]) -> Result<String> {
        let all = [&["--wait", PATIENCE][..], arguments].concat();
        self.helm.release(command, &all).with_context(|| self.said())
    }

    /// The example platform with a root of this test.
    fn platform(&self) -> Result<()> {
        let root = self.root()?;
        self.plane.apply(&read("examples/platform.yaml")?.replace("/var/lib/datamesh", &root)).map(|_| ())
    }

    fn root(&self) -> Result<String> {
        let root = self.folder.path().join("root");
        fs::create_dir_all(&root)?;
        Ok(root.display().to_string())
    }

    fn wait_ready(&self) -> Result<()> {
        for (namespace, name) in SOUND {
            let ready = ["--for=condition=Ready", "--timeout=120s"];
            let wait = ["wait", "dataproduct", name, "-n", namespace];
            self.plane.kubectl(&[&wait[..], &ready].concat()).with_context(|| self.said())?;
        }
        Ok(())
    }

    /// The buckets that exist, by name.
    fn buckets(&self) -> Result<Vec<String>> {
        let output = "jsonpath={range .items[*]}{.status.outputs.bucketArn}{\"\\n\"}{end}";
        let urls = self.plane.kubectl(&["get", "dp", "-A", "-o", output])?;
        let paths = urls.lines().filter_map(|url| url.strip_prefix("file://"));
        Ok(paths.filter(|path| Path::new(path).is_dir()).map(str::to_owned).collect())
    }

    fn finalizers(&self) -> Result<String> {
        self.plane.kubectl(&["get", "dp", "-A", "-o", "jsonpath={.items[*].metadata.finalizers}"])
    }

    /// What pods and node said, to find out why something did not come.
    fn said(&self) -> String {
        let logs = self.plane.folder().join("pods");
        let pods = self.plane.kubectl(&["get", "pods", "-A", "-o", "wide"]).unwrap_or_default();
        let node = fs::read_to_string(logs.join("node.log")).unwrap_or_default();
        let all = ["logs", "-n", NAMESPACE, "--all-containers", "--prefix", "-l"];
        let label = format!("app.kubernetes.io/instance={RELEASE}");
        let logs = self.plane.kubectl(&[&all[..], &[&label]].concat()).unwrap_or_default();
        format!("{pods}\n{node}\n{logs}")
    }
}

// Helm waits without letting the node work on the same thread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uninstalling_refuses_while_products_are_held_and_leaves_every_bucket() -> Result<()> {
    let deployed = Deployed::start().await?;
    deployed.release("install", &[])?;
    deployed.platform()?;
    deployed.release("upgrade", &["--reuse-values", "--set", "policies.enabled=true"])?;
    deployed.plane.kubectl(&["apply", "-f", "examples/customer-360.yaml", "-f", "examples/orders.yaml"])?;
    deployed.wait_ready()?;
    let buckets = deployed.buckets()?;
    ensure!(buckets.len() == SOUND.len(), "{buckets:?}");
    for bucket in &buckets {
        fs::write(Path::new(bucket).join("data.parquet"), "rows")?;
    }

    let tested = deployed.helm.run(&["test", RELEASE, "--namespace", NAMESPACE, "--logs", PATIENCE]);
    let tested = tested.with_context(|| deployed.said())?;
    for line in ["has all ", "leads, renewed", "2: 2 ready, 0 stalled", "Nothing is wrong."] {
        ensure!(tested.contains(line), "{line:?} is not in {tested}");
    }

    let refused = deployed.helm.refused(&["uninstall", RELEASE, "--namespace", NAMESPACE, PATIENCE])?;
    for line in ["2 products hold the finalizer", "customer/customer-360", "DATAPRODUCT_LET_PRODUCTS_GO=true"]
    {
        ensure!(refused.contains(line), "{line:?} is not in {refused}");
    }
    deployed.wait_ready()?;
    ensure!(!deployed.finalizers()?.is_empty(), "a product was let go");
    let deployment = ["get", "deployment", RELEASE, "-n", NAMESPACE];
    deployed.plane.kubectl(&deployment).context("the operator is gone")?;

    // Helm upgrades nothing that it has begun to uninstall.
    let target = format!("deployment/{RELEASE}");
    let leave = ["set", "env", &target, "DATAPRODUCT_LET_PRODUCTS_GO=true", "-n", NAMESPACE];
    deployed.plane.kubectl(&leave)?;
    deployed.plane.kubectl(&["rollout", "status", &target, "-n", NAMESPACE, PATIENCE])?;
    deployed.helm.release("uninstall", &[PATIENCE]).with_context(|| deployed.said())?;
    ensure!(deployed.finalizers()?.is_empty(), "{}", deployed.finalizers()?);
    ensure!(deployed.plane.kubectl(&deployment).is_err(), "the operator is still there");
    let told = ["get", "events.events.k8s.io", "-A", "--field-selector=reason=LetGo", "-o", "name"];
    ensure!(deployed.plane.kubectl(&told)?.lines().count() == SOUND.len(), "everybody is told");
    ensure!(deployed.buckets()? == buckets, "a bucket is gone");

    // Who comes back finds everything as its own; who goes for good needs no operator.
    deployed.release("install", &["--set", "policies.enabled=true"])?;
    deployed.wait_ready()?;
    crate::support::wait::wait_for("products are held again", Duration::from_mins(1), || async {
        let held = deployed.finalizers()?.matches("datamesh.io/dataproduct").count();
        Ok(crate::support::wait::Seen::when(held == SOUND.len(), (), held))
    })
    .await?;
    let notes = deployed.release("upgrade", &["--reuse-values", "--set", "uninstall.release=true"])?;
    ensure!(notes.contains("The operator lets every product go"), "{notes}");
    deployed.helm.release("uninstall", &[PATIENCE]).with_context(|| deployed.said())?;
    deployed.plane.kubectl(&["delete", "dp", "--all", "-A", "--timeout=30s"])?;
    for bucket in &buckets {
        ensure!(fs::read_to_string(Path::new(bucket).join("data.parquet"))? == "rows", "{bucket}");
    }
    Ok(())
}
