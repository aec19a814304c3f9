//! The log in memory keeps its word, and breaks it when it is told to.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use core::time::Duration;

use fulcio_ct_client::{
    Entry, Error, Failure, RemoteLog as _, SctError, SignedCertificateTimestamp, Submission,
    TransparencyLog as _,
};
use fulcio_testkit::log::{Behaviour, FakeLog};
use pki_types::CertificateDer;

const ENTRY: Entry<'static> = Entry::Certificate(b"certificate");

async fn submit(log: &FakeLog) -> Result<SignedCertificateTimestamp, Error> {
    log.submit(Submission {
        entry: ENTRY,
        certificate: &CertificateDer::from_slice(b"certificate"),
        issuers: &[],
    })
    .await
}

#[tokio::test]
async fn promises_what_its_key_verifies_and_remembers_it() {
    let log = FakeLog::new()
        .with_timestamp(42)
        .with_extensions(vec![0, 0, 5, 0, 0, 0, 0, 7]);
    let promise = submit(&log).await.unwrap();
    promise.verify(&ENTRY, log.key(), None).unwrap();
    assert_eq!(promise.timestamp(), 42);
    assert_eq!(promise.leaf_index().unwrap(), Some(7));
    assert_eq!(log.submissions(), 1);
    assert_eq!(
        log.certificates(),
        [CertificateDer::from_slice(b"certificate")]
    );
}

#[tokio::test]
async fn gives_promises_that_do_not_verify() {
    for behaviour in [Behaviour::AnotherCertificate, Behaviour::AnotherKey] {
        let log = FakeLog::new();
        log.behave(behaviour);
        let promise = submit(&log).await.unwrap();
        assert!(matches!(
            promise.verify(&ENTRY, log.key(), None),
            Err(SctError::Signature)
        ));
        assert!(log.certificates().is_empty());
    }
}

#[tokio::test]
async fn refuses_hangs_and_recovers() {
    let log = FakeLog::new();
    for (behaviour, failure) in [
        (Behaviour::Refuse, Failure::Refused),
        (Behaviour::Unavailable, Failure::Unavailable),
    ] {
        log.behave(behaviour);
        assert_eq!(submit(&log).await.unwrap_err().failure(), failure);
    }
    log.behave(Behaviour::Hang);
    let hung = tokio::time::timeout(Duration::from_millis(50), submit(&log)).await;
    assert!(hung.is_err());
    log.behave(Behaviour::Promise);
    submit(&log).await.unwrap();
    assert_eq!(log.submissions(), 4);
    assert_eq!(log.certificates().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn takes_its_time() {
    let log = FakeLog::new();
    let delay = Duration::from_secs(3);
    log.behave(Behaviour::PromiseAfter(delay));
    let begun = tokio::time::Instant::now();
    submit(&log).await.unwrap();
    assert_eq!(begun.elapsed(), delay);
}

#[tokio::test]
async fn tells_its_roots_while_it_is_there() {
    let log = FakeLog::new();
    assert!(log.roots().await.unwrap().is_none());
    let root = CertificateDer::from_slice(b"root");
    let log = log.with_roots(vec![root.clone()]);
    assert!(log.roots().await.unwrap().unwrap().accept(&[root]));
    log.behave(Behaviour::Unavailable);
    let error = log.roots().await.unwrap_err();
    assert_eq!(error.failure(), Failure::Unavailable);
    assert_eq!(log.probes(), 3);
}
