//! Service levels from CloudWatch: the metrics that whoever runs the pipelines publishes for a product.
//!
//! | objective | metric in `DataMesh/<domain>`, dimension `DataProduct` | unit | what counts |
//! |---|---|---|---|
//! | freshness | `DataFreshnessMinutes` | age of the newest data in minutes | the newest value of the last three hours |
//! | availability | `DataAvailabilityPercent` | 0 to 100 | the average of the last day |
//! | completeness | `DataCompletenessPercent` | 0 to 100 | the average of the last day |
//! | accuracy | `DataAccuracyPercent` | 0 to 100 | the average of the last day |
//!
//! Silence is never a pass: a freshness without a value counts as no data since the alarm on it was made. Metrics of many
//! products are read in one call: whoever needs one reads along those that would be needed next.

use std::{collections::BTreeMap, time::Duration};

use aws_sdk_cloudwatch::{
    primitives::DateTime,
    types::{
        Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy, StateValue, StatusCode,
    },
};
use jiff::{SignedDuration, Timestamp};

use super::{Aws, Call, Failure, alarm::DIMENSION};
use crate::{
    model::{
        measurement::{Objective, Reading, Subject, Value},
        percent::Percent,
        resource::Look,
    },
    provider::ErrorKind,
};

/// How far a publisher's clock may be ahead.
const SKEW: SignedDuration = SignedDuration::from_mins(5);
/// Number of pages that are read of one request.
const MAX_PAGES: usize = 50;
/// Metrics in one call.
const METRICS: usize = 500;
/// How old a value may be that was read along with others.
const VALUE_AGE: Duration = Duration::from_mins(1);
/// After how long without a question a metric is not read along any more.
const FORGOTTEN: Duration = Duration::from_hours(2);

/// What is asked of a metric: whose it is and for which objective.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Question {
    objective: Objective,
    domain: String,
    product: String,
}

/// A value in time.
type Point = (Timestamp, f64);

/// What is known of a question.
#[derive(Debug, Clone, Default)]
struct Answer {
    asked: Duration,
    read: Option<Duration>,
    points: Vec<Point>,
}

/// What is known of every question of the last hours.
#[derive(Default)]
pub(super) struct Answers(tokio::sync::Mutex<BTreeMap<Question, Answer>>);

/// The metric of an objective.
const fn metric(objective: Objective) -> &'static str {
    match objective {
        Objective::Freshness => "DataFreshnessMinutes",
        Objective::Availability => "DataAvailabilityPercent",
        Objective::Completeness => "DataCompletenessPercent",
        Objective::Accuracy => "DataAccuracyPercent",
    }
}

/// How an objective is read: the statistic, the length of a period in seconds, and how far back.
const fn reach(objective: Objective) -> (&'static str, i32, SignedDuration) {
    match objective {
        Objective::Freshness => ("Maximum", 300, SignedDuration::from_hours(3)),
        Objective::Availability | Objective::Completeness | Objective::Accuracy => {
            ("Average", 3600, SignedDuration::from_hours(24))
        }
    }
}

fn namespace(domain: &str) -> String {
    format!("DataMesh/{domain}")
}

fn query(id: String, question: &Question) -> MetricDataQuery {
    let dimension = Dimension::builder().name(DIMENSION).value(&question.product).build();
    let metric = Metric::builder()
        .namespace(namespace(&question.domain))
        .metric_name(metric(question.objective))
        .dimensions(dimension)
        .build();
    let (statistic, period, _) = reach(question.objective);
    let stat = MetricStat::builder().metric(metric).period(period).stat(statistic).build();
    MetricDataQuery::builder().id(id).metric_stat(stat).return_data(true).build()
}

/// The questions of one call: those that must be answered now, and beside them those whose answers are the oldest.
fn chosen(answers: &BTreeMap<Question, Answer>, wanted: &[Question], now: Duration) -> Vec<Question> {
    let Some(first) = wanted.first() else { return Vec::new() };
    // One call has one beginning, so that only objectives of the same reach go together.
    let alike = |question: &Question| reach(question.objective).2 == reach(first.objective).2;
    let is_old = |answer: &Answer| answer.read.is_none_or(|read| now.saturating_sub(read) * 2 >= VALUE_AGE);
    let mut others = answers
        .iter()
        .filter(|(question, answer)| alike(question) && is_old(answer) && !wanted.contains(question))
        .map(|(question, answer)| (answer.read, question))
        .collect::<Vec<_>>();
    others.sort();
    let needed = wanted.iter().filter(|question| alike(question));
    needed.chain(others.into_iter().map(|(_, question)| question)).take(METRICS).cloned().collect()
}

/// The values of one metric. That the service could not read it is not the silence of its publisher.
fn values(result: &MetricDataResult) -> Result<Vec<Point>, Failure> {
    let kind = match result.status_code() {
        Some(StatusCode::InternalError) => Some(ErrorKind::Unavailable),
        Some(StatusCode::Forbidden) => Some(ErrorKind::Denied),
        _ => None,
    };
    if let Some(kind) = kind {
        let said =
            result.messages().iter().filter_map(|message| message.value()).collect::<Vec<_>>().join("; ");
        return Err(Failure::new(kind, format!("GetMetricData: a metric could not be read: {said}")));
    }
    let pairs = result.timestamps().iter().zip(result.values());
    let pairs = pairs.filter_map(|(at, value)| Some((Timestamp::from_second(at.secs()).ok()?, *value)));
    Ok(pairs.filter(|(_, value)| value.is_finite() && *value >= 0.0).collect())
}

/// What the alarm on a product's freshness says.
#[derive(Debug, Clone, Copy, Default)]
struct Alarmed {
    /// Since when it is as it is, which is what counts where there is no value.
    since: Option<Timestamp>,
    /// Whether it has gone off.
    rings: bool,
}

/// What the values of an objective say.
fn reading(question: &Question, points: &[Point], alarm: Alarmed) -> Option<Reading> {
    let value = match (question.objective, points) {
        (Objective::Freshness, [(at, age), ..]) => Value::NewestData(before(*at, *age)),
        (Objective::Freshness, []) => Value::NoDataSince(alarm.since?),
        (_, []) => return None,
        (_, points) => Value::Share(average(points)?),
    };
    let rings = if alarm.rings { "; its alarm has gone off" } else { "" };
    let source = format!("CloudWatch {}/{}{rings}", namespace(&question.domain), metric(question.objective));
    Some(Reading { objective: question.objective, value, complete: true, source })
}

/// The instant that lies some minutes before another one.
fn before(at: Timestamp, minutes: f64) -> Timestamp {
    let age = SignedDuration::try_from_secs_f64(minutes * 60.0).ok();
    age.and_then(|age| at.checked_sub(age).ok()).unwrap_or(Timestamp::MIN)
}

/// The average of some values as a share; `None` where it is no share.
fn average(points: &[Point]) -> Option<Percent> {
    #[expect(clippy::cast_precision_loss, reason = "a day has few values")]
    let mean = points.iter().map(|(_, value)| value).sum::<f64>() / points.len() as f64;
    #[expect(clippy::cast_possible_truncation, reason = "shares of more than a hundred are refused below")]
    let millionths = (mean * 1_000_000.0).round() as i64;
    Percent::from_millionths(millionths)
}

impl Aws {
    pub(super) async fn measured(&self, subject: &Subject) -> Result<Vec<Reading>, Failure> {
        let questions = subject.objectives.iter().map(|objective| Question {
            objective: *objective,
            domain: subject.domain.clone(),
            product: subject.product.clone(),
        });
        let questions = questions.collect::<Vec<_>>();
        let mut readings = Vec::new();
        for (question, points) in self.answered(&questions, subject.look).await? {
            let freshness = question.objective == Objective::Freshness;
            let alarm = if freshness { self.alarmed(subject).await? } else { None };
            readings.extend(reading(&question, &points, alarm.unwrap_or_default()));
        }
        Ok(readings)
    }

    /// The values of some questions, the newest first. At a full look they are read now.
    async fn answered(
        &self,
        wanted: &[Question],
        look: Look,
    ) -> Result<Vec<(Question, Vec<Point>)>, Failure> {
        let now = self.clock.now();
        let mut answers = self.answers.0.lock().await;
        for question in wanted {
            answers.entry(question.clone()).or_default().asked = now;
        }
        answers.retain(|_, answer| now.saturating_sub(answer.asked) < FORGOTTEN);
        let is_fresh = |answers: &BTreeMap<Question, Answer>, question: &Question| {
            let read = answers.get(question).and_then(|answer| answer.read);
            read.is_some_and(|read| look == Look::Usual && now.saturating_sub(read) < VALUE_AGE)
        };
        let mut open =
            wanted.iter().filter(|question| !is_fresh(&answers, question)).cloned().collect::<Vec<_>>();
        while !open.is_empty() {
            let asked = chosen(&answers, &open, now);
            for (question, points) in self.read_metrics(&asked).await? {
                if let Some(answer) = answers.get_mut(&question) {
                    (answer.read, answer.points) = (Some(now), points);
                }
            }
            open.retain(|question| !asked.contains(question));
        }
        let known = |question: &Question| answers.get(question).map(|answer| answer.points.clone());
        Ok(wanted.iter().map(|question| (question.clone(), known(question).unwrap_or_default())).collect())
    }

    /// What the alarm on a product's freshness says; `None` while it does not exist.
    async fn alarmed(&self, subject: &Subject) -> Result<Option<Alarmed>, Failure> {
        let name = &subject.alarm.name;
        let alarm = match subject.look {
            Look::Full => self.alarm(name).await?,
            Look::Usual => self.listed_alarm(name).await?,
        };
        Ok(alarm.map(|alarm| Alarmed {
            since: alarm
                .alarm_configuration_updated_timestamp
                .and_then(|at| Timestamp::from_second(at.secs()).ok()),
            rings: alarm.state_value == Some(StateValue::Alarm),
        }))
    }

    /// The values of questions of the same reach, in one request of one or more pages.
    async fn read_metrics(&self, asked: &[Question]) -> Result<Vec<(Question, Vec<Point>)>, Failure> {
        let Some(first) = asked.first() else { return Ok(Vec::new()) };
        let now = Timestamp::now();
        let from = now.checked_sub(reach(first.objective).2).map_err(|_| Failure::garbled())?;
        let to = now.checked_add(SKEW).map_err(|_| Failure::garbled())?;
        let id = |index: usize| format!("m{index}");
        let queries = asked.iter().enumerate().map(|(index, question)| query(id(index), question));
        let queries = queries.collect::<Vec<_>>();
        let mut points: BTreeMap<String, Vec<Point>> = BTreeMap::new();
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
                .set_next_token(token.take());
            let page = self.call(Call::GetMetricData, request.send()).await?;
            for result in page.metric_data_results.unwrap_or_default() {
                let values = values(&result)?;
                points.entry(result.id().unwrap_or_default().to_owned()).or_default().extend(values);
            }
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                let values = asked.iter().enumerate().map(|(index, question)| {
                    let mut points = points.remove(&id(index)).unwrap_or_default();
                    points.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
                    (question.clone(), points)
                });
                return Ok(values.collect());
            }
        }
        Err(Failure::garbled())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(objective: Objective, product: &str) -> Question {
        Question { objective, domain: "d".to_owned(), product: product.to_owned() }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("an instant")
    }

    #[test]
    fn a_call_reads_along_what_would_be_needed_next_and_only_what_begins_at_the_same_time() {
        let now = Duration::from_secs(1000);
        let answer = |read: Option<u64>| Answer { read: read.map(Duration::from_secs), ..Answer::default() };
        let answers = BTreeMap::from([
            (question(Objective::Freshness, "a"), answer(Some(999))),
            (question(Objective::Freshness, "b"), answer(Some(900))),
            (question(Objective::Freshness, "c"), answer(None)),
            (question(Objective::Freshness, "e"), answer(Some(990))),
            (question(Objective::Accuracy, "a"), answer(None)),
        ]);
        let asked = chosen(&answers, &[question(Objective::Freshness, "a")], now);
        let products = asked.iter().map(|question| question.product.as_str()).collect::<Vec<_>>();
        assert_eq!(products, ["a", "c", "b"], "the wanted one, then the oldest; what is fresh is left");
        let many = (0..2 * METRICS)
            .map(|n| (question(Objective::Freshness, &n.to_string()), answer(None)))
            .collect();
        assert_eq!(chosen(&many, &[question(Objective::Freshness, "1")], now).len(), METRICS);
    }

    #[test]
    fn the_newest_age_counts_and_silence_counts_since_the_alarm() {
        let freshness = question(Objective::Freshness, "p");
        let since = |since| Alarmed { since, rings: false };
        let value = |points: &[Point], alarm| reading(&freshness, points, alarm).map(|reading| reading.value);
        let points = [(at(7200), 30.0), (at(3600), 1.0)];
        assert_eq!(value(&points, since(None)), Some(Value::NewestData(at(5400))));
        assert_eq!(value(&[], since(Some(at(60)))), Some(Value::NoDataSince(at(60))));
        assert_eq!(value(&[], since(None)), None, "nothing can be late before its alarm is there");
        assert_eq!(value(&[(at(0), f64::MAX)], since(None)), Some(Value::NewestData(Timestamp::MIN)));
        let rings = reading(&freshness, &points, Alarmed { since: None, rings: true }).expect("a reading");
        assert!(rings.source.ends_with("its alarm has gone off"), "{}", rings.source);
    }

    #[test]
    fn what_the_service_could_not_read_is_no_silence() {
        let result = |status| {
            let at = DateTime::from_secs(60);
            MetricDataResult::builder()
                .status_code(status)
                .timestamps(at)
                .values(5.0)
                .timestamps(at)
                .values(f64::NAN)
        };
        let kind = |status| values(&result(status).build()).map_err(|failure| failure.kind);
        assert_eq!(kind(StatusCode::Complete), Ok(vec![(at(60), 5.0)]));
        assert_eq!(kind(StatusCode::PartialData), Ok(vec![(at(60), 5.0)]), "more pages follow");
        assert_eq!(kind(StatusCode::InternalError), Err(ErrorKind::Unavailable));
        assert_eq!(kind(StatusCode::Forbidden), Err(ErrorKind::Denied));
    }

    #[test]
    fn a_share_is_the_average_and_what_is_no_share_is_no_reading() {
        let accuracy = question(Objective::Accuracy, "p");
        let value =
            |points: &[Point]| reading(&accuracy, points, Alarmed::default()).map(|reading| reading.value);
        let share = Percent::from_millionths(99_500_000).expect("a share");
        assert_eq!(value(&[(at(2), 99.0), (at(1), 100.0)]), Some(Value::Share(share)));
        assert_eq!(value(&[(at(2), 250.0)]), None);
        assert_eq!(value(&[]), None, "what nobody publishes is not measured");
    }
}
