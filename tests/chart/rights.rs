//! What an account may do and what it did, as triples of group, resource and verb.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use dataproduct_operator::controller::rights::{RIGHTS, Scope};
use serde_json::Value;

use crate::{
    helm::{Helm, RELEASE, objects},
    support::control_plane::ControlPlane,
};

/// `group/resource verb`, where a resource may have a part.
pub(crate) type Rights = BTreeSet<String>;

/// What the rules of all roles of the operator grant.
pub(crate) fn granted(objects: &[Value], roles: &[&str]) -> Rights {
    let granting = objects
        .iter()
        .filter(|object| matches!(object["kind"].as_str(), Some("ClusterRole" | "Role")))
        .filter(|object| roles.iter().any(|role| object["metadata"]["name"] == *role))
        .flat_map(|object| object["rules"].as_array().into_iter().flatten());
    let mut rights = Rights::new();
    for rule in granting {
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                rights.extend(texts(&rule["verbs"]).map(|verb| format!("{group}/{resource} {verb}")));
            }
        }
    }
    rights
}

/// The namespaces in which an account wrote, from the audit log; the empty one is the cluster.
pub(crate) fn written_in(plane: &ControlPlane, account: &str) -> Result<BTreeSet<String>> {
    let log = std::fs::read_to_string(plane.folder().join("audit.log"))?;
    let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let written = events.filter(|event| {
        let reads = ["get", "list", "watch"].map(Value::from).contains(&event["verb"]);
        event["user"]["username"] == account && !reads && event["objectRef"].is_object()
    });
    Ok(written.map(|event| event["objectRef"]["namespace"].as_str().unwrap_or_default().to_owned()).collect())
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// What an account was allowed to do and what it was refused, from the audit log.
pub(crate) fn used(plane: &ControlPlane, account: &str) -> Result<(Rights, Rights)> {
    let log = std::fs::read_to_string(plane.folder().join("audit.log"))?;
    let (mut allowed, mut refused) = (Rights::new(), Rights::new());
    for event in log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        if event["user"]["username"] != account {
            continue;
        }
        let object = &event["objectRef"];
        let (Some(resource), Some(verb)) = (object["resource"].as_str(), event["verb"].as_str()) else {
            continue;
        };
        let group = object["apiGroup"].as_str().unwrap_or_default();
        let part = object["subresource"].as_str().map(|part| format!("/{part}")).unwrap_or_default();
        let right = format!("{group}/{resource}{part} {verb}");
        let decision = event["annotations"]["authorization.k8s.io/decision"].as_str();
        match decision.with_context(|| format!("no decision on {right}")) {
            Ok("allow") => allowed.insert(right),
            Ok(_) => refused.insert(right),
            // The first stages of a request have no decision yet.
            Err(_) => continue,
        };
    }
    Ok((allowed, refused))
}

/// How the names of roles of people end.
const PEOPLE: [&str; 4] = ["-view", "-edit", "-exception-approver", "-platform-admin"];

#[test]
fn the_doctor_asks_for_the_rights_that_the_chart_gives() -> Result<()> {
    for (values, alone) in [(&[][..], false), (&["--set", "watchNamespace=orders"], true)] {
        let rendered = objects(&Helm::offline("helm4")?.template(values)?)?;
        // Roles of people are others.
        let own = rendered.iter().filter_map(|object| object["metadata"]["name"].as_str());
        let own = own.filter(|name| name.starts_with(RELEASE) && !PEOPLE.iter().any(|it| name.ends_with(it)));
        let given = granted(&rendered, &own.collect::<Vec<_>>());
        let needed = RIGHTS.iter().filter(|right| !(alone && right.scope == Scope::Whole));
        let asked = needed.flat_map(|right| {
            let part = if right.part.is_empty() { String::new() } else { format!("/{}", right.part) };
            right.verbs.iter().map(move |verb| format!("{}/{}{part} {verb}", right.group, right.resource))
        });
        let asked = asked.collect::<Rights>();
        ensure!(asked == given, "only asked for: {:?}; only given: {:?}", &asked - &given, &given - &asked);
    }
    Ok(())
}
