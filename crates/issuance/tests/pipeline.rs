//! The whole way of a request, and who is told what when it ends early.

mod common;

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use common::{
    Caller, Closed, Memory, Stopped, authority, identity, issuing_key, logging_authority, now,
    pipeline, send,
};
use fulcio_challenge::{PermittedAlgorithms, Proof};
use fulcio_ct_client::{Entry, Logs, NamedLog, Rule};
use fulcio_issuance::{
    CertificateIssuer, Denied, Error, LocalAuthority, Pipeline, Refusal, Request, RequestContext,
    Timestamp,
};
use fulcio_signer::{Algorithm, ErrorKind};
use fulcio_testkit::log::{Behaviour, FakeLog};

async fn without_log() -> Pipeline {
    pipeline(CertificateIssuer::new(Arc::new(authority().await)))
}

#[tokio::test]
async fn a_token_and_a_proof_become_a_certificate() {
    let certified = send(&without_log().await, "ada@example.com", "ada@example.com")
        .await
        .unwrap();
    assert_eq!(certified.chain.len(), 2);
    assert_eq!(certified.timestamp, Timestamp::None);
    assert!(contains(&certified.chain[0], b"ada@example.com"));
}

#[tokio::test]
async fn the_log_sees_a_precertificate_and_its_promise_is_embedded() {
    let log = Arc::new(FakeLog::new());
    let pipeline = pipeline(CertificateIssuer::new(Arc::new(
        logging_authority(&log).await,
    )));
    let certified = send(&pipeline, "ada@example.com", "ada@example.com")
        .await
        .unwrap();

    let Timestamp::Embedded(timestamp) = &certified.timestamp else {
        panic!("the timestamp is not embedded");
    };
    let submitted = log.certificates();
    assert_eq!(submitted.len(), 1);
    assert!(contains(&submitted[0], &POISON));
    assert!(!contains(&certified.chain[0], &POISON));
    let [timestamp] = &timestamp[..] else {
        panic!("there is one timestamp");
    };
    assert!(contains(&certified.chain[0], &timestamp.encode()));
    assert!(certified.further_timestamps.is_empty());
}

#[tokio::test]
async fn of_several_logs_one_is_embedded_and_the_journal_gets_the_others() {
    let fakes = [(); 3].map(|()| Arc::new(FakeLog::new()));
    for embedded in [1, 2] {
        let logs = together(&fakes)
            .with_embedded(NonZeroUsize::new(embedded).unwrap())
            .unwrap();
        let key = issuing_key(Algorithm::EcdsaP256Sha256).await;
        let authority = LocalAuthority::with_embedded_timestamps(key, logs);
        let journal = Arc::new(Memory::default());
        let issuer = CertificateIssuer::new(Arc::new(authority)).with_journal(journal.clone());
        let certified = send(&pipeline(issuer), "ada@example.com", "ada@example.com")
            .await
            .unwrap();
        let inside = certified.timestamps();
        assert_eq!(inside.len(), embedded);
        assert_eq!(certified.further_timestamps.len(), 3 - embedded);
        for (index, timestamp) in inside
            .iter()
            .chain(&certified.further_timestamps)
            .enumerate()
        {
            assert_eq!(timestamp.log_id(), fakes[index].key().id());
            let is_inside = contains(&certified.chain[0], &timestamp.encode());
            assert_eq!(is_inside, index < embedded, "{index}");
        }
        assert_eq!(
            *journal.timestamps.lock().unwrap(),
            [(embedded, 3 - embedded)]
        );
    }
}

#[tokio::test]
async fn of_several_logs_one_timestamp_is_detached() {
    let fakes = [(); 2].map(|()| Arc::new(FakeLog::new()));
    let issuer = CertificateIssuer::new(Arc::new(authority().await));
    let pipeline = pipeline(issuer.with_detached_timestamps(together(&fakes)));
    let certified = send(&pipeline, "ada@example.com", "ada@example.com")
        .await
        .unwrap();
    let entry = Entry::Certificate(&certified.chain[0]);
    let [timestamp] = certified.timestamps() else {
        panic!("there is one");
    };
    timestamp.verify(&entry, fakes[0].key(), None).unwrap();
    let [further] = &certified.further_timestamps[..] else {
        panic!("there is one more");
    };
    further.verify(&entry, fakes[1].key(), None).unwrap();
}

fn together(fakes: &[Arc<FakeLog>]) -> Logs {
    let logs = fakes.iter().map(|log| NamedLog {
        name: "log".to_owned(),
        log: Arc::clone(log) as _,
    });
    Logs::new(logs.collect(), Rule::All).expect("there are logs")
}

#[tokio::test]
async fn a_detached_timestamp_is_for_the_certificate_itself() {
    let log = Arc::new(FakeLog::new());
    let issuer = CertificateIssuer::new(Arc::new(authority().await));
    let pipeline = pipeline(issuer.with_detached_timestamps(log.clone()));
    let certified = send(&pipeline, "ada@example.com", "ada@example.com")
        .await
        .unwrap();

    let Timestamp::Detached(timestamp) = &certified.timestamp else {
        panic!("the timestamp is not detached");
    };
    let entry = Entry::Certificate(&certified.chain[0]);
    timestamp.verify(&entry, log.key(), None).unwrap();
}

#[tokio::test]
async fn a_caller_is_told_of_the_first_check_that_fails() {
    let pipeline = without_log().await;
    for (token, challenge, refusal) in [
        ("forged", "other", Refusal::IdentityToken),
        ("orphan", "other", Refusal::IdentityToken),
        ("nameless", "other", Refusal::Signature),
        (
            "nameless",
            "nameless",
            Refusal::Principal("claim \"url\" is missing".into()),
        ),
        ("ada@example.com", "other", Refusal::Signature),
    ] {
        let error = send(&pipeline, token, challenge).await.unwrap_err();
        assert_eq!(error.refusal(), refusal, "{token}");
    }
}

#[tokio::test]
async fn a_name_that_no_certificate_can_hold_is_the_callers_fault() {
    let error = send(&without_log().await, "ädä@example.com", "ädä@example.com")
        .await
        .unwrap_err();
    assert!(matches!(error.refusal(), Refusal::Principal(_)), "{error}");
}

#[tokio::test]
async fn an_algorithm_that_is_not_permitted_is_refused_after_the_proof() {
    let permitted = PermittedAlgorithms::from_names(["ed25519"]).unwrap();
    let pipeline = without_log().await.with_permitted_algorithms(permitted);
    let refusal = |error: Error| error.refusal();
    assert_eq!(
        send(&pipeline, "a@b.example", "a@b.example")
            .await
            .map_err(refusal)
            .unwrap_err(),
        Refusal::AlgorithmNotPermitted(
            "signing algorithm not permitted: *ecdsa.PublicKey, SHA-256".into()
        ),
    );
    assert_eq!(
        send(&pipeline, "a@b.example", "other")
            .await
            .map_err(refusal)
            .unwrap_err(),
        Refusal::Signature,
    );
}

#[tokio::test]
async fn a_proof_for_one_identity_never_serves_another() {
    let issuer =
        CertificateIssuer::new(Arc::new(authority().await)).with_clock(Arc::new(Stopped(now())));
    let caller = Caller::new();
    let (key, signature) = (caller.public_key(), caller.sign("mallory@example.com"));
    let proof = Proof::Challenge {
        key: &key,
        signature: &signature,
    };
    let proven = proof
        .verify("mallory@example.com", &PermittedAlgorithms::default())
        .unwrap();
    let context = RequestContext::new("test");

    let victim = identity("ada@example.com");
    let error = issuer.issue(&victim, &proven, &context).await.unwrap_err();
    assert!(matches!(error, Error::ProofOfAnother));
    let own = identity("mallory@example.com");
    assert!(issuer.issue(&own, &proven, &context).await.is_ok());
}

#[tokio::test]
async fn admission_is_asked_before_anything_is_signed() {
    let log = Arc::new(FakeLog::new());
    for (denied, refusal) in [
        (
            Denied::Policy("not in the allowed organization".into()),
            Refusal::NotAdmitted("not in the allowed organization".into()),
        ),
        (
            Denied::RateLimit(Duration::from_secs(3)),
            Refusal::RateLimited {
                retry_after: Duration::from_secs(3),
            },
        ),
    ] {
        let issuer = CertificateIssuer::new(Arc::new(logging_authority(&log).await))
            .with_admission(Arc::new(Closed(denied)));
        let error = send(&pipeline(issuer), "a@b.example", "a@b.example")
            .await
            .unwrap_err();
        assert_eq!(error.refusal(), refusal);
        assert_eq!(log.submissions(), 0);
    }
}

#[tokio::test]
async fn a_log_that_fails_gives_no_certificate() {
    let log = Arc::new(FakeLog::new());
    let pipeline = pipeline(CertificateIssuer::new(Arc::new(
        logging_authority(&log).await,
    )));
    log.behave(Behaviour::Refuse);
    let error = send(&pipeline, "a@b.example", "a@b.example")
        .await
        .unwrap_err();
    assert_eq!(error.refusal(), Refusal::Log);
    log.behave(Behaviour::Unavailable);
    let error = send(&pipeline, "a@b.example", "a@b.example")
        .await
        .unwrap_err();
    assert!(matches!(error.refusal(), Refusal::LogUnavailable { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_request_ends_with_its_deadline_wherever_it_hangs() {
    let log = Arc::new(FakeLog::new());
    log.behave(Behaviour::Hang);
    let journal = Arc::new(Memory::default());
    let issuer = CertificateIssuer::new(Arc::new(logging_authority(&log).await))
        .with_journal(journal.clone());
    let pipeline = pipeline(issuer);
    for token in ["hang", "ada@example.com"] {
        let begun = tokio::time::Instant::now();
        let error = send(&pipeline, token, token).await.unwrap_err();
        assert_eq!(error.refusal(), Refusal::Deadline);
        assert_eq!(begun.elapsed().as_secs(), Pipeline::DEADLINE.as_secs());
    }
    assert_eq!(journal.decisions.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn every_decision_is_recorded_and_a_certificate_waits_for_its_record() {
    let journal = Arc::new(Memory::default());
    let issuer = CertificateIssuer::new(Arc::new(authority().await)).with_journal(journal.clone());
    let kept = pipeline(issuer);
    send(&kept, "ada@example.com", "ada@example.com")
        .await
        .unwrap();
    send(&kept, "ada@example.com", "other").await.unwrap_err();
    send(&kept, "forged", "other").await.unwrap_err();
    assert_eq!(
        *journal.decisions.lock().unwrap(),
        [
            "test issued ada@example.com",
            "test refused ada@example.com: the key was not proven",
            "test refused nobody: the caller was not authenticated",
        ]
    );

    let full = Arc::new(Memory {
        full: true,
        ..Memory::default()
    });
    let issuer = CertificateIssuer::new(Arc::new(authority().await)).with_journal(full);
    let error = send(&pipeline(issuer), "ada@example.com", "ada@example.com")
        .await
        .unwrap_err();
    assert_eq!(error.refusal(), Refusal::Journal);
}

#[tokio::test]
async fn a_signer_that_fails_is_our_fault() {
    let key = common::failing_key(Algorithm::EcdsaP256Sha256, ErrorKind::Unavailable).await;
    let issuer = CertificateIssuer::new(Arc::new(LocalAuthority::new(key)));
    let error = send(&pipeline(issuer), "ada@example.com", "ada@example.com")
        .await
        .unwrap_err();
    assert_eq!(error.refusal(), Refusal::Authority);
}

#[tokio::test]
async fn an_authority_past_its_dates_does_not_issue() {
    for days in [-1_i64, 2] {
        let moment = if days < 0 {
            now() - Duration::from_secs(1)
        } else {
            now() + Duration::from_secs(2 * 86_400)
        };
        let issuer = CertificateIssuer::new(Arc::new(authority().await));
        let pipeline = Pipeline::new(
            Arc::new(common::Trusting),
            issuer.with_clock(Arc::new(Stopped(moment))),
        );
        let error = send(&pipeline, "ada@example.com", "ada@example.com")
            .await
            .unwrap_err();
        assert_eq!(error.refusal(), Refusal::Authority);
    }
}

/// The OID of the poison extension (RFC 6962 section 3.1), as its DER.
const POISON: [u8; 12] = [6, 10, 0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 3];

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_request_that_is_printed_does_not_show_its_token() {
    let request = Request {
        token: "a-token",
        proof: Proof::Csr(b"a request"),
    };
    let shown = format!("{request:?}");
    assert!(!shown.contains("a-token"), "{shown}");
    assert!(shown.contains("proof"), "{shown}");
}
