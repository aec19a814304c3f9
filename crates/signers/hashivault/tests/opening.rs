//! What Vault says when a key is opened.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod vault;

use core::time::Duration;

use fulcio_remote_key::Fault as _;
use fulcio_signer::{ErrorKind, Signer as _};
use fulcio_signer_hashivault::{Error, TokenSource, VaultConfig};
use fulcio_testkit::signer_conformance;
use pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::json;
use vault::{Minivault, TlsFiles, as_holder_of, as_root, causes, minivault, open};
use zeroize::Zeroizing;

fn started() -> Option<Minivault> {
    minivault().map(|program| Minivault::start(&program))
}

#[tokio::test]
async fn says_what_may_be_wrong_when_there_is_no_such_key_or_engine() {
    let Some(vault) = started() else { return };
    let missing = open("hashivault://missing", &as_root(&vault))
        .await
        .unwrap_err();
    assert!(matches!(missing, Error::KeyMissing { .. }), "{missing:?}");

    vault.key("fulcio", "ecdsa-p384");
    let mut config = as_root(&vault);
    config.mount = "elsewhere".to_owned();
    let missing = open("hashivault://fulcio", &config).await.unwrap_err();
    let text = missing.to_string();
    assert!(matches!(missing, Error::KeyMissing { .. }), "{missing:?}");
    assert!(text.contains("elsewhere"), "{text}");
    assert!(text.contains("TRANSIT_SECRET_ENGINE_PATH"), "{text}");
}

#[tokio::test]
async fn finds_a_key_in_an_engine_that_is_mounted_elsewhere() {
    let Some(vault) = started() else { return };
    vault.post("sys/mounts/team/signing", &json!({"type": "transit"}));
    vault.post("team/signing/keys/fulcio", &json!({"type": "ecdsa-p256"}));
    let mut config = as_root(&vault);
    config.mount = "/team/signing/".to_owned();
    let signer = open("openbao://fulcio", &config).await.unwrap();
    signer.sign(b"message").await.unwrap();
}

#[tokio::test]
async fn needs_no_more_than_the_policy_in_the_documentation() {
    let Some(vault) = started() else { return };
    vault.key("fulcio", "ecdsa-p384");
    let policy = r#"
        path "transit/keys/fulcio"   { capabilities = ["read"] }
        path "transit/sign/fulcio"   { capabilities = ["update"] }
        path "transit/sign/fulcio/*" { capabilities = ["update"] }
    "#;
    let token = vault.token("signer", policy);
    let signer = open("hashivault://fulcio", &as_holder_of(&token, &vault)).await;
    signer_conformance(&signer.unwrap()).await;
}

#[tokio::test]
async fn a_token_without_permission_is_denied_and_not_shown() {
    let Some(vault) = started() else { return };
    vault.key("fulcio", "ecdsa-p384");
    let blind = vault.token("blind", r#"path "x" { capabilities = ["read"] }"#);
    for token in [blind.as_str(), "hvs.unknown"] {
        let config = as_holder_of(token, &vault);
        let denied = open("hashivault://fulcio", &config).await.unwrap_err();
        assert!(matches!(denied, Error::Denied { .. }), "{denied:?}");
        assert_eq!(denied.kind(), ErrorKind::Denied);
        assert!(denied.to_string().contains("permission denied"), "{denied}");
        assert!(!format!("{denied:?} {config:?}").contains(token));
    }

    let reader = r#"path "transit/keys/fulcio" { capabilities = ["read"] }"#;
    let reader = vault.token("reader", reader);
    let signer = open("hashivault://fulcio", &as_holder_of(&reader, &vault)).await;
    let denied = signer.unwrap().sign(b"message").await.unwrap_err();
    assert_eq!(denied.kind(), ErrorKind::Denied);
    assert!(causes(&denied).contains("permission denied"));
}

#[tokio::test]
async fn names_a_kind_of_key_that_cannot_sign() {
    let Some(vault) = started() else { return };
    vault.key("symmetric", "aes256-gcm96");
    let error = open("hashivault://symmetric", &as_root(&vault))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::KeyType { kind, .. } if kind == "aes256-gcm96"),
        "{error:?}"
    );
    vault.post(
        "transit/keys/derived",
        &json!({"type": "ed25519", "derived": true}),
    );
    let error = open("hashivault://derived", &as_root(&vault))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::DerivedKey { .. }), "{error:?}");
}

#[tokio::test]
async fn opens_the_newest_version_or_the_one_that_is_named() {
    let Some(vault) = started() else { return };
    vault.key("fulcio", "ecdsa-p384");
    let first = open("hashivault://fulcio", &as_root(&vault)).await.unwrap();
    vault.rotate("fulcio");
    let newest = open("hashivault://fulcio", &as_root(&vault)).await.unwrap();
    let named = open("hashivault://fulcio/versions/1", &as_root(&vault))
        .await
        .unwrap();
    assert_eq!(
        (first.version(), newest.version(), named.version()),
        (1, 2, 1)
    );
    assert_eq!(named.public_key(), first.public_key());
    assert_ne!(newest.public_key(), first.public_key());
    for signer in [&first, &newest, &named] {
        signer_conformance(signer).await;
    }

    // Versions below it are kept, and not shown.
    let config = json!({"min_decryption_version": 2});
    vault.post("transit/keys/fulcio/config", &config);
    for version in [1, 3] {
        let reference = format!("hashivault://fulcio/versions/{version}");
        let error = open(&reference, &as_root(&vault)).await.unwrap_err();
        assert!(
            matches!(&error, Error::VersionMissing { others, .. } if others == &[2]),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_sealed_vault_is_waited_for_and_then_named() {
    let Some(vault) = started() else { return };
    vault.key("fulcio", "ecdsa-p384");
    vault.seal();
    let mut config = as_root(&vault);
    config.timeout = Duration::from_millis(500);
    let error = open("hashivault://fulcio", &config).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let text = causes(&error);
    assert!(text.contains("status 503: Vault is sealed"), "{text}");

    config.timeout = Duration::from_secs(30);
    let (opened, ()) = tokio::join!(open("hashivault://fulcio", &config), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        vault.unseal();
    });
    opened.unwrap().sign(b"message").await.unwrap();
}

#[tokio::test]
async fn a_vault_that_is_down_is_unavailable() {
    let token = TokenSource::Value(Zeroizing::new("t".to_owned()));
    let mut config = VaultConfig::new("http://127.0.0.1:1", token);
    config.timeout = Duration::from_millis(500);
    let error = open("hashivault://fulcio", &config).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let text = causes(&error);
    assert!(text.contains("Vault was not reached"), "{text}");
    assert!(text.contains("refused"), "{text}");
}

#[tokio::test]
async fn tls_is_trusted_by_the_given_roots_only() {
    let Some(program) = minivault() else { return };
    let (files, strangers) = (TlsFiles::create(), TlsFiles::create());
    let (cert, key) = (files.path("cert.pem"), files.path("key.pem"));
    let arguments = ["-tls-cert", cert.as_str(), "-tls-key", key.as_str()];
    let vault = Minivault::start_with(&program, &arguments);
    let mut config = as_root(&vault);
    config.address = format!("https://{}", vault.address);

    let error = open("hashivault://fulcio", &config).await.unwrap_err();
    assert!(matches!(error, Error::NoRoots), "{error:?}");

    let root = |files: &TlsFiles| CertificateDer::from_pem_slice(&files.read("cert.pem")).unwrap();
    config.roots = vec![root(&strangers)];
    let error = open("hashivault://fulcio", &config).await.unwrap_err();
    assert!(matches!(error, Error::Untrusted(_)), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Invalid);

    config.roots.push(root(&files));
    // TLS lets us in, and there is no such key.
    let error = open("hashivault://fulcio", &config).await.unwrap_err();
    assert!(matches!(error, Error::KeyMissing { .. }), "{error:?}");
}
