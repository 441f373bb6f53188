//! `dataproduct run`: the operator itself.

use std::{future::Future, path::PathBuf};

use clap::Args;
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

use super::CliError;
use crate::{
    controller::{self, kubernetes},
    telemetry::{self, LogFormat},
};

/// Which cluster is meant.
#[derive(Debug, Args)]
pub struct ClusterArgs {
    /// Kubeconfig file. The default is what kubectl uses, the variable KUBECONFIG included, else the pod's own identity.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig.
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
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
    /// Form of log lines.
    #[arg(long, env = "DATAPRODUCT_LOG_FORMAT", value_enum, default_value = "text")]
    log_format: LogFormat,
    /// What is logged: a level, and levels of parts.
    #[arg(long, env = "DATAPRODUCT_LOG", value_name = "FILTER", default_value = "info,kube=warn")]
    log: String,
}

/// Runs the operator until the process is asked to end.
pub(super) async fn run(args: RunArgs) -> Result<(), CliError> {
    telemetry::start(args.log_format, &args.log).map_err(CliError::Usage)?;
    let client = client(args.cluster).await?;
    let ctx = controller::connect(client, args.cluster_id).await?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), cluster = ctx.cluster, "started");
    controller::run(ctx, shutdown()?).await?;
    tracing::info!("every visit under way is finished; good bye");
    Ok(())
}

/// A client for the cluster that a person or a pod means.
pub(super) async fn client(cluster: ClusterArgs) -> Result<Client, CliError> {
    let options = KubeConfigOptions { context: cluster.context, ..KubeConfigOptions::default() };
    let unusable = |error: String| CliError::Cluster(error);
    let config = match cluster.kubeconfig {
        Some(path) => {
            let file = Kubeconfig::read_from(&path).map_err(|error| unusable(error.to_string()))?;
            Config::from_custom_kubeconfig(file, &options)
                .await
                .map_err(|error| unusable(error.to_string()))?
        }
        None if options.context.is_some() => {
            Config::from_kubeconfig(&options).await.map_err(|error| unusable(error.to_string()))?
        }
        None => Config::infer().await.map_err(|error| unusable(error.to_string()))?,
    };
    kubernetes::client(config).map_err(|error| unusable(error.to_string()))
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
