//! The operator in this process, so that what it does can be counted exactly: visits, evaluations, writes.

use std::{future::Future, sync::Arc};

use anyhow::{Result, ensure};
use async_trait::async_trait;
use dataproduct_operator::{
    controller::{self, context::Context},
    model::{
        measurement::{Reading, Subject},
        resource::{Delta, Desired, Observed, Removal, Sought},
    },
    provider::{
        Capabilities, Operation, Provider, ProviderError, Removed, SharedProvider, registry::Registry,
    },
};
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    fixture::{Mesh, PATIENCE, small},
    support::{
        control_plane::Options,
        wait::{Seen, wait_for},
    },
};

/// An operator in this process.
pub(crate) struct Inner {
    pub(crate) ctx: Arc<Context>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), controller::ControllerError>>,
}

impl Inner {
    pub(crate) async fn start(mesh: &Mesh, registry: Registry) -> Result<Self> {
        // What the operator says is shown when the test fails.
        let said = tracing_subscriber::fmt().with_test_writer().with_env_filter("dataproduct_operator=info");
        // Another test of this process may have begun to listen already.
        let _ = said.try_init();
        let client = mesh.plane.client().await?;
        let cluster = controller::kubernetes::cluster_id(&client).await?;
        let ctx = Arc::new(Context::new(client, cluster, registry));
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown: std::pin::Pin<Box<dyn Future<Output = ()> + Send + Sync>> = Box::pin(async {
            // A sender that is dropped asks for the end as well.
            let _ = stopped.await;
        });
        let task = tokio::spawn(controller::run(Arc::clone(&ctx), None, shutdown));
        Ok(Self { ctx, stop, task })
    }

    /// Waits until there were so many evaluations.
    async fn wait_evaluations(&self, count: u64) -> Result<()> {
        wait_for(&format!("{count} evaluations"), PATIENCE, || async {
            let now = self.ctx.evaluations();
            Ok(Seen::when(now >= count, (), now))
        })
        .await
    }

    pub(crate) async fn stop(self) -> Result<()> {
        let _ = self.stop.send(());
        Ok(self.task.await??)
    }
}

#[tokio::test]
async fn a_change_of_the_surroundings_costs_one_evaluation_for_each_product_that_it_touches() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let operator = Inner::start(&mesh, Registry::default()).await?;
    for n in 0..3 {
        mesh.plane.apply(&small("orders", "orders", &format!("o{n}"), ""))?;
    }
    mesh.plane.apply(&small("customer", "customer", "c0", ""))?;
    for product in [("orders", "o0"), ("orders", "o1"), ("orders", "o2"), ("customer", "c0")] {
        mesh.wait_condition(product, "Ready", "True", "Ready").await?;
    }
    // Every product was visited for itself, judged before and after it was made, and visited once more for the finalizer
    // that it got.
    operator.wait_evaluations(12).await?;
    let steps = [
        ("datadomain", "orders", r#"{"spec":{"description":"Words."}}"#, 3),
        ("datadomain", "insight", r#"{"spec":{"description":"Words."}}"#, 0),
        ("providerclass", "local", r#"{"spec":{"resyncInterval":"1 hour"}}"#, 4),
        ("platformstandards", "default", r#"{"spec":{"scoring":{"warning":3}}}"#, 4),
        ("datadomain", "customer", r#"{"spec":{"description":"Words."}}"#, 1),
        // All whom the policy judged before, and from then on only those whom it judges.
        ("governancepolicy", "standards", r#"{"spec":{"match":{"domains":["orders"]}}}"#, 4),
        ("governancepolicy", "standards", r#"{"spec":{"graceUntil":"2999-12-31"}}"#, 3),
        ("governancepolicy", "standards", r#"{"metadata":{"labels":{"a":"b"}}}"#, 0),
        ("governancepolicy", "core", r#"{"spec":{"match":{"classification":["internal"]}}}"#, 4),
    ];
    for (number, (kind, name, patch, touched)) in steps.into_iter().enumerate() {
        let before = operator.ctx.evaluations();
        mesh.patch(kind, name, patch)?;
        operator.wait_evaluations(before + touched).await?;
        // A product that is touched next is visited after all that was touched before.
        mesh.annotate(("customer", "c0"), &format!("datamesh.io/reconcile-at={number}"))?;
        wait_for("the mark behind it", PATIENCE, || async {
            let echoed = mesh.status("customer", "c0").await?.last_handled_reconcile_at;
            Ok(Seen::when(echoed == Some(number.to_string()), (), echoed))
        })
        .await?;
        let counted = operator.ctx.evaluations() - before;
        ensure!(
            counted == touched + 1,
            "{kind}/{name} {patch}: {counted} evaluations, expected {touched} and the mark"
        );
    }
    operator.stop().await
}

#[tokio::test]
async fn an_edit_of_a_product_has_only_the_policies_evaluated_that_read_what_changed() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let policy = |name: &str, expression: &str| {
        format!(
            "apiVersion: datamesh.io/v1
kind: GovernancePolicy
metadata: {{name: {name}}}
spec:
  state: Draft
  rules:
  - {{id: X-001, cel: {{expression: {expression:?}, message: m}}}}
"
        )
    };
    let policies = [
        policy("words", "object.spec.description.size() > 3"),
        policy("tags", "!has(object.spec.tags) || object.spec.tags.size() < 5"),
        policy("labels", "object.metadata.?labels.orValue({}).size() < 5"),
        policy("everything", "object.spec.size() > 0"),
    ];
    mesh.plane.apply(&policies.join("---\n"))?;
    let operator = Inner::start(&mesh, Registry::default()).await?;
    mesh.plane.apply(&small("orders", "orders", "o0", ""))?;
    mesh.wait_condition(("orders", "o0"), "Ready", "True", "Ready").await?;
    // Judged by four policies and the three that come with the operator, of which one reads what the steps have made.
    operator.wait_evaluations(3).await?;
    ensure!(operator.ctx.policy_evaluations() == 8, "{}", operator.ctx.policy_evaluations());
    let steps = [
        (
            r#"{"metadata":{"annotations":{"datamesh.io/reconcile-at":"1"}}}"#,
            2,
            "labels, and standards for a justification",
        ),
        (r#"{"spec":{"tags":["a"]}}"#, 2, "tags and everything"),
        (r#"{"spec":{"description":"Other words."}}"#, 4, "words, everything, standards and consistency"),
        (r#"{"metadata":{"labels":{"a":"b"}}}"#, 2, "labels, and standards for a justification"),
    ];
    for (patch, evaluated, why) in steps {
        let (visits, before) = (operator.ctx.evaluations(), operator.ctx.policy_evaluations());
        mesh.plane.kubectl(&[
            "patch",
            "dataproduct",
            "o0",
            "-n",
            "orders",
            "--type",
            "merge",
            "-p",
            patch,
        ])?;
        operator.wait_evaluations(visits + 1).await?;
        let counted = operator.ctx.policy_evaluations() - before;
        ensure!(counted == evaluated, "{patch}: {counted} policies evaluated, expected {evaluated}: {why}");
    }
    operator.stop().await
}

#[tokio::test]
async fn three_rounds_of_visits_at_rest_write_nothing() -> Result<()> {
    let mesh = Mesh::start(Options { audit: true, ..Options::default() }).await?;
    let products = 50;
    let manifests =
        (0..products).map(|n| small("orders", "orders", &format!("p{n}"), "")).collect::<Vec<_>>();
    mesh.plane.apply(&manifests.join("---\n"))?;
    mesh.patch("providerclass", "local", r#"{"spec":{"resyncInterval":"1 second"}}"#)?;
    let operator = Inner::start(&mesh, Registry::default()).await?;
    for n in 0..products {
        mesh.wait_condition(("orders", &format!("p{n}")), "Ready", "True", "Ready").await?;
    }
    // Finalizer and status for each.
    let writes = 2 * products;
    mesh.expect_writes(writes).await?;
    let evaluations = operator.ctx.evaluations();
    operator.wait_evaluations(evaluations + 3 * products as u64).await?;
    ensure!(mesh.product_writes()? == writes, "{} writes at rest", mesh.product_writes()? - writes);
    let calls = |operation: Operation| -> u64 {
        let counted = operator.ctx.registry.counters().snapshot();
        counted.into_iter().filter(|((counted, ..), _)| *counted == operation).map(|(_, count)| count).sum()
    };
    let changes = [Operation::Create, Operation::Update, Operation::Delete].map(calls);
    ensure!(
        changes == [5 * products as u64, 0, 0],
        "each resource is made once and then left alone: {changes:?}"
    );
    operator.stop().await
}

#[tokio::test]
async fn what_others_write_into_the_status_goes_but_for_conditions_of_their_own_and_then_there_is_rest()
-> Result<()> {
    let mesh = Mesh::start(Options { audit: true, ..Options::default() }).await?;
    let quick = r#"{"spec":{"resyncInterval":"1 second"}}"#;
    mesh.patch("providerclass", "local", quick)?;
    let operator = Inner::start(&mesh, Registry::default()).await?;
    mesh.plane.apply(&small("orders", "orders", "seen", ""))?;
    mesh.wait_condition(("orders", "seen"), "Ready", "True", "Ready").await?;
    let scanned = "\
apiVersion: datamesh.io/v1
kind: DataProduct
metadata: {name: seen, namespace: orders}
status:
  contract: {version: 9.9.9}
  governance: {score: 1}
  conditions:
  - {type: Scanned, status: 'True', reason: Scanned, message: by somebody, lastTransitionTime: 2026-01-01T00:00:00Z}
";
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), scanned)?;
    mesh.plane.kubectl(&[
        "apply",
        "--server-side",
        "--force-conflicts",
        "--subresource=status",
        "--field-manager=scanner",
        "-f",
        &file.path().display().to_string(),
    ])?;
    let truth = wait_for("the truth is back", PATIENCE, || async {
        let status = mesh.status("orders", "seen").await?;
        let score = status.governance.as_ref().and_then(|governance| governance.score);
        let is_so = status.contract.is_none() && score == Some(100);
        Ok(Seen::when(is_so, status.clone(), (status.contract, score)))
    })
    .await?;
    ensure!(truth.condition("Scanned").is_some(), "a condition of others is theirs: {:?}", truth.conditions);
    let (writes, evaluations) = (mesh.product_writes()?, operator.ctx.evaluations());
    operator.wait_evaluations(evaluations + 3).await?;
    ensure!(mesh.product_writes()? == writes, "{} writes at rest", mesh.product_writes()? - writes);
    operator.stop().await
}

#[tokio::test]
async fn two_operators_at_once_make_one_of_each_and_then_both_rest() -> Result<()> {
    const PRODUCTS: usize = 20;
    let mesh = Mesh::start(Options { audit: true, ..Options::default() }).await?;
    mesh.patch("providerclass", "local", r#"{"spec":{"resyncInterval":"1 second"}}"#)?;
    let operators =
        [Inner::start(&mesh, Registry::default()).await?, Inner::start(&mesh, Registry::default()).await?];
    let names = (0..PRODUCTS).map(|n| format!("p{n}")).collect::<Vec<_>>();
    // Made, changed, and half of them deleted, while both work on all of them.
    for version in ["1.0.0", "1.1.0"] {
        let manifests =
            names.iter().map(|name| small("orders", "orders", name, "").replace("1.0.0", version));
        mesh.plane.apply(&manifests.collect::<Vec<_>>().join("---\n"))?;
        for name in &names {
            mesh.wait_condition(("orders", name), "Ready", "True", "Ready").await?;
        }
    }
    let (going, staying) = names.split_at(PRODUCTS / 2);
    for name in going {
        mesh.plane.kubectl(&["delete", "dp", name, "-n", "orders", "--wait=false"])?;
    }
    for name in going {
        mesh.wait_gone("orders", name).await?;
    }
    let ledger = mesh.ledger()?;
    let released = ledger.iter().filter(|row| row.3).count();
    ensure!(released == 3 * going.len(), "bucket, key and database of each that is gone: {released}");
    ensure!(ledger.len() - released == 5 * staying.len(), "five of each that stays: {ledger:?}");

    let rounds = 3 * staying.len() as u64;
    let both_look = async || -> Result<usize> {
        for operator in &operators {
            operator.wait_evaluations(operator.ctx.evaluations() + rounds).await?;
        }
        mesh.product_writes()
    };
    // What one of them wrote last may still be news to the other in the first rounds.
    let settled = both_look().await?;
    let later = both_look().await?;
    ensure!(later == settled, "{} writes at rest", later - settled);
    for operator in operators {
        operator.stop().await?;
    }
    Ok(())
}

/// A provider that panics when it is asked for anything of a product named `boom`.
struct Panicking(SharedProvider);

#[async_trait]
impl Provider for Panicking {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    async fn observe(&self, sought: &Sought) -> Result<Option<Observed>, ProviderError> {
        assert!(!sought.key.name.contains("boom"), "on purpose");
        self.0.observe(sought).await
    }

    async fn create(&self, desired: &Desired) -> Result<(), ProviderError> {
        self.0.create(desired).await
    }

    async fn update(&self, desired: &Desired, delta: &Delta) -> Result<(), ProviderError> {
        self.0.update(desired, delta).await
    }

    async fn delete(&self, removal: &Removal) -> Result<Removed, ProviderError> {
        self.0.delete(removal).await
    }

    async fn measure(&self, subject: &Subject) -> Result<Vec<Reading>, ProviderError> {
        self.0.measure(subject).await
    }
}

#[tokio::test]
async fn a_panic_in_one_visit_harms_no_other_product() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let registry = Registry::wrapped(Box::new(|backend| Arc::new(Panicking(backend))));
    let operator = Inner::start(&mesh, registry).await?;
    mesh.plane.apply(&small("orders", "orders", "boom", ""))?;
    let set_aside = mesh.wait_condition(("orders", "boom"), "Ready", "False", "Quarantined").await?;
    ensure!(set_aside.condition("Stalled").is_some(), "somebody must look");
    mesh.plane.apply(&small("orders", "orders", "fine", ""))?;
    mesh.wait_condition(("orders", "fine"), "Ready", "True", "Ready").await?;
    operator.stop().await
}
