use bytes::Bytes;
use fulcio_issuance::Refusal;
use http::{Request, Response, Version, header};
use http_body_util::Full;
use tonic::body::Body;

use crate::{ApiMetrics, Row, grpc, http_api};

/// Refuses a request before anything of it is read but its head, in the way that its protocol refuses, and counts it.
pub fn turn_away(is_grpc: bool, refusal: &Refusal, metrics: Option<&ApiMetrics>) -> Response<Body> {
    if let Some(metrics) = metrics {
        metrics.refused(Row::from(refusal).reason);
    }
    if is_grpc {
        grpc::status(refusal).into_http()
    } else {
        let answer: Response<Full<Bytes>> = http_api::refusal(refusal);
        answer.map(Body::new)
    }
}

/// Whether a request is a call of gRPC, and not one of HTTP.
pub fn is_grpc<B>(request: &Request<B>) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE);
    request.version() == Version::HTTP_2
        && kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}
