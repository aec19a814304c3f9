//! The Sigstore wire protocol of a certificate authority: HTTP and gRPC as bare tower services.
//!
//! [`HttpApi`] is the JSON half and [`GrpcApi`] makes the gRPC half; both speak for one
//! [`Backend`], which answers each request from one state of its configuration. What goes over
//! the wire follows Sigstore's Fulcio to the letter: names, codes, texts, white space. There are no
//! listeners in here, no TLS, no deadlines: whoever mounts the services brings them.
//!
//! Programs can read what the API is: [`openapi`] describes the JSON half, and [`Reflection`] the
//! gRPC half.
//!
//! What a caller is told about a failure is the `Display` of a
//! [`Refusal`](fulcio_issuance::Refusal); [`Row`] is the one table that gives each refusal its
//! gRPC code, its HTTP status and its [`Reason`] in the metrics.
//!
//! ```
//! use std::sync::Arc;
//!
//! use bytes::Bytes;
//! use fulcio_api::{ApiMetrics, Backend, HttpApi, Issuing, OidcIssuer, Readiness};
//! use fulcio_issuance::{Refusal, Request, RequestContext};
//! use http_body_util::{BodyExt, Full};
//! use pki_types::CertificateDer;
//! use tower::ServiceExt;
//!
//! /// Believes nobody.
//! #[derive(Debug)]
//! struct Closed;
//!
//! impl Backend for Closed {
//!     fn issue<'a>(&'a self, _: Request<'a>, _: &'a RequestContext) -> Issuing<'a> {
//!         Box::pin(async { Err(Refusal::IdentityToken) })
//!     }
//!     fn trust_bundle(&self) -> Result<Vec<Vec<CertificateDer<'static>>>, Refusal> {
//!         Ok(Vec::new())
//!     }
//!     fn configuration(&self) -> Vec<OidcIssuer> {
//!         Vec::new()
//!     }
//!     fn readiness(&self) -> Readiness {
//!         Readiness::default()
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let metrics = Arc::new(ApiMetrics::new(&metrics::NoopRecorder));
//! let api = HttpApi::new(Arc::new(Closed), metrics);
//!
//! let request = http::Request::post("/api/v2/signingCert").body(Full::<Bytes>::default())?;
//! let response = api.oneshot(request).await?;
//!
//! assert_eq!(response.status(), 400);
//! let body = response.into_body().collect().await?.to_bytes();
//! assert_eq!(
//!     body,
//!     r#"{"code":3,"message":"There was an error processing the identity token","details":[]}"#,
//! );
//! # Ok(())
//! # }
//! ```

mod backend;
mod binary_metadata;
mod calls;
mod context;
mod deadline;
mod grpc;
mod http_api;
pub mod json;
mod metrics;
pub mod openapi;
mod panic;
mod pem;
pub mod proto;
mod refusal;
mod rpc;
mod turn_away;

pub use backend::{Backend, IssuerUrl, Issuing, OidcIssuer, Part, Readiness};
pub use context::Peer;
pub use grpc::{
    Authority, GrpcApi, GrpcService, Health, LegacyAuthority, Reflection, Serving, unknown_service,
};
pub use http_api::{Cors, HttpApi};
pub use metrics::{ApiMetrics, code_name};
pub use refusal::{Reason, Row};
pub use turn_away::{is_grpc, turn_away};

/// The longest message that is taken, 4 MiB: an HTTP body, or a gRPC message.
pub const MESSAGE_LIMIT: usize = 4 << 20;
