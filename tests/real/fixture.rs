//! A mesh for one test: a control plane, the platform, and the operator as a process or in this one.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use dataproduct_operator::api::{DataProduct, DataProductStatus};
use kube::{Api, Client};
use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::support::{
    control_plane::{ControlPlane, Options},
    operator::Operator,
    wait::{Seen, wait_for},
};

/// Longest wait for one condition.
pub(crate) const PATIENCE: Duration = Duration::from_mins(3);
/// Control planes at the same time: each needs a core to start.
static SLOTS: Semaphore = Semaphore::const_new(2);

/// A mesh without an operator.
pub(crate) struct Mesh {
    pub(crate) plane: ControlPlane,
    pub(crate) client: Client,
    /// Root of the provider class `local`.
    pub(crate) root: PathBuf,
    folder: TempDir,
    /// Operators that were started.
    operators: AtomicU32,
    _slot: SemaphorePermit<'static>,
}

impl Mesh {
    /// Starts a control plane with the definitions, the policies and the example platform.
    pub(crate) async fn start(options: Options) -> Result<Self> {
        let slot = SLOTS.acquire().await?;
        let plane = ControlPlane::start(options).await?;
        plane.install_crds()?;
        let folder = tempfile::Builder::new().prefix("mesh-").tempdir()?;
        let root = folder.path().join("root");
        fs::create_dir(&root)?;
        let client = plane.client().await?;
        let operators = AtomicU32::new(0);
        let mesh = Self { plane, client, root, folder, operators, _slot: slot };
        mesh.plane.install_policies()?;
        mesh.plane.apply(&mesh.platform()?)?;
        Ok(mesh)
    }

    /// The example platform with the root of this mesh.
    pub(crate) fn platform(&self) -> Result<String> {
        Ok(example("platform.yaml")?.replace("/var/lib/datamesh", &self.root.display().to_string()))
    }

    /// Starts the operator as a process.
    pub(crate) fn operator(&self) -> Result<Operator> {
        self.operator_in(&[])
    }

    /// Starts the operator as a process in an environment.
    pub(crate) fn operator_in(&self, environment: &[(&str, &str)]) -> Result<Operator> {
        let number = self.operators.fetch_add(1, Ordering::Relaxed);
        let log = self.folder.path().join(format!("operator-{number}.log"));
        let binary = Path::new(env!("CARGO_BIN_EXE_dataproduct"));
        Operator::start(binary, &self.plane.kubeconfig_path(), environment, &log)
    }

    /// Applies an example.
    pub(crate) fn apply_example(&self, name: &str) -> Result<()> {
        self.plane.apply(&example(name)?).map(|_| ())
    }

    /// Changes an object without a namespace by a merge patch.
    pub(crate) fn patch(&self, kind: &str, name: &str, patch: &str) -> Result<()> {
        self.plane.kubectl(&["patch", kind, name, "--type", "merge", "-p", patch]).map(|_| ())
    }

    /// Changes a product by a merge patch.
    pub(crate) fn patch_product(&self, (namespace, name): (&str, &str), patch: &str) -> Result<()> {
        let target = ["patch", "dp", name, "-n", namespace, "--type", "merge", "-p", patch];
        self.plane.kubectl(&target).map(|_| ())
    }

    /// Sets an annotation of a product, as `key=value`.
    pub(crate) fn annotate(&self, (namespace, name): (&str, &str), annotation: &str) -> Result<()> {
        let target = ["annotate", "--overwrite", "dp", name, "-n", namespace, annotation];
        self.plane.kubectl(&target).map(|_| ())
    }

    /// The products of a namespace.
    pub(crate) fn products(&self, namespace: &str) -> Api<DataProduct> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// The status of a product, or an empty one.
    pub(crate) async fn status(&self, namespace: &str, name: &str) -> Result<DataProductStatus> {
        Ok(self.products(namespace).get(name).await?.status.unwrap_or_default())
    }

    /// Waits until a condition has a status and a reason, and gives the whole status.
    pub(crate) async fn wait_condition(
        &self,
        (namespace, name): (&str, &str),
        type_: &str,
        status: &str,
        reason: &str,
    ) -> Result<DataProductStatus> {
        wait_for(&format!("{name}: {type_}={status} {reason}"), PATIENCE, || async {
            let product = self.products(namespace).get(name).await?;
            let found = product.status.unwrap_or_default();
            let current = found.observed_generation == product.metadata.generation;
            let condition = found.condition(type_).cloned();
            let is_so = condition.as_ref().is_some_and(|it| it.status == status && it.reason == reason);
            Ok(Seen::when(is_so && current, found, condition))
        })
        .await
    }

    /// Waits until a product is gone.
    pub(crate) async fn wait_gone(&self, namespace: &str, name: &str) -> Result<()> {
        wait_for(&format!("{name} is gone"), PATIENCE, || async {
            let found = self.products(namespace).get_opt(name).await?;
            let conditions =
                found.as_ref().and_then(|found| found.status.as_ref()).map(|status| &status.conditions);
            Ok(Seen::when(found.is_none(), (), conditions))
        })
        .await
    }

    /// The directory of a bucket.
    pub(crate) fn bucket(&self, name: &str) -> PathBuf {
        self.root.join("000000000000/local/buckets").join(name)
    }

    /// Every row of the ledger as kind, name, phase and whether it is released.
    pub(crate) fn ledger(&self) -> Result<Vec<(String, String, String, bool)>> {
        let ledger = rusqlite::Connection::open(self.root.join("ledger.db"))?;
        let mut rows =
            ledger.prepare("SELECT kind, name, phase, owner FROM resources ORDER BY kind, name")?;
        let rows = rows.query_map([], |row| {
            let owner: String = row.get(3)?;
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, owner.contains("\"released\":true")))
        })?;
        rows.collect::<rusqlite::Result<_>>().context("the ledger cannot be read")
    }

    /// Number of writes to products that the operator made, from the API server's audit log.
    pub(crate) fn product_writes(&self) -> Result<usize> {
        Ok(self.product_writes_told()?.len())
    }

    /// Fails unless there are just so many of them. A write is seen in its object a moment before it is in the log.
    pub(crate) async fn expect_writes(&self, count: usize) -> Result<()> {
        let told = wait_for(&format!("{count} writes"), PATIENCE, || async {
            let told = self.product_writes_told()?;
            Ok(Seen::when(told.len() >= count, told.clone(), told))
        })
        .await?;
        ensure!(told.len() == count, "{count} writes are due:\n{}", told.join("\n"));
        Ok(())
    }

    /// The same writes in words: which product, what of it, the answer, when, and the status that was written.
    pub(crate) fn product_writes_told(&self) -> Result<Vec<String>> {
        let log = fs::read_to_string(self.plane.folder().join("audit.log"))?;
        let events = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let writes = events.filter(|event| {
            let verb = event["verb"].as_str().unwrap_or_default();
            let agent = event["userAgent"].as_str().unwrap_or_default();
            matches!(verb, "create" | "update" | "patch" | "delete")
                && event["stage"] == "ResponseComplete"
                && event["objectRef"]["resource"] == "dataproducts"
                && !agent.starts_with("kubectl")
        });
        let told = writes.map(|event| {
            let object = &event["objectRef"];
            let (code, at) = (&event["responseStatus"]["code"], &event["requestReceivedTimestamp"]);
            let status = &event["requestObject"]["status"];
            format!("{} {} {} {code} {at} {status}", object["name"], event["verb"], object["subresource"])
        });
        let mut told = told.collect::<Vec<_>>();
        told.sort();
        Ok(told)
    }
}

/// A file of `examples/`.
pub(crate) fn example(name: &str) -> Result<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// A small product without violations.
pub(crate) fn small(namespace: &str, domain: &str, name: &str, more: &str) -> String {
    format!(
        r"
apiVersion: datamesh.io/v1
kind: DataProduct
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  domain: {domain}
  version: 1.0.0
  description: A small product.
  outputPorts: [{{name: lake, type: s3_delta_lake, format: parquet}}]
  schema: {{type: avro, fields: [{{name: id, type: string, description: Identifier, pii: false}}]}}
  slo: {{freshness: {{target: 1 hour}}, availability: {{target: 99%}}}}
  quality: {{tests: [{{type: uniqueness, column: id}}, {{type: not_null, column: id}}, {{type: freshness, column: id, max_age: 1 hour}}]}}
  access: {{classification: internal, retention: 1 year, roles: [{{name: reader, permissions: [SELECT], principals: [reader-role]}}]}}
{more}"
    )
}
