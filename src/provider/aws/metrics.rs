//! Service levels from CloudWatch: the metrics that whoever runs the pipelines publishes for a product.
//!
//! | objective | metric in `DataMesh/<domain>`, dimension `DataProduct` | unit | of a window counts |
//! |---|---|---|---|
//! | freshness | `DataFreshnessMinutes` | age of the newest data in minutes | the newest value |
//! | availability | `DataAvailabilityPercent` | 0 to 100 | the average |
//! | completeness | `DataCompletenessPercent` | 0 to 100 | the average |
//! | accuracy | `DataAccuracyPercent` | 0 to 100 | the average |
//!
//! Silence is never a pass: a freshness without any value counts as no data since the alarm on it was made.

use aws_sdk_cloudwatch::{
    primitives::DateTime,
    types::{Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy},
};
use jiff::{SignedDuration, Timestamp};

use super::{Aws, Call, Failure, alarm::DIMENSION, key::garbled};
use crate::model::{
    measurement::{Objective, Reading, Subject, Value},
    percent::Percent,
};

/// How far back values are looked for.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(24);
/// How far a publisher's clock may be ahead.
const SKEW: SignedDuration = SignedDuration::from_mins(5);
/// Number of pages that are read of one request.
const MAX_PAGES: usize = 50;
/// Length of one period in seconds, as in the alarm.
const PERIOD: i32 = 300;

/// The metric of an objective.
pub(super) const fn metric(objective: Objective) -> &'static str {
    match objective {
        Objective::Freshness => "DataFreshnessMinutes",
        Objective::Availability => "DataAvailabilityPercent",
        Objective::Completeness => "DataCompletenessPercent",
        Objective::Accuracy => "DataAccuracyPercent",
    }
}

/// The statistic of an objective over one period.
const fn statistic(objective: Objective) -> &'static str {
    match objective {
        Objective::Freshness => "Maximum",
        Objective::Availability | Objective::Completeness | Objective::Accuracy => "Average",
    }
}

fn namespace(domain: &str) -> String {
    format!("DataMesh/{domain}")
}

fn query(subject: &Subject, objective: Objective) -> MetricDataQuery {
    let dimension = Dimension::builder().name(DIMENSION).value(&subject.product).build();
    let metric = Metric::builder()
        .namespace(namespace(&subject.domain))
        .metric_name(metric(objective))
        .dimensions(dimension)
        .build();
    let stat = MetricStat::builder().metric(metric).period(PERIOD).stat(statistic(objective)).build();
    MetricDataQuery::builder().id(objective.as_str()).metric_stat(stat).return_data(true).build()
}

/// The values of one objective, the newest first.
fn values(objective: Objective, results: &[MetricDataResult]) -> Vec<(Timestamp, f64)> {
    let own = results.iter().filter(|result| result.id() == Some(objective.as_str()));
    let mut values = own
        .flat_map(|result| result.timestamps().iter().zip(result.values()))
        .filter_map(|(at, value)| Some((Timestamp::from_second(at.secs()).ok()?, *value)))
        .filter(|(_, value)| value.is_finite() && *value >= 0.0)
        .collect::<Vec<_>>();
    values.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    values
}

/// What the values of an objective say. `silent_since` is what counts where there is none.
fn reading(
    subject: &Subject,
    objective: Objective,
    values: &[(Timestamp, f64)],
    silent_since: Option<Timestamp>,
) -> Option<Reading> {
    let value = match (objective, values) {
        (Objective::Freshness, [(at, age), ..]) => Value::NewestData(before(*at, *age)),
        (Objective::Freshness, []) => Value::NoDataSince(silent_since?),
        (_, []) => return None,
        (_, values) => Value::Share(average(values)?),
    };
    let source = format!("CloudWatch metric {} in {}", metric(objective), namespace(&subject.domain));
    Some(Reading { objective, value, complete: true, source })
}

/// The instant that lies some minutes before another one.
fn before(at: Timestamp, minutes: f64) -> Timestamp {
    let age = SignedDuration::try_from_secs_f64(minutes * 60.0).ok();
    age.and_then(|age| at.checked_sub(age).ok()).unwrap_or(Timestamp::MIN)
}

/// The average of some values as a share; `None` where it is no share.
fn average(values: &[(Timestamp, f64)]) -> Option<Percent> {
    #[expect(clippy::cast_precision_loss, reason = "a day has few values")]
    let mean = values.iter().map(|(_, value)| value).sum::<f64>() / values.len() as f64;
    #[expect(clippy::cast_possible_truncation, reason = "shares of more than a hundred are refused below")]
    let millionths = (mean * 1_000_000.0).round() as i64;
    Percent::from_millionths(millionths)
}

impl Aws {
    pub(super) async fn measured(&self, subject: &Subject) -> Result<Vec<Reading>, Failure> {
        let now = Timestamp::now();
        let from = now.checked_sub(LOOK_BACK).map_err(|_| garbled())?;
        // Whoever publishes may have a clock that is ahead of ours.
        let to = now.checked_add(SKEW).map_err(|_| garbled())?;
        let queries = subject.objectives.iter().map(|objective| query(subject, *objective)).collect();
        let results = self.metric_data(queries, from, to).await?;
        let freshness = values(Objective::Freshness, &results);
        let silent = freshness.is_empty() && subject.objectives.contains(&Objective::Freshness);
        let since = if silent { self.alarm_since(&subject.alarm.name).await? } else { None };
        let readings = subject
            .objectives
            .iter()
            .filter_map(|objective| reading(subject, *objective, &values(*objective, &results), since));
        Ok(readings.collect())
    }

    /// Since when an alarm is as it is; `None` while it does not exist.
    async fn alarm_since(&self, name: &str) -> Result<Option<Timestamp>, Failure> {
        let alarm = self.alarm(name).await?;
        let since = alarm.and_then(|alarm| alarm.alarm_configuration_updated_timestamp);
        Ok(since.and_then(|at| Timestamp::from_second(at.secs()).ok()))
    }

    async fn metric_data(
        &self,
        queries: Vec<MetricDataQuery>,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<MetricDataResult>, Failure> {
        let mut results = Vec::new();
        let mut token = None;
        for _ in 0..MAX_PAGES {
            let request = self
                .clients
                .cloudwatch
                .get_metric_data()
                .set_metric_data_queries(Some(queries.clone()))
                .start_time(DateTime::from_secs(from.as_second()))
                .end_time(DateTime::from_secs(to.as_second()))
                .scan_by(ScanBy::TimestampDescending)
                .set_next_token(token);
            let page = self.call(Call::GetMetricData, request.send()).await?;
            results.extend(page.metric_data_results.unwrap_or_default());
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(results);
            }
        }
        Err(garbled())
    }
}
