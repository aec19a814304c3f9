use core::{error::Error as StdError, num::NonZeroUsize};
use std::{sync::Arc, time::Duration};

use pki_types::CertificateDer;

use crate::{Addresses, Bearer, Lookup};

/// How an [`HttpFetch`](crate::HttpFetch) fetches.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HttpOptions {
    /// Whom to trust over HTTPS: the system's roots, those of one issuer, or both.
    pub roots: Vec<CertificateDer<'static>>,
    /// The URL of the proxy that everything goes through; `http` or `https`, with a name and a
    /// password if it wants them.
    pub proxy: Option<String>,
    /// Hosts that are asked without the proxy: `example.com`, `.example.com` for all below it, `*`.
    pub no_proxy: Vec<String>,
    /// The token that the host of one issuer wants to see; none for most issuers.
    pub bearer: Option<Bearer>,
    /// How long one fetch may take in all: redirects, name, connection and body.
    pub timeout: Duration,
    /// How long a body may be, in bytes, after decompression.
    pub limit: u64,
    /// How many fetches may be under way at once.
    pub concurrency: NonZeroUsize,
    /// Which addresses may be connected to; the proxy's own may always be, and those behind it are its business.
    pub addresses: Addresses,
    /// What the names of hosts mean; the system's resolver says so where this is none.
    pub lookup: Option<Arc<dyn Lookup>>,
}

impl HttpOptions {
    /// No proxy, no token, 10 seconds, 1 MiB, 16 fetches at once, and any address by the system's resolver.
    #[must_use]
    pub fn new(roots: Vec<CertificateDer<'static>>) -> Self {
        Self {
            roots,
            proxy: None,
            no_proxy: Vec::new(),
            bearer: None,
            timeout: Duration::from_secs(10),
            limit: 1 << 20,
            concurrency: NonZeroUsize::MIN.saturating_add(15),
            addresses: Addresses::Any,
            lookup: None,
        }
    }
}

/// Why there is no fetcher with such options.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpOptionsError {
    /// The proxy's URL is not one.
    #[error("the proxy is not an http or https URL")]
    Proxy(#[source] Box<dyn StdError + Send + Sync>),
    /// There are roots, but none of them is a certificate.
    #[error("none of the roots is a certificate")]
    Roots(#[source] Box<dyn StdError + Send + Sync>),
}

impl HttpOptionsError {
    pub(crate) fn proxy(cause: ureq::Error) -> Self {
        Self::Proxy(cause.into())
    }
}
