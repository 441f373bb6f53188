//! The operator as a process of its own.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};

use super::{
    plain_http,
    process::Kept,
    wait::{Seen, wait_for},
};

/// A running operator. Dropping it kills it.
pub(crate) struct Operator {
    process: Kept,
    /// Where its log is.
    pub(crate) log: PathBuf,
}

impl Operator {
    /// Starts the operator with a kubeconfig.
    pub(crate) fn start(
        binary: &Path,
        kubeconfig: &Path,
        environment: &[(&str, &str)],
        log: &Path,
    ) -> Result<Self> {
        // Several operators run at the same time, so that each serves its metrics at a port of its own.
        let kubeconfig = kubeconfig.display().to_string();
        let arguments = ["run", "--kubeconfig", &kubeconfig];
        let ports = ["--metrics-bind-address", "--health-bind-address"].map(|flag| [flag, "127.0.0.1:0"]);
        let arguments = arguments.iter().chain(ports.as_flattened()).map(|argument| (*argument).to_owned());
        let arguments = arguments.collect::<Vec<_>>();
        Ok(Self { process: Kept::start(binary, &arguments, environment, log)?, log: log.to_owned() })
    }

    /// Whether it runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.process.is_running()
    }

    /// What it counts, as Prometheus would read it.
    pub(crate) async fn metrics(&self) -> Result<String> {
        plain_http::get(&format!("http://{}/metrics", self.metrics_address()?)).await
    }

    /// Where Prometheus finds what it counts.
    pub(crate) fn metrics_address(&self) -> Result<String> {
        self.address("metrics are served")
    }

    /// What it answers the kubelet; an answer that is no success is an error.
    pub(crate) async fn probe(&self, path: &str) -> Result<String> {
        plain_http::get(&format!("http://{}{path}", self.address("probes are served")?)).await
    }

    /// The address that the log says something about.
    fn address(&self, about: &str) -> Result<String> {
        let log = std::fs::read_to_string(&self.log)?;
        let said = log.lines().find(|line| line.contains(about)).context("the log has no address")?;
        let address = said.split("address=").nth(1).and_then(|rest| rest.split_whitespace().next());
        address.map(str::to_owned).context("an address")
    }

    /// Sends it a signal.
    pub(crate) fn signal(&mut self, name: &str) -> Result<()> {
        self.process.signal(name)
    }

    /// Kills it at once.
    pub(crate) fn kill9(&mut self) {
        self.process.kill();
    }

    /// Asks it to end and waits until it has.
    pub(crate) async fn terminate(mut self) -> Result<()> {
        self.process.signal("TERM")?;
        wait_for("the operator ends", Duration::from_secs(30), || {
            let running = self.process.is_running();
            async move { Ok(Seen::when(!running, (), "still running")) }
        })
        .await
    }
}
