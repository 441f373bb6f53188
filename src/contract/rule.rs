//! Quality tests and where a contract says them: rules of the standard's library on properties and objects, bounds of
//! types, relationships, and promises of freshness.
//!
//! Our tests are one list, in the order in which they run, and one test may name several columns. The standard has
//! them where they apply. Where reading them back gives another list, `index` keeps the order and the names in a
//! custom property; the bounds themselves are only where the standard has them. What the library cannot say is a rule
//! of type `custom` for the engine [`ENGINE`].

mod read;
mod write;

pub(super) use read::{read, read_valid_values};
pub(super) use write::{valid_values, write};

use super::{level, odcs::Rule};
use crate::{
    api::product::{QualityTest, TestType},
    model::percent::Percent,
};

/// The engine of rules that the standard's library cannot say.
pub const ENGINE: &str = "datamesh";
/// The most values that a field may list, and the longest of them.
const MAX_VALUES: usize = 256;

/// A test that was found in a contract.
pub(super) struct Found {
    /// The test.
    pub test: QualityTest,
    /// Whether it says no more than the list of valid values, which a field has itself.
    pub implied: bool,
}

/// A test of a type, without anything else.
pub(super) const fn blank(type_: TestType) -> QualityTest {
    QualityTest {
        type_,
        name: None,
        column: None,
        columns: Vec::new(),
        threshold: None,
        min: None,
        max: None,
        max_age: None,
        reference: None,
        severity: None,
    }
}

/// Whether a rule lists valid values.
fn has_values(rule: &Rule) -> bool {
    rule.arguments.as_ref().is_some_and(|arguments| arguments.contains_key("validValues"))
}

/// Whether a reference has the short form of the standard, `object.property`.
fn is_shorthand(reference: &str) -> bool {
    let name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
    };
    reference.split_once('.').is_some_and(|(object, property)| name(object) && name(property))
}

/// The tests that were found, in the order of an index of them, and those that it does not name after them.
pub(super) fn arrange(mut found: Vec<Found>, index: Option<&[QualityTest]>) -> Vec<QualityTest> {
    let Some(index) = index else {
        return found.into_iter().filter(|found| !found.implied).map(|found| found.test).collect();
    };
    let mut tests = Vec::new();
    for entry in index {
        let whole = |found: &Found| {
            let test = &found.test;
            (test.type_, &test.column, &test.columns) == (entry.type_, &entry.column, &entry.columns)
        };
        if let Some(position) = found.iter().position(whole) {
            tests.push(called(&found.remove(position).test, entry));
            continue;
        }
        // One test of several columns stands at each of them. Its columns are those that are still there.
        let mut of_columns = Vec::new();
        for column in &entry.columns {
            let is_it =
                |found: &Found| found.test.type_ == entry.type_ && found.test.column.as_ref() == Some(column);
            of_columns.extend(found.iter().position(is_it).map(|position| found.remove(position).test));
        }
        if let Some(first) = of_columns.first() {
            let columns = of_columns.iter().filter_map(|test| test.column.clone()).collect();
            tests.push(QualityTest { column: None, columns, ..called(first, entry) });
        }
    }
    tests.extend(found.into_iter().filter(|found| !found.implied).map(|found| found.test));
    tests
}

/// A test with what only the index says of it: its name and severity, where its place has none for them, and the way
/// in which its amounts are written.
fn called(test: &QualityTest, entry: &QualityTest) -> QualityTest {
    let amount = |said: &Option<String>, entry: &Option<String>| match (said, entry) {
        (Some(said), Some(entry)) => Some(level::spelled(said, entry)),
        (said, _) => said.clone(),
    };
    // A range, a reference and a promise have no place for a share of rows.
    let bare = matches!(test.type_, TestType::Range | TestType::ReferentialIntegrity | TestType::Freshness);
    // And no bound at all is all rows, in whatever words.
    let is_all = |share: &&String| share.parse() == Ok(Percent::HUNDRED);
    let unsaid = entry.threshold.as_ref().filter(|share| bare || is_all(share)).cloned();
    let threshold = amount(&test.threshold, &entry.threshold).or(unsaid);
    QualityTest {
        name: test.name.clone().or_else(|| entry.name.clone()),
        severity: test.severity.or(entry.severity),
        threshold,
        max_age: amount(&test.max_age, &entry.max_age),
        ..test.clone()
    }
}

/// What must be kept of tests so that [`arrange`] gives them again. Bounds are left out; they are in the standard's
/// fields.
pub(super) fn index(tests: &[QualityTest]) -> Vec<QualityTest> {
    let entry = |test: &QualityTest| QualityTest { min: None, max: None, reference: None, ..test.clone() };
    tests.iter().map(entry).collect()
}
