use std::sync::{Arc, LazyLock, Mutex};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use fulcio_api::{
    ApiMetrics, Backend, Cors, GrpcApi, HttpApi, Issuing, OidcIssuer, Readiness,
    json::{KeyMaterial, LegacySigningRequest, SigningRequest},
    proto::v2::{CreateSigningCertificateRequest, credentials},
};
use fulcio_issuance::{Certified, Refusal, Request, RequestContext, Timestamp};
use http_body_util::{BodyExt as _, Full};
use pki_types::CertificateDer;
use prost::Message as _;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::{fixed::line, tokens::block_on};

/// The first JSON value of a body, as another parser reads it.
fn first(body: &[u8]) -> Option<Value> {
    serde_json::Deserializer::from_slice(body)
        .into_iter()
        .next()?
        .ok()
}

/// A member under one of its two names.
fn member<'a>(json: &'a Value, camel: &str, snake: &str) -> Option<&'a Value> {
    json.get(camel)
        .or_else(|| json.get(snake))
        .filter(|value| !value.is_null())
}

/// A body of the second version of the API: what is read is written as what is read as the same; another
/// parser reads the same token and request.
pub fn request(data: &[u8]) {
    let request = match SigningRequest::from_json(data) {
        Ok(request) => request,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let written = request.to_json();
    assert_eq!(SigningRequest::from_json(&written).as_ref(), Ok(&request));
    let theirs: Value = serde_json::from_slice(&written).expect("JSON");
    let text = |json: &Value| {
        json["credentials"]["oidcIdentityToken"]
            .as_str()
            .map(str::to_owned)
    };
    assert_eq!(text(&theirs).as_deref(), Some(&*request.token));
    let Some(json) = first(data) else {
        return;
    };
    let token = member(&json, "credentials", "credentials")
        .and_then(|it| member(it, "oidcIdentityToken", "oidc_identity_token"));
    assert_eq!(
        token.and_then(Value::as_str).unwrap_or_default(),
        request.token
    );
    let csr = member(
        &json,
        "certificateSigningRequest",
        "certificate_signing_request",
    );
    assert_eq!(csr.is_some(), matches!(request.key, KeyMaterial::Csr(_)));
    if let (Some(Value::String(theirs)), KeyMaterial::Csr(ours)) = (csr, &request.key)
        && let Ok(theirs) = BASE64_STANDARD.decode(theirs)
    {
        assert_eq!(&theirs, ours);
    }
}

/// A body of the first version of the API: the same.
pub fn legacy_request(data: &[u8]) {
    let request = match LegacySigningRequest::from_json(data) {
        Ok(request) => request,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert_eq!(
        LegacySigningRequest::from_json(&request.to_json()).as_ref(),
        Ok(&request)
    );
    let Some(json) = first(data) else {
        return;
    };
    let bytes = |value: Option<&Value>| match value {
        Some(Value::String(text)) => BASE64_STANDARD.decode(text).ok(),
        _ => None,
    };
    if let Some(csr) = bytes(json.get("certificateSigningRequest")) {
        assert_eq!(csr, request.certificate_signing_request);
    }
    if let Some(signature) = bytes(json.get("signedEmailAddress")) {
        assert_eq!(signature, request.signed_email_address);
    }
    let key = json.get("publicKey").filter(|key| !key.is_null());
    assert_eq!(key.is_some(), request.public_key.is_some());
}

/// Issues something to everybody, and remembers the token of the last one.
#[derive(Debug, Default)]
struct Generous {
    token: Mutex<Option<String>>,
}

impl Backend for Generous {
    fn issue<'a>(&'a self, request: Request<'a>, _context: &'a RequestContext) -> Issuing<'a> {
        *self.token.lock().expect("nobody panics") = Some(request.token.to_owned());
        let chain = vec![CertificateDer::from_slice(b"certificate")];
        Box::pin(async { Ok(Certified::new(chain, Timestamp::None)) })
    }

    fn trust_bundle(&self) -> Result<Vec<Vec<CertificateDer<'static>>>, Refusal> {
        Ok(vec![vec![CertificateDer::from_slice(b"root")]])
    }

    fn configuration(&self) -> Vec<OidcIssuer> {
        Vec::new()
    }

    fn readiness(&self) -> Readiness {
        Readiness::default()
    }
}

static METRICS: LazyLock<Arc<ApiMetrics>> =
    LazyLock::new(|| Arc::new(ApiMetrics::new(&metrics::NoopRecorder)));

/// A whole HTTP request: method and path in the first line, then headers, an empty line, and a body. It is
/// never answered as a fault of the server; a refusal of the API is JSON; a certificate is for the token that
/// the request has.
pub fn http(data: &[u8]) {
    let Some((request, body)) = request_of(data) else {
        return;
    };
    let backend = Arc::new(Generous::default());
    let shared = Arc::clone(&backend) as Arc<dyn Backend>;
    let api = HttpApi::new(shared, Arc::clone(&METRICS)).with_cors(Cors::FULCIO);
    let carriers: Vec<_> = request
        .headers()
        .values()
        .map(|value| value.as_bytes().to_vec())
        .collect();
    let path = request.uri().path().to_owned();
    let (answer, content) = block_on(async {
        let (answer, content) = api.oneshot(request).await.expect("infallible").into_parts();
        (
            answer,
            content.collect().await.expect("infallible").to_bytes(),
        )
    });
    let status = answer.status.as_u16();
    let kind = answer
        .headers
        .get("content-type")
        .map(|kind| kind.as_bytes());
    if kind == Some(b"application/json") {
        let json: Value = serde_json::from_slice(&content).expect("JSON");
        assert_ne!(json["message"], Refusal::Internal.to_string(), "{status}");
    }
    let token = backend.token.lock().expect("nobody panics").take();
    if let Some(token) = token.filter(|token| !token.is_empty()) {
        let in_body = path.ends_with("/v2/signingCert")
            && SigningRequest::from_json(&body).is_ok_and(|request| request.token == token);
        let in_header = carriers
            .iter()
            .any(|value| carries(value, token.as_bytes()));
        assert!(in_body || in_header, "{token:?}");
    }
}

/// Whether this value of a header stands for the token. The mark of a bearer token counts wherever it first
/// stands, also in the middle: what is before and after it is the token.
fn carries(value: &[u8], token: &[u8]) -> bool {
    const MARK: &[u8] = b"Bearer ";
    let mark = value.windows(MARK.len()).position(|part| part == MARK);
    let unmarked = mark.map(|at| [&value[..at], &value[at + MARK.len()..]].concat());
    let contains = |text: &[u8]| text.windows(token.len()).any(|part| part == token);
    contains(value) || unmarked.is_some_and(|text| contains(&text))
}

fn request_of(data: &[u8]) -> Option<(http::Request<Full<Bytes>>, Bytes)> {
    let (first, mut rest) = line(data);
    let first = core::str::from_utf8(first).ok()?;
    let (method, path) = first.split_once(' ')?;
    let mut request = http::Request::builder().method(method).uri(path);
    loop {
        let (header, after) = line(rest);
        rest = after;
        let Some(colon) = header.iter().position(|byte| *byte == b':') else {
            break;
        };
        request = request.header(&header[..colon], header[colon + 1..].trim_ascii());
    }
    let body = Bytes::copy_from_slice(rest);
    Some((request.body(Full::new(body.clone())).ok()?, body))
}

/// A message to `CreateSigningCertificate`: a certificate is issued if and only if prost reads the message, and for the token in it.
/// The same bytes are then sent in place of the whole stream of messages.
pub fn grpc(data: &[u8]) {
    let length = u32::try_from(data.len()).expect("short");
    let framed = [&[0], &length.to_be_bytes()[..], data].concat();
    let (status, asked) = called(framed);
    match CreateSigningCertificateRequest::decode(data) {
        Ok(message) => {
            let token = message
                .credentials
                .and_then(|credentials| credentials.credentials)
                .map(|credentials::Credentials::OidcIdentityToken(token)| token);
            assert_eq!(asked.as_deref(), Some(token.as_deref().unwrap_or_default()));
            assert_eq!(status, 0);
        }
        Err(_) => {
            assert_eq!(asked, None);
            assert_ne!(status, 0);
        }
    }
    let _ = called(data.to_vec());
}

/// The status of an answer, and the token that was asked with.
fn called(body: Vec<u8>) -> (u32, Option<String>) {
    let backend = Arc::new(Generous::default());
    let shared = Arc::clone(&backend) as Arc<dyn Backend>;
    let api = GrpcApi::new(shared, Arc::clone(&METRICS)).authority();
    let request = http::Request::post("/dev.sigstore.fulcio.v2.CA/CreateSigningCertificate")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Full::new(Bytes::from(body)))
        .expect("a request");
    let status = block_on(async {
        let answer = api.oneshot(request).await.expect("infallible");
        let (head, body) = answer.into_parts();
        let body = body.collect().await.expect("an answer");
        let status = |headers: &http::HeaderMap| {
            let text = headers.get("grpc-status")?.to_str().ok()?;
            text.parse::<u32>().ok()
        };
        status(&head.headers).or_else(|| status(body.trailers()?))
    });
    // INTERNAL is also the code for a message that cannot be read, so only a missing one is wrong.
    let status = status.expect("a status");
    let asked = backend.token.lock().expect("nobody panics").take();
    (status, asked)
}
