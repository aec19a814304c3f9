use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use fulcio_issuance::{Certified, Refusal, Timestamp};
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use pki_types::CertificateDer;
use tonic::Code;

use super::forwarded::ForwardError;
use crate::{Readiness, Row, json, pem};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PEM: HeaderValue = HeaderValue::from_static("application/pem-certificate-chain");

pub(super) fn json(body: Vec<u8>) -> Response<Full<Bytes>> {
    response(StatusCode::OK, JSON, body)
}

/// A document that describes the API.
pub(super) fn description(document: &'static str) -> Response<Full<Bytes>> {
    response(StatusCode::OK, JSON, document)
}

/// What the first version of the API answers with: the certificates that a verifier may trust.
pub(super) fn legacy_bundle<'a>(
    certificates: impl IntoIterator<Item = &'a CertificateDer<'a>>,
) -> Response<Full<Bytes>> {
    response(StatusCode::OK, PEM, pem::text(certificates, pem::BUNDLE))
}

/// What the first version of the API answers with: the chain, and a timestamp that is not in the
/// certificate in the header `SCT`.
pub(super) fn legacy_certificate(certified: &Certified) -> Response<Full<Bytes>> {
    let mut response = response(
        StatusCode::CREATED,
        PEM,
        pem::text(&certified.chain, pem::CHAIN),
    );
    if let Timestamp::Detached(timestamp) = &certified.timestamp {
        let timestamp = BASE64_STANDARD.encode(timestamp.to_json());
        if let Ok(timestamp) = HeaderValue::try_from(timestamp) {
            response.headers_mut().insert("sct", timestamp);
        }
    }
    response
}

pub(super) fn readiness(readiness: &Readiness) -> Response<Full<Bytes>> {
    let status = if readiness.is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    response(status, JSON, json::readiness(readiness))
}

pub(crate) fn refusal(refusal: &Refusal) -> Response<Full<Bytes>> {
    failure(Row::from(refusal), &refusal.to_string())
}

/// The answer to a message that cannot be read; it never gets to the back end.
pub(super) fn malformed(message: &str) -> Response<Full<Bytes>> {
    failure(Row::MALFORMED, message)
}

/// The answer to a call whose headers do not let it through.
pub(super) fn not_forwarded(error: &ForwardError) -> Response<Full<Bytes>> {
    let (http, code) = match error {
        ForwardError::Binary { .. } | ForwardError::Timeout(_) => {
            (StatusCode::BAD_REQUEST, Code::InvalidArgument)
        }
        ForwardError::Connection | ForwardError::EmptyKey | ForwardError::Unprintable(_) => {
            (StatusCode::INTERNAL_SERVER_ERROR, Code::Internal)
        }
        ForwardError::Elapsed => (StatusCode::GATEWAY_TIMEOUT, Code::DeadlineExceeded),
    };
    status(http, code, &error.to_string())
}

pub(super) fn bad_request() -> Response<Full<Bytes>> {
    status(
        StatusCode::BAD_REQUEST,
        Code::InvalidArgument,
        "Bad Request",
    )
}

pub(super) fn method_not_allowed() -> Response<Full<Bytes>> {
    status(
        StatusCode::NOT_IMPLEMENTED,
        Code::Unimplemented,
        "Method Not Allowed",
    )
}

pub(super) fn not_found() -> Response<Full<Bytes>> {
    status(StatusCode::NOT_FOUND, Code::NotFound, "Not Found")
}

fn failure(row: Row, message: &str) -> Response<Full<Bytes>> {
    let mut response = status(row.status, row.code, message);
    if let Some(seconds) = row.retry_after_seconds() {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn status(status: StatusCode, code: Code, message: &str) -> Response<Full<Bytes>> {
    response(status, JSON, json::status(code, message))
}

fn response(
    status: StatusCode,
    kind: HeaderValue,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
