//! How API servers learn of the webhook.

use k8s_openapi::{
    api::admissionregistration::v1::{
        RuleWithOperations, ServiceReference, ValidatingWebhook, ValidatingWebhookConfiguration,
        WebhookClientConfig,
    },
    apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement},
};

use super::{NAME, PATH, keep::HOOK};
use crate::api::GROUP;

/// Seconds that an API server waits for an answer.
const TIMEOUT: i32 = 3;
/// Port of the service.
const PORT: i32 = 443;

/// Where API servers reach the webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Behind a service of a namespace.
    Service {
        /// The namespace.
        namespace: String,
    },
    /// At an address outside the cluster.
    Url(String),
}

/// What an API server does when it gets no answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WithoutAnswer {
    /// It lets the product in.
    #[default]
    LetIn,
    /// It refuses the product.
    Refuse,
}

/// The configuration that lets API servers call the webhook. The operator adds whom they trust.
pub fn registration(place: Place, without_answer: WithoutAnswer) -> ValidatingWebhookConfiguration {
    let words = |words: &[&str]| Some(words.iter().map(|&word| word.to_owned()).collect());
    let (service, url) = match place {
        Place::Service { namespace } => {
            let (name, path) = (NAME.to_owned(), Some(PATH.to_owned()));
            (Some(ServiceReference { name, namespace, path, port: Some(PORT) }), None)
        }
        Place::Url(url) => (None, Some(url)),
    };
    let outside_the_system = LabelSelectorRequirement {
        key: "kubernetes.io/metadata.name".to_owned(),
        operator: "NotIn".to_owned(),
        values: words(&["kube-system"]),
    };
    let hook = ValidatingWebhook {
        name: HOOK.to_owned(),
        admission_review_versions: vec!["v1".to_owned()],
        client_config: WebhookClientConfig { service, url, ca_bundle: None },
        failure_policy: Some(
            match without_answer {
                WithoutAnswer::LetIn => "Ignore",
                WithoutAnswer::Refuse => "Fail",
            }
            .to_owned(),
        ),
        match_policy: Some("Equivalent".to_owned()),
        namespace_selector: Some(LabelSelector {
            match_expressions: Some(vec![outside_the_system]),
            match_labels: None,
        }),
        rules: Some(vec![RuleWithOperations {
            api_groups: words(&[GROUP]),
            api_versions: words(&["v1"]),
            operations: words(&["CREATE", "UPDATE"]),
            resources: words(&["dataproducts"]),
            scope: Some("Namespaced".to_owned()),
        }]),
        side_effects: "None".to_owned(),
        timeout_seconds: Some(TIMEOUT),
        ..ValidatingWebhook::default()
    };
    let mut configuration = ValidatingWebhookConfiguration {
        webhooks: Some(vec![hook]),
        ..ValidatingWebhookConfiguration::default()
    };
    configuration.metadata.name = Some(NAME.to_owned());
    configuration
}
