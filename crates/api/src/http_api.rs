use core::{
    convert::Infallible,
    error::Error as StdError,
    pin::{Pin, pin},
    task::{Context, Poll},
};
use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use fulcio_issuance::Refusal;
use http::{HeaderValue, Method, Request, Response, request::Parts};
use http_body::Body;
use http_body_util::Full;
use tower::Service;

use crate::{
    ApiMetrics, Backend, Part, Row, Serving,
    calls::Calls,
    json::{self, LegacySigningRequest, SigningRequest},
    openapi,
    panic::{Panicked, contained},
    rpc::{Rpc, Transport},
};

mod answer;
mod body;
mod cors;
mod endpoint;
mod failure;
mod forwarded;

pub(crate) use answer::refusal;
pub use cors::Cors;

use endpoint::Endpoint;
use failure::Failure;
use forwarded::{Forwarded, bearer_token};

/// The API over HTTP and JSON, both versions of it with their [descriptions](crate::openapi), and
/// the two questions of supervisors (`/healthz`, `/readyz`).
///
/// It takes any body and answers with a whole one. A body may take as long as it likes, so
/// whoever mounts this bounds the time of the whole call; one that is longer than
/// [`MESSAGE_LIMIT`](crate::MESSAGE_LIMIT) is refused.
#[derive(Clone, Debug)]
pub struct HttpApi {
    calls: Arc<Calls>,
    cors: Option<Cors>,
    serving: Option<Serving>,
}

impl HttpApi {
    /// Speaks for `backend`, and counts in `metrics`.
    pub fn new(backend: Arc<dyn Backend>, metrics: Arc<ApiMetrics>) -> Self {
        Self {
            calls: Arc::new(Calls::new(Transport::Http, backend, metrics)),
            cors: None,
            serving: None,
        }
    }

    /// All that is served: paths, each with the one method that it answers.
    pub fn endpoints() -> impl Iterator<Item = (Method, &'static str)> {
        Endpoint::ALL
            .into_iter()
            .map(|endpoint| (endpoint.method(), endpoint.path()))
    }

    /// Is not ready any more as soon as `serving` has stopped.
    #[must_use]
    pub fn with_serving(mut self, serving: Serving) -> Self {
        self.serving = Some(serving);
        self
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
        let (cors, serving) = (self.cors, self.serving.clone());
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            if let Some(cors) = cors
                && let Some(preflight) = cors.preflight(&parts)
            {
                return Ok(preflight);
            }
            let begun = Instant::now();
            let stopping = serving.is_some_and(|serving| !serving.is_on());
            let mut response = match contained(pin!(route(&calls, stopping, &parts, body))).await {
                Ok(response) => response,
                Err(Panicked) => {
                    tracing::error!(path = parts.uri.path(), "a handler panicked");
                    calls
                        .metrics()
                        .refused(Row::from(&Refusal::Internal).reason);
                    refusal(&Refusal::Internal)
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

async fn route<B>(calls: &Calls, stopping: bool, parts: &Parts, body: B) -> Response<Full<Bytes>>
where
    B: Body,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let path = parts.uri.path();
    let Some(endpoint) = Endpoint::at(path) else {
        return if path.starts_with('/') {
            answer::not_found()
        } else {
            answer::bad_request()
        };
    };
    if parts.method != endpoint.method() {
        return answer::method_not_allowed();
    }
    if stopping && matches!(endpoint, Endpoint::Readiness) {
        let mut readiness = calls.readiness();
        readiness.parts.push(Part::at_fault("server", "stopping"));
        return answer::readiness(&readiness);
    }
    let answer = endpoint_answer(calls, endpoint, parts, body).await;
    answer.unwrap_or_else(|failure| failure.answer(calls, endpoint, parts))
}

async fn endpoint_answer<B>(
    calls: &Calls,
    endpoint: Endpoint,
    parts: &Parts,
    body: B,
) -> Result<Response<Full<Bytes>>, Failure>
where
    B: Body,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let forwarded = Forwarded::of(&parts.headers)?;
    match endpoint {
        Endpoint::Configuration => configuration(calls, forwarded).await,
        Endpoint::Description => Ok(answer::description(openapi::V2)),
        Endpoint::Health => health(calls, forwarded).await,
        Endpoint::LegacyDescription => Ok(answer::description(openapi::V1)),
        Endpoint::LegacyRootCertificate => legacy_root_certificate(calls, forwarded).await,
        Endpoint::LegacySigningCertificate => {
            legacy_signing_certificate(calls, forwarded, parts, body).await
        }
        Endpoint::Readiness => Ok(answer::readiness(&calls.readiness())),
        Endpoint::SigningCertificate => signing_certificate(calls, forwarded, parts, body).await,
        Endpoint::TrustBundle => trust_bundle(calls, forwarded).await,
    }
}

async fn signing_certificate<B>(
    calls: &Calls,
    forwarded: Forwarded,
    parts: &Parts,
    body: B,
) -> Result<Response<Full<Bytes>>, Failure>
where
    B: Body,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let body = body::read(body).await?;
    let request = SigningRequest::from_json(&body)?;
    let token = if request.token.is_empty() {
        bearer_token(&parts.headers).into()
    } else {
        request.token
    };
    let rpc = Rpc::CreateSigningCertificate;
    let context = calls.context(rpc, request_id(parts), &parts.extensions);
    let proof = Some(request.key.proof());
    let certified = forwarded
        .within(calls.issue(rpc, &token, proof, &context))
        .await?;
    Ok(answer::json(json::signing_certificate(&certified)))
}

async fn trust_bundle(
    calls: &Calls,
    forwarded: Forwarded,
) -> Result<Response<Full<Bytes>>, Failure> {
    let chains = forwarded
        .within(calls.trust_bundle(Rpc::GetTrustBundle))
        .await?;
    Ok(answer::json(json::trust_bundle(&chains)))
}

async fn configuration(
    calls: &Calls,
    forwarded: Forwarded,
) -> Result<Response<Full<Bytes>>, Failure> {
    let issuers = forwarded.within(calls.configuration()).await?;
    Ok(answer::json(json::configuration(&issuers)))
}

async fn legacy_signing_certificate<B>(
    calls: &Calls,
    forwarded: Forwarded,
    parts: &Parts,
    body: B,
) -> Result<Response<Full<Bytes>>, Failure>
where
    B: Body,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let body = body::read(body).await?;
    let request = LegacySigningRequest::from_json(&body)?;
    let token = bearer_token(&parts.headers);
    let rpc = Rpc::LegacyCreateSigningCertificate;
    let context = calls.context(rpc, request_id(parts), &parts.extensions);
    let certified = forwarded
        .within(calls.issue(rpc, &token, request.proof(), &context))
        .await?;
    Ok(answer::legacy_certificate(&certified))
}

async fn legacy_root_certificate(
    calls: &Calls,
    forwarded: Forwarded,
) -> Result<Response<Full<Bytes>>, Failure> {
    let chains = forwarded
        .within(calls.trust_bundle(Rpc::LegacyGetRootCertificate))
        .await?;
    Ok(answer::legacy_bundle(chains.iter().flatten()))
}

/// That the process answers; nothing is looked at, as in Fulcio.
async fn health(calls: &Calls, forwarded: Forwarded) -> Result<Response<Full<Bytes>>, Failure> {
    forwarded
        .within(calls.counted(Rpc::HealthCheck, async { Ok(()) }))
        .await?;
    Ok(answer::json(b"{\"status\":\"SERVING\"}\n".to_vec()))
}

/// The identifier that the caller chose. `X-Request-Id` itself does not count over HTTP.
fn request_id(parts: &Parts) -> Option<&HeaderValue> {
    parts.headers.get("grpc-metadata-x-request-id")
}
