//! Durations as specs write them: one whole number and one unit.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// A length of time in whole seconds. A month has 30 days and a year 365.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

/// A text that is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{text:?} is not a duration: {problem}; write a whole number from 1 to 999999 and one unit, for example '90 minutes'"
)]
pub struct SpanError {
    text: String,
    problem: &'static str,
}

/// Longest number of digits, so that no product of number and unit overflows.
const MAX_DIGITS: usize = 6;

/// The units, the longest first, each with its words.
const UNITS: [(i64, &str, &[&str]); 7] = [
    (365 * 86_400, "year", &["years", "year", "y"]),
    (30 * 86_400, "month", &["months", "month", "mo"]),
    (7 * 86_400, "week", &["weeks", "week", "w"]),
    (86_400, "day", &["days", "day", "d"]),
    (3_600, "hour", &["hours", "hour", "h"]),
    (60, "minute", &["minutes", "minute", "m"]),
    (1, "second", &["seconds", "second", "s"]),
];

impl Span {
    /// The length in seconds.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// The length in minutes, rounded up, so that a threshold is never stricter than the target.
    pub const fn minutes(self) -> i64 {
        (self.0 + 59) / 60
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let fail = |problem| SpanError { text: text.chars().take(40).collect(), problem };
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = text.split_at(digits);
        if number.is_empty() {
            return Err(fail("it does not begin with a number"));
        }
        if number.len() > MAX_DIGITS || number.starts_with('0') {
            return Err(fail("the number is zero, too large, or has leading zeros"));
        }
        let unit = rest.strip_prefix(' ').unwrap_or(rest);
        if unit.bytes().any(|byte| byte.is_ascii_digit()) {
            return Err(fail("it has more than one part"));
        }
        let (seconds, ..) = UNITS
            .iter()
            .find(|(.., words)| words.contains(&unit))
            .ok_or_else(|| fail("the unit is unknown"))?;
        number
            .parse::<i64>()
            .map(|number| Self(number * seconds))
            .map_err(|_| fail("the number is unreadable"))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, unit, _) =
            UNITS.iter().find(|(seconds, ..)| self.0 % seconds == 0).copied().unwrap_or((1, "second", &[]));
        let number = self.0 / seconds;
        write!(f, "{number} {unit}{}", if number == 1 { "" } else { "s" })
    }
}
