//! Keys that decrypt for others: by Vault itself, and by one that does what Vault would not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod vault;

use core::time::Duration;
use std::{sync::OnceLock, time::Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fulcio_signer::{Error as SignerError, ErrorKind, KeyUnwrap as _};
use fulcio_signer_hashivault::{Error, HashivaultUnwrap, UnwrapKeyReference, VaultConfig};
use pki_types::{CertificateDer, pem::PemObject as _};
use proptest::prelude::*;
use serde_json::json;
use vault::{
    FakeVault, Minivault, Relay, Reply, TlsFiles, as_holder_of, as_root, cause, causes, minivault,
};

const KEY: &str = "hcvault:///transit/keys/tink";
const PLAIN: &[u8] = b"\x00 what nobody may see";
const TOKEN: &str = "hvs.a-token-that-nobody-may-see";

/// One for all tests of this file; its end is that of the process.
fn shared() -> Option<&'static Minivault> {
    static SHARED: OnceLock<Option<Minivault>> = OnceLock::new();
    let start = || {
        let vault = Minivault::start(&minivault()?);
        vault.key("tink", "aes256-gcm96");
        vault.key("other", "chacha20-poly1305");
        vault.key("signs", "ecdsa-p384");
        Some(vault)
    };
    SHARED.get_or_init(start).as_ref()
}

async fn open(reference: &str, config: &VaultConfig) -> HashivaultUnwrap {
    let reference = reference.parse().unwrap();
    HashivaultUnwrap::open(&reference, config).await.unwrap()
}

fn encrypted(vault: &Minivault, path: &str) -> Vec<u8> {
    let answer = vault.post(path, &json!({"plaintext": STANDARD.encode(PLAIN)}));
    let text = answer["data"]["ciphertext"].as_str().unwrap();
    text.as_bytes().to_vec()
}

#[tokio::test]
async fn decrypts_whatever_the_version_of_the_key() {
    let Some(vault) = shared() else { return };
    vault.key("rotated", "aes256-gcm96");
    let before = encrypted(vault, "transit/encrypt/rotated");
    vault.rotate("rotated");
    let after = encrypted(vault, "transit/encrypt/rotated");
    assert_ne!(before[..9], after[..9]);
    let key = open("hcvault:///transit/keys/rotated", &as_root(vault)).await;
    for wrapped in [before, after] {
        assert_eq!(*key.unwrap_key(&wrapped).await.unwrap(), PLAIN);
    }
}

#[tokio::test]
async fn an_engine_may_be_mounted_anywhere() {
    let Some(vault) = shared() else { return };
    vault.post("sys/mounts/team/a/keys", &json!({"type": "transit"}));
    vault.post("team/a/keys/keys/k", &json!({}));
    let wrapped = encrypted(vault, "team/a/keys/encrypt/k");
    let key = open("hcvault:///team/a/keys/keys/k", &as_root(vault)).await;
    assert_eq!(*key.unwrap_key(&wrapped).await.unwrap(), PLAIN);
}

#[tokio::test]
async fn a_token_needs_no_more_than_to_decrypt() {
    let Some(vault) = shared() else { return };
    let wrapped = encrypted(vault, "transit/encrypt/tink");
    let policy = r#"path "transit/decrypt/tink" { capabilities = ["update"] }"#;
    let config = as_holder_of(&vault.token("decrypts", policy), vault);
    let plain = open(KEY, &config).await.unwrap_key(&wrapped).await;
    assert_eq!(*plain.unwrap(), PLAIN);

    let policy = r#"path "transit/encrypt/tink" { capabilities = ["update"] }"#;
    let config = as_holder_of(&vault.token("encrypts", policy), vault);
    let error = open(KEY, &config)
        .await
        .unwrap_key(&wrapped)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(
        causes(&error).contains("permission denied"),
        "{}",
        causes(&error)
    );
}

#[tokio::test]
async fn says_what_is_wrong_with_the_key() {
    let Some(vault) = shared() else { return };
    let wrapped = encrypted(vault, "transit/encrypt/tink");
    for (reference, said) in [
        (
            "hcvault:///transit/keys/other",
            "encrypted with another key",
        ),
        (
            "hcvault:///transit/keys/signs",
            "not supported for key type ecdsa-p384",
        ),
        (
            "hcvault:///transit/keys/none",
            "has no key none in the transit engine at transit",
        ),
        (
            "hcvault:///nowhere/keys/tink",
            "has no key tink in the transit engine at nowhere",
        ),
    ] {
        let key = open(reference, &as_root(vault)).await;
        let error = key.unwrap_key(&wrapped).await.unwrap_err();
        let text = causes(&error);
        assert_eq!(error.kind(), ErrorKind::Invalid, "{text}");
        assert!(text.contains(said), "{text}");
    }
}

#[tokio::test]
async fn says_that_it_is_damaged() {
    let Some(vault) = shared() else { return };
    let key = open(KEY, &as_root(vault)).await;
    for wrapped in [
        &b""[..],
        b"garbage",
        b"vault:v1:AAAA",
        b"vault:v9:AAAA",
        b"\xff\xfe",
    ] {
        let error = key.unwrap_key(wrapped).await.unwrap_err();
        assert!(
            matches!(cause(&error), Error::Ciphertext { .. }),
            "{error:?}"
        );
        assert!(
            causes(&error).contains("or is damaged"),
            "{}",
            causes(&error)
        );
    }
}

#[tokio::test]
async fn a_vault_that_is_away_is_waited_for() {
    let Some(vault) = shared() else { return };
    let wrapped = encrypted(vault, "transit/encrypt/tink");
    let relay = Relay::start(&vault.address).await;
    relay.to(None);
    let mut config = as_root(vault);
    config.address = format!("http://{}", relay.address);
    config.timeout = Duration::from_millis(500);
    let key = open(KEY, &config).await;
    let start = Instant::now();
    let error = key.unwrap_key(&wrapped).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let text = causes(&error);
    assert!(
        text.contains("within 500 ms") && text.contains("not reached"),
        "{text}"
    );

    relay.to(Some(&vault.address));
    assert_eq!(*key.unwrap_key(&wrapped).await.unwrap(), PLAIN);
}

fn plain() -> Reply {
    Reply::body(json!({"data": {"plaintext": STANDARD.encode(PLAIN)}}))
}

async fn failed(replies: impl IntoIterator<Item = Reply>) -> (usize, SignerError) {
    let vault = FakeVault::start().await;
    let mut config = vault.config();
    config.timeout = Duration::from_millis(250);
    config.try_timeout = Duration::from_millis(100);
    let key = open(KEY, &config).await;
    vault.then(replies);
    let error = key.unwrap_key(b"vault:v1:AAAA").await.unwrap_err();
    let text = causes(&error);
    assert!(!text.contains(TOKEN), "{text}");
    (vault.seen().len(), error)
}

#[tokio::test]
async fn asks_once_and_without_a_context() {
    let vault = FakeVault::start().await;
    let mut config = vault.config();
    config.mount = "not-this".to_owned();
    let key = open("hcvault:///team/transit/keys/tink", &config).await;
    assert_eq!(vault.seen().len(), 0);
    vault.then([plain()]);
    assert_eq!(*key.unwrap_key(b"vault:v1:AAAA").await.unwrap(), PLAIN);
    let [seen] = &vault.seen()[..] else {
        panic!("not one request");
    };
    assert_eq!(seen.method, "POST");
    assert_eq!(seen.path, "/v1/team/transit/decrypt/tink");
    assert_eq!(seen.body, json!({"ciphertext": "vault:v1:AAAA"}));
}

#[tokio::test]
async fn each_refusal_is_told_apart() {
    for (status, kind, said) in [
        (400, ErrorKind::Invalid, "encrypted with another key"),
        (403, ErrorKind::Denied, "refused the token"),
        (404, ErrorKind::Invalid, "has no key tink"),
        (405, ErrorKind::Invalid, "status 405"),
    ] {
        let (requests, error) = failed([Reply::status(status)]).await;
        let text = causes(&error);
        assert_eq!((requests, error.kind()), (1, kind), "{status}: {text}");
        assert!(text.contains(said), "{status}: {text}");
    }
    for (status, said) in [
        (429, "fewer requests"),
        (500, "status 500"),
        (503, "status 503"),
    ] {
        let (requests, error) = failed((0..50).map(|_| Reply::status(status))).await;
        let text = causes(&error);
        assert!((2..=3).contains(&requests), "{status}: {requests}");
        assert!(
            text.contains("within 250 ms") && text.contains(said),
            "{text}"
        );
    }
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let vault = FakeVault::start().await;
    let mut config = vault.config();
    config.try_timeout = Duration::from_millis(200);
    let key = open(KEY, &config).await;
    vault.then([Reply::status(503), Reply::HangUp, Reply::Hang, plain()]);
    assert_eq!(*key.unwrap_key(b"vault:v1:AAAA").await.unwrap(), PLAIN);
    assert_eq!(vault.seen().len(), 4);
}

#[tokio::test]
async fn garbage_is_refused_and_not_asked_for_again() {
    for body in [
        "",
        "garbage",
        "{}",
        r#"{"data": {}}"#,
        r#"{"data": {"plaintext": 1}}"#,
        r#"{"data": {"plaintext": "~"}}"#,
    ] {
        let (requests, error) = failed([Reply::body(body)]).await;
        assert_eq!((requests, error.kind()), (1, ErrorKind::Invalid), "{body}");
    }
}

#[tokio::test]
async fn nothing_shows_the_token() {
    let vault = FakeVault::start().await;
    let shown = format!("{:?}", open(KEY, &vault.config()).await);
    assert!(
        shown.contains("decrypt/tink") && !shown.contains(TOKEN),
        "{shown}"
    );
}

#[tokio::test]
async fn the_host_of_the_reference_counts_and_is_asked_by_tls() {
    let vault = FakeVault::start().await;
    let reference = "hcvault://127.0.0.1:1/transit/keys/tink".parse().unwrap();
    let error = HashivaultUnwrap::open(&reference, &vault.config()).await;
    assert!(matches!(error, Err(Error::NoRoots)), "{error:?}");

    let Some(program) = minivault() else { return };
    let files = TlsFiles::create();
    let (cert, key) = (files.path("cert.pem"), files.path("key.pem"));
    let arguments = ["-tls-cert", cert.as_str(), "-tls-key", key.as_str()];
    let vault = Minivault::start_with(&program, &arguments);
    let mut config = as_root(&vault);
    config.address = "http://127.0.0.1:1".to_owned();
    config.roots = vec![CertificateDer::from_pem_slice(&files.read("cert.pem")).unwrap()];
    let reference = format!("hcvault://{}/transit/keys/none", vault.address);
    let key = open(&reference, &config).await;
    // TLS lets us in, and there is no such key.
    let error = key.unwrap_key(b"vault:v1:AAAA").await.unwrap_err();
    assert!(
        matches!(cause(&error), Error::KeyMissing { .. }),
        "{error:?}"
    );
}

#[test]
fn reads_the_references_that_tink_writes() {
    for (text, address, mount, name) in [
        (
            "hcvault://vault.example.com:8200/transit/keys/k-1",
            Some("https://vault.example.com:8200"),
            "transit",
            "k-1",
        ),
        ("hcvault:///transit/keys/k", None, "transit", "k"),
        (
            "hcvault://[::1]:8200/teams/billing/cipher/keys/key_2",
            Some("https://[::1]:8200"),
            "teams/billing/cipher",
            "key_2",
        ),
    ] {
        let reference: UnwrapKeyReference = text.parse().unwrap();
        assert_eq!(reference.address().as_deref(), address);
        assert_eq!((reference.mount(), reference.name()), (mount, name));
        assert_eq!(reference.to_string(), text);
    }
}

#[test]
fn a_wrong_reference_shows_the_right_shape_and_no_password() {
    for text in [
        "",
        "hcvault://",
        "hcvault://k",
        "hcvault://host/transit/k",
        "hcvault://host/keys/k",
        "hcvault://host/transit/keys/",
        "hcvault://host//keys/k",
        "hcvault://host/transit/../sys/keys/k",
        "hcvault://host/transit/keys/k?x=1",
        "hcvault://user:hidden-word@host/transit/keys/k",
        "hashivault://k",
    ] {
        let error = text.parse::<UnwrapKeyReference>().unwrap_err();
        assert!(matches!(error, Error::UnwrapReference { .. }), "{text}");
        let shown = error.to_string();
        assert!(
            shown.contains("hcvault://HOST:PORT/MOUNT/keys/KEY"),
            "{shown}"
        );
        assert!(!shown.contains("hidden-word"), "{shown}");
    }
}

proptest! {
    #[test]
    fn a_reference_is_refused_or_says_what_was_said(text in "hcvault://[a-z:0-9@]{0,8}/[a-z/.]{0,8}(/keys/)?[a-z/?#%]{0,4}") {
        if let Ok(reference) = text.parse::<UnwrapKeyReference>() {
            prop_assert_eq!(reference.to_string(), text);
        }
    }
}
