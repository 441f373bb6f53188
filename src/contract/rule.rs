//! Quality tests and where a contract says them: rules of the standard's library on properties and objects, bounds of
//! types, relationships, and promises of freshness.
//!
//! Our tests are one list, in the order in which they run, and one test may name several columns. The standard has
//! them where they apply. Where reading them back gives another list, [`index`] keeps the order and the names in a
//! custom property; the bounds themselves are only where the standard has them. What the library cannot say is a rule
//! of type `custom` for the engine [`ENGINE`].

use serde_json::{Map, Number, Value};

use super::{
    ContractError, level,
    note::Notes,
    object::{children, full_name, label},
    odcs::{Property, Relationship, Rule, SchemaObject, Sla},
    word,
};
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

/// The rule that lists the values of a field.
pub(super) fn valid_values(values: &[String]) -> Option<Vec<Rule>> {
    let arguments = Map::from_iter([("validValues".to_owned(), values.into())]);
    let rule = Rule { arguments: Some(arguments), ..library("invalidValues", Bound::NONE) };
    (!values.is_empty()).then(|| vec![rule])
}

/// The values that the rules of a property allow.
pub(super) fn read_valid_values(property: &Property, path: &str, notes: &mut Notes) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    let lists = property.quality.iter().flatten().enumerate().filter_map(|(index, rule)| {
        let list = rule.arguments.as_ref()?.get("validValues")?.as_array()?;
        Some((format!("{path}.quality[{}].arguments.validValues", name_of(rule, index)), list))
    });
    for (count, (path, list)) in lists.enumerate() {
        if count > 0 {
            notes.lost(path, "a field has one list of valid values, the first");
            continue;
        }
        for value in list {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if !value.is_string() {
                notes.changed(path.clone(), format!("the valid value {text} is a text"));
            }
            if text.chars().count() > MAX_VALUES || values.len() >= MAX_VALUES {
                notes.lost(
                    path.clone(),
                    format!("a field lists at most {MAX_VALUES} values of that many characters"),
                );
            } else if !values.contains(&text) {
                values.push(text);
            }
        }
    }
    values
}

/// Says tests in an object and in promises.
pub(super) fn write(
    tests: &[QualityTest],
    object: &mut SchemaObject,
    promises: &mut Vec<Sla>,
) -> Result<(), ContractError> {
    for test in tests {
        if !place(test, object, promises) {
            let rule = Rule {
                type_: Some("custom".to_owned()),
                engine: Some(ENGINE.to_owned()),
                implementation: Some(serde_json::to_value(test)?),
                ..Rule::default()
            };
            object.quality.get_or_insert_default().push(rule);
        }
    }
    Ok(())
}

/// Says one test where the standard has a place for it; `false` where it has none.
fn place(test: &QualityTest, object: &mut SchemaObject, promises: &mut Vec<Sla>) -> bool {
    // A test that sets more than its type reads is said as a whole.
    let plain = QualityTest {
        name: test.name.clone(),
        column: test.column.clone(),
        columns: test.columns.clone(),
        threshold: test.threshold.clone(),
        severity: test.severity,
        ..blank(test.type_)
    };
    let only = |expected: QualityTest| *test == expected;
    let is_plain = only(plain.clone());
    let object_name = object.name.clone();
    let column = test.column.as_deref().filter(|_| test.columns.is_empty());
    let property = column.and_then(|column| find(object.properties.as_deref_mut()?, column));
    match (test.type_, property) {
        (TestType::Uniqueness, Some(property)) if is_plain => put(test, "duplicateValues", property),
        (TestType::NotNull, Some(property)) if is_plain => put(test, "nullValues", property),
        (TestType::NotNull, None) if is_plain && test.column.is_none() && !test.columns.is_empty() => {
            let Some(properties) = object.properties.as_deref_mut() else { return false };
            let all = test.columns.iter().all(|column| find(properties, column).is_some());
            all && Bound::of(test).is_some()
                && test.columns.iter().all(|column| {
                    find(properties, column).is_some_and(|property| put(test, "nullValues", property))
                })
        }
        (TestType::AcceptedValues, Some(property)) if is_plain => claim(test, property),
        (TestType::Range, Some(property))
            if only(QualityTest { min: test.min.clone(), max: test.max.clone(), ..plain.clone() }) =>
        {
            bound_type(test, property)
        }
        (TestType::ReferentialIntegrity, Some(property))
            if only(QualityTest { reference: test.reference.clone(), ..plain.clone() }) =>
        {
            let reference = test.reference.as_deref().filter(|reference| is_shorthand(reference));
            let to = reference.map(|to| Relationship { from: None, to: to.into() });
            to.map(|to| property.relationships.get_or_insert_default().push(to)).is_some()
        }
        (TestType::RowCount, None)
            if column.is_none()
                && test.columns.is_empty()
                && test.threshold.is_none()
                && only(QualityTest { min: test.min.clone(), max: test.max.clone(), ..plain.clone() }) =>
        {
            row_count(test, object)
        }
        (TestType::Freshness, _) if only(QualityTest { max_age: test.max_age.clone(), ..plain.clone() }) => {
            let promise = column.and_then(|column| {
                let amount = level::duration(test.max_age.as_deref()?)?;
                Some(Sla {
                    element: Some(format!("{object_name}.{column}")),
                    ..amount.promise(level::LATENCY)
                })
            });
            promise.map(|promise| promises.push(promise)).is_some()
        }
        _ => false,
    }
}

/// The property of a full name, at any depth.
fn find<'a>(properties: &'a mut [Property], name: &str) -> Option<&'a mut Property> {
    for property in properties {
        if property.name == name {
            return Some(property);
        }
        let rest = name.strip_prefix(property.name.as_str()).and_then(|rest| rest.strip_prefix('.'));
        let below = property
            .properties
            .as_deref_mut()
            .or(property.items.as_mut().and_then(|i| i.properties.as_deref_mut()));
        if let (Some(rest), Some(below)) = (rest, below)
            && let Some(found) = find(below, rest)
        {
            return Some(found);
        }
    }
    None
}

/// How much may fail.
struct Bound {
    must_be: Option<Value>,
    at_most: Option<Number>,
    unit: Option<&'static str>,
}

impl Bound {
    /// Nothing may fail, and nobody said a share.
    const NONE: Self = Self { must_be: None, at_most: None, unit: None };

    /// What a test allows; `None` when its threshold is not a percentage.
    fn of(test: &QualityTest) -> Option<Self> {
        let Some(threshold) = &test.threshold else { return Some(Self::NONE) };
        let failing = Percent::HUNDRED.millionths() - threshold.parse::<Percent>().ok()?.millionths();
        let failing = Percent::from_millionths(failing)?;
        let (must_be, at_most) = if failing == Percent::ZERO {
            (Some(0.into()), None)
        } else {
            (None, Some(level::number(failing)?))
        };
        Some(Self { must_be, at_most, unit: Some("percent") })
    }
}

fn library(metric: &str, bound: Bound) -> Rule {
    let Bound { must_be, at_most, unit } = bound;
    let must_be = must_be.or_else(|| at_most.is_none().then(|| 0.into()));
    Rule {
        metric: Some(metric.to_owned()),
        must_be,
        must_be_less_or_equal_to: at_most,
        unit: unit.map(str::to_owned),
        ..Rule::default()
    }
}

fn put(test: &QualityTest, metric: &str, property: &mut Property) -> bool {
    let Some(bound) = Bound::of(test) else { return false };
    let rule = named(test, library(metric, bound));
    property.quality.get_or_insert_default().push(rule);
    true
}

fn named(test: &QualityTest, rule: Rule) -> Rule {
    let severity = test.severity.and_then(|severity| serde_json::to_value(severity).ok());
    let severity = severity.and_then(|severity| severity.as_str().map(str::to_owned));
    Rule { name: test.name.clone(), severity, ..rule }
}

/// Turns the list of values that a property has into the test of it.
fn claim(test: &QualityTest, property: &mut Property) -> bool {
    let mut rules = property.quality.iter_mut().flatten();
    let list = rules.find(|rule| {
        has_values(rule) && rule.unit.is_none() && rule.name.is_none() && rule.severity.is_none()
    });
    let (Some(rule), Some(bound)) = (list, Bound::of(test)) else { return false };
    *rule = Rule { arguments: rule.arguments.take(), ..named(test, library("invalidValues", bound)) };
    true
}

/// Says a range as bounds of the type, which numbers have.
fn bound_type(test: &QualityTest, property: &mut Property) -> bool {
    let is_number = matches!(property.logical_type.as_deref(), Some("integer" | "number"));
    if !is_number || property.logical_type_options.is_some() || (test.min.is_none() && test.max.is_none()) {
        return false;
    }
    let bounds = [("minimum", &test.min), ("maximum", &test.max)];
    let bounds = bounds.into_iter().filter_map(|(key, bound)| Some((key.to_owned(), bound.clone()?.into())));
    property.logical_type_options = Some(bounds.collect());
    true
}

fn row_count(test: &QualityTest, object: &mut SchemaObject) -> bool {
    let rule = Rule { metric: Some("rowCount".to_owned()), ..named(test, Rule::default()) };
    let rule = match (test.min.clone(), test.max.clone()) {
        (Some(min), Some(max)) if min == max => Rule { must_be: Some(min.into()), ..rule },
        (Some(min), Some(max)) => Rule { must_be_between: Some(vec![min, max]), ..rule },
        (Some(min), None) => Rule { must_be_greater_or_equal_to: Some(min), ..rule },
        (None, Some(max)) => Rule { must_be_less_or_equal_to: Some(max), ..rule },
        (None, None) => return false,
    };
    object.quality.get_or_insert_default().push(rule);
    true
}

/// Whether a reference has the short form of the standard, `object.property`.
fn is_shorthand(reference: &str) -> bool {
    let name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
    };
    reference.split_once('.').is_some_and(|(object, property)| name(object) && name(property))
}

/// The tests of an object, in the order in which they stand there.
pub(super) fn read(
    object: &SchemaObject,
    path: &str,
    notes: &mut Notes,
) -> Result<Vec<Found>, ContractError> {
    let mut found = Vec::new();
    for (index, property) in object.properties.iter().flatten().enumerate() {
        read_property(
            property,
            "",
            &format!("{path}.properties[{}]", label(property, index)),
            &mut found,
            notes,
        )?;
    }
    for (index, rule) in object.quality.iter().flatten().enumerate() {
        let path = format!("{path}.quality[{}]", name_of(rule, index));
        found.extend(read_rule(rule, None, &path, notes)?);
    }
    for (index, relationship) in object.relationships.iter().flatten().enumerate() {
        let path = format!("{path}.relationships[{index}]");
        let column = relationship.from.as_ref().and_then(Value::as_str).and_then(|from| from.split_once('.'));
        match (column, reference(relationship, &path, notes)) {
            (Some((_, column)), Some(to)) => found.push(refers(column, to)),
            _ => notes.lost(path, "only a reference of one column to one column can be tested"),
        }
    }
    Ok(found)
}

fn read_property(
    property: &Property,
    prefix: &str,
    path: &str,
    found: &mut Vec<Found>,
    notes: &mut Notes,
) -> Result<(), ContractError> {
    let name = full_name(prefix, property);
    for (index, rule) in property.quality.iter().flatten().enumerate() {
        let path = format!("{path}.quality[{}]", name_of(rule, index));
        found.extend(read_rule(rule, Some(&name), &path, notes)?);
    }
    found.extend(read_options(property, &name, path, notes));
    for (index, relationship) in property.relationships.iter().flatten().enumerate() {
        let path = format!("{path}.relationships[{index}]");
        match reference(relationship, &path, notes) {
            Some(to) => found.push(refers(&name, to)),
            None => notes.lost(path, "only a reference to one column can be tested"),
        }
    }
    for (child, path) in children(property, path) {
        read_property(child, &name, &path, found, notes)?;
    }
    Ok(())
}

fn refers(column: &str, to: String) -> Found {
    let test = QualityTest {
        column: Some(column.to_owned()),
        reference: Some(to),
        ..blank(TestType::ReferentialIntegrity)
    };
    Found { test, implied: false }
}

/// The column that a relationship refers to, as `object.property`.
fn reference(relationship: &Relationship, path: &str, notes: &mut Notes) -> Option<String> {
    let to = match &relationship.to {
        Value::String(to) => to.as_str(),
        Value::Array(ends) if ends.len() == 1 => ends.first()?.as_str()?,
        _ => return None,
    };
    if is_shorthand(to) {
        return Some(to.to_owned());
    }
    // The long form, within the same contract.
    let parts: Vec<_> = to.trim_start_matches('/').split('/').collect();
    let ["schema", object, "properties", property] = parts.as_slice() else { return None };
    let short = format!("{object}.{property}");
    notes.changed(format!("{path}.to"), format!("{to} is {short}"));
    Some(short)
}

/// The range that the bounds of a type mean.
fn read_options(property: &Property, name: &str, path: &str, notes: &mut Notes) -> Option<Found> {
    let mut test = QualityTest { column: Some(name.to_owned()), ..blank(TestType::Range) };
    for (key, value) in property.logical_type_options.iter().flatten() {
        match (key.as_str(), value) {
            ("minimum", Value::Number(number)) => test.min = Some(number.clone()),
            ("maximum", Value::Number(number)) => test.max = Some(number.clone()),
            (_, Value::Null) => {}
            _ => notes.lost(
                format!("{path}.logicalTypeOptions.{key}"),
                "of the bounds of types only minimum and maximum of numbers can be tested",
            ),
        }
    }
    (test.min.is_some() || test.max.is_some()).then_some(Found { test, implied: false })
}

/// What a rule is called in a path.
fn name_of(rule: &Rule, index: usize) -> String {
    rule.name.clone().unwrap_or_else(|| index.to_string())
}

/// The test that a rule means. The column is that of the property where the rule stands.
fn read_rule(
    rule: &Rule,
    column: Option<&str>,
    path: &str,
    notes: &mut Notes,
) -> Result<Option<Found>, ContractError> {
    if rule.engine.as_deref() == Some(ENGINE) {
        let said = rule.implementation.clone().unwrap_or_default();
        let test = serde_json::from_value(said).map_err(|error| ContractError::Custom {
            path: format!("{path}.implementation"),
            said: error.to_string(),
        })?;
        return Ok(Some(Found { test, implied: false }));
    }
    let metric = rule.metric.as_deref().or(rule.rule.as_deref());
    let column = column.map(str::to_owned).or_else(|| only_property(rule));
    let test = match (metric, column) {
        (Some("duplicateValues" | "duplicateCount"), Some(column)) => {
            bounded(rule, QualityTest { column: Some(column), ..blank(TestType::Uniqueness) }, path, notes)
        }
        (Some("nullValues" | "nullCheck"), Some(column)) => {
            bounded(rule, QualityTest { column: Some(column), ..blank(TestType::NotNull) }, path, notes)
        }
        (Some("invalidValues" | "validValues"), Some(column)) if has_values(rule) => {
            let test = QualityTest { column: Some(column), ..blank(TestType::AcceptedValues) };
            for key in rule.arguments.iter().flat_map(Map::keys).filter(|key| *key != "validValues") {
                notes.lost(format!("{path}.arguments.{key}"), "only valid values can be listed");
            }
            bounded(rule, test, path, notes)
        }
        (Some("rowCount"), None) => counted(rule, path, notes),
        _ => None,
    };
    let Some(test) = test else {
        notes.lost(path, unsaid(rule));
        return Ok(None);
    };
    let severity = rule.severity.as_deref().filter(|text| !text.is_empty());
    let test = QualityTest { name: rule.name.clone(), severity: severity.and_then(word), ..test };
    if severity.is_some() && test.severity.is_none() {
        notes.lost(format!("{path}.severity"), "a severity is error or warning");
    }
    let bare = QualityTest { column: test.column.clone(), ..blank(TestType::AcceptedValues) };
    let implied = test == bare;
    Ok(Some(Found { test, implied }))
}

fn has_values(rule: &Rule) -> bool {
    rule.arguments.as_ref().is_some_and(|arguments| arguments.contains_key("validValues"))
}

/// The one property that a rule of an object is about.
fn only_property(rule: &Rule) -> Option<String> {
    match rule.arguments.as_ref()?.get("properties")?.as_array()?.as_slice() {
        [Value::String(name)] => Some(name.clone()),
        _ => None,
    }
}

fn unsaid(rule: &Rule) -> &'static str {
    match rule.type_.as_deref() {
        Some("text") => "a text is no test",
        Some("sql") => "a query is no test of ours; run it in the pipeline and report its result",
        Some("custom") => "a rule of another engine stays with that engine",
        _ => "no test says this; tests allow no failing rows or a share of rows",
    }
}

/// A test with the bound of a rule; `None` when no threshold says it.
fn bounded(rule: &Rule, test: QualityTest, path: &str, notes: &mut Notes) -> Option<QualityTest> {
    let is_share = matches!(rule.unit.as_deref(), Some("percent" | "%"));
    let share = |failing: &Number| {
        let failing: Percent = level::percent(failing)?;
        Percent::from_millionths(Percent::HUNDRED.millionths() - failing.millionths())
    };
    let says_no_bound = rule.must_be_between.is_none()
        && rule.must_be_greater_than.is_none()
        && rule.must_be_greater_or_equal_to.is_none();
    let threshold = match (&rule.must_be, &rule.must_be_less_or_equal_to, &rule.must_be_less_than) {
        (None, None, None) if says_no_bound => is_share.then_some(Percent::HUNDRED),
        (Some(zero), None, None) if zero.as_f64() == Some(0.0) => is_share.then_some(Percent::HUNDRED),
        (None, Some(failing), None) if is_share => Some(share(failing)?),
        (None, None, Some(failing)) if is_share => {
            let passing = share(failing)?;
            notes.changed(format!("{path}.mustBeLessThan"), format!("exactly {passing} passes, too"));
            Some(passing)
        }
        // Without a bound that can be said, a list of valid values still is one.
        _ if has_values(rule) => {
            notes.lost(
                format!("{path}.unit"),
                "a number of rows that may fail cannot be said, only a share of rows",
            );
            None
        }
        _ => return None,
    };
    Some(QualityTest { threshold: threshold.map(|share| share.to_string()), ..test })
}

/// The test of a number of rows; `None` when no minimum and maximum say it.
fn counted(rule: &Rule, path: &str, notes: &mut Notes) -> Option<QualityTest> {
    let next = |number: &Number, step: i64| number.as_i64()?.checked_add(step).map(Number::from);
    let mut test = QualityTest {
        min: rule.must_be_greater_or_equal_to.clone(),
        max: rule.must_be_less_or_equal_to.clone(),
        ..blank(TestType::RowCount)
    };
    if let Some(Value::Number(exact)) = &rule.must_be {
        (test.min, test.max) = (Some(exact.clone()), Some(exact.clone()));
    }
    if let Some([min, max]) = rule.must_be_between.as_deref() {
        (test.min, test.max) = (Some(min.clone()), Some(max.clone()));
    }
    if let Some(number) = &rule.must_be_greater_than {
        test.min = Some(next(number, 1)?);
        notes.changed(format!("{path}.mustBeGreaterThan"), "the next number is the minimum");
    }
    if let Some(number) = &rule.must_be_less_than {
        test.max = Some(next(number, -1)?);
        notes.changed(format!("{path}.mustBeLessThan"), "the number before is the maximum");
    }
    (test.min.is_some() || test.max.is_some()).then_some(test)
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
    let threshold = amount(&test.threshold, &entry.threshold);
    QualityTest {
        name: test.name.clone().or_else(|| entry.name.clone()),
        severity: test.severity.or(entry.severity),
        threshold: if bare { threshold.or_else(|| entry.threshold.clone()) } else { threshold },
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
