use std::time::Instant;

use fulcio_ct_client::{
    Entry, Error, Failure, HttpLog, HttpLogConfig, HttpLogError, SctError, Submission,
    TransparencyLog as _,
};
use fulcio_testkit::log::FakeLog;
use pki_types::CertificateDer;

use crate::{
    AMPLE, ENTRY, ISSUERS, PRECERTIFICATE, config, http, now, promise,
    server::{Answer, Server},
    submit,
};

#[tokio::test]
async fn takes_a_timestamp_for_the_precertificate_it_sent() {
    let fake = FakeLog::new().with_extensions(vec![0, 0, 5, 0, 0, 0, 0, 9]);
    let server = Server::start([promise(&fake)]).await;

    let timestamp = submit(&http(&server, &fake, AMPLE)).await.unwrap();
    assert_eq!(timestamp.log_id(), fake.key().id());
    assert_eq!(timestamp.leaf_index().unwrap(), Some(9));

    let [seen] = &server.seen()[..] else {
        panic!("one request");
    };
    assert_eq!(seen.path, "/test/ct/v1/add-pre-chain");
    assert_eq!(seen.headers["content-type"], "application/json");
    assert_eq!(seen.headers["host"], server.address.to_string());
    assert_eq!(
        seen.chain,
        [&b"precertificate"[..], b"intermediate", b"root"]
    );
}

#[tokio::test]
async fn sends_a_finished_certificate_to_the_other_method() {
    let fake = FakeLog::new();
    let entry = Entry::Certificate(b"certificate");
    let server = Server::start([Answer::json(fake.promise(&entry).unwrap().to_json())]).await;
    let log = http(&server, &fake, AMPLE);
    log.submit(Submission {
        entry,
        certificate: &CertificateDer::from(&b"certificate"[..]),
        issuers: &ISSUERS,
    })
    .await
    .unwrap();
    assert_eq!(server.seen()[0].path, "/test/ct/v1/add-chain");
}

#[tokio::test]
async fn names_the_origin_in_the_host_header() {
    let fake = FakeLog::new();
    let server = Server::start([promise(&fake)]).await;
    let log = HttpLog::new(&HttpLogConfig {
        origin: Some("log.example.com".to_owned()),
        ..config(format!("{}/", server.url()), &fake, AMPLE)
    });
    submit(&log.unwrap()).await.unwrap();
    let seen = &server.seen()[0];
    assert_eq!(seen.headers["host"], "log.example.com");
    assert_eq!(seen.path, "/test/ct/v1/add-pre-chain");
}

#[tokio::test]
async fn uses_a_connection_again() {
    let fake = FakeLog::new();
    let server = Server::start([promise(&fake)]).await;
    let log = http(&server, &fake, AMPLE);
    for _ in 0..5 {
        submit(&log).await.unwrap();
    }
    assert_eq!(server.requests(), 5);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn takes_no_for_an_answer_at_once_and_keeps_what_the_log_said() {
    for status in [204, 302, 400, 401, 404, 413, 500, 502, 504] {
        let fake = FakeLog::new();
        let server = Server::start([Answer::status(status)]).await;
        let error = submit(&http(&server, &fake, AMPLE)).await.unwrap_err();
        assert_eq!(error.failure(), Failure::Refused, "{status}");
        assert!(
            matches!(error, Error::Status { status: said, .. } if said == status),
            "{error:?}"
        );
        if status != 204 {
            assert_eq!(error.body(), Some("no such thing"), "{status}");
        }
        assert!(!error.to_string().contains("no such thing"));
        assert_eq!(server.requests(), 1, "{status}");
    }
}

#[tokio::test]
async fn refuses_what_is_not_a_timestamp() {
    let fake = FakeLog::new();
    let good = fake.promise(&ENTRY).unwrap().to_json();
    for body in [
        String::new(),
        "<html>welcome to the hotel network</html>".to_owned(),
        "{}".to_owned(),
        "[]".to_owned(),
        good[..good.len() - 1].to_owned(),
        good.replace("\"sct_version\":0", "\"sct_version\":1"),
        good.replace("\"timestamp\":1", "\"timestamp\":-1"),
        good.replace("\"id\":\"", "\"id\":\"AAAA"),
        good.replace("\"id\":\"", "\"id\":\"%"),
        good.replace("\"signature\":\"", "\"signature\":\"AAAA"),
    ] {
        let server = Server::start([Answer::json(body.clone())]).await;
        let error = submit(&http(&server, &fake, AMPLE)).await.unwrap_err();
        assert!(matches!(error, Error::Answer { .. }), "{body}: {error:?}");
        assert_eq!(error.failure(), Failure::Refused);
        assert_eq!(error.body(), Some(body.as_str()));
        assert_eq!(server.requests(), 1);
    }
}

#[tokio::test]
async fn refuses_a_timestamp_that_is_not_for_this_certificate_by_this_log() {
    let fake = FakeLog::new();
    let other = FakeLog::new();
    let another_certificate = fake.promise(&Entry::Certificate(b"another")).unwrap();
    let another_log = other.promise(&ENTRY).unwrap();
    // Names the right log; the signature is the other one's.
    let forged = fulcio_ct_client::SignedCertificateTimestamp::new(
        fake.key().id(),
        another_log.timestamp(),
        Vec::new(),
        another_log.signature().clone(),
    )
    .unwrap();
    for (timestamp, expected) in [
        (another_certificate, "Signature"),
        (another_log, "LogId"),
        (forged, "Signature"),
    ] {
        let server = Server::start([Answer::json(timestamp.to_json())]).await;
        let error = submit(&http(&server, &fake, AMPLE)).await.unwrap_err();
        assert_eq!(error.failure(), Failure::Refused);
        let Error::Answer { source, .. } = error else {
            panic!("{error:?}");
        };
        assert_eq!(format!("{source:?}"), expected);
    }
}

#[tokio::test]
async fn believes_a_log_whose_key_is_not_known() {
    let fake = FakeLog::new();
    let server = Server::start([promise(&fake)]).await;
    let log = HttpLog::new(&HttpLogConfig::new(server.url(), None, now)).unwrap();
    let timestamp = submit(&log).await.unwrap();
    timestamp.verify(&ENTRY, fake.key(), None).unwrap();
    assert!(matches!(
        timestamp.verify(&ENTRY, FakeLog::new().key(), None),
        Err(SctError::LogId)
    ));
}

#[tokio::test]
async fn reads_no_more_than_a_timestamp_can_be_long() {
    let fake = FakeLog::new();
    let server = Server::start([Answer::Endless(200)]).await;
    let begin = Instant::now();
    let error = submit(&http(&server, &fake, AMPLE)).await.unwrap_err();
    assert!(matches!(error, Error::AnswerTooLong { .. }), "{error:?}");
    assert_eq!(error.failure(), Failure::Refused);
    assert!(begin.elapsed() < AMPLE / 2);

    let server = Server::start([Answer::Endless(500)]).await;
    let error = submit(&http(&server, &fake, AMPLE)).await.unwrap_err();
    assert_eq!(error.body().map(str::len), Some(1024), "{error:?}");
}

#[tokio::test]
async fn wants_a_url_that_can_be_a_log() {
    for url in [
        "",
        "localhost:6962",
        "/test",
        "ftp://log.example.com",
        "http://user:secret@log.example.com",
        "http://log.example.com/?a=b",
        "http://log.example.com/#a",
        "http://",
        "http://exa mple",
        "http://log.example.com:port",
        "http://log.example.com:65536",
    ] {
        let error = HttpLog::new(&HttpLogConfig::new(url, None, now)).unwrap_err();
        assert!(
            matches!(error, HttpLogError::Url { .. } | HttpLogError::UrlShape),
            "{url}: {error:?}"
        );
        assert!(!error.to_string().contains("secret"));
    }
    let origin = HttpLogConfig {
        origin: Some("two\nlines".to_owned()),
        ..HttpLogConfig::new("http://log.example.com", None, now)
    };
    assert!(matches!(
        HttpLog::new(&origin),
        Err(HttpLogError::Origin { .. })
    ));
    let without_roots = HttpLogConfig::new("https://log.example.com", None, now);
    assert!(matches!(
        HttpLog::new(&without_roots),
        Err(HttpLogError::NoRoots { .. })
    ));
    let bad_root = HttpLogConfig {
        roots: vec![PRECERTIFICATE],
        ..without_roots
    };
    assert!(matches!(
        HttpLog::new(&bad_root),
        Err(HttpLogError::Root { index: 0, .. })
    ));
}
