//! A comment for a pull request: the products in a table, and the findings in another.

use super::{
    Telling,
    finding::{Checked, Finding},
};

/// Findings that are listed; a comment may have 65,536 characters.
const LISTED: usize = 60;

/// The comment.
pub(super) fn text(checked: &Checked<'_>, telling: &Telling) -> String {
    let verdict = if telling.failed { "has findings to mend" } else { "passed" };
    let mut text = format!("## `dataproduct check` {verdict}\n\n{}.\n", escaped(&checked.summary()));
    if !checked.products.is_empty() {
        text.push_str("\n| Product | Score | Result |\n|---|---:|---|\n");
        let rows = checked.products.iter().take(LISTED).map(|product| {
            let score = product.score.as_ref().map_or("-".to_owned(), |score| score.score.to_string());
            format!("| {} | {score} | {} |\n", escaped(&product.name), product.result())
        });
        text.push_str(&rows.collect::<String>());
        text.push_str(&more(checked.products.len(), "products"));
    }
    if !checked.findings.is_empty() {
        text.push_str("\n| Place | Rule | Severity | What is wrong | What to do |\n|---|---|---|---|---|\n");
        let rows = checked.findings.iter().take(LISTED).map(|finding| row(checked, finding));
        text.push_str(&rows.collect::<String>());
        text.push_str(&more(checked.findings.len() + checked.omitted, "findings"));
    }
    text
}

fn more(count: usize, what: &str) -> String {
    match count.saturating_sub(LISTED) {
        0 => String::new(),
        more => format!("\n... and {more} more {what}.\n"),
    }
}

fn row(checked: &Checked<'_>, finding: &Finding) -> String {
    let mark = finding.mark().map(|mark| format!(", {}", escaped(&mark))).unwrap_or_default();
    format!(
        "| {}:{} | {} | {}{mark} | {} | {} |\n",
        escaped(checked.file(finding.file)),
        finding.start.line,
        escaped(&finding.id),
        finding.severity.as_str(),
        cell(&finding.message),
        cell(&finding.remediation),
    )
}

/// A text in a cell, cut where it is long.
fn cell(text: &str) -> String {
    const LONGEST: usize = 300;
    let cut = text.chars().take(LONGEST).collect::<String>();
    let dots = if cut.len() < text.len() { "..." } else { "" };
    format!("{}{dots}", escaped(&cut))
}

/// A text that is only text: it formats nothing, leaves no cell and calls nobody.
fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, it| {
        match it {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => escaped.extend(['\\', it]),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '@' => escaped.push_str("&#64;"),
            it => escaped.push(it),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_formats_anything_or_calls_anybody() {
        assert_eq!(escaped("a|b @team <img> *x* [y](z)"), "a\\|b &#64;team &lt;img&gt; \\*x\\* \\[y\\](z)");
        assert!(cell(&"x".repeat(1_000)).len() < 310);
    }
}
