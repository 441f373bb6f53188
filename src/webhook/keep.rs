//! Where the certificate is kept: in one Secret beside the operator, which all its replicas share, and its authorities in
//! the configuration by which API servers call the webhook.
//!
//! A replica writes only what it has seen: of two that renew at the same time one loses and takes up what the other wrote.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use json_patch::{AddOperation, Patch as JsonPatch, PatchOperation, TestOperation, jsonptr::PointerBuf};
use k8s_openapi::{
    ByteString,
    api::{admissionregistration::v1::ValidatingWebhookConfiguration, core::v1::Secret},
};
use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;
use thiserror::Error;

use super::{
    certificate::{CertificateError, Kept, Lives, PrivateKey, renewed},
    keys::{KeyError, Keys},
};
use crate::{
    api::FIELD_MANAGER,
    controller::{
        context::Context,
        kubernetes::{RequestError, bounded},
    },
};

/// Name of the Secret, of the configuration and of the service.
pub const NAME: &str = "dataproduct-webhook";
/// Name of the webhook within its configuration.
pub(super) const HOOK: &str = "dataproducts.datamesh.io";
/// Pause after a round that failed, at least.
const PAUSE: Duration = Duration::from_secs(2);
/// Label that says whose the Secret is.
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";
const BUNDLE: &str = "ca.crt";
const AUTHORITY_KEY: &str = "ca.key";
const STATE: &str = "state.json";

/// What keeps the certificate.
pub(super) struct Keeper {
    /// The API server and the time.
    pub(super) ctx: Arc<Context>,
    /// The namespace of the Secret.
    pub(super) namespace: String,
    /// The name or address under which the webhook is called.
    pub(super) host: String,
    /// How long certificates live.
    pub(super) lives: Lives,
    /// Pause between two looks.
    pub(super) look: Duration,
    /// Where the certificate in use goes.
    pub(super) keys: Arc<Keys>,
}

/// Why a round failed.
#[derive(Debug, Error)]
pub(super) enum KeepError {
    /// The API server refused, or was not reached.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// No certificate could be made.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The certificate cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The state cannot be written.
    #[error("the state of the certificate cannot be written: {0}")]
    State(#[from] serde_json::Error),
    /// The Secret is somebody else's.
    #[error(
        "Secret {namespace}/{NAME} exists and is not the operator's: it lacks the label {MANAGED_BY}={FIELD_MANAGER}; \
         delete it, and it is made anew"
    )]
    Foreign {
        /// Its namespace.
        namespace: String,
    },
}

impl Keeper {
    /// Keeps the certificate for as long as it is polled.
    pub(super) async fn keep(self) {
        let (mut registered, mut overtaken) = (true, false);
        loop {
            let pause = match self.round().await {
                Ok(found) => {
                    if !found && registered {
                        tracing::info!(
                            "no ValidatingWebhookConfiguration {NAME} calls the webhook yet; \
                             `dataproduct admission --webhook` prints it"
                        );
                    }
                    (registered, overtaken) = (found, false);
                    self.look
                }
                // Twice in a row it is something else, as a namespace that does not exist.
                Err(KeepError::Request(error)) if error.is_stale() && !overtaken => {
                    overtaken = true;
                    tracing::debug!("another replica was faster; what it wrote is taken up");
                    PAUSE.min(self.look)
                }
                Err(error) => {
                    tracing::warn!(%error, "the certificate of the webhook could not be kept");
                    PAUSE.max(self.look)
                }
            };
            // Replicas that began together do not stay together.
            tokio::time::sleep(pause.mul_f64(0.8 + 0.4 * rand::random::<f64>())).await;
        }
    }

    /// Renews what is due, announces the authorities, and only then serves the certificate. Whether a configuration calls
    /// the webhook.
    async fn round(&self) -> Result<bool, KeepError> {
        let kept = self.kept().await?;
        let registered = self.announce(&kept).await?;
        self.keys.serve(&kept.serving)?;
        Ok(registered)
    }

    async fn kept(&self) -> Result<Kept, KeepError> {
        let secrets: Api<Secret> = Api::namespaced(self.ctx.client.clone(), &self.namespace);
        let found = bounded(secrets.get_opt(NAME)).await?;
        if found
            .as_ref()
            .is_some_and(|secret| secret.labels().get(MANAGED_BY).map(String::as_str) != Some(FIELD_MANAGER))
        {
            return Err(KeepError::Foreign { namespace: self.namespace.clone() });
        }
        let before = found.as_ref().and_then(read);
        let Some(kept) = renewed(before.as_ref(), &self.host, self.lives, (self.ctx.now)())? else {
            return before.ok_or_else(|| KeepError::Certificate(CertificateError::Time));
        };
        let parameters =
            PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        match &found {
            None => bounded(secrets.create(&parameters, &self.secret(&kept, None)?)).await?,
            Some(found) => {
                let secret = self.secret(&kept, found.resource_version())?;
                bounded(secrets.replace(NAME, &parameters, &secret)).await?
            }
        };
        tracing::info!("the certificate of the webhook is renewed");
        Ok(kept)
    }

    fn secret(&self, kept: &Kept, version: Option<String>) -> Result<Secret, KeepError> {
        let state = serde_json::to_string(kept)?;
        let data = [
            (CERTIFICATE, &kept.serving.certificate),
            (KEY, &kept.serving.key.0),
            (BUNDLE, &kept.bundle()),
            (AUTHORITY_KEY, &kept.authority_key.0),
            (STATE, &state),
        ]
        .map(|(name, text)| (name.to_owned(), ByteString(text.clone().into_bytes())));
        let mut secret = Secret {
            data: Some(data.into()),
            type_: Some("kubernetes.io/tls".to_owned()),
            ..Secret::default()
        };
        secret.metadata.name = Some(NAME.to_owned());
        secret.metadata.namespace = Some(self.namespace.clone());
        secret.metadata.labels = Some([(MANAGED_BY.to_owned(), FIELD_MANAGER.to_owned())].into());
        secret.metadata.resource_version = version;
        Ok(secret)
    }

    /// Lets API servers trust the authorities, where that is news to the configuration. Whether there is one.
    async fn announce(&self, kept: &Kept) -> Result<bool, KeepError> {
        let configurations: Api<ValidatingWebhookConfiguration> = Api::all(self.ctx.client.clone());
        let Some(found) = bounded(configurations.get_opt(NAME)).await? else { return Ok(false) };
        let bundle = ByteString(kept.bundle().into_bytes());
        let outdated = found.webhooks.iter().flatten().enumerate();
        let outdated = outdated
            .filter(|(_, hook)| hook.name == HOOK && hook.client_config.ca_bundle.as_ref() != Some(&bundle));
        let mut operations = outdated
            .map(|(number, _)| {
                let path = pointer(&format!("/webhooks/{number}/clientConfig/caBundle"))?;
                Ok(PatchOperation::Add(AddOperation { path, value: json!(bundle) }))
            })
            .collect::<Result<Vec<_>, RequestError>>()?;
        if operations.is_empty() {
            return Ok(true);
        }
        // The numbers are those of the version that was seen.
        operations.insert(
            0,
            PatchOperation::Test(TestOperation {
                path: pointer("/metadata/resourceVersion")?,
                value: json!(found.resource_version().unwrap_or_default()),
            }),
        );
        let patch = Patch::<()>::Json(JsonPatch(operations));
        let parameters =
            PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        bounded(configurations.patch_metadata(NAME, &parameters, &patch)).await?;
        tracing::info!("the configuration of the webhook trusts the newest authority");
        Ok(true)
    }
}

fn pointer(path: &str) -> Result<PointerBuf, RequestError> {
    PointerBuf::parse(path).map_err(|error| RequestError::Patch(error.to_string()))
}

/// What a Secret keeps; `None` where it cannot be read, so that all is made anew.
fn read(secret: &Secret) -> Option<Kept> {
    let none = BTreeMap::new();
    let data = secret.data.as_ref().unwrap_or(&none);
    let text = |name: &str| String::from_utf8(data.get(name)?.0.clone()).ok();
    let mut kept: Kept = serde_json::from_str(&text(STATE)?).ok()?;
    kept.authority_key = PrivateKey(text(AUTHORITY_KEY)?);
    (kept.serving.certificate, kept.serving.key) = (text(CERTIFICATE)?, PrivateKey(text(KEY)?));
    // A certificate that TLS cannot use is as good as none.
    Keys::default().serve(&kept.serving).ok().map(|()| kept)
}
