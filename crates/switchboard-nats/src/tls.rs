//! TLS by rustls.

use std::{fmt, sync::Arc};

use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use switchboard_core::broker::{BrokerError, BrokerErrorKind};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

/// How servers prove who they are.
#[derive(Clone)]
pub(crate) struct Tls(pub(crate) ClientConfig);

impl Tls {
    /// Trusts the certificates in `pem`, or those of the system if there are none. Shows a certificate with its key, if there
    /// is one.
    pub(crate) fn new(pem: &[u8], own: Option<&(Vec<u8>, Vec<u8>)>) -> Result<Self, BrokerError> {
        let rejected = |detail: String| BrokerError::new(BrokerErrorKind::Rejected, detail);
        let mut roots = RootCertStore::empty();
        if pem.is_empty() {
            // Without any, servers with TLS are refused when they are met.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        } else {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|error| rejected(format!("root_certificates: {error}")))?;
                roots.add(certificate).map_err(|error| rejected(format!("root_certificates: {error}")))?;
            }
            if roots.is_empty() {
                return Err(rejected("root_certificates has no certificate in PEM".into()));
            }
        }
        // The provider is named, so that nothing depends on which one the process has installed.
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| rejected(error.to_string()))?
            .with_root_certificates(roots);
        let Some((certificate, key)) = own else { return Ok(Self(config.with_no_client_auth())) };
        let wrong = |error: &dyn fmt::Display| rejected(format!("client_certificate: {error}"));
        let certificates: Vec<_> =
            CertificateDer::pem_slice_iter(certificate).collect::<Result<_, _>>().map_err(|error| wrong(&error))?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| wrong(&error))?;
        config.with_client_auth_cert(certificates, key).map(Self).map_err(|error| wrong(&error))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}
