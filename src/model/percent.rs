//! Percentages as specs write them, `99.9%`, held exactly: no comparison of ours depends on a rounded binary fraction.
//!
//! This file decides what a percentage is; the schema of the custom resources takes its pattern from here, and a test
//! below keeps pattern and parser together.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// What [`Percent`] accepts, as the regular expression that the schema of the custom resources uses.
pub const PATTERN: &str = "^(100([.]0{1,6})?|[0-9]{1,2}([.][0-9]{1,6})?)%$";

/// Millionths in one percent.
const SCALE: i64 = 1_000_000;
/// The most decimals that a percentage may have.
const MAX_DECIMALS: usize = 6;

/// A share from 0% to 100% in millionths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(i64);

impl Percent {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// A tenth of a percent.
    pub const TENTH: Self = Self(SCALE / 10);
    /// Everything.
    pub const HUNDRED: Self = Self(100 * SCALE);

    /// A share of so many percent, at most 100.
    pub const fn whole(percent: u8) -> Self {
        if percent < 100 { Self(percent as i64 * SCALE) } else { Self::HUNDRED }
    }

    /// The share in millionths of a percent, 0 to 100,000,000.
    pub const fn millionths(self) -> i64 {
        self.0
    }

    /// A share of so many millionths of a percent; `None` outside of 0% to 100%.
    pub const fn from_millionths(millionths: i64) -> Option<Self> {
        if 0 <= millionths && millionths <= Self::HUNDRED.0 { Some(Self(millionths)) } else { None }
    }
}

/// The canonical form: no leading zeros, no trailing zeros after the point.
impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, decimals) = (self.0 / SCALE, self.0 % SCALE);
        if decimals == 0 {
            return write!(f, "{whole}%");
        }
        let decimals = format!("{decimals:06}");
        write!(f, "{whole}.{}%", decimals.trim_end_matches('0'))
    }
}

impl FromStr for Percent {
    type Err = PercentError;

    fn from_str(text: &str) -> Result<Self, PercentError> {
        parse(text).map_err(|problem| PercentError { text: super::excerpt(text), problem })
    }
}

/// A text that is not a percentage.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{text:?} is not a percentage: {problem}; write a number from 0 to 100 with at most {MAX_DECIMALS} decimals and \
     the sign, for example \"99.9%\""
)]
pub struct PercentError {
    /// The text, cut to a bounded length.
    pub text: String,
    /// What is wrong with it.
    pub problem: PercentProblem,
}

/// What is wrong with a text that should be a percentage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PercentProblem {
    /// `99.9` may mean a share or a percentage.
    #[error("the sign % at the end is missing")]
    NoSign,
    /// Before the sign there is something else than a decimal number.
    #[error("what stands before the sign is not a plain decimal number")]
    NotANumber,
    /// No objective is that fine.
    #[error("it has more than {MAX_DECIMALS} decimals")]
    TooManyDecimals,
    /// A share cannot be larger than all of it.
    #[error("it is more than 100%")]
    TooLarge,
}

fn parse(text: &str) -> Result<Percent, PercentProblem> {
    let number = text.strip_suffix('%').ok_or(PercentProblem::NoSign)?;
    // A search by bytes, because this is read for every product that is judged.
    let point = number.bytes().position(|byte| byte == b'.');
    let (whole, decimals) =
        point.map_or((number, None), |point| (&number[..point], Some(&number[point + 1..])));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
    if !is_digits(whole) || decimals.is_some_and(|decimals| !is_digits(decimals)) {
        return Err(PercentProblem::NotANumber);
    }
    let decimals = decimals.unwrap_or_default();
    if decimals.len() > MAX_DECIMALS {
        return Err(PercentProblem::TooManyDecimals);
    }
    // Three digits are enough for everything up to 100%, and too few for an overflow.
    if whole.len() > 3 || (whole.len() == 3 && whole != "100") {
        return Err(PercentProblem::TooLarge);
    }
    // The decimals are filled up with zeros to millionths.
    let digits =
        whole.bytes().chain(decimals.bytes()).chain(std::iter::repeat_n(b'0', MAX_DECIMALS - decimals.len()));
    let millionths = digits.fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
    Percent::from_millionths(millionths).ok_or(PercentProblem::TooLarge)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_percentage_is_exact_and_prints_in_its_shortest_form() {
        let cases = [
            ("0%", 0, "0%"),
            ("99%", 99_000_000, "99%"),
            ("98.99%", 98_990_000, "98.99%"),
            ("99.900000%", 99_900_000, "99.9%"),
            ("05.000001%", 5_000_001, "5.000001%"),
            ("100.0%", 100_000_000, "100%"),
        ];
        for (text, millionths, canonical) in cases {
            let percent: Percent = text.parse().expect(text);
            assert_eq!(
                (percent.millionths(), percent.to_string().as_str()),
                (millionths, canonical),
                "{text}"
            );
        }
    }

    #[test]
    fn a_refusal_says_what_is_wrong() {
        let cases = [
            ("", PercentProblem::NoSign),
            ("99.9", PercentProblem::NoSign),
            ("99.9% ", PercentProblem::NoSign),
            ("%", PercentProblem::NotANumber),
            ("99.9%%", PercentProblem::NotANumber),
            ("99 %", PercentProblem::NotANumber),
            ("-1%", PercentProblem::NotANumber),
            ("1e1%", PercentProblem::NotANumber),
            ("99.%", PercentProblem::NotANumber),
            (".5%", PercentProblem::NotANumber),
            ("99.9.9%", PercentProblem::NotANumber),
            ("٩٩%", PercentProblem::NotANumber),
            ("99.1234567%", PercentProblem::TooManyDecimals),
            ("100.000001%", PercentProblem::TooLarge),
            ("101%", PercentProblem::TooLarge),
            ("000%", PercentProblem::TooLarge),
            ("99999999999999999999999999%", PercentProblem::TooLarge),
        ];
        for (text, expected) in cases {
            let error = text.parse::<Percent>().expect_err(text);
            assert_eq!(error.problem, expected, "{text}");
            assert!(error.to_string().contains("for example \"99.9%\""), "{error}");
        }
    }

    #[test]
    fn only_shares_of_a_whole_exist() {
        assert_eq!(Percent::from_millionths(-1), None);
        assert_eq!(Percent::from_millionths(100_000_001), None);
        assert_eq!(Percent::from_millionths(100_000_000), Some(Percent::HUNDRED));
    }

    proptest! {
        #[test]
        fn no_text_panics_and_no_error_is_long(text in ".*%?") {
            if let Err(error) = text.parse::<Percent>() {
                prop_assert!(error.to_string().len() < 1024);
            }
        }

        #[test]
        fn every_share_survives_printing_and_keeps_its_order(a in 0..=100_000_000_i64, b in 0..=100_000_000_i64) {
            let of = |millionths| Percent::from_millionths(millionths).expect("within bounds");
            prop_assert_eq!(of(a).to_string().parse::<Percent>()?, of(a));
            prop_assert_eq!(of(a).cmp(&of(b)), a.cmp(&b));
        }

        #[test]
        fn all_that_the_pattern_allows_is_read(text in PATTERN.trim_start_matches('^').trim_end_matches('$')) {
            let percent: Percent = text.parse()?;
            prop_assert_eq!(percent.to_string().parse::<Percent>()?, percent);
        }
    }
}
