//! What `check` found, as one value that every format prints.

use std::ops::Range;

use jiff::{Timestamp, civil::Date};

use crate::{
    api::{
        Enforcement,
        status::{ReportResult, Severity},
    },
    cli::clean,
    manifest::{Position, Source},
};

/// A rule of a policy that cannot be evaluated as it is written.
pub(super) const POLICY: &str = "POLICY";

/// The findings that belong to no rule of a policy, and what each says.
pub(super) const OWN_RULES: [(&str, &str); 4] = [
    (crate::manifest::YAML, "The file can be read as YAML, within bounded size and depth"),
    (crate::manifest::SCHEMA, "Every field is known, is there and has a value that its definition allows"),
    (crate::manifest::RULE, "Every rule of the definition is kept"),
    (POLICY, "Every rule of a policy can be evaluated as it is written"),
];

/// Something wrong at a place of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// Index of its file.
    pub(super) file: usize,
    /// Its bytes.
    pub(super) span: Range<usize>,
    /// Where it begins.
    pub(super) start: Position,
    /// Where it ends; the column is that of the first character behind it.
    pub(super) end: Position,
    /// The rule, for example `SCHEMA-002`, or one of [`OWN_RULES`].
    pub(super) id: String,
    /// How grave it is.
    pub(super) severity: Severity,
    /// How it counts in the product's domain; `None` for what no policy says, which the API server refuses at once.
    pub(super) state: Option<Enforcement>,
    /// Whether it stops change.
    pub(super) stops_change: bool,
    /// The first day on which its policy is enforced, where that is set.
    pub(super) deadline: Option<Date>,
    /// The field; empty where the file as a whole is meant.
    pub(super) path: String,
    /// What is wrong.
    pub(super) message: String,
    /// What to do.
    pub(super) remediation: String,
    /// The policy that says so, as kind and name.
    pub(super) policy: Option<String>,
    /// The exception that covers it, and until when.
    pub(super) exception: Option<(String, Timestamp)>,
    /// The object, as kind and name; `None` where it is in none.
    pub(super) object: Option<String>,
    /// The template that the object was rendered from.
    pub(super) rendered_from: Option<String>,
}

impl Finding {
    /// The same with texts that do nothing to a terminal: a name in a manifest may hold anything.
    pub(super) fn cleaned(self) -> Self {
        Self {
            path: clean(&self.path),
            message: clean(&self.message),
            remediation: clean(&self.remediation),
            object: self.object.as_deref().map(clean),
            rendered_from: self.rendered_from.as_deref().map(clean),
            ..self
        }
    }

    /// What orders findings of a file.
    pub(super) fn order(&self) -> impl Ord + use<> {
        (self.file, self.start, self.severity, self.id.clone(), self.message.clone())
    }

    /// How the finding is marked for people, beside its severity.
    pub(super) fn mark(&self) -> Option<String> {
        if let Some((name, until)) = &self.exception {
            return Some(format!("excepted by {name} until {until}"));
        }
        if self.stops_change {
            return Some("stops change".to_owned());
        }
        match (self.severity, self.state, self.deadline) {
            (Severity::Error, Some(Enforcement::Grace), Some(day)) => {
                Some(format!("stops change from {day}"))
            }
            (_, Some(Enforcement::Draft), _) => Some("draft".to_owned()),
            _ => None,
        }
    }
}

/// A product and its score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judged {
    /// Namespace and name, or the name alone.
    pub(super) name: String,
    /// Index of its file.
    pub(super) file: usize,
    /// Line in which it begins.
    pub(super) line: usize,
    /// What the score is; `None` where the product could not be judged, because its manifest cannot be decoded.
    pub(super) score: Option<Judgement>,
    /// Whether the API server would take it.
    pub(super) accepted: bool,
}

/// The judgement in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) score: i32,
    pub(super) without_exceptions: i32,
    pub(super) result: ReportResult,
    pub(super) not_evaluated: Vec<String>,
    pub(super) policies: Vec<String>,
    pub(super) rule_set_hash: String,
    /// The rules that were kept.
    pub(super) kept: Vec<String>,
}

impl Judged {
    /// The result as a word.
    pub(super) fn result(&self) -> &'static str {
        match &self.score {
            _ if !self.accepted => "Refused",
            Some(score) => score.result.as_str(),
            None => "Refused",
        }
    }
}

/// Everything that `check` found.
#[derive(Debug)]
pub(super) struct Checked<'a> {
    /// The texts.
    pub(super) sources: Vec<&'a Source>,
    /// Their names, as they can be shown.
    pub(super) names: Vec<String>,
    /// What is wrong, file by file and line by line.
    pub(super) findings: Vec<Finding>,
    /// How many there are, those included that are not told.
    pub(super) totals: Totals,
    /// Number of findings beyond those that are told.
    pub(super) omitted: usize,
    /// The products, in the order of the files.
    pub(super) products: Vec<Judged>,
    /// Number of objects of our kinds.
    pub(super) objects: usize,
    /// Number of documents that belong to others.
    pub(super) others: usize,
    /// The instant of the judgement.
    pub(super) now: Timestamp,
}

/// How many findings there are of each severity; what an exception covers is counted apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) errors: usize,
    pub(super) warnings: usize,
    pub(super) infos: usize,
    pub(super) excepted: usize,
}

impl Totals {
    /// Counts findings.
    pub(super) fn of<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Self {
        findings.into_iter().fold(Self::default(), |mut totals, finding| {
            let counter = match (&finding.exception, finding.severity) {
                (Some(_), _) => &mut totals.excepted,
                (None, Severity::Error) => &mut totals.errors,
                (None, Severity::Warning) => &mut totals.warnings,
                (None, Severity::Info) => &mut totals.infos,
            };
            *counter += 1;
            totals
        })
    }

    /// The totals in words, for example `2 errors, 1 warning`; what there is none of is left out.
    pub(super) fn words(self) -> String {
        let Self { errors, warnings, infos, excepted } = self;
        let counts = [(errors, "error"), (warnings, "warning"), (infos, "info")];
        let said = counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| counted(*count, word));
        let said = said.chain((excepted > 0).then(|| format!("{excepted} excepted"))).collect::<Vec<_>>();
        if said.is_empty() { "no findings".to_owned() } else { said.join(", ") }
    }
}

/// A number and what is counted.
pub(super) fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

impl Checked<'_> {
    /// The name of the file of a finding.
    pub(super) fn file(&self, index: usize) -> &str {
        self.names.get(index).map(String::as_str).unwrap_or_default()
    }

    /// One line about all of it.
    pub(super) fn summary(&self) -> String {
        let totals = self.totals.words();
        let omitted = if self.omitted > 0 {
            format!(", {} of them not told here", self.omitted)
        } else {
            String::new()
        };
        let others =
            if self.others > 0 { format!(", {} of others skipped", self.others) } else { String::new() };
        format!(
            "{} in {} of {}{others}: {totals}{omitted}",
            counted(self.products.len(), "product"),
            counted(self.objects, "object"),
            counted(self.sources.len(), "file"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::OWN_RULES;

    #[test]
    fn every_finding_that_belongs_to_no_policy_is_in_the_readme() {
        let readme = include_str!("../../../README.md");
        for (id, _) in OWN_RULES {
            assert!(readme.contains(&format!("`{id}`")), "{id}");
        }
    }
}
