//! The API over gRPC: in process, and once over a real connection.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use bytes::Bytes;
use fulcio_api::{
    Authority, GrpcService, MESSAGE_LIMIT, Part, Peer, Readiness, Serving,
    json::{KeyMaterial, SigningRequest},
    proto::{
        FILE_DESCRIPTOR_SET,
        health::{
            HealthCheckRequest, HealthListRequest, health_check_response::ServingStatus,
            health_client::HealthClient,
        },
        v1beta::{self, ca_client::CaClient as LegacyCaClient},
        v2::{
            self, CreateSigningCertificateRequest, Credentials, GetConfigurationRequest,
            GetTrustBundleRequest, PublicKey, PublicKeyRequest, ca_client::CaClient,
            ca_server::CaServer, create_signing_certificate_request::Key, credentials,
            signing_certificate::Certificate,
        },
    },
    unknown_service,
};
use fulcio_ct_client::SignedCertificateTimestamp;
use fulcio_issuance::{Certified, Refusal, Timestamp};
use http::{HeaderValue, Method, Request as HttpRequest};
use http_body_util::Full;
use prost::Message as _;
use support::{Answer, FakeBackend, Fixture, chain, refusals, timestamp};
use tonic::{
    Code, Request, Status,
    codec::CompressionEncoding,
    transport::{Channel, Server},
};
use tower::ServiceExt as _;

fn client(fixture: &Fixture) -> CaClient<GrpcService<CaServer<Authority>>> {
    CaClient::new(fixture.grpc.authority())
}

fn key_request(token: &str) -> CreateSigningCertificateRequest {
    let token = credentials::Credentials::OidcIdentityToken(token.into());
    CreateSigningCertificateRequest {
        credentials: Some(Credentials {
            credentials: Some(token),
        }),
        key: Some(Key::PublicKeyRequest(PublicKeyRequest {
            public_key: Some(PublicKey {
                algorithm: v2::PublicKeyAlgorithm::Ecdsa.into(),
                content: "k".into(),
            }),
            proof_of_possession: vec![1, 2, 3],
        })),
    }
}

#[tokio::test]
async fn an_embedded_timestamp_has_its_own_arm() {
    let fixture = Fixture::new(FakeBackend::issuing());
    let request = key_request("a.b.c");
    let response = client(&fixture)
        .create_signing_certificate(request)
        .await
        .unwrap();

    let Some(Certificate::SignedCertificateEmbeddedSct(embedded)) =
        response.into_inner().certificate
    else {
        panic!("not embedded")
    };
    let certificates = embedded.chain.unwrap().certificates;
    assert_eq!(certificates.len(), 3);
    for certificate in certificates {
        assert!(certificate.starts_with("-----BEGIN CERTIFICATE-----\n"));
        assert!(certificate.ends_with("\n-----END CERTIFICATE-----"));
    }
    let asked = &fixture.backend.asked()[0];
    assert_eq!(
        (&*asked.token, &*asked.key, &*asked.signature),
        ("a.b.c", &b"k"[..], &[1, 2, 3][..])
    );
    assert_eq!(fixture.metric("fulcio_new_certs"), Some(1.0));
}

#[tokio::test]
async fn a_detached_timestamp_is_beside_the_chain() {
    for (stamp, expected) in [
        (Timestamp::Detached(timestamp()), Some(timestamp())),
        (Timestamp::None, None),
    ] {
        let certified = Certified::new(chain(), stamp);
        let fixture = Fixture::new(FakeBackend::new(Answer::Issue(certified)));
        let request = key_request("a.b.c");
        let response = client(&fixture)
            .create_signing_certificate(request)
            .await
            .unwrap();
        let Some(Certificate::SignedCertificateDetachedSct(detached)) =
            response.into_inner().certificate
        else {
            panic!("not detached")
        };
        let json = detached.signed_certificate_timestamp;
        let found =
            (!json.is_empty()).then(|| SignedCertificateTimestamp::from_json(&json).unwrap());
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn every_refusal_has_its_code_and_its_text() {
    for (refusal, code, _status, retry_after, reason) in refusals() {
        let text = refusal.to_string();
        let fixture = Fixture::new(FakeBackend::refusing(refusal));
        let status = client(&fixture)
            .create_signing_certificate(key_request("a.b.c"))
            .await
            .unwrap_err();
        assert_eq!(
            (status.code() as i32, status.message()),
            (code, &*text),
            "{reason}"
        );
        let wait = status.metadata().get("retry-after");
        assert_eq!(
            wait.map(|wait| wait.to_str().unwrap()),
            retry_after,
            "{reason}"
        );
    }
}

#[tokio::test]
async fn the_token_of_the_metadata_counts_when_the_message_has_none() {
    let fixture = Fixture::new(FakeBackend::issuing());
    for (in_message, in_metadata, used) in [
        ("", &["meta"][..], "meta"),
        ("message", &["meta"], "message"),
        ("", &["meta", "meta"], ""),
        ("", &[], ""),
    ] {
        let mut request = Request::new(key_request(in_message));
        for token in in_metadata {
            request
                .metadata_mut()
                .append("oidcidentitytoken", token.parse().unwrap());
        }
        client(&fixture)
            .create_signing_certificate(request)
            .await
            .unwrap();
        assert_eq!(fixture.backend.asked().last().unwrap().token, used);
    }
}

#[tokio::test]
async fn a_csr_an_empty_one_and_no_key_at_all_reach_the_back_end() {
    let fixture = Fixture::new(FakeBackend::issuing());
    for key in [
        Some(Key::CertificateSigningRequest(vec![4, 5])),
        Some(Key::CertificateSigningRequest(Vec::new())),
        None,
    ] {
        let request = CreateSigningCertificateRequest {
            key,
            ..key_request("a.b.c")
        };
        client(&fixture)
            .create_signing_certificate(request)
            .await
            .unwrap();
    }
    let asked = fixture.backend.asked();
    assert_eq!(asked[0].csr, [4, 5]);
    assert_eq!((&*asked[1].csr, &*asked[1].key), (&[][..], &[][..]));
    assert_eq!((&*asked[2].csr, &*asked[2].key), (&[][..], &[][..]));
}

#[tokio::test]
async fn the_request_identifier_and_the_peer_reach_the_back_end() {
    let fixture = Fixture::new(FakeBackend::issuing());
    let mut request = Request::new(key_request("a.b.c"));
    request
        .metadata_mut()
        .insert("x-request-id", "of-the-caller".parse().unwrap());
    request
        .extensions_mut()
        .insert(Peer(([127, 0, 0, 1], 7).into()));
    client(&fixture)
        .create_signing_certificate(request)
        .await
        .unwrap();
    let asked = &fixture.backend.asked()[0];
    assert_eq!(asked.request_id, "of-the-caller");
    assert_eq!(asked.peer, Some(([127, 0, 0, 1], 7).into()));
}

#[tokio::test]
async fn the_trust_bundle_ends_its_lines_and_the_configuration_has_its_issuer() {
    let fixture = Fixture::new(FakeBackend::issuing());
    let bundle = client(&fixture)
        .get_trust_bundle(GetTrustBundleRequest {})
        .await
        .unwrap();
    for certificate in &bundle.get_ref().chains[0].certificates {
        assert!(certificate.ends_with("-----END CERTIFICATE-----\n"));
    }
    let configuration = client(&fixture)
        .get_configuration(GetConfigurationRequest {})
        .await
        .unwrap();
    let issuer = &configuration.get_ref().issuers[0];
    let url = v2::oidc_issuer::Issuer::IssuerUrl("http://127.0.0.1:9800".into());
    assert_eq!(
        (issuer.issuer.as_ref(), &*issuer.issuer_type),
        (Some(&url), "email")
    );
}

#[tokio::test]
async fn a_panic_is_an_internal_error_that_tells_nothing() {
    let fixture = Fixture::new(FakeBackend::new(Answer::Panic));
    let request = key_request("a.b.c");
    let status = client(&fixture)
        .create_signing_certificate(request)
        .await
        .unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::Internal, "internal error")
    );
    let handled = r#"grpc_server_handled_total{grpc_code="Internal",grpc_method="CreateSigningCertificate",grpc_service="dev.sigstore.fulcio.v2.CA",grpc_type="unary"}"#;
    assert_eq!(fixture.metric(handled), Some(1.0));
}

#[tokio::test]
#[expect(deprecated, reason = "all of the first version's fields are")]
async fn the_first_version_answers_with_pem() {
    let certified = Certified::new(chain(), Timestamp::Detached(timestamp()));
    let fixture = Fixture::new(FakeBackend::new(Answer::Issue(certified)));
    let mut client = LegacyCaClient::new(fixture.grpc.legacy_authority());
    let mut request = Request::new(v1beta::CreateSigningCertificateRequest {
        public_key: Some(v1beta::PublicKey {
            algorithm: "ecdsa".into(),
            content: vec![0x30],
        }),
        signed_email_address: vec![1],
        certificate_signing_request: Vec::new(),
    });
    request
        .metadata_mut()
        .insert("oidcidentitytoken", "a.b.c".parse().unwrap());
    let response = client.create_signing_certificate(request).await.unwrap();

    assert_eq!(response.metadata().get("x-http-code").unwrap(), "201");
    assert!(response.metadata().contains_key("x-sct"));
    let body = response.into_inner();
    assert_eq!(body.content_type, "application/pem-certificate-chain");
    assert_eq!(
        String::from_utf8(body.data)
            .unwrap()
            .matches("-----BEGIN")
            .count(),
        3
    );
    assert_eq!(fixture.backend.asked()[0].token, "a.b.c");

    let empty = v1beta::CreateSigningCertificateRequest::default();
    let status = client.create_signing_certificate(empty).await.unwrap_err();
    assert_eq!(status.message(), Refusal::KeyUnparsable.to_string());
    let root = client.get_root_certificate(()).await.unwrap().into_inner();
    assert!(root.data.ends_with(b"-----END CERTIFICATE-----"));
}

#[tokio::test]
async fn health_is_checked_listed_and_watched_until_the_server_stops() {
    let fixture = Fixture::new(FakeBackend::issuing());
    let serving = Serving::new();
    let mut client = HealthClient::new(fixture.grpc.health(&serving));
    let request = || HealthCheckRequest {
        service: "whatever".into(),
    };

    let check = client.check(request()).await.unwrap().into_inner();
    assert_eq!(check.status(), ServingStatus::Serving);
    let list = client
        .list(HealthListRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        list.statuses["dev.sigstore.fulcio.v2.CA"].status(),
        ServingStatus::Serving
    );
    let mut watch = client.watch(request()).await.unwrap().into_inner();
    let first = watch.message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::Serving);

    serving.stop();

    let second = watch.message().await.unwrap().unwrap();
    assert_eq!(second.status(), ServingStatus::NotServing);
    assert_eq!(watch.message().await.unwrap(), None);
    let check = client.check(request()).await.unwrap().into_inner();
    assert_eq!(check.status(), ServingStatus::NotServing);
}

#[tokio::test(start_paused = true)]
async fn health_follows_readiness() {
    let fixture = Fixture::new(FakeBackend::issuing());
    let serving = Serving::new();
    let mut client = HealthClient::new(fixture.grpc.health(&serving));
    let request = HealthCheckRequest::default;
    let mut watch = client.watch(request()).await.unwrap().into_inner();
    let mut told = async || watch.message().await.unwrap().map(|told| told.status());
    assert_eq!(told().await, Some(ServingStatus::Serving));
    let part = || Part::at_fault("signer", "it does not sign");
    for (part, wanted) in [
        (part(), ServingStatus::NotServing),
        (part().dispensable(), ServingStatus::Serving),
        (part(), ServingStatus::NotServing),
    ] {
        fixture.backend.set_readiness(Readiness::new(vec![part]));
        let check = client.check(request()).await.unwrap().into_inner();
        assert_eq!(check.status(), wanted);
        let list = client.list(HealthListRequest {}).await.unwrap();
        let list = list.into_inner();
        assert_eq!(list.statuses[""].status(), wanted);
        assert_eq!(told().await, Some(wanted));
    }
    // What is told already is not told again when the server stops.
    serving.stop();
    assert_eq!(told().await, None);
}

#[tokio::test]
async fn an_unknown_method_or_service_is_named() {
    let fixture = Fixture::new(FakeBackend::issuing());
    for method in ["Nope", "GetTrustBundle?x=1"] {
        let response = fixture
            .grpc
            .authority()
            .oneshot(call(
                "application/grpc",
                &format!("/dev.sigstore.fulcio.v2.CA/{method}"),
            ))
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        let status = Status::from_header_map(response.headers()).unwrap();
        let expected = format!("unknown method {method} for service dev.sigstore.fulcio.v2.CA");
        assert_eq!(
            (status.code(), status.message()),
            (Code::Unimplemented, &*expected)
        );
    }
    for (path, expected) in [
        (
            "/elsewhere.Service/Method",
            "unknown service elsewhere.Service",
        ),
        ("/a/b/", "unknown service a/b"),
        ("/healthz", "malformed method name: \"/healthz\""),
    ] {
        let response = unknown_service(&call("application/grpc", path));
        let status = Status::from_header_map(response.headers()).unwrap();
        assert_eq!(
            (status.code(), status.message()),
            (Code::Unimplemented, expected)
        );
    }
}

/// A call with an empty message.
fn call(content_type: &str, path: &str) -> HttpRequest<Full<Bytes>> {
    HttpRequest::post(path)
        .header("content-type", content_type)
        .body(Full::from(vec![0; 5]))
        .unwrap()
}

const BUNDLE: &str = "/dev.sigstore.fulcio.v2.CA/GetTrustBundle";

#[tokio::test]
async fn what_is_no_call_is_refused_as_http_does() {
    let fixture = Fixture::new(FakeBackend::issuing());
    for kind in [
        "",
        "application/json",
        "application/grpcx",
        "application/grpc-web",
        "Application/gRPC",
    ] {
        let request = call(kind, BUNDLE);
        let response = fixture.grpc.authority().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 415, "{kind}");
        let status = Status::from_header_map(response.headers()).unwrap();
        let expected = format!("invalid gRPC request content-type \"{kind}\"");
        assert_eq!(
            (status.code(), status.message()),
            (Code::InvalidArgument, &*expected)
        );
    }
    let mut request = call("application/grpc", BUNDLE);
    *request.method_mut() = Method::PUT;
    let response = fixture.grpc.authority().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 405);
    let status = Status::from_header_map(response.headers()).unwrap();
    assert_eq!(
        (status.code(), status.message()),
        (
            Code::Internal,
            "Received a HEADERS frame with :method \"PUT\" which should be POST"
        )
    );
}

#[tokio::test]
async fn an_answer_is_of_the_kind_of_the_call() {
    let fixture = Fixture::new(FakeBackend::issuing());
    for (kind, expected) in [
        ("application/grpc", "application/grpc"),
        ("application/grpc+proto", "application/grpc+proto"),
        ("application/grpc;proto", "application/grpc+proto"),
        ("application/grpc+", "application/grpc"),
    ] {
        let request = call(kind, BUNDLE);
        let response = fixture.grpc.authority().oneshot(request).await.unwrap();
        assert_eq!(response.headers()["content-type"], expected);
        assert!(!response.headers().contains_key("grpc-status"));
    }
}

#[tokio::test]
async fn an_answer_is_compressed_where_the_call_is_and_only_there() {
    let fixture = Fixture::new(FakeBackend::issuing());
    for (header, value, expected) in [
        ("grpc-encoding", "gzip", Some("gzip")),
        ("grpc-encoding", "identity", None),
        ("grpc-accept-encoding", "gzip,identity", None),
    ] {
        let mut request = call("application/grpc", BUNDLE);
        let value = HeaderValue::from_static(value);
        request.headers_mut().insert(header, value);
        let response = fixture.grpc.authority().oneshot(request).await.unwrap();
        let encoding = response.headers().get("grpc-encoding");
        assert_eq!(
            encoding.map(|encoding| encoding.to_str().unwrap()),
            expected
        );
        assert!(!response.headers().contains_key("grpc-status"));
    }

    let mut client = CaClient::new(fixture.grpc.authority())
        .send_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Gzip);
    let request = key_request("a.b.c");
    client.create_signing_certificate(request).await.unwrap();
    assert_eq!(fixture.backend.asked()[0].token, "a.b.c");
    let bomb = CreateSigningCertificateRequest {
        key: Some(Key::CertificateSigningRequest(vec![0; 5 << 20])),
        credentials: None,
    };
    let status = client.create_signing_certificate(bomb).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);

    let mut request = call("application/grpc", BUNDLE);
    let encoding = HeaderValue::from_static("br");
    request.headers_mut().insert("grpc-encoding", encoding);
    let response = fixture.grpc.authority().oneshot(request).await.unwrap();
    let status = Status::from_header_map(response.headers()).unwrap();
    assert_eq!(
        (status.code(), status.message()),
        (
            Code::Unimplemented,
            "grpc: Decompressor is not installed for grpc-encoding \"br\""
        )
    );
}

#[test]
fn json_and_protobuf_name_the_same_files() {
    let set = prost_types::FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    let names: Vec<_> = set.file.iter().map(|file| file.name()).collect();
    for name in [
        "fulcio.proto",
        "fulcio_legacy.proto",
        "grpc/health/v1/health.proto",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
}

async fn served(fixture: &Fixture) -> (Channel, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let incoming = tonic::transport::server::TcpIncoming::from(listener);
    let server = Server::builder()
        .add_service(fixture.grpc.authority())
        .add_service(fixture.grpc.health(&Serving::new()))
        .serve_with_incoming(incoming);
    let server = tokio::spawn(async move { server.await.unwrap() });
    let channel = Channel::from_shared(format!("http://{address}")).unwrap();
    (channel.connect().await.unwrap(), server)
}

#[tokio::test]
async fn a_real_connection_carries_certificates_and_refuses_long_messages() {
    let fixture = Fixture::new(FakeBackend::issuing());
    let (channel, server) = served(&fixture).await;
    let mut client = CaClient::new(channel);
    client
        .create_signing_certificate(key_request("a.b.c"))
        .await
        .unwrap();

    let long = CreateSigningCertificateRequest {
        key: Some(Key::CertificateSigningRequest(vec![0; 5 << 20])),
        credentials: None,
    };
    let length = long.encoded_len();
    let status = client.create_signing_certificate(long).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(
        status.message(),
        format!("grpc: received message larger than max ({length} vs. {MESSAGE_LIMIT})")
    );

    let mut health = HealthClient::new(served(&fixture).await.0);
    let check = health.check(HealthCheckRequest::default()).await.unwrap();
    assert_eq!(check.get_ref().status(), ServingStatus::Serving);
    server.abort();
}

#[test]
fn a_request_is_the_same_in_json_and_in_protobuf() {
    let json = SigningRequest::new(
        "a.b.c",
        KeyMaterial::PublicKey {
            content: "k".into(),
            proof: vec![1, 2, 3],
        },
    );
    let fixture = Fixture::new(FakeBackend::issuing());
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        fixture.post("/api/v2/signingCert", json.to_json()).await;
        client(&fixture)
            .create_signing_certificate(key_request("a.b.c"))
            .await
            .unwrap();
    });
    let [mut over_http, mut over_grpc] = fixture.backend.asked().try_into().unwrap();
    over_http.request_id.clear();
    over_grpc.request_id.clear();
    assert_eq!(over_http, over_grpc);
}

#[test]
fn a_request_that_is_printed_does_not_show_its_token() {
    let request = CreateSigningCertificateRequest {
        credentials: Some(Credentials {
            credentials: Some(credentials::Credentials::OidcIdentityToken(
                "a-token".to_owned(),
            )),
        }),
        ..CreateSigningCertificateRequest::default()
    };
    let shown = format!("{request:?}");
    assert!(!shown.contains("a-token"), "{shown}");
    assert!(shown.contains("OidcIdentityToken([hidden])"), "{shown}");
}
