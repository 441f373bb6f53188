//! The commands that a domain team uses every day, as people run them.

use std::process::{Command, Output};

use anyhow::{Result, ensure};

use crate::{
    fixture::{Mesh, small},
    support::control_plane::Options,
};

fn dataproduct(mesh: &Mesh, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dataproduct"));
    command.args(arguments).arg("--kubeconfig").arg(mesh.plane.kubeconfig_path());
    Ok(command.output()?)
}

/// Runs a command and compares how it ends and what it says.
fn expect(mesh: &Mesh, arguments: &[&str], code: i32, said: &str) -> Result<()> {
    let output = dataproduct(mesh, arguments)?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    ensure!(
        output.status.code() == Some(code) && text.contains(said),
        "{arguments:?} ended with {}: {text}",
        output.status
    );
    Ok(())
}

#[tokio::test]
async fn a_product_is_waited_for_suspended_and_looked_at_by_its_team() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let operator = mesh.operator()?;
    mesh.plane.apply(&small("orders", "orders", "p", ""))?;
    mesh.apply_example("violating.yaml")?;
    let of = |command: &'static str| [command, "p", "-n", "orders"];
    expect(&mesh, &of("wait"), 0, "DataProduct orders/p is ready\n")?;
    expect(
        &mesh,
        &["wait", "raw-dump", "-n", "orders"],
        1,
        "DataProduct orders/raw-dump is stalled (PolicyErrors): ",
    )?;
    expect(&mesh, &["wait", "q", "-n", "orders"], 1, "there is no DataProduct orders/q; list them with")?;
    expect(&mesh, &["suspend", "q", "-n", "orders"], 1, "there is no DataProduct orders/q; list them with")?;

    expect(&mesh, &["reconcile", "p", "-n", "orders", "--wait"], 0, "DataProduct orders/p is ready\n")?;
    let handled = mesh.status("orders", "p").await?.last_handled_reconcile_at;
    ensure!(handled.is_some(), "the operator has looked");

    expect(&mesh, &of("suspend"), 0, "DataProduct orders/p is suspended")?;
    // Nothing is left to be done, so that it stays ready; a change is what the suspension holds back.
    expect(&mesh, &of("wait"), 0, "DataProduct orders/p is ready\n")?;
    mesh.patch_product(("orders", "p"), r#"{"spec":{"slo":{"freshness":{"target":"2 hours"}}}}"#)?;
    expect(&mesh, &of("wait"), 1, "is stalled (Suspended): ")?;
    expect(&mesh, &of("resume"), 0, "DataProduct orders/p goes on\n")?;
    expect(&mesh, &of("wait"), 0, "DataProduct orders/p is ready\n")?;
    let product = mesh.products("orders").get("p").await?;
    ensure!(product.spec.suspend.is_none(), "nothing is left behind: {:?}", product.spec.suspend);

    operator.terminate().await?;
    expect(&mesh, &["reconcile", "p", "-n", "orders"], 0, "will be looked at now")?;
    let late = ["reconcile", "p", "-n", "orders", "--wait", "--timeout", "1s"];
    expect(&mesh, &late, 1, "was neither ready nor stalled within 1 s")?;
    expect(&mesh, &["wait", "p", "-n", "orders", "--timeout", "soon"], 2, "soon")
}
