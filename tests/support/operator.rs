//! The operator as a process of its own.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Result;

use super::{
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
        let arguments = ["run", "--kubeconfig", &kubeconfig.display().to_string()].map(str::to_owned);
        Ok(Self { process: Kept::start(binary, &arguments, environment, log)?, log: log.to_owned() })
    }

    /// Whether it runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.process.is_running()
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
