//! The API server: its version, its clock, and whether it knows our kinds as we do.

use axum::http::{Request, header};
use jiff::{Timestamp, fmt::rfc2822};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{Api, Client, ResourceExt, client::Body};

use super::{Found, some};
use crate::{
    api,
    cli::CliError,
    controller::kubernetes::{RequestError, bounded},
};

/// Oldest minor version of Kubernetes 1 that the operator works with, as the chart says it.
const OLDEST: u32 = 33;
/// Seconds by which clocks may differ without anybody noticing.
const APART: i64 = 5;
/// Seconds from which on leases end early and clouds refuse signatures.
const FAR_APART: i64 = 60;

pub(super) async fn look(client: &Client) -> Result<Vec<Found>, CliError> {
    let version = bounded(client.apiserver_version()).await;
    let version = version.map_err(|error| CliError::Cluster(error.to_string()))?;
    let minor = version.minor.trim_end_matches('+').parse::<u32>().unwrap_or_default();
    let mut found = vec![if version.major == "1" && minor < OLDEST {
        Found::failed(
            "API server",
            format!("{} is older than 1.{OLDEST}; upgrade the cluster", version.git_version),
        )
    } else {
        Found::ok("API server", version.git_version)
    }];
    found.push(clock(client).await);
    found.extend(definitions(client).await?);
    Ok(found)
}

/// How far our clock is from that of the API server, as the head of an answer tells it.
async fn clock(client: &Client) -> Found {
    const CHECK: &str = "clock";
    let answer = async {
        let request = Request::get("/version").body(Body::empty()).map_err(kube::Error::HttpError)?;
        client.send(request).await
    };
    let answer = match bounded(answer).await {
        Ok(answer) => answer,
        Err(error) => return Found::unanswered(CHECK, "the time of the API server", &error),
    };
    let date = answer.headers().get(header::DATE).and_then(|date| date.to_str().ok());
    match date.and_then(|date| rfc2822::parse(date).ok()) {
        Some(date) => apart(Timestamp::now().as_second().saturating_sub(date.timestamp().as_second())),
        None => Found::note(CHECK, "the API server does not tell its time"),
    }
}

fn apart(seconds: i64) -> Found {
    const CHECK: &str = "clock";
    let which = if seconds < 0 { "behind" } else { "ahead of" };
    let said = format!("{} s {which} the API server", seconds.abs());
    match seconds.abs() {
        far if far >= FAR_APART => Found::failed(
            CHECK,
            format!("{said}: leases end early and clouds refuse requests; set the clocks by NTP"),
        ),
        far if far > APART => Found::note(CHECK, format!("{said}; set the clocks by NTP")),
        _ => Found::ok(CHECK, said),
    }
}

/// Whether the cluster knows every kind, in the version and by the schema of this build.
async fn definitions(client: &Client) -> Result<Vec<Found>, CliError> {
    const CHECK: &str = "definitions";
    let ours = api::crds()?;
    let count = ours.len();
    let live: Api<CustomResourceDefinition> = Api::all(client.clone());
    let (mut missing, mut others) = (Vec::new(), Vec::new());
    for definition in ours {
        let name = definition.name_any();
        match bounded(live.get_opt(&name)).await {
            Ok(None) => missing.push(definition.spec.names.plural),
            Ok(Some(found)) if !is_same(&found, &definition) => others.push(definition.spec.names.plural),
            Ok(Some(_)) => {}
            Err(error) if error.is_forbidden() => return Ok(vec![served(client).await]),
            Err(error) => return Ok(vec![Found::unanswered(CHECK, "definitions", &error)]),
        }
    }
    let mut found = Vec::new();
    if !missing.is_empty() {
        let missing = some(&missing);
        let how = "`dataproduct crds | kubectl apply --server-side -f -`";
        found.push(Found::failed(CHECK, format!("the cluster does not know {missing}; install them: {how}")));
    }
    if !others.is_empty() {
        let others = some(&others);
        found.push(Found::note(
            CHECK,
            format!(
                "those of {others} are of another version than this program ({})",
                env!("CARGO_PKG_VERSION")
            ),
        ));
    }
    if found.is_empty() {
        found.push(Found::ok(CHECK, format!("{count} kinds, as this version knows them")));
    }
    Ok(found)
}

/// Whether two definitions have the same versions with the same schemas.
fn is_same(one: &CustomResourceDefinition, other: &CustomResourceDefinition) -> bool {
    let schemas = |definition: &CustomResourceDefinition| {
        let versions = definition.spec.versions.iter();
        versions
            .map(|version| (version.name.clone(), version.served, version.schema.clone()))
            .collect::<Vec<_>>()
    };
    schemas(one) == schemas(other)
}

/// Whether our group is served, for whoever may not read definitions.
async fn served(client: &Client) -> Found {
    const CHECK: &str = "definitions";
    let served: Result<_, RequestError> = bounded(client.list_api_groups()).await;
    match served {
        Ok(groups) if groups.groups.iter().any(|group| group.name == api::GROUP) => {
            Found::ok(CHECK, format!("{} is served; you may not read the definitions themselves", api::GROUP))
        }
        Ok(_) => Found::failed(
            CHECK,
            format!(
                "{} is not served; install it: `dataproduct crds | kubectl apply --server-side -f -`",
                api::GROUP
            ),
        ),
        Err(error) => Found::unanswered(CHECK, "the groups of the API server", &error),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Verdict, *};

    #[test]
    fn clocks_that_are_far_apart_are_wrong_in_both_directions() {
        for (seconds, expected) in [
            (0, Verdict::Ok),
            (-5, Verdict::Ok),
            (6, Verdict::Note),
            (-59, Verdict::Note),
            (60, Verdict::Failed),
            (i64::MIN + 1, Verdict::Failed),
        ] {
            assert_eq!(apart(seconds).verdict, expected, "{seconds}");
        }
        assert!(apart(-7).said.starts_with("7 s behind the API server"));
    }
}
