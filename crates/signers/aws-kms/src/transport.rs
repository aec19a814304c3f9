//! HTTP for the SDK.

use core::{fmt, time::Duration};

use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::ClientConfig;

use crate::Error;

/// Talks HTTP/1.1; connections are kept and used again, one request at a time on each.
///
/// It is given its TLS, where the SDK's own client looks for roots in the environment, and panics
/// over those it cannot read.
#[derive(Clone)]
pub(crate) struct Transport {
    client: Client<HttpsConnector<connect::HttpConnector>, SdkBody>,
    limit: Option<Duration>,
}

impl Transport {
    pub(crate) fn new(tls: ClientConfig) -> Self {
        let mut tcp = connect::HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        Self {
            client,
            limit: None,
        }
    }

    async fn ask(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let Some(limit) = self.limit else {
            return self.answer(request).await;
        };
        tokio::time::timeout(limit, self.answer(request))
            .await
            .unwrap_or_else(|_elapsed| Err(ConnectorError::timeout(Error::Late { limit }.into())))
    }

    async fn answer(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = request
            .try_into_http1x()
            .map_err(|error| ConnectorError::user(error.into()))?;
        let answer = self
            .client
            .request(request)
            .await
            .map_err(|error| ConnectorError::io(error.into()))?;
        let (head, body) = answer.into_parts();
        let body = match Limited::new(body, MAX_ANSWER).collect().await {
            Ok(body) => SdkBody::from(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => {
                let error = Error::AnswerTooLong { limit: MAX_ANSWER };
                return Err(ConnectorError::other(error.into(), None));
            }
            Err(error) => return Err(ConnectorError::io(error)),
        };
        HttpResponse::try_from(http::Response::from_parts(head, body))
            .map_err(|error| ConnectorError::other(error.into(), None))
    }
}

impl HttpClient for Transport {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        // One limit for both: connecting and answering are one wait for whoever waits.
        let limit = match (settings.connect_timeout(), settings.read_timeout()) {
            (Some(connect), Some(read)) => Some(connect + read),
            (one, other) => one.or(other),
        };
        SharedHttpConnector::new(Self {
            client: self.client.clone(),
            limit,
        })
    }
}

impl HttpConnector for Transport {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().ask(request))
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// AWS closes what is idle for longer.
const IDLE: Duration = Duration::from_secs(20);
/// Far more than a public key with all that is said about it.
const MAX_ANSWER: usize = 1024 * 1024;
