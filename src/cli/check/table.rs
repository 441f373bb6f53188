//! A table with a line for each finding, for eyes and for `grep`.

use super::finding::{Checked, Finding};
use crate::cli::look::aligned;

/// The findings as rows.
pub(super) fn text(checked: &Checked<'_>) -> String {
    let header = ["PLACE", "SEVERITY", "RULE", "STATE", "OBJECT", "FIELD", "MESSAGE"].map(str::to_owned);
    let rows = checked.findings.iter().map(|finding| row(checked, finding));
    let rows = std::iter::once(header).chain(rows).collect::<Vec<_>>();
    let table = if rows.len() > 1 { aligned(&rows) } else { String::new() };
    format!("{table}{}\n", checked.summary())
}

fn row(checked: &Checked<'_>, finding: &Finding) -> [String; 7] {
    let state = finding.mark().or_else(|| finding.state.map(|state| format!("{state:?}").to_lowercase()));
    [
        format!("{}:{}:{}", checked.file(finding.file), finding.start.line, finding.start.column),
        finding.severity.as_str().to_owned(),
        finding.id.clone(),
        state.unwrap_or_else(|| "-".to_owned()),
        finding.object.clone().unwrap_or_else(|| "-".to_owned()),
        if finding.path.is_empty() { "-".to_owned() } else { finding.path.clone() },
        finding.message.clone(),
    ]
}
