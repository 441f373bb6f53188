//! Alerts, dashboard and runbooks: what they ask for is there, what they say is documented, and each alert fires when it
//! should and not otherwise.

mod query;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use dataproduct_operator::metrics::{Family, Shape};
use serde_json::Value;

use query::{Query, read};

const README: &str = include_str!("../../../README.md");
const RULES: &str = include_str!("../../../deploy/monitoring/rules.yaml");
const DASHBOARD: &str = include_str!("../../../deploy/monitoring/dashboard.json");
const RUNBOOKS: &str = include_str!("../../../deploy/monitoring/runbooks.md");

/// What Prometheus itself adds to every series.
const OF_TARGETS: [&str; 2] = ["job", "instance"];
/// Labels whose values are words of ours, so that a misspelt one would match nothing for ever.
const CLOSED: [&str; 9] =
    ["type", "status", "reason", "state", "outcome", "result", "severity", "enforcement", "controller"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/monitoring")
}

fn rules() -> Vec<Value> {
    let file: Value = serde_saphyr::from_str(RULES).expect("rules");
    let groups = file["groups"].as_array().expect("groups").iter();
    let rules = groups.flat_map(|group| group["rules"].as_array().expect("rules of a group").clone());
    rules.collect()
}

fn alerts() -> BTreeMap<String, Value> {
    let named = |rule: Value| Some((rule["alert"].as_str()?.to_owned(), rule));
    rules().into_iter().filter_map(named).collect()
}

/// Every query of the dashboard with the title of what shows it.
fn shown() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("a dashboard");
    let mut found = Vec::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().expect("a text").to_owned();
            found.push((text(&panel["title"]), text(&target["expr"])));
        }
    }
    let more = ["/templating/list", "/annotations/list"].into_iter();
    for item in more.flat_map(|list| dashboard.pointer(list).and_then(Value::as_array).expect("a list")) {
        let asked = [&item["expr"], &item["definition"]].into_iter().filter_map(Value::as_str);
        found.extend(asked.map(|query| (item["name"].to_string(), query.to_owned())));
    }
    found
}

/// Every query of ours with where it is.
fn queries() -> Vec<(String, String)> {
    let of_rule = |rule: &Value| {
        let name = rule["alert"].as_str().or(rule["record"].as_str()).expect("a name");
        (name.to_owned(), rule["expr"].as_str().expect("a query").to_owned())
    };
    let of_rules = rules().iter().map(of_rule).collect::<Vec<_>>();
    assert!(of_rules.len() > 25 && shown().len() > 30, "the test reads all of them");
    of_rules.into_iter().chain(shown()).collect()
}

/// The labels of a metric that the operator, Prometheus, or a recording rule gives.
fn labels(metric: &str) -> Option<BTreeSet<String>> {
    let own = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect::<BTreeSet<_>>();
    if metric == "up" {
        return Some(own(&OF_TARGETS));
    }
    if metric == "ALERTS" {
        return Some(own(&["alertname", "alertstate"]));
    }
    if metric.contains(':') {
        let rule = rules().into_iter().find(|rule| rule["record"] == metric)?;
        return Some(result(&read(rule["expr"].as_str()?)));
    }
    let of = |family: &Family| {
        let more: &[&str] = match family.shape {
            Shape::Histogram => match metric.strip_prefix(family.name)? {
                "_bucket" => &["le"],
                "_sum" | "_count" => &[],
                _ => return None,
            },
            Shape::Counter | Shape::Gauge if metric == family.full_name() => &[],
            Shape::Counter | Shape::Gauge => return None,
        };
        Some([family.labels, more, &OF_TARGETS].concat())
    };
    Family::all().find_map(of).map(|labels| own(&labels))
}

/// The labels that the answer of a query may have.
fn result(query: &Query) -> BTreeSet<String> {
    query.selectors.iter().filter_map(|selector| labels(&selector.metric)).flatten().collect()
}

#[test]
fn every_query_asks_for_metrics_and_labels_that_there_are() {
    for (place, text) in queries() {
        // A variable of the dashboard is asked for by a function of Grafana, whose last argument is a label.
        let of_label = text.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')'));
        let (text, label) = match of_label.and_then(|rest| rest.rsplit_once(", ")) {
            Some((query, label)) => (query.to_owned(), Some(label.to_owned())),
            None => (text, None),
        };
        let query = read(&text);
        assert!(!query.selectors.is_empty(), "{place}: {text}");
        for selector in &query.selectors {
            let known = labels(&selector.metric);
            let known =
                known.unwrap_or_else(|| panic!("{place} asks for {}, which is not there", selector.metric));
            for (label, _) in &selector.matchers {
                assert!(known.contains(label), "{place}: {} has no label {label}", selector.metric);
            }
        }
        let known = result(&query);
        let unknown = query.grouped.iter().chain(&label).filter(|label| !known.contains(*label));
        assert_eq!(unknown.collect::<Vec<_>>(), Vec::<&String>::new(), "{place}: {text}");
    }
}

#[test]
fn every_word_that_a_query_looks_for_is_in_the_readme() {
    let words = README.split(|c: char| !c.is_alphanumeric() && c != '_').collect::<BTreeSet<_>>();
    let mut seen = 0;
    for (place, text) in queries() {
        let matchers = read(&text).selectors.into_iter().flat_map(|selector| selector.matchers);
        for (label, value) in matchers.filter(|(label, _)| CLOSED.contains(&label.as_str())) {
            for word in value.split('|') {
                seen += 1;
                assert!(
                    words.contains(word),
                    "{place} looks for {label} {word}, which the README does not know"
                );
            }
        }
    }
    assert!(seen > 30, "the test reads them: {seen}");
}

#[test]
fn every_alert_says_how_grave_it_is_and_what_to_do() {
    for (name, alert) in alerts() {
        let severity = alert["labels"]["severity"].as_str().unwrap_or_default();
        assert!(["critical", "warning", "info"].contains(&severity), "{name}: {severity:?}");
        for text in ["summary", "description"] {
            let text = alert["annotations"][text].as_str().unwrap_or_default();
            assert!(text.ends_with('.') && text.len() > 20, "{name}: {text:?}");
        }
        let expected = format!("deploy/monitoring/runbooks.md#{}", name.to_lowercase());
        assert_eq!(alert["annotations"]["runbook_url"], expected.as_str(), "{name}");
    }
}

#[test]
fn every_alert_has_its_runbook_and_every_runbook_its_alert() {
    let sections = RUNBOOKS.lines().filter_map(|line| line.strip_prefix("### "));
    let sections = sections.map(str::to_owned).collect::<Vec<_>>();
    let known = alerts();
    // In the order of the rules, so that whoever reads one finds the other.
    let order =
        rules().iter().filter_map(|rule| Some(rule["alert"].as_str()?.to_owned())).collect::<Vec<_>>();
    assert_eq!(sections, order);
    for (name, text) in sections.iter().zip(RUNBOOKS.split("### ").skip(1)) {
        assert!(text.lines().count() > 4, "the runbook of {name} says too little");
    }
    let links = RUNBOOKS.split("](#").skip(1).filter_map(|rest| rest.split(')').next());
    for link in links {
        assert!(known.keys().any(|name| name.to_lowercase() == link), "no section is called #{link}");
    }
}

#[test]
fn the_dashboard_is_whole() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("a dashboard");
    let panels = dashboard["panels"].as_array().expect("panels");
    let mut ids = BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().expect("an id")), "{} has the id of another", panel["title"]);
        if panel["type"] != "row" {
            assert!(panel["description"].as_str().is_some_and(|it| it.ends_with('.')), "{}", panel["title"]);
        }
        let place = |key: &str| panel["gridPos"][key].as_u64().expect("a place");
        assert!(place("x") + place("w") <= 24, "{} is wider than the page", panel["title"]);
        for other in panels.iter().filter(|other| other["id"] != panel["id"]) {
            let at = |key: &str| other["gridPos"][key].as_u64().expect("a place");
            let beside = place("x") + place("w") <= at("x") || at("x") + at("w") <= place("x");
            let above = place("y") + place("h") <= at("y") || at("y") + at("h") <= place("y");
            assert!(beside || above, "{} lies on {}", panel["title"], other["title"]);
        }
    }
    // Whoever has several data sources or clusters chooses; nothing is fixed to one of them.
    assert!(DASHBOARD.matches("\"uid\": \"${datasource}\"").count() > 60);
    let queries = shown();
    let panels = queries
        .iter()
        .filter(|(_, query)| !query.starts_with("label_values(") && !query.starts_with("ALERTS"));
    for (title, query) in panels {
        assert!(query.contains("job=\"$job\""), "{title} looks at every job");
    }
}

/// Runs promtool, which has to be content.
fn promtool(arguments: &[&str]) -> String {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/prometheus/promtool");
    assert!(program.exists(), "promtool is missing; run `make prometheus` first");
    let output = Command::new(program).args(arguments).current_dir(folder()).output().expect("promtool runs");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "promtool {}: {said}", arguments.join(" "));
    said
}

#[test]
fn promtool_takes_the_rules_and_every_query_of_the_dashboard() {
    let said = promtool(&["check", "rules", "--lint=all", "--lint-fatal", "rules.yaml"]);
    assert!(said.contains(&format!("{} rules found", rules().len())), "{said}");

    // As rules, because promtool reads queries in no other way without a server.
    let queries = shown().into_iter().filter(|(_, query)| !query.starts_with("label_values("));
    let queries = queries.zip(0..).map(|((_, query), number)| {
        let query = query.replace("$__rate_interval", "5m");
        serde_json::json!({"record": format!("shown:{number}"), "expr": query})
    });
    let queries = queries.collect::<Vec<_>>();
    let file = tempfile::Builder::new().suffix(".yaml").tempfile().expect("a file");
    let text = serde_json::json!({"groups": [{"name": "dashboard", "rules": queries}]}).to_string();
    fs::write(file.path(), text).expect("written");
    let said = promtool(&["check", "rules", "--lint=none", &file.path().display().to_string()]);
    assert!(said.contains(&format!("{} rules found", queries.len())), "{said}");
}

#[test]
fn every_alert_fires_when_it_should_and_not_in_the_healthy_case_beside() {
    let said = promtool(&["test", "rules", "rules_test.yaml"]);
    assert!(said.contains("SUCCESS"), "{said}");

    let tests: Value =
        serde_saphyr::from_str(include_str!("../../../deploy/monitoring/rules_test.yaml")).expect("tests");
    let cases = tests["tests"].as_array().expect("tests").iter();
    let cases = cases.flat_map(|test| test["alert_rule_test"].as_array().into_iter().flatten());
    let mut seen: BTreeMap<&str, BTreeSet<bool>> = BTreeMap::new();
    for case in cases {
        let fires = case["exp_alerts"].as_array().is_some_and(|alerts| !alerts.is_empty());
        seen.entry(case["alertname"].as_str().expect("a name")).or_default().insert(fires);
    }
    for name in alerts().keys() {
        assert_eq!(seen.get(name.as_str()), Some(&[false, true].into()), "{name} is not tried in both ways");
    }
}
