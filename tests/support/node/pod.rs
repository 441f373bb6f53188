//! One pod as one process.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::{Container, EnvVar, Pod};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, Preconditions},
};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::Machine;
use crate::support::{plain_http, process::Kept};

/// Longest wait for the answer to a probe.
const PROBE: Duration = Duration::from_secs(1);
/// Pods of this process so far; each has an address of its own.
static PODS: AtomicU16 = AtomicU16::new(0);

/// A process that runs for a pod.
pub(super) struct Running {
    process: Kept,
    address: String,
    /// Where readiness is asked, where the container says it.
    probe: Option<String>,
    /// When it is killed, once it was asked to end.
    deadline: Option<Instant>,
    grace: Duration,
    told: Option<Value>,
    log: PathBuf,
}

impl Running {
    /// Starts the container of a pod.
    pub(super) fn start(machine: &Machine, pod: &Pod) -> Result<Self> {
        let spec = pod.spec.as_ref().context("a pod without a spec")?;
        let [container] = spec.containers.as_slice() else { anyhow::bail!("it has not one container") };
        let (namespace, name) = (pod.namespace().unwrap_or_default(), pod.name_any());
        let folder = machine.folder.join(&namespace).join(&name);
        fs::create_dir_all(&folder)?;
        let address = address();
        let mounts = container.volume_mounts.iter().flatten();
        let mounts = mounts.map(|mount| (mount.mount_path.clone(), folder.join(&mount.name)));
        let mounts = mounts.collect::<Vec<_>>();
        mounts.iter().try_for_each(|(_, place)| fs::create_dir_all(place))?;
        // As in a container, where each has a network and files of its own.
        let within = |text: &str| {
            let text = text.replace("0.0.0.0", &address);
            mounts.iter().fold(text, |text, (path, place)| text.replace(path, &place.display().to_string()))
        };
        let arguments = container.command.iter().flatten().skip(1).chain(container.args.iter().flatten());
        let arguments = arguments.map(|argument| within(argument)).collect::<Vec<_>>();
        let account = spec.service_account_name.clone().unwrap_or_else(|| "default".to_owned());
        let kubeconfig = machine.plane.kubeconfig_of(&namespace, &account)?.display().to_string();
        let mut environment = vec![("KUBECONFIG".to_owned(), kubeconfig)];
        for variable in container.env.iter().flatten() {
            environment.push((variable.name.clone(), within(&value(variable, pod)?)));
        }
        let environment = environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let log = folder.join(format!("{}.log", container.name));
        let process = Kept::start(&machine.program, &arguments, &environment.collect::<Vec<_>>(), &log)?;
        let grace = spec.termination_grace_period_seconds.unwrap_or(30).unsigned_abs();
        Ok(Self {
            process,
            probe: probe(container, &address),
            address,
            deadline: None,
            grace: Duration::from_secs(grace),
            told: None,
            log,
        })
    }

    /// Tells how it is, and returns whether it has ended.
    pub(super) async fn report(&mut self, pods: &Api<Pod>, pod: &Pod) -> Result<bool> {
        let spec = pod.spec.as_ref().context("a pod without a spec")?;
        let container = spec.containers.first().context("no container")?;
        let ended = self.process.ended();
        let ready = ended.is_none() && self.is_ready().await;
        let started = pod.metadata.creation_timestamp.clone();
        let state = match ended {
            None => json!({"running": {"startedAt": started}}),
            Some(code) => json!({"terminated": {
                "exitCode": code,
                "reason": if code == 0 { "Completed" } else { "Error" },
                "message": tail(&self.log),
                "startedAt": started,
                "finishedAt": started,
            }}),
        };
        let phase = match ended {
            None => "Running",
            Some(0) => "Succeeded",
            Some(_) => "Failed",
        };
        let holds = |holds: bool| if holds { "True" } else { "False" };
        let condition = |type_: &str, status: bool| json!({"type": type_, "status": holds(status), "lastTransitionTime": started});
        let status = json!({"status": {
            "phase": phase,
            "podIP": self.address,
            "podIPs": [{"ip": self.address}],
            "startTime": started,
            "conditions": [
                condition("Initialized", true), condition("PodScheduled", true),
                condition("ContainersReady", ready), condition("Ready", ready),
            ],
            "containerStatuses": [{
                "name": container.name, "image": container.image, "imageID": "", "ready": ready,
                "restartCount": 0, "started": ended.is_none(), "state": state,
            }],
        }});
        if self.told.as_ref() != Some(&status) {
            pods.patch_status(&pod.name_any(), &PatchParams::default(), &Patch::Merge(&status)).await?;
            self.told = Some(status);
        }
        Ok(ended.is_some())
    }

    async fn is_ready(&self) -> bool {
        let Some(url) = &self.probe else { return true };
        matches!(timeout(PROBE, plain_http::get(url)).await, Ok(Ok(_)))
    }

    /// Asks it to end, kills it when its time is over, and returns whether it has ended.
    pub(super) fn has_ended(&mut self) -> Result<bool> {
        if self.process.ended().is_some() {
            return Ok(true);
        }
        match self.deadline {
            None => {
                self.process.signal("TERM")?;
                self.deadline = Some(Instant::now() + self.grace);
            }
            Some(deadline) if Instant::now() > deadline => {
                self.process.kill();
                return Ok(true);
            }
            Some(_) => {}
        }
        Ok(false)
    }
}

/// Takes a pod that has ended out of the API server.
pub(super) async fn forget(pods: &Api<Pod>, pod: &Pod) -> Result<()> {
    let preconditions = Preconditions { uid: pod.uid(), resource_version: None };
    let now = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default().grace_period(0) };
    match pods.delete(&pod.name_any(), &now).await {
        Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => Ok(()),
        deleted => deleted.map(|_| ()).context("it cannot be deleted"),
    }
}

/// An address of this machine that no other pod of this process has, and hardly one of another process.
fn address() -> String {
    let number = PODS.fetch_add(1, Ordering::SeqCst);
    let process = std::process::id();
    format!("127.{}.{}.{}", 1 + process % 200, (process / 200) % 250, 1 + number % 250)
}

/// The value of a variable of the container.
fn value(variable: &EnvVar, pod: &Pod) -> Result<String> {
    let Some(source) = &variable.value_from else { return Ok(variable.value.clone().unwrap_or_default()) };
    let field = source.field_ref.as_ref().map(|field| field.field_path.as_str());
    match field {
        Some("metadata.name") => Ok(pod.name_any()),
        Some("metadata.namespace") => Ok(pod.namespace().unwrap_or_default()),
        other => anyhow::bail!("the variable {} comes from {other:?}", variable.name),
    }
}

fn probe(container: &Container, address: &str) -> Option<String> {
    use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
    let get = container.readiness_probe.as_ref()?.http_get.as_ref()?;
    let port = match &get.port {
        IntOrString::Int(port) => *port,
        IntOrString::String(name) => {
            let mut ports = container.ports.iter().flatten();
            ports.find(|port| port.name.as_ref() == Some(name))?.container_port
        }
    };
    Some(format!("http://{address}:{port}{}", get.path.as_deref().unwrap_or("/")))
}

fn tail(log: &std::path::Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines = text.lines().collect::<Vec<_>>();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
