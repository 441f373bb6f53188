//! The operator as a process on a real API server, with the emulators as its cloud: it is killed at each write, and what
//! it writes to the cluster is counted.

use anyhow::{Context, Result, ensure};
use dataproduct_operator::api::status::ResourceState;

use crate::{
    audit::Auditor,
    fixture::{Mesh, PATIENCE, example, small},
    support::{
        control_plane::Options,
        emulators::{self, Emulators},
        fault_proxy::{Effect, Fault, FaultProxy},
        operator::Operator,
        wait::{Seen, wait_for},
    },
};

/// Keys that open nothing outside of the emulators.
pub(crate) const KEYS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "testing"),
    ("AWS_SECRET_ACCESS_KEY", "testing"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
];

/// The calls that make a product, but for the topic of its domain.
pub(crate) const WRITES: [(&str, &str); 11] = [
    ("kms", "CreateKey"),
    ("kms", "CreateAlias"),
    ("kms", "EnableKeyRotation"),
    ("s3", "CreateBucket"),
    ("s3", "PutPublicAccessBlock"),
    ("s3", "PutBucketEncryption"),
    ("s3", "PutBucketVersioning"),
    ("s3", "PutBucketPolicy"),
    ("glue", "CreateDatabase"),
    ("lakeformation", "BatchGrantPermissions"),
    ("cloudwatch", "PutMetricAlarm"),
];

/// The example platform on AWS, led to emulators at these addresses, and with a short wait for lost keys.
fn platform(moto: &str, ministack: &str) -> Result<String> {
    let endpoints = emulators::endpoints(moto, ministack, "    ");
    let more = format!("    region: eu-central-1\n    lostCreateWait: 3 seconds\n{endpoints}");
    Ok(example("platform-aws.yaml")?.replace("    region: eu-central-1\n", &more))
}

pub(crate) struct Cluster {
    pub(crate) mesh: Mesh,
    pub(crate) emulators: Emulators,
    pub(crate) moto: FaultProxy,
    ministack: FaultProxy,
}

impl Cluster {
    pub(crate) async fn start() -> Result<Self> {
        let mesh = Mesh::start(Options { audit: true, ..Options::default() }).await?;
        let emulators = Emulators::start().await?;
        let (moto, ministack) = tokio::try_join!(
            FaultProxy::start(emulators.moto_url()),
            FaultProxy::start(emulators.ministack_url())
        )?;
        mesh.plane.apply(&platform(moto.url(), ministack.url())?)?;
        Ok(Self { mesh, emulators, moto, ministack })
    }

    pub(crate) fn operator(&self) -> Result<Operator> {
        self.mesh.operator_in(&KEYS)
    }

    /// Starts an operator that visits products while it holds the Lease.
    pub(crate) fn replica(&self, name: &str) -> Result<Operator> {
        let environment = [("DATAPRODUCT_LEADER_ELECT", "true"), ("POD_NAME", name)];
        self.mesh.operator_in(&[KEYS.as_slice(), environment.as_slice()].concat())
    }

    fn proxy(&self, service: &str) -> &FaultProxy {
        if ["cloudwatch", "sns"].contains(&service) { &self.ministack } else { &self.moto }
    }

    pub(crate) async fn ready(&self, name: &str) -> Result<()> {
        let status = self.mesh.wait_condition(("orders", name), "Ready", "True", "Ready").await?;
        let open = status.resources.iter().filter(|resource| resource.state != ResourceState::InSync);
        let open = open.collect::<Vec<_>>();
        ensure!(status.resources.len() == 5 && open.is_empty(), "{open:?}");
        Ok(())
    }
}

#[tokio::test]
async fn a_product_becomes_ready_with_three_writes_and_leaves_its_data_when_it_goes() -> Result<()> {
    let cluster = Cluster::start().await?;
    let auditor = Auditor::of(&cluster.emulators);
    let operator = cluster.operator()?;
    cluster.mesh.plane.apply(&small("orders", "orders", "first", ""))?;
    cluster.ready("first").await?;
    // Finalizer, intent, status: on a backend whose keys may not be made twice the word before costs one more.
    cluster.mesh.expect_writes(3).await?;

    let metrics = operator.metrics().await?;
    for (service, operation) in WRITES {
        let labels = format!(r#"backend="aws",service="{service}",operation="{operation}",outcome="ok""#);
        let line = format!("datamesh_provider_requests_total{{{labels}}} 1\n");
        ensure!(metrics.contains(&line), "{line}{metrics}");
    }
    let line = r#"datamesh_provider_operations_total{operation="create",kind="Bucket",outcome="ok"} 1"#;
    ensure!(metrics.contains(line), "{line}\n{metrics}");

    cluster.mesh.plane.kubectl(&["delete", "dp", "first", "-n", "orders", "--timeout=30s"])?;
    ensure!(auditor.keys("orders/first").await? == (1, 0), "the key stays");
    let tags = auditor.s3.get_bucket_tagging().bucket("orders-first-123456789012").send().await?;
    let released = tags.tag_set.iter().any(|tag| tag.key == "datamesh.io/released" && tag.value == "true");
    ensure!(released, "the bucket stays and is released: {tags:?}");
    let alarms = auditor.cloudwatch.describe_alarms().alarm_names("orders-first-freshness").send().await?;
    ensure!(alarms.metric_alarms().is_empty(), "the alarm goes");
    Ok(())
}

#[tokio::test]
async fn killed_at_any_write_the_operator_ends_with_one_of_each() -> Result<()> {
    let cluster = Cluster::start().await?;
    let auditor = Auditor::of(&cluster.emulators);
    let mut operator = cluster.operator()?;
    for (number, (service, operation)) in WRITES.into_iter().enumerate() {
        // Before it is done, and after it was done while the answer does not come.
        for (letter, effect) in [('b', Effect::Silent), ('a', Effect::Stalled)] {
            let name = format!("k{number}{letter}");
            let told = || format!("killed at {operation}: {effect:?}");
            let proxy = cluster.proxy(service);
            let before = proxy.calls(service, operation).await?;
            proxy.set(&[Fault::nth(1, service, operation, effect.clone())]).await?;
            cluster.mesh.plane.apply(&small("orders", "orders", &name, ""))?;
            wait_for("the call is made", PATIENCE, || async {
                let calls = proxy.calls(service, operation).await?;
                Ok(Seen::when(calls > before, (), calls))
            })
            .await
            .with_context(told)?;
            operator.kill9();
            proxy.clear().await?;
            operator = cluster.operator()?;
            cluster.ready(&name).await.with_context(told)?;
            let keys = auditor.keys(&format!("orders/{name}")).await?;
            ensure!(keys == (1, 0), "{}: {keys:?}", told());
        }
    }
    Ok(())
}
