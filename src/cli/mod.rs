//! The command line: one file per subcommand. It parses and prints; what it says comes from the other rooms.

pub mod admission;
#[cfg(feature = "aws")]
pub mod aws_policy;
mod called;
mod check;
mod cluster;
pub mod completions;
pub mod context;
pub mod convert;
pub mod crds;
pub mod daily;
mod doctor;
mod documents;
mod ending;
pub mod events;
mod follow;
pub mod functions;
pub mod get;
mod held;
pub mod inputs;
pub mod look;
pub mod man;
pub mod odcs;
mod offered;
mod orphans;
mod places;
mod plan;
pub mod policies;
pub mod policy;
mod run;
mod show;
pub mod status;
pub mod trace;

use std::{
    ffi::OsString,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::{ColorChoice, FromArgMatches, Parser, Subcommand};

pub use called::definition;
pub use ending::{CliError, Ending};
use look::{acts, clean};

/// Declares, judges, provisions and watches data products.
#[derive(Debug, Parser)]
#[command(name = "dataproduct", version, about, max_term_width = 110)]
pub struct Cli {
    /// Whether there are colours: `auto`, `always` or `never`. By itself the terminal decides, and the variables `NO_COLOR` and
    /// `CLICOLOR_FORCE`.
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    color: ColorChoice,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Reads a command line. Who calls the program as kubectl does gets help for `kubectl dataproduct`.
    pub fn read(words: &[OsString]) -> Result<Self, clap::Error> {
        Self::from_arg_matches(&definition(words).try_get_matches_from(words)?)
    }

    /// Runs the command.
    pub fn run(self) -> Result<Ending, CliError> {
        match self.color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        }
        .write_global();
        self.command.run()
    }
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the operator.
    #[command(
        after_help = "Examples:\n  dataproduct run\n  dataproduct run --kubeconfig ~/.kube/config --log debug,kube=info\n  dataproduct run --webhook-bind-address 0.0.0.0:9443 --webhook-action deny"
    )]
    Run(run::RunArgs),
    /// Judge manifests offline, for pull requests: by the definitions, by the policies, with the place of everything wrong.
    #[command(after_help = CHECK_HELP)]
    Check(Box<check::CheckArgs>),
    /// Show what products would change outside the cluster if they were applied. Nothing is changed.
    #[command(after_help = plan::HELP)]
    Plan(Box<plan::PlanArgs>),
    /// What is seen of the products of a cluster.
    #[command(flatten)]
    Show(show::Show),
    /// What a domain team does with one product.
    #[command(flatten)]
    Daily(daily::Daily),
    /// Find out why nothing happens: the cluster, the operator's rights, its leader, its webhook, the platform, the providers.
    #[command(after_help = doctor::HELP)]
    Doctor(doctor::DoctorArgs),
    /// List what is marked as ours outside the cluster and has no product any more.
    #[command(after_help = orphans::HELP)]
    Orphans(orphans::OrphansArgs),
    /// List the products that hold the operator's finalizer, which keep it from being uninstalled.
    #[command(after_help = held::HELP)]
    Held(held::HeldArgs),
    /// Print the custom resource definitions as YAML.
    #[command(
        after_help = "Examples:\n  dataproduct crds | kubectl apply --server-side -f -\n  dataproduct crds --directory crds"
    )]
    Crds {
        /// Write one file per kind into this directory instead of printing.
        #[arg(long, value_name = "DIR")]
        directory: Option<PathBuf>,
    },
    /// Print the governance policies that come with the operator as YAML.
    #[command(
        after_help = "Examples:\n  dataproduct policies | kubectl apply --server-side -f -\n  dataproduct policies --directory deploy/policies\n  dataproduct policies --functions"
    )]
    Policies {
        /// Write one file per policy into this directory instead of printing, and README.md on expressions.
        #[arg(long, value_name = "DIR")]
        directory: Option<PathBuf>,
        /// Print what the expressions of policies may name, call and cost instead.
        #[arg(long, conflicts_with = "directory")]
        functions: bool,
    },
    /// Try policies before they are applied.
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Print what the API server itself judges, so that `kubectl apply` says what is wrong: a `ValidatingAdmissionPolicy`
    /// for every enforced `GovernancePolicy`.
    #[command(
        after_help = "Examples:\n  dataproduct admission | kubectl apply --server-side -f -\n  dataproduct admission --action deny --policies platform/ | kubectl apply --server-side -f -\n  dataproduct admission --webhook --webhook-namespace datamesh-system | kubectl apply --server-side -f -\n  dataproduct admission --directory deploy/admission"
    )]
    Admission(admission::AdmissionArgs),
    /// Turn a manifest as the reference writes it into one that the API server takes.
    ///
    /// What stands where Kubernetes has no place for it is moved below `spec`, and each move is told on the standard
    /// error. A document that needs nothing passes through as it is, letter by letter.
    #[command(
        after_help = "Examples:\n  dataproduct convert data-product-spec.yaml | kubectl apply -f -\n  dataproduct convert - < data-product-spec.yaml > customer-360.yaml"
    )]
    Convert {
        /// The file; - is the standard input.
        file: PathBuf,
    },
    /// Make products of the documents of other standards.
    #[command(subcommand)]
    Import(odcs::Import),
    /// Make documents of other standards of products.
    #[command(subcommand)]
    Export(odcs::Export),
    /// Print the IAM policy of the role that the operator assumes in the account of a domain.
    #[cfg(feature = "aws")]
    #[command(
        after_help = "Examples:\n  dataproduct aws-policy > iam-policy.json\n  dataproduct aws-policy --directory deploy/aws"
    )]
    AwsPolicy {
        /// Write every policy into this directory instead of printing, and the table of calls into README.md there.
        #[arg(long, value_name = "DIR")]
        directory: Option<PathBuf>,
    },
    /// Print what a shell needs to complete command lines.
    #[command(after_help = completions::HELP)]
    Completions {
        /// Which shell.
        shell: completions::Shell,
    },
    /// Print the manual page, or write the page of every command.
    #[command(
        after_help = "Examples:\n  dataproduct man | man -l -\n  dataproduct man --directory ~/.local/share/man/man1"
    )]
    Man {
        /// Write one page per command into this directory instead of printing.
        #[arg(long, value_name = "DIR")]
        directory: Option<PathBuf>,
    },
}

const CHECK_HELP: &str = "\
Examples:
  dataproduct check products/
  dataproduct check product.yaml --policies platform/ --fail-on warning
  kustomize build overlays/prod | dataproduct check -
  helm template . | dataproduct check - --namespace customer --cluster
  dataproduct check products/ -o sarif > findings.sarif

Without --policies and --cluster the policies that come with the operator judge, and no platform standards.

Exit codes:
  0  nothing is wrong, or nothing as grave as --fail-on says
  1  there are findings, mistakes in the manifests among them
  2  the command line or an input file cannot be used
  3  the cluster cannot be reached or does not answer";

impl Command {
    /// Runs the command.
    pub fn run(self) -> Result<Ending, CliError> {
        match self {
            Self::Check(args) => return check::run(*args),
            Self::Plan(args) => return plan::run(*args),
            Self::Policy(command) => return command.run(),
            Self::Doctor(args) => return runtime()?.block_on(doctor::run(args)),
            Self::Orphans(args) => return runtime()?.block_on(orphans::run(args)),
            Self::Held(args) => return runtime()?.block_on(held::run(args)),
            Self::Show(command) => return runtime()?.block_on(command.run()),
            Self::Daily(command) => return runtime()?.block_on(command.run()),
            Self::Run(args) => runtime()?.block_on(run::run(args)),
            Self::Crds { directory: None } => print(&crds::render()?),
            Self::Crds { directory: Some(directory) } => write_all(&directory, &crds::documents()?),
            Self::Policies { functions: true, .. } => print(&functions::page()),
            Self::Policies { directory: None, .. } => print(&policies::render()?),
            Self::Policies { directory: Some(directory), .. } => write_all(&directory, &policies::files()?),
            Self::Admission(args) => match (args.registration()?, &args.directory) {
                (Some(registration), _) => print(&registration),
                (None, None) => print(&admission::joined(args.documents()?)),
                (None, Some(directory)) => write_all(directory, &args.documents()?),
            },
            Self::Convert { file } => convert::run(&file),
            Self::Import(import) => import.run(),
            Self::Export(export) => export.run(),
            #[cfg(feature = "aws")]
            Self::AwsPolicy { directory: None } => print(&aws_policy::render()?),
            #[cfg(feature = "aws")]
            Self::AwsPolicy { directory: Some(directory) } => aws_policy::update(&directory),
            Self::Completions { shell } => print(&shell.script()?),
            Self::Man { directory: None } => print(&man::page()?),
            Self::Man { directory: Some(directory) } => write_all(&directory, &man::pages()?),
        }
        .map(|()| Ending::Done)
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CliError::Runtime)
}

fn write_all(directory: &Path, documents: &[(String, String)]) -> Result<(), CliError> {
    documents.iter().try_for_each(|(name, content)| write(&directory.join(name), content))
}

fn write(path: &Path, content: &str) -> Result<(), CliError> {
    std::fs::write(path, content)
        .map_err(|source| CliError::Write { path: path.display().to_string(), source })
}

/// Prints a text as it is, letter by letter.
fn print(text: &str) -> Result<(), CliError> {
    put(io::stdout().lock(), text).map(drop)
}

/// Prints a text for people, with its styles where the output takes them.
fn show(text: &str) -> Result<(), CliError> {
    put(anstream::stdout().lock(), text).map(drop)
}

/// Writes to the standard output. Whoever reads it may have read enough, as `head` does.
fn put(mut out: impl Write, text: &str) -> Result<follow::Reader, CliError> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(follow::Reader::Listens),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(follow::Reader::Left),
        Err(source) => Err(CliError::Write { path: "standard output".to_owned(), source }),
    }
}

/// Says something beside the output.
fn note(text: &str) {
    let cleaned = clean(text);
    // Nothing depends on whether it is seen.
    let _ = writeln!(io::stderr(), "note: {cleaned}");
}

/// An error as it is shown: its lines, which do nothing to a terminal, whatever a manifest or a server says.
pub fn shown(error: &CliError) -> String {
    error.to_string().lines().map(clean).collect::<Vec<_>>().join("\n")
}
