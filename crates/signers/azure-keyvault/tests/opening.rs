//! What an operator is told when a key is opened.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod vault;

use core::time::Duration;
use std::time::Instant;

use fulcio_remote_key::Fault as _;
use fulcio_signer::{ErrorKind, Signer as _};
use fulcio_signer_azure_keyvault::{AzureKeyVaultSigner, Error};
use fulcio_test_services::{
    azure_key_vault::{AzureKeyVault, KeyKind, Reply},
    causes,
};
use serde_json::{Value, json};
use vault::{config, open};

#[tokio::test]
async fn logs_in_when_the_vault_says_so_and_asks_for_no_more_than_it_needs() {
    let vault = AzureKeyVault::start();
    let version = vault.create_key("fulcio", KeyKind::P384);
    let signer = open(&vault, "fulcio", &config(&vault)).await.unwrap();
    signer.sign(b"message").await.unwrap();
    let seen = vault.seen();
    assert_eq!(seen.len(), 3);
    assert!(!seen[0].headers.contains_key("authorization"));
    for (seen, (method, path)) in seen.iter().zip([
        ("GET", "/keys/fulcio/?api-version=".to_owned()),
        ("GET", "/keys/fulcio/?api-version=".to_owned()),
        ("POST", format!("/keys/fulcio/{version}/sign?api-version=")),
    ]) {
        assert_eq!(seen.method, method);
        assert!(seen.path.starts_with(&path), "{}", seen.path);
    }
    assert_eq!(seen[2].body["alg"], "ES384");
    assert_eq!(seen[2].body["value"].as_str().unwrap().len(), 64);
    let tokens = vault.seen_for_tokens();
    assert_eq!(tokens.len(), 1);
    assert_eq!(tokens[0].body["scope"], "https://vault.azure.net/.default");
    assert_eq!(tokens[0].body["grant_type"], "client_credentials");
}

#[tokio::test]
async fn without_a_version_the_newest_is_found_once_and_stays() {
    let vault = AzureKeyVault::start();
    let first = vault.create_key("fulcio", KeyKind::P256);
    let second = vault.create_key("fulcio", KeyKind::P384);
    let newest = open(&vault, "Fulcio", &config(&vault)).await.unwrap();
    assert_eq!(newest.version(), second);
    assert_eq!(
        newest.id(),
        format!("https://{}/keys/fulcio/{second}", vault.address())
    );
    let named = format!("fulcio/{first}");
    let oldest = open(&vault, &named, &config(&vault)).await.unwrap();
    assert_eq!(oldest.version(), first);

    vault.create_key("fulcio", KeyKind::P521);
    for signer in [newest, oldest] {
        signer.sign(b"message").await.unwrap();
    }
}

#[tokio::test]
async fn says_where_it_looked_for_a_key_that_there_is_not() {
    let vault = AzureKeyVault::start();
    vault.create_key("fulcio", KeyKind::P256);
    for key in ["other", "fulcio/0123"] {
        let error = open(&vault, key, &config(&vault)).await.unwrap_err();
        assert!(matches!(error, Error::KeyMissing { .. }), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::Invalid);
        let text = error.to_string();
        assert!(
            text.contains(key) && text.contains(vault.address()),
            "{text}"
        );
    }
}

async fn refused(change: impl FnOnce(&mut Value)) -> Error {
    let vault = AzureKeyVault::start();
    vault.create_key("fulcio", KeyKind::P256);
    vault.change_key("fulcio", change);
    let error = open(&vault, "fulcio", &config(&vault)).await.unwrap_err();
    assert_eq!(vault.seen().len(), 2);
    error
}

#[tokio::test]
async fn says_in_which_state_a_key_is_that_cannot_sign() {
    for (attribute, value, reason, told) in [
        ("enabled", json!(false), "KeyDisabled", "it is disabled"),
        ("exp", json!(1), "KeyExpired", "it ended at 1970-01-01"),
        (
            "nbf",
            json!(4_102_444_800_u64),
            "KeyNotYetValid",
            "it begins at 2100-01-01",
        ),
    ] {
        let error = refused(|key| key["attributes"][attribute] = value).await;
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert!(
            matches!(&error, Error::KeyState { code, .. } if code == reason),
            "{error:?}"
        );
        assert!(error.to_string().contains(told), "{error}");
    }
}

#[tokio::test]
async fn a_key_between_its_dates_is_opened() {
    let vault = AzureKeyVault::start();
    vault.create_key("fulcio", KeyKind::P256);
    vault.change_key("fulcio", |key| {
        key["attributes"]["nbf"] = json!(1);
        key["attributes"]["exp"] = json!(4_102_444_800_u64);
    });
    let signer = open(&vault, "fulcio", &config(&vault)).await.unwrap();
    signer.sign(b"message").await.unwrap();
}

#[tokio::test]
async fn says_what_a_key_is_for_that_does_not_sign() {
    let error = refused(|key| key["key"]["key_ops"] = json!(["encrypt", "decrypt"])).await;
    assert!(matches!(error, Error::KeyOperations { .. }), "{error:?}");
    assert!(error.to_string().contains("encrypt, decrypt"), "{error}");
}

#[tokio::test]
async fn names_a_kind_of_key_that_is_not_used() {
    for (field, value) in [("crv", "P-256K"), ("crv", "P-192"), ("kty", "oct-HSM")] {
        let error = refused(|key| key["key"][field] = json!(value)).await;
        assert!(matches!(error, Error::PublicKey { .. }), "{error:?}");
        let text = error.to_string();
        assert!(
            text.contains(value) && text.contains("P-256, P-384"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_key_that_is_garbage_is_not_opened() {
    for (field, value) in [
        ("kid", Value::Null),
        ("kid", json!("garbage")),
        ("kid", json!("https://name.vault.azure.net/keys/fulcio")),
        (
            "kid",
            json!("https://name.vault.azure.net/secrets/fulcio/1"),
        ),
        ("kty", Value::Null),
        ("crv", Value::Null),
        ("crv", json!("P-384")),
        ("x", Value::Null),
        ("x", json!("")),
        ("x", json!("AAAA")),
        ("y", json!("not base64!")),
        ("x", json!("A".repeat(400))),
        ("x", json!(1)),
        ("kty", json!("RSA")),
    ] {
        let error = refused(|key| key["key"][field] = value.clone()).await;
        assert_eq!(
            error.kind(),
            ErrorKind::Invalid,
            "{field} {value}: {error:?}"
        );
    }
    for body in ["", "garbage", "{}", "[]", r#"{"key":1}"#] {
        let vault = AzureKeyVault::start();
        vault.then([Reply::body(body)]);
        let error = open(&vault, "fulcio", &config(&vault)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{body}: {error:?}");
    }
}

#[tokio::test]
async fn an_rsa_key_that_is_too_short_is_not_opened() {
    let vault = AzureKeyVault::start();
    vault.create_key("fulcio", KeyKind::Rsa2048);
    vault.change_key("fulcio", |key| {
        let modulus = key["key"]["n"].as_str().unwrap()[..168].to_owned();
        key["key"]["n"] = json!(modulus);
    });
    let error = open(&vault, "fulcio", &config(&vault)).await.unwrap_err();
    assert!(matches!(error, Error::PublicKey { .. }), "{error:?}");
    assert!(error.to_string().contains("2048 to 4096"), "{error}");
}

#[tokio::test]
async fn a_key_of_another_name_or_version_is_not_opened() {
    let vault = AzureKeyVault::start();
    let version = vault.create_key("fulcio", KeyKind::P256);
    vault.then([Reply::OtherVersion]);
    let named = format!("fulcio/{version}");
    let error = open(&vault, &named, &config(&vault)).await.unwrap_err();
    assert!(matches!(error, Error::OtherKey { .. }), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::WrongKey);

    let error = refused(|key| {
        key["key"]["kid"] = json!("https://name.vault.azure.net/keys/other/1");
    })
    .await;
    assert!(matches!(error, Error::OtherKey { .. }), "{error:?}");
}

#[tokio::test]
async fn a_vault_that_is_down_at_the_start_is_waited_for_and_then_named() {
    let vault = AzureKeyVault::start();
    let mut settings = config(&vault);
    settings.open_timeout = Duration::from_millis(500);
    let reference = "azurekms://127.0.0.1:1/fulcio".parse().unwrap();
    let error = AzureKeyVaultSigner::open(&reference, &settings).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let Error::Deadline {
        last: Some(last), ..
    } = &error
    else {
        panic!("{error:?}")
    };
    assert!(matches!(**last, Error::Network { .. }), "{last:?}");
    let text = causes(&error);
    assert!(
        text.contains("within 500 ms")
            && text.contains("127.0.0.1:1 was not reached")
            && text.contains("refused"),
        "{text}"
    );
}

#[tokio::test]
async fn a_vault_that_comes_late_is_opened() {
    let vault = AzureKeyVault::start();
    vault.create_key("fulcio", KeyKind::P256);
    let busy = || Reply::refusal(503, "ServiceUnavailable", None, "not yet");
    vault.then([Reply::HangUp, busy(), busy()]);
    open(&vault, "fulcio", &config(&vault)).await.unwrap();
}

#[tokio::test]
async fn a_vault_that_is_not_trusted_is_given_no_token() {
    let (vault, other) = (AzureKeyVault::start(), AzureKeyVault::start());
    vault.create_key("fulcio", KeyKind::P256);
    let mut settings = config(&vault);
    settings.roots = vec![other.root()];
    let start = Instant::now();
    let error = open(&vault, "fulcio", &settings).await.unwrap_err();
    assert!(matches!(error, Error::Untrusted { .. }), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(start.elapsed() < settings.open_timeout);
    let text = causes(&error);
    assert!(
        text.contains(vault.address()) && text.contains("invalid peer certificate"),
        "{text}"
    );
    assert_eq!(vault.seen().len() + vault.seen_for_tokens().len(), 0);
}

#[tokio::test]
async fn a_vault_that_wants_a_token_for_somebody_else_is_given_none() {
    let vault = AzureKeyVault::start();
    vault.create_key("fulcio", KeyKind::P256);
    // No address of this machine is below vault.azure.net.
    let mut settings = config(&vault);
    settings.resource = None;
    let error = open(&vault, "fulcio", &settings).await.unwrap_err();
    assert!(matches!(error, Error::Challenge { .. }), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let text = causes(&error);
    assert!(text.contains("AZURE_KEYVAULT_RESOURCE"), "{text}");
    assert!(text.contains("https://vault.azure.net"), "{text}");

    vault.want("https://management.azure.com");
    let error = open(&vault, "fulcio", &config(&vault)).await.unwrap_err();
    assert!(
        matches!(&error, Error::ChallengeResource { asked, expected }
            if asked == "https://management.azure.com" && expected == AzureKeyVault::RESOURCE),
        "{error:?}"
    );
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(vault.seen_for_tokens().len(), 0);

    // A Managed HSM, say.
    let mut settings = config(&vault);
    settings.resource = Some("https://management.azure.com/".to_owned());
    open(&vault, "fulcio", &settings).await.unwrap();
}
