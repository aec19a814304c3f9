//! What Google Cloud KMS does on a bad day, and what strangers may put in its place.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod kms;

use core::time::Duration;
use std::time::Instant;

use fulcio_remote_key::Fault as _;
use fulcio_signer::{Error as SignerError, ErrorKind, Signer as _};
use fulcio_signer_gcp_kms::{Error, GcpKmsSigner};
use fulcio_test_services::{
    cause, causes,
    gcp_kms::{GcpKms, Reply},
};
use kms::{always, config, open};
use serde_json::{Value, json};

const MESSAGE: &[u8] = b"message";

async fn opened_with(algorithm: &str, timeout: Duration) -> (GcpKms, GcpKmsSigner) {
    let kms = GcpKms::start().await;
    let version = format!("{}/versions/1", kms.signing_key("ca", algorithm));
    let mut settings = config(&kms);
    settings.timeout = timeout;
    let signer = open(&version, &settings).await.unwrap();
    kms.forget();
    (kms, signer)
}

async fn opened() -> (GcpKms, GcpKmsSigner) {
    opened_with("EC_SIGN_P256_SHA256", Duration::from_secs(5)).await
}

/// How a signature fails, and after how many requests.
async fn failed(reply: Reply) -> (usize, SignerError) {
    let (kms, signer) = opened_with("EC_SIGN_P256_SHA256", Duration::from_millis(250)).await;
    kms.then(always(&reply));
    let error = signer.sign(MESSAGE).await.unwrap_err();
    (kms.seen().len(), error)
}

#[tokio::test]
async fn sends_a_digest_with_its_checksum() {
    let (kms, signer) = opened().await;
    signer.sign(MESSAGE).await.unwrap();
    let seen = kms.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(
        seen[0].path,
        format!("/v1/{}:asymmetricSign", signer.version())
    );
    // SHA-256 of `message`, by sha256sum, and CRC-32C of that, by Python.
    assert_eq!(
        seen[0].body,
        json!({
            "digest": {"sha256": "q1MKE+RZFJgrefm34/uplM/R8/si9xzqGvvwK0YMbR0="},
            "digestCrc32c": "2750954125",
        })
    );
    // Nobody asks.
    assert!(!seen[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn sends_a_message_with_its_checksum_where_google_wants_the_message() {
    let (kms, signer) = opened_with("EC_SIGN_ED25519", Duration::from_secs(5)).await;
    // The check value of CRC-32C.
    signer.sign(b"123456789").await.unwrap();
    let crc = 0xE306_9283_u32.to_string();
    assert_eq!(
        kms.seen()[0].body,
        json!({"data": "MTIzNDU2Nzg5", "dataCrc32c": crc})
    );
}

#[tokio::test]
async fn one_connection_serves_one_signature_after_another() {
    let (kms, signer) = opened().await;
    for _ in 0..10 {
        signer.sign(MESSAGE).await.unwrap();
    }
    assert_eq!((kms.connections(), kms.seen().len()), (1, 10));
}

#[tokio::test]
async fn what_was_damaged_on_the_way_is_asked_for_again_and_never_given_out() {
    let reply = |field, value| (field, Reply::With(field, value));
    for (algorithm, (field, reply)) in [
        (
            "EC_SIGN_P256_SHA256",
            reply("verifiedDigestCrc32c", json!(false)),
        ),
        (
            "EC_SIGN_P256_SHA256",
            reply("verifiedDigestCrc32c", Value::Null),
        ),
        ("EC_SIGN_P256_SHA256", reply("signatureCrc32c", json!("1"))),
        ("EC_SIGN_P256_SHA256", reply("signatureCrc32c", json!("-1"))),
        ("EC_SIGN_P256_SHA256", reply("signatureCrc32c", Value::Null)),
        ("EC_SIGN_ED25519", reply("verifiedDataCrc32c", json!(false))),
        ("EC_SIGN_ED25519", reply("verifiedDataCrc32c", Value::Null)),
    ] {
        let (kms, signer) = opened_with(algorithm, Duration::from_millis(300)).await;
        kms.then([reply.clone()]);
        signer.sign(MESSAGE).await.unwrap();
        assert_eq!(kms.seen().len(), 2, "{reply:?}");

        kms.then(always(&reply));
        let error = signer.sign(MESSAGE).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        assert!(matches!(cause(&error), Error::Checksum { .. }), "{error:?}");
        assert!(causes(&error).contains(field), "{}", causes(&error));
    }
}

#[tokio::test]
async fn a_signature_that_changed_on_the_way_is_asked_for_again() {
    let (kms, signer) = opened().await;
    kms.then([Reply::With("signature", json!("AAAA"))]);
    signer.sign(MESSAGE).await.unwrap();
    assert_eq!(kms.seen().len(), 2);
}

#[tokio::test]
async fn a_signature_of_another_key_is_never_given_out() {
    let (requests, error) = failed(Reply::OtherKey).await;
    assert_eq!((requests, error.kind()), (1, ErrorKind::WrongKey));
    let (requests, error) = failed(Reply::With("name", json!("projects/p/other"))).await;
    assert_eq!((requests, error.kind()), (1, ErrorKind::WrongKey));
    assert!(matches!(cause(&error), Error::OtherKey { .. }), "{error:?}");
}

/// Every code of gRPC with the status that Google sends it with, and what may come from something
/// before Google.
const REFUSALS: [(u16, &str, ErrorKind, &str); 24] = [
    (400, "INVALID_ARGUMENT", ErrorKind::Invalid, "status 400"),
    (400, "OUT_OF_RANGE", ErrorKind::Invalid, "status 400"),
    (400, "FAILED_PRECONDITION", ErrorKind::Denied, "enable it"),
    (
        401,
        "UNAUTHENTICATED",
        ErrorKind::Denied,
        "does not accept the credentials",
    ),
    (
        403,
        "PERMISSION_DENIED",
        ErrorKind::Denied,
        "told to answer",
    ),
    (404, "NOT_FOUND", ErrorKind::Invalid, "check its name"),
    (409, "ABORTED", ErrorKind::Unavailable, "cannot do it now"),
    (409, "ALREADY_EXISTS", ErrorKind::Invalid, "status 409"),
    (
        429,
        "RESOURCE_EXHAUSTED",
        ErrorKind::Throttled,
        "fewer requests",
    ),
    (499, "CANCELLED", ErrorKind::Unavailable, "cannot do it now"),
    (500, "DATA_LOSS", ErrorKind::Unavailable, "cannot do it now"),
    (500, "INTERNAL", ErrorKind::Unavailable, "cannot do it now"),
    (500, "UNKNOWN", ErrorKind::Unavailable, "cannot do it now"),
    (501, "UNIMPLEMENTED", ErrorKind::Invalid, "status 501"),
    (
        503,
        "UNAVAILABLE",
        ErrorKind::Unavailable,
        "cannot do it now",
    ),
    (
        504,
        "DEADLINE_EXCEEDED",
        ErrorKind::Unavailable,
        "cannot do it now",
    ),
    (400, "", ErrorKind::Invalid, "status 400"),
    (
        401,
        "",
        ErrorKind::Denied,
        "does not accept the credentials",
    ),
    (403, "", ErrorKind::Denied, "refused it"),
    (404, "", ErrorKind::Invalid, "status 404"),
    (408, "", ErrorKind::Unavailable, "status 408"),
    (429, "", ErrorKind::Throttled, "fewer requests"),
    (500, "", ErrorKind::Unavailable, "status 500"),
    (503, "", ErrorKind::Unavailable, "status 503"),
];

fn refusal(status: u16, code: &str) -> Reply {
    if code.is_empty() {
        Reply::say(status, "<html>from a balancer</html>")
    } else {
        Reply::error(status, code, &format!("told to answer\n {code}"))
    }
}

fn may_get_better(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Throttled | ErrorKind::Unavailable)
}

#[tokio::test]
async fn each_refusal_of_a_signature_is_told_apart() {
    for (status, code, kind, said) in REFUSALS {
        let (requests, error) = failed(refusal(status, code)).await;
        let text = causes(&error);
        assert_eq!(error.kind(), kind, "{status} {code}: {text}");
        assert!(text.contains(said), "{status} {code}: {text}");
        // What stays as it is is not asked for again; and the SDK asks for nothing by itself.
        let expected = if may_get_better(kind) { 2..=3 } else { 1..=1 };
        assert!(expected.contains(&requests), "{status} {code}: {requests}");
    }
}

#[tokio::test]
async fn each_refusal_to_open_a_key_is_told_apart() {
    let kms = GcpKms::start().await;
    let version = format!(
        "{}/versions/1",
        kms.signing_key("ca", "EC_SIGN_P256_SHA256")
    );
    let mut settings = config(&kms);
    settings.open_timeout = Duration::from_millis(250);
    for (status, code, kind, said) in REFUSALS {
        kms.forget();
        kms.then(always(&refusal(status, code)));
        let error = open(&version, &settings).await.unwrap_err();
        let text = causes(&error);
        assert!(text.contains(said), "{status} {code}: {text}");
        let requests = kms.seen().len();
        if may_get_better(kind) {
            assert!(matches!(error, Error::Deadline { .. }), "{error:?}");
            assert!((2..=3).contains(&requests), "{status} {code}: {requests}");
        } else {
            assert_eq!((error.kind(), requests), (kind, 1), "{status} {code}");
        }
    }
}

#[tokio::test]
async fn what_got_better_is_used_again() {
    let (kms, signer) = opened().await;
    for (status, code, kind, _said) in REFUSALS {
        if may_get_better(kind) {
            kms.then([refusal(status, code), refusal(status, code)]);
            signer.sign(MESSAGE).await.unwrap();
            assert_eq!(kms.seen().len(), 3, "{status} {code}");
        } else {
            // The operator enables the version, gives the permission, sets the clock.
            kms.then([refusal(status, code)]);
            signer.sign(MESSAGE).await.unwrap_err();
            signer.sign(MESSAGE).await.unwrap();
            assert_eq!(kms.seen().len(), 2, "{status} {code}");
        }
    }
    kms.then([Reply::HangUp]);
    signer.sign(MESSAGE).await.unwrap();
    kms.then([Reply::HangUp]);
    open(signer.version(), &config(&kms)).await.unwrap();
}

#[tokio::test]
async fn says_which_permission_is_missing() {
    let why = "Permission 'cloudkms.cryptoKeyVersions.useToSign' denied on resource 'projects/p' \
               (or it may not exist).";
    let (_requests, error) = failed(Reply::error(403, "PERMISSION_DENIED", why)).await;
    assert!(causes(&error).contains(why), "{}", causes(&error));
}

#[tokio::test]
async fn waits_for_as_long_as_it_is_asked_to() {
    let exhausted = || Reply::error(429, "RESOURCE_EXHAUSTED", "told to answer so");
    let info = json!({
        "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1s",
    });
    let mut with_info = json!({"error": {
        "code": 429, "message": "told to answer so", "status": "RESOURCE_EXHAUSTED",
    }});
    with_info["error"]["details"] = json!([info]);
    let retry_after = || "retry-after".parse().unwrap();
    for reply in [
        exhausted().header(retry_after(), "1"),
        refusal(503, "").header(retry_after(), "1"),
        Reply::say(429, with_info),
    ] {
        let (kms, signer) = opened().await;
        kms.then([reply]);
        let start = Instant::now();
        signer.sign(MESSAGE).await.unwrap();
        assert!(start.elapsed() >= Duration::from_secs(1));
        assert_eq!(kms.seen().len(), 2);
    }
    // Longer than there is time: it says so at once. More than a day is a day.
    for (wait, read) in [
        ("3600", 3600),
        ("99999999999999999999", 86_400),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
    ] {
        let (requests, error) = failed(exhausted().header(retry_after(), wait)).await;
        assert_eq!((requests, error.kind()), (1, ErrorKind::Throttled));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(read)));
    }
}

#[tokio::test]
async fn garbage_is_refused_and_not_asked_for_again() {
    for reply in [
        Reply::body(""),
        Reply::body("garbage"),
        Reply::body("[]"),
        Reply::body("{}"),
        Reply::With("signature", json!(1)),
        Reply::With("signature", json!("not base64")),
        Reply::With("signatureCrc32c", json!("much")),
        Reply::With("name", Value::Null),
    ] {
        let (requests, error) = failed(reply.clone()).await;
        assert_eq!(error.kind(), ErrorKind::Invalid, "{reply:?}: {error:?}");
        assert_eq!(requests, 1, "{reply:?}");
    }
}

#[tokio::test]
async fn one_request_that_hangs_does_not_use_up_the_time() {
    let kms = GcpKms::start().await;
    let key = kms.signing_key("ca", "EC_SIGN_P256_SHA256");
    let mut settings = config(&kms);
    settings.try_timeout = Duration::from_millis(200);
    settings.timeout = Duration::from_secs(30);
    kms.then([Reply::Hang]);
    let signer = open(&key, &settings).await.unwrap();
    kms.then([Reply::Hang]);
    signer.sign(MESSAGE).await.unwrap();
}

#[tokio::test]
async fn a_service_that_only_hangs_is_unavailable_in_time() {
    let kms = GcpKms::start().await;
    let key = kms.signing_key("ca", "EC_SIGN_P256_SHA256");
    let mut settings = config(&kms);
    settings.try_timeout = Duration::from_millis(100);
    settings.timeout = Duration::from_millis(500);
    settings.open_timeout = settings.timeout;
    let signer = open(&key, &settings).await.unwrap();
    kms.then(always(&Reply::Hang));
    let start = Instant::now();
    let error = signer.sign(MESSAGE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let text = causes(&error);
    assert!(text.contains("within 500 ms"), "{text}");
    assert!(matches!(cause(&error), Error::Late { .. }), "{error:?}");
    let error = open(&key, &settings).await.unwrap_err();
    assert!(matches!(error, Error::Deadline { .. }), "{error:?}");
    let text = causes(&error);
    assert!(text.contains("within 500 ms"), "{text}");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_redirection_is_not_taken_for_an_answer() {
    let elsewhere = GcpKms::start().await;
    let location = "location".parse().unwrap();
    let reply = Reply::say(302, "").header(location, format!("{}/elsewhere", elsewhere.address));
    let (_requests, error) = failed(reply).await;
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error:?}");
}
