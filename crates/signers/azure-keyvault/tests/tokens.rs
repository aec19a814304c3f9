//! Tokens: how they are had, kept and renewed, and what happens without.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod vault;

use core::time::Duration;
use std::{fs, sync::Arc, time::Instant};

use fulcio_remote_key::Fault as _;
use fulcio_signer::{ErrorKind, Signer as _};
use fulcio_signer_azure_keyvault::{AzureKeyVaultSigner, Credentials, Error};
use fulcio_test_services::{
    azure_key_vault::{AzureKeyVault, KeyKind, Reply},
    cause, causes,
};
use tokio::time::sleep;
use vault::{config, config_as, open, workload};
use zeroize::Zeroizing;

fn vault() -> AzureKeyVault {
    let vault = AzureKeyVault::start();
    vault.create_key("fulcio", KeyKind::P256);
    vault
}

/// Why there was no token, in the error of opening.
fn no_token(error: &Error) -> &Arc<Error> {
    match error {
        Error::Token(cause) => cause,
        Error::Deadline {
            last: Some(last), ..
        } => no_token(last),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_token_that_is_about_to_end_is_renewed() {
    let vault = vault();
    // The SDK renews in the last five minutes.
    vault.token_lifetime(60);
    let signer = open(&vault, "fulcio", &config(&vault)).await.unwrap();
    assert_eq!(vault.seen_for_tokens().len(), 1);
    vault.token_lifetime(3600);
    sleep(Duration::from_millis(1100)).await;
    for _ in 0..3 {
        signer.sign(b"message").await.unwrap();
    }
    assert_eq!(vault.seen_for_tokens().len(), 1);
}

#[tokio::test]
async fn while_a_token_is_good_nobody_waits_for_the_next() {
    let vault = vault();
    vault.token_lifetime(60);
    let signer = open(&vault, "fulcio", &config(&vault)).await.unwrap();
    vault.seen_for_tokens();
    sleep(Duration::from_millis(1100)).await;

    vault.then_for_tokens(vec![Reply::Hang; 50]);
    let start = Instant::now();
    for _ in 0..20 {
        signer.sign(b"message").await.unwrap();
    }
    // Only the first waits, for half of the time of a try: one second.
    assert!(start.elapsed() < Duration::from_secs(10));
    let asked = vault.seen_for_tokens().len();
    assert!((1..=3).contains(&asked), "{asked}");
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced() {
    let vault = vault();
    let signer = open(&vault, "fulcio", &config(&vault)).await.unwrap();
    sleep(Duration::from_millis(1100)).await;
    vault.seen_for_tokens();
    vault.revoke_tokens();
    let signatures = (0..10).map(|_| signer.sign(b"message"));
    for signature in signatures.collect::<Vec<_>>() {
        signature.await.unwrap();
    }
    assert_eq!(vault.seen_for_tokens().len(), 1);
}

#[tokio::test]
async fn many_that_are_refused_together_share_one_new_token() {
    let vault = vault();
    let signer = open(&vault, "fulcio", &config(&vault)).await.unwrap();
    sleep(Duration::from_millis(1100)).await;
    vault.seen_for_tokens();
    vault.revoke_tokens();
    let signer = Arc::new(signer);
    let start = Instant::now();
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let signer = Arc::clone(&signer);
            tokio::spawn(async move { signer.sign(b"message").await.map(drop) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    // Whoever comes a second later does not come together with the others.
    if start.elapsed() < Duration::from_secs(1) {
        assert_eq!(vault.seen_for_tokens().len(), 1);
    }
}

#[tokio::test]
async fn a_wrong_secret_tenant_or_application_is_told_and_not_tried_again() {
    let vault = vault();
    let as_said = |client: &str, secret: &str, tenant: &str| Credentials::ClientSecret {
        client: client.to_owned(),
        secret: Zeroizing::new(secret.to_owned()),
        tenant: tenant.to_owned(),
    };
    let (client, secret, tenant) = (
        AzureKeyVault::CLIENT,
        AzureKeyVault::SECRET,
        AzureKeyVault::TENANT,
    );
    for (credentials, code) in [
        (
            as_said(client, "another-secret", tenant),
            "invalid_client, AADSTS7000215",
        ),
        (
            as_said("another", secret, tenant),
            "unauthorized_client, AADSTS700016",
        ),
        (as_said(client, secret, "another"), "AADSTS90002"),
    ] {
        let settings = config_as(&vault, credentials);
        let error = open(&vault, "fulcio", &settings).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied);
        let cause = no_token(&error);
        assert!(matches!(**cause, Error::TokenRefused { .. }), "{error:?}");
        let text = causes(&error);
        assert!(
            text.contains(code) && text.contains(vault.address()),
            "{text}"
        );
        assert!(!text.contains("another-secret"), "{text}");
        assert_eq!(vault.seen_for_tokens().len(), 1);
    }
}

#[tokio::test]
async fn what_no_request_can_be_made_of_is_told() {
    let vault = vault();
    let credentials = Credentials::ClientSecret {
        client: AzureKeyVault::CLIENT.to_owned(),
        secret: Zeroizing::new(AzureKeyVault::SECRET.to_owned()),
        tenant: "not a tenant".to_owned(),
    };
    let settings = config_as(&vault, credentials);
    let error = open(&vault, "fulcio", &settings).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(
        causes(&error).contains("not a tenant"),
        "{}",
        causes(&error)
    );
}

#[tokio::test]
async fn where_tokens_come_from_may_be_down_for_a_moment() {
    let vault = vault();
    let busy = || Reply::token_refusal(503, "temporarily_unavailable", 90033, "busy");
    vault.then_for_tokens([busy(), Reply::HangUp, busy()]);
    open(&vault, "fulcio", &config(&vault)).await.unwrap();
}

#[tokio::test]
async fn where_tokens_come_from_is_named_when_it_is_down() {
    let vault = vault();
    let mut settings = config(&vault);
    settings.authority = "https://127.0.0.1:1".to_owned();
    settings.open_timeout = Duration::from_millis(500);
    let error = open(&vault, "fulcio", &settings).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let cause = no_token(&error);
    assert!(matches!(**cause, Error::Network { .. }), "{error:?}");
    let text = causes(&error);
    assert!(
        text.contains("a token for Azure could not be had: 127.0.0.1:1 was not reached"),
        "{text}"
    );

    settings.authority = format!("https://{}", vault.address());
    vault.then_for_tokens(vec![Reply::Hang; 50]);
    let error = open(&vault, "fulcio", &settings).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn where_tokens_come_from_is_not_sent_a_secret_unless_it_is_trusted() {
    let (vault, other) = (vault(), AzureKeyVault::start());
    let mut settings = config(&vault);
    settings.authority = format!("https://{}", other.address());
    let error = open(&vault, "fulcio", &settings).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let cause = no_token(&error);
    assert!(matches!(**cause, Error::Untrusted { .. }), "{error:?}");
    assert_eq!(other.seen_for_tokens().len(), 0);
}

#[tokio::test]
async fn where_tokens_come_from_may_ask_for_fewer_requests() {
    let vault = vault();
    let header = ("retry-after", "3600".to_owned());
    vault.then_for_tokens([Reply::Say(429, vec![header], "{}".to_owned())]);
    let start = Instant::now();
    let error = open(&vault, "fulcio", &config(&vault)).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(10));
    let cause = no_token(&error);
    assert!(matches!(**cause, Error::Throttled { .. }), "{error:?}");
    assert_eq!(cause.retry_after(), Some(Duration::from_secs(3600)));
}

#[tokio::test]
async fn what_is_not_a_token_is_refused() {
    let vault = vault();
    for body in [
        "",
        "garbage",
        "[]",
        "{}",
        r#"{"access_token":""}"#,
        r#"{"access_token":1}"#,
        r#"{"access_token":"t","expires_in":"soon"}"#,
    ] {
        vault.then_for_tokens([Reply::body(body)]);
        let error = open(&vault, "fulcio", &config(&vault)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{body}");
        let cause = no_token(&error);
        assert!(matches!(**cause, Error::TokenAnswer { .. }), "{error:?}");
        assert_eq!(vault.seen_for_tokens().len(), 1, "{body}");
    }
    vault.then_for_tokens([Reply::body("x".repeat(2 * 1024 * 1024))]);
    let error = open(&vault, "fulcio", &config(&vault)).await.unwrap_err();
    let cause = no_token(&error);
    assert!(matches!(**cause, Error::AnswerTooLong { .. }), "{error:?}");
}

#[tokio::test]
async fn a_service_account_is_trusted_and_its_token_read_again() {
    let vault = vault();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, format!("{}\n", AzureKeyVault::ASSERTION)).unwrap();
    let settings = config_as(&vault, workload(file.clone()));
    let signer = open(&vault, "fulcio", &settings).await.unwrap();
    signer.sign(b"message").await.unwrap();
    let seen = vault.seen_for_tokens();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].body["client_assertion"], AzureKeyVault::ASSERTION);

    fs::write(&file, "another-assertion").unwrap();
    sleep(Duration::from_millis(1100)).await;
    vault.revoke_tokens();
    let error = signer.sign(b"message").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    let text = causes(&error);
    assert!(text.contains("does not accept the credentials"), "{text}");
    assert!(!text.contains("another-assertion"), "{text}");

    fs::remove_file(&file).unwrap();
    let error = open(&vault, "fulcio", &settings).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    let text = causes(&error);
    assert!(
        text.contains("AZURE_FEDERATED_TOKEN_FILE") && text.contains("No such file"),
        "{text}"
    );
}

#[tokio::test]
async fn a_signer_is_denied_without_a_token_and_signs_with_one() {
    let vault = vault();
    let signer: AzureKeyVaultSigner = open(&vault, "fulcio", &config(&vault)).await.unwrap();
    sleep(Duration::from_millis(1100)).await;
    vault.revoke_tokens();
    vault.then_for_tokens([Reply::token_refusal(
        401,
        "invalid_client",
        7_000_222,
        "ended",
    )]);
    let error = signer.sign(b"message").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    let Error::Token(_) = cause::<Error>(&error) else {
        panic!("{error:?}")
    };
    // It is not asked again at once.
    let error = signer.sign(b"message").await.unwrap_err();
    assert!(causes(&error).contains("7000222"), "{}", causes(&error));
    sleep(Duration::from_secs(5)).await;
    signer.sign(b"message").await.unwrap();
}
