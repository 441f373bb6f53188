//! A service that gives prepared answers, for what no emulator has: pages, partial failures and rare states. It keeps every
//! request, and fails one for which no answer is left.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// A prepared answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: u16,
    media: &'static str,
    body: Vec<u8>,
}

impl Answer {
    /// A success in JSON, as most services write it.
    pub(crate) fn json(body: &serde_json::Value) -> Self {
        Self { status: 200, media: "application/x-amz-json-1.1", body: body.to_string().into_bytes() }
    }

    /// A success in CBOR, as CloudWatch writes it.
    pub(crate) fn cbor(body: &ciborium::Value) -> Result<Self> {
        let mut bytes = Vec::new();
        ciborium::into_writer(body, &mut bytes)?;
        Ok(Self { status: 200, media: "application/cbor", body: bytes })
    }

    /// A text of the older services.
    pub(crate) fn xml(status: u16, body: &str) -> Self {
        Self { status, media: "text/xml", body: body.as_bytes().to_vec() }
    }
}

#[derive(Default)]
struct Script {
    answers: BTreeMap<String, VecDeque<Answer>>,
    requests: Vec<(String, Vec<u8>)>,
}

/// A running service. Dropping it ends it.
pub(crate) struct Replay {
    url: String,
    script: Arc<Mutex<Script>>,
    server: JoinHandle<()>,
}

impl Replay {
    /// Starts a service that has these answers, in order for each operation.
    pub(crate) async fn start(answers: Vec<(&str, Answer)>) -> Result<Self> {
        let script = Arc::new(Mutex::new(Script::default()));
        for (operation, answer) in answers {
            locked(&script).answers.entry(operation.to_owned()).or_default().push_back(answer);
        }
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let told = Arc::clone(&script);
        let answering = move |uri: Uri, headers: HeaderMap, body: Bytes| {
            let answer = answer(&told, &uri, &headers, &body);
            async move { answer }
        };
        let routes = Router::new().fallback(answering);
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, routes).await;
        });
        Ok(Self { url, script, server })
    }

    /// The endpoint for clients.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The bodies of the requests of an operation, as text.
    pub(crate) fn requests(&self, operation: &str) -> Vec<String> {
        let script = locked(&self.script);
        let of = script.requests.iter().filter(|(asked, _)| asked == operation);
        of.map(|(_, body)| String::from_utf8_lossy(body).into_owned()).collect()
    }

    /// The operations of which answers are left.
    pub(crate) fn left(&self) -> Vec<String> {
        let script = locked(&self.script);
        let left = script.answers.iter().filter(|(_, answers)| !answers.is_empty());
        left.map(|(operation, _)| operation.clone()).collect()
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn locked(script: &Mutex<Script>) -> std::sync::MutexGuard<'_, Script> {
    script.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(script: &Mutex<Script>, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Response {
    let operation = operation(uri, headers, body);
    let mut script = locked(script);
    script.requests.push((operation.clone(), body.to_vec()));
    let Some(answer) = script.answers.get_mut(&operation).and_then(VecDeque::pop_front) else {
        let message = format!("no answer is left for {operation}");
        return (StatusCode::NOT_IMPLEMENTED, message).into_response();
    };
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::IM_A_TEAPOT);
    let cbor = (answer.media == "application/cbor").then_some([("smithy-protocol", "rpc-v2-cbor")]);
    (status, [(header::CONTENT_TYPE, answer.media)], cbor, answer.body).into_response()
}

/// The operation of a request: a header names it, or the path, or a form.
fn operation(uri: &Uri, headers: &HeaderMap, body: &Bytes) -> String {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let path = uri.path().trim_end_matches('/').rsplit('/').next().filter(|last| !last.is_empty());
    let named = target.and_then(|target| target.rsplit('.').next()).or(path).map(str::to_owned);
    named.unwrap_or_else(|| {
        let body = String::from_utf8_lossy(body);
        body.split('&').find_map(|pair| pair.strip_prefix("Action=")).unwrap_or("unknown").to_owned()
    })
}
