//! What moto would never do, shown by a service that does.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod kms;

use core::time::Duration;
use std::time::Instant;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fulcio_remote_key::Fault as _;
use fulcio_signer::{Error as SignerError, ErrorKind, Signer as _};
use fulcio_signer_aws_kms::{AwsKmsSigner, Error};
use kms::{FakeKms, ID, Reply, SECRET, SESSION, cause, causes, open};
use serde_json::{Value, json};

const MESSAGE: &[u8] = b"message";
const KEY: &str = "awskms:///alias/fulcio";

async fn opened() -> (FakeKms, AwsKmsSigner) {
    let kms = FakeKms::start().await;
    let signer = open(KEY, &kms.config()).await.unwrap();
    kms.seen();
    (kms, signer)
}

/// How a signature fails, and after how many requests.
async fn failed(reply: impl Fn() -> Reply) -> (usize, SignerError) {
    let (kms, signer) = opened().await;
    kms.then((0..50).map(|_| reply()));
    let error = signer.sign(MESSAGE).await.unwrap_err();
    (kms.seen().len(), error)
}

#[tokio::test]
async fn sends_what_aws_reads() {
    let kms = FakeKms::start().await;
    let signer = open(KEY, &kms.config()).await.unwrap();
    signer.sign(MESSAGE).await.unwrap();
    let seen = kms.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].headers["x-amz-target"], "TrentService.GetPublicKey");
    assert_eq!(seen[0].body, json!({"KeyId": "alias/fulcio"}));
    assert_eq!(seen[1].headers["x-amz-target"], "TrentService.Sign");
    assert_eq!(
        seen[1].body,
        json!({
            "KeyId": "alias/fulcio", "Message": "bWVzc2FnZQ==", "MessageType": "RAW",
            "SigningAlgorithm": "ED25519_SHA_512",
        })
    );
    for seen in seen {
        let signed = seen.headers["authorization"].to_str().unwrap();
        assert!(
            signed.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"),
            "{signed}"
        );
        assert!(signed.contains("/us-east-2/kms/aws4_request"), "{signed}");
        assert_eq!(seen.headers["x-amz-security-token"], SESSION);
        // Trying again is ours alone.
        assert_eq!(seen.headers["amz-sdk-request"], "attempt=1; max=1");
    }
}

#[tokio::test]
async fn one_connection_serves_one_signature_after_another() {
    let (kms, signer) = opened().await;
    for _ in 0..10 {
        signer.sign(MESSAGE).await.unwrap();
    }
    assert_eq!(kms.connections(), 1);
    assert_eq!(kms.seen().len(), 10);
}

#[tokio::test]
async fn an_ed25519_message_that_is_too_long_is_refused_without_asking() {
    let (kms, signer) = opened().await;
    signer.sign(&[0; 4096]).await.unwrap();
    kms.seen();
    for length in [0, 4097, 10_000] {
        let error = signer.sign(&vec![0; length]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        let text = causes(&error);
        assert!(text.contains("1 to 4096 bytes"), "{text}");
        assert!(text.contains(&length.to_string()), "{text}");
    }
    assert_eq!(kms.seen().len(), 0);
}

#[tokio::test]
async fn a_signature_of_another_key_is_never_given_out() {
    let (requests, error) = failed(|| Reply::OtherKey).await;
    assert_eq!((requests, error.kind()), (1, ErrorKind::WrongKey));
    let (requests, error) = failed(|| Reply::OtherName).await;
    assert_eq!((requests, error.kind()), (1, ErrorKind::WrongKey));
    assert!(matches!(cause(&error), Error::OtherKey { .. }), "{error:?}");
}

/// Everything that AWS documents for these two requests, and what may come from before it.
const REFUSALS: [(u16, &str, ErrorKind, &str); 28] = [
    (
        400,
        "AccessDeniedException",
        ErrorKind::Denied,
        "AccessDeniedException",
    ),
    (403, "AccessDenied", ErrorKind::Denied, "AccessDenied"),
    (403, "", ErrorKind::Denied, "refused it"),
    (400, "DisabledException", ErrorKind::Denied, "enable it"),
    (
        400,
        "KMSInvalidStateException",
        ErrorKind::Denied,
        "cancel its deletion",
    ),
    (
        400,
        "ExpiredTokenException",
        ErrorKind::Denied,
        "does not accept the credentials",
    ),
    (
        400,
        "UnrecognizedClientException",
        ErrorKind::Denied,
        "does not accept the credentials",
    ),
    (
        403,
        "InvalidSignatureException",
        ErrorKind::Denied,
        "the clock of this machine",
    ),
    (
        403,
        "InvalidClientTokenId",
        ErrorKind::Denied,
        "does not accept the credentials",
    ),
    (
        400,
        "NotFoundException",
        ErrorKind::Invalid,
        "in the region us-east-2",
    ),
    (
        400,
        "InvalidKeyUsageException",
        ErrorKind::Invalid,
        "SIGN_VERIFY",
    ),
    (
        400,
        "UnsupportedOperationException",
        ErrorKind::Invalid,
        "SIGN_VERIFY",
    ),
    (400, "InvalidArnException", ErrorKind::Invalid, "status 400"),
    (
        400,
        "InvalidGrantTokenException",
        ErrorKind::Invalid,
        "status 400",
    ),
    (
        400,
        "ValidationException",
        ErrorKind::Invalid,
        "told to answer",
    ),
    (404, "", ErrorKind::Invalid, "status 404"),
    (
        400,
        "ThrottlingException",
        ErrorKind::Throttled,
        "fewer requests",
    ),
    (
        400,
        "LimitExceededException",
        ErrorKind::Throttled,
        "fewer requests",
    ),
    (429, "", ErrorKind::Throttled, "fewer requests"),
    (
        400,
        "DependencyTimeoutException",
        ErrorKind::Unavailable,
        "cannot do it now",
    ),
    (
        500,
        "DependencyTimeoutException",
        ErrorKind::Unavailable,
        "cannot do it now",
    ),
    (
        500,
        "KeyUnavailableException",
        ErrorKind::Unavailable,
        "cannot do it now",
    ),
    (
        500,
        "KMSInternalException",
        ErrorKind::Unavailable,
        "cannot do it now",
    ),
    (
        500,
        "InternalFailure",
        ErrorKind::Unavailable,
        "cannot do it now",
    ),
    (
        503,
        "ServiceUnavailableException",
        ErrorKind::Unavailable,
        "cannot do it now",
    ),
    (408, "", ErrorKind::Unavailable, "status 408"),
    (500, "", ErrorKind::Unavailable, "status 500"),
    (503, "", ErrorKind::Unavailable, "status 503"),
];

fn refusal(status: u16, code: &str) -> Reply {
    if code.is_empty() {
        Reply::Say(status, "<html>from a balancer</html>".to_owned())
    } else {
        Reply::error(status, code, &format!("told to answer {code}"))
    }
}

fn may_get_better(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Throttled | ErrorKind::Unavailable)
}

#[tokio::test]
async fn each_refusal_of_a_signature_is_told_apart() {
    for (status, code, kind, said) in REFUSALS {
        let kms = FakeKms::start().await;
        let mut settings = kms.config();
        settings.timeout = Duration::from_millis(250);
        let signer = open(KEY, &settings).await.unwrap();
        kms.seen();
        kms.then((0..50).map(|_| refusal(status, code)));
        let error = signer.sign(MESSAGE).await.unwrap_err();
        let text = causes(&error);
        assert_eq!(error.kind(), kind, "{status} {code}: {text}");
        assert!(text.contains(said), "{status} {code}: {text}");
        // What stays as it is is not asked for again; and the SDK asks for nothing by itself.
        let requests = kms.seen().len();
        let expected = if may_get_better(kind) { 2..=3 } else { 1..=1 };
        assert!(expected.contains(&requests), "{status} {code}: {requests}");
    }
}

#[tokio::test]
async fn each_refusal_to_open_a_key_is_told_apart() {
    for (status, code, kind, said) in REFUSALS {
        let kms = FakeKms::start().await;
        let mut settings = kms.config();
        settings.open_timeout = Duration::from_millis(250);
        kms.then((0..50).map(|_| refusal(status, code)));
        let error = open(KEY, &settings).await.unwrap_err();
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
            // The operator enables the key, gives the permission, sets the clock.
            kms.then([refusal(status, code)]);
            signer.sign(MESSAGE).await.unwrap_err();
            signer.sign(MESSAGE).await.unwrap();
            assert_eq!(kms.seen().len(), 2, "{status} {code}");
        }
    }
    kms.then([Reply::HangUp]);
    signer.sign(MESSAGE).await.unwrap();
    kms.then([Reply::HangUp]);
    open(KEY, &kms.config()).await.unwrap();
}

#[tokio::test]
async fn says_who_may_not_do_what() {
    let why = "User: arn:aws:sts::111122223333:assumed-role/ca/i is not authorized to perform: \
               kms:Sign on resource: arn:aws:kms:us-east-2:111122223333:key/k because no \
               identity-based policy allows the kms:Sign action";
    let (_requests, error) = failed(|| Reply::error(400, "AccessDeniedException", why)).await;
    assert!(causes(&error).contains(why), "{}", causes(&error));
}

#[tokio::test]
async fn garbage_is_refused_and_not_asked_for_again() {
    let signed = |signature: Value| json!({"KeyId": ID, "Signature": signature}).to_string();
    for body in [
        String::new(),
        "garbage".to_owned(),
        "{}".to_owned(),
        "[]".to_owned(),
        json!({"KeyId": ID}).to_string(),
        signed(json!(1)),
        signed(json!("not base64")),
        "x".repeat(2 * 1024 * 1024),
    ] {
        let (requests, error) = failed(|| Reply::body(&body)).await;
        let shown = &body[..body.len().min(50)];
        assert_eq!(error.kind(), ErrorKind::Invalid, "{shown}: {error:?}");
        assert_eq!(requests, 1, "{shown}");
    }
    for signature in ["", "AAAA"] {
        let (requests, error) = failed(|| Reply::body(signed(json!(signature)))).await;
        assert_eq!((requests, error.kind()), (1, ErrorKind::WrongKey));
    }
}

#[tokio::test]
async fn a_key_that_is_garbage_is_not_opened() {
    let kms = FakeKms::start().await;
    let with = |field: &str, value: Value| {
        let mut description = kms.description();
        description[field] = value;
        description.to_string()
    };
    for body in [
        String::new(),
        "garbage".to_owned(),
        "{}".to_owned(),
        with("KeyId", Value::Null),
        with("KeyUsage", Value::Null),
        with("KeyUsage", json!("KEY_AGREEMENT")),
        with("KeyUsage", json!("SOMETHING_NEW")),
        with("PublicKey", Value::Null),
        with("PublicKey", json!("")),
        with("PublicKey", json!("AAAA")),
        with("SigningAlgorithms", json!([])),
        with("SigningAlgorithms", json!(["ED25519_PH_SHA_512"])),
    ] {
        kms.then([Reply::body(&body)]);
        let error = open(KEY, &kms.config()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{body}: {error:?}");
        assert_eq!(kms.seen().len(), 1, "{body}");
    }
}

#[tokio::test]
async fn says_how_a_key_signs_that_does_not_sign_as_it_should() {
    let kms = FakeKms::start().await;
    let mut description = kms.description();
    description["SigningAlgorithms"] = json!(["ED25519_PH_SHA_512"]);
    kms.then([Reply::body(description)]);
    let error = open(KEY, &kms.config()).await.unwrap_err().to_string();
    assert!(
        error.contains("signs with ED25519_PH_SHA_512, and not with ED25519_SHA_512"),
        "{error}"
    );
}

#[tokio::test]
async fn one_request_that_hangs_does_not_use_up_the_time() {
    let kms = FakeKms::start().await;
    let mut settings = kms.config();
    settings.try_timeout = Duration::from_millis(200);
    settings.timeout = Duration::from_secs(30);
    kms.then([Reply::Hang]);
    let signer = open(KEY, &settings).await.unwrap();
    kms.then([Reply::Hang]);
    signer.sign(MESSAGE).await.unwrap();
}

#[tokio::test]
async fn a_service_that_only_hangs_is_unavailable_in_time() {
    let kms = FakeKms::start().await;
    let mut settings = kms.config();
    settings.try_timeout = Duration::from_millis(100);
    settings.timeout = Duration::from_millis(500);
    settings.open_timeout = settings.timeout;
    let signer = open(KEY, &settings).await.unwrap();
    kms.then((0..50).map(|_| Reply::Hang));
    let start = Instant::now();
    let error = signer.sign(MESSAGE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        causes(&error).contains("within 500 ms"),
        "{}",
        causes(&error)
    );
    let error = open(KEY, &settings).await.unwrap_err();
    assert!(matches!(error, Error::Deadline { .. }), "{error:?}");
    assert!(
        causes(&error).contains("within 500 ms"),
        "{}",
        causes(&error)
    );
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn nothing_shows_the_credentials() {
    let (kms, signer) = opened().await;
    let mut texts = vec![format!("{signer:?} {:?}", kms.config())];
    // AWS repeats what it was sent when it cannot verify who sent it.
    let repeated = format!("The Canonical String: x-amz-security-token:{SESSION}");
    for reply in [
        Reply::error(403, "InvalidSignatureException", &repeated),
        Reply::error(400, "IncompleteSignatureException", &repeated),
        Reply::error(400, "AccessDeniedException", "no"),
        Reply::body("garbage"),
        Reply::Say(400, "garbage".to_owned()),
        Reply::OtherKey,
    ] {
        kms.then([reply]);
        let error = signer.sign(MESSAGE).await.unwrap_err();
        texts.push(format!("{error:?} {}", causes(&error)));
    }
    let mut settings = kms.config();
    settings.endpoint = Some("http://127.0.0.1:1".to_owned());
    settings.open_timeout = Duration::from_millis(200);
    let error = open(KEY, &settings).await.unwrap_err();
    texts.push(format!("{error:?} {}", causes(&error)));
    for text in texts {
        assert!(!text.contains(SECRET) && !text.contains(SESSION), "{text}");
        assert!(!text.contains(&STANDARD.encode(SECRET)), "{text}");
    }
}
