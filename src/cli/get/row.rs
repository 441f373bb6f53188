//! A product as a line of a table, with the columns of `kubectl get` and a few more.

use jiff::Timestamp;
use kube::{ResourceExt, api::DynamicObject};

use crate::{
    api::{DataProduct, status::SloState},
    cli::{
        look::{Cell, Tone, age},
        status::{tone_of_condition, tone_of_result, tone_of_slo},
    },
};

/// Which columns there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shape {
    /// Also those that few need.
    pub wide: bool,
    /// Also the namespace.
    pub namespaces: bool,
}

/// The heading.
pub fn header(shape: Shape) -> Vec<Cell> {
    let namespace = shape.namespaces.then_some("NAMESPACE");
    let usual = ["NAME", "DOMAIN", "VERSION", "READY", "REASON", "SCORE", "ERRORS", "WARNINGS", "SLO", "AGE"];
    let wide = ["OWNER", "CLASS", "LIFECYCLE", "SUSPENDED", "CONSUMERS", "BUCKET", "PROVIDER"];
    let wide = wide.into_iter().filter(|_| shape.wide);
    namespace.into_iter().chain(usual).chain(wide).map(Cell::plain).collect()
}

/// A product as it is. One that cannot be read has a line too.
pub fn row(object: &DynamicObject, shape: Shape, now: Timestamp) -> Vec<Cell> {
    let product = serde_json::to_value(object).and_then(serde_json::from_value::<DataProduct>);
    let age = object.creation_timestamp().map(|at| age(now.duration_since(at.0).as_secs()));
    let mut row = Vec::new();
    if shape.namespaces {
        row.push(Cell::plain(object.namespace().unwrap_or_default()));
    }
    row.push(Cell::plain(object.name_any()));
    if let Ok(product) = product {
        row.extend(state(&product));
        row.push(Cell::or_none(age));
        if shape.wide {
            row.extend(more(&product));
        }
        return row;
    }
    let said = |path: &str| object.data.pointer(path).and_then(|it| it.as_str()).map(str::to_owned);
    row.extend(["/spec/domain", "/spec/version"].map(|path| Cell::or_none(said(path))));
    row.extend([Cell::new("False", Tone::Bad), Cell::new("Undecodable", Tone::Bad)]);
    row.extend((0..4).map(|_| Cell::or_none(None::<&str>)));
    row.push(Cell::or_none(age));
    row
}

/// The line of a product that is gone: as it was, without an age.
pub fn gone(mut line: Vec<Cell>, shape: Shape) -> Vec<Cell> {
    let ready = if shape.namespaces { 4 } else { 3 };
    for (column, text) in [(ready, "False"), (ready + 1, "Deleted"), (ready + 6, "-")] {
        if let Some(cell) = line.get_mut(column) {
            *cell = Cell::new(text, Tone::Faint);
        }
    }
    line
}

/// From the domain to the service levels.
fn state(product: &DataProduct) -> [Cell; 8] {
    let status = product.status.as_ref();
    let ready = status.and_then(|status| status.condition("Ready"));
    let governance = status.and_then(|status| status.governance.as_ref());
    let slo = status.and_then(|status| status.slo.as_ref()?.state);
    // What is said of an older spec may be over.
    let is_current = status.is_some_and(|status| status.observed_generation == product.metadata.generation);
    let tone = ready.map_or(Tone::Faint, tone_of_condition);
    let tone = if is_current { tone } else { Tone::Waiting };
    let score = governance.and_then(|it| it.score).map(|score| score.to_string());
    let count = |count: Option<i32>, tone: Tone| match count {
        Some(count) => Cell::new(count.to_string(), if count > 0 { tone } else { Tone::Plain }),
        None => Cell::or_none(None::<&str>),
    };
    [
        Cell::plain(&product.spec.domain),
        Cell::plain(&product.spec.version),
        Cell::or_none(ready.map(|ready| &ready.status)).toned(tone),
        Cell::or_none(ready.map(|ready| &ready.reason)).toned(tone),
        Cell::or_none(score).toned(tone_of_result(governance.and_then(|it| it.result))),
        count(governance.map(|it| it.errors), Tone::Bad),
        count(governance.map(|it| it.warnings), Tone::Waiting),
        Cell::or_none(slo.map(SloState::as_str)).toned(slo.map_or(Tone::Faint, tone_of_slo)),
    ]
}

/// The columns that few need.
fn more(product: &DataProduct) -> [Cell; 7] {
    let (spec, status) = (&product.spec, product.status.as_ref());
    let class = spec.access.as_ref().and_then(|access| access.classification);
    let class = class.and_then(|class| serde_json::to_value(class).ok()?.as_str().map(str::to_owned));
    let lineage = status.and_then(|status| status.lineage.as_ref());
    let suspended = spec.suspend.unwrap_or_default();
    [
        Cell::or_none(spec.owner.as_ref().and_then(|owner| owner.team.as_ref())),
        Cell::or_none(class),
        Cell::plain(format!("{:?}", spec.lifecycle.unwrap_or_default())),
        Cell::new(suspended.to_string(), if suspended { Tone::Waiting } else { Tone::Plain }),
        Cell::or_none(lineage.map(|lineage| lineage.downstream_count.to_string())),
        Cell::or_none(status.and_then(|status| status.outputs.as_ref()?.bucket.as_ref())),
        Cell::or_none(status.and_then(|status| status.domain.as_ref()?.provider_class.as_ref())),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::look::Columns;

    fn object(value: serde_json::Value) -> DynamicObject {
        serde_json::from_value(value).expect("an object")
    }

    fn table(shape: Shape, objects: &[DynamicObject]) -> String {
        let now = "2026-01-01T01:00:00Z".parse().expect("an instant");
        let rows = objects.iter().map(|object| row(object, shape, now));
        let text = Columns::apart(3).lines(&std::iter::once(header(shape)).chain(rows).collect::<Vec<_>>());
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn every_product_has_a_line_also_one_that_cannot_be_read() {
        let metadata = |name: &str| json!({"name": name, "namespace": "n", "generation": 1, "creationTimestamp": "2026-01-01T00:00:00Z"});
        let good = object(json!({
            "apiVersion": "datamesh.io/v1", "kind": "DataProduct", "metadata": metadata("good"),
            "spec": {"domain": "d", "version": "1.0.0", "suspend": true, "owner": {"team": "t"},
                     "access": {"classification": "internal"}},
            "status": {
                "observedGeneration": 1,
                "conditions": [{"type": "Ready", "status": "True", "reason": "Ready", "message": "",
                                "lastTransitionTime": "2026-01-01T00:00:00Z"}],
                "governance": {"score": 90, "result": "Warn", "warnings": 5},
                "slo": {"state": "Met"}, "outputs": {"bucket": "b"}, "domain": {"name": "d", "providerClass": "local"},
                "lineage": {"downstreamCount": 2},
            },
        }));
        let new = object(json!({
            "apiVersion": "datamesh.io/v1", "kind": "DataProduct", "metadata": metadata("new"),
            "spec": {"domain": "d", "version": "1.0.0"}, "status": {"observedGeneration": -1},
        }));
        let strange = object(json!({
            "apiVersion": "datamesh.io/v1", "kind": "DataProduct", "metadata": metadata("strange"),
            "spec": {"domain": "d\u{1b}[2J", "version": 1}, "status": {"conditions": "none"},
        }));
        let expected = "\
NAMESPACE   NAME      DOMAIN       VERSION   READY   REASON        SCORE   ERRORS   WARNINGS   SLO   AGE
n           good      d            1.0.0     True    Ready         90      0        5          Met   60m
n           new       d            1.0.0     -       -             -       -        -          -     60m
n           strange   d\\u{1b}[2J   -         False   Undecodable   -       -        -          -     60m
";
        let shape = Shape { namespaces: true, wide: false };
        assert_eq!(table(shape, &[good.clone(), new, strange]), expected);
        let wide = table(Shape { namespaces: false, wide: true }, std::slice::from_ref(&good));
        assert!(
            wide.ends_with("t       internal   Active      true        2           b        local\n"),
            "{wide}"
        );
        let gone = gone(row(&good, Shape::default(), Timestamp::now()), Shape::default());
        let gone = anstream::adapter::strip_str(&Columns::apart(1).lines(&[gone])).to_string();
        assert_eq!(gone, "good d 1.0.0 False Deleted 90 0 5 Met -\n");
    }
}
