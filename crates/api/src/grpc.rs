//! The API over gRPC.

use std::sync::Arc;

use fulcio_issuance::{Refusal, RequestContext};
use http::HeaderValue;
use tonic::{
    Status,
    codec::CompressionEncoding,
    metadata::{AsciiMetadataValue, MetadataMap},
};

use crate::{
    ApiMetrics, Backend, MESSAGE_LIMIT, Row,
    calls::Calls,
    proto::{
        health::health_server::HealthServer, v1beta::ca_server::CaServer as LegacyCaServer,
        v2::ca_server::CaServer,
    },
    rpc::{Rpc, Transport},
};

mod authority;
mod call_head;
mod health;
mod legacy_authority;
mod reflection;
mod service;

pub use authority::Authority;
pub use health::{Health, Serving};
pub use legacy_authority::LegacyAuthority;
pub use reflection::Reflection;
pub use service::{GrpcService, unknown_service};

/// Makes the services of the API over gRPC, for a server to mount.
#[derive(Clone, Debug)]
pub struct GrpcApi {
    calls: Arc<Calls>,
}

impl GrpcApi {
    /// Speaks for `backend`, and counts in `metrics`.
    pub fn new(backend: Arc<dyn Backend>, metrics: Arc<ApiMetrics>) -> Self {
        Self {
            calls: Arc::new(Calls::new(Transport::Grpc, backend, metrics)),
        }
    }

    /// The second version of the API, `dev.sigstore.fulcio.v2.CA`.
    #[must_use]
    pub fn authority(&self) -> GrpcService<CaServer<Authority>> {
        let authority = Authority::new(Arc::clone(&self.calls));
        let server = CaServer::new(authority)
            .max_decoding_message_size(MESSAGE_LIMIT)
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip);
        GrpcService::new(server).telling(&self.calls)
    }

    /// The first version of the API, `dev.sigstore.fulcio.v1beta.CA`. Fulcio serves it only on a
    /// port that gRPC shares with HTTP.
    #[must_use]
    pub fn legacy_authority(&self) -> GrpcService<LegacyCaServer<LegacyAuthority>> {
        let authority = LegacyAuthority::new(Arc::clone(&self.calls));
        let server = LegacyCaServer::new(authority)
            .max_decoding_message_size(MESSAGE_LIMIT)
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip);
        GrpcService::new(server).telling(&self.calls)
    }

    /// The health checking protocol, `grpc.health.v1.Health`, which tells of `serving`.
    #[must_use]
    pub fn health(&self, serving: &Serving) -> GrpcService<HealthServer<Health>> {
        let health = Health::new(Arc::clone(&self.calls), serving);
        let server = HealthServer::new(health)
            .max_decoding_message_size(MESSAGE_LIMIT)
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip);
        GrpcService::new(server)
    }
}

/// A refusal as gRPC says it. When to ask again is in the metadata `retry-after`, in seconds.
pub(crate) fn status(refusal: &Refusal) -> Status {
    let row = Row::from(refusal);
    let mut status = Status::new(row.code, refusal.to_string());
    if let Some(seconds) = row.retry_after_seconds() {
        status
            .metadata_mut()
            .insert("retry-after", AsciiMetadataValue::from(seconds));
    }
    status
}

/// The token of the metadata `oidcidentitytoken`, which counts only when it is there once.
fn token_of(metadata: &MetadataMap) -> &str {
    let mut tokens = metadata.get_all("oidcidentitytoken").iter();
    match (tokens.next(), tokens.next()) {
        (Some(token), None) => token.to_str().unwrap_or_default(),
        _ => "",
    }
}

fn context_of<T>(calls: &Calls, rpc: Rpc, request: &tonic::Request<T>) -> RequestContext {
    let id: Option<HeaderValue> = request
        .metadata()
        .get("x-request-id")
        .and_then(|id| HeaderValue::from_bytes(id.as_bytes()).ok());
    calls.context(rpc, id.as_ref(), request.extensions())
}
