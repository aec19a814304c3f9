//! What several journals are asked, and what a journal can know of a request.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::sync::{Arc, Mutex};

use common::{Memory, authority, logging_authority, pipeline, send};
use fulcio_ct_client::{Entry, Submission, Submitting, TransparencyLog};
use fulcio_issuance::{
    CertificateIssuer, Decision, Error, Journal, Journals, PrecertificateEntry, Recording,
    RequestContext,
};
use fulcio_principal::Identity;
use fulcio_testkit::log::{Behaviour, FakeLog};

#[tokio::test]
async fn what_the_first_journal_does_not_keep_does_not_leave_and_all_hear_of_the_refusal() {
    let full = Arc::new(Memory {
        full: true,
        ..Memory::default()
    });
    let last = Arc::new(Memory::default());
    let journals = Journals::new(vec![full.clone(), last.clone()]);
    let issuer = CertificateIssuer::new(Arc::new(authority().await));
    let pipeline = pipeline(issuer.with_journal(Arc::new(journals)));
    let refused = send(&pipeline, "ada@example.com", "ada@example.com").await;
    assert!(matches!(refused, Err(Error::Journal(_))), "{refused:?}");
    let said = |journal: &Memory| journal.decisions.lock().unwrap().clone();
    assert_eq!(said(&full).len(), 2);
    let [only] = &said(&last)[..] else {
        panic!("{:?}", said(&last));
    };
    assert!(only.starts_with("test refused ada@example.com"), "{only}");
}

/// Remembers the precertificates of which it hears.
#[derive(Debug, Default)]
struct Precertificates(Mutex<Vec<(&'static str, Option<PrecertificateEntry>)>>);

impl Precertificates {
    fn hear(&self, how: &'static str, context: &RequestContext) {
        let entry = context.precertificate_entry().copied();
        self.0.lock().unwrap().push((how, entry));
    }
}

impl Journal for Precertificates {
    fn record<'a>(&'a self, decision: Decision<'a>, context: &'a RequestContext) -> Recording<'a> {
        self.hear(
            match decision {
                Decision::Issued { .. } => "issued",
                Decision::Refused { .. } => "refused",
            },
            context,
        );
        Box::pin(core::future::ready(Ok(())))
    }

    fn abandoned(&self, _identity: &Identity, context: &RequestContext) {
        self.hear("abandoned", context);
    }
}

/// Remembers the entries that it was given.
#[derive(Debug)]
struct Remembering {
    log: Arc<FakeLog>,
    entries: Mutex<Vec<PrecertificateEntry>>,
}

impl TransparencyLog for Remembering {
    fn submit<'a>(&'a self, submission: Submission<'a>) -> Submitting<'a> {
        if let Entry::Precertificate {
            issuer_key_hash,
            tbs,
        } = submission.entry
        {
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, tbs);
            self.entries.lock().unwrap().push(PrecertificateEntry {
                issuer_key_hash,
                tbs_hash: digest.as_ref().try_into().unwrap(),
            });
        }
        self.log.submit(submission)
    }
}

#[tokio::test]
async fn a_journal_knows_what_logs_were_given_whatever_came_of_it() {
    let log = Arc::new(Remembering {
        log: Arc::new(FakeLog::new()),
        entries: Mutex::default(),
    });
    let key = common::issuing_key(fulcio_signer::Algorithm::EcdsaP256Sha256).await;
    let authority =
        fulcio_issuance::LocalAuthority::with_embedded_timestamps(key, Arc::clone(&log));
    let heard = Arc::new(Precertificates::default());
    let issuer = CertificateIssuer::new(Arc::new(authority)).with_journal(heard.clone());
    let pipeline = pipeline(issuer);
    send(&pipeline, "ada@example.com", "ada@example.com")
        .await
        .unwrap();
    log.log.behave(Behaviour::Refuse);
    send(&pipeline, "ada@example.com", "ada@example.com")
        .await
        .unwrap_err();
    // Refused before a precertificate was made.
    send(&pipeline, "forged", "forged").await.unwrap_err();
    let entries: Vec<_> = log
        .entries
        .lock()
        .unwrap()
        .iter()
        .copied()
        .map(Some)
        .collect();
    assert_eq!(
        *heard.0.lock().unwrap(),
        [
            ("issued", entries[0]),
            ("refused", entries[1]),
            ("refused", None)
        ]
    );
    assert_ne!(entries[0], entries[1]);
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_time_is_over_is_abandoned_with_its_precertificate_and_refused() {
    let log = Arc::new(FakeLog::new());
    log.behave(Behaviour::Hang);
    let authority = Arc::new(logging_authority(&log).await);
    let heard = Arc::new(Precertificates::default());
    let issuer = CertificateIssuer::new(authority).with_journal(heard.clone());
    let refused = send(&pipeline(issuer), "ada@example.com", "ada@example.com").await;
    assert!(matches!(refused, Err(Error::Deadline(_))), "{refused:?}");
    let heard = heard.0.lock().unwrap();
    let [("abandoned", Some(one)), ("refused", Some(other))] = &heard[..] else {
        panic!("{heard:?}");
    };
    assert_eq!(one, other);
}
