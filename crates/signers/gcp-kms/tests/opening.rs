//! What an operator is told when a key is opened.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod kms;

use core::time::Duration;

use fulcio_remote_key::Fault as _;
use fulcio_signer::{ErrorKind, Signer as _};
use fulcio_signer_gcp_kms::Error;
use fulcio_test_services::{
    TlsFiles, causes,
    gcp_kms::{GcpKms, Reply},
};
use kms::{at, config, open};
use serde_json::{Value, json};

const P256: &str = "EC_SIGN_P256_SHA256";

#[tokio::test]
async fn a_version_that_is_named_is_not_looked_for() {
    let kms = GcpKms::start().await;
    let key = kms.signing_key("ca", P256);
    kms.add_version(&key, P256);
    for behind in ["versions/1", "cryptoKeyVersions/1"] {
        let signer = open(&format!("{key}/{behind}"), &config(&kms))
            .await
            .unwrap();
        assert_eq!(signer.version(), format!("{key}/cryptoKeyVersions/1"));
        let seen = kms.seen();
        assert_eq!(seen.len(), 1);
        assert_eq!(
            seen[0].path,
            format!("/v1/{key}/cryptoKeyVersions/1/publicKey")
        );
        signer.sign(b"message").await.unwrap();
        kms.forget();
    }
}

#[tokio::test]
async fn the_newest_enabled_version_is_looked_for_once() {
    let kms = GcpKms::start().await;
    kms.set_page_size(3);
    let key = kms.signing_key("ca", P256);
    for _ in 0..11 {
        kms.add_version(&key, P256);
    }
    let version = |number: u32| format!("{key}/cryptoKeyVersions/{number}");
    kms.set_state(&version(12), "DISABLED");
    kms.set_state(&version(11), "DESTROY_SCHEDULED");
    let signer = open(&key, &config(&kms)).await.unwrap();
    // As text, 9 comes after 10.
    assert_eq!(signer.version(), version(10));
    let seen = kms.seen();
    // Ten versions are four pages.
    assert_eq!(seen.len(), 5);
    assert_eq!(seen[0].path, format!("/v1/{key}/cryptoKeyVersions"));
    assert!(
        seen[0].query.contains("filter=state%3DENABLED"),
        "{}",
        seen[0].query
    );
    assert_eq!(seen[4].path, format!("/v1/{}/publicKey", version(10)));

    kms.add_version(&key, P256);
    for _ in 0..3 {
        signer.sign(b"message").await.unwrap();
    }
    let asked = format!("/v1/{}:asymmetricSign", version(10));
    let seen = kms.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|seen| seen.path == asked));
}

#[tokio::test]
async fn a_list_that_is_not_filtered_still_leads_to_an_enabled_version() {
    let kms = GcpKms::start().await;
    let key = kms.signing_key("ca", P256);
    kms.then([Reply::body(json!({"cryptoKeyVersions": [
        {"name": format!("{key}/cryptoKeyVersions/1"), "state": "ENABLED"},
        {"name": format!("{key}/cryptoKeyVersions/2"), "state": "DESTROYED"},
    ]}))]);
    let signer = open(&key, &config(&kms)).await.unwrap();
    assert_eq!(signer.version(), format!("{key}/cryptoKeyVersions/1"));
}

#[tokio::test]
async fn versions_of_another_key_are_not_taken() {
    let kms = GcpKms::start().await;
    let key = kms.signing_key("ca", P256);
    for name in [
        "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
        "",
        "x",
    ] {
        let version = json!({"name": name, "state": "ENABLED"});
        kms.then([Reply::body(json!({"cryptoKeyVersions": [version]}))]);
        let error = open(&key, &config(&kms)).await.unwrap_err();
        assert!(matches!(error, Error::OtherKey { .. }), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::WrongKey);
    }
}

#[tokio::test]
async fn says_that_no_version_is_enabled() {
    let kms = GcpKms::start().await;
    let key = kms.signing_key("ca", P256);
    kms.set_state(&format!("{key}/cryptoKeyVersions/1"), "PENDING_GENERATION");
    let error = open(&key, &config(&kms)).await.unwrap_err();
    assert!(matches!(error, Error::VersionMissing { .. }), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.to_string().contains(&key), "{error}");
}

#[tokio::test]
async fn says_in_which_state_a_version_is_that_cannot_be_used() {
    let kms = GcpKms::start().await;
    let key = kms.signing_key("ca", P256);
    let version = format!("{key}/cryptoKeyVersions/1");
    for state in [
        "DISABLED",
        "DESTROYED",
        "DESTROY_SCHEDULED",
        "PENDING_GENERATION",
    ] {
        kms.set_state(&version, state);
        let error = open(&version, &config(&kms)).await.unwrap_err();
        assert!(matches!(error, Error::KeyState { .. }), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::Denied);
        let text = error.to_string();
        assert!(text.contains(state) && text.contains("enable it"), "{text}");
    }
}

#[tokio::test]
async fn says_which_key_there_is_not() {
    let kms = GcpKms::start().await;
    let key = kms.signing_key("ca", P256);
    for name in [
        key.replace("/ca", "/none"),
        format!("{key}/cryptoKeyVersions/7"),
    ] {
        let error = open(&name, &config(&kms)).await.unwrap_err();
        assert!(matches!(error, Error::KeyMissing { .. }), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains(&name), "{error}");
    }
}

#[tokio::test]
async fn names_what_it_supports_where_a_key_signs_in_another_way() {
    let kms = GcpKms::start().await;
    for algorithm in ["RSA_SIGN_PSS_2048_SHA256", "RSA_SIGN_PKCS1_4096_SHA512"] {
        let key = kms.signing_key(algorithm, algorithm);
        let error = open(&key, &config(&kms)).await.unwrap_err();
        assert!(matches!(error, Error::Algorithm { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains(algorithm), "{text}");
        assert!(
            text.contains("EC_SIGN_P256_SHA256, EC_SIGN_P384_SHA384, EC_SIGN_ED25519"),
            "{text}"
        );
        assert!(text.contains("RSA_SIGN_PKCS1_4096_SHA256"), "{text}");
    }
    let key = kms.signing_key("ca", P256);
    let version = format!("{key}/cryptoKeyVersions/1");
    for algorithm in [
        "RSA_SIGN_RAW_PKCS1_2048",
        "EC_SIGN_SECP256K1_SHA256",
        "HMAC_SHA256",
        "NEW",
    ] {
        kms.then([Reply::With("algorithm", json!(algorithm))]);
        let error = open(&version, &config(&kms)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains(algorithm), "{error}");
    }
    // The key is none of what its algorithm says.
    kms.then([Reply::With("algorithm", json!("EC_SIGN_P384_SHA384"))]);
    let error = open(&version, &config(&kms)).await.unwrap_err();
    assert!(matches!(error, Error::PublicKey { .. }), "{error:?}");
}

#[tokio::test]
async fn says_what_a_key_is_for_that_does_not_sign() {
    let kms = GcpKms::start().await;
    let key = kms.wrapping_key("wrapping");
    let error = open(&key, &config(&kms)).await.unwrap_err();
    assert!(error.to_string().contains("ENCRYPT_DECRYPT"), "{error}");
}

#[tokio::test]
async fn a_public_key_with_a_wrong_checksum_is_asked_for_again() {
    let kms = GcpKms::start().await;
    let version = format!("{}/cryptoKeyVersions/1", kms.signing_key("ca", P256));
    for sum in [json!("1"), Value::Null] {
        kms.then([Reply::With("pemCrc32c", sum.clone())]);
        open(&version, &config(&kms)).await.unwrap();
        assert_eq!(kms.seen().len(), 2);

        let mut settings = config(&kms);
        settings.open_timeout = Duration::from_millis(300);
        kms.then(kms::always(&Reply::With("pemCrc32c", sum)));
        let error = open(&version, &settings).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(causes(&error).contains("pemCrc32c"), "{}", causes(&error));
        kms.forget();
    }
}

#[tokio::test]
async fn a_public_key_of_another_version_is_not_taken() {
    let kms = GcpKms::start().await;
    let key = kms.signing_key("ca", P256);
    kms.then([Reply::With(
        "name",
        json!(format!("{key}/cryptoKeyVersions/2")),
    )]);
    let error = open(&format!("{key}/versions/1"), &config(&kms))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::OtherKey { .. }), "{error:?}");
}

#[tokio::test]
async fn a_public_key_that_is_garbage_is_not_opened() {
    let kms = GcpKms::start().await;
    let version = format!("{}/cryptoKeyVersions/1", kms.signing_key("ca", P256));
    let pem = |pem: &str| {
        Reply::body(json!({
            "name": version, "algorithm": P256, "pem": pem,
            "pemCrc32c": crc32c::crc32c(pem.as_bytes()).to_string(),
        }))
    };
    for reply in [
        Reply::body(""),
        Reply::body("garbage"),
        Reply::body("[]"),
        Reply::body("{}"),
        Reply::body(json!({"name": 1})),
        Reply::With("name", Value::Null),
        Reply::With("algorithm", Value::Null),
        Reply::say(418, "garbage"),
        Reply::say(404, "<html>from a balancer</html>"),
        pem(""),
        pem("garbage"),
        pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
        pem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    ] {
        kms.then([reply.clone()]);
        let error = open(&version, &config(&kms)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{reply:?}: {error:?}");
        assert_eq!(kms.seen().len(), 1, "{reply:?}");
    }
}

#[tokio::test]
async fn a_service_that_is_down_at_the_start_is_waited_for_and_then_named() {
    let mut settings = at("http://127.0.0.1:1");
    settings.open_timeout = Duration::from_millis(500);
    let key = "projects/p/locations/l/keyRings/r/cryptoKeys/k";
    let error = open(key, &settings).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let Error::Deadline {
        last: Some(last), ..
    } = &error
    else {
        panic!("{error:?}")
    };
    assert!(matches!(**last, Error::Network(_)), "{last:?}");
    let text = causes(&error);
    assert!(
        text.contains("within 500 ms") && text.contains("refused"),
        "{text}"
    );
}

#[tokio::test]
async fn a_service_that_nobody_vouches_for_is_not_asked() {
    let kms = GcpKms::start_with_tls(&TlsFiles::create()).await;
    let key = kms.signing_key("ca", P256);
    let error = open(&key, &config(&kms)).await.unwrap_err();
    assert!(matches!(error, Error::Untrusted(_)), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(
        causes(&error).contains("invalid peer certificate"),
        "{}",
        causes(&error)
    );
    assert!(error.to_string().contains("SSL_CERT_FILE"), "{error}");
    assert_eq!(kms.connections(), 1);
    assert_eq!(kms.seen().len(), 0);
}
