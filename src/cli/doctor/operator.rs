//! The operator: whether it has its rights, whether one leads, whether its webhook is ready.

use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::{
    admissionregistration::v1::ValidatingWebhookConfiguration,
    authorization::v1::{
        ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec, SubjectAccessReview,
        SubjectAccessReviewSpec, SubjectAccessReviewStatus,
    },
    coordination::v1::Lease,
};
use kube::{Api, Client, api::PostParams};

use super::{Found, some};
use crate::{
    cli::CliError,
    controller::{
        kubernetes::{RequestError, bounded},
        leader,
        rights::{RIGHTS, Right, Scope},
    },
    webhook,
};

/// Questions that are asked at the same time.
const AT_ONCE: usize = 8;

/// A `ServiceAccount`.
pub(super) struct Account {
    namespace: String,
    name: String,
}

impl Account {
    pub(super) fn parse(text: &str) -> Result<Self, CliError> {
        match text.split_once('/') {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains('/') => {
                Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
            }
            _ => Err(CliError::Usage(format!(
                "--service-account is {text:?}; give it as NAMESPACE/NAME, for example datamesh-system/dataproduct-operator"
            ))),
        }
    }
}

/// The namespaces of an operator.
#[derive(Debug, Clone, Copy)]
pub(super) struct Within<'a> {
    /// Where it runs, and where its Lease is.
    pub(super) operator: &'a str,
    /// The only one that it watches.
    pub(super) watched: Option<&'a str>,
}

/// Whether somebody has the rights of the operator: whoever asks, or an account.
pub(super) async fn rights(client: &Client, account: Option<&Account>, within: Within<'_>) -> Vec<Found> {
    const CHECK: &str = "rights";
    let needed = RIGHTS.iter().filter(|right| within.watched.is_none() || right.scope != Scope::Whole);
    let wanted = needed.flat_map(|right| right.verbs.iter().map(move |verb| (right, *verb)));
    let wanted = wanted.collect::<Vec<_>>();
    let count = wanted.len();
    let answers = stream::iter(wanted).map(|(right, verb)| async move {
        let allowed = review(client, account, attributes(right, verb, within)).await?;
        Ok::<_, RequestError>((!allowed).then(|| told(right, verb)))
    });
    let refused = match answers.buffered(AT_ONCE).try_collect::<Vec<_>>().await {
        Ok(refused) => refused.into_iter().flatten().collect::<Vec<_>>(),
        Err(error) => return vec![Found::unanswered(CHECK, "reviews of access", &error)],
    };
    let who = account.map_or("this identity".to_owned(), |it| format!("{}/{}", it.namespace, it.name));
    vec![if refused.is_empty() {
        Found::ok(CHECK, format!("{who} has all {count} that the operator needs"))
    } else {
        let refused = some(&refused);
        Found::failed(
            CHECK,
            format!("{who} may not {refused}; apply the roles of the chart or of deploy/install.yaml"),
        )
    }]
}

fn told(right: &Right, verb: &str) -> String {
    let part = if right.part.is_empty() { String::new() } else { format!("/{}", right.part) };
    let group = if right.group.is_empty() { String::new() } else { format!(".{}", right.group) };
    format!("{verb} {}{group}{part}", right.resource)
}

fn attributes(right: &Right, verb: &str, within: Within<'_>) -> ResourceAttributes {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let watched = within.watched.map(str::to_owned);
    let (name, namespace) = match right.scope {
        Scope::Cluster | Scope::Whole => (some(right.name), None),
        Scope::Watched => (some(right.name), watched),
        Scope::Themselves => (watched, None),
        Scope::Lease => (some(right.name), Some(within.operator.to_owned())),
    };
    ResourceAttributes {
        group: some(right.group),
        resource: some(right.resource),
        subresource: some(right.part),
        name,
        namespace,
        verb: some(verb),
        ..ResourceAttributes::default()
    }
}

async fn review(
    client: &Client,
    account: Option<&Account>,
    resource: ResourceAttributes,
) -> Result<bool, RequestError> {
    let status: Option<SubjectAccessReviewStatus> = match account {
        None => {
            let spec = SelfSubjectAccessReviewSpec {
                resource_attributes: Some(resource),
                ..SelfSubjectAccessReviewSpec::default()
            };
            let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
            bounded(Api::all(client.clone()).create(&PostParams::default(), &review)).await?.status
        }
        Some(Account { namespace, name }) => {
            let groups = ["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")];
            let spec = SubjectAccessReviewSpec {
                user: Some(format!("system:serviceaccount:{namespace}:{name}")),
                groups: Some(groups.into()),
                resource_attributes: Some(resource),
                ..SubjectAccessReviewSpec::default()
            };
            let review = SubjectAccessReview { spec, ..SubjectAccessReview::default() };
            bounded(Api::all(client.clone()).create(&PostParams::default(), &review)).await?.status
        }
    };
    Ok(status.is_some_and(|status| status.allowed))
}

/// Whether one leads and whether the webhook is ready.
pub(super) async fn look(client: &Client, within: Within<'_>, elects: bool) -> Vec<Found> {
    let namespace = within.operator;
    let leases: Api<Lease> = Api::namespaced(client.clone(), namespace);
    let leader = match bounded(leases.get_opt(leader::NAME)).await {
        Ok(lease) => leads(lease.as_ref(), namespace, elects, Timestamp::now()),
        Err(error) => Found::unanswered("leader", "the Lease", &error),
    };
    vec![leader, registered(client).await]
}

fn leads(lease: Option<&Lease>, namespace: &str, elects: bool, now: Timestamp) -> Found {
    const CHECK: &str = "leader";
    let why = "see its pods and their logs";
    let Some(spec) = lease.and_then(|lease| lease.spec.as_ref()) else {
        let said = format!("there is no Lease {} in namespace {namespace}", leader::NAME);
        return if elects {
            Found::failed(CHECK, format!("{said}: no operator has ever led; {why}"))
        } else {
            Found::note(
                CHECK,
                format!("{said}: the operator runs elsewhere, without election, or not at all"),
            )
        };
    };
    let holder = spec.holder_identity.clone().unwrap_or_default();
    let lasts = SignedDuration::from_secs(i64::from(spec.lease_duration_seconds.unwrap_or_default()));
    let renewed = spec.renew_time.as_ref().map(|renewed| renewed.0);
    let ago = renewed.map(|renewed| now.duration_since(renewed));
    match ago {
        Some(ago) if !holder.is_empty() && ago <= lasts => {
            Found::ok(CHECK, format!("{holder} leads, renewed {} s ago", ago.as_secs().max(0)))
        }
        Some(ago) if !holder.is_empty() => Found::failed(
            CHECK,
            format!("{holder} led until {} s ago and nobody leads now; {why}", (ago - lasts).as_secs()),
        ),
        _ => Found::failed(CHECK, format!("nobody leads; {why}")),
    }
}

/// Whether API servers trust the webhook, where there is one.
async fn registered(client: &Client) -> Found {
    const CHECK: &str = "webhook";
    let hooks: Api<ValidatingWebhookConfiguration> = Api::all(client.clone());
    match bounded(hooks.get_opt(webhook::NAME)).await {
        Ok(None) => Found::ok(CHECK, "not installed"),
        Ok(Some(found)) => {
            let mut hooks = found.webhooks.iter().flatten();
            let unknown = hooks
                .any(|hook| hook.client_config.ca_bundle.as_ref().is_none_or(|bundle| bundle.0.is_empty()));
            if unknown {
                let said = "no pod of the operator has given it a certificate; start the operator with --webhook-bind-address";
                Found::failed(CHECK, said)
            } else {
                Found::ok(CHECK, "installed and trusted")
            }
        }
        Err(error) => Found::unanswered(CHECK, "ValidatingWebhookConfigurations", &error),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::Verdict, *};

    #[test]
    fn a_leader_that_does_not_renew_is_none() {
        let now: Timestamp = "2026-11-26T12:00:00Z".parse().expect("an instant");
        let lease = |holder: &str, renewed: &str| -> Lease {
            serde_json::from_value(json!({
                "spec": {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": renewed},
            }))
            .expect("a lease")
        };
        for (case, lease, elects, expected) in [
            ("renewed", Some(lease("a", "2026-11-26T11:59:50.000000Z")), true, Verdict::Ok),
            ("not renewed", Some(lease("a", "2026-11-26T11:59:40.000000Z")), true, Verdict::Failed),
            ("given back", Some(lease("", "2026-11-26T11:59:59.000000Z")), true, Verdict::Failed),
            ("none, where one must be", None, true, Verdict::Failed),
            ("none", None, false, Verdict::Note),
        ] {
            assert_eq!(leads(lease.as_ref(), "n", elects, now).verdict, expected, "{case}");
        }
    }

    #[test]
    fn an_account_has_a_namespace() {
        assert!(Account::parse("n/a").is_ok());
        for wrong in ["a", "/a", "n/", "n/a/b", ""] {
            assert!(Account::parse(wrong).is_err(), "{wrong}");
        }
    }
}
