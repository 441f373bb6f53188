//! How the operator comes into the demo's cluster: as a process beside manifests, or by Helm with the chart's own pods.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use anyhow::{Context, Result, bail, ensure};

use super::{
    cloud::Cloud,
    step,
    support::{
        control_plane::{ControlPlane, Options},
        node::Node,
        operator::Operator,
    },
};

/// The namespace and the release of the chart, which are those of its README.
const NAMESPACE: &str = "datamesh-system";
const RELEASE: &str = "dataproduct-operator";

/// What the variable `INSTALL` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The manifests, with kubectl.
    Manifests,
    /// The chart, with Helm.
    Helm,
}

impl Way {
    /// Reads the variable.
    pub(crate) fn chosen() -> Result<Self> {
        match std::env::var("INSTALL").as_deref().unwrap_or("manifests") {
            "manifests" => Ok(Self::Manifests),
            "helm" => Ok(Self::Helm),
            other => {
                bail!("INSTALL is {other}; it must be manifests or helm, as in `make demo INSTALL=helm`")
            }
        }
    }

    /// The control plane that it needs.
    pub(crate) fn control_plane(self, folder: &Path) -> Options {
        let pods = self == Self::Helm;
        Options {
            folder: Some(folder.to_owned()),
            controller_manager: pods,
            workloads: pods,
            ..Options::default()
        }
    }
}

/// An operator that runs, and what it needs to go on.
pub(crate) enum Installed {
    /// A process.
    Process(Operator),
    /// A node that runs the pods of the chart.
    Pods {
        /// The node.
        _node: Node,
        /// The control plane.
        plane: Arc<ControlPlane>,
    },
}

impl Installed {
    /// Installs definitions, operator, policies and what lets the API server itself warn of them.
    pub(crate) async fn start(
        way: Way,
        plane: &Arc<ControlPlane>,
        cloud: &Cloud,
        binary: &Path,
    ) -> Result<Self> {
        if way == Way::Helm {
            ensure!(
                matches!(cloud, Cloud::Local(_)),
                "with INSTALL=helm the provider is local; leave PROVIDER out"
            );
            return Self::by_helm(plane, binary).await;
        }
        step("installing the custom resource definitions");
        plane.install_crds()?;
        step(&format!("starting the operator with the provider {}", cloud.name()));
        let log = plane.folder().join("operator.log");
        let operator = Operator::start(binary, &plane.kubeconfig_path(), cloud.environment(), &log)?;
        step("applying the policies that come with the operator");
        plane.install_policies()?;
        step("letting the API server itself warn of what these policies will stop");
        plane.install_admission()?;
        Ok(Self::Process(operator))
    }

    async fn by_helm(plane: &Arc<ControlPlane>, binary: &Path) -> Result<Self> {
        step("starting a node that runs pods as processes of this machine");
        let node = Node::start(Arc::clone(plane), binary).await?;
        let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("charts").join(RELEASE).display().to_string();
        let helm = |arguments: &[&str]| {
            let all = [arguments, &["--namespace", NAMESPACE, "--wait", "--timeout=180s"]].concat();
            let output =
                Command::new(program()).env("KUBECONFIG", plane.kubeconfig_path()).args(all).output();
            let output = output.context("cannot run helm; run `make helm` first")?;
            ensure!(output.status.success(), "helm: {}", String::from_utf8_lossy(&output.stderr));
            Ok(())
        };
        step("helm install: the definitions, the operator and its rights");
        helm(&["install", RELEASE, &chart, "--create-namespace"])?;
        step("helm upgrade: the policies that come with the operator");
        helm(&["upgrade", RELEASE, &chart, "--reuse-values", "--set", "policies.enabled=true"])?;
        Ok(Self::Pods { _node: node, plane: Arc::clone(plane) })
    }

    /// Fails where it ended by itself.
    pub(crate) fn is_well(&mut self) -> Result<()> {
        match self {
            Self::Process(operator) => {
                ensure!(
                    operator.is_running(),
                    "the operator ended by itself; see {}",
                    operator.log.display()
                );
                Ok(())
            }
            Self::Pods { plane, .. } => {
                let deployment = format!("deployment/{RELEASE}");
                plane
                    .kubectl(&["rollout", "status", &deployment, "-n", NAMESPACE, "--timeout=60s"])
                    .map(|_| ())
            }
        }
    }

    /// What can be done with it, as lines for people.
    pub(crate) fn hints(&self, shown: impl Fn(&Path) -> String) -> Vec<String> {
        match self {
            Self::Process(operator) => vec![format!("tail -f {}", shown(&operator.log))],
            Self::Pods { .. } => {
                let helm = shown(&program());
                vec![
                    format!("{helm} test {RELEASE} -n {NAMESPACE} --logs      # asks the operator's doctor"),
                    format!(
                        "{helm} uninstall {RELEASE} -n {NAMESPACE}        # refuses, and says what to do"
                    ),
                ]
            }
        }
    }

    /// Ends it.
    pub(crate) async fn end(self) -> Result<()> {
        match self {
            Self::Process(operator) => operator.terminate().await,
            // Whoever looked may have uninstalled it.
            Self::Pods { .. } => Ok(()),
        }
    }
}

fn program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/helm/helm4")
}
