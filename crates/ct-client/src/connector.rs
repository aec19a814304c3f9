use core::{
    error::Error as StdError,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Uri,
    header::{HOST, PROXY_AUTHORIZATION},
    uri::{Authority, Scheme},
};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use rustls::ClientConfig;
use tokio::{net::TcpStream, try_join};
use tower::Service;

use crate::{Proxy, retry::retry_after};

/// Opens connections to a log, or to the proxy before it. TLS with the log comes on top.
#[derive(Clone)]
pub(crate) struct Connector {
    tcp: HttpConnector,
    hop: Option<Hop>,
}

/// A proxy, and how it is reached.
#[derive(Clone)]
struct Hop {
    proxy: Proxy,
    connector: HttpsConnector<HttpConnector>,
}

impl Connector {
    pub(crate) fn new(timeout: Duration, tls: &ClientConfig, proxy: Option<Proxy>) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(timeout));
        let hop = proxy.map(|proxy| Hop {
            connector: secured(tcp.clone(), tls),
            proxy,
        });
        Self { tcp, hop }
    }
}

/// `connector` with TLS for `https` URLs.
pub(crate) fn secured<C>(connector: C, tls: &ClientConfig) -> HttpsConnector<C> {
    HttpsConnectorBuilder::new()
        .with_tls_config(tls.clone())
        .https_or_http()
        .enable_http1()
        .wrap_connector(connector)
}

impl Service<Uri> for Connector {
    type Response = ToLog;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<ToLog, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match &mut self.hop {
            Some(hop) => hop.connector.poll_ready(context),
            None => self.tcp.poll_ready(context).map_err(Into::into),
        }
    }

    fn call(&mut self, log: Uri) -> Self::Future {
        let Some(hop) = &mut self.hop else {
            let connecting = self.tcp.call(log);
            return Box::pin(async move { Ok(ToLog::Http(connecting.await?)) });
        };
        let connecting = hop.connector.call(hop.proxy.uri().clone());
        let authorization = hop.proxy.authorization().cloned();
        Box::pin(async move {
            let stream = connecting.await.map_err(ProxyUnreached)?;
            if log.scheme() == Some(&Scheme::HTTPS) {
                tunnelled(stream, &log, authorization).await
            } else {
                Ok(stream)
            }
        })
    }
}

/// Has the proxy at the other end of `stream` open a way to the log.
async fn tunnelled(
    stream: ToLog,
    log: &Uri,
    authorization: Option<HeaderValue>,
) -> Result<ToLog, BoxError> {
    let host = log.host().unwrap_or_default();
    let port = log.port_u16().unwrap_or(HTTPS_PORT);
    let authority: Authority = format!("{host}:{port}").parse()?;
    let mut request = Request::new(Empty::<Bytes>::new());
    *request.method_mut() = Method::CONNECT;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_str(authority.as_str())?);
    if let Some(authorization) = authorization {
        headers.insert(PROXY_AUTHORIZATION, authorization);
    }
    *request.uri_mut() = authority.into();

    let (mut sender, connection) = http1::handshake(stream).await?;
    let opened = async {
        let answer = sender.send_request(request).await?;
        if answer.status().is_success() {
            return Ok(());
        }
        Err(BoxError::from(ProxyRefusal {
            retry_after: retry_after(answer.headers()),
            status: answer.status().as_u16(),
        }))
    };
    let ended = async { Ok(connection.without_shutdown().await?) };
    let ((), parts) = try_join!(opened, ended)?;
    if parts.read_buf.is_empty() {
        Ok(parts.io)
    } else {
        Err(SpokeFirst.into())
    }
}

/// A connection to a log, or to the proxy before it.
pub(crate) type ToLog = MaybeHttpsStream<TokioIo<TcpStream>>;
type BoxError = Box<dyn StdError + Send + Sync>;

pub(crate) const HTTPS_PORT: u16 = 443;

/// The proxy itself cannot be talked to.
#[derive(Debug, thiserror::Error)]
#[error("the proxy was not reached")]
struct ProxyUnreached(#[source] BoxError);

/// A TLS server waits for its client; whoever sends before is something else.
#[derive(Debug, thiserror::Error)]
#[error("the proxy sent what is not TLS")]
struct SpokeFirst;

/// The proxy opens no way to the log.
#[derive(Debug, thiserror::Error)]
#[error("the proxy answered with status {status}")]
pub(crate) struct ProxyRefusal {
    pub(crate) retry_after: Option<Duration>,
    pub(crate) status: u16,
}
