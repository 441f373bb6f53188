//! From objectives and measurements to verdicts. What is not measured is Unknown with a reason, never a pass.

use jiff::{SignedDuration, Timestamp};

use crate::{
    api::{DataProduct, product::SloTarget, status::SloState},
    model::{
        duration::Period,
        measurement::{Objective, Reading, Value},
        percent::Percent,
    },
    plan::assess::Fault,
};

/// How far the clock of whoever writes data may be ahead of ours.
const SKEW: SignedDuration = SignedDuration::from_mins(5);
/// Smallest change of a share that is worth a status write, unless the verdict flips: a tenth of a percent.
const SHARE_STEP: Percent = Percent::TENTH;

/// The verdict on one objective.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Which objective.
    pub objective: Objective,
    /// The target as the spec writes it.
    pub target: String,
    /// The target in its unit.
    pub target_value: Option<String>,
    /// The window as the spec writes it.
    pub window: Option<String>,
    /// How it is.
    pub state: SloState,
    /// Why, for people. Does not change with time alone.
    pub message: String,
    /// The measured value, where there is any.
    pub measured: Option<Measured>,
    /// Where the measurement comes from.
    pub source: Option<String>,
    /// When the verdict changes if nothing else does.
    pub flips_at: Option<Timestamp>,
}

/// A measured value, with the smallest change of it that is worth a status write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measured {
    /// Instant of the newest data.
    Newest(Timestamp, SignedDuration),
    /// A share.
    Share(Percent, Percent),
}

impl Measured {
    /// The value as the status shows it: what it shows already, unless that is a whole step away.
    pub fn shown(self, before: Option<&str>) -> String {
        match self {
            Self::Newest(at, step) => {
                let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
                let before = before.and_then(|before| before.parse::<Timestamp>().ok());
                before.filter(|before| at.duration_since(*before).abs() < step).unwrap_or(at).to_string()
            }
            Self::Share(share, step) => {
                let before = before.and_then(|before| before.parse::<Percent>().ok());
                let near =
                    |before: &Percent| (share.millionths() - before.millionths()).abs() < step.millionths();
                before.filter(near).unwrap_or(share).to_string()
            }
        }
    }
}

/// Judges every objective of a product at an instant.
pub fn judge(product: &DataProduct, readings: &Result<Vec<Reading>, Fault>, now: Timestamp) -> Vec<Verdict> {
    objectives(product).map(|(objective, target)| verdict(objective, target, readings, now)).collect()
}

/// The objectives that a product promises, with their targets.
pub fn objectives(product: &DataProduct) -> impl Iterator<Item = (Objective, &SloTarget)> {
    let slo = product.spec.slo.iter();
    let targets = slo.flat_map(|slo| [&slo.freshness, &slo.availability, &slo.completeness, &slo.accuracy]);
    Objective::ALL
        .into_iter()
        .zip(targets)
        .filter_map(|(objective, target)| Some((objective, target.as_ref()?)))
}

/// The worst of the measured objectives; Unknown when none is measured.
pub fn worst(verdicts: &[Verdict]) -> SloState {
    let measured = verdicts.iter().map(|verdict| verdict.state).filter(|state| *state != SloState::Unknown);
    measured.max().unwrap_or(SloState::Unknown)
}

/// The first instant after `now` at which a verdict changes by time alone.
pub fn next_flip(verdicts: &[Verdict], now: Timestamp) -> Option<Timestamp> {
    verdicts.iter().filter_map(|verdict| verdict.flips_at).filter(|at| *at > now).min()
}

fn verdict(
    objective: Objective,
    target: &SloTarget,
    readings: &Result<Vec<Reading>, Fault>,
    now: Timestamp,
) -> Verdict {
    let unknown = Verdict {
        objective,
        target: target.target.clone(),
        target_value: None,
        window: target.window.clone(),
        state: SloState::Unknown,
        message: format!("nothing measures the {} of this product", objective.as_str()),
        measured: None,
        source: None,
        flips_at: None,
    };
    let unreadable =
        |error: String| Verdict { message: format!("the target cannot be read: {error}"), ..unknown.clone() };
    let reading = match readings {
        Err(fault) => Err(format!("could not be measured: {}", fault.message)),
        Ok(readings) => Ok(readings.iter().find(|reading| reading.objective == objective)),
    };
    if objective == Objective::Freshness {
        let span: Period = match target.target.parse() {
            Ok(span) => span,
            Err(error) => return unreadable(format!("{error}")),
        };
        let unknown = Verdict { target_value: Some(format!("{} s", span.seconds())), ..unknown };
        return match reading {
            Err(message) => Verdict { message, ..unknown },
            Ok(None) => Verdict { message: "nothing has been measured yet".to_owned(), ..unknown },
            Ok(Some(reading)) => freshness(reading, span, now, unknown),
        };
    }
    let least: Percent = match target.target.parse() {
        Ok(least) => least,
        Err(error) => return unreadable(format!("{error}")),
    };
    let unknown = Verdict { target_value: Some(least.to_string()), ..unknown };
    match reading {
        Err(message) => Verdict { message, ..unknown },
        Ok(None) => unknown,
        Ok(Some(reading)) => share(reading, least, unknown),
    }
}

/// Judges a share against the least that is promised.
fn share(reading: &Reading, least: Percent, base: Verdict) -> Verdict {
    let Value::Share(share) = reading.value else {
        return Verdict { message: "what was measured is no share".to_owned(), ..base };
    };
    let (state, message) = if share >= least {
        (SloState::Met, "the measured share is at least the target")
    } else if reading.complete {
        (SloState::Breached, "the measured share is below the target")
    } else {
        (SloState::Unknown, "not everything could be looked at, and what was seen is below the target")
    };
    Verdict {
        state,
        message: message.to_owned(),
        measured: Some(Measured::Share(share, SHARE_STEP)),
        source: Some(reading.source.clone()),
        ..base
    }
}

fn freshness(reading: &Reading, target: Period, now: Timestamp, base: Verdict) -> Verdict {
    let (since, empty) = match reading.value {
        Value::NewestData(at) => (at, false),
        Value::NoDataSince(at) => (at, true),
        Value::Share(_) => return Verdict { message: "what was measured is no age".to_owned(), ..base },
    };
    let newest = Measured::Newest(since, SignedDuration::from_secs(target.seconds()));
    let base = Verdict { source: Some(reading.source.clone()), ..base };
    if since.duration_since(now) > SKEW {
        // It would count as fresh until long after the last data has arrived.
        let message =
            "the newest data is dated in the future; correct the clock, or the dates, of whoever writes it";
        return Verdict {
            message: message.to_owned(),
            measured: Some(newest),
            flips_at: Some(since),
            ..base
        };
    }
    // An instant beyond the calendar never comes, so nothing flips then.
    let due = since.checked_add(SignedDuration::from_secs(target.seconds())).ok();
    let late = due.is_some_and(|due| now > due);
    let (state, message) = match (late, empty) {
        (false, false) => (SloState::Met, "the newest data is within the target"),
        (true, _) if !reading.complete => {
            (SloState::Unknown, "the data is more than can be looked at, and what was seen of it is too old")
        }
        (false, true) => (SloState::Unknown, "no data has arrived yet"),
        (true, false) => (SloState::Breached, "the newest data is older than the target"),
        (true, true) => (SloState::Breached, "no data has arrived within the target"),
    };
    Verdict {
        state,
        message: message.to_owned(),
        measured: (!empty).then_some(newest),
        flips_at: if late { None } else { due },
        ..base
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{api::product::Slo, provider::ErrorKind};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("an instant")
    }

    fn product(freshness: &str) -> DataProduct {
        let objective = |target: &str| Some(SloTarget { target: target.to_owned(), ..SloTarget::default() });
        let mut product = DataProduct::default();
        product.spec.slo =
            Some(Slo { freshness: objective(freshness), accuracy: objective("99%"), ..Slo::default() });
        product
    }

    fn read(value: Value, complete: bool) -> Reading {
        Reading { objective: Objective::Freshness, value, complete, source: "a test".to_owned() }
    }

    #[expect(clippy::unnecessary_wraps, reason = "a measurement may fail")]
    fn reading(value: Value) -> Result<Vec<Reading>, Fault> {
        Ok(vec![read(value, true)])
    }

    #[test]
    fn freshness_is_judged_against_its_target_and_flips_when_it_is_due() {
        let cases = [
            ("just arrived", Value::NewestData(at(10_000)), 10_000, SloState::Met, Some(at(13_600))),
            ("exactly due", Value::NewestData(at(10_000)), 13_600, SloState::Met, Some(at(13_600))),
            ("one second late", Value::NewestData(at(10_000)), 13_601, SloState::Breached, None),
            ("nothing yet", Value::NoDataSince(at(10_000)), 12_000, SloState::Unknown, Some(at(13_600))),
            ("nothing for too long", Value::NoDataSince(at(10_000)), 20_000, SloState::Breached, None),
            ("a clock ahead", Value::NewestData(at(10_300)), 10_000, SloState::Met, Some(at(13_900))),
            ("from the future", Value::NewestData(at(10_301)), 10_000, SloState::Unknown, Some(at(10_301))),
        ];
        for (case, value, now, state, flips_at) in cases {
            let verdicts = judge(&product("1 hour"), &reading(value), at(now));
            assert_eq!((verdicts[0].state, verdicts[0].flips_at), (state, flips_at), "{case}");
        }
    }

    #[test]
    fn an_incomplete_look_proves_freshness_and_never_lateness() {
        let judged = |now| {
            let readings = Ok(vec![read(Value::NewestData(at(10_000)), false)]);
            judge(&product("1 hour"), &readings, at(now))[0].state
        };
        assert_eq!((judged(13_600), judged(13_601)), (SloState::Met, SloState::Unknown));
    }

    #[test]
    fn what_is_not_measured_is_unknown_and_says_why() {
        let down = Err(Fault::new(ErrorKind::Timeout, "no answer"));
        let freshness = &judge(&product("1 hour"), &down, at(0))[0];
        assert_eq!(freshness.state, SloState::Unknown);
        assert!(freshness.message.contains("no answer"), "{}", freshness.message);
        let verdicts = judge(&product("1h30m"), &reading(Value::NewestData(at(0))), at(0));
        assert!(
            verdicts.iter().all(|verdict| verdict.state == SloState::Unknown && !verdict.message.is_empty())
        );
        assert_eq!(worst(&verdicts), SloState::Unknown);
        assert!(judge(&DataProduct::default(), &Ok(Vec::new()), at(0)).is_empty());
    }

    #[test]
    fn a_share_is_judged_against_the_least_that_is_promised() {
        let judged = |millionths, complete| {
            let share = Percent::from_millionths(millionths).expect("a share");
            let reading = Reading {
                objective: Objective::Accuracy,
                value: Value::Share(share),
                complete,
                source: "a test".to_owned(),
            };
            let verdicts = judge(&product("1 hour"), &Ok(vec![reading]), at(0));
            verdicts[1].state
        };
        assert_eq!(judged(99_000_000, true), SloState::Met, "exactly the target");
        assert_eq!(judged(98_999_999, true), SloState::Breached);
        assert_eq!(judged(98_999_999, false), SloState::Unknown, "an incomplete look proves no breach");
    }

    #[test]
    fn a_measured_value_is_shown_anew_when_it_has_moved_by_a_step() {
        let share = |text: &str| Measured::Share(text.parse().expect("a share"), SHARE_STEP);
        assert_eq!(share("99.95%").shown(None), "99.95%");
        assert_eq!(share("99.95%").shown(Some("99.9%")), "99.9%");
        assert_eq!(share("99.95%").shown(Some("99.85%")), "99.95%");
        assert_eq!(share("99.95%").shown(Some("garbled")), "99.95%");
        let newest = |seconds| Measured::Newest(at(seconds), SignedDuration::from_secs(60));
        assert_eq!(newest(100).shown(Some("1970-01-01T00:00:50Z")), "1970-01-01T00:00:50Z");
        assert_eq!(newest(110).shown(Some("1970-01-01T00:00:50Z")), "1970-01-01T00:01:50Z");
    }

    #[test]
    fn the_worst_measured_objective_counts_and_silence_does_not_hide_it() {
        let met = judge(&product("1 hour"), &reading(Value::NewestData(at(0))), at(60));
        assert_eq!(worst(&met), SloState::Met, "accuracy is not measured and not counted");
        let breached = judge(&product("1 hour"), &reading(Value::NewestData(at(0))), at(9_999));
        assert_eq!(worst(&breached), SloState::Breached);
        assert_eq!(next_flip(&met, at(60)), Some(at(3_600)));
        assert_eq!(next_flip(&breached, at(9_999)), None);
    }
}
