//! Helm, as people run it, in both versions that are in use.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;

/// Where the chart is.
pub(crate) const CHART: &str = "charts/dataproduct-operator";
/// The release and the namespace of every test, which are those of the README.
pub(crate) const RELEASE: &str = "dataproduct-operator";
pub(crate) const NAMESPACE: &str = "datamesh-system";
/// The versions, as `make helm` names their programs.
pub(crate) const VERSIONS: [&str; 2] = ["helm3", "helm4"];

/// One Helm with settings of its own.
pub(crate) struct Helm {
    program: PathBuf,
    kubeconfig: Option<PathBuf>,
    settings: TempDir,
}

impl Helm {
    /// A Helm that knows no cluster.
    pub(crate) fn offline(version: &str) -> Result<Self> {
        let program = root().join(".tools/helm").join(version);
        ensure!(program.exists(), "{version} is missing; run `make helm` first");
        Ok(Self { program, kubeconfig: None, settings: tempfile::tempdir()? })
    }

    /// A Helm for a cluster.
    pub(crate) fn of(version: &str, kubeconfig: PathBuf) -> Result<Self> {
        Ok(Self { kubeconfig: Some(kubeconfig), ..Self::offline(version)? })
    }

    /// Runs it.
    pub(crate) fn raw(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(root()).env_remove("KUBECONFIG");
        for folder in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            command.env(folder, self.settings.path());
        }
        if let Some(kubeconfig) = &self.kubeconfig {
            command.env("KUBECONFIG", kubeconfig);
        }
        command.output().context("cannot run Helm")
    }

    /// Runs it and gives its output; an error when it fails.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<String> {
        let output = self.raw(arguments)?;
        if !output.status.success() {
            bail!("helm {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// What it says when it refuses.
    pub(crate) fn refused(&self, arguments: &[&str]) -> Result<String> {
        let output = self.raw(arguments)?;
        ensure!(!output.status.success(), "helm {} is expected to fail", arguments.join(" "));
        let said = [output.stdout, output.stderr].concat();
        Ok(String::from_utf8_lossy(&said).into_owned())
    }

    /// The chart rendered with some arguments, for the newest Kubernetes.
    pub(crate) fn template(&self, arguments: &[&str]) -> Result<String> {
        self.run(&[&template_command(), arguments].concat())
    }

    /// Runs a command on the release.
    pub(crate) fn release(&self, command: &str, arguments: &[&str]) -> Result<String> {
        let chart: &[&str] = if command == "uninstall" { &[] } else { &[CHART] };
        self.run(&[&[command, RELEASE], chart, &["--namespace", NAMESPACE], arguments].concat())
    }
}

/// The command that renders the chart without a cluster.
pub(crate) fn template_command() -> [&'static str; 7] {
    ["template", RELEASE, CHART, "--namespace", NAMESPACE, "--kube-version", "1.36.0"]
}

/// The documents of a rendered text.
pub(crate) fn objects(text: &str) -> Result<Vec<Value>> {
    let documents = text.split("\n---\n").map(|document| document.trim_start_matches("---\n"));
    let documents =
        documents.filter(|text| text.lines().any(|line| !line.is_empty() && !line.starts_with('#')));
    documents
        .map(|document| serde_saphyr::from_str(document).with_context(|| format!("no YAML:\n{document}")))
        .collect()
}

/// The only object of a kind with a name.
pub(crate) fn object<'a>(objects: &'a [Value], kind: &str, name: &str) -> Result<&'a Value> {
    let mut found =
        objects.iter().filter(|object| object["kind"] == kind && object["metadata"]["name"] == name);
    let object = found.next().with_context(|| format!("there is no {kind} {name}"))?;
    ensure!(found.next().is_none(), "there are two {kind} {name}");
    Ok(object)
}

/// The folder of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the repository.
pub(crate) fn read(path: &str) -> Result<String> {
    fs::read_to_string(root().join(path)).with_context(|| format!("cannot read {path}"))
}

/// The YAML files of a folder of the repository, by name, sorted.
pub(crate) fn files(folder: &str) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for file in fs::read_dir(root().join(folder)).with_context(|| format!("cannot list {folder}"))? {
        let path = file?.path();
        if path.extension().is_some_and(|it| it == "yaml") {
            files.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    files.sort();
    ensure!(!files.is_empty(), "{folder} has no YAML file");
    Ok(files)
}
