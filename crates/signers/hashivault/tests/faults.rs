//! What Vault itself would never do, shown by one that does.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod vault;

use core::time::Duration;
use std::time::Instant;

use fulcio_remote_key::Fault as _;
use fulcio_signer::{Error as SignerError, ErrorKind, Signer as _};
use fulcio_signer_hashivault::{Error, HashivaultSigner};
use fulcio_testkit::signer_conformance;
use serde_json::json;
use vault::{FakeVault, Reply, cause, causes, open};

const MESSAGE: &[u8] = b"message";
const KEY: &str = "hashivault://fulcio";

async fn opened() -> (FakeVault, HashivaultSigner) {
    let vault = FakeVault::start().await;
    let signer = open(KEY, &vault.config()).await.unwrap();
    vault.seen();
    (vault, signer)
}

/// How a signature fails, and after how many requests.
async fn failed(reply: impl Fn() -> Reply) -> (usize, SignerError) {
    let (vault, signer) = opened().await;
    vault.then((0..50).map(|_| reply()));
    let error = signer.sign(MESSAGE).await.unwrap_err();
    (vault.seen().len(), error)
}

#[tokio::test]
async fn the_made_up_vault_signs_as_vault_does() {
    let (_vault, signer) = opened().await;
    signer_conformance(&signer).await;
}

#[tokio::test]
async fn sends_what_vault_reads() {
    let vault = FakeVault::start().await;
    let mut config = vault.config();
    config.address.push_str("/behind/");
    config.mount = "team/signing".to_owned();
    config.namespace = Some("ns1/team".to_owned());
    let signer = open(KEY, &config).await.unwrap();
    signer.sign(MESSAGE).await.unwrap();

    let seen = vault.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].method, "GET");
    assert_eq!(seen[0].path, "/behind/v1/team/signing/keys/fulcio");
    assert_eq!(seen[1].method, "POST");
    assert_eq!(seen[1].path, "/behind/v1/team/signing/sign/fulcio");
    assert_eq!(
        seen[1].body,
        json!({
            "input": "bWVzc2FnZQ==", "key_version": 1, "marshaling_algorithm": "asn1",
            "prehashed": false, "signature_algorithm": "pkcs1v15",
        })
    );
    for seen in seen {
        assert_eq!(
            seen.headers["x-vault-token"],
            "hvs.a-token-that-nobody-may-see"
        );
        assert_eq!(seen.headers["x-vault-namespace"], "ns1/team");
        assert_eq!(seen.headers["x-vault-request"], "true");
    }
}

#[tokio::test]
async fn one_connection_serves_one_signature_after_another() {
    let (vault, signer) = opened().await;
    for _ in 0..10 {
        signer.sign(MESSAGE).await.unwrap();
    }
    assert_eq!(vault.connections(), 1);
}

#[tokio::test]
async fn nothing_shows_the_token() {
    let (vault, signer) = opened().await;
    let mut texts = vec![format!("{signer:?} {:?}", vault.config())];
    for reply in [Reply::status(403), Reply::HangUp, Reply::body("garbage")] {
        vault.then([reply]);
        if let Err(error) = signer.sign(MESSAGE).await {
            texts.push(format!("{error:?} {}", causes(&error)));
        }
    }
    assert_eq!(texts.len(), 3);
    for text in texts {
        assert!(!text.contains("nobody-may-see"), "{text}");
    }
}

#[tokio::test]
async fn a_signature_of_another_key_is_never_given_out() {
    let (requests, error) = failed(|| Reply::OtherKey).await;
    assert_eq!(error.kind(), ErrorKind::WrongKey);
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn a_signature_of_another_version_is_never_given_out() {
    let (requests, error) = failed(|| Reply::OtherVersion(2)).await;
    assert_eq!(error.kind(), ErrorKind::WrongKey);
    assert_eq!(requests, 1);
    assert!(matches!(cause(&error), Error::OtherVersion { expected: 1 }));
}

#[tokio::test]
async fn garbage_is_refused_and_not_asked_for_again() {
    let signature = |text: &str| json!({"data": {"signature": text}}).to_string();
    for body in [
        String::new(),
        "garbage".to_owned(),
        "{}".to_owned(),
        json!({"data": {}}).to_string(),
        json!({"data": {"signature": 1}}).to_string(),
        signature(""),
        signature("AAAA"),
        signature("vault:AAAA"),
        signature("vault:v1:not base64"),
        "x".repeat(2 * 1024 * 1024),
    ] {
        let (requests, error) = failed(|| Reply::body(&body)).await;
        let shown = &body[..body.len().min(50)];
        assert_eq!(error.kind(), ErrorKind::Invalid, "{shown}: {error:?}");
        assert_eq!(requests, 1, "{shown}");
    }
    for signature in [signature("vault:v1:"), signature("vault:v1:AAAA")] {
        let (_requests, error) = failed(|| Reply::body(&signature)).await;
        assert_eq!(error.kind(), ErrorKind::WrongKey, "{error:?}");
    }
}

#[tokio::test]
async fn a_key_that_is_garbage_is_not_opened() {
    let key = |key: serde_json::Value| {
        json!({"data": {
            "type": "ed25519", "supports_signing": true, "latest_version": 1, "keys": key,
        }})
        .to_string()
    };
    for body in [
        "garbage".to_owned(),
        "{}".to_owned(),
        key(json!({})),
        key(json!({"1": 1_700_000_000})),
        key(json!({"1": {"public_key": ""}})),
        key(json!({"1": {"public_key": "not base64"}})),
        key(json!({"1": {"public_key": "AAAA"}})),
        key(json!({"x": {"public_key": "AAAA"}})),
    ] {
        let vault = FakeVault::start().await;
        vault.then([Reply::body(&body)]);
        let error = open(KEY, &vault.config()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{body}: {error:?}");
        assert_eq!(vault.seen().len(), 1, "{body}");
    }
}

#[tokio::test]
async fn what_may_get_better_is_asked_for_again() {
    for status in [408, 412, 429, 500, 502, 503, 504] {
        let (vault, signer) = opened().await;
        vault.then([Reply::status(status), Reply::status(status)]);
        signer.sign(MESSAGE).await.unwrap();
        assert_eq!(vault.seen().len(), 3, "{status}");
    }
    let (vault, signer) = opened().await;
    vault.then([Reply::HangUp]);
    signer.sign(MESSAGE).await.unwrap();
    assert_eq!(vault.seen().len(), 2);
}

#[tokio::test]
async fn what_stays_as_it_is_is_not_asked_for_again() {
    let cases = [
        (400, ErrorKind::Invalid),
        (401, ErrorKind::Denied),
        (403, ErrorKind::Denied),
        (404, ErrorKind::Invalid),
        (405, ErrorKind::Invalid),
        (413, ErrorKind::Invalid),
        (501, ErrorKind::Invalid),
        (204, ErrorKind::Invalid),
    ];
    for (status, kind) in cases {
        let (requests, error) = failed(|| Reply::status(status)).await;
        assert_eq!((requests, error.kind()), (1, kind), "{status}");
    }
}

#[tokio::test]
async fn asks_no_sooner_than_it_is_told_to() {
    let (vault, signer) = opened().await;
    let wait = vec![("retry-after", "1".to_owned())];
    vault.then([Reply::Say(429, wait, String::new())]);
    let start = Instant::now();
    signer.sign(MESSAGE).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));

    let long = || Reply::Say(503, vec![("retry-after", "60".to_owned())], String::new());
    vault.then([long()]);
    vault.seen();
    let error = signer.sign(MESSAGE).await.unwrap_err();
    assert_eq!(vault.seen().len(), 1);
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let Error::Unavailable { retry_after, .. } = cause(&error) else {
        panic!("{error:?}")
    };
    assert_eq!(*retry_after, Some(Duration::from_secs(60)));
}

#[tokio::test]
async fn one_request_that_hangs_does_not_use_up_the_time() {
    let vault = FakeVault::start().await;
    let mut config = vault.config();
    config.try_timeout = Duration::from_millis(200);
    config.timeout = Duration::from_secs(30);
    vault.then([Reply::Hang]);
    let signer = open(KEY, &config).await.unwrap();
    vault.then([Reply::Hang]);
    signer.sign(MESSAGE).await.unwrap();
}

#[tokio::test]
async fn a_vault_that_only_hangs_is_unavailable_in_time() {
    let vault = FakeVault::start().await;
    let mut config = vault.config();
    config.try_timeout = Duration::from_millis(100);
    config.timeout = Duration::from_millis(500);
    let signer = open(KEY, &config).await.unwrap();
    vault.then((0..50).map(|_| Reply::Hang));
    let error = signer.sign(MESSAGE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        causes(&error).contains("within 500 ms"),
        "{}",
        causes(&error)
    );
    let error = open(KEY, &config).await.unwrap_err();
    assert!(matches!(error, Error::Deadline { .. }), "{error:?}");
}

#[tokio::test]
async fn follows_one_redirect_and_none_to_nowhere() {
    let (vault, signer) = opened().await;
    let to = |location: &str| {
        let headers = vec![("location", location.to_owned())];
        Reply::Say(307, headers, String::new())
    };
    let elsewhere = format!("{}/v1/elsewhere/sign/fulcio", vault.address);
    vault.then([to(&elsewhere)]);
    signer.sign(MESSAGE).await.unwrap();
    let seen = vault.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1].path, "/v1/elsewhere/sign/fulcio");
    assert_eq!(seen[1].body["input"], "bWVzc2FnZQ==");

    vault.then([to(&elsewhere), to(&elsewhere)]);
    assert_eq!(
        signer.sign(MESSAGE).await.unwrap_err().kind(),
        ErrorKind::Invalid
    );
    for nowhere in ["", "/v1/relative", "ftp://127.0.0.1/"] {
        vault.then([to(nowhere)]);
        let error = signer.sign(MESSAGE).await.unwrap_err();
        assert!(
            matches!(cause(&error), Error::Redirected { .. }),
            "{error:?}"
        );
    }
}
