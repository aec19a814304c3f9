use std::path::Path;

use anyhow::{Context as _, Result};
use pki_types::CertificateDer;

use crate::files;

/// The certificates that a server's TLS certificate may be under: those in `file`, or the
/// system's.
pub(crate) fn tls_roots(file: Option<&Path>) -> Result<Vec<CertificateDer<'static>>> {
    match file {
        Some(path) => files::certificates(path),
        None => {
            let found = rustls_native_certs::load_native_certs();
            match found.errors.into_iter().next() {
                Some(error) if found.certs.is_empty() => {
                    Err(error).context("the system's trusted certificates cannot be read")
                }
                _ => Ok(found.certs),
            }
        }
    }
}
