//! CloudWatch and SNS: the alarm on the product's freshness, and the topic of its domain that is told.

use aws_sdk_cloudwatch::types::{ComparisonOperator, Dimension, MetricAlarm, Statistic, Tag};

use super::{Aws, Call, Failure, failure::absent_is_fine, may_complete, may_remove, may_update, tag};
use crate::model::{
    arn,
    attributes::{Attributes, FreshnessAlarm},
    owner::MANAGED_BY,
    resource::{Delta, Desired, Health, Key, Observed, Removal, Tags},
};

/// The dimension of every metric of a product.
pub(super) const DIMENSION: &str = "DataProduct";
/// What the namespace of every metric of a domain begins with.
const NAMESPACE: &str = "DataMesh/";

fn tag_set(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// The managed attributes of an alarm. One with another shape shows what it has, so that it differs.
pub(super) fn read(alarm: &MetricAlarm, tags: Tags) -> FreshnessAlarm {
    let only = match alarm.dimensions() {
        [one] if one.name() == Some(DIMENSION) => one.value().unwrap_or_default().to_owned(),
        other => format!("{} dimensions", other.len()),
    };
    let topic = match alarm.alarm_actions() {
        [] => None,
        actions => Some(actions.join(",")),
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a threshold that is no whole number of minutes differs"
    )]
    let threshold_minutes = alarm.threshold().unwrap_or_default().floor() as i64;
    FreshnessAlarm {
        namespace: alarm.namespace().unwrap_or_default().to_owned(),
        metric: alarm.metric_name().unwrap_or_default().to_owned(),
        product: only,
        statistic: alarm.statistic().map_or("none", Statistic::as_str).to_owned(),
        comparison: alarm.comparison_operator().map_or("none", ComparisonOperator::as_str).to_owned(),
        period_seconds: alarm.period().unwrap_or_default(),
        evaluation_periods: alarm.evaluation_periods().unwrap_or_default(),
        threshold_minutes,
        missing_data: alarm.treat_missing_data().unwrap_or("missing").to_owned(),
        description: alarm.alarm_description().unwrap_or_default().to_owned(),
        topic,
        tags,
    }
}

impl Aws {
    pub(super) async fn observe_alarm(&self, key: &Key) -> Result<Option<Observed>, Failure> {
        let Some(alarm) = self.alarm(&key.name).await? else { return Ok(None) };
        let id = self.arn_of(&alarm);
        let (owner, tags) = tag::read(&self.alarm_tags(&id).await?);
        let attributes = Attributes::FreshnessAlarm(read(&alarm, tags));
        Ok(Some(Observed { key: key.clone(), id, owner, attributes, health: Health::Live }))
    }

    pub(super) async fn create_alarm(&self, desired: &Desired, want: &FreshnessAlarm) -> Result<(), Failure> {
        // The service would replace an alarm of that name without a word.
        if let Some(found) = self.alarm(&desired.key.name).await? {
            let id = self.arn_of(&found);
            may_complete(tag::read(&self.alarm_tags(&id).await?).0.as_ref(), desired)?;
            self.tag_alarm(&id, &tag::all(&desired.owner, &want.tags)).await?;
        }
        self.put_alarm(desired, want).await
    }

    pub(super) async fn update_alarm(
        &self,
        desired: &Desired,
        want: &FreshnessAlarm,
        delta: &Delta,
    ) -> Result<(), Failure> {
        let found = self.alarm(&desired.key.name).await?.ok_or_else(Failure::absent)?;
        let id = self.arn_of(&found);
        may_update(tag::read(&self.alarm_tags(&id).await?).0.as_ref(), desired, delta)?;
        self.tag_alarm(&id, &tag::changed(desired, &want.tags, delta)).await?;
        let beside_tags = delta
            .0
            .iter()
            .any(|change| !change.path.starts_with("tags.") && !change.path.starts_with("owner."));
        if beside_tags { self.put_alarm(desired, want).await } else { Ok(()) }
    }

    pub(super) async fn delete_alarm(&self, removal: &Removal) -> Result<(), Failure> {
        let name = &removal.key.name;
        let Some(found) = self.alarm(name).await? else { return Ok(()) };
        may_remove(tag::read(&self.alarm_tags(&self.arn_of(&found)).await?).0.as_ref(), removal)?;
        let request = self.clients.cloudwatch.delete_alarms().alarm_names(name).send();
        absent_is_fine(self.call(Call::DeleteAlarms, request).await.map(drop))
    }

    pub(super) async fn alarm(&self, name: &str) -> Result<Option<MetricAlarm>, Failure> {
        // Products that are looked at in the same moment share a call.
        let send = |names: Vec<String>| async move {
            let mut found = self.alarms_named(names.clone()).await?;
            let mut take = |name: &String| {
                let index = found.iter().position(|alarm| alarm.alarm_name() == Some(name))?;
                Some(found.swap_remove(index))
            };
            Ok(names.iter().map(|name| Ok(take(name))).collect())
        };
        let answers = self.named_alarms.submit(vec![name.to_owned()], send).await?;
        Ok(answers.into_iter().next().flatten())
    }

    async fn alarm_tags(&self, id: &str) -> Result<Tags, Failure> {
        let request = self.clients.cloudwatch.list_tags_for_resource().resource_arn(id).send();
        let answer = self.call(Call::ListAlarmTags, request).await?;
        let pair = |tag: Tag| tag.key.zip(tag.value).ok_or_else(Failure::garbled);
        answer.tags.unwrap_or_default().into_iter().map(pair).collect()
    }

    async fn tag_alarm(&self, id: &str, wanted: &Tags) -> Result<(), Failure> {
        if wanted.is_empty() {
            return Ok(());
        }
        let request = self.clients.cloudwatch.tag_resource().resource_arn(id);
        self.call(Call::TagAlarm, request.set_tags(Some(tag_set(wanted))).send()).await.map(drop)
    }

    /// Writes the alarm as a whole. Tags count only where it did not exist.
    async fn put_alarm(&self, desired: &Desired, want: &FreshnessAlarm) -> Result<(), Failure> {
        self.ensure_topic(want).await?;
        #[expect(clippy::cast_precision_loss, reason = "minutes of thousands of years are exact")]
        let threshold = want.threshold_minutes as f64;
        let request = self
            .clients
            .cloudwatch
            .put_metric_alarm()
            .alarm_name(&desired.key.name)
            .alarm_description(&want.description)
            .namespace(&want.namespace)
            .metric_name(&want.metric)
            .dimensions(Dimension::builder().name(DIMENSION).value(&want.product).build())
            .statistic(Statistic::from(want.statistic.as_str()))
            .comparison_operator(ComparisonOperator::from(want.comparison.as_str()))
            .period(want.period_seconds)
            .evaluation_periods(want.evaluation_periods)
            .threshold(threshold)
            .treat_missing_data(&want.missing_data)
            .set_alarm_actions(Some(want.topic.iter().cloned().collect()))
            .set_tags(Some(tag_set(&tag::all(&desired.owner, &want.tags))));
        self.call(Call::PutMetricAlarm, request.send()).await.map(drop)
    }

    /// The identifier of an alarm, as the service gives it.
    fn arn_of(&self, alarm: &MetricAlarm) -> String {
        let computed =
            || arn::alarm(&self.place.account, &self.place.region, alarm.alarm_name().unwrap_or_default());
        alarm.alarm_arn().map_or_else(computed, str::to_owned)
    }

    /// Makes the topic of the domain, unless the alarm tells another one, or it was made before in the life of this
    /// process. A topic belongs to its domain and not to a product: it carries no mark and is never removed.
    async fn ensure_topic(&self, alarm: &FreshnessAlarm) -> Result<(), Failure> {
        let domain = alarm.namespace.strip_prefix(NAMESPACE).unwrap_or_default();
        let own = arn::alerts(&self.place.account, &self.place.region, domain);
        if alarm.topic.as_ref() != Some(&own) {
            return Ok(());
        }
        // Held over the call, so that products of one moment make it once.
        let mut made = self.topics.lock().await;
        if made.contains(&own) {
            return Ok(());
        }
        let name = arn::alerts_topic(domain);
        let tag = |key: &str, value: &str| aws_sdk_sns::types::Tag::builder().key(key).value(value).build();
        let tags = [tag("ManagedBy", MANAGED_BY), tag("Domain", domain)];
        let tags = tags.into_iter().collect::<Result<Vec<_>, _>>().map_err(|_| Failure::garbled())?;
        let request = self.clients.sns.create_topic().name(name).set_tags(Some(tags)).send();
        match self.call(Call::CreateTopic, request).await {
            // Somebody tagged it in another way; the alarm may tell it all the same.
            Err(failure)
                if failure.is(&["InvalidParameter"]) && failure.to_string().contains("already exists") => {}
            answer => drop(answer?),
        }
        made.insert(own);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_of_another_shape_differs() {
        let dimension = |name: &str| Dimension::builder().name(name).value("orders").build();
        let ours = MetricAlarm::builder().dimensions(dimension(DIMENSION)).threshold(60.0).build();
        let read_of = |alarm: &MetricAlarm| read(alarm, Tags::new());
        assert_eq!((read_of(&ours).product.as_str(), read_of(&ours).threshold_minutes), ("orders", 60));
        let other = MetricAlarm::builder().dimensions(dimension("Table")).threshold(59.5).build();
        assert_eq!(
            (read_of(&other).product.as_str(), read_of(&other).threshold_minutes),
            ("1 dimensions", 59)
        );
        let more = MetricAlarm::builder().alarm_actions("a").alarm_actions("b").build();
        assert_eq!(read_of(&more).topic.as_deref(), Some("a,b"), "somebody else is told as well");
    }
}
