//! Values as the expressions that give them, so that values of others can be compared with ours.

use anyhow::{Result, anyhow, bail};
use dataproduct_operator::cel::{Bindings, Declarations, Expression, Type, Value};
use serde_json::Value as Json;

/// A text as a literal.
pub(crate) fn text(text: &str) -> String {
    Json::from(text).to_string()
}

/// A floating-point number as an expression.
pub(crate) fn double(number: f64) -> String {
    match number {
        number if number.is_nan() => "double('NaN')".to_owned(),
        number if number.is_infinite() && number > 0.0 => "double('Infinity')".to_owned(),
        number if number.is_infinite() => "double('-Infinity')".to_owned(),
        number => format!("{number:?}"),
    }
}

/// A whole number as an expression.
pub(crate) fn int(number: i64) -> String {
    match number {
        i64::MIN => format!("({} - 1)", i64::MIN + 1),
        number => number.to_string(),
    }
}

/// The value of an expression that names nothing, and its type.
pub(crate) fn value(expression: &str) -> Result<(Type, Value)> {
    let compiled = Expression::of_any_type(expression, &Declarations::default());
    let compiled = compiled.map_err(|fault| anyhow!("{expression}: {fault}"))?;
    let bindings = Bindings::new().map_err(|reason| anyhow!(reason))?;
    let value = compiled.evaluate(&bindings).map_err(|reason| anyhow!("{expression}: {reason}"))?;
    Ok((compiled.type_, value))
}

/// A value of the test data as an expression.
pub(crate) fn of(value: &Json) -> Result<String> {
    let (kind, inner) =
        value.as_object().and_then(|kinds| kinds.iter().next()).ok_or_else(|| anyhow!("no value"))?;
    let number = || inner.as_str().ok_or_else(|| anyhow!("{inner} is no number"));
    Ok(match kind.as_str() {
        "boolValue" => inner.to_string(),
        "nullValue" => "null".to_owned(),
        "int64Value" => int(number()?.parse()?),
        "uint64Value" => format!("{}u", number()?),
        "doubleValue" => double(match inner {
            Json::String(name) => name.replace("Infinity", "inf").parse()?,
            number => number.as_f64().ok_or_else(|| anyhow!("{number} is no number"))?,
        }),
        "stringValue" => text(inner.as_str().ok_or_else(|| anyhow!("{inner} is no text"))?),
        "listValue" => {
            let values = inner["values"].as_array().into_iter().flatten();
            format!("[{}]", values.map(of).collect::<Result<Vec<_>>>()?.join(", "))
        }
        "mapValue" => {
            let entries = inner["entries"].as_array().into_iter().flatten();
            let entry = |entry: &Json| Ok(format!("{}: {}", of(&entry["key"])?, of(&entry["value"])?));
            format!("{{{}}}", entries.map(entry).collect::<Result<Vec<_>>>()?.join(", "))
        }
        other => bail!("{other}"),
    })
}

/// Whether two values are the same, of the same type too. What is no number is the same as what is no number.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    let no_number = |value: &Value| value.type_name() == "double" && !value.equals(value);
    one.type_name() == other.type_name() && (one.equals(other) || (no_number(one) && no_number(other)))
}
