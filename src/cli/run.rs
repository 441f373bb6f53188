//! `dataproduct run`: the operator itself.

use std::{future::Future, net::SocketAddr, str::FromStr, sync::Arc, time::Duration};

use axum::Router;
use clap::{Args, ValueEnum, builder::NonEmptyStringValueParser};
use tokio::{sync::oneshot, time::timeout};

use super::CliError;
pub(super) use super::cluster::{ClusterArgs, client};
use crate::{
    controller::{
        self,
        context::Context,
        leader::Candidate,
        outputs::{Output, Outputs},
    },
    http::{self, Endpoint},
    metrics::Metrics,
    telemetry::{self, LogFormat},
    webhook::{self, Settings, Webhook, answer::Action, certificate::Lives, counts::Answers},
};

/// Longest wait for the answers of the webhook that are under way at the end.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// Where something is served.
#[derive(Debug, Clone, Copy)]
enum Bind {
    /// Nowhere.
    Off,
    /// At an address.
    At(SocketAddr),
}

impl FromStr for Bind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "0" {
            return Ok(Self::Off);
        }
        let wrong = |_| {
            format!("{text:?} is no address like 0.0.0.0:8080 or [::]:8080, and not 0, which switches it off")
        };
        text.parse().map(Self::At).map_err(wrong)
    }
}

/// What the webhook does about what will stop change.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum WebhookAction {
    /// Let the product in and say what is wrong.
    Warn,
    /// Refuse the product.
    Deny,
}

impl From<WebhookAction> for Action {
    fn from(action: WebhookAction) -> Self {
        match action {
            WebhookAction::Warn => Self::Warn,
            WebhookAction::Deny => Self::Deny,
        }
    }
}

/// Settings of the operator.
#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Identity of this cluster, as it is written on external resources. The default is the uid of the kube-system
    /// namespace. Never change it: what was made under another identity counts as somebody else's.
    #[arg(long, env = "DATAPRODUCT_CLUSTER_ID", value_name = "ID")]
    cluster_id: Option<String>,
    /// Watch the products, the policies of a domain and the exceptions of this namespace alone, with rights on no other. The
    /// default is to watch all. What products of other namespaces read or are read by is not seen then.
    #[arg(
        long,
        env = "DATAPRODUCT_WATCH_NAMESPACE",
        value_name = "NAMESPACE",
        value_parser = NonEmptyStringValueParser::new()
    )]
    watch_namespace: Option<String>,
    /// Where metrics are served for Prometheus, under the path /metrics. `0` switches them off.
    #[arg(
        long,
        env = "DATAPRODUCT_METRICS_BIND_ADDRESS",
        value_name = "ADDRESS",
        default_value = "0.0.0.0:8080"
    )]
    metrics_bind_address: Bind,
    /// Where the kubelet asks whether the process is alive, under /healthz, and whether it can do its work, under /readyz.
    /// `0` switches both off.
    #[arg(
        long,
        env = "DATAPRODUCT_HEALTH_BIND_ADDRESS",
        value_name = "ADDRESS",
        default_value = "0.0.0.0:8081"
    )]
    health_bind_address: Bind,
    /// Visit products only while this process holds the Lease `dataproduct-operator`, so that several replicas do not do
    /// everything several times. Each of them watches, answers the webhook, and can take over at once.
    #[arg(long, env = "DATAPRODUCT_LEADER_ELECT")]
    leader_elect: bool,
    /// Namespace of the Lease. The default is the operator's own.
    #[arg(
        long,
        env = "DATAPRODUCT_LEADER_ELECTION_NAMESPACE",
        value_name = "NAMESPACE",
        requires = "leader_elect"
    )]
    leader_election_namespace: Option<String>,
    /// Visit no product and let every one go: drop the finalizer, so that it can be deleted without the operator, and
    /// change nothing outside. Before the operator is uninstalled.
    #[arg(long, env = "DATAPRODUCT_LET_PRODUCTS_GO")]
    let_products_go: bool,
    /// What is written for other tools: `openreports` for one Report of openreports.io a product, where that API is
    /// installed.
    #[arg(
        long = "output",
        env = "DATAPRODUCT_OUTPUTS",
        value_name = "KIND",
        value_enum,
        value_delimiter = ','
    )]
    outputs: Vec<Output>,
    /// Where the validating webhook is served, for example 0.0.0.0:9443. `0`, the default, switches it off.
    #[arg(long, env = "DATAPRODUCT_WEBHOOK_BIND_ADDRESS", value_name = "ADDRESS", default_value = "0")]
    webhook_bind_address: Bind,
    /// Name or address under which API servers call the webhook; its certificate is for it. The default is the service
    /// `dataproduct-webhook` of the operator's own namespace.
    #[arg(long, env = "DATAPRODUCT_WEBHOOK_HOST", value_name = "HOST")]
    webhook_host: Option<String>,
    /// What the webhook does about what will stop change.
    #[arg(long, env = "DATAPRODUCT_WEBHOOK_ACTION", value_enum, default_value = "warn")]
    webhook_action: WebhookAction,
    /// Form of log lines.
    #[arg(long, env = "DATAPRODUCT_LOG_FORMAT", value_enum, default_value = "text")]
    log_format: LogFormat,
    /// What is logged: a level, and levels of parts.
    #[arg(long, env = "DATAPRODUCT_LOG", value_name = "FILTER", default_value = "info,kube=warn")]
    log: String,
}

/// Runs the operator until the process is asked to end.
pub(super) async fn run(args: RunArgs) -> Result<(), CliError> {
    let telemetry = telemetry::start(args.log_format, &args.log).map_err(CliError::Usage)?;
    let ended = operate(args).await;
    telemetry.flush().await;
    ended
}

async fn operate(args: RunArgs) -> Result<(), CliError> {
    // Before anything else is done, so that two operators on one machine are told apart at once.
    let endpoint = listen("metrics", "--metrics-bind-address", args.metrics_bind_address).await?;
    let probed = listen("probes", "--health-bind-address", args.health_bind_address).await?;
    if let (Some(namespace), Bind::At(_)) = (&args.watch_namespace, args.webhook_bind_address) {
        return Err(CliError::Usage(format!(
            "--watch-namespace {namespace} and --webhook-bind-address cannot both be set: API servers ask the webhook about the \
             products of every namespace; leave one of them out"
        )));
    }
    let webhook = listen_for_reviews(args.webhook_bind_address).await?;
    let client = client(args.cluster).await?;
    let mut ctx = controller::connect(client, args.cluster_id, args.watch_namespace).await?;
    ctx.outputs = Outputs::of(args.outputs);
    ctx.leaving = args.let_products_go;
    let ctx = Arc::new(ctx);
    let answers = Arc::<Answers>::default();
    if let Some(endpoint) = endpoint {
        serve("metrics", "/metrics", endpoint, http::metrics(Metrics::of(&ctx, &answers)));
    }
    if let Some(endpoint) = probed {
        serve("probes", "/healthz and /readyz", endpoint, probes(&ctx));
    }
    let (stop, stopped) = oneshot::channel::<()>();
    let webhook = webhook.map(|webhook| {
        let settings = Settings {
            host: args
                .webhook_host
                .unwrap_or_else(|| format!("{}.{}.svc", webhook::NAME, ctx.client.default_namespace())),
            action: args.webhook_action.into(),
            lives: Lives::default(),
            look: webhook::LOOK,
            answers,
        };
        tokio::spawn(answer_reviews(webhook, Arc::clone(&ctx), settings, stopped))
    });
    let namespace = args.leader_election_namespace.as_deref();
    let candidate = args.leader_elect.then(|| Candidate::new(ctx.client.clone(), namespace, &ctx.instance));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), cluster = ctx.cluster, "started");
    // In a box, because it would make every future around it larger.
    Box::pin(controller::run(ctx, candidate, shutdown()?)).await?;
    drop(stop);
    if let Some(webhook) = webhook {
        // What is still asked then is let in by the API server.
        let _ = timeout(LAST_ANSWERS, webhook).await;
    }
    tracing::info!("every visit under way is finished; good bye");
    Ok(())
}

async fn listen(what: &str, flag: &str, bind: Bind) -> Result<Option<Endpoint>, CliError> {
    let Bind::At(address) = bind else { return Ok(None) };
    let failed = |error| {
        CliError::Usage(format!(
            "cannot serve {what} at {address}: {error}; choose another address with {flag}, or 0 for none"
        ))
    };
    Endpoint::bind(address).await.map(Some).map_err(failed)
}

async fn listen_for_reviews(bind: Bind) -> Result<Option<Webhook>, CliError> {
    let Bind::At(address) = bind else { return Ok(None) };
    let failed = |error| {
        CliError::Usage(format!(
            "cannot serve the webhook at {address}: {error}; choose another address with --webhook-bind-address, or 0 for none"
        ))
    };
    Webhook::bind(address).await.map(Some).map_err(failed)
}

/// Answers API servers until it is told to stop. Without it the operator goes on: it judges anyway.
async fn answer_reviews(
    webhook: Webhook,
    ctx: Arc<Context>,
    settings: Settings,
    stopped: oneshot::Receiver<()>,
) {
    if let Ok(address) = webhook.address() {
        tracing::info!(%address, host = settings.host, "the webhook is served under {}", webhook::PATH);
    }
    // A sender that is dropped asks for the end as well.
    let stop = async {
        let _ = stopped.await;
    };
    if let Err(error) = webhook.serve(ctx, settings, stop).await {
        tracing::error!(%error, "the webhook is not served any more");
    }
}

/// Serves something for as long as the process lives.
fn serve(what: &'static str, paths: &str, endpoint: Endpoint, routes: Router) {
    if let Ok(address) = endpoint.address() {
        tracing::info!(%address, "{what} are served under {paths}");
    }
    tokio::spawn(async move {
        if let Err(error) = endpoint.serve(routes).await {
            tracing::error!(%error, "{what} are not served any more");
        }
    });
}

/// The answers to the kubelet. Ready is who knows the mesh, leader or not: the webhook of a replica that stands by answers.
fn probes(ctx: &Arc<Context>) -> Router {
    let (alive, able) = (Arc::clone(ctx), Arc::clone(ctx));
    let synced = move || {
        let waits =
            "the watches have not shown everything yet; this goes on where the API server does not answer";
        able.is_synced().then_some(()).ok_or_else(|| waits.to_owned())
    };
    http::probes(move || alive.pulse.health(), synced)
}

/// Completes when the process is asked to end, by SIGTERM or Ctrl-C.
fn shutdown() -> Result<impl Future<Output = ()> + Send + Sync + 'static, CliError> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| {
        signal(kind).map_err(|source| CliError::Write { path: "the signal handlers".to_owned(), source })
    };
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
