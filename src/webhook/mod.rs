//! The validating webhook: it tells whoever applies a product what the operator would say of it, as far as the API server
//! cannot tell by itself: names that are taken, lineage, the domain of a namespace, and policies in grace.
//!
//! It judges by the functions of the reconciler, on what the watches have shown. It changes nothing outside its own Secret
//! and the configuration that calls it, asks no provider, and lets in whatever it cannot judge in time: safety never
//! depends on it.

pub mod answer;
pub mod certificate;
pub mod counts;
mod keep;
mod keys;
mod listener;
pub mod registration;
pub mod review;

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use kube::ResourceExt;
use serde_json::Value;
use thiserror::Error;
use tokio::{
    net::TcpListener,
    time::{Instant, timeout_at},
};
use tokio_rustls::{TlsAcceptor, rustls};

pub use self::keep::NAME;
use self::{
    answer::{Action, Answer, answer},
    certificate::Lives,
    counts::{Answers, Said},
    keep::Keeper,
    keys::Keys,
    listener::Secured,
    review::{Request, Review},
};
use crate::{
    api::{DataProduct, GROUP},
    controller::{context::Context, gather},
};

/// The path that is asked.
pub const PATH: &str = "/validate";
/// Longest question in bytes: twice an object, which is at most 1.5 MiB.
const MAX_BODY: usize = 3 * 1024 * 1024;
/// Longest time of one answer; the API server waits for 3 s.
const DEADLINE: Duration = Duration::from_millis(2500);
/// Pause between two looks at the certificate.
pub const LOOK: Duration = Duration::from_mins(1);

/// Settings of the webhook.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name or address under which API servers call it.
    pub host: String,
    /// What is done about what stops change.
    pub action: Action,
    /// How long certificates live.
    pub lives: Lives,
    /// Pause between two looks at the certificate.
    pub look: Duration,
    /// Where answers are counted.
    pub answers: Arc<Answers>,
}

/// What every answer needs.
struct Asked {
    ctx: Arc<Context>,
    action: Action,
    answers: Arc<Answers>,
}

/// Why the webhook ended.
#[derive(Debug, Error)]
pub enum WebhookError {
    /// It cannot listen.
    #[error("the webhook cannot listen: {0}")]
    Listen(#[from] io::Error),
    /// TLS cannot be set up.
    #[error("the webhook cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// A webhook that listens and does not answer yet.
pub struct Webhook(TcpListener);

impl Webhook {
    /// Begins to listen at an address; with port 0 the system chooses a port.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        TcpListener::bind(address).await.map(Self)
    }

    /// The address at which it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Answers until `stop` completes; answers that are under way are finished first.
    pub async fn serve(
        self,
        ctx: Arc<Context>,
        settings: Settings,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), WebhookError> {
        let keys = Arc::new(Keys::default());
        let acceptor = TlsAcceptor::from(Arc::new(keys.tls()?));
        let keeper = Keeper {
            ctx: Arc::clone(&ctx),
            namespace: ctx.client.default_namespace().to_owned(),
            host: settings.host,
            lives: settings.lives,
            look: settings.look,
            keys,
        };
        let listener = Secured::new(self.0, acceptor)?;
        let asked = Arc::new(Asked { ctx, action: settings.action, answers: settings.answers });
        let routes = Router::new().route(PATH, post(move |body| review(asked, body)));
        let served = axum::serve(listener, routes).with_graceful_shutdown(stop);
        tokio::select! {
            served = served => Ok(served?),
            () = keeper.keep() => Ok(()),
        }
    }
}

async fn review(asked: Arc<Asked>, body: Body) -> Response {
    let end = Instant::now() + DEADLINE;
    let work = async {
        let body = to_bytes(body, MAX_BODY).await.map_err(|_| {
            (StatusCode::PAYLOAD_TOO_LARGE, format!("a question has at most {MAX_BODY} bytes\n"))
        })?;
        Review::read(&body).map_err(|error| (StatusCode::BAD_REQUEST, format!("{error}\n")))
    };
    let request = match timeout_at(end, work).await {
        Ok(Ok(request)) => request,
        Ok(Err(refused)) => {
            asked.answers.count(Said::Unreadable);
            return refused.into_response();
        }
        Err(_) => {
            asked.answers.count(Said::Unreadable);
            return StatusCode::REQUEST_TIMEOUT.into_response();
        }
    };
    let uid = request.uid.clone();
    let (said, answer) = judged(&asked, request, end).await;
    asked.answers.count(said);
    match serde_json::to_vec(&Review::of(uid, &answer)) {
        Ok(review) => ([(header::CONTENT_TYPE, "application/json")], review).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

/// Answers in time, whatever happens.
async fn judged(asked: &Arc<Asked>, request: Request, end: Instant) -> (Said, Answer) {
    let let_in = |text: &str| (Said::NotJudged, Answer::warning(text));
    if !is_asked(&request) {
        return (Said::Allowed, Answer::default());
    }
    if !asked.ctx.is_synced() {
        return let_in(
            "the operator has begun just now and does not know the mesh yet; the status of the product will say what it thinks",
        );
    }
    let judge = {
        let asked = Arc::clone(asked);
        // On a thread of its own, so that a long judgement holds up nobody else and the deadline counts.
        tokio::task::spawn_blocking(move || answer_to(&asked, request))
    };
    match timeout_at(end, judge).await {
        Ok(Ok(Ok(answer))) => {
            let said = match &answer {
                Answer { refusal: Some(_), .. } => Said::Refused,
                Answer { warnings, .. } if !warnings.is_empty() => Said::Warned,
                Answer { .. } => Said::Allowed,
            };
            (said, answer)
        }
        Ok(Ok(Err(error))) => let_in(&format!("the operator cannot read the product: {error}")),
        Ok(Err(_panic)) => {
            tracing::error!("a judgement for the webhook panicked; please report it with the log");
            let_in("the operator failed to judge the product; its status will say what is wrong")
        }
        Err(_) => {
            let_in("the operator could not judge the product in time; its status will say what it thinks")
        }
    }
}

/// Whether a question is about a product that somebody makes or changes, and that is to stay.
fn is_asked(request: &Request) -> bool {
    let Request { resource, sub_resource, operation, object, .. } = request;
    resource.group == GROUP
        && resource.resource == "dataproducts"
        && sub_resource.as_deref().unwrap_or_default().is_empty()
        && matches!(operation.as_str(), "CREATE" | "UPDATE")
        && object.pointer("/metadata/deletionTimestamp").is_none_or(Value::is_null)
}

fn answer_to(asked: &Asked, request: Request) -> Result<Answer, serde_json::Error> {
    let Request { operation, namespace, object, old_object, .. } = request;
    let settled = operation == "UPDATE" && object.get("spec") == old_object.get("spec");
    let mut product: DataProduct = serde_json::from_value(object)?;
    if product.namespace().is_none() {
        product.metadata.namespace = namespace;
    }
    let mut declared = gather::declared_if(&asked.ctx, &Arc::new(product));
    // One that cannot be read any more is as if it were not known.
    declared.previous = serde_json::from_value(old_object).ok().map(Arc::new);
    Ok(answer(declared, asked.action, settled))
}
