//! What the operator logs of objects that were written to deceive whoever reads the log.

use std::fs;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::{
    fixture::{Mesh, PATIENCE, small},
    support::{
        control_plane::Options,
        wait::{Seen, wait_for},
    },
    trouble::{apply_broken, loosen},
};

/// Ends a line, forges one of either form, and speaks to a terminal.
const HOSTILE: &str = "a\n2999-01-01T00:00:00Z  INFO forged\r\n{\"timestamp\":\"2999\",\"level\":\"INFO\"}\u{1b}[2J\u{9b}31m\u{7f}\u{85}";

#[tokio::test]
async fn a_hostile_product_adds_no_line_and_no_control_character_to_the_log() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    for definition in ["dataproducts.datamesh.io", "providerclasses.datamesh.io", "datadomains.datamesh.io"] {
        loosen(&mesh, definition).await?;
    }
    let object = |kind: &str, name: &str, spec: Value| {
        let metadata = json!({"name": name, "annotations": {"datamesh.io/approve": HOSTILE}});
        json!({"apiVersion": "datamesh.io/v1", "kind": kind, "metadata": metadata, "spec": spec})
    };
    let product = |name: &str, spec: Value| {
        let mut product = object("DataProduct", name, spec);
        product["metadata"]["namespace"] = json!("orders");
        product
    };
    let readable = json!({
        "domain": HOSTILE, "version": HOSTILE, "description": HOSTILE, "owner": {"team": HOSTILE, "email": HOSTILE},
        "lineage": {"upstreamProducts": [HOSTILE]}, "outputPorts": [{"name": HOSTILE, "type": HOSTILE}],
        "provisioning": {"providerClassName": HOSTILE, "names": {"bucket": HOSTILE}},
    });
    let objects = [
        product("hostile", readable),
        // What cannot be decoded is logged with the words that were not understood.
        product("garbled", json!({"domain": "orders", "version": "1.0.0", "lifecycle": HOSTILE})),
        object("ProviderClass", "hostile", json!({"provider": HOSTILE})),
        object("DataDomain", "hostile", json!({"namespaces": ["orders"], "kind": HOSTILE})),
    ];
    for object in objects {
        apply_broken(&mesh, &object.to_string()).await?;
    }
    mesh.plane.apply(&small("orders", "orders", "fine", ""))?;
    for form in ["text", "json"] {
        let log = "dataproduct_operator=trace,info";
        let operator = mesh.operator_in(&[("DATAPRODUCT_LOG_FORMAT", form), ("DATAPRODUCT_LOG", log)])?;
        let path = operator.log.clone();
        wait_for("the log speaks of what is garbled, three times", PATIENCE, || async {
            let log = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
            Ok(Seen::when(log.matches("forged").count() >= 3, (), log))
        })
        .await?;
        mesh.wait_condition(("orders", "fine"), "Ready", "True", "Ready").await?;
        operator.terminate().await?;
        let log = String::from_utf8(fs::read(&path)?)?;
        ensure!(log.ends_with('\n'));
        for line in log.lines() {
            ensure!(!line.contains(char::is_control), "{form}: {line:?}");
            let instant = match form {
                "json" => {
                    serde_json::from_str::<Value>(line)?["timestamp"].as_str().unwrap_or_default().to_owned()
                }
                _ => line.split(' ').next().unwrap_or_default().to_owned(),
            };
            ensure!(
                instant.parse::<jiff::Timestamp>().is_ok_and(|_| !instant.starts_with("2999")),
                "{form}: {line}"
            );
        }
    }
    Ok(())
}
