//! What an observer of requests is told.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use common::{Caller, Closed, Memory, authority, logging_authority, pipeline};
use fulcio_challenge::Proof;
use fulcio_issuance::{
    CertificateIssuer, Denied, Observer, Outcome, Pipeline, Request, RequestContext, Stage,
};
use fulcio_testkit::log::{Behaviour, FakeLog};

/// Remembers what it was told, in words.
#[derive(Debug, Default)]
struct Watcher(Mutex<Vec<String>>);

impl Observer for Watcher {
    fn ended(&self, stage: Stage, outcome: Outcome<'_>, _after: Duration) {
        let end = match outcome {
            Outcome::Abandoned => "abandoned".to_owned(),
            Outcome::Failed(error) => error.to_string(),
            Outcome::Passed => "passed".to_owned(),
        };
        let told = format!("{}: {end}", stage.as_str());
        self.0.lock().unwrap().push(told);
    }

    fn precertificate_unused(&self) {
        self.0
            .lock()
            .unwrap()
            .push("precertificate unused".to_owned());
    }
}

/// What is told of a request with this token and a proof over `challenge`.
async fn told(pipeline: &Pipeline, token: &str, challenge: &str) -> Vec<String> {
    let watcher = Arc::new(Watcher::default());
    let caller = Caller::new();
    let (key, signature) = (caller.public_key(), caller.sign(challenge));
    let proof = Proof::Challenge {
        key: &key,
        signature: &signature,
    };
    let context = RequestContext::new("test").observed_by(Arc::clone(&watcher) as _);
    // What becomes of the request is told to the watcher as well.
    drop(pipeline.issue(Request { token, proof }, &context).await);
    let told = watcher.0.lock().unwrap();
    told.clone()
}

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn each_stage_of_a_logged_certificate_is_told_in_its_order() {
    let log = Arc::new(FakeLog::new());
    let issuer = CertificateIssuer::new(Arc::new(logging_authority(&log).await))
        .with_journal(Arc::new(Memory::default()));
    assert_eq!(
        told(&pipeline(issuer), ADA, ADA).await,
        [
            "authenticate: passed",
            "proof: passed",
            "sign-precertificate: passed",
            "log: passed",
            "sign: passed",
            "journal: passed"
        ]
    );
}

#[tokio::test]
async fn the_stage_that_stops_a_request_is_told_with_its_reason() {
    let issuer = || async { CertificateIssuer::new(Arc::new(authority().await)) };
    let open = pipeline(issuer().await);
    assert_eq!(
        told(&open, "forged", ADA).await,
        ["authenticate: the caller was not authenticated"]
    );
    assert_eq!(
        told(&open, ADA, "bob@example.com").await,
        ["authenticate: passed", "proof: the key was not proven"]
    );
    let closed = Closed(Denied::Policy("no".to_owned()));
    let closed = pipeline(issuer().await.with_admission(Arc::new(closed)));
    assert_eq!(
        told(&closed, ADA, ADA).await,
        [
            "authenticate: passed",
            "proof: passed",
            "admit: the request was not admitted"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_stage_that_the_deadline_cuts_off_is_told_as_abandoned() {
    let log = Arc::new(FakeLog::new());
    log.behave(Behaviour::Hang);
    let issuer = CertificateIssuer::new(Arc::new(logging_authority(&log).await));
    assert_eq!(
        told(&pipeline(issuer), ADA, ADA).await.last().unwrap(),
        "precertificate unused"
    );
}

#[tokio::test(start_paused = true)]
async fn precertificates_of_which_no_certificate_comes_are_told() {
    let log = Arc::new(FakeLog::new());
    let issuer = CertificateIssuer::new(Arc::new(logging_authority(&log).await));
    let pipeline = pipeline(issuer);
    for (behaviour, end) in [
        (Behaviour::Refuse, "log: the certificate was not logged"),
        (
            Behaviour::Unavailable,
            "log: the certificate was not logged",
        ),
        (Behaviour::Hang, "log: abandoned"),
    ] {
        log.behave(behaviour);
        let told = told(&pipeline, ADA, ADA).await;
        assert_eq!(told[3..], [end, "precertificate unused"], "{behaviour:?}");
    }
}
