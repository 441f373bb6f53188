//! Whether the operator is alive: its event loop turns, and no visit is stuck.
//!
//! A process that is not is ended by the kubelet, and started anew. A provider that does not answer, or an API server that is
//! away, are no reasons: another process would fare no better.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::context::RECONCILE;

/// Pause between two signs of life.
const BEAT: Duration = Duration::from_secs(5);
/// Longest time without a sign of life.
const SILENCE: Duration = Duration::from_mins(2);
/// Longest time of a visit: it is ended after [`RECONCILE`], and writes a status then.
const LONGEST: Duration = Duration::from_secs(RECONCILE.as_secs() * 2);

/// Signs of life.
#[derive(Debug)]
pub struct Pulse(Mutex<Signs>);

#[derive(Debug)]
struct Signs {
    beat: Instant,
    /// When each visit under way began.
    visits: BTreeMap<u64, Instant>,
    begun: u64,
}

impl Default for Pulse {
    fn default() -> Self {
        Self(Mutex::new(Signs { beat: Instant::now(), visits: BTreeMap::new(), begun: 0 }))
    }
}

/// A visit under way. Dropping it ends it.
#[derive(Debug)]
pub struct UnderWay<'a> {
    pulse: &'a Pulse,
    number: u64,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.pulse.signs(|signs| signs.visits.remove(&self.number));
    }
}

impl Pulse {
    fn signs<T>(&self, look: impl FnOnce(&mut Signs) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Gives signs of life for as long as it is polled: beside the visits, by the task that does them.
    pub async fn beat(&self) {
        loop {
            self.signs(|signs| signs.beat = Instant::now());
            sleep(BEAT).await;
        }
    }

    /// Takes note of a visit until it is dropped.
    pub fn visit(&self) -> UnderWay<'_> {
        let number = self.signs(|signs| {
            signs.begun += 1;
            signs.visits.insert(signs.begun, Instant::now());
            signs.begun
        });
        UnderWay { pulse: self, number }
    }

    /// How long each visit under way has been so.
    pub fn under_way(&self) -> Vec<Duration> {
        self.signs(|signs| signs.visits.values().map(Instant::elapsed).collect())
    }

    /// That it is alive, or what is wrong.
    pub fn health(&self) -> Result<(), String> {
        self.signs(|signs| {
            let silent = signs.beat.elapsed();
            if silent > SILENCE {
                return Err(format!("the task that visits products stands still for {} s", silent.as_secs()));
            }
            let longest = signs.visits.values().map(Instant::elapsed).max().unwrap_or_default();
            if longest > LONGEST {
                return Err(format!(
                    "a visit is under way for {} s, and should have ended after {} s",
                    longest.as_secs(),
                    RECONCILE.as_secs()
                ));
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_turns_and_visits_that_end_are_well() {
        let pulse = Pulse::default();
        tokio::select! {
            () = pulse.beat() => {}
            () = sleep(Duration::from_mins(10)) => {}
        }
        for _ in 0..3 {
            let _visit = pulse.visit();
            advance(RECONCILE / 4).await;
        }
        assert_eq!(pulse.health(), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_stands_still_and_a_visit_without_end_are_told() {
        let pulse = Pulse::default();
        advance(SILENCE + Duration::from_secs(1)).await;
        assert_eq!(pulse.health(), Err("the task that visits products stands still for 121 s".to_owned()));

        let pulse = Pulse::default();
        let visit = pulse.visit();
        tokio::select! {
            () = pulse.beat() => {}
            () = sleep(LONGEST + Duration::from_secs(1)) => {}
        }
        let told = "a visit is under way for 241 s, and should have ended after 120 s".to_owned();
        assert_eq!(pulse.health(), Err(told));
        drop(visit);
        assert_eq!(pulse.health(), Ok(()));
    }
}
