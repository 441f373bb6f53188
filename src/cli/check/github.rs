//! Annotations of GitHub Actions, which appear beside the lines of a pull request.

use std::fmt::Write;

use super::{
    finding::{Checked, Finding},
    human::products,
    level,
};

/// One workflow command a finding, then each product with its score, for whoever reads the log.
pub(super) fn text(checked: &Checked<'_>) -> String {
    let commands = checked.findings.iter().map(|finding| command(checked, finding));
    format!("{}{}{}\n", commands.collect::<String>(), products(checked), checked.summary())
}

fn command(checked: &Checked<'_>, finding: &Finding) -> String {
    // What an exception covers is nobody's to mend now.
    let kind = match finding.exception {
        Some(_) => "notice",
        None => level(finding.severity, "error", "warning", "notice"),
    };
    let mut properties = String::new();
    let file = checked.file(finding.file);
    if file != crate::cli::inputs::STANDARD_INPUT {
        let file = property(file.strip_prefix("./").unwrap_or(file));
        // Writing to a string cannot fail.
        let _ = write!(properties, "file={file},line={},col={},", finding.start.line, finding.start.column);
        // GitHub takes a column at the end only where both are in one line.
        if finding.end.line == finding.start.line && finding.end.column > finding.start.column {
            let _ = write!(properties, "endLine={},endColumn={},", finding.end.line, finding.end.column);
        }
    }
    let mark = finding.mark().map(|mark| format!(" ({mark})")).unwrap_or_default();
    let title = property(&format!("{}{mark}", finding.id));
    let field = if finding.path.is_empty() { String::new() } else { format!("\nField: {}", finding.path) };
    let message = data(&format!("{}\n{}{field}", finding.message, finding.remediation));
    format!("::{kind} {properties}title={title}::{message}\n")
}

/// The part behind the second pair of colons, in which ends of lines would begin another command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property, in which a comma would begin the next one.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_begins_a_command_or_a_property_of_its_own() {
        assert_eq!(data("100%\r\n::error::x"), "100%25%0D%0A::error::x");
        assert_eq!(property("a,line=1:2%\n"), "a%2Cline=1%3A2%25%0A");
    }
}
