//! HTTP for the SDK.

use core::{error::Error as StdError, fmt, time::Duration};
use std::{io, sync::Arc};

use async_trait::async_trait;
use azure_core::{
    error::ErrorKind,
    http::{AsyncRawResponse, Body, ClientOptions, HttpClient, Method, Request, RetryOptions},
};
use bytes::Bytes;
use http::{HeaderMap, Uri};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::ClientConfig;

use crate::{Error, refusal::token_refusal};

/// Talks HTTP/1.1; connections are kept and used again, one request at a time on each.
///
/// What fails is an [`Error`] of ours inside the SDK's, so that the SDK neither tries again by
/// itself nor copies what was answered into its texts.
#[derive(Clone)]
pub(crate) struct Transport {
    answers: Answers,
    client: Connections,
    limit: Duration,
    tls: ClientConfig,
}

type Connections = Client<HttpsConnector<connect::HttpConnector>, Full<Bytes>>;

/// Who reads the answers that are not a success.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answers {
    /// Whoever asked: the SDK, which logs in when the vault says so.
    Given,
    /// They are errors: a token is here, or it is not.
    Judged,
}

impl Transport {
    pub(crate) fn new(tls: ClientConfig, limit: Duration) -> Self {
        Self {
            answers: Answers::Given,
            client: connections(tls.clone(), None),
            limit,
            tls,
        }
    }

    /// The same connections, for whoever asks for tokens.
    pub(crate) fn for_tokens(&self, limit: Duration) -> Self {
        Self {
            answers: Answers::Judged,
            limit,
            ..self.clone()
        }
    }

    /// Connections of its own, which are made in this time or not at all.
    pub(crate) fn connecting_within(&self, limit: Duration) -> Self {
        Self {
            client: connections(self.tls.clone(), Some(limit)),
            ..self.clone()
        }
    }

    /// What the SDK is told of it.
    pub(crate) fn options(&self) -> ClientOptions {
        ClientOptions {
            // What is tried again, and for how long, is decided in one place, and that is not it.
            retry: RetryOptions::none(),
            transport: Some(azure_core::http::Transport::new(Arc::new(self.clone()))),
            ..ClientOptions::default()
        }
    }

    async fn ask(&self, request: &Request) -> Result<AsyncRawResponse, Error> {
        let url = request.url();
        let host = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (host, _) => host.unwrap_or_default().to_owned(),
        };
        let limit = self.limit;
        tokio::time::timeout(limit, self.answer(request, &host))
            .await
            .unwrap_or_else(|_elapsed| Err(Error::Late { host, limit }))
    }

    async fn answer(&self, request: &Request, host: &str) -> Result<AsyncRawResponse, Error> {
        let request = in_http(request).map_err(|source| Error::Request {
            host: host.to_owned(),
            source,
        })?;
        let answer = self
            .client
            .request(request)
            .await
            .map_err(|error| unreached(host, error.into()))?;
        let (head, body) = answer.into_parts();
        let body = match Limited::new(body, MAX_ANSWER).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                return Err(Error::AnswerTooLong {
                    host: host.to_owned(),
                    limit: MAX_ANSWER,
                });
            }
            Err(error) => return Err(unreached(host, error)),
        };
        if self.answers == Answers::Judged {
            token_refusal(host, head.status, &head.headers, &body)?;
        }
        let status = head.status.as_u16().into();
        Ok(AsyncRawResponse::from_bytes(
            status,
            in_sdk(&head.headers),
            body,
        ))
    }
}

#[async_trait]
impl HttpClient for Transport {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        self.ask(request)
            .await
            // Not as `Io`: that, the SDK tries again where it was not told to.
            .map_err(|error| azure_core::Error::new(ErrorKind::Other, error))
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

fn connections(tls: ClientConfig, limit: Option<Duration>) -> Connections {
    let mut tcp = connect::HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_connect_timeout(limit);
    tcp.set_nodelay(true);
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        // Managed identities are given out over `http` on this machine; the SDK asks a vault and
        // Microsoft Entra ID over `https` alone.
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .build(connector)
}

fn in_http(
    request: &Request,
) -> Result<http::Request<Full<Bytes>>, Box<dyn StdError + Send + Sync>> {
    let body = match request.body() {
        Body::Bytes(bytes) => bytes.clone(),
        _ => return Err("a request of unknown length".into()),
    };
    let method = match request.method() {
        Method::Get => http::Method::GET,
        Method::Post => http::Method::POST,
        other => return Err(format!("a request with the method {other}").into()),
    };
    let uri: Uri = request.url().as_str().parse()?;
    let mut made = http::Request::builder().method(method).uri(uri);
    for (name, value) in request.headers().iter() {
        made = made.header(name.as_str(), value.as_str());
    }
    Ok(made.body(Full::new(body))?)
}

fn in_sdk(headers: &HeaderMap) -> azure_core::http::headers::Headers {
    let mut read = azure_core::http::headers::Headers::new();
    for (name, value) in headers {
        // One that is not text is none that the SDK knows.
        if let Ok(value) = value.to_str() {
            read.insert(name.as_str().to_owned(), value.to_owned());
        }
    }
    read
}

/// Sorts a service that is not there from one that is not who it should be: only the first may be
/// there a moment later.
fn unreached(host: &str, source: Box<dyn StdError + Send + Sync>) -> Error {
    let host = host.to_owned();
    if is_untrusted(&*source) {
        Error::Untrusted { host, source }
    } else {
        Error::Network { host, source }
    }
}

fn is_untrusted(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(rustls::Error::InvalidCertificate(_)) = error.downcast_ref() {
            return true;
        }
        // What an `io::Error` wraps is not its `source`, but itself.
        next = match error.downcast_ref::<io::Error>().map(io::Error::get_ref) {
            Some(Some(inner)) => Some(inner),
            _ => error.source(),
        };
    }
    false
}

/// Azure closes what is idle for longer.
const IDLE: Duration = Duration::from_secs(20);
/// Far more than a key with all that is said about it.
const MAX_ANSWER: usize = 1024 * 1024;
