use core::time::Duration;
use std::{sync::Arc, time::SystemTime};

use http::{
    HeaderValue, Uri,
    uri::{Authority, Scheme},
};
use pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};

use crate::{Clock, LogKey, Proxy, connector::HTTPS_PORT, proxy::is_plain};

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
    /// What goes into the `Host` header instead of the URL's host. A proxy that is asked for an
    /// `http` URL is asked for this host as well, because it looks at nothing else.
    pub origin: Option<String>,
    /// The proxy that leads to the log; none is used without it, whatever the environment says.
    pub proxy: Option<Proxy>,
    /// The only roots under which the TLS certificate of the log, and of an `https` proxy, is
    /// trusted; not used for `http`.
    pub roots: Vec<CertificateDer<'static>>,
    /// How long one submission may take, retries included.
    pub timeout: Duration,
    /// The wall clock: timestamps that are verified must not lie ahead of it by more than
    /// [`CLOCK_TOLERANCE`](crate::SignedCertificateTimestamp::CLOCK_TOLERANCE).
    pub clock: Clock,
}

impl HttpLogConfig {
    /// The time that a submission gets when nothing else is said.
    pub const TIMEOUT: Duration = Duration::from_secs(10);

    /// A log at `url` whose timestamps are verified with `key` and the time that `clock` tells,
    /// with [`TIMEOUT`](Self::TIMEOUT), without roots and without a proxy.
    #[must_use]
    pub fn new(
        url: impl Into<String>,
        key: Option<LogKey>,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Self {
        Self {
            url: url.into(),
            key,
            origin: None,
            proxy: None,
            roots: Vec::new(),
            timeout: Self::TIMEOUT,
            clock: Clock::new(clock),
        }
    }

    /// The address of one of the log's methods.
    pub(crate) fn endpoint(&self, method: &str) -> Result<Uri, HttpLogError> {
        let base = self.base()?;
        let uri: Uri =
            format!("{base}/ct/v1/{method}")
                .parse()
                .map_err(|source| HttpLogError::Url {
                    url: base.to_owned(),
                    source,
                })?;
        match &self.origin {
            Some(origin) if self.is_forwarded(&uri) => at_origin(uri, origin),
            _ => Ok(uri),
        }
    }

    /// How a request names one of the log's methods: by the whole URL where a proxy reads it (RFC
    /// 9112 section 3.2.2), else by the path (section 3.2.1).
    pub(crate) fn target(&self, method: &str) -> Result<Uri, HttpLogError> {
        let endpoint = self.endpoint(method)?;
        if self.is_forwarded(&endpoint) {
            return Ok(endpoint);
        }
        let path = endpoint.path_and_query().cloned();
        Ok(path.expect("the method is in the path").into())
    }

    /// Whether a proxy reads the log's URL in every request, which goes for `http` only.
    fn is_forwarded(&self, uri: &Uri) -> bool {
        self.proxy.is_some() && uri.scheme() == Some(&Scheme::HTTP)
    }

    /// The credentials that each request to `endpoint` has to carry. For a tunnel they are shown
    /// once, when it is opened.
    pub(crate) fn proxy_authorization(&self, endpoint: &Uri) -> Option<HeaderValue> {
        let proxy = self.proxy.as_ref()?;
        let forwarded = self.is_forwarded(endpoint);
        proxy.authorization().filter(|_| forwarded).cloned()
    }

    /// The value of `Host` for `endpoint`, with the port where it is not the scheme's own.
    pub(crate) fn host(&self, endpoint: &Uri) -> Result<HeaderValue, HttpLogError> {
        if let Some(origin) = &self.origin {
            return HeaderValue::from_str(origin).map_err(|source| HttpLogError::Origin {
                origin: origin.clone(),
                source,
            });
        }
        let default = match endpoint.scheme() == Some(&Scheme::HTTPS) {
            true => HTTPS_PORT,
            false => 80,
        };
        let host = endpoint.host().unwrap_or_default();
        let host = match endpoint.port_u16().filter(|port| *port != default) {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        Ok(HeaderValue::try_from(host).expect("a host can stand in a header"))
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
        let plain = uri.authority().is_some_and(is_plain) && !base.contains(['?', '#']);
        if !plain || !(https || uri.scheme() == Some(&Scheme::HTTP)) {
            return Err(HttpLogError::UrlShape);
        }
        let secure_proxy = self.proxy.as_ref().filter(|proxy| proxy.is_secure());
        let needs_roots = match secure_proxy {
            _ if https => Some(self.url.clone()),
            proxy => proxy.map(|proxy| proxy.uri().to_string()),
        };
        match needs_roots {
            Some(url) if self.roots.is_empty() => Err(HttpLogError::NoRoots { url }),
            _ => Ok(base),
        }
    }
}

fn at_origin(uri: Uri, origin: &str) -> Result<Uri, HttpLogError> {
    let error = |source| HttpLogError::OriginHost {
        origin: origin.to_owned(),
        source,
    };
    let authority: Authority = origin.parse().map_err(|source| error(Some(source)))?;
    if !is_plain(&authority) {
        return Err(error(None));
    }
    let mut parts = uri.into_parts();
    parts.authority = Some(authority);
    Ok(Uri::from_parts(parts).expect("only the host has changed"))
}

/// Why a log cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpLogError {
    /// An `https` log, or proxy, without any root to trust it by.
    #[error("the log or proxy at {url} needs at least one TLS root certificate to be trusted by")]
    NoRoots {
        /// Its URL, without credentials.
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
    /// The origin is no host that a proxy could be asked for.
    #[error("the log's origin {origin:?} is not a host that a proxy can be asked for")]
    OriginHost {
        /// What was configured.
        origin: String,
        /// Where it stops being one.
        source: Option<http::uri::InvalidUri>,
    },
    /// The proxy is not an `http` or `https` URL with a host. It is not repeated here, for it may
    /// hold a password.
    #[error("the proxy before the log must be an http:// or https:// URL with a host")]
    Proxy(#[source] Option<http::uri::InvalidUri>),
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
        "the log's URL must be http:// or https:// with a host, perhaps a port, and a path, \
         without user, query or fragment"
    )]
    UrlShape,
}
