//! What happens to an open signer when Vault changes under it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod vault;

use core::time::Duration;
use std::{fs, time::Instant};

use fulcio_signer::{ErrorKind, Signer as _};
use fulcio_signer_hashivault::{Error, TokenSource};
use fulcio_testkit::signer_conformance;
use serde_json::json;
use vault::{
    Minivault, Relay, as_holder_of, as_root, cause, causes, minivault, open, openssl_verifies,
};

fn started() -> Option<Minivault> {
    minivault().map(|program| Minivault::start(&program))
}

const MESSAGE: &[u8] = b"message";

#[tokio::test]
async fn stays_with_its_version_when_the_key_is_rotated() {
    let Some(vault) = started() else { return };
    vault.key("fulcio", "ecdsa-p384");
    let signer = open("hashivault://fulcio", &as_root(&vault)).await.unwrap();
    vault.rotate("fulcio");
    vault.rotate("fulcio");
    let signature = signer.sign(MESSAGE).await.unwrap();
    openssl_verifies(&signer, MESSAGE, &signature.0);
    signer_conformance(&signer).await;
}

#[tokio::test]
async fn a_version_that_may_no_longer_sign_is_refused_at_once() {
    let Some(vault) = started() else { return };
    vault.key("fulcio", "ecdsa-p384");
    let signer = open("hashivault://fulcio", &as_root(&vault)).await.unwrap();
    vault.rotate("fulcio");
    let config = json!({"min_encryption_version": 2});
    vault.post("transit/keys/fulcio/config", &config);
    let start = Instant::now();
    let error = signer.sign(MESSAGE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(start.elapsed() < Duration::from_secs(5));
    let text = causes(&error);
    assert!(text.contains("less than the minimum"), "{text}");

    let named = open("hashivault://fulcio/versions/1", &as_root(&vault)).await;
    assert!(
        matches!(named, Err(Error::VersionMissing { version: 1, .. })),
        "{named:?}"
    );
}

#[tokio::test]
async fn a_deleted_key_is_refused_at_once() {
    let Some(vault) = started() else { return };
    vault.key("fulcio", "rsa-2048");
    let signer = open("hashivault://fulcio", &as_root(&vault)).await.unwrap();
    let config = json!({"deletion_allowed": true});
    vault.post("transit/keys/fulcio/config", &config);
    signer.sign(MESSAGE).await.unwrap();
    vault.delete("transit/keys/fulcio");
    let error = signer.sign(MESSAGE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(
        causes(&error).contains("key not found"),
        "{}",
        causes(&error)
    );

    // Another key under the same name is another key.
    vault.key("fulcio", "rsa-2048");
    let error = signer.sign(MESSAGE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongKey);
}

#[tokio::test]
async fn a_vault_that_is_sealed_and_opened_again_is_used_again() {
    let Some(vault) = started() else { return };
    vault.key("fulcio", "ecdsa-p384");
    let mut config = as_root(&vault);
    config.timeout = Duration::from_millis(500);
    let signer = open("hashivault://fulcio", &config).await.unwrap();
    vault.seal();
    let error = signer.sign(MESSAGE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(causes(&error).contains("sealed"), "{}", causes(&error));
    vault.unseal();
    signer.sign(MESSAGE).await.unwrap();
}

#[tokio::test]
async fn a_vault_that_was_restarted_is_used_again() {
    let Some(program) = minivault() else { return };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let vault = Minivault::start_with(&program, &["-data", data]);
    vault.key("fulcio", "ecdsa-p384");
    let relay = Relay::start(&vault.address).await;
    let mut config = as_root(&vault);
    config.address = format!("http://{}", relay.address);
    config.timeout = Duration::from_millis(500);
    let signer = open("hashivault://fulcio", &config).await.unwrap();
    signer.sign(MESSAGE).await.unwrap();

    let unseal_key = vault.unseal_key.clone();
    drop(vault);
    relay.to(None);
    let error = signer.sign(MESSAGE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(matches!(cause(&error), Error::Network(_)), "{error:?}");

    let again = ["-data", data, "-unseal-key", &unseal_key];
    let vault = Minivault::start_with(&program, &again);
    relay.to(Some(&vault.address));
    signer_conformance(&signer).await;
}

#[tokio::test]
async fn a_revoked_token_is_denied_until_its_file_has_another() {
    let Some(vault) = started() else { return };
    vault.key("fulcio", "ecdsa-p384");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let everything = r#"path "*" { capabilities = ["read", "update"] }"#;
    let tokens = [(); 2].map(|()| vault.token("all", everything));
    fs::write(&file, format!("{}\n", tokens[0])).unwrap();
    let mut config = as_root(&vault);
    config.token = TokenSource::File(file.clone());
    let signer = open("hashivault://fulcio", &config).await.unwrap();
    let told = open("hashivault://fulcio", &as_holder_of(&tokens[0], &vault)).await;
    let told = told.unwrap();
    signer.sign(MESSAGE).await.unwrap();

    vault.revoke(&tokens[0]);
    for signer in [&signer, &told] {
        let error = signer.sign(MESSAGE).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied);
    }

    fs::write(&file, &tokens[1]).unwrap();
    signer_conformance(&signer).await;
    assert_eq!(
        told.sign(MESSAGE).await.unwrap_err().kind(),
        ErrorKind::Denied
    );

    vault.revoke(&tokens[1]);
    fs::remove_file(&file).unwrap();
    let error = signer.sign(MESSAGE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(
        matches!(cause(&error), Error::TokenFile { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn waits_as_long_as_a_quota_asks() {
    let Some(vault) = started() else { return };
    vault.key("fulcio", "ecdsa-p256");
    let mut config = as_root(&vault);
    config.timeout = Duration::from_secs(30);
    let patient = open("hashivault://fulcio", &config).await.unwrap();
    config.timeout = Duration::from_millis(100);
    let hasty = open("hashivault://fulcio", &config).await.unwrap();
    let headers = json!({"enable_rate_limit_response_headers": true});
    vault.post("sys/quotas/config", &headers);
    let quota = json!({"path": "transit/", "rate": 1, "interval": "2s"});
    vault.post("sys/quotas/rate-limit/transit", &quota);

    let start = Instant::now();
    patient.sign(MESSAGE).await.unwrap();
    let error = hasty.sign(MESSAGE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert!(
        matches!(
            cause(&error),
            Error::Throttled {
                retry_after: Some(_),
                ..
            }
        ),
        "{error:?}"
    );
    patient.sign(MESSAGE).await.unwrap();
    assert!(
        start.elapsed() > Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
}
