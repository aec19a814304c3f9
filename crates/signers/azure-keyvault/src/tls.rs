//! TLS under the caller's roots.

use std::sync::Arc;

use pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};

use crate::Error;

/// TLS 1.2 or later.
pub(crate) fn tls(roots: &[CertificateDer<'static>]) -> Result<ClientConfig, Error> {
    if roots.is_empty() {
        return Err(Error::NoRoots);
    }
    let mut store = RootCertStore::empty();
    for (index, root) in roots.iter().enumerate() {
        store
            .add(root.clone())
            .map_err(|source| Error::Root { index, source })?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(Error::Tls)?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(config)
}
