//! From objectives and measurements to verdicts. What is not measured is Unknown with a reason, never a pass.

use jiff::{SignedDuration, Timestamp};

use crate::{
    api::{DataProduct, product::SloTarget, status::SloState},
    model::{
        duration::Period,
        measurement::{Objective, Reading, Value},
    },
    plan::assess::Fault,
};

/// How far the clock of whoever writes data may be ahead of ours.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

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
    /// Instant of the newest data, where there is any.
    pub measured: Option<Timestamp>,
    /// Smallest change of `measured` that is worth a status write.
    pub step: SignedDuration,
    /// Where the measurement comes from.
    pub source: Option<String>,
    /// When the verdict changes if nothing else does.
    pub flips_at: Option<Timestamp>,
}

/// Judges every objective of a product at an instant.
pub fn judge(product: &DataProduct, readings: &Result<Vec<Reading>, Fault>, now: Timestamp) -> Vec<Verdict> {
    let Some(slo) = &product.spec.slo else {
        return Vec::new();
    };
    let targets = [&slo.freshness, &slo.availability, &slo.completeness, &slo.accuracy];
    Objective::ALL
        .into_iter()
        .zip(targets)
        .filter_map(|(objective, target)| {
            target.as_ref().map(|target| verdict(objective, target, readings, now))
        })
        .collect()
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
        message: format!("no backend of this product measures {}", objective.as_str()),
        measured: None,
        step: SignedDuration::ZERO,
        source: None,
        flips_at: None,
    };
    if objective != Objective::Freshness {
        return unknown;
    }
    let span: Period = match target.target.parse() {
        Ok(span) => span,
        Err(error) => {
            return Verdict { message: format!("the target cannot be read: {error}"), ..unknown };
        }
    };
    let unknown = Verdict {
        target_value: Some(format!("{} s", span.seconds())),
        step: SignedDuration::from_secs(span.seconds()),
        ..unknown
    };
    match readings {
        Err(fault) => Verdict { message: format!("could not be measured: {}", fault.message), ..unknown },
        Ok(readings) => match readings.iter().find(|reading| reading.objective == objective) {
            None => Verdict { message: "nothing has been measured yet".to_owned(), ..unknown },
            Some(reading) => freshness(reading, span, now, unknown),
        },
    }
}

fn freshness(reading: &Reading, target: Period, now: Timestamp, base: Verdict) -> Verdict {
    let (since, empty) = match reading.value {
        Value::NewestData(at) => (at, false),
        Value::NoDataSince(at) => (at, true),
    };
    let base = Verdict { source: Some(reading.source.clone()), ..base };
    if since.duration_since(now) > SKEW {
        // It would count as fresh until long after the last data has arrived.
        let message =
            "the newest data is dated in the future; correct the clock, or the dates, of whoever writes it";
        return Verdict { message: message.to_owned(), measured: Some(since), flips_at: Some(since), ..base };
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
        measured: (!empty).then_some(since),
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
        let down = Err(Fault { kind: ErrorKind::Timeout, message: "no answer".to_owned() });
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
    fn the_worst_measured_objective_counts_and_silence_does_not_hide_it() {
        let met = judge(&product("1 hour"), &reading(Value::NewestData(at(0))), at(60));
        assert_eq!(worst(&met), SloState::Met, "accuracy is not measured and not counted");
        let breached = judge(&product("1 hour"), &reading(Value::NewestData(at(0))), at(9_999));
        assert_eq!(worst(&breached), SloState::Breached);
        assert_eq!(next_flip(&met, at(60)), Some(at(3_600)));
        assert_eq!(next_flip(&breached, at(9_999)), None);
    }
}
