//! Several logs together, and what a caller gets when some of them fail.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use core::{num::NonZeroUsize, time::Duration};
use std::sync::{Arc, Mutex};

use fulcio_ct_client::{
    Entry, Error, Failure, Logs, LogsError, NamedLog, Rule, Submission, Submitting, Timestamps,
    TransparencyLog,
};
use fulcio_testkit::log::{Behaviour, FakeLog};
use pki_types::CertificateDer;
use tokio::time::{Instant, sleep};

const ENTRY: Entry<'static> = Entry::Certificate(b"certificate");

async fn submit(logs: &Logs) -> Result<Timestamps, Error> {
    logs.submit(Submission {
        entry: ENTRY,
        certificate: &CertificateDer::from_slice(b"certificate"),
        issuers: &[],
    })
    .await
}

fn fakes<const N: usize>() -> [Arc<FakeLog>; N] {
    core::array::from_fn(|_| Arc::new(FakeLog::new()))
}

fn together(fakes: &[Arc<FakeLog>], rule: Rule) -> Logs {
    let logs = fakes.iter().enumerate().map(|(index, log)| NamedLog {
        name: format!("log {index}"),
        log: Arc::clone(log) as _,
    });
    Logs::new(logs.collect(), rule).unwrap()
}

fn any(needed: usize) -> Rule {
    Rule::Any(NonZeroUsize::new(needed).unwrap())
}

/// Which of `fakes` made each of the promises.
fn makers(fakes: &[Arc<FakeLog>], timestamps: &Timestamps) -> (Vec<usize>, Vec<usize>) {
    let maker = |timestamp: &fulcio_ct_client::SignedCertificateTimestamp| {
        fakes
            .iter()
            .position(|fake| timestamp.verify(&ENTRY, fake.key(), None).is_ok())
            .unwrap()
    };
    (
        timestamps.embedded.iter().map(maker).collect(),
        timestamps.beside.iter().map(maker).collect(),
    )
}

#[tokio::test]
async fn one_timestamp_of_all_is_embedded_and_none_is_lost() {
    let fakes = fakes::<3>();
    let timestamps = submit(&together(&fakes, Rule::All)).await.unwrap();
    assert_eq!(makers(&fakes, &timestamps), (vec![0], vec![1, 2]));
    assert!(fakes.iter().all(|fake| fake.certificates().len() == 1));
}

#[tokio::test]
async fn as_many_are_embedded_as_are_wanted() {
    let fakes = fakes::<3>();
    let logs = together(&fakes, Rule::All);
    let two = NonZeroUsize::new(2).unwrap();
    let timestamps = submit(&logs.with_embedded(two).unwrap()).await.unwrap();
    assert_eq!(makers(&fakes, &timestamps), (vec![0, 1], vec![2]));
}

#[tokio::test]
async fn more_than_will_be_there_cannot_be_embedded() {
    let logs = together(&fakes::<3>(), any(2));
    assert_eq!(
        logs.with_embedded(NonZeroUsize::new(3).unwrap())
            .unwrap_err(),
        LogsError::Embedded {
            embedded: 3,
            needed: 2
        }
    );
}

#[tokio::test]
async fn a_rule_needs_logs() {
    assert_eq!(
        Logs::new(Vec::new(), Rule::All).unwrap_err(),
        LogsError::None
    );
    let one = NamedLog {
        name: "one".to_owned(),
        log: Arc::new(FakeLog::new()),
    };
    assert_eq!(
        Logs::new(vec![one], any(2)).unwrap_err(),
        LogsError::Needed { needed: 2, of: 1 }
    );
}

#[tokio::test(start_paused = true)]
async fn logs_are_asked_at_the_same_time() {
    let fakes = fakes::<3>();
    for fake in &fakes {
        fake.behave(Behaviour::PromiseAfter(Duration::from_secs(2)));
    }
    let begun = Instant::now();
    submit(&together(&fakes, Rule::All)).await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn whoever_is_not_needed_is_not_waited_for_and_goes_on() {
    let fakes = fakes::<3>();
    fakes[0].behave(Behaviour::Hang);
    fakes[1].behave(Behaviour::PromiseAfter(Duration::from_secs(3)));
    let begun = Instant::now();
    let timestamps = submit(&together(&fakes, any(1))).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(makers(&fakes, &timestamps), (vec![2], vec![]));
    assert_eq!(fakes[1].certificates().len(), 0);
    sleep(Duration::from_secs(4)).await;
    assert_eq!(fakes[1].certificates().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn logs_that_hang_keep_no_more_than_a_bounded_number_of_submissions() {
    /// Hangs, and counts those that are waiting.
    #[derive(Debug, Default)]
    struct Hanging(Arc<()>);
    impl TransparencyLog for Hanging {
        fn submit<'a>(&'a self, _submission: Submission<'a>) -> Submitting<'a> {
            let waiting = Arc::clone(&self.0);
            Box::pin(async move {
                core::future::pending::<()>().await;
                drop(waiting);
                Err(Error::backend(Failure::Refused, "never"))
            })
        }
    }
    let hanging = Hanging::default();
    let waiting = Arc::clone(&hanging.0);
    let named = |name: &str, log| NamedLog {
        name: name.to_owned(),
        log,
    };
    let logs = vec![
        named("hangs", Arc::new(hanging) as _),
        named("promises", Arc::new(FakeLog::new()) as _),
    ];
    let logs = Logs::new(logs, any(1)).unwrap();
    for _ in 0..1000 {
        submit(&logs).await.unwrap();
    }
    sleep(Duration::from_secs(1)).await;
    // Besides the test's own and the log's.
    assert_eq!(Arc::strong_count(&waiting) - 2, 256);
}

#[tokio::test]
async fn one_that_fails_harms_nobody_where_enough_others_promise() {
    let fakes = fakes::<3>();
    for behaviour in [Behaviour::Refuse, Behaviour::Unavailable] {
        fakes[0].behave(behaviour);
        let timestamps = submit(&together(&fakes, any(2))).await.unwrap();
        assert_eq!(makers(&fakes, &timestamps), (vec![1], vec![2]));
    }
}

#[tokio::test(start_paused = true)]
async fn there_is_no_waiting_once_too_many_have_failed() {
    let fakes = fakes::<3>();
    fakes[0].behave(Behaviour::Hang);
    fakes[2].behave(Behaviour::Refuse);
    let begun = Instant::now();
    let error = submit(&together(&fakes, Rule::All)).await.unwrap_err();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    let Error::TooFew {
        needed: 3,
        of: 3,
        failed,
    } = &error
    else {
        panic!("{error:?}");
    };
    let names: Vec<_> = failed.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["log 2"]);
    assert_eq!(failed.to_string(), "log 2: the log failed: told to refuse");
}

#[tokio::test]
async fn waiting_helps_unless_too_many_have_refused() {
    use Behaviour::{Promise, Refuse, Unavailable};
    for (rule, behaviours, failure) in [
        (Rule::All, [Promise, Unavailable], Failure::Unavailable),
        (Rule::All, [Promise, Refuse], Failure::Refused),
        (any(1), [Unavailable, Unavailable], Failure::Unavailable),
        (any(1), [Refuse, Unavailable], Failure::Unavailable),
        (any(1), [Refuse, Refuse], Failure::Refused),
    ] {
        let fakes = fakes::<2>();
        for (fake, behaviour) in fakes.iter().zip(behaviours) {
            fake.behave(behaviour);
        }
        let error = submit(&together(&fakes, rule)).await.unwrap_err();
        assert_eq!(error.failure(), failure, "{rule:?} {behaviours:?}");
    }
}

/// Asks to be left alone for so many seconds, or just fails.
#[derive(Debug)]
struct Busy(Option<u64>);

impl TransparencyLog for Busy {
    fn submit<'a>(&'a self, _submission: Submission<'a>) -> Submitting<'a> {
        let error = match self.0 {
            Some(seconds) => Error::BreakerOpen {
                retry_after: Duration::from_secs(seconds),
            },
            None => Error::backend(Failure::Unavailable, "busy"),
        };
        Box::pin(core::future::ready(Err(error)))
    }
}

#[tokio::test]
async fn callers_are_told_when_enough_logs_can_be_asked_again() {
    for (rule, waits, expected) in [
        (any(1), [Some(7), Some(30), Some(4)], Some(4)),
        (any(2), [Some(7), Some(30), Some(4)], Some(4)),
        (Rule::All, [Some(7), Some(7), Some(7)], Some(7)),
        (any(1), [None, Some(30), Some(4)], None),
    ] {
        let logs = waits.map(|wait| NamedLog {
            name: "busy".to_owned(),
            log: Arc::new(Busy(wait)) as _,
        });
        let logs = Logs::new(logs.into(), rule).unwrap();
        let retry_after = submit(&logs).await.unwrap_err().retry_after();
        // Of two that are needed, one may not have failed yet when it is known that they will not
        // both promise.
        match rule {
            Rule::Any(needed) if needed.get() == 2 => assert!(retry_after.is_some()),
            _ => assert_eq!(retry_after, expected.map(Duration::from_secs), "{waits:?}"),
        }
    }
}

#[tokio::test]
async fn a_single_log_speaks_for_itself() {
    let fake = Arc::new(FakeLog::new());
    let logs = Logs::from(Arc::clone(&fake));
    let timestamps = submit(&logs).await.unwrap();
    assert_eq!((timestamps.embedded.len(), timestamps.beside.len()), (1, 0));
    fake.behave(Behaviour::Refuse);
    let error = submit(&logs).await.unwrap_err();
    assert!(matches!(error, Error::Backend { .. }), "{error:?}");
}

#[tokio::test]
async fn what_a_log_is_given_by_a_task_is_what_was_submitted() {
    type Seen = (Vec<u8>, Vec<u8>, Vec<CertificateDer<'static>>);
    #[derive(Debug, Default)]
    struct Witness(Mutex<Vec<Seen>>);
    impl TransparencyLog for Witness {
        fn submit<'a>(&'a self, submission: Submission<'a>) -> Submitting<'a> {
            let entry = submission.entry.to_be_signed(1, b"x").unwrap();
            let certificate = submission.certificate.to_vec();
            let issuers = submission.issuers.to_vec();
            self.0.lock().unwrap().push((entry, certificate, issuers));
            Box::pin(core::future::ready(Err(Error::backend(
                Failure::Refused,
                "seen",
            ))))
        }
    }
    let witness = Arc::new(Witness::default());
    let named = |name: &str| NamedLog {
        name: name.to_owned(),
        log: Arc::clone(&witness) as _,
    };
    let logs = Logs::new(vec![named("one"), named("two")], any(1)).unwrap();
    let entry = Entry::Precertificate {
        issuer_key_hash: [3; 32],
        tbs: b"tbs",
    };
    let issuers = [CertificateDer::from_slice(b"root")];
    let submission = Submission {
        entry,
        certificate: &CertificateDer::from_slice(b"precertificate"),
        issuers: &issuers,
    };
    logs.submit(submission).await.unwrap_err();
    let expected = (
        entry.to_be_signed(1, b"x").unwrap(),
        b"precertificate".to_vec(),
        issuers.to_vec(),
    );
    let seen = witness.0.lock().unwrap();
    assert_eq!(*seen, [expected.clone(), expected]);
}
