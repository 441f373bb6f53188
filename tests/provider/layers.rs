//! The layers: what is tried again and how often, what ends, what waits, what is counted. Time is turned by hand.

use std::{sync::Arc, time::Duration};

use dataproduct_operator::provider::conformance::World;
use dataproduct_operator::{
    api::RateLimit,
    model::resource::{Key, Kind, Sought},
    provider::{
        ErrorKind, Operation, Provider, SharedProvider,
        layers::{
            ATTEMPT,
            breaker::{Breaker, FAILURES, FIRST_REST},
            deadline::Deadline,
            fault::{Fault, FaultPlan, Faulty},
            limit::Limit,
            retry::{ATTEMPTS, Retry},
            standard,
            trace::{Counters, Trace},
        },
    },
};

use crate::world::{LocalWorld, sought};

fn key() -> Key {
    Key::new(Kind::CatalogDatabase, "a_database")
}

fn faulty(plan: &Arc<FaultPlan>) -> (LocalWorld, SharedProvider) {
    let world = LocalWorld::raw();
    let provider = Arc::new(Faulty::new(world.provider(), Arc::clone(plan)));
    (world, provider)
}

#[tokio::test(start_paused = true)]
async fn a_silent_provider_is_a_timeout() {
    let (_world, silent) = faulty(&FaultPlan::at(1, Fault::CrashBefore));
    let error =
        Deadline::new(silent, Duration::from_secs(5)).observe(&sought(&key())).await.expect_err("silence");
    assert_eq!((error.kind, error.operation), (ErrorKind::Timeout, Operation::Observe));
    assert_eq!(error.key, Some(key()), "the error names the resource");
}

#[tokio::test]
async fn a_transient_failure_is_tried_again_and_others_are_not() {
    for (kind, calls, succeeds) in [
        (ErrorKind::Throttled, 2, true),
        (ErrorKind::Unavailable, 2, true),
        (ErrorKind::Timeout, 2, true),
        (ErrorKind::Denied, 1, false),
        (ErrorKind::Conflict, 1, false),
        (ErrorKind::Invalid, 1, false),
        (ErrorKind::Quota, 1, false),
    ] {
        let plan = FaultPlan::at(1, Fault::Refused(kind));
        let (_world, provider) = faulty(&plan);
        let answer = Retry::new(provider).observe(&sought(&key())).await;
        assert_eq!((plan.calls(), answer.is_ok()), (calls, succeeds), "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_stays_silent_is_given_up_after_a_bounded_number_of_attempts() {
    struct Down;
    #[async_trait::async_trait]
    impl Provider for Down {
        fn capabilities(&self) -> dataproduct_operator::provider::Capabilities {
            Kind::ALL.into()
        }
        async fn observe(
            &self,
            _: &Sought,
        ) -> Result<
            Option<dataproduct_operator::model::resource::Observed>,
            dataproduct_operator::provider::ProviderError,
        > {
            std::future::pending().await
        }
        async fn create(
            &self,
            _: &dataproduct_operator::model::resource::Desired,
        ) -> Result<(), dataproduct_operator::provider::ProviderError> {
            std::future::pending().await
        }
        async fn update(
            &self,
            _: &dataproduct_operator::model::resource::Desired,
            _: &dataproduct_operator::model::resource::Delta,
        ) -> Result<(), dataproduct_operator::provider::ProviderError> {
            std::future::pending().await
        }
        async fn delete(
            &self,
            _: &dataproduct_operator::model::resource::Removal,
        ) -> Result<dataproduct_operator::provider::Removed, dataproduct_operator::provider::ProviderError>
        {
            std::future::pending().await
        }
        async fn measure(
            &self,
            _: &dataproduct_operator::model::measurement::Subject,
        ) -> Result<
            Vec<dataproduct_operator::model::measurement::Reading>,
            dataproduct_operator::provider::ProviderError,
        > {
            std::future::pending().await
        }
    }
    let plan = FaultPlan::none();
    let counted: SharedProvider = Arc::new(Faulty::new(Arc::new(Down), Arc::clone(&plan)));
    let counters = Arc::new(Counters::default());
    let rate = RateLimit { requests_per_second: 100, burst: None };
    let answer = standard(counted, rate, ATTEMPT, Arc::clone(&counters)).observe(&sought(&key())).await;
    assert_eq!(answer.map_err(|error| error.kind), Err(ErrorKind::Timeout));
    assert_eq!(plan.calls(), u64::from(ATTEMPTS));
    let series = (Operation::Observe, Kind::CatalogDatabase, "Timeout");
    assert_eq!(counters.snapshot(), [(series, 1)].into(), "one call, however many attempts");
}

#[tokio::test]
async fn every_call_is_counted_with_its_outcome() {
    let (_world, provider) = faulty(&FaultPlan::at(2, Fault::Refused(ErrorKind::Denied)));
    let counters = Arc::new(Counters::default());
    let traced = Trace::new(provider, Arc::clone(&counters));
    for _ in 0..3 {
        let _ = traced.observe(&sought(&key())).await;
    }
    let series = |outcome| (Operation::Observe, Kind::CatalogDatabase, outcome);
    assert_eq!(counters.snapshot(), [(series("ok"), 2), (series("Denied"), 1)].into());
}

#[tokio::test]
async fn a_call_that_waits_for_its_turn_is_counted() {
    let (_world, provider) = faulty(&FaultPlan::none());
    let counters = Arc::new(Counters::default());
    let limited =
        Limit::new(provider, RateLimit { requests_per_second: 1, burst: Some(1) }, Arc::clone(&counters));
    limited.observe(&sought(&key())).await.expect("observed");
    assert!(counters.limited().is_empty(), "the first call has its turn at once");
    let waiting = tokio::time::timeout(Duration::from_millis(1), limited.observe(&sought(&key()))).await;
    assert!(waiting.is_err(), "the second has none yet");
    assert_eq!(counters.limited(), [((Operation::Observe, Kind::CatalogDatabase), 1)].into());
}

#[tokio::test]
async fn a_burst_passes_at_once_and_nothing_is_lost() {
    let plan = FaultPlan::none();
    let (_world, provider) = faulty(&plan);
    let counters = Arc::new(Counters::default());
    let rate = RateLimit { requests_per_second: 1000, burst: Some(5) };
    let limited = Limit::new(provider, rate, Arc::clone(&counters));
    for _ in 0..20 {
        limited.observe(&sought(&key())).await.expect("observed");
    }
    assert_eq!(plan.calls(), 20);
    let waited = counters.limited().get(&(Operation::Observe, Kind::CatalogDatabase)).copied();
    assert!(waited.is_none_or(|waited| waited <= 15), "the burst did not wait: {waited:?}");
}

#[tokio::test]
async fn a_lost_answer_is_a_call_that_took_effect() {
    let world = LocalWorld::raw();
    let plan = FaultPlan::at(1, Fault::AnswerLost);
    let faulty = Faulty::new(world.provider(), plan);
    let desired = crate::killed::desired_bucket("lost");
    assert_eq!(faulty.create(&desired).await.map_err(|error| error.kind), Err(ErrorKind::Timeout));
    assert!(world.provider().observe(&sought(&desired.key)).await.expect("observed").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_fails_in_a_row_is_left_alone_for_a_while() {
    let plan = FaultPlan::until(u64::from(FAILURES) + 1, Fault::Refused(ErrorKind::Unavailable));
    let (_world, provider) = faulty(&plan);
    let breaker = Breaker::new(provider);
    for _ in 0..FAILURES {
        breaker.observe(&sought(&key())).await.expect_err("down");
    }
    let error = breaker.observe(&sought(&key())).await.expect_err("open");
    assert_eq!((error.kind, error.changed_nothing), (ErrorKind::Unavailable, true), "{error}");
    assert_eq!(plan.calls(), u64::from(FAILURES), "no call was made");

    tokio::time::advance(FIRST_REST).await;
    breaker.observe(&sought(&key())).await.expect_err("the probe fails");
    tokio::time::advance(FIRST_REST).await;
    breaker.observe(&sought(&key())).await.expect_err("the rest has doubled");
    assert_eq!(plan.calls(), u64::from(FAILURES) + 1, "one probe");
    tokio::time::advance(FIRST_REST).await;
    breaker.observe(&sought(&key())).await.expect("the provider is back");
    breaker.observe(&sought(&key())).await.expect("closed");
}
