//! SARIF 2.1.0, the form in which code scanning reads findings.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};
use serde_sarif::sarif::{
    ArtifactLocation, Location, LogicalLocation, Message, MultiformatMessageString, PhysicalLocation,
    PropertyBag, Region, ReportingConfiguration, ReportingDescriptor, Result as Found, ResultLevel, Run,
    Sarif, Suppression, Tool, ToolComponent,
};
use sha2::{Digest, Sha256};

use super::{
    CliError,
    finding::{Checked, Finding, OWN_RULES},
    level,
};
use crate::{governance::RULES, manifest::Source};

/// Where the published schema of the format is.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// Name of our fingerprint and version of how it is made.
const FINGERPRINT: &str = "dataproductFinding/v1";

/// The log of one run.
pub(super) fn text(checked: &Checked<'_>) -> Result<String, CliError> {
    let rules = rules(checked);
    let index =
        rules.iter().zip(0..).map(|(rule, index)| (rule.id.clone(), index)).collect::<HashMap<_, i64>>();
    let mut seen = HashMap::new();
    let results = checked
        .findings
        .iter()
        .map(|finding| result(checked, finding, &index, &mut seen))
        .collect::<Vec<_>>();
    let driver = ToolComponent::builder()
        .name("dataproduct")
        .full_name("dataproduct check")
        .version(env!("CARGO_PKG_VERSION"))
        .semantic_version(env!("CARGO_PKG_VERSION"))
        .rules(rules)
        .build();
    let run = Run::builder()
        .tool(Tool::builder().driver(driver).build())
        .column_kind(json!("unicodeCodePoints"))
        .results(results)
        .build();
    let log = Sarif::builder().schema(SCHEMA).version(json!("2.1.0")).runs(vec![run]).build();
    Ok(format!("{}\n", serde_json::to_string_pretty(&log)?))
}

/// Every rule that was broken, with what is known of it, sorted.
fn rules(checked: &Checked<'_>) -> Vec<ReportingDescriptor> {
    let broken =
        checked.findings.iter().map(|finding| (finding.id.as_str(), finding)).collect::<BTreeMap<_, _>>();
    let rule = |(id, finding): (&str, &Finding)| {
        let own = OWN_RULES.iter().find(|(own, _)| *own == id).map(|(_, title)| *title);
        let built_in = RULES.iter().find(|rule| rule.id == id);
        let title = own.or(built_in.map(|rule| rule.title));
        let title = title.map_or_else(
            || format!("A rule of {}", finding.policy.as_deref().unwrap_or("a policy")),
            |it| format!("{it}."),
        );
        let severity = built_in.map_or(finding.severity, |rule| rule.severity);
        let words = || MultiformatMessageString::builder().text(title.clone()).build();
        ReportingDescriptor::builder()
            .id(id)
            .short_description(words())
            .full_description(words())
            .help(MultiformatMessageString::builder().text(finding.remediation.clone()).build())
            .default_configuration(
                ReportingConfiguration::builder()
                    .level(json!(level(severity, "error", "warning", "note")))
                    .build(),
            )
            .build()
    };
    broken.into_iter().map(rule).collect()
}

fn result(
    checked: &Checked<'_>,
    finding: &Finding,
    index: &HashMap<String, i64>,
    seen: &mut HashMap<String, usize>,
) -> Found {
    let mut bag = BTreeMap::new();
    let mut tell = |key: &str, value: Value| bag.insert(key.to_owned(), value);
    tell("stopsChange", json!(finding.stops_change));
    if let Some(state) = finding.state {
        tell("state", json!(format!("{state:?}")));
    }
    if let Some(policy) = &finding.policy {
        tell("policy", json!(policy));
    }
    if let Some(from) = &finding.rendered_from {
        tell("renderedFrom", json!(from));
    }
    let suppressions = finding.exception.as_ref().map(|(name, until)| {
        let why = format!("PolicyException {name}, until {until}");
        vec![
            Suppression::builder()
                .kind(json!("external"))
                .status(json!("accepted"))
                .justification(why)
                .build(),
        ]
    });
    let text =
        format!("{}. {}.", finding.message.trim_end_matches('.'), finding.remediation.trim_end_matches('.'));
    let found = Found::builder()
        .rule_id(finding.id.clone())
        .rule_index(index.get(&finding.id).copied().unwrap_or(-1))
        .level(level(finding.severity, ResultLevel::Error, ResultLevel::Warning, ResultLevel::Note))
        .message(Message::builder().text(text).build())
        .locations(vec![location(checked, finding)])
        .partial_fingerprints(BTreeMap::from([(FINGERPRINT.to_owned(), fingerprint(finding, seen))]))
        .properties(PropertyBag::builder().additional_properties(bag).build())
        .build();
    // An empty list would say that nothing is suppressed; no list says that nobody looked.
    Found { suppressions: Some(suppressions.unwrap_or_default()), ..found }
}

fn location(checked: &Checked<'_>, finding: &Finding) -> Location {
    let number = |it: usize| i64::try_from(it).unwrap_or(i64::MAX);
    let region = Region::builder()
        .start_line(number(finding.start.line))
        .start_column(number(finding.start.column))
        .end_line(number(finding.end.line))
        .end_column(number(finding.end.column))
        .build();
    let uri = checked.sources.get(finding.file).map_or_else(String::new, |source| uri(source));
    let physical = PhysicalLocation::builder()
        .artifact_location(ArtifactLocation::builder().uri(uri).build())
        .region(region)
        .build();
    let location = Location::builder().physical_location(physical).build();
    let logical = finding.object.as_ref().map(|object| {
        let name =
            if finding.path.is_empty() { object.clone() } else { format!("{object} {}", finding.path) };
        vec![LogicalLocation::builder().fully_qualified_name(name).kind("member").build()]
    });
    Location { logical_locations: logical, ..location }
}

/// What stays the same while lines move: the rule, the object and the field, and the number of its like.
fn fingerprint(finding: &Finding, seen: &mut HashMap<String, usize>) -> String {
    let object = finding.object.as_deref().unwrap_or_default();
    let what = format!("{}\n{object}\n{}\n{}", finding.id, finding.path, finding.message);
    let before = seen.entry(what.clone()).or_default();
    *before += 1;
    let hash = Sha256::digest(format!("{what}\n{before}"));
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The address of a file: relative to the working directory where it was named so.
fn uri(source: &Source) -> String {
    let name = match source.name.as_str() {
        crate::cli::inputs::STANDARD_INPUT => "stdin",
        name => name.strip_prefix("./").unwrap_or(name),
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/');
    let encoded = name
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") });
    let encoded = encoded.collect::<String>();
    if name.starts_with('/') { format!("file://{encoded}") } else { encoded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_files_are_encoded() {
        let of = |name: &str| uri(&Source::new(name, Vec::new()).0);
        assert_eq!(of("./a/b c.yaml"), "a/b%20c.yaml");
        assert_eq!(of("/tmp/ü.yaml"), "file:///tmp/%C3%BC.yaml");
        assert_eq!(of("-"), "stdin");
    }
}
