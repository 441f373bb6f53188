//! `dataproduct doctor`: why nothing happens, in one look at everything that the operator needs.
//!
//! Each part of it asks and says what it found; nothing is changed, and what may not be read is said to be skipped.

mod cluster;
mod operator;
mod platform;

use std::fmt;

use clap::Args;
use serde::Serialize;

use super::{
    CliError, Ending,
    cluster::ClusterArgs,
    look::{Cell, Columns, Form, Tone},
    print, run, show,
};
use crate::controller::kubernetes::RequestError;
use operator::Within;

pub(super) const HELP: &str = "\
Examples:
  dataproduct doctor
  dataproduct doctor --service-account datamesh-system/dataproduct-operator
  dataproduct doctor --operator --leader-elect

The last one is for a pod with the operator's own ServiceAccount, as `helm test` runs it.

Exit codes:
  0  nothing is wrong
  1  something is
  2  the command line cannot be used
  3  the cluster cannot be reached or does not answer";

/// What is looked at.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Look as the operator itself: whether the one who asks has its rights and reaches its providers.
    #[arg(long, conflicts_with = "service_account")]
    operator: bool,
    /// Whether this `ServiceAccount` has the rights of the operator; whoever asks must be allowed to review access.
    #[arg(long, value_name = "NAMESPACE/NAME")]
    service_account: Option<String>,
    /// The operator elects a leader, so that a Lease must be held.
    #[arg(long)]
    leader_elect: bool,
    /// Namespace in which the operator runs.
    #[arg(long, value_name = "NAMESPACE", default_value = "datamesh-system")]
    operator_namespace: String,
    /// The only namespace that the operator watches, where it does not watch all of them.
    #[arg(long, value_name = "NAMESPACE")]
    watch_namespace: Option<String>,
    /// Form of the output.
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value = "text")]
    output: Form,
    #[command(flatten)]
    cluster: ClusterArgs,
}

/// How something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and somebody should know something.
    Note,
    /// It is wrong, and what is said tells what to do.
    Failed,
    /// It could not be looked at.
    Skipped,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Failed => "FAILED",
            Self::Skipped => "skipped",
        })
    }
}

/// What was found by one look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Found {
    check: &'static str,
    verdict: Verdict,
    said: String,
}

impl Found {
    fn ok(check: &'static str, said: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Ok, said: said.into() }
    }

    fn note(check: &'static str, said: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Note, said: said.into() }
    }

    fn failed(check: &'static str, said: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Failed, said: said.into() }
    }

    /// What came of a request that was answered by an error.
    fn unanswered(check: &'static str, what: &str, error: &RequestError) -> Self {
        if error.is_forbidden() {
            let said = format!("you may not read {what}");
            return Self { check, verdict: Verdict::Skipped, said };
        }
        Self::failed(check, format!("{what} cannot be read: {error}"))
    }
}

/// Looks at everything and tells. Ends with [`Ending::Found`] where something is wrong.
pub(super) async fn run(args: DoctorArgs) -> Result<Ending, CliError> {
    let account = args.service_account.as_deref().map(operator::Account::parse).transpose()?;
    let client = run::client(args.cluster).await?;
    let mut found = cluster::look(&client).await?;
    let within = Within { operator: &args.operator_namespace, watched: args.watch_namespace.as_deref() };
    if args.operator || account.is_some() {
        found.extend(operator::rights(&client, account.as_ref(), within).await);
    }
    found.extend(operator::look(&client, within, args.leader_elect).await);
    found.extend(platform::look(&client, within.watched, args.operator).await);
    let wrong = found.iter().any(|found| found.verdict == Verdict::Failed);
    match args.output {
        Form::Text => show(&text(&found))?,
        Form::Json => print(&format!("{}\n", serde_json::to_string_pretty(&found)?))?,
    }
    Ok(if wrong { Ending::Found } else { Ending::Done })
}

fn text(found: &[Found]) -> String {
    let header = ["CHECK", "RESULT", "FOUND"].map(Cell::plain).to_vec();
    let rows = found.iter().map(|found| {
        let tone = match found.verdict {
            Verdict::Ok => Tone::Good,
            Verdict::Note => Tone::Waiting,
            Verdict::Failed => Tone::Bad,
            Verdict::Skipped => Tone::Faint,
        };
        vec![Cell::plain(found.check), Cell::new(found.verdict.to_string(), tone), Cell::plain(&found.said)]
    });
    let table = Columns::apart(3).lines(&std::iter::once(header).chain(rows).collect::<Vec<_>>());
    let wrong = found.iter().filter(|found| found.verdict == Verdict::Failed).count();
    let sum = match wrong {
        0 => "Nothing is wrong.".to_owned(),
        1 => "1 thing is wrong.".to_owned(),
        more => format!("{more} things are wrong."),
    };
    format!("{table}\n{sum}\n")
}

/// The first of many, so that a line stays one.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let first = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(SHOWN);
    if more == 0 { first } else { format!("{first} and {more} more") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_counted_and_stands_in_a_table() {
        let found = [Found::ok("clock", "0 s apart"), Found::failed("definitions", "a\nb")];
        let expected = "CHECK         RESULT   FOUND\nclock         ok       0 s apart\ndefinitions   FAILED   a\\nb\n\n1 thing is wrong.\n";
        assert_eq!(anstream::adapter::strip_str(&text(&found)).to_string(), expected);
        assert!(text(&[]).ends_with("\nNothing is wrong.\n"));
        let names = (0..7).map(|it| it.to_string()).collect::<Vec<_>>();
        assert_eq!(some(&names), "0, 1, 2, 3, 4 and 2 more");
    }
}
