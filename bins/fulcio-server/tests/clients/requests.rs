//! The requests that clients were seen to send, as they send them; none of these needs a component.

use std::fs;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fulcio_api::proto::v2::{
    CreateSigningCertificateRequest, Credentials, PublicKey, PublicKeyRequest, SigningCertificate,
    create_signing_certificate_request::Key, credentials, signing_certificate::Certificate,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::authority::Authority;
use crate::common::{Answer, get, grpc, http, openssl};

const V1: &str = "/api/v1/signingCert";
const V2: &str = "/api/v2/signingCert";

/// A key of a client, made and used by OpenSSL, with its proof for [`Authority::IDENTITY`].
struct OpensslKey {
    folder: TempDir,
    public: String,
    proof: Vec<u8>,
}

impl OpensslKey {
    fn p256() -> Self {
        Self::generate(
            "EC -pkeyopt ec_paramgen_curve:P-256",
            "dgst -sha256 -sign key.pem -out proof challenge",
        )
    }

    fn rsa() -> Self {
        Self::generate(
            "RSA -pkeyopt rsa_keygen_bits:2048",
            "dgst -sha256 -sign key.pem -out proof challenge",
        )
    }

    fn ed25519() -> Self {
        Self::generate(
            "ED25519",
            "pkeyutl -sign -rawin -inkey key.pem -in challenge -out proof",
        )
    }

    fn generate(algorithm: &str, sign: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let run = |arguments: &str| {
            let arguments: Vec<_> = arguments.split_whitespace().collect();
            openssl(folder.path(), &arguments)
        };
        fs::write(folder.path().join("challenge"), Authority::IDENTITY).unwrap();
        run(&format!("genpkey -out key.pem -algorithm {algorithm}"));
        run(sign);
        run("pkey -in key.pem -pubout -outform DER -out public.der");
        Self {
            public: run("pkey -in key.pem -pubout"),
            proof: fs::read(folder.path().join("proof")).unwrap(),
            folder,
        }
    }

    fn der(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("public.der")).unwrap()
    }

    fn proof(&self) -> String {
        BASE64_STANDARD.encode(&self.proof)
    }

    /// A request to certify the key, in PEM, with these further arguments of `openssl req`.
    fn csr(&self, more: &[&str]) -> String {
        let request = ["req", "-new", "-sha256", "-key", "key.pem"];
        openssl(self.folder.path(), &[&request, more].concat())
    }

    /// The first certificate is for this key and for whom it was asked, and each is issued by the next.
    #[track_caller]
    fn is_certified_by(&self, chain: &[&str]) {
        let [leaf, intermediate, root] = chain else {
            panic!("{} certificates", chain.len());
        };
        let write = |name: &str, text: &str| {
            fs::write(self.folder.path().join(name), text).unwrap();
        };
        write("leaf.pem", leaf);
        write("intermediate.pem", intermediate);
        write("root.pem", root);
        let run = |arguments: &str| {
            let arguments: Vec<_> = arguments.split(' ').collect();
            openssl(self.folder.path(), &arguments)
        };
        run("verify -x509_strict -CAfile root.pem -untrusted intermediate.pem leaf.pem");
        assert_eq!(run("x509 -in leaf.pem -noout -pubkey"), self.public);
        let text = run("x509 -in leaf.pem -noout -text");
        assert!(
            text.contains(&format!("email:{}", Authority::IDENTITY)),
            "{text}"
        );
        assert_eq!(
            text.matches("Signed Certificate Timestamp:").count(),
            1,
            "{text}"
        );
    }
}

fn send(authority: &Authority, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    let body = body.to_string();
    http("POST", &authority.url(path), headers, Some(body.as_bytes()))
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

const JSON: (&str, &str) = ("content-type", "application/json");

/// Version 2 certified the key: its answer has one member, which holds one chain.
#[track_caller]
fn certified(answer: &Answer, key: &OpensslKey) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let body = answer.json();
    let chain = &body["signedCertificateEmbeddedSct"]["chain"]["certificates"];
    assert_eq!(
        body,
        json!({"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}})
    );
    let chain: Vec<_> = chain
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    for certificate in &chain {
        assert!(
            certificate.starts_with("-----BEGIN CERTIFICATE-----\n"),
            "{certificate}"
        );
        assert!(
            certificate.ends_with("\n-----END CERTIFICATE-----"),
            "{certificate}"
        );
    }
    key.is_certified_by(&chain);
}

/// Version 1 certified the key: its answer is the chain in PEM, without a line end at its end.
#[track_caller]
fn certified_in_pem(answer: &Answer, key: &OpensslKey) {
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(
        answer.header("content-type"),
        Some("application/pem-certificate-chain")
    );
    // The timestamp is in the certificate.
    assert_eq!(answer.header("sct"), None);
    let internal = answer
        .headers
        .keys()
        .find(|name| name.as_str().starts_with("grpc-"));
    assert_eq!(internal, None);
    let pem = answer.text();
    assert!(pem.ends_with("\n-----END CERTIFICATE-----"), "{pem}");
    let chain: Vec<_> = pem.split_inclusive("-----END CERTIFICATE-----").collect();
    for after in &chain[1..] {
        assert!(
            after.starts_with("\n-----BEGIN CERTIFICATE-----\n"),
            "{pem}"
        );
    }
    key.is_certified_by(&chain);
}

#[test]
fn sigstore_python_asks_with_a_csr_and_for_pem_and_reads_json() {
    let authority = Authority::with_embedded_log();
    let key = OpensslKey::p256();
    let csr = key.csr(&[
        "-subj",
        "/",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ]);
    let token = bearer(&authority.token());
    let headers = [
        JSON,
        ("accept", "application/pem-certificate-chain"),
        ("accept-encoding", "gzip, deflate"),
        ("authorization", &token),
    ];
    let body = json!({"certificateSigningRequest": BASE64_STANDARD.encode(csr)});
    certified(&send(&authority, V2, &headers, &body), &key);
}

#[test]
fn cosign_3_names_the_algorithm_of_its_key() {
    let authority = Authority::with_embedded_log();
    let token = bearer(&authority.token());
    let headers = [JSON, ("authorization", token.as_str())];
    for (algorithm, key) in [
        ("ECDSA", OpensslKey::p256()),
        ("RSA", OpensslKey::rsa()),
        ("ED25519", OpensslKey::ed25519()),
    ] {
        let body = json!({
            "publicKeyRequest": {
                "publicKey": {"algorithm": algorithm, "content": key.public},
                "proofOfPossession": key.proof(),
            },
        });
        certified(&send(&authority, V2, &headers, &body), &key);
    }
}

#[test]
fn sigstore_js_sends_its_token_in_the_body_and_reads_the_message_of_a_refusal() {
    let authority = Authority::with_embedded_log();
    let key = OpensslKey::p256();
    let body = |token: &str| {
        json!({
            "credentials": {"oidcIdentityToken": token},
            "publicKeyRequest": {
                "publicKey": {"algorithm": "ECDSA", "content": key.public},
                "proofOfPossession": key.proof(),
            },
        })
    };
    certified(
        &send(&authority, V2, &[JSON], &body(&authority.token())),
        &key,
    );
    let refused = send(&authority, V2, &[JSON], &body("not.a.token"));
    assert_eq!(refused.status, 400);
    let content_type = refused.header("content-type").unwrap();
    assert!(content_type.contains("application/json"), "{content_type}");
    assert_eq!(
        refused.json()["message"],
        "There was an error processing the identity token"
    );
}

#[test]
fn a_rust_client_leaves_the_algorithm_empty_and_writes_pem_with_carriage_returns() {
    let authority = Authority::with_embedded_log();
    let key = OpensslKey::p256();
    let configuration = get(&authority.url("/api/v2/configuration")).json();
    for issuer in configuration["issuers"].as_array().unwrap() {
        let named = ["issuerUrl", "wildcardIssuerUrl"]
            .iter()
            .filter(|name| issuer[name].is_string());
        assert_eq!(named.count(), 1, "{issuer}");
    }
    let body = json!({
        "credentials": {"oidcIdentityToken": authority.token()},
        "publicKeyRequest": {
            "publicKey": {"algorithm": "", "content": key.public.replace('\n', "\r\n")},
            "proofOfPossession": key.proof(),
        },
    });
    certified(&send(&authority, V2, &[JSON], &body), &key);
}

#[test]
fn another_rust_client_sends_a_csr_to_version_2_and_der_to_version_1() {
    let authority = Authority::with_embedded_log();
    let key = OpensslKey::p256();
    let token = bearer(&authority.token());
    let headers = [JSON, ("authorization", token.as_str())];
    let csr = key.csr(&["-subj", "/CN=anybody"]);
    let body = json!({"certificateSigningRequest": BASE64_STANDARD.encode(csr)});
    certified(&send(&authority, V2, &headers, &body), &key);
    let body = json!({
        "publicKey": {"algorithm": "ecdsa", "content": BASE64_STANDARD.encode(key.der())},
        "signedEmailAddress": key.proof(),
    });
    certified_in_pem(&send(&authority, V1, &headers, &body), &key);
}

#[test]
fn cosign_2_sends_pem_without_an_algorithm_to_version_1() {
    let authority = Authority::with_embedded_log();
    let key = OpensslKey::p256();
    let token = bearer(&authority.token());
    let headers = [
        JSON,
        ("accept", "application/pem-certificate-chain"),
        ("authorization", token.as_str()),
    ];
    let body = json!({
        "publicKey": {"content": BASE64_STANDARD.encode(&key.public)},
        "signedEmailAddress": key.proof(),
    });
    certified_in_pem(&send(&authority, V1, &headers, &body), &key);
}

#[test]
fn some_clients_of_version_1_send_a_csr_that_is_null() {
    let authority = Authority::with_embedded_log();
    let key = OpensslKey::p256();
    let token = bearer(&authority.token());
    let headers = [JSON, ("authorization", token.as_str())];
    let body = json!({
        "publicKey": {"algorithm": "ecdsa", "content": BASE64_STANDARD.encode(&key.public)},
        "signedEmailAddress": key.proof(),
        "certificateSigningRequest": null,
    });
    certified_in_pem(&send(&authority, V1, &headers, &body), &key);
}

#[test]
fn sigstore_java_writes_pem_on_one_line_and_asks_over_grpc() {
    let authority = Authority::with_embedded_log();
    let key = OpensslKey::p256();
    let content = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
        BASE64_STANDARD.encode(key.der())
    );
    assert!(content.lines().nth(1).unwrap().len() > 64);
    let request = CreateSigningCertificateRequest {
        credentials: Some(Credentials {
            credentials: Some(credentials::Credentials::OidcIdentityToken(
                authority.token(),
            )),
        }),
        key: Some(Key::PublicKeyRequest(PublicKeyRequest {
            public_key: Some(PublicKey {
                content,
                ..PublicKey::default()
            }),
            proof_of_possession: key.proof.clone(),
        })),
    };
    let path = "/dev.sigstore.fulcio.v2.CA/CreateSigningCertificate";
    let answer: SigningCertificate = grpc(authority.server().grpc(), path, &[], request).unwrap();
    let Some(Certificate::SignedCertificateEmbeddedSct(embedded)) = answer.certificate else {
        panic!("{answer:?}");
    };
    let chain = embedded.chain.unwrap().certificates;
    let chain: Vec<_> = chain.iter().map(String::as_str).collect();
    key.is_certified_by(&chain);
}
