//! The commands that show what a cluster has, and the forms in which they do.

use clap::{Subcommand, ValueEnum};
use kube::api::DynamicObject;
use serde_json::{Value, json};

use super::{CliError, Ending, daily, events, get, show, status, trace};

/// The commands that show something and change nothing.
#[derive(Debug, Subcommand)]
pub enum Show {
    /// List products with their state, score and service levels.
    #[command(after_help = get::HELP)]
    Get(Box<get::GetArgs>),
    /// Show a product as a tree: what is wrong and what to do, its resources, who has access, what it reads and who reads it.
    #[command(after_help = trace::HELP)]
    Trace(Box<trace::TraceArgs>),
    /// Show one product's story: conditions, violations with remediation, resources, service levels.
    #[command(
        after_help = "Examples:\n  dataproduct status customer-360\n  dataproduct status customer-360 --namespace customer"
    )]
    Status {
        /// Which product.
        #[command(flatten)]
        target: daily::Target,
    },
    /// List what happened to products, the newest last.
    #[command(after_help = events::HELP)]
    Events(Box<events::EventsArgs>),
}

impl Show {
    /// Runs the command.
    pub(super) async fn run(self) -> Result<Ending, CliError> {
        match self {
            Self::Get(args) => get::run(*args).await,
            Self::Trace(args) => trace::run(*args).await,
            Self::Status { target } => show(&status::story(&target.product().await?)).map(|()| Ending::Done),
            Self::Events(args) => events::run(*args).await,
        }
    }
}

/// Forms in which objects are given to programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Structure {
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

impl Structure {
    /// A value in this form.
    pub(super) fn text(self, value: &Value) -> Result<String, CliError> {
        Ok(match self {
            Self::Json => format!("{}\n", serde_json::to_string_pretty(value)?),
            Self::Yaml => serde_saphyr::to_string(value)?,
        })
    }

    /// One of several values that follow each other.
    pub(super) fn one_of_many(self, value: &Value) -> Result<String, CliError> {
        let marker = if self == Self::Yaml { "---\n" } else { "" };
        Ok(format!("{marker}{}", self.text(value)?))
    }
}

/// An object as kubectl shows it: without the record of who has changed which field.
pub(super) fn object(mut object: DynamicObject) -> Result<Value, CliError> {
    object.metadata.managed_fields = None;
    Ok(serde_json::to_value(object)?)
}

/// Objects as kubectl lists them.
pub(super) fn list(items: Vec<Value>) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items})
}
