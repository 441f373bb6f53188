//! Lengths of time as specs write them: `90m`, `1 hour`, `7 years`.
//!
//! This file decides what a duration is and how many seconds it has; the schema of the custom resources takes its
//! pattern from here, and a test below keeps pattern and parser together.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// What [`Period`] accepts, as the regular expression that the schema of the custom resources uses.
pub const PATTERN: &str =
    "^[1-9][0-9]{0,5} ?(seconds?|s|minutes?|m|hours?|h|days?|d|weeks?|w|months?|mo|years?|y)$";

/// The longest text that is worth looking at; the grammar itself never needs more than 14 characters.
const MAX_LENGTH: usize = 32;
/// The most digits that a number may have.
const MAX_DIGITS: usize = 6;

/// The units, from the longest to the shortest: name, short form, seconds.
///
/// A month has 30 days and a year has 365. `m` is a minute; a month is `mo`.
const UNITS: [(&str, &str, i64); 7] = [
    ("year", "y", 365 * 86_400),
    ("month", "mo", 30 * 86_400),
    ("week", "w", 7 * 86_400),
    ("day", "d", 86_400),
    ("hour", "h", 3_600),
    ("minute", "m", 60),
    ("second", "s", 1),
];

/// A positive length of time in whole seconds: a whole number and one unit.
///
/// The unit is singular, plural or short, after at most one space. Fractions and compound forms are refused, because
/// each has a plain equivalent: `90m` for one and a half hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(i64);

impl Period {
    /// The length in seconds, at least 1.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// The length in minutes, rounded up, so that a threshold made of it is never tighter than the promise.
    pub const fn minutes(self) -> i64 {
        (self.0 + 59) / 60
    }
}

/// The canonical form: the longest unit that divides the period exactly, in its short form, without a space.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, unit) = UNITS
            .into_iter()
            .find(|(.., seconds)| self.0 % seconds == 0)
            .map_or((self.0, "s"), |(_, short, seconds)| (self.0 / seconds, short));
        write!(f, "{count}{unit}")
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        parse(text).map(Self).map_err(|problem| PeriodError { text: super::excerpt(text), problem })
    }
}

/// A text that is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{text:?} is not a duration: {problem}; write a whole number and one unit (second, minute, hour, day, week, \
     month, year; short: s, m, h, d, w, mo, y), for example \"1 hour\" or \"90m\""
)]
pub struct PeriodError {
    /// The text, cut to a bounded length.
    pub text: String,
    /// What is wrong with it.
    pub problem: PeriodProblem,
}

/// What is wrong with a text that should be a duration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PeriodProblem {
    /// There is more of it than any duration needs.
    #[error("it is longer than {MAX_LENGTH} characters")]
    TooLong,
    /// It begins with something else.
    #[error("it does not begin with a number")]
    NoNumber,
    /// Nothing lasts no time.
    #[error("the number must be at least 1 and must not begin with a zero")]
    LeadingZero,
    /// The number has too many digits.
    #[error("the number has more than {MAX_DIGITS} digits")]
    TooManyDigits,
    /// The number has decimals. Where the same length has a plain form, it is shown.
    #[error("the number has a fraction{}", .plain.map(|plain| format!(", write {plain}")).unwrap_or_default())]
    Fraction {
        /// The same length without a fraction.
        plain: Option<Period>,
    },
    /// There is a number and nothing else.
    #[error("the unit is missing")]
    NoUnit,
    /// Several numbers with units, such as `1h30m`.
    #[error("compound forms are not allowed, 1h30m is 90m")]
    Compound,
    /// What follows the number is not a unit.
    #[error("{0:?} is not a unit")]
    UnknownUnit(String),
}

fn parse(text: &str) -> Result<i64, PeriodProblem> {
    if text.len() > MAX_LENGTH {
        return Err(PeriodProblem::TooLong);
    }
    let (digits, rest) = split_digits(text);
    if digits.is_empty() {
        return Err(PeriodProblem::NoNumber);
    }
    if let Some(decimals) = rest.strip_prefix('.') {
        return Err(PeriodProblem::Fraction { plain: without_fraction(digits, decimals) });
    }
    if digits.starts_with('0') {
        return Err(PeriodProblem::LeadingZero);
    }
    if digits.len() > MAX_DIGITS {
        return Err(PeriodProblem::TooManyDigits);
    }
    let unit = rest.strip_prefix(' ').unwrap_or(rest);
    if unit.is_empty() {
        return Err(PeriodProblem::NoUnit);
    }
    let seconds = unit_seconds(unit).ok_or_else(|| {
        if unit.contains(|c: char| c.is_ascii_digit()) {
            PeriodProblem::Compound
        } else {
            PeriodProblem::UnknownUnit(unit.to_owned())
        }
    })?;
    let count: i64 = digits.parse().map_err(|_| PeriodProblem::TooManyDigits)?;
    Ok(count * seconds)
}

/// The leading ASCII digits and what follows them.
fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

/// The seconds of a unit in any of its three forms.
fn unit_seconds(unit: &str) -> Option<i64> {
    let names =
        |name: &str, short: &str| unit == name || unit == short || unit.strip_suffix('s') == Some(name);
    UNITS.into_iter().find(|(name, short, _)| names(name, short)).map(|(.., seconds)| seconds)
}

/// The length that `1.5 hours` means, when it is a whole number of seconds and can be written without a fraction.
fn without_fraction(whole: &str, rest: &str) -> Option<Period> {
    let (decimals, unit) = split_digits(rest);
    let unit = unit_seconds(unit.strip_prefix(' ').unwrap_or(unit))?;
    let scale = 10_i64.checked_pow(u32::try_from(decimals.len()).ok()?)?;
    let parts = format!("{whole}{decimals}").parse::<i64>().ok()?.checked_mul(unit)?;
    // Only what the grammar can express is worth proposing.
    (parts % scale == 0).then(|| Period(parts / scale).to_string().parse().ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_of_every_unit_is_read() {
        for (name, short, seconds) in UNITS {
            for text in [format!("1 {name}"), format!("1 {name}s"), format!("1{name}"), format!("1{short}")] {
                assert_eq!(text.parse().map(Period::seconds), Ok(seconds), "{text}");
            }
        }
    }

    #[test]
    fn a_period_prints_in_the_longest_unit_that_divides_it() {
        let cases = [
            ("1 hour", "1h"),
            ("90m", "90m"),
            ("120 minutes", "2h"),
            ("7 years", "7y"),
            ("28d", "4w"),
            ("45 days", "45d"),
            ("999999 years", "999999y"),
        ];
        for (text, expected) in cases {
            assert_eq!(
                text.parse().map(|period: Period| period.to_string()),
                Ok(expected.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn minutes_are_rounded_up_so_that_no_threshold_is_tighter_than_the_promise() {
        for (text, minutes) in [("1s", 1), ("60s", 1), ("61s", 2), ("1 hour", 60)] {
            assert_eq!(text.parse().map(Period::minutes), Ok(minutes), "{text}");
        }
    }

    #[test]
    fn a_refusal_says_what_is_wrong_and_often_what_to_write() {
        let cases = [
            ("", "it does not begin with a number"),
            ("hour", "it does not begin with a number"),
            ("-1 hour", "it does not begin with a number"),
            (" 1 hour", "it does not begin with a number"),
            ("0s", "at least 1"),
            ("05m", "must not begin with a zero"),
            ("1234567s", "more than 6 digits"),
            ("5", "the unit is missing"),
            ("5 ", "the unit is missing"),
            ("1  hour", "\" hour\" is not a unit"),
            ("1 hour ", "\"hour \" is not a unit"),
            ("1 Hour", "\"Hour\" is not a unit"),
            ("1 fortnight", "\"fortnight\" is not a unit"),
            ("1h30m", "compound forms are not allowed, 1h30m is 90m"),
            ("1 hour 30 minutes", "compound forms are not allowed"),
            ("1.5 hours", "the number has a fraction, write 90m"),
            ("0.5y", "the number has a fraction, write 4380h"),
            ("0.3s", "the number has a fraction; write"),
            ("1.", "the number has a fraction; write"),
            ("99999999999999999999 y", "more than 6 digits"),
            ("1 hour, or so, if all goes well today", "longer than 32 characters"),
        ];
        for (text, expected) in cases {
            let error = text.parse::<Period>().expect_err(text).to_string();
            assert!(error.contains(expected) && error.contains("for example"), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_no_error_is_long(text in ".*") {
            if let Err(error) = text.parse::<Period>() {
                prop_assert!(error.to_string().len() < 1024);
            }
        }

        #[test]
        fn what_looks_like_numbers_and_units_never_panics(text in "[0-9.]{0,22} ?[a-z0-9. ]{0,10}") {
            let _ = text.parse::<Period>();
        }

        #[test]
        fn all_that_the_pattern_allows_is_read_and_survives_printing(
            text in PATTERN.trim_start_matches('^').trim_end_matches('$')
        ) {
            let period: Period = text.parse()?;
            prop_assert_eq!(period.to_string().parse::<Period>()?, period);
        }
    }
}
