//! Policies in the cluster: the central group's, a domain's, none, and what each says of itself.

use anyhow::{Context, Result, ensure};
use dataproduct_operator::api::{
    DomainPolicy, ExceptionState, GovernancePolicy, PolicyException, PolicyStatus,
    status::{PolicyEnforcement, Violation},
};
use jiff::SignedDuration;
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

    // A label of the product decides, and that is no change of its spec.
    let gold = r#"{"spec":{"match":{"selector":{"matchLabels":{"tier":"gold"}}}}}"#;
    mesh.plane.kubectl(&["patch", "dpol", "own", "-n", "orders", "--type", "merge", "-p", gold])?;
    mesh.wait_condition(PRODUCT, "GovernanceCompliant", "True", "Succeeded").await?;
    mesh.plane.kubectl(&["label", "dp", "first", "-n", "orders", "tier=gold"])?;
    mesh.wait_condition(PRODUCT, "GovernanceCompliant", "False", "PolicyErrors").await?;
    mesh.plane.kubectl(&["delete", "dpol", "own", "-n", "orders"])?;
    mesh.wait_condition(PRODUCT, "GovernanceCompliant", "True", "Succeeded").await?;
    operator.terminate().await
}

#[tokio::test]
async fn a_rule_that_is_an_expression_judges_the_mesh_and_one_that_is_none_is_a_fault_of_its_policy()
-> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let operator = mesh.operator()?;
    mesh.plane.apply(&small("orders", "orders", "first", ""))?;
    mesh.wait_condition(PRODUCT, "Ready", "True", "Ready").await?;
    mesh.plane.apply(
        "apiVersion: datamesh.io/v1
kind: GovernancePolicy
metadata: {name: written}
spec:
  state: Enforced
  variables:
  - {name: freshness, expression: period(object.spec.slo.freshness.target)}
  rules:
  - id: FRESH-001
    parameters: {longest: 30m}
    remediation: Promise fresher data.
    cel:
      expression: variables.freshness <= period(params.longest)
      message: The data may be too old
      messageExpression: \"'The data may be ' + object.spec.slo.freshness.target + ' old; at most ' + params.longest + ' is allowed'\"
      path: spec.slo.freshness.target
  - id: OWNER-001
    severity: info
    cel: {expression: 'domain.metadata.name == object.spec.domain', message: Wrong domain}
  - id: LINES-001
    cel: {expression: \"object.spec.\\n  vrsion != ''\", message: m}
",
    )?;
    violation(&mesh, "FRESH-001", |violation| {
        violation.message == "The data may be 1 hour old; at most 30m is allowed"
            && violation.remediation == "Promise fresher data."
            && violation.path == "spec.slo.freshness.target"
            && violation.enforcement == PolicyEnforcement::Enforced
    })
    .await?;
    let global: Api<GovernancePolicy> = Api::all(mesh.client.clone());
    let written = async || Ok(global.get("written").await?.status);
    let status =
        wait_policy(written, |status| (status.failing, status.violations, status.faults) == (1, 1, 1))
            .await?;
    let fault = &status.errors[0];
    ensure!(fault.rule == "LINES-001", "{fault:?}");
    ensure!(fault.message.starts_with("expression 1:12: object.spec has no field vrsion"), "{fault:?}");
    let governance = mesh.status(PRODUCT.0, PRODUCT.1).await?.governance.context("governance")?;
    ensure!(governance.not_evaluated.iter().any(|id| id == "LINES-001"), "{:?}", governance.not_evaluated);

    mesh.patch(
        "governancepolicy",
        "written",
        r#"{"spec":{"rules":[{"id":"FRESH-001","cel":{"expression":"true","message":"m"}}]}}"#,
    )?;
    mesh.wait_condition(PRODUCT, "GovernanceCompliant", "True", "Succeeded").await?;
    for (spec, expected) in [
        (
            r#"{"spec":{"rules":[{"id":"X","cel":{"expression":"true"}}]}}"#,
            "give it a message or a messageExpression",
        ),
        (
            r#"{"spec":{"rules":[{"id":"X","builtin":"SEC-001","cel":{"expression":"true","message":"m"}}]}}"#,
            "remove builtin or cel",
        ),
    ] {
        let refused = mesh.patch("governancepolicy", "written", spec);
        let said = refused.err().map(|error| error.to_string()).unwrap_or_default();
        ensure!(said.contains(expected), "{spec}: {said}");
    }
    operator.terminate().await
}

#[tokio::test]
async fn an_exception_counts_from_its_approval_to_its_end_and_says_where_it_stands() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let operator = mesh.operator()?;
    let unclassified = small("orders", "orders", "first", "").replace("classification: internal, ", "");
    mesh.plane.apply(&unclassified)?;
    mesh.wait_condition(PRODUCT, "Ready", "False", "PolicyErrors").await?;

    let ask = |name: &str, expires: jiff::Timestamp| {
        mesh.plane.apply(&format!(
            "apiVersion: datamesh.io/v1beta1
kind: PolicyException
metadata: {{name: {name}, namespace: orders}}
spec: {{productRef: {{name: first}}, policyIds: [SEC-001], reason: It moves, ticket: GOV-17, expiresAt: {expires}}}
"
        ))
    };
    let from_now = |span: SignedDuration| jiff::Timestamp::now().checked_add(span);
    ask("later", from_now(SignedDuration::from_hours(24))?)?;
    ask("forever", from_now(SignedDuration::from_hours(24 * 365))?)?;
    let exceptions: Api<PolicyException> = Api::namespaced(mesh.client.clone(), "orders");
    let stands = async |name: &str, state: ExceptionState| {
        wait_for(&format!("{name} is {state:?}"), PATIENCE, || async {
            let status = exceptions.get(name).await?.status.unwrap_or_default();
            Ok(Seen::when(status.state == Some(state), status.clone(), status))
        })
        .await
    };
    stands("later", ExceptionState::Pending).await?;
    let refused = stands("forever", ExceptionState::Refused).await?;
    ensure!(refused.message.context("a message")?.contains("90 days"), "the cap is said");

    let approve = |name: &str| {
        let approval = r#"{"status":{"approval":{"decision":"Approved","by":"alice","generation":1}}}"#;
        mesh.plane.kubectl(&[
            "patch",
            "pex",
            name,
            "-n",
            "orders",
            "--subresource=status",
            "--type",
            "merge",
            "-p",
            approval,
        ])
    };
    approve("later")?;
    let status = mesh.wait_condition(PRODUCT, "Ready", "True", "Ready").await?;
    let governance = status.governance.context("a judgement")?;
    ensure!(
        (governance.score, governance.score_without_exceptions) == (Some(100), Some(90)),
        "{governance:?}"
    );
    let stood = stands("later", ExceptionState::Active).await?;
    ensure!(
        stood.approval.is_some_and(|approval| approval.by == "alice"),
        "the approval stays as it was written"
    );

    // Another expiry is another question.
    ask("later", from_now(SignedDuration::from_secs(20))?)?;
    mesh.wait_condition(PRODUCT, "GovernanceCompliant", "False", "PolicyErrors").await?;
    stands("later", ExceptionState::Pending).await?;
    let again = r#"{"status":{"approval":{"generation":2}}}"#;
    mesh.plane.kubectl(&[
        "patch",
        "pex",
        "later",
        "-n",
        "orders",
        "--subresource=status",
        "--type",
        "merge",
        "-p",
        again,
    ])?;
    mesh.wait_condition(PRODUCT, "GovernanceCompliant", "True", "Succeeded").await?;
    // Nobody touches anything: it ends by itself.
    mesh.wait_condition(PRODUCT, "GovernanceCompliant", "False", "PolicyErrors").await?;
    stands("later", ExceptionState::Expired).await?;
    operator.terminate().await
}

#[tokio::test]
async fn each_product_has_one_report_for_other_tools_where_that_is_asked_for_and_it_is_written_once()
-> Result<()> {
    let mesh = Mesh::start(Options { audit: true, ..Options::default() }).await?;
    let operator = mesh.operator_in(&[("DATAPRODUCT_OUTPUTS", "openreports")])?;
    mesh.plane.apply(&small("orders", "orders", "early", ""))?;
    // Without the API nothing is written and nothing fails.
    mesh.wait_condition(("orders", "early"), "Ready", "True", "Ready").await?;
    operator.terminate().await?;

    mesh.plane.kubectl(&["apply", "--server-side", "-f", "tests/real/openreports/reports.yaml"])?;
    mesh.plane.kubectl(&["wait", "--for=condition=Established", "crd/reports.openreports.io"])?;
    let operator = mesh.operator_in(&[("DATAPRODUCT_OUTPUTS", "openreports")])?;
    let unclassified = small("orders", "orders", "first", "").replace("classification: internal, ", "");
    mesh.plane.apply(&unclassified)?;
    mesh.wait_condition(PRODUCT, "Ready", "False", "PolicyErrors").await?;
    let report = async |name: &str| -> Result<serde_json::Value> {
        let name = format!("dataproduct-{name}");
        let text = mesh.plane.kubectl(&["get", "reports", &name, "-n", "orders", "-o", "json"])?;
        Ok(serde_json::from_str(&text)?)
    };
    let first = wait_for("the report", PATIENCE, || async {
        let found = report("first").await;
        let said = format!("{found:?}");
        Ok(Seen::when(found.as_ref().is_ok_and(|found| found["summary"]["fail"] == 1), found.ok(), said))
    })
    .await?
    .context("a report")?;
    ensure!(first["scope"]["kind"] == "DataProduct" && first["scope"]["name"] == "first", "{first}");
    ensure!(first["metadata"]["ownerReferences"][0]["name"] == "first", "{first}");
    let failed = first["results"].as_array().into_iter().flatten().find(|result| result["result"] == "fail");
    ensure!(
        failed.is_some_and(|result| result["rule"] == "SEC-001" && result["severity"] == "high"),
        "{first}"
    );
    let version = |report: &serde_json::Value| report["metadata"]["resourceVersion"].clone();
    let early = report("early").await?;
    ensure!(early["summary"]["fail"] == 0 && early["summary"]["pass"].as_i64() > Some(20), "{early}");

    // A new process finds what its predecessor wrote, and writes nothing.
    operator.terminate().await?;
    let operator = mesh.operator_in(&[("DATAPRODUCT_OUTPUTS", "openreports")])?;
    mesh.annotate(PRODUCT, "datamesh.io/reconcile-at=1")?;
    wait_for("a visit", PATIENCE, || async {
        let echoed = mesh.status(PRODUCT.0, PRODUCT.1).await?.last_handled_reconcile_at;
        Ok(Seen::when(echoed.as_deref() == Some("1"), (), echoed))
    })
    .await?;
    ensure!(version(&report("first").await?) == version(&first), "it was written again");
    operator.terminate().await
}
