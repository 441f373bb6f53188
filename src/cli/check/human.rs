//! For people: each finding with its line and a caret below what is wrong, then each product with its score.

use std::collections::{BTreeSet, HashMap};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{
    Telling,
    finding::{Checked, Finding, Totals},
    level,
};
use crate::{cli::look::aligned, manifest::Source};

/// Characters of a line that are shown around what is wrong; a file may be one long line.
const WINDOW: usize = 160;

/// Every finding and every product.
pub(super) fn text(checked: &Checked<'_>, telling: &Telling) -> String {
    let renderer = if telling.colours { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for finding in &checked.findings {
        let shown = shown(checked, finding);
        text.push_str(&renderer.render(&[shown.group()]));
        text.push_str("\n\n");
    }
    text.push_str(&products(checked));
    text.push_str(&checked.summary());
    text.push('\n');
    text
}

/// The products with their scores, and how many findings each has.
pub(super) fn products(checked: &Checked<'_>) -> String {
    let mut own: HashMap<(usize, &str), Vec<&Finding>> = HashMap::new();
    for finding in &checked.findings {
        let object = finding.object.as_deref().unwrap_or_default();
        own.entry((finding.file, object)).or_default().push(finding);
    }
    let rows = checked.products.iter().map(|product| {
        let object = format!("DataProduct {}", product.name);
        let own = own.get(&(product.file, object.as_str())).map(Vec::as_slice).unwrap_or_default();
        let stops = if own.iter().any(|finding| finding.stops_change) { ", stops change" } else { "" };
        let score = product.score.as_ref().map_or("-".to_owned(), |score| score.score.to_string());
        [
            product.name.clone(),
            format!("score {score}"),
            product.result().to_owned(),
            format!("{}{stops}", Totals::of(own.iter().copied()).words()),
        ]
    });
    let rows = rows.collect::<Vec<_>>();
    if rows.is_empty() { String::new() } else { format!("{}{}\n", aligned(&rows), not_evaluated(checked)) }
}

/// The rules that were not evaluated for any of the products, so that nobody takes them for kept.
fn not_evaluated(checked: &Checked<'_>) -> String {
    let ids = checked.products.iter().filter_map(|product| product.score.as_ref());
    let ids = ids.flat_map(|score| &score.not_evaluated).collect::<BTreeSet<_>>();
    if ids.is_empty() {
        return String::new();
    }
    let ids = ids.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    format!("\nNot evaluated, because what they read is not known here: {ids}\n")
}

/// What is shown of a finding.
struct Shown {
    title: String,
    id: String,
    level: Level<'static>,
    path: String,
    line: usize,
    column: usize,
    /// The line, or what is around the place in a long one.
    excerpt: String,
    caret: std::ops::Range<usize>,
    /// Whether the excerpt is the whole line.
    whole: bool,
    label: String,
    remediation: String,
    notes: Vec<String>,
}

fn shown(checked: &Checked<'_>, finding: &Finding) -> Shown {
    let source = checked.sources.get(finding.file);
    let (excerpt, caret, whole) =
        source.map_or((String::new(), 0..0, true), |source| excerpt(source, finding));
    let mark = finding.mark().map(|mark| format!(" ({mark})")).unwrap_or_default();
    let about =
        [&finding.object, &finding.policy].into_iter().flatten().cloned().collect::<Vec<_>>().join(", by ");
    let rendered = finding.rendered_from.as_ref().map(|from| format!("rendered from {from}"));
    Shown {
        title: format!("{}{mark}", finding.message),
        id: finding.id.clone(),
        level: level(finding.severity, Level::ERROR, Level::WARNING, Level::INFO),
        path: checked.file(finding.file).to_owned(),
        line: finding.start.line,
        column: finding.start.column,
        excerpt,
        caret,
        whole,
        label: finding.path.clone(),
        remediation: finding.remediation.clone(),
        notes: [Some(about).filter(|about| !about.is_empty()), rendered].into_iter().flatten().collect(),
    }
}

impl Shown {
    fn group(&self) -> Group<'_> {
        let annotation = AnnotationKind::Primary.span(self.caret.clone());
        let label = Some(self.label.as_str()).filter(|label| !label.is_empty());
        let snippet =
            Snippet::source(self.excerpt.as_str()).line_start(self.line).annotation(annotation.label(label));
        let group = self.level.clone().primary_title(self.title.as_str()).id(self.id.as_str());
        let group = if self.whole {
            group.element(snippet.path(self.path.as_str()))
        } else {
            let origin = Origin::path(self.path.as_str()).line(self.line).char_column(self.column);
            group.element(origin).element(snippet)
        };
        let help = Some(self.remediation.as_str()).filter(|it| !it.is_empty());
        let group = group.elements(help.map(|help| Level::HELP.message(help)));
        group.elements(self.notes.iter().map(|note| Level::NOTE.message(note.as_str())))
    }
}

/// The line of a finding, the bytes of it that are wrong, and whether it is the whole line.
fn excerpt(source: &Source, finding: &Finding) -> (String, std::ops::Range<usize>, bool) {
    let line = source.line(finding.start.line);
    let begins = source.line_range(finding.start.line).start;
    let start = finding.span.start.saturating_sub(begins).min(line.len());
    let end = finding.span.end.saturating_sub(begins).clamp(start, line.len());
    if line.len() <= WINDOW {
        return (line.to_owned(), start..end, true);
    }
    let boundary =
        |at: usize| (0..=at.min(line.len())).rev().find(|at| line.is_char_boundary(*at)).unwrap_or_default();
    let from = boundary(start.saturating_sub(WINDOW / 2));
    let to = boundary(from + WINDOW).max(start);
    let cut = line.get(from..to).unwrap_or_default().to_owned();
    let end = end.min(to);
    (cut, start - from..end - from, false)
}
