//! The operator's own HTTP endpoints, which Prometheus scrapes and the kubelet asks. They answer what they know and change
//! nothing.

use std::{future::ready, io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use tokio::net::TcpListener;

use crate::metrics::{CONTENT_TYPE, Metrics};

/// An endpoint that listens and does not answer yet.
pub struct Endpoint(TcpListener);

impl Endpoint {
    /// Begins to listen at an address; with port 0 the system chooses a port.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        TcpListener::bind(address).await.map(Self)
    }

    /// The address at which it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Answers for ever.
    pub async fn serve(self, routes: Router) -> io::Result<()> {
        axum::serve(self.0, routes).await
    }
}

/// What Prometheus scrapes.
pub fn metrics(metrics: Metrics) -> Router {
    let metrics = Arc::new(metrics);
    Router::new().route("/metrics", get(move || ready(scrape(&metrics))))
}

/// What the kubelet asks: whether the process is alive, and whether it can do its work. Each gives the reason where it is not.
pub fn probes<H, R>(healthy: H, can_work: R) -> Router
where
    H: Fn() -> Result<(), String> + Clone + Send + Sync + 'static,
    R: Fn() -> Result<(), String> + Clone + Send + Sync + 'static,
{
    Router::new()
        .route("/healthz", get(move || ready(answer(healthy()))))
        .route("/readyz", get(move || ready(answer(can_work()))))
}

fn answer(state: Result<(), String>) -> impl IntoResponse + use<> {
    match state {
        Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}

fn scrape(metrics: &Metrics) -> impl IntoResponse + use<> {
    match metrics.render() {
        Ok(text) => (StatusCode::OK, [(header::CONTENT_TYPE, CONTENT_TYPE)], text),
        Err(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
            "the metrics cannot be written as text\n".to_owned(),
        ),
    }
}
