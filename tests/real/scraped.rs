//! What Prometheus reads of a running operator.

use anyhow::{Result, ensure};

use crate::{
    fixture::{Mesh, PATIENCE},
    support::{
        control_plane::Options,
        wait::{Seen, wait_for},
    },
};

#[tokio::test]
async fn a_product_is_told_while_it_exists_and_not_after() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let operator = mesh.operator()?;
    mesh.apply_example("customer-360.yaml")?;
    mesh.wait_condition(("customer", "customer-360"), "Ready", "True", "Ready").await?;
    let expected = [
        r#"leader_election_master_status{name="dataproduct-operator"} 1"#,
        r#"controller_runtime_active_workers{controller="dataproduct"} 0"#,
        r#"controller_runtime_reconcile_total{controller="dataproduct",result="error"} 0"#,
        r#"datamesh_product_info{namespace="customer",name="customer-360",domain="customer",version="2.1.0",classification="confidential",lifecycle="Active"} 1"#,
        r#"datamesh_product_condition{namespace="customer",name="customer-360",type="Ready",status="True",reason="Ready"} 1"#,
        r#"datamesh_product_score{namespace="customer",name="customer-360"} 88"#,
        r#"datamesh_violations{rule="LINEAGE-001",severity="warning",enforcement="Grace"} 2"#,
        r#"datamesh_resources{kind="Bucket",state="InSync"} 1"#,
    ];
    // The watch shows our own status a moment after it is written.
    wait_for("the product is told", PATIENCE, || async {
        let text = operator.metrics().await?;
        let missing = expected.iter().filter(|line| !text.lines().any(|told| told == **line));
        let missing = missing.collect::<Vec<_>>();
        Ok(Seen::when(missing.is_empty(), (), format!("{missing:#?}\n{text}")))
    })
    .await?;
    mesh.plane.kubectl(&["delete", "dp", "customer-360", "-n", "customer", "--timeout=60s"])?;
    wait_for("the product is told no more", PATIENCE, || async {
        let text = operator.metrics().await?;
        Ok(Seen::when(!text.contains("customer-360"), (), text))
    })
    .await?;
    let text = operator.metrics().await?;
    ensure!(
        text.contains("# TYPE datamesh_product_score gauge"),
        "a family without series has its name: {text}"
    );
    Ok(())
}
