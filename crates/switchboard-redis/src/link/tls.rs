//! TLS by rustls.

use std::{fmt, io, sync::Arc};

use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use switchboard_core::broker::{BrokerError, BrokerErrorKind};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring},
};

use super::connect::Stream;

/// How servers prove who they are.
#[derive(Clone)]
pub(crate) struct Tls(TlsConnector);

impl Tls {
    /// Trusts the certificates in `pem`, or those of the system if there are none. Shows a certificate with its key, if there
    /// is one.
    pub(crate) fn new(pem: &[u8], own: Option<&(Vec<u8>, Vec<u8>)>) -> Result<Self, BrokerError> {
        let rejected = |detail: String| BrokerError::new(BrokerErrorKind::Rejected, detail);
        let mut roots = RootCertStore::empty();
        if pem.is_empty() {
            let system = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(system.certs);
            if roots.is_empty() {
                let errors: Vec<_> = system.errors.iter().map(ToString::to_string).collect();
                let text = "the system has no root certificates; install `ca-certificates`, or set `root_certificates`";
                return Err(rejected(format!("{text} ({})", errors.join(", "))));
            }
        }
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| rejected(format!("root_certificates: {error}")))?;
            roots.add(certificate).map_err(|error| rejected(format!("root_certificates: {error}")))?;
        }
        if roots.is_empty() {
            return Err(rejected("root_certificates has no certificate in PEM".into()));
        }
        // The provider is named, so that nothing depends on which one the process has installed.
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| rejected(error.to_string()))?
            .with_root_certificates(roots);
        let config = match own {
            None => config.with_no_client_auth(),
            Some((certificate, key)) => {
                let wrong = |error: &dyn fmt::Display| rejected(format!("client_certificate: {error}"));
                let certificates: Vec<_> = CertificateDer::pem_slice_iter(certificate)
                    .collect::<Result<_, _>>()
                    .map_err(|error| wrong(&error))?;
                let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| wrong(&error))?;
                config.with_client_auth_cert(certificates, key).map_err(|error| wrong(&error))?
            }
        };
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    pub(super) async fn connect(&self, stream: TcpStream, host: &str) -> io::Result<Box<dyn Stream>> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        Ok(Box::new(self.0.connect(name, stream).await?))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}
