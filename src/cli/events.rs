//! `dataproduct events`: what happened to products, the newest last.

use std::collections::BTreeMap;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use jiff::Timestamp;
use k8s_openapi::api::events::v1::Event;
use kube::{ResourceExt, api::ListParams, runtime::watcher};

use super::{
    CliError, Ending,
    cluster::{Place, Scope},
    follow::{Reader, Seen, follow},
    look::{Cell, Columns, Tone, age},
    note, offered, print, put, show,
    show::{Structure, list},
};
use crate::{api::GROUP, controller::kubernetes, plan::ProductName};

pub(super) const HELP: &str = "\
Examples:
  dataproduct events --namespace customer
  dataproduct events customer-360 -n customer --watch
  dataproduct events -A --types Warning

Kubernetes keeps events for an hour, unless the cluster says otherwise; what lasts is in the status. It ends with 0 also where
there is none.";

/// Which events are shown, and how.
#[derive(Debug, Args)]
pub struct EventsArgs {
    /// Name of a product, or `NAMESPACE/NAME`. Without it the events of every product of the namespace are shown.
    #[arg(conflicts_with = "all_namespaces", add = ArgValueCompleter::new(offered::products))]
    name: Option<String>,
    /// Where they are.
    #[command(flatten)]
    scope: Scope,
    /// Only events of these types: `Normal`, `Warning`.
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    types: Vec<String>,
    /// Form of the output; a table otherwise.
    #[arg(short, long, value_enum, value_name = "FORM")]
    output: Option<Structure>,
    /// Go on and show what happens.
    #[arg(short, long)]
    watch: bool,
    /// Leave the heading of the table out.
    #[arg(long)]
    no_headers: bool,
}

/// Shows events.
pub(super) async fn run(args: EventsArgs) -> Result<Ending, CliError> {
    let mut place = args.scope.connect().await?;
    let mut fields = "regarding.kind=DataProduct".to_owned();
    if let Some(name) = &args.name {
        let name = place.name(name)?;
        fields = format!("{fields},regarding.name={}", name.name);
        place = place.within(&name.namespace);
    }
    let mut writer = Writer {
        columns: Columns::apart(3),
        heading: (!args.no_headers).then(|| header(&place)),
        namespaces: place.is_everywhere(),
        output: args.output,
        types: args.types,
    };
    if args.watch {
        let how = watcher::Config::default().fields(&fields);
        let mut shown = BTreeMap::new();
        follow(place.api::<Event>(), how, |seen| writer.news(&mut shown, seen)).await?;
        return Ok(Ending::Done);
    }
    let how = ListParams::default().fields(&fields);
    let found = kubernetes::pages(&place.api::<Event>(), how).await;
    let found = writer.chosen(found.map_err(|error| CliError::asked(&error))?);
    if let Some(structure) = writer.output {
        let items = found.iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>()?;
        print(&structure.text(&list(items))?)?;
    } else if found.is_empty() {
        note(&format!("there is no event of a product in {}", place.words()));
    } else {
        show(&writer.lines(&found, Timestamp::now()))?;
    }
    Ok(Ending::Done)
}

fn header(place: &Place) -> Vec<Cell> {
    let namespace = place.is_everywhere().then_some("NAMESPACE");
    let usual = ["LAST SEEN", "TYPE", "REASON", "PRODUCT", "COUNT", "NOTE"];
    namespace.into_iter().chain(usual).map(Cell::plain).collect()
}

/// When an event happened last.
fn at(event: &Event) -> Option<Timestamp> {
    let series = event.series.as_ref().map(|series| series.last_observed_time.0);
    // Some clients still write the fields of the older API.
    let older = event.deprecated_last_timestamp.as_ref().map(|at| at.0);
    let first = event.event_time.as_ref().map(|at| at.0);
    series.or(older).or(first).or_else(|| event.creation_timestamp().map(|at| at.0))
}

/// How often it happened.
fn count(event: &Event) -> i32 {
    event.series.as_ref().map(|series| series.count).or(event.deprecated_count).unwrap_or(1).max(1)
}

fn row(event: &Event, namespaces: bool, now: Timestamp) -> Vec<Cell> {
    let tone = if event.type_.as_deref() == Some("Warning") { Tone::Bad } else { Tone::Plain };
    let product = event.regarding.as_ref().and_then(|about| about.name.as_deref());
    let namespace = namespaces.then(|| Cell::plain(event.namespace().unwrap_or_default()));
    let seen = at(event).map(|at| age(now.duration_since(at).as_secs()));
    let row = [
        Cell::or_none(seen),
        Cell::or_none(event.type_.as_deref()).toned(tone),
        Cell::or_none(event.reason.as_deref()).toned(tone),
        Cell::or_none(product),
        Cell::plain(count(event).to_string()),
        Cell::plain(event.note.as_deref().unwrap_or_default().trim()),
    ];
    namespace.into_iter().chain(row).collect()
}

/// Writes events in the form that was asked for.
struct Writer {
    columns: Columns,
    /// The heading, until it is written.
    heading: Option<Vec<Cell>>,
    namespaces: bool,
    output: Option<Structure>,
    types: Vec<String>,
}

impl Writer {
    /// The events that were asked for, the oldest first.
    fn chosen(&self, mut events: Vec<Event>) -> Vec<Event> {
        events.retain(|event| {
            let group = event.regarding.as_ref().and_then(|about| about.api_version.as_deref());
            let is_ours = group.is_some_and(|version| version.split('/').next() == Some(GROUP));
            let type_ = event.type_.as_deref().unwrap_or_default();
            is_ours && (self.types.is_empty() || self.types.iter().any(|it| it.eq_ignore_ascii_case(type_)))
        });
        events.sort_by_cached_key(|event| (at(event), event.name_any()));
        events
    }

    fn lines(&mut self, events: &[Event], now: Timestamp) -> String {
        let rows = events.iter().map(|event| row(event, self.namespaces, now));
        let heading = if events.is_empty() { None } else { self.heading.take() };
        let rows = heading.into_iter().chain(rows).collect::<Vec<_>>();
        self.columns.lines(&rows)
    }

    /// What happened since the last look. An event that is forgotten by the cluster is nothing that happened.
    fn news(
        &mut self,
        shown: &mut BTreeMap<ProductName, (Option<Timestamp>, i32)>,
        seen: Seen<Event>,
    ) -> Result<Reader, CliError> {
        let events = match seen {
            Seen::All(events) => events,
            Seen::Changed(event) => vec![event],
            Seen::Gone(event) => {
                shown.remove(&ProductName::of(&event));
                return Ok(Reader::Listens);
            }
        };
        let mut events = self.chosen(events);
        events.retain(|event| {
            let now = (at(event), count(event));
            shown.insert(ProductName::of(event), now) != Some(now)
        });
        if let Some(structure) = self.output {
            let texts = events.iter().map(|event| structure.one_of_many(&serde_json::to_value(event)?));
            return put(std::io::stdout().lock(), &texts.collect::<Result<String, CliError>>()?);
        }
        put(anstream::stdout().lock(), &self.lines(&events, Timestamp::now()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(name: &str, more: Value) -> Event {
        let mut event = json!({
            "metadata": {"name": name, "namespace": "n"}, "type": "Normal", "reason": "Ready", "note": "it is",
            "regarding": {"apiVersion": "datamesh.io/v1", "kind": "DataProduct", "name": "p", "namespace": "n"},
            "eventTime": "2026-01-01T00:00:00.000000Z",
        });
        json_patch::merge(&mut event, &more);
        serde_json::from_value(event).expect("an event")
    }

    #[test]
    fn events_of_our_products_are_shown_by_the_time_when_they_happened_last() {
        let events = vec![
            event("c", json!({"series": {"count": 3, "lastObservedTime": "2026-01-01T00:30:00.000000Z"}})),
            event("b", json!({"type": "Warning", "note": "line\none\u{1b}[2J\n"})),
            event(
                "a",
                json!({"eventTime": null, "deprecatedLastTimestamp": "2026-01-01T00:10:00Z", "deprecatedCount": 2}),
            ),
            event("foreign", json!({"regarding": {"apiVersion": "example.io/v1"}})),
        ];
        let mut writer = Writer {
            columns: Columns::apart(1),
            heading: None,
            namespaces: false,
            output: None,
            types: Vec::new(),
        };
        let chosen = writer.chosen(events);
        let now = "2026-01-01T01:00:00Z".parse().expect("an instant");
        let text = anstream::adapter::strip_str(&writer.lines(&chosen, now)).to_string();
        let expected = "\
60m Warning Ready p 1 line\\none\\u{1b}[2J
50m Normal  Ready p 2 it is
30m Normal  Ready p 3 it is
";
        assert_eq!(text, expected);
        writer.types = vec!["warning".to_owned()];
        assert_eq!(writer.chosen(chosen).len(), 1);
    }
}
