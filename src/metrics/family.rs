//! Families of metrics: what each is called, what tells its series apart, and what it says.

use std::fmt;

use prometheus_client::{
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge, histogram::Histogram},
};

/// What kind of numbers a family has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// They only grow, and begin anew with the process.
    Counter,
    /// They are as things are now.
    Gauge,
    /// How often something took how long.
    Histogram,
}

/// A family of metrics.
#[derive(Debug)]
pub struct Family {
    /// The name without the `_total` that the format adds to counters.
    pub name: &'static str,
    /// What kind of numbers it has.
    pub shape: Shape,
    /// What tells its series apart.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
}

impl Shape {
    /// The word in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

impl Family {
    /// The name under which it is asked for.
    pub fn full_name(&self) -> String {
        match self.shape {
            Shape::Counter => format!("{}_total", self.name),
            Shape::Gauge | Shape::Histogram => self.name.to_owned(),
        }
    }

    /// Writes its series. Labels are in the order of the family.
    pub(super) fn encode<V: AsRef<str>, const N: usize>(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        series: impl IntoIterator<Item = ([V; N], u64)>,
    ) -> fmt::Result {
        let kind = match self.shape {
            Shape::Counter => MetricType::Counter,
            Shape::Gauge => MetricType::Gauge,
            Shape::Histogram => MetricType::Histogram,
        };
        let mut family = encoder.encode_descriptor(self.name, self.help, None, kind)?;
        for (values, count) in series {
            let values = values.iter().map(AsRef::as_ref);
            let labels = self.labels.iter().copied().zip(values).collect::<Vec<(&str, &str)>>();
            let labels = labels.as_slice();
            let series = family.encode_family(&labels)?;
            match self.shape {
                Shape::Counter => ConstCounter::new(count).encode(series)?,
                Shape::Gauge | Shape::Histogram => {
                    ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX)).encode(series)?;
                }
            }
        }
        Ok(())
    }

    /// Writes its series, where it is a histogram. Labels are in the order of the family.
    pub(super) fn encode_histograms<'a, const N: usize>(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        series: impl IntoIterator<Item = ([&'a str; N], Histogram)>,
    ) -> fmt::Result {
        let mut family = encoder.encode_descriptor(self.name, self.help, None, MetricType::Histogram)?;
        for (values, histogram) in series {
            let labels = self.labels.iter().copied().zip(values).collect::<Vec<(&str, &str)>>();
            histogram.encode(family.encode_family(&labels.as_slice())?)?;
        }
        Ok(())
    }
}
