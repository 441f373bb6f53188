//! Says quality tests where a contract has a place for them.

use serde_json::{Map, Number};

use super::{ENGINE, blank, has_values, is_shorthand};
use crate::{
    api::product::{QualityTest, TestType},
    contract::{
        ContractError, level,
        odcs::{Property, Relationship, Rule, SchemaObject, Sla},
    },
    model::percent::Percent,
};

/// The rule that lists the values of a field.
pub(in crate::contract) fn valid_values(values: &[String]) -> Option<Vec<Rule>> {
    let arguments = Map::from_iter([("validValues".to_owned(), values.into())]);
    let rule = Rule { arguments: Some(arguments), ..library("invalidValues", Bound::NONE) };
    (!values.is_empty()).then(|| vec![rule])
}

/// Says tests in an object and in promises.
pub(in crate::contract) fn write(
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
            let to = reference.map(|to| Relationship { to: to.into(), ..Relationship::default() });
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
    at_most: Option<Number>,
    unit: Option<&'static str>,
}

impl Bound {
    /// Nothing may fail.
    const NONE: Self = Self { at_most: None, unit: None };

    /// What a test allows; `None` when its threshold is not a percentage.
    fn of(test: &QualityTest) -> Option<Self> {
        let Some(threshold) = &test.threshold else { return Some(Self::NONE) };
        let failing = Percent::HUNDRED.millionths() - threshold.parse::<Percent>().ok()?.millionths();
        let failing = Percent::from_millionths(failing)?;
        if failing == Percent::ZERO {
            return Some(Self::NONE);
        }
        Some(Self { at_most: Some(level::number(failing)?), unit: Some("percent") })
    }
}

fn library(metric: &str, bound: Bound) -> Rule {
    let Bound { at_most, unit } = bound;
    Rule {
        metric: Some(metric.to_owned()),
        must_be: at_most.is_none().then(|| 0.into()),
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
