//! `JUnit` XML: a suite for each file, and in it a case for each product and rule.

use std::collections::{BTreeMap, BTreeSet};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{
    CliError, Telling,
    finding::{Checked, Finding, Judged},
};

/// The report.
pub(super) fn text(checked: &Checked<'_>, telling: &Telling) -> Result<String, CliError> {
    let mut report = Report::new("dataproduct check");
    for (file, source) in checked.sources.iter().enumerate() {
        let mut suite = TestSuite::new(source.name.as_str());
        suite.add_test_cases(cases(checked, file, telling));
        report.add_test_suite(suite);
    }
    let xml = report.to_string();
    let xml = xml
        .map_err(|error| CliError::Usage(format!("the findings cannot be written as JUnit XML: {error}")))?;
    Ok(without_total_of_skipped(&xml))
}

/// Suites say how many cases were skipped. The schema that Jenkins reads by does not know that for all of them together.
fn without_total_of_skipped(xml: &str) -> String {
    const ATTRIBUTE: &str = " skipped=\"";
    let attribute = || {
        let (before, rest) = xml.split_once("<testsuites ")?;
        let (tag, after) = rest.split_once('>')?;
        let (first, second) = tag.split_once(ATTRIBUTE)?;
        let (_, second) = second.split_once('"')?;
        Some(format!("{before}<testsuites {first}{second}>{after}"))
    };
    attribute().unwrap_or_else(|| xml.to_owned())
}

fn cases(checked: &Checked<'_>, file: usize, telling: &Telling) -> Vec<TestCase> {
    // The findings of a rule on one object are one case.
    let mut broken: BTreeMap<(String, String), Vec<&Finding>> = BTreeMap::new();
    for finding in checked.findings.iter().filter(|finding| finding.file == file) {
        let object = finding.object.clone().unwrap_or_else(|| "file".to_owned());
        broken.entry((object, finding.id.clone())).or_default().push(finding);
    }
    let products = checked.products.iter().filter(|product| product.file == file);
    // Two products of one name in one file would have the same cases.
    let products = products
        .map(|product| (format!("DataProduct {}", product.name), product))
        .collect::<BTreeMap<_, _>>();
    let kept = products.iter().flat_map(|(object, product)| passed(object, product, &broken));
    let skipped = products.iter().flat_map(|(object, product)| not_evaluated(object, product, &broken));
    let cases = broken.iter().map(|((object, id), findings)| case(object, id, findings, telling));
    kept.chain(skipped).chain(cases).collect()
}

type Broken<'a> = BTreeMap<(String, String), Vec<&'a Finding>>;

fn passed(object: &str, product: &Judged, broken: &Broken<'_>) -> Vec<TestCase> {
    let kept = product.score.iter().flat_map(|score| &score.kept);
    let fine = kept.filter(|id| !broken.contains_key(&(object.to_owned(), (*id).clone())));
    let mut cases = fine.map(|id| named(object, id, TestCaseStatus::success())).collect::<Vec<_>>();
    if product.accepted {
        cases.push(named(object, crate::manifest::SCHEMA, TestCaseStatus::success()));
    }
    cases
}

fn not_evaluated(object: &str, product: &Judged, broken: &Broken<'_>) -> Vec<TestCase> {
    let ids = product.score.iter().flat_map(|score| &score.not_evaluated).collect::<BTreeSet<_>>();
    let unknown = ids.into_iter().filter(|id| !broken.contains_key(&(object.to_owned(), (*id).clone())));
    let case = |id: &String| {
        let mut status = TestCaseStatus::skipped();
        status.set_message("what the rule reads is not known here");
        named(object, id, status)
    };
    unknown.map(case).collect()
}

fn case(object: &str, id: &str, findings: &[&Finding], telling: &Telling) -> TestCase {
    let lines = findings.iter().map(|finding| {
        let mark = finding.mark().map(|mark| format!(" ({mark})")).unwrap_or_default();
        format!(
            "line {}, {}: {}{mark}\n  {}\n",
            finding.start.line,
            if finding.path.is_empty() { "the file" } else { &finding.path },
            finding.message,
            finding.remediation
        )
    });
    let told = lines.collect::<String>();
    let counting = findings
        .iter()
        .find(|finding| finding.exception.is_none() && telling.fail_on.covers(finding.severity));
    let Some(first) = counting else {
        let mut case = named(object, id, TestCaseStatus::success());
        case.set_system_out(told);
        return case;
    };
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(first.message.as_str()).set_type(first.severity.as_str()).set_description(told);
    named(object, id, status)
}

fn named(object: &str, id: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(id, status);
    case.set_classname(object);
    case
}
