use core::{
    convert::Infallible,
    error::Error as StdError,
    pin::Pin,
    task::{Context, Poll},
};
use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use fulcio_issuance::Refusal;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header, request::Parts};
use http_body::Body;
use http_body_util::Full;
use tower::Service;

use crate::{
    ApiMetrics, Backend, Row,
    calls::Calls,
    json::{self, LegacySigningRequest, SigningRequest},
    panic::{Panicked, contained},
    rpc::Rpc,
};

mod answer;
mod body;
mod cors;

pub use cors::Cors;

/// The API over HTTP and JSON, both versions of it, and the two questions of supervisors
/// (`/healthz`, `/readyz`).
///
/// It takes any body and answers with a whole one. A body may take as long as it likes, so
/// whoever mounts this bounds the time of the whole call; one that is longer than
/// [`MESSAGE_LIMIT`](crate::MESSAGE_LIMIT) is refused.
#[derive(Clone, Debug)]
pub struct HttpApi {
    calls: Arc<Calls>,
    cors: Option<Cors>,
}

impl HttpApi {
    /// Speaks for `backend`, and counts in `metrics`.
    pub fn new(backend: Arc<dyn Backend>, metrics: Arc<ApiMetrics>) -> Self {
        Self {
            calls: Arc::new(Calls::new(backend, metrics)),
            cors: None,
        }
    }

    /// Lets scripts of other origins in. Fulcio does on an HTTP port of its own, and does not on
    /// a port that HTTP shares with gRPC.
    #[must_use]
    pub fn with_cors(mut self, cors: Cors) -> Self {
        self.cors = Some(cors);
        self
    }
}

impl<B> Service<Request<B>> for HttpApi
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let calls = Arc::clone(&self.calls);
        let cors = self.cors;
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            if let Some(cors) = cors
                && let Some(preflight) = cors.preflight(&parts)
            {
                return Ok(preflight);
            }
            let begun = Instant::now();
            let mut response = match contained(route(&calls, &parts, body)).await {
                Ok(response) => response,
                Err(Panicked) => {
                    tracing::error!(path = parts.uri.path(), "a handler panicked");
                    let row = Row::from(&Refusal::Internal);
                    calls.metrics().refused(row.reason);
                    answer::refusal(row, &Refusal::Internal)
                }
            };
            if let Some(cors) = cors {
                cors.mark(&parts, response.headers_mut());
            }
            let status = response.status();
            calls
                .metrics()
                .answered(&parts.method, status, begun.elapsed());
            Ok(response)
        })
    }
}

async fn route<B>(calls: &Calls, parts: &Parts, body: B) -> Response<Full<Bytes>>
where
    B: Body,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let answer = match (parts.uri.path(), &parts.method) {
        ("/api/v2/signingCert", &Method::POST) => signing_certificate(calls, parts, body).await,
        ("/api/v2/trustBundle", &Method::GET) => trust_bundle(calls).await,
        ("/api/v2/configuration", &Method::GET) => configuration(calls).await,
        ("/api/v1/signingCert", &Method::POST) => {
            legacy_signing_certificate(calls, parts, body).await
        }
        ("/api/v1/rootCert", &Method::GET) => legacy_root_certificate(calls).await,
        ("/healthz", &Method::GET) => health(calls).await,
        ("/readyz", &Method::GET) => Ok(readiness(calls)),
        (
            "/api/v2/signingCert"
            | "/api/v2/trustBundle"
            | "/api/v2/configuration"
            | "/api/v1/signingCert"
            | "/api/v1/rootCert"
            | "/healthz"
            | "/readyz",
            _,
        ) => Ok(answer::method_not_allowed()),
        (path, _) if !path.starts_with('/') => Ok(answer::bad_request()),
        _ => Ok(answer::not_found()),
    };
    answer.unwrap_or_else(|refusal| answer::refusal(Row::from(&refusal), &refusal))
}

async fn signing_certificate<B>(
    calls: &Calls,
    parts: &Parts,
    body: B,
) -> Result<Response<Full<Bytes>>, Refusal>
where
    B: Body,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let body = match body::read(body).await {
        Ok(body) => body,
        Err(error) => return Ok(answer::malformed(calls, &error)),
    };
    let request = match SigningRequest::from_json(&body) {
        Ok(request) => request,
        Err(error) => return Ok(answer::malformed(calls, &error)),
    };
    let bearer;
    let token = if request.token.is_empty() {
        bearer = bearer_token(&parts.headers);
        &*bearer
    } else {
        &*request.token
    };
    let context = calls.context(request_id(parts), &parts.extensions);
    let certified = calls
        .issue(
            Rpc::CreateSigningCertificate,
            token,
            Some(request.key.proof()),
            &context,
        )
        .await?;
    Ok(answer::json(json::signing_certificate(&certified)))
}

async fn trust_bundle(calls: &Calls) -> Result<Response<Full<Bytes>>, Refusal> {
    let chains = calls.trust_bundle(Rpc::GetTrustBundle).await?;
    Ok(answer::json(json::trust_bundle(&chains)))
}

async fn configuration(calls: &Calls) -> Result<Response<Full<Bytes>>, Refusal> {
    let issuers = calls.configuration().await?;
    Ok(answer::json(json::configuration(&issuers)))
}

async fn legacy_signing_certificate<B>(
    calls: &Calls,
    parts: &Parts,
    body: B,
) -> Result<Response<Full<Bytes>>, Refusal>
where
    B: Body,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let body = match body::read(body).await {
        Ok(body) => body,
        Err(error) => return Ok(answer::malformed(calls, &error)),
    };
    let request = match LegacySigningRequest::from_json(&body) {
        Ok(request) => request,
        Err(error) => return Ok(answer::malformed(calls, &error)),
    };
    let token = bearer_token(&parts.headers);
    let context = calls.context(request_id(parts), &parts.extensions);
    let certified = calls
        .issue(
            Rpc::LegacyCreateSigningCertificate,
            &token,
            request.proof(),
            &context,
        )
        .await?;
    Ok(answer::legacy_certificate(&certified))
}

async fn legacy_root_certificate(calls: &Calls) -> Result<Response<Full<Bytes>>, Refusal> {
    let chains = calls.trust_bundle(Rpc::LegacyGetRootCertificate).await?;
    Ok(answer::pem(chains.iter().flatten()))
}

/// That the process answers; nothing is looked at, as in Fulcio.
async fn health(calls: &Calls) -> Result<Response<Full<Bytes>>, Refusal> {
    calls.counted(Rpc::HealthCheck, async { Ok(()) }).await?;
    Ok(answer::json(b"{\"status\":\"SERVING\"}\n".to_vec()))
}

fn readiness(calls: &Calls) -> Response<Full<Bytes>> {
    answer::readiness(&calls.readiness())
}

/// The token of the header `Authorization`: whatever is left when the text `Bearer ` is taken
/// out, once, wherever it is.
fn bearer_token(headers: &HeaderMap) -> String {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .map(|credentials| credentials.replacen("Bearer ", "", 1))
        .unwrap_or_default()
}

/// The identifier that the caller chose. `X-Request-Id` itself does not count over HTTP.
fn request_id(parts: &Parts) -> Option<&HeaderValue> {
    parts.headers.get("grpc-metadata-x-request-id")
}
