//! Policies in the cluster: the central group's, a domain's, none, and what each says of itself.

use anyhow::{Context, Result, ensure};
use dataproduct_operator::api::{
    DomainPolicy, GovernancePolicy, PolicyStatus,
    status::{PolicyEnforcement, Violation},
};
use kube::Api;

use crate::{
    fixture::{Mesh, PATIENCE, small},
    support::{
        control_plane::Options,
        wait::{Seen, wait_for},
    },
};

const PRODUCT: (&str, &str) = ("orders", "first");

/// Waits until the status of a policy is as it should be.
async fn wait_policy(
    look: impl AsyncFn() -> kube::Result<Option<PolicyStatus>>,
    is_so: impl Fn(&PolicyStatus) -> bool,
) -> Result<PolicyStatus> {
    wait_for("the status of the policy", PATIENCE, || async {
        let status = look().await?.unwrap_or_default();
        Ok(Seen::when(is_so(&status), status.clone(), status))
    })
    .await
}

async fn violation(mesh: &Mesh, id: &str, is_so: impl Fn(&Violation) -> bool) -> Result<()> {
    wait_for(id, PATIENCE, || async {
        let governance = mesh.status(PRODUCT.0, PRODUCT.1).await?.governance.unwrap_or_default();
        let found = governance.violations.iter().find(|violation| violation.id == id);
        Ok(Seen::when(found.is_some_and(&is_so), (), governance.violations))
    })
    .await
}

#[tokio::test]
async fn without_policies_nothing_is_made_and_the_reason_says_what_to_do() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    mesh.plane.kubectl(&["delete", "governancepolicies", "--all"])?;
    let operator = mesh.operator()?;
    mesh.plane.apply(&small("orders", "orders", "first", ""))?;
    let status = mesh.wait_condition(PRODUCT, "Ready", "False", "EvaluationFailed").await?;
    let said = status.condition("Ready").context("Ready")?.message.clone();
    ensure!(said.contains("deploy/policies"), "{said}");
    ensure!(status.resources.iter().all(|resource| resource.id.is_none()), "{:?}", status.resources);
    mesh.plane.install_policies()?;
    mesh.wait_condition(PRODUCT, "Ready", "True", "Ready").await?;
    operator.terminate().await
}

#[tokio::test]
async fn a_domain_adds_rules_and_every_policy_says_how_products_fare() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let operator = mesh.operator()?;
    mesh.plane.apply(&small("orders", "orders", "first", ""))?;
    mesh.wait_condition(PRODUCT, "Ready", "True", "Ready").await?;
    let global: Api<GovernancePolicy> = Api::all(mesh.client.clone());
    let standards = async || Ok(global.get("standards").await?.status);
    wait_policy(standards, |status| (status.evaluated, status.failing, status.faults) == (1, 0, 0)).await?;

    mesh.plane.apply(
        "apiVersion: datamesh.io/v1
kind: DomainPolicy
metadata: {name: own, namespace: orders}
spec:
  state: Grace
  graceUntil: 2999-12-31
  rules:
  - {id: ORDERS-001, builtin: SLO-001, severity: error, parameters: {minimum: 99.99%}}
  - {id: SLO-001, builtin: SLO-002}
",
    )?;
    violation(&mesh, "ORDERS-001", |violation| {
        violation.policy == "DomainPolicy/orders/own"
            && violation.enforcement == PolicyEnforcement::Grace
            && violation.deadline.is_some()
    })
    .await?;
    let of_domain: Api<DomainPolicy> = Api::namespaced(mesh.client.clone(), "orders");
    let own = async || Ok(of_domain.get("own").await?.status);
    let status =
        wait_policy(own, |status| (status.failing, status.violations, status.faults) == (1, 1, 1)).await?;
    ensure!(status.errors[0].message.contains("begins with ORDERS-"), "{:?}", status.errors);

    mesh.plane.kubectl(&[
        "patch",
        "dpol",
        "own",
        "-n",
        "orders",
        "--type",
        "merge",
        "-p",
        r#"{"spec":{"state":"Enforced","graceUntil":null}}"#,
    ])?;
    let status = mesh.wait_condition(PRODUCT, "GovernanceCompliant", "False", "PolicyErrors").await?;
    ensure!(status.outputs.is_some(), "what exists stays");
    let table = mesh.plane.kubectl(&["get", "gpol,dpol", "-A"])?;
    for column in ["STATE", "UNTIL", "PRODUCTS", "FAILING", "FAULTS"] {
        ensure!(table.contains(column), "{column} is missing: {table}");
    }
    mesh.plane.kubectl(&["delete", "dpol", "own", "-n", "orders"])?;
    mesh.wait_condition(PRODUCT, "GovernanceCompliant", "True", "Succeeded").await?;
    operator.terminate().await
}
