//! What an operator sees: the log lines of decisions, and traces.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod collector;
mod common;

use aws_lc_rs::{
    encoding::AsDer as _,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use collector::Collector;
use common::{Answer, IdpServer, NOBODY, Server, grpc, http, wait_until};
use fulcio_api::proto::{
    api::HttpBody,
    v1beta,
    v2::{
        CreateSigningCertificateRequest, Credentials, PublicKey, PublicKeyRequest,
        SigningCertificate, create_signing_certificate_request, credentials,
    },
};
use prost::Message;
use serde_json::{Value, json};
use tempfile::TempDir;
use tonic::Code;
use x509_cert::{Certificate, der::DecodePem as _};

const ALICE: &str = "alice@example.com";
const V1: &str = "/dev.sigstore.fulcio.v1beta.CA/CreateSigningCertificate";
const V2: &str = "/dev.sigstore.fulcio.v2.CA/CreateSigningCertificate";

/// A server that logs JSON and serves all on one port, and who vouches for its callers.
struct Stage {
    idp: IdpServer,
    server: Server,
    _folder: TempDir,
}

impl Stage {
    fn set(flags: &[&str]) -> Self {
        let idp = IdpServer::start();
        let folder = tempfile::tempdir().unwrap();
        let config = format!("--config-path={}", idp.write_config(folder.path()));
        let log = format!(
            "--ct-log-url=embedded:{}",
            folder.path().join("log").display()
        );
        let mut all = vec!["--ca=ephemeralca", "--log_type=prod", &config, &log];
        all.push("--ct-log-origin=log.example.com");
        all.extend(flags);
        let server = Server::start_on_one_port(&all);
        Self {
            idp,
            server,
            _folder: folder,
        }
    }

    fn post(&self, path: &str, id: &str, token: &str, body: &str) -> Answer {
        let authorization = format!("Bearer {token}");
        let headers = [
            ("authorization", authorization.as_str()),
            ("grpc-metadata-x-request-id", id),
            ("traceparent", TRACEPARENT),
        ];
        http(
            "POST",
            &self.server.url(path),
            &headers,
            Some(body.as_bytes()),
        )
    }

    /// The one line of the decision about the request `id`.
    #[track_caller]
    fn decision(&self, id: &str) -> Value {
        let lines = || -> Vec<Value> {
            let log = self.server.stderr();
            let lines = log
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok());
            lines
                .filter(|line: &Value| line["request_id"] == id)
                .filter(|line| {
                    line["message"]
                        .as_str()
                        .unwrap()
                        .starts_with("certificate ")
                })
                .collect()
        };
        wait_until(&format!("the line of {id}"), || lines().pop());
        let mut lines = lines();
        assert_eq!(lines.len(), 1, "{lines:?}");
        lines.remove(0)
    }
}

/// A caller's key, in a PEM block, and the proof that it holds it.
struct Caller {
    pem: String,
    proof: Vec<u8>,
}

impl Caller {
    fn proving(challenge: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let der = pair.public_key().as_der().unwrap();
        let pem =
            pem_rfc7468::encode_string("PUBLIC KEY", pem_rfc7468::LineEnding::LF, der.as_ref());
        let proof = pair
            .sign(&SystemRandom::new(), challenge.as_bytes())
            .unwrap();
        Self {
            pem: pem.unwrap(),
            proof: proof.as_ref().to_vec(),
        }
    }

    fn v2(&self) -> String {
        json!({"publicKeyRequest": {
            "publicKey": {"content": self.pem},
            "proofOfPossession": BASE64_STANDARD.encode(&self.proof),
        }})
        .to_string()
    }

    fn v1(&self) -> String {
        json!({
            "publicKey": {"content": BASE64_STANDARD.encode(&self.pem)},
            "signedEmailAddress": BASE64_STANDARD.encode(&self.proof),
        })
        .to_string()
    }

    fn grpc_v2(&self, token: &str) -> CreateSigningCertificateRequest {
        let token = credentials::Credentials::OidcIdentityToken(token.to_owned());
        let key = PublicKeyRequest {
            public_key: Some(PublicKey {
                content: self.pem.clone(),
                ..PublicKey::default()
            }),
            proof_of_possession: self.proof.clone(),
        };
        CreateSigningCertificateRequest {
            credentials: Some(Credentials {
                credentials: Some(token),
            }),
            key: Some(create_signing_certificate_request::Key::PublicKeyRequest(
                key,
            )),
        }
    }

    #[expect(deprecated, reason = "all of the first version is")]
    fn grpc_v1(&self) -> v1beta::CreateSigningCertificateRequest {
        v1beta::CreateSigningCertificateRequest {
            public_key: Some(v1beta::PublicKey {
                content: self.pem.clone().into_bytes(),
                ..v1beta::PublicKey::default()
            }),
            signed_email_address: self.proof.clone(),
            ..v1beta::CreateSigningCertificateRequest::default()
        }
    }
}

/// Whose first field is none of the messages that the API takes.
#[derive(Clone, PartialEq, Message)]
struct Wrong {
    #[prost(uint64, repeated, packed = "false", tag = "1")]
    first: Vec<u64>,
    #[prost(uint64, repeated, packed = "false", tag = "2")]
    second: Vec<u64>,
}

impl Wrong {
    fn message() -> Self {
        Self {
            first: vec![1],
            second: vec![1],
        }
    }
}

#[test]
fn every_certificate_has_one_line_that_says_whose_and_which_it_is() {
    let stage = Stage::set(&[]);
    let (token, caller) = (stage.idp.token(ALICE), Caller::proving(ALICE));
    let address = stage.server.grpc();
    let chain = stage.post("/api/v1/signingCert", "http1", &token, &caller.v1());
    assert_eq!(chain.status, 201, "{}", chain.text());
    let answer = stage.post("/api/v2/signingCert", "http2", &token, &caller.v2());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let metadata = [("x-request-id", "grpc2")];
    let _: SigningCertificate = grpc(address, V2, &metadata, caller.grpc_v2(&token)).unwrap();
    let metadata = [("x-request-id", "grpc1"), ("oidcidentitytoken", &token)];
    let _: HttpBody = grpc(address, V1, &metadata, caller.grpc_v1()).unwrap();

    for (id, api, index) in [
        ("http1", "http-v1", 0),
        ("http2", "http-v2", 1),
        ("grpc2", "grpc-v2", 2),
        ("grpc1", "grpc-v1", 3),
    ] {
        let line = stage.decision(id);
        assert_eq!(line["message"], "certificate issued", "{line}");
        assert_eq!(line["severity"], "info", "{line}");
        assert_eq!(line["api"], api, "{line}");
        assert_eq!(line["identity"], ALICE, "{line}");
        assert_eq!(line["issuer"], stage.idp.issuer(), "{line}");
        assert_eq!(line["kind"], "email", "{line}");
        assert_eq!(line["key"], "ECDSA P-256", "{line}");
        assert_eq!(line["log_index"], index, "{line}");
        assert!(
            line["log_timestamp"].as_u64().unwrap() > 1_700_000_000_000,
            "{line}"
        );
        assert!(
            line["peer"].as_str().unwrap().starts_with("127.0.0.1:"),
            "{line}"
        );
        assert!(line["duration_ms"].as_f64().unwrap() > 0.0, "{line}");
    }
    let chain = chain.text();
    let certificate = chain.split_inclusive("-----END CERTIFICATE-----\n").next();
    let certificate = Certificate::from_pem(certificate.unwrap()).unwrap();
    let serial: String = certificate
        .tbs_certificate()
        .serial_number()
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(
        stage.decision("http1")["serial"].as_str().unwrap(),
        serial.trim_start_matches("00")
    );
    assert!(!stage.server.stderr().contains(&token));
}

#[test]
fn every_refusal_has_one_line_with_its_reason() {
    let stage = Stage::set(&[]);
    let good = stage.idp.token(ALICE);
    let expired = stage.idp.draft(ALICE).claim("exp", 1).mint();
    let elsewhere = stage.idp.draft(ALICE).claim("aud", "elsewhere").mint();
    let stranger = stage
        .idp
        .draft(ALICE)
        .claim("iss", "https://stranger.test")
        .mint();
    let (caller, thief) = (Caller::proving(ALICE), Caller::proving("bob@example.com"));
    let without_key = json!({}).to_string();

    let over_http = [
        (
            "garbage",
            &good,
            "not JSON".to_owned(),
            "not JSON".to_owned(),
            "malformed",
            None,
        ),
        (
            "expired",
            &expired,
            caller.v1(),
            caller.v2(),
            "identity-token",
            Some("expired"),
        ),
        (
            "elsewhere",
            &elsewhere,
            caller.v1(),
            caller.v2(),
            "identity-token",
            Some("audience"),
        ),
        (
            "stranger",
            &stranger,
            caller.v1(),
            caller.v2(),
            "identity-token",
            Some("unknown-issuer"),
        ),
        ("thief", &good, thief.v1(), thief.v2(), "signature", None),
        (
            "keyless",
            &good,
            without_key.clone(),
            without_key,
            "key-unparsable",
            None,
        ),
    ];
    for (id, token, v1, v2, reason, token_reason) in over_http {
        for (version, body) in [("v1", v1), ("v2", v2)] {
            let id = format!("{id}-{version}");
            let answer = stage.post(&format!("/api/{version}/signingCert"), &id, token, &body);
            assert_eq!(answer.status, 400, "{id}: {}", answer.text());
            let line = stage.decision(&id);
            assert_eq!(line["message"], "certificate refused", "{line}");
            assert_eq!(line["severity"], "warn", "{line}");
            assert_eq!(line["api"], format!("http-{version}"), "{line}");
            assert_eq!(line["code"], "InvalidArgument", "{line}");
            assert_eq!(line["reason"], reason, "{line}");
            assert_eq!(line["token_reason"].as_str(), token_reason, "{line}");
            let issuer = (!["garbage", "stranger", "keyless"]
                .iter()
                .any(|none| id.starts_with(none)))
            .then_some(stage.idp.issuer());
            if !id.starts_with("keyless") {
                assert_eq!(line["issuer"].as_str(), issuer, "{line}");
            }
        }
    }

    let address = stage.server.grpc();
    for (path, api) in [(V1, "grpc-v1"), (V2, "grpc-v2")] {
        let metadata = [("x-request-id", api), ("oidcidentitytoken", good.as_str())];
        let answer = grpc::<_, HttpBody>(address, path, &metadata, Wrong::message());
        assert_eq!(answer.unwrap_err().code(), Code::Internal, "{path}");
        let line = stage.decision(api);
        assert_eq!(line["reason"], "malformed", "{line}");
        assert_eq!(line["api"], api, "{line}");
    }
    let metadata = [("x-request-id", "grpc-expired")];
    let answer = grpc::<_, SigningCertificate>(address, V2, &metadata, caller.grpc_v2(&expired));
    assert_eq!(answer.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(stage.decision("grpc-expired")["token_reason"], "expired");
    let metadata = [
        ("x-request-id", "grpc1-expired"),
        ("oidcidentitytoken", &expired),
    ];
    let answer = grpc::<_, HttpBody>(address, V1, &metadata, caller.grpc_v1());
    assert_eq!(answer.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(stage.decision("grpc1-expired")["token_reason"], "expired");

    let page = stage.server.metrics();
    assert!(
        page.contains("fulcio_refusals_total{reason=\"malformed\"} 4"),
        "{page}"
    );
    let log = stage.server.stderr();
    for token in [good, expired, elsewhere, stranger] {
        assert!(!log.contains(&token));
    }
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn a_request_goes_on_with_the_trace_of_its_caller_and_has_a_span_for_each_stage() {
    let collector = Collector::start();
    let flag = format!("--otlp-endpoint={}", collector.url());
    let stage = Stage::set(&[&flag]);
    let (token, caller) = (stage.idp.token(ALICE), Caller::proving(ALICE));
    let answer = stage.post("/api/v2/signingCert", "http2", &token, &caller.v2());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let metadata = [("traceparent", TRACEPARENT)];
    let expired = stage.idp.draft(ALICE).claim("exp", 1).mint();
    let address = stage.server.grpc();
    let refused = grpc::<_, SigningCertificate>(address, V2, &metadata, caller.grpc_v2(&expired));
    assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
    let ended = stage.server.terminate();
    assert!(ended.status.success(), "{}", ended.stderr);

    let spans = collector.spans_of(TRACE);
    let roots: Vec<_> = spans.iter().filter(|span| span.parent == PARENT).collect();
    let names: Vec<_> = roots.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["/api/v2/signingCert", V2]);
    assert_eq!(roots[0].attribute("http.response.status_code"), Some("200"));
    let below = |parent: &collector::Span| {
        let children = spans.iter().filter(|span| span.parent == parent.id);
        children.cloned().collect::<Vec<_>>()
    };
    let calls: Vec<_> = roots.iter().flat_map(|root| below(root)).collect();
    assert_eq!(calls.len(), 2, "{calls:?}");
    let stages: Vec<_> = below(&calls[0]).into_iter().map(|span| span.name).collect();
    let all = [
        "authenticate",
        "proof",
        "sign-precertificate",
        "log",
        "sign",
        "journal",
    ];
    assert_eq!(stages, all);
    assert_eq!(calls[0].attribute("code"), Some("OK"));
    assert_eq!(calls[1].attribute("code"), Some("InvalidArgument"));
    assert_eq!(calls[1].attribute("reason"), Some("identity-token"));
    let refused = &below(&calls[1])[0];
    assert_eq!(refused.name, "authenticate");
    assert_eq!(refused.attribute("reason"), Some("expired"));
    assert!(refused.is_error, "{refused:?}");
    for secret in [token, expired] {
        let signature = secret.rsplit('.').next().unwrap();
        assert!(!collector.has_seen(signature), "a token is in a trace");
    }
    assert_eq!(collector.service(), "fulcio-server");
}

#[test]
fn a_collector_that_is_not_there_costs_one_line_and_nothing_else() {
    let stage = Stage::set(&[&format!("--otlp-endpoint=http://{NOBODY}")]);
    let (token, caller) = (stage.idp.token(ALICE), Caller::proving(ALICE));
    let issue = || stage.post("/api/v2/signingCert", "down", &token, &caller.v2());
    assert_eq!(issue().status, 200);
    let lost = || stage.server.stderr().matches("traces are lost").count();
    wait_until("the line", || (lost() > 0).then_some(()));
    for _again in 0..3 {
        assert_eq!(issue().status, 200);
    }
    let ended = stage.server.terminate();
    assert!(ended.status.success(), "{}", ended.stderr);
    assert_eq!(
        ended.stderr.matches("traces are lost").count(),
        1,
        "{}",
        ended.stderr
    );
}

#[test]
fn without_a_collector_nothing_of_traces_is_in_the_log() {
    let stage = Stage::set(&[]);
    let (token, caller) = (stage.idp.token(ALICE), Caller::proving(ALICE));
    let answer = stage.post("/api/v2/signingCert", "off", &token, &caller.v2());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let ended = stage.server.terminate();
    assert!(!ended.stderr.contains("trace"), "{}", ended.stderr);
}

#[test]
fn a_collector_without_a_scheme_is_refused_by_the_name_of_its_flag() {
    let ended = common::run(&[
        "serve",
        "--ca=ephemeralca",
        "--otlp-endpoint=localhost:4317",
    ]);
    assert!(!ended.status.success());
    assert!(
        ended.stderr.contains("--otlp-endpoint localhost:4317"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("http://"), "{}", ended.stderr);
}
