//! Spans of a running operator, as a collector of OpenTelemetry receives them.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result, ensure};
use axum::{Router, body::Bytes, http::StatusCode, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{Span, span::SpanKind, status::StatusCode as SpanStatus},
};
use prost::Message;

use crate::{
    fixture::{Mesh, PATIENCE, small},
    support::{
        control_plane::Options,
        wait::{Seen, wait_for},
    },
};

/// What a collector was sent. Spans of HTTP are read by the definitions of OpenTelemetry itself.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

impl Collector {
    /// Listens, and answers every request with a status.
    async fn start(answer: StatusCode) -> Result<(Self, SocketAddr)> {
        let collector = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let taken = collector.clone();
        let take = move |body: Bytes| async move {
            match ExportTraceServiceRequest::decode(body) {
                Ok(request) => {
                    taken.0.lock().unwrap_or_else(PoisonError::into_inner).push(request);
                    answer
                }
                Err(_) => StatusCode::BAD_REQUEST,
            }
        };
        tokio::spawn(
            async move { axum::serve(listener, Router::new().route("/v1/traces", post(take))).await },
        );
        Ok((collector, address))
    }

    fn requests(&self) -> Vec<ExportTraceServiceRequest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn spans(&self) -> Vec<Span> {
        let resources = self.requests().into_iter().flat_map(|request| request.resource_spans);
        resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }
}

/// The text of an attribute.
fn attribute(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?.value.clone()?.value?;
    match found {
        Value::StringValue(text) => Some(text),
        Value::IntValue(number) => Some(number.to_string()),
        _ => None,
    }
}

#[tokio::test]
async fn a_collector_gets_each_visit_with_the_calls_below_it_and_the_last_ones_at_the_end() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let (collector, address) = Collector::start(StatusCode::OK).await?;
    let endpoint = format!("http://{address}");
    // Nothing is sent by itself within this test, so that what arrives was sent at the end.
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_SERVICE_NAME", "mesh"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test"),
        ("OTEL_BSP_SCHEDULE_DELAY", "3600000"),
        ("POD_NAME", "operator-0"),
    ];
    let operator = mesh.operator_in(&environment)?;
    mesh.plane.apply(&small("orders", "orders", "sound", ""))?;
    mesh.wait_condition(("orders", "sound"), "Ready", "True", "Ready").await?;
    ensure!(collector.requests().is_empty(), "something was sent before its time");
    operator.terminate().await?;

    let requests = collector.requests();
    let resource = requests[0].resource_spans[0].resource.clone().context("a resource")?.attributes;
    let of_resource = |key: &str| attribute(&resource, key);
    ensure!(of_resource("service.name").as_deref() == Some("mesh"), "{resource:?}");
    ensure!(of_resource("service.version").as_deref() == Some(env!("CARGO_PKG_VERSION")), "{resource:?}");
    ensure!(of_resource("service.instance.id").as_deref() == Some("operator-0"), "{resource:?}");
    ensure!(of_resource("deployment.environment").as_deref() == Some("test"), "{resource:?}");

    let spans = collector.spans();
    let is_ours = |span: &&Span| attribute(&span.attributes, "product").as_deref() == Some("orders/sound");
    let visits = spans.iter().filter(|span| span.name == "visit").filter(is_ours).collect::<Vec<_>>();
    let first = visits.iter().find(|span| attribute(&span.attributes, "trigger").as_deref() == Some("spec"));
    let first = first.context("the first visit")?;
    ensure!(
        first.parent_span_id.is_empty() && first.end_time_unix_nano > first.start_time_unix_nano,
        "{first:?}"
    );
    ensure!(attribute(&first.attributes, "generation").as_deref() == Some("1"), "{first:?}");
    let below = spans.iter().filter(|span| span.parent_span_id == first.span_id).collect::<Vec<_>>();
    ensure!(below.iter().all(|span| span.trace_id == first.trace_id), "{below:?}");
    let create = below.iter().find(|span| span.name == "create Bucket").context("the bucket is made")?;
    ensure!(create.kind == SpanKind::Client as i32, "{create:?}");
    ensure!(attribute(&create.attributes, "outcome").as_deref() == Some("ok"), "{create:?}");
    let named =
        ["EncryptionKey", "CatalogDatabase", "Grant", "FreshnessAlarm"].map(|kind| format!("create {kind}"));
    for name in named {
        ensure!(below.iter().any(|span| span.name == name), "{name} is missing");
    }
    // What is logged within a visit is part of it.
    ensure!(first.events.iter().any(|event| event.name.contains("applied")), "{:?}", first.events);
    let failed =
        spans.iter().filter(|it| it.status.as_ref().is_some_and(|it| it.code == SpanStatus::Error as i32));
    ensure!(failed.count() == 0, "nothing fails here");
    Ok(())
}

#[tokio::test]
async fn a_collector_that_refuses_is_told_once_and_one_that_is_silent_does_not_hold_up_the_end() -> Result<()>
{
    let mesh = Mesh::start(Options::default()).await?;
    let (collector, address) = Collector::start(StatusCode::FORBIDDEN).await?;
    let endpoint = format!("http://{address}/v1/traces");
    let often = ("OTEL_BSP_SCHEDULE_DELAY", "50");
    let operator = mesh.operator_in(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &endpoint), often])?;
    mesh.plane.apply(&small("orders", "orders", "sound", ""))?;
    mesh.wait_condition(("orders", "sound"), "Ready", "True", "Ready").await?;
    wait_for("several attempts", PATIENCE, || async {
        let requests = collector.requests().len();
        mesh.annotate(("orders", "sound"), &format!("datamesh.io/reconcile-at={requests}"))?;
        Ok(Seen::when(requests > 2, (), requests))
    })
    .await?;
    let told = || -> Result<usize> {
        let log = std::fs::read_to_string(&operator.log)?;
        Ok(log.lines().filter(|line| line.contains("spans cannot be sent")).count())
    };
    wait_for("it is told", PATIENCE, || async { Ok(Seen::when(told()? == 1, (), told()?)) }).await?;
    operator.terminate().await?;

    // It takes connections and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", silent.local_addr()?);
    let operator = mesh.operator_in(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint), often])?;
    mesh.plane.apply(&small("orders", "orders", "another", ""))?;
    mesh.wait_condition(("orders", "another"), "Ready", "True", "Ready").await?;
    // Its own deadline is shorter than that of this wait.
    operator.terminate().await
}

#[tokio::test]
async fn a_protocol_that_is_not_spoken_is_said_at_once() -> Result<()> {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_dataproduct"))
        .arg("run")
        .envs([
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ])
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(2), "{:?}: {said}", output.status);
    ensure!(said.contains("OTEL_EXPORTER_OTLP_PROTOCOL") && said.contains("http/protobuf"), "{said}");
    Ok(())
}
