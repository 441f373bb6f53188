//! AWS on loopback: moto for S3, KMS, Glue, Lake Formation, IAM, STS and tagging, and `MiniStack` for `CloudWatch`, SNS and
//! SQS. What stands between a client and either of them is in `fault_proxy`.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use ::http::Request;
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    plain_http::{get, post, send_ok},
    ports::free_port,
    process::Kept,
    wait::{Seen, wait_for},
};

/// The account of everybody who is not somebody else, in both emulators; moto's default.
pub(crate) const ACCOUNT: &str = "123456789012";
/// The region of whoever does not name one.
pub(crate) const REGION: &str = "eu-central-1";

/// The program that starts moto.
const MOTO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/emulators/moto_server.py");

const READY: Duration = Duration::from_mins(1);
/// Starts that are tried, because a free port may be taken by somebody else before it is used.
const STARTS: usize = 3;

/// One Python program that serves HTTP on a port of its own. Dropping it ends it.
pub(crate) struct Served {
    // The order matters: the child ends before its folder goes.
    process: Kept,
    url: String,
    _folder: TempDir,
}

/// How such a program is started.
pub(crate) struct Program<'a> {
    /// Its name in errors.
    pub(crate) name: &'a str,
    /// The arguments of Python; `PORT` stands for the port.
    pub(crate) arguments: &'a [&'a str],
    /// Its environment on top of what all have; `PORT` stands for the port.
    pub(crate) environment: &'a [(&'a str, &'a str)],
    /// The path that answers when it is ready.
    pub(crate) ready: &'a str,
}

impl Served {
    /// Starts a program and waits until it answers.
    pub(crate) async fn start(program: &Program<'_>) -> Result<Self> {
        let mut last = None;
        for _ in 0..STARTS {
            match Self::start_once(program).await {
                Ok(started) => return Ok(started),
                Err(error) => last = Some(error),
            }
        }
        Err(last.context("no start was tried")?)
    }

    async fn start_once(program: &Program<'_>) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("emulator-").tempdir()?;
        let port = free_port()?.to_string();
        let url = format!("http://127.0.0.1:{port}");
        let log = folder.path().join("log");
        let filled = |text: &str| text.replace("PORT", &port);
        // Nothing of the person who runs the tests, as a profile that they do not have: only what follows.
        let mut arguments = vec!["-i".to_owned()];
        let path = std::env::var("PATH").unwrap_or_default();
        let home = folder.path().display().to_string();
        let common = [
            ("PATH", path.as_str()),
            // What they leave, as a file with the process's id, goes with the folder.
            ("HOME", &home),
            ("TMPDIR", &home),
            // Keys that open nothing, and no asking the machine for its role.
            ("AWS_ACCESS_KEY_ID", "testing"),
            ("AWS_SECRET_ACCESS_KEY", "testing"),
            ("AWS_DEFAULT_REGION", REGION),
            ("AWS_REGION", REGION),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            // No compiled copies beside our own sources.
            ("PYTHONDONTWRITEBYTECODE", "1"),
            // Output is read while they run.
            ("PYTHONUNBUFFERED", "1"),
        ];
        let environment = common.iter().chain(program.environment);
        arguments.extend(environment.map(|(name, value)| format!("{name}={}", filled(value))));
        arguments.push(python()?.display().to_string());
        arguments.extend(program.arguments.iter().map(|argument| filled(argument)));
        let process = Kept::start(Path::new("env"), &arguments, &[], &log)?;
        let mut served = Self { process, url, _folder: folder };

        let address = format!("{}{}", served.url, program.ready);
        let url = served.url.clone();
        let what = format!("{} answers", program.name);
        let waited = wait_for(&what, READY, || {
            let (running, address, url, log) =
                (served.process.is_running(), address.clone(), url.clone(), log.clone());
            // What ended, as a program does whose port was taken meanwhile, will not answer; and whoever took the port
            // may answer in its place, so that the program itself must have said that it has it.
            async move {
                if !running {
                    return Ok(Seen::Yes(false));
                }
                get(&address).await?;
                let said = fs::read_to_string(&log)?;
                Ok(Seen::when(said.contains(&url), true, "somebody else's answer"))
            }
        });
        let problem = match waited.await {
            Ok(true) => return Ok(served),
            Ok(false) => format!("{} ended before it answered", program.name),
            Err(error) => format!("{error:#}"),
        };
        bail!("{problem}; its log:\n{}", fs::read_to_string(&log).unwrap_or_default())
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Id of its process group.
    pub(crate) fn group(&self) -> u32 {
        self.process.group()
    }
}

/// The Python that has the emulators, installed by `make emulators`.
fn python() -> Result<PathBuf> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/emulators");
    ensure!(place.join(".stamp").exists(), "the AWS emulators are missing; run `make emulators` first");
    Ok(place.join("bin/python"))
}

/// The block `endpoints` of a provider class that leads to emulators, or proxies before them, at these addresses.
pub(crate) fn endpoints(moto: &str, ministack: &str, indent: &str) -> String {
    format!("{indent}endpoints: {{default: \"{moto}\", cloudwatch: \"{ministack}\", sns: \"{ministack}\"}}\n")
}

/// Both emulators. Dropping them ends them.
pub(crate) struct Emulators {
    moto: Served,
    ministack: Served,
}

impl Emulators {
    /// Starts both and waits until they answer.
    pub(crate) async fn start() -> Result<Self> {
        Self::start_with(&[]).await
    }

    /// Starts both with more in moto's environment, as `INITIAL_NO_AUTH_ACTION_COUNT`, the number of calls after which
    /// permissions are looked at.
    pub(crate) async fn start_with(environment: &[(&str, &str)]) -> Result<Self> {
        let mut of_moto = vec![
            // Another account's bucket is as forbidden as it is in AWS.
            ("MOTO_S3_ALLOW_CROSSACCOUNT_ACCESS", "false"),
            // Pictures of machines that nobody here starts take a second to load.
            ("MOTO_EC2_LOAD_DEFAULT_AMIS", "false"),
        ];
        of_moto.extend(environment);
        let moto = Program {
            name: "moto",
            arguments: &[MOTO, "-H", "127.0.0.1", "-p", "PORT"],
            environment: &of_moto,
            ready: "/moto-api/data.json",
        };
        let ministack = Program {
            name: "MiniStack",
            arguments: &["-m", "ministack"],
            environment: &[
                // Without it MiniStack listens on every address of the machine.
                ("BIND_HOST", "127.0.0.1"),
                ("GATEWAY_PORT", "PORT"),
                ("MINISTACK_ACCOUNT_ID", ACCOUNT),
                ("MINISTACK_REGION", REGION),
                // Its broker for devices listens on every address whatever BIND_HOST is, and on a fixed port.
                ("IOT_MTLS_ENABLED", "0"),
                ("SFTP_ENABLED", "0"),
                // It would look for containers that it left behind.
                ("DOCKER_HOST", "unix:///nowhere"),
            ],
            ready: "/_ministack/health",
        };
        let (moto, ministack) = tokio::try_join!(Served::start(&moto), Served::start(&ministack))?;
        Ok(Self { moto, ministack })
    }

    /// Endpoint of S3, KMS, Glue, Lake Formation, IAM, STS and tagging.
    pub(crate) fn moto_url(&self) -> &str {
        self.moto.url()
    }

    /// Endpoint of `CloudWatch`, SNS and SQS.
    pub(crate) fn ministack_url(&self) -> &str {
        self.ministack.url()
    }

    /// The block `endpoints` of a provider class that leads to both, with an indent before each line.
    pub(crate) fn endpoints(&self, indent: &str) -> String {
        endpoints(self.moto_url(), self.ministack_url(), indent)
    }

    /// A request to S3 in an account, as somebody there would make it who is not the operator.
    pub(crate) async fn put(&self, account: &str, path: &str, body: &str) -> Result<()> {
        let request =
            Request::put(format!("{}/{path}", self.moto_url())).header("X-Moto-Account-Id", account);
        send_ok(request.body(body.to_owned())?).await.map(drop)
    }

    /// Publishes a value of a metric of a product, by its domain and its name, as whoever runs its pipeline would.
    pub(crate) async fn publish(
        &self,
        region: &str,
        (domain, product): (&str, &str),
        metric: &str,
        value: f64,
    ) -> Result<()> {
        let body = json!({
            "Namespace": format!("DataMesh/{domain}"),
            "MetricData": [{
                "MetricName": metric,
                "Value": value,
                "Dimensions": [{"Name": "DataProduct", "Value": product}],
            }],
        });
        let answer =
            self.cloudwatch(region, "PutMetricData", &body).await.context("a metric cannot be published")?;
        ensure!(!answer.contains("Error"), "{answer}");
        Ok(())
    }

    /// Forgets everything in both. Whether permissions are looked at stays as it is.
    pub(crate) async fn reset(&self) -> Result<()> {
        post(&format!("{}/moto-api/reset", self.moto_url()), "").await?;
        post(&format!("{}/_ministack/reset", self.ministack_url()), "").await?;
        Ok(())
    }

    /// The answer of CloudWatch in a region.
    async fn cloudwatch(&self, region: &str, operation: &str, body: &Value) -> Result<String> {
        let request = Request::post(format!("{}/", self.ministack_url()))
            .header("Content-Type", "application/x-amz-json-1.0")
            .header("X-Amz-Target", format!("GraniteServiceVersion20100801.{operation}"))
            // The emulator takes the region from it and does not check it.
            .header("Authorization", signed(region, "monitoring"));
        send_ok(request.body(body.to_string())?).await
    }

    /// Everything that moto holds, by service and kind, and what its dump leaves out: the grants, and the alarms, which are
    /// in the other emulator. It names no account, and secrets are not hidden.
    pub(crate) async fn dump(&self) -> Result<Value> {
        let text = get(&format!("{}/moto-api/data.json", self.moto_url())).await?;
        let mut all: Value = serde_json::from_str(&text).context("moto's state is no JSON")?;
        let request = Request::post(format!("{}/ListPermissions", self.moto_url()))
            .header("Content-Type", "application/json")
            .header("Authorization", signed(REGION, "lakeformation"));
        let grants = send_ok(request.body("{}".to_owned())?).await.context("grants cannot be listed")?;
        let alarms = self.cloudwatch(REGION, "DescribeAlarms", &json!({})).await?;
        all["grants"] = serde_json::from_str(&grants).context("the grants are no JSON")?;
        all["alarms"] = serde_json::from_str(&alarms).context("the alarms are no JSON")?;
        Ok(all)
    }

    /// Lets moto look at permissions after so many calls from now on, or not any more.
    pub(crate) async fn check_permissions_after(&self, calls: Option<u32>) -> Result<()> {
        let calls = calls.map_or_else(|| "inf".to_owned(), |calls| calls.to_string());
        post(&format!("{}/moto-api/reset-auth", self.moto_url()), calls).await.map(|_| ())
    }

    /// Ids of the process groups.
    pub(crate) fn groups(&self) -> [u32; 2] {
        [self.moto.group(), self.ministack.group()]
    }
}

/// A signature that the emulators take a region and a service from, and do not check.
fn signed(region: &str, service: &str) -> String {
    let scope = format!("testing/20261126/{region}/{service}/aws4_request");
    format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0")
}
