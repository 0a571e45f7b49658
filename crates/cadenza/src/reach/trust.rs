//! Whose certificates are believed. Verification cannot be switched off; a private relay's root is added instead.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// The roots that a server's certificate must lead to. Made once and shared by clones: reading the system's takes a few
/// milliseconds, and connections that share it resume each other's TLS sessions.
#[derive(Clone)]
pub struct Trust(Arc<ClientConfig>);

/// Why a set of roots is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTrust {
    #[error("the root certificate cannot be read: expected PEM with -----BEGIN CERTIFICATE-----: {why}")]
    Pem { why: String },
    #[error("the file holds no certificate: expected PEM with -----BEGIN CERTIFICATE-----")]
    Empty,
    #[error("TLS cannot be set up: {why}")]
    Setup { why: String },
}

impl Trust {
    /// What a connection in TLS begins with.
    pub(crate) fn config(&self) -> &Arc<ClientConfig> {
        &self.0
    }

    /// The operating system's roots, read once: there are hundreds, and every mailbox asks for them. A system without any is
    /// accepted: connections without TLS need none.
    pub fn system() -> Result<Trust, InvalidTrust> {
        static READ: OnceLock<Trust> = OnceLock::new();
        match READ.get() {
            Some(trust) => Ok(trust.clone()),
            None => build(system_roots()).map(|trust| READ.get_or_init(|| trust).clone()),
        }
    }

    /// The operating system's roots and those in `pem`, which must hold at least one certificate.
    pub fn with_root(pem: &[u8]) -> Result<Trust, InvalidTrust> {
        let mut roots = system_roots();
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|e| InvalidTrust::Pem { why: e.to_string() })?;
            roots.add(certificate).map_err(|e| InvalidTrust::Pem { why: e.to_string() })?;
        }
        if roots.len() == before { Err(InvalidTrust::Empty) } else { build(roots) }
    }
}

fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    // Systems ship certificates that no verifier takes; the others still count.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

fn build(roots: RootCertStore) -> Result<Trust, InvalidTrust> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| InvalidTrust::Setup { why: e.to_string() })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Trust(Arc::new(config)))
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trust")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_no_certificate_is_refused() {
        assert_eq!(Trust::with_root(b"nothing").unwrap_err(), InvalidTrust::Empty);
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(Trust::with_root(broken), Err(InvalidTrust::Pem { .. })));
    }
}
