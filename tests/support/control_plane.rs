//! A real control plane on loopback: etcd and kube-apiserver, and kube-controller-manager where a test needs it.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
};
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use pem::Pem;
use tempfile::TempDir;

use super::{
    ports::free_port,
    process::Kept,
    wait::{Seen, wait_for},
};

const PROGRAMS: [&str; 4] = ["etcd", "kube-apiserver", "kubectl", "kube-controller-manager"];
/// What the controller manager runs: what deletes, collects, puts roles together and checks policies.
const CONTROLLERS: &str = "namespace-controller,garbage-collector-controller,serviceaccount-controller,clusterrole-aggregation-controller,validatingadmissionpolicy-status-controller";
/// What it runs beside that for workloads.
const WORKLOADS: &str = ",deployment-controller,replicaset-controller,job-controller";
const TOKEN: &str = "admin-of-a-test-control-plane";
const KUBECONFIG: &str = "kubeconfig";
const READY: Duration = Duration::from_mins(1);
/// Starts that are tried, because a free port may be taken by somebody else before it is used.
const STARTS: usize = 3;

/// What a control plane is made of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    /// Whether namespaces are really deleted and owners' children collected.
    pub(crate) controller_manager: bool,
    /// Whether deployments and jobs make pods, for a node that runs them.
    pub(crate) workloads: bool,
    /// Where data, certificates and logs are kept; a temporary folder otherwise.
    pub(crate) folder: Option<PathBuf>,
    /// Whether requests are recorded in `audit.log`.
    pub(crate) audit: bool,
    /// Feature gates of the API server, as in `WatchList=false`.
    pub(crate) feature_gates: Option<&'static str>,
}

/// A running control plane. Dropping it stops everything.
pub(crate) struct ControlPlane {
    // The order matters: children end before their folder goes.
    manager: Option<Kept>,
    api_server: Option<Kept>,
    etcd: Kept,
    bin: PathBuf,
    folder: PathBuf,
    options: Options,
    ports: Ports,
    _temporary: Option<TempDir>,
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    etcd: u16,
    peers: u16,
    api: u16,
    manager: u16,
}

impl Ports {
    /// Ports that are free now and that this process has not handed out before.
    fn free() -> Result<Self> {
        Ok(Self { etcd: free_port()?, peers: free_port()?, api: free_port()?, manager: free_port()? })
    }
}

impl ControlPlane {
    /// The folder with the programs, installed by `make control-plane`.
    pub(crate) fn binaries() -> Result<PathBuf> {
        let bin = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/control-plane/bin");
        for program in PROGRAMS {
            ensure!(bin.join(program).exists(), "{program} is missing; run `make control-plane` first");
        }
        Ok(bin)
    }

    /// Starts a control plane and waits until it is ready.
    pub(crate) async fn start(options: Options) -> Result<Self> {
        let mut last = None;
        for _ in 0..STARTS {
            match Self::start_once(options.clone()).await {
                Ok(started) => return Ok(started),
                Err(error) => last = Some(error),
            }
        }
        Err(last.context("no start was tried")?)
    }

    async fn start_once(options: Options) -> Result<Self> {
        let bin = Self::binaries()?;
        let (folder, temporary) = if let Some(folder) = &options.folder {
            (folder.clone(), None)
        } else {
            let temporary = tempfile::Builder::new().prefix("control-plane-").tempdir()?;
            (temporary.path().to_owned(), Some(temporary))
        };
        fs::create_dir_all(folder.join("certs"))?;
        let ports = Ports::free()?;
        write_credentials(&folder)?;
        let etcd = start_etcd(&bin, &folder, ports)?;
        let mut plane = Self {
            manager: None,
            api_server: None,
            etcd,
            bin,
            folder,
            options,
            ports,
            _temporary: temporary,
        };
        plane.start_api_server().await?;
        if plane.options.controller_manager {
            plane.start_manager()?;
        }
        Ok(plane)
    }

    /// Starts the API server on its port and data, and waits until it is ready.
    pub(crate) async fn start_api_server(&mut self) -> Result<()> {
        let file = |name: &str| self.folder.join(name).display().to_string();
        let mut arguments = vec![
            format!("--etcd-servers=http://127.0.0.1:{}", self.ports.etcd),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={}", self.ports.api),
            format!("--cert-dir={}", file("certs")),
            "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
            format!("--service-account-key-file={}", file("service-account.key")),
            format!("--service-account-signing-key-file={}", file("service-account.key")),
            "--authorization-mode=RBAC".to_owned(),
            format!("--token-auth-file={}", file("tokens.csv")),
            "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
            "--disable-admission-plugins=ServiceAccount".to_owned(),
        ];
        arguments.extend(self.options.feature_gates.map(|gates| format!("--feature-gates={gates}")));
        if self.options.audit {
            fs::write(
                file("audit.yaml"),
                "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n\
                 - {level: Request, resources: [{group: datamesh.io, resources: [dataproducts/status]}]}\n\
                 - {level: Metadata}\n",
            )?;
            arguments.push(format!("--audit-policy-file={}", file("audit.yaml")));
            arguments.push(format!("--audit-log-path={}", file("audit.log")));
        }
        // A server that was killed holds its port until the kernel has taken it apart, which is after its keeper is gone.
        let port = self.ports.api;
        wait_for("the API server's port is free", READY, || async move {
            Ok(Seen::when(TcpListener::bind(("127.0.0.1", port)).is_ok(), (), "somebody listens on it"))
        })
        .await?;
        let log = self.folder.join("kube-apiserver.log");
        self.api_server = Some(Kept::start(&self.bin.join("kube-apiserver"), &arguments, &[], &log)?);
        fs::write(self.folder.join(KUBECONFIG), self.kubeconfig_text("admin", TOKEN, "default"))?;
        let folder = self.folder.clone();
        let waited = wait_for("the API server is ready", READY, || {
            let (ended, folder) = (self.ended(), folder.clone());
            // What ended, as a server does whose port was taken meanwhile, will not become ready.
            async move { if ended.is_some() { Ok(Seen::Yes(ended)) } else { readiness(&folder).await } }
        });
        let problem = match waited.await {
            Ok(None) => return Ok(()),
            Ok(Some(program)) => format!("{program} ended before the API server was ready"),
            Err(error) => format!("{error:#}"),
        };
        let ends = ["etcd.log", "kube-apiserver.log"]
            .map(|log| self.folder.join(log))
            .map(|log| format!("the end of {}:\n{}", log.display(), tail(&log)));
        bail!("{problem}; {}", ends.join("\n"))
    }

    /// Which of the two programs that make an API server has ended.
    fn ended(&mut self) -> Option<&'static str> {
        if !self.etcd.is_running() {
            return Some("etcd");
        }
        self.api_server.as_mut().is_none_or(|server| !server.is_running()).then_some("kube-apiserver")
    }

    /// Stops the API server; its data stays.
    pub(crate) fn stop_api_server(&mut self) {
        self.api_server = None;
    }

    fn start_manager(&mut self) -> Result<()> {
        let arguments = [
            format!("--kubeconfig={}", self.kubeconfig_path().display()),
            format!("--controllers={CONTROLLERS}{}", if self.options.workloads { WORKLOADS } else { "" }),
            "--leader-elect=false".to_owned(),
            format!(
                "--service-account-private-key-file={}",
                self.folder.join("service-account.key").display()
            ),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={}", self.ports.manager),
            format!("--cert-dir={}", self.folder.join("certs").display()),
        ];
        let log = self.folder.join("kube-controller-manager.log");
        self.manager = Some(Kept::start(&self.bin.join("kube-controller-manager"), &arguments, &[], &log)?);
        Ok(())
    }

    /// The folder with data, certificates, logs and kubeconfig.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Kubeconfig of the administrator.
    pub(crate) fn kubeconfig_path(&self) -> PathBuf {
        self.folder.join(KUBECONFIG)
    }

    /// A new kubeconfig of a service account, with a token that the API server makes for an hour. Its namespace is that of
    /// the account, as it is in a pod.
    pub(crate) fn kubeconfig_of(&self, namespace: &str, account: &str) -> Result<PathBuf> {
        let token = self.kubectl(&["create", "token", account, "-n", namespace, "--duration", "1h"])?;
        let path = self.folder.join(format!("{namespace}-{account}.kubeconfig"));
        fs::write(&path, self.kubeconfig_text(account, token.trim(), namespace))?;
        Ok(path)
    }

    fn kubeconfig_text(&self, user: &str, token: &str, namespace: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: local\n\
             clusters: [{{name: local, cluster: {{server: \"https://127.0.0.1:{}\", certificate-authority: \"{}\"}}}}]\n\
             users: [{{name: {user}, user: {{token: {token}}}}}]\n\
             contexts: [{{name: local, context: {{cluster: local, user: {user}, namespace: {namespace}}}}}]\n",
            self.ports.api,
            self.folder.join("certs/apiserver.crt").display()
        )
    }

    /// Settings of the administrator's client, for tests that put layers around it.
    pub(crate) async fn config(&self) -> Result<Config> {
        config_of(&self.kubeconfig_path()).await
    }

    /// A client of the administrator.
    pub(crate) async fn client(&self) -> Result<Client> {
        client_of(&self.kubeconfig_path()).await
    }

    /// Runs kubectl as the administrator.
    pub(crate) fn kubectl_raw(&self, arguments: &[&str]) -> Result<Output> {
        let output = Command::new(self.bin.join("kubectl"))
            .arg("--kubeconfig")
            .arg(self.kubeconfig_path())
            .args(arguments)
            .output()
            .context("cannot run kubectl")?;
        Ok(output)
    }

    /// Runs kubectl as the administrator and gives its output; an error when it fails.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        let output = self.kubectl_raw(arguments)?;
        if !output.status.success() {
            bail!("kubectl {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Applies manifests with kubectl.
    pub(crate) fn apply(&self, manifests: &str) -> Result<String> {
        let file = tempfile::NamedTempFile::new()?;
        fs::write(file.path(), manifests)?;
        self.kubectl(&["apply", "-f", &file.path().display().to_string()])
    }

    /// Installs the custom resource definitions and waits until they are served.
    pub(crate) fn install_crds(&self) -> Result<()> {
        let crds = Path::new(env!("CARGO_MANIFEST_DIR")).join("crds").display().to_string();
        self.kubectl(&["apply", "--server-side", "-f", &crds])?;
        self.kubectl(&["wait", "--for=condition=Established", "-f", &crds, "--timeout=30s"])?;
        Ok(())
    }

    /// Applies the policies that come with the operator.
    pub(crate) fn install_policies(&self) -> Result<()> {
        let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/policies").display().to_string();
        self.kubectl(&["apply", "--server-side", "-f", &policies]).map(|_| ())
    }

    /// Lets the API server itself say what is wrong with a product.
    pub(crate) fn install_admission(&self) -> Result<()> {
        let admission = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/admission").display().to_string();
        self.kubectl(&["apply", "--server-side", "-f", &admission]).map(|_| ())
    }

    /// The warnings that kubectl prints when it sends a file.
    pub(crate) fn warnings(&self, arguments: &[&str]) -> Result<Vec<String>> {
        let output = self.kubectl_raw(arguments)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "kubectl {}: {}", arguments.join(" "), said.trim());
        Ok(said.lines().filter(|line| line.starts_with("Warning: ")).map(str::to_owned).collect())
    }
}

async fn config_of(kubeconfig: &Path) -> Result<Config> {
    let file = Kubeconfig::read_from(kubeconfig)?;
    Ok(Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?)
}

async fn client_of(kubeconfig: &Path) -> Result<Client> {
    Ok(dataproduct_operator::controller::kubernetes::client(config_of(kubeconfig).await?)?)
}

/// Whether the API server says that it is ready. Nothing is named as ended by one that answers.
async fn readiness(folder: &Path) -> Result<Seen<Option<&'static str>>> {
    if !folder.join("certs/apiserver.crt").exists() {
        return Ok(Seen::NotYet("no certificate yet".to_owned()));
    }
    let answer = client_of(&folder.join(KUBECONFIG)).await?.request_text(http_get("/readyz")?).await?;
    Ok(Seen::when(answer == "ok", None, answer))
}

fn http_get(path: &str) -> Result<http::Request<Vec<u8>>> {
    Ok(http::Request::get(path).body(Vec::new())?)
}

fn start_etcd(bin: &Path, folder: &Path, ports: Ports) -> Result<Kept> {
    let (clients, peers) =
        (format!("http://127.0.0.1:{}", ports.etcd), format!("http://127.0.0.1:{}", ports.peers));
    let arguments = [
        format!("--data-dir={}", folder.join("etcd").display()),
        format!("--listen-client-urls={clients}"),
        format!("--advertise-client-urls={clients}"),
        format!("--listen-peer-urls={peers}"),
        format!("--initial-advertise-peer-urls={peers}"),
        format!("--initial-cluster=default={peers}"),
        "--unsafe-no-fsync".to_owned(),
    ];
    Kept::start(&bin.join("etcd"), &arguments, &[], &folder.join("etcd.log"))
}

/// The key for service account tokens, and the token of the administrator.
fn write_credentials(folder: &Path) -> Result<()> {
    let key = folder.join("service-account.key");
    if !key.exists() {
        let pair = KeyPair::generate(KeySize::Rsa2048).context("cannot make a key for service accounts")?;
        let private: Pkcs8V1Der = pair.as_der().context("cannot write the key for service accounts")?;
        fs::write(&key, pem::encode(&Pem::new("PRIVATE KEY", private.as_ref())))?;
    }
    fs::write(folder.join("tokens.csv"), format!("{TOKEN},admin,admin,\"system:masters\"\n"))?;
    Ok(())
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines = text.lines().collect::<Vec<_>>();
    lines[lines.len().saturating_sub(15)..].join("\n")
}
