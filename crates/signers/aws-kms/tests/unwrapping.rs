//! Keys that decrypt for others: by moto, and by a service that does what moto does not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod kms;

use core::time::Duration;
use std::time::Instant;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fulcio_signer::{Error as SignerError, ErrorKind, KeyUnwrap as _};
use fulcio_signer_aws_kms::{AwsConfig, AwsKmsUnwrap, Error, UnwrapKeyReference};
use kms::{FakeKms, ID, Moto, Relay, Reply, SECRET, SESSION, cause, causes, config};
use proptest::prelude::*;
use serde_json::json;

const PLAIN: &[u8] = b"\x00 what nobody may see";

async fn open(arn: &str, config: &AwsConfig) -> AwsKmsUnwrap {
    let reference: UnwrapKeyReference = format!("aws-kms://{arn}").parse().unwrap();
    AwsKmsUnwrap::open(&reference, config).await.unwrap()
}

fn symmetric(moto: &Moto) -> String {
    moto.key("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
}

fn encrypted(moto: &Moto, arn: &str) -> Vec<u8> {
    let request = json!({"KeyId": arn, "Plaintext": STANDARD.encode(PLAIN)});
    let answer = moto.ask("Encrypt", &request);
    STANDARD
        .decode(answer["CiphertextBlob"].as_str().unwrap())
        .unwrap()
}

#[tokio::test]
async fn decrypts_by_key_and_by_alias() {
    let Some(moto) = Moto::shared() else { return };
    let arn = symmetric(moto);
    moto.alias("CreateAlias", "alias/unwraps", &arn);
    let id = arn.rsplit('/').next().unwrap();
    let alias = arn.replace(&format!("key/{id}"), "alias/unwraps");
    for name in [&arn, &alias] {
        let key = open(name, &config(moto.url())).await;
        let plain = key.unwrap_key(&encrypted(moto, &arn)).await.unwrap();
        assert_eq!(*plain, PLAIN);
    }
}

#[tokio::test]
async fn says_that_it_is_damaged() {
    let Some(moto) = Moto::shared() else { return };
    let key = open(&symmetric(moto), &config(moto.url())).await;
    let error = key.unwrap_key(b"garbage").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(
        causes(&error).contains("or is damaged"),
        "{}",
        causes(&error)
    );
}

#[tokio::test]
async fn says_that_there_is_no_such_key() {
    let Some(moto) = Moto::shared() else { return };
    let wrapped = encrypted(moto, &symmetric(moto));
    let key = open(ID, &config(moto.url())).await;
    let error = key.unwrap_key(&wrapped).await.unwrap_err();
    assert!(
        matches!(cause(&error), Error::KeyMissing { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_service_that_is_away_is_waited_for() {
    let Some(moto) = Moto::shared() else { return };
    let arn = symmetric(moto);
    let relay = Relay::start(&moto.address).await;
    relay.to(None);
    let mut config = config(format!("http://{}", relay.address));
    config.open_timeout = Duration::from_millis(500);
    let key = open(&arn, &config).await;
    let wrapped = encrypted(moto, &arn);
    let start = Instant::now();
    let error = key.unwrap_key(&wrapped).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let text = causes(&error);
    assert!(
        text.contains("within 500 ms") && text.contains("not reached"),
        "{text}"
    );

    relay.to(Some(&moto.address));
    assert_eq!(*key.unwrap_key(&wrapped).await.unwrap(), PLAIN);
}

/// Decrypts as AWS does.
fn plain() -> Reply {
    Reply::body(json!({
        "EncryptionAlgorithm": "SYMMETRIC_DEFAULT", "KeyId": ID,
        "Plaintext": STANDARD.encode(PLAIN),
    }))
}

async fn failed(replies: impl IntoIterator<Item = Reply>) -> (usize, SignerError) {
    let kms = FakeKms::start().await;
    let mut config = kms.config();
    config.open_timeout = Duration::from_millis(250);
    config.try_timeout = Duration::from_millis(100);
    let key = open(ID, &config).await;
    kms.then(replies);
    let error = key.unwrap_key(b"wrapped").await.unwrap_err();
    let text = causes(&error);
    assert!(!text.contains(SECRET) && !text.contains(SESSION), "{text}");
    (kms.seen().len(), error)
}

#[tokio::test]
async fn asks_once_and_without_an_encryption_context() {
    let kms = FakeKms::start().await;
    let key = open(ID, &kms.config()).await;
    assert_eq!(kms.seen().len(), 0);
    kms.then([plain()]);
    assert_eq!(*key.unwrap_key(b"wrapped").await.unwrap(), PLAIN);
    let [seen] = &kms.seen()[..] else {
        panic!("not one request");
    };
    assert_eq!(seen.headers["x-amz-target"], "TrentService.Decrypt");
    assert_eq!(
        seen.body,
        json!({"KeyId": ID, "CiphertextBlob": STANDARD.encode(b"wrapped")})
    );
}

#[tokio::test]
async fn each_refusal_is_told_apart() {
    for (code, kind, said) in [
        ("AccessDeniedException", ErrorKind::Denied, "refused it"),
        ("DisabledException", ErrorKind::Denied, "enable it"),
        (
            "ExpiredTokenException",
            ErrorKind::Denied,
            "does not accept the credentials",
        ),
        (
            "IncorrectKeyException",
            ErrorKind::Invalid,
            "encrypted with another key",
        ),
        (
            "InvalidCiphertextException",
            ErrorKind::Invalid,
            "or is damaged",
        ),
        (
            "InvalidKeyUsageException",
            ErrorKind::Invalid,
            "for ENCRYPT_DECRYPT",
        ),
        ("NotFoundException", ErrorKind::Invalid, "has no key"),
    ] {
        let (requests, error) = failed([Reply::error(400, code, "told to")]).await;
        let text = causes(&error);
        assert_eq!((requests, error.kind()), (1, kind), "{code}: {text}");
        assert!(text.contains(said), "{code}: {text}");
    }
    for (status, code, said) in [
        (400, "ThrottlingException", "fewer requests"),
        (500, "KMSInternalException", "cannot do it now"),
    ] {
        let replies = (0..50).map(|_| Reply::error(status, code, "told to"));
        let (requests, error) = failed(replies).await;
        let text = causes(&error);
        assert!((2..=3).contains(&requests), "{code}: {requests}");
        assert!(
            text.contains("within 250 ms") && text.contains(said),
            "{text}"
        );
    }
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let kms = FakeKms::start().await;
    let mut config = kms.config();
    config.try_timeout = Duration::from_millis(200);
    let key = open(ID, &config).await;
    kms.then([
        Reply::error(400, "ThrottlingException", "told to"),
        Reply::HangUp,
        Reply::Hang,
        plain(),
    ]);
    assert_eq!(*key.unwrap_key(b"wrapped").await.unwrap(), PLAIN);
    assert_eq!(kms.seen().len(), 4);
}

#[tokio::test]
async fn a_service_that_hangs_is_unavailable_in_time() {
    let start = Instant::now();
    let (_requests, error) = failed((0..50).map(|_| Reply::Hang)).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn garbage_is_refused_and_not_asked_for_again() {
    for body in [
        "",
        "garbage",
        "{}",
        r#"{"Plaintext": 1}"#,
        r#"{"Plaintext": "~"}"#,
    ] {
        let (requests, error) = failed([Reply::body(body)]).await;
        assert_eq!((requests, error.kind()), (1, ErrorKind::Invalid), "{body}");
    }
}

#[tokio::test]
async fn nothing_shows_the_credentials() {
    let kms = FakeKms::start().await;
    let shown = format!("{:?}", open(ID, &kms.config()).await);
    assert!(shown.contains(ID), "{shown}");
    assert!(
        !shown.contains(SECRET) && !shown.contains(SESSION),
        "{shown}"
    );
}

#[test]
fn reads_the_references_that_tink_writes() {
    for key in [
        ID,
        "arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab",
        "arn:aws:kms:us-east-2:111122223333:alias/tink",
    ] {
        let text = format!("aws-kms://{key}");
        let reference: UnwrapKeyReference = text.parse().unwrap();
        assert_eq!((reference.key(), reference.to_string()), (key, text));
    }
}

#[test]
fn a_wrong_reference_shows_the_right_shape() {
    for text in [
        "",
        "aws-kms://",
        "aws-kms://alias/tink",
        "aws-kms:///alias/tink",
        "aws-kms://1234abcd-12ab-34cd-56ef-1234567890ab",
        "aws-kms://arn:aws:kms:us-east-2:1:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "aws-kms://arn:aws:s3:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "awskms:///arn:aws:kms:us-east-2:111122223333:alias/tink",
        "gcp-kms://projects/p/locations/l/keyRings/r/cryptoKeys/k",
    ] {
        let error = text.parse::<UnwrapKeyReference>().unwrap_err();
        assert!(matches!(error, Error::UnwrapReference { .. }), "{text}");
        let shown = error.to_string();
        assert!(
            shown.contains("aws-kms://arn:aws:kms:REGION:ACCOUNT:key/ID"),
            "{shown}"
        );
    }
}

proptest! {
    #[test]
    fn a_reference_is_refused_or_says_what_was_said(
        text in "aws-kms://(arn:aws:kms:[a-z0-9-]{0,5}:[0-9]{11,13}:)?(alias/|key/)?[a-z0-9/_-]{0,8}"
    ) {
        if let Ok(reference) = text.parse::<UnwrapKeyReference>() {
            prop_assert_eq!(reference.to_string(), text);
        }
    }
}
