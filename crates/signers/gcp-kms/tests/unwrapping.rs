//! What a symmetric key of Google Cloud KMS has wrapped.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod kms;

use core::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fulcio_signer::{ErrorKind, KeyUnwrap as _};
use fulcio_signer_gcp_kms::{Error, GcpKmsConfig, GcpKmsUnwrap};
use fulcio_test_services::{
    cause, causes,
    gcp_kms::{GcpKms, Reply},
};
use kms::{always, at, config};
use serde_json::{Value, json};

const KEYSET: &[u8] = b"a keyset that nobody may see";

async fn unwrapper(key: &str, config: &GcpKmsConfig) -> GcpKmsUnwrap {
    let reference = format!("gcp-kms://{key}").parse().unwrap();
    GcpKmsUnwrap::open(&reference, config).await.unwrap()
}

async fn wrapped() -> (GcpKms, GcpKmsUnwrap, Vec<u8>) {
    let kms = GcpKms::start().await;
    let key = kms.wrapping_key("tink");
    let wrapped = kms.wrap(&key, KEYSET);
    let mut settings = config(&kms);
    settings.timeout = Duration::from_millis(300);
    let unwrapper = unwrapper(&key, &settings).await;
    (kms, unwrapper, wrapped)
}

#[tokio::test]
async fn unwraps_what_the_key_has_wrapped() {
    let (kms, unwrapper, wrapped) = wrapped().await;
    for _ in 0..3 {
        let plain = unwrapper.unwrap_key(&wrapped).await.unwrap();
        assert_eq!(plain.as_slice(), KEYSET);
    }
    assert_eq!(kms.connections(), 1);
    let seen = kms.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen[0].path.ends_with("/cryptoKeys/tink:decrypt"));
    let crc = crc32c::crc32c(&wrapped).to_string();
    let ciphertext = STANDARD.encode(&wrapped);
    assert_eq!(
        seen[0].body,
        json!({"ciphertext": ciphertext, "ciphertextCrc32c": crc})
    );
}

#[tokio::test]
async fn what_another_key_has_wrapped_is_refused() {
    let (kms, unwrapper, wrapped) = wrapped().await;
    let other = kms.wrap(&kms.wrapping_key("other"), KEYSET);
    for wrong in [&other[..], &wrapped[1..], b"", b"garbage"] {
        let error = unwrapper.unwrap_key(wrong).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error:?}");
        assert_eq!(kms.seen().len(), 1);
    }
}

#[tokio::test]
async fn what_was_damaged_on_the_way_is_asked_for_again_and_never_given_out() {
    let (kms, unwrapper, wrapped) = wrapped().await;
    for reply in [
        Reply::With("plaintextCrc32c", json!("1")),
        Reply::With("plaintextCrc32c", Value::Null),
        Reply::With("plaintext", json!("AAAA")),
        Reply::body("{}"),
        Reply::HangUp,
        Reply::error(503, "UNAVAILABLE", "told to answer so"),
    ] {
        kms.then([reply.clone()]);
        let plain = unwrapper.unwrap_key(&wrapped).await.unwrap();
        assert_eq!(plain.as_slice(), KEYSET);
        assert_eq!(kms.seen().len(), 2, "{reply:?}");

        kms.then(always(&reply));
        let error = unwrapper.unwrap_key(&wrapped).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        assert!(
            causes(&error).contains("within 300 ms"),
            "{}",
            causes(&error)
        );
        kms.forget();
    }
}

#[tokio::test]
async fn says_why_a_key_cannot_be_used() {
    let kms = GcpKms::start().await;
    let key = kms.wrapping_key("tink");
    let wrapped = kms.wrap(&key, KEYSET);
    let opened = unwrapper(&key, &config(&kms)).await;

    kms.set_state(&format!("{key}/cryptoKeyVersions/1"), "DISABLED");
    let error = opened.unwrap_key(&wrapped).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(causes(&error).contains("DISABLED"), "{}", causes(&error));

    let signing = kms.signing_key("ca", "EC_SIGN_P256_SHA256");
    let error = unwrapper(&signing, &config(&kms)).await;
    let error = error.unwrap_key(&wrapped).await.unwrap_err();
    assert!(
        causes(&error).contains("ASYMMETRIC_SIGN"),
        "{}",
        causes(&error)
    );

    let none = key.replace("tink", "none");
    let error = unwrapper(&none, &config(&kms)).await;
    let error = error.unwrap_key(&wrapped).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let Error::Deadline { .. } = cause::<Error>(&error) else {
        assert!(causes(&error).contains(&none), "{}", causes(&error));
        return;
    };
    panic!("{error:?}")
}

#[tokio::test]
async fn a_service_that_is_down_is_unavailable_in_time() {
    let mut settings = at("http://127.0.0.1:1");
    settings.timeout = Duration::from_millis(300);
    let key = "projects/p/locations/l/keyRings/r/cryptoKeys/k";
    let unwrapper = unwrapper(key, &settings).await;
    let error = unwrapper.unwrap_key(b"wrapped").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(causes(&error).contains("refused"), "{}", causes(&error));
}

#[tokio::test]
async fn nothing_shows_what_was_wrapped() {
    let (kms, unwrapper, wrapped) = wrapped().await;
    let secret = STANDARD.encode(KEYSET);
    let mut texts = vec![format!("{unwrapper:?}")];
    for reply in [
        Reply::With("plaintextCrc32c", json!("1")),
        Reply::With("plaintextCrc32c", json!("much")),
        Reply::With("plaintextCrc32c", json!({})),
        Reply::With("usedPrimary", json!("much")),
    ] {
        kms.then(always(&reply));
        let error = unwrapper.unwrap_key(&wrapped).await.unwrap_err();
        texts.push(format!("{error:?} {}", causes(&error)));
        kms.forget();
    }
    for text in texts {
        assert!(
            !text.contains("nobody may see") && !text.contains(&secret),
            "{text}"
        );
    }
}
