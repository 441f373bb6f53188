//! A structure for programs. Fields are only ever added to a version of it; it holds at most 10,000 findings, and says how many
//! there were beyond.

use serde::Serialize;

use super::{
    CliError, Telling,
    finding::{Checked, Finding, Judged, Totals},
};

/// Version of the structure.
const VERSION: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output<'a> {
    version: u32,
    /// Release that judged.
    tool: &'static str,
    /// The instant of the judgement.
    as_of: String,
    /// Whether the command ends with 1.
    failed: bool,
    summary: Summary,
    products: Vec<Product<'a>>,
    findings: Vec<Entry<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    files: usize,
    objects: usize,
    /// Documents that belong to others.
    skipped: usize,
    errors: usize,
    warnings: usize,
    infos: usize,
    excepted: usize,
    /// Findings beyond those that are told.
    omitted: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Product<'a> {
    name: &'a str,
    file: &'a str,
    line: usize,
    /// Pass, Warn, Fail, or Refused where the API server would not take the manifest.
    result: &'static str,
    #[serde(flatten)]
    score: Option<Judgement<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Judgement<'a> {
    score: i32,
    score_without_exceptions: i32,
    not_evaluated: &'a [String],
    policies: &'a [String],
    rule_set_hash: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    id: &'a str,
    severity: &'static str,
    /// Draft, Grace or Enforced; left out for what no policy says.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    stops_change: bool,
    /// The first day on which it will stop change.
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    path: &'a str,
    message: &'a str,
    remediation: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<Exception<'a>>,
    /// Kind and name.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rendered_from: Option<&'a str>,
}

#[derive(Serialize)]
struct Exception<'a> {
    name: &'a str,
    until: String,
}

/// The structure as JSON.
pub(super) fn text(checked: &Checked<'_>, telling: &Telling) -> Result<String, CliError> {
    Ok(format!("{}\n", serde_json::to_string_pretty(&output(checked, telling))?))
}

/// The structure as YAML.
pub(super) fn yaml(checked: &Checked<'_>, telling: &Telling) -> Result<String, CliError> {
    // Through JSON, so that both are the same, whatever the two writers think of a field that is flattened.
    let json = serde_json::to_value(output(checked, telling))?;
    Ok(serde_saphyr::to_string(&json)?)
}

fn output<'a>(checked: &'a Checked<'_>, telling: &Telling) -> Output<'a> {
    let Totals { errors, warnings, infos, excepted } = checked.totals;
    Output {
        version: VERSION,
        tool: concat!("dataproduct ", env!("CARGO_PKG_VERSION")),
        as_of: checked.now.to_string(),
        failed: telling.failed,
        summary: Summary {
            files: checked.sources.len(),
            objects: checked.objects,
            skipped: checked.others,
            errors,
            warnings,
            infos,
            excepted,
            omitted: checked.omitted,
        },
        products: checked.products.iter().map(|product| self::product(checked, product)).collect(),
        findings: checked.findings.iter().map(|finding| entry(checked, finding)).collect(),
    }
}

fn product<'a>(checked: &'a Checked<'_>, product: &'a Judged) -> Product<'a> {
    let score = product.score.as_ref().map(|score| Judgement {
        score: score.score,
        score_without_exceptions: score.without_exceptions,
        not_evaluated: &score.not_evaluated,
        policies: &score.policies,
        rule_set_hash: &score.rule_set_hash,
    });
    Product {
        name: &product.name,
        file: checked.file(product.file),
        line: product.line,
        result: product.result(),
        score,
    }
}

fn entry<'a>(checked: &'a Checked<'_>, finding: &'a Finding) -> Entry<'a> {
    Entry {
        file: checked.file(finding.file),
        line: finding.start.line,
        column: finding.start.column,
        end_line: finding.end.line,
        end_column: finding.end.column,
        id: &finding.id,
        severity: finding.severity.as_str(),
        state: finding.state.map(|state| format!("{state:?}")),
        stops_change: finding.stops_change,
        deadline: finding.deadline.map(|day| day.to_string()),
        path: &finding.path,
        message: &finding.message,
        remediation: &finding.remediation,
        policy: finding.policy.as_deref(),
        exception: finding
            .exception
            .as_ref()
            .map(|(name, until)| Exception { name, until: until.to_string() }),
        object: finding.object.as_deref(),
        rendered_from: finding.rendered_from.as_deref(),
    }
}
