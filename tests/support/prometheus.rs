//! A real Prometheus that scrapes one operator.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use super::{
    plain_http,
    ports::free_port,
    process::Kept,
    wait::{Seen, wait_for},
};

/// Longest wait until it answers.
const READY: Duration = Duration::from_mins(1);

/// A running Prometheus. Dropping it kills it.
pub(crate) struct Prometheus {
    _process: Kept,
    _folder: TempDir,
    url: String,
}

/// A program that `make prometheus` has installed.
fn program(name: &str) -> Result<PathBuf> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/prometheus").join(name);
    ensure!(program.exists(), "{name} is missing; run `make prometheus` first");
    Ok(program)
}

impl Prometheus {
    /// Starts one that looks every second at an address, and evaluates rules as often.
    pub(crate) async fn start(target: &str, rules: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("prometheus-").tempdir()?;
        let file = |name: &str| folder.path().join(name).display().to_string();
        fs::write(file("rules.yaml"), rules)?;
        let config = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [rules.yaml]
scrape_configs:
- job_name: dataproduct-operator
  honor_labels: true
  static_configs: [{{targets: [\"{target}\"]}}]
"
        );
        fs::write(file("prometheus.yaml"), config)?;
        let address = format!("127.0.0.1:{}", free_port()?);
        let arguments = [
            format!("--config.file={}", file("prometheus.yaml")),
            format!("--storage.tsdb.path={}", file("data")),
            format!("--web.listen-address={address}"),
            "--log.level=warn".to_owned(),
        ];
        let log = folder.path().join("log");
        let mut process = Kept::start(&program("prometheus")?, &arguments, &[], &log)?;
        let url = format!("http://{address}");
        let ready = wait_for("Prometheus is ready", READY, || {
            let (url, running) = (format!("{url}/-/ready"), process.is_running());
            async move { Ok(Seen::when(running && plain_http::get(&url).await.is_ok(), (), running)) }
        });
        ready.await.with_context(|| fs::read_to_string(&log).unwrap_or_default())?;
        Ok(Self { _process: process, _folder: folder, url })
    }

    /// What its API answers: the data, an error where it is none.
    pub(crate) async fn ask(&self, path: &str) -> Result<Value> {
        let answer: Value =
            serde_json::from_str(&plain_http::get(&format!("{}/api/v1/{path}", self.url)).await?)?;
        ensure!(answer["status"] == "success", "{path}: {answer}");
        Ok(answer["data"].clone())
    }

    /// The series that a query gives now.
    pub(crate) async fn query(&self, query: &str) -> Result<Vec<Value>> {
        // Whatever is no letter or digit is said by its number.
        let encoded = query.bytes().map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        });
        let data = self.ask(&format!("query?query={}", encoded.collect::<String>())).await?;
        data["result"].as_array().cloned().with_context(|| format!("{query}: {data}"))
    }

    /// Waits until a query gives just so many series.
    pub(crate) async fn wait(&self, query: &str, count: usize, patience: Duration) -> Result<Vec<Value>> {
        wait_for(&format!("{count} series of {query}"), patience, || async {
            let found = self.query(query).await?;
            Ok(Seen::when(found.len() == count, found.clone(), found))
        })
        .await
    }
}

/// What `promtool check metrics` says of a text; nothing where it is content.
pub(crate) fn check_metrics(text: &str) -> Result<String> {
    let mut child = Command::new(program("promtool")?)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().context("an input")?.write_all(text.as_bytes())?;
    let output = child.wait_with_output()?;
    let said = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&said).into_owned())
}
