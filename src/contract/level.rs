//! Service levels, retention and the end of life as promises of a contract.

use serde_json::{Number, Value};

use super::{
    note::Notes,
    odcs::Sla,
    rule::{Found, blank},
};
use crate::{
    api::product::{Access, Deprecation, QualityTest, Slo, SloTarget, TestType},
    model::{duration::Period, percent::Percent},
};

/// The standard's word for freshness, which it prefers to that.
pub(super) const LATENCY: &str = "latency";
const AVAILABILITY: &str = "availability";
const COMPLETENESS: &str = "completeness";
const ACCURACY: &str = "accuracy";
const RETENTION: &str = "retention";
const END_OF_SUPPORT: &str = "endOfSupport";
/// Length of a date such as `2027-06-30`.
const DATE: usize = 10;

/// A number with its unit, and the text that it was read from.
pub(super) struct Amount {
    value: Number,
    unit: String,
}

impl Amount {
    /// The promise of this amount.
    pub(super) fn promise(self, property: &str) -> Sla {
        Sla {
            property: property.to_owned(),
            value: self.value.into(),
            unit: Some(self.unit),
            ..Sla::default()
        }
    }
}

/// The amount of a duration; `None` when the text is none.
pub(super) fn duration(text: &str) -> Option<Amount> {
    text.parse::<Period>().ok()?;
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, unit) = text.split_at_checked(end)?;
    Some(Amount { value: digits.parse::<i64>().ok()?.into(), unit: unit.trim().to_owned() })
}

fn share(text: &str) -> Option<Amount> {
    Some(Amount { value: number(text.parse().ok()?)?, unit: "percent".to_owned() })
}

/// A percentage as a number.
pub(super) fn number(percent: Percent) -> Option<Number> {
    serde_json::from_str(percent.to_string().trim_end_matches('%')).ok()
}

/// A number as a percentage; `None` outside of 0 to 100 or with more than 6 decimals.
pub(super) fn percent(number: &Number) -> Option<Percent> {
    let text = number
        .as_i64()
        .map_or_else(|| number.as_f64().map(|number| number.to_string()), |n| Some(n.to_string()));
    format!("{}%", text?).parse().ok()
}

/// A text as another one spells the same amount, else as it is.
pub(super) fn spelled(said: &str, other: &str) -> String {
    let same_duration = said.parse::<Period>().ok().is_some_and(|said| other.parse() == Ok(said));
    let same_share = said.parse::<Percent>().ok().is_some_and(|said| other.parse() == Ok(said));
    if same_duration || same_share { other.to_owned() } else { said.to_owned() }
}

/// The promises of a product.
pub(super) fn write(
    slo: Option<&Slo>,
    access: Option<&Access>,
    deprecation: Option<&Deprecation>,
) -> Vec<Sla> {
    let level = |target: Option<&SloTarget>, property: &str, amount: fn(&str) -> Option<Amount>| {
        Some(amount(&target?.target)?.promise(property))
    };
    let slo = slo.map(|slo| {
        [
            level(slo.freshness.as_ref(), LATENCY, duration),
            level(slo.availability.as_ref(), AVAILABILITY, share),
            level(slo.completeness.as_ref(), COMPLETENESS, share),
            level(slo.accuracy.as_ref(), ACCURACY, share),
        ]
    });
    let retention = access.and_then(|access| duration(access.retention.as_deref()?));
    let sunset = deprecation.and_then(|deprecation| deprecation.sunset_date.clone());
    let sunset =
        sunset.map(|date| Sla { property: END_OF_SUPPORT.to_owned(), value: date.into(), ..Sla::default() });
    let levels = slo.into_iter().flatten().flatten();
    levels.chain(retention.map(|amount| amount.promise(RETENTION))).chain(sunset).collect()
}

/// What promises mean.
#[derive(Default)]
pub(super) struct Levels {
    /// Service levels.
    pub slo: Option<Slo>,
    /// How long the data is kept.
    pub retention: Option<String>,
    /// The last day of service.
    pub sunset: Option<String>,
    /// Tests of freshness.
    pub tests: Vec<Found>,
}

/// Reads promises. The objects are those of the schema, by every name that they have.
pub(super) fn read(promises: &[Sla], objects: &[String], notes: &mut Notes) -> Levels {
    let mut levels = Levels::default();
    for promise in promises {
        let path = format!("slaProperties[{}]", promise.property);
        let lost = levels.take(promise, objects, &path, notes);
        if let Err(reason) = lost {
            notes.lost(path, reason);
        }
    }
    levels
}

const TWICE: &str = "a product promises this once, and another such promise comes first";

impl Levels {
    /// Takes one promise; the error says why it cannot be taken.
    fn take(
        &mut self,
        promise: &Sla,
        objects: &[String],
        path: &str,
        notes: &mut Notes,
    ) -> Result<(), String> {
        let element = promise.element.as_deref().filter(|element| !element.is_empty());
        let property = promise.property.to_ascii_lowercase();
        if let ("latency" | "ly" | "freshness", Some(element)) = (property.as_str(), element) {
            let column = column(element, objects).ok_or("a test of freshness is about one column")?;
            if !element.ends_with(&format!(".{column}"))
                || !objects.iter().any(|o| element == format!("{o}.{column}"))
            {
                notes.changed(format!("{path}.element"), format!("{element} is the column {column}"));
            }
            let test = QualityTest {
                column: Some(column.to_owned()),
                max_age: Some(read_duration(promise)?),
                ..blank(TestType::Freshness)
            };
            self.tests.push(Found { test, implied: false });
            return Ok(());
        }
        match property.as_str() {
            "latency" | "ly" | "freshness" => {
                once(&mut self.slo().freshness, target(read_duration(promise)?))
            }
            "availability" | "av" => once(&mut self.slo().availability, target(read_share(promise)?)),
            "completeness" => once(&mut self.slo().completeness, target(read_share(promise)?)),
            "accuracy" => once(&mut self.slo().accuracy, target(read_share(promise)?)),
            "retention" | "re" => once(&mut self.retention, read_duration(promise)?),
            "endofsupport" | "es" => {
                let text =
                    promise.value.as_str().ok_or("the last day of service is a date such as 2027-06-30")?;
                let date = text.get(..DATE).filter(|date| date.parse::<jiff::civil::Date>().is_ok());
                let date = date.ok_or("the last day of service is a date such as 2027-06-30")?;
                if date != text {
                    notes.changed(format!("{path}.value"), format!("the day counts, not the time: {date}"));
                }
                once(&mut self.sunset, date.to_owned())
            }
            _ => Err("a product has no promise of that name".to_owned()),
        }?;
        if element.is_some() {
            notes.lost(format!("{path}.element"), "this is promised of the product as a whole");
        }
        Ok(())
    }

    fn slo(&mut self) -> &mut Slo {
        self.slo.get_or_insert_default()
    }
}

fn once<T>(place: &mut Option<T>, value: T) -> Result<(), String> {
    if place.is_some() {
        return Err(TWICE.to_owned());
    }
    *place = Some(value);
    Ok(())
}

fn target(target: String) -> SloTarget {
    SloTarget { target, ..SloTarget::default() }
}

/// The column of an element, `object.column`; `None` when there are several.
fn column<'a>(element: &'a str, objects: &[String]) -> Option<&'a str> {
    if element.contains(',') {
        return None;
    }
    let of = |object: &String| element.strip_prefix(object.as_str())?.strip_prefix('.');
    let column = objects.iter().find_map(of);
    Some(column.unwrap_or_else(|| element.split_once('.').map_or(element, |(_, column)| column)))
}

/// A value and its unit as a duration of ours.
fn read_duration(promise: &Sla) -> Result<String, String> {
    let unit = promise.unit.as_deref().unwrap_or_default().trim();
    let value = match &promise.value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return Err("a duration is a number with a unit".to_owned()),
    };
    if let Some(text) = iso_duration(&value).filter(|_| unit.is_empty()) {
        return Ok(text);
    }
    // Units of one or two letters follow their number at once, as in `90m`.
    let short = |unit: &str| format!("{value}{unit}");
    let long = |unit: &str| format!("{value} {unit}");
    let lower = unit.to_ascii_lowercase();
    let text = match lower.as_str() {
        "" => value.clone(),
        "yr" | "yrs" => short("y"),
        "hr" | "hrs" => short("h"),
        "min" | "mins" => short("m"),
        "sec" | "secs" => short("s"),
        unit if unit.len() <= 2 => short(unit),
        unit => long(unit),
    };
    text.parse::<Period>().map_err(|error| error.to_string())?;
    Ok(text)
}

/// A duration of one unit in the form of ISO 8601, such as `P1Y` or `PT30M`, as one of ours.
fn iso_duration(text: &str) -> Option<String> {
    let rest = text.strip_prefix('P')?;
    let (digits, unit) = match rest.strip_prefix('T') {
        Some(time) => (time.trim_end_matches(['H', 'M', 'S']), time),
        None => (rest.trim_end_matches(['Y', 'M', 'W', 'D']), rest),
    };
    let unit = match (unit.strip_prefix(digits)?, rest.starts_with('T')) {
        ("Y", _) => "y",
        ("M", false) => "mo",
        ("W", _) => "w",
        ("D", _) => "d",
        ("H", _) => "h",
        ("M", true) => "m",
        ("S", _) => "s",
        _ => return None,
    };
    let text = format!("{digits}{unit}");
    text.parse::<Period>().ok().map(|_| text)
}

/// A value as a percentage of ours.
fn read_share(promise: &Sla) -> Result<String, String> {
    let share = match &promise.value {
        Value::Number(number) => percent(number),
        Value::String(text) => {
            let text = text.trim();
            if text.ends_with('%') { text.parse().ok() } else { format!("{text}%").parse().ok() }
        }
        _ => None,
    };
    let unit = promise.unit.as_deref().unwrap_or("percent");
    let share = share.filter(|_| matches!(unit.to_ascii_lowercase().as_str(), "percent" | "%" | "pct" | ""));
    share.map(|share| share.to_string()).ok_or_else(|| "a level is a percentage from 0 to 100".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_duration_is_read_in_the_units_that_contracts_have() {
        let cases = [
            (json!(4), Some("d"), Some("4d")),
            (json!(1), Some("hour"), Some("1 hour")),
            (json!("3"), Some("yr"), Some("3y")),
            (json!("24h"), None, Some("24h")),
            (json!("P1Y"), None, Some("1y")),
            (json!("P6M"), None, Some("6mo")),
            (json!("PT30M"), None, Some("30m")),
            (json!("P1Y6M"), None, None),
            (json!(4), None, None),
            (json!(1.5), Some("h"), None),
            (json!(true), Some("h"), None),
        ];
        for (value, unit, expected) in cases {
            let promise = Sla { value: value.clone(), unit: unit.map(str::to_owned), ..Sla::default() };
            assert_eq!(read_duration(&promise).ok().as_deref(), expected, "{value} {unit:?}");
        }
    }

    #[test]
    fn a_share_is_read_with_and_without_its_sign() {
        let cases = [
            (json!(99.9), Some("percent"), Some("99.9%")),
            (json!("99.9%"), None, Some("99.9%")),
            (json!("99.9"), Some("%"), Some("99.9%")),
            (json!(101), None, None),
            (json!(99), Some("hours"), None),
        ];
        for (value, unit, expected) in cases {
            let promise = Sla { value: value.clone(), unit: unit.map(str::to_owned), ..Sla::default() };
            assert_eq!(read_share(&promise).ok().as_deref(), expected, "{value} {unit:?}");
        }
    }
}
