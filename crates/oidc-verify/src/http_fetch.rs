use core::fmt;
use std::{
    io::Read,
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::{RootCertStore, crypto::aws_lc_rs};
use tokio::{sync::Semaphore, task::spawn_blocking};
use ureq::{
    Agent, Body, Proxy, Timeout,
    http::{
        Response,
        header::{AUTHORIZATION, LOCATION},
    },
    tls::{Certificate, RootCerts, TlsConfig, TlsProvider},
    unversioned::transport::DefaultConnector,
};
use url::Url;

use crate::{
    Bearer, Fetch, FetchError, Fetching, HttpOptions, HttpOptionsError, address::Unpermitted,
    lookup::PermittedAddresses,
};

/// Fetches over HTTP and HTTPS (TLS 1.2 and 1.3), with roots of the caller's choice.
///
/// Each fetch runs on a thread that may block, and there are never more than
/// [`HttpOptions::concurrency`] of them. Neither the environment nor a process-wide TLS provider is
/// looked at. Clones share the limit and idle connections.
#[derive(Clone)]
pub struct HttpFetch {
    agent: Agent,
    bearer: Option<Bearer>,
    timeout: Duration,
    limit: u64,
    places: Arc<Semaphore>,
}

impl HttpFetch {
    /// Makes a fetcher.
    ///
    /// A root that is not a certificate is left out with a warning, as the collections of operating
    /// systems have them.
    ///
    /// # Errors
    ///
    /// When there are roots but none is a certificate, and when the proxy's URL is not one.
    pub fn new(options: &HttpOptions) -> Result<Self, HttpOptionsError> {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()))
            .root_certs(RootCerts::from(usable_roots(options)?))
            .build();
        let proxy = options
            .proxy
            .as_deref()
            .map(|url| proxy(url, &options.no_proxy))
            .transpose()?;
        let config = Agent::config_builder()
            .accept("application/json")
            .http_status_as_error(false)
            .max_idle_age(IDLE)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(proxy)
            .tls_config(tls)
            .user_agent(concat!("fulcio-oidc-verify/", env!("CARGO_PKG_VERSION")))
            .build();
        let resolver = PermittedAddresses::new(options.addresses, options.lookup.clone());
        let agent = Agent::with_parts(config, DefaultConnector::default(), resolver);
        Ok(Self {
            agent,
            bearer: options.bearer.clone(),
            timeout: options.timeout,
            limit: options.limit,
            places: Arc::new(Semaphore::new(options.concurrency.get())),
        })
    }

    fn fetch_blocking(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        let deadline = Instant::now() + self.timeout;
        let mut url = Url::parse(url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .ok_or(FetchError::Url)?;
        for _hop in 0..=REDIRECTS {
            let answer = self.ask(&url, deadline)?;
            match answer.status().as_u16() {
                200 => return self.body(answer),
                301 | 302 | 303 | 307 | 308 => url = redirected(&url, &answer)?,
                status => return Err(FetchError::Status(status)),
            }
        }
        Err(FetchError::Redirect)
    }

    fn ask(&self, url: &Url, deadline: Instant) -> Result<Response<Body>, FetchError> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(transport(ureq::Error::Timeout(Timeout::Global)));
        }
        let mut request = self.agent.get(url.as_str());
        if let Some(bearer) = &self.bearer
            && let Some(value) = bearer.authorization(url)?
        {
            request = request.header(AUTHORIZATION, value);
        }
        request
            .config()
            .timeout_global(Some(left))
            .build()
            .call()
            .map_err(not_asked)
    }

    fn body(&self, mut answer: Response<Body>) -> Result<Vec<u8>, FetchError> {
        let mut body = Vec::new();
        // Read past all decoding: a small compressed body is not let through as a huge one.
        answer
            .body_mut()
            .as_reader()
            .take(self.limit.saturating_add(1))
            .read_to_end(&mut body)
            .map_err(transport)?;
        if body.len() as u64 > self.limit {
            return Err(FetchError::TooLarge { limit: self.limit });
        }
        Ok(body)
    }
}

impl Fetch for HttpFetch {
    fn fetch<'a>(&'a self, url: &'a str) -> Fetching<'a> {
        Box::pin(async move {
            let place = Arc::clone(&self.places)
                .acquire_owned()
                .await
                .map_err(|closed| FetchError::Transport(closed.into()))?;
            let (fetch, url) = (self.clone(), url.to_owned());
            spawn_blocking(move || {
                // Held by the thread, which outlives a caller that has gone.
                let _place = place;
                fetch.fetch_blocking(&url)
            })
            .await
            .map_err(|lost| FetchError::Transport(lost.into()))?
        })
    }
}

impl fmt::Debug for HttpFetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpFetch")
            .field("timeout", &self.timeout)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// How many redirects are followed.
const REDIRECTS: usize = 3;

/// How long a connection is kept: for the key set that follows a discovery document.
const IDLE: Duration = Duration::from_secs(2);

fn transport(cause: impl Into<Box<dyn core::error::Error + Send + Sync>>) -> FetchError {
    FetchError::Transport(cause.into())
}

fn not_asked(error: ureq::Error) -> FetchError {
    match &error {
        ureq::Error::Other(cause) => match cause.downcast_ref() {
            Some(Unpermitted(address)) => FetchError::Address(*address),
            None => transport(error),
        },
        _ => transport(error),
    }
}

/// Where `answer` leads, if it is to the same host and port and not from https to http.
fn redirected(from: &Url, answer: &Response<Body>) -> Result<Url, FetchError> {
    let location = answer
        .headers()
        .get(LOCATION)
        .and_then(|location| location.to_str().ok());
    location
        .and_then(|location| from.join(location).ok())
        .filter(|to| {
            let safe = to.scheme() == from.scheme() || to.scheme() == "https";
            safe && to.host() == from.host() && to.port() == from.port()
        })
        .ok_or(FetchError::Redirect)
}

fn usable_roots(options: &HttpOptions) -> Result<Vec<Certificate<'static>>, HttpOptionsError> {
    let mut last_fault = None;
    let mut usable = Vec::new();
    for root in &options.roots {
        match RootCertStore::empty().add(root.clone()) {
            Ok(()) => usable.push(Certificate::from_der(root).to_owned()),
            Err(fault) => {
                tracing::warn!(
                    error = &fault as &dyn core::error::Error,
                    "a root is left out"
                );
                last_fault = Some(fault);
            }
        }
    }
    match last_fault {
        Some(fault) if usable.is_empty() => Err(HttpOptionsError::Roots(fault.into())),
        _ => Ok(usable),
    }
}

fn proxy(url: &str, no_proxy: &[String]) -> Result<Proxy, HttpOptionsError> {
    let proxy = Proxy::new(url).map_err(HttpOptionsError::proxy)?;
    let mut builder = Proxy::builder(proxy.protocol())
        .host(proxy.host())
        .port(proxy.port());
    if let Some(username) = proxy.username() {
        builder = builder.username(username);
    }
    if let Some(password) = proxy.password() {
        builder = builder.password(password);
    }
    no_proxy
        .iter()
        .fold(builder, |builder, host| builder.no_proxy(host))
        .build()
        .map_err(HttpOptionsError::proxy)
}
