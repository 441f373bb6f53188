//! A node without a container runtime: it runs the container of every pod as a process of this machine, so that what a chart
//! deploys really runs, with its arguments, its probes and the rights of its `ServiceAccount`, where no kubelet can.
//!
//! It knows what the pods of the operator's chart need and nothing more: one container, an image that it has a program for,
//! literal and downward variables, volumes as folders, HTTP readiness probes, logs, and an orderly end. Each pod has an
//! address of its own in 127/8, as it would have one in a cluster.

mod logs;
mod pod;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::{Node as NodeObject, Pod};
use kube::{
    Api, Client, ResourceExt,
    api::{ListParams, Patch, PatchParams, PostParams},
};
use serde_json::json;
use tokio::task::JoinHandle;

use super::control_plane::ControlPlane;
use logs::Logs;
use pod::Running;

/// Name of the node.
const NAME: &str = "this-machine";
/// Pause between two looks at the pods.
const LOOK: Duration = Duration::from_millis(200);

/// A running node. Dropping it ends every process that it runs.
pub(crate) struct Node {
    work: JoinHandle<()>,
    logs: Logs,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.work.abort();
    }
}

/// What a node knows.
struct Machine {
    client: Client,
    plane: Arc<ControlPlane>,
    /// The program that stands for an image.
    program: PathBuf,
    /// Where pods keep logs and volumes.
    folder: PathBuf,
    /// Processes by the uid of their pods.
    running: BTreeMap<String, Running>,
}

impl Node {
    /// Adds a node to a control plane. Whatever the image of a pod is called, `program` is what it holds.
    pub(crate) async fn start(plane: Arc<ControlPlane>, program: &Path) -> Result<Self> {
        let folder = plane.folder().join("pods");
        fs::create_dir_all(&folder)?;
        let client = plane.client().await?;
        let logs = Logs::start(folder.clone()).await?;
        join(&client, logs.port()).await?;
        let program = program.to_owned();
        let mut machine = Machine { client, plane, program, folder, running: BTreeMap::new() };
        let work = tokio::spawn(async move {
            loop {
                // An API server that is away for a moment is asked again.
                if let Err(error) = machine.look().await {
                    machine.note(&format!("{error:#}"));
                }
                tokio::time::sleep(LOOK).await;
            }
        });
        Ok(Self { work, logs })
    }
}

/// Makes the node known, with the port at which its logs are served.
async fn join(client: &Client, port: u16) -> Result<()> {
    let nodes: Api<NodeObject> = Api::all(client.clone());
    let node = serde_json::from_value(json!({
        "metadata": {"name": NAME, "labels": {"kubernetes.io/os": "linux", "kubernetes.io/hostname": NAME}},
    }))?;
    nodes.create(&PostParams::default(), &node).await.context("the node cannot join")?;
    let status = json!({"status": {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        "conditions": [{"type": "Ready", "status": "True", "reason": "Started", "message": "it runs processes"}],
    }});
    nodes.patch_status(NAME, &PatchParams::default(), &Patch::Merge(&status)).await?;
    Ok(())
}

impl Machine {
    /// Looks once at every pod and does what is to be done for it.
    async fn look(&mut self) -> Result<()> {
        let pods: Api<Pod> = Api::all(self.client.clone());
        let pods = pods.list(&ListParams::default()).await?.items;
        let known = pods.iter().filter_map(ResourceExt::uid).collect::<Vec<_>>();
        // What the API server does not know any more has no right to run.
        self.running.retain(|uid, _| known.contains(uid));
        for pod in &pods {
            if let Err(error) = self.tend(pod).await {
                self.note(&format!("{}: {error:#}", pod.name_any()));
            }
        }
        Ok(())
    }

    async fn tend(&mut self, pod: &Pod) -> Result<()> {
        let spec = pod.spec.as_ref().context("a pod without a spec")?;
        if spec.node_name.is_none() {
            return self.bind(pod).await;
        }
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &pod.namespace().unwrap_or_default());
        let uid = pod.uid().context("a pod without a uid")?;
        let going = pod.metadata.deletion_timestamp.is_some();
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default();
        let over = matches!(phase, "Succeeded" | "Failed");
        match self.running.get_mut(&uid) {
            None if going => pod::forget(&pods, pod).await?,
            None if over => {}
            None => {
                let running = Running::start(self, pod)?;
                self.running.insert(uid, running);
            }
            Some(running) if going => {
                if running.has_ended()? {
                    self.running.remove(&uid);
                }
            }
            Some(running) => {
                if running.report(&pods, pod).await? {
                    self.running.remove(&uid);
                }
            }
        }
        Ok(())
    }

    /// Takes a pod that nobody has, as a scheduler would give it.
    async fn bind(&self, pod: &Pod) -> Result<()> {
        let (namespace, name) = (pod.namespace().unwrap_or_default(), pod.name_any());
        let binding = json!({
            "apiVersion": "v1", "kind": "Binding", "metadata": {"name": name},
            "target": {"apiVersion": "v1", "kind": "Node", "name": NAME},
        });
        let path = format!("/api/v1/namespaces/{namespace}/pods/{name}/binding");
        let request = http::Request::post(path)
            .header("content-type", "application/json")
            .body(serde_json::to_vec(&binding)?)?;
        self.client.request_text(request).await.map(|_| ()).context("it cannot be bound")
    }

    /// Writes down what went wrong, for whoever looks for it.
    fn note(&self, text: &str) {
        use std::io::Write;
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.join("node.log"));
        let _ = log.and_then(|mut log| writeln!(log, "{text}"));
    }
}
