//! `dataproduct policy simulate`: what policies would do to a mesh, before anybody applies them.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use clap::Args;
use jiff::Timestamp;

use crate::{
    api::{DataProduct, Enforcement},
    cli::{
        CliError, Ending, check::usable, clean, context::Context, inputs::Inputs, look::aligned, note, print,
        run, runtime,
    },
    governance::Report,
    manifest::Definitions,
    plan::{ProductName, judge_declared},
};

pub(super) const HELP: &str = "Examples:
  dataproduct policy simulate new-policy.yaml
  dataproduct policy simulate policies/ --mesh products/ --mesh platform/
  dataproduct policy simulate new-policy.yaml --remove standards

Exit codes:
  0  the simulation was made
  1  with --fail-on-stopped: change of a product would stop that is not stopped now
  2  the command line or a file cannot be used
  3  the cluster cannot be reached or does not answer";

/// Most products that are named.
const MAX_NAMED: usize = 50;

/// Which policies, and of which mesh.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// Files or directories with policies, and with standards where these are to change too.
    #[arg(value_name = "FILE|DIR", required_unless_present = "remove")]
    policies: Vec<PathBuf>,
    /// Files or directories that hold the whole mesh, instead of the cluster of the kubeconfig.
    #[arg(long, value_name = "FILE|DIR")]
    mesh: Vec<PathBuf>,
    /// A `GovernancePolicy` of the mesh that is to go.
    #[arg(long, value_name = "NAME")]
    remove: Vec<String>,
    /// End with 1 where change of a product would stop that is not stopped now.
    #[arg(long)]
    fail_on_stopped: bool,
    #[command(flatten)]
    cluster: run::ClusterArgs,
    /// Judge as of this instant instead of now: what is in grace today may be enforced then.
    #[arg(long, value_name = "INSTANT")]
    now: Option<Timestamp>,
}

/// How a product is judged by one set of policies.
struct Standing {
    report: Report,
    stopped: bool,
}

/// A product before and after.
struct Change {
    name: ProductName,
    domain: String,
    before: Option<Standing>,
    after: Option<Standing>,
}

pub(super) fn run(args: SimulateArgs) -> Result<Ending, CliError> {
    if !args.mesh.is_empty() && args.cluster.is_given() {
        return Err(CliError::Usage(
            "--mesh reads files in place of a cluster; leave out --kubeconfig and --context".to_owned(),
        ));
    }
    let now = args.now.unwrap_or_else(Timestamp::now);
    let definitions = Definitions::new()?;
    let inputs = Inputs::read(&args.policies, &definitions, |_, _| {})?;
    usable(&inputs)?;
    let files = Inputs::read(&args.mesh, &definitions, |_, _| {})?;
    usable(&files)?;
    let of_mesh = if args.mesh.is_empty() {
        runtime()?.block_on(async { Context::of_cluster(&run::client(args.cluster).await?).await })?
    } else {
        Context::of_files(true)
    };
    let products = |context: &mut Context| {
        let candidates = context.take(&files, None, now);
        let products =
            context.live().cloned().map(Arc::new).chain(candidates.iter().map(|it| Arc::clone(&it.product)));
        (products.collect::<Vec<_>>(), candidates)
    };

    let mut before = of_mesh.clone();
    let (mesh, candidates) = products(&mut before);
    let judged = before.has_policies();
    before.complete(&[], &candidates, now);

    let mut after = of_mesh;
    // What is tried comes first, so that it counts where both have something of one name.
    let tried = after.take(&inputs, None, now);
    if !tried.is_empty() {
        return Err(CliError::Usage(
            "products are those of the mesh; try a product with dataproduct check --cluster".to_owned(),
        ));
    }
    let (_, candidates) = products(&mut after);
    for name in &args.remove {
        if after.mesh.global_policies.remove(name).is_none() {
            return Err(CliError::Usage(clean(&format!(
                "the mesh has no GovernancePolicy {name} that could go"
            ))));
        }
    }
    for (_, object) in inputs.objects() {
        for (rule, why) in after.policy_faults(object, None) {
            note(&format!("rule {rule} of {} judges nothing: {why}", object.name));
        }
    }
    after.complete(&[], &candidates, now);

    let judge = |context: &Context, product: &Arc<DataProduct>| {
        let (report, domain) = judge_declared(&context.declared(product, now), true)?;
        let stopped = report.enforced_errors(domain).next().is_some() && domain == Enforcement::Enforced;
        Some(Standing { report, stopped })
    };
    let changes = mesh.iter().map(|product| Change {
        name: ProductName::of(product.as_ref()),
        domain: product.spec.domain.clone(),
        before: judged.then(|| judge(&before, product)).flatten(),
        after: judge(&after, product),
    });
    let changes = changes.collect::<Vec<_>>();
    print(&text(&changes))?;
    let stops = changes.iter().any(Change::is_newly_stopped);
    Ok(if stops && args.fail_on_stopped { Ending::Found } else { Ending::Done })
}

impl Change {
    fn is_newly_stopped(&self) -> bool {
        let stopped =
            |standing: &Option<Standing>| standing.as_ref().is_some_and(|standing| standing.stopped);
        stopped(&self.after) && !stopped(&self.before)
    }

    fn scores(&self) -> [Option<i32>; 2] {
        [&self.before, &self.after].map(|standing| standing.as_ref().map(|standing| standing.report.score))
    }

    fn told(&self) -> String {
        let [before, after] =
            self.scores().map(|score| score.map_or("-".to_owned(), |score| score.to_string()));
        let stops = if self.is_newly_stopped() { ", stops change" } else { "" };
        let [new, gone] = self.violations();
        let new = new.iter().map(|told| format!("  + {}\n", clean(told)));
        let gone = gone.iter().map(|told| format!("  - {}\n", clean(told)));
        let head = format!("{}  score {before} becomes {after}{stops}\n", self.name);
        std::iter::once(head).chain(new).chain(gone).collect()
    }

    /// The violations that are new, and those that are gone.
    fn violations(&self) -> [Vec<String>; 2] {
        let ids = |standing: &Option<Standing>| -> Vec<(String, String)> {
            let violations = standing.iter().flat_map(|standing| &standing.report.violations);
            let open = violations.filter(|violation| violation.exception.is_none());
            open.map(|violation| {
                (violation.rule.id.to_string(), format!("{} at {}", violation.rule.id, violation.path))
            })
            .collect()
        };
        let (before, after) = (ids(&self.before), ids(&self.after));
        let only = |one: &[(String, String)], other: &[(String, String)]| {
            one.iter().filter(|it| !other.contains(it)).map(|(_, told)| told.clone()).collect::<Vec<_>>()
        };
        [only(&after, &before), only(&before, &after)]
    }
}

fn text(changes: &[Change]) -> String {
    let mut domains: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        domains.entry(&change.domain).or_default().push(change);
    }
    let header = ["DOMAIN", "PRODUCTS", "SCORE", "BECOMES", "FAILING", "BECOMES", "STOPPED", "BECOMES"]
        .map(str::to_owned);
    let all = changes.iter().collect::<Vec<_>>();
    let rows = domains.iter().map(|(domain, changes)| row(domain, changes));
    let rows = std::iter::once(header).chain(rows).chain([row("all", &all)]).collect::<Vec<_>>();
    let mut text = aligned(&rows);
    let otherwise = changes.iter().filter(|change| {
        let [new, gone] = change.violations();
        !new.is_empty() || !gone.is_empty() || change.is_newly_stopped()
    });
    let otherwise = otherwise.collect::<Vec<_>>();
    if otherwise.is_empty() {
        text.push_str("\nNo product would be judged otherwise. Nothing was changed.\n");
        return text;
    }
    text.push('\n');
    text.extend(otherwise.iter().take(MAX_NAMED).map(|change| change.told()));
    if otherwise.len() > MAX_NAMED {
        text.extend([format!("and {} more products\n", otherwise.len() - MAX_NAMED)]);
    }
    text.push_str("\nNothing was changed.\n");
    text
}

fn row(domain: &str, changes: &[&Change]) -> [String; 8] {
    let standings = |pick: fn(&Change) -> &Option<Standing>| {
        changes.iter().filter_map(move |change| pick(change).as_ref())
    };
    let columns = [standings(|change| &change.before), standings(|change| &change.after)].map(|standings| {
        let (mut count, mut sum, mut failing, mut stopped) = (0_i64, 0_i64, 0, 0);
        for standing in standings {
            count += 1;
            sum += i64::from(standing.report.score);
            failing += usize::from(standing.report.errors > 0);
            stopped += usize::from(standing.stopped);
        }
        let mean = sum.checked_div(count).map_or("-".to_owned(), |mean| mean.to_string());
        (mean, failing.to_string(), stopped.to_string())
    });
    let [(mean, failing, stopped), (becomes, fails, stops)] = columns;
    [clean(domain), changes.len().to_string(), mean, becomes, failing, fails, stopped, stops]
}
