//! The operator's own HTTP endpoint, which Prometheus scrapes. It answers what it knows and changes nothing.

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
    pub async fn serve(self, metrics: Arc<Metrics>) -> io::Result<()> {
        let routes = Router::new().route("/metrics", get(move || ready(scrape(&metrics))));
        axum::serve(self.0, routes).await
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
