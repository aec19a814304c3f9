//! What happens to an open signer when the service changes under it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod kms;

use core::time::Duration;

use fulcio_signer::{ErrorKind, Signer as _};
use fulcio_signer_gcp_kms::Error;
use fulcio_test_services::{Relay, cause, causes, gcp_kms::GcpKms};
use fulcio_testkit::signer_conformance;
use kms::{at, config, open};

#[tokio::test]
async fn a_service_that_was_away_is_used_again() {
    let kms = GcpKms::start().await;
    let key = kms.signing_key("ca", "EC_SIGN_P384_SHA384");
    let target = kms.address.strip_prefix("http://").unwrap();
    let relay = Relay::start(target).await;
    let mut settings = at(&format!("http://{}", relay.address));
    settings.timeout = Duration::from_millis(500);
    let signer = open(&key, &settings).await.unwrap();
    signer.sign(b"message").await.unwrap();

    relay.to(None);
    let error = signer.sign(b"message").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(matches!(cause(&error), Error::Network(_)), "{error:?}");
    let text = causes(&error);
    assert!(text.contains("within 500 ms"), "{text}");

    relay.to(Some(target));
    signer_conformance(&signer).await;
}

#[tokio::test]
async fn a_version_that_was_disabled_is_used_again_when_it_is_enabled() {
    let kms = GcpKms::start().await;
    let key = kms.signing_key("ca", "EC_SIGN_P256_SHA256");
    let signer = open(&key, &config(&kms)).await.unwrap();
    kms.set_state(signer.version(), "DISABLED");
    kms.add_version(&key, "EC_SIGN_P256_SHA256");
    for _ in 0..2 {
        let error = signer.sign(b"message").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert!(matches!(cause(&error), Error::KeyState { .. }), "{error:?}");
    }
    kms.set_state(signer.version(), "ENABLED");
    signer.sign(b"message").await.unwrap();
}
