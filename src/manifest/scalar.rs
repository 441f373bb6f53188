//! What an unquoted YAML word means to kubectl, which reads YAML 1.1: `yes` is a truth value and `010` is eight.

use serde_json::Number;

use super::node::Value;

/// The value of an unquoted word; `None` for a number that JSON has no word for, such as `.inf`.
pub(super) fn plain(word: &str) -> Option<Value> {
    match word {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Some(Value::Bool(true));
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Some(Value::Bool(false));
        }
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf"
        | "-.Inf" | "-.INF" => return None,
        _ => {}
    }
    if !word.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.')) {
        return Some(Value::Text(word.to_owned()));
    }
    let digits = word.replace('_', "");
    match integer(&digits).map(Value::Number) {
        Some(number) => Some(number),
        None if is_float(&digits) => digits.parse().ok().and_then(Number::from_f64).map(Value::Number),
        None => Some(Value::Text(word.to_owned())),
    }
}

/// A whole number with the prefixes of Go, in which a leading zero means octal.
fn integer(digits: &str) -> Option<Number> {
    let (negative, rest) = match digits.split_at_checked(1)? {
        ("-", rest) => (true, rest),
        ("+", rest) => (false, rest),
        _ => (false, digits),
    };
    let prefixed = |prefix: [&str; 2]| prefix.iter().find_map(|prefix| rest.strip_prefix(prefix));
    let (radix, rest) = if let Some(rest) = prefixed(["0x", "0X"]) {
        (16, rest)
    } else if let Some(rest) = prefixed(["0b", "0B"]) {
        (2, rest)
    } else if let Some(rest) = prefixed(["0o", "0O"]) {
        (8, rest)
    } else if rest.len() > 1 && rest.starts_with('0') {
        (8, rest)
    } else {
        (10, rest)
    };
    // The standard library takes another sign here.
    if !rest.starts_with(|first: char| first.is_ascii_hexdigit()) {
        return None;
    }
    let size = u64::from_str_radix(rest, radix).ok()?;
    if negative { i64::try_from(-i128::from(size)).ok().map(Number::from) } else { Some(Number::from(size)) }
}

/// Whether digits are `1`, `1.5`, `.5` or `1e3`, with or without a sign.
fn is_float(digits: &str) -> bool {
    let digits = digits.strip_prefix(['-', '+']).unwrap_or(digits);
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (digits, None),
    };
    let all = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    all(whole)
        && all(part)
        && !(whole.is_empty() && part.is_empty())
        && exponent.is_none_or(|e| !e.is_empty() && all(e))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_mean_what_they_mean_to_kubectl() {
        let cases = [
            ("", json!(null)),
            ("~", json!(null)),
            ("yes", json!(true)),
            ("Off", json!(false)),
            ("yEs", json!("yEs")),
            ("12", json!(12)),
            ("+12", json!(12)),
            ("-12", json!(-12)),
            ("1_000", json!(1000)),
            ("010", json!(8)),
            ("08", json!(8.0)),
            ("0x1F", json!(31)),
            ("0b11", json!(3)),
            ("0o17", json!(15)),
            ("0", json!(0)),
            ("0.0", json!(0.0)),
            (".5", json!(0.5)),
            ("1e3", json!(1000.0)),
            ("1.5e-3", json!(0.0015)),
            ("18446744073709551615", json!(u64::MAX)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("1.0.0", json!("1.0.0")),
            ("2027-06-30", json!("2027-06-30")),
            ("99%", json!("99%")),
            ("-", json!("-")),
            ("+-1", json!("+-1")),
            ("1e", json!("1e")),
            (".", json!(".")),
            ("0x", json!("0x")),
            ("7 days", json!("7 days")),
        ];
        for (word, expected) in cases {
            let node = super::super::Node { span: 0..0, value: plain(word).expect(word) };
            assert_eq!(node.to_json(), expected, "{word}");
        }
        assert_eq!(plain(".inf"), None);
        assert_eq!(plain("1e999"), None);
    }
}
