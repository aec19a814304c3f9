//! What goes wrong with an open signer, and what is told of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod vault;

use core::time::Duration;
use std::time::Instant;

use fulcio_remote_key::Fault as _;
use fulcio_signer::{Error as SignerError, ErrorKind, Signer as _};
use fulcio_signer_azure_keyvault::{AzureKeyVaultSigner, Error};
use fulcio_test_services::{
    azure_key_vault::{AzureKeyVault, KeyKind, Reply},
    cause, causes,
};
use serde_json::json;
use vault::{config, open};

const MESSAGE: &[u8] = b"message";

async fn opened() -> (AzureKeyVault, AzureKeyVaultSigner) {
    let vault = AzureKeyVault::start();
    vault.create_key("fulcio", KeyKind::P256);
    let signer = open(&vault, "fulcio", &config(&vault)).await.unwrap();
    vault.seen();
    vault.seen_for_tokens();
    (vault, signer)
}

/// How a signature fails, and after how many requests.
async fn failed(reply: Reply) -> (usize, SignerError) {
    let (vault, signer) = opened().await;
    vault.then(vec![reply; 50]);
    let error = signer.sign(MESSAGE).await.unwrap_err();
    (vault.seen().len(), error)
}

#[tokio::test]
async fn one_connection_and_one_token_serve_one_signature_after_another() {
    let (vault, signer) = opened().await;
    let before = vault.connections();
    for _ in 0..10 {
        signer.sign(MESSAGE).await.unwrap();
    }
    assert_eq!(vault.connections(), before);
    assert_eq!(vault.seen().len(), 10);
    assert_eq!(vault.seen_for_tokens().len(), 0);
}

#[tokio::test]
async fn a_signature_of_another_key_is_never_given_out() {
    let (requests, error) = failed(Reply::OtherKey).await;
    assert_eq!((requests, error.kind()), (1, ErrorKind::WrongKey));
    let (requests, error) = failed(Reply::OtherVersion).await;
    assert_eq!((requests, error.kind()), (1, ErrorKind::WrongKey));
    assert!(matches!(cause(&error), Error::OtherKey { .. }), "{error:?}");
}

#[tokio::test]
async fn no_permission_is_told_with_what_is_missing() {
    for (status, code, inner) in [
        (403, "Forbidden", Some("AccessDenied")),
        (403, "Forbidden", Some("ForbiddenByRbac")),
        (403, "Forbidden", Some("ForbiddenByFirewall")),
        (401, "Unauthorized", None),
    ] {
        let why = "The user does not have keys sign permission on key vault 'x'.";
        let (requests, error) = failed(Reply::refusal(status, code, inner, why)).await;
        assert_eq!((requests, error.kind()), (1, ErrorKind::Denied));
        let text = causes(&error);
        assert!(text.contains(inner.unwrap_or(code)), "{text}");
        assert!(text.contains(why), "{text}");
        assert!(text.contains("Key Vault Crypto User"), "{text}");
    }
}

#[tokio::test]
async fn a_key_that_was_disabled_is_told_and_signs_again_when_it_is_enabled() {
    let (vault, signer) = opened().await;
    for (attribute, value, right, reason) in [
        ("enabled", json!(false), json!(true), "KeyDisabled"),
        ("exp", json!(1), json!(null), "KeyExpired"),
        (
            "nbf",
            json!(4_102_444_800_u64),
            json!(null),
            "KeyNotYetValid",
        ),
    ] {
        vault.change_key("fulcio", |key| key["attributes"][attribute] = value);
        let error = signer.sign(MESSAGE).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied);
        let Error::KeyState { code, .. } = cause(&error) else {
            panic!("{error:?}")
        };
        assert_eq!(code, reason);
        assert_eq!(vault.seen().len(), 1);
        vault.change_key("fulcio", |key| key["attributes"][attribute] = right);
        signer.sign(MESSAGE).await.unwrap();
        vault.seen();
    }
}

#[tokio::test]
async fn a_key_that_may_no_longer_sign_is_told() {
    let (vault, signer) = opened().await;
    vault.change_key("fulcio", |key| key["key"]["key_ops"] = json!(["verify"]));
    let error = signer.sign(MESSAGE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    let text = causes(&error);
    assert!(text.contains("KeyOperationForbidden"), "{text}");
}

#[tokio::test]
async fn a_key_that_was_deleted_is_told() {
    let gone = Reply::refusal(
        404,
        "KeyNotFound",
        None,
        "A key with (name/id) was not found",
    );
    let (requests, error) = failed(gone).await;
    assert_eq!((requests, error.kind()), (1, ErrorKind::Invalid));
    assert!(
        matches!(cause(&error), Error::KeyMissing { .. }),
        "{error:?}"
    );

    let why = "Key fulcio is currently in a deleted but recoverable state";
    let deleted = Reply::refusal(409, "Conflict", Some("ObjectIsDeletedButRecoverable"), why);
    let (requests, error) = failed(deleted).await;
    assert_eq!((requests, error.kind()), (1, ErrorKind::Denied));
    let text = causes(&error);
    assert!(text.contains(why) && text.contains("recover it"), "{text}");
}

#[tokio::test]
async fn a_request_that_is_refused_is_not_made_again() {
    let why = "Key and signing algorithm are incompatible.";
    let (requests, error) = failed(Reply::refusal(400, "BadParameter", None, why)).await;
    assert_eq!((requests, error.kind()), (1, ErrorKind::Invalid));
    let text = causes(&error);
    assert!(
        text.contains("status 400 (BadParameter)") && text.contains(why),
        "{text}"
    );
    let (requests, error) = failed(Reply::Say(302, vec![], String::new())).await;
    assert_eq!((requests, error.kind()), (1, ErrorKind::Invalid));
}

#[tokio::test]
async fn what_the_vault_could_not_do_is_tried_again() {
    let (vault, signer) = opened().await;
    let busy = || Reply::refusal(503, "ServiceUnavailable", None, "busy");
    vault.then([
        busy(),
        Reply::HangUp,
        Reply::Say(500, vec![], String::new()),
        Reply::Say(408, vec![], "x".to_owned()),
    ]);
    signer.sign(MESSAGE).await.unwrap();
    // hyper itself repeats a request on a new connection where a kept one was closed.
    assert!((4..=6).contains(&vault.seen().len()));
}

#[tokio::test]
async fn a_vault_that_asks_for_fewer_requests_is_left_alone_for_as_long_as_it_says() {
    let (vault, signer) = opened().await;
    let throttled = |seconds: &str| {
        let header = ("retry-after", seconds.to_owned());
        let body = json!({"error": {"code": "Throttled", "message": "too many"}});
        Reply::Say(429, vec![header], body.to_string())
    };
    vault.then([throttled("1")]);
    let start = Instant::now();
    signer.sign(MESSAGE).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(vault.seen().len(), 2);

    vault.then([throttled("3600")]);
    let start = Instant::now();
    let error = signer.sign(MESSAGE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(causes(&error).contains("Throttled"), "{}", causes(&error));
    assert_eq!(vault.seen().len(), 1);
}

#[tokio::test]
async fn garbage_is_refused_and_not_asked_for_again() {
    let (vault, signer) = opened().await;
    let kid = signer.id();
    for body in [
        String::new(),
        "garbage".to_owned(),
        "{}".to_owned(),
        "[]".to_owned(),
        json!({"kid": kid}).to_string(),
        json!({"value": "AAAA"}).to_string(),
        json!({"kid": kid, "value": 1}).to_string(),
        json!({"kid": "garbage", "value": "AAAA"}).to_string(),
        "x".repeat(2 * 1024 * 1024),
    ] {
        vault.then([Reply::body(&body)]);
        let error = signer.sign(MESSAGE).await.unwrap_err();
        let shown = &body[..body.len().min(50)];
        assert_eq!(error.kind(), ErrorKind::Invalid, "{shown}: {error:?}");
        assert_eq!(vault.seen().len(), 1, "{shown}");
    }
}

#[tokio::test]
async fn a_signature_that_is_none_is_refused() {
    for (value, kind) in [
        ("", ErrorKind::Invalid),
        ("AAAA", ErrorKind::Invalid),
        ("AAAAAA", ErrorKind::WrongKey),
        (&"A".repeat(86), ErrorKind::WrongKey),
        (&"A".repeat(400), ErrorKind::Invalid),
    ] {
        let (vault, signer) = opened().await;
        let body = json!({"kid": signer.id(), "value": value});
        vault.then([Reply::body(body)]);
        let error = signer.sign(MESSAGE).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{value}: {error:?}");
        assert_eq!(vault.seen().len(), 1);
    }
}

#[tokio::test]
async fn one_request_that_hangs_does_not_use_up_the_time() {
    let vault = AzureKeyVault::start();
    vault.create_key("fulcio", KeyKind::P256);
    let mut settings = config(&vault);
    settings.try_timeout = Duration::from_millis(500);
    settings.timeout = Duration::from_secs(30);
    vault.then([Reply::Hang]);
    let signer = open(&vault, "fulcio", &settings).await.unwrap();
    vault.then([Reply::Hang]);
    signer.sign(MESSAGE).await.unwrap();
}

#[tokio::test]
async fn a_vault_that_only_hangs_is_unavailable_in_time() {
    let (vault, signer) = opened().await;
    drop(signer);
    let mut settings = config(&vault);
    settings.try_timeout = Duration::from_millis(200);
    settings.timeout = Duration::from_millis(900);
    settings.open_timeout = Duration::from_millis(900);
    let signer = open(&vault, "fulcio", &settings).await.unwrap();
    vault.then(vec![Reply::Hang; 50]);
    let start = Instant::now();
    let error = signer.sign(MESSAGE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        causes(&error).contains("within 900 ms"),
        "{}",
        causes(&error)
    );
    let error = open(&vault, "fulcio", &settings).await.unwrap_err();
    assert!(matches!(error, Error::Deadline { .. }), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        causes(&error).contains("within 900 ms"),
        "{}",
        causes(&error)
    );
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn no_text_shows_a_secret_or_a_token() {
    let (vault, signer) = opened().await;
    let mut texts = vec![format!("{signer:?} {:?}", config(&vault))];
    let token = vault.token();
    let repeated = format!("The token {token} is not good; Bearer {token}");
    for reply in [
        Reply::refusal(403, "Forbidden", Some("AccessDenied"), &repeated),
        Reply::refusal(400, &token, None, &repeated),
        Reply::refusal(404, "KeyNotFound", None, &repeated),
        Reply::Say(401, vec![], repeated.clone()),
        Reply::Say(418, vec![], repeated.clone()),
        Reply::body(&repeated),
        Reply::OtherKey,
    ] {
        vault.then([reply]);
        let error = signer.sign(MESSAGE).await.unwrap_err();
        texts.push(format!("{error:?} {}", causes(&error)));
    }
    let echo = |text: &str| Reply::token_refusal(401, text, 7_000_215, text);
    let secret = AzureKeyVault::SECRET;
    for reply in [
        echo(&format!("the secret {secret} is wrong")),
        Reply::Say(400, vec![], secret.to_owned()),
        Reply::body(json!({"access_token": 1, "token": token})),
        Reply::body(json!(token)),
    ] {
        vault.then_for_tokens([reply]);
        let error = open(&vault, "fulcio", &config(&vault)).await.unwrap_err();
        texts.push(format!("{error:?} {}", causes(&error)));
    }
    for text in texts {
        assert!(!text.contains(&token) && !text.contains(secret), "{text}");
    }
}
