use core::{error::Error as StdError, time::Duration};
use std::io;

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Method, Request, StatusCode, Uri,
    header::{CONTENT_TYPE, LOCATION, USER_AGENT},
    uri::Scheme,
};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as Http, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};

use crate::{Error, VaultConfig, answer, token::Token};

/// Talks to one Vault; connections are kept and used again, one request at a time on each.
pub(crate) struct Client {
    http: Http<HttpsConnector<HttpConnector>, Full<Bytes>>,
    namespace: Option<HeaderValue>,
    token: Token,
}

impl Client {
    /// Reads the token; nothing is sent yet.
    pub(crate) async fn new(config: &VaultConfig) -> Result<Self, Error> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config.tls()?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let http = Http::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        Ok(Self {
            http,
            namespace: config.namespace()?,
            token: Token::open(&config.token).await?,
        })
    }

    /// Asks once; again only with a newer token, where Vault refuses the one that was in use.
    pub(crate) async fn ask(
        &self,
        method: Method,
        uri: &Uri,
        body: Bytes,
    ) -> Result<Vec<u8>, Error> {
        let token = self.token.current();
        let answer = self.ask_as(&token, &method, uri, &body).await;
        let Err(denied @ Error::Denied { .. }) = answer else {
            return answer;
        };
        match self.token.instead_of(&token).await? {
            Some(newer) => self.ask_as(&newer, &method, uri, &body).await,
            None => Err(denied),
        }
    }

    async fn ask_as(
        &self,
        token: &HeaderValue,
        method: &Method,
        uri: &Uri,
        body: &Bytes,
    ) -> Result<Vec<u8>, Error> {
        let mut moved = None;
        loop {
            let target = moved.as_ref().unwrap_or(uri);
            let request = self.request(token, method, target, body);
            let answer = self.http.request(request).await.map_err(unreached)?;
            let (head, body) = answer.into_parts();
            let body = answer::body(body, MAX_ANSWER).await?;
            match head.status {
                StatusCode::OK => return Ok(body),
                // A node that is not the active one, and does not ask that one for us.
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::TEMPORARY_REDIRECT
                    if moved.is_none() =>
                {
                    moved = Some(follow(uri, head.headers.get(LOCATION))?);
                }
                _ => return Err(answer::refusal(&head, &body)),
            }
        }
    }

    fn request(
        &self,
        token: &HeaderValue,
        method: &Method,
        uri: &Uri,
        body: &Bytes,
    ) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = method.clone();
        *request.uri_mut() = uri.clone();
        let headers = request.headers_mut();
        headers.insert(TOKEN, token.clone());
        // Vault's agent can be told to answer nobody who does not send this.
        headers.insert(REQUEST, HeaderValue::from_static("true"));
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        if let Some(namespace) = &self.namespace {
            headers.insert(NAMESPACE, namespace.clone());
        }
        if !body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        request
    }
}

/// Where Vault sends us: a whole address, and never from TLS to none.
fn follow(from: &Uri, location: Option<&HeaderValue>) -> Result<Uri, Error> {
    let location = location.map_or("", |value| value.to_str().unwrap_or_default());
    location
        .parse()
        .ok()
        .filter(|to: &Uri| {
            to.authority().is_some()
                && (to.scheme() == from.scheme() || to.scheme() == Some(&Scheme::HTTPS))
        })
        .ok_or_else(|| Error::Redirected {
            location: answer::line(location),
        })
}

/// Sorts a Vault that is not there from one that is not who it should be: only the first may be
/// there a moment later.
fn unreached(error: hyper_util::client::legacy::Error) -> Error {
    if is_certificate_error(&error) {
        Error::Untrusted(error.into())
    } else {
        Error::Network(error.into())
    }
}

fn is_certificate_error(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return matches!(error, rustls::Error::InvalidCertificate(_));
        }
        // What an `io::Error` wraps is not its `source`, but itself.
        next = match error.downcast_ref::<io::Error>().map(io::Error::get_ref) {
            Some(Some(inner)) => Some(inner),
            _ => error.source(),
        };
    }
    false
}

const TOKEN: HeaderName = HeaderName::from_static("x-vault-token");
const NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");
const REQUEST: HeaderName = HeaderName::from_static("x-vault-request");
const AGENT: &str = concat!("fulcio-signer-hashivault/", env!("CARGO_PKG_VERSION"));
/// Vault, and the balancers before it, close what is idle for longer.
const IDLE: Duration = Duration::from_secs(50);
/// A thousand versions of an RSA key.
const MAX_ANSWER: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_follows_out_of_tls() {
        let follows = |from: &'static str, to: &'static str| {
            let location = HeaderValue::from_static(to);
            follow(&Uri::from_static(from), Some(&location)).is_ok()
        };
        assert!(follows("https://a/x", "https://b/x"));
        assert!(follows("http://a/x", "http://b/x"));
        assert!(follows("http://a/x", "https://b/x"));
        assert!(!follows("https://a/x", "http://b/x"));
        assert!(!follows("https://a/x", "/x"));
        assert!(follow(&Uri::from_static("http://a/x"), None).is_err());
    }
}
