use std::sync::Arc;

use kube::Client;
use serde_json::json;

use super::*;
use crate::{api::DataProduct, provider::registry::Registry as Providers};

fn idle() -> Metrics {
    let service = tower::service_fn(|_: http::Request<kube::client::Body>| async {
        http::Response::builder().body(kube::client::Body::empty())
    });
    let client = Client::new(service, "default");
    let ctx = Context::new(client, "c".to_owned(), Providers::default());
    Metrics::of(&Arc::new(ctx), &Arc::default())
}

#[derive(Debug)]
struct Statuses([DataProduct; 2]);
impl Collector for Statuses {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        products::encode(&mut encoder, self.0.iter())
    }
}

#[tokio::test]
async fn an_operator_that_has_done_nothing_names_its_families() {
    let text = idle().render().expect("a text");
    for family in Family::all() {
        let line = format!("# TYPE {} {}\n", family.name, family.shape.as_str());
        assert!(text.contains(&line), "{line}{text}");
    }
    assert!(text.ends_with("# EOF\n"), "{text}");
    for line in [
        "leader_election_master_status{name=\"dataproduct-operator\"} 0",
        "controller_runtime_reconcile_total{controller=\"dataproduct\",result=\"error\"} 0",
        "controller_runtime_reconcile_time_seconds_count{controller=\"dataproduct\"} 0",
        "datamesh_policy_evaluations_total 0",
    ] {
        assert!(text.contains(&format!("{line}\n")), "{line}\n{text}");
    }
}

#[test]
fn statuses_are_told_as_series_and_hostile_words_stay_in_their_label() {
    let product = |name: &str, status: serde_json::Value| -> DataProduct {
        serde_json::from_value(json!({
            "apiVersion": "datamesh.io/v1", "kind": "DataProduct",
            "metadata": {"name": name, "namespace": "n"},
            "spec": {
                "domain": "customer", "version": "1.0\"\n# EOF\\", "access": {"classification": "internal"},
            },
            "status": status,
        }))
        .expect("a product")
    };
    let violation = |exception: Option<&str>| {
        json!({
            "id": "SEC-001", "severity": "error", "message": "m", "remediation": "r", "path": "p",
            "policy": "GovernancePolicy/core", "enforcement": "Grace", "exceptionRef": exception,
        })
    };
    let products = [
        product(
            "a",
            json!({
                "conditions": [{
                    "type": "Ready", "status": "False", "reason": "PolicyErrors", "message": "",
                    "lastTransitionTime": "2026-01-01T00:00:00Z",
                }],
                "governance": {
                    "score": 90, "errors": 1, "warnings": 0, "infos": 0, "excepted": 1,
                    "violations": [violation(None), violation(Some("PolicyException/e"))],
                },
                "slo": {"objectives": [{"name": "freshness", "target": "1 hour", "state": "AtRisk"}]},
                "resources": [
                    {"kind": "Bucket", "name": "b", "state": "Drifted"},
                    {"kind": "Grant", "name": "g", "state": "InSync"},
                ],
            }),
        ),
        product("b", json!({"resources": [{"kind": "Bucket", "name": "c", "state": "Drifted"}]})),
    ];
    let mut families = Registry::default();
    families.register_collector(Box::new(Statuses(products)));
    let text = Metrics(families).render().expect("a text");
    let series = text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>();
    let info =
        r#"domain="customer",version="1.0\"\n# EOF\\",classification="internal",lifecycle="Active"} 1"#;
    assert_eq!(
        series,
        [
            &format!(r#"datamesh_product_info{{namespace="n",name="a",{info}"#),
            &format!(r#"datamesh_product_info{{namespace="n",name="b",{info}"#),
            r#"datamesh_product_condition{namespace="n",name="a",type="Ready",status="False",reason="PolicyErrors"} 1"#,
            r#"datamesh_product_score{namespace="n",name="a"} 90"#,
            r#"datamesh_product_slo_state{namespace="n",name="a",objective="freshness",state="AtRisk"} 1"#,
            r#"datamesh_violations{rule="SEC-001",severity="error",enforcement="Grace"} 1"#,
            r#"datamesh_resources{kind="Bucket",state="Drifted"} 2"#,
            r#"datamesh_resources{kind="Grant",state="InSync"} 1"#,
        ]
    );
}
