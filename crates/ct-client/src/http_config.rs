use core::time::Duration;
use std::sync::Arc;

use http::{HeaderValue, Uri, uri::Scheme};
use pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};

use crate::LogKey;

/// Where a log is, and how to tell that it is the right one.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the arguments of `HttpLog::new`, by name"
)]
pub struct HttpLogConfig {
    /// The log's submission URL, `http` or `https`; `/ct/v1/add-chain` is appended to it.
    pub url: String,
    /// The log's key. Without it no timestamp is verified.
    pub key: Option<LogKey>,
    /// What goes into the `Host` header instead of the URL's host.
    pub origin: Option<String>,
    /// The only roots under which the log's TLS certificate is trusted; not used for `http`.
    pub roots: Vec<CertificateDer<'static>>,
    /// How long one submission may take, retries included.
    pub timeout: Duration,
}

impl HttpLogConfig {
    /// The time that a submission gets when nothing else is said.
    pub const TIMEOUT: Duration = Duration::from_secs(10);

    /// A log at `url` whose timestamps are verified with `key`, with [`TIMEOUT`](Self::TIMEOUT)
    /// and without roots.
    #[must_use]
    pub fn new(url: impl Into<String>, key: Option<LogKey>) -> Self {
        Self {
            url: url.into(),
            key,
            origin: None,
            roots: Vec::new(),
            timeout: Self::TIMEOUT,
        }
    }

    /// The address of one of the log's methods.
    pub(crate) fn endpoint(&self, method: &str) -> Result<Uri, HttpLogError> {
        let base = self.base()?;
        format!("{base}/ct/v1/{method}")
            .parse()
            .map_err(|source| HttpLogError::Url {
                url: base.to_owned(),
                source,
            })
    }

    pub(crate) fn host(&self) -> Result<Option<HeaderValue>, HttpLogError> {
        self.origin
            .as_ref()
            .map(|origin| {
                HeaderValue::from_str(origin).map_err(|source| HttpLogError::Origin {
                    origin: origin.clone(),
                    source,
                })
            })
            .transpose()
    }

    /// TLS 1.2 or later, under the configured roots only.
    pub(crate) fn tls(&self) -> Result<ClientConfig, HttpLogError> {
        let mut store = RootCertStore::empty();
        for (index, root) in self.roots.iter().enumerate() {
            store
                .add(root.clone())
                .map_err(|source| HttpLogError::Root { index, source })?;
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(HttpLogError::Tls)?
            .with_root_certificates(store)
            .with_no_client_auth();
        Ok(config)
    }

    fn base(&self) -> Result<&str, HttpLogError> {
        let base = self.url.trim_end_matches('/');
        let uri: Uri = base.parse().map_err(|source| HttpLogError::Url {
            url: self.url.clone(),
            source,
        })?;
        let https = uri.scheme() == Some(&Scheme::HTTPS);
        let plain = uri
            .authority()
            .is_some_and(|authority| !authority.as_str().contains('@'))
            && !base.contains(['?', '#']);
        if !plain || !(https || uri.scheme() == Some(&Scheme::HTTP)) {
            return Err(HttpLogError::UrlShape);
        }
        if https && self.roots.is_empty() {
            return Err(HttpLogError::NoRoots {
                url: self.url.clone(),
            });
        }
        Ok(base)
    }
}

/// Why a log cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpLogError {
    /// An `https` log without any root to trust it by.
    #[error("the log at {url} needs at least one TLS root certificate to be trusted by")]
    NoRoots {
        /// The log's URL.
        url: String,
    },
    /// The origin cannot stand in a `Host` header.
    #[error("the log's origin {origin:?} cannot be sent as a Host header")]
    Origin {
        /// What was configured.
        origin: String,
        /// Why it cannot.
        source: http::header::InvalidHeaderValue,
    },
    /// One of the roots is not a certificate that can be trusted.
    #[error("TLS root certificate number {} for the log cannot be used", index + 1)]
    Root {
        /// Which one, from 0.
        index: usize,
        /// Why not.
        source: rustls::Error,
    },
    /// TLS could not be set up.
    #[error("TLS to the log could not be set up")]
    Tls(#[source] rustls::Error),
    /// The URL is not one.
    #[error("the log's address {url:?} is not a URL")]
    Url {
        /// What was configured.
        url: String,
        /// Where it stops being one.
        source: http::uri::InvalidUri,
    },
    /// The URL has parts that a log's address cannot have. It is not repeated here, for it may
    /// hold a password.
    #[error(
        "the log's URL must be http:// or https:// with a host and a path, \
         without user, query or fragment"
    )]
    UrlShape,
}
