//! `dataproduct plan`: what files would change outside the cluster, before anybody applies them, by the planner of the
//! operator.

mod form;

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use jiff::Timestamp;

use super::{
    CliError, Ending, check::usable, cluster::ClusterArgs, context::Context, inputs::Inputs, look::Form,
    note, print, run, runtime, show,
};
use crate::{
    api::DataProduct,
    controller::kubernetes,
    manifest::Definitions,
    model::resource::Key,
    plan::{
        Declared, ProductName, World,
        assess::Observations,
        decide, decide_teardown,
        desired::desired,
        reported::{drifted, fulfilled, reported, unknown},
        scope::{resolve, resolve_departing},
    },
};
use form::{Planned, Told};

pub(super) const HELP: &str = "\
Examples:
  dataproduct plan product.yaml
  kustomize build overlays/prod | dataproduct plan -
  dataproduct plan product.yaml --delete
  dataproduct plan products/ --against ../main/products/ --policies platform/
  dataproduct plan product.yaml --offline --policies platform/

Against a cluster, what exists is what the status of the live product tells; nobody asks a provider, so that no credentials
are needed. With --against it is what those files ask for, or what their status tells where they have one. With --offline
nothing exists.

Exit codes:
  0  nothing would change outside
  1  something would, or would if nothing held it back
  2  the command line or a file cannot be used
  3  the cluster cannot be reached or does not answer";

/// What is planned, and against what.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Files, directories with their folders (.yaml, .yml and .json), or - for the standard input.
    #[arg(required = true, value_name = "FILE|DIR|-")]
    files: Vec<PathBuf>,
    /// Files or directories that say how the mesh is now, instead of the cluster of the kubeconfig.
    #[arg(long, value_name = "FILE|DIR", conflicts_with = "offline")]
    against: Vec<PathBuf>,
    /// Ask no cluster: nothing exists yet.
    #[arg(long)]
    offline: bool,
    /// More files or directories with domains, classes, standards, policies and exceptions, which bear on the plan.
    #[arg(long, value_name = "FILE|DIR")]
    policies: Vec<PathBuf>,
    /// Show what would become of the resources if the products of the files were deleted.
    #[arg(long)]
    delete: bool,
    /// Form of the output.
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value = "text")]
    output: Form,
    /// Namespace of objects that state none. The default is that of the kubeconfig's context, where a cluster is asked.
    #[arg(short, long)]
    namespace: Option<String>,
    #[command(flatten)]
    cluster: ClusterArgs,
}

/// Plans and prints. Ends with [`Ending::Found`] where something would change.
pub(super) fn run(args: PlanArgs) -> Result<Ending, CliError> {
    let of_files = args.offline || !args.against.is_empty();
    if of_files && args.cluster.is_given() {
        return Err(CliError::Usage(
            "--offline and --against ask no cluster; leave out --kubeconfig and --context".to_owned(),
        ));
    }
    // The one clock of the command.
    let now = Timestamp::now();
    let definitions = Definitions::new()?;
    let read = |names: &[PathBuf]| -> Result<Inputs, CliError> {
        let inputs = Inputs::read(names, &definitions, |_, _| {})?;
        usable(&inputs)?;
        Ok(inputs)
    };
    let (inputs, background, of_now) = (read(&args.files)?, read(&args.policies)?, read(&args.against)?);
    let asked = if of_files { None } else { Some(runtime()?.block_on(ask(args.cluster))?) };
    let (mut before, namespace, cluster) = match asked {
        None => (Context::of_files(false), args.namespace, String::new()),
        Some((context, default, id)) => (context, Some(args.namespace.unwrap_or(default)), id),
    };
    let namespace = namespace.as_deref();
    before.suppose(&of_now, namespace, now);
    let mut after = before.clone();
    // What is planned comes first, so that it counts where both have something of one name.
    let candidates = after.take(&inputs, namespace, now);
    let others = after.take(&background, namespace, now);
    before.take(&background, namespace, now);
    // Without a cluster what is missing is completed as for `check`; in a cluster the operator would judge nothing.
    let governed = |present: bool| present || !after.is_of_cluster();
    let (standards, policies) = (governed(after.mesh.standards.is_some()), governed(after.has_policies()));
    before.complete(&[], &[], now);
    if standards && policies {
        after.complete(&others, &candidates, now);
    } else {
        // Nobody is told that something else judges in their place.
        after.complete(&[others, candidates.clone()].concat(), &[], now);
    }

    let view = View { before: &before, after: &after, cluster: &cluster, standards, policies, now };
    let told = candidates.iter().map(|candidate| view.planned(&candidate.product, args.delete));
    let told = Told::of(told.collect());
    inputs.notes.iter().chain(&background.notes).chain(&after.notes).for_each(|text| note(text));
    if candidates.is_empty() {
        note("no DataProduct is among the documents, so that nothing was planned");
    }
    match args.output {
        Form::Text => show(&told.text())?,
        Form::Json => print(&told.json()?)?,
    }
    Ok(if told.changed { Ending::Found } else { Ending::Done })
}

/// What a cluster has, the namespace of the kubeconfig's context, and the identity under which resources are marked.
async fn ask(cluster: ClusterArgs) -> Result<(Context, String, String), CliError> {
    let client = run::client(cluster).await?;
    let mut context = Context::of_cluster(&client).await?;
    let id = kubernetes::cluster_id(&client).await.unwrap_or_default();
    if id.is_empty() {
        context.notes.push(
            "you may not read the namespace kube-system, which identifies the cluster; hashes of plans are not those that an approval names".to_owned(),
        );
    }
    Ok((context, client.default_namespace().to_owned(), id))
}

/// How the mesh is and how it would be.
struct View<'a> {
    before: &'a Context,
    after: &'a Context,
    cluster: &'a str,
    /// Whether there are standards, and policies, for the operator to judge by.
    standards: bool,
    policies: bool,
    now: Timestamp,
}

impl View<'_> {
    fn declared(&self, context: &Context, product: &Arc<DataProduct>) -> Declared {
        let declared = context.declared(product, self.now);
        Declared {
            cluster: self.cluster.to_owned(),
            standards: declared.standards.clone().filter(|_| self.standards),
            policies: if self.policies { Arc::clone(&declared.policies) } else { Arc::default() },
            ..declared
        }
    }

    /// What becomes of a product.
    fn planned(&self, product: &Arc<DataProduct>, delete: bool) -> Planned {
        let name = ProductName::of(&**product);
        let declared = self.declared(self.after, product);
        if delete {
            return match resolve_departing(&declared) {
                Ok(None) => Planned::nowhere(name, "nothing of it is known to exist".to_owned(), false),
                Err(blocker) => Planned::nowhere(name, blocker.to_string(), true),
                Ok(Some(scope)) => {
                    let keys = scope.keys_of(product).into_iter();
                    let observations = self.observations(&name, keys);
                    let world = World { declared, scope: Ok(scope.clone()), observations };
                    Planned::teardown(name, &world, &scope, &decide_teardown(&world, &scope))
                }
            };
        }
        let scope = resolve(&declared);
        let observations = scope.as_ref().map(|scope| self.observations(&name, scope.names.keys()));
        let observations = observations.unwrap_or_default();
        let world = World { declared, scope, observations };
        let live = self.before.live_of(&name);
        Planned::of(name, &world, &decide(&world), live.iter().flat_map(|live| drifted(live)))
    }

    /// The resources as they are before anything is applied.
    fn observations(&self, name: &ProductName, keys: impl Iterator<Item = Key>) -> Observations {
        let Some(live) = self.before.live_of(name) else { return fulfilled(&[], keys) };
        let declared = self.declared(self.before, &Arc::new(live.clone()));
        let wanted = resolve(&declared).and_then(|scope| desired(live, &scope));
        match wanted {
            Err(blocker) => unknown(&blocker, keys),
            Ok(wanted) if live.status.is_none() && !self.before.is_of_cluster() => fulfilled(&wanted, keys),
            Ok(wanted) => reported(live, &wanted, keys),
        }
    }
}
