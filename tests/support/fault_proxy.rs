//! A proxy that injects faults between a client and an emulator, and counts its calls: microburst, which speaks AWS's
//! protocols, so that a client takes a fault for the service's own.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{
    emulators::{Program, Served},
    plain_http::{get, post},
};

/// Starts microburst. At its first call it would read the models of all services, for seven seconds, to find out whether
/// the host's name is one of AWS's, which no name on loopback is.
const LAUNCH: &str = "
import sys
from microburst import cli
from microburst.detection import host
assert host._endpoint_prefix_map
host._endpoint_prefix_map = dict
sys.exit(cli.main())
";

/// Any service or any operation.
pub(crate) const ANY: &str = "*";

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// The service does not see it; the answer is this error, with the status that the service gives it.
    Refused(&'static str),
    /// The same with a status of our own.
    RefusedWith(&'static str, u16),
    /// The service does not see it; the answer is its error for too many calls.
    Throttled,
    /// The service does not see it; the connection is reset.
    Reset,
    /// The service does not see it; nobody ever answers.
    Silent,
    /// The service sees it and does it so many milliseconds later, whether anybody still waits for the answer or not.
    Late(u32),
    /// It is done; the connection is cut before the answer. An answer without a body, as S3 gives to most changes, is
    /// not lost but passed on: use `Failed` for these.
    Lost,
    /// It is done; half of the answer's body comes, as if that were all. Nothing happens to an answer without a body.
    Halved,
    /// It is done; the head of the answer comes and its body never does. Nothing happens to an answer without a body.
    Stalled,
    /// It is done; the answer is an untyped 500, whatever the true answer is.
    Failed,
}

impl Effect {
    /// The part of a microburst rule that has this effect.
    fn rule(&self, service: &str) -> Value {
        match self {
            Self::Refused(code) => json!({"error": {"code": code}}),
            Self::RefusedWith(code, status) => json!({"error": {"code": code, "status": status}}),
            Self::Throttled if service == "s3" => json!({"error": {"code": "SlowDown"}}),
            Self::Throttled => json!({"error": {"code": "ThrottlingException"}}),
            Self::Reset => json!({"reset": true}),
            // Longer than any test.
            Self::Silent => json!({"timeout_ms": 86_400_000}),
            Self::Late(milliseconds) => json!({"latency": milliseconds}),
            // Not a byte of the body, for a body may have only one. Whether the head comes is a matter of luck.
            Self::Lost => json!({"response": {"abort_bytes": 0}}),
            Self::Halved => json!({"response": {"truncate_frac": 0.5}}),
            Self::Stalled => json!({"response": {"bandwidth_kbps": 0.000_001}}),
            // The proxy itself stumbles over a header that no server may send, once it has the true answer.
            Self::Failed => json!({"response": {"set_headers": {"x-fault": "a\nb"}}}),
        }
    }
}

/// A fault for calls of one operation.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    service: &'static str,
    operation: &'static str,
    call: Option<u32>,
    effect: Effect,
}

impl Fault {
    /// A fault for one call, counted from 1 when the faults are set. Services have the names that they sign with, but
    /// `cloudwatch` and `resourcegroupstaggingapi`; operations those of the API, but S3's for a lifecycle: the proxy takes them for the older
    /// `PutBucketLifecycle` and `GetBucketLifecycle`.
    pub(crate) fn nth(call: u32, service: &'static str, operation: &'static str, effect: Effect) -> Self {
        Self { service, operation, call: Some(call), effect }
    }

    /// A fault for each call that has no other.
    pub(crate) fn every(service: &'static str, operation: &'static str, effect: Effect) -> Self {
        Self { service, operation, call: None, effect }
    }
}

/// A running proxy. Dropping it ends it.
pub(crate) struct FaultProxy {
    served: Served,
}

impl FaultProxy {
    /// Starts a proxy in front of an endpoint. It only counts until faults are set.
    pub(crate) async fn start(upstream: &str) -> Result<Self> {
        let program = Program {
            name: "microburst",
            arguments: &[
                "-c",
                LAUNCH,
                "--host",
                "127.0.0.1",
                "--port",
                "PORT",
                "--no-resign",
                "--upstream",
                upstream,
            ],
            environment: &[],
            ready: "/_microburst/health",
        };
        let proxy = Self { served: Served::start(&program).await? };
        proxy.clear().await?;
        Ok(proxy)
    }

    /// The endpoint for clients.
    pub(crate) fn url(&self) -> &str {
        self.served.url()
    }

    /// Sets the faults from now on, in place of all that were set before. A call has the fault of its operation, or else of
    /// any operation of its service, or else of any service; it is counted only where it is looked for.
    pub(crate) async fn set(&self, faults: &[Fault]) -> Result<()> {
        let mut targets: BTreeMap<(&str, &str), BTreeMap<u32, &Effect>> = BTreeMap::new();
        for fault in faults {
            // Calls are numbered from 1; what is for each call comes after all of these.
            let call = fault.call.unwrap_or(u32::MAX);
            ensure!(call > 0, "the first call is call 1: {fault:?}");
            let calls = targets.entry((fault.service, fault.operation)).or_default();
            ensure!(calls.insert(call, &fault.effect).is_none(), "two faults for one call: {fault:?}");
        }
        let mut rules = Vec::new();
        // Backwards, because `*` is before all names and the first rule that fits decides.
        for ((service, operation), calls) in targets.into_iter().rev() {
            let mut next = 1;
            for (call, effect) in calls {
                if call == u32::MAX {
                    rules.push(rule(service, operation, None, effect.rule(service)));
                    continue;
                }
                // A rule that fits so often and does nothing, so that the next one has its call.
                if call > next {
                    rules.push(rule(service, operation, Some(call - next), json!({})));
                }
                rules.push(rule(service, operation, Some(1), effect.rule(service)));
                next = call + 1;
            }
        }
        // Does nothing to whatever is left, and so it is counted: the proxy counts by operation what a rule has seen.
        rules.push(rule(ANY, ANY, None, json!({})));
        post(&format!("{}/_microburst/rules", self.url()), Value::from(rules).to_string()).await.map(|_| ())
    }

    /// Lets all calls through from now on.
    pub(crate) async fn clear(&self) -> Result<()> {
        self.set(&[]).await
    }

    /// How often an operation was called since the start, faults included.
    pub(crate) async fn calls(&self, service: &str, operation: &str) -> Result<u64> {
        let all = self.all_calls().await?;
        Ok(all.get(&(service.to_owned(), operation.to_owned())).copied().unwrap_or_default())
    }

    /// How often each operation was called since the start, by service and operation. What the proxy did not recognize is
    /// `unknown`.
    pub(crate) async fn all_calls(&self) -> Result<BTreeMap<(String, String), u64>> {
        let mut all = BTreeMap::new();
        let metrics = get(&format!("{}/_microburst/metrics", self.url())).await?;
        for line in metrics.lines().filter_map(|line| line.strip_prefix("microburst_faults_total{")) {
            let (labels, count) = line.rsplit_once("} ").context("a line without a count")?;
            let label = |name: &str| {
                let value = labels.split_once(&format!("{name}=\""))?.1.split('"').next()?;
                Some(value.to_owned())
            };
            let operation =
                label("service").zip(label("operation")).context("a count without an operation")?;
            // There is a line for each effect.
            *all.entry(operation).or_default() += count.parse::<u64>()?;
        }
        Ok(all)
    }

    /// Id of the process group.
    pub(crate) fn group(&self) -> u32 {
        self.served.group()
    }
}

fn rule(service: &str, operation: &str, times: Option<u32>, effect: Value) -> Value {
    let mut rule = effect;
    rule["service"] = service.into();
    if operation != ANY {
        rule["operation"] = operation.into();
    }
    if let Some(times) = times {
        rule["times"] = times.into();
    }
    rule
}
