//! Spans for a collector of OpenTelemetry, by OTLP over HTTP, where the standard variables of the environment name one.
//!
//! A collector that does not answer costs spans and nothing else: they wait in a bounded queue, and what does not fit is dropped.

use std::{
    env,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use opentelemetry::{Key, KeyValue, trace::TracerProvider};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tokio::{runtime::Handle, time::timeout};
use tokio_rustls::rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};
use tracing::{Level, Subscriber};
use tracing_subscriber::{Layer, filter::FilterFn, registry::LookupSpan};

use crate::controller::{context, leader};

/// Longest time of one request to a collector.
const REQUEST: Duration = Duration::from_secs(10);
/// Longest answer of a collector that is read, in bytes. Nothing in it matters but its status.
const ANSWER: usize = 64 * 1024;
/// Longest wait for the spans that are left at the end.
const LAST: Duration = Duration::from_secs(5);
/// What the name of every module of ours begins with.
const OURS: &str = env!("CARGO_CRATE_NAME");

/// The way of spans to a collector.
#[derive(Debug)]
pub(super) struct Export(SdkTracerProvider);

impl Export {
    /// Sends the spans that are left.
    pub(super) async fn flush(self) {
        // It waits for a thread of its own, and so away from those that send.
        let work = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(LAST));
        if !matches!(timeout(LAST * 2, work).await, Ok(Ok(Ok(())))) {
            tracing::warn!("the last spans could not be sent");
        }
    }
}

/// Opens the way to a collector where the environment names one. What is wrong in the environment is an error.
pub(super) fn open<S>() -> Result<Option<(Export, impl Layer<S> + use<S>)>, String>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    if !is_wanted(|name| env::var(name).ok().filter(|value| !value.is_empty()))? {
        return Ok(None);
    }
    let unusable = |error: &dyn std::fmt::Display| {
        format!(
            "spans cannot be sent: {error}; correct the variables OTEL_*, or unset OTEL_EXPORTER_OTLP_ENDPOINT"
        )
    };
    let sender = Sender::new().map_err(|error| unusable(&error))?;
    let exporter = SpanExporter::builder().with_http().with_http_client(sender).build();
    let exporter = exporter.map_err(|error| unusable(&error))?;
    // How many are kept and how long they wait is said by the variables OTEL_BSP_*, and how many are taken by OTEL_TRACES_SAMPLER.
    let provider =
        SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource()).build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(leader::NAME))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false);
    Ok(Some((Export(provider), layer.with_filter(FilterFn::new(is_told)))))
}

/// Whether something is for the collector: our spans, those of provider calls included, and what is logged within them.
fn is_told(about: &tracing::Metadata<'_>) -> bool {
    let level = if about.is_span() { Level::DEBUG } else { Level::INFO };
    *about.level() <= level && about.target().starts_with(OURS)
}

/// Whether the environment names a collector.
fn is_wanted(variable: impl Fn(&str) -> Option<String>) -> Result<bool, String> {
    if variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(false);
    }
    let first = |names: [&str; 2]| names.into_iter().find_map(&variable);
    if first(["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"]).is_none() {
        return Ok(false);
    }
    match variable("OTEL_TRACES_EXPORTER").as_deref() {
        None | Some("otlp") => {}
        Some("none") => return Ok(false),
        Some(other) => {
            return Err(format!(
                "OTEL_TRACES_EXPORTER is {other:?}; spans are sent by \"otlp\", or \"none\" are"
            ));
        }
    }
    match first(["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"]).as_deref() {
        None | Some("http/protobuf") => Ok(true),
        Some(other) => Err(format!(
            "OTEL_EXPORTER_OTLP_PROTOCOL is {other:?}; spans are sent by \"http/protobuf\" alone, which collectors take at port 4318"
        )),
    }
}

/// Who sends the spans, as far as the environment does not say so.
fn resource() -> Resource {
    let said = Resource::builder().build();
    let is_said = |key: &'static str| {
        let value = said.get(&Key::from_static_str(key));
        value.is_some_and(|value| !value.as_str().starts_with("unknown_service"))
    };
    let ours = [
        ("service.name", leader::NAME.to_owned()),
        ("service.version", env!("CARGO_PKG_VERSION").to_owned()),
        ("service.instance.id", context::instance()),
    ];
    let ours = ours.into_iter().filter(|(key, _)| !is_said(key));
    Resource::builder().with_attributes(ours.map(|(key, value)| KeyValue::new(key, value))).build()
}

/// Sends requests on the runtime of the operator, by the TLS library that it has anyway.
#[derive(Debug)]
struct Sender {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    runtime: Handle,
    fails: AtomicBool,
}

impl Sender {
    fn new() -> Result<Self, String> {
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(trust()?).https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, runtime: Handle::current(), fails: AtomicBool::new(false) })
    }

    /// Tells that spans begin to be lost, and that they are not lost any more; nothing in between.
    fn tell(&self, to: &str, answer: &Result<Response<Bytes>, HttpError>) {
        let wrong = match answer {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(answer.status().to_string()),
            Err(error) => Some(error.to_string()),
        };
        match (wrong, self.fails.load(Ordering::Relaxed)) {
            (Some(error), false) => tracing::warn!(
                to,
                error,
                "spans cannot be sent; some may be lost until this is told to be over"
            ),
            (None, true) => tracing::info!(to, "spans are sent again"),
            _ => return,
        }
        self.fails.fetch_not(Ordering::Relaxed);
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let to = request.uri().authority().map(|to| to.host().to_owned()).unwrap_or_default();
        let client = self.client.clone();
        let work = async move {
            let (head, body) = client.request(request.map(Full::new)).await?.into_parts();
            let body = Limited::new(body, ANSWER).collect().await?.to_bytes();
            Ok(Response::from_parts(head, body))
        };
        // Whoever waits for this is a thread without a runtime, where not even a clock for the deadline could be made.
        let answer = match self.runtime.spawn(async { timeout(REQUEST, work).await }).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(format!("no answer within {} s", REQUEST.as_secs()).into()),
            Err(error) => Err(error.into()),
        };
        self.tell(&to, &answer);
        answer
    }
}

/// Whom to trust: the authorities of `OTEL_EXPORTER_OTLP_CERTIFICATE`, else those of the system.
fn trust() -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    let names = ["OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"];
    let given =
        names.into_iter().find_map(|name| Some((name, env::var_os(name).filter(|path| !path.is_empty())?)));
    if let Some((name, path)) = given {
        let wrong = |error: &dyn std::fmt::Display| format!("{name} names {}: {error}", path.display());
        for certificate in CertificateDer::pem_file_iter(&path).map_err(|error| wrong(&error))? {
            let certificate = certificate.map_err(|error| wrong(&error))?;
            roots.add(certificate).map_err(|error| wrong(&error))?;
        }
        if roots.is_empty() {
            return Err(wrong(&"the file has no certificate"));
        }
    } else {
        // Where there are none, a collector without TLS can be reached all the same.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let config = ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_sent_where_the_environment_names_a_collector_that_can_be_reached() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        let of_traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://collector:4318/v1/traces");
        for (variables, expected) in [
            (vec![], Ok(false)),
            (vec![("OTEL_SERVICE_NAME", "mesh")], Ok(false)),
            (vec![endpoint], Ok(true)),
            (vec![of_traces], Ok(true)),
            (vec![endpoint, ("OTEL_TRACES_EXPORTER", "otlp")], Ok(true)),
            (vec![endpoint, ("OTEL_TRACES_EXPORTER", "none")], Ok(false)),
            (vec![endpoint, ("OTEL_TRACES_EXPORTER", "zipkin")], Err("zipkin")),
            (vec![endpoint, ("OTEL_SDK_DISABLED", "True")], Ok(false)),
            (vec![endpoint, ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")], Ok(true)),
            (vec![endpoint, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")], Err("grpc")),
            (
                vec![
                    endpoint,
                    ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
                    ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
                ],
                Ok(true),
            ),
        ] {
            let variable = |name: &str| {
                let found = variables.iter().find(|(of, _)| *of == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            match (is_wanted(variable), expected) {
                (Ok(wanted), Ok(expected)) => assert_eq!(wanted, expected, "{variables:?}"),
                (Err(said), Err(expected)) => assert!(said.contains(expected), "{said}"),
                (answer, _) => panic!("{variables:?}: {answer:?}"),
            }
        }
    }
}
