//! `dataproduct policy test`: policies against fixture products with expected results.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use jiff::Timestamp;
use serde::Deserialize;

use crate::{
    cli::{CliError, Ending, check::usable, clean, context::Context, inputs::Inputs, look::aligned, print},
    governance::Report,
    manifest::{Definitions, limits::MAX_BYTES},
    plan::judge_declared,
};

pub(super) const HELP: &str = "Examples:
  dataproduct policy test policies/freshness.test.yaml
  dataproduct policy test policies/*.test.yaml

A test:
  apiVersion: cli.datamesh.io/v1
  kind: PolicyTest
  policies: [freshness.yaml]
  context: [../platform.yaml]        # standards, domains, exceptions and other products
  now: 2027-01-01T00:00:00Z          # the default is now
  cases:
  - name: an hour is fresh enough
    product: fixtures/fresh.yaml
    violations: []
  - name: a day is not
    product: fixtures/late.yaml
    violations: [FRESH-001]
    messages: {FRESH-001: The data may be 1 day old}
    score: 90

Exit codes:
  0  every case is as expected
  1  a case is not
  2  a test, a policy or a product cannot be used";

/// Most cases of a test.
const MAX_CASES: usize = 1_000;

/// Which tests.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Files of kind `PolicyTest`.
    #[arg(required = true, value_name = "FILE")]
    tests: Vec<PathBuf>,
}

/// Policies, what bears on them, and cases.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PolicyTest {
    api_version: String,
    kind: String,
    #[serde(default, rename = "metadata")]
    _metadata: Option<BTreeMap<String, serde_json::Value>>,
    policies: Vec<PathBuf>,
    #[serde(default)]
    context: Vec<PathBuf>,
    now: Option<Timestamp>,
    cases: Vec<Case>,
}

/// A product, and what the policies must find.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    product: PathBuf,
    violations: BTreeSet<String>,
    #[serde(default)]
    messages: BTreeMap<String, String>,
    score: Option<i32>,
}

/// Runs tests and tells each case.
pub(super) fn run(args: &TestArgs) -> Result<Ending, CliError> {
    let definitions = Definitions::new()?;
    let (mut text, mut failed, mut all) = (String::new(), 0, 0);
    for path in &args.tests {
        let asked = read(path)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let outcome = Outcome::of(&asked, folder, &definitions)?;
        all += outcome.rows.len();
        failed += outcome.rows.iter().filter(|row| !row.wrong.is_empty()).count();
        text.push_str(&outcome.text(path));
    }
    let words = if failed == 0 {
        format!("{all} cases, all as expected\n")
    } else {
        format!("{failed} of {all} cases are not as expected\n")
    };
    print(&format!("{text}{words}"))?;
    Ok(if failed == 0 { Ending::Done } else { Ending::Found })
}

fn read(path: &Path) -> Result<PolicyTest, CliError> {
    let refused = |said: String| CliError::Usage(clean(&format!("{}: {said}", path.display())));
    let size = fs::metadata(path).map_err(|error| refused(format!("it cannot be read: {error}")))?.len();
    if size > MAX_BYTES as u64 {
        return Err(refused(format!("it has more than {MAX_BYTES} bytes")));
    }
    let text = fs::read_to_string(path).map_err(|error| refused(format!("it cannot be read: {error}")))?;
    let asked: PolicyTest = serde_saphyr::from_str(&text).map_err(|error| {
        let error = error.to_string();
        let said = error.lines().next().unwrap_or_default().trim_start_matches("error: ");
        refused(format!("it is no test: {said}; `dataproduct policy test --help` shows one"))
    })?;
    let PolicyTest { api_version, kind, policies, cases, .. } = &asked;
    if (api_version.as_str(), kind.as_str()) != ("cli.datamesh.io/v1", "PolicyTest") {
        return Err(refused(format!(
            "it is {kind} of {api_version}; a test is PolicyTest of cli.datamesh.io/v1"
        )));
    }
    if policies.is_empty() || cases.is_empty() || cases.len() > MAX_CASES {
        return Err(refused(format!("a test has at least one policy, and from 1 to {MAX_CASES} cases")));
    }
    Ok(asked)
}

/// What became of a test.
struct Outcome {
    rows: Vec<Row>,
    /// Rules that no case breaks, so that nobody has seen them find anything.
    unbroken: BTreeSet<String>,
}

struct Row {
    name: String,
    wrong: Vec<String>,
}

impl Outcome {
    fn of(test: &PolicyTest, folder: &Path, definitions: &Definitions) -> Result<Self, CliError> {
        let now = test.now.unwrap_or_else(Timestamp::now);
        let at = |paths: &[PathBuf]| paths.iter().map(|path| folder.join(path)).collect::<Vec<_>>();
        let background =
            Inputs::read(&[at(&test.policies), at(&test.context)].concat(), definitions, |_, _| {})?;
        usable(&background)?;
        let mut outcome = Self { rows: Vec::new(), unbroken: BTreeSet::new() };
        for case in &test.cases {
            let inputs = Inputs::read(&[folder.join(&case.product)], definitions, |_, _| {})?;
            usable(&inputs)?;
            let mut context = Context::of_files(true);
            let products = context.take(&inputs, None, now);
            let others = context.take(&background, None, now);
            let [product] = products.as_slice() else {
                return Err(CliError::Usage(clean(&format!(
                    "{} has {} products; the product of a case stands in a file of its own",
                    case.product.display(),
                    products.len()
                ))));
            };
            if context.mesh.global_policies.is_empty() && context.mesh.domain_policies.is_empty() {
                return Err(CliError::Usage(
                    "the policies of the test hold no GovernancePolicy and no DomainPolicy".to_owned(),
                ));
            }
            faults(&context, &background)?;
            context.complete(&others, &products, now);
            let judged = judge_declared(&context.declared(&product.product, now), true);
            let (report, _) = judged.ok_or_else(|| {
                CliError::Usage("nothing can be judged: the test has no GovernancePolicy".to_owned())
            })?;
            if outcome.rows.is_empty() {
                let policies = context.mesh.policies().policies();
                outcome.unbroken =
                    policies.flat_map(|policy| policy.ids().map(str::to_owned).collect::<Vec<_>>()).collect();
            }
            report.violations.iter().for_each(|violation| {
                outcome.unbroken.remove(&*violation.rule.id);
            });
            outcome.rows.push(Row { name: case.name.clone(), wrong: case.differences(&report) });
        }
        Ok(outcome)
    }

    fn text(&self, path: &Path) -> String {
        let mut text = format!("{}\n", clean(&path.display().to_string()));
        let rows = self.rows.iter().map(|row| {
            let word = if row.wrong.is_empty() { "  ok  " } else { "  FAIL" };
            [word.to_owned(), clean(&row.name), clean(&row.wrong.join("; "))]
        });
        text.push_str(&aligned(&rows.collect::<Vec<_>>()));
        if !self.unbroken.is_empty() {
            let ids = self.unbroken.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            text.extend([format!("  no case breaks {ids}\n")]);
        }
        text.push('\n');
        text
    }
}

/// Refuses policies with rules that judge nothing: a case that expects no violation would pass because of them.
fn faults(context: &Context, background: &Inputs) -> Result<(), CliError> {
    let faults = background.objects().flat_map(|(_, object)| {
        let faults = context.policy_faults(object, None);
        faults
            .into_iter()
            .map(|(rule, why)| format!("rule {rule} of {}: {why}", object.name))
            .collect::<Vec<_>>()
    });
    let faults = faults.collect::<Vec<_>>();
    if faults.is_empty() { Ok(()) } else { Err(CliError::Usage(clean(&faults.join("\n")))) }
}

impl Case {
    /// How a report differs from what is expected.
    fn differences(&self, report: &Report) -> Vec<String> {
        let open = report.violations.iter().filter(|violation| violation.exception.is_none());
        let found = open.clone().map(|violation| violation.rule.id.to_string()).collect::<BTreeSet<_>>();
        let list = |ids: Vec<&String>| ids.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let (missing, surplus) = (
            list(self.violations.difference(&found).collect()),
            list(found.difference(&self.violations).collect()),
        );
        let mut wrong = Vec::new();
        if !missing.is_empty() {
            wrong.push(format!("expected {missing}"));
        }
        if !surplus.is_empty() {
            wrong.push(format!("did not expect {surplus}"));
        }
        for (id, expected) in &self.messages {
            let mut said = open
                .clone()
                .filter(|violation| *violation.rule.id == **id)
                .map(|violation| &violation.message);
            if !said.clone().any(|message| message == expected) {
                let said = said.next().map_or("nothing".to_owned(), |message| format!("{message:?}"));
                wrong.push(format!("{id} says {said}, not {expected:?}"));
            }
        }
        if let Some(score) = self.score.filter(|score| *score != report.score) {
            wrong.push(format!("the score is {}, not {score}", report.score));
        }
        wrong
    }
}
