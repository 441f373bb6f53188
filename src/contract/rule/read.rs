//! Finds quality tests in a contract.

use serde_json::{Map, Number, Value};

use super::{ENGINE, Found, MAX_VALUES, blank, has_values, is_shorthand};
use crate::{
    api::product::{QualityTest, TestType},
    contract::{
        ContractError, level,
        note::Notes,
        object::{children, full_name, label},
        odcs::{Property, Relationship, Rule, SchemaObject},
        word,
    },
    model::percent::Percent,
};

/// The values that the rules of a property allow.
pub(in crate::contract) fn read_valid_values(
    property: &Property,
    path: &str,
    notes: &mut Notes,
) -> Vec<String> {
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

/// The tests of an object, in the order in which they stand there.
pub(in crate::contract) fn read(
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
