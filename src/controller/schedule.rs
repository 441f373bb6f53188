//! When a product is visited next: pure, spread over time, and with full jitter after failures.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use jiff::Timestamp;

/// Time between two visits to a product that nobody changed, when its class does not say.
pub const RESYNC: Duration = Duration::from_mins(10);
/// Longest pause after the first failure.
const FIRST: Duration = Duration::from_secs(1);
/// Longest pause after any failure.
const LONGEST: Duration = Duration::from_mins(10);
/// Pause while the provider is at work.
const IN_PROGRESS: Duration = Duration::from_secs(5);

/// How a visit ended, as far as the next one depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Nothing is left to be done.
    Settled,
    /// Only people can change something; we look again at every resync.
    Stalled,
    /// The provider is still at work.
    InProgress,
    /// Something failed that may succeed later; the number of failures in a row.
    Failed(u32),
}

/// The pause until the next visit. `chance` is between 0 and 1.
pub fn pause(
    ending: Ending,
    resync: Duration,
    flip: Option<Timestamp>,
    now: Timestamp,
    uid: &str,
    chance: f64,
) -> Duration {
    match ending {
        Ending::Settled | Ending::Stalled => {
            let regular = spread(resync, uid);
            // One second later, so that the verdict has really flipped when we look.
            let due = flip.map(|at| u64::try_from(at.duration_since(now).as_secs()).unwrap_or(0) + 1);
            due.map_or(regular, |seconds| regular.min(Duration::from_secs(seconds)))
        }
        Ending::InProgress => IN_PROGRESS,
        Ending::Failed(attempts) => backoff(attempts, chance),
    }
}

/// Full jitter between nothing and a bound that doubles with every failure.
fn backoff(attempts: u32, chance: f64) -> Duration {
    let doublings = attempts.saturating_sub(1).min(16);
    let bound = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    // Not shorter than a tenth of the bound, so that chance never makes a busy loop.
    bound.mul_f64(chance.clamp(0.1, 1.0))
}

/// Between nine and eleven tenths of the interval, always the same for one product, so that visits spread.
fn spread(interval: Duration, uid: &str) -> Duration {
    let mut hasher = DefaultHasher::new();
    uid.hash(&mut hasher);
    let thousandth = u32::try_from(hasher.finish() % 200).unwrap_or_default();
    interval * (900 + thousandth) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_after_failures_doubles_and_is_bounded() {
        let now = Timestamp::UNIX_EPOCH;
        let after = |attempts| pause(Ending::Failed(attempts), RESYNC, None, now, "u", 1.0);
        assert_eq!(after(1), Duration::from_secs(1));
        assert_eq!(after(2), Duration::from_secs(2));
        assert_eq!(after(5), Duration::from_secs(16));
        assert_eq!(after(40), LONGEST);
        let lucky = |chance| pause(Ending::Failed(3), RESYNC, None, now, "u", chance);
        assert!(lucky(0.0) > Duration::ZERO, "chance makes no busy loop");
        assert!(lucky(0.0) < lucky(0.5) && lucky(0.5) < lucky(1.0), "chance spreads");
    }

    #[test]
    fn visits_to_settled_products_spread_around_the_interval_and_stay_the_same() {
        let now = Timestamp::UNIX_EPOCH;
        let visit = |uid: &str| pause(Ending::Settled, Duration::from_secs(1000), None, now, uid, 0.5);
        assert_eq!(visit("a"), visit("a"));
        for uid in ["a", "b", "c", "d"] {
            assert!((900..=1100).contains(&visit(uid).as_secs()), "{uid}");
        }
    }

    #[test]
    fn a_verdict_that_flips_soon_is_looked_at_when_it_has_flipped() {
        let now = Timestamp::UNIX_EPOCH;
        let flip = Timestamp::from_second(30).ok();
        assert_eq!(pause(Ending::Settled, RESYNC, flip, now, "u", 0.5), Duration::from_secs(31));
    }
}
