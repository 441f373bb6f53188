//! Percentages as specs write them: `99.9%`, held exactly.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// A percentage from 0 to 100, in millionths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(i64);

/// A text that is not a percentage.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{text:?} is not a percentage: {problem}; write 0% to 100% with at most 6 decimals, for example '99.9%'"
)]
pub struct PercentError {
    text: String,
    problem: &'static str,
}

const DECIMALS: usize = 6;
const ONE: i64 = 1_000_000;

impl Percent {
    /// A whole percentage; more than 100 counts as 100.
    pub const fn whole(percent: u8) -> Self {
        Self(if percent > 100 { 100 * ONE } else { percent as i64 * ONE })
    }
}

impl FromStr for Percent {
    type Err = PercentError;

    fn from_str(text: &str) -> Result<Self, PercentError> {
        let fail = |problem| PercentError { text: text.chars().take(40).collect(), problem };
        let number = text.strip_suffix('%').ok_or_else(|| fail("the % sign is missing"))?;
        let (whole, decimals) = match number.split_once('.') {
            Some((_, "")) => return Err(fail("nothing follows the point")),
            Some((whole, decimals)) => (whole, decimals),
            None => (number, ""),
        };
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 3 || !digits(whole) || !digits(decimals) {
            return Err(fail("it is not a plain number"));
        }
        if decimals.len() > DECIMALS {
            return Err(fail("it has more than 6 decimals"));
        }
        let value =
            format!("{whole}{decimals:0<DECIMALS$}").parse::<i64>().map_err(|_| fail("it is unreadable"))?;
        if value > 100 * ONE { Err(fail("it is above 100%")) } else { Ok(Self(value)) }
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / ONE, self.0 % ONE);
        if rest == 0 {
            return write!(f, "{whole}%");
        }
        let decimals = format!("{rest:0DECIMALS$}");
        write!(f, "{whole}.{}%", decimals.trim_end_matches('0'))
    }
}
