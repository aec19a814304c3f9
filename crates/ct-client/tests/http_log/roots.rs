use core::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use fulcio_ct_client::{
    AcceptedRoots, Breaker, BreakerOptions, BreakerState, Error, Failure, HttpLog, RemoteLog as _,
};
use fulcio_testkit::log::FakeLog;
use pki_types::CertificateDer;
use proptest::{collection::vec, prelude::*};

use crate::{
    AMPLE, ISSUERS, certificate, config, http, promise,
    server::{Answer, Server},
    submit_to,
};

fn list(roots: &[&[u8]]) -> Answer {
    let roots: Vec<_> = roots.iter().map(|root| STANDARD.encode(root)).collect();
    Answer::json(serde_json::json!({ "certificates": roots }).to_string())
}

#[tokio::test]
async fn reads_the_roots_of_a_log() {
    let fake = FakeLog::new();
    let server = Server::start([list(&[b"another", b"root"])]).await;
    let roots = http(&server, &fake, AMPLE).roots().await.unwrap().unwrap();
    assert_eq!(roots.count(), 2);
    assert!(roots.accept(&ISSUERS));
    assert!(!roots.accept(&[certificate(b"stranger")]));
    let seen = &server.seen()[0];
    assert_eq!(seen.path, "/test/ct/v1/get-roots");
    assert_eq!(seen.headers["host"], server.address.to_string());
    assert!(seen.chain.is_empty());
}

#[test]
fn another_certificate_of_the_same_name_and_key_is_as_good() {
    let folder = tempfile::tempdir().unwrap();
    let openssl = |arguments: &str| {
        let done = std::process::Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    openssl("ecparam -name prime256v1 -genkey -noout -out key.pem");
    openssl("ecparam -name prime256v1 -genkey -noout -out other.pem");
    let root = |key: &str, name: &str, days: u32| {
        openssl(&format!(
            "req -x509 -new -key {key} -subj /CN={name} -days {days} -outform DER -out root.der"
        ));
        CertificateDer::from(std::fs::read(folder.path().join("root.der")).unwrap())
    };
    let ours = root("key.pem", "Root", 10);
    let accepted = |root| AcceptedRoots::new(vec![root]).accept(core::slice::from_ref(&ours));
    assert!(accepted(root("key.pem", "Root", 20)));
    assert!(!accepted(root("key.pem", "Another", 10)));
    assert!(!accepted(root("other.pem", "Root", 10)));
    assert!(!AcceptedRoots::new(Vec::new()).accept(&[ours]));
}

#[tokio::test]
async fn a_log_may_not_tell_its_roots() {
    for status in [404, 405, 501] {
        let fake = FakeLog::new();
        let server = Server::start([Answer::status(status)]).await;
        let roots = http(&server, &fake, AMPLE).roots().await.unwrap();
        assert!(roots.is_none(), "{status}");
    }
}

#[tokio::test]
async fn what_is_not_a_list_of_roots_is_an_error_of_a_log_that_is_there() {
    for body in [
        "",
        "[]",
        "{}",
        r#"{"certificates":["%"]}"#,
        r#"{"certificates":[1]}"#,
        "[[]]",
    ] {
        let fake = FakeLog::new();
        let server = Server::start([Answer::json(body)]).await;
        let error = http(&server, &fake, AMPLE).roots().await.unwrap_err();
        assert!(matches!(error, Error::RootsAnswer(_)), "{body}: {error:?}");
        assert_eq!(error.failure(), Failure::Refused);
    }
    let fake = FakeLog::new();
    let server = Server::start([Answer::status(500)]).await;
    let error = http(&server, &fake, AMPLE).roots().await.unwrap_err();
    assert_eq!(error.failure(), Failure::Refused);
}

proptest! {
    #[test]
    fn any_answer_is_read_or_refused(answer in ".*", roots in vec(vec(any::<u8>(), 0..40), 0..4)) {
        if let Ok(read) = AcceptedRoots::from_json(answer.as_bytes()) {
            prop_assert!(!read.accept(&[]));
        }
        let encoded: Vec<_> = roots.iter().map(|root| STANDARD.encode(root)).collect();
        let json = serde_json::json!({ "certificates": encoded, "more": answer }).to_string();
        let read = AcceptedRoots::from_json(json.as_bytes()).unwrap();
        prop_assert_eq!(read.count(), roots.len());
        for root in &roots {
            prop_assert!(read.accept(&[CertificateDer::from_slice(root)]));
        }
    }
}

#[tokio::test]
async fn a_log_that_is_busy_or_away_is_asked_once() {
    let fake = FakeLog::new();
    for status in [408, 429, 503] {
        let answer = Answer::Say(status, Some("7"), Bytes::new());
        let server = Server::start([answer]).await;
        let error = http(&server, &fake, AMPLE).roots().await.unwrap_err();
        assert_eq!(error.failure(), Failure::Unavailable, "{status}");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        assert_eq!(server.requests(), 1);
    }
    let server = Server::start([Answer::Hang]).await;
    let timeout = Duration::from_millis(300);
    let error = http(&server, &fake, timeout).roots().await.unwrap_err();
    assert!(
        matches!(error, Error::Deadline { last: None, .. }),
        "{error:?}"
    );
    let nobody = HttpLog::new(&config("http://127.0.0.1:1".to_owned(), &fake, timeout)).unwrap();
    let error = nobody.roots().await.unwrap_err();
    assert_eq!(error.failure(), Failure::Unavailable);
}

#[tokio::test]
async fn a_breaker_opens_on_each_way_to_be_away_and_finds_the_log_again() {
    let options = BreakerOptions {
        failures: 2.try_into().unwrap(),
        first_wait: Duration::from_millis(50),
        ..BreakerOptions::default()
    };
    for away in [
        Answer::Hang,
        Answer::HangUp,
        Answer::status(429),
        Answer::Say(503, Some("0"), Bytes::new()),
    ] {
        let fake = FakeLog::new();
        let server = Server::start([away]).await;
        let log = http(&server, &fake, Duration::from_secs(1));
        let breaker = Breaker::new("log", log, options);
        for _ in 0..2 {
            let error = submit_to(&breaker).await.unwrap_err();
            assert!(matches!(error, Error::Deadline { .. }), "{error:?}");
        }
        let error = submit_to(&breaker).await.unwrap_err();
        assert!(matches!(error, Error::BreakerOpen { .. }), "{error:?}");
        // As a log does that has no `get-roots`; then it takes certificates.
        server.answer([Answer::status(404), promise(&fake)]);
        while breaker.state() != BreakerState::HalfOpen {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        submit_to(&breaker).await.unwrap();
        assert_eq!(breaker.state(), BreakerState::Closed);
    }
}
