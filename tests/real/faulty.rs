//! A layer around the Kubernetes client that injects the same faults as the layer around a provider.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use dataproduct_operator::provider::layers::fault::{Fault, FaultPlan};
use futures::{FutureExt, future::BoxFuture};
use http::{Method, Request, Response};
use kube::client::Body;
use tower::{BoxError, Layer, Service};

/// Injects faults and counts writes.
#[derive(Clone)]
pub(crate) struct Faults {
    pub(crate) plan: Arc<FaultPlan>,
    pub(crate) writes: Arc<AtomicU64>,
}

impl Faults {
    /// The faults of a plan, with a new count of writes.
    pub(crate) fn of(plan: &Arc<FaultPlan>) -> Self {
        Self { plan: Arc::clone(plan), writes: Arc::default() }
    }
}

impl<S> Layer<S> for Faults {
    type Service = Injected<S>;

    fn layer(&self, inner: S) -> Injected<S> {
        Injected { inner, faults: self.clone() }
    }
}

/// A client's service with faults.
#[derive(Clone)]
pub(crate) struct Injected<S> {
    inner: S,
    faults: Faults,
}

impl<S, B> Service<Request<Body>> for Injected<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Send,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    B: Send + 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<B>, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if request.method() != Method::GET {
            self.faults.writes.fetch_add(1, Ordering::SeqCst);
        }
        let plan = Arc::clone(&self.faults.plan);
        match plan.next() {
            Some(Fault::Refused(_)) => async { Err("refused on purpose".into()) }.boxed(),
            Some(Fault::CrashBefore) => async move { plan.crash().await }.boxed(),
            fault => {
                let call = self.inner.call(request);
                async move {
                    let answer = call.await.map_err(Into::into);
                    match fault {
                        Some(Fault::AnswerLost) => Err("the answer was lost on purpose".into()),
                        Some(Fault::CrashAfter) => plan.crash().await,
                        _ => answer,
                    }
                }
                .boxed()
            }
        }
    }
}
