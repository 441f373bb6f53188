//! `dataproduct check`: manifests judged offline, for pull requests, by the same definitions and the same evaluator as in a
//! cluster.

mod finding;
mod github;
mod human;
mod json;
mod judge;
mod junit;
mod markdown;
mod progress;
mod sarif;
mod table;

use std::{env, path::PathBuf};

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::{
    CliError, Ending, clean,
    context::Context,
    inputs::{Input, Inputs, STANDARD_INPUT},
    note, print, run,
};
use crate::{api::status::Severity, manifest::Definitions};
use finding::{Checked, Totals};
use progress::Progress;

/// What is checked, and how it is told.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Files, directories with their folders (.yaml, .yml and .json), or - for the standard input.
    #[arg(required = true, value_name = "FILE|DIR|-")]
    files: Vec<PathBuf>,
    /// Form of the output. The default is human, and github where the variable `GITHUB_ACTIONS` is true.
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    output: Option<Format>,
    /// From which severity on findings end the command with 1.
    #[arg(long, value_enum, value_name = "SEVERITY", default_value = "error")]
    fail_on: FailOn,
    /// More files or directories with policies, standards, domains, classes and exceptions, which bear on the judgement and
    /// are not themselves reported.
    #[arg(long, value_name = "FILE|DIR")]
    policies: Vec<PathBuf>,
    /// The files hold every product of the mesh: unknown upstream products, cycles and names that are taken are findings.
    #[arg(long, conflicts_with = "cluster")]
    whole_mesh: bool,
    /// Namespace of objects that state none. With --cluster the default is that of the kubeconfig's context.
    #[arg(short, long)]
    namespace: Option<String>,
    /// Read policies, standards, domains, classes, exceptions and the other products from the cluster of the kubeconfig; what
    /// the files have under the same name counts in its place.
    #[arg(long)]
    cluster: bool,
    #[command(flatten)]
    access: run::ClusterArgs,
    /// Judge as of this instant, for example 2027-06-30T00:00:00Z, instead of now.
    #[arg(long, value_name = "INSTANT", hide = true, env = "DATAPRODUCT_CHECK_NOW")]
    now: Option<Timestamp>,
}

/// Forms of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Each finding with its line and a caret, then each product with its score.
    Human,
    /// A table with a line for each finding.
    Wide,
    /// A structure for programs.
    Json,
    /// The same as YAML.
    Yaml,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// XML in the form of junit, for build servers.
    Junit,
    /// A comment for a pull request.
    Markdown,
    /// Annotations of GitHub Actions.
    Github,
}

/// From which severity on the command fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Errors.
    Error,
    /// Warnings and errors.
    Warning,
    /// Nothing.
    Never,
}

impl FailOn {
    /// Whether a finding of a severity is one that fails.
    const fn covers(self, severity: Severity) -> bool {
        match self {
            Self::Error => matches!(severity, Severity::Error),
            Self::Warning => matches!(severity, Severity::Error | Severity::Warning),
            Self::Never => false,
        }
    }

    /// Whether findings that no exception covers reach it.
    const fn is_reached(self, totals: Totals) -> bool {
        match self {
            Self::Error => totals.errors > 0,
            Self::Warning => totals.errors > 0 || totals.warnings > 0,
            Self::Never => false,
        }
    }
}

/// What a format is told beside the findings.
struct Telling {
    /// Whether the command fails.
    failed: bool,
    fail_on: FailOn,
    /// Whether there may be colours.
    colours: bool,
}

/// Checks and prints. Ends with [`Ending::Found`] where findings reach the severity that was asked for.
pub(super) fn run(args: CheckArgs) -> Result<Ending, CliError> {
    if !args.cluster && args.access.is_given() {
        return Err(CliError::Usage(
            "--kubeconfig and --context belong to --cluster; add it, or leave them out".to_owned(),
        ));
    }
    // The one clock of the command.
    let now = args.now.unwrap_or_else(Timestamp::now);
    let definitions = Definitions::new()?;
    let mut progress = Progress::start();
    if args.policies.iter().any(|name| name.as_os_str() == STANDARD_INPUT) {
        return Err(CliError::Usage(
            "--policies reads files and directories; give - as what is checked".to_owned(),
        ));
    }
    let background = Inputs::read(&args.policies, &definitions, |_, _| {})?;
    usable(&background)?;
    let inputs =
        Inputs::read(&args.files, &definitions, |done, all| progress.tick("reading files", done, all))?;
    let (mut context, namespace) = if args.cluster {
        super::runtime()?.block_on(of_cluster(args.access, args.namespace))?
    } else {
        (Context::of_files(args.whole_mesh), args.namespace)
    };
    let namespace = namespace.as_deref();
    // What is checked comes first, so that it counts where both have something of one name.
    let candidates = context.take(&inputs, namespace, now);
    let others = context.take(&background, namespace, now);
    context.complete(&others, &candidates, now);
    for (_, object) in background.objects() {
        let faults = context.policy_faults(object, namespace);
        let told = faults
            .into_iter()
            .map(|(rule, why)| format!("rule {rule} of {} judges nothing: {why}", object.name));
        context.notes.extend(told.collect::<Vec<_>>());
    }
    let tick = |done, all| progress.tick("judging products", done, all);
    let checked = judge::judge(&inputs, &context, &candidates, namespace, now, tick);
    progress.end();
    let notes = inputs.notes.iter().chain(&background.notes).chain(&context.notes).collect::<Vec<_>>();
    notes.iter().take(MAX_NOTES).for_each(|text| note(text));
    if notes.len() > MAX_NOTES {
        note(&format!("and {} more of these notes", notes.len() - MAX_NOTES));
    }
    if checked.objects == 0 && checked.findings.is_empty() {
        note("no object of datamesh.io is among the documents, so that nothing was checked");
    }
    let failed = args.fail_on.is_reached(checked.totals);
    let colours = anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
    let format = args.output.unwrap_or_else(default_format);
    print(&text(&checked, format, &Telling { failed, fail_on: args.fail_on, colours })?)?;
    Ok(if failed { Ending::Found } else { Ending::Done })
}

/// What a cluster has, and the namespace of objects that state none, which is that of the context, as for kubectl.
async fn of_cluster(
    access: run::ClusterArgs,
    namespace: Option<String>,
) -> Result<(Context, Option<String>), CliError> {
    let client = run::client(access).await?;
    let namespace = namespace.unwrap_or_else(|| client.default_namespace().to_owned());
    Ok((Context::of_cluster(&client).await?, Some(namespace)))
}

/// Most notes that are told.
const MAX_NOTES: usize = 10;

/// GitHub sets the variable wherever its annotations are understood.
fn default_format() -> Format {
    let in_actions = env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true");
    if in_actions { Format::Github } else { Format::Human }
}

fn text(checked: &Checked<'_>, format: Format, telling: &Telling) -> Result<String, CliError> {
    Ok(match format {
        Format::Human => human::text(checked, telling),
        Format::Wide => table::text(checked),
        Format::Json => json::text(checked, telling)?,
        Format::Yaml => json::yaml(checked, telling)?,
        Format::Sarif => sarif::text(checked)?,
        Format::Junit => junit::text(checked, telling)?,
        Format::Markdown => markdown::text(checked, telling),
        Format::Github => github::text(checked),
    })
}

/// Refuses background files with mistakes: a policy that is left out for one would let everything pass.
pub(super) fn usable(background: &Inputs) -> Result<(), CliError> {
    let Some((file, _, fault)) = background.faults().next() else { return Ok(()) };
    let Some(Input { source, .. }) = background.files.get(file) else { return Ok(()) };
    let at = source.position(fault.place.start);
    let told = format!("{}:{}:{}: {}; {}", source.name, at.line, at.column, fault.message, fault.remediation);
    Err(CliError::Usage(clean(&told)))
}

/// One of three, by severity.
fn level<T>(severity: Severity, error: T, warning: T, info: T) -> T {
    match severity {
        Severity::Error => error,
        Severity::Warning => warning,
        Severity::Info => info,
    }
}
