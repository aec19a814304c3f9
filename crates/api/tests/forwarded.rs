//! What headers say beside the request: Fulcio's gateway passes some on, and fails where it cannot.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use bytes::Bytes;
use http::HeaderValue;
use http_body_util::Full;
use support::{Answer, FakeBackend, Fixture, Reply};
use tonic::codegen::Service as _;

const BODY: &str = r#"{"credentials":{"oidcIdentityToken":"a.b.c"}}"#;

async fn ask(fixture: &Fixture, path: &str, headers: &[(&str, &[u8])]) -> Reply {
    let mut request = match path.ends_with("Cert") && !path.ends_with("rootCert") {
        true => http::Request::post(path).body(Full::<Bytes>::from(BODY)),
        false => http::Request::get(path).body(Full::default()),
    }
    .unwrap();
    for (name, value) in headers {
        let name = name.parse::<http::HeaderName>().unwrap();
        let value = HeaderValue::from_bytes(value).unwrap();
        request.headers_mut().append(name, value);
    }
    fixture.send(request).await
}

#[tokio::test]
async fn a_header_that_cannot_be_passed_on_fails_the_call() {
    for (name, value, status, message) in [
        ("grpc-timeout", &b"10"[..], 400, "invalid grpc-timeout: 10"),
        ("grpc-timeout", b"-1S", 504, "context deadline exceeded"),
        (
            "grpc-metadata-",
            b"x",
            500,
            "there is an empty key in the header",
        ),
        (
            "grpc-metadata-x-bin",
            b"not base64!",
            400,
            "invalid binary header Grpc-Metadata-X-Bin: illegal base64 data at input byte 3",
        ),
        (
            "grpc-metadata-connection",
            b"x",
            500,
            "stream terminated by RST_STREAM with error code: PROTOCOL_ERROR",
        ),
        (
            "authorization",
            b"Bearer \xc3\xa4",
            500,
            "header key \\\"authorization\\\" contains value with non-printable ASCII characters",
        ),
    ] {
        let fixture = Fixture::new(FakeBackend::issuing());
        for path in ["/api/v2/signingCert", "/api/v2/trustBundle", "/healthz"] {
            let reply = ask(&fixture, path, &[(name, value)]).await;
            assert_eq!(reply.status, status, "{path} {name}");
            assert!(reply.body.contains(message), "{path} {}", reply.body);
        }
        assert!(fixture.backend.asked().is_empty(), "{name}");
    }
}

#[tokio::test]
async fn headers_that_can_be_passed_on_change_nothing() {
    let fixture = Fixture::new(FakeBackend::issuing());
    for (name, value) in [
        ("grpc-timeout", &b""[..]),
        ("grpc-timeout", b"0S"),
        ("grpc-timeout", b"10S"),
        ("grpc-metadata-x", b"\xc3\xa4"),
        ("grpc-metadata-x-bin", b"AQID"),
        ("expect", b"100-continue"),
    ] {
        let reply = ask(&fixture, "/api/v2/signingCert", &[(name, value)]).await;
        assert_eq!(reply.status, 200, "{name} {}", reply.body);
    }
}

#[tokio::test]
async fn a_token_that_is_metadata_and_a_header_is_none() {
    let fixture = Fixture::new(FakeBackend::issuing());
    let bearer = ("authorization", &b"Bearer a.b.c"[..]);
    ask(&fixture, "/api/v1/signingCert", &[bearer]).await;
    let post = |headers: Vec<(&'static str, &'static [u8])>| {
        let fixture = &fixture;
        async move {
            let mut request = http::Request::post("/api/v1/signingCert")
                .body(Full::<Bytes>::from(r#"{"publicKey":{}}"#))
                .unwrap();
            for (name, value) in headers {
                let name = name.parse::<http::HeaderName>().unwrap();
                let value = HeaderValue::from_bytes(value).unwrap();
                request.headers_mut().append(name, value);
            }
            fixture.send(request).await
        }
    };
    post(vec![("authorization", b"Bearer a.b.c")]).await;
    post(vec![
        ("authorization", b"Bearer a.b.c"),
        ("grpc-metadata-oidcidentitytoken", b""),
    ])
    .await;
    let tokens: Vec<_> = fixture
        .backend
        .asked()
        .into_iter()
        .map(|asked| asked.token)
        .collect();
    assert_eq!(tokens, ["a.b.c", ""]);
}

#[tokio::test]
async fn a_call_has_the_time_that_it_asks_for() {
    let fixture = Fixture::new(FakeBackend::new(Answer::Wait));
    let reply = ask(&fixture, "/api/v2/signingCert", &[("grpc-timeout", b"10m")]).await;
    assert_eq!(reply.status, 504);
    assert!(reply.body.contains(r#""code":4"#), "{}", reply.body);
}

#[tokio::test]
async fn grpc_refuses_headers_before_it_looks_at_the_method() {
    let fixture = Fixture::new(FakeBackend::issuing());
    for (name, value, http, code, message) in [
        (
            "grpc-timeout",
            "10",
            400,
            "13",
            "malformed grpc-timeout: transport: timeout unit is not recognized: \"10\"",
        ),
        ("grpc-timeout", "0S", 200, "4", "context deadline exceeded"),
        (
            "x-bin",
            "not base64!",
            400,
            "13",
            "malformed binary metadata \"not base64!\" in header \"x-bin\": illegal base64 data at input byte 3",
        ),
    ] {
        let request = http::Request::post("/dev.sigstore.fulcio.v2.CA/CreateSigningCertificate")
            .header("content-type", "application/grpc")
            .header(name, value)
            .body(Full::<Bytes>::from(vec![0; 5]))
            .unwrap();
        let response = fixture.grpc.authority().call(request).await.unwrap();
        assert_eq!(response.status(), http, "{name}");
        assert_eq!(response.headers()["grpc-status"], code, "{name}");
        let status = tonic::Status::from_header_map(response.headers()).unwrap();
        assert_eq!(status.message(), message);
    }
    assert!(fixture.backend.asked().is_empty());
}
