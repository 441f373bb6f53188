//! Plain HTTP on loopback, for what no client of the tests covers.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::time::timeout;

/// Longest wait for an answer: the emulators load a service at its first call, which takes seconds on a busy machine.
const ANSWER: Duration = Duration::from_secs(30);

/// Sends a request and reads the whole answer, whatever its status. Each call has a connection of its own, so that one
/// that was cut on purpose spoils no other.
pub(crate) async fn send(request: Request<String>) -> Result<Response<String>> {
    let client: Client<HttpConnector, String> =
        Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
    let what = format!("{} {}", request.method(), request.uri());
    let answer = timeout(ANSWER, async {
        let (head, body) = client.request(request).await.context("no answer")?.into_parts();
        let body = body.collect().await.context("only the beginning of an answer")?.to_bytes();
        Ok(Response::from_parts(head, String::from_utf8_lossy(&body).into_owned()))
    });
    answer.await.map_err(anyhow::Error::from).flatten().context(what)
}

/// Sends a request that has to succeed and gives the body of the answer.
pub(crate) async fn send_ok(request: Request<String>) -> Result<String> {
    let what = format!("{} {}", request.method(), request.uri());
    let answer = send(request).await?;
    ensure!(answer.status().is_success(), "{what}: {} {}", answer.status(), answer.body());
    Ok(answer.into_body())
}

/// The body at an address.
pub(crate) async fn get(url: &str) -> Result<String> {
    send_ok(Request::get(url).body(String::new())?).await
}

/// Posts a text and gives the answer.
pub(crate) async fn post(url: &str, body: impl Into<String>) -> Result<String> {
    send_ok(Request::post(url).body(body.into())?).await
}
