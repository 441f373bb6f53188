//! The certificate in use: new connections get the newest one, and those that are open keep theirs.

use std::sync::{Arc, PoisonError, RwLock};

use tokio_rustls::rustls::{
    self, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::certificate::Serving;

/// The certificate in use, or none before there is one.
#[derive(Debug, Default)]
pub(super) struct Keys(RwLock<Option<Arc<CertifiedKey>>>);

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyError {
    /// It is no PEM.
    #[error("the certificate or its key is no PEM: {0}")]
    Pem(#[from] rustls::pki_types::pem::Error),
    /// TLS refuses it.
    #[error("the certificate cannot be used for TLS: {0}")]
    Tls(#[from] rustls::Error),
}

impl Keys {
    /// Serves a certificate from now on.
    pub(super) fn serve(&self, serving: &Serving) -> Result<(), KeyError> {
        let chain =
            CertificateDer::pem_slice_iter(serving.certificate.as_bytes()).collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_slice(serving.key.0.as_bytes())?;
        let certified = CertifiedKey::from_der(chain, key, &provider())?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(certified));
        Ok(())
    }

    /// Settings of TLS that take the certificate from here.
    pub(super) fn tls(self: &Arc<Self>) -> Result<ServerConfig, rustls::Error> {
        let config = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        Ok(config)
    }
}

impl ResolvesServerCert for Keys {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn provider() -> CryptoProvider {
    aws_lc_rs::default_provider()
}
