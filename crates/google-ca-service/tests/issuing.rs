//! The whole way of a certificate, and what others say of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::{fs, sync::Arc, time::Instant};

use common::{email, identity, issue, leaf, open, pool, proven};
use fulcio_cert_builder::pem;
use fulcio_ct_client::Entry;
use fulcio_issuance::{
    CertificateAuthority as _, CertificateIssuer, Certified, Error, Refusal, RequestContext,
    Timestamp,
};
use fulcio_principal::SubjectAltName;
use fulcio_signer::Algorithm;
use fulcio_test_services::{ca_service::CaService, openssl};
use fulcio_testkit::log::FakeLog;
use serde_json::json;

const NAMES: [fn() -> SubjectAltName; 3] = [
    email,
    || SubjectAltName::Uri("https://example.com/a/.github/workflows/b.yml@refs/heads/c".into()),
    || SubjectAltName::Username("ada!example.com".into()),
];
const KEYS: [Algorithm; 4] = [
    Algorithm::EcdsaP256Sha256,
    Algorithm::EcdsaP384Sha384,
    Algorithm::EcdsaP521Sha512,
    Algorithm::RsaPkcs1Sha256,
];

/// Writes the certificates as OpenSSL wants them, and returns what it says about the first.
fn judged_by_openssl(certified: &Certified) -> String {
    let folder = tempfile::tempdir().unwrap();
    let [leaf, intermediates @ .., root] = certified.chain.as_slice() else {
        panic!("a certificate and no chain");
    };
    let all: String = intermediates.iter().map(pem).collect();
    fs::write(folder.path().join("leaf"), pem(leaf)).unwrap();
    fs::write(folder.path().join("root"), pem(root)).unwrap();
    // One that has nothing in it is no file of certificates.
    fs::write(folder.path().join("between"), all + &pem(root)).unwrap();
    openssl(
        folder.path(),
        "verify -x509_strict -purpose any -CAfile root -untrusted between leaf",
    );
    openssl(folder.path(), "x509 -in leaf -noout -text")
}

#[tokio::test]
async fn a_certificate_comes_with_a_timestamp_for_itself() {
    let pool = pool().await;
    let log = Arc::new(FakeLog::new());
    let service = Arc::new(open(&pool, None).await);
    let issuer = CertificateIssuer::new(service).with_detached_timestamps(log.clone());
    for name in NAMES {
        for algorithm in KEYS {
            let (identity, key) = (identity(name()), proven(algorithm).await);
            let context = RequestContext::new("test");
            let certified = issuer.issue(&identity, &key, &context).await.unwrap();

            assert_eq!(certified.chain[1..], pool.chain("first"));
            let Timestamp::Detached(timestamp) = &certified.timestamp else {
                panic!("{:?}", certified.timestamp);
            };
            let entry = Entry::Certificate(&certified.chain[0]);
            timestamp.verify(&entry, log.key(), None).unwrap();
            assert_eq!(log.certificates().pop().unwrap(), certified.chain[0]);

            let text = judged_by_openssl(&certified);
            for expected in [
                "X509v3 Key Usage: critical\n                Digital Signature\n",
                "X509v3 Extended Key Usage: \n                Code Signing\n",
                "X509v3 Subject Alternative Name: critical\n",
                "1.3.6.1.4.1.57264.1.1: \n                https://issuer.example.com\n",
                "1.3.6.1.4.1.57264.1.8: \n",
                "1.3.6.1.4.1.57264.1.11: \n",
                "github-hosted\n",
                "1.3.6.1.4.1.57264.1.12: \n",
            ] {
                assert!(text.contains(expected), "{expected:?} is not in\n{text}");
            }
        }
    }
    assert_eq!(pool.issued(), NAMES.len() * KEYS.len());
}

#[tokio::test]
async fn a_root_may_issue_itself() {
    let pool = CaService::start().await;
    pool.add_root("root");
    let service = open(&pool, None).await;
    let certified = issue(&service).await.unwrap();
    assert_eq!(certified.chain.len(), 2);
    assert_eq!(certified.timestamp, Timestamp::None);
    judged_by_openssl(&certified);
}

#[tokio::test]
async fn google_is_asked_for_what_the_certificate_is_to_say() {
    let pool = pool().await;
    let service = open(&pool, None).await;
    pool.seen();
    let leaf = leaf(Algorithm::EcdsaP384Sha384).await;
    let context = RequestContext::new("test");
    service.issue(&leaf, &context).await.unwrap();
    let [seen] = pool.seen().try_into().unwrap();

    assert_eq!(seen.path, format!("/v1/{}/certificates", CaService::POOL));
    assert_eq!(seen.query["issuingCertificateAuthorityId"], "");
    assert_eq!(seen.query["certificateId"], seen.query["requestId"]);
    assert_eq!(seen.body["lifetime"], "600s");
    let config = &seen.body["config"];
    assert_eq!(
        config["subjectConfig"],
        json!({"subject": {}, "subjectAltName": {"emailAddresses": ["ada@example.com"]}})
    );
    let x509 = &config["x509Config"];
    assert_eq!(
        x509["keyUsage"],
        json!({
            "baseKeyUsage": {"digitalSignature": true},
            "extendedKeyUsage": {"codeSigning": true},
        })
    );
    let extensions = x509["additionalExtensions"].as_array().unwrap();
    assert_eq!(extensions.len(), 4);
    assert_eq!(
        extensions[0],
        json!({
            "objectId": {"objectIdPath": [1, 3, 6, 1, 4, 1, 57264, 1, 1]},
            "value": "aHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZS5jb20=",
        })
    );
}

#[tokio::test]
async fn an_ed25519_key_is_the_callers_mistake_and_google_is_not_asked() {
    let pool = pool().await;
    let service = open(&pool, None).await;
    pool.seen();
    let leaf = leaf(Algorithm::Ed25519).await;
    let context = RequestContext::new("test");
    let error = service.issue(&leaf, &context).await.unwrap_err();
    assert!(matches!(&error, Error::KeyKind { kind } if kind == "Ed25519"));
    assert_eq!(
        error.refusal(),
        Refusal::AlgorithmNotPermitted("unknown public key type: Ed25519".to_owned())
    );
    assert!(pool.seen().is_empty());
}

#[tokio::test]
async fn tells_how_long_a_certificate_takes() {
    let pool = pool().await;
    let service = open(&pool, None).await;
    let leaf = leaf(Algorithm::EcdsaP256Sha256).await;
    let context = RequestContext::new("test");
    let begun = Instant::now();
    for _ in 0..100 {
        service.issue(&leaf, &context).await.unwrap();
    }
    println!(
        "CA Service (double): {} us for each certificate",
        begun.elapsed().as_micros() / 100
    );
    assert_eq!(pool.issued(), 100);
}
