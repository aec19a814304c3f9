//! The API over HTTP, beyond what Fulcio's samples show.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use fulcio_api::{Cors, IssuerUrl, MESSAGE_LIMIT, OidcIssuer, Part, Peer, Readiness};
use fulcio_ct_client::SignedCertificateTimestamp;
use fulcio_issuance::{Certified, Refusal, Timestamp};
use http::Request;
use http_body_util::{Full, StreamBody};
use serde_json::{Value, json};
use support::{
    Answer, FakeBackend, Fixture, chain, email_issuer, part_at_fault, refusals, timestamp,
};
use tower::ServiceExt as _;

const V2: &str = "/api/v2/signingCert";
const V1: &str = "/api/v1/signingCert";

fn with_token(path: &str, authorization: &str, body: &'static str) -> Request<Full<Bytes>> {
    Request::post(path)
        .header("authorization", authorization)
        .body(Full::from(body))
        .unwrap()
}

#[tokio::test]
async fn every_refusal_has_its_codes_its_text_and_its_reason() {
    for (refusal, code, status, retry_after, reason) in refusals() {
        let text = refusal.to_string();
        let fixture = Fixture::new(FakeBackend::refusing(refusal));
        for path in [V2, V1] {
            let body = r#"{"certificateSigningRequest":"AQID"}"#;
            let reply = fixture.post(path, body).await;

            assert_eq!(reply.status, status, "{reason}");
            assert_eq!(reply.header("content-type"), Some("application/json"));
            assert_eq!(reply.header("retry-after"), retry_after, "{reason}");
            let status: Value = serde_json::from_str(&reply.body).unwrap();
            assert_eq!(
                status,
                json!({"code": code, "message": text, "details": []})
            );
        }
        let series = format!(r#"fulcio_refusals_total{{reason="{reason}"}}"#);
        assert_eq!(fixture.metric(&series), Some(2.0));
    }
}

#[tokio::test]
async fn the_token_of_the_body_wins_over_the_header() {
    let fixture = Fixture::new(FakeBackend::issuing());
    let body = r#"{"credentials":{"oidcIdentityToken":"of.the.body"}}"#;
    fixture
        .send(with_token(V2, "Bearer of.the.header", body))
        .await;
    assert_eq!(fixture.backend.asked()[0].token, "of.the.body");
}

#[tokio::test]
async fn the_token_of_the_header_counts_when_the_body_has_none() {
    for body in [
        "",
        "{}",
        r#"{"credentials":{"oidcIdentityToken":""}}"#,
        r#"{"credentials":null}"#,
    ] {
        let fixture = Fixture::new(FakeBackend::issuing());
        fixture.send(with_token(V2, "Bearer a.b.c", body)).await;
        assert_eq!(fixture.backend.asked()[0].token, "a.b.c", "{body}");
    }
}

#[tokio::test]
async fn the_word_bearer_is_taken_out_once_wherever_it_is() {
    for (header, token) in [
        ("Bearer a.b.c", "a.b.c"),
        ("a.b.c", "a.b.c"),
        ("bearer a.b.c", "bearer a.b.c"),
        ("Basic abc", "Basic abc"),
        ("a.Bearer b.c", "a.b.c"),
        ("Bearer Bearer a.b.c", "Bearer a.b.c"),
    ] {
        for (path, body) in [(V2, ""), (V1, r#"{"publicKey":{}}"#)] {
            let fixture = Fixture::new(FakeBackend::issuing());
            fixture.send(with_token(path, header, body)).await;
            assert_eq!(fixture.backend.asked()[0].token, token, "{path} {header}");
        }
    }
}

#[tokio::test]
async fn the_key_and_the_proof_reach_the_back_end() {
    let fixture = Fixture::new(FakeBackend::issuing());
    let key = r#"{"publicKeyRequest":{"publicKey":{"content":"k\n"},"proofOfPossession":"AQID"}}"#;
    fixture.post(V2, key).await;
    fixture
        .post(V2, r#"{"certificateSigningRequest":"AQID"}"#)
        .await;
    fixture
        .post(V2, r#"{"certificateSigningRequest":""}"#)
        .await;
    let key = r#"{"publicKey":{"content":"MFkw"},"signedEmailAddress":"AQID"}"#;
    fixture.post(V1, key).await;
    let both = r#"{"publicKey":{"content":"MFkw"},"certificateSigningRequest":"AQID"}"#;
    fixture.post(V1, both).await;

    let asked = fixture.backend.asked();
    let parts = |at: usize| (&*asked[at].key, &*asked[at].signature, &*asked[at].csr);
    assert_eq!(parts(0), (&b"k\n"[..], &[1, 2, 3][..], &[][..]));
    assert_eq!(parts(1), (&[][..], &[][..], &[1, 2, 3][..]));
    assert_eq!(parts(2), (&[][..], &[][..], &[][..]));
    assert_eq!(parts(3), (&[0x30, 0x59, 0x30][..], &[1, 2, 3][..], &[][..]));
    assert_eq!(parts(4), (&[][..], &[][..], &[1, 2, 3][..]));
}

#[tokio::test]
async fn a_legacy_request_without_a_key_is_refused_before_its_token_is_looked_at() {
    let fixture = Fixture::new(FakeBackend::refusing(Refusal::IdentityToken));
    for body in [
        "",
        "{}",
        r#"{"publicKey":null,"certificateSigningRequest":""}"#,
    ] {
        let reply = fixture.post(V1, body).await;
        assert_eq!(reply.status, 400);
        let text = Refusal::KeyUnparsable.to_string();
        assert!(reply.body.contains(&text), "{}", reply.body);
    }
    assert_eq!(fixture.backend.asked(), []);
}

#[tokio::test]
async fn a_detached_timestamp_is_in_the_body_of_v2_and_in_a_header_of_v1() {
    let detached = Timestamp::Detached(timestamp());
    let fixture = Fixture::new(FakeBackend::new(Answer::Issue(Certified::new(
        chain(),
        detached,
    ))));
    let decode = |encoded: &str| {
        SignedCertificateTimestamp::from_json(&BASE64_STANDARD.decode(encoded).unwrap()).unwrap()
    };

    let reply = fixture.post(V2, "").await;
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(body.as_object().unwrap().len(), 1);
    let body = &body["signedCertificateDetachedSct"];
    assert_eq!(
        decode(body["signedCertificateTimestamp"].as_str().unwrap()),
        timestamp()
    );
    assert_eq!(reply.header("sct"), None);

    let reply = fixture.post(V1, r#"{"publicKey":{}}"#).await;
    assert_eq!(reply.status, 201);
    assert_eq!(decode(reply.header("sct").unwrap()), timestamp());
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_not() {
    let fixture = Fixture::new(FakeBackend::issuing());
    let body = |length: usize| format!("{{\"x\":\"{}\"}}", "a".repeat(length - 8));
    assert_eq!(fixture.post(V2, body(MESSAGE_LIMIT)).await.status, 200);
    for length in [MESSAGE_LIMIT + 1, 3 * MESSAGE_LIMIT] {
        let reply = fixture.post(V2, body(length)).await;
        assert_eq!(reply.status, 400);
        let expected = r#"{"code":3,"message":"http: request body too large","details":[]}"#;
        assert_eq!(reply.body, expected);
    }
    let refused = fixture.metric(r#"fulcio_refusals_total{reason="malformed"}"#);
    assert_eq!(refused, Some(2.0));
}

type Piece = Result<http_body::Frame<Bytes>, std::io::Error>;

fn pieces(pieces: Vec<Piece>) -> Request<StreamBody<impl Pieces>> {
    let body = StreamBody::new(tonic::codegen::tokio_stream::iter(pieces));
    Request::post(V2).body(body).unwrap()
}

trait Pieces: tonic::codegen::tokio_stream::Stream<Item = Piece> + Send + 'static {}
impl<S: tonic::codegen::tokio_stream::Stream<Item = Piece> + Send + 'static> Pieces for S {}

#[tokio::test]
async fn a_body_in_pieces_is_put_together() {
    let fixture = Fixture::new(FakeBackend::issuing());
    let body = br#"{"credentials":{"oidcIdentityToken":"a.b.c"}}"#;
    let frames = body
        .chunks(7)
        .map(|piece| Ok(http_body::Frame::data(piece.into())));
    let request = pieces(frames.collect());
    assert_eq!(
        fixture
            .http
            .clone()
            .oneshot(request)
            .await
            .unwrap()
            .status(),
        200
    );
    assert_eq!(fixture.backend.asked()[0].token, "a.b.c");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let fixture = Fixture::new(FakeBackend::issuing());
    let request = pieces(vec![
        Ok(http_body::Frame::data(Bytes::from_static(b"{}"))),
        Err(std::io::ErrorKind::UnexpectedEof.into()),
    ]);
    let response = fixture.http.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(fixture.backend.asked(), []);
}

#[tokio::test]
async fn a_panic_is_an_internal_error_that_tells_nothing() {
    let fixture = Fixture::new(FakeBackend::new(Answer::Panic));
    let expected = r#"{"code":13,"message":"internal error","details":[]}"#;
    for reply in [
        fixture.post(V2, "").await,
        fixture.get("/api/v2/trustBundle").await,
        fixture.get("/api/v1/rootCert").await,
    ] {
        assert_eq!((reply.status.as_u16(), &*reply.body), (500, expected));
    }
    assert_eq!(
        fixture.metric(r#"fulcio_refusals_total{reason="internal"}"#),
        Some(3.0)
    );
}

#[tokio::test]
async fn unknown_paths_and_wrong_methods_are_told_apart() {
    let fixture = Fixture::new(FakeBackend::issuing());
    for (method, path, status) in [
        ("GET", "/api/v2/signingCert", 501),
        ("PUT", "/api/v1/signingCert", 501),
        ("POST", "/api/v2/trustBundle", 501),
        ("POST", "/api/v1/rootCert", 501),
        ("HEAD", "/api/v2/configuration", 501),
        ("OPTIONS", "/healthz", 501),
        ("BREW", "/readyz", 501),
        ("GET", "/api/v2/trustBundle/", 404),
        ("GET", "/API/v2/trustBundle", 404),
        ("POST", "/api/v2", 404),
        ("DELETE", "/", 404),
        ("OPTIONS", "*", 400),
        ("GET", "/api/v2/trustBundle?x=1", 200),
        ("GET", "/api%2Fv2/%74rustBundle", 200),
        ("POST", "/api/v2/%74rustBundle", 501),
        ("GET", "/api/v2/%2574rustBundle", 404),
        ("GET", "/api/v2/trustBundle%00", 404),
    ] {
        let request = Request::builder().method(method).uri(path);
        let reply = fixture.send(request.body(Full::default()).unwrap()).await;
        assert_eq!(reply.status, status, "{method} {path}");
    }
}

#[tokio::test]
async fn the_configuration_shows_every_field_of_every_issuer() {
    let mut backend = FakeBackend::issuing();
    backend.issuers = vec![
        email_issuer(),
        OidcIssuer {
            url: IssuerUrl::Wildcard("https://oidc.*.example.com/id/*".into()),
            audience: "a \"quoted\" audience".into(),
            challenge_claim: "sub".into(),
            spiffe_trust_domain: "example.com".into(),
            issuer_type: "spiffe".into(),
            subject_domain: "https://example.com".into(),
            skip_email_verification: true,
        },
    ];
    let reply = Fixture::new(backend).get("/api/v2/configuration").await;
    assert_eq!(
        serde_json::from_str::<Value>(&reply.body).unwrap()["issuers"][1],
        json!({
            "wildcardIssuerUrl": "https://oidc.*.example.com/id/*",
            "audience": "a \"quoted\" audience",
            "challengeClaim": "sub",
            "spiffeTrustDomain": "example.com",
            "issuerType": "spiffe",
            "subjectDomain": "https://example.com",
            "skipEmailVerification": true,
        })
    );
}

#[tokio::test]
async fn a_bundle_of_several_chains_is_shown_whole() {
    let mut backend = FakeBackend::issuing();
    backend.chains = vec![chain(), chain()[1..].to_vec()];
    let fixture = Fixture::new(backend);
    let reply = fixture.get("/api/v2/trustBundle").await;
    let bundle: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(
        bundle["chains"][0]["certificates"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    assert_eq!(
        bundle["chains"][1]["certificates"]
            .as_array()
            .unwrap()
            .len(),
        2
    );

    let reply = fixture.get("/api/v1/rootCert").await;
    assert_eq!(reply.body.matches("-----\n\n-----BEGIN").count(), 4);
    assert!(reply.body.ends_with("-----END CERTIFICATE-----"));
}

#[tokio::test]
async fn readiness_names_the_part_at_fault() {
    let mut backend = FakeBackend::issuing();
    backend.readiness = Readiness::new(vec![Part::ready("issuing-key")]);
    let reply = Fixture::new(backend).get("/readyz").await;
    assert_eq!(reply.status, 200);
    let expected = json!({"ready": true, "parts": [{"name": "issuing-key", "ready": true}]});
    assert_eq!(
        serde_json::from_str::<Value>(&reply.body).unwrap(),
        expected
    );

    let mut backend = FakeBackend::issuing();
    backend.readiness = Readiness::new(vec![Part::ready("issuing-key"), part_at_fault()]);
    let fixture = Fixture::new(backend);
    let reply = fixture.get("/readyz").await;
    assert_eq!(reply.status, 503);
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    let part = json!({"name": "ct-log", "ready": false, "reason": "no answer since 12:00"});
    assert_eq!((&body["ready"], &body["parts"][1]), (&json!(false), &part));
    assert_eq!(fixture.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn readiness_names_a_part_at_fault_that_others_stand_in_for() {
    let mut backend = FakeBackend::issuing();
    backend.readiness = Readiness::new(vec![part_at_fault().dispensable()]);
    let reply = Fixture::new(backend).get("/readyz").await;
    assert_eq!(reply.status, 200);
    let part = json!({"name": "ct-log", "ready": false, "reason": "no answer since 12:00"});
    assert_eq!(
        serde_json::from_str::<Value>(&reply.body).unwrap(),
        json!({"ready": true, "parts": [part]})
    );
}

#[tokio::test]
async fn only_the_forwarded_request_identifier_counts() {
    let fixture = Fixture::new(FakeBackend::issuing());
    let long = "x".repeat(200);
    for (name, value) in [
        ("grpc-metadata-x-request-id", "of-the-caller"),
        ("grpc-metadata-x-request-id", &*long),
        ("x-request-id", "of-the-caller"),
        ("x-request-id", "of-the-caller"),
    ] {
        let mut request = Request::post(V2)
            .header(name, value)
            .body(Full::default())
            .unwrap();
        request
            .extensions_mut()
            .insert(Peer(([127, 0, 0, 1], 7).into()));
        fixture.send(request).await;
    }
    let asked = fixture.backend.asked();
    assert_eq!(asked[0].request_id, "of-the-caller");
    assert_eq!(asked[1].request_id, "x".repeat(128));
    assert_eq!(asked[2].request_id.len(), 8);
    assert_ne!(asked[2].request_id, asked[3].request_id);
    assert_eq!(asked[0].peer, Some(([127, 0, 0, 1], 7).into()));
}

#[tokio::test]
async fn other_origins_are_not_mentioned_unless_they_are_let_in() {
    let fixture = Fixture::new(FakeBackend::issuing());
    let request = Request::get("/healthz").header("origin", "https://example.com");
    let reply = fixture.send(request.body(Full::default()).unwrap()).await;
    assert_eq!(
        (
            reply.header("vary"),
            reply.header("access-control-allow-origin")
        ),
        (None, None)
    );
}

async fn preflight(fixture: &Fixture, method: &str, headers: &[&str]) -> Vec<Option<String>> {
    let mut request = Request::options(V2)
        .header("origin", "https://example.com")
        .header("access-control-request-method", method);
    for names in headers {
        request = request.header("access-control-request-headers", *names);
    }
    let reply = fixture.send(request.body(Full::default()).unwrap()).await;
    assert_eq!(reply.status, 204);
    let allowed = ["origin", "methods", "headers"];
    allowed
        .map(|what| {
            reply
                .header(&format!("access-control-allow-{what}"))
                .map(str::to_owned)
        })
        .to_vec()
}

#[tokio::test]
async fn scripts_may_send_only_what_fulcio_lets_them() {
    let fixture = Fixture::new(FakeBackend::issuing()).with_cors();
    let none = [None, None, None];
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        preflight(&fixture, "POST", &[]).await,
        [text("*"), text("POST"), None]
    );
    let headers = "accept, content-type,x-requested-with";
    assert_eq!(
        preflight(&fixture, "HEAD", &[headers]).await,
        [text("*"), text("HEAD"), text(headers)]
    );
    for headers in [
        ",content-type,",
        "accept,\tcontent-type",
        "accept,,content-type",
    ] {
        let allowed = preflight(&fixture, "POST", &[headers]).await;
        assert_eq!(allowed[2].as_deref(), Some(headers));
    }
    let commas = format!("accept{}content-type", ",".repeat(18));
    for headers in ["accept,  content-type", &commas] {
        assert_eq!(preflight(&fixture, "POST", &[headers]).await, none);
    }
    assert_eq!(preflight(&fixture, "POST", &["authorization"]).await, none);
    assert_eq!(
        preflight(&fixture, "POST", &["content-type,accept"]).await,
        none
    );
    assert_eq!(preflight(&fixture, "POST", &["Content-Type"]).await, none);
    assert_eq!(preflight(&fixture, "PUT", &[]).await, none);
    assert_eq!(preflight(&fixture, "post", &[]).await, none);
}

#[tokio::test]
async fn scripts_may_send_authorization_where_that_is_wanted() {
    let mut fixture = Fixture::new(FakeBackend::issuing());
    fixture.http = fixture.http.with_cors(Cors::WITH_AUTHORIZATION);
    let allowed = preflight(&fixture, "POST", &["authorization,content-type"]).await;
    assert_eq!(allowed[2].as_deref(), Some("authorization,content-type"));
}

#[tokio::test]
async fn calls_over_http_are_counted_under_fulcios_names() {
    let fixture = Fixture::new(FakeBackend::issuing());
    fixture.post(V2, "").await;
    fixture.post(V2, "").await;
    fixture.post(V1, r#"{"publicKey":{}}"#).await;
    fixture.post(V2, "[").await;
    fixture.get("/healthz").await;
    fixture.get("/nowhere").await;
    let head = Request::head("/healthz").body(Full::default()).unwrap();
    fixture.send(head).await;
    for (series, value) in [
        ("fulcio_new_certs", 3.0),
        (r#"http_requests_total{code="200",method="post"}"#, 2.0),
        (r#"http_requests_total{code="201",method="post"}"#, 1.0),
        (r#"http_requests_total{code="400",method="post"}"#, 1.0),
        (r#"http_requests_total{code="404",method="get"}"#, 1.0),
        (r#"http_requests_total{code="501",method="head"}"#, 1.0),
        (r#"fulcio_api_latency_count{code="200",method="post"}"#, 2.0),
        (
            r#"fulcio_api_latency_bucket{code="200",method="post",le="10"}"#,
            2.0,
        ),
        (
            r#"grpc_server_handled_total{grpc_code="OK",grpc_method="CreateSigningCertificate",grpc_service="dev.sigstore.fulcio.v2.CA",grpc_type="unary"}"#,
            2.0,
        ),
        (
            r#"grpc_server_handled_total{grpc_code="OK",grpc_method="CreateSigningCertificate",grpc_service="dev.sigstore.fulcio.v1beta.CA",grpc_type="unary"}"#,
            1.0,
        ),
        (
            r#"grpc_server_started_total{grpc_method="Check",grpc_service="grpc.health.v1.Health",grpc_type="unary"}"#,
            1.0,
        ),
        (
            r#"grpc_server_msg_received_total{grpc_method="CreateSigningCertificate",grpc_service="dev.sigstore.fulcio.v2.CA",grpc_type="unary"}"#,
            2.0,
        ),
        (
            r#"grpc_server_msg_sent_total{grpc_method="CreateSigningCertificate",grpc_service="dev.sigstore.fulcio.v2.CA",grpc_type="unary"}"#,
            2.0,
        ),
    ] {
        assert_eq!(fixture.metric(series), Some(value), "{series}");
    }
}

#[tokio::test]
async fn a_caller_who_goes_away_is_counted_as_canceled() {
    let fixture = Fixture::new(FakeBackend::new(Answer::Wait));
    let request = Request::post(V2).body(Full::<Bytes>::default()).unwrap();
    let call = fixture.http.clone().oneshot(request);
    tokio::time::timeout(std::time::Duration::from_millis(20), call)
        .await
        .unwrap_err();
    let series = r#"grpc_server_handled_total{grpc_code="Canceled",grpc_method="CreateSigningCertificate",grpc_service="dev.sigstore.fulcio.v2.CA",grpc_type="unary"}"#;
    assert_eq!(fixture.metric(series), Some(1.0));
}
