//! What goes wrong at Google, and what comes of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use core::time::Duration;
use std::time::Instant;

use common::{config, issue, leaf, open, pool, reason, try_open};
use fulcio_cert_builder::pem;
use fulcio_google_ca_service::{Difference, Error};
use fulcio_issuance::{CertificateAuthority as _, Refusal, RequestContext};
use fulcio_signer::{Algorithm, ErrorKind};
use fulcio_test_services::{
    Relay,
    ca_service::{Fault, Reply, State},
    causes,
};
use pki_types::CertificateDer;
use serde_json::json;

/// How an issuance ends when every request is answered so, and after how many requests.
async fn failed(reply: impl Fn() -> Reply) -> (usize, std::sync::Arc<Error>) {
    let pool = pool().await;
    let service = open(&pool, None).await;
    pool.seen();
    pool.then((0..50).map(|_| reply()));
    let issued = issue(&service).await;
    let told = issued.as_ref().unwrap_err().refusal();
    assert_eq!(told, Refusal::Authority);
    let error = reason(issued);
    println!("{}", causes(&*error));
    (pool.seen().len(), error)
}

#[tokio::test]
async fn a_certificate_that_is_not_the_one_asked_for_is_not_given_out() {
    let extension = |oid: &str| Difference::Extension {
        oid: oid.to_owned(),
    };
    let not_asked = |oid: &str| Difference::ExtensionNotAsked {
        oid: oid.to_owned(),
    };
    let first = "1.3.6.1.4.1.57264.1.1";
    for (fault, expected) in [
        (Fault::Backdated(120), Difference::NotBefore),
        (Fault::ChangedExtension, extension(first)),
        (Fault::CriticalExtension, extension(first)),
        (Fault::Ended, Difference::NotAfter),
        (Fault::ExtraCritical, not_asked("1.2.3.4")),
        (Fault::ExtraFulcio, not_asked("1.3.6.1.4.1.57264.1.21")),
        (Fault::Longer, Difference::NotAfter),
        (Fault::MissingExtension, extension(first)),
        (Fault::OtherKey, Difference::Key),
        (Fault::OtherName, extension("2.5.29.17")),
        (Fault::OtherUsage, extension("2.5.29.37")),
        (Fault::Subject, Difference::Subject),
    ] {
        let (requests, error) = failed(|| Reply::Issue(fault)).await;
        let Error::OtherCertificate(difference) = &*error else {
            panic!("{fault:?}: {error}");
        };
        assert_eq!(*difference, expected, "{fault:?}");
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert_eq!(requests, 1);
    }
}

#[tokio::test]
async fn a_certificate_that_does_not_verify_is_not_given_out() {
    for fault in [Fault::Authority, Fault::OtherSignature] {
        let (requests, error) = failed(|| Reply::Issue(fault)).await;
        assert!(matches!(&*error, Error::Path(_)), "{fault:?}: {error}");
        assert_eq!(requests, 1);
    }
    let (_requests, error) = failed(|| Reply::Issue(Fault::NoChain)).await;
    assert_eq!(
        error.to_string(),
        "the answer of CA Service has no pemCertificateChain"
    );
}

#[tokio::test]
async fn a_certificate_with_one_wrong_bit_is_not_given_out() {
    let pool = pool().await;
    let service = open(&pool, None).await;
    let leaf = leaf(Algorithm::EcdsaP256Sha256).await;
    let context = RequestContext::new("test");
    let right = service.issue(&leaf, &context).await.unwrap().chain;
    let above: Vec<String> = right[1..].iter().map(pem).collect();
    let answer = |der: Vec<u8>| {
        let certificate = pem(&CertificateDer::from(der));
        let body = json!({"pemCertificate": certificate, "pemCertificateChain": above});
        Reply::Say(200, body.to_string())
    };
    pool.then([answer(right[0].to_vec())]);
    assert_eq!(service.issue(&leaf, &context).await.unwrap().chain, right);
    for place in (0..right[0].len()).step_by(5) {
        let mut der = right[0].to_vec();
        der[place] ^= 1 << (place % 8);
        pool.then([answer(der)]);
        let issued = service.issue(&leaf, &context).await;
        assert!(issued.is_err(), "{place}: {issued:?}");
    }
}

#[tokio::test]
async fn clocks_may_be_a_little_apart() {
    let pool = pool().await;
    let service = open(&pool, None).await;
    pool.then([Reply::Issue(Fault::Backdated(30))]);
    issue(&service).await.unwrap();
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let refuse = |status, code| move || Reply::Refuse(status, code, "because\n of it".to_owned());
    let (requests, error) = failed(refuse(403, "PERMISSION_DENIED")).await;
    assert_eq!(
        error.to_string(),
        "Google refused it (PERMISSION_DENIED): because of it"
    );
    assert_eq!((requests, error.kind()), (1, ErrorKind::Denied));

    let (requests, error) = failed(refuse(401, "UNAUTHENTICATED")).await;
    assert_eq!(
        error.to_string(),
        "Google does not accept the credentials; check them, and the clock of this machine"
    );
    assert_eq!((requests, error.kind()), (1, ErrorKind::Denied));

    let (requests, error) = failed(refuse(404, "NOT_FOUND")).await;
    assert!(matches!(&*error, Error::NotFound { .. }), "{error}");
    assert_eq!((requests, error.kind()), (1, ErrorKind::Invalid));

    let (requests, error) = failed(refuse(400, "INVALID_ARGUMENT")).await;
    assert_eq!(
        error.to_string(),
        "CA Service refused the request (INVALID_ARGUMENT): because of it"
    );
    assert_eq!((requests, error.kind()), (1, ErrorKind::Invalid));

    let (requests, error) = failed(refuse(409, "ALREADY_EXISTS")).await;
    assert_eq!((requests, error.kind()), (1, ErrorKind::Invalid));

    let (requests, error) = failed(|| Reply::Say(403, "<html>no</html>".to_owned())).await;
    assert_eq!(
        error.to_string(),
        "Google refused it (HTTP status 403): nothing more is said"
    );
    assert_eq!((requests, error.kind()), (1, ErrorKind::Denied));
}

#[tokio::test]
async fn an_authority_that_was_disabled_is_said_to_be_and_works_again_when_enabled() {
    let pool = pool().await;
    let service = open(&pool, Some("first")).await;
    pool.set_state("first", State::Disabled);
    let error = reason(issue(&service).await);
    assert_eq!(
        error.to_string(),
        "projects/project/locations/europe-west1/caPools/pool/certificateAuthorities/first of CA \
         Service cannot do it in its state: first is not enabled"
    );
    assert_eq!(error.kind(), ErrorKind::Denied);
    pool.set_state("first", State::Enabled);
    issue(&service).await.unwrap();
}

#[tokio::test]
async fn what_another_try_may_change_is_tried_until_the_time_is_up() {
    let later = || "later".to_owned();
    let cases = [
        (
            Reply::Refuse(429, "RESOURCE_EXHAUSTED", later()),
            ErrorKind::Throttled,
        ),
        (Reply::Say(429, String::new()), ErrorKind::Throttled),
        (
            Reply::Refuse(503, "UNAVAILABLE", later()),
            ErrorKind::Unavailable,
        ),
        (
            Reply::Refuse(500, "INTERNAL", later()),
            ErrorKind::Unavailable,
        ),
        (
            Reply::Refuse(409, "ABORTED", later()),
            ErrorKind::Unavailable,
        ),
        (
            Reply::Refuse(504, "DEADLINE_EXCEEDED", later()),
            ErrorKind::Unavailable,
        ),
        (
            Reply::Say(502, "<html>bad gateway</html>".to_owned()),
            ErrorKind::Unavailable,
        ),
        (Reply::HangUp, ErrorKind::Unavailable),
    ];
    // Each takes its time, so all at once.
    let cases = cases.map(|(reply, kind)| {
        let answer = reply.clone();
        let failed = tokio::spawn(async move { failed(|| answer.clone()).await });
        (reply, kind, failed)
    });
    for (reply, kind, failed) in cases {
        let (requests, error) = failed.await.unwrap();
        let Error::Deadline { last, .. } = &*error else {
            panic!("{reply:?}: {error}");
        };
        assert_eq!(last.as_ref().unwrap().kind(), kind, "{reply:?}");
        assert!(requests > 2, "{reply:?}: {requests}");
    }
}

#[tokio::test]
async fn a_service_that_says_when_to_come_back_is_left_alone_so_long() {
    let pool = pool().await;
    let service = open(&pool, None).await;
    let info = json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.5s"});
    let error = json!({"error": {
        "code": 429, "message": "slowly", "status": "RESOURCE_EXHAUSTED", "details": [info],
    }});
    pool.then([Reply::Say(429, error.to_string())]);
    let begun = Instant::now();
    issue(&service).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(1500));
}

#[tokio::test]
async fn a_service_that_is_silent_is_late() {
    let (requests, error) = failed(|| Reply::Hang).await;
    let Error::Deadline { last, .. } = &*error else {
        panic!("{error}");
    };
    assert!(
        matches!(last.as_deref(), Some(Error::Late { .. })),
        "{last:?}"
    );
    assert!(requests > 1, "{requests}");
}

#[tokio::test]
async fn garbage_is_not_a_certificate() {
    let say = |body: serde_json::Value| move || Reply::Say(200, body.to_string());
    let (requests, error) = failed(|| Reply::Say(200, "garbage".to_owned())).await;
    assert!(matches!(&*error, Error::Answer(_)), "{error}");
    assert_eq!((requests, error.kind()), (1, ErrorKind::Invalid));

    let (_requests, error) = failed(say(json!({}))).await;
    assert!(matches!(
        &*error,
        Error::AnswerIncomplete {
            field: "pemCertificate"
        }
    ));
    let bad = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
    let (_requests, error) = failed(say(json!({"pemCertificate": bad}))).await;
    assert!(matches!(
        &*error,
        Error::AnswerMalformed {
            field: "pemCertificate",
            ..
        }
    ));
    let (_requests, error) = failed(say(json!({"pemCertificate": 7}))).await;
    assert!(matches!(&*error, Error::Answer(_)), "{error}");

    let pool = pool().await;
    let service = open(&pool, None).await;
    let first: String = pool.chain("first").iter().map(pem).collect();
    let own = pem(&pool.chain("first")[0]);
    // Not DER, but in the form of a certificate.
    let empty = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    for (certificate, field) in [(first.as_str(), None), (empty, Some("pemCertificate"))] {
        let body = json!({"pemCertificate": certificate, "pemCertificateChain": [own]});
        pool.then([Reply::Say(200, body.to_string())]);
        let error = reason(issue(&service).await);
        match (&*error, field) {
            (Error::AnswerIncomplete { .. }, None) => {}
            (Error::AnswerMalformed { field, .. }, Some(expected)) => assert_eq!(*field, expected),
            _ => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_certificate_whose_answer_was_lost_is_not_issued_twice() {
    let pool = pool().await;
    let service = open(&pool, None).await;
    pool.seen();
    pool.then([Reply::Lose, Reply::Lose]);
    let certified = issue(&service).await.unwrap();
    assert_eq!(pool.issued(), 1);
    let seen = pool.seen();
    assert_eq!(seen.len(), 3);
    for again in &seen[1..] {
        assert_eq!(again.query, seen[0].query);
        assert_eq!(again.body, seen[0].body);
    }
    // The next one is another.
    let another = issue(&service).await.unwrap();
    assert_ne!(certified.chain[0], another.chain[0]);
    assert_eq!(pool.issued(), 2);
}

#[tokio::test]
async fn what_comes_back_is_used_at_once() {
    let pool = pool().await;
    let relay = Relay::start(pool.address.trim_start_matches("http://")).await;
    let mut config = config(&pool);
    config.endpoint = Some(format!("http://{}", relay.address));
    config.timeout = Duration::from_millis(500);
    let service = try_open(&config, None).await.unwrap();
    issue(&service).await.unwrap();

    relay.to(None);
    let error = reason(issue(&service).await);
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    relay.to(Some(pool.address.trim_start_matches("http://")));
    issue(&service).await.unwrap();
}

#[tokio::test]
async fn a_service_that_comes_back_in_time_is_not_noticed() {
    let pool = pool().await;
    let relay = Relay::start(pool.address.trim_start_matches("http://")).await;
    let mut config = config(&pool);
    config.endpoint = Some(format!("http://{}", relay.address));
    config.timeout = Duration::from_secs(20);
    let service = try_open(&config, None).await.unwrap();
    relay.to(None);
    let comes_back = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        relay.to(Some(pool.address.trim_start_matches("http://")));
    };
    let (issued, ()) = tokio::join!(issue(&service), comes_back);
    issued.unwrap();
}
